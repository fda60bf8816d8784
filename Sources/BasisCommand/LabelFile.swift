import BasisCore
import BasisFormats
import Foundation

/// Classes in files, by number or by name, with or without ids of their rows.
///
/// A table (csv, tsv, jsonl) of two columns or more has one called `id` or `key`; then its rows may stand in
/// any order. All other files, and tables of one column, have a class a row.
struct LabelFile {
  let path: String
  let classes: [String]
  let ids: [String]?

  init(_ path: String) throws(BasisError) {
    self.path = path
    let name = path.lowercased().replacing(".gz", with: "")
    if [".csv", ".tsv", ".jsonl"].contains(where: { name.hasSuffix($0) }),
      let table = try Self.table(path)
    {
      (classes, ids) = table
      return
    }
    classes = try Self.numbers(path)
    ids = nil
  }

  private static func numbers(_ path: String) throws(BasisError) -> [String] {
    do throws(BasisError) {
      return try MatrixSource(path: path).integers().map { "\($0)" }
    } catch {
      guard error.message.contains("not a whole number") else { throw error }
      throw BasisError(
        .badData,
        "\(error.message); classes are wanted here, not probabilities: write the class of each row")
    }
  }

  /// Nil for a table of one column of numbers without a name, which is a list.
  private static func table(_ path: String) throws(BasisError) -> ([String], [String]?)? {
    var reader = try RecordSource(path: path).makeReader()
    var classes: [String] = []
    var ids: [String] = []
    var column: String?
    var idColumn: String?
    while let record = try reader.next() {
      guard case .object(let fields) = record.fields else { continue }
      if column == nil {
        let names = fields.keys.sorted()
        if names.count == 1, Double(names[0]) != nil { return nil }
        idColumn = names.count > 1 ? ["id", "key"].first { fields[$0] != nil } : nil
        let others = names.filter { $0 != idColumn }
        guard names.count == 1 || idColumn != nil,
          let found = ["label", "class", "prediction"].first(where: { fields[$0] != nil })
            ?? (others.count == 1 ? others.first : nil)
        else {
          throw BasisError(
            .badData,
            "\(path): wanted a column of classes, or 'id' and 'label'; the columns are "
              + names.joined(separator: ", "))
        }
        column = found
      }
      guard let column, let text = fields[column]?.stringValue else {
        throw BasisError(.badData, "\(path):\(record.row): has no class")
      }
      if let number = Double(text), number != number.rounded() {
        throw BasisError(
          .badData,
          "\(path):\(record.row): \(text) is no class; classes are wanted here, not probabilities: "
            + "write the class of each row")
      }
      // 1.0 and 1 are one class.
      classes.append(Double(text).flatMap { Int(exactly: $0) }.map { "\($0)" } ?? text)
      if let idColumn {
        guard let id = fields[idColumn]?.stringValue else {
          throw BasisError(.badData, "\(path):\(record.row): has no '\(idColumn)'")
        }
        ids.append(id)
      }
    }
    if column == nil { return nil }
    if Set(ids).count != ids.count {
      throw BasisError(.badData, "\(path): an id occurs twice; give each row one of its own")
    }
    return (classes, idColumn == nil ? nil : ids)
  }

  /// The classes in the order of another file's ids.
  func classes(as truth: LabelFile) throws(BasisError) -> [String] {
    guard let ids, let wanted = truth.ids else {
      if ids == nil && truth.ids == nil || classes.count == truth.classes.count, ids == nil {
        return classes
      }
      throw BasisError(
        .badData,
        "\(path) has ids and \(truth.path) has none; give both, or neither")
    }
    let places = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    var result: [String] = []
    for id in wanted {
      guard let place = places[id] else {
        throw BasisError(
          .badData, "\(path): has no row '\(id)', which \(truth.path) has; give the same rows")
      }
      result.append(classes[place])
    }
    guard ids.count == wanted.count else {
      let extra = Set(ids).subtracting(wanted).sorted().first ?? ""
      throw BasisError(
        .badData, "\(path): has a row '\(extra)', which \(truth.path) lacks; give the same rows")
    }
    return result
  }
}
