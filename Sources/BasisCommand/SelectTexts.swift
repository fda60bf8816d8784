import BasisCore
import BasisFormats
import BasisStorage

/// The records of a file, and the text of each.
struct SelectTexts {
  /// As JSON.
  private(set) var lines: [String] = []
  private(set) var texts: [String] = []

  /// - Parameters:
  ///   - path: anything that `basis ingest` reads.
  ///   - fields: whose texts are joined by line breaks.
  /// - Throws: `.badData` naming the record that has none of the fields; as a record source.
  init(_ path: String, fields: [String]) throws(BasisError) {
    let source = try RecordSource(path: path)
    var reader = try source.makeReader()
    while let record = try reader.next() {
      guard fields.contains(where: { record.fields.value(at: $0) != nil }) else {
        throw BasisError(
          .badData,
          "\(path):\(record.row): has no field '\(fields.joined(separator: "' or '"))'; name the one "
            + "that holds the text by --text")
      }
      lines.append(record.json)
      texts.append(record.fields.text(of: fields))
    }
  }
}
