public import BasisCore
import BasisFormats
import GRDB
import Synchronization

/// What a filter lets through of a snapshot, parts of cut texts counted one by one.
public struct FilterMatches: Sendable {
  /// The live slots of each segment, in the order of ``CollectionSnapshot/parts``.
  public let parts: [Bitmap]
  /// Places in ``CollectionSnapshot/pending``.
  public let pending: Bitmap
  /// All of them.
  public let count: Int
  /// For how many segments columns could tell.
  public let columnarCount: Int
}

extension CollectionSnapshot {
  /// What a filter lets through.
  ///
  /// Segments answer from their columns; where these cannot tell, and for pending records, SQLite
  /// answers. The last answers are kept as long as the snapshot.
  ///
  /// - Throws: `.corruptFile`.
  /// - Complexity: for each comparison a scan of a column; else one of the payloads.
  public func matches(_ filter: Filter) throws(BasisError) -> FilterMatches {
    if let known = recentMatches.withLock({ $0.find(filter) }) { return known }
    var bitmaps: [Bitmap] = []
    var columnarCount = 0
    var all: [Int64]?
    for part in parts {
      let segment = part.segment
      var bitmap: Bitmap
      if let found = try segment.records(matching: filter) {
        bitmap = found
        columnarCount += 1
      } else {
        bitmap = Bitmap(count: segment.rowCount)
        let sequences: [Int64]
        if store.settings.chunker == nil {
          sequences = try self.sequences(matching: filter, in: segment.sequenceRange)
        } else {
          // A record's parts may lie apart.
          if let all { sequences = all } else { sequences = try self.sequences(matching: filter) }
          all = sequences
        }
        segment.mark(sequences, in: &bitmap)
      }
      if let live = part.live { bitmap.formIntersection(live) }
      bitmaps.append(bitmap)
    }
    var waiting = Bitmap(count: pending.count)
    if let first = pending.first, let last = pending.last {
      let found = try sequences(matching: filter, in: first.sequence...last.sequence)
      var place = 0
      for sequence in found {
        while place < pending.count, pending[place].sequence < sequence { place += 1 }
        if place < pending.count, pending[place].sequence == sequence { waiting[place] = true }
      }
    }
    let matches = FilterMatches(
      parts: bitmaps, pending: waiting,
      count: bitmaps.reduce(waiting.population) { $0 + $1.population },
      columnarCount: columnarCount)
    recentMatches.withLock { $0.keep(matches, of: filter) }
    return matches
  }

  /// As ``sequences(matching:)``, of the records in a range, asked of SQLite.
  func sequences(matching filter: Filter, in range: ClosedRange<Int64>) throws(BasisError)
    -> [Int64]
  {
    let bounds: StatementArguments = [range.lowerBound, range.upperBound]
    return try reading { db in
      guard self.store.settings.chunker != nil else {
        return try Int64.fetchAll(
          db,
          sql: """
            SELECT sequence FROM records WHERE sequence BETWEEN ? AND ? AND \(filter.sql)
            ORDER BY sequence
            """, arguments: bounds + filter.databaseArguments)
      }
      return try Int64.fetchAll(
        db,
        sql: """
          SELECT sequence FROM records WHERE sequence BETWEEN ? AND ? AND key IN (
            SELECT key FROM records
            WHERE key IN (SELECT key FROM records WHERE sequence BETWEEN ? AND ?)
            AND CASE part WHEN 0 THEN \(filter.sql) ELSE 0 END
          ) ORDER BY sequence
          """, arguments: bounds + bounds + filter.databaseArguments)
    }
  }
}

/// The answers to the filters that were asked last.
struct RecentMatches: Sendable {
  private static let limit = 32
  /// The last one used last.
  private var entries: [(filter: Filter, matches: FilterMatches)] = []

  mutating func find(_ filter: Filter) -> FilterMatches? {
    guard let place = entries.firstIndex(where: { $0.filter.condition == filter.condition }) else {
      return nil
    }
    let entry = entries.remove(at: place)
    entries.append(entry)
    return entry.matches
  }

  mutating func keep(_ matches: FilterMatches, of filter: Filter) {
    if entries.count == Self.limit { entries.removeFirst() }
    entries.append((filter, matches))
  }
}
