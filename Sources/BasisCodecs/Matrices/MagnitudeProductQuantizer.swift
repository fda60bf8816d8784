public import BasisCore
import BasisNumerics

/// Product quantisation with more words for long rows.
///
/// Rows are sorted by length and cut into groups of equal total length, so that long rows come into
/// small groups; each group has words of its own, and the first groups more of them. Where all rows
/// are about as long, groups are of equal size, and ``ProductQuantizer`` takes fewer bytes.
///
/// Rows take different numbers of bits, so this is for tables; see ``MatrixCompressor``.
///
/// Zhang et al., *Experimental analysis of large-scale learnable vector storage compression*, VLDB
/// 2024, doi:10.14778/3636218.3636234, section 4 (magnitude-PQ).
public struct MagnitudeProductQuantizer: MatrixCompressor {
  /// Parts of a vector; divides the dimension.
  public var parts: Int
  /// Bits of a part for each group, longest rows first: 1 to 12 each.
  public var bits: [Int]
  /// Iterations of k-means in every part; at least 1.
  public var iterations: Int

  public init(parts: Int = 8, bits: [Int] = [9, 8], iterations: Int = 25) {
    self.parts = parts
    self.bits = bits
    self.iterations = iterations
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = MagnitudeProductQuantizer()
    parts = try values.decodeIfPresent(Int.self, forKey: .parts) ?? defaults.parts
    bits = try values.decodeIfPresent([Int].self, forKey: .bits) ?? defaults.bits
    iterations = try values.decodeIfPresent(Int.self, forKey: .iterations) ?? defaults.iterations
  }

  private func check(dimension: Int) throws(BasisError) {
    guard !bits.isEmpty, bits.count <= 256, bits.allSatisfy({ (1...12).contains($0) }),
      iterations >= 1
    else {
      throw BasisError(
        .invalidArgument,
        "magnitude product quantiser: 1 to 256 groups of 1 to 12 bits, and at least 1 iteration; "
          + "got \(bits) and \(iterations)")
    }
    guard parts >= 1, dimension.isMultiple(of: parts) else {
      let divisors = (1...max(1, dimension)).filter { dimension.isMultiple(of: $0) }
      throw BasisError(
        .invalidArgument,
        "\(dimension) values do not divide into \(parts) equal parts; the divisors are "
          + divisors.map(String.init).joined(separator: ", "))
    }
  }

  /// - Complexity: O(*n* *d* 2^bits) per iteration, the most bits of any group.
  public func compress(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> GroupedProductMatrix
  {
    try run.checkCancelled()
    try check(dimension: rows.columnCount)
    try rows.requireFinite("the matrix to compress")
    let lengths = (0..<rows.rowCount).map { row in rows.withRow(row) { Double(length($0)) } }
    var homes = [UInt8](repeating: 0, count: rows.rowCount)
    var groups: [GroupedProductMatrix.Group] = []
    let members =
      rows.isEmpty || rows.columnCount == 0
      ? [] : groupsOfEqualLength(lengths, count: bits.count)
    for (number, ids) in members.enumerated() {
      // In the order of rows: a row's place is how many of its group come before.
      let ids = ids.sorted()
      for id in ids { homes[id] = UInt8(number) }
      groups.append(try group(rows.selecting(rows: ids), bits[number], in: run))
    }
    return GroupedProductMatrix(
      rowCount: rows.rowCount, columnCount: rows.columnCount, parts: parts, homes: homes,
      groups: groups)
  }

  private func group(_ rows: Matrix, _ bits: Int, in run: RunContext) throws(BasisError)
    -> GroupedProductMatrix.Group
  {
    let width = rows.columnCount / parts
    // No more words than rows, and no more bits than there are words.
    let size = min(1 << bits, rows.rowCount)
    let needed = max(1, Int.bitWidth - (size - 1).leadingZeroBitCount)
    var codes = BitPile(bits: needed, count: rows.rowCount * parts)
    var words: [Float] = []
    for part in 0..<parts {
      try run.checkCancelled()
      let own = Matrix(rowCount: rows.rowCount, columnCount: width) { out in
        for row in 0..<rows.rowCount {
          for column in 0..<width {
            out[row * width + column] = rows[row, part * width + column]
          }
        }
      }
      var clustering = KMeans(clusterCount: size)
      clustering.maxIterations = iterations
      let model = try clustering.fit(own, in: run.silent)
      model.centroids.withUnsafeFloats { words += $0 }
      for (row, word) in try model.assign(own, in: run).enumerated() {
        codes.set(row * parts + part, to: word)
      }
    }
    return .init(rowCount: rows.rowCount, size: size, words: words, codes: codes)
  }
}

/// Numbers of some bits each, packed without gaps, low bits of low bytes first.
struct BitPile: Sendable {
  let bits: Int
  let count: Int
  var bytes: [UInt8]

  static func byteCount(bits: Int, count: Int) -> Int { (bits * count + 7) / 8 }

  init(bits: Int, count: Int) {
    self.bits = bits
    self.count = count
    bytes = Array(repeating: 0, count: Self.byteCount(bits: bits, count: count))
  }

  /// Sets a number that is still zero.
  mutating func set(_ index: Int, to value: Int) {
    for bit in 0..<bits where value >> bit & 1 == 1 {
      let place = index * bits + bit
      bytes[place >> 3] |= 1 << UInt8(place & 7)
    }
  }

  subscript(index: Int) -> Int {
    var value = 0
    let first = index * bits
    for byte in first >> 3...(first + bits - 1) >> 3 {
      let shift = byte * 8 - first
      let part = Int(bytes[byte])
      value |= shift < 0 ? part >> -shift : part << shift
    }
    return value & (1 << bits - 1)
  }
}
