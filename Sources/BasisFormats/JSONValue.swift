public import BasisCore

/// Any JSON value.
///
/// Whole numbers of 64 bits stay whole numbers; truth values are not numbers. Equality is of type
/// and value: `1` and `1.0` differ, as their texts do.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  /// The value that a text is, by RFC 8259 to the letter.
  ///
  /// - Throws: `.badData` that says at which column (counted in bytes, from 1) which character is
  ///   wrong. Also for what JSON allows and a value cannot keep: a key twice in one object, a whole
  ///   number that neither 64 bits nor a double can hold, a number too large for a double, half of
  ///   a surrogate pair, more than ``maximumDepth`` nested arrays and objects.
  /// - Complexity: O(*n*).
  public init(parsing text: String) throws(BasisError) {
    var text = text
    // `withUTF8` has no typed throws.
    let result = text.withUTF8 { bytes in
      Result { () throws(BasisError) in try JSONValue(parsing: UnsafeRawBufferPointer(bytes)) }
    }
    self = try result.get()
  }

  /// The value that bytes are, as UTF-8. See ``init(parsing:)-(String)``.
  ///
  /// - Throws: `.badData`, also for bytes that are not UTF-8.
  public init(parsing bytes: [UInt8]) throws(BasisError) {
    self = try bytes.withUnsafeBytesOf { (raw) throws(BasisError) in try JSONValue(parsing: raw) }
  }

  /// The value that bytes are, as UTF-8. See ``init(parsing:)-(String)``.
  ///
  /// - Throws: `.badData`, also for bytes that are not UTF-8.
  public init(parsing bytes: UnsafeRawBufferPointer) throws(BasisError) {
    var parser = JSONParser(bytes)
    self = try parser.parse()
  }

  /// How deep arrays and objects may be nested in a text.
  public static let maximumDepth = 512

  /// Compact JSON with sorted keys: equal values have equal texts (up to Unicode's
  /// canonical equivalence).
  ///
  /// Numbers that are not finite are written as `null`.
  public var text: String { serialized() }

  /// JSON with sorted keys.
  ///
  /// - Parameter pretty: one member a line, two spaces a level.
  public func serialized(pretty: Bool = false) -> String {
    var out: [UInt8] = []
    write(to: &out, pretty: pretty)
    return String(decoding: out, as: UTF8.self)
  }

  /// The member of an object, nil where there is none.
  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// The value that a dotted path leads to, nil where there is none.
  ///
  /// A step is a key, or the number of an array's element, from 0. A key with dots in it is found
  /// too: the longest key that fits is taken at each step.
  public func value(at path: String) -> JSONValue? {
    switch self {
    case .object(let members):
      if let found = members[path] { return found }
      var end = path.endIndex
      while let dot = path[..<end].lastIndex(of: ".") {
        if let found = members[String(path[..<dot])]?
          .value(at: String(path[path.index(after: dot)...]))
        {
          return found
        }
        end = dot
      }
      return nil
    case .array(let elements):
      let step = path.prefix { $0 != "." }
      guard let index = Int(step), elements.indices.contains(index) else { return nil }
      if step.endIndex == path.endIndex { return elements[index] }
      return elements[index].value(at: String(path[path.index(after: step.endIndex)...]))
    default:
      return nil
    }
  }

  /// A string as it is, a number or truth value as its JSON text, nil for the rest.
  public var stringValue: String? {
    switch self {
    case .string(let value): value
    case .integer, .number, .bool: text
    case .null, .array, .object: nil
    }
  }

  /// A whole or broken number as a double, nil for the rest.
  public var doubleValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Whether this is `null`.
  public var isNull: Bool { self == .null }
}

extension JSONValue: CustomStringConvertible {
  public var description: String { text }
}

extension JSONValue: Codable {
  /// Through any decoder. A decoder that does not tell `1.0` from `1` gives a whole number for both.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// Through any encoder. Numbers that are not finite are encoded as `nil`.
  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value):
      if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension JSONValue {
  func write(to out: inout [UInt8], pretty: Bool = false, depth: Int = 0) {
    func breakLine(_ depth: Int) {
      guard pretty else { return }
      out.append(UInt8(ascii: "\n"))
      out += repeatElement(UInt8(ascii: " "), count: 2 * depth)
    }
    switch self {
    case .null: out += "null".utf8
    case .bool(let value): out += (value ? "true" : "false").utf8
    case .integer(let value): out += String(value).utf8
    case .number(let value): out += (value.isFinite ? value.description : "null").utf8
    case .string(let value): Self.write(value, to: &out)
    case .array(let elements):
      out.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        breakLine(depth + 1)
        element.write(to: &out, pretty: pretty, depth: depth + 1)
      }
      if !elements.isEmpty { breakLine(depth) }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (index, key) in members.keys.sorted().enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        breakLine(depth + 1)
        Self.write(key, to: &out)
        out += (pretty ? ": " : ":").utf8
        members[key]?.write(to: &out, pretty: pretty, depth: depth + 1)
      }
      if !members.isEmpty { breakLine(depth) }
      out.append(UInt8(ascii: "}"))
    }
  }

  /// Adds a member to the text of an object that was opened with `{`.
  static func write(member name: String, _ value: JSONValue, to out: inout [UInt8]) {
    if out.last != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
    write(name, to: &out)
    out.append(UInt8(ascii: ":"))
    value.write(to: &out)
  }

  private static func write(_ string: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var string = string
    string.withUTF8 { text in
      let bytes = UnsafeRawBufferPointer(text)
      var start = 0
      while true {
        let end = endOfPlainText(bytes, from: start)
        out += UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        guard end < bytes.count else { return }
        switch bytes[end] {
        case UInt8(ascii: "\""): out += "\\\"".utf8
        case UInt8(ascii: "\\"): out += "\\\\".utf8
        case 0x0A: out += "\\n".utf8
        case 0x0D: out += "\\r".utf8
        case 0x09: out += "\\t".utf8
        case let control:
          out += "\\u00\(control < 16 ? "0" : "")\(String(control, radix: 16))".utf8
        }
        start = end + 1
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}
