import BasisCore

/// Rows of numbers in JSON: one list of numbers, which is a row; a list of such lists; or, in JSON
/// Lines, a list or an object a line, where the object has one field that is a list of numbers.
struct JSONRows {
  let isLines: Bool
  private var values: [Float] = []
  private var columnCount: Int?
  private var rowCount = 0
  /// Of the first object's list; later ones have it, too.
  private var field: String?

  /// Nil for what does not start as a list or an object does.
  ///
  /// - Throws: `.badData` naming the line, in JSON Lines, and what is wrong there.
  /// - Complexity: O(bytes); memory beside the matrix is that of one line, or of the whole text if
  ///   it is one list.
  init?(_ bytes: UnsafeRawBufferPointer, _ title: String) throws(BasisError) {
    guard let first = bytes.first(where: { $0 > 0x20 }),
      first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
    else { return nil }
    isLines = first == UInt8(ascii: "{") || Self.startsWithLine(bytes)
    do throws(BasisError) {
      try isLines ? addLines(bytes) : addList(bytes)
    } catch {
      throw BasisError(error.code, title + error.message, cause: error.cause)
    }
  }

  var matrix: Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount ?? 0) { target in
      for (place, value) in values.enumerated() { target[place] = value }
    }
  }

  /// Whether the first line is a value of its own with more after it.
  private static func startsWithLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let rest = UnsafeRawBufferPointer(rebasing: bytes.drop { $0 <= 0x20 })
    guard let end = firstIndex(of: 0x0A, in: rest),
      rest[end...].contains(where: { $0 > 0x20 })
    else { return false }
    return (try? JSONValue(parsing: UnsafeRawBufferPointer(rebasing: rest[..<end]))) != nil
  }

  private mutating func addLines(_ bytes: UnsafeRawBufferPointer) throws(BasisError) {
    var lines = TextLines(bytes)
    while let text = lines.next() {
      guard text.contains(where: { $0 > 0x20 }) else { continue }
      do throws(BasisError) {
        try add(try JSONValue(parsing: text))
      } catch {
        throw BasisError(error.code, ":\(lines.number): \(error.message)", cause: error.cause)
      }
    }
  }

  private mutating func addList(_ bytes: UnsafeRawBufferPointer) throws(BasisError) {
    do throws(BasisError) {
      guard case .array(let items) = try JSONValue(parsing: bytes) else {
        throw BasisError(.badData, "is not a JSON list of numbers")
      }
      guard case .array = items.first else { return try add(.array(items)) }
      for item in items { try add(item) }
    } catch {
      throw BasisError(error.code, ": \(error.message)", cause: error.cause)
    }
  }

  private mutating func add(_ value: JSONValue) throws(BasisError) {
    let items = try list(in: value)
    guard items.count == columnCount ?? items.count else {
      throw BasisError(
        .badData,
        "row \(rowCount) has \(items.count) values, row 0 has \(columnCount ?? 0); all rows need "
          + "the same number")
    }
    columnCount = items.count
    for (position, item) in items.enumerated() {
      guard let number = item.doubleValue else {
        throw BasisError(.badData, "\(item.text) at position \(position) is not a number")
      }
      values.append(Float(number))
    }
    rowCount += 1
  }

  private mutating func list(in value: JSONValue) throws(BasisError) -> [JSONValue] {
    if case .array(let items) = value { return items }
    guard case .object(let members) = value else {
      throw BasisError(.badData, "\(value.text) is neither a list of numbers nor an object")
    }
    if let field {
      guard case .array(let items)? = members[field] else {
        throw BasisError(.badData, "the object has no list '\(field)', as the first one has")
      }
      return items
    }
    let lists = members.keys.filter {
      guard case .array(let items)? = members[$0] else { return false }
      return items.first?.doubleValue != nil
    }.sorted()
    guard lists.count == 1, case .array(let items)? = members[lists[0]] else {
      throw BasisError(
        .badData,
        lists.isEmpty
          ? "the object has no list of numbers"
          : "the object has several lists of numbers (\(lists.joined(separator: ", "))); leave one "
            + "of them (jq -c '{\(lists[0])}')")
    }
    field = lists[0]
    return items
  }
}
