import BasisCore

/// Questions about one column each, and what is answered at the end of them.
public struct Tree: Sendable, Hashable {
  struct Node: Sendable, Hashable {
    /// −1 for a leaf.
    var column: Int32
    /// Values up to here go left.
    var threshold: Float
    /// The left child, which the right one follows; of a leaf its number.
    var next: Int32
  }

  let nodes: [Node]
  /// Leaf after leaf, as many numbers as there are outputs.
  var values: [Double]
  let outputCount: Int

  /// How many leaves there are, at least 1.
  public var leafCount: Int { values.count / outputCount }

  /// The number of questions to the leaf that is furthest.
  public var depth: Int {
    var depths = [Int](repeating: 0, count: nodes.count)
    for (index, node) in nodes.enumerated() where node.column >= 0 {
      depths[Int(node.next)] = depths[index] + 1
      depths[Int(node.next) + 1] = depths[index] + 1
    }
    return depths.max() ?? 0
  }

  /// The leaf that a row ends in.
  func leaf(_ row: UnsafeBufferPointer<Float>) -> Int {
    nodes.withUnsafeBufferPointer { nodes in
      var place = 0
      while true {
        let node = nodes[place]
        if node.column < 0 { return Int(node.next) }
        place = Int(node.next) + (row[Int(node.column)] <= node.threshold ? 0 : 1)
      }
    }
  }
}

/// What a tree is grown to tell.
enum TreeTarget: Sendable {
  case values([Double])
  /// Places of classes, and how many there are.
  case classes([Int32], count: Int)

  var outputCount: Int {
    switch self {
    case .values: 1
    case .classes(_, let count): count
    }
  }
}

/// How far trees grow.
struct TreeLimits: Sendable {
  var maxDepth: Int?
  var maxLeafCount: Int?
  var minLeafCount: Int
  /// Columns that a split is chosen among.
  var candidateCount: Int

  init(
    _ maxDepth: Int?, _ maxLeafCount: Int?, _ minLeafCount: Int, candidates: Int, for method: String
  ) throws(BasisError) {
    guard maxDepth ?? 1 >= 1, maxLeafCount ?? 2 >= 2, minLeafCount >= 1 else {
      throw BasisError(
        .invalidArgument,
        "\(method): maxDepth is \(maxDepth.map { "\($0)" } ?? "none"), maxLeafCount "
          + "\(maxLeafCount.map { "\($0)" } ?? "none"), minLeafCount \(minLeafCount); wanted at "
          + "least 1, 2 and 1")
    }
    self.maxDepth = maxDepth
    self.maxLeafCount = maxLeafCount
    self.minLeafCount = minLeafCount
    candidateCount = candidates
  }
}
