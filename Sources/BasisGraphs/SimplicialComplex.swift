import BasisCore

/// What simplices leave behind: who met whom how often, and which three met.
///
/// Nodes go by rank, by how many others they met, so that a triangle belongs to its first node and even
/// those that everybody knows have few later neighbours. Chiba & Nishizeki, *Arboricity and subgraph
/// listing algorithms*, SIAM J. Comput. 14 (1985), doi:10.1137/0214017.
struct SimplicialComplex: Sendable {
  /// Three ranks, rising, that met two by two.
  struct Triangle: Sendable, Hashable {
    var a: Int32
    var b: Int32
    var c: Int32
    /// Their edges' numbers.
    var ab: Int32
    var ac: Int32
    var bc: Int32
    /// How often all three met: 0, 1, or 2 for more.
    var strength: UInt8
  }

  let nodeCount: Int
  /// The node of each rank.
  let node: [Int32]
  /// The rank of each node.
  let rank: [Int32]
  /// Edge `e` of `starts[a] ..< starts[a + 1]` goes from rank `a` to the later rank `targets[e]`.
  let starts: [Int]
  let targets: [Int32]
  /// How often the two of an edge met.
  let weights: [Int32]
  /// All neighbours of a rank, rising, and how often they met.
  let neighborStarts: [Int]
  let neighbors: [Int32]
  let neighborWeights: [Int32]
  /// By rank, how many simplices a node is in.
  let simplexDegrees: [Int32]
  /// Of the nodes, those that are in any simplex.
  let presentCount: Int
  /// The third ranks of closed triangles over an edge, rising, beyond the edge's two.
  let closedStarts: [Int]
  let thirds: [Int32]
  let strengths: [UInt8]

  var edgeCount: Int { targets.count }

  func degree(_ rank: Int32) -> Int {
    neighborStarts[Int(rank) + 1] - neighborStarts[Int(rank)]
  }

  /// - Complexity: O(Σ size³ + Σ over nodes of later neighbours²) time.
  init(_ stream: SimplicialStream, in run: RunContext) throws(BasisError) {
    let n = stream.nodeCount
    nodeCount = n
    let incidence = Incidence(stream)
    let met = try Self.met(stream, incidence, in: run)
    let degrees = (0..<n).map { met.starts[$0 + 1] - met.starts[$0] }
    node = (0..<Int32(n)).sorted { (degrees[Int($0)], $0) < (degrees[Int($1)], $1) }
    var rank = [Int32](repeating: 0, count: n)
    for (place, node) in node.enumerated() { rank[Int(node)] = Int32(place) }
    self.rank = rank

    var (neighborStarts, neighbors, neighborWeights): ([Int], [Int32], [Int32]) = ([0], [], [])
    var (starts, targets, weights): ([Int], [Int32], [Int32]) = ([0], [], [])
    for (place, node) in node.enumerated() {
      let own = (met.starts[Int(node)]..<met.starts[Int(node) + 1])
        .map { (rank[Int(met.others[$0])], met.counts[$0]) }.sorted { $0.0 < $1.0 }
      for (other, count) in own {
        neighbors.append(other)
        neighborWeights.append(count)
        guard other > place else { continue }
        targets.append(other)
        weights.append(count)
      }
      neighborStarts.append(neighbors.count)
      starts.append(targets.count)
    }
    (self.starts, self.targets, self.weights) = (starts, targets, weights)
    (self.neighborStarts, self.neighbors) = (neighborStarts, neighbors)
    self.neighborWeights = neighborWeights
    simplexDegrees = node.map {
      Int32(incidence.starts[Int($0) + 1] - incidence.starts[Int($0)])
    }
    presentCount = simplexDegrees.count { $0 > 0 }

    let closed = try Self.closed(stream, incidence, node, rank, starts, targets, in: run)
    (closedStarts, thirds, strengths) = (closed.starts, closed.thirds, closed.strengths)
  }

  /// The simplices of each node.
  private struct Incidence: Sendable {
    var starts: [Int]
    var simplices: [Int32]

    init(_ stream: SimplicialStream) {
      var starts = [Int](repeating: 0, count: stream.nodeCount + 1)
      for node in stream.nodes { starts[Int(node) + 1] += 1 }
      for node in 0..<stream.nodeCount { starts[node + 1] += starts[node] }
      var next = starts
      simplices = [Int32](repeating: 0, count: stream.nodes.count)
      for simplex in 0..<stream.simplexCount {
        for node in stream.members(of: simplex) {
          simplices[next[Int(node)]] = Int32(simplex)
          next[Int(node)] += 1
        }
      }
      self.starts = starts
    }

    func simplices(of node: Int32) -> ArraySlice<Int32> {
      simplices[starts[Int(node)]..<starts[Int(node) + 1]]
    }
  }

  private struct Meetings: Sendable {
    var starts = [0]
    var others: [Int32] = []
    var counts: [Int32] = []
  }

  /// Whom each node met, and how often.
  private static func met(
    _ stream: SimplicialStream, _ incidence: Incidence, in run: RunContext
  ) throws(BasisError) -> Meetings {
    let n = stream.nodeCount
    let parts = try parallelMap(n, grain: 256, in: run) { (_, range) -> Meetings in
      var part = Meetings()
      var counts = [Int32](repeating: 0, count: n)
      for node in range {
        var touched: [Int32] = []
        for simplex in incidence.simplices(of: Int32(node)) {
          for other in stream.members(of: Int(simplex)) where other != node {
            if counts[Int(other)] == 0 { touched.append(other) }
            counts[Int(other)] += 1
          }
        }
        for other in touched {
          part.others.append(other)
          part.counts.append(counts[Int(other)])
          counts[Int(other)] = 0
        }
        part.starts.append(part.others.count)
      }
      return part
    }
    var whole = Meetings()
    for part in parts {
      whole.starts += part.starts.dropFirst().map { $0 + whole.others.count }
      whole.others += part.others
      whole.counts += part.counts
    }
    return whole
  }

  private struct Closed: Sendable {
    var starts = [0]
    var thirds: [Int32] = []
    var strengths: [UInt8] = []
  }

  /// Which later two of a node's met it together, by a table of its later neighbours.
  private static func closed(
    _ stream: SimplicialStream, _ incidence: Incidence, _ node: [Int32], _ rank: [Int32],
    _ starts: [Int], _ targets: [Int32], in run: RunContext
  ) throws(BasisError) -> Closed {
    let n = stream.nodeCount
    let parts = try parallelMap(n, grain: 64, in: run) { (_, range) -> Closed in
      var part = Closed()
      var place = [Int32](repeating: -1, count: n)
      var table: [UInt8] = []
      for a in range {
        let own = targets[starts[a]..<starts[a + 1]]
        let d = own.count
        for (index, other) in own.enumerated() { place[Int(other)] = Int32(index) }
        table.removeAll(keepingCapacity: true)
        table.append(contentsOf: repeatElement(0, count: d * d))
        for simplex in incidence.simplices(of: node[a]) {
          let members = stream.members(of: Int(simplex))
          guard members.count > 2 else { continue }
          let later = members.map { rank[Int($0)] }.filter { $0 > a }.map { Int(place[Int($0)]) }
            .sorted()
          for (index, first) in later.enumerated() {
            for second in later[(index + 1)...] where table[first * d + second] < 2 {
              table[first * d + second] += 1
            }
          }
        }
        for first in 0..<d {
          for second in (first + 1)..<max(d, first + 1) where table[first * d + second] > 0 {
            part.thirds.append(own[own.startIndex + second])
            part.strengths.append(table[first * d + second])
          }
          part.starts.append(part.thirds.count)
        }
        for other in own { place[Int(other)] = -1 }
      }
      return part
    }
    var whole = Closed()
    for part in parts {
      whole.starts += part.starts.dropFirst().map { $0 + whole.thirds.count }
      whole.thirds += part.thirds
      whole.strengths += part.strengths
    }
    return whole
  }

  // MARK: Asking

  /// The edge of two ranks, the first smaller, or nil.
  func edge(_ a: Int32, _ b: Int32) -> Int? {
    Self.find(b, in: targets, starts[Int(a)]..<starts[Int(a) + 1])
  }

  /// How often two ranks met, the first smaller.
  func weight(_ a: Int32, _ b: Int32) -> Int32 { edge(a, b).map { weights[$0] } ?? 0 }

  /// How often three ranks met, rising: 0, 1, or 2 for more.
  func strength(_ a: Int32, _ b: Int32, _ c: Int32) -> UInt8 {
    guard let edge = edge(a, b),
      let place = Self.find(c, in: thirds, closedStarts[edge]..<closedStarts[edge + 1])
    else { return 0 }
    return strengths[place]
  }

  private static func find(_ value: Int32, in values: [Int32], _ range: Range<Int>) -> Int? {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if values[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < range.upperBound && values[low] == value ? low : nil
  }

  /// Calls `body` with each triangle whose first rank is in the range.
  func forEachTriangle(in range: Range<Int>, _ body: (Triangle) -> Void) {
    var mark = [Int32](repeating: -1, count: nodeCount)
    for a in range {
      let own = starts[a]..<starts[a + 1]
      for edge in own { mark[Int(targets[edge])] = Int32(edge) }
      for edge in own {
        let b = targets[edge]
        var closed = closedStarts[edge]
        let closedEnd = closedStarts[edge + 1]
        for next in starts[Int(b)]..<starts[Int(b) + 1] {
          let c = targets[next]
          let ac = mark[Int(c)]
          guard ac >= 0 else { continue }
          while closed < closedEnd, thirds[closed] < c { closed += 1 }
          let isClosed = closed < closedEnd && thirds[closed] == c
          body(
            Triangle(
              a: Int32(a), b: b, c: c, ab: Int32(edge), ac: ac, bc: Int32(next),
              strength: isClosed ? strengths[closed] : 0))
        }
      }
      for edge in own { mark[Int(targets[edge])] = -1 }
    }
  }

  /// The triangles that no simplex fills, by their first rank.
  func openTriangles(in run: RunContext) throws(BasisError) -> [Triangle] {
    try parallelMap(nodeCount, grain: 64, in: run) { (_, range) -> [Triangle] in
      var part: [Triangle] = []
      forEachTriangle(in: range) { if $0.strength == 0 { part.append($0) } }
      return part
    }.flatMap { $0 }
  }

  /// The sets of so many ranks that simplices have, all of which were there before, each once; the fourth
  /// of three is −1.
  ///
  /// - Parameters:
  ///   - stream: the simplices.
  ///   - size: 3 or 4.
  ///   - run: cancellation.
  ///   - isWanted: of a set, ranks rising.
  func sets(
    of stream: SimplicialStream, size: Int, in run: RunContext,
    where isWanted: (SIMD4<Int32>) -> Bool
  ) throws(BasisError) -> Set<SIMD4<Int32>> {
    var found: Set<SIMD4<Int32>> = []
    for simplex in 0..<stream.simplexCount {
      if simplex % 4096 == 0 { try run.checkCancelled() }
      let members = stream.members(of: simplex).map { rank[Int($0)] }
        .filter { simplexDegrees[Int($0)] > 0 }.sorted()
      guard members.count >= size else { continue }
      for i in 0..<members.count {
        for j in (i + 1)..<max(i + 1, members.count) {
          for k in (j + 1)..<max(j + 1, members.count) {
            if size == 3 {
              let set = SIMD4(members[i], members[j], members[k], -1)
              if isWanted(set) { found.insert(set) }
              continue
            }
            for l in (k + 1)..<max(k + 1, members.count) {
              let set = SIMD4(members[i], members[j], members[k], members[l])
              if isWanted(set) { found.insert(set) }
            }
          }
        }
      }
    }
    return found
  }

  /// The sets of three that met first in later simplices.
  func newTriangles(_ stream: SimplicialStream, in run: RunContext) throws(BasisError)
    -> Set<SIMD4<Int32>>
  {
    try sets(of: stream, size: 3, in: run) { strength($0[0], $0[1], $0[2]) == 0 }
  }
}
