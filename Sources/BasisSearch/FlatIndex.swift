public import BasisCore
import BasisFormats

/// The exact index: compares a query with every row. Immutable, and safe to use from any number of
/// threads.
///
/// The right index for some tens of thousands of rows, and what approximate indexes are judged by.
/// Large batches of queries go through a matrix product that finds the rows which might be among
/// the nearest; their distances then come from the same kernel that a single query uses, so the
/// size of the batch never changes an answer.
public struct FlatIndex: Sendable {
  public let rows: Matrix
  public let metric: Metric
  // Euclidean norms of the rows, and one over them (0 over 0).
  let norms: [Float]
  let inverseNorms: [Float]
  /// The rows' block in a file, where they are not known to be sound.
  let block: BlockGuard?

  public var count: Int { rows.rowCount }
  public var dimension: Int { rows.columnCount }

  /// An index over a matrix, which it does not copy.
  ///
  /// - Parameter rows: `n × d`, finite.
  /// - Parameter metric: how rows are compared.
  /// - Throws: `.badData` naming the row and column of a value that is not finite.
  /// - Complexity: O(*n* *d*): reads the matrix once, for the norms.
  public init(_ rows: Matrix, metric: Metric) throws(BasisError) {
    self.rows = rows
    self.metric = metric
    block = nil
    norms = (0..<rows.rowCount).map { row in rows.withRow(row) { euclideanNorm($0) } }
    inverseNorms = norms.map { $0 > 0 ? 1 / $0 : 0 }
    // A norm is finite exactly if its row is, except where it overflows.
    if norms.contains(where: { !$0.isFinite }) { try rows.requireFinite("the matrix to index") }
  }
}

extension FlatIndex: SearchIndex {
  /// The nearest rows to each query, exactly.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite, of the index's dimension.
  ///   - k: at least 0; more than ``count`` gives all rows.
  ///   - allowed: the rows that may be answered, or nil for all; `allowed.count` equals ``count``.
  ///   - run: seed, threads and cancellation.
  /// - Returns: for each query at most `k` neighbours, nearest first, ties by smaller id. Distances
  ///   by the cosine are cut to `0 ... 2`; a distance that overflows is infinite, or is left out.
  /// - Throws: `.invalidArgument` for a negative `k`; `.dimensionMismatch` with both dimensions or
  ///   counts; `.badData` naming the query and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(*q* *n* *d*), parallel over blocks of rows.
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    let queries = try prepared(queries)
    try run.checkCancelled()
    guard k > 0, count > 0, queries.rowCount > 0 else {
      return Array(repeating: [], count: queries.rowCount)
    }
    let scan = FlatScan(
      index: self, queries: queries, k: min(k, count),
      allowed: allowed)
    try parallelFor(count, grain: scan.grain, in: run) { (_, range) throws(BasisError) in
      try scan.scan(range, in: run)
    }
    return scan.results()
  }

  /// Queries as they are measured.
  ///
  /// - Throws: `.dimensionMismatch`; `.badData`.
  func prepared(_ queries: Matrix) throws(BasisError) -> Matrix {
    try checkQueries(queries, dimension: dimension)
    return metric.measured(queries)
  }
}

extension Metric {
  /// Queries as they are measured: unit rows for `.cosine`, so that products with short ones do not
  /// vanish.
  func measured(_ queries: Matrix) -> Matrix {
    self == .cosine ? queries.withUnitRows() : queries
  }
}
