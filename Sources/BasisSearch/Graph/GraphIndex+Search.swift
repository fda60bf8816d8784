public import BasisCore
import BasisFormats
import CBasisKernels

extension GraphIndex: ApproximateIndex {
  /// The nearest rows to each query, as far as the effort finds them.
  ///
  /// With a filter, a walk through all rows is made wide enough that it finds enough of those that
  /// are allowed. Where too few are for that, or it finds too few, groups of rows around means are
  /// looked through instead, nearest first, until none that is left is likely to hold a nearer row;
  /// and where some thousand rows are allowed or fewer, all of those are compared.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite, of the index's dimension.
  ///   - k: at least 0; more than ``count`` gives all rows.
  ///   - allowed: the rows that may be answered, or nil for all; also how rows are deleted.
  ///   - effort: the recall wanted, as measured at building; or the width of the beam, at least 1,
  ///     of which `k` are used at least and with which as many rows as the index has gives the
  ///     exact answer; or a scan of all rows.
  ///   - run: seed, threads and cancellation.
  /// - Returns: for each query at most `k` neighbours, nearest first, ties by smaller id. Distances
  ///   are those of ``FlatIndex``, bit for bit.
  /// - Throws: as ``FlatIndex/search(_:k:allowing:in:)``; `.invalidArgument` for a recall outside
  ///   `0 ... 1` or fewer than one candidate.
  /// - Complexity: about `width` · `maximumDegree` / 3 comparisons a query; parallel over queries.
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap? = nil, effort: Effort,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    let width = try width(for: effort, k: k)
    let asked = queries
    let queries = try prepared(asked)
    try run.checkCancelled()
    guard k > 0, count > 0, queries.rowCount > 0 else {
      return Array(repeating: [], count: queries.rowCount)
    }
    let k = min(k, count)
    // Rows left out make a beam of all the others no cheaper than a scan.
    guard let width, dimension > 0, allowed == nil || width < count else {
      return try flat.get().search(asked, k: k, allowing: allowed, in: run)
    }
    let search = try GraphSearch(
      self, k: k, width: min(count, max(width, k)), recall: recall(for: effort, k: k),
      filter: allowed, queryCount: queries.rowCount)
    let found = try parallelMap(queries.rowCount, grain: 32, in: run) {
      (_, range) throws(BasisError) -> [[Neighbor]] in
      try scratches.with(count: count, width: codes.width) { (scratch) throws(BasisError) in
        try search.answer(range, of: queries, scratch, in: run)
      }
    }
    try rowBlock?.check()
    try codes.bytes.check()
    try signs?.check()
    return found.count == 1 ? found[0] : Array(found.joined())
  }

  /// How many codes a search compares for all queries together, for tests of what searches cost;
  /// nil where it scans all floats.
  package func comparisonCount(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap? = nil, effort: Effort
  ) throws(BasisError) -> Int? {
    guard let width = try width(for: effort, k: k) else { return nil }
    let search = try GraphSearch(
      self, k: k, width: min(count, max(width, k)), recall: recall(for: effort, k: k),
      filter: allowed, queryCount: queries.rowCount)
    let prepared = try prepared(queries)
    let scratch = GraphScratch(count: count, width: codes.width)
    _ = try search.answer(0..<queries.rowCount, of: prepared, scratch, in: RunContext())
    return scratch.comparisonCount
  }

  /// The beam that an effort means, or nil for an exact scan.
  func width(for effort: Effort, k: Int) throws(BasisError) -> Int? {
    try effort.check("candidate")
    switch effort {
    case .exact: return nil
    case .candidates(let candidates):
      return candidates
    case .recall(let target):
      return calibration?.width(for: target, k: k)
    }
  }

  /// The recall that an effort means, or nil where that is not known.
  private func recall(for effort: Effort, k: Int) -> Double? {
    switch effort {
    case .exact: return nil
    case .candidates(let width): return calibration?.recall(of: max(width, k), k: k)
    case .recall(let target): return target
    }
  }

  /// Queries as ``FlatIndex`` measures them.
  func prepared(_ queries: Matrix) throws(BasisError) -> Matrix {
    try checkQueries(queries, dimension: dimension)
    return metric.measured(queries)
  }
}
