import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

@Suite struct CollectionStoreTests {
  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  static let space = Space(id: .init(name: "planted"), dimension: 3, metric: .cosine)

  /// Vectors that are a function of the text, so that a test can tell whose they are.
  static func encode(_ texts: [String]) -> Matrix {
    Matrix(rowCount: texts.count, columnCount: 3) { floats in
      for (row, text) in texts.enumerated() {
        var generator = RandomGenerator(seed: UInt64(bitPattern: Int64(text.utf8.count)))
        for column in 0..<3 { floats[row * 3 + column] = generator.nextFloat() + 0.1 }
      }
    }
  }

  func record(_ key: Int, _ text: String) -> Record {
    Record(key: "k\(key)", payload: JSONValue.object(["text": .string(text)]).text)
  }

  func makeStore(_ settings: CollectionSettings = CollectionSettings()) throws -> CollectionStore {
    try CollectionStore.create(place, settings: settings)
  }

  @discardableResult
  func seal(_ store: CollectionStore) throws -> Int {
    if try store.spaces().isEmpty { try store.addSpace(Self.space) }
    return try store.seal(spaces: [Self.space], in: RunContext()) { _, records in
      Self.encode(records.map(\.text))
    }
  }

  @Test func `counts what a write does, and the last of equal keys wins`() throws {
    let store = try makeStore()
    let first = try store.upsert([record(1, "a"), record(2, "b"), record(1, "c")])
    #expect(first.inserted == 2 && first.replaced == 1 && first.unchanged == 0)
    let again = try store.upsert([record(1, "c"), record(2, "new")])
    #expect(again.inserted == 0 && again.replaced == 1 && again.unchanged == 1)
    let snapshot = try store.snapshot()
    #expect(try snapshot.record(key: "k1")?.text == "c")
    #expect(try snapshot.record(key: "k2")?.text == "new")
    #expect(snapshot.recordCount == 2)
  }

  @Test func `records survive closing, sealed and pending`() throws {
    do {
      let store = try makeStore()
      try store.upsert((0..<10).map { record($0, "text \($0)") })
      #expect(try seal(store) == 10)
      try store.upsert((10..<15).map { record($0, "text \($0)") })
    }
    let snapshot = try CollectionStore(place, for: .read).snapshot()
    #expect(snapshot.recordCount == 15)
    #expect(snapshot.pending.count == 5)
    #expect(snapshot.parts.map(\.segment.rowCount) == [10])
    for key in 0..<15 { #expect(try snapshot.record(key: "k\(key)")?.text == "text \(key)") }
  }

  @Test func `a segment keeps each record's vector and terms`() throws {
    let store = try makeStore()
    let texts = (0..<40).map { "w\(letters($0))zq " + String(repeating: "x", count: $0) }
    try store.upsert(texts.enumerated().map { record($0, $1) })
    try seal(store)
    let segment = try store.snapshot().parts[0].segment
    let index = try #require(try segment.denseIndex(of: Self.space))
    #expect(index.rows == Self.encode(texts))
    for (slot, text) in texts.enumerated() {
      let word = String(text.prefix { $0 != " " })
      let hits = try segment.lexicalIndex().search(segment.lexicalIndex().makeQuery(word), k: 3)
      #expect(hits.map(\.id) == [slot])
    }
  }

  @Test func `deleted and replaced records are dead in their segment`() throws {
    let store = try makeStore()
    try store.upsert((0..<100).map { record($0, "text \($0)") })
    try seal(store)
    #expect(try store.delete(keys: ["k3", "k70", "absent"]) == 2)
    try store.upsert([record(5, "replaced")])
    let snapshot = try store.snapshot()
    let live = try #require(snapshot.parts[0].live)
    #expect((0..<100).filter { !live[$0] } == [3, 5, 70])
    #expect(snapshot.recordCount == 98)
    #expect(snapshot.pending.map(\.text) == ["replaced"])
    #expect(try store.verify(in: RunContext()).isSound)
  }

  @Test func `a snapshot does not change under later writes`() throws {
    let store = try makeStore()
    try store.upsert((0..<20).map { record($0, "old") })
    try seal(store)
    try store.upsert([record(100, "pending")])
    let before = try store.snapshot()
    try store.upsert((0..<20).map { record($0, "new") })
    try store.delete(keys: ["k100"])
    try seal(store)
    #expect(before.recordCount == 21)
    #expect(before.parts.count == 1 && before.parts[0].liveCount == 20)
    #expect(try before.record(key: "k7")?.text == "old")
    #expect(try before.record(key: "k100")?.text == "pending")
    #expect(try store.snapshot().record(key: "k7")?.text == "new")
    #expect(try store.generation() > before.generation)
  }

  @Test func `segments stay within the row limit`() throws {
    let store = try makeStore(CollectionSettings(segmentRowLimit: 30))
    try store.upsert((0..<70).map { record($0, "text \($0)") })
    #expect(try seal(store) == 30)
    #expect(try seal(store) == 30)
    #expect(try seal(store) == 10)
    #expect(try seal(store) == 0)
    let snapshot = try store.snapshot()
    #expect(snapshot.parts.map(\.segment.rowCount) == [30, 30, 10])
    #expect(snapshot.parts.flatMap { Array($0.segment.sequences) } == Array(1...70))
  }

  @Test func `the same record of another text is another record`() throws {
    let store = try makeStore()
    let payload = #"{"text":"body"}"#
    try store.upsert([Record(key: "a", payload: payload)])
    #expect(try store.upsert([Record(key: "a", payload: payload, text: "own")]).replaced == 1)
    #expect(try store.upsert([Record(key: "a", payload: payload, text: "own")]).unchanged == 1)
    #expect(try store.snapshot().record(key: "a")?.text == "own")
  }

  @Test func `commits wait for the disk`() throws {
    let store = try makeStore()
    #expect(try store.durability() == .full)
  }

  // MARK: Failure

  @Test func `a second writer is told who writes`() throws {
    let store = try makeStore()
    let error = #expect(throws: BasisError.self) { try CollectionStore(place, for: .write) }
    #expect(error?.code == .busy)
    #expect(
      error?.message
        == "collection 'demo' is being written by another process "
        + "(process \(ProcessInfo.processInfo.processIdentifier)); try again when it has ended")
    #expect(try CollectionStore(place, for: .read).snapshot().recordCount == 0)
    withExtendedLifetime(store) {}
  }

  @Test(arguments: ["", "{", "[1]", "3", #"{"a":1,}"#])
  func `a payload that is no JSON object is refused, with all beside it`(payload: String) throws {
    let store = try makeStore()
    let error = #expect(throws: BasisError.self) {
      try store.upsert([record(1, "fine"), Record(key: "odd", payload: payload)])
    }
    #expect(error?.code == .badData)
    #expect(error?.message.hasPrefix("record 'odd': ") == true)
    #expect(try store.snapshot().recordCount == 0)
  }

  @Test func `a closed writer's lock is free, whoever shares its descriptor`() throws {
    var copy: Int32 = -1
    do {
      let store = try makeStore()
      // As a child process has between fork and exec.
      for descriptor in 3..<512 {
        let link = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/fd/\(descriptor)")
        if link == place.path + "/lock" { copy = dup(Int32(descriptor)) }
      }
      withExtendedLifetime(store) {}
    }
    try #require(copy >= 0)
    defer { close(copy) }
    #expect(try CollectionStore(place, for: .write).pending().count == 0)
  }

  @Test func `a reader cannot write`() throws {
    _ = try makeStore()
    let reader = try CollectionStore(place, for: .read)
    let error = #expect(throws: BasisError.self) { try reader.upsert([record(1, "a")]) }
    #expect(error?.code == .unsupported)
  }

  @Test func `an unknown collection is answered with the nearest names`() throws {
    _ = try makeStore()
    let near = try CollectionFolder(name: "dmeo", in: folder.path)
    let error = #expect(throws: BasisError.self) { try CollectionStore(near, for: .read) }
    #expect(error?.code == .notFound)
    #expect(
      error?.message == "no collection 'dmeo' in \(folder.path); did you mean 'demo'?")
    let empty = try CollectionFolder(name: "x", in: folder.path + "/none")
    let none = #expect(throws: BasisError.self) { try CollectionStore(empty, for: .read) }
    #expect(none?.message.hasSuffix("make one with 'basis ingest x FILE'") == true)
  }

  @Test func `a collection of a newer format is left alone`() throws {
    _ = try makeStore()
    try setMeta("format", "99")
    let error = #expect(throws: BasisError.self) { try CollectionStore(place, for: .write) }
    #expect(error?.code == .newerFormat)
    #expect(
      error?.message == "the collection has format 99, this program reads up to 1; "
        + "use a newer basis")
  }

  @Test func `a catalogue that is no database is one error`() throws {
    _ = try makeStore()
    try Data("nothing of the kind, but long enough to be read as a header".utf8)
      .write(to: URL(fileURLWithPath: place.path + "/catalog.sqlite"))
    let error = #expect(throws: BasisError.self) { try CollectionStore(place, for: .read) }
    #expect(error?.code == .corruptFile)
  }

  @Test func `what a killed writer left is removed by the next`() throws {
    let stray = place.path + "/segments/000077.seg"
    do {
      let store = try makeStore()
      try store.upsert([record(1, "a")])
      try seal(store)
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: stray))
    }
    let store = try CollectionStore(place, for: .write)
    #expect(!FileManager.default.fileExists(atPath: stray))
    #expect(try store.snapshot().parts.count == 1)
    #expect(try store.verify(in: RunContext()).isSound)
  }

  func setMeta(_ name: String, _ value: String) throws {
    let tool = Process()
    tool.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tool.arguments = [
      "python3", "-c",
      "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); "
        + "c.execute('update meta set value=? where name=?', (sys.argv[3], sys.argv[2])); c.commit()",
      place.path + "/catalog.sqlite", name, value,
    ]
    try tool.run()
    tool.waitUntilExit()
    try #require(tool.terminationStatus == 0)
  }
}
