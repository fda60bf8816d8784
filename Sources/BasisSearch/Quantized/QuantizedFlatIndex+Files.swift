import BasisCodecs
public import BasisCore
public import BasisFormats

/// In a file an index is these blocks, each with the given prefix; its rows are kept elsewhere.
///
/// | block | holds |
/// |---|---|
/// | `settings` | JSON: metric, shape, calibration, layout version |
/// | `codec.`… | the codec's own blocks |
/// | `codes` | the codes as the codec made them; or |
/// | `blocks` | 4-bit product codes in blocks of 32, 64 bytes per four parts |
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
        metric: metric, count: count, dimension: dimension, calibration: calibration))
    try codec.write(to: writer, prefix: prefix + "codec.")
    switch codes {
    case .plain(let codes): try codes.write(to: writer, prefix + "codes")
    case .blocks(let lists): try lists.blocks.write(to: writer, prefix + "blocks")
    }
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
    self.init(
      flat: try FlatIndex(rows, metric: header.metric), codec: codec,
      codes: try QuantizedCodes(
        from: container, prefix: prefix, codec: codec, count: header.count),
      calibration: header.calibration)
  }
}

struct QuantizedHeader: Codable {
  var layout = 1
  var metric: Metric
  var count: Int
  var dimension: Int
  var calibration: Calibration
}
