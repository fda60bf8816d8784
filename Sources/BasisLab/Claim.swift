public import BasisCore

/// What a paper says, in a form that a machine can check: numbers, and rules that they keep or break.
///
/// A claim is settings, so that every knob of it is written down and counts for its configuration.
/// It measures one seed at a time; ``run(in:data:seedCount:)`` repeats it, puts an interval around the
/// mean of each number, and decides. Nobody sets a verdict by hand.
///
/// A claim can fail: ``broken`` is the same claim with one knob turned so that it must. A test runs it.
public protocol Claim: Settings {
  /// What is claimed, and by whom.
  static var statement: ClaimStatement { get }

  /// With every knob at its default.
  init()

  /// The numbers that are measured, in the order in which they are shown.
  var expectations: [ClaimExpectation] { get }

  /// On so little data that a debug build measures it in a second or two. Its verdict means nothing;
  /// that it fails with ``broken``'s knob turned means something, and is what tests ask.
  static var miniature: Self { get }

  /// The same with one knob turned so that the claim does not hold.
  var broken: Self { get }

  /// Measures the numbers of ``expectations`` once.
  ///
  /// - Parameters:
  ///   - data: a person's own, of a form that ``ClaimStatement/accepts`` has; nil for the claim's.
  ///   - run: the seed of this repetition, threads and cancellation.
  /// - Returns: a value for each name; NaN where there is none, which breaks any rule.
  /// - Throws: `.badData` for data that cannot be measured; `.cancelled`.
  func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
}

/// What a claim is about.
public struct ClaimStatement: Sendable, Hashable {
  /// How long a claim takes on two cores, all seeds together.
  public enum Cost: String, Sendable, Hashable, Codable, CaseIterable {
    /// Under half a minute.
    case quick
    /// Minutes.
    case slow
  }

  /// What a person may give a claim in place of its own data.
  public enum Form: String, Sendable, Hashable, Codable {
    /// A matrix.
    case rows
    /// A matrix and a class per row.
    case labeledRows = "labeled rows"
  }

  /// The paper's number, as in `MethodDescriptor`.
  public var id: Int
  /// One sentence that is true or false.
  public var title: String
  /// What the paper reports, and where.
  public var paper: String
  /// What is compared with, and must be beaten, or is said to win.
  public var baseline: String
  /// The data that the claim makes itself.
  public var data: String
  /// Other data that it takes; nil for none.
  public var accepts: Form?
  public var cost: Cost
  /// Repetitions, at least 2.
  public var seedCount: Int
  /// Which knob ``Claim/broken`` turns.
  public var breaking: String

  /// - Parameters:
  ///   - id: the paper's number.
  ///   - title: one sentence that is true or false.
  ///   - paper: what the paper reports, and where.
  ///   - baseline: what is compared with.
  ///   - data: what the claim makes itself.
  ///   - accepts: what a person may give in its place.
  ///   - cost: how long it takes.
  ///   - seedCount: repetitions.
  ///   - breaking: which knob the broken variant turns.
  public init(
    id: Int, title: String, paper: String, baseline: String, data: String, accepts: Form? = nil,
    cost: Cost = .quick, seedCount: Int = 5, breaking: String
  ) {
    self.id = id
    self.title = title
    self.paper = paper
    self.baseline = baseline
    self.data = data
    self.accepts = accepts
    self.cost = cost
    self.seedCount = seedCount
    self.breaking = breaking
  }
}

/// A number that a claim measures, what was reported of it, and the rule that it keeps.
public struct ClaimExpectation: Sendable, Hashable, Codable {
  /// What the mean must do for the claim to hold, told from its interval.
  public enum Rule: Sendable, Hashable, Codable {
    /// More than this: the whole interval is above.
    case above(Double)
    /// Less than this: the whole interval is below.
    case below(Double)
    /// The whole interval is inside.
    case within(ClosedRange<Double>)
  }

  /// Short, unique in the claim: `recall_2_bits`.
  public var name: String
  /// In words, with the unit.
  public var meaning: String
  /// What the paper or the method's description reports for this; nil where it has no such number.
  public var reported: Double?
  /// Nil for a number that is shown only.
  public var rule: Rule?
  /// Whether the rule is of the claim's own data: another's recall need not be the reported one.
  public var isOfOwnData: Bool

  /// - Parameters:
  ///   - name: short, unique in the claim.
  ///   - meaning: in words, with the unit.
  ///   - reported: by the paper or the method's description.
  ///   - rule: nil to show the number only.
  ///   - isOfOwnData: whether the rule is left out for a person's data.
  public init(
    _ name: String, _ meaning: String, reported: Double? = nil, _ rule: Rule? = nil,
    isOfOwnData: Bool = false
  ) {
    self.name = name
    self.meaning = meaning
    self.reported = reported
    self.rule = rule
    self.isOfOwnData = isOfOwnData
  }

  /// A number that lies within `tolerance` of what was reported for the claim's own data.
  public static func reported(
    _ name: String, _ meaning: String, _ value: Double, within tolerance: Double
  ) -> ClaimExpectation {
    ClaimExpectation(
      name, meaning, reported: value, .within(value - tolerance...value + tolerance),
      isOfOwnData: true)
  }
}

/// What came of a claim, or of one of its rules.
public enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
  case pass
  case fail
  /// The interval holds values on both sides of the rule: more seeds may decide.
  case inconclusive
}

extension ClaimExpectation.Rule {
  /// - Parameter interval: of the mean; nil where one seed has none.
  func verdict(_ interval: ClosedRange<Double>?) -> Verdict {
    guard let interval else { return .inconclusive }
    switch self {
    case .above(let bound):
      return interval.lowerBound > bound
        ? .pass : interval.upperBound <= bound ? .fail : .inconclusive
    case .below(let bound):
      return interval.upperBound < bound
        ? .pass : interval.lowerBound >= bound ? .fail : .inconclusive
    case .within(let range):
      if range.contains(interval.lowerBound) && range.contains(interval.upperBound) { return .pass }
      return range.overlaps(interval) ? .inconclusive : .fail
    }
  }

  /// As in a table: `> 0.5`, `0.665 … 0.735`.
  public var text: String {
    switch self {
    case .above(let bound): "> \(ClaimNumber.text(bound))"
    case .below(let bound): "< \(ClaimNumber.text(bound))"
    case .within(let range):
      "\(ClaimNumber.text(range.lowerBound)) … \(ClaimNumber.text(range.upperBound))"
    }
  }
}

/// Data that a person gives a claim in place of the claim's own.
public struct ClaimData: Sendable {
  /// What it is called in messages.
  public var name: String
  /// `n × d`, finite.
  public var rows: Matrix
  /// A class per row, or nil.
  public var labels: [Int]?

  /// - Throws: `.badData` naming the row and column of a value that is not finite;
  ///   `.dimensionMismatch` for another number of labels than of rows.
  public init(_ rows: Matrix, labels: [Int]? = nil, name: String = "the data") throws(BasisError) {
    try rows.requireFinite(name)
    if let labels, labels.count != rows.rowCount {
      throw BasisError(
        .dimensionMismatch,
        "\(name): there are \(labels.count) labels for \(rows.rowCount) rows; give one a row")
    }
    self.name = name
    self.rows = rows
    self.labels = labels
  }
}
