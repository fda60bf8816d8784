import BasisCodecs
public import BasisCore
public import BasisFormats

/// In a file an index is these blocks, each with the given prefix; its rows are kept elsewhere.
///
/// | block | holds |
/// |---|---|
/// | `settings` | JSON: metric, shape, calibration, layout version |
/// | `codec.`… | the codec's own blocks |
/// | `norms` | a float per row, its length |
/// | `blocks` | 4-bit product codes in blocks of 32, 64 bytes per four parts; or |
/// | `bytes`, `factors` | bytes in blocks of 16 rows, 64 bytes per four values; or |
/// | `bits`, `factors`, `halves` | bits in blocks of 32, 64 bytes per sixteen; or |
/// | `codes` | the codes as the codec made them |
extension QuantizedFlatIndex {
  /// Writes the index, without its rows, as blocks of a file that is being made.
  ///
  /// - Parameters:
  ///   - writer: where the blocks go.
  ///   - prefix: starts each block's name, so that several indexes fit into one file.
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "settings",
      json: QuantizedHeader(
        metric: metric, count: count, dimension: dimension, calibration: calibration,
        proofs: proofs))
    try codec.write(to: writer, prefix: prefix + "codec.")
    try FlatIndex.write(norms: flat.norms, to: writer, prefix: prefix)
    try codes.write(to: writer, prefix: prefix)
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
    let header = try container.json(prefix + "settings", as: QuantizedHeader.self)
    try container.requireLayout(header.layout, of: "quantised index")
    try rows.requireShape(header.count, header.dimension, of: "quantised index")
    let codec = try Codec(from: container, prefix: prefix + "codec.")
    guard codec.dimension == rows.columnCount, header.calibration.fits else {
      throw BasisError(
        .corruptFile,
        "quantised index: a codec for dimension \(codec.dimension) with rows of "
          + "\(rows.columnCount); rebuild the segment")
    }
    let flat = try FlatIndex(
      from: container, prefix: prefix, rows: rows, metric: header.metric, guardedBy: block)
    self.init(
      flat: flat, codec: codec,
      codes: try CodeLayout.open(
        container, prefix: prefix, codec, metric: header.metric, count: header.count,
        norms: flat.norms),
      calibration: header.calibration, proofs: header.proofs ?? [])
  }
}

struct QuantizedHeader: Codable {
  var layout = 1
  var metric: Metric
  var count: Int
  var dimension: Int
  var calibration: Calibration
  /// None in older files.
  var proofs: [ProofSize]?
}
