import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

@Suite struct RelevanceTests {
  private let folder: TemporaryFolder
  private let texts = TopicTexts(count: 1200)

  init() throws { folder = try TemporaryFolder() }

  /// A judged collection whose queries are words of one document each.
  private func dataset() throws -> RetrievalDataset {
    let documents = texts.texts.enumerated().map { "d\($0)\t\($1)" }
    let queries = (0..<30).map { "q\($0)\t\(texts.texts[$0 * 37])" }
    let judgments = (0..<30).map { "q\($0) 0 d\($0 * 37) 1" } + ["q0 0 nowhere 1"]
    let path = folder.path + "/judged"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    _ = try folder.write("judged/docs.tsv", documents.joined(separator: "\n"))
    _ = try folder.write("judged/queries.tsv", queries.joined(separator: "\n"))
    _ = try folder.write("judged/qrels", judgments.joined(separator: "\n"))
    return try RetrievalDataset(path)
  }

  private func collection(_ name: String) throws -> VectorCollection {
    try VectorCollection.create(
      CollectionFolder(name: name, in: folder.path),
      settings: CollectionSettings(textFields: VectorCollection.datasetTextFields, dimension: 32))
  }

  @Test func `documents go in once, queries find theirs, at any number of threads`() throws {
    let dataset = try dataset()
    let collection = try collection("one")
    let report = try collection.ingest(dataset, in: RunContext())
    #expect(report.documentCount == 1200 && report.missing == ["nowhere"])
    #expect(try collection.info().recordCount == 1200)
    #expect(try collection.info().segmentCount == 1)
    // Again: nothing is new.
    #expect(try collection.ingest(dataset, in: RunContext()).documentCount == 0)

    for mode in SearchMode.allCases {
      let one = try collection.answer(
        dataset.queries, mode: mode, k: 20, in: RunContext(threadLimit: 1))
      let three = try collection.answer(
        dataset.queries, mode: mode, k: 20, in: RunContext(threadLimit: 3))
      #expect(one.run == three.run, "\(mode)")
      #expect(one.run.tag == "basis-\(mode)" && one.seconds > 0)
      #expect(one.run.hits.count == 30)
      for query in dataset.queries {
        let hits = one.run.ranking(of: query.id)
        #expect(hits.count == 20)
        var request = SearchRequest(.text(query.text))
        request.mode = mode
        request.k = 20
        let found = try collection.search(request, in: RunContext()).hits
        #expect(Set(found.map(\.key)) == Set(hits.map(\.document)), "\(mode), \(query.id)")
        if mode != .dense {
          #expect(dataset.judgments[query.id]?[hits[0].document] == 1, "\(mode), \(query.id)")
        }
      }
    }
  }

  @Test func `what cannot be asked is said, and a run can be cancelled`() throws {
    let collection = try collection("two")
    let query = RetrievalQuery(id: "a", text: "x")
    expectError(.invalidArgument, "k must be at least 1") {
      try collection.answer([query], mode: .lexical, k: 0, in: RunContext())
    }
    expectError(.invalidArgument, "two of the 2 queries have the same id") {
      try collection.answer([query, query], mode: .lexical, k: 1, in: RunContext())
    }
    #expect(
      try collection.answer([query], mode: .hybrid, k: 1, in: RunContext()).run.hits == ["a": []])
    #expect(try collection.answer([], mode: .lexical, k: 1, in: RunContext()).run.hits.isEmpty)
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    let dataset = try dataset()
    expectError(.cancelled) { try collection.ingest(dataset, in: cancelled) }
    #expect(try collection.info().recordCount == 0)
  }
}
