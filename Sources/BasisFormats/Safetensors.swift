public import BasisCore

/// A file of named tensors in the safetensors layout, mapped into memory.
///
/// The layout: eight bytes with the little-endian size of the header; the header, one JSON object
/// from names to element type, shape and place; then the tensors' bytes, row-major, little-endian,
/// without gaps and without overlap. Everything that the header says is checked against the file
/// before it is used. Safe to use from any number of threads.
///
/// Layout as the `safetensors` package describes it, version 0.5: headers up to 100 MB, no key
/// twice, every byte in one tensor.
///
/// - Note: A file that another program cuts short while it is mapped ends the process with
///   `SIGBUS`, as with any mapped file.
public final class Safetensors: Sendable {
  /// Where a tensor lies and what it is.
  public struct Tensor: Sendable, Hashable {
    public let name: String
    public let type: TensorType
    public let shape: [Int]
    /// The product of the shape; 1 for a scalar.
    public let count: Int
    /// Of its bytes, in the file.
    let range: Range<Int>
  }

  public let path: String
  /// The texts that the writer left under `__metadata__`.
  public let metadata: [String: String]
  /// In the order of their bytes.
  public let tensors: [Tensor]

  private let byName: [String: Int]
  private let mapping: Mapping

  static let metadataKey = "__metadata__"
  static let headerLimit = 100_000_000

  /// Maps a file and checks its header.
  ///
  /// - Parameter path: the file.
  /// - Throws: `.notFound`; `.corruptFile` naming the file, and the tensor where it is one's fault;
  ///   `.unsupported` for an element type that ``TensorType`` does not have; `.inputOutput`.
  /// - Complexity: O(size of the header).
  public init(path: String) throws(BasisError) {
    let file = try SystemFile(reading: path)
    let status = try file.status()
    guard status.kind == .file else {
      throw BasisError(.corruptFile, "\(path): is a folder or a device, not a safetensors file")
    }
    self.path = path
    mapping = try Mapping(file, byteCount: status.byteCount)
    do throws(BasisError) {
      (metadata, tensors) = try Self.read(mapping.bytes)
    } catch {
      throw error.at(path)
    }
    byName = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
  }

  /// Whether a file that starts so may be one.
  static func isHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 8, bytes[8] == UInt8(ascii: "{") else { return false }
    return bytes.littleEndian(at: 0, UInt64.self) <= UInt64(min(headerLimit, bytes.count - 8))
  }

  /// The tensor of this name, nil where there is none.
  public subscript(name: String) -> Tensor? { byName[name].map { tensors[$0] } }

  /// The elements of a tensor, in order, as floats: rounded where a float is narrower.
  ///
  /// - Parameter name: the tensor.
  /// - Throws: `.badData` if there is no such tensor; `.unsupported` for eight-bit floats.
  /// - Complexity: O(*count*).
  public func floats(_ name: String) throws(BasisError) -> [Float] {
    let tensor = try require(name)
    // Asked first: what fills an array cannot throw our type.
    guard tensor.type != .float8E4M3, tensor.type != .float8E5M2 else {
      throw BasisError(
        .unsupported,
        "\(path): tensor '\(name)' has elements of \(tensor.type.rawValue), which are not read as "
          + "numbers; convert it to F32, F16 or BF16")
    }
    let bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[tensor.range])
    return [Float](unsafeUninitializedCapacity: tensor.count) { out, count in
      fillFloats(tensor, bytes, into: out)
      count = tensor.count
    }
  }

  private func fillFloats(
    _ tensor: Tensor, _ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableBufferPointer<Float>
  ) {
    func fill<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, _ convert: (T) -> Float) {
      for index in 0..<tensor.count {
        let bits = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: type)
        out.initializeElement(at: index, to: convert(T(littleEndian: bits)))
      }
    }
    switch tensor.type {
    case .bool: fill(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .uint8: fill(UInt8.self) { Float($0) }
    case .int8: fill(Int8.self) { Float($0) }
    case .uint16: fill(UInt16.self) { Float($0) }
    case .int16: fill(Int16.self) { Float($0) }
    case .uint32: fill(UInt32.self) { Float($0) }
    case .int32: fill(Int32.self) { Float($0) }
    case .uint64: fill(UInt64.self) { Float($0) }
    case .int64: fill(Int64.self) { Float($0) }
    case .float16: fill(UInt16.self) { float(fromHalf: $0) }
    case .bfloat16: fill(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .float32: fill(UInt32.self) { Float(bitPattern: $0) }
    case .float64: fill(UInt64.self) { Float(Double(bitPattern: $0)) }
    case .float8E4M3, .float8E5M2: break
    }
  }

  /// The elements of a tensor of whole numbers, in order.
  ///
  /// - Parameter name: the tensor.
  /// - Throws: `.badData` if there is no such tensor, it holds no whole numbers, or a number is
  ///   above 2⁶³ − 1.
  /// - Complexity: O(*count*).
  public func integers(_ name: String) throws(BasisError) -> [Int64] {
    let tensor = try require(name)
    let bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[tensor.range])
    func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> [Int64]? {
      var values: [Int64] = []
      values.reserveCapacity(tensor.count)
      for index in 0..<tensor.count {
        let bits = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: type)
        guard let value = Int64(exactly: T(littleEndian: bits)) else { return nil }
        values.append(value)
      }
      return values
    }
    let values: [Int64]? =
      switch tensor.type {
      case .bool, .uint8: read(UInt8.self)
      case .int8: read(Int8.self)
      case .uint16: read(UInt16.self)
      case .int16: read(Int16.self)
      case .uint32: read(UInt32.self)
      case .int32: read(Int32.self)
      case .uint64: read(UInt64.self)
      case .int64: read(Int64.self)
      default:
        throw BasisError(
          .badData,
          "\(path): tensor '\(name)' has elements of \(tensor.type.rawValue), not whole numbers")
      }
    guard let values else {
      throw BasisError(.badData, "\(path): tensor '\(name)' has a number above 2^63 - 1")
    }
    return values
  }

  /// The elements of a tensor of 64-bit floats, in order, as they are.
  ///
  /// - Parameter name: the tensor.
  /// - Throws: `.badData` if there is no such tensor, or its elements are of another type.
  /// - Complexity: O(*count*).
  public func doubles(_ name: String) throws(BasisError) -> [Double] {
    let tensor = try require(name)
    guard tensor.type == .float64 else {
      throw BasisError(
        .badData,
        "\(path): tensor '\(name)' has elements of \(tensor.type.rawValue), not 64-bit floats")
    }
    return try withBytes(of: name) { bytes in
      (0..<tensor.count).map {
        let bits = bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)
        return Double(bitPattern: UInt64(littleEndian: bits))
      }
    }
  }

  /// A tensor of two dimensions. `F32` stays in the mapped file where its place allows; other types
  /// are converted as by ``floats(_:)``.
  ///
  /// - Parameters:
  ///   - name: the tensor.
  ///   - rowCount: what the first dimension must be, nil for any.
  ///   - columnCount: what the second dimension must be, nil for any.
  /// - Throws: `.badData` if there is no such tensor; `.dimensionMismatch` with both shapes;
  ///   `.unsupported`.
  /// - Complexity: O(1) where it stays in the file, else O(*count*).
  public func matrix(_ name: String, rowCount: Int? = nil, columnCount: Int? = nil)
    throws(BasisError) -> Matrix
  {
    let tensor = try require(name)
    guard tensor.shape.count == 2, tensor.shape[0] == rowCount ?? tensor.shape[0],
      tensor.shape[1] == columnCount ?? tensor.shape[1]
    else {
      let wanted = [rowCount, columnCount].map { $0.map(String.init) ?? "any" }
      throw BasisError(
        .dimensionMismatch,
        "\(path): tensor '\(name)' is \(Self.describe(tensor.shape)), not "
          + wanted.joined(separator: " × "))
    }
    #if _endian(little)
      if tensor.type == .float32, tensor.count > 0,
        let base = mapping.bytes.baseAddress.map({ $0 + tensor.range.lowerBound }),
        UInt(bitPattern: base).isMultiple(of: UInt(MemoryLayout<Float>.alignment))
      {
        return Matrix(
          rowCount: tensor.shape[0], columnCount: tensor.shape[1],
          borrowing: base.assumingMemoryBound(to: Float.self), owner: self)
      }
    #endif
    return try Matrix(
      rowCount: tensor.shape[0], columnCount: tensor.shape[1], values: floats(name))
  }

  /// The floats of a tensor of one dimension.
  ///
  /// - Parameters:
  ///   - name: the tensor.
  ///   - count: how many there must be.
  /// - Throws: as ``matrix(_:rowCount:columnCount:)``.
  public func vector(_ name: String, count: Int) throws(BasisError) -> [Float] {
    let tensor = try require(name)
    guard tensor.shape == [count] else {
      throw BasisError(
        .dimensionMismatch,
        "\(path): tensor '\(name)' is \(Self.describe(tensor.shape)), not \(count)")
    }
    return try floats(name)
  }

  /// Calls `body` with the bytes of a tensor, good until it returns.
  ///
  /// - Parameters:
  ///   - name: the tensor.
  ///   - body: given the bytes as they are in the file.
  /// - Throws: `.badData` if there is no such tensor; what `body` throws.
  public func withBytes<R>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws(BasisError) -> R
  ) throws(BasisError) -> R {
    let tensor = try require(name)
    defer { withExtendedLifetime(mapping) {} }
    return try body(UnsafeRawBufferPointer(rebasing: mapping.bytes[tensor.range]))
  }

  /// A checksum of names, types, shapes, bytes and metadata.
  ///
  /// - Parameter key: of the metadata, to be left out.
  /// - Complexity: O(bytes).
  func checksum(without key: String) -> UInt32 {
    var sum = Checksum(metadata.filter { $0.key != key })
    for tensor in tensors.sorted(by: { $0.name < $1.name }) {
      sum.add(tensor.name, tensor.type, tensor.shape)
      sum.add(UnsafeRawBufferPointer(rebasing: mapping.bytes[tensor.range]))
    }
    withExtendedLifetime(mapping) {}
    return sum.value
  }

  /// CRC32C over what a safetensors file says, whatever the order in which it says it.
  struct Checksum {
    private(set) var value: UInt32 = 0

    init(_ metadata: [String: String]) {
      for (key, text) in metadata.sorted(by: { $0.key < $1.key }) { add("\(key)\0\(text)\0") }
    }

    mutating func add(_ name: String, _ type: TensorType, _ shape: [Int]) {
      add("\(name)\0\(type.rawValue)\0\(shape)\0")
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
      value = crc32c(bytes, continuing: value)
    }

    private mutating func add(_ text: String) {
      var text = text
      text.withUTF8 { value = crc32c(UnsafeRawBufferPointer($0), continuing: value) }
    }
  }

  private func require(_ name: String) throws(BasisError) -> Tensor {
    if let tensor = self[name] { return tensor }
    let names = tensors.prefix(5).map { "'\($0.name)'" }.joined(separator: ", ")
    throw BasisError(
      .badData,
      "\(path): has no tensor '\(name)' (it has \(tensors.count)\(names.isEmpty ? "" : ": \(names)")"
        + "\(tensors.count > 5 ? " …" : ""))")
  }

  static func describe(_ shape: [Int]) -> String {
    shape.isEmpty ? "a scalar" : shape.map(String.init).joined(separator: " × ")
  }
}

extension Safetensors {
  /// - Throws: messages without the path.
  private static func read(_ bytes: UnsafeRawBufferPointer) throws(BasisError) -> (
    metadata: [String: String], tensors: [Tensor]
  ) {
    func damaged(_ what: String) -> BasisError {
      BasisError(.corruptFile, "\(what); get the file again")
    }
    guard bytes.count >= 8 else {
      throw damaged("is too short for a safetensors file (\(bytes.count) bytes)")
    }
    let announced = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard announced <= UInt64(headerLimit), Int(announced) <= bytes.count - 8 else {
      throw damaged(
        "is no safetensors file, or is cut short: its header should have \(announced) bytes, the "
          + "file has \(bytes.count)")
    }
    let start = 8 + Int(announced)
    let header: JSONValue
    do throws(BasisError) {
      header = try JSONValue(parsing: UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
    } catch {
      throw damaged("the header is not JSON (\(error.message))")
    }
    guard case .object(let members) = header else { throw damaged("the header is no JSON object") }

    var metadata: [String: String] = [:]
    var tensors: [Tensor] = []
    for (name, value) in members {
      if name == metadataKey {
        guard case .object(let texts) = value else { throw damaged("\(metadataKey) is no object") }
        for (key, text) in texts {
          guard case .string(let text) = text else {
            throw damaged("\(metadataKey) has something else than text under '\(key)'")
          }
          metadata[key] = text
        }
        continue
      }
      do throws(BasisError) {
        tensors.append(try tensor(name, value, start: start, byteCount: bytes.count))
      } catch {
        throw error.code == .unsupported
          ? error.at("tensor '\(name)'") : damaged("tensor '\(name)': \(error.message)")
      }
    }
    // Empty tensors share their place with the next one, so the end decides, then the name.
    tensors.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    var end = start
    for tensor in tensors {
      guard tensor.range.lowerBound == end else {
        throw damaged(
          "tensor '\(tensor.name)' starts at byte \(tensor.range.lowerBound), where the one before "
            + "it ends at \(end)")
      }
      end = tensor.range.upperBound
    }
    guard end == bytes.count else {
      throw damaged("has \(bytes.count) bytes, and its tensors end at \(end)")
    }
    return (metadata, tensors)
  }

  private static func tensor(_ name: String, _ value: JSONValue, start: Int, byteCount: Int)
    throws(BasisError) -> Tensor
  {
    func wrong(_ what: String) -> BasisError { BasisError(.corruptFile, what) }
    guard case .object(let fields) = value, case .string(let typeName)? = fields["dtype"],
      case .array(let sides)? = fields["shape"], case .array(let offsets)? = fields["data_offsets"]
    else { throw wrong("needs dtype, shape and data_offsets") }
    guard let type = TensorType(rawValue: typeName) else {
      throw BasisError(.unsupported, "elements of '\(typeName)' are not known")
    }
    var shape: [Int] = []
    var count = 1
    for side in sides {
      guard case .integer(let side) = side, let side = Int(exactly: side), side >= 0 else {
        throw wrong("its shape has \(side), which is no size")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: side)
      guard !overflow else { throw wrong("its shape has more elements than can be counted") }
      count = product
      shape.append(side)
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
    let room = byteCount - start
    guard offsets.count == 2, case .integer(let first) = offsets[0],
      case .integer(let last) = offsets[1], first >= 0, first <= last, last <= room
    else { throw wrong("its place is not inside the file") }
    guard !overflow, Int(last - first) == size else {
      throw wrong(
        "\(describe(shape)) elements of \(typeName) do not fill the \(last - first) bytes it has")
    }
    return Tensor(
      name: name, type: type, shape: shape, count: count,
      range: start + Int(first)..<start + Int(last))
  }
}
