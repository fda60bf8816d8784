public import BasisCore

/// A matrix in a file: NumPy's npy and npz, safetensors, fvecs, ivecs and bvecs, JSON or JSON Lines,
/// or a table of numbers as text, each but safetensors gzipped or not. What it is in is found from
/// its content; the name decides only between fvecs, ivecs and bvecs, whose content does not say.
public struct MatrixSource: Sendable {
  /// What a matrix can be written in.
  public enum Format: String, CaseIterable, Sendable {
    case npy, npz, safetensors, fvecs, ivecs, bvecs
    /// A list of numbers, which is one row, or a list of such lists.
    case json
    /// A line a row: a list of numbers, or an object with one field that is such a list.
    case jsonl
    /// A line a row, numbers between commas, semicolons, tabs or spaces, with or without a line of
    /// names.
    case csv
  }

  /// What was asked for; `-` is standard input.
  public let path: String
  /// As found.
  public let format: Format

  private let content: Content

  private enum Content: Sendable {
    case array(NumPyArray)
    case vectors(VectorFile)
    case table(Matrix)
  }

  /// Opens a file and finds out its format.
  ///
  /// - Parameters:
  ///   - path: a file, or `-` for standard input.
  ///   - name: which array of an npz archive or tensor; nil for the only one.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` with the byte or line where the file is
  ///   damaged; `.invalidArgument` for a file of several arrays and no name; `.unsupported` for
  ///   elements that are not numbers.
  public init(path: String, name: String? = nil) throws(BasisError) {
    self.path = path
    let title = Self.title(path)
    let file = try FileBytes.read(path)
    let bytes = file.bytes
    if bytes.starts(with: NumPyHeader.magic) {
      format = .npy
      content = .array(try NumPyArray(file, bytes, name: title))
    } else if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04])
      || bytes.starts(with: [0x50, 0x4B, 5, 6])
    {
      format = .npz
      content = .array(try NumPyArchive(file, title).single(name))
    } else if Safetensors.isHeader(bytes) {
      format = .safetensors
      content = .table(try Self.matrix(in: Safetensors(path: path), name))
    } else if let element = Self.vectorElement(ofName: path) {
      format = Format(rawValue: element.rawValue) ?? .fvecs
      content = .vectors(try VectorFile(file, title, element))
    } else if let zero = firstIndex(of: 0, in: bytes) {
      // Not text. Lengths that agree from the first vector to the last are no accident.
      guard let vectors = try? VectorFile(file, title, .float32) else {
        throw BasisError(
          .badData,
          "\(title): byte \(zero): is neither text nor a file of numbers that is known here (npy, "
            + "npz, fvecs); name files ending in .fvecs, .ivecs or .bvecs so")
      }
      format = .fvecs
      content = .vectors(vectors)
    } else if let rows = try JSONRows(bytes, title) {
      format = rows.isLines ? .jsonl : .json
      content = .table(rows.matrix)
    } else {
      format = .csv
      content = .table(try NumberTable(bytes, title).matrix)
    }
  }

  private static func title(_ path: String) -> String { path == "-" ? "standard input" : path }

  /// What messages call the file.
  private var title: String { Self.title(path) }

  private static func vectorElement(ofName path: String) -> VectorFile.Element? {
    var name = path.lowercased()
    if name.hasSuffix(".gz") { name.removeLast(3) }
    return VectorFile.Element.allCases.first { name.hasSuffix(".\($0.rawValue)") }
  }

  /// The tensor of a name, or the only one of two dimensions.
  private static func matrix(in file: Safetensors, _ name: String?) throws(BasisError) -> Matrix {
    if let name { return try file.matrix(name) }
    let known = file.tensors.filter { $0.shape.count == 2 }.map(\.name)
    guard let only = known.first, known.count == 1 else {
      throw BasisError(
        .invalidArgument,
        known.isEmpty
          ? "\(file.path): holds no tensor of two dimensions"
          : "\(file.path): holds \(known.count) matrices "
            + "(\(known.prefix(20).joined(separator: ", "))); leave one of them")
    }
    return try file.matrix(only)
  }

  /// The values; of a plain npy file of 32-bit floats the mapped file itself.
  ///
  /// - Parameter finite: whether NaN and infinity are errors.
  /// - Throws: `.badData` for an array that is not two-dimensional, or naming row and column of a
  ///   value that is not finite.
  public func matrix(requiringFinite finite: Bool = true) throws(BasisError) -> Matrix {
    let matrix: Matrix
    switch content {
    case .array(let array): matrix = try array.matrix()
    case .vectors(let vectors): matrix = vectors.matrix()
    case .table(let table): matrix = table
    }
    if finite { try matrix.requireFinite(title) }
    return matrix
  }

  /// One vector: a one-dimensional array, or a matrix of one row.
  ///
  /// - Throws: `.badData` for more than one row, or naming the column of a value that is not finite.
  public func vector() throws(BasisError) -> [Float] {
    let values: [Float]
    if case .array(let array) = content {
      values = try array.vector()
    } else {
      let matrix = try matrix(requiringFinite: false)
      guard matrix.rowCount == 1 else {
        throw BasisError(
          .badData, "\(title): one vector is wanted, the file has \(matrix.rowCount) rows")
      }
      values = matrix.row(0)
    }
    try Matrix(rowCount: 1, columnCount: values.count, values: values).requireFinite(title)
    return values
  }

  /// The values as a list, such as what is to be predicted: of one row or one column.
  ///
  /// - Throws: `.badData` for another shape, or naming the place of a value that is not finite.
  public func numbers() throws(BasisError) -> [Float] {
    if case .array(let array) = content, array.shape.count == 1 { return try vector() }
    let matrix = try matrix()
    guard matrix.rowCount <= 1 || matrix.columnCount <= 1 else {
      throw BasisError(
        .badData,
        "\(title): a list of numbers is wanted, the file has \(matrix.rowCount) × "
          + "\(matrix.columnCount) values; give one column")
    }
    return matrix.withUnsafeFloats { Array($0) }
  }

  /// The values as whole numbers, such as labels: of one row or one column.
  ///
  /// - Throws: `.badData` for another shape, or naming the first value that is not whole.
  public func integers() throws(BasisError) -> [Int] {
    if case .array(let array) = content { return try array.integers() }
    var result: [Int] = []
    for (position, value) in try numbers().enumerated() {
      // Beyond this, floats skip whole numbers.
      guard abs(value) <= 0x1p24, let whole = Int(exactly: value) else {
        throw BasisError(
          .badData, "\(title): \(value) at position \(position) is not a whole number up to 2^24")
      }
      result.append(whole)
    }
    return result
  }
}

extension Matrix {
  /// The matrix in a file of any format that ``MatrixSource`` knows, finite.
  ///
  /// - Parameter path: a file, or `-` for standard input.
  /// - Throws: as `MatrixSource.init(path:name:)` and `MatrixSource.matrix(requiringFinite:)`.
  public init(contentsOf path: String) throws(BasisError) {
    self = try MatrixSource(path: path).matrix()
  }
}
