public import BasisCore
public import BasisFormats
import BasisStorage
import Dispatch

/// What reading a judged collection's documents brought.
public struct DatasetIngestReport: Sendable {
  /// Different documents written.
  public let documentCount: Int
  /// Documents that somebody judged and that no file has, in the order of their ids; no search can
  /// find them.
  public let missing: [String]
  public let seconds: Double
}

/// A collection's answers to a list of queries.
public struct RetrievalAnswers: Sendable {
  /// By query, `k` hits at most; the documents are the records' keys.
  public let run: RetrievalRun
  /// For all queries together, without what only the first one costs.
  public let seconds: Double
}

extension VectorCollection {
  /// The fields of a judged collection's documents, for the settings of a collection to be filled
  /// by ``ingest(_:in:)``.
  public static let datasetTextFields = ["title", "text"]

  /// Writes the documents of a judged collection and seals them. A document's id becomes its key.
  ///
  /// - Parameters:
  ///   - dataset: read from its files, document by document.
  ///   - run: threads, cancellation and progress.
  /// - Throws: `.badData` naming file and line for a document that cannot be read; what the store
  ///   throws.
  /// - Complexity: memory of one batch, one segment and the ids that were judged.
  public func ingest(_ dataset: RetrievalDataset, in run: RunContext) throws(BasisError)
    -> DatasetIngestReport
  {
    let start = DispatchTime.now().uptimeNanoseconds
    var missing = Set(dataset.judgments.values.joined().map(\.key))
    var reader = try dataset.makeDocumentReader()
    var batch: [Record] = []
    var summary = WriteSummary()

    func write() throws(BasisError) {
      try run.checkCancelled()
      summary += try store.upsert(batch)
      batch.removeAll(keepingCapacity: true)
      run.report("reading documents", summary.total, unit: "documents")
      _ = try seal(all: false, in: run)
    }

    while let record = try reader.next() {
      guard let key = record.fields["id"]?.stringValue else { continue }
      missing.remove(key)
      batch.append(Record(key: key, payload: record.json))
      if batch.count == 1000 { try write() }
    }
    try write()
    _ = try seal(all: true, in: run)
    return DatasetIngestReport(
      documentCount: summary.inserted, missing: missing.sorted(),
      seconds: Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
  }

  /// Asks a list of queries, several at a time, each as ``search(_:in:)`` would alone.
  ///
  /// The first query is asked once more before the clock starts, so that opening files and models is
  /// no part of the time.
  ///
  /// - Parameters:
  ///   - queries: with different ids.
  ///   - mode: how to search.
  ///   - k: hits a query, at least 1.
  ///   - run: threads, cancellation and progress. Answers do not depend on the threads.
  /// - Returns: a run tagged `basis-` and the mode; a query that finds nothing has no hits.
  /// - Throws: `.invalidArgument` for an id that is there twice or a `k` below 1; what
  ///   ``search(_:in:)`` throws; `.cancelled`.
  public func answer(
    _ queries: [RetrievalQuery], mode: SearchMode, k: Int, in run: RunContext
  ) throws(BasisError) -> RetrievalAnswers {
    guard k >= 1 else { throw BasisError(.invalidArgument, "k must be at least 1, not \(k)") }
    guard Set(queries.map(\.id)).count == queries.count else {
      throw BasisError(.invalidArgument, "two of the \(queries.count) queries have the same id")
    }
    // Threads go to different queries, which share nothing, rather than into each of them.
    let single = RunContext(seed: run.seed, threadLimit: 1, cancellation: run.cancellation)
    @Sendable func ask(_ query: RetrievalQuery, in run: RunContext) throws(BasisError)
      -> [RetrievalRun.Hit]
    {
      var request = SearchRequest(.text(query.text))
      request.mode = mode
      request.k = k
      return try search(request, in: run).hits.map { .init(document: $0.key, score: $0.score) }
    }
    if let first = queries.first { _ = try ask(first, in: run) }

    let start = DispatchTime.now().uptimeNanoseconds
    let grain = 4
    let answers = try parallelMap(queries.count, grain: grain, in: run) {
      (chunk, range) throws(BasisError) in
      run.report("searching", chunk * grain, of: queries.count, unit: "queries")
      return try queries[range].map { (query) throws(BasisError) in try ask(query, in: single) }
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    let hits = Dictionary(uniqueKeysWithValues: zip(queries.map(\.id), answers.joined()))
    return RetrievalAnswers(
      run: RetrievalRun(tag: "basis-\(mode.rawValue)", hits: hits), seconds: seconds)
  }
}
