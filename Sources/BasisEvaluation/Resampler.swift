public import BasisCore

/// Which rows to learn from and which to ask about, as numbers of rows.
///
/// A plan is data: it can be kept, and used again for another model, which is what paired tests want.
public struct ResamplingPlan: Sendable, Hashable, Codable {
  public struct Split: Sendable, Hashable, Codable {
    /// Rows to learn from; a bootstrap repeats some.
    public var training: [Int]
    /// Rows to ask about, rising; none of them is in `training`.
    public var test: [Int]

    public init(training: [Int], test: [Int]) {
      self.training = training
      self.test = test
    }
  }

  /// All rows that were split.
  public var rowCount: Int
  public var splits: [Split]

  public init(rowCount: Int, splits: [Split]) {
    self.rowCount = rowCount
    self.splits = splits
  }
}

/// Cuts rows into parts to learn from and parts to be asked about.
///
/// Which one when: hold-out where rows are plenty; k-fold, repeated if it is cheap, where they are few;
/// the bootstrap for ``ErrorEstimate``; leave-one-out only where a fit is cheap and stable, never for a
/// majority vote (half and half, it is always wrong). With `groups`, rows of one group stay together: give
/// persons, documents or days where rows of one are alike. `forward` never learns from what comes after.
///
/// Seeded by `run.generator("resampler")`; the plan depends on nothing else.
///
/// Raschka, *Model evaluation, model selection, and algorithm selection in machine learning*,
/// arXiv:1811.12808, sections 1.5, 2.4, 3.3 and 3.7; Kohavi, *A study of cross-validation and bootstrap*,
/// IJCAI 1995.
public struct Resampler: Settings {
  public enum Scheme: Sendable, Hashable, Codable {
    /// A share of the rows is asked about, again and again with other rows.
    case holdOut(testShare: Double, repeats: Int)
    /// So many parts, each asked about once; the whole `repeats` times.
    case folds(Int, repeats: Int)
    case leaveOneOut
    /// As many rows as there are, drawn with replacement; asked about are those never drawn.
    case bootstrap(Int)
    /// So many consecutive parts, each asked about after learning from all before it.
    case forward(Int)
  }

  public var scheme: Scheme
  /// Whether each part has each class in the proportion of all rows.
  public var isStratified: Bool

  public init(_ scheme: Scheme = .folds(10, repeats: 1), isStratified: Bool = false) {
    self.scheme = scheme
    self.isStratified = isStratified
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    scheme = try values.decodeIfPresent(Scheme.self, forKey: .scheme) ?? scheme
    isStratified = try values.decodeIfPresent(Bool.self, forKey: .isStratified) ?? isStratified
  }

  /// - Parameters:
  ///   - rowCount: at least 2.
  ///   - labels: a class per row; wanted where ``isStratified``.
  ///   - groups: a group per row; rows of one are never on both sides. Not together with
  ///     stratification, leave-one-out (leave one group out instead: as many folds as groups) or
  ///     `forward`.
  ///   - run: the seed.
  /// - Returns: the splits; training rows rise but for a bootstrap's.
  /// - Throws: `.invalidArgument` for settings that these rows do not allow, with the number that is too
  ///   small; `.dimensionMismatch` for labels or groups of other rows.
  public func plan(
    rowCount: Int, labels: [Int]? = nil, groups: [Int]? = nil, in run: RunContext
  ) throws(BasisError) -> ResamplingPlan {
    guard rowCount >= 2 else { throw Self.wrong("2 rows at least are split, got \(rowCount)") }
    for (name, list) in [("labels", labels), ("groups", groups)] {
      guard let list, list.count != rowCount else { continue }
      throw BasisError(
        .dimensionMismatch, "there are \(list.count) \(name) for \(rowCount) rows; give one a row")
    }
    if isStratified, labels == nil { throw Self.wrong("stratified splits need labels") }
    if groups != nil, isStratified {
      throw Self.wrong("splits by groups cannot be stratified too; leave one of them out")
    }
    var generator = run.generator("resampler")
    let units = Units(rowCount: rowCount, classes: isStratified ? labels : nil, groups: groups)
    switch scheme {
    case .holdOut(let share, let repeats):
      return try holdOut(units, share: share, repeats: repeats, &generator)
    case .folds(let count, let repeats):
      return try folds(units, count: count, repeats: repeats, &generator)
    case .leaveOneOut:
      if groups != nil {
        throw Self.wrong(
          "leave-one-out splits groups; take as many folds as there are groups instead")
      }
      return ResamplingPlan(
        rowCount: rowCount, splits: (0..<rowCount).map { Self.split($0..<$0 + 1, rowCount) })
    case .bootstrap(let count):
      return try bootstrap(units, count: count, &generator)
    case .forward(let count):
      if groups != nil || isStratified {
        throw Self.wrong("splits forward in time are of consecutive rows, without groups or strata")
      }
      return try forward(rowCount, count)
    }
  }

  private static func wrong(_ message: String) -> BasisError {
    BasisError(.invalidArgument, "resampling: \(message)")
  }

  private static func split(_ test: Range<Int>, _ count: Int) -> ResamplingPlan.Split {
    .init(
      training: Array(0..<test.lowerBound) + Array(test.upperBound..<count), test: Array(test))
  }

  private static func split(testing flags: [Bool]) -> ResamplingPlan.Split {
    .init(
      training: flags.indices.filter { !flags[$0] }, test: flags.indices.filter { flags[$0] })
  }

  /// What is kept together, and what is kept in proportion.
  private struct Units {
    let rowCount: Int
    /// The rows of each group, or each row alone.
    let members: [[Int]]
    /// Units of one class, or all of them.
    let strata: [[Int]]

    init(rowCount: Int, classes: [Int]?, groups: [Int]?) {
      self.rowCount = rowCount
      if let groups {
        members = Dictionary(grouping: 0..<rowCount) { groups[$0] }.sorted { $0.key < $1.key }
          .map(\.value)
      } else {
        members = (0..<rowCount).map { [$0] }
      }
      if let classes {
        strata = Dictionary(grouping: 0..<rowCount) { classes[$0] }.sorted { $0.key < $1.key }
          .map(\.value)
      } else {
        strata = [Array(members.indices)]
      }
    }

    var areGroups: Bool { members.count != rowCount }
  }

  private func holdOut(
    _ units: Units, share: Double, repeats: Int, _ generator: inout RandomGenerator
  ) throws(BasisError) -> ResamplingPlan {
    guard share > 0, share < 1, repeats >= 1 else {
      throw Self.wrong(
        "a hold-out keeps a share between 0 and 1 for asking, at least once; got \(share), "
          + "\(repeats) times")
    }
    var splits: [ResamplingPlan.Split] = []
    for _ in 0..<repeats {
      var isTest = [Bool](repeating: false, count: units.rowCount)
      for stratum in units.strata {
        var order = stratum
        generator.shuffle(&order)
        let all = order.reduce(0) { $0 + units.members[$1].count }
        var wanted = Int((share * Double(all)).rounded())
        if units.strata.count == 1 { wanted = max(1, min(all - 1, wanted)) }
        for unit in order where wanted > 0 {
          wanted -= units.members[unit].count
          for row in units.members[unit] { isTest[row] = true }
        }
      }
      let split = Self.split(testing: isTest)
      guard !split.training.isEmpty, !split.test.isEmpty else {
        throw Self.wrong(
          "a share of \(share) of \(units.rowCount) rows leaves nothing on one side; take another "
            + "share, or smaller groups")
      }
      splits.append(split)
    }
    return ResamplingPlan(rowCount: units.rowCount, splits: splits)
  }

  private func folds(
    _ units: Units, count: Int, repeats: Int, _ generator: inout RandomGenerator
  ) throws(BasisError) -> ResamplingPlan {
    guard count >= 2, repeats >= 1 else {
      throw Self.wrong("2 folds at least, once at least; got \(count), \(repeats) times")
    }
    let smallest = units.strata.map(\.count).min() ?? 0
    guard count <= (isStratified ? smallest : units.members.count) else {
      throw Self.wrong(
        isStratified
          ? "\(count) stratified folds, and the rarest class has \(smallest) rows; take fewer folds, "
            + "or do not stratify"
          : "\(count) folds of \(units.members.count) \(units.areGroups ? "groups" : "rows")")
    }
    var splits: [ResamplingPlan.Split] = []
    for _ in 0..<repeats {
      var fold = [Int](repeating: 0, count: units.rowCount)
      // Strata deal on where the last one ended, so that parts differ by a row at most.
      var next = 0
      var sizes = [Int](repeating: 0, count: count)
      for stratum in units.strata {
        var order = stratum
        generator.shuffle(&order)
        if units.areGroups {
          order.sort { units.members[$0].count > units.members[$1].count }
        }
        for unit in order {
          // Large groups first, each to the smallest part.
          let place =
            units.areGroups ? sizes.indices.min { sizes[$0] < sizes[$1] } ?? 0 : next % count
          next += 1
          sizes[place] += units.members[unit].count
          for row in units.members[unit] { fold[row] = place }
        }
      }
      for place in 0..<count { splits.append(Self.split(testing: fold.map { $0 == place })) }
    }
    return ResamplingPlan(rowCount: units.rowCount, splits: splits)
  }

  private func bootstrap(
    _ units: Units, count: Int, _ generator: inout RandomGenerator
  ) throws(BasisError) -> ResamplingPlan {
    guard count >= 1 else { throw Self.wrong("1 bootstrap sample at least, got \(count)") }
    guard units.members.count >= 2 else { throw Self.wrong("a bootstrap of one group") }
    guard units.strata.contains(where: { $0.count >= 2 }) else {
      throw Self.wrong("a stratified bootstrap needs a class of 2 rows; do not stratify")
    }
    var splits: [ResamplingPlan.Split] = []
    while splits.count < count {
      var training: [Int] = []
      var isTest = [Bool](repeating: true, count: units.rowCount)
      for stratum in units.strata {
        for _ in stratum {
          for row in units.members[stratum[generator.nextInt(below: stratum.count)]] {
            training.append(row)
            isTest[row] = false
          }
        }
      }
      let test = isTest.indices.filter { isTest[$0] }
      // Every row drawn: nobody is left to ask, which happens to very few rows only.
      if !test.isEmpty { splits.append(.init(training: training, test: test)) }
    }
    return ResamplingPlan(rowCount: units.rowCount, splits: splits)
  }

  private func forward(_ rowCount: Int, _ count: Int) throws(BasisError) -> ResamplingPlan {
    guard count >= 1, count < rowCount else {
      throw Self.wrong("\(count) parts forward in time of \(rowCount) rows; 1 ..< rows")
    }
    // One more part than are asked about, for the first has nothing before it.
    let bounds = (0...count + 1).map { $0 * rowCount / (count + 1) }
    return ResamplingPlan(
      rowCount: rowCount,
      splits: (1...count).map {
        .init(training: Array(0..<bounds[$0]), test: Array(bounds[$0]..<bounds[$0 + 1]))
      })
  }
}

extension ResamplingPlan {
  /// What is doubtful about the splits for these labels: a class that some training part lacks.
  ///
  /// - Parameter labels: a class per row.
  public func warnings(labels: [Int]) -> [String] {
    let classes = Set(labels).sorted()
    var lacking: [Int: Int] = [:]
    for split in splits {
      let seen = Set(split.training.map { labels[$0] })
      for one in classes where !seen.contains(one) { lacking[one, default: 0] += 1 }
    }
    return classes.compactMap { one in
      lacking[one].map {
        "class \(one) is absent from the training part of \($0) of \(splits.count) splits; stratify, "
          + "or take fewer parts"
      }
    }
  }

  /// Splits that have equal rows on both sides, where what is learnt by heart looks like skill.
  ///
  /// - Parameter rows: as many as were split.
  /// - Returns: how many rows are asked about, over all splits, whose equal is learnt from.
  /// - Throws: `.dimensionMismatch` for another number of rows.
  /// - Complexity: O(rows · columns + rows in all splits).
  public func sharedDuplicateCount(of rows: Matrix) throws(BasisError) -> Int {
    guard rows.rowCount == rowCount else {
      throw BasisError(
        .dimensionMismatch, "the plan splits \(rowCount) rows, the matrix has \(rows.rowCount)")
    }
    var numbers: [[UInt32]: Int] = [:]
    var identity: [Int] = []
    for row in 0..<rowCount {
      // 0 and −0 are equal.
      let key = rows.withRow(row) { $0.map { ($0 == 0 ? 0 : $0).bitPattern } }
      let number = numbers[key] ?? numbers.count
      numbers[key] = number
      identity.append(number)
    }
    var count = 0
    for split in splits {
      let seen = Set(split.training.map { identity[$0] })
      count += split.test.count { seen.contains(identity[$0]) }
    }
    return count
  }
}
