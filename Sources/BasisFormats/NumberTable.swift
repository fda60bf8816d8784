import BasisCore

/// A matrix as text: a line a row, its numbers between commas, semicolons, tabs or spaces. A first
/// line without any number names the columns.
struct NumberTable {
  let matrix: Matrix

  /// - Throws: `.badData` naming the line and the column of a cell that is not a number, or the line
  ///   that has another number of cells; without any line of numbers.
  init(_ bytes: UnsafeRawBufferPointer, _ name: String) throws(BasisError) {
    var lines = TextLines(bytes)
    var values: [Float] = []
    var columnCount = 0
    var rowCount = 0
    var separator: UInt8?
    while let content = lines.next() {
      if isBlank(content) { continue }
      if separator == nil { separator = Self.separator(of: content) }
      let cells = Self.cells(of: content, separator: separator ?? 0x20)
      if columnCount == 0 {
        columnCount = cells.count
        // The names of the columns.
        if cells.allSatisfy({ Self.number(content, $0) == nil }) { continue }
      }
      guard cells.count == columnCount else {
        throw BasisError(
          .badData,
          "\(name):\(lines.number): has \(cells.count) numbers, the first line has \(columnCount)")
      }
      for (column, cell) in cells.enumerated() {
        guard let value = Self.number(content, cell) else {
          throw BasisError(
            .badData,
            "\(name):\(lines.number): '\(String(decoding: content[cell].prefix(40), as: UTF8.self))' "
              + "in column \(column + 1) is not a number; leave the column out")
        }
        values.append(value)
      }
      rowCount += 1
    }
    guard rowCount > 0 else {
      throw BasisError(.badData, "\(name): has no line of numbers; give a table of numbers")
    }
    matrix = try Matrix(rowCount: rowCount, columnCount: columnCount, values: values)
  }

  private static func separator(of line: UnsafeRawBufferPointer) -> UInt8 {
    [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09].first { line.contains($0) } ?? 0x20
  }

  /// Where the cells lie; spaces count once, however many there are.
  private static func cells(of line: UnsafeRawBufferPointer, separator: UInt8) -> [Range<Int>] {
    line.split(separator: separator, omittingEmptySubsequences: separator == 0x20).map { cell in
      var range = cell.startIndex..<cell.endIndex
      while let first = range.first, line[first] == 0x20 || line[first] == UInt8(ascii: "\"") {
        range = first + 1..<range.upperBound
      }
      while let last = range.last, line[last] == 0x20 || line[last] == UInt8(ascii: "\"") {
        range = range.lowerBound..<last
      }
      return range
    }
  }

  private static func number(_ line: UnsafeRawBufferPointer, _ cell: Range<Int>) -> Float? {
    Float(String(decoding: line[cell], as: UTF8.self))
  }
}
