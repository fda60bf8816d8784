import BasisCore
import BasisFormats
import CBasisKernels

/// All rows, each in the group whose mean is nearest: where a search looks that may answer with few
/// rows, which no walk reaches.
///
/// About 4 √*n* groups of means, after one step of Lloyd's algorithm on a sample. Searches go from
/// the nearest mean on, until ``GraphReach`` says that what is left is too far.
struct GraphGroups: Sendable {
  /// Prepared, a mean a row.
  let means: Matrix
  let codes: GraphCodes
  /// The rows group by group, rising in each, and where groups start, with the end of the last.
  let members: [UInt32]
  let starts: [UInt32]
  let reach: GraphReach
  /// Rows of the largest group.
  let largest: Int

  var count: Int { means.rowCount }
  /// What finding the order of groups costs a query, in comparisons of single rows.
  var orderCost: Double { 1.5 * Double(count) }

  func members(of group: Int) -> Range<Int> { Int(starts[group])..<Int(starts[group + 1]) }

  /// Blocks of ``GraphSigns`` in which members are.
  func blocks(of group: Int) -> Range<Int> {
    let members = members(of: group)
    let size = GraphSigns.blockRows
    return members.lowerBound
      / size..<(members.isEmpty
      ? members.lowerBound / size : (members.upperBound - 1) / size + 1)
  }

  /// Fewer rows are compared one and all.
  static let leastRows = 4096
  static let mostGroups = 2048

  static func suit(_ rows: GraphCodes) -> Bool { rows.count >= leastRows && rows.dimension > 0 }

  /// Groups of all rows, or nil where they are too few.
  ///
  /// - Complexity: O(*n* √*n*) comparisons of pairs of bits; parallel.
  init?(_ rows: GraphCodes, in run: RunContext) throws(BasisError) {
    guard Self.suit(rows) else { return nil }
    var generator = run.generator("graph.means")
    let wanted = min(Self.mostGroups, Int(4 * Double(rows.count).squareRoot()))
    let first = generator.sample(wanted, of: rows.count)
    let sample = generator.sample(min(rows.count, 64 * wanted), of: rows.count)
    let decoder = GraphDecoder(rows)
    let start = Matrix(rowCount: wanted, columnCount: rows.dimension) { target in
      for (group, row) in first.enumerated() {
        decoder.add(UInt32(truncatingIfNeeded: row), to: target, at: group * rows.dimension)
      }
    }
    let nearest = try Self.nearest(
      sample.map { UInt32(truncatingIfNeeded: $0) }, of: rows,
      to: GraphCodes(prepared: start, like: rows, in: run), in: run)
    var counts = [Float](repeating: 0, count: wanted)
    var means = Matrix(rowCount: wanted, columnCount: rows.dimension) { target in
      for (row, group) in zip(sample, nearest) {
        decoder.add(
          UInt32(truncatingIfNeeded: row), to: target, at: Int(group) * rows.dimension)
        counts[Int(group)] += 1
      }
    }
    means.withUnsafeMutableFloats { floats in
      start.withUnsafeFloats { start in
        for index in floats.indices {
          let count = counts[index / rows.dimension]
          floats[index] = count > 0 ? floats[index] / count : start[index]
        }
      }
    }
    let codes = try GraphCodes(prepared: means, like: rows, in: run)
    let all = (0..<rows.count).map { UInt32(truncatingIfNeeded: $0) }
    let groups = try Self.nearest(all, of: rows, to: codes, in: run)
    self.means = means
    self.codes = codes
    (members, starts) = Self.sorted(groups, wanted)
    largest = Self.largest(starts)
    let sizes = zip(starts, starts.dropFirst()).map { Int($1) - Int($0) }
    reach = try GraphReach(rows, groups: groups, sizes: sizes, means: codes, in: run)
  }

  /// The same means, with more rows.
  ///
  /// - Parameter rows: all of them; those from `members.count` on are new.
  func appending(_ rows: GraphCodes, in run: RunContext) throws(BasisError) -> GraphGroups {
    var groups = [UInt32](repeating: 0, count: members.count)
    for group in 0..<count {
      for place in members(of: group) {
        groups[Int(members[place])] = UInt32(truncatingIfNeeded: group)
      }
    }
    let new = (members.count..<rows.count).map { UInt32(truncatingIfNeeded: $0) }
    groups += try Self.nearest(new, of: rows, to: codes, in: run)
    let (members, starts) = Self.sorted(groups, count)
    return GraphGroups(
      means: means, codes: codes, members: members, starts: starts, reach: reach)
  }

  init(
    means: Matrix, codes: GraphCodes, members: [UInt32], starts: [UInt32], reach: GraphReach
  ) {
    self.means = means
    self.codes = codes
    self.members = members
    self.starts = starts
    self.reach = reach
    largest = Self.largest(starts)
  }

  /// The nearest mean to each of some rows.
  private static func nearest(
    _ chosen: [UInt32], of rows: GraphCodes, to means: GraphCodes, in run: RunContext
  ) throws(BasisError) -> [UInt32] {
    let found = try parallelMap(chosen.count, grain: 1024, in: run) {
      (_, range) throws(BasisError) -> [UInt32] in
      var source = rows.rows(edges: nil, pairs: false)
      var members = means.rows(edges: nil, pairs: means.hasPairs)
      var codes = [Int8](repeating: 0, count: rows.width)
      var scratch = [Float](repeating: 0, count: 256)
      var entry: UInt64 = 0
      var nearest: [UInt32] = []
      nearest.reserveCapacity(range.count)
      for row in chosen[range] {
        codes.withUnsafeMutableBufferPointer { codes in
          var query = rows.query(row, &source, into: codes.baseAddress)
          basis_graph_kernels().pointee.nearest(
            &members, means.count, &query, 1, &scratch, &entry)
        }
        let group = Int(UInt32(truncatingIfNeeded: entry) >> 1)
        nearest.append(UInt32(truncatingIfNeeded: min(group, means.count - 1)))
      }
      return nearest
    }
    return Array(found.joined())
  }

  private static func largest(_ starts: [UInt32]) -> Int {
    zip(starts, starts.dropFirst()).reduce(0) { max($0, Int($1.1) - Int($1.0)) }
  }

  private static func sorted(_ groups: [UInt32], _ count: Int) -> (
    members: [UInt32], starts: [UInt32]
  ) {
    var starts = [UInt32](repeating: 0, count: count + 1)
    for group in groups { starts[Int(group) + 1] += 1 }
    for group in 0..<count { starts[group + 1] += starts[group] }
    var places = starts
    var members = [UInt32](repeating: 0, count: groups.count)
    for (row, group) in groups.enumerated() {
      members[Int(places[Int(group)])] = UInt32(truncatingIfNeeded: row)
      places[Int(group)] += 1
    }
    return (members, starts)
  }
}

// MARK: In a file

extension GraphGroups {
  func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(prefix + "means", matrix: means)
    try writer.write(prefix + "members", members)
    try writer.write(prefix + "starts", starts)
    try writer.write(prefix + "reach", json: reach)
  }

  /// - Parameter rows: codes of the rows, whose means these are.
  /// - Throws: `.corruptFile` if blocks do not fit one another or the rows.
  init(from container: Container, prefix: String, _ rows: GraphCodes) throws(BasisError) {
    means = try container.matrix(prefix + "means", columnCount: rows.dimension)
    members = Array(try container.array(prefix + "members", of: UInt32.self))
    starts = Array(try container.array(prefix + "starts", of: UInt32.self))
    reach = try container.json(prefix + "reach", as: GraphReach.self)
    codes = try GraphCodes(prepared: means, like: rows, in: RunContext(threadLimit: 1))
    var isMember = Bitmap(count: rows.count)
    for row in members where row < UInt32(truncatingIfNeeded: rows.count) {
      isMember[Int(row)] = true
    }
    // Searches follow them without looking.
    guard means.rowCount <= Self.mostGroups, starts.count == means.rowCount + 1,
      starts.first == 0, starts.last.map(Int.init) == rows.count,
      zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 }),
      members.count == rows.count, isMember.population == rows.count, reach.isSound
    else {
      throw BasisError(
        .corruptFile,
        "\(container.path): the groups of a graph index do not hold its \(rows.count) rows; "
          + "rebuild the segment")
    }
    largest = Self.largest(starts)
  }
}

/// Rows of bytes as floats.
struct GraphDecoder {
  private let codes: GraphCodes

  init(_ codes: GraphCodes) { self.codes = codes }

  /// Adds a row, as far as its bytes know it.
  func add(_ row: UInt32, to target: UnsafeMutableBufferPointer<Float>, at place: Int) {
    let bytes = codes.bytes.base + Int(row) * codes.width
    let scale = codes.facts.base.load(fromByteOffset: Int(row) * 8, as: Float.self)
    for column in 0..<codes.dimension {
      let code = Int(bytes.load(fromByteOffset: column, as: UInt8.self)) - 128
      target[place + column] += codes.mean[column] + scale * Float(code)
    }
  }
}
