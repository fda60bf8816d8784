public import BasisCore
import BasisNumerics

/// Chooses among ways to learn, and says honestly how good the choice is.
///
/// An outer fold is kept out while an inner cross-validation on the rest chooses; the chosen one learns the
/// rest and is asked about the fold. The result is the mean over outer folds. The best inner score is never
/// reported: it is the best of several, and so too good.
///
/// Raschka, arXiv:1811.12808, section 4.14; Varma & Simon, *Bias in error estimation when using
/// cross-validation for model selection*, BMC Bioinformatics 7 (2006), doi:10.1186/1471-2105-7-91. One
/// standard error: Breiman et al., *Classification and Regression Trees* (1984), section 3.4.3.
public struct NestedSelection: Settings {
  /// At least 2.
  public var outerFolds: Int
  /// At least 2.
  public var innerFolds: Int
  public var isStratified: Bool
  /// Whether the first candidate within a standard error of the best is chosen. Give the simplest first.
  public var isWithinOneStandardError: Bool

  public init(
    outerFolds: Int = 5, innerFolds: Int = 3, isStratified: Bool = true,
    isWithinOneStandardError: Bool = false
  ) {
    self.outerFolds = outerFolds
    self.innerFolds = innerFolds
    self.isStratified = isStratified
    self.isWithinOneStandardError = isWithinOneStandardError
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    outerFolds = try values.decodeIfPresent(Int.self, forKey: .outerFolds) ?? outerFolds
    innerFolds = try values.decodeIfPresent(Int.self, forKey: .innerFolds) ?? innerFolds
    isStratified = try values.decodeIfPresent(Bool.self, forKey: .isStratified) ?? isStratified
    isWithinOneStandardError =
      try values.decodeIfPresent(Bool.self, forKey: .isWithinOneStandardError)
      ?? isWithinOneStandardError
  }

  /// One outer fold.
  public struct Outer: Sendable, Hashable, Codable {
    /// The candidate that was chosen, by its place.
    public var choice: Int
    /// Mean inner accuracy of each candidate.
    public var innerAccuracies: [Double]
    /// Of the choice, on rows that had no part in it.
    public var accuracy: Double
    public var testCount: Int
  }

  public struct Outcome: Sendable, Hashable, Codable {
    public var candidates: [String]
    public var outer: [Outer]
    /// The mean over outer folds: what choosing and learning in this way will be worth on new rows.
    public var accuracy: Double
    /// The standard deviation over outer folds over the root of their number; folds share training rows,
    /// so that it is a little too small.
    public var standardError: Double
    /// Chosen by cross-validation on all rows: the one to learn and use.
    public var choice: Int
    public var warnings: [String]
  }

  /// - Parameters:
  ///   - candidates: at least 1; the simplest first where ``isWithinOneStandardError``.
  ///   - labels: a class per row.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for no candidate, or folds that these rows do not allow; what the
  ///   candidates throw.
  /// - Complexity: candidates · folds · (inner folds + 1) fits.
  public func select(_ candidates: [Learner], labels: [Int], in run: RunContext)
    throws(BasisError) -> Outcome
  {
    guard !candidates.isEmpty else {
      throw BasisError(.invalidArgument, "nested selection: there is no candidate to choose")
    }
    let resampler = Resampler(.folds(outerFolds, repeats: 1), isStratified: isStratified)
    let plan = try resampler.plan(rowCount: labels.count, labels: labels, in: run)
    var outer: [Outer] = []
    for (number, split) in plan.splits.enumerated() {
      try run.checkCancelled()
      run.report("outer folds", number, of: plan.splits.count)
      let inner = try choose(candidates, split.training, labels, fold: number + 1, in: run)
      let answers = try candidates[inner.choice]
        .answers(learning: split.training, asked: split.test, in: run.silent)
      let right = zip(split.test, answers).count { labels[$0] == $1 }
      outer.append(
        Outer(
          choice: inner.choice, innerAccuracies: inner.means,
          accuracy: Double(right) / Double(split.test.count), testCount: split.test.count))
    }
    let whole = try choose(candidates, Array(labels.indices), labels, fold: 0, in: run)
    let moments = Moments(outer.map(\.accuracy))
    var warnings = plan.warnings(labels: labels)
    let choices = Set(outer.map(\.choice))
    if choices.count > 1 {
      warnings.append(
        "outer folds chose \(choices.count) different candidates: they are close, or rows are few")
    }
    return Outcome(
      candidates: candidates.map(\.name), outer: outer, accuracy: moments.mean,
      standardError: moments.standardDeviation / Double(outer.count).squareRoot(),
      choice: whole.choice, warnings: warnings)
  }

  private func choose(
    _ candidates: [Learner], _ rows: [Int], _ labels: [Int], fold: Int, in run: RunContext
  ) throws(BasisError) -> (choice: Int, means: [Double]) {
    var seeds = run.generator("inner folds", chunk: fold)
    var inner = run.silent
    inner.seed = seeds.next()
    let own = rows.map { labels[$0] }
    let plan = try Resampler(.folds(innerFolds, repeats: 1), isStratified: isStratified)
      .plan(rowCount: rows.count, labels: own, in: inner)
    var scores: [[Double]] = []
    for candidate in candidates {
      let local = Learner(candidate.name) { (training, asked, run) throws(BasisError) in
        try candidate.answers(
          learning: training.map { rows[$0] }, asked: asked.map { rows[$0] }, in: run)
      }
      scores.append(try local.accuracies(plan, labels: own, in: inner))
    }
    return (
      Self.choice(scores, isWithinOneStandardError: isWithinOneStandardError),
      scores.map { Statistics.mean($0) }
    )
  }

  /// The first candidate of the highest mean, or the first within one standard error of it.
  ///
  /// - Parameters:
  ///   - scores: of each candidate, one a fold.
  ///   - isWithinOneStandardError: whether the simplest that is nearly as good is wanted.
  /// - Precondition: there is a candidate, and each has a score.
  public static func choice(_ scores: [[Double]], isWithinOneStandardError: Bool) -> Int {
    let means = scores.map { Statistics.mean($0) }
    let best = means.indices.max { means[$0] < means[$1] } ?? 0
    let first = means.firstIndex { $0 == means[best] } ?? best
    guard isWithinOneStandardError, scores[first].count > 1 else { return first }
    let error =
      Moments(scores[first]).standardDeviation / Double(scores[first].count).squareRoot()
    return means.firstIndex { $0 >= means[first] - error } ?? first
  }
}
