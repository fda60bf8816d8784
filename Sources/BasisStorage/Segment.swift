public import BasisCore
public import BasisFormats
public import BasisSearch
import Synchronization

/// An immutable file of records: their sequences, their vectors in each space, and their lexical
/// index. Read through a memory mapping.
///
/// Blocks: `manifest` (JSON), `sequences` (Int64, rising), `lexical/…`, and for each dense space
/// `vectors/SPACE` of `row_count × dimension` floats and `index/SPACE/…`, its `DenseIndex`. From
/// version 2 on also `columns` (JSON: whose values they hold) and `columns/…`, see `FilterColumn`.
///
/// Vectors and postings are verified chunk by chunk as they are read; small blocks, and those that
/// every query runs through, when they are first asked for.
public final class Segment: Sendable {
  static let kind = "segment"
  static let formatVersion: UInt32 = 2
  static let lexicalPrefix = "lexical/"

  static let columnsBlock = "columns"

  struct Columns: Codable {
    /// Of the field of each column.
    var paths: [[String]]
  }

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
  /// How many bytes of it were read and compared with their checksums so far.
  package var verifiedByteCount: Int { container.verifiedByteCount }
  package var byteCount: Int { container.byteCount }

  /// What the vectors of a space and their index take on disk.
  public func byteCount(of space: Space) -> Int {
    container.byteCount(ofBlocks: Segment.block(space.id))
      + container.byteCount(ofBlocks: Segment.indexPrefix(space.id))
  }
  // Opened when they are first asked for, because opening reads and checks their blocks.
  private let openLexical = Mutex<LexicalIndex?>(nil)
  private let dense = Mutex<[Space.Identifier: DenseIndex]>([:])
  private let openColumns = Mutex<[Int: FilterColumn]>([:])
  /// The number of each field's column.
  private let columnNumbers: [[String]: Int]

  init(id: Int64, path: String) throws(BasisError) {
    self.id = id
    container = try Container(
      path: path, kind: Segment.kind, maximumVersion: Segment.formatVersion)
    let manifest = try container.json("manifest", as: Manifest.self)
    sequences = try container.array("sequences", of: Int64.self)
    rowCount = manifest.rowCount
    spaces = manifest.spaces
    let columns =
      container.contains(Segment.columnsBlock)
      ? try container.json(Segment.columnsBlock, as: Columns.self) : Columns(paths: [])
    columnNumbers = Dictionary(
      columns.paths.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    try requireRowCount(sequences.count, of: "sequences")
  }

  private func requireRowCount(_ count: Int, of block: String) throws(BasisError) {
    guard count != rowCount else { return }
    throw BasisError(
      .corruptFile,
      "\(container.path): the manifest counts \(rowCount) records, the block \(block) \(count)")
  }

  /// The first and the last record version; a range of its own where there is none.
  var sequenceRange: ClosedRange<Int64> {
    guard let first = sequences.first, let last = sequences.last, first <= last else {
      return 0...0
    }
    return first...last
  }

  /// Puts the slots of some record versions, rising, into a bitmap.
  func mark(_ wanted: [Int64], in bitmap: inout Bitmap) {
    // Both lists rise, so one walk pairs them.
    var slot = 0
    sequences.withUnsafeBufferPointer { own in
      for sequence in wanted {
        while slot < own.count, own[slot] < sequence { slot += 1 }
        guard slot < own.count else { break }
        if own[slot] == sequence { bitmap[slot] = true }
      }
    }
  }

  /// The slots that a filter lets through, dead ones included; nil where the columns cannot tell.
  ///
  /// - Throws: `.corruptFile`.
  func records(matching filter: Filter) throws(BasisError) -> Bitmap? {
    try filter.condition.records { (field) throws(BasisError) in
      guard case .payload(let path) = field, let number = columnNumbers[path] else { return nil }
      if let open = openColumns.withLock({ $0[number] }) { return open }
      let column = try FilterColumn(container, number: number, count: rowCount)
      openColumns.withLock { $0[number] = column }
      return column
    }
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
  /// - Complexity: reads them all the first time, to verify them.
  public func vectors(of space: Space) throws(BasisError) -> Matrix? {
    guard let (matrix, block) = try unverifiedVectors(of: space) else { return nil }
    try block.verify(records: 0..<matrix.rowCount, stride: 4 * matrix.columnCount)
    return matrix
  }

  /// The vector at a slot; nil where the segment has none of the space.
  ///
  /// - Throws: `.corruptFile`; `.spaceMismatch`.
  /// - Precondition: `slot` is in `0 ..< rowCount`.
  public func vector(at slot: Int, of space: Space) throws(BasisError) -> [Float]? {
    guard let (matrix, block) = try unverifiedVectors(of: space) else { return nil }
    try block.verify(records: slot..<slot + 1, stride: 4 * matrix.columnCount)
    return matrix.row(slot)
  }

  private func unverifiedVectors(of space: Space) throws(BasisError)
    -> (matrix: Matrix, block: BlockGuard)?
  {
    guard let stored = spaces.first(where: { $0.id == space.id }) else { return nil }
    guard stored.dimension == space.dimension, stored.metric == space.metric else {
      throw BasisError(
        .spaceMismatch,
        "\(container.path) holds \(stored.dimension)-dimensional \(stored.metric.rawValue) vectors "
          + "of \(space.id), asked for were \(space.dimension) and \(space.metric.rawValue)")
    }
    let (matrix, block) = try container.unverifiedMatrix(
      Segment.block(space.id), columnCount: space.dimension)
    try requireRowCount(matrix.rowCount, of: Segment.block(space.id))
    return (matrix, block)
  }

  /// The index of one dense space; nil where the segment has no vectors of it.
  ///
  /// - Throws: `.corruptFile`; `.spaceMismatch`.
  public func denseIndex(of space: Space) throws(BasisError) -> DenseIndex? {
    if let index = dense.withLock({ $0[space.id] }) { return index }
    guard let (rows, block) = try unverifiedVectors(of: space) else { return nil }
    let index = try DenseIndex(
      from: container, prefix: Segment.indexPrefix(space.id), rows: rows, metric: space.metric,
      guardedBy: block)
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
