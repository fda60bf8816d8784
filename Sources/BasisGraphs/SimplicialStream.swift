public import BasisCore
import BasisFormats
import BasisNumerics
import Foundation

/// Groups that met, and when: each a simplex of nodes with a time.
///
/// Order does not matter, within a group nor among them.
public struct SimplicialStream: Sendable, Equatable {
  /// What each node is called.
  public let names: [String]
  /// Simplex `s` has the nodes `nodes[offsets[s] ..< offsets[s + 1]]`, rising, each once.
  public let offsets: [Int]
  public let nodes: [Int32]
  /// A time a simplex, in any unit.
  public let times: [Int]
  /// How many nodes were named again within their simplex, and dropped.
  public let repeatedCount: Int

  public var nodeCount: Int { names.count }
  public var simplexCount: Int { times.count }

  /// - Parameters:
  ///   - sizes: nodes of each simplex, at least 0.
  ///   - nodes: of all simplices one after another; any numbers.
  ///   - times: as many as sizes.
  ///   - labels: what some nodes are called; the others by their numbers.
  /// - Throws: `.dimensionMismatch` if the sizes do not add up to the nodes, or for another number of
  ///   times; `.badData` naming a simplex of negative size.
  /// - Complexity: O(*memberships* log).
  public init(sizes: [Int], nodes: [Int], times: [Int], labels: [Int: String] = [:])
    throws(BasisError)
  {
    if let simplex = sizes.firstIndex(where: { $0 < 0 }) {
      throw BasisError(.badData, "simplex \(simplex) has \(sizes[simplex]) nodes")
    }
    guard sizes.reduce(0, +) == nodes.count else {
      throw BasisError(
        .dimensionMismatch,
        "the sizes of \(sizes.count) simplices add up to \(sizes.reduce(0, +)) nodes, and there are "
          + "\(nodes.count)")
    }
    guard times.count == sizes.count else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(times.count) times of \(sizes.count) simplices; give one each")
    }
    let ids = Set(nodes).sorted()
    let rank = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, Int32($0)) })
    names = ids.map { labels[$0] ?? "\($0)" }
    self.times = times
    var offsets = [0]
    var kept: [Int32] = []
    kept.reserveCapacity(nodes.count)
    var place = 0
    for size in sizes {
      let members = nodes[place..<place + size].map { rank[$0] ?? 0 }.sorted()
      for (index, node) in members.enumerated() where index == 0 || members[index - 1] != node {
        kept.append(node)
      }
      offsets.append(kept.count)
      place += size
    }
    repeatedCount = nodes.count - kept.count
    self.offsets = offsets
    self.nodes = kept
  }

  private init(_ whole: SimplicialStream, _ simplices: [Int]) {
    names = whole.names
    var offsets = [0]
    var nodes: [Int32] = []
    for simplex in simplices {
      nodes += whole.nodes[whole.offsets[simplex]..<whole.offsets[simplex + 1]]
      offsets.append(nodes.count)
    }
    self.offsets = offsets
    self.nodes = nodes
    times = simplices.map { whole.times[$0] }
    repeatedCount = 0
  }

  /// The nodes of a simplex, rising.
  public func members(of simplex: Int) -> ArraySlice<Int32> {
    nodes[offsets[simplex]..<offsets[simplex + 1]]
  }

  /// Reads a folder with the files `NAME-nverts.txt`, `NAME-simplices.txt` and `NAME-times.txt`, and
  /// perhaps `NAME-node-labels.txt`, each perhaps compressed by gzip.
  ///
  /// - Parameter folder: where they are.
  /// - Throws: `.notFound` naming the file that is not there; `.badData` naming a line; as
  ///   ``init(sizes:nodes:times:labels:)``.
  public init(folder: String) throws(BasisError) {
    let files: [String]
    do {
      files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw BasisError(.notFound, "\(folder): is no folder that can be read", cause: error)
    }
    func path(_ what: String) -> String? {
      files.first { $0.hasSuffix("-\(what).txt") || $0.hasSuffix("-\(what).txt.gz") }
        .map { "\(folder)/\($0)" }
    }
    func numbers(_ what: String) throws(BasisError) -> [Int] {
      guard let path = path(what) else {
        throw BasisError(
          .notFound,
          "\(folder): has no file NAME-\(what).txt; simplices are in nverts, simplices "
            + "and times")
      }
      return try WholeNumberList(contentsOf: path).values
    }
    var labels: [Int: String] = [:]
    if let path = path("node-labels") {
      let lines = try WholeNumberList.labels(contentsOf: path)
      labels = Dictionary(lines.map { ($0.number, $0.text) }) { first, _ in first }
    }
    let (sizes, nodes) = (try numbers("nverts"), try numbers("simplices"))
    do throws(BasisError) {
      try self.init(sizes: sizes, nodes: nodes, times: numbers("times"), labels: labels)
    } catch { throw error.message.hasPrefix(folder) ? error : error.at(folder) }
  }

  /// What was until a share of the time line, and what came after it.
  ///
  /// - Parameters:
  ///   - share: the quantile of the times that is the last of the first part, 0 … 1; rounded to a whole
  ///     time, halves to even.
  ///   - end: the quantile that is the last of the second part.
  /// - Returns: both with all of the nodes' names.
  public func split(at share: Double, until end: Double = 1) -> (
    old: SimplicialStream, new: SimplicialStream
  ) {
    guard !times.isEmpty else { return (self, self) }
    let values = times.map { Double($0) }
    func cutoff(_ share: Double) -> Double {
      Statistics.quantile(values, share).rounded(.toNearestOrEven)
    }
    let (first, last) = (cutoff(share), end >= 1 ? .infinity : cutoff(end))
    return (
      SimplicialStream(self, times.indices.filter { values[$0] <= first }),
      SimplicialStream(self, times.indices.filter { values[$0] > first && values[$0] <= last })
    )
  }
}

extension SimplicialStream: MethodInput {
  public static var description: String { "a matrix of memberships: simplex, node and time a row" }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let rows = try parts.matrices(1, Self.description, for: method)[0]
    guard rows.columnCount == 3 else {
      throw BasisError(
        .dimensionMismatch,
        "'\(method)' takes \(Self.description); got \(rows.rowCount) × \(rows.columnCount)")
    }
    var members: [Int: [Int]] = [:]
    var times: [Int: Int] = [:]
    for row in 0..<rows.rowCount {
      let cells = rows.row(row).map { abs($0) <= 0x1p24 ? Int(exactly: $0) : nil }
      guard let simplex = cells[0], let node = cells[1], let time = cells[2] else {
        throw BasisError(
          .badData,
          "\(parts.names[0]) has a value at row \(row) that is no whole number up to 2^24")
      }
      members[simplex, default: []].append(node)
      if let known = times.updateValue(time, forKey: simplex), known != time {
        throw BasisError(
          .badData, "\(parts.names[0]): simplex \(simplex) has the times \(known) and \(time)")
      }
    }
    let simplices = members.keys.sorted()
    try self.init(
      sizes: simplices.map { members[$0]?.count ?? 0 },
      nodes: simplices.flatMap { members[$0] ?? [] }, times: simplices.map { times[$0] ?? 0 })
  }
}
