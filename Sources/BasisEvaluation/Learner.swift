public import BasisCore

/// A way to learn classes, as the desk sees it: rows to learn from go in by number, and answers for other
/// rows come out.
///
/// Whoever has a classifier wraps it: the desk needs neither its type nor its features.
public struct Learner: Sendable {
  public typealias Body =
    @Sendable (
      _ training: [Int], _ asked: [Int], _ run: RunContext
    ) throws(BasisError) -> [Int]

  public let name: String
  private let body: Body

  /// - Parameters:
  ///   - name: for reports.
  ///   - body: learns from some rows, of which some may be repeated, and gives a class for each of the
  ///     asked. Called from any thread; it must depend on nothing but its arguments.
  public init(_ name: String, _ body: @escaping Body) {
    self.name = name
    self.body = body
  }

  /// - Returns: a class for each of `asked`.
  /// - Throws: `.dimensionMismatch` where the body gives another number of them; what it throws.
  public func answers(learning training: [Int], asked: [Int], in run: RunContext)
    throws(BasisError) -> [Int]
  {
    let found = try body(training, asked, run)
    guard found.count == asked.count else {
      throw BasisError(
        .dimensionMismatch,
        "'\(name)' gave \(found.count) answers for \(asked.count) rows")
    }
    return found
  }

  /// The share of right answers in each split.
  ///
  /// - Parameters:
  ///   - plan: splits.
  ///   - labels: the class of each row that was split.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.dimensionMismatch` for labels of other rows; what the learner throws.
  public func accuracies(_ plan: ResamplingPlan, labels: [Int], in run: RunContext)
    throws(BasisError) -> [Double]
  {
    guard labels.count == plan.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(labels.count) labels, and the plan splits \(plan.rowCount) rows")
    }
    let inner = run.silent
    return try parallelMap(plan.splits.count, grain: 1, in: run) {
      (place, _) throws(BasisError) in
      let split = plan.splits[place]
      let found = try answers(learning: split.training, asked: split.test, in: inner)
      let right = zip(split.test, found).count { labels[$0] == $1 }
      return Double(right) / Double(split.test.count)
    }
  }
}

/// Two ways to learn on one data set, compared on the same splits.
public struct LearnerComparison: Settings {
  /// Whether halves and hold-outs have each class in the proportion of all rows.
  public var isStratified: Bool

  public init(isStratified: Bool = false) { self.isStratified = isStratified }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    isStratified = try values.decodeIfPresent(Bool.self, forKey: .isStratified) ?? false
  }

  /// Five halvings, both ways: what ``PairedTest/fiveByTwoT(_:)`` and ``PairedTest/combinedF(_:)`` eat.
  ///
  /// - Parameters:
  ///   - first: its scores count up.
  ///   - second: its scores count down.
  ///   - labels: a class per row, at least 2.
  ///   - run: seed and threads.
  /// - Throws: what the plan and the learners throw.
  public func halvings(_ first: Learner, _ second: Learner, labels: [Int], in run: RunContext)
    throws(BasisError) -> [PairedTest.Halving]
  {
    let plan = try Resampler(.folds(2, repeats: 5), isStratified: isStratified)
      .plan(rowCount: labels.count, labels: labels, in: run)
    let gaps = try differences(first, second, plan, labels: labels, in: run)
    return (0..<5).map { PairedTest.Halving(gaps[2 * $0], gaps[2 * $0 + 1]) }
  }

  /// Accuracy of the first less that of the second, for each split.
  public func differences(
    _ first: Learner, _ second: Learner, _ plan: ResamplingPlan, labels: [Int], in run: RunContext
  ) throws(BasisError) -> [Double] {
    let one = try first.accuracies(plan, labels: labels, in: run)
    let other = try second.accuracies(plan, labels: labels, in: run)
    return zip(one, other).map { $0 - $1 }
  }
}
