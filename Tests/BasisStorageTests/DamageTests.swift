import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

@Suite struct DamageTests {
  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
    let store = try CollectionStore.create(place, settings: CollectionSettings())
    try store.upsert(
      (0..<30).map { Record(key: "k\($0)", payload: #"{"text":"words of row \#($0)"}"#) })
    try store.addSpace(CollectionStoreTests.space)
    _ = try store.seal(spaces: [CollectionStoreTests.space], in: RunContext()) { _, records in
      CollectionStoreTests.encode(records.map(\.text))
    }
  }

  var segmentFile: URL { URL(fileURLWithPath: place.path + "/segments/000001.seg") }

  /// Reads all that a query could read; nil where everything was found sound.
  func readEverything() throws -> BasisError? {
    do throws(BasisError) {
      _ = try answers()
      return nil
    } catch {
      return error
    }
  }

  func answers() throws(BasisError) -> [[Neighbor]] {
    let snapshot = try CollectionStore(place, for: .read).snapshot()
    var found: [[Neighbor]] = []
    for part in snapshot.parts {
      let queries = CollectionStoreTests.encode(["row 3", "words of row 12"])
      found +=
        try part.segment.denseIndex(of: CollectionStoreTests.space)?
        .search(queries, k: 50, allowing: nil, effort: .exact, in: RunContext()) ?? []
      found.append([Neighbor(id: Int(part.segment.sequences.reduce(0, +)), distance: 0)])
      found.append(
        try part.segment.lexicalIndex().search(
          part.segment.lexicalIndex().makeQuery("words row"), k: 50))
    }
    return found
  }

  @Test func `a flipped byte is reported with its file, or changes nothing`() throws {
    let sound = try Data(contentsOf: segmentFile)
    let right = try answers()
    var generator = RandomGenerator(seed: 1)
    for _ in 0..<300 {
      var bytes = sound
      bytes[generator.nextInt(below: bytes.count)] ^= UInt8(1 << generator.nextInt(below: 8))
      try bytes.write(to: segmentFile)
      let report = try CollectionStore(place, for: .read).verify(in: RunContext())
      if let error = try readEverything() {
        #expect(error.code == .corruptFile || error.code == .newerFormat)
        #expect(error.message.contains("000001.seg"))
        #expect(!report.isSound)
      } else {
        #expect(try answers() == right)
      }
    }
    try sound.write(to: segmentFile)
    #expect(try readEverything() == nil)
  }

  @Test func `a segment cut anywhere is reported, never a crash`() throws {
    let sound = try Data(contentsOf: segmentFile)
    for count in stride(from: 0, to: sound.count, by: 37) {
      try sound.prefix(count).write(to: segmentFile)
      let error = try #require(try readEverything(), "cut at \(count)")
      #expect(error.code == .corruptFile)
      #expect(error.message.contains("000001.seg"))
      #expect(try !CollectionStore(place, for: .read).verify(in: RunContext()).isSound)
    }
  }

  @Test func `a missing segment is named`() throws {
    try FileManager.default.removeItem(at: segmentFile)
    let error = try #require(try readEverything())
    #expect(error.code == .notFound && error.message.contains("000001.seg"))
    #expect(try !CollectionStore(place, for: .read).verify(in: RunContext()).isSound)
  }
}
