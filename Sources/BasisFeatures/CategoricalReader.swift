public import BasisCore
public import BasisFormats

/// Reads tables of names from CSV, TSV, JSON lines or Vowpal Wabbit's lines, some rows at a time.
///
/// A cell is its text. An empty cell, `null`, and `NaN` in any case are missing; so is a field that a
/// line of JSON or a namespace that a line of Vowpal Wabbit leaves out. Each batch numbers its values
/// anew, so memory is that of one batch, however many values an identifier has in the file.
///
/// For one thread at a time.
public struct CategoricalReader {
  /// Which rows are read.
  public struct Sampling: Sendable, Hashable {
    /// Every so manieth row is kept, from the first; at least 1.
    public var every: Int

    public init(every: Int = 1) { self.every = every }

    public static let all = Sampling()
  }

  private var reader: any RecordReader
  private let name: String
  private let every: Int
  private let run: RunContext
  /// In the order of the file.
  private var names: [String] = []
  private var places: [String: Int] = [:]
  /// Rows of the file that were read, kept or not.
  private var seenCount = 0

  /// - Parameters:
  ///   - source: csv, tsv, jsonl or vw; anything else gives one column of texts.
  ///   - sampling: which rows are kept.
  ///   - run: cancellation and progress.
  /// - Throws: `.invalidArgument` for a sampling below 1; and what the source throws.
  public init(_ source: RecordSource, sampling: Sampling = .all, in run: RunContext)
    throws(BasisError)
  {
    guard sampling.every >= 1 else {
      throw BasisError(
        .invalidArgument, "every \(sampling.every)th row cannot be kept; say 1 for all")
    }
    reader = try source.makeReader()
    name = source.path
    every = sampling.every
    self.run = run
  }

  /// The next rows, at most so many; nil at the end.
  ///
  /// - Throws: `.badData` with the line of a row that has another number of fields than the header, or
  ///   that is no JSON; `.inputOutput`; `.cancelled`.
  /// - Complexity: O(cells).
  public mutating func next(_ rowLimit: Int = .max) throws(BasisError) -> CategoricalTable? {
    var dictionaries = names.map { _ in CategoryDictionary() }
    var codes = names.map { _ in [UInt32]() }
    var rowCount = 0
    while rowCount < rowLimit, let record = try reader.next() {
      seenCount += 1
      if seenCount & 1023 == 0 {
        try run.checkCancelled()
        run.report("reading", reader.bytesRead, of: reader.byteCount, unit: "bytes")
      }
      guard (seenCount - 1) % every == 0, case .object(let fields) = record.fields else { continue }
      // Most rows have the fields of the row before.
      var found = 0
      for place in names.indices {
        guard let value = fields[names[place]] else {
          codes[place].append(CategoryDictionary.missing)
          continue
        }
        found += 1
        codes[place].append(dictionaries[place].code(adding: Self.text(value)))
      }
      if found < fields.count {
        for field in Self.inOrder(fields.keys.filter { places[$0] == nil }, of: record.json) {
          places[field] = names.count
          names.append(field)
          dictionaries.append(CategoryDictionary())
          codes.append([UInt32](repeating: CategoryDictionary.missing, count: rowCount))
          codes[codes.count - 1].append(
            dictionaries[codes.count - 1].code(adding: fields[field].flatMap(Self.text)))
        }
      }
      rowCount += 1
    }
    guard rowCount > 0 else { return nil }
    return try CategoricalTable(
      names.indices.map {
        CategoricalColumn(names[$0], codes: codes[$0], dictionary: dictionaries[$0])
      })
  }

  /// The whole of it.
  ///
  /// - Throws: `.badData` where there are no rows; and what ``next(_:)`` throws.
  public mutating func all() throws(BasisError) -> CategoricalTable {
    guard let table = try next() else {
      throw BasisError(.badData, "\(name): there are no rows; a table has a row of names, and rows")
    }
    return table
  }

  /// A cell as a name, nil for a missing one.
  static func text(_ value: JSONValue) -> String? {
    switch value {
    case .null: return nil
    case .string(let text):
      if text.isEmpty || (text.utf8.count == 3 && text.lowercased() == "nan") { return nil }
      return text
    default: return value.stringValue ?? value.text
    }
  }

  /// Fields as the source has them.
  private static func inOrder(_ fields: [String], of json: String) -> [String] {
    var known: [(place: Int, name: String)] = []
    for field in fields.sorted() {
      let place = json.firstRange(of: JSONValue.string(field).text + ":")?.lowerBound
      known.append((place.map { json.utf8.distance(from: json.startIndex, to: $0) } ?? .max, field))
    }
    return known.sorted { ($0.place, $0.name) < ($1.place, $1.name) }.map(\.name)
  }
}
