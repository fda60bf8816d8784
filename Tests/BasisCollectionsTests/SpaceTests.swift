import BasisCollections
import BasisCore
import BasisSearch
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

/// What deleted and replaced records leave behind.
@Suite struct SpaceTests {
  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  func ingest(_ texts: [String], into place: CollectionFolder? = nil) throws {
    let lines = texts.enumerated().map { #"{"id":"k\#($0)","text":"\#($1)"}"# }
    var options = IngestOptions()
    options.dimension = 16
    _ = try VectorCollection.ingest(
      files: [folder.write("docs.jsonl", lines.joined(separator: "\n"))],
      into: place ?? self.place, options: options, in: RunContext())
  }

  /// Texts whose bulk differs from round to round, so that nothing is found unchanged.
  func texts(_ count: Int, round: Int) -> [String] {
    TopicTexts(count: count, wordCount: 30, seed: UInt64(round)).texts
  }

  @Test func `rewriting everything again and again needs no more than twice the room`() throws {
    try ingest(texts(2000, round: 0))
    let fresh = place.byteCount
    for round in 1...20 {
      try ingest(texts(2000, round: round))
      #expect(place.byteCount <= 2 * fresh, "round \(round)")
    }
    let store = try CollectionStore(place, for: .read)
    #expect(try store.snapshot().recordCount == 2000)
    #expect(try store.verify(in: RunContext()).damage.map(\.message) == [])
  }

  @Test func `deleting nine tenths gives back four fifths`() throws {
    try ingest(texts(4000, round: 0))
    let before = place.byteCount
    do {
      let collection = try VectorCollection(place, for: .write)
      try collection.store.delete(keys: (0..<4000).filter { $0 % 10 != 0 }.map { "k\($0)" })
      try collection.maintain(in: RunContext())
    }
    // The encoder's model is as large as ever; it is not the records'.
    let models =
      try FileManager.default.attributesOfItem(
        atPath: place.path + "/models/corpus@1.model")[.size] as? Int ?? 0
    #expect(place.byteCount - models <= (before - models) / 5)
    #expect(try CollectionStore(place, for: .read).verify(in: RunContext()).isSound)
  }

  @Test(arguments: [1200, 300])
  func `after vacuum nothing of a deleted record is left`(count: Int) throws {
    let marker = "xyzzymarkerq"
    var all = texts(count, round: 0)
    all[7] += " " + marker
    try ingest(all)
    #expect(try filesWith(marker).isEmpty == false)
    do {
      let collection = try VectorCollection(place, for: .write)
      try collection.store.delete(keys: ["k7"])
      #expect(try collection.vacuum(in: RunContext()))
      // Even while it is open, and so the log still there.
      #expect(try filesWith(marker) == [])
      var request = SearchRequest(.text(all[8]))
      request.mode = .dense
      #expect(try collection.search(request, in: RunContext()).hits.first?.key == "k8")
    }
    #expect(try filesWith(marker) == [])
    let store = try CollectionStore(place, for: .read)
    #expect(try store.verify(in: RunContext()).damage.map(\.message) == [])
    #expect(try store.snapshot().recordCount == count - 1)
  }

  func filesWith(_ marker: String) throws -> [String] {
    let files = FileManager.default.enumerator(atPath: place.path)?.allObjects ?? []
    return try files.compactMap { $0 as? String }.filter { file in
      var isFolder: ObjCBool = false
      let path = place.path + "/" + file
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
        !isFolder.boolValue
      else { return false }
      return try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data(marker.utf8)) != nil
    }
  }

  @Test func `vacuum changes no answer`() throws {
    let all = texts(1500, round: 0)
    try ingest(all)
    let collection = try VectorCollection(place, for: .write)
    try collection.store.delete(keys: (0..<1500).filter { $0 % 7 == 3 }.map { "k\($0)" })
    func answers() throws -> [[String]] {
      try [0, 8, 700].flatMap { row in
        try SearchMode.allCases.map { mode in
          var request = SearchRequest(.text(all[row]))
          request.mode = mode
          return try collection.search(request, in: RunContext()).hits.map(\.key)
        }
      }
    }
    let before = try answers()
    try collection.vacuum(in: RunContext())
    let after = try answers()
    // Word statistics count dead records until they are gone, so lexical scores may move a little.
    for (old, new) in zip(before, after) {
      #expect(Set(old).intersection(new).count >= 8)
      #expect(old.first == new.first)
    }
    #expect(try collection.store.snapshot().parts.allSatisfy { $0.live == nil })
  }

  @Test func `many small segments become few`() throws {
    let store = try CollectionStore.create(
      place, settings: CollectionSettings(dimension: 8, segmentRowLimit: 4000))
    try store.addSpace(Space(id: .init(name: "planted"), dimension: 2, metric: .cosine))
    let space = try #require(try store.spaces().first?.space)
    for round in 0..<64 {
      try store.upsert(
        (0..<10).map {
          Record(key: "\(round)-\($0)", payload: #"{"text":"round\#(letters(round))q"}"#)
        })
      _ = try store.seal(spaces: [space], in: RunContext()) { _, records in
        Matrix(rowCount: records.count, columnCount: 2) { floats in
          for row in records.indices { floats[2 * row] = Float(records[row].sequence) }
        }
      }
      try store.maintain(in: RunContext())
    }
    let snapshot = try store.snapshot()
    #expect(snapshot.parts.count <= 14, "\(snapshot.parts.map(\.segment.rowCount))")
    // Vectors and words have moved together with their records.
    for part in snapshot.parts {
      let rows = try #require(try part.segment.denseIndex(of: space)).rows
      for (slot, sequence) in part.segment.sequences.enumerated() {
        #expect(rows[slot, 0] == Float(sequence))
      }
      #expect(
        zip(part.segment.sequences, part.segment.sequences.dropFirst()).allSatisfy { $0 < $1 })
    }
    #expect(try store.verify(in: RunContext()).damage.map(\.message) == [])
  }
}
