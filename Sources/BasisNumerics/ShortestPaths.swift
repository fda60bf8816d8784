public import BasisCore

/// Lengths of shortest paths between all pairs of nodes of a graph without directions.
///
/// Dijkstra from each node, with a binary heap. Dijkstra, *A note on two problems in connexion with
/// graphs*, Numerische Mathematik 1 (1959), doi:10.1007/BF01386390.
public struct ShortestPaths: Sendable {
  /// An edge: two nodes and a length of at least 0.
  public struct Edge: Sendable, Hashable {
    public var first: Int
    public var second: Int
    public var length: Double

    public init(_ first: Int, _ second: Int, length: Double) {
      self.first = first
      self.second = second
      self.length = length
    }
  }

  public let nodeCount: Int
  /// Row after row; infinity between nodes that nothing connects.
  public let lengths: [Double]

  /// The length from one node to another.
  public subscript(from: Int, to: Int) -> Double { lengths[from * nodeCount + to] }

  /// - Parameters:
  ///   - edges: in any order; of several between two nodes the shortest counts.
  ///   - nodeCount: at least 0.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for a node that there is not, or a length that is below 0 or NaN;
  ///   `.cancelled`.
  /// - Complexity: O(*n* *e* log *n*), parallel over nodes; 8 *n*² bytes.
  public init(_ edges: [Edge], nodeCount: Int, in run: RunContext = RunContext())
    throws(BasisError)
  {
    for edge in edges {
      guard edge.first >= 0, edge.second >= 0, max(edge.first, edge.second) < nodeCount,
        edge.length >= 0
      else {
        throw BasisError(
          .invalidArgument,
          "the edge \(edge.first) – \(edge.second) of length \(edge.length): nodes are 0 ..< "
            + "\(nodeCount), lengths at least 0")
      }
    }
    self.nodeCount = nodeCount
    let graph = Adjacency(edges, nodeCount: nodeCount)
    lengths = try parallelMap(nodeCount, grain: 8, in: run) { (_, range) -> [Double] in
      range.flatMap { graph.lengths(from: $0) }
    }.flatMap { $0 }
  }
}

/// The edges of each node, one after the other.
private struct Adjacency: Sendable {
  private let starts: [Int]
  private let ends: [Int]
  private let lengths: [Double]

  init(_ edges: [ShortestPaths.Edge], nodeCount: Int) {
    var starts = [Int](repeating: 0, count: nodeCount + 1)
    for edge in edges {
      starts[edge.first + 1] += 1
      starts[edge.second + 1] += 1
    }
    for node in 0..<nodeCount { starts[node + 1] += starts[node] }
    var next = starts
    var ends = [Int](repeating: 0, count: 2 * edges.count)
    var lengths = [Double](repeating: 0, count: 2 * edges.count)
    for edge in edges {
      for (from, to) in [(edge.first, edge.second), (edge.second, edge.first)] {
        ends[next[from]] = to
        lengths[next[from]] = edge.length
        next[from] += 1
      }
    }
    (self.starts, self.ends, self.lengths) = (starts, ends, lengths)
  }

  func lengths(from source: Int) -> [Double] {
    var found = [Double](repeating: .infinity, count: starts.count - 1)
    var heap = NodeHeap()
    found[source] = 0
    heap.insert(source, 0)
    while let (node, length) = heap.removeNearest() {
      // A shorter way has been gone before.
      guard length == found[node] else { continue }
      for place in starts[node]..<starts[node + 1] {
        let way = length + lengths[place]
        if way < found[ends[place]] {
          found[ends[place]] = way
          heap.insert(ends[place], way)
        }
      }
    }
    return found
  }
}

/// Nodes by their lengths, the shortest on top.
private struct NodeHeap {
  private var items: [(node: Int, length: Double)] = []

  mutating func insert(_ node: Int, _ length: Double) {
    items.append((node, length))
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard items[child].length < items[parent].length else { return }
      items.swapAt(parent, child)
      child = parent
    }
  }

  mutating func removeNearest() -> (node: Int, length: Double)? {
    guard let top = items.first else { return nil }
    items.swapAt(0, items.count - 1)
    items.removeLast()
    var parent = 0
    while true {
      let left = 2 * parent + 1
      guard left < items.count else { return top }
      let right = left + 1
      let child = right < items.count && items[right].length < items[left].length ? right : left
      guard items[child].length < items[parent].length else { return top }
      items.swapAt(parent, child)
      parent = child
    }
  }
}
