import BasisCore

/// The paragraphs of a Debian control file or package list (deb822): one record each.
///
/// Field names become lower case. Lines that continue a field are joined by line feeds, a line of
/// a lone dot is a blank one, lines that start with `#` are comments. `Description` gives
/// `description`, its first line, and `long-description`: the rest, one line a paragraph, blank
/// lines between them; lines that are indented further stand alone. Sizes are numbers; an empty
/// field is null.
///
/// Debian Policy Manual, chapter 5, and `deb822(5)`.
struct DebianReader: RecordReader {
  private let lines: LineStream
  /// The lines of the paragraph, each without what comes before its value.
  private var text: [UInt8] = []
  private var values: [Value] = []

  /// One line of a field.
  private struct Value {
    /// In lower case; nil where the line continues the field before it.
    var name: String?
    var range: Range<Int>
    var lineNumber: Int
    var column: Int
  }

  init(_ lines: LineStream) { self.lines = lines }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    text.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    var row = 0
    var byteCount = 0
    var failure: BasisError?
    while let line = try lines.next() {
      if isBlank(line) {
        if row > 0 { break }
        continue
      }
      if line.first == UInt8(ascii: "#") { continue }
      if row == 0 { row = lines.lineNumber }
      byteCount += line.count
      guard byteCount <= lines.limit else { throw lines.tooLong(row) }
      // The rest of a damaged paragraph is read, so that the next call starts at the next one.
      if failure != nil { continue }
      do throws(BasisError) { try add(line) } catch { failure = error }
    }
    if let failure { throw failure }
    return row == 0 ? nil : try record(row)
  }

  private mutating func add(_ line: UnsafeRawBufferPointer) throws(BasisError) {
    var start = 0
    var end = line.count
    while end > 0, isSpace(line[end - 1]) { end -= 1 }
    var name: String?
    if isSpace(line[0]) {
      guard !values.isEmpty else {
        throw failure(lines.lineNumber, "a paragraph cannot start with an indented line")
      }
      start = 1
      if end == 2, line[1] == UInt8(ascii: ".") { start = end }
    } else {
      guard let colon = line[..<end].firstIndex(of: UInt8(ascii: ":")), colon > 0,
        line[..<colon].allSatisfy({ (0x21..<0x7F).contains($0) })
      else {
        let shown = String(decoding: line[..<min(end, 40)], as: UTF8.self)
        throw failure(lines.lineNumber, "not a field ('Name: value'): \"\(shown)\"")
      }
      name = String(unsafeUninitializedCapacity: colon) { lower in
        for (index, byte) in line[..<colon].enumerated() {
          let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
          lower[index] = isUpper ? byte | 0x20 : byte
        }
        return colon
      }
      start = colon + 1
      while start < end, isSpace(line[start]) { start += 1 }
    }
    let first = text.count
    text += UnsafeRawBufferPointer(rebasing: line[start..<end])
    values.append(
      Value(
        name: name, range: first..<text.count, lineNumber: lines.lineNumber, column: start + 1))
  }

  private func record(_ row: Int) throws(BasisError) -> SourceRecord {
    var members: [String: JSONValue] = Dictionary(minimumCapacity: values.count + 1)
    var json: [UInt8] = []
    json.reserveCapacity(2 * text.count + 32 * values.count)
    json.append(UInt8(ascii: "{"))
    var index = 0
    while index < values.count {
      let field = values[index]
      let name = field.name ?? ""
      var end = index + 1
      while end < values.count, values[end].name == nil { end += 1 }
      let first = try string(field)
      let rest = values[index + 1..<end]
      index = end

      let isDescription =
        name == "description" || name.hasPrefix("description-") && name != "description-md5"
      var value: JSONValue = first.isEmpty ? .null : .string(first)
      if !isDescription, !rest.isEmpty {
        let lines = try (first.isEmpty ? [] : [first]) + strings(rest)
        value = .string(lines.joined(separator: "\n"))
      } else if name == "size" || name.hasSuffix("-size") {
        value = losslessValue(first)
      }
      guard members.updateValue(value, forKey: name) == nil else {
        throw failure(
          field.lineNumber, "the field '\(name)' appears twice in the paragraph of line \(row)")
      }
      JSONValue.write(member: name, value, to: &json)
      if isDescription, !rest.isEmpty {
        let long = JSONValue.string(paragraphs(try strings(rest)))
        members["long-\(name)"] = long
        JSONValue.write(member: "long-\(name)", long, to: &json)
      }
    }
    json.append(UInt8(ascii: "}"))
    return SourceRecord(
      row: row, fields: .object(members), json: String(decoding: json, as: UTF8.self))
  }

  private func strings(_ values: ArraySlice<Value>) throws(BasisError) -> [String] {
    var strings: [String] = []
    for value in values { strings.append(try string(value)) }
    return strings
  }

  private func string(_ value: Value) throws(BasisError) -> String {
    let decoded = text.withUnsafeBytes { bytes in
      decodeUTF8(UnsafeRawBufferPointer(rebasing: bytes[value.range]))
    }
    switch decoded {
    case .text(let string): return string
    case .invalid(let offset):
      throw notUTF8("\(lines.name):\(value.lineNumber)", column: value.column + offset)
    }
  }

  private func paragraphs(_ lines: [String]) -> String {
    var text = ""
    var joinsNext = false
    for line in lines {
      if line.isEmpty {
        if !text.isEmpty { text += "\n" }
        joinsNext = false
        continue
      }
      let standsAlone = line.utf8.first.map(isSpace(_:)) ?? false
      if joinsNext && !standsAlone {
        text += " "
      } else if !text.isEmpty {
        text += "\n"
      }
      text += line
      joinsNext = !standsAlone
    }
    return text
  }

  private func failure(_ line: Int, _ what: String) -> BasisError {
    BasisError(.badData, "\(lines.name):\(line): \(what)")
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
