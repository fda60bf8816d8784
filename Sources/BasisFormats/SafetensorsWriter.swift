public import BasisCore

/// Collects named tensors and writes them as one safetensors file.
///
/// Equal tensors and metadata give equal bytes, whatever the order of adding: tensors lie in the
/// order of falling element size, then of name, so that each is aligned to its elements.
public struct SafetensorsWriter: Sendable {
  private struct Entry {
    var name: String
    var type: TensorType
    var shape: [Int]
    var bytes: [UInt8]
  }

  /// Texts for the reader, under `__metadata__`.
  public var metadata: [String: String]
  private var entries: [Entry] = []

  public init(metadata: [String: String] = [:]) { self.metadata = metadata }

  /// Adds a tensor with the elements as they are.
  ///
  /// - Parameters:
  ///   - name: not added before, and not `__metadata__`.
  ///   - shape: sides, at least 0; empty for a scalar.
  ///   - values: as many as the product of the shape, row-major.
  /// - Throws: `.alreadyExists`; `.invalidArgument` for the reserved name; `.dimensionMismatch`.
  /// - Complexity: O(*count*) memory and time.
  public mutating func add<T: TensorElement & FixedWidthInteger>(
    _ name: String, shape: [Int], _ values: [T]
  ) throws(BasisError) {
    try add(name, T.tensorType, shape, values) { $0.littleEndian }
  }

  /// Adds a tensor of numbers, rounded to a floating type.
  ///
  /// - Parameters:
  ///   - name: not added before, and not `__metadata__`.
  ///   - shape: sides, at least 0; empty for a scalar.
  ///   - values: as many as the product of the shape, row-major.
  ///   - type: `.float32`, `.float16`, `.bfloat16` or `.float64`.
  /// - Throws: as the other, and `.unsupported` for another type.
  public mutating func add(
    _ name: String, shape: [Int], _ values: [Float], as type: TensorType = .float32
  ) throws(BasisError) {
    switch type {
    case .float32: try add(name, type, shape, values) { $0.bitPattern.littleEndian }
    case .float16: try add(name, type, shape, values) { halfBits($0).littleEndian }
    case .bfloat16: try add(name, type, shape, values) { brainBits($0).littleEndian }
    case .float64: try add(name, type, shape, values) { Double($0).bitPattern.littleEndian }
    default:
      throw BasisError(
        .unsupported, "tensor '\(name)': floats are not written as \(type.rawValue)")
    }
  }

  /// Adds a tensor of doubles, as they are.
  ///
  /// - Parameters:
  ///   - name: not added before, and not `__metadata__`.
  ///   - shape: sides, at least 0; empty for a scalar.
  ///   - values: as many as the product of the shape, row-major.
  /// - Throws: as the others.
  public mutating func add(_ name: String, shape: [Int], _ values: [Double]) throws(BasisError) {
    try add(name, .float64, shape, values) { $0.bitPattern.littleEndian }
  }

  /// Adds a tensor of truth values.
  ///
  /// - Parameters:
  ///   - name: not added before, and not `__metadata__`.
  ///   - shape: sides, at least 0; empty for a scalar.
  ///   - values: as many as the product of the shape, row-major.
  /// - Throws: as the others.
  public mutating func add(_ name: String, shape: [Int], _ values: [Bool]) throws(BasisError) {
    try add(name, .bool, shape, values) { $0 ? 1 as UInt8 : 0 }
  }

  /// Adds a matrix as a tensor of two dimensions.
  ///
  /// - Parameters:
  ///   - name: not added before, and not `__metadata__`.
  ///   - matrix: its rows.
  ///   - type: `.float32`, `.float16`, `.bfloat16` or `.float64`.
  /// - Throws: as the others.
  public mutating func add(_ name: String, _ matrix: Matrix, as type: TensorType = .float32)
    throws(BasisError)
  {
    try add(
      name, shape: [matrix.rowCount, matrix.columnCount], matrix.withUnsafeFloats { Array($0) },
      as: type)
  }

  private mutating func add<T, Bits: BitwiseCopyable>(
    _ name: String, _ type: TensorType, _ shape: [Int], _ values: [T], _ bits: (T) -> Bits
  ) throws(BasisError) {
    guard name != Safetensors.metadataKey else {
      throw BasisError(.invalidArgument, "a tensor cannot have the reserved name '\(name)'")
    }
    guard !entries.contains(where: { $0.name == name }) else {
      throw BasisError(.alreadyExists, "tensor '\(name)' was added before")
    }
    var count = 1
    var fits = shape.allSatisfy { $0 >= 0 }
    for side in shape where fits {
      let (product, overflow) = count.multipliedReportingOverflow(by: side)
      (count, fits) = (product, !overflow)
    }
    guard fits, count == values.count else {
      throw BasisError(
        .dimensionMismatch,
        "tensor '\(name)': \(values.count) values do not make \(Safetensors.describe(shape))")
    }
    let size = MemoryLayout<Bits>.size
    let bytes = [UInt8](unsafeUninitializedCapacity: values.count * size) { out, filled in
      let raw = UnsafeMutableRawBufferPointer(out)
      for (index, value) in values.enumerated() {
        raw.storeBytes(of: bits(value), toByteOffset: index * size, as: Bits.self)
      }
      filled = values.count * size
    }
    entries.append(Entry(name: name, type: type, shape: shape, bytes: bytes))
  }

  /// A checksum of all that a reader will see, of ``Safetensors/checksum(without:)`` too.
  var checksum: UInt32 {
    var sum = Safetensors.Checksum(metadata)
    for entry in entries.sorted(by: { $0.name < $1.name }) {
      sum.add(entry.name, entry.type, entry.shape)
      entry.bytes.withUnsafeBytes { sum.add($0) }
    }
    return sum.value
  }

  /// Writes the file: beside the target first, then, once it is on the medium, over it.
  ///
  /// - Parameter path: the file; its folder exists.
  /// - Throws: `.notFound` if the folder does not exist; `.inputOutput`; the target is then as it
  ///   was.
  public func write(to path: String) throws(BasisError) {
    let sorted = entries.sorted {
      $0.type.byteCount != $1.type.byteCount
        ? $0.type.byteCount > $1.type.byteCount : $0.name < $1.name
    }
    var members: [String: JSONValue] = [:]
    if !metadata.isEmpty {
      members[Safetensors.metadataKey] = .object(metadata.mapValues { .string($0) })
    }
    var end = 0
    for entry in sorted {
      members[entry.name] = .object([
        "dtype": .string(entry.type.rawValue),
        "shape": .array(entry.shape.map { .integer(Int64($0)) }),
        "data_offsets": .array([
          .integer(Int64(end)), .integer(Int64(end + entry.bytes.count)),
        ]),
      ])
      end += entry.bytes.count
    }
    var header = Array(JSONValue.object(members).text.utf8)
    header += repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    let size = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }

    let temporary = SystemFile.temporaryName(beside: path)
    do throws(BasisError) {
      let file = try SystemFile(creating: temporary)
      var position = 0
      for part in [size, header] + sorted.map(\.bytes) {
        try part.withUnsafeBytesOf { (raw) throws(BasisError) in
          try file.write(raw, at: position)
        }
        position += part.count
      }
      try file.synchronize()
      try SystemFile.move(temporary, over: path)
    } catch {
      SystemFile.remove(temporary)
      guard error.message.hasPrefix(temporary) else { throw error }
      // People know the file by the name that they gave it.
      throw BasisError(
        error.code, path + error.message.dropFirst(temporary.count), cause: error.cause)
    }
  }
}
