import BasisCore

/// The records of a file in the form of the SMART system: `.I number`, then fields that a line with
/// a point and a capital letter begins. `.T` is the title and `.W` the text; authors, sources and
/// citations (`.A`, `.B`, `.X` and others) are passed over.
struct SMARTReader: RecordReader {
  private let lines: LineStream
  /// The `.I` line that ended the record before.
  private var header: (row: Int, id: String)?

  init(_ lines: LineStream) { self.lines = lines }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    var current = header
    header = nil
    var field = UInt8(0)
    var title = ""
    var text = ""
    while let bytes = try lines.next() {
      let line = try lineText(bytes, "\(lines.name):\(lines.lineNumber)")
      if line.hasPrefix(".I"), let id = try identifier(line) {
        guard let current else {
          current = (lines.lineNumber, id)
          continue
        }
        header = (lines.lineNumber, id)
        return SourceRecord(document: current.id, title: title, text: text, row: current.row)
      }
      if let letter = Self.field(line) {
        field = letter
        continue
      }
      guard current != nil else {
        if isBlank(bytes) { continue }
        throw BasisError(
          .badData,
          "\(lines.name):\(lines.lineNumber): text before the first record; a record begins with "
            + "'.I number'")
      }
      switch field {
      case UInt8(ascii: "T"): title += line + "\n"
      case UInt8(ascii: "W"): text += line + "\n"
      default: break
      }
    }
    return current.map {
      SourceRecord(document: $0.id, title: title, text: text, row: $0.row)
    }
  }

  private func identifier(_ line: String) throws(BasisError) -> String? {
    let columns = columnsOf(line)
    guard columns[0] == ".I" else { return nil }
    guard columns.count == 2 else {
      throw BasisError(
        .badData,
        "\(lines.name):\(lines.lineNumber): '\(line)' does not number a record; write '.I 12'")
    }
    return RelevanceJudgments.number(columns[1], true)
  }

  private static func field(_ line: String) -> UInt8? {
    var bytes = line.utf8.makeIterator()
    guard bytes.next() == UInt8(ascii: "."), let letter = bytes.next(),
      letter >= UInt8(ascii: "A"), letter <= UInt8(ascii: "Z")
    else { return nil }
    while let byte = bytes.next() { if byte != 0x20 && byte != 0x09 { return nil } }
    return letter
  }
}

extension SourceRecord {
  /// A document or query of a judged collection: `id`, `title` where there is one, and `text`.
  init(document id: String, title: String, text: String, row: Int) {
    let title = trimmed(title)
    var members: [(String, JSONValue)] = [("id", .string(id))]
    if !title.isEmpty { members.append(("title", .string(title))) }
    members.append(("text", .string(trimmed(text))))
    var json: [UInt8] = [UInt8(ascii: "{")]
    for (name, value) in members { JSONValue.write(member: name, value, to: &json) }
    json.append(UInt8(ascii: "}"))
    self.init(
      row: row, fields: .object(Dictionary(uniqueKeysWithValues: members)),
      json: String(decoding: json, as: UTF8.self))
  }
}

/// Without the white space at both ends.
func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text)
  while let first = rest.first, first.isWhitespace { rest.removeFirst() }
  while let last = rest.last, last.isWhitespace { rest.removeLast() }
  return String(rest)
}
