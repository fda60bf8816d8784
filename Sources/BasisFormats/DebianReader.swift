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
  private var fields: [Field] = []

  private struct Field {
    var name: String
    var lines: [String]
  }

  init(_ lines: LineStream) { self.lines = lines }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    fields.removeAll(keepingCapacity: true)
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
      do throws(BasisError) {
        try add(lineText(line, "\(lines.name):\(lines.lineNumber)"))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return row == 0 ? nil : record(row)
  }

  private mutating func add(_ line: String) throws(BasisError) {
    func failure(_ what: String) -> BasisError {
      BasisError(.badData, "\(lines.name):\(lines.lineNumber): \(what)")
    }
    if line.utf8.first == 0x20 || line.utf8.first == 0x09 {
      guard !fields.isEmpty else {
        throw failure("a paragraph cannot start with an indented line")
      }
      let content = line.dropFirst()
      let isDot = content.utf8.first == UInt8(ascii: ".") && trimmed(content) == "."
      fields[fields.count - 1].lines.append(isDot ? "" : trimmedEnd(content))
      return
    }
    guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
      line[..<colon].utf8.allSatisfy({ (0x21..<0x7F).contains($0) })
    else { throw failure("not a field ('Name: value'): \"\(line.prefix(40))\"") }
    let name = line[..<colon].lowercased()
    guard !fields.contains(where: { $0.name == name }) else {
      throw failure("the field '\(line[..<colon])' appears twice in one paragraph")
    }
    fields.append(Field(name: name, lines: [trimmed(line[line.utf8.index(after: colon)...])]))
  }

  private func record(_ row: Int) -> SourceRecord {
    var members: [String: JSONValue] = [:]
    members.reserveCapacity(fields.count + 1)
    var json: [UInt8] = [UInt8(ascii: "{")]
    func put(_ name: String, _ value: JSONValue) {
      members[name] = value
      JSONValue.write(member: name, value, to: &json)
    }
    for field in fields {
      let isDescription =
        field.name == "description"
        || field.name.hasPrefix("description-") && field.name != "description-md5"
      if isDescription {
        put(field.name, value(field.lines[0]))
        if field.lines.count > 1 {
          put("long-\(field.name)", value(paragraphs(field.lines[1...])))
        }
      } else if field.lines.count == 1 {
        let text = field.lines[0]
        let isSize = field.name == "size" || field.name.hasSuffix("-size")
        put(field.name, isSize ? losslessValue(text) : value(text))
      } else {
        let first = field.lines[0].isEmpty ? 1 : 0
        put(field.name, value(field.lines[first...].joined(separator: "\n")))
      }
    }
    json.append(UInt8(ascii: "}"))
    return SourceRecord(
      row: row, fields: .object(members), json: String(decoding: json, as: UTF8.self))
  }

  private func value(_ text: String) -> JSONValue { text.isEmpty ? .null : .string(text) }

  private func paragraphs(_ lines: ArraySlice<String>) -> String {
    var text = ""
    var joinsNext = false
    for line in lines {
      if line.isEmpty {
        if !text.isEmpty { text += "\n" }
        joinsNext = false
        continue
      }
      let standsAlone = line.utf8.first == 0x20 || line.utf8.first == 0x09
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
}

private func trimmed(_ text: Substring) -> String {
  trimmedEnd(text.drop { $0 == " " || $0 == "\t" })
}

private func trimmedEnd(_ text: Substring) -> String {
  var text = text
  while let last = text.utf8.last, last == 0x20 || last == 0x09 { text.removeLast() }
  return String(text)
}
