public import BasisCore
import BasisSearch
public import BasisStorage

/// The vectors of a collection's current dense space, by record, in one unchanging view.
public struct VectorReader: Sendable {
  public let snapshot: CollectionSnapshot
  public let space: Space
  private let dense: SearchView.Dense
  /// Where each pending record's vector is.
  private let places: [Int64: Int]

  init(_ view: SearchView, _ dense: SearchView.Dense) {
    snapshot = view.snapshot
    space = dense.space
    self.dense = dense
    places = Dictionary(
      uniqueKeysWithValues: view.snapshot.pending.enumerated().map { ($1.sequence, $0) })
  }

  /// A row for each record, in this order.
  ///
  /// - Parameter sequences: of records that live in ``snapshot``.
  /// - Throws: `.notFound` for a record that is not there; `.corruptFile` for a damaged segment.
  /// - Complexity: O(log *n*) a record, and its dimension.
  public func vectors(of sequences: [Int64]) throws(BasisError) -> Matrix {
    var rows: [[Float]] = []
    rows.reserveCapacity(sequences.count)
    for sequence in sequences {
      guard let row = try vector(of: sequence) else {
        throw BasisError(
          .notFound,
          "collection '\(snapshot.store.folder.name)' has no vector of \(space.id) for record "
            + "\(sequence)")
      }
      rows.append(row)
    }
    guard !rows.isEmpty else { return Matrix(rowCount: 0, columnCount: space.dimension) }
    return try Matrix(rows: rows)
  }

  private func vector(of sequence: Int64) throws(BasisError) -> [Float]? {
    if let place = places[sequence] { return dense.pending.rows.row(place) }
    for part in snapshot.parts {
      guard let slot = part.segment.slot(of: sequence) else { continue }
      return try part.segment.vector(at: slot, of: space)
    }
    return nil
  }
}

extension VectorCollection {
  /// A view of the collection's vectors as they are now; what is not sealed yet is encoded first.
  ///
  /// - Parameter run: seed, threads and cancellation.
  /// - Throws: `.notFound` for a collection without vectors; what the encoder throws.
  public func vectorReader(in run: RunContext) throws(BasisError) -> VectorReader {
    let view = try currentView()
    guard let dense = try view.dense(in: run) else {
      throw BasisError(
        .notFound, "collection '\(store.folder.name)' has no vectors; ingest some records first")
    }
    return VectorReader(view, dense)
  }
}
