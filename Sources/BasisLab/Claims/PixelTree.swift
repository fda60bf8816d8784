import BasisCore

/// A decision tree that tells one class from all others by values that are not negative, such as
/// pixels; grown until leaves are of one class or too small to part.
///
/// Breiman, Friedman, Olshen & Stone, *Classification and Regression Trees*, 1984: the split of least
/// Gini impurity, the first of equals, halfway between two values.
struct PixelTree {
  private struct Node {
    /// Below 0 for a leaf.
    var column = -1
    var threshold: Float = 0
    var left = 0
    var right = 0
    /// Of the class among the node's rows.
    var share: Double
  }

  private struct Split {
    var column: Int
    var threshold: Float
    var impurity: Double
  }

  private var nodes: [Node] = []

  /// - Parameters:
  ///   - rows: `n × d`, at least 0, *n* at least 1.
  ///   - labels: *n* of 0 and 1.
  ///   - leafSize: the fewest rows of a leaf, at least 1.
  ///   - run: cancellation.
  /// - Throws: `.cancelled`.
  /// - Complexity: O(*d* *n* log *n*) a level.
  init(_ rows: Matrix, _ labels: [Int], leafSize: Int = 2, in run: RunContext) throws(BasisError) {
    var open = [(node: 0, items: Array(labels.indices))]
    nodes = [Node(share: Self.share(labels, of: open[0].items))]
    var keys: [UInt64] = []
    while let (node, items) = open.popLast() {
      let share = nodes[node].share
      guard share > 0, share < 1, items.count >= 2 * leafSize else { continue }
      try run.checkCancelled()
      let best = rows.withUnsafeFloats {
        Self.best($0, rows.columnCount, labels, items, leafSize, &keys)
      }
      guard let best else { continue }
      let left = items.filter { rows[$0, best.column] <= best.threshold }
      let right = items.filter { rows[$0, best.column] > best.threshold }
      (nodes[node].column, nodes[node].threshold) = (best.column, best.threshold)
      (nodes[node].left, nodes[node].right) = (nodes.count, nodes.count + 1)
      for (offset, part) in [left, right].enumerated() {
        open.append((nodes.count, offset == 0 ? left : right))
        nodes.append(Node(share: Self.share(labels, of: part)))
      }
    }
  }

  /// The class's share in the leaf of each row.
  func shares(of rows: Matrix) -> [Double] {
    (0..<rows.rowCount).map { row in
      var node = nodes[0]
      while node.column >= 0 {
        node = nodes[rows[row, node.column] <= node.threshold ? node.left : node.right]
      }
      return node.share
    }
  }

  private static func share(_ labels: [Int], of items: [Int]) -> Double {
    Double(items.count { labels[$0] == 1 }) / Double(max(1, items.count))
  }

  private static func best(
    _ values: UnsafeBufferPointer<Float>, _ d: Int, _ labels: [Int], _ items: [Int],
    _ leafSize: Int, _ keys: inout [UInt64]
  ) -> Split? {
    let n = items.count
    let positives = items.count { labels[$0] == 1 }
    var best: Split?
    var least = Double(positives * (n - positives)) / Double(n) - 1e-12
    for column in 0..<d {
      keys.removeAll(keepingCapacity: true)
      // Floats that are not negative are in the order of their bits; the class comes last.
      for item in items {
        keys.append(UInt64(values[item * d + column].bitPattern) << 1 | UInt64(labels[item]))
      }
      keys.sort()
      guard keys[0] >> 1 != keys[n - 1] >> 1 else { continue }
      var inLeft = 0
      for count in 1..<n {
        inLeft += Int(keys[count - 1] & 1)
        guard count >= leafSize, n - count >= leafSize, keys[count] >> 1 != keys[count - 1] >> 1
        else { continue }
        let inRight = positives - inLeft
        let impurity =
          Double(inLeft * (count - inLeft)) / Double(count)
          + Double(inRight * (n - count - inRight)) / Double(n - count)
        guard impurity < least else { continue }
        least = impurity
        let low = Float(bitPattern: UInt32(truncatingIfNeeded: keys[count - 1] >> 1))
        let high = Float(bitPattern: UInt32(truncatingIfNeeded: keys[count] >> 1))
        // Halfway may round to the upper one.
        let middle = low + (high - low) / 2
        best = Split(column: column, threshold: middle < high ? middle : low, impurity: impurity)
      }
    }
    return best
  }
}
