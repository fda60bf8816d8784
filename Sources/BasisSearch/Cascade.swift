public import BasisCore

/// A cheap index first, and then dearer judges of what is left: each stage scores the best of the
/// stage before it anew, and passes its own best on.
///
/// What the first stage does not find within the depth of the second is lost; with every depth at
/// least ``count``, answers are those of the last stage alone. Telling how deep is deep enough takes
/// a measurement of recall. Immutable, and safe to use from any number of threads.
///
/// After Matveeva et al., *High accuracy retrieval with multiple nested ranker*, SIGIR 2006, with
/// rerankers that are given and not learnt.
public struct Cascade<First: SearchIndex>: Sendable {
  /// A judge, and how many of the candidates before it gets to see.
  public struct Stage: Sendable {
    public var reranker: any Reranker<First.Queries>
    public var depth: Int

    /// - Parameters:
    ///   - reranker: of the same rows as the first index.
    ///   - depth: at least 1; a search for more neighbours than that looks as deep as those.
    public init(_ reranker: any Reranker<First.Queries>, depth: Int) {
      self.reranker = reranker
      self.depth = depth
    }
  }

  public let first: First
  public let stages: [Stage]

  /// - Parameters:
  ///   - first: finds the candidates.
  ///   - stages: in the order of their use; none leaves the answers of `first` as they are.
  /// - Throws: `.invalidArgument` for a depth below 1; `.dimensionMismatch` if a reranker has
  ///   another number of rows than `first`.
  public init(_ first: First, stages: [Stage]) throws(BasisError) {
    for (number, stage) in stages.enumerated() {
      guard stage.depth >= 1 else {
        throw BasisError(
          .invalidArgument, "stage \(number) has the depth \(stage.depth), which must be at least 1"
        )
      }
      guard stage.reranker.count == first.count else {
        throw BasisError(
          .dimensionMismatch,
          "stage \(number) knows \(stage.reranker.count) rows, the first index \(first.count)")
      }
    }
    self.first = first
    self.stages = stages
  }
}

extension Cascade: SearchIndex {
  public typealias Queries = First.Queries

  public var count: Int { first.count }

  /// The nearest rows by the last stage's distances, among what the stages before it let through.
  ///
  /// - Parameters:
  ///   - queries: what is looked for, one a row.
  ///   - k: at least 0; more than a stage's depth takes the depth along.
  ///   - allowed: the rows that may be answered, or nil for all; `allowed.count` equals ``count``.
  ///   - run: seed, threads and cancellation.
  /// - Throws: what the first index and the rerankers throw.
  /// - Complexity: that of the first index, and of each stage for its depth.
  public func search(
    _ queries: Queries, k: Int, allowing allowed: Bitmap? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    var found = try first.search(
      queries, k: k == 0 ? 0 : max(k, stages.first?.depth ?? k), allowing: allowed, in: run)
    for stage in stages {
      try run.checkCancelled()
      let candidates = found.map { $0.prefix(max(k, stage.depth)).map(\.id) }
      found = try rerank(stage.reranker, queries, candidates, in: run)
    }
    return found.map { Array($0.prefix(k)) }
  }

  // Opens the existential.
  private func rerank<R: Reranker<Queries>>(
    _ reranker: R, _ queries: Queries, _ candidates: [[Int]], in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    try reranker.rerank(queries, candidates: candidates, in: run)
  }
}
