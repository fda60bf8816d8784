import BasisCore

/// Reads which documents people judged relevant to which queries.
///
/// By the columns of a line, which spaces or tabs separate:
/// - `query 0 document grade`: TREC.
/// - `query document grade`: BEIR, with or without its header line. In a folder of SMART records
///   the third column is Cleverdon's code instead, 1 the best of four and −1 or 5 not relevant; it
///   becomes the grade 5 − code, or 0.
/// - `query document` with nothing, or with SMART's two unused columns, behind it: grade 1.
struct RelevanceJudgments {
  var grades: [String: [String: Int]] = [:]
  var usesCodes = false

  /// - Parameter isSMART: whether the documents are SMART records.
  /// - Throws: `.badData` naming file and line.
  init(_ path: String, isSMART: Bool) throws(BasisError) {
    let lines = try LineStream(opening: path)
    var isFirst = true
    while let line = try lines.nextColumns() {
      let columns = line.columns
      if isFirst, Self.isHeader(columns) {
        isFirst = false
        continue
      }
      isFirst = false
      guard let judgment = try parse(columns, isSMART: isSMART, at: line.place) else {
        throw BasisError(
          .badData,
          "\(line.place): is no judgment: \(columns.count) columns; write 'query 0 document grade' "
            + "or 'query document grade'")
      }
      let (query, document, grade) = judgment
      if let other = grades[query, default: [:]].updateValue(grade, forKey: document),
        other != grade
      {
        throw BasisError(
          .badData,
          "\(line.place): document \(document) has the grade \(grade) for query \(query), and \(other) "
            + "further up; keep one of them")
      }
    }
    guard !grades.isEmpty else {
      throw BasisError(.badData, "\(path): there is no judgment in it")
    }
  }

  private mutating func parse(_ columns: [String], isSMART: Bool, at place: String)
    throws(BasisError) -> (query: String, document: String, grade: Int)?
  {
    switch columns.count {
    case 2:
      return (Self.number(columns[0], isSMART), Self.number(columns[1], isSMART), 1)
    case 3:
      let grade = try Self.grade(columns[2], at: place)
      guard isSMART else { return (columns[0], columns[1], grade) }
      usesCodes = true
      return (
        Self.number(columns[0], true), Self.number(columns[1], true),
        (1...4).contains(grade) ? 5 - grade : 0
      )
    case 4 where isSMART && Self.isSMARTLine(columns):
      return (Self.number(columns[0], true), Self.number(columns[1], true), 1)
    case 4:
      return (columns[0], columns[2], try Self.grade(columns[3], at: place))
    default:
      return nil
    }
  }

  private static func grade(_ text: String, at place: String) throws(BasisError) -> Int {
    if let grade = Int(text) { return grade }
    if let number = Double(text), let grade = Int(exactly: number) { return grade }
    throw BasisError(
      .badData, "\(place): the grade '\(text)' is not a whole number; grades are 0, 1, 2 …")
  }

  /// SMART pads its numbers in one file and not in the other.
  static func number(_ text: String, _ isSMART: Bool) -> String {
    if isSMART, let number = Int(text) { String(number) } else { text }
  }

  static func isHeader(_ columns: [String]) -> Bool {
    columns.count == 3 && Double(columns[2]) == nil && columns[0].lowercased().hasPrefix("query")
  }

  /// `query document 0 0.000000`: the last is a fraction where TREC has a grade.
  static func isSMARTLine(_ columns: [String]) -> Bool {
    columns.count == 4 && Int(columns[0]) != nil && Int(columns[1]) != nil
      && Int(columns[3]) == nil && Double(columns[3]) != nil
  }

  /// Whether the first lines of a file look like judgments.
  static func looksLike(_ lines: some Collection<[String]>) -> Bool {
    guard let first = lines.first else { return false }
    if isHeader(first) { return true }
    return lines.allSatisfy { columns in
      switch columns.count {
      case 2: Int(columns[0]) != nil && Int(columns[1]) != nil
      case 3: Int(columns[2]) != nil
      case 4: Int(columns[3]) != nil || isSMARTLine(columns)
      default: false
      }
    }
  }
}
