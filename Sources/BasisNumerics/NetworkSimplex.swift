import BasisCore

/// A spanning tree of flows between sources and targets, which pivots until no arc would lower the cost.
///
/// Cunningham, *A network simplex method*, Mathematical Programming 11 (1976), doi:10.1007/BF01580379,
/// on a dense bipartite graph: trees that are strongly feasible keep pivots that move nothing from
/// going in circles. Arcs are priced in blocks, a row of the costs each: the cheapest arc of a row
/// enters, and then the next row is looked at. For one thread.
final class NetworkSimplex {
  /// Nodes: targets `0 ..< m`, sources `m ..< m + n`, and a root that holds parts of the tree together
  /// with arcs that never carry anything.
  private struct Node {
    var parent: Int32 = -1
    var firstChild: Int32 = -1
    var next: Int32 = -1
    var previous: Int32 = -1
    var depth: Int32 = 0
  }

  let sourceCount: Int
  let targetCount: Int
  private let root: Int
  private let costs: UnsafePointer<Float>
  private let nodes: UnsafeMutablePointer<Node>
  /// On the arc to the parent.
  private let flows: UnsafeMutablePointer<Double>
  /// π: an arc costs `cost − π(source) + π(target)` more than the tree.
  private let potentials: UnsafeMutablePointer<Double>
  private var nextRow = 0
  /// An arc enters where it lowers the cost of a unit by more.
  private let tolerance: Double
  private(set) var pivotCount = 0
  /// How often potentials were found anew: once, but for rounding.
  private(set) var settleCount = 0

  /// - Parameters:
  ///   - costs: `sources × targets`, finite; outlives this.
  ///   - supply: at least one, above 0 each.
  ///   - demand: at least one, above 0 each, of the same sum up to rounding.
  /// - Complexity: O(sources · targets).
  init(_ costs: UnsafePointer<Float>, supply: [Double], demand: [Double]) {
    (sourceCount, targetCount) = (supply.count, demand.count)
    root = supply.count + demand.count
    self.costs = costs
    nodes = .allocate(capacity: root + 1)
    flows = .allocate(capacity: root + 1)
    potentials = .allocate(capacity: root + 1)
    nodes.initialize(repeating: Node(), count: root + 1)
    flows.initialize(repeating: 0, count: root + 1)
    potentials.initialize(repeating: 0, count: root + 1)
    var largest: Float = 0
    for arc in 0..<supply.count * demand.count { largest = max(largest, abs(costs[arc])) }
    tolerance = 1e-13 * Double(largest)
    start(supply, demand)
  }

  deinit {
    nodes.deallocate()
    flows.deallocate()
    potentials.deallocate()
  }

  // MARK: The start

  /// Ships from each source to the cheapest targets that still want something, and hangs what is
  /// connected by that on the root.
  private func start(_ supply: [Double], _ demand: [Double]) {
    let least = cheapest()
    let neighbors = greedyFlows(supply, demand, least)
    let (n, m) = (sourceCount, targetCount)
    var isPlaced = [Bool](repeating: false, count: n + m)
    for source in m..<m + n where !isPlaced[source] {
      isPlaced[source] = true
      attach(source, to: root)
      let row = costs + (source - m) * m
      var price = Double.infinity
      for j in 0..<m { price = min(price, Double(row[j]) - least[j]) }
      potentials[source] = price
      var stack = [source]
      while let node = stack.popLast() {
        nodes[node].depth = nodes[Int(nodes[node].parent)].depth + 1
        for (other, flow) in neighbors[node] where !isPlaced[other] {
          isPlaced[other] = true
          attach(other, to: node)
          flows[other] = flow
          potentials[other] = potential(of: other, below: node)
          stack.append(other)
        }
      }
    }
  }

  /// The least that each target costs, so that sources compare what they lose elsewhere.
  private func cheapest() -> [Double] {
    let m = targetCount
    var least = [Double](repeating: .infinity, count: m)
    for i in 0..<sourceCount {
      for j in 0..<m { least[j] = min(least[j], Double(costs[i * m + j])) }
    }
    return least
  }

  /// Flows above 0 that make a forest: each uses up a source or a target.
  private func greedyFlows(_ supply: [Double], _ demand: [Double], _ least: [Double])
    -> [[(node: Int, flow: Double)]]
  {
    let (n, m) = (sourceCount, targetCount)
    var neighbors = [[(node: Int, flow: Double)]](repeating: [], count: n + m)
    var wanted = demand
    var open = Array(0..<m)
    func ship(_ i: Int, _ j: Int, _ flow: Double) {
      neighbors[m + i].append((j, flow))
      neighbors[j].append((m + i, flow))
    }
    for i in 0..<n {
      var left = supply[i]
      while left > 0, !open.isEmpty {
        var (best, price) = (0, Double.infinity)
        for (place, j) in open.enumerated() {
          let own = Double(costs[i * m + j]) - least[j]
          if own < price { (best, price) = (place, own) }
        }
        let j = open[best]
        let flow = min(left, wanted[j])
        ship(i, j, flow)
        left -= flow
        wanted[j] -= flow
        if wanted[j] <= 0 {
          open.swapAt(best, open.count - 1)
          open.removeLast()
        }
      }
    }
    // Sums that differ in the last bits may leave a tiny target alone.
    for j in open where neighbors[j].isEmpty { ship(0, j, wanted[j]) }
    return neighbors
  }

  @inline(__always)
  private func cost(_ source: Int, _ target: Int) -> Double {
    Double(costs[(source - targetCount) * targetCount + target])
  }

  /// π of a node where the arc to its parent costs nothing more than the tree.
  @inline(__always)
  private func potential(of node: Int, below parent: Int) -> Double {
    node < targetCount
      ? potentials[parent] - cost(parent, node) : potentials[parent] + cost(node, parent)
  }

  @inline(__always)
  private func attach(_ node: Int, to parent: Int) {
    let first = nodes[parent].firstChild
    nodes[node].parent = Int32(truncatingIfNeeded: parent)
    nodes[node].previous = -1
    nodes[node].next = first
    if first >= 0 { nodes[Int(first)].previous = Int32(truncatingIfNeeded: node) }
    nodes[parent].firstChild = Int32(truncatingIfNeeded: node)
  }

  @inline(__always)
  private func detach(_ node: Int) {
    let (before, after) = (nodes[node].previous, nodes[node].next)
    if before >= 0 {
      nodes[Int(before)].next = after
    } else {
      nodes[Int(nodes[node].parent)].firstChild = after
    }
    if after >= 0 { nodes[Int(after)].previous = before }
  }

  // MARK: Pricing

  /// The cheapest arc of the next row that has one below 0; nil where no row has.
  private func entering() -> (source: Int, target: Int, change: Double)? {
    let m = targetCount
    for _ in 0..<sourceCount {
      let row = nextRow
      nextRow = row + 1 == sourceCount ? 0 : row + 1
      let own = potentials[m + row]
      let value = least(costs + row * m)
      if value - own < -tolerance {
        for target in 0..<m where Double(costs[row * m + target]) + potentials[target] == value {
          return (m + row, target, value - own)
        }
      }
    }
    return nil
  }

  /// The least of cost + π(target) in a row.
  @inline(__always)
  private func least(_ row: UnsafePointer<Float>) -> Double {
    let count = targetCount
    var lanes = SIMD8<Double>(repeating: .infinity)
    var j = 0
    while j + 8 <= count {
      let c = UnsafeRawPointer(row + j).loadUnaligned(as: SIMD8<Float>.self)
      let p = UnsafeRawPointer(potentials + j).loadUnaligned(as: SIMD8<Double>.self)
      let value = SIMD8<Double>(c) + p
      lanes.replace(with: value, where: value .< lanes)
      j += 8
    }
    var least = lanes.min()
    while j < count {
      least = min(least, Double(row[j]) + potentials[j])
      j += 1
    }
    return least
  }

  // MARK: Pivots

  /// Pivots until nothing enters, or so many times.
  ///
  /// - Returns: whether nothing enters any more.
  func solve(limit: Int, in run: RunContext) throws(BasisError) -> Bool {
    while true {
      while let arc = entering() {
        guard pivotCount < limit else { return false }
        if pivotCount.isMultiple(of: 1024) {
          try run.checkCancelled()
          run.report("transport", pivotCount, unit: "pivots")
        }
        pivot(arc.source, arc.target, arc.change)
        pivotCount += 1
      }
      // What was added up pivot by pivot may be off in the last bits.
      guard settle() else { return true }
    }
  }

  /// Finds the potentials anew, from the root down.
  ///
  /// - Returns: whether something moved by as much as would let an arc enter.
  private func settle() -> Bool {
    settleCount += 1
    var moved = 0.0
    walk(below: root) { node in
      let parent = Int(nodes[node].parent)
      guard parent != root else { return }
      let value = potential(of: node, below: parent)
      moved = max(moved, abs(value - potentials[node]))
      potentials[node] = value
    }
    return moved > tolerance
  }

  /// Calls `body` for all that hangs below a node, parents first.
  @inline(__always)
  private func walk(below top: Int, _ body: (Int) -> Void) {
    var node = top
    while true {
      var below = nodes[node].firstChild
      if below < 0 {
        while node != top, nodes[node].next < 0 { node = Int(nodes[node].parent) }
        if node == top { return }
        below = nodes[node].next
      }
      node = Int(below)
      body(node)
    }
  }

  private func pivot(_ source: Int, _ target: Int, _ change: Double) {
    let m = targetCount
    var (a, b) = (source, target)
    // The arc whose flow is used up first: of equals the last one on the way from where the paths to
    // the root meet, through the arc that enters and back.
    var (leaving, delta, isSourceSide) = (-1, Double.infinity, false)
    while a != b {
      if nodes[a].depth > nodes[b].depth {
        if a >= m {
          // An equal one on the target's side comes later, and wins.
          if flows[a] < delta { (leaving, delta, isSourceSide) = (a, flows[a], true) }
        }
        a = Int(nodes[a].parent)
      } else {
        if b < m, flows[b] <= delta { (leaving, delta, isSourceSide) = (b, flows[b], false) }
        b = Int(nodes[b].parent)
      }
    }
    let apex = a
    if delta > 0 {
      a = source
      while a != apex {
        flows[a] += a >= m ? -delta : delta
        a = Int(nodes[a].parent)
      }
      b = target
      while b != apex {
        flows[b] += b < m ? -delta : delta
        b = Int(nodes[b].parent)
      }
    }
    hang(isSourceSide ? source : target, on: isSourceSide ? target : source, delta, upTo: leaving)
    shift(isSourceSide ? source : target, by: isSourceSide ? change : -change)
  }

  /// Turns the path from a node up to `last` over, and hangs it on another node.
  private func hang(_ node: Int, on other: Int, _ flow: Double, upTo last: Int) {
    var (child, parent, carried) = (node, other, flow)
    while true {
      let old = Int(nodes[child].parent)
      let own = flows[child]
      detach(child)
      attach(child, to: parent)
      flows[child] = carried
      if child == last { return }
      (parent, child, carried) = (child, old, own)
    }
  }

  /// Adds to the potentials of a node and all below, and tells their depths.
  private func shift(_ top: Int, by change: Double) {
    nodes[top].depth = nodes[Int(nodes[top].parent)].depth + 1
    potentials[top] += change
    walk(below: top) { node in
      nodes[node].depth = nodes[Int(nodes[node].parent)].depth + 1
      potentials[node] += change
    }
  }

  // MARK: The answer

  /// What flows from where to where, by rising source and target.
  var carried: [(source: Int, target: Int, mass: Double)] {
    let m = targetCount
    var all: [(source: Int, target: Int, mass: Double)] = []
    for node in 0..<root where Int(nodes[node].parent) != root && flows[node] > 0 {
      let (a, b) = (node, Int(nodes[node].parent))
      all.append((max(a, b) - m, min(a, b), flows[node]))
    }
    return all.sorted { ($0.source, $0.target) < ($1.source, $1.target) }
  }

  /// *u* with *u* + *v* ≤ cost, equal where something flows.
  var sourcePotentials: [Double] { (0..<sourceCount).map { potentials[targetCount + $0] } }

  /// *v*.
  var targetPotentials: [Double] { (0..<targetCount).map { -potentials[$0] } }
}
