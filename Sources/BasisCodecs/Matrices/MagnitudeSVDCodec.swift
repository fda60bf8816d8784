public import BasisCore
public import BasisFormats
import BasisNumerics

/// A low rank for each of several groups of rows, long rows in small groups of high rank.
///
/// Rows are sorted by length and cut into groups of equal total length; group *g* of *n_g* rows has
/// the rank λ *n_g*^−0.3 with λ from the budget: Σ rank_g (*n_g* + *d*) floats.
///
/// Zhang et al., *Experimental analysis of large-scale learnable vector storage compression*, VLDB
/// 2024, doi:10.14778/3636218.3636234, section 4 (magnitude-SVD).
public struct MagnitudeSVDCodec: MatrixCompressor {
  /// Bytes as a share of the matrix's own, above 0.
  public var ratio: Double
  /// Groups, at least 1.
  public var groupCount: Int

  public init(ratio: Double = 0.25, groupCount: Int = 4) {
    self.ratio = ratio
    self.groupCount = groupCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    ratio = try values.decodeIfPresent(Double.self, forKey: .ratio) ?? 0.25
    groupCount = try values.decodeIfPresent(Int.self, forKey: .groupCount) ?? 4
  }

  /// Numbers of rows, longest first, and ranks.
  func groups(lengths: [Double], columnCount d: Int) throws(BasisError) -> [(
    rows: [Int], rank: Int
  )] {
    try requireRatio(ratio, "magnitude SVD")
    guard groupCount >= 1 else {
      throw BasisError(
        .invalidArgument, "magnitude SVD: at least one group, not \(groupCount)")
    }
    let groups = groupsOfEqualLength(lengths, count: groupCount)
    // The group of each row is a number of four bytes.
    let floats = min(ratio, 4) * Double(lengths.count) * Double(d) - Double(lengths.count)
    let scale =
      floats
      / groups.reduce(0) { sum, rows in
        sum + power(Double(rows.count), -0.3) * Double(rows.count + d)
      }
    return groups.map { rows in
      (rows, min(rows.count, d, max(0, Int(scale * power(Double(rows.count), -0.3)))))
    }
  }

  /// - Complexity: O(*n* *d* · the largest rank).
  public func compress(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> GroupedSVDMatrix
  {
    try run.checkCancelled()
    try rows.requireFinite("the matrix to compress")
    let lengths = (0..<rows.rowCount).map { row in rows.withRow(row) { Double(length($0)) } }
    let d = rows.columnCount
    let parts =
      rows.isEmpty
      ? [] : try groups(lengths: lengths, columnCount: d)
    guard rows.isEmpty || parts.contains(where: { $0.rank > 0 }) else {
      throw unreachable(
        ratio,
        smallest: Double(2 * rows.rowCount + d) / Double(rows.rowCount * d), "magnitude SVD")
    }
    var places = [UInt32](repeating: 0, count: rows.rowCount)
    var groups: [GroupedSVDMatrix.Group] = []
    var first = 0
    for part in parts {
      try run.checkCancelled()
      for (place, row) in part.rows.enumerated() { places[row] = UInt32(first + place) }
      first += part.rows.count
      let own = rows.selecting(rows: part.rows)
      var left = Matrix(rowCount: part.rows.count, columnCount: 0)
      var right = Matrix(rowCount: 0, columnCount: d)
      if part.rank > 0 {
        let svd = try RandomizedSVD(rank: part.rank, oversampling: 16, powerIterations: 3)
          .decompose(own, in: run)
        right = svd.v.transposed()
        left = try LinearMap(matrix: right)(own, in: run)
      }
      groups.append(.init(left: left, right: right, inverse: LinearMap(matrix: right.transposed())))
    }
    return GroupedSVDMatrix(
      rowCount: rows.rowCount, columnCount: d, places: places, groups: groups)
  }
}

/// Rows cut into groups of equal total length, longest rows first.
func groupsOfEqualLength(_ lengths: [Double], count: Int) -> [[Int]] {
  let order = lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
  let total = lengths.reduce(0, +)
  var groups: [[Int]] = [[]]
  var sum = 0.0
  for row in order {
    if !groups[groups.count - 1].isEmpty, groups.count < count,
      sum >= total * Double(groups.count) / Double(count)
    {
      groups.append([])
    }
    groups[groups.count - 1].append(row)
    sum += lengths[row]
  }
  return groups
}

/// Rows as products of a few numbers of their own and their group's directions.
public struct GroupedSVDMatrix: CompressedMatrix {
  struct Group: Sendable {
    /// `rows × rank`.
    var left: Matrix
    /// `rank × d`.
    var right: Matrix
    var inverse: LinearMap
  }

  public let rowCount: Int
  public let columnCount: Int
  /// For each row its place among the rows of all groups.
  let places: [UInt32]
  let groups: [Group]
  private let starts: [Int]

  init(rowCount: Int, columnCount: Int, places: [UInt32], groups: [Group]) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.places = places
    self.groups = groups
    starts = groups.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.left.rowCount) }
  }

  public var byteCount: Int {
    4 * places.count
      + groups.reduce(0) {
        $0 + 4 * ($1.left.rowCount * $1.left.columnCount + $1.right.rowCount * columnCount)
      }
  }

  /// Rows and rank of each group, longest rows first.
  public var ranks: [(rowCount: Int, rank: Int)] {
    groups.map { ($0.left.rowCount, $0.left.columnCount) }
  }

  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return Matrix(rowCount: range.count, columnCount: columnCount) { out in
      for row in range {
        let place = Int(places[row])
        let group = (starts.firstIndex { $0 > place } ?? 1) - 1
        guard groups[group].left.columnCount > 0 else { continue }
        let values = groups[group].inverse(groups[group].left.row(place - starts[group]))
        for column in 0..<columnCount {
          out[(row - range.lowerBound) * columnCount + column] = values[column]
        }
      }
    }
  }

  private struct Header: Codable {
    var layout = 1
    var rowCount: Int
    var columnCount: Int
    var groups: [[Int]]
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "grouped-svd",
      json: Header(
        rowCount: rowCount, columnCount: columnCount,
        groups: groups.map { [$0.left.rowCount, $0.left.columnCount] }))
    try writer.write(prefix + "places", places)
    for (number, group) in groups.enumerated() {
      try writer.write(prefix + "left-\(number)", matrix: group.left)
      try writer.write(prefix + "right-\(number)", matrix: group.right)
    }
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "grouped-svd", as: Header.self)
    try container.requireLayout(header.layout, of: "grouped SVD")
    var groups: [Group] = []
    for (number, shape) in header.groups.enumerated() {
      guard shape.count == 2, shape.allSatisfy({ $0 >= 0 }) else { throw Self.corrupt(container) }
      let left =
        shape[1] > 0
        ? try container.matrix(prefix + "left-\(number)", columnCount: shape[1])
        : Matrix(rowCount: shape[0], columnCount: 0)
      let right = try container.matrix(prefix + "right-\(number)", columnCount: header.columnCount)
      guard left.rowCount == shape[0], right.rowCount == shape[1] else {
        throw Self.corrupt(container)
      }
      groups.append(Group(left: left, right: right, inverse: LinearMap(matrix: right.transposed())))
    }
    self.init(
      rowCount: header.rowCount, columnCount: header.columnCount,
      places: Array(try container.array(prefix + "places", of: UInt32.self)), groups: groups)
    guard places.count == rowCount, starts.last == rowCount,
      places.allSatisfy({ Int($0) < rowCount })
    else { throw Self.corrupt(container) }
  }

  private static func corrupt(_ container: Container) -> BasisError {
    BasisError(.corruptFile, "\(container.path): the groups of an SVD do not fit its rows")
  }
}
