import BasisCore
import Foundation
import GRDB

/// The collection's SQLite database: schema, settings and the translation of its errors.
///
/// A record is one row, or one for each part of a text that was cut; part 0 has the payload.
/// Sequences number record versions in the order of writing and are never used twice. Everything
/// up to the watermark `sealed_through` lies in segments; what is above is pending. So a record's
/// place needs no column of its own, and sealing rewrites no row.
enum Catalog {
  static let formatVersion = 1

  static func create(at path: String, settings: CollectionSettings) throws(BasisError) {
    try translating("create the catalogue \(path)") {
      var configuration = Configuration()
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.write { db in
        try db.execute(sql: schema)
        try setMeta(db, "format", String(formatVersion))
        try setMeta(db, "sealed_through", "0")
        try setMeta(db, "generation", "0")
        try setMeta(db, "record_count", "0")
        try setMeta(db, "settings", encodeJSON(settings))
      }
      try queue.close()
    }
  }

  /// A pool in write-ahead mode whose commits are on disk when they return.
  ///
  /// Readers, too, open the file for writing where they may: after a writer was killed, the first
  /// to come has to replay its log, and SQLite lets only writers do that.
  static func open(_ path: String, writable: Bool) throws(BasisError) -> DatabasePool {
    try translating("open the catalogue \(path)") {
      do {
        return try openPool(path, readonly: false, writable: writable)
      } catch let error as DatabaseError
        where !writable
        && [.SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM].contains(error.resultCode)
      {
        return try openPool(path, readonly: true, writable: false)
      }
    }
  }

  private static func openPool(_ path: String, readonly: Bool, writable: Bool) throws
    -> DatabasePool
  {
    var configuration = Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(10)
    configuration.maximumReaderCount = 8
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA cache_size = -8192")
      // Deleted payloads must not linger in free pages.
      if writable { try db.execute(sql: "PRAGMA secure_delete = ON") }
    }
    let pool = try DatabasePool(path: path, configuration: configuration)
    if writable {
      // The pool lowers this to NORMAL when it enters write-ahead mode.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    }
    return pool
  }

  static let schema = """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE records (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      key TEXT NOT NULL,
      part INTEGER NOT NULL,
      payload TEXT NOT NULL,
      text TEXT,
      vector_digest INTEGER,
      UNIQUE (key, part)
    );
    CREATE TABLE pending_vectors (sequence INTEGER PRIMARY KEY, vector BLOB NOT NULL);
    CREATE TABLE segments (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      file TEXT NOT NULL UNIQUE,
      row_count INTEGER NOT NULL,
      byte_count INTEGER NOT NULL
    );
    CREATE TABLE tombstones (sequence INTEGER PRIMARY KEY);
    CREATE TABLE spaces (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      version INTEGER NOT NULL,
      definition TEXT NOT NULL,
      model TEXT,
      UNIQUE (name, version)
    );
    """

  static func meta(_ db: Database, _ name: String) throws -> String {
    guard
      let value = try String.fetchOne(
        db.cachedStatement(sql: "SELECT value FROM meta WHERE name = ?"), arguments: [name])
    else { throw BasisError(.corruptFile, "the catalogue has no entry '\(name)'") }
    return value
  }

  static func setMeta(_ db: Database, _ name: String, _ value: String) throws {
    try db.execute(
      sql: "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      arguments: [name, value])
  }

  static func sealedThrough(_ db: Database) throws -> Int64 {
    let text = try meta(db, "sealed_through")
    guard let value = Int64(text) else {
      throw BasisError(.corruptFile, "the catalogue's watermark '\(text)' is not a number")
    }
    return value
  }

  static func generation(_ db: Database) throws -> Int {
    Int(try meta(db, "generation")) ?? 0
  }

  /// How many records there are. Counting them reads an index of all keys, so the number is kept;
  /// collections of earlier versions have it from their next write on.
  static func recordCount(_ db: Database) throws -> Int {
    try keptRecordCount(db) ?? countRecords(db)
  }

  static func keptRecordCount(_ db: Database) throws -> Int? {
    try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'record_count'")
      .flatMap { Int($0) }
  }

  static func countRecords(_ db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "SELECT count(*) FROM records WHERE part = 0") ?? 0
  }

  /// Follows a change of the records, in its transaction.
  static func addToRecordCount(_ db: Database, _ change: Int) throws {
    let known = try keptRecordCount(db)
    if known != nil, change == 0 { return }
    try setMeta(db, "record_count", String(try known.map { $0 + change } ?? countRecords(db)))
  }

  static func settings(_ db: Database) throws -> CollectionSettings {
    let format = try meta(db, "format")
    guard let version = Int(format) else {
      throw BasisError(.corruptFile, "the catalogue's format '\(format)' is not a number")
    }
    guard version <= formatVersion else {
      throw BasisError(
        .newerFormat,
        "the collection has format \(version), this program reads up to \(formatVersion); "
          + "use a newer basis")
    }
    return try JSONDecoder().decode(
      CollectionSettings.self, from: Data(meta(db, "settings").utf8))
  }

  static func encodeJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// Runs a piece of database work and turns whatever it throws into a ``BasisError``.
func translating<T>(_ action: String, _ body: () throws -> T) throws(BasisError) -> T {
  do {
    return try body()
  } catch let error as BasisError {
    throw error
  } catch let error as DatabaseError {
    let reason = error.message ?? "error \(error.resultCode.rawValue)"
    let message = "cannot \(action): \(reason)"
    switch error.resultCode {
    case .SQLITE_FULL:
      throw BasisError(
        .inputOutput, message + "; make room and try again: nothing acknowledged is lost",
        cause: error)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      throw BasisError(
        .corruptFile, message + "; restore the collection from a backup or ingest it again",
        cause: error)
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      throw BasisError(
        .busy, message + "; try again when the other process has ended", cause: error)
    case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_IOERR:
      throw BasisError(
        .inputOutput, message + "; check that the folder exists, is readable and has room",
        cause: error)
    default:
      throw BasisError(.inputOutput, message, cause: error)
    }
  } catch let error as DecodingError {
    throw BasisError(.corruptFile, "cannot \(action): its settings cannot be read", cause: error)
  } catch {
    throw BasisError(.inputOutput, "cannot \(action): \(error)", cause: error)
  }
}
