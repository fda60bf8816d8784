public import BasisCore

/// An array of NumPy's: a shape, a type of element, and the elements where they lie in the file.
///
/// Read from npy files of format versions 1 to 3, of either byte order and either order of axes,
/// gzipped or not, and from the members of a ``NumPyArchive``. Immutable, and safe to use from any
/// number of threads.
public struct NumPyArray: Sendable {
  /// Its lengths, the slowest axis first; empty for a single number.
  public let shape: [Int]
  public let element: NumPyElement

  let name: String
  private let header: NumPyHeader
  private let owner: FileBytes
  /// The elements.
  let bytes: UnsafeRawBufferPointerBox

  /// Opens an npy file; a plain one is mapped, not read.
  ///
  /// - Parameter path: a file, gzipped or not, or `-` for standard input.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` with the byte where the file is damaged or
  ///   too short; `.unsupported` for elements other than numbers and truth values.
  /// - Complexity: O(1) for a plain file.
  public init(contentsOf path: String) throws(BasisError) {
    let name = path == "-" ? "standard input" : path
    let file = try FileBytes.read(path)
    try self.init(file, file.bytes, name: name)
  }

  /// An npy file that is in memory, gzipped or not.
  ///
  /// - Parameters:
  ///   - content: the whole file.
  ///   - name: what messages call it.
  /// - Throws: `.badData`; `.unsupported`.
  package init(_ content: [UInt8], name: String) throws(BasisError) {
    let file = try FileBytes(content).decompressed(name: name)
    try self.init(file, file.bytes, name: name)
  }

  /// - Parameters:
  ///   - part: the whole of an npy file, which `owner` holds.
  ///   - name: what messages call it.
  init(_ owner: FileBytes, _ part: UnsafeRawBufferPointer, name: String) throws(BasisError) {
    do throws(BasisError) {
      header = try NumPyHeader(reading: part)
    } catch {
      throw error.at(name)
    }
    shape = header.shape
    element = header.element
    self.name = name
    self.owner = owner
    bytes = .init(UnsafeRawBufferPointer(rebasing: part[header.byteCount...]))
  }

  /// An array of a matrix's values, each rounded to the element that is nearest.
  ///
  /// - Parameters:
  ///   - matrix: any shape.
  ///   - element: `.float16`, `.float32` or `.float64`.
  /// - Throws: `.invalidArgument` for another element.
  public init(_ matrix: Matrix, as element: NumPyElement = .float32) throws(BasisError) {
    guard element.isFloatingPoint else {
      throw BasisError(
        .invalidArgument,
        "a matrix can be saved as f2, f4 or f8, not as \(element.rawValue)")
    }
    let content = matrix.withUnsafeFloats { encoded($0, as: element) }
    self.init([matrix.rowCount, matrix.columnCount], element, content)
  }

  /// A one-dimensional array of 64-bit integers.
  public init(_ integers: [Int]) {
    self.init(
      [integers.count], .int64,
      integers.reduce(into: []) { $0.appendLittleEndian(Int64($1)) })
  }

  private init(_ shape: [Int], _ element: NumPyElement, _ content: [UInt8]) {
    self.shape = shape
    self.element = element
    name = "the array"
    header = NumPyHeader(shape: shape, element: element)
    owner = FileBytes(content)
    bytes = .init(owner.bytes)
  }

  public var count: Int { header.count }

  /// The values as a matrix: without a copy where the elements are little-endian 32-bit floats in C
  /// order, else converted to the nearest `Float`.
  ///
  /// - Throws: `.badData` for an array that is not two-dimensional, with the remedy.
  /// - Complexity: O(1) without a copy, else O(elements).
  public func matrix() throws(BasisError) -> Matrix {
    guard shape.count == 2 else {
      let remedy =
        shape.count < 2
        ? "save x.reshape(1, -1) for one row or x.reshape(-1, 1) for one column"
        : "save x.reshape(len(x), -1)"
      throw BasisError(
        .badData, "\(name): a matrix has two dimensions, the array's shape is \(shape); \(remedy)")
    }
    return rows(shape[0], shape[1])
  }

  /// The values of an array that is one row: one-dimensional, or 1 × *d*.
  ///
  /// - Throws: `.badData` for another shape.
  public func vector() throws(BasisError) -> [Float] {
    guard shape.count == 1 || (shape.count == 2 && shape[0] == 1) else {
      throw BasisError(
        .badData,
        "\(name): one vector is wanted, the array's shape is \(shape); save one row of it")
    }
    return rows(1, shape[shape.count - 1]).row(0)
  }

  /// All values, the last axis fastest.
  ///
  /// - Throws: `.unsupported` for an array of three axes and more in Fortran order.
  public func values() throws(BasisError) -> [Float] {
    if shape.count == 2 { return rows(shape[0], shape[1]).withUnsafeFloats { Array($0) } }
    guard shape.count < 2 || !header.isFortranOrdered else {
      throw BasisError(
        .unsupported,
        "\(name): is in Fortran order with \(shape.count) axes; save np.ascontiguousarray(x)")
    }
    return rows(1, count).row(0)
  }

  /// The values as whole numbers, such as labels.
  ///
  /// Floating-point elements count where they are whole and at most 2⁵³.
  ///
  /// - Throws: `.badData` for an array of more than one axis longer than 1, or naming the first
  ///   value that is not such a number.
  /// - Complexity: O(elements).
  public func integers() throws(BasisError) -> [Int] {
    guard shape.filter({ $0 != 1 }).count <= 1 else {
      throw BasisError(
        .badData,
        "\(name): a list of whole numbers is wanted, the array's shape is \(shape); save one column"
      )
    }
    var result: [Int] = []
    result.reserveCapacity(count)
    for index in 0..<count {
      let value: Int?
      switch element {
      case .bool: value = load(index, UInt8.self) == 0 ? 0 : 1
      case .int8: value = Int(load(index, Int8.self))
      case .int16: value = Int(load(index, Int16.self))
      case .int32: value = Int(load(index, Int32.self))
      case .int64: value = Int(load(index, Int64.self))
      case .uint8: value = Int(load(index, UInt8.self))
      case .uint16: value = Int(load(index, UInt16.self))
      case .uint32: value = Int(load(index, UInt32.self))
      case .uint64: value = Int(exactly: load(index, UInt64.self))
      case .float16, .float32, .float64:
        let number = double(index)
        value = abs(number) <= 0x1p53 ? Int(exactly: number) : nil
      }
      guard let value else {
        throw BasisError(
          .badData,
          "\(name): \(element == .uint64 ? "\(load(index, UInt64.self))" : "\(double(index))") at "
            + "position \(index) is not a whole number that can be used; correct it")
      }
      result.append(value)
    }
    return result
  }

  private func double(_ index: Int) -> Double {
    switch element {
    case .float16: Double(Float16(bitPattern: load(index, UInt16.self)))
    case .float32: Double(Float(bitPattern: load(index, UInt32.self)))
    default: Double(bitPattern: load(index, UInt64.self))
    }
  }

  @inline(__always)
  private func load<T: FixedWidthInteger & BitwiseCopyable>(_ index: Int, _ type: T.Type) -> T {
    let value = bytes.buffer.loadUnaligned(
      fromByteOffset: index * MemoryLayout<T>.size, as: T.self)
    return header.isBigEndian ? T(bigEndian: value) : T(littleEndian: value)
  }

  private func rows(_ rowCount: Int, _ columnCount: Int) -> Matrix {
    let isInOrder = !header.isFortranOrdered || rowCount <= 1 || columnCount <= 1
    if element == .float32 && header.isBigEndian == isBigEndianMachine && isInOrder,
      let base = bytes.buffer.baseAddress, count > 0,
      Int(bitPattern: base).isMultiple(of: MemoryLayout<Float>.alignment)
    {
      return Matrix(
        rowCount: rowCount, columnCount: columnCount,
        borrowing: base.assumingMemoryBound(to: Float.self), owner: owner)
    }
    return Matrix(rowCount: rowCount, columnCount: columnCount) { target in
      guard count > 0 else { return }
      // One column of a Fortran array after another.
      let step = isInOrder ? 1 : columnCount
      @inline(__always) func fill(_ value: (Int) -> Float) {
        guard !isInOrder else {
          for index in 0..<count { target[index] = value(index) }
          return
        }
        var source = 0
        for column in 0..<columnCount {
          for row in 0..<rowCount {
            target[row * step + column] = value(source)
            source += 1
          }
        }
      }
      switch element {
      case .bool: fill { load($0, UInt8.self) == 0 ? 0 : 1 }
      case .int8: fill { Float(load($0, Int8.self)) }
      case .int16: fill { Float(load($0, Int16.self)) }
      case .int32: fill { Float(load($0, Int32.self)) }
      case .int64: fill { Float(load($0, Int64.self)) }
      case .uint8: fill { Float(load($0, UInt8.self)) }
      case .uint16: fill { Float(load($0, UInt16.self)) }
      case .uint32: fill { Float(load($0, UInt32.self)) }
      case .uint64: fill { Float(load($0, UInt64.self)) }
      case .float16: fill { Float(Float16(bitPattern: load($0, UInt16.self))) }
      case .float32: fill { Float(bitPattern: load($0, UInt32.self)) }
      case .float64: fill { Float(Double(bitPattern: load($0, UInt64.self))) }
      }
      withExtendedLifetime(owner) {}
    }
  }

  // MARK: Writing

  /// Writes the array as an npy file, byte for byte as NumPy would, over what is there.
  ///
  /// - Parameter path: its folder exists; the file appears when it is complete.
  /// - Throws: `.notFound` if the folder does not exist; `.inputOutput`.
  public func write(to path: String) throws(BasisError) {
    let file = try ReplacingFile(path)
    try serializedHeader.withUnsafeBytesOf { (raw) throws(BasisError) in try file.append(raw) }
    try file.append(bytes.buffer)
    try file.finish()
    withExtendedLifetime(owner) {}
  }

  /// The header under which ``bytes`` can be written as they are.
  var serializedHeader: [UInt8] { header.serialized() }
}

/// Unchecked, because the compiler cannot see that nobody writes to the bytes.
struct UnsafeRawBufferPointerBox: @unchecked Sendable {
  let buffer: UnsafeRawBufferPointer

  init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }
}

let isBigEndianMachine = 1.bigEndian == 1

/// Little-endian elements.
func encoded(_ floats: UnsafeBufferPointer<Float>, as element: NumPyElement) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(floats.count * element.byteCount)
  switch element {
  case .float16: for value in floats { bytes.appendLittleEndian(Float16(value).bitPattern) }
  case .float64: for value in floats { bytes.appendLittleEndian(Double(value).bitPattern) }
  default:
    guard isBigEndianMachine else { return Array(UnsafeRawBufferPointer(floats)) }
    for value in floats { bytes.appendLittleEndian(value.bitPattern) }
  }
  return bytes
}
