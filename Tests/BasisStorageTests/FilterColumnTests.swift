import BasisCore
import BasisFormats
import BasisStorage
import BasisText
import Testing
import _BasisTestSupport

/// Filters answered from columns, against the same filters answered by SQLite.
@Suite struct FilterColumnTests {
  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  static let space = CollectionStoreTests.space

  private func seal(_ store: CollectionStore) throws {
    while try store.seal(
      spaces: [Self.space], in: RunContext(),
      encode: { _, records in CollectionStoreTests.encode(records.map(\.text)) }) > 0
    {}
  }

  private func check(_ source: String, _ snapshot: CollectionSnapshot) throws -> FilterMatches {
    let filter = try Filter(source)
    let matches = try snapshot.matches(filter)
    var found: [Int64] = []
    for (part, bitmap) in zip(snapshot.parts, matches.parts) {
      bitmap.forEach { found.append(part.segment.sequences[$0]) }
    }
    matches.pending.forEach { found.append(snapshot.pending[$0].sequence) }
    #expect(try found.sorted() == snapshot.sequences(matching: filter), "\(source)")
    #expect(matches.count == found.count)
    return matches
  }

  // MARK: Random records and filters

  static let numbers = [
    "0", "-0.0", "1", "2", "2.0", "2.5", "-3", "1e3", "1E-2", "1000", "9007199254740993",
    "9007199254740992.0", "9223372036854775807", "-9223372036854775808",
    "1e300", "0.1", "100.5", "7",
  ]
  static let texts = [
    "", "a", "ab", "abc", "b", "Z", "é", "e\u{301}", "éa", "😀", "😀b", "ß", "2024-01-05", "2024-02",
    "2023-12-31", "it's", "100%", "_", "2", "true", "日本", "日本語", "\\u00e9", "a\\u0000b",
    "\\ud83d\\ude00", "x\\\"y", "line\\nbreak",
  ]

  private func value(_ generator: inout RandomGenerator, depth: Int = 0) -> String {
    switch generator.nextInt(below: depth < 2 ? 10 : 8) {
    case 0: "null"
    case 1: "true"
    case 2: "false"
    case 3...4: Self.numbers[generator.nextInt(below: Self.numbers.count)]
    case 5...7: "\"" + Self.texts[generator.nextInt(below: Self.texts.count)] + "\""
    case 8:
      "["
        + (0..<generator.nextInt(below: 3)).map { _ in value(&generator, depth: depth + 1) }
        .joined(separator: ",") + "]"
    default: "{\"inner\":\(value(&generator, depth: depth + 1))}"
    }
  }

  /// Fields of one type, of all types, inside others, and with odd names.
  private func payload(_ generator: inout RandomGenerator) -> String {
    var members: [String] = []
    func add(_ name: String, share: Double = 0.8, _ value: () -> String) {
      if generator.nextDouble() < share { members.append("\"\(name)\":\(value())") }
    }
    add("text", share: 1) { "\"words\"" }
    add("size") { Self.numbers[generator.nextInt(below: Self.numbers.count)] }
    add("name") { "\"" + Self.texts[generator.nextInt(below: Self.texts.count)] + "\"" }
    add("ok") { generator.nextInt(below: 2) == 0 ? "true" : "false" }
    add("mixed") { value(&generator) }
    add("tags") {
      "["
        + (0..<generator.nextInt(below: 4)).map { _ in value(&generator, depth: 2) }
        .joined(separator: ",") + "]"
    }
    add("author", share: 0.6) {
      "{\"name\":\(value(&generator, depth: 2)),\"age\":\(generator.nextInt(below: 9))}"
    }
    add("a.b", share: 0.5) { value(&generator, depth: 2) }
    add("naïve", share: 0.5) { value(&generator, depth: 2) }
    add("rare", share: 0.01) { value(&generator, depth: 2) }
    add("key", share: 0.3) { value(&generator, depth: 2) }
    return "{" + members.joined(separator: ",") + "}"
  }

  private func literal(_ generator: inout RandomGenerator) -> String {
    switch generator.nextInt(below: 5) {
    case 0: return generator.nextInt(below: 2) == 0 ? "true" : "false"
    case 1...2: return Self.numbers[generator.nextInt(below: Self.numbers.count)]
    default:
      let plain = Self.texts.filter { !$0.contains("\\") && !$0.contains("'") } + ["x\\\"y"]
      return "\"" + plain[generator.nextInt(below: plain.count)] + "\""
    }
  }

  private func condition(_ generator: inout RandomGenerator, depth: Int = 0) -> String {
    if depth < 3 {
      switch generator.nextInt(below: 6) {
      case 0:
        return condition(&generator, depth: depth + 1) + " and "
          + condition(&generator, depth: depth + 1)
      case 1:
        return "(" + condition(&generator, depth: depth + 1) + " or "
          + condition(&generator, depth: depth + 1) + ")"
      case 2: return "not (" + condition(&generator, depth: depth + 1) + ")"
      default: break
      }
    }
    let fields = [
      "size", "name", "ok", "mixed", "tags", "author.name", "author.age", "author", "`a.b`",
      "naïve", "rare", "absent", "key", "`key`", "mixed.inner",
    ]
    let field = fields[generator.nextInt(below: fields.count)]
    switch generator.nextInt(below: 12) {
    case 0: return "\(field) is null"
    case 1: return "\(field) is not null"
    case 2...3:
      let choices = (0...generator.nextInt(below: 3)).map { _ in literal(&generator) }
      let word = generator.nextInt(below: 2) == 0 ? "in" : "not in"
      return "\(field) \(word) (\(choices.joined(separator: ", ")))"
    case 4...5:
      let prefix = ["", "a", "ab", "é", "e", "😀", "2024", "日", "x"][generator.nextInt(below: 9)]
      return "\(field) starts with \"\(prefix)\""
    case 6: return "\(field) contains \(literal(&generator))"
    default:
      let symbol = ["=", "!=", "<", "<=", ">", ">="][generator.nextInt(below: 6)]
      return "\(field) \(symbol) \(literal(&generator))"
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `columns and SQLite agree on every filter`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    var settings = CollectionSettings()
    settings.segmentRowLimit = 150
    let isCut = seed % 2 == 1
    if isCut { settings.chunker = .init() }
    let store = try CollectionStore.create(place, settings: settings)
    try store.addSpace(Self.space)
    func write(_ keys: Range<Int>) throws {
      try store.upsert(
        keys.map { key in
          let parts = isCut && generator.nextInt(below: 4) == 0 ? ["second", "third"] : []
          return Record(
            key: "k\(key)", payload: payload(&generator), text: isCut ? "first" : nil,
            furtherParts: parts)
        })
    }
    try write(0..<400)
    try seal(store)
    // Dead rows, rows that came again, and rows that wait.
    try write(100..<160)
    try store.delete(keys: (10..<50).map { "k\($0)" })
    let snapshot = try store.snapshot()
    #expect(snapshot.parts.count >= 3 && !snapshot.pending.isEmpty)
    var columnar = 0
    for _ in 0..<160 {
      let matches = try check(condition(&generator), snapshot)
      if matches.columnarCount == snapshot.parts.count { columnar += 1 }
    }
    #expect(columnar > 40, "\(columnar) of 160 filters were answered from columns alone")

    // The same after segments were rewritten.
    #expect(try store.vacuum(in: RunContext()) || true)
    let rewritten = try store.snapshot()
    for _ in 0..<60 { _ = try check(condition(&generator), rewritten) }
  }

  // MARK: Which fields

  private func store(_ settings: CollectionSettings, _ payloads: [String]) throws
    -> CollectionSnapshot
  {
    let store = try CollectionStore.create(place, settings: settings)
    try store.addSpace(Self.space)
    try store.upsert(
      payloads.enumerated().map { Record(key: "k\($0)", payload: $1, text: "words") })
    try seal(store)
    return try store.snapshot()
  }

  @Test func `frequent short fields have columns, long texts and searched ones have none`() throws {
    let long = String(repeating: "long ", count: 40)
    let snapshot = try store(
      CollectionSettings(textFields: ["title"]),
      (0..<100).map { row in
        #"{"title":"t","size":\#(row),"body":"\#(long)\#(row)","a":{"b":{"c":\#(row % 3)}}}"#
      })
    func columnar(_ source: String) throws -> Bool {
      try check(source, snapshot).columnarCount == 1
    }
    #expect(try columnar("size < 50"))
    #expect(try columnar("a.b.c = 2"))
    #expect(try columnar("not (size < 50 or a.b.c = 2)"))
    #expect(try !columnar("title = \"t\""))
    #expect(try !columnar("body starts with \"long\""))
    #expect(try !columnar("size < 50 and absent is null"))
    #expect(try !columnar("key = \"k3\""))
  }

  @Test func `declared fields alone have columns`() throws {
    let snapshot = try store(
      CollectionSettings(filterFields: ["author.name", "never"]),
      (0..<30).map { #"{"size":\#($0),"author":{"name":"n\#($0 % 4)"}}"# })
    #expect(try check("author.name in (\"n1\", \"n2\")", snapshot).count == 15)
    #expect(try check("author.name = \"n1\"", snapshot).columnarCount == 1)
    #expect(try check("never is null", snapshot).columnarCount == 1)
    #expect(try check("size < 10", snapshot).columnarCount == 0)
  }

  @Test func `at most so many fields have columns`() throws {
    let snapshot = try store(
      CollectionSettings(),
      (0..<20).map { row in
        "{"
          + (0..<60).filter { row == 0 || $0 < 40 }.map { "\"f\($0)\":\(row)" }
          .joined(separator: ",") + "}"
      })
    let answered = try (0..<60).filter {
      try check("f\($0) = 7", snapshot).columnarCount == 1
    }
    #expect(answered.count == 32)
    #expect(answered.allSatisfy { $0 < 40 })
  }

  @Test func `a field with too much text is left to SQLite`() throws {
    let snapshot = try store(
      CollectionSettings(segmentByteLimit: 1 << 30, filterFields: ["id", "size"]),
      (0..<300).map { row in
        #"{"size":\#(row),"id":"\#(String(repeating: "x", count: 10_000))\#(row)"}"#
      })
    #expect(try check("id starts with \"xx\"", snapshot).columnarCount == 0)
    #expect(try check("size >= 150", snapshot).columnarCount == 1)
  }

  @Test func `an answer is kept and later writes do not change it`() throws {
    var settings = CollectionSettings()
    settings.segmentRowLimit = 50
    let store = try CollectionStore.create(place, settings: settings)
    try store.addSpace(Self.space)
    try store.upsert((0..<70).map { Record(key: "k\($0)", payload: #"{"size":\#($0)}"#) })
    try seal(store)
    try store.upsert((70..<80).map { Record(key: "k\($0)", payload: #"{"size":\#($0)}"#) })
    let snapshot = try store.snapshot()
    #expect(try check("size >= 40", snapshot).count == 40)
    try store.delete(keys: ["k45", "k75"])
    #expect(try check("size >= 40", snapshot).count == 40)
    // However it is written.
    #expect(try snapshot.matches(Filter("size  >=  40")).count == 40)
    #expect(try check("size >= 40", store.snapshot()).count == 38)
    for bound in 0..<60 { _ = try check("size >= \(bound)", snapshot) }
  }
}
