public import BasisCore
import BasisFormats
public import BasisSearch
import Foundation
import GRDB
import Synchronization

extension CollectionStore {
  /// A view of the collection as it is now, which later writes do not change.
  ///
  /// - Throws: `.corruptFile` if a segment is damaged.
  public func snapshot() throws(BasisError) -> CollectionSnapshot {
    // Between reading the catalogue and opening a segment, a writer in another process may have
    // replaced the segment; the next look at the catalogue then names the new one.
    var attempt = 0
    while true {
      do {
        return try CollectionSnapshot(self)
      } catch  where error.code == .notFound && attempt < 5 {
        attempt += 1
      }
    }
  }
}

/// An unchanging view of a collection: its segments, the records that lived in them, and those
/// still pending. Holds its files open; they disappear from disk only after it.
public final class CollectionSnapshot: Sendable {
  /// A segment and which of its slots are alive in the snapshot.
  public struct Part: Sendable {
    public let segment: Segment
    /// Nil where every slot is alive.
    public let live: Bitmap?

    public var liveCount: Int { live?.population ?? segment.rowCount }
  }

  /// A record as it was stored, or a part of one.
  public struct StoredRecord: Sendable, Hashable {
    public let sequence: Int64
    public let key: String
    /// From 0; more only where texts were cut.
    public let part: Int
    /// The whole record's.
    public let payload: String
    let ownText: String?
    let textFields: [String]

    /// The part's text: its own, or the collection's fields of the payload.
    ///
    /// - Complexity: parses the payload at each call.
    public var text: String {
      if let ownText { return ownText }
      return (try? JSONValue(parsing: payload))?.text(of: textFields) ?? ""
    }
  }

  private static let columns = """
    sequence, key, part, CASE part WHEN 0 THEN payload ELSE (
      SELECT whole.payload FROM records AS whole WHERE whole.key = records.key AND whole.part = 0
    ) END AS payload, text
    """

  private func storedRecord(_ row: Row) -> StoredRecord {
    StoredRecord(
      sequence: row[0], key: row[1], part: row[2], payload: row[3], ownText: row[4],
      textFields: store.settings.textFields)
  }

  public let store: CollectionStore
  /// The state of the collection, as ``CollectionStore/generation()`` counts it.
  public let generation: Int
  public let recordCount: Int
  public let spaces: [StoredSpace]
  public let parts: [Part]
  /// Durable records that no segment holds yet, by rising sequence.
  public let pending: [CollectionStore.PendingRecord]
  private let database: DatabaseSnapshot
  private let lexicalOfPending = Mutex<LexicalIndex?>(nil)
  let recentMatches = Mutex(RecentMatches())

  fileprivate init(_ store: CollectionStore) throws(BasisError) {
    self.store = store
    let database = try translating("take a snapshot of '\(store.folder.name)'") {
      try store.pool.makeSnapshot()
    }
    self.database = database
    let state = try translating("read the catalogue of '\(store.folder.name)'") {
      try database.read { db in
        (
          generation: try Catalog.generation(db),
          count: try Catalog.recordCount(db),
          spaces: try StoredSpace.fetchAll(db, in: store.folder),
          segments: try Row.fetchAll(db, sql: "SELECT id, file FROM segments ORDER BY id").map {
            (id: $0[0] as Int64, file: $0[1] as String)
          },
          tombstones: try Int64.fetchAll(
            db, sql: "SELECT sequence FROM tombstones ORDER BY sequence"),
          pending: try store.pendingRecords(
            db, after: try Catalog.sealedThrough(db), limit: .max)
        )
      }
    }
    generation = state.generation
    recordCount = state.count
    spaces = state.spaces
    pending = state.pending
    var parts: [Part] = []
    for (id, file) in state.segments {
      let segment = try store.segment(id: id, file: file)
      parts.append(Part(segment: segment, live: liveSlots(of: segment, without: state.tombstones)))
    }
    self.parts = parts
  }

  /// The lexical index of the pending records; document `i` is `pending[i]`.
  public var pendingLexicalIndex: LexicalIndex {
    lexicalOfPending.withLock { cached in
      if let cached { return cached }
      var builder = LexicalIndexBuilder(analyzer: store.settings.analyzer)
      for record in pending { builder.add(record.text) }
      let index = builder.makeIndex()
      cached = index
      return index
    }
  }

  /// The newest dense space; nil before the first seal.
  public var currentSpace: StoredSpace? { spaces.last { $0.space.element == .dense } }

  /// The records with these sequences; those that are gone are missing from the answer.
  public func records(_ sequences: some Sequence<Int64>) throws(BasisError)
    -> [Int64: StoredRecord]
  {
    try reading { db in
      let find = try db.cachedStatement(
        sql: "SELECT \(Self.columns) FROM records WHERE sequence = ?")
      var found: [Int64: StoredRecord] = [:]
      for sequence in sequences {
        guard let row = try Row.fetchOne(find, arguments: [sequence]) else { continue }
        found[sequence] = storedRecord(row)
      }
      return found
    }
  }

  /// The record with this key, its first part where its text was cut, or nil.
  public func record(key: String) throws(BasisError) -> StoredRecord? {
    try reading { db in
      try Row.fetchOne(
        db, sql: "SELECT \(Self.columns) FROM records WHERE key = ? AND part = 0",
        arguments: [key]
      ).map(storedRecord)
    }
  }

  /// The vector that a record brought; nil where an encoder makes them, or for no such record.
  public func readyMadeVector(of sequence: Int64) throws(BasisError) -> [Float]? {
    guard let space = currentSpace?.space, space.encoder == nil else { return nil }
    for part in parts {
      guard let slot = part.segment.slot(of: sequence) else { continue }
      return try part.segment.vector(at: slot, of: space)
    }
    return pending.first { $0.sequence == sequence }?.vector
  }

  /// Calls `body` with every record in the order of writing, a thousand at a time.
  public func forEachChunk(_ body: ([StoredRecord]) throws(BasisError) -> Void) throws(BasisError) {
    var last: Int64 = 0
    while true {
      let chunk = try reading { db in
        try Row.fetchAll(
          db.cachedStatement(
            sql: """
              SELECT \(Self.columns) FROM records
              WHERE sequence > ? AND part = 0 ORDER BY sequence LIMIT 1000
              """), arguments: [last]
        ).map(storedRecord)
      }
      guard let end = chunk.last else { return }
      last = end.sequence
      try body(chunk)
    }
  }

  /// At most `count` records, each subset equally likely, in the order of writing.
  ///
  /// - Complexity: one scan of the sequences.
  public func sample(_ count: Int, in run: RunContext) throws(BasisError) -> [StoredRecord] {
    let sequences = try reading { db in
      try Int64.fetchAll(db, sql: "SELECT sequence FROM records WHERE part = 0 ORDER BY sequence")
    }
    var generator = run.generator("record-sample")
    let chosen = generator.sample(min(max(0, count), sequences.count), of: sequences.count)
      .map { sequences[$0] }
    let found = try records(chosen)
    return chosen.compactMap { found[$0] }
  }

  /// The sequences of the records that the filter lets through, with all their parts, rising, asked
  /// of SQLite.
  ///
  /// - Complexity: one scan of the payloads.
  public func sequences(matching filter: Filter) throws(BasisError) -> [Int64] {
    try reading { db in
      try Int64.fetchAll(
        db,
        sql: store.settings.chunker == nil
          ? "SELECT sequence FROM records WHERE \(filter.sql) ORDER BY sequence"
          : """
          SELECT sequence FROM records WHERE key IN (
            SELECT key FROM records WHERE CASE part WHEN 0 THEN \(filter.sql) ELSE 0 END
          ) ORDER BY sequence
          """,
        arguments: filter.databaseArguments)
    }
  }

  func reading<T>(_ body: (Database) throws -> T) throws(BasisError) -> T {
    try translating("read the records of '\(store.folder.name)'") { try database.read(body) }
  }
}

/// Nil where no slot is dead. Both lists rise.
private func liveSlots(of segment: Segment, without tombstones: [Int64]) -> Bitmap? {
  guard let first = segment.sequences.first, let last = segment.sequences.last else { return nil }
  var live: Bitmap?
  for sequence in tombstones where sequence >= first && sequence <= last {
    guard let slot = segment.slot(of: sequence) else { continue }
    if live == nil { live = Bitmap(count: segment.rowCount, all: true) }
    live?[slot] = false
  }
  return live
}
