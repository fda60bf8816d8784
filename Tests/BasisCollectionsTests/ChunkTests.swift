import BasisCollections
import BasisCore
import BasisStorage
import BasisText
import Testing
import _BasisTestSupport

@Suite struct ChunkTests {
  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  /// Texts of 1,000 words about a topic each, and a sentence in one of them.
  @discardableResult
  func ingest(count: Int, planted: Int, change: String = "") throws -> IngestReport {
    let data = TopicTexts(count: count, wordCount: 1000)
    let lines = data.texts.enumerated().map { row, text in
      var words = text.split(separator: " ")
      if row == planted { words.insert(contentsOf: ["zebraq", "quaggaq", "okapiq"], at: 900) }
      return #"{"id":"k\#(row)","text":"\#(words.joined(separator: " "))\#(change)","row":\#(row)}"#
    }
    var options = IngestOptions()
    options.chunker = TextChunker(limit: 100, overlap: 10)
    options.dimension = 64
    return try VectorCollection.ingest(
      files: [folder.write("docs.jsonl", lines.joined(separator: "\n"))], into: place,
      options: options, in: RunContext())
  }

  @Test(arguments: [30, 120]) func `a sentence deep in a text is found, once`(count: Int) throws {
    try ingest(count: count, planted: 17)
    let collection = try VectorCollection(place, for: .read)
    #expect(try collection.info().recordCount == count)
    for mode in SearchMode.allCases {
      var request = SearchRequest(.text("zebraq quaggaq okapiq"))
      request.mode = mode
      let hits = try collection.search(request, in: RunContext()).hits
      #expect(hits.first?.key == "k17", "\(mode)")
      #expect(hits.first?.text.contains("zebraq quaggaq okapiq") == true)
      #expect(hits.first?.payload.hasPrefix(#"{"id":"k17","#) == true)
      #expect(Set(hits.map(\.key)).count == hits.count)
      if mode != .lexical { #expect(hits.count == 10) }
      request.filter = try Filter("row != 17")
      #expect(try collection.search(request, in: RunContext()).hits.allSatisfy { $0.key != "k17" })
    }
    var like = SearchRequest(.key("k17"))
    like.mode = .dense
    #expect(try collection.search(like, in: RunContext()).hits.allSatisfy { $0.key != "k17" })
  }

  @Test func `a record comes and goes with all its parts`() throws {
    try ingest(count: 30, planted: 3)
    #expect(try ingest(count: 30, planted: 3).summary.unchanged == 30)
    #expect(try ingest(count: 30, planted: 4, change: " end").summary.replaced == 30)
    var request = SearchRequest(.text("zebraq"))
    request.mode = .lexical
    do {
      let collection = try VectorCollection(place, for: .write)
      #expect(try collection.search(request, in: RunContext()).hits.map(\.key) == ["k4"])
      #expect(try collection.delete(matching: Filter("row = 4")) == 1)
      #expect(try collection.search(request, in: RunContext()).hits.isEmpty)
    }
    let store = try CollectionStore(place, for: .read)
    #expect(try store.snapshot().recordCount == 29)
    #expect(try store.verify(in: RunContext()).damage.map(\.message) == [])
    var exported = 0
    try store.snapshot().forEachChunk { exported += $0.count }
    #expect(exported == 29)
  }
}
