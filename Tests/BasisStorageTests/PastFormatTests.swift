import BasisCore
import BasisSearch
import BasisStorage
import Foundation
import GRDB
import Testing
import _BasisTestSupport

/// Segments that earlier versions of the program wrote, one of each kind of index, and are still
/// read: `Fixtures/segment-VERSION-KIND.seg`.
///
/// Before the format changes, this writes those of the present one:
/// `BASIS_WRITE_FIXTURES=FOLDER swift test --filter PastFormatTests`.
@Suite struct PastFormatTests {
  static let count = 80
  static let dimension = 24
  static let space = Space(id: .init(name: "vectors"), dimension: dimension, metric: .cosine)
  /// Layouts of the file that have a fixture.
  static let versions = [1]

  static let vectors = gaussianMatrix(rowCount: count, columnCount: dimension, seed: 31)

  static func record(_ row: Int) -> BasisStorage.Record {
    let word = row.isMultiple(of: 7) ? "seventh" : "other"
    return BasisStorage.Record(
      key: "k\(row)", payload: #"{"text":"\#(word) row\#(row)","size":\#(row)}"#,
      vector: vectors.row(row))
  }

  /// A collection with one sealed segment.
  private func make(_ kind: IndexKind, in folder: TemporaryFolder) throws -> CollectionFolder {
    let place = try CollectionFolder(name: kind.rawValue, in: folder.path)
    var settings = CollectionSettings(encoder: CollectionSettings.readyMade)
    settings.index.kind = kind
    let store = try CollectionStore.create(place, settings: settings)
    try store.addSpace(Self.space)
    try store.upsert((0..<Self.count).map(Self.record))
    _ = try store.seal(spaces: [Self.space], in: RunContext()) { _, records throws(BasisError) in
      try Matrix(rows: records.map { $0.vector ?? [] })
    }
    return place
  }

  private func segmentPath(_ place: CollectionFolder) -> String {
    place.path + "/segments/000001.seg"
  }

  @Test(arguments: IndexKind.allCases)
  func `fixtures of the present format are written on request`(kind: IndexKind) throws {
    guard let target = ProcessInfo.processInfo.environment["BASIS_WRITE_FIXTURES"] else { return }
    let folder = try TemporaryFolder()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: segmentPath(make(kind, in: folder))))
    let version = bytes[8]
    try bytes.write(to: URL(fileURLWithPath: "\(target)/segment-\(version)-\(kind.rawValue).seg"))
  }

  // Bytes came later.
  @Test(arguments: versions, IndexKind.allCases.filter { $0 != .int8 })
  func `a segment of an earlier format answers as one of the present`(
    version: Int, kind: IndexKind
  ) throws {
    let folder = try TemporaryFolder()
    let place = try make(kind, in: folder)
    func answers(_ expected: IndexKind) throws -> [[Neighbor]] {
      let segment = try #require(try CollectionStore(place, for: .read).snapshot().parts.first)
        .segment
      let index = try #require(try segment.denseIndex(of: Self.space))
      #expect(index.kind == expected)
      let queries = gaussianMatrix(rowCount: 9, columnCount: Self.dimension, seed: 5)
      let words = try segment.lexicalIndex()
      return try index.search(
        queries, k: 5, allowing: nil, effort: .exact, in: RunContext())
        + index.search(queries, k: 5, allowing: nil, effort: .candidates(40), in: RunContext())
        + [words.search(words.makeQuery("seventh row3"), k: 20)]
    }
    let present = try answers(kind)
    let fixture = try #require(
      Bundle.module.url(
        forResource: "segment-\(version)-\(kind.rawValue)", withExtension: "seg",
        subdirectory: "Fixtures"))
    try Data(contentsOf: fixture).write(to: URL(fileURLWithPath: segmentPath(place)))
    // Graphs of the first layout lack what walks compare today, and rows are compared one and all.
    #expect(try answers(kind == .graph ? .flat : kind) == present)
    #expect(try CollectionStore(place, for: .read).verify(in: RunContext()).damage.isEmpty)
    // And is rewritten as one of the present.
    let writer = try CollectionStore(place, for: .write)
    try writer.delete(keys: ["k3"])
    #expect(try writer.vacuum(in: RunContext()))
    #expect(try writer.verify(in: RunContext()).damage.isEmpty)
    #expect(try writer.snapshot().parts.first?.segment.rowCount == Self.count - 1)
  }

  @Test func `a collection that kept no count of its records counts them`() throws {
    let folder = try TemporaryFolder()
    let place = try make(.flat, in: folder)
    try DatabaseQueue(path: place.path + "/catalog.sqlite").write { db in
      try db.execute(sql: "DELETE FROM meta WHERE name = 'record_count'")
    }
    let store = try CollectionStore(place, for: .write)
    #expect(try store.snapshot().recordCount == Self.count)
    try store.delete(keys: ["k3", "absent"])
    #expect(try store.snapshot().recordCount == Self.count - 1)
    try store.upsert([Self.record(3), Self.record(4)])
    #expect(try store.snapshot().recordCount == Self.count)
    #expect(try store.verify(in: RunContext()).damage.isEmpty)
    try DatabaseQueue(path: place.path + "/catalog.sqlite").write { db in
      try db.execute(sql: "UPDATE meta SET value = '7' WHERE name = 'record_count'")
    }
    #expect(try store.verify(in: RunContext()).damage.count == 1)
  }
}
