public import BasisCore
public import BasisFormats
public import BasisSearch
import Synchronization

/// An immutable file of records: their sequences, their vectors in each space, and their lexical
/// index. Read through a memory mapping.
///
/// Blocks: `manifest` (JSON), `sequences` (Int64, rising), `lexical/…`, and for each dense space
/// `vectors/SPACE` of `row_count × dimension` floats and `index/SPACE/…`, its `DenseIndex`.
public final class Segment: Sendable {
  static let kind = "segment"
  static let formatVersion: UInt32 = 1
  static let lexicalPrefix = "lexical/"

  struct Manifest: Codable {
    var rowCount: Int
    var spaces: [Space]
  }

  public let id: Int64
  public let rowCount: Int
  /// Dense spaces that the segment has vectors of.
  public let spaces: [Space]
  /// The record version at each slot, rising.
  public let sequences: MappedArray<Int64>
  let container: Container
  // Opened when they are first asked for, because opening reads and checks their blocks.
  private let openLexical = Mutex<LexicalIndex?>(nil)
  private let dense = Mutex<[Space.Identifier: DenseIndex]>([:])

  init(id: Int64, path: String) throws(BasisError) {
    self.id = id
    container = try Container(
      path: path, kind: Segment.kind, maximumVersion: Segment.formatVersion)
    let manifest = try container.json("manifest", as: Manifest.self)
    sequences = try container.array("sequences", of: Int64.self)
    rowCount = manifest.rowCount
    spaces = manifest.spaces
    try requireRowCount(sequences.count, of: "sequences")
  }

  private func requireRowCount(_ count: Int, of block: String) throws(BasisError) {
    guard count != rowCount else { return }
    throw BasisError(
      .corruptFile,
      "\(container.path): the manifest counts \(rowCount) records, the block \(block) \(count)")
  }

  /// The index of the records' words.
  ///
  /// - Throws: `.corruptFile`.
  public func lexicalIndex() throws(BasisError) -> LexicalIndex {
    if let index = openLexical.withLock({ $0 }) { return index }
    let index = try LexicalIndex(from: container, prefix: Segment.lexicalPrefix)
    try requireRowCount(index.count, of: Segment.lexicalPrefix)
    openLexical.withLock { $0 = index }
    return index
  }

  /// The vectors of one dense space, a row a slot; nil where the segment has none of it.
  ///
  /// - Throws: `.corruptFile`; `.spaceMismatch`.
  public func vectors(of space: Space) throws(BasisError) -> Matrix? {
    guard let stored = spaces.first(where: { $0.id == space.id }) else { return nil }
    guard stored.dimension == space.dimension, stored.metric == space.metric else {
      throw BasisError(
        .spaceMismatch,
        "\(container.path) holds \(stored.dimension)-dimensional \(stored.metric.rawValue) vectors "
          + "of \(space.id), asked for were \(space.dimension) and \(space.metric.rawValue)")
    }
    let matrix = try container.matrix(Segment.block(space.id), columnCount: space.dimension)
    try requireRowCount(matrix.rowCount, of: Segment.block(space.id))
    return matrix
  }

  /// The index of one dense space; nil where the segment has no vectors of it.
  ///
  /// - Throws: `.corruptFile`; `.spaceMismatch`.
  public func denseIndex(of space: Space) throws(BasisError) -> DenseIndex? {
    if let index = dense.withLock({ $0[space.id] }) { return index }
    guard let rows = try vectors(of: space) else { return nil }
    let index = try DenseIndex(
      from: container, prefix: Segment.indexPrefix(space.id), rows: rows, metric: space.metric)
    dense.withLock { $0[space.id] = index }
    return index
  }

  /// How the vectors of a space are indexed, without opening the index.
  ///
  /// - Throws: `.corruptFile`.
  public func indexPlan(of space: Space) throws(BasisError) -> IndexPlanner.Plan {
    try DenseIndex.plan(in: container, prefix: Segment.indexPrefix(space.id))
  }

  /// Where a record version lies; nil if it is not here.
  ///
  /// - Complexity: O(log *n*).
  public func slot(of sequence: Int64) -> Int? {
    var low = 0
    var high = sequences.count
    while low < high {
      let middle = (low + high) / 2
      if sequences[middle] < sequence { low = middle + 1 } else { high = middle }
    }
    return low < sequences.count && sequences[low] == sequence ? low : nil
  }

  static func block(_ space: Space.Identifier) -> String { "vectors/\(space)" }
  static func indexPrefix(_ space: Space.Identifier) -> String { "index/\(space)/" }
}
