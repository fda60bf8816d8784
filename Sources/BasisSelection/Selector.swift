public import BasisCore

/// A way to choose which rows to keep, to weigh, or to make: settings, which ``select(_:in:)`` applies.
public protocol Selector: Settings {
  associatedtype Input: MethodInput

  /// Chooses.
  ///
  /// - Parameters:
  ///   - input: finite.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range or that the input cannot meet; `.badData`
  ///   naming row and column; `.cancelled`.
  func select(_ input: Input, in run: RunContext) throws(BasisError) -> Selection
}

/// Which rows are kept, what each counts, and which rows are new.
public struct Selection: Sendable {
  /// Rows that belong together, such as a class or a stratum of scores, and what became of them.
  public struct Group: Sendable, Hashable {
    /// What they are called.
    public var name: String
    /// How many there were.
    public var count: Int
    /// How many of them are kept.
    public var keptCount: Int
    /// How many were made.
    public var madeCount: Int

    public init(_ name: String, count: Int, keptCount: Int, madeCount: Int = 0) {
      self.name = name
      self.count = count
      self.keptCount = keptCount
      self.madeCount = madeCount
    }
  }

  /// The rows that are kept: rising, or the best first where the method ranks them.
  public var indices: [Int]
  /// What kept rows were ranked by, higher first; empty for a method that ranks none.
  public var values: [Double]
  /// What each kept row counts, at least 0; empty where all count alike.
  public var weights: [Double]
  /// The rows that were made; nil for a method that makes none.
  public var synthetic: SyntheticRows?
  /// What `groups` are: `class` or `score`.
  public var groupKind: String
  public var groups: [Group]
  /// What to keep in mind, a sentence each.
  public var warnings: [String]

  public init(
    _ indices: [Int], values: [Double] = [], weights: [Double] = [],
    synthetic: SyntheticRows? = nil,
    groupKind: String = "class", groups: [Group] = [], warnings: [String] = []
  ) {
    self.indices = indices
    self.values = values
    self.weights = weights
    self.synthetic = synthetic
    self.groupKind = groupKind
    self.groups = groups
    self.warnings = warnings
  }

  /// The kept rows, and after them those that were made.
  ///
  /// - Parameter rows: the rows that were chosen from.
  /// - Throws: `.dimensionMismatch` for rows that cannot be those.
  /// - Complexity: O(rows · columns).
  public func applied(to rows: Matrix) throws(BasisError) -> Matrix {
    try requirePlace(rows.rowCount, "rows")
    let kept = rows.selecting(rows: indices)
    guard let made = synthetic?.rows, made.rowCount > 0 else { return kept }
    guard made.columnCount == rows.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the rows that were made have \(made.columnCount) columns, these \(rows.columnCount)")
    }
    let d = rows.columnCount
    return Matrix(rowCount: kept.rowCount + made.rowCount, columnCount: d) { out in
      for (part, start) in [(kept, 0), (made, kept.rowCount * d)] {
        part.withUnsafeFloats { floats in
          for index in floats.indices { out[start + index] = floats[index] }
        }
      }
    }
  }

  /// The labels of ``applied(to:)-(Matrix)``.
  ///
  /// - Parameter labels: a class for each row that was chosen from.
  /// - Throws: `.dimensionMismatch` for labels that cannot be those.
  public func applied(to labels: [Int]) throws(BasisError) -> [Int] {
    try requirePlace(labels.count, "labels")
    return indices.map { labels[$0] } + (synthetic?.labels ?? [])
  }

  private func requirePlace(_ count: Int, _ what: String) throws(BasisError) {
    if let last = indices.max(), last >= count {
      throw BasisError(
        .dimensionMismatch, "row \(last) is kept, and there are \(count) \(what)")
    }
  }
}

/// Rows that were made, and of what.
public struct SyntheticRows: Sendable {
  /// The two rows that a new one was made of.
  public struct Parents: Sendable, Hashable {
    /// Where the new row starts from.
    public var first: Int
    /// Where it goes to.
    public var second: Int

    public init(_ first: Int, _ second: Int) {
      self.first = first
      self.second = second
    }
  }

  /// `m × d`.
  public var rows: Matrix
  /// *m* classes.
  public var labels: [Int]
  /// *m* pairs of rows that were there.
  public var parents: [Parents]
  /// How far from the first parent to the second, `0 ..< 1`: `m × 1`, or `m × d` where each column has
  /// its own.
  public var gaps: Matrix

  public init(rows: Matrix, labels: [Int], parents: [Parents], gaps: Matrix) {
    self.rows = rows
    self.labels = labels
    self.parents = parents
    self.gaps = gaps
  }
}
