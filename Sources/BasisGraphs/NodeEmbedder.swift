public import BasisCore

/// A way to give each node of a graph a vector: settings, which ``embed(_:in:)`` applies.
public protocol NodeEmbedder: Settings {
  /// - Parameters:
  ///   - graph: of any number of nodes, also none.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.unsupported` for a graph of a kind that
  ///   the method does not take; `.cancelled`.
  func embed(_ graph: CSRGraph, in run: RunContext) throws(BasisError) -> NodeEmbedding
}

/// A vector for each node.
public struct NodeEmbedding: Sendable {
  /// `n × dimension`, finite; nodes without links have zeros.
  public var vectors: Matrix
  /// Nodes without links, rising.
  public var isolatedNodes: [Int]
  /// What to keep in mind, a sentence each.
  public var warnings: [String]
  /// What was done to the columns last; nil for nothing.
  var scaling: ColumnScaling?

  init(_ vectors: Matrix, isolatedNodes: [Int], warnings: [String] = []) {
    self.vectors = vectors
    self.isolatedNodes = isolatedNodes
    self.warnings = warnings
    if !isolatedNodes.isEmpty {
      self.warnings.append(
        "\(isolatedNodes.count) of \(vectors.rowCount) nodes have no link; their vectors are zero")
    }
  }
}

extension Matrix {
  /// Gives every column the mean 0 and the standard deviation 1, over all rows but some that stay as
  /// they are. Columns that are constant become zero.
  mutating func standardizeColumns(without left: [Int], in run: RunContext) throws(BasisError)
    -> ColumnScaling
  {
    let scaling = try ColumnScaling(of: self, without: left, in: run)
    var isLeft = [Bool](repeating: false, count: rowCount)
    for row in left { isLeft[row] = true }
    let kept = isLeft
    let (n, d) = (rowCount, columnCount)
    try withUnsafeMutableFloats { (floats) throws(BasisError) in
      guard let start = floats.baseAddress else { return }
      let values = SharedPointer(start)
      try parallelFor(n, grain: 1024, in: run) { (_, rows) in
        for row in rows where !kept[row] { scaling.apply(to: values.base + row * d) }
      }
    }
    return scaling
  }
}

/// What makes the columns of a matrix alike: x becomes (x − mean) · factor.
struct ColumnScaling: Sendable, Hashable, Codable {
  var means: [Float]
  var factors: [Float]

  init(means: [Float], factors: [Float]) {
    self.means = means
    self.factors = factors
  }

  /// - Complexity: O(*n* *d*); sums in `Double`, in chunks of rows that threads do not change.
  init(of matrix: Matrix, without left: [Int], in run: RunContext) throws(BasisError) {
    let d = matrix.columnCount
    let count = matrix.rowCount - left.count
    var isLeft = [Bool](repeating: false, count: matrix.rowCount)
    for row in left { isLeft[row] = true }
    let skipped = isLeft
    func sums(
      _ add: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Double>) -> Void
    ) throws(BasisError) -> [Double] {
      let parts = try parallelMap(matrix.rowCount, grain: 4096, in: run) { (_, rows) -> [Double] in
        var part = [Double](repeating: 0, count: d)
        part.withUnsafeMutableBufferPointer { part in
          guard let target = part.baseAddress else { return }
          for row in rows where !skipped[row] {
            matrix.withRow(row) { values in
              if let base = values.baseAddress { add(base, target) }
            }
          }
        }
        return part
      }
      var whole = [Double](repeating: 0, count: d)
      for part in parts {
        for column in 0..<d { whole[column] += part[column] }
      }
      return whole
    }
    let centers = try sums { (row, sums) in
      for column in 0..<d { sums[column] += Double(row[column]) }
    }.map { $0 / Double(max(1, count)) }
    let squares = try sums { (row, sums) in
      centers.withUnsafeBufferPointer { centers in
        for column in 0..<d {
          let deviation = Double(row[column]) - centers[column]
          sums[column] += deviation * deviation
        }
      }
    }
    means = centers.map { Float($0) }
    factors = zip(squares, centers).map { squared, center in
      let deviation = (squared / Double(max(1, count))).squareRoot()
      // What rounding alone leaves of a constant column.
      return deviation > 1e-6 * abs(center) && deviation > 0 ? Float(1 / deviation) : 0
    }
  }

  func apply(to row: UnsafeMutablePointer<Float>) {
    for column in means.indices { row[column] = (row[column] - means[column]) * factors[column] }
  }
}
