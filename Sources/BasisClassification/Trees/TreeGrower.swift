import BasisCore

/// Grows one tree: the split that lowers the sum of squares most, again and again.
///
/// Breiman, Friedman, Olshen & Stone, *Classification and Regression Trees* (1984), sections 2 and 8. A
/// class is a number for each class, 0 or 1: the sum of their squares is what Gini's index is of.
///
/// - Complexity: O(candidates · *n* · passes of the sort) a level.
struct TreeGrower {
  private let columns: TreeColumns
  private let target: TreeTarget
  private let weights: [Double]
  private let limits: TreeLimits
  private var generator: RandomGenerator

  private var rows: [Int32]
  private var nodes: [Tree.Node] = []
  private var values: [Double] = []
  /// The leaf of each row, −1 for rows without weight.
  private(set) var leaves: [Int32]

  // What is used again at every node.
  private var order: [Int]
  private var keys: [UInt64]
  private var sorter = KeySorter()
  private var localWeights: [Double]
  private var localValues: [Double]
  private var localClasses: [Int32]
  private var totals: [Double]
  private var lefts: [Double]

  /// - Parameter weights: of each row, at least 0; how often it was drawn.
  init(
    _ columns: TreeColumns, _ target: TreeTarget, weights: [Double], _ limits: TreeLimits,
    _ generator: RandomGenerator
  ) {
    self.columns = columns
    self.target = target
    self.weights = weights
    self.limits = limits
    self.generator = generator
    rows = weights.indices.filter { weights[$0] > 0 }.map { Int32($0) }
    leaves = [Int32](repeating: -1, count: weights.count)
    order = Array(0..<columns.columnCount)
    keys = [UInt64](repeating: 0, count: rows.count)
    localWeights = [Double](repeating: 0, count: rows.count)
    localValues = localWeights
    localClasses = [Int32](repeating: 0, count: rows.count)
    totals = [Double](repeating: 0, count: target.outputCount)
    lefts = totals
  }

  private struct Split {
    var gain: Double
    var column: Int
    var low: UInt32
    var high: UInt32
  }

  private struct Pending {
    var node: Int
    var range: Range<Int>
    var depth: Int
    /// Known where the best leaf is split first.
    var split: Split?
  }

  mutating func grow() -> Tree {
    nodes = [Tree.Node(column: -1, threshold: 0, next: 0)]
    var pending = [Pending(node: 0, range: 0..<rows.count, depth: 0)]
    if let most = limits.maxLeafCount {
      pending[0].split = best(pending[0])
      while nodes.count / 2 + 1 < most, let place = Self.first(pending) {
        let (left, right) = divide(pending[place], by: pending[place].split)
        pending[place] = left
        pending.append(right)
        for child in [place, pending.count - 1] { pending[child].split = best(pending[child]) }
      }
      for leaf in pending { close(leaf) }
    } else {
      while let next = pending.popLast() {
        guard let split = best(next) else {
          close(next)
          continue
        }
        let (left, right) = divide(next, by: split)
        pending.append(right)
        pending.append(left)
      }
    }
    return Tree(nodes: nodes, values: values, outputCount: target.outputCount)
  }

  /// The one whose split gains most, the first of equals.
  private static func first(_ pending: [Pending]) -> Int? {
    var found: Int?
    var most = -Double.infinity
    for (place, one) in pending.enumerated() {
      guard let gain = one.split?.gain, gain > most else { continue }
      (found, most) = (place, gain)
    }
    return found
  }

  private mutating func divide(_ one: Pending, by split: Split?) -> (Pending, Pending) {
    guard let split else { return (one, one) }
    let base = split.column * columns.rowCount
    var (low, high) = (one.range.lowerBound, one.range.upperBound - 1)
    while low <= high {
      if columns.ranks[base + Int(rows[low])] <= split.low {
        low += 1
      } else {
        rows.swapAt(low, high)
        high -= 1
      }
    }
    let next = nodes.count
    nodes[one.node] = Tree.Node(
      column: Int32(split.column),
      threshold: columns.threshold(split.column, split.low, split.high), next: Int32(next))
    nodes.append(Tree.Node(column: -1, threshold: 0, next: 0))
    nodes.append(Tree.Node(column: -1, threshold: 0, next: 0))
    return (
      Pending(node: next, range: one.range.lowerBound..<low, depth: one.depth + 1),
      Pending(node: next + 1, range: low..<one.range.upperBound, depth: one.depth + 1)
    )
  }

  /// Makes a leaf: the mean of what its rows are.
  private mutating func close(_ one: Pending) {
    let leaf = values.count / target.outputCount
    nodes[one.node].next = Int32(leaf)
    var sums = [Double](repeating: 0, count: target.outputCount)
    var total = 0.0
    for place in one.range {
      let row = Int(rows[place])
      leaves[row] = Int32(leaf)
      total += weights[row]
      switch target {
      case .values(let values): sums[0] += weights[row] * values[row]
      case .classes(let classes, _): sums[Int(classes[row])] += weights[row]
      }
    }
    for sum in sums { values.append(total > 0 ? sum / total : 0) }
  }

  // MARK: Splits

  /// The best split of a node's rows, nil where they are to stay together.
  private mutating func best(_ one: Pending) -> Split? {
    let count = one.range.count
    guard count >= 2, one.depth < limits.maxDepth ?? .max else { return nil }
    let (total, isPure) = gather(one.range)
    guard !isPure, total >= Double(2 * limits.minLeafCount) else { return nil }
    var found: Split?
    var visited = 0
    for place in order.indices {
      // Of columns that say nothing more are drawn, until one says something.
      if visited >= limits.candidateCount, found != nil { break }
      order.swapAt(place, place + generator.nextInt(below: order.count - place))
      visited += 1
      let column = order[place]
      guard let (low, high) = fill(one.range, column) else { continue }
      sorter.sort(&keys, count: count, low: low, high: high)
      let split =
        switch target {
        case .values: scanValues(count, total, column)
        case .classes: scanClasses(count, total, column)
        }
      guard let split, split.gain > found?.gain ?? -.infinity else { continue }
      found = split
    }
    return found
  }

  /// Brings what is asked of a node's rows together; says what they weigh and whether all are the same.
  private mutating func gather(_ range: Range<Int>) -> (total: Double, isPure: Bool) {
    var total = 0.0
    var isPure = true
    switch target {
    case .values(let values):
      let first = values[Int(rows[range.lowerBound])]
      var sum = 0.0
      for (slot, place) in range.enumerated() {
        let row = Int(rows[place])
        let (weight, value) = (weights[row], values[row])
        localWeights[slot] = weight
        localValues[slot] = value
        total += weight
        sum += weight * value
        if value != first { isPure = false }
      }
      // Around the mean, so that squares of sums lose no digits.
      let mean = sum / total
      var rest = 0.0
      for slot in 0..<range.count {
        localValues[slot] = (localValues[slot] - mean) * localWeights[slot]
        rest += localValues[slot]
      }
      totals[0] = rest
    case .classes(let classes, let classCount):
      for place in 0..<classCount { totals[place] = 0 }
      let first = classes[Int(rows[range.lowerBound])]
      for (slot, place) in range.enumerated() {
        let row = Int(rows[place])
        let weight = weights[row]
        localWeights[slot] = weight
        localClasses[slot] = classes[row]
        totals[Int(classes[row])] += weight
        total += weight
        if classes[row] != first { isPure = false }
      }
    }
    return (total, isPure)
  }

  /// The ranks of a column, with the place of each row in the node; nil where all are the same.
  private mutating func fill(_ range: Range<Int>, _ column: Int) -> (UInt32, UInt32)? {
    let base = column * columns.rowCount
    var (low, high) = (UInt32.max, UInt32.min)
    let (ranks, rows) = (columns.ranks, rows)
    keys.withUnsafeMutableBufferPointer { keys in
      ranks.withUnsafeBufferPointer { ranks in
        rows.withUnsafeBufferPointer { rows in
          var slot: UInt64 = 0
          for place in range {
            let rank = ranks[base + Int(rows[place])]
            low = min(low, rank)
            high = max(high, rank)
            keys[Int(slot)] = UInt64(rank) << 32 | slot
            slot += 1
          }
        }
      }
    }
    return low < high ? (low, high) : nil
  }

  private func scanValues(_ count: Int, _ total: Double, _ column: Int) -> Split? {
    let least = Double(limits.minLeafCount)
    let sum = totals[0]
    var (most, at) = (-Double.infinity, -1)
    keys.withUnsafeBufferPointer { keys in
      localWeights.withUnsafeBufferPointer { weights in
        localValues.withUnsafeBufferPointer { values in
          var (left, weight) = (0.0, 0.0)
          for index in 0..<count - 1 {
            let slot = Int(truncatingIfNeeded: keys[index] & 0xFFFF_FFFF)
            left += values[slot]
            weight += weights[slot]
            guard keys[index] >> 32 != keys[index + 1] >> 32 else { continue }
            let rest = total - weight
            guard weight >= least, rest >= least else { continue }
            let right = sum - left
            let gain = left * left / weight + right * right / rest
            if gain > most { (most, at) = (gain, index) }
          }
        }
      }
    }
    return split(most - sum * sum / total, at, column)
  }

  private mutating func scanClasses(_ count: Int, _ total: Double, _ column: Int) -> Split? {
    let least = Double(limits.minLeafCount)
    var all = 0.0
    for place in totals.indices {
      lefts[place] = 0
      all += totals[place] * totals[place]
    }
    var (most, at) = (-Double.infinity, -1)
    let (keys, totals) = (keys, totals)
    let (localWeights, localClasses) = (localWeights, localClasses)
    lefts.withUnsafeMutableBufferPointer { lefts in
      // The sums of squares of both sides change by one class at a time.
      var (left, right, weight) = (0.0, all, 0.0)
      for index in 0..<count - 1 {
        let slot = Int(truncatingIfNeeded: keys[index] & 0xFFFF_FFFF)
        let (own, place) = (localWeights[slot], Int(localClasses[slot]))
        let before = lefts[place]
        left += own * (2 * before + own)
        right += own * (own - 2 * (totals[place] - before))
        lefts[place] = before + own
        weight += own
        guard keys[index] >> 32 != keys[index + 1] >> 32 else { continue }
        let rest = total - weight
        guard weight >= least, rest >= least else { continue }
        let gain = left / weight + right / rest
        if gain > most { (most, at) = (gain, index) }
      }
    }
    return split(most - all / total, at, column)
  }

  private func split(_ gain: Double, _ at: Int, _ column: Int) -> Split? {
    guard at >= 0 else { return nil }
    return Split(
      gain: gain, column: column, low: UInt32(truncatingIfNeeded: keys[at] >> 32),
      high: UInt32(truncatingIfNeeded: keys[at + 1] >> 32))
  }
}
