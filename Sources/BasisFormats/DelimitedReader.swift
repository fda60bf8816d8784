import BasisCore

/// Rows of cells with a row of names first, after RFC 4180 with any line ends.
///
/// A cell that is a number's own text becomes that number, and an empty cell null; every other cell
/// stays a string. Blank lines are passed over. Beyond the RFC, a quote inside a cell that does not
/// start with one stands for itself.
struct DelimitedReader: RecordReader {
  private let lines: LineStream
  private let delimiter: UInt8
  private var names: [String] = []
  /// `"name":` for each name.
  private var keys: [[UInt8]] = []
  private var cells: [Cell] = []
  /// Without a header no row has a meaning.
  private var isBroken = false

  private struct Cell {
    var text: String
    var isQuoted: Bool
  }

  init(_ lines: LineStream, delimiter: UInt8) {
    self.lines = lines
    self.delimiter = delimiter
  }

  var bytesRead: Int { lines.bytes.bytesRead }
  var byteCount: Int? { lines.bytes.byteCount }

  mutating func next() throws(BasisError) -> SourceRecord? {
    if isBroken { return nil }
    if names.isEmpty {
      do throws(BasisError) {
        guard let row = try readRow() else { return nil }
        try setNames(row)
      } catch {
        isBroken = true
        throw error
      }
    }
    guard let row = try readRow() else { return nil }
    guard cells.count == names.count else {
      throw BasisError(
        .badData,
        "\(lines.name):\(row): has \(cells.count) fields, the header has \(names.count); "
          + "put cells that contain \(shown(delimiter)) or a line end into quotes")
    }
    var members: [String: JSONValue] = Dictionary(minimumCapacity: names.count)
    var json: [UInt8] = []
    for (index, cell) in cells.enumerated() {
      let value = cell.isQuoted ? .string(cell.text) : losslessValue(cell.text)
      members[names[index]] = value
      json.append(UInt8(ascii: index == 0 ? "{" : ","))
      json += keys[index]
      switch value {
      // A number's text is the cell's.
      case .integer, .number: json += cell.text.utf8
      default: value.write(to: &json)
      }
    }
    json.append(UInt8(ascii: "}"))
    return SourceRecord(
      row: row, fields: .object(members), json: String(decoding: json, as: UTF8.self))
  }

  private mutating func setNames(_ row: Int) throws(BasisError) {
    var seen: [String: Int] = [:]
    for (index, cell) in cells.enumerated() {
      // Data frames are often written with an index column that has no name.
      let name = cell.text.isEmpty ? "column\(index + 1)" : cell.text
      if let first = seen.updateValue(index + 1, forKey: name) {
        throw BasisError(
          .badData,
          "\(lines.name):\(row): the header names '\(name)' twice, as field \(first) and field "
            + "\(index + 1); rename one")
      }
      names.append(name)
      keys.append(Array("\(JSONValue.string(name).text):".utf8))
    }
  }

  /// Puts the next row into `cells`.
  ///
  /// - Returns: the number of the line on which it starts, nil at the end.
  private mutating func readRow() throws(BasisError) -> Int? {
    cells.removeAll(keepingCapacity: true)
    var found: UnsafeRawBufferPointer?
    repeat {
      found = try lines.next()
    } while found.map { isBlank($0) && !$0.contains(delimiter) } ?? false
    guard var line = found else { return nil }
    let row = lines.lineNumber
    var byteCount = line.count
    var position = 0
    while true {
      if position < line.count, line[position] == UInt8(ascii: "\"") {
        var cell: [UInt8] = []
        let opening = (line: lines.lineNumber, column: position + 1)
        position += 1
        while true {
          let rest = UnsafeRawBufferPointer(rebasing: line[position...])
          if let length = firstIndex(of: UInt8(ascii: "\""), in: rest) {
            let quote = position + length
            cell += UnsafeRawBufferPointer(rebasing: rest[..<length])
            position = quote + 1
            guard position < line.count, line[position] == UInt8(ascii: "\"") else { break }
            cell.append(UInt8(ascii: "\""))
            position += 1
            continue
          }
          // The cell goes on in the next line.
          cell += rest
          cell.append(0x0A)
          guard let more = try lines.next() else {
            throw BasisError(
              .badData,
              "\(lines.name):\(opening.line): the quote at column \(opening.column) is never "
                + "closed; write a quote inside a quoted cell twice")
          }
          line = more
          byteCount += line.count + 1
          guard byteCount <= lines.limit else { throw lines.tooLong(row) }
          position = 0
        }
        // Its bytes are not where they were: doubled quotes are gone.
        guard case .text(let text) = cell.withUnsafeBytes(decodeUTF8(_:)) else {
          throw BasisError(
            .badData,
            "\(lines.name):\(opening.line): the quoted cell at column \(opening.column) has bytes "
              + "that are not UTF-8; convert the file first (iconv -t UTF-8)")
        }
        cells.append(Cell(text: text, isQuoted: true))
        if position == line.count || (position == line.count - 1 && line[position] == 0x0D) {
          return row
        }
        guard line[position] == delimiter else {
          throw BasisError(
            .badData,
            "\(lines.name):\(lines.lineNumber): column \(position + 1): text after a closing "
              + "quote; write a quote inside a quoted cell twice")
        }
        position += 1
      } else {
        let rest = UnsafeRawBufferPointer(rebasing: line[position...])
        let end = firstIndex(of: delimiter, in: rest).map { position + $0 } ?? line.count
        var cell = UnsafeRawBufferPointer(rebasing: line[position..<end])
        if end == line.count { cell = withoutCarriageReturn(cell) }
        switch decodeUTF8(cell) {
        case .text(let text): cells.append(Cell(text: text, isQuoted: false))
        case .invalid(let offset):
          throw notUTF8("\(lines.name):\(lines.lineNumber)", column: position + offset + 1)
        }
        if end == line.count { return row }
        position = end + 1
      }
    }
  }

  private func shown(_ delimiter: UInt8) -> String {
    delimiter == 0x09 ? "a tab" : "'\(Unicode.Scalar(delimiter))'"
  }
}

/// A number where the text is exactly how that number is written, null where it is empty, else a
/// string: `42` and `1.5` are numbers; `007`, `+1`, `1.50`, `1e999` and ` 1` are not.
func losslessValue(_ text: String) -> JSONValue {
  guard let first = text.utf8.first else { return .null }
  guard first == UInt8(ascii: "-") || (first >= UInt8(ascii: "0") && first <= UInt8(ascii: "9"))
  else { return .string(text) }
  if let whole = Int64(text), String(whole) == text { return .integer(whole) }
  if let number = Double(text), number.isFinite, number.description == text {
    return .number(number)
  }
  return .string(text)
}
