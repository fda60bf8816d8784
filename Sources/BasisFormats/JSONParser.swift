import BasisCore

/// One JSON text into a ``JSONValue``, by RFC 8259 to the letter.
///
/// Foundation's two parsers were tried first. Both take `[1,]` and a key twice (one keeps the
/// first, the other the last), and neither gives a position for `tru`.
struct JSONParser {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var depth = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func parse() throws(BasisError) -> JSONValue {
    skipSpace()
    let value = try parseValue()
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end of the text") }
    return value
  }

  private mutating func parseValue() throws(BasisError) -> JSONValue {
    guard position < bytes.count else { throw unexpected("a value") }
    switch bytes[position] {
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "{"):
      return try nested { (parser) throws(BasisError) in
        try parser.parseObject()
      }
    case UInt8(ascii: "["):
      return try nested { (parser) throws(BasisError) in
        try parser.parseArray()
      }
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    default: throw unexpected("a value")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(BasisError) -> JSONValue
  ) throws(BasisError) -> JSONValue {
    guard depth < JSONValue.maximumDepth else {
      throw failure("more than \(JSONValue.maximumDepth) nested arrays and objects")
    }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func parseObject() throws(BasisError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw unexpected("a key in quotes")
      }
      let start = position
      let key = try parseString()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected("':'") }
      skipSpace()
      guard members.updateValue(try parseValue(), forKey: key) == nil else {
        throw failure("the key \"\(key)\" appears twice", at: start)
      }
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw unexpected("',' or '}'") }
      skipSpace()
    }
  }

  private mutating func parseArray() throws(BasisError) -> JSONValue {
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try parseValue())
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw unexpected("',' or ']'") }
      skipSpace()
    }
  }

  private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(BasisError)
    -> JSONValue
  {
    for index in 0..<word.utf8CodeUnitCount {
      guard take(word.utf8Start[index]) else { throw unexpected("\(word)") }
    }
    return value
  }

  private mutating func parseNumber() throws(BasisError) -> JSONValue {
    let start = position
    let isNegative = take(UInt8(ascii: "-"))
    let firstDigit = position
    var whole: Int64? = 0
    while let digit = digit() {
      let scaled = whole?.multipliedReportingOverflow(by: 10)
      // Counts downwards: the smallest number has no positive twin.
      let next = scaled.flatMap {
        $0.overflow ? nil : $0.partialValue.subtractingReportingOverflow(Int64(digit))
      }
      whole = next.flatMap { $0.overflow ? nil : $0.partialValue }
      position += 1
    }
    guard position > firstDigit else { throw unexpected("a digit") }
    if bytes[firstDigit] == UInt8(ascii: "0") && position > firstDigit + 1 {
      throw failure("a number cannot start with 0", at: firstDigit)
    }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      guard digit() != nil else { throw unexpected("a digit") }
      while digit() != nil { position += 1 }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digit() != nil else { throw unexpected("a digit") }
      while digit() != nil { position += 1 }
    }
    // "-0" has a sign that a whole number cannot keep.
    if isWhole, let whole, !(isNegative && whole == 0), isNegative || whole != .min {
      return .integer(isNegative ? whole : -whole)
    }

    let token = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Double(token), value.isFinite else {
      throw failure("\(token) is too large for a number; write it as a string", at: start)
    }
    if isWhole && !Self.isExact(value, digits: bytes[firstDigit..<position]) {
      throw failure("\(token) does not fit in 64 bits; write it as a string", at: start)
    }
    return .number(value)
  }

  /// Whether the double is the whole number with these digits, and not just near it.
  private static func isExact(
    _ value: Double, digits: Slice<UnsafeRawBufferPointer>
  ) -> Bool {
    // Doubles over 128 bits are written with an exponent by every program; digits are refused.
    guard let exact = UInt128(exactly: value.magnitude) else { return false }
    var whole: UInt128 = 0
    for digit in digits {
      let (scaled, overflow) = whole.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(UInt128(digit - UInt8(ascii: "0")))
      if overflow || carry { return false }
      whole = sum
    }
    return whole == exact
  }

  private mutating func parseString() throws(BasisError) -> String {
    position += 1
    let start = position
    skipPlain()
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
      position += 1
      return try text(start, position - 1)
    }

    var unescaped: [UInt8] = []
    var plain = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        try append(plain, position, to: &unescaped)
        position += 1
        // Each piece was valid, and no piece of UTF-8 joins with the next one.
        return String(decoding: unescaped, as: UTF8.self)
      case UInt8(ascii: "\\"):
        try append(plain, position, to: &unescaped)
        unescaped += Array(String(try parseEscape()).utf8)
        plain = position
      default:
        throw failure("a control character in a string; write it as an escape")
      }
      skipPlain()
    }
    throw unexpected("'\"'")
  }

  private mutating func parseEscape() throws(BasisError) -> Unicode.Scalar {
    let start = position
    position += 1
    guard position < bytes.count else { throw unexpected("an escape") }
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try parseHex()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      if unit < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
        let low = try parseHex()
        if (0xDC00..<0xE000).contains(low),
          let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        {
          return scalar
        }
      }
      throw failure("half of a surrogate pair", at: start)
    default:
      throw failure("an escape that JSON has not", at: start)
    }
  }

  private mutating func parseHex() throws(BasisError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, bytes[position] < 0x80,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw unexpected("four hexadecimal digits") }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  private mutating func skipPlain() { position = endOfPlainText(bytes, from: position) }

  private func text(_ start: Int, _ end: Int) throws(BasisError) -> String {
    switch decodeUTF8(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) {
    case .text(let text): return text
    case .invalid(let offset): throw failure("bytes that are not UTF-8", at: start + offset)
    }
  }

  private func append(_ start: Int, _ end: Int, to out: inout [UInt8]) throws(BasisError) {
    guard start < end else { return }
    _ = try text(start, end)
    out += bytes[start..<end]
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private func digit() -> UInt8? {
    guard position < bytes.count else { return nil }
    let digit = bytes[position] &- UInt8(ascii: "0")
    return digit < 10 ? digit : nil
  }

  private func unexpected(_ wanted: String) -> BasisError {
    guard position < bytes.count else {
      return failure("expected \(wanted), found the end of the text")
    }
    let byte = bytes[position]
    let found = (0x21..<0x7F).contains(byte) ? "'\(Unicode.Scalar(byte))'" : hexadecimal(byte)
    return failure("expected \(wanted), found \(found)")
  }

  private func failure(_ what: String, at place: Int? = nil) -> BasisError {
    BasisError(.badData, "column \((place ?? position) + 1): \(what)")
  }
}

/// Where the next quote, backslash or control character stands, or the end; eight bytes at a time.
func endOfPlainText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
  var position = start
  let ones: UInt64 = 0x0101_0101_0101_0101
  let highs = ones << 7
  while bytes.count - position >= 8 {
    let word = UInt64(
      littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    let quote = word ^ ones &* UInt64(UInt8(ascii: "\""))
    let backslash = word ^ ones &* UInt64(UInt8(ascii: "\\"))
    // The high bit of each byte that is below 0x20, or zero after the exclusive or. Borrows may
    // mark bytes above the lowest marked one, never below it.
    let found =
      ((word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote
        | (backslash &- ones) & ~backslash) & highs
    if found != 0 { return position + found.trailingZeroBitCount >> 3 }
    position += 8
  }
  while position < bytes.count {
    let byte = bytes[position]
    if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
    position += 1
  }
  return position
}

/// A byte that cannot be shown: `byte 0x07`.
func hexadecimal(_ byte: UInt8) -> String {
  "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}
