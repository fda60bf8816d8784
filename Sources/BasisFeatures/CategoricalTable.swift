public import BasisCore

/// The numbers of a column's values, in the order in which they were first seen.
public struct CategoryDictionary: Sendable, Hashable {
  /// The number of a cell without a value.
  public static let missing: UInt32 = 0
  /// The number of a value that was not there when the dictionary was made.
  public static let unseen: UInt32 = 1
  static let firstValue = 2

  /// The values; the first has the number 2.
  public private(set) var values: [String] = []
  private var codes: [String: UInt32] = [:]

  public init() {}

  /// How many numbers there are, missing and unseen included.
  public var codeCount: Int { values.count + Self.firstValue }

  /// The number of a value, a new one where it is new; ``missing`` for nil.
  public mutating func code(adding value: String?) -> UInt32 {
    guard let value else { return Self.missing }
    if let known = codes[value] { return known }
    let code = UInt32(codeCount)
    codes[value] = code
    values.append(value)
    return code
  }

  /// The number of a value; ``unseen`` where there is none, ``missing`` for nil.
  public func code(of value: String?) -> UInt32 {
    guard let value else { return Self.missing }
    return codes[value] ?? Self.unseen
  }

  /// The value of a number; nil for ``missing`` and ``unseen``.
  public func value(of code: UInt32) -> String? {
    let place = Int(code) - Self.firstValue
    return values.indices.contains(place) ? values[place] : nil
  }
}

/// A column whose values are names: a number per row, and what the numbers stand for.
public struct CategoricalColumn: Sendable, Hashable {
  public let name: String
  /// A number of ``dictionary`` per row.
  public let codes: [UInt32]
  public let dictionary: CategoryDictionary

  /// - Precondition: each code is below `dictionary.codeCount`.
  init(_ name: String, codes: [UInt32], dictionary: CategoryDictionary) {
    self.name = name
    self.codes = codes
    self.dictionary = dictionary
  }

  /// - Parameters:
  ///   - name: what it is called.
  ///   - cells: a value per row, nil for none.
  public init(_ name: String, cells: some Sequence<String?>) {
    var dictionary = CategoryDictionary()
    codes = cells.map { dictionary.code(adding: $0) }
    self.name = name
    self.dictionary = dictionary
  }

  /// A column of whole numbers.
  public init(_ name: String, numbers: some Sequence<Int>) {
    var codes: [UInt32] = []
    var known: [Int: UInt32] = [:]
    var dictionary = CategoryDictionary()
    for number in numbers {
      if let code = known[number] {
        codes.append(code)
      } else {
        let code = dictionary.code(adding: String(number))
        known[number] = code
        codes.append(code)
      }
    }
    self.name = name
    self.codes = codes
    self.dictionary = dictionary
  }

  /// The same numbers for other cells: a value that is not known is ``CategoryDictionary/unseen``.
  public func encoding(_ cells: some Sequence<String?>) -> [UInt32] {
    cells.map { dictionary.code(of: $0) }
  }

  /// Some of the rows, with the same numbers.
  func selecting(rows: some Collection<Int>) -> CategoricalColumn {
    CategoricalColumn(name, codes: rows.map { codes[$0] }, dictionary: dictionary)
  }
}

/// Columns of values that are names.
public struct CategoricalTable: Sendable, Hashable {
  public let columns: [CategoricalColumn]
  public let rowCount: Int

  /// - Throws: `.dimensionMismatch` for columns of different lengths; `.invalidArgument` for a name twice.
  public init(_ columns: [CategoricalColumn]) throws(BasisError) {
    rowCount = columns.first?.codes.count ?? 0
    var names: Set<String> = []
    for column in columns {
      guard column.codes.count == rowCount else {
        throw BasisError(
          .dimensionMismatch,
          "the column '\(column.name)' has \(column.codes.count) rows, '\(columns[0].name)' has "
            + "\(rowCount)")
      }
      guard names.insert(column.name).inserted else {
        throw BasisError(
          .invalidArgument, "there are two columns '\(column.name)'; rename one")
      }
    }
    self.columns = columns
  }

  /// Each column of a matrix, its values as names.
  ///
  /// - Throws: `.invalidArgument` for a name twice.
  public init(_ matrix: Matrix, names: [String]? = nil) throws(BasisError) {
    let n = matrix.rowCount
    var columns: [CategoricalColumn] = []
    for column in 0..<matrix.columnCount {
      var known: [UInt32: UInt32] = [:]
      var dictionary = CategoryDictionary()
      var codes = [UInt32](repeating: 0, count: n)
      for row in 0..<n {
        // Zero has two signs and is one value.
        let value = matrix[row, column] + 0
        if let code = known[value.bitPattern] {
          codes[row] = code
        } else {
          let code = dictionary.code(adding: value.isNaN ? nil : "\(value)")
          known[value.bitPattern] = code
          codes[row] = code
        }
      }
      let name = names.flatMap { $0.indices.contains(column) ? $0[column] : nil }
      columns.append(
        CategoricalColumn(name ?? "column \(column)", codes: codes, dictionary: dictionary))
    }
    try self.init(columns)
  }

  /// The column of a name, or nil.
  public func column(named name: String) -> CategoricalColumn? {
    columns.first { $0.name == name }
  }

  /// The columns but one, and that one.
  ///
  /// - Throws: `.notFound` with the columns that there are.
  public func separating(_ target: String) throws(BasisError) -> LabeledColumns {
    guard let label = column(named: target) else {
      let names = columns.prefix(12).map { "'\($0.name)'" }.joined(separator: ", ")
      throw BasisError(
        .notFound,
        "there is no column '\(target)'; the table has \(names)\(columns.count > 12 ? " …" : "")")
    }
    return try LabeledColumns(columns.filter { $0.name != target }, target: label)
  }
}

/// Columns, and the one that they are to tell about.
public struct LabeledColumns: MethodInput {
  public static let description = "a table and a target column"

  public let features: [CategoricalColumn]
  public let target: CategoricalColumn
  public var rowCount: Int { target.codes.count }

  /// - Throws: `.dimensionMismatch` for columns of different lengths; `.invalidArgument` for a name twice.
  public init(_ features: [CategoricalColumn], target: CategoricalColumn) throws(BasisError) {
    _ = try CategoricalTable(features + [target])
    self.features = features
    self.target = target
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let rows = try parts.matrices(1, Self.description, for: method)[0]
    guard let labels = parts.labels else {
      throw BasisError(.invalidArgument, "'\(method)' takes \(Self.description); give --labels")
    }
    let checked = try LabeledRows(rows, labels: labels)
    try self.init(
      CategoricalTable(checked.rows).columns,
      target: CategoricalColumn("label", numbers: checked.labels))
  }

  /// Some of the rows.
  func selecting(rows: some Collection<Int>) throws(BasisError) -> LabeledColumns {
    try LabeledColumns(
      features.map { $0.selecting(rows: rows) }, target: target.selecting(rows: rows))
  }

  /// - Throws: `.badData` for no rows, and for a target that says nothing.
  func requireRankable(_ method: String) throws(BasisError) {
    guard rowCount > 0 else { throw BasisError(.badData, "\(method): the table has no rows") }
    guard let first = target.codes.first, target.codes.contains(where: { $0 != first }) else {
      throw BasisError(
        .badData,
        "\(method): the target '\(target.name)' has one value in all \(rowCount) rows; nothing can "
          + "tell about it")
    }
  }
}
