import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

@Suite struct VectorCollectionTests {
  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  /// JSON lines with a text, its topic and its row.
  func lines(_ data: TopicTexts) -> String {
    data.texts.enumerated().map { row, text in
      JSONValue.object([
        "id": .string("k\(row)"), "body": .string(text),
        "topic": .integer(Int64(data.topics[row])), "row": .integer(Int64(row)),
      ]).text
    }.joined(separator: "\n")
  }

  @discardableResult
  func ingest(_ text: String, name: String = "docs.jsonl", _ options: IngestOptions = .init())
    throws -> IngestReport
  {
    try VectorCollection.ingest(
      files: [folder.write(name, text)], into: place, options: options, in: RunContext())
  }

  func search(_ text: String, _ change: (inout SearchRequest) -> Void = { _ in }) throws
    -> SearchResult
  {
    var request = SearchRequest(.text(text))
    change(&request)
    return try VectorCollection(place, for: .read).search(request, in: RunContext())
  }

  @Test(arguments: [60, 1500])
  func `what is planted is found in every mode, sealed or pending`(count: Int) throws {
    let data = TopicTexts(count: count)
    let report = try ingest(lines(data))
    #expect(report.summary.inserted == count)
    #expect(report.keyField == "id" && report.textFields == ["body"])
    #expect(report.pendingCount == (count < 1024 ? count : 0))
    for mode in SearchMode.allCases {
      // A word that only one text has, among words of its topic.
      let hits = try search(data.texts[17]) { $0.mode = mode }.hits
      #expect(hits.first?.key == "k17", "\(mode)")
      #expect(hits.count == 10)
      let topics = try hits.map { try JSONValue(parsing: $0.payload)["topic"] }
      // Of 60 texts, seven or eight are of the topic.
      #expect(topics.filter { $0 == .integer(17 % 8) }.count >= 7, "\(mode)")
      #expect(zip(hits, hits.dropFirst()).allSatisfy { $0.score >= $1.score })
    }
  }

  @Test func `a second ingest of the same file changes nothing`() throws {
    let text = lines(TopicTexts(count: 1200))
    try ingest(text)
    let before = try search("topicaaq topicabq").hits.map(\.key)
    let report = try ingest(text)
    #expect(report.summary.unchanged == 1200 && report.summary.total == 1200)
    #expect(try search("topicaaq topicabq").hits.map(\.key) == before)
  }

  @Test func `replaced and deleted records are not found again`() throws {
    let data = TopicTexts(count: 1200)
    try ingest(lines(data))
    try ingest(#"{"id":"k5","body":"something else entirely","topic":99,"row":5}"#)
    do {
      let collection = try VectorCollection(place, for: .write)
      #expect(try collection.store.delete(keys: ["k6"]) == 1)
      #expect(try collection.delete(matching: Filter("row >= 10 and row < 20")) == 10)
    }
    for mode in SearchMode.allCases {
      let five = try search(data.texts[5]) { $0.mode = mode }.hits
      #expect(!five.contains { $0.key == "k5" }, "\(mode)")
      let keys = try search(data.texts[6]) {
        $0.mode = mode; $0.k = 2000
      }.hits.map(\.key)
      #expect(Set(keys).isDisjoint(with: ["k6", "k10", "k15", "k19"]), "\(mode)")
      #expect(Set(keys).count == keys.count)
    }
    #expect(try search("something else entirely").hits.first?.key == "k5")
    let check = try CollectionStore(place, for: .read).verify(in: RunContext())
    #expect(check.isSound && check.recordCount == 1189)
  }

  @Test func `a filter comes before the ranking, so k are found where k match`() throws {
    let data = TopicTexts(count: 1300)
    try ingest(lines(data))
    for mode in SearchMode.allCases {
      // Texts of topic 0 are asked for among those of topic 3: the worst case for a later filter.
      let hits = try search(data.texts[0]) {
        $0.mode = mode
        $0.filter = try? Filter("topic = 3 and row < 400")
      }.hits
      #expect(hits.count == (mode == .lexical ? min(10, hits.count) : 10), "\(mode)")
      for hit in hits {
        let payload = try JSONValue(parsing: hit.payload)
        #expect(payload["topic"] == .integer(3))
        #expect((payload["row"]?.doubleValue ?? 1e9) < 400)
      }
    }
  }

  @Test func `filters select what the payload says`() throws {
    try ingest(
      """
      {"id":"a","text":"x","size":3,"tags":["red","blue"],"name":"Ann","on":true,"deep":{"er":1}}
      {"id":"b","text":"x","size":10,"tags":["red"],"name":"bob","on":false}
      {"id":"c","text":"x","size":"10","tags":[],"name":null}
      {"id":"d","text":"x","na me":"O'Neil \\"x\\"","size":2.5}
      """)
    let expected: [(String, String)] = [
      ("size = 10", "b"), ("size > 2.5", "ab"), ("size >= 2.5", "abd"), ("size != 3", "bd"),
      ("not size = 3", "bcd"), ("size in (3, 2.5)", "ad"), ("size not in (3)", "bcd"),
      ("size = '10'", "c"), ("name is null", "cd"), ("name is not null", "ab"),
      ("name starts with 'A'", "a"), ("tags contains 'red'", "ab"), ("tags contains 'blue'", "a"),
      ("on = true", "a"), ("on = false", "b"), ("deep.er = 1", "a"), ("deep is not null", "a"),
      ("key = 'd'", "d"), ("key in ('a', 'd')", "ad"), ("`na me` = \"O'Neil \\\"x\\\"\"", "d"),
      ("size = 3 or size = 10 and on = false", "ab"),
      ("(size = 3 or size = 10) and on = true", "a"),
      ("name < 'b'", "a"), ("absent = 1", ""), ("not (absent = 1)", "abcd"),
      ("key starts with 'a' or key = 'b'", "ab"), ("size <> 3", "bd"), ("size == 3", "a"),
    ]
    let snapshot = try CollectionStore(place, for: .read).snapshot()
    for (source, keys) in expected {
      let sequences = try snapshot.sequences(matching: Filter(source))
      let found = try snapshot.records(sequences).values.map(\.key).sorted().joined()
      #expect(found == keys, "\(source)")
    }
  }

  @Test func `one hit a group, as many groups as asked for`() throws {
    let data = TopicTexts(count: 1100)
    try ingest(lines(data))
    for mode in SearchMode.allCases {
      let hits = try search("common\(letters(3))q " + data.texts[0]) {
        $0.mode = mode
        $0.groupField = "topic"
        $0.k = 5
      }.hits
      let topics = try hits.map { try JSONValue(parsing: $0.payload)["topic"] }
      #expect(Set(topics).count == 5 && topics.count == 5, "\(mode)")
    }
  }

  @Test func `what is like a record is asked for by its key`() throws {
    let data = TopicTexts(count: 1100)
    try ingest(lines(data))
    let collection = try VectorCollection(place, for: .read)
    for mode in SearchMode.allCases {
      var request = SearchRequest(.key("k40"))
      request.mode = mode
      let hits = try collection.search(request, in: RunContext()).hits
      #expect(hits.count == 10 && !hits.contains { $0.key == "k40" }, "\(mode)")
    }
    let error = #expect(throws: BasisError.self) {
      try collection.search(SearchRequest(.key("none")), in: RunContext())
    }
    #expect(error?.message == "collection 'demo' has no record with the key 'none'")
  }

  @Test func `answers do not depend on segments or threads`() throws {
    let data = TopicTexts(count: 2500)
    try ingest(lines(data))
    let whole = try search(data.texts[9]) {
      $0.mode = .lexical; $0.k = 50
    }.hits
    let parted = try CollectionFolder(name: "parted", in: folder.path)
    let store = try CollectionStore.create(
      parted, settings: CollectionSettings(textFields: ["body"], segmentRowLimit: 600))
    for (row, line) in lines(data).split(separator: "\n").enumerated() {
      try store.upsert([Record(key: "k\(row)", payload: String(line))])
      if row == 1300 { _ = try VectorCollection(store).seal(all: true, in: RunContext()) }
    }
    let collection = VectorCollection(store)
    #expect(try store.snapshot().parts.count >= 2)
    #expect(try store.snapshot().pending.count > 600)
    var request = SearchRequest(.text(data.texts[9]))
    request.mode = .lexical
    request.k = 50
    let hits = try collection.search(request, in: RunContext(threadLimit: 1)).hits
    #expect(hits.map(\.key) == whole.map(\.key))
    for (a, b) in zip(hits, whole) { #expect(abs(a.score - b.score) <= 1e-5 * b.score) }
    request.mode = .hybrid
    let one = try collection.search(request, in: RunContext(threadLimit: 1)).hits
    let two = try collection.search(request, in: RunContext(threadLimit: 2)).hits
    #expect(one.map(\.key) == two.map(\.key) && one.map(\.score) == two.map(\.score))
  }

  @Test func `a query sees what was written before it`() throws {
    let collection = VectorCollection(
      try CollectionStore.create(place, settings: CollectionSettings()))
    #expect(try collection.search(SearchRequest(.text("apple")), in: RunContext()).hits.isEmpty)
    for (row, word) in ["apple", "pear", "apple pie"].enumerated() {
      try collection.store.upsert([Record(key: "\(row)", payload: #"{"text":"\#(word)"}"#)])
    }
    let hits = try collection.search(SearchRequest(.text("apple")), in: RunContext()).hits
    #expect(Set(hits.prefix(2).map(\.key)) == ["0", "2"])
    try collection.store.delete(keys: ["0"])
    #expect(
      try collection.search(SearchRequest(.text("apple")), in: RunContext()).hits.first?.key == "2")
  }

  @Test func `scores are explained term by term`() throws {
    try ingest(lines(TopicTexts(count: 1100)))
    let result = try search("rowbq topicbcq") {
      $0.mode = .lexical; $0.explains = true; $0.k = 1
    }
    let line = try #require(result.hits.first?.explanation.first)
    #expect(line.hasPrefix("terms: rowbq "))
    #expect(line.contains("(1×, in 1 records)"))
    #expect(result.plan.steps.count == 1)
  }

  // MARK: Input that cannot be used

  @Test(arguments: [
    (#"{"id":"a","text":"x"}"# + "\n{", "docs.jsonl:2"),
    (#"{"id":"a","text":"x"}"# + "\n" + #"{"text":"x"}"#, "docs.jsonl:2: no field 'id'"),
    (#"{"id":"a","text":"x"}"# + "\n" + #"{"id":"b","body":"x"}"#, "docs.jsonl:2: no field 'text'"),
    (#"{"text":"x"}"#, "docs.jsonl:1: no field looks like a key; name one with --key"),
    (
      #"{"id":"x","size":3}"#,
      "docs.jsonl:1: no field looks like text; name one or more with --text"
    ),
    ("", "there is no record to read"),
    ("\n\n", "there is no record to read"),
  ])
  func `bad records are named by file and line`(text: String, message: String) throws {
    let error = #expect(throws: BasisError.self) { try ingest(text) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test func `what was acknowledged before a bad record stays`() throws {
    var options = IngestOptions()
    options.batchCount = 10
    let text = lines(TopicTexts(count: 25)) + "\nnot json"
    #expect(throws: BasisError.self) { try ingest(text, options) }
    #expect(try VectorCollection(place, for: .read).info().recordCount == 20)
  }

  @Test func `a wrong file name makes no collection`() throws {
    let error = #expect(throws: BasisError.self) {
      try VectorCollection.ingest(
        files: [folder.path + "/absent.jsonl"], into: place, options: .init(), in: RunContext())
    }
    #expect(error?.code == .notFound)
    #expect(!place.exists)
  }

  @Test func `an encoder that is not there is named with those that are`() throws {
    var options = IngestOptions()
    options.encoder = "nomic"
    let error = #expect(throws: BasisError.self) {
      try ingest(lines(TopicTexts(count: 3)), options)
    }
    #expect(error?.message.hasPrefix("there is no encoder 'nomic'; there are corpus, ") == true)
    #expect(!place.exists)
  }

  // MARK: A model

  /// Random writes, seals, restarts and searches against a dictionary.
  @Test(arguments: 0..<4)
  func `behaves as a dictionary`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    var model: [String: Int] = [:]
    var store: CollectionStore? = try CollectionStore.create(
      place, settings: CollectionSettings(dimension: 8, segmentRowLimit: 50))
    for step in 0..<150 {
      if store == nil { store = try CollectionStore(place, for: .write) }
      let open = try #require(store)
      switch generator.nextInt(below: 12) {
      case 0..<6:
        let records = (0..<generator.nextInt(below: 20)).map { _ in
          let key = generator.nextInt(below: 120)
          let value = generator.nextInt(below: 40)
          model["k\(key)"] = value
          return Record(
            key: "k\(key)", payload: #"{"text":"value v\#(letters(value))zq","v":\#(value)}"#)
        }
        try open.upsert(records)
      case 6..<8:
        let key = "k\(generator.nextInt(below: 120))"
        #expect(try open.delete(keys: [key]) == (model.removeValue(forKey: key) == nil ? 0 : 1))
      case 8:
        _ = try VectorCollection(open).seal(all: false, in: RunContext())
      case 9:
        // Closed when the scope ends, opened by the next step.
        store = nil
      default:
        let value = generator.nextInt(below: 40)
        var request = SearchRequest(.text("v\(letters(value))zq"))
        request.mode = .lexical
        request.k = 500
        let hits = try VectorCollection(open).search(request, in: RunContext()).hits
        let expected = model.filter { $0.value == value }.keys.sorted()
        #expect(hits.map(\.key).sorted() == expected, "step \(step)")
      }
    }
    if store == nil { store = try CollectionStore(place, for: .read) }
    let snapshot = try #require(try store?.snapshot())
    #expect(snapshot.recordCount == model.count)
    for (key, value) in model {
      let payload = try JSONValue(parsing: snapshot.record(key: key)?.payload ?? "null")
      #expect(payload["v"] == .integer(Int64(value)))
    }
    #expect(try store?.verify(in: RunContext()).damage.map(\.message) == [])
  }
}
