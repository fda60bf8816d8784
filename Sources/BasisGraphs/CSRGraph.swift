public import BasisCore
public import BasisFormats
import BasisNumerics

/// Nodes and the links between them, as compressed sparse rows.
///
/// Row `i` of ``adjacency`` has the nodes that `i` links to, with positive weights. An undirected graph
/// has every link in both rows.
public struct CSRGraph: Sendable, Equatable {
  /// What links say of directions.
  public enum Direction: String, Sendable, Hashable, Codable, CaseIterable {
    /// Both ends are alike. Links that are named once, or all of them both ways; a list in which only
    /// some come back is refused, for it looks directed.
    case undirected
    /// From the first node to the second.
    case directed
    /// Directions are dropped; weights of both directions add up.
    case symmetrized
  }

  /// `n × n`; row `i` has what node `i` links to.
  public let adjacency: SparseMatrix
  /// What each node is called; empty where nodes are their numbers.
  public let names: [String]
  public let isDirected: Bool
  /// Links that were named more than once: without weights they count once, with weights the weights
  /// add up.
  public let repeatedCount: Int

  public var nodeCount: Int { adjacency.rowCount }

  /// A graph of links.
  ///
  /// - Parameters:
  ///   - nodeCount: *n*, at least 0; nodes without a link are nodes too.
  ///   - sources: of each link, `0 ..< nodeCount`.
  ///   - targets: as many.
  ///   - weights: as many, positive and finite; 0 for a link that is none. Empty for 1 each.
  ///   - direction: what the links say of directions.
  ///   - names: *n*, or none.
  /// - Throws: `.dimensionMismatch` for different numbers of these; `.badData` naming the first link with a
  ///   node or a weight that cannot be, and for links that look directed and are said not to be.
  /// - Complexity: O(*n* + links).
  public init(
    nodeCount: Int, sources: [Int32], targets: [Int32], weights: [Float] = [],
    direction: Direction = .undirected, names: [String] = []
  ) throws(BasisError) {
    guard sources.count == targets.count, weights.isEmpty || weights.count == sources.count,
      names.isEmpty || names.count == nodeCount
    else {
      throw BasisError(
        .dimensionMismatch,
        "a graph: \(sources.count) sources, \(targets.count) targets, \(weights.count) weights and "
          + "\(names.count) names of \(nodeCount) nodes do not fit each other")
    }
    for (link, pair) in zip(sources, targets).enumerated() {
      let worst = max(pair.0, pair.1)
      if min(pair.0, pair.1) < 0 || Int(worst) >= nodeCount {
        throw BasisError(
          .badData,
          "link \(link) is between \(pair.0) and \(pair.1); the nodes are 0 ..< \(nodeCount)")
      }
    }
    if let link = weights.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw BasisError(
        .badData,
        "link \(link) has the weight \(weights[link]); weights are positive: shift or drop it")
    }
    let rows = Self.rows(nodeCount, sources, targets, weights)
    repeatedCount = rows.repeatedCount
    isDirected = direction == .directed
    self.names = names
    adjacency =
      direction == .directed
      ? rows.matrix
      : try Self.bothWays(rows.matrix, direction, hasWeights: !weights.isEmpty)
  }

  /// The graph of a file's links.
  ///
  /// - Parameters:
  ///   - table: from a file.
  ///   - direction: what the links say of directions.
  /// - Throws: as ``init(nodeCount:sources:targets:weights:direction:names:)``; `.badData` for a matrix
  ///   that is not symmetric where no direction is given.
  public init(_ table: LinkTable, direction: Direction = .undirected) throws(BasisError) {
    try self.init(
      nodeCount: table.names.count, sources: table.sources, targets: table.targets,
      weights: table.weights, direction: direction, names: table.names)
    // A matrix has every entry; in a list each link may stand for both directions.
    guard table.isSymmetric == false, direction == .undirected else { return }
    let links = zip(table.sources, table.targets).count { $0 != $1 }
    let loops = (0..<nodeCount).count { self[$0, $0] > 0 }
    guard adjacency.nonZeroCount - loops > links else { return }
    throw Self.looksDirected("the matrix is not symmetric")
  }

  /// The graph of a matrix.
  ///
  /// - Parameters:
  ///   - adjacency: `n × n`, positive and finite.
  ///   - isDirected: whether it may differ from its transpose.
  /// - Throws: `.dimensionMismatch` for a matrix that is not square; `.badData` naming a row and column
  ///   that cannot be.
  public init(adjacency: SparseMatrix, isDirected: Bool = false) throws(BasisError) {
    guard adjacency.rowCount == adjacency.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the matrix of a graph is square, this one is \(adjacency.rowCount) × "
          + "\(adjacency.columnCount)")
    }
    try adjacency.requireFinite("the matrix of the graph")
    for row in 0..<adjacency.rowCount {
      for index in adjacency.offsets[row]..<adjacency.offsets[row + 1]
      where adjacency.values[index] <= 0 {
        throw BasisError(
          .badData,
          "the matrix of the graph has \(adjacency.values[index]) at row \(row), column "
            + "\(adjacency.columns[index]); weights are positive")
      }
    }
    if !isDirected, adjacency.transposed() != adjacency {
      throw Self.looksDirected("the matrix is not symmetric")
    }
    self.adjacency = adjacency
    self.isDirected = isDirected
    names = []
    repeatedCount = 0
  }

  /// The weight of a link, 0 for none.
  ///
  /// - Complexity: O(log *degree*).
  public subscript(source: Int, target: Int) -> Float {
    var (low, high) = (adjacency.offsets[source], adjacency.offsets[source + 1])
    while low < high {
      let middle = (low + high) / 2
      if Int(adjacency.columns[middle]) < target { low = middle + 1 } else { high = middle }
    }
    guard low < adjacency.offsets[source + 1], Int(adjacency.columns[low]) == target else {
      return 0
    }
    return adjacency.values[low]
  }

  /// The nodes that a node links to, rising.
  public func neighbors(of node: Int) -> ArraySlice<Int32> {
    adjacency.columns[adjacency.offsets[node]..<adjacency.offsets[node + 1]]
  }

  /// Links, each once.
  public var linkCount: Int {
    guard !isDirected else { return adjacency.nonZeroCount }
    let loops = (0..<nodeCount).count { self[$0, $0] > 0 }
    return (adjacency.nonZeroCount + loops) / 2
  }

  /// The sum of the weights of what each node links to.
  public var weightedDegrees: [Double] {
    adjacency.values.withUnsafeBufferPointer { values in
      (0..<nodeCount).map { node in
        var sum = 0.0
        for index in adjacency.offsets[node]..<adjacency.offsets[node + 1] {
          sum += Double(values[index])
        }
        return sum
      }
    }
  }

  /// How many nodes each node links to.
  public var degrees: [Int] {
    (0..<nodeCount).map { adjacency.offsets[$0 + 1] - adjacency.offsets[$0] }
  }

  /// The name of a node, or its number.
  public func name(of node: Int) -> String { names.isEmpty ? "\(node)" : names[node] }

  /// A number that belongs to a node's name, whatever its place: names that are numbers have those.
  func key(of node: Int) -> UInt64 {
    guard !names.isEmpty else { return UInt64(node) }
    return Self.key(of: names[node])
  }

  static func key(of name: String) -> UInt64 {
    if let number = UInt64(name), "\(number)" == name { return number }
    // FNV-1a.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }

  /// Each row over its sum: the steps of a random walk. Rows without links stay empty.
  var transitions: SparseMatrix { transitions(weightedDegrees) }

  /// The same, of rows whose sums are known.
  func transitions(_ degrees: [Double]) -> SparseMatrix {
    var values = adjacency.values
    for (node, degree) in degrees.enumerated() where degree > 0 {
      for index in adjacency.offsets[node]..<adjacency.offsets[node + 1] {
        values[index] = Float(Double(values[index]) / degree)
      }
    }
    return SparseMatrix(
      columnCount: nodeCount, offsets: adjacency.offsets, columns: adjacency.columns,
      values: values)
  }

  private static func looksDirected(_ what: String) -> BasisError {
    BasisError(
      .badData,
      "\(what), so it looks directed; say that it is (--directed), or drop directions "
        + "(--symmetrise)")
  }

  /// Rows with rising columns: sorted by target, then stably by source. What is named again is added
  /// to what is there.
  private static func rows(
    _ nodeCount: Int, _ sources: [Int32], _ targets: [Int32], _ weights: [Float]
  ) -> (matrix: SparseMatrix, repeatedCount: Int) {
    let byTarget = order(Array(0..<Int32(sources.count)), by: targets, count: nodeCount)
    let links = order(byTarget, by: sources, count: nodeCount)
    var offsets = [0]
    offsets.reserveCapacity(nodeCount + 1)
    var columns: [Int32] = []
    var values: [Float] = []
    columns.reserveCapacity(links.count)
    values.reserveCapacity(links.count)
    var repeated = 0
    for link in links {
      let place = Int(link)
      let weight = weights.isEmpty ? 1 : weights[place]
      guard weight > 0 else { continue }
      while offsets.count <= Int(sources[place]) { offsets.append(columns.count) }
      if columns.count > offsets[Int(sources[place])], columns.last == targets[place] {
        repeated += 1
        if !weights.isEmpty { values[values.count - 1] += weight }
        continue
      }
      columns.append(targets[place])
      values.append(weight)
    }
    while offsets.count <= nodeCount { offsets.append(columns.count) }
    let matrix = SparseMatrix(
      columnCount: nodeCount, offsets: offsets, columns: columns, values: values)
    return (matrix, repeated)
  }

  /// A stable counting sort.
  private static func order(_ items: [Int32], by keys: [Int32], count: Int) -> [Int32] {
    var starts = [Int](repeating: 0, count: count + 1)
    for key in keys { starts[Int(key) + 1] += 1 }
    for key in 0..<count { starts[key + 1] += starts[key] }
    var sorted = items
    for item in items {
      let key = Int(keys[Int(item)])
      sorted[starts[key]] = item
      starts[key] += 1
    }
    return sorted
  }

  /// Every link in both rows.
  private static func bothWays(
    _ matrix: SparseMatrix, _ direction: Direction, hasWeights: Bool
  ) throws(BasisError) -> SparseMatrix {
    let turned = matrix.transposed()
    let n = matrix.rowCount
    var offsets = [0]
    var columns: [Int32] = []
    var values: [Float] = []
    var (single, double, different) = (0, 0, 0)
    for row in 0..<n {
      var (a, b) = (matrix.offsets[row], turned.offsets[row])
      let (aEnd, bEnd) = (matrix.offsets[row + 1], turned.offsets[row + 1])
      while a < aEnd || b < bEnd {
        let left = a < aEnd ? matrix.columns[a] : .max
        let right = b < bEnd ? turned.columns[b] : .max
        let column = min(left, right)
        columns.append(column)
        if left == right {
          let isLoop = Int(column) == row
          let (there, back) = (matrix.values[a], turned.values[b])
          values.append(isLoop || !hasWeights || direction == .undirected ? there : there + back)
          if !isLoop { double += 1 }
          if there != back { different += 1 }
        } else {
          values.append(left < right ? matrix.values[a] : turned.values[b])
          single += 1
        }
        if left == column { a += 1 }
        if right == column { b += 1 }
      }
      offsets.append(columns.count)
    }
    if direction == .undirected, double > 0, single > 0 {
      throw looksDirected(
        "\(double / 2) of \((double + single) / 2) links are named in both directions")
    }
    if direction == .undirected, different > 0 {
      throw looksDirected("\(different / 2) links have another weight in the other direction")
    }
    return SparseMatrix(columnCount: n, offsets: offsets, columns: columns, values: values)
  }
}

extension CSRGraph: MethodInput {
  public static var description: String { "a matrix of links: two nodes a row, perhaps a weight" }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let links = try parts.matrices(1, Self.description, for: method)[0]
    guard links.columnCount == 2 || links.columnCount == 3 else {
      throw BasisError(
        .dimensionMismatch,
        "'\(method)' takes \(Self.description); got \(links.rowCount) × \(links.columnCount)")
    }
    var ends: [[Int32]] = [[], []]
    for row in 0..<links.rowCount {
      for column in 0..<2 {
        // Beyond this, floats skip whole numbers.
        guard let node = Int32(exactly: links[row, column]), node >= 0, node <= 1 << 24 else {
          throw BasisError(
            .badData,
            "\(parts.names[0]) has \(links[row, column]) at row \(row), column \(column); nodes are "
              + "whole numbers up to 2^24")
        }
        ends[column].append(node)
      }
    }
    let count = (ends.joined().max() ?? -1) + 1
    try self.init(
      nodeCount: Int(count), sources: ends[0], targets: ends[1],
      weights: links.columnCount == 3 ? (0..<links.rowCount).map { links[$0, 2] } : [])
  }
}
