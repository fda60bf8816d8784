public import BasisCore

/// Rows whose importance is known, or rows and labels that it is found from.
public enum ImportanceInput: MethodInput {
  /// A number per row; and, where it is another, the number that the hardest are found by.
  case scores([Double], hardness: Hardness)
  /// A classifier is trained on them, and watched.
  case rows(LabeledRows)

  public static let description = "a column of scores, or a matrix and labels"

  /// What the hardest rows are cut off by.
  public enum Hardness: Sendable, Hashable {
    /// The scores themselves, as the settings say which end is hard.
    case scores
    /// Other numbers, one per row; low is hard.
    case margins([Double])
  }

  /// What a training log says, cut off by the margins as the authors' own code does.
  ///
  /// - Throws: `.badData` for an empty log.
  public init(_ dynamics: TrainingDynamics, _ score: ImportanceScore) throws(BasisError) {
    self = .scores(
      try dynamics.scores(score), hardness: .margins(try dynamics.scores(.aum)))
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let matrix = try parts.matrices(1, Self.description, for: method)[0]
    if let labels = parts.labels {
      self = .rows(try LabeledRows(matrix, labels: labels))
    } else if matrix.columnCount == 1 {
      self = .scores(
        matrix.withUnsafeFloats { $0.map { Double($0) } }, hardness: .scores)
    } else {
      throw BasisError(
        .invalidArgument,
        "'\(method)' takes \(Self.description); got \(matrix.columnCount) columns and no labels")
    }
  }
}

/// Keeps a share of a labelled set such that easy and hard rows are covered alike: the hardest are cut
/// off, the range of the scores is cut into strata, and each gives about as many.
///
/// Zheng, Liu, Lai & Prakash, *Coverage-centric Coreset Selection for High Pruning Rates*, ICLR 2023,
/// arXiv:2210.15809, algorithm 1. Strata are of equal width, not of equal size. Classes are not balanced.
///
/// - Note: The authors' code widens the range by multiplying its upper end, which a negative one falls
///   out of; here it is widened by as much whatever the sign.
public struct CoverageCentricSelector: Selector {
  /// Which end of given scores is hard.
  public enum HardEnd: String, Sendable, Hashable, Codable, CaseIterable {
    case low, high
  }

  /// What to keep, above 0 and at most 1, of all rows; rounded to whole rows.
  public var fraction: Double
  /// *β*: the share of all rows, the hardest, that is never kept, `0 ..< 1`. 0.3 for 10 % of CIFAR-10; 0
  /// where most is kept.
  public var hardCut: Double
  /// At least 1.
  public var strata: Int
  /// Of given scores; what rows and labels are scored by knows its own.
  public var hard: HardEnd
  /// What rows and labels are scored by.
  public var score: ImportanceScore
  /// How long the classifier trains that rows and labels are scored by, at least 1.
  public var epochCount: Int
  /// Whether to keep fewer than `fraction` where the cut leaves fewer.
  public var allowFewer: Bool

  public init(
    fraction: Double = 0.3, hardCut: Double = 0.1, strata: Int = 50, hard: HardEnd = .low,
    score: ImportanceScore = .aum, epochCount: Int = 20, allowFewer: Bool = false
  ) {
    self.fraction = fraction
    self.hardCut = hardCut
    self.strata = strata
    self.hard = hard
    self.score = score
    self.epochCount = epochCount
    self.allowFewer = allowFewer
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    fraction = try values.decodeIfPresent(Double.self, forKey: .fraction) ?? fraction
    hardCut = try values.decodeIfPresent(Double.self, forKey: .hardCut) ?? hardCut
    strata = try values.decodeIfPresent(Int.self, forKey: .strata) ?? strata
    hard = try values.decodeIfPresent(HardEnd.self, forKey: .hard) ?? hard
    score = try values.decodeIfPresent(ImportanceScore.self, forKey: .score) ?? score
    epochCount = try values.decodeIfPresent(Int.self, forKey: .epochCount) ?? epochCount
    allowFewer = try values.decodeIfPresent(Bool.self, forKey: .allowFewer) ?? allowFewer
  }

  /// - Parameters:
  ///   - input: scores, finite; or rows with labels of two classes at least.
  ///   - run: the seed chooses within strata, and orders the rows of the classifier.
  /// - Returns: the rows kept; a group for the hardest, and one per stratum that has rows, from low scores
  ///   to high.
  /// - Throws: `.invalidArgument` for settings out of range, and for a fraction that the cut does not leave;
  ///   `.badData` naming the row of a score that is not finite, and for a single class; `.cancelled`.
  /// - Complexity: O(*n* log *n*), and for rows and labels the training: O(epochs · *n* · classes · *d*).
  public func select(_ input: ImportanceInput, in run: RunContext) throws(BasisError) -> Selection {
    try run.checkCancelled()
    guard fraction > 0, fraction <= 1, hardCut >= 0, hardCut < 1, strata >= 1, epochCount >= 1
    else {
      throw BasisError(
        .invalidArgument,
        "coverage: the fraction is above 0 and at most 1, the hard cut in 0 ..< 1, strata and epochs at "
          + "least 1; got \(fraction), \(hardCut), \(strata) and \(epochCount)")
    }
    switch input {
    case .scores(let scores, .margins(let margins)):
      guard margins.count == scores.count else {
        throw BasisError(
          .dimensionMismatch, "there are \(scores.count) scores and \(margins.count) margins")
      }
      return try select(scores, hardness: margins, in: run)
    case .scores(let scores, .scores):
      return try select(scores, hardness: hard == .low ? scores : scores.map { -$0 }, in: run)
    case .rows(let labeled):
      let classes = try ClassMembers(labeled.labels, for: "coverage").classes
      let place = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
      let dynamics = try SoftmaxProbe(epochCount: epochCount).dynamics(
        labeled.rows, labeled.labels.map { place[$0] ?? 0 }, classCount: classes.count, in: run)
      return try select(
        dynamics.scores(score), hardness: dynamics.scores(.aum), in: run)
    }
  }

  private func select(_ scores: [Double], hardness: [Double], in run: RunContext) throws(BasisError)
    -> Selection
  {
    for (row, value) in scores.enumerated() where !value.isFinite || !hardness[row].isFinite {
      throw BasisError(
        .badData, "coverage: row \(row) has the score \(value); remove or replace it")
    }
    let n = scores.count
    guard n > 0 else { throw BasisError(.badData, "coverage: there are no rows to keep some of") }
    // A hair up, as 0.3 · 10 is less than 3.
    let cutCount = Int((hardCut * Double(n) + 1e-9).rounded(.down))
    let wanted = max(1, Int((fraction * Double(n)).rounded()))
    guard wanted <= n - cutCount || allowFewer else {
      throw BasisError(
        .invalidArgument,
        "coverage: of \(n) rows the hard cut leaves \(n - cutCount), and \(wanted) are wanted; lower "
          + "hardCut, or say allowFewer=true")
    }
    let rising = hardness.indices.sorted { (hardness[$0], $0) < (hardness[$1], $1) }
    let rest = rising.dropFirst(cutCount).sorted()
    let bins = ScoreStrata(rest.map { scores[$0] }, count: strata)
    var members = [[Int]](repeating: [], count: strata)
    for (place, row) in rest.enumerated() { members[bins.places[place]].append(row) }
    let budget = stratifiedBudget(counts: members.map(\.count), total: wanted)
    var kept: [Int] = []
    var groups: [Selection.Group] = []
    if cutCount > 0 { groups.append(.init("hardest", count: cutCount, keptCount: 0)) }
    for (stratum, rows) in members.enumerated() where !rows.isEmpty {
      var generator = run.generator("rows of a stratum", chunk: stratum)
      kept += generator.sample(budget[stratum], of: rows.count).map { rows[$0] }
      groups.append(
        .init(bins.name(stratum), count: rows.count, keptCount: budget[stratum]))
    }
    return Selection(kept.sorted(), groupKind: "score", groups: groups)
  }
}

/// The range of scores, cut into parts of equal width.
struct ScoreStrata {
  let low: Double
  let width: Double
  /// The part of each score.
  let places: [Int]

  init(_ scores: [Double], count: Int) {
    low = scores.min() ?? 0
    let high = scores.max() ?? 0
    width = (high + abs(high) * 1e-4 - low) / Double(count)
    // No range, or one that its ends' rounding hides.
    let (low, width) = (low, width)
    places = scores.map { score in
      width > 0 ? min(count - 1, Int((score - low) / width)) : 0
    }
  }

  func name(_ place: Int) -> String {
    let middle = low + (Double(place) + 0.5) * width
    return "\((middle * 1e4).rounded() / 1e4)"
  }
}
