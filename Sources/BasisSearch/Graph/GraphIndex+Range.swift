public import BasisCore

extension GraphIndex {
  /// All rows within a distance of each query, as far as the effort finds them.
  ///
  /// A walk is repeated with twice the beam until no more than half of what it found is within the
  /// distance.
  ///
  /// - Parameters:
  ///   - distance: in the metric's unit; rows at exactly this distance are included.
  ///   - queries: a query a row, finite, of the index's dimension.
  ///   - allowed: the rows that may be answered, or nil for all.
  ///   - effort: as for ``search(_:k:allowing:effort:in:)``, for the first walk.
  ///   - run: seed, threads and cancellation.
  /// - Returns: for each query its neighbours, nearest first, ties by smaller id.
  /// - Throws: as ``search(_:k:allowing:effort:in:)``; `.invalidArgument` for a distance that is NaN.
  public func search(
    _ queries: Matrix, within distance: Float, allowing allowed: Bitmap? = nil,
    effort: Effort = .recall(0.95), in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    guard !distance.isNaN else {
      throw BasisError(.invalidArgument, "a distance to search within cannot be NaN")
    }
    var results = [[Neighbor]](repeating: [], count: queries.rowCount)
    var open = Array(0..<queries.rowCount)
    var k = 32
    let population = allowed?.population ?? count
    repeat {
      let batch = open.count == queries.rowCount ? queries : queries.selecting(rows: open)
      let found = try search(batch, k: k, allowing: allowed, effort: effort, in: run)
      var rest: [Int] = []
      for (query, neighbors) in zip(open, found) {
        let inside = neighbors.prefix { $0.distance <= distance }
        results[query] = Array(inside)
        if 2 * inside.count > k && k < population { rest.append(query) }
      }
      open = rest
      k = min(2 * k, max(1, count))
    } while !open.isEmpty
    return results
  }
}
