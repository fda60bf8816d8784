import BasisCore

/// The documents or queries of a JSON lines file, by the field names that data sets use.
struct JudgedJSONReader: RecordReader {
  private var records: JSONLinesReader
  private let name: String

  static let idFields = ["_id", "id", "docid", "doc_id", "docno", "qid", "query_id"]
  static let titleFields = ["title", "headline"]
  static let textFields = ["text", "body", "contents", "content", "abstract", "query", "question"]

  init(_ lines: LineStream) {
    name = lines.name
    records = JSONLinesReader(lines)
  }

  var bytesRead: Int { records.bytesRead }
  var byteCount: Int? { records.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    guard let record = try records.next() else { return nil }
    let id = Self.first(Self.idFields, of: record.fields)
    let title = Self.first(Self.titleFields, of: record.fields)
    let text = Self.first(Self.textFields, of: record.fields)
    guard let id, !id.isEmpty else {
      throw BasisError(
        .badData,
        "\(name):\(record.row): no field identifies the record; name it '_id' (there are: "
          + "\(Self.names(record.fields)))")
    }
    guard title != nil || text != nil else {
      throw BasisError(
        .badData,
        "\(name):\(record.row): no field is its text; name it 'text' (there are: "
          + "\(Self.names(record.fields)))")
    }
    return SourceRecord(document: id, title: title ?? "", text: text ?? "", row: record.row)
  }

  private static func first(_ names: [String], of fields: JSONValue) -> String? {
    for name in names {
      if let text = fields[name]?.stringValue { return text }
    }
    return nil
  }

  private static func names(_ fields: JSONValue) -> String {
    guard case .object(let members) = fields else { return "none" }
    return members.keys.sorted().prefix(20).joined(separator: ", ")
  }
}

/// The documents or queries of a file with a line for each: id, tab, text; or id, title and text.
struct JudgedTabReader: RecordReader {
  private let lines: LineStream

  init(_ lines: LineStream) { self.lines = lines }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    while let line = try lines.next() {
      if isBlank(line) { continue }
      let row = lines.lineNumber
      let cells = try lineText(line, "\(lines.name):\(row)").utf8
        .split(separator: 0x09, omittingEmptySubsequences: false).map { String(Substring($0)) }
      guard cells.count == 2 || cells.count == 3, !trimmed(cells[0]).isEmpty else {
        throw BasisError(
          .badData,
          "\(lines.name):\(row): has \(cells.count) fields; write id, tab, text, with the title "
            + "between them where there is one")
      }
      return SourceRecord(
        document: trimmed(cells[0]), title: cells.count == 3 ? cells[1] : "",
        text: cells.last ?? "", row: row)
    }
    return nil
  }
}

/// Several files of one kind, one after another.
struct JudgedFilesReader: RecordReader {
  private let paths: [String]
  private let form: RetrievalFile.Form
  private var index = 0
  private var current: (any RecordReader)?
  private var bytesBefore = 0

  let byteCount: Int?
  var bytesRead: Int { bytesBefore + (current?.bytesRead ?? 0) }

  init(_ files: [RetrievalFile], form: RetrievalFile.Form) throws(BasisError) {
    paths = files.map(\.path)
    self.form = form
    byteCount = files.reduce(0) { $0 + $1.byteCount }
    // A file that is gone is told before anything is read.
    if !paths.isEmpty { current = try form.makeReader(paths[0]) }
  }

  mutating func next() throws(BasisError) -> SourceRecord? {
    while var reader = current {
      do throws(BasisError) {
        let record = try reader.next()
        current = reader
        if let record { return record }
      } catch {
        current = reader
        throw error
      }
      bytesBefore += reader.bytesRead
      index += 1
      current = nil
      if index < paths.count { current = try form.makeReader(paths[index]) }
    }
    return nil
  }
}
