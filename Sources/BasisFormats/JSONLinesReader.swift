import BasisCore

/// One JSON object a line; blank lines are passed over.
struct JSONLinesReader: RecordReader {
  private let lines: LineStream
  private var hasRecord = false

  init(_ lines: LineStream) { self.lines = lines }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    while let line = try lines.next() {
      if isBlank(line) { continue }
      let row = lines.lineNumber
      let text = try lineText(line, "\(lines.name):\(row)")
      let value: JSONValue
      do throws(BasisError) {
        value = try JSONValue(parsing: withoutCarriageReturn(line))
      } catch {
        throw BasisError(
          .badData, "\(lines.name):\(row): not a JSON object: \(error.message)\(advice(line))")
      }
      guard case .object = value else {
        let column = 1 + (line.firstIndex { $0 != 0x20 && $0 != 0x09 } ?? 0)
        throw BasisError(
          .badData,
          "\(lines.name):\(row): not a JSON object: column \(column): \(kind(value))\(advice(line))"
        )
      }
      hasRecord = true
      return SourceRecord(row: row, fields: value, json: text)
    }
    return nil
  }

  /// The two other ways to write many objects into a file are the likeliest mistakes.
  private func advice(_ line: UnsafeRawBufferPointer) -> String {
    guard !hasRecord else { return "" }
    let rest = withoutCarriageReturn(line).drop { $0 == 0x20 || $0 == 0x09 }
    if rest.first == UInt8(ascii: "[") {
      return "; write one object a line, without the array around them (jq -c '.[]')"
    }
    if rest.count == 1, rest.first == UInt8(ascii: "{") {
      return "; write each object on one line (jq -c .)"
    }
    return ""
  }

  private func kind(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "a truth value"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
