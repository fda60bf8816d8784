public import BasisCore
public import BasisFormats
public import BasisSearch
import Synchronization

/// An immutable file of records: their sequences, their vectors in each space, and their lexical
/// index. Read through a memory mapping.
///
/// Blocks: `manifest` (JSON), `sequences` (Int64, rising), `lexical/…`, and one `vectors/SPACE` of
/// `row_count × dimension` floats for each dense space.
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
  public let lexical: LexicalIndex
  let container: Container
  private let dense = Mutex<[Space.Identifier: FlatIndex]>([:])

  init(id: Int64, path: String) throws(BasisError) {
    self.id = id
    container = try Container(
      path: path, kind: Segment.kind, maximumVersion: Segment.formatVersion)
    let manifest = try container.json("manifest", as: Manifest.self)
    sequences = try container.array("sequences", of: Int64.self)
    rowCount = manifest.rowCount
    spaces = manifest.spaces
    lexical = try LexicalIndex(from: container, prefix: Segment.lexicalPrefix)
    guard sequences.count == rowCount, lexical.count == rowCount else {
      throw BasisError(
        .corruptFile,
        "\(path): the manifest counts \(rowCount) records, the blocks \(sequences.count) and "
          + "\(lexical.count)")
    }
  }

  /// The exact index of one dense space; nil where the segment has no vectors of it.
  public func denseIndex(of space: Space) throws(BasisError) -> FlatIndex? {
    if let index = dense.withLock({ $0[space.id] }) { return index }
    guard let stored = spaces.first(where: { $0.id == space.id }) else { return nil }
    guard stored.dimension == space.dimension, stored.metric == space.metric else {
      throw BasisError(
        .spaceMismatch,
        "\(container.path) holds \(stored.dimension)-dimensional \(stored.metric.rawValue) vectors "
          + "of \(space.id), asked for were \(space.dimension) and \(space.metric.rawValue)")
    }
    let matrix = try container.matrix(Segment.block(space.id), columnCount: space.dimension)
    guard matrix.rowCount == rowCount else {
      throw BasisError(
        .corruptFile, "\(container.path): \(matrix.rowCount) vectors for \(rowCount) records")
    }
    let index = try FlatIndex(matrix, metric: space.metric)
    dense.withLock { $0[space.id] = index }
    return index
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
}
