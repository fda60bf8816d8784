public import BasisCore
public import BasisSearch
public import BasisStorage
import Dispatch

/// What a collection's indexes lose against the exact answer.
public struct RecallReport: Sendable {
  /// For each query, the share of the exact answer that was found.
  public var recalls: [Double] = []
  public var k = 0
  /// Records that may be answered.
  public var recordCount = 0
  public var seconds = 0.0
  public var exactSeconds = 0.0
  /// How many segments each kind of index has.
  public var kinds: [IndexKind: Int] = [:]

  /// The mean over the queries; 1 where there is none.
  public var recall: Double {
    recalls.isEmpty ? 1 : recalls.reduce(0, +) / Double(recalls.count)
  }
}

extension VectorCollection {
  /// Measures the recall of dense search with the collection's own records, or texts, as queries.
  ///
  /// - Parameters:
  ///   - sampleCount: how many records are asked for their neighbours; each is no answer to itself.
  ///   - texts: what to ask instead; nil for records.
  ///   - k: neighbours wanted, at least 1.
  ///   - filter: only records that it lets through may be answered.
  ///   - effort: how hard to look.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.notFound` for a collection without vectors; `.invalidArgument`; what searching
  ///   throws.
  public func measureRecall(
    sampleCount: Int = 200, texts: [String]? = nil, k: Int = 10, filter: Filter? = nil,
    effort: Effort = SearchRequest(.text("")).effort, in run: RunContext
  ) throws(BasisError) -> RecallReport {
    guard k >= 1 else { throw BasisError(.invalidArgument, "k must be at least 1, not \(k)") }
    let view = try currentView()
    guard let dense = try view.dense(in: run) else {
      throw BasisError(
        .notFound, "collection '\(store.folder.name)' has no vectors; ingest some records first")
    }
    let matches = try filter.map { filter throws(BasisError) in
      try view.snapshot.matches(filter)
    }
    let allowed = view.allowed(matches)
    var own: [Int?] = []
    let queries: Matrix
    if let texts {
      guard let encoder = dense.encoder else {
        throw BasisError(
          .invalidArgument,
          "the vectors of \(dense.space.id) came ready-made, so no text can be asked")
      }
      queries = try encoder.encode(texts, as: .query, in: run)
      own = Array(repeating: nil, count: texts.count)
    } else {
      let records = try view.snapshot.sample(sampleCount, in: run)
      own = records.map { Int($0.sequence) }
      queries = try VectorReader(view, dense).vectors(of: records.map(\.sequence))
    }

    var report = RecallReport(k: k, recordCount: allowed.count)
    for query in 0..<queries.rowCount {
      try run.checkCancelled()
      run.report("asking", query, of: queries.rowCount, unit: "queries")
      let vector = queries.selecting(rows: [query])
      func ask(_ effort: Effort) throws(BasisError) -> (neighbors: [Neighbor], seconds: Double) {
        let start = DispatchTime.now().uptimeNanoseconds
        let depth = own[query] == nil ? k : k + 1
        let ranking = try view.denseRanking(
          vector, of: dense, k: depth, allowed: allowed, effort: effort, in: run)
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        report.kinds = ranking.kinds
        return (Array(ranking.neighbors.filter { $0.id != own[query] }.prefix(k)), seconds)
      }
      let exact = try ask(.exact)
      let found = try ask(effort)
      report.exactSeconds += exact.seconds
      report.seconds += found.seconds
      report.recalls.append(NeighborRecall.share(of: exact.neighbors, in: found.neighbors))
    }
    return report
  }
}
