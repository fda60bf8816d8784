public import BasisCore

/// One to four bits per dimension by repeated signs: the first sign of each rotated value, then the
/// signs of what the code so far misses, each worth half of the one before.
///
/// A code is a direction: vectors are taken to be of unit length, and are compared by the cosine.
/// Two bits with ``SymmetricTableScanner`` are the fast choice for large collections.
///
/// With z = Q x of unit length: b ← sign(z), then b ← b + 2⁻ⁱ sign(z − b / ‖b‖) for i = 1 … bits − 1.
///
/// Gan et al., *Binary embedding-based retrieval at Tencent*, KDD 2023, doi:10.1145/3580305.3599782,
/// section 3.1, with rotations in the place of trained layers.
public struct RecurrentBinaryCodec: VectorCodec {
  /// Bits per dimension, 1 to 4. *u* + 1 in the paper.
  public var bits: Int
  /// Dimensions that are kept, `1 ... d`: fewer than *d* keep the principal directions; nil is *d*.
  public var dimensions: Int?
  public var rotation: Rotation
  /// Whether queries are cut to bits too, as a table scan does.
  public var isSymmetric: Bool

  public init(
    bits: Int = 2, dimensions: Int? = nil, rotation: Rotation = .iterative,
    isSymmetric: Bool = false
  ) {
    self.bits = bits
    self.dimensions = dimensions
    self.rotation = rotation
    self.isSymmetric = isSymmetric
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = RecurrentBinaryCodec()
    bits = try values.decodeIfPresent(Int.self, forKey: .bits) ?? defaults.bits
    dimensions = try values.decodeIfPresent(Int.self, forKey: .dimensions)
    rotation = try values.decodeIfPresent(Rotation.self, forKey: .rotation) ?? defaults.rotation
    isSymmetric =
      try values.decodeIfPresent(Bool.self, forKey: .isSymmetric) ?? defaults.isSymmetric
  }

  /// - Complexity: O(*n* *d*²), thirty times that for an iterative rotation of at most 8,192 rows.
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> FittedRecurrentBinaryCodec
  {
    try run.checkCancelled()
    try rows.requireSample("recurrent binary codec")
    try requireBits(bits, "recurrent binary codec")
    let count = try keptCount(dimensions, of: rows.columnCount, "recurrent binary codec")
    return FittedRecurrentBinaryCodec(
      settings: self, map: try rotation.fit(rows, count: count, in: run))
  }
}
