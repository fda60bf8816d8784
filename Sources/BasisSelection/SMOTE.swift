public import BasisCore

/// Makes rows of the smaller classes, each between a row and one of its neighbours of the same class.
///
/// Chawla, Bowyer, Hall & Kegelmeyer, *SMOTE: Synthetic Minority Over-sampling Technique*, JAIR 16
/// (2002), doi:10.1613/jair.953, section 4.2; with nominal columns SMOTE-NC, section 6.1. The published
/// pseudo-code draws a gap for every column and thereby fills the box between both rows (``Gap/box``),
/// its text and what others have made of it draw one, and stay on the segment.
///
/// - Note: A row is no neighbour of its own, but rows that equal it are. Ties among nominal values go to
///   the smallest.
public struct SMOTE: Selector {
  /// Where between two rows the new one lies.
  public enum Gap: String, Sendable, Hashable, Codable, CaseIterable {
    /// Anywhere on the segment: one gap for all columns.
    case segment
    /// Anywhere in the box: a gap for each column.
    case box
  }

  /// Which rows new ones are made of.
  public enum Picking: String, Sendable, Hashable, Codable, CaseIterable {
    /// Any pair of a row and a neighbour, with replacement.
    case pairs
    /// Every row as often as every other, or once more, with any of its neighbours: the original.
    case quota
  }

  /// Which rows new ones start from.
  public enum Variant: String, Sendable, Hashable, Codable, CaseIterable {
    /// All of the class.
    case plain
    /// Those of whose neighbours at least half, and not all, are of other classes. Han, Wang & Mao,
    /// *Borderline-SMOTE*, ICIC 2005, doi:10.1007/11538059_91.
    case borderline1
    /// The same, and half of the new rows lie towards a neighbour of another class, less than half the
    /// way.
    case borderline2
    /// All, the more often the more of their neighbours are of other classes. He, Bai, Garcia & Li,
    /// *ADASYN*, IJCNN 2008, doi:10.1109/IJCNN.2008.4633969.
    case adasyn
  }

  /// *k*: neighbours of a row among its class, at least 1 and less than the class has rows.
  public var neighborCount: Int
  /// How many rows are made.
  public var ratio: ResamplingRatio
  public var gap: Gap
  public var picking: Picking
  public var variant: Variant
  /// *m*: neighbours among all rows, at least 1; for other variants than `plain`.
  public var surroundingCount: Int
  /// Columns whose values are names: they are compared for being equal, and a new row has the most
  /// frequent one among the neighbours.
  public var nominalColumns: [Int]
  /// Then thins the larger classes, as ``UnderSampler`` does; nil for not at all.
  public var under: Double?

  public init(
    neighborCount: Int = 5, ratio: ResamplingRatio = .automatic, gap: Gap = .segment,
    picking: Picking = .pairs, variant: Variant = .plain, surroundingCount: Int = 10,
    nominalColumns: [Int] = [], under: Double? = nil
  ) {
    self.neighborCount = neighborCount
    self.ratio = ratio
    self.gap = gap
    self.picking = picking
    self.variant = variant
    self.surroundingCount = surroundingCount
    self.nominalColumns = nominalColumns
    self.under = under
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    neighborCount = try values.decodeIfPresent(Int.self, forKey: .neighborCount) ?? neighborCount
    ratio = try values.decodeIfPresent(ResamplingRatio.self, forKey: .ratio) ?? ratio
    gap = try values.decodeIfPresent(Gap.self, forKey: .gap) ?? gap
    picking = try values.decodeIfPresent(Picking.self, forKey: .picking) ?? picking
    variant = try values.decodeIfPresent(Variant.self, forKey: .variant) ?? variant
    surroundingCount =
      try values.decodeIfPresent(Int.self, forKey: .surroundingCount) ?? surroundingCount
    nominalColumns =
      try values.decodeIfPresent([Int].self, forKey: .nominalColumns) ?? nominalColumns
    under = try values.decodeIfPresent(Double.self, forKey: .under)
  }

  /// - Parameters:
  ///   - input: rows of two classes at least.
  ///   - run: the seed chooses pairs and gaps.
  /// - Returns: all rows, or those that `under` leaves, and the new ones, by rising class.
  /// - Throws: `.invalidArgument` for settings out of range, and for a class that is to grow of too few
  ///   rows, with the `neighborCount` that would do; `.badData` for a single class, and where a variant
  ///   finds no row to start from; `.cancelled`.
  /// - Complexity: O(*T*² *d*) for a class of *T* rows that grows, exact and parallel; for other variants
  ///   than `plain` O(*T* *n* *d*).
  public func select(_ input: LabeledRows, in run: RunContext) throws(BasisError) -> Selection {
    try run.checkCancelled()
    try check(columnCount: input.rows.columnCount)
    let classes = try ClassMembers(input.labels, for: "smote")
    let missing = try classes.missing(ratio, for: "smote")
    var warnings: [String] = []
    if input.rows.columnCount > 1000 {
      warnings.append(
        "in \(input.rows.columnCount) columns all rows are about as far apart; reduce them first")
    }
    var plan = SyntheticPlan(columnCount: input.rows.columnCount, gap: gap)
    for (place, label) in classes.classes.enumerated() where missing[place] > 0 {
      try run.checkCancelled()
      let pairing = try Pairing(self, input, classes.members(label), label, in: run)
      warnings += pairing.warnings
      var generator = run.generator("synthetic rows", chunk: place)
      plan.draw(missing[place], of: pairing, label, picking, by: &generator)
    }
    let made = try plan.rows(of: input.rows, nominal: nominalColumns, in: run)

    let counts = classes.classes.indices.map { place in
      classes.members(classes.classes[place]).count + missing[place]
    }
    let kept: [[Int]]
    if let under {
      kept = try UnderSampler(percent: under).keptRows(classes, finalCounts: counts, in: run)
    } else {
      kept = classes.classes.map { classes.members($0) }
    }
    var groups: [Selection.Group] = []
    for (place, label) in classes.classes.enumerated() {
      groups.append(
        .init(
          "\(label)", count: classes.members(label).count, keptCount: kept[place].count,
          madeCount: missing[place]))
    }
    return Selection(
      kept.flatMap { $0 }.sorted(), synthetic: made, groups: groups, warnings: warnings)
  }

  private func check(columnCount: Int) throws(BasisError) {
    guard neighborCount >= 1, surroundingCount >= 1 else {
      throw BasisError(
        .invalidArgument,
        "smote: a row has at least 1 neighbour; got neighborCount \(neighborCount) and "
          + "surroundingCount \(surroundingCount)")
    }
    for column in nominalColumns where column < 0 || column >= columnCount {
      throw BasisError(
        .invalidArgument,
        "smote: the nominal column \(column) is none of 0 ..< \(columnCount)")
    }
    guard Set(nominalColumns).count == nominalColumns.count else {
      throw BasisError(.invalidArgument, "smote: a nominal column is named twice")
    }
    if !nominalColumns.isEmpty, variant != .plain {
      throw BasisError(
        .unsupported, "smote: nominal columns go with the variant plain, not \(variant.rawValue)")
    }
  }

  /// The rows on the way from one parent to the other: first + gap · (second − first).
  ///
  /// - Parameters:
  ///   - rows: `n × d`.
  ///   - parents: *m* pairs of `0 ..< n`.
  ///   - gaps: `m × 1` or `m × d`.
  ///   - run: threads and cancellation.
  /// - Returns: `m × d`, rounded once.
  /// - Throws: `.dimensionMismatch` for another number of gaps; `.cancelled`.
  /// - Complexity: O(*m* *d*), parallel.
  public static func interpolated(
    _ rows: Matrix, between parents: [SyntheticRows.Parents], gaps: Matrix, in run: RunContext
  ) throws(BasisError) -> Matrix {
    let d = rows.columnCount
    guard gaps.rowCount == parents.count, gaps.columnCount == 1 || gaps.columnCount == d else {
      throw BasisError(
        .dimensionMismatch,
        "\(parents.count) rows of \(d) columns want as many gaps, for the row or for each column; got "
          + "\(gaps.rowCount) × \(gaps.columnCount)")
    }
    return try Matrix(rowCount: parents.count, columnCount: d) { out throws(BasisError) in
      guard let base = out.baseAddress, d > 0 else { return }
      let target = SharedPointer(base)
      try parallelFor(parents.count, grain: 1024, in: run) { (_, range) throws(BasisError) in
        for row in range {
          let pair = parents[row]
          rows.withRow(pair.first) { a in
            rows.withRow(pair.second) { b in
              gaps.withRow(row) { gap in
                for column in 0..<d {
                  let share = Double(gap[gap.count == 1 ? 0 : column])
                  let (from, to) = (Double(a[column]), Double(b[column]))
                  target.base[row * d + column] = Float(from + share * (to - from))
                }
              }
            }
          }
        }
      }
    }
  }
}
