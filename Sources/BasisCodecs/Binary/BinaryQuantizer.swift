public import BasisCore

/// A bit per dimension: on which side of the mean a vector lies, after a rotation.
///
/// Which one when: this is the smallest and, compared bit by bit, the fastest; ``ResidualBitQuantizer``
/// knows how far its estimates may be off; ``RecurrentBinaryCodec`` takes 1 to 4 bits without a
/// number of the row's own.
public struct BinaryQuantizer: VectorCodec {
  /// Bits of a code, `1 ... d`: fewer than *d* keep the principal directions; nil is *d*.
  public var bits: Int?
  public var rotation: Rotation
  /// Whether the mean of the sample is taken off first.
  public var isCentred: Bool
  /// Whether queries are cut to bits too. Then codes are compared by how many bits differ: the
  /// angle is about π · bits that differ / bits, and there is no inner product.
  public var isSymmetric: Bool

  public init(
    bits: Int? = nil, rotation: Rotation = .iterative, isCentred: Bool = true,
    isSymmetric: Bool = false
  ) {
    self.bits = bits
    self.rotation = rotation
    self.isCentred = isCentred
    self.isSymmetric = isSymmetric
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = BinaryQuantizer()
    bits = try values.decodeIfPresent(Int.self, forKey: .bits)
    rotation = try values.decodeIfPresent(Rotation.self, forKey: .rotation) ?? defaults.rotation
    isCentred = try values.decodeIfPresent(Bool.self, forKey: .isCentred) ?? defaults.isCentred
    isSymmetric =
      try values.decodeIfPresent(Bool.self, forKey: .isSymmetric) ?? defaults.isSymmetric
  }

  /// - Complexity: O(*n* *d*²), thirty times that for an iterative rotation of at most 8,192 rows.
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> FittedBinaryQuantizer
  {
    try run.checkCancelled()
    try rows.requireSample("binary quantiser")
    let count = try keptCount(bits, of: rows.columnCount, "binary quantiser")
    let mean = isCentred ? rows.columnMeans() : [Float](repeating: 0, count: rows.columnCount)
    let centred = isCentred ? rows.centred(0..<rows.rowCount, by: mean) : rows
    let map = try rotation.fit(centred, count: count, in: run)
    let images = try map(centred, in: run)
    var sums = [Double](repeating: 0, count: count)
    images.withUnsafeFloats { floats in
      for index in floats.indices { sums[index % count] += Double(abs(floats[index])) }
    }
    return FittedBinaryQuantizer(
      settings: self, mean: mean, map: map,
      magnitudes: sums.map { Float($0 / Double(rows.rowCount)) })
  }
}
