public import BasisCore

/// What answers with weighted means of the training targets: *ŷ*(*x*) = Σ *ŝ*_i(*x*) *y*_i.
public protocol SmootherWeights: Sendable {
  /// Rows that it was fitted on, *n*.
  var trainingCount: Int { get }

  /// What each training row counts in the answer to each row.
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Returns: `m × n`, row-major; each row of sum 1.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.unsupported` where the weights
  ///   do not fit into memory; `.cancelled`.
  func weights(for rows: Matrix, in run: RunContext) throws(BasisError) -> [Double]
}

/// How many parameters a smoother uses for some rows: (*n* / *m*) Σ ‖*ŝ*(*x*)‖².
///
/// *n* where each answer is one training target, 1 where each is the mean of all; *n* / *k* for nearest
/// neighbours. A forest uses many for the rows that it was fitted on and few for others, the fewer the
/// further off they are: a small number tells of rows unlike those that are known.
///
/// Curth, Jeffares & van der Schaar, *Why do Random Forests Work?* (2024), arXiv:2402.01502, equation 6.
public struct EffectiveParameters: Sendable, Hashable {
  /// One for each row: *n* ‖*ŝ*(*x*)‖², `1 ... n` for weights that are not negative.
  public let values: [Double]
  /// Their mean; NaN for no rows.
  public let mean: Double

  /// - Parameters:
  ///   - smoother: a fitted model.
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Throws: as the smoother's weights.
  /// - Complexity: that of the weights; some rows at a time, never `m × n` at once.
  public init(of smoother: some SmootherWeights, on rows: Matrix, in run: RunContext = RunContext())
    throws(BasisError)
  {
    let n = smoother.trainingCount
    let step = max(1, (1 << 22) / max(1, n))
    var values: [Double] = []
    for start in stride(from: 0, to: rows.rowCount, by: step) {
      try run.checkCancelled()
      let some = rows.selecting(rows: start..<min(rows.rowCount, start + step))
      let weights = try smoother.weights(for: some, in: run)
      for row in 0..<some.rowCount {
        var sum = 0.0
        for index in row * n..<(row + 1) * n { sum += weights[index] * weights[index] }
        values.append(Double(n) * sum)
      }
    }
    self.values = values
    mean = values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }
}

extension TreeEnsemble {
  /// The mean of the trees' weights: in each the rows of the leaf, by how often they were drawn.
  func weights(for rows: Matrix, in run: RunContext) throws(BasisError) -> [Double] {
    let n = trainingCount
    let members = try parallelMap(trees.count, grain: 1, in: run) { (tree, _) in
      self.members(tree)
    }
    let scale = 1 / Double(trees.count)
    return try parallelMap(rows.rowCount, grain: 32, in: run) { (_, range) -> [Double] in
      var out = [Double](repeating: 0, count: range.count * n)
      for (number, tree) in trees.enumerated() {
        let own = members[number]
        for (place, row) in range.enumerated() {
          let leaf = rows.withRow(row) { tree.leaf($0) }
          for index in own.starts[leaf]..<own.starts[leaf + 1] {
            out[place * n + Int(own.rows[index])] += own.shares[index] * scale
          }
        }
      }
      return out
    }.flatMap { $0 }
  }
}

/// The mean of the *k* nearest training rows' targets: a smoother to compare others with.
public struct NearestNeighborSmoother: SmootherWeights {
  /// `n × d`.
  public let rows: Matrix
  /// Neighbours, `1 ... n`.
  public let k: Int

  public var trainingCount: Int { rows.rowCount }

  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - k: neighbours.
  /// - Throws: `.invalidArgument` for *k* outside `1 ... n`; `.badData` naming row and column.
  public init(_ rows: Matrix, k: Int) throws(BasisError) {
    guard k >= 1, k <= rows.rowCount else {
      throw BasisError(
        .invalidArgument, "nearest neighbours: k is \(k), wanted 1 to \(rows.rowCount)")
    }
    try rows.requireFinite("the rows")
    self.rows = rows
    self.k = k
  }

  public func weights(for rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    let near = try neighbors(of: rows, in: run)
    var out = [Double](repeating: 0, count: rows.rowCount * trainingCount)
    for (row, found) in near.enumerated() {
      for one in found { out[row * trainingCount + one.id] = 1 / Double(k) }
    }
    return out
  }

  /// The nearest rows of each, by Euclidean distance squared.
  func neighbors(of asked: Matrix, in run: RunContext) throws(BasisError) -> [[Neighbor]] {
    try asked.requireRows(of: rows.columnCount, for: "neighbourhood")
    let (n, d, k) = (trainingCount, rows.columnCount, k)
    return try parallelMap(asked.rowCount, grain: 16, in: run) { (_, range) -> [[Neighbor]] in
      range.map { row in
        asked.withRow(row) { values in
          rows.withUnsafeFloats { floats in
            var all: [Neighbor] = []
            for other in 0..<n {
              var sum: Float = 0
              for column in 0..<d {
                let difference = values[column] - floats[other * d + column]
                sum += difference * difference
              }
              all.append(Neighbor(id: other, distance: sum))
            }
            return Array(all.sorted().prefix(k))
          }
        }
      }
    }.flatMap { $0 }
  }
}
