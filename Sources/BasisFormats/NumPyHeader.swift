import BasisCore

/// What the elements of a NumPy array are.
public enum NumPyElement: String, CaseIterable, Sendable, Hashable {
  case bool = "b1"
  case int8 = "i1"
  case int16 = "i2"
  case int32 = "i4"
  case int64 = "i8"
  case uint8 = "u1"
  case uint16 = "u2"
  case uint32 = "u4"
  case uint64 = "u8"
  case float16 = "f2"
  case float32 = "f4"
  case float64 = "f8"

  /// Bytes an element.
  public var byteCount: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  public var isFloatingPoint: Bool { self == .float16 || self == .float32 || self == .float64 }
}

/// The header of an npy file, to and from bytes: `\x93NUMPY`, two bytes of version, the length, and
/// a Python dictionary that ends in a line feed.
///
/// After NumPy's `numpy.lib.format`, "Format Version 1.0" to "3.0".
struct NumPyHeader {
  static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
  private static let alignment = 64

  var shape: [Int]
  var element: NumPyElement
  var isBigEndian = false
  var isFortranOrdered = false
  /// Where the elements start.
  var byteCount = 0

  /// How many elements there are; `init(reading:)` has seen that it can be said.
  var count: Int { shape.contains(0) ? 0 : shape.reduce(1, *) }

  init(shape: [Int], element: NumPyElement) {
    self.shape = shape
    self.element = element
  }

  /// The bytes that NumPy would write, version 1.0.
  ///
  /// Its length does not depend on the number of rows, so that this can be filled in last.
  func serialized() -> [UInt8] {
    let mark = element.byteCount == 1 ? "|" : isBigEndian ? ">" : "<"
    let order = isFortranOrdered ? "True" : "False"
    let lengths = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text =
      "{'descr': '\(mark)\(element.rawValue)', 'fortran_order': \(order), 'shape': (\(lengths)), }"
    // NumPy's own room for the length of the slowest axis to grow, 21 digits in all.
    if let first = isFortranOrdered ? shape.last : shape.first {
      text += String(repeating: " ", count: max(0, 21 - String(first).utf8.count))
    }
    let used = Self.magic.count + 4 + text.utf8.count + 1
    text += String(repeating: " ", count: Self.alignment - used % Self.alignment) + "\n"
    var bytes = Self.magic + [1, 0]
    bytes.appendLittleEndian(UInt16(text.utf8.count))
    return bytes + text.utf8
  }

  /// Reads a header and checks it against the number of bytes that there are.
  ///
  /// - Throws: `.badData`, `.unsupported`; messages start with `byte N: `.
  init(reading bytes: UnsafeRawBufferPointer) throws(BasisError) {
    func damaged(_ position: Int, _ what: String) -> BasisError {
      BasisError(.badData, "byte \(position): \(what); save the array again")
    }
    guard bytes.starts(with: Self.magic) else { throw damaged(0, "is not a NumPy array") }
    guard bytes.count >= 10 else { throw damaged(bytes.count, "the header is cut off") }
    let version = (major: bytes[6], minor: bytes[7])
    guard (1...3).contains(version.major), version.minor == 0 else {
      throw BasisError(
        .unsupported,
        "byte 6: format version \(version.major).\(version.minor) of NumPy arrays; 1.0, 2.0 and "
          + "3.0 are read here")
    }
    let start = version.major == 1 ? 10 : 12
    guard bytes.count >= start else { throw damaged(bytes.count, "the header is cut off") }
    let length =
      version.major == 1
      ? Int(bytes.littleEndian(at: 8, UInt16.self)) : Int(bytes.littleEndian(at: 8, UInt32.self))
    guard length <= bytes.count - start else {
      throw damaged(
        8, "the header should have \(length) bytes, \(bytes.count - start) follow")
    }
    // NumPy refuses to evaluate more; a header of this program's types has about a hundred.
    guard length <= 10_000 else { throw damaged(8, "the header has \(length) bytes") }
    byteCount = start + length

    var literal = PythonLiteral(
      UnsafeRawBufferPointer(rebasing: bytes[start..<byteCount]), offset: start)
    let fields = try literal.dictionary()
    guard let (descriptor, place) = fields["descr"],
      let (order, orderPlace) = fields["fortran_order"],
      let (lengths, shapePlace) = fields["shape"], fields.count == 3
    else { throw damaged(start, "the header does not say 'descr', 'fortran_order' and 'shape'") }
    guard case .bool(let isFortranOrdered) = order else {
      throw damaged(orderPlace, "'fortran_order' is neither True nor False")
    }
    guard case .tuple(let shape) = lengths else {
      throw damaged(shapePlace, "'shape' is not a tuple of whole numbers")
    }
    guard case .string(let type) = descriptor else {
      throw BasisError(
        .unsupported,
        "byte \(place): the elements are records of several fields; save one field at a time")
    }
    (element, isBigEndian) = try Self.element(of: type, at: place)
    self.isFortranOrdered = isFortranOrdered
    self.shape = shape

    // Lengths of 0 hide nothing: the product of the others has to be one that can be said.
    var wanted = element.byteCount
    for length in shape where length > 0 {
      let (product, overflows) = wanted.multipliedReportingOverflow(by: length)
      guard !overflows else {
        throw damaged(shapePlace, "a shape of \(shape) is more than fits any memory")
      }
      wanted = product
    }
    if let longest = shape.max(), shape.contains(0) {
      // Rows without columns take no room in the file, but time to walk through.
      guard longest <= Int(Int32.max) else {
        throw damaged(shapePlace, "a shape of \(shape) has no elements to be so long")
      }
      wanted = 0
    }
    let given = bytes.count - byteCount
    guard given == wanted else {
      throw damaged(
        given < wanted ? bytes.count : byteCount + wanted,
        "\(shape) elements of \(element.byteCount) bytes are \(wanted) bytes, the file has \(given) "
          + "after its header")
    }
  }

  private static func element(of type: String, at place: Int) throws(BasisError)
    -> (NumPyElement, isBigEndian: Bool)
  {
    let mark = type.first ?? " "
    if "<>=|".contains(mark), let element = NumPyElement(rawValue: String(type.dropFirst())),
      mark != "|" || element.byteCount == 1
    {
      return (element, mark == ">")
    }
    let remedy =
      switch type.drop(while: { "<>=|".contains($0) }).first {
      case "O": "holds Python objects, which are not read here; save numbers (x.astype('f4'))"
      case "U", "S": "holds texts; save their numbers (numpy.unique(x, return_inverse=True)[1])"
      case "c": "holds complex numbers; save their parts (x.real, x.imag)"
      default: "is of a type that is not read here; save numbers (x.astype('f4'))"
      }
    throw BasisError(.unsupported, "byte \(place): '\(type)' \(remedy)")
  }
}

/// As much of Python's literals as headers of arrays are made of.
private struct PythonLiteral {
  enum Value {
    case string(String)
    case bool(Bool)
    case tuple([Int])
    case other
  }

  private let bytes: UnsafeRawBufferPointer
  /// Where the bytes start in the file.
  private let offset: Int
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer, offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The values by their names, with the byte where each starts.
  mutating func dictionary() throws(BasisError) -> [String: (Value, place: Int)] {
    var fields: [String: (Value, place: Int)] = [:]
    try take("{")
    while !skips("}") {
      let place = offset + position
      let name = try string()
      try take(":")
      skipSpace()
      let start = offset + position
      guard fields.updateValue((try value(), start), forKey: name) == nil else {
        throw damaged("'\(name)' comes twice", at: place)
      }
      if skips(",") { continue }
      try take("}")
      break
    }
    skipSpace()
    guard position == bytes.count else { throw damaged("text after the header's dictionary") }
    return fields
  }

  private mutating func value() throws(BasisError) -> Value {
    switch peek {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "("): return .tuple(try tuple())
    case UInt8(ascii: "["):
      // A structured type; nothing behind it is looked at.
      throw BasisError(
        .unsupported,
        "byte \(offset + position): the elements are records of several fields; save one field at a time"
      )
    default:
      for (word, value) in [("True", true), ("False", false)] {
        if bytes[position...].starts(with: word.utf8) {
          position += word.utf8.count
          return .bool(value)
        }
      }
      throw damaged("a value that a header cannot have")
    }
  }

  private mutating func string() throws(BasisError) -> String {
    skipSpace()
    guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw damaged("a quote is missing")
    }
    position += 1
    guard let length = bytes[position...].firstIndex(of: quote).map({ $0 - position }) else {
      throw damaged("a text is never closed")
    }
    let text = String(decoding: bytes[position..<position + length], as: UTF8.self)
    position += length + 1
    return text
  }

  private mutating func tuple() throws(BasisError) -> [Int] {
    var lengths: [Int] = []
    try take("(")
    while !skips(")") {
      skipSpace()
      let start = position
      while let digit = peek, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") {
        position += 1
      }
      guard let length = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
        throw damaged("a length that is not a whole number of at least 0, or is too large")
      }
      lengths.append(length)
      // Python 2 wrote long integers so.
      if peek == UInt8(ascii: "L") { position += 1 }
      guard lengths.count <= 64 else { throw damaged("more than 64 lengths") }
      if skips(",") { continue }
      try take(")")
      break
    }
    return lengths
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x09 { position += 1 }
  }

  private mutating func skips(_ mark: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func take(_ mark: Unicode.Scalar) throws(BasisError) {
    if !skips(mark) { throw damaged("'\(mark)' is missing") }
  }

  private func damaged(_ what: String, at place: Int? = nil) -> BasisError {
    BasisError(
      .badData, "byte \(place ?? offset + position): \(what); save the array again")
  }
}
