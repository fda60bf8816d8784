public import BasisCore

/// Rows of one kind that can be asked for the nearest ones to a query.
///
/// All answers hold at most `k` neighbours, nearest first, ties by smaller id, never padded; they
/// depend on neither the number of threads nor which other queries are in the batch.
public protocol SearchIndex: Sendable {
  /// A batch of queries: a `Matrix` with a row each, or an array.
  associatedtype Queries

  /// How many rows there are; ids are `0 ..< count`.
  var count: Int { get }

  /// The nearest rows to each query.
  ///
  /// - Parameters:
  ///   - k: at least 0.
  ///   - queries: what is looked for, one a row.
  ///   - allowed: the rows that may be answered, or nil for all; `allowed.count` equals ``count``.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for a negative `k`; `.dimensionMismatch` if a query or the bitmap
  ///   does not fit; `.badData` for a query that is not finite; `.cancelled`.
  func search(_ queries: Queries, k: Int, allowing allowed: Bitmap?, in run: RunContext)
    throws(BasisError) -> [[Neighbor]]
}

extension SearchIndex {
  /// Checks what is common to all indexes.
  func checkSearch(k: Int, allowing allowed: Bitmap?) throws(BasisError) {
    guard k >= 0 else { throw BasisError(.invalidArgument, "k must be at least 0, got \(k)") }
    guard let allowed, allowed.count != count else { return }
    throw BasisError(
      .dimensionMismatch,
      "the filter is for \(allowed.count) rows, the index has \(count)")
  }

  /// The share of the rows that may be answered.
  func share(of allowed: Bitmap?) -> Double {
    allowed.map { Double($0.population) / Double(max(1, count)) } ?? 1
  }

  /// Checks the old rows and new ones that an index is to be made of.
  func checkAppended(_ all: Matrix, dimension: Int) throws(BasisError) {
    guard all.rowCount < count || all.columnCount != dimension else { return }
    throw BasisError(
      .dimensionMismatch,
      "an index of \(count) × \(dimension) cannot become one of \(all.rowCount) × "
        + "\(all.columnCount); give the old rows and then the new ones")
  }

  /// Checks queries for an index over rows of so many values.
  ///
  /// - Throws: `.dimensionMismatch`; `.badData` naming the query and column of a value that is not
  ///   finite.
  func checkQueries(_ queries: Matrix, dimension: Int) throws(BasisError) {
    guard queries.columnCount == dimension || queries.rowCount == 0 else {
      throw BasisError(
        .dimensionMismatch,
        "the queries are \(queries.rowCount) × \(queries.columnCount), the index is "
          + "\(count) × \(dimension); encode both with the same model")
    }
    try queries.requireFinite("the queries")
  }
}

extension Matrix {
  /// Checks the rows that an index in a file is opened over.
  func requireShape(_ rowCount: Int, _ columnCount: Int, of index: String) throws(BasisError) {
    guard self.rowCount == rowCount, self.columnCount == columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the rows are \(self.rowCount) × \(self.columnCount), the \(index) in the file is for "
          + "\(rowCount) × \(columnCount)")
    }
  }
}
