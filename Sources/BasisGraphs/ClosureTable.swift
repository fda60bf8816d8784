public import BasisCore

/// How often sets of three or four nodes that had not met as a group did so later, by what was between
/// them before.
///
/// Three nodes are told apart by their three ties: 0 for two that never met, 1 for once, 2 for more often.
/// Four nodes with a triangle among them are told apart by how often each of their triangles met, 0, 1, or
/// 2 for more; with five edges two triangles are missing and count −1, with four three count −2, with three
/// three count −3.
///
/// Benson, Abebe, Schaub, Jadbabaie & Kleinberg, *Simplicial closure and higher-order link prediction*, PNAS
/// 115 (2018), doi:10.1073/pnas.1800683115, figures 3 and 4.
public struct ClosureTable: Sendable, Hashable {
  public struct Row: Sendable, Hashable {
    /// Three ties or four triangles, rising.
    public var key: [Int]
    /// Sets of this kind that had not met as a group.
    public var openCount: Int
    /// How many of them met later.
    public var closedCount: Int
    /// The share that met; NaN where there was none.
    public var probability: Double {
      openCount > 0 ? Double(closedCount) / Double(openCount) : .nan
    }

    public init(key: [Int], openCount: Int, closedCount: Int) {
      self.key = key
      self.openCount = openCount
      self.closedCount = closedCount
    }
  }

  /// 3 or 4.
  public let size: Int
  /// By rising keys.
  public let rows: [Row]
  /// Triangles of nodes that met two by two, before: all three together, and never so.
  public let closedTriangleCount: Int
  public let openTriangleCount: Int

  /// - Parameters:
  ///   - stream: simplices in time.
  ///   - size: 3 or 4.
  ///   - share: the quantile of the times that is the last of what was before.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for another size or share; `.badData` if nothing comes after;
  ///   `.cancelled`.
  /// - Complexity: O(Σ size³ + triangles), for four nodes O(Σ size⁴ + sets of four that all met).
  public init(
    _ stream: SimplicialStream, size: Int = 3, share: Double = 0.8,
    in run: RunContext = RunContext()
  ) throws(BasisError) {
    guard size == 3 || size == 4 else {
      throw BasisError(.invalidArgument, "closures are of 3 or 4 nodes, not of \(size)")
    }
    let (old, new) = try stream.past(and: share)
    run.report("who met", 0, of: 3)
    let complex = try SimplicialComplex(old, in: run)
    run.report("what closed", 1, of: 3)
    var closed: [[Int]: Int] = [:]
    let open: OpenCounts
    if size == 3 {
      for set in try complex.newTriangles(new, in: run) {
        closed[complex.tieKey(set), default: 0] += 1
      }
      run.report("what was open", 2, of: 3)
      open = try complex.openTies(in: run)
    } else {
      let before = try complex.sets(of: old, size: 4, in: run) { (_) in true }
      for set in try complex.sets(of: new, size: 4, in: run, where: { !before.contains($0) }) {
        if let key = complex.triangleKey(set) { closed[key, default: 0] += 1 }
      }
      run.report("what was open", 2, of: 3)
      open = try complex.openTetrahedra(before, in: run)
    }
    run.report("what was open", 3, of: 3)
    self.size = size
    rows = open.counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
      Row(key: $0.key, openCount: $0.value, closedCount: closed[$0.key] ?? 0)
    }
    (closedTriangleCount, openTriangleCount) = (open.closedTriangles, open.openTriangles)
  }
}

extension SimplicialStream {
  /// The simplices until a quantile of the times, and those after it, of which there is one at least.
  func past(and share: Double) throws(BasisError) -> (old: SimplicialStream, new: SimplicialStream)
  {
    guard share > 0, share < 1 else {
      throw BasisError(
        .invalidArgument, "the share that is the past is between 0 and 1, not \(share)")
    }
    let parts = split(at: share)
    guard parts.new.simplexCount > 0 else {
      throw BasisError(
        .badData,
        "none of \(simplexCount) simplices comes after \(share) of the times: there is no future to "
          + "look at")
    }
    return parts
  }
}

/// Counts of what was open.
struct OpenCounts {
  var counts: [[Int]: Int] = [:]
  var closedTriangles = 0
  var openTriangles = 0
}

extension SimplicialComplex {
  /// 1 for two that met once, 2 for more.
  private func tie(_ edge: Int32) -> Int { Int(min(weights[Int(edge)], 2)) }

  /// The three ties of three ranks, rising.
  func tieKey(_ set: SIMD4<Int32>) -> [Int] {
    [weight(set[0], set[1]), weight(set[0], set[2]), weight(set[1], set[2])]
      .map { Int(min($0, 2)) }.sorted()
  }

  /// Triangles by their ties, all and open.
  private struct TriangleCounts: Sendable {
    /// At 9 ab + 3 ac + bc of the sorted ties.
    var all = [Int](repeating: 0, count: 27)
    var open = [Int](repeating: 0, count: 27)
  }

  func openTies(in run: RunContext) throws(BasisError) -> OpenCounts {
    let parts = try parallelMap(nodeCount, grain: 64, in: run) { (_, range) -> TriangleCounts in
      var counts = TriangleCounts()
      forEachTriangle(in: range) { triangle in
        let (x, y, z) = (tie(triangle.ab), tie(triangle.ac), tie(triangle.bc))
        // Sorted, the strong ones come last; there are x + y + z − 3 of them.
        let key = [13, 14, 17, 26][x + y + z - 3]
        counts.all[key] += 1
        if triangle.strength == 0 { counts.open[key] += 1 }
      }
      return counts
    }
    var triangles = TriangleCounts()
    for part in parts {
      for key in 0..<27 {
        triangles.all[key] += part.all[key]
        triangles.open[key] += part.open[key]
      }
    }
    let keys = [[1, 1, 1], [1, 1, 2], [1, 2, 2], [2, 2, 2]]
    let all = Dictionary(
      uniqueKeysWithValues: keys.map { ($0, triangles.all[9 * $0[0] + 3 * $0[1] + $0[2]]) })
    var result = OpenCounts()
    for key in keys { result.counts[key] = triangles.open[9 * key[0] + 3 * key[1] + key[2]] }
    result.openTriangles = triangles.open.reduce(0, +)
    result.closedTriangles = triangles.all.reduce(0, +) - result.openTriangles
    addPaths(to: &result.counts, triangles: all)
    return result
  }

  /// Paths of two edges, single edges and three strangers: counted around nodes, less what triangles and
  /// paths have of them.
  private func addPaths(to counts: inout [[Int]: Int], triangles: [[Int]: Int]) {
    func pairs(_ n: Int) -> Int { n * (n - 1) / 2 }
    var wedges: [[Int]: Int] = [[0, 1, 1]: 0, [0, 1, 2]: 0, [0, 2, 2]: 0]
    var edges = [0, 0, 0]
    for rank in 0..<nodeCount {
      let own = neighborWeights[neighborStarts[rank]..<neighborStarts[rank + 1]]
      let weak = own.count { $0 == 1 }
      let strong = own.count - weak
      wedges[[0, 1, 1], default: 0] += pairs(weak)
      wedges[[0, 2, 2], default: 0] += pairs(strong)
      wedges[[0, 1, 2], default: 0] += weak * strong
    }
    for weight in weights { edges[Int(min(weight, 2))] += 1 }
    for (key, count) in triangles {
      for (i, j) in [(0, 1), (0, 2), (1, 2)] { wedges[[0, key[i], key[j]], default: 0] -= count }
    }
    var singles = [0, edges[1] * (presentCount - 2), edges[2] * (presentCount - 2)]
    for (key, count) in triangles { for tie in key { singles[tie] -= count } }
    for (key, count) in wedges { for tie in key.dropFirst() { singles[tie] -= count } }
    counts.merge(wedges) { $1 }
    counts[[0, 0, 1]] = singles[1]
    counts[[0, 0, 2]] = singles[2]
    let n = presentCount
    let known = triangles.values.reduce(0, +) + wedges.values.reduce(0, +) + singles[1] + singles[2]
    counts[[0, 0, 0]] = n < 3 ? 0 : n * (n - 1) * (n - 2) / 6 - known
  }
}
