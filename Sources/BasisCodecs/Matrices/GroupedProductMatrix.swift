public import BasisCore
public import BasisFormats

/// Rows as numbers of words, of their group's own words; what ``MagnitudeProductQuantizer`` makes.
public struct GroupedProductMatrix: CompressedMatrix {
  struct Group: Sendable {
    let rowCount: Int
    /// Words of a part.
    let size: Int
    /// Part by part `size × width`.
    let words: [Float]
    /// Row by row `parts` numbers of words.
    let codes: BitPile
  }

  public let rowCount: Int
  public let columnCount: Int
  let parts: Int
  let groups: [Group]
  /// Each row's group.
  private let homes: BitPile
  /// For every 256th row how many rows of each group come before it; from `homes`.
  private let marks: [UInt32]

  private static let markDistance = 256

  init(rowCount: Int, columnCount: Int, parts: Int, homes: [UInt8], groups: [Group]) {
    var packed = BitPile(bits: Self.homeBits(groups.count), count: rowCount)
    for (row, home) in homes.enumerated() { packed.set(row, to: Int(home)) }
    self.init(
      rowCount: rowCount, columnCount: columnCount, parts: parts, homes: packed, groups: groups)
  }

  private init(
    rowCount: Int, columnCount: Int, parts: Int, homes: BitPile, groups: [Group]
  ) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.parts = parts
    self.groups = groups
    self.homes = homes
    var (marks, counts) = ([UInt32](), [UInt32](repeating: 0, count: groups.count))
    for row in 0..<rowCount where !groups.isEmpty {
      if row.isMultiple(of: Self.markDistance) { marks += counts }
      let home = homes.bits > 0 ? homes[row] : 0
      if home < counts.count { counts[home] += 1 }
    }
    self.marks = marks
  }

  /// One group needs no bits.
  private static func homeBits(_ groups: Int) -> Int {
    groups > 1 ? Int.bitWidth - (groups - 1).leadingZeroBitCount : 0
  }

  /// Codes, words, and the bits that say which group a row is in.
  public var byteCount: Int {
    homes.bytes.count + groups.reduce(0) { $0 + $1.codes.bytes.count + 4 * $1.words.count }
  }

  /// Rows and words of each group, longest rows first.
  public var sizes: [(rowCount: Int, words: Int)] { groups.map { ($0.rowCount, $0.size) } }

  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    let width = columnCount / parts
    return Matrix(rowCount: range.count, columnCount: columnCount) { out in
      guard !groups.isEmpty, !range.isEmpty else { return }
      let mark = range.lowerBound / Self.markDistance
      var places = (0..<groups.count).map { Int(marks[mark * groups.count + $0]) }
      for row in mark * Self.markDistance..<range.upperBound {
        let home = homes.bits > 0 ? homes[row] : 0
        let place = places[home]
        places[home] += 1
        guard row >= range.lowerBound else { continue }
        let group = groups[home]
        for part in 0..<parts {
          let word = group.codes[place * parts + part]
          let start = (part * group.size + word) * width
          let target = (row - range.lowerBound) * columnCount + part * width
          for column in 0..<width { out[target + column] = group.words[start + column] }
        }
      }
    }
  }

  private struct Header: Codable {
    var layout = 1
    var rowCount: Int
    var columnCount: Int
    var parts: Int
    /// Rows, words and bits of each group.
    var groups: [[Int]]
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "grouped-product",
      json: Header(
        rowCount: rowCount, columnCount: columnCount, parts: parts,
        groups: groups.map { [$0.rowCount, $0.size, $0.codes.bits] }))
    try writer.write(prefix + "homes", homes.bytes)
    for (number, group) in groups.enumerated() {
      try writer.write(prefix + "words-\(number)", group.words)
      try writer.write(prefix + "codes-\(number)", group.codes.bytes)
    }
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "grouped-product", as: Header.self)
    try container.requireLayout(header.layout, of: "grouped product quantiser")
    func corrupt() -> BasisError {
      BasisError(
        .corruptFile,
        "\(container.path): the groups of a product quantiser do not fit its \(header.rowCount) × "
          + "\(header.columnCount) values; make the file again")
    }
    guard header.parts >= 1, header.columnCount >= 0, header.rowCount >= 0,
      header.columnCount.isMultiple(of: header.parts), header.rowCount < 1 << 40,
      header.columnCount < 1 << 24, header.groups.count <= 256
    else { throw corrupt() }
    var groups: [Group] = []
    for (number, shape) in header.groups.enumerated() {
      guard shape.count == 3, shape[0] >= 0, shape[0] <= header.rowCount,
        (1...4096).contains(shape[1]), (1...12).contains(shape[2]), shape[1] <= 1 << shape[2]
      else { throw corrupt() }
      let words = Array(try container.array(prefix + "words-\(number)", of: Float.self))
      let bytes = Array(try container.array(prefix + "codes-\(number)", of: UInt8.self))
      var codes = BitPile(bits: shape[2], count: shape[0] * header.parts)
      guard words.count == shape[1] * header.columnCount, bytes.count == codes.bytes.count,
        words.allSatisfy({ $0.isFinite })
      else { throw corrupt() }
      codes.bytes = bytes
      guard (0..<codes.count).allSatisfy({ codes[$0] < shape[1] }) else { throw corrupt() }
      groups.append(Group(rowCount: shape[0], size: shape[1], words: words, codes: codes))
    }
    var homes = BitPile(bits: Self.homeBits(groups.count), count: header.rowCount)
    let bytes = Array(try container.array(prefix + "homes", of: UInt8.self))
    guard bytes.count == homes.bytes.count else { throw corrupt() }
    homes.bytes = bytes
    var counts = [Int](repeating: 0, count: groups.count)
    for row in 0..<header.rowCount where !groups.isEmpty {
      let home = homes.bits > 0 ? homes[row] : 0
      guard home < counts.count else { throw corrupt() }
      counts[home] += 1
    }
    guard counts == groups.map(\.rowCount),
      !groups.isEmpty || header.rowCount * header.columnCount == 0
    else { throw corrupt() }
    self.init(
      rowCount: header.rowCount, columnCount: header.columnCount, parts: header.parts,
      homes: homes, groups: groups)
  }
}
