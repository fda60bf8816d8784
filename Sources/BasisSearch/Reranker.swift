public import BasisCore

/// Scores anew what another index has found: dearer by the row than that index, and better.
///
/// A row's distance must depend on nothing but the query and the row, so that the order of the
/// candidates, the batch and the number of threads change no answer.
public protocol Reranker<Queries>: Sendable {
  /// A batch of queries, as ``SearchIndex`` takes them.
  associatedtype Queries

  /// How many rows there are; ids are `0 ..< count`.
  var count: Int { get }

  /// The distances of candidates.
  ///
  /// - Parameters:
  ///   - queries: what is looked for.
  ///   - candidates: for each query the ids to score, each once, in any order.
  ///   - run: seed, threads and cancellation.
  /// - Returns: for each query its candidates, nearest first, ties by smaller id; those whose
  ///   distance is NaN are left out.
  /// - Throws: `.dimensionMismatch` if queries and candidates do not go together;
  ///   `.invalidArgument` for an id outside `0 ..< count`; `.badData` for a query that is not
  ///   finite; `.cancelled`.
  func rerank(_ queries: Queries, candidates: [[Int]], in run: RunContext) throws(BasisError)
    -> [[Neighbor]]
}

extension FlatIndex: Reranker {
  /// The exact distances of candidates, the bits that ``search(_:k:allowing:in:)`` gives them.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite, of the index's dimension.
  ///   - candidates: for each query the ids to score, each once, in any order.
  ///   - run: seed, threads and cancellation.
  /// - Returns: for each query its candidates, nearest first, ties by smaller id.
  /// - Throws: `.dimensionMismatch`; `.invalidArgument` for an id that is no row; `.badData` naming
  ///   the query and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(*c* (*d* + log *c*)) for *c* candidates.
  public func rerank(
    _ queries: Matrix, candidates: [[Int]], in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    guard candidates.count == queries.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(queries.rowCount) queries and candidates for \(candidates.count)")
    }
    for id in candidates.joined() where id < 0 || id >= count {
      throw BasisError(.invalidArgument, "the candidate \(id) is not one of the \(count) rows")
    }
    let queries = try prepared(queries)
    return try parallelMap(queries.rowCount, grain: 1, in: run) { (query, _) throws(BasisError) in
      let ids = candidates[query].map { UInt32(truncatingIfNeeded: $0) }
      var best = TopK(k: ids.count)
      for neighbor in distances(of: ids, to: queries, query) { best.offer(neighbor) }
      return best.sorted()
    }
  }

  private func distances(of ids: [UInt32], to queries: Matrix, _ query: Int) -> [Neighbor] {
    guard dimension > 0 else {
      return ids.map { Neighbor(id: Int($0), distance: metric == .cosine ? 1 : 0) }
    }
    let scorer = queries.withRow(query) { QueryScorer($0, metric: metric) }
    let distances = [Float](unsafeUninitializedCapacity: ids.count) { buffer, written in
      rows.withUnsafeFloats { floats in
        inverseNorms.withUnsafeBufferPointer { inverseNorms in
          ids.withUnsafeBufferPointer { ids in
            guard let start = floats.baseAddress, let out = buffer.baseAddress else { return }
            scorer.distances(
              to: start, ids: ids, stride: dimension, inverseNorms: inverseNorms.baseAddress,
              into: out)
            written = ids.count
          }
        }
      }
    }
    return zip(ids, distances).map { Neighbor(id: Int($0), distance: $1) }
  }
}
