import BasisCore

/// The documents of a file in TREC's form, `<DOC><DOCNO>id</DOCNO> … </DOC>`.
///
/// The title is what `<TITLE>`, `<HEADLINE>` or `<HL>` hold; the text what `<TEXT>` holds, and where
/// there is none, everything else. Tags are read in any case and need not be closed.
struct TaggedDocumentReader: RecordReader {
  private var records: TaggedRecords

  init(_ lines: LineStream) { records = TaggedRecords(lines, element: "doc") }

  var bytesRead: Int { records.lines.bytes.bytesRead }
  var byteCount: Int? { records.lines.bytes.byteCount }

  private static let titles: Set<String> = ["title", "headline", "hl"]

  mutating func next() throws(BasisError) -> SourceRecord? {
    guard let record = try records.next() else { return nil }
    let id = record.text { $0.last == "docno" }
    guard !id.isEmpty else {
      throw BasisError(
        .badData, "\(records.lines.name):\(record.row): the document has no <DOCNO>; give it one")
    }
    let title = record.text { !Self.titles.isDisjoint(with: $0) }
    var text = record.text { $0.contains("text") }
    if text.isEmpty {
      text = record.text { $0.last != "docno" && Self.titles.isDisjoint(with: $0) }
    }
    return SourceRecord(document: id, title: title, text: text, row: record.row)
  }
}

/// The queries of a file in TREC's form, `<top><num>id <title>text … </top>`.
///
/// The text is the title; where there is none the description, and else whatever is there. The
/// words `Number:`, `Topic:` and `Description:` that TREC puts before the fields are left off.
struct TaggedTopicReader: RecordReader {
  private var records: TaggedRecords

  init(_ lines: LineStream) { records = TaggedRecords(lines, element: "top") }

  var bytesRead: Int { records.lines.bytes.bytesRead }
  var byteCount: Int? { records.lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    guard let record = try records.next() else { return nil }
    let id = Self.field(record, "num", label: "Number:")
    guard !id.isEmpty else {
      throw BasisError(
        .badData, "\(records.lines.name):\(record.row): the topic has no <num>; give it one")
    }
    var text = Self.field(record, "title", label: "Topic:")
    if text.isEmpty { text = Self.field(record, "desc", label: "Description:") }
    if text.isEmpty { text = trimmed(record.text { $0.last != "num" }) }
    return SourceRecord(document: id, title: "", text: text, row: record.row)
  }

  private static func field(_ record: TaggedRecord, _ tag: String, label: String) -> String {
    let text = trimmed(record.text { $0.last == tag })
    return text.hasPrefix(label) ? trimmed(text.dropFirst(label.count)) : text
  }
}

/// One record of a file with tags.
struct TaggedRecord {
  /// The line on which it begins.
  var row: Int
  /// The texts in their order, each with the tags that are open around it, in small letters.
  var parts: [(tags: [String], text: String)]

  /// The texts whose tags meet a condition, one after another.
  func text(_ condition: ([String]) -> Bool) -> String {
    trimmed(parts.filter { condition($0.tags) }.map(\.text).joined(separator: " "))
  }
}

/// The elements of one name in a file with tags; what stands between them is passed over.
struct TaggedRecords {
  let lines: LineStream
  private let element: String
  private let opening: [UInt8]
  private let closing: [UInt8]
  /// What was read behind the element before, and the line that it is on.
  private var rest: [UInt8] = []

  init(_ lines: LineStream, element: String) {
    self.lines = lines
    self.element = element
    opening = Array("<\(element)>".utf8)
    closing = Array("</\(element)>".utf8)
  }

  mutating func next() throws(BasisError) -> TaggedRecord? {
    var body = rest
    rest = []
    var start = find(opening, in: body, from: 0)
    while start == nil {
      guard let line = try nextLine() else { return nil }
      body = line
      start = find(opening, in: body, from: 0)
    }
    let row = lines.lineNumber
    body.removeFirst((start ?? 0) + opening.count)
    var searched = 0
    while true {
      if let end = find(closing, in: body, from: searched) {
        rest = Array(body[(end + closing.count)...])
        return TaggedRecord(row: row, parts: Self.parts(of: body[..<end]))
      }
      searched = body.count
      guard let line = try nextLine() else {
        throw BasisError(
          .badData,
          "\(lines.name):\(row): the record that begins here never ends; close it with "
            + "</\(element.uppercased())>")
      }
      body.append(0x0A)
      body += line
      guard body.count <= lines.limit else { throw lines.tooLong(row) }
    }
  }

  private func nextLine() throws(BasisError) -> [UInt8]? {
    guard let line = try lines.next() else { return nil }
    return Array(try lineText(line, "\(lines.name):\(lines.lineNumber)").utf8)
  }

  private func find(_ tag: [UInt8], in text: [UInt8], from start: Int) -> Int? {
    var position = start
    while position + tag.count <= text.count {
      if text[position] == 0x3C,
        zip(text[position...], tag).allSatisfy({ lowercased($0) == $1 })
      {
        return position
      }
      position += 1
    }
    return nil
  }

  private static func parts(of body: ArraySlice<UInt8>) -> [(tags: [String], text: String)] {
    var parts: [(tags: [String], text: String)] = []
    var open: [String] = []
    var start = body.startIndex
    func add(upTo end: Int) {
      let text = decodingEntities(String(decoding: body[start..<end], as: UTF8.self))
      if text.contains(where: { !$0.isWhitespace }) { parts.append((open, text)) }
    }
    var position = start
    while position < body.endIndex {
      guard body[position] == 0x3C, let tag = tag(in: body, at: position) else {
        position += 1
        continue
      }
      add(upTo: position)
      if tag.closes {
        if let place = open.lastIndex(of: tag.name) { open.removeSubrange(place...) }
      } else {
        open.append(tag.name)
      }
      position = tag.end
      start = position
    }
    add(upTo: body.endIndex)
    return parts
  }

  /// The tag that a `<` begins, nil where it stands for itself, as in `a < b`.
  private static func tag(in body: ArraySlice<UInt8>, at start: Int)
    -> (name: String, closes: Bool, end: Int)?
  {
    var position = start + 1
    let closes = position < body.endIndex && body[position] == 0x2F
    if closes { position += 1 }
    let nameStart = position
    while position < body.endIndex, isNameByte(body[position], first: position == nameStart) {
      position += 1
    }
    guard position > nameStart else { return nil }
    let name = String(decoding: body[nameStart..<position].map(lowercased), as: UTF8.self)
    // Attributes, up to the end of the line.
    while position < body.endIndex, body[position] != 0x3E {
      guard body[position] != 0x3C, body[position] != 0x0A else { return nil }
      position += 1
    }
    return position < body.endIndex ? (name, closes, position + 1) : nil
  }

  private static func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
    let letter = byte | 0x20
    if letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z") { return true }
    return !first
      && (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "-")
        || byte == UInt8(ascii: "_"))
  }
}

private func lowercased(_ byte: UInt8) -> UInt8 {
  byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

private let entities: [String: String] = [
  "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ",
]

/// The text with SGML's commonest character references resolved; others stand for themselves.
private func decodingEntities(_ text: String) -> String {
  guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
  var result = ""
  var rest = Substring(text)
  while let mark = rest.firstIndex(of: "&") {
    result += rest[..<mark]
    let tail = rest[rest.index(after: mark)...]
    let name = tail.prefix(10).prefix { $0 != ";" }
    if name.endIndex < tail.endIndex, tail[name.endIndex] == ";",
      let character = character(named: name)
    {
      result += character
      rest = tail[tail.index(after: name.endIndex)...]
    } else {
      result += "&"
      rest = tail
    }
  }
  return result + rest
}

private func character(named name: Substring) -> String? {
  if let known = entities[name.lowercased()] { return known }
  guard name.first == "#" else { return nil }
  let digits = name.dropFirst()
  let code = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
  return code.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
}
