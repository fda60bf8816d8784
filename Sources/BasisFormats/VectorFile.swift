public import BasisCore

/// A file of vectors, each behind its own length: fvecs (floats), ivecs (32-bit integers) or bvecs
/// (bytes), as the TEXMEX collections of nearest-neighbour search use them. All vectors of a file
/// have one length.
///
/// Jégou, Douze & Schmid, *Product quantization for nearest neighbor search*, IEEE TPAMI 33 (2011),
/// and the description of the files at corpus-texmex.irisa.fr.
public struct VectorFile: Sendable {
  /// What the elements of a file are.
  public enum Element: String, CaseIterable, Sendable {
    case float32 = "fvecs"
    case int32 = "ivecs"
    case uint8 = "bvecs"

    /// Bytes an element.
    var byteCount: Int { self == .uint8 ? 1 : 4 }
  }

  public let element: Element
  public let rowCount: Int
  /// 0 for an empty file.
  public let columnCount: Int

  private let name: String
  private let file: FileBytes
  private var rowSize: Int { 4 + columnCount * element.byteCount }

  /// Opens a file and checks the length of every vector.
  ///
  /// - Parameters:
  ///   - path: a file, gzipped or not, or `-` for standard input.
  ///   - element: what it holds; the files themselves do not say.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` naming the byte where a length is not the
  ///   first one's, or where the file is cut off.
  /// - Complexity: O(number of vectors).
  public init(contentsOf path: String, element: Element) throws(BasisError) {
    try self.init(
      try FileBytes.read(path), path == "-" ? "standard input" : path, element)
  }

  init(_ file: FileBytes, _ name: String, _ element: Element) throws(BasisError) {
    func damaged(_ position: Int, _ what: String) -> BasisError {
      BasisError(
        .badData, "\(name): byte \(position): \(what); make the \(element.rawValue) file again")
    }
    self.file = file
    self.name = name
    self.element = element
    let bytes = file.bytes
    guard !bytes.isEmpty else {
      (rowCount, columnCount) = (0, 0)
      return
    }
    guard bytes.count >= 4 else { throw damaged(0, "the first vector is cut off") }
    columnCount = Int(Int32(bitPattern: bytes.littleEndian(at: 0, UInt32.self)))
    guard columnCount >= 1 else { throw damaged(0, "a vector has \(columnCount) elements") }
    let size = 4 + columnCount * element.byteCount
    rowCount = bytes.count / size
    for row in 0..<rowCount {
      let length = Int(Int32(bitPattern: bytes.littleEndian(at: row * size, UInt32.self)))
      guard length == columnCount else {
        throw damaged(
          row * size, "vector \(row) has \(length) elements, vector 0 has \(columnCount)")
      }
    }
    guard rowCount * size == bytes.count else {
      throw damaged(bytes.count, "vector \(rowCount) of \(columnCount) elements is cut off")
    }
  }

  /// The vectors as rows.
  ///
  /// - Complexity: O(elements): the lengths between them are left out, so this is a copy.
  public func matrix() -> Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount) { target in
      for row in 0..<rowCount {
        for column in 0..<columnCount {
          let index = row * columnCount + column
          switch element {
          case .float32: target[index] = Float(bitPattern: word(row, column))
          case .int32: target[index] = Float(Int32(bitPattern: word(row, column)))
          case .uint8: target[index] = Float(byte(row, column))
          }
        }
      }
    }
  }

  /// The vectors as whole numbers, such as the true neighbours of queries.
  ///
  /// - Throws: `.unsupported` for a file of floats.
  public func integers() throws(BasisError) -> [[Int]] {
    guard element != .float32 else {
      throw BasisError(.unsupported, "\(name): holds floats, not whole numbers; read its matrix")
    }
    return (0..<rowCount).map { row in
      (0..<columnCount).map { column in
        element == .uint8
          ? Int(byte(row, column)) : Int(Int32(bitPattern: word(row, column)))
      }
    }
  }

  @inline(__always) private func word(_ row: Int, _ column: Int) -> UInt32 {
    file.bytes.littleEndian(at: row * rowSize + 4 + 4 * column, UInt32.self)
  }

  @inline(__always) private func byte(_ row: Int, _ column: Int) -> UInt8 {
    file.bytes[row * rowSize + 4 + column]
  }

  /// Writes the rows of a matrix, over what is there.
  ///
  /// - Parameters:
  ///   - matrix: at least one column; for ivecs and bvecs whole numbers that fit.
  ///   - path: its folder exists; the file appears when it is complete.
  ///   - element: what to write them as.
  /// - Throws: `.badData` naming row and column of a value that does not fit; `.invalidArgument`
  ///   for rows without columns; `.notFound`; `.inputOutput`.
  public static func write(_ matrix: Matrix, to path: String, as element: Element)
    throws(BasisError)
  {
    guard matrix.columnCount >= 1 && matrix.columnCount <= Int32.max || matrix.rowCount == 0 else {
      throw BasisError(
        .invalidArgument,
        "\(path): rows of \(matrix.columnCount) values cannot be written as \(element.rawValue)")
    }
    let file = try ReplacingFile(path)
    for row in 0..<matrix.rowCount {
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(UInt32(matrix.columnCount))
      try matrix.withRow(row) { (values) throws(BasisError) in
        for (column, value) in values.enumerated() {
          let whole: UInt32?
          switch element {
          case .float32: whole = value.bitPattern
          case .int32: whole = Int32(exactly: value).map { UInt32(bitPattern: $0) }
          case .uint8: whole = UInt8(exactly: value).map { UInt32($0) }
          }
          guard let whole else {
            throw BasisError(
              .badData,
              "\(path): \(value) at row \(row), column \(column) is not a number that "
                + "\(element.rawValue) files hold")
          }
          if element == .uint8 {
            bytes.append(UInt8(truncatingIfNeeded: whole))
          } else {
            bytes.appendLittleEndian(whole)
          }
        }
      }
      try bytes.withUnsafeBytesOf { (raw) throws(BasisError) in try file.append(raw) }
    }
    try file.finish()
  }
}
