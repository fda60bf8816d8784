public import BasisCore
import BasisFormats
public import BasisSearch
public import BasisStorage
import BasisText
import Foundation
import Synchronization

/// A collection with everything done for its caller: encoders fitted and kept, segments sealed,
/// queries planned. The command line and the server both stand on it.
public final class VectorCollection: Sendable {
  public let store: CollectionStore
  let encoders = EncoderCache()
  private let view = Mutex<SearchView?>(nil)

  /// Below this many records nothing is sealed and no encoder is kept: a corpus so small is fitted
  /// anew at each search, in milliseconds, rather than frozen into a space of few dimensions.
  public static let minimumSealCount = 1024

  public init(_ store: CollectionStore) { self.store = store }

  /// Opens an existing collection.
  ///
  /// - Throws: `.notFound` with the nearest names; `.busy` if somebody else writes;
  ///   `.newerFormat`; `.corruptFile`.
  public convenience init(_ folder: CollectionFolder, for access: CollectionStore.Access)
    throws(BasisError)
  {
    self.init(try CollectionStore(folder, for: access))
  }

  /// Deletes a collection with everything in it.
  ///
  /// - Returns: how many records it had.
  /// - Throws: `.notFound`; `.busy` while somebody writes.
  public static func destroy(_ folder: CollectionFolder) throws(BasisError) -> Int {
    let store = try CollectionStore(folder, for: .write)
    let count = try store.snapshot().recordCount
    do {
      try FileManager.default.removeItem(atPath: folder.path)
    } catch {
      throw BasisError(.inputOutput, "cannot delete \(folder.path)", cause: error)
    }
    return count
  }

  /// Deletes the records that a filter lets through.
  ///
  /// - Returns: how many.
  @discardableResult
  public func delete(matching filter: Filter) throws(BasisError) -> Int {
    let snapshot = try store.snapshot()
    let sequences = try snapshot.sequences(matching: filter)
    var count = 0
    for start in stride(from: 0, to: sequences.count, by: 1000) {
      let chunk = sequences[start..<min(start + 1000, sequences.count)]
      count += try store.delete(keys: Set(snapshot.records(chunk).values.map(\.key)))
    }
    return count
  }

  // MARK: Sealing

  /// Seals full segments, and with `all` whatever is pending beyond the minimum; fits the encoder
  /// first if the collection has none yet.
  ///
  /// - Returns: how many records were sealed.
  public func seal(all: Bool, in run: RunContext) throws(BasisError) -> Int {
    var sealed = 0
    while true {
      let waiting = try store.pending()
      let isFull =
        waiting.count >= store.settings.segmentRowLimit
        || waiting.byteCount >= store.settings.segmentByteLimit
      // A model that is there already makes vectors once and for all.
      let least =
        EncoderCatalog.isModel(store.settings.encoder) ? 1 : VectorCollection.minimumSealCount
      guard isFull || (all && waiting.count >= least),
        waiting.count > 0
      else {
        return sealed
      }
      let spaces = try dense(fittingIn: run)
      var encoded = 0
      let total = min(waiting.count, store.settings.segmentRowLimit)
      let count = try store.seal(spaces: spaces.map(\.space), in: run) {
        (space, records) throws(BasisError) in
        guard let stored = spaces.first(where: { $0.space.id == space.id }) else {
          throw BasisError(.notFound, "the collection has no space \(space.id)")
        }
        let vectors = try VectorCollection.vectors(
          of: records, in: stored, encoders, in: run.continuing(from: encoded, of: total))
        encoded += records.count
        return vectors
      }
      releaseFreeMemory()
      guard count > 0 else { return sealed }
      sealed += count
    }
  }

  /// One row per record: its own vector, or what the space's encoder makes of its text.
  static func vectors(
    of records: [CollectionStore.PendingRecord], in stored: StoredSpace, _ encoders: EncoderCache,
    in run: RunContext
  ) throws(BasisError) -> Matrix {
    if stored.space.encoder == nil {
      return try Matrix(rows: records.map { $0.vector ?? [] })
    }
    return try encoders.encode(records.map(\.text), for: stored, in: run)
  }

  /// Ends a piece of writing: gives back the space of dead rows where it has become worth it.
  public func maintain(in run: RunContext) throws(BasisError) { try store.maintain(in: run) }

  /// Gives back all space, and leaves nothing of deleted records behind: not in the segments, not
  /// in the catalogue and its log, not among the words that an encoder learnt.
  ///
  /// - Returns: false if somebody holds a snapshot, and the catalogue's log therefore stays.
  /// - Complexity: memory of one segment.
  @discardableResult
  public func vacuum(in run: RunContext) throws(BasisError) -> Bool {
    view.withLock { $0 = nil }
    // First the segments: only then are their words those of live records alone.
    let isLogEmpty = try store.vacuum(in: run)
    let snapshot = try store.snapshot()
    for stored in snapshot.spaces {
      guard let model = try encoders.model(of: stored) as? CorpusEncoderModel else { continue }
      let query = LexicalQuery(terms: model.terms.map { LexicalQuery.Term(text: $0) })
      var statistics = try snapshot.pendingLexicalIndex.statistics(for: query)
      for part in snapshot.parts {
        statistics += try part.segment.lexicalIndex().statistics(for: query)
      }
      let kept = statistics.documentFrequencies.map { $0 > 0 }
      guard kept.contains(false) else { continue }
      let pruned = model.selecting(terms: kept)
      try store.replaceModel(of: stored.space.id) { writer throws(BasisError) in
        try pruned.write(to: writer)
      }
      encoders.forget(stored.space.id)
    }
    return isLogEmpty
  }

  /// The dense spaces of the collection; its first one is fitted now if there is none.
  private func dense(fittingIn run: RunContext) throws(BasisError) -> [StoredSpace] {
    try EncoderCatalog.addModelSpace(to: store)
    let spaces = try store.spaces().filter { $0.space.element == .dense }
    if !spaces.isEmpty { return spaces }
    let texts = try store.samplePendingTexts(byteLimit: EncoderCatalog.sampleByteLimit, in: run)
    let model = try EncoderCatalog.fit(texts, version: 1, settings: store.settings, in: run)
    try store.addSpace(model.space) { writer throws(BasisError) in try model.write(to: writer) }
    releaseFreeMemory()
    return try store.spaces().filter { $0.space.element == .dense }
  }

  /// The collection as it is now; the same view as before if nothing was written since.
  func currentView() throws(BasisError) -> SearchView {
    let generation = try store.generation()
    if let view = view.withLock({ $0 }), view.snapshot.generation == generation { return view }
    let fresh = SearchView(try store.snapshot(), encoders: encoders)
    view.withLock { $0 = fresh }
    return fresh
  }

  // MARK: What is there

  public func info() throws(BasisError) -> CollectionInfo {
    let snapshot = try store.snapshot()
    var indexes: [(rowCount: Int, plan: IndexPlanner.Plan)] = []
    var vectorBytes = 0
    if let space = snapshot.currentSpace?.space {
      for part in snapshot.parts {
        indexes.append((part.segment.rowCount, try part.segment.indexPlan(of: space)))
        vectorBytes += part.segment.byteCount(of: space)
      }
    }
    return CollectionInfo(
      name: store.folder.name, recordCount: snapshot.recordCount,
      pendingCount: snapshot.pending.count, segmentCount: snapshot.parts.count,
      byteCount: store.folder.byteCount, spaces: snapshot.spaces.map(\.space),
      indexes: indexes, vectorByteCount: vectorBytes, settings: store.settings)
  }
}

/// What a collection holds.
public struct CollectionInfo: Sendable {
  public let name: String
  public let recordCount: Int
  /// Durable records that no segment holds yet.
  public let pendingCount: Int
  public let segmentCount: Int
  /// On disk, catalogue and models included.
  public let byteCount: Int
  public let spaces: [Space]
  /// How the current space's vectors are indexed, a plan for each segment; the pending ones are
  /// compared one by one.
  public let indexes: [(rowCount: Int, plan: IndexPlanner.Plan)]
  /// What these vectors and their indexes take on disk.
  public let vectorByteCount: Int
  public let settings: CollectionSettings

  /// What a vector takes on disk with its share of the index; nil where no segment has vectors.
  public var bytesPerVector: Double? {
    let count = indexes.reduce(0) { $0 + $1.rowCount }
    return count == 0 ? nil : Double(vectorByteCount) / Double(count)
  }
}

extension RunContext {
  /// The same run for a part of the work: what is reported counts from `start` on.
  func continuing(from start: Int, of total: Int) -> RunContext {
    guard let listener = progress else { return self }
    var part = self
    part.progress = { step in
      let completed = start + step.completed
      listener(
        Progress(
          phase: step.phase, completed: completed, total: max(total, completed), unit: step.unit))
    }
    return part
  }
}
