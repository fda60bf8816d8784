import BasisCore
import BasisFormats

/// Trees whose leaves are added up, and which rows they were grown of.
public struct TreeEnsemble: Sendable, Hashable {
  /// In the order in which they were grown.
  public let trees: [Tree]
  /// *d*.
  public let columnCount: Int
  /// Rows that it was grown of, *n*.
  public let trainingCount: Int
  /// Tree after tree the leaf of each row, −1 for rows that the tree did not see; and how often it saw
  /// them.
  let leaves: [Int32]
  let multiplicities: [UInt16]

  init(_ grown: [Grown], columnCount: Int, trainingCount: Int) {
    trees = grown.map(\.tree)
    leaves = grown.flatMap(\.leaves)
    multiplicities = grown.flatMap(\.multiplicities)
    self.columnCount = columnCount
    self.trainingCount = trainingCount
  }

  /// A tree, and what it was grown of.
  struct Grown: Sendable {
    var tree: Tree
    var leaves: [Int32]
    var multiplicities: [UInt16]
  }

  /// Adds up what the trees say.
  ///
  /// - Parameters:
  ///   - rows: `m × d`.
  ///   - outputCount: numbers a row; tree *t* has all of them, or only the one of place *t* mod that.
  ///   - prefix: so many trees only.
  /// - Returns: `m × outputCount`.
  func sums(_ rows: Matrix, outputCount: Int, prefix: Int? = nil, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    let some = trees.prefix(prefix ?? trees.count)
    return try parallelMap(rows.rowCount, grain: 256, in: run) { (_, range) -> [Double] in
      var out = [Double](repeating: 0, count: range.count * outputCount)
      // Tree by tree, so that one stays in the cache.
      for (number, tree) in some.enumerated() {
        let own = tree.outputCount
        let first = own == outputCount ? 0 : number % outputCount
        for (place, row) in range.enumerated() {
          let leaf = rows.withRow(row) { tree.leaf($0) }
          for output in 0..<own {
            out[place * outputCount + first + output] += tree.values[leaf * own + output]
          }
        }
      }
      return out
    }.flatMap { $0 }
  }

  /// The rows of each leaf of a tree, with how often they count.
  func members(_ tree: Int) -> LeafMembers {
    let range = tree * trainingCount..<(tree + 1) * trainingCount
    return LeafMembers(
      leaves[range], multiplicities[range], leafCount: trees[tree].leafCount)
  }

  // MARK: Files

  func write(to file: inout ModelWriter) throws(BasisError) {
    let nodes = trees.flatMap(\.nodes)
    try file.tensors.add("columns", shape: [nodes.count], nodes.map(\.column))
    try file.tensors.add("thresholds", shape: [nodes.count], nodes.map(\.threshold))
    try file.tensors.add("next", shape: [nodes.count], nodes.map(\.next))
    try file.tensors.add(
      "node_counts", shape: [trees.count], trees.map { Int32($0.nodes.count) })
    try file.tensors.add("leaf_counts", shape: [trees.count], trees.map { Int32($0.leafCount) })
    let values = trees.flatMap(\.values)
    try file.tensors.add("values", shape: [values.count], values)
    try file.tensors.add("leaves", shape: [trees.count, trainingCount], leaves)
    try file.tensors.add("multiplicities", shape: [trees.count, trainingCount], multiplicities)
  }

  init(from file: ModelFile, columnCount: Int, outputCount: Int) throws(BasisError) {
    func damaged(_ what: String) -> BasisError {
      BasisError(.corruptFile, "\(file.path): \(what); fit the model again")
    }
    let counts = try file.tensors.integers("node_counts").map { Int($0) }
    let leafCounts = try file.integers("leaf_counts", count: counts.count)
    let total = counts.reduce(0, &+)
    guard counts.allSatisfy({ $0 >= 1 && $0 < 1 << 31 }), total >= 0,
      leafCounts.allSatisfy({ $0 >= 1 && $0 < 1 << 31 }), outputCount >= 1
    else { throw damaged("a tree has no nodes") }
    let columns = try file.integers("columns", count: total)
    let next = try file.integers("next", count: total)
    let thresholds = try file.tensors.vector("thresholds", count: total)
    let values = try file.doubles("values", count: leafCounts.reduce(0, +) * outputCount)
    guard let shape = file.tensors["leaves"]?.shape, shape.count == 2, shape[0] == counts.count
    else { throw damaged("'leaves' should be trees × rows") }
    var (place, start) = (0, 0)
    var trees: [Tree] = []
    for (tree, count) in counts.enumerated() {
      var nodes: [Tree.Node] = []
      for index in 0..<count {
        let (column, child) = (columns[place + index], next[place + index])
        // A child stands behind its parent, so that every walk ends.
        let isWhole =
          column < 0
          ? child >= 0 && child < leafCounts[tree]
          : column < columnCount && child > index && child + 1 < count
        guard isWhole else { throw damaged("node \(index) of tree \(tree) leads nowhere") }
        nodes.append(
          Tree.Node(
            column: Int32(column), threshold: thresholds[place + index], next: Int32(child)))
      }
      let end = start + leafCounts[tree] * outputCount
      trees.append(
        Tree(nodes: nodes, values: Array(values[start..<end]), outputCount: outputCount))
      (place, start) = (place + count, end)
    }
    self.trees = trees
    self.columnCount = columnCount
    trainingCount = shape[1]
    let leaves = try file.integers("leaves", count: shape[0] * shape[1])
    for (index, leaf) in leaves.enumerated() {
      guard leaf >= -1, leaf < leafCounts[index / max(1, shape[1])] else {
        throw damaged("a row is in leaf \(leaf), which there is not")
      }
    }
    self.leaves = leaves.map { Int32($0) }
    multiplicities = try file.integers("multiplicities", count: leaves.count).map {
      UInt16(clamping: $0)
    }
  }
}

/// The rows of each leaf of a tree: compressed, leaf after leaf.
struct LeafMembers: Sendable {
  let starts: [Int]
  let rows: [Int32]
  /// What each row counts: all of a leaf together 1.
  let shares: [Double]

  init(_ leaves: ArraySlice<Int32>, _ multiplicities: ArraySlice<UInt16>, leafCount: Int) {
    var starts = [Int](repeating: 0, count: leafCount + 1)
    var totals = [Double](repeating: 0, count: leafCount)
    for (leaf, count) in zip(leaves, multiplicities) where leaf >= 0 && count > 0 {
      starts[Int(leaf) + 1] += 1
      totals[Int(leaf)] += Double(count)
    }
    for leaf in 0..<leafCount { starts[leaf + 1] += starts[leaf] }
    var next = starts
    var rows = [Int32](repeating: 0, count: starts[leafCount])
    var shares = [Double](repeating: 0, count: rows.count)
    for (row, (leaf, count)) in zip(leaves, multiplicities).enumerated()
    where leaf >= 0 && count > 0 {
      let place = next[Int(leaf)]
      rows[place] = Int32(row)
      shares[place] = Double(count) / totals[Int(leaf)]
      next[Int(leaf)] += 1
    }
    (self.starts, self.rows, self.shares) = (starts, rows, shares)
  }
}
