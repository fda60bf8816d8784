import BasisCore
import BasisFormats
import Foundation
import GRDB

extension CollectionStore {
  /// Fields whose columns are made in one pass over the records: bounds the memory that it takes.
  private static let columnsPerPass = 8

  /// Writes the columns of a segment that filters are answered from.
  ///
  /// - Parameters:
  ///   - sequences: of the segment's records, rising.
  ///   - writer: of the segment.
  ///   - run: for cancellation.
  /// - Complexity: a pass over the records for each eight fields; memory for eight columns.
  func writeColumns(
    of sequences: [Int64], to writer: ContainerWriter, in run: RunContext
  ) throws(BasisError) {
    guard let first = sequences.first, let last = sequences.last else { return }
    let declared = settings.filterFields?.map { $0.split(separator: ".").map(String.init) }
    let paths: [[String]]
    if let declared { paths = declared } else { paths = try observedFields(of: sequences) }
    var written: [[String]] = []
    for start in stride(from: 0, to: paths.count, by: Self.columnsPerPass) {
      try run.checkCancelled()
      let group = Array(paths[start..<min(start + Self.columnsPerPass, paths.count)])
      guard let columns = try columns(of: group, sequences, from: first, through: last) else {
        continue
      }
      for (path, column) in zip(group, columns) where column.isWithinLimits {
        try column.write(to: writer, number: written.count)
        written.append(path)
      }
    }
    try writer.write(Segment.columnsBlock, json: Segment.Columns(paths: written))
  }

  private func observedFields(of sequences: [Int64]) throws(BasisError) -> [[String]] {
    var finder = FilterFieldFinder(textFields: settings.textFields)
    let step = max(1, sequences.count / FilterFieldFinder.sampleCount)
    let payloads: [String] = try reading("look for fields to filter by") { db in
      let find = try db.cachedStatement(sql: "SELECT payload FROM records WHERE sequence = ?")
      return try stride(from: 0, to: sequences.count, by: step).compactMap { index in
        try String.fetchOne(find, arguments: [sequences[index]])
      }
    }
    for payload in payloads where !payload.isEmpty { finder.add(try JSONValue(parsing: payload)) }
    return finder.fields
  }

  /// The values of some fields; nil for payloads that SQLite cannot read, for which filters have to
  /// fail as they did.
  private func columns(
    of paths: [[String]], _ sequences: [Int64], from first: Int64, through last: Int64
  ) throws(BasisError) -> [FilterColumnBuilder]? {
    let values: [String] = paths.map { path in
      let field = Filter.Field.payload(path)
      return "\(field.type), \(field.value)"
    }
    // A part of a cut text has its record's fields.
    let payload =
      settings.chunker == nil
      ? "payload"
      : """
      CASE part WHEN 0 THEN payload ELSE (
        SELECT whole.payload FROM records AS whole WHERE whole.key = records.key AND whole.part = 0
      ) END
      """
    let sql = """
      SELECT sequence, \(values.joined(separator: ", ")) FROM (
        SELECT sequence, \(payload) AS payload FROM records
        WHERE sequence BETWEEN ? AND ? ORDER BY sequence)
      """
    do throws(BasisError) {
      return try reading("read the fields to filter by") { db in
        var columns = paths.map { _ in FilterColumnBuilder() }
        var slot = 0
        func skip(to sequence: Int64) {
          while slot < sequences.count, sequences[slot] < sequence {
            for index in columns.indices { columns[index].append(.missing) }
            slot += 1
          }
        }
        let rows = try Row.fetchCursor(db, sql: sql, arguments: [first, last])
        while let row = try rows.next() {
          let sequence: Int64 = row[0]
          skip(to: sequence)
          guard slot < sequences.count, sequences[slot] == sequence else { continue }
          for index in columns.indices {
            try CollectionStore.append(row, at: 1 + 2 * index, to: &columns[index])
          }
          slot += 1
        }
        skip(to: .max)
        return columns
      }
    } catch {
      if (error.cause as? DatabaseError)?.message == "malformed JSON" { return nil }
      throw error
    }
  }

  private static func append(
    _ row: Row, at index: Int, to column: inout FilterColumnBuilder
  ) throws {
    guard column.isWithinLimits else { return }
    let type: String? = row[index]
    switch type {
    case nil: column.append(.missing)
    case "null": column.append(.null)
    case "true": column.append(.true)
    case "false": column.append(.false)
    case "integer", "real":
      // An integer of more than 64 bits comes as a double.
      switch (row[index + 1] as DatabaseValue).storage {
      case .int64(let value): column.append(.integer, bits: UInt64(bitPattern: value))
      case .double(let value): column.append(.real, bits: value.bitPattern)
      default: column.append(.nested)
      }
    case "text":
      // As bytes: a text may hold what is no valid UTF-8, or a zero.
      try row.withUnsafeData(atIndex: index + 1) { column.append(text: $0 ?? Data()) }
    default: column.append(.nested)
    }
  }
}
