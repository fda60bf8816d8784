import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage
import BasisText
import Synchronization

/// A snapshot with what a query needs beside it, made once and shared by the queries that see the
/// same state of the collection.
final class SearchView: Sendable {
  let snapshot: CollectionSnapshot
  /// The space of dense queries, and the pending records' vectors.
  struct Dense: Sendable {
    let space: Space
    /// Nil where vectors come ready-made.
    let encoder: (any TextEncoder)?
    let pending: FlatIndex
  }

  private let encoders: EncoderCache
  private let cachedDense = Mutex<Dense?>(nil)

  init(_ snapshot: CollectionSnapshot, encoders: EncoderCache) {
    self.snapshot = snapshot
    self.encoders = encoders
  }

  /// The dense side; nil for a collection without records. Where no space has been fitted yet, one
  /// is fitted on the pending records and kept as long as this view.
  func dense(in run: RunContext) throws(BasisError) -> Dense? {
    if let made = cachedDense.withLock({ $0 }) { return made }
    let made: Dense
    if let stored = snapshot.currentSpace {
      let space = stored.space
      let vectors =
        snapshot.pending.isEmpty
        ? Matrix(rowCount: 0, columnCount: space.dimension)
        : try VectorCollection.vectors(of: snapshot.pending, in: stored, encoders, in: run)
      made = Dense(
        space: space, encoder: space.encoder == nil ? nil : try encoders.encoder(of: stored),
        pending: try FlatIndex(vectors, metric: space.metric))
    } else {
      guard !snapshot.pending.isEmpty,
        EncoderCatalog.isLearnt(snapshot.store.settings.encoder)
      else { return nil }
      let texts = snapshot.pending.map(\.text)
      let encoder = try EncoderCatalog.fit(
        texts, version: 0, settings: snapshot.store.settings, in: run)
      made = Dense(
        space: encoder.space, encoder: encoder,
        pending: try FlatIndex(
          encoder.encode(texts, as: .document, in: run), metric: encoder.space.metric))
    }
    cachedDense.withLock { $0 = made }
    return made
  }

  /// Which slots of each segment, and which pending records, a query may answer.
  struct Allowed {
    var parts: [Bitmap?]
    var pending: Bitmap?
    /// How many records that is.
    var count: Int
  }

  /// - Parameter matches: what a filter lets through; nil for all.
  func allowed(_ matches: FilterMatches?) -> Allowed {
    guard let matches else {
      return Allowed(
        parts: snapshot.parts.map(\.live), pending: nil, count: snapshot.recordCount)
    }
    return Allowed(parts: matches.parts, pending: matches.pending, count: matches.count)
  }

  // MARK: Rankings, with sequences as ids

  func lexicalRanking(_ query: LexicalQuery, k: Int, allowed: Allowed, in run: RunContext)
    throws(BasisError) -> (neighbors: [Neighbor], statistics: LexicalStatistics)
  {
    // Scores are as if all segments were one index: their statistics are added up first.
    let pending = snapshot.pendingLexicalIndex
    var statistics = try pending.statistics(for: query)
    for part in snapshot.parts {
      statistics += try part.segment.lexicalIndex().statistics(for: query)
    }
    var best = TopK(k: k)
    for (part, bitmap) in zip(snapshot.parts, allowed.parts) {
      let found = try part.segment.lexicalIndex().search(
        query, k: k, allowing: bitmap, statistics: statistics, in: run)
      for neighbor in found {
        best.offer(
          Neighbor(id: Int(part.segment.sequences[neighbor.id]), distance: neighbor.distance))
      }
    }
    let found = try pending.search(
      query, k: k, allowing: allowed.pending, statistics: statistics, in: run)
    for neighbor in found {
      best.offer(
        Neighbor(id: Int(snapshot.pending[neighbor.id].sequence), distance: neighbor.distance))
    }
    return (best.sorted(), statistics)
  }

  func denseRanking(
    _ vector: Matrix, of dense: Dense, k: Int, allowed: Allowed, effort: Effort,
    in run: RunContext
  ) throws(BasisError) -> (neighbors: [Neighbor], kinds: [IndexKind: Int]) {
    var best = TopK(k: k)
    var kinds: [IndexKind: Int] = [:]
    for (part, bitmap) in zip(snapshot.parts, allowed.parts) {
      guard let index = try part.segment.denseIndex(of: dense.space) else { continue }
      kinds[index.kind, default: 0] += 1
      let found = try index.search(
        vector, k: k, allowing: bitmap, effort: effort, in: run)[0]
      for neighbor in found {
        best.offer(
          Neighbor(id: Int(part.segment.sequences[neighbor.id]), distance: neighbor.distance))
      }
    }
    for neighbor in try dense.pending.search(vector, k: k, allowing: allowed.pending, in: run)[0] {
      best.offer(
        Neighbor(id: Int(snapshot.pending[neighbor.id].sequence), distance: neighbor.distance))
    }
    return (best.sorted(), kinds)
  }

  /// What each term adds to a record's lexical score.
  func explain(_ sequence: Int, _ query: LexicalQuery, _ statistics: LexicalStatistics)
    throws(BasisError) -> [LexicalIndex.Contribution]
  {
    for part in snapshot.parts {
      guard let slot = part.segment.slot(of: Int64(sequence)) else { continue }
      return try part.segment.lexicalIndex().explain(slot, for: query, statistics: statistics)
    }
    guard let place = snapshot.pending.firstIndex(where: { $0.sequence == Int64(sequence) }) else {
      return []
    }
    return try snapshot.pendingLexicalIndex.explain(place, for: query, statistics: statistics)
  }
}
