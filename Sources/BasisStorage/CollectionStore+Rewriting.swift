public import BasisCore
import BasisFormats
import BasisSearch
import Foundation
import GRDB

/// Giving space back: segments are rewritten without their dead rows, small ones are merged, and
/// SQLite returns its free pages.
extension CollectionStore {
  /// A segment loses its dead rows by itself once they are this share of it …
  static let deadShareLimit = 0.25
  /// … and this many segments of similar size become one.
  static let mergeWidth = 8

  /// What every writer does when it has written: keeps the space that dead rows take below a third
  /// of what live ones take, and the number of segments logarithmic in the number of records.
  ///
  /// - Returns: how many segments were rewritten.
  /// - Complexity: memory of one segment; each record is rewritten O(log *n*) times in its life.
  @discardableResult
  public func maintain(in run: RunContext) throws(BasisError) -> Int {
    var count = 0
    while let group = try nextRewrite(deadShare: CollectionStore.deadShareLimit, merging: true) {
      try rewrite(group, in: run)
      count += group.count
    }
    try returnFreePages(above: 0.1)
    return count
  }

  /// Rewrites every segment that has a dead row, merges small ones, and gives all free space of the
  /// catalogue and its log back. Then nothing of a deleted record is left in segments or catalogue.
  ///
  /// - Returns: whether the log could be emptied: a snapshot that somebody holds keeps it, and with
  ///   it perhaps traces of what was deleted, until the next vacuum or until the last process
  ///   closes the collection.
  public func vacuum(in run: RunContext) throws(BasisError) -> Bool {
    while let group = try nextRewrite(deadShare: 0, merging: true) {
      try rewrite(group, in: run)
    }
    try returnFreePages(above: 0)
    // The log still has pages of what was deleted until it is emptied into the database.
    do throws(BasisError) {
      try translating("empty the log of '\(folder.name)'") {
        _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
      }
      return true
    } catch  where error.code == .busy {
      return false
    }
  }

  private struct SegmentState {
    let id: Int64
    let file: String
    let first: Int64
    let rowCount: Int
    let deadCount: Int
    var liveCount: Int { rowCount - deadCount }
  }

  /// The segments to make one of next, neighbours in the order of writing; nil if all is well.
  private func nextRewrite(deadShare: Double, merging: Bool) throws(BasisError) -> [SegmentState]? {
    let listed = try reading("list the segments") { db in
      (
        tombstones: try Int64.fetchAll(
          db, sql: "SELECT sequence FROM tombstones ORDER BY sequence"),
        segments: try Row.fetchAll(db, sql: "SELECT id, file FROM segments").map {
          (id: $0[0] as Int64, file: $0[1] as String)
        }
      )
    }
    var states: [SegmentState] = []
    for (id, file) in listed.segments {
      let segment = try segment(id: id, file: file)
      let dead = listed.tombstones.reduce(into: 0) { count, sequence in
        if segment.slot(of: sequence) != nil { count += 1 }
      }
      states.append(
        SegmentState(
          id: id, file: file, first: segment.sequences.first ?? 0, rowCount: segment.rowCount,
          deadCount: dead))
    }
    states.sort { $0.first < $1.first }
    if let wasteful = states.first(where: {
      $0.deadCount > 0 && Double($0.deadCount) > deadShare * Double($0.rowCount)
    }) {
      return [wasteful]
    }
    guard merging else { return nil }
    // Neighbours of one size class (a factor of four) are merged when there are enough of them.
    var run: [SegmentState] = []
    for state in states {
      if let last = run.last, sizeClass(last.liveCount) != sizeClass(state.liveCount) { run = [] }
      run.append(state)
      let total = run.reduce(0) { $0 + $1.liveCount }
      if total > settings.segmentRowLimit { run = [state] }
      if run.count == CollectionStore.mergeWidth { return run }
    }
    return nil
  }

  private func sizeClass(_ count: Int) -> Int { (Int.bitWidth - count.leadingZeroBitCount) / 2 }

  /// One segment out of the live rows of these.
  private func rewrite(_ states: [SegmentState], in run: RunContext) throws(BasisError) {
    let total = states.reduce(0) { $0 + $1.liveCount }
    run.report("rewriting", 0, of: total, unit: "records")
    let tombstones = try reading("read the tombstones") { db in
      Set(try Int64.fetchAll(db, sql: "SELECT sequence FROM tombstones"))
    }
    var parts: [(segment: Segment, slots: [Int])] = []
    for state in states {
      let segment = try segment(id: state.id, file: state.file)
      parts.append(
        (segment, segment.sequences.indices.filter { !tombstones.contains(segment.sequences[$0]) }))
    }
    let old = zip(states, parts).map { state, part in
      (id: state.id, file: state.file, sequences: Array(part.segment.sequences))
    }
    var sequences: [Int64] = []
    var lexical = LexicalIndexBuilder(analyzer: settings.analyzer)
    for (segment, slots) in parts {
      for start in stride(from: 0, to: slots.count, by: 4096) {
        try run.checkCancelled()
        let chunk = slots[start..<min(start + 4096, slots.count)].map { segment.sequences[$0] }
        // A record that has gone since still has its row: it is buried again at the end.
        for text in try texts(of: chunk) { lexical.add(text) }
        sequences += chunk
        run.report("rewriting", sequences.count, of: total, unit: "records")
      }
    }
    guard !sequences.isEmpty else {
      try commitSegment(nil, sequences: [], replacing: old)
      return
    }
    // A merge keeps the spaces that all of its parts have.
    let spaces = parts[0].segment.spaces.filter { space in
      parts.allSatisfy { $0.segment.spaces.contains(space) }
    }
    let file = try writeSegment(sequences: sequences, spaces: spaces, lexical: lexical, in: run) {
      (index, append) throws(BasisError) in
      for (segment, slots) in parts {
        guard let rows = try segment.vectors(of: spaces[index]) else { continue }
        for slot in slots {
          try rows.withRow(slot) { row throws(BasisError) in try append(row) }
        }
      }
    }
    try commitSegment(file, sequences: sequences, replacing: old)
  }

  private func texts(of sequences: [Int64]) throws(BasisError) -> [String] {
    try reading("read the texts") { db in
      let find = try db.cachedStatement(sql: "SELECT payload, text FROM records WHERE sequence = ?")
      return try sequences.map { sequence in
        guard let row = try Row.fetchOne(find, arguments: [sequence]) else { return "" }
        return try self.text(row[0], row[1])
      }
    }
  }

  /// Shrinks the catalogue's file if more than this share of it is free.
  private func returnFreePages(above share: Double) throws(BasisError) {
    try translating("shrink the catalogue of '\(folder.name)'") {
      try pool.writeWithoutTransaction { db in
        let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        let all = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        guard free > 0, Double(free) > share * Double(all) else { return }
        // Each step frees one page, so all rows of the answer must be read.
        _ = try Row.fetchAll(db, sql: "PRAGMA incremental_vacuum")
      }
    }
  }
}
