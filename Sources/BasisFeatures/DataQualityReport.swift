import BasisCore

/// What is to be known of columns before anything is learnt from them: how many values, how many of them rare,
/// and how many cells without one.
///
/// Fed batch by batch. Different values are counted exactly while a column has at most 65,536 of them, and by
/// ``HyperLogLog`` beyond; rare ones only where all are counted.
public struct DataQualityReport: Sendable {
  public enum Flag: String, Sendable, Hashable, Codable, CaseIterable {
    /// One value in all rows.
    case constant
    /// As good as a value of its own in each row.
    case identifier
    /// Missing in more than half of all rows.
    case sparse
    /// One value in 99 % of the rows that have one.
    case dominated
  }

  public struct Column: Sendable, Hashable {
    public var name: String
    /// Rows without a value.
    public var missingCount: Int
    /// Different values, missing not counted.
    public var cardinality: Int
    /// Whether ``cardinality`` is estimated, to about 1.6 %.
    public var isEstimated: Bool
    /// The share of rows that have a value; 0 for no rows.
    public var coverage: Double
    /// The commonest value and its share of the rows that have one; nil where that is not known.
    public var commonest: (value: String, share: Double)? {
      commonestValue.map { ($0, commonestShare) }
    }
    /// Values in fewer rows than the threshold; nil where they were not counted.
    public var rareValueCount: Int?
    /// The rows that have one of them, as a share of all; nil where they were not counted.
    public var rareRowShare: Double?
    public var flags: [Flag]

    var commonestValue: String?
    var commonestShare = 0.0
  }

  /// A value in fewer rows is rare.
  public let rareThreshold: Int
  public private(set) var rowCount = 0
  private var order: [String] = []
  private var states: [String: State] = [:]

  private static let exactLimit = 1 << 16

  private struct State {
    var missingCount = 0
    var counts: [String: Int]? = [:]
    var sketch = HyperLogLog()
    /// Rows before the column's first.
    var lateCount = 0
    var seenCount = 0

    mutating func add(_ column: CategoricalColumn, _ hash: KeyedHash, limit: Int) {
      var rows = [Int](repeating: 0, count: column.dictionary.codeCount)
      for code in column.codes { rows[Int(code)] += 1 }
      missingCount += rows[Int(CategoryDictionary.missing)]
      seenCount += column.codes.count
      for (place, value) in column.dictionary.values.enumerated() {
        let count = rows[place + CategoryDictionary.firstValue]
        guard count > 0 else { continue }
        sketch.add(hash: hash.hash([value]))
        counts?[value, default: 0] += count
        if let held = counts?.count, held > limit { counts = nil }
      }
    }
  }

  /// - Parameter rareThreshold: at least 1.
  public init(rareThreshold: Int = 10) { self.rareThreshold = max(1, rareThreshold) }

  /// Adds the rows of a table.
  ///
  /// - Complexity: O(cells).
  public mutating func add(_ table: CategoricalTable) {
    let hash = KeyedHash()
    for column in table.columns {
      if states[column.name] == nil {
        order.append(column.name)
        states[column.name] = State(lateCount: rowCount)
      }
      states[column.name]?.add(column, hash, limit: Self.exactLimit)
    }
    rowCount += table.rowCount
  }

  /// In the order of the table.
  public var columns: [Column] { order.map { name in describe(name, states[name] ?? State()) } }

  /// What is known of a column, nil for one that is not there.
  public func column(named name: String) -> Column? { states[name].map { describe(name, $0) } }

  private func describe(_ name: String, _ state: State) -> Column {
    // A column that a batch lacks is missing there.
    let present = state.seenCount - state.missingCount
    let cardinality = state.counts?.count ?? Int(state.sketch.estimate.rounded())
    var column = Column(
      name: name, missingCount: rowCount - present, cardinality: cardinality,
      isEstimated: state.counts == nil,
      coverage: rowCount > 0 ? Double(present) / Double(rowCount) : 0, flags: [])
    if let counts = state.counts {
      let rare = counts.values.filter { $0 < rareThreshold }
      column.rareValueCount = rare.count
      column.rareRowShare = rowCount > 0 ? Double(rare.reduce(0, +)) / Double(rowCount) : 0
      if let top = counts.min(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
        column.commonestValue = top.key
        column.commonestShare = Double(top.value) / Double(max(present, 1))
      }
    }
    if cardinality + (column.missingCount > 0 ? 1 : 0) <= 1 {
      column.flags.append(.constant)
    } else if column.commonestValue != nil, column.commonestShare >= 0.99 {
      column.flags.append(.dominated)
    }
    if present > 10, Double(cardinality) > 0.9 * Double(present) {
      column.flags.append(.identifier)
    }
    if rowCount > 0, column.coverage < 0.5 { column.flags.append(.sparse) }
    return column
  }
}
