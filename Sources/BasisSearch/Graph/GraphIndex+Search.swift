public import BasisCore
import BasisFormats
import CBasisKernels

extension GraphIndex: ApproximateIndex {
  /// The nearest rows to each query, as far as the effort finds them.
  ///
  /// With a filter, a walk keeps only rows that are allowed and passes through the others; where
  /// few rows are allowed, or the walk finds too few, all allowed rows are compared instead.
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
      return try exactIndex().search(asked, k: k, allowing: allowed, in: run)
    }
    let search = GraphSearch(
      self, k: k, width: min(count, max(width, k)), filter: allowed)
    let found = try parallelMap(queries.rowCount, grain: 32, in: run) {
      (_, range) throws(BasisError) -> [[Neighbor]] in
      try scratches.with(count: count, width: codes.width) { (scratch) throws(BasisError) in
        var results: [[Neighbor]] = []
        results.reserveCapacity(range.count)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: GraphScratch.group) {
          try run.checkCancelled()
          let group = start..<min(start + GraphScratch.group, range.upperBound)
          try search.run(group, of: queries, scratch, into: &results)
        }
        return results
      }
    }
    try rowBlock?.check()
    try codes.bytes.check()
    return found.count == 1 ? found[0] : Array(found.joined())
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

  /// Queries as ``FlatIndex`` measures them.
  func prepared(_ queries: Matrix) throws(BasisError) -> Matrix {
    try checkQueries(queries, dimension: dimension)
    return metric.measured(queries)
  }
}

/// The rows that may be answered, and some of them to start from.
struct GraphFilter: Sendable {
  let allowed: Bitmap
  let population: Int
  /// All of them where they are at most `listed`.
  let rows: [UInt32]?
  /// Evenly spread over the allowed rows.
  let sample: [UInt32]

  init(_ allowed: Bitmap, listed: Int) {
    self.allowed = allowed
    let population = allowed.population
    let step = max(1, population / 32)
    let isListed = population <= listed
    var rows: [UInt32] = []
    var sample: [UInt32] = []
    var position = 0
    allowed.forEach { row in
      let row = UInt32(truncatingIfNeeded: row)
      if position % step == 0 { sample.append(row) }
      if isListed { rows.append(row) }
      position += 1
    }
    self.population = population
    self.rows = isListed ? rows : nil
    self.sample = sample
  }

  /// Calls `body` with the rows, rising, some at a time.
  func forEachBlock(_ body: (UnsafeBufferPointer<UInt32>) -> Void) {
    if let rows {
      rows.withUnsafeBufferPointer { rows in
        for start in stride(from: 0, to: rows.count, by: Self.block) {
          body(UnsafeBufferPointer(rebasing: rows[start..<min(start + Self.block, rows.count)]))
        }
      }
      return
    }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.block) { buffer in
      var count = 0
      allowed.forEach { row in
        buffer[count] = UInt32(truncatingIfNeeded: row)
        count += 1
        if count == Self.block {
          body(UnsafeBufferPointer(buffer))
          count = 0
        }
      }
      body(UnsafeBufferPointer(rebasing: buffer[..<count]))
    }
  }

  static let block = 512
}
