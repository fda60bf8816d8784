public import BasisCore
import BasisFormats
import BasisSearch
import Foundation
import GRDB

extension CollectionStore {
  /// Writes records in one transaction. A key that is there already is replaced, unless its
  /// payload and text are the same.
  ///
  /// - Returns: what happened to them; on return they are on disk.
  /// - Throws: `.badData` for a payload that is no JSON object; in a collection of ready-made vectors `.badData` for a record without one or with a
  ///   value that is not finite, and `.dimensionMismatch`; then nothing is written.
  /// - Complexity: O(*n* log *N*) for *n* records into *N*, and one wait for the disk.
  @discardableResult
  public func upsert(_ records: [Record]) throws(BasisError) -> WriteSummary {
    try writing("write \(records.count) records") { db in
      var summary = WriteSummary()
      let sealedThrough = try Catalog.sealedThrough(db)
      let find = try db.cachedStatement(
        sql: """
          SELECT payload = ? AND text IS ? AND vector_digest IS ?
          FROM records WHERE key = ? AND part = 0
          """)
      let insert = try db.cachedStatement(
        sql: "INSERT INTO records (key, part, payload, text, vector_digest) VALUES (?, ?, ?, ?, ?)")
      let insertVector = try db.cachedStatement(sql: "INSERT INTO pending_vectors VALUES (?, ?)")
      let space = try self.readyMadeSpace(db)
      for record in records {
        do {
          guard case .object = try JSONValue(parsing: record.payload) else {
            throw BasisError(.badData, "the payload is no JSON object")
          }
        } catch let error as BasisError {
          throw error.at("record '\(record.key)'")
        }
        let digest = record.vectorDigest
        let old = try Row.fetchOne(
          find, arguments: [record.payload, record.text, digest, record.key])
        if let old {
          if old[0] as Bool {
            summary.unchanged += 1
            continue
          }
          try bury(db, key: record.key, sealedThrough: sealedThrough)
          summary.replaced += 1
        } else {
          summary.inserted += 1
        }
        try insert.execute(arguments: [record.key, 0, record.payload, record.text, digest])
        if let vector = try self.checkedVector(of: record, in: space) {
          try insertVector.execute(
            arguments: [db.lastInsertedRowID, vector.withUnsafeBytes { Data($0) }])
        }
        for (index, part) in record.furtherParts.enumerated() {
          try insert.execute(arguments: [record.key, index + 1, "", part, nil])
        }
      }
      try Catalog.addToRecordCount(db, summary.inserted)
      return summary
    }
  }

  /// Deletes the records with these keys in one transaction; keys that are not there are ignored.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public func delete(keys: some Sequence<String>) throws(BasisError) -> Int {
    try writing("delete records") { db in
      let sealedThrough = try Catalog.sealedThrough(db)
      var count = 0
      for key in keys where try bury(db, key: key, sealedThrough: sealedThrough) { count += 1 }
      try Catalog.addToRecordCount(db, -count)
      return count
    }
  }

  /// Removes a record with all its parts; false if it is not there.
  @discardableResult
  private func bury(_ db: Database, key: String, sealedThrough: Int64) throws -> Bool {
    let sequences = try Int64.fetchAll(
      db.cachedStatement(sql: "SELECT sequence FROM records WHERE key = ?"), arguments: [key])
    for sequence in sequences {
      try db.cachedStatement(sql: "DELETE FROM records WHERE sequence = ?")
        .execute(arguments: [sequence])
      let rest =
        sequence <= sealedThrough
        ? "INSERT INTO tombstones VALUES (?)" : "DELETE FROM pending_vectors WHERE sequence = ?"
      try db.cachedStatement(sql: rest).execute(arguments: [sequence])
    }
    return !sequences.isEmpty
  }

  /// The space of the vectors that records bring; nil where an encoder makes them.
  private func readyMadeSpace(_ db: Database) throws -> Space? {
    guard settings.encoder == CollectionSettings.readyMade else { return nil }
    return try StoredSpace.fetchAll(db, in: folder).last?.space
  }

  private func checkedVector(of record: Record, in space: Space?) throws -> [Float]? {
    guard let space else {
      guard record.vector == nil else {
        throw BasisError(
          .invalidArgument,
          "record '\(record.key)' brings a vector, but '\(folder.name)' makes its own with the "
            + "encoder '\(settings.encoder)'")
      }
      return nil
    }
    guard let vector = record.vector else {
      throw BasisError(
        .badData,
        "record '\(record.key)' has no vector, and '\(folder.name)' has no encoder to make one")
    }
    guard vector.count == space.dimension else {
      throw BasisError(
        .dimensionMismatch,
        "record '\(record.key)' has a vector of \(vector.count) dimensions, "
          + "the space \(space.id) has \(space.dimension)")
    }
    if let position = vector.firstIndex(where: { !$0.isFinite }) {
      throw BasisError(
        .badData,
        "record '\(record.key)' has \(vector[position]) in its vector at position \(position)")
    }
    return vector
  }
}
