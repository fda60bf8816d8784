public import BasisCore

/// The rows of a `.npy` matrix of floats, read from the file when they are asked for; nothing of
/// them stays in memory.
///
/// For rows that are read here and there from a file larger than memory. Many rows in order are read
/// faster by `Matrix(contentsOf:)`. Safe to use from any number of threads.
public final class NumPyRows: Sendable {
  public let path: String
  public let rowCount: Int
  public let columnCount: Int
  private let file: SystemFile
  /// Where the first row starts.
  private let start: Int

  /// The size of the file.
  public var byteCount: Int { start + rowCount * columnCount * MemoryLayout<Float>.stride }

  /// Opens a file and reads its header.
  ///
  /// - Parameter path: a plain file.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` for a file that is no matrix of float32, or is
  ///   cut short.
  public init(contentsOf path: String) throws(BasisError) {
    self.path = path
    file = try SystemFile(reading: path)
    let status = try file.status()
    guard status.kind == .file else {
      throw BasisError(.badData, "\(path): is not a plain file of numbers")
    }
    // Only the header's pages are touched.
    let mapping = try Mapping(file, byteCount: status.byteCount)
    let header: NumPyHeader
    do throws(BasisError) {
      header = try NumPyHeader(reading: mapping.bytes)
    } catch {
      throw error.at(path)
    }
    guard header.shape.count == 2, header.element == .float32, !header.isFortranOrdered,
      !header.isBigEndian
    else {
      throw BasisError(
        .badData,
        "\(path): holds \(header.element) of shape \(header.shape); rows are read one by one from "
          + "a matrix of float32, row after row, little end first")
    }
    rowCount = header.shape[0]
    columnCount = header.shape[1]
    start = header.byteCount
  }

  /// Reads rows that follow each other.
  ///
  /// - Parameters:
  ///   - rows: a range within `0 ..< rowCount`.
  ///   - out: room for them.
  /// - Throws: `.corruptFile` if the file has become shorter; `.inputOutput`.
  /// - Precondition: the range lies within the file's rows.
  public func read(_ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) throws(BasisError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
    let width = columnCount * MemoryLayout<Float>.stride
    try file.fill(
      UnsafeMutableRawBufferPointer(start: out, count: rows.count * width),
      from: start + rows.lowerBound * width)
  }
}
