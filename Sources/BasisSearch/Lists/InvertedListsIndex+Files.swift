import BasisCodecs
public import BasisCore
public import BasisFormats

/// In a file an index is these blocks, each with the given prefix; its rows are kept elsewhere.
///
/// | block | holds |
/// |---|---|
/// | `settings` | JSON: metric, settings, shape, calibration, layout version |
/// | `centroids` | `Float`, lists × *d* |
/// | `words` | `Float`, parts × width × 16: words of a part side by side |
/// | `counts` | `UInt32` per list: how many codes it has |
/// | `blocks` | the codes, in blocks of 32, 64 bytes per four parts |
/// | `ids` | `UInt32` per place in a block: the row |
/// | `halves` | Euclidean only: `Float` per place, half a squared norm less the list's least |
/// | `leasts` | `Float` per list: that least |
/// | `norms` | `Float` per row: its Euclidean norm |
extension InvertedListsIndex {
  struct Header: Codable {
    var layout = 1
    var metric: Metric
    var settings: Settings
    var count: Int
    var dimension: Int
    var parts: Int
    var width: Int
    var calibration: Calibration
  }

  /// Writes the index, without its rows, as blocks of a file that is being made.
  ///
  /// - Parameters:
  ///   - writer: where the blocks go.
  ///   - prefix: starts each block's name, so that several indexes fit into one file.
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "settings",
      json: Header(
        metric: metric, settings: settings, count: count, dimension: dimension,
        parts: book.parts, width: book.width, calibration: calibration))
    try writer.write(prefix + "centroids", matrix: centroids)
    try writer.write(prefix + "words", book.words)
    try lists.counts.write(to: writer, prefix + "counts")
    try lists.blocks.write(to: writer, prefix + "blocks")
    try lists.ids.write(to: writer, prefix + "ids")
    try lists.halves.write(to: writer, prefix + "halves")
    try lists.leasts.write(to: writer, prefix + "leasts")
    try FlatIndex.write(norms: flat.norms, to: writer, prefix: prefix)
  }

  /// Opens an index in a file. Its codes stay there and are read as they are needed.
  ///
  /// - Parameters:
  ///   - container: where the blocks are.
  ///   - prefix: what ``write(to:prefix:)`` was given.
  ///   - rows: the rows that the index was made of.
  /// - Throws: `.corruptFile` if a block is missing, damaged or does not fit the others;
  ///   `.newerFormat`; `.dimensionMismatch` if the rows are of another shape; `.badData` naming a
  ///   value of theirs that is not finite.
  public init(from container: Container, prefix: String, rows: Matrix) throws(BasisError) {
    try self.init(from: container, prefix: prefix, rows: rows, guardedBy: nil)
  }

  /// Opens an index in a file over rows that are touched before they are read.
  init(from container: Container, prefix: String, rows: Matrix, guardedBy block: BlockGuard?)
    throws(BasisError)
  {
    let header = try container.json(prefix + "settings", as: Header.self)
    try container.requireLayout(header.layout, of: "inverted lists")
    try rows.requireShape(header.count, header.dimension, of: "inverted lists")
    let (d, parts, width) = (header.dimension, header.parts, header.width)
    let words = Array(try container.array(prefix + "words", of: Float.self))
    let counts = try container.array(prefix + "counts", of: UInt32.self)
    let centroids = try container.array(prefix + "centroids", of: Float.self)
    guard parts >= 1, parts <= FastScan.maximumParts, width >= 1, width <= max(1, d),
      parts * width >= d, words.count == parts * width * 16, counts.count >= 1,
      centroids.count == counts.count * d, words.allSatisfy({ $0.isFinite }),
      header.calibration.fits
    else {
      throw Self.corrupt("\(parts) parts of \(width), \(words.count) words, \(counts.count) lists")
    }
    let lists = CodeLists(
      parts: parts, counts: .mapped(counts),
      blocks: .mapped(try container.array(prefix + "blocks", of: UInt8.self)),
      ids: .mapped(try container.array(prefix + "ids", of: UInt32.self)),
      halves: .mapped(try container.array(prefix + "halves", of: Float.self)),
      leasts: .mapped(try container.array(prefix + "leasts", of: Float.self)))
    guard
      lists.fits(
        rowCount: header.count, copies: header.settings.copies(listCount: counts.count),
        hasHalves: header.metric == .squaredEuclidean)
    else {
      throw Self.corrupt("the lists do not hold \(header.count) rows")
    }
    let matrix =
      d == 0
      ? Matrix(rowCount: counts.count, columnCount: 0)
      : try container.matrix(prefix + "centroids", columnCount: d)
    guard matrix.firstNonFinite() == nil else { throw Self.corrupt("a centroid is not finite") }
    self.init(
      rows: rows, metric: header.metric, settings: header.settings,
      flat: try FlatIndex(
        from: container, prefix: prefix, rows: rows, metric: header.metric, guardedBy: block),
      centroids: matrix,
      book: ProductCodebook(parts: parts, width: width, size: 16, words: words), lists: lists)
    calibration = header.calibration
  }

  static func corrupt(_ what: String) -> BasisError {
    BasisError(.corruptFile, "inverted lists: \(what); rebuild the segment")
  }
}

extension CodeLists {
  /// Whether everything lies inside the blocks, and every row is there so many times.
  func fits(rowCount: Int, copies: Int, hasHalves: Bool) -> Bool {
    let places = starts[starts.count - 1].multipliedReportingOverflow(by: FastScan.blockSize)
    guard !places.overflow, ids.count == places.partialValue,
      blocks.count == places.partialValue / FastScan.blockSize * blockBytes,
      halves.count == (hasHalves ? ids.count : 0), leasts.count == listCount
    else { return false }
    var missing = [UInt8](repeating: UInt8(copies), count: rowCount)
    return withPointers { lists in
      for list in lists.counts.indices {
        let first = lists.starts[list] * FastScan.blockSize
        for place in first..<first + Int(lists.counts[list]) {
          let id = Int(lists.ids[place])
          guard id < rowCount, missing[id] > 0 else { return false }
          missing[id] -= 1
        }
      }
      guard lists.leasts.allSatisfy({ $0.isFinite }) else { return false }
      return missing.allSatisfy { $0 == 0 }
        && lists.halves.allSatisfy { $0.isFinite && $0 >= 0 }
    }
  }
}

extension Calibration {
  /// Whether the tables have the shape that they say.
  var fits: Bool {
    probes.allSatisfy { $0 >= 1 } && shortlists.allSatisfy { $0 >= 1 && $0 < 1 << 31 }
      && tables.allSatisfy {
        $0.k >= 1 && $0.recalls.count == probes.count
          && $0.recalls.allSatisfy { $0.count == shortlists.count }
      }
  }
}
