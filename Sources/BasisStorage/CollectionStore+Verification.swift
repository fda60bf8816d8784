public import BasisCore
import BasisFormats
import Foundation
import GRDB

/// What a check of a collection found.
public struct VerificationReport: Sendable {
  public var recordCount = 0
  public var segmentCount = 0
  public var byteCount = 0
  /// One error for each thing that is wrong; empty for a sound collection.
  public var damage: [BasisError] = []

  public var isSound: Bool { damage.isEmpty }
}

extension CollectionStore {
  /// Reads every byte of the collection: SQLite's own check, every checksum of every segment and
  /// model, and whether catalogue and segments name the same records.
  ///
  /// - Returns: what was found. Damage is a result; an error is thrown only where the collection
  ///   cannot be looked at at all.
  public func verify(in run: RunContext) throws(BasisError) -> VerificationReport {
    var report = VerificationReport()
    let state = try reading("read the catalogue") { db in
      (
        complaints: try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" },
        byteCount: try ["page_count", "page_size"].reduce(1) {
          $0 * (try Int.fetchOne(db, sql: "PRAGMA \($1)") ?? 0)
        },
        count: try Catalog.countRecords(db), keptCount: try Catalog.keptRecordCount(db),
        sealed: try Int64.fetchAll(
          db, sql: "SELECT sequence FROM records WHERE sequence <= ? ORDER BY sequence",
          arguments: [try Catalog.sealedThrough(db)]),
        tombstones: Set(try Int64.fetchAll(db, sql: "SELECT sequence FROM tombstones")),
        segments: try Row.fetchAll(db, sql: "SELECT id, file FROM segments ORDER BY id").map {
          (id: $0[0] as Int64, file: $0[1] as String)
        },
        spaces: try StoredSpace.fetchAll(db, in: folder)
      )
    }
    report.recordCount = state.count
    report.byteCount = state.byteCount
    report.segmentCount = state.segments.count
    report.damage += state.complaints.map {
      BasisError(.corruptFile, "\(folder.catalogPath): \($0)")
    }

    if let kept = state.keptCount, kept != state.count {
      report.damage.append(
        BasisError(
          .corruptFile,
          "\(folder.catalogPath): counts \(kept) records and has \(state.count); restore it from a "
            + "backup or ingest again"))
    }

    var alive: [Int64] = []
    for (index, entry) in state.segments.enumerated() {
      try run.checkCancelled()
      run.report("verifying", index, of: state.segments.count, unit: "segments")
      do throws(BasisError) {
        // A fresh mapping: an open one remembers which blocks it has found sound.
        let segment = try Segment(id: entry.id, path: folder.segmentsPath + "/" + entry.file)
        report.byteCount += segment.container.byteCount
        report.damage += segment.container.verify()
        alive += segment.sequences.filter { !state.tombstones.contains($0) }
      } catch {
        report.damage.append(error)
      }
    }
    for stored in state.spaces {
      do throws(BasisError) {
        guard let model = try stored.openModel() else { continue }
        report.byteCount += model.byteCount
        report.damage += model.verify()
      } catch {
        report.damage.append(error)
      }
    }
    if report.damage.isEmpty {
      let missing = Set(state.sealed).subtracting(alive)
      let extra = Set(alive).subtracting(state.sealed)
      if !missing.isEmpty {
        report.damage.append(
          BasisError(
            .corruptFile, "\(folder.path): \(missing.count) records are in no segment"))
      }
      if !extra.isEmpty {
        report.damage.append(
          BasisError(
            .corruptFile,
            "\(folder.path): \(extra.count) rows of segments belong to no record"))
      }
    }
    return report
  }
}
