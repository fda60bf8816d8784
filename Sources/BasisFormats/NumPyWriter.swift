public import BasisCore

/// Writes a matrix as an npy file while its rows come in, without knowing how many there will be.
///
/// The file appears at ``finish()``; a writer that is dropped before leaves nothing behind. For one
/// thread at a time. Memory: that of the rows of one call.
public final class NumPyWriter {
  /// How many rows were written.
  public private(set) var rowCount = 0
  public let columnCount: Int

  private let file: ReplacingFile
  private let element: NumPyElement
  private let headerCount: Int

  /// - Parameters:
  ///   - path: its folder exists.
  ///   - columnCount: at least 0.
  ///   - element: `.float16`, `.float32` or `.float64`.
  /// - Throws: `.invalidArgument` for another element; `.notFound` if the folder does not exist;
  ///   `.inputOutput`.
  public init(path: String, columnCount: Int, as element: NumPyElement = .float32)
    throws(BasisError)
  {
    guard element.isFloatingPoint, columnCount >= 0 else {
      throw BasisError(
        .invalidArgument,
        "rows of \(columnCount) values cannot be saved as \(element.rawValue); f2, f4 and f8 can be"
      )
    }
    self.columnCount = columnCount
    self.element = element
    file = try ReplacingFile(path)
    let header = NumPyHeader(shape: [0, columnCount], element: element).serialized()
    headerCount = header.count
    try header.withUnsafeBytesOf { (raw) throws(BasisError) in try file.append(raw) }
  }

  /// Adds rows behind those that are there.
  ///
  /// - Throws: `.dimensionMismatch` for rows of another length; `.inputOutput`.
  public func append(_ rows: Matrix) throws(BasisError) {
    guard rows.columnCount == columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the rows have \(rows.columnCount) values, those of the file \(columnCount)")
    }
    let content = rows.withUnsafeFloats { encoded($0, as: element) }
    try content.withUnsafeBytesOf { (raw) throws(BasisError) in try file.append(raw) }
    rowCount += rows.rowCount
  }

  /// Completes the file and puts it in the place of what was there.
  ///
  /// - Throws: `.inputOutput`; what was there is then as it was.
  public func finish() throws(BasisError) {
    let header = NumPyHeader(shape: [rowCount, columnCount], element: element).serialized()
    precondition(header.count == headerCount, "a header grew with its number of rows")
    try header.withUnsafeBytesOf { (raw) throws(BasisError) in try file.write(raw, at: 0) }
    try file.finish()
  }
}
