public import BasisCore
import BasisNumerics

/// How often a classifier will err on new rows, from the rows that it is learnt from.
///
/// Which one when: `.crossValidation` by default; `.point632plus` for a few dozen rows, where folds vary
/// much; `.point632` only for classifiers that do not learn rows by heart (of 1-nearest neighbours on random
/// labels it reports an error of about .31, where .5 is true); `.outOfBag` is cautious, for it learns from
/// 63.2 % of the rows. `.holdOut` where rows are plenty.
///
/// Seeded; the same at any number of threads.
///
/// Efron & Tibshirani, *Improvements on cross-validation: the .632+ bootstrap method*, JASA 92 (1997),
/// doi:10.1080/01621459.1997.10474007, equations 17, 24, 27, 28 and 29; Raschka, arXiv:1811.12808,
/// section 2.4.
public struct ErrorEstimate: Settings {
  public enum Method: String, Sendable, Hashable, Codable, CaseIterable {
    case holdOut = "holdout"
    case crossValidation = "cv"
    case outOfBag = "oob"
    case point632 = "632"
    case point632plus = "632plus"
  }

  /// What a bootstrap's estimate is made of.
  public enum Convention: String, Sendable, Hashable, Codable {
    /// As published: the training error is that of one model of all rows; left-out errors are a mean
    /// over rows; overfitting is measured once, between 0 and 1.
    case efron
    /// As mlxtend does it: each bootstrap model's error on all rows, left-out rows among them, stands for
    /// the training error, the weight is made in each replicate and not bounded, and the estimate is the
    /// mean of the replicates.
    case perReplicate
  }

  public var method: Method
  public var convention: Convention
  /// Of a bootstrap, at least 2.
  public var resampleCount: Int
  /// Of cross-validation, at least 2.
  public var foldCount: Int
  /// Of cross-validation and hold-out.
  public var repeats: Int
  /// Of a hold-out, between 0 and 1.
  public var testShare: Double
  /// Folds and hold-outs have each class in the proportion of all rows.
  public var isStratified: Bool
  /// Of the interval.
  public var confidence: Double

  public init(
    _ method: Method = .crossValidation, convention: Convention = .efron,
    resampleCount: Int = 200, foldCount: Int = 10, repeats: Int = 1, testShare: Double = 0.3,
    isStratified: Bool = true, confidence: Double = 0.95
  ) {
    self.method = method
    self.convention = convention
    self.resampleCount = resampleCount
    self.foldCount = foldCount
    self.repeats = repeats
    self.testShare = testShare
    self.isStratified = isStratified
    self.confidence = confidence
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    method = try values.decodeIfPresent(Method.self, forKey: .method) ?? method
    convention = try values.decodeIfPresent(Convention.self, forKey: .convention) ?? convention
    resampleCount = try values.decodeIfPresent(Int.self, forKey: .resampleCount) ?? resampleCount
    foldCount = try values.decodeIfPresent(Int.self, forKey: .foldCount) ?? foldCount
    repeats = try values.decodeIfPresent(Int.self, forKey: .repeats) ?? repeats
    testShare = try values.decodeIfPresent(Double.self, forKey: .testShare) ?? testShare
    isStratified = try values.decodeIfPresent(Bool.self, forKey: .isStratified) ?? isStratified
    confidence = try values.decodeIfPresent(Double.self, forKey: .confidence) ?? confidence
  }

  /// What was found; all errors are shares of rows, `0 ... 1`.
  public struct Estimate: Sendable, Hashable, Codable {
    public var error: Double
    /// Where the error may lie. Of hold-out and cross-validation by Wilson's interval over all rows asked
    /// about once; of a bootstrap the middle share of the replicates, which is no interval of confidence
    /// in a strict sense.
    public var lower: Double
    public var upper: Double
    /// Of the model of all rows on these rows; nil where none was learnt.
    public var trainingError: Double?
    /// Of rows that were left out.
    public var leftOutError: Double
    /// γ, what a classifier of this kind would err if rows said nothing of classes; nil but for .632+.
    public var noInformationError: Double?
    /// R, 0 for none and 1 for learning by heart; nil but for .632+.
    public var overfitting: Double?
    /// Of the left-out error.
    public var weight: Double?
    /// The estimate of each split.
    public var splits: [Double]
    public var warnings: [String]
  }

  /// γ = Σ pₗ (1 − qₗ) with the shares pₗ of classes and qₗ of answers (equation 27): what pairing every row
  /// with every answer would give, without the pairs.
  ///
  /// - Precondition: equal counts, at least 1.
  public static func noInformationError(labels: [Int], answers: [Int]) -> Double {
    precondition(labels.count == answers.count && !labels.isEmpty, "\(labels.count) labels")
    var shares: [Int: Int] = [:]
    for answer in answers { shares[answer, default: 0] += 1 }
    var agreeing = 0
    for label in labels { agreeing += shares[label] ?? 0 }
    // In whole pairs, so that it is exactly their share.
    let pairs = labels.count * answers.count
    return Double(pairs - agreeing) / Double(pairs)
  }

  /// - Parameters:
  ///   - learner: asked about rows by number.
  ///   - labels: the class of each row, at least 2.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for settings that these rows do not allow; what the learner throws;
  ///   `.cancelled`.
  /// - Complexity: a fit a split, and one more for `.efron`'s .632 and .632+.
  public func estimate(_ learner: Learner, labels: [Int], in run: RunContext) throws(BasisError)
    -> Estimate
  {
    try check(labels)
    let plan = try plan(labels: labels, in: run)
    return try estimate(learner, labels: labels, plan: plan, in: run)
  }

  /// The splits that ``estimate(_:labels:in:)`` makes.
  ///
  /// - Throws: `.invalidArgument` for settings that these rows do not allow.
  public func plan(labels: [Int], in run: RunContext) throws(BasisError) -> ResamplingPlan {
    let resampler =
      switch method {
      case .holdOut:
        Resampler(.holdOut(testShare: testShare, repeats: repeats), isStratified: isStratified)
      case .crossValidation:
        Resampler(.folds(foldCount, repeats: repeats), isStratified: isStratified)
      case .outOfBag, .point632, .point632plus: Resampler(.bootstrap(resampleCount))
      }
    return try resampler.plan(rowCount: labels.count, labels: labels, in: run)
  }

  /// The same with splits that are there already; the settings that make splits do not count.
  ///
  /// - Parameters:
  ///   - learner: asked about rows by number.
  ///   - labels: the class of each row, at least 2.
  ///   - plan: splits of these rows, at least 1, or 2 of a bootstrap.
  ///   - run: threads and cancellation.
  /// - Throws: as ``estimate(_:labels:in:)``; `.dimensionMismatch` for a plan of other rows.
  public func estimate(
    _ learner: Learner, labels: [Int], plan: ResamplingPlan, in run: RunContext
  ) throws(BasisError) -> Estimate {
    try check(labels)
    switch method {
    case .holdOut, .crossValidation: return try overSplits(learner, labels, plan, in: run)
    case .outOfBag, .point632, .point632plus:
      return try bootstrap(learner, labels, plan, in: run)
    }
  }

  private func check(_ labels: [Int]) throws(BasisError) {
    guard confidence > 0, confidence < 1 else {
      throw BasisError(
        .invalidArgument, "an interval's confidence is between 0 and 1, not \(confidence)")
    }
    let classes = Set(labels).count
    guard classes >= 2 else {
      throw BasisError(
        .invalidArgument,
        "\(labels.count) labels are of \(classes) classes; an error is of 2 at least")
    }
  }

  private func overSplits(
    _ learner: Learner, _ labels: [Int], _ plan: ResamplingPlan, in run: RunContext
  ) throws(BasisError) -> Estimate {
    let accuracies = try learner.accuracies(plan, labels: labels, in: run)
    guard !accuracies.isEmpty else {
      throw BasisError(.invalidArgument, "the plan has no splits")
    }
    let errors = accuracies.map { 1 - $0 }
    let error = Statistics.mean(errors)
    // As if each row had been asked about once: repeats make the mean steadier, not the rows more.
    let asked = min(labels.count, plan.splits.reduce(0) { $0 + $1.test.count })
    let hits = Int(((1 - error) * Double(asked)).rounded())
    let interval = try AccuracyInterval(.wilson, confidence: confidence)
      .interval(hits: hits, of: asked, in: run)
    return Estimate(
      error: error, lower: 1 - interval.upper, upper: 1 - interval.lower, trainingError: nil,
      leftOutError: error, noInformationError: nil, overfitting: nil, weight: nil, splits: errors,
      warnings: plan.warnings(labels: labels))
  }

  /// The answers of one bootstrap model.
  private struct Replicate: Sendable {
    var answers: [Int]
    var isLeftOut: [Bool]
  }

  private func bootstrap(
    _ learner: Learner, _ labels: [Int], _ plan: ResamplingPlan, in run: RunContext
  ) throws(BasisError) -> Estimate {
    guard plan.splits.count >= 2 else {
      throw BasisError(
        .invalidArgument, "2 bootstrap samples at least, got \(plan.splits.count); 200 are usual")
    }
    guard plan.rowCount == labels.count else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(labels.count) labels, and the plan splits \(plan.rowCount) rows")
    }
    let all = Array(labels.indices)
    let inner = run.silent
    let replicates = try parallelMap(plan.splits.count, grain: 1, in: run) {
      (place, _) throws(BasisError) -> Replicate in
      let split = plan.splits[place]
      var isLeftOut = [Bool](repeating: false, count: labels.count)
      for row in split.test { isLeftOut[row] = true }
      return Replicate(
        answers: try learner.answers(learning: split.training, asked: all, in: inner),
        isLeftOut: isLeftOut)
    }
    let leftOut = replicates.map { Self.leftOutError($0, labels) }
    var found: Estimate
    switch convention {
    case .efron:
      found = try published(learner, labels, replicates, leftOut, in: inner)
    case .perReplicate:
      found = perReplicate(labels, replicates, leftOut)
    }
    let tail = (1 - confidence) / 2
    let ends = Statistics.quantiles(found.splits, [tail, 1 - tail])
    (found.lower, found.upper) = (ends[0], ends[1])
    found.warnings += plan.warnings(labels: labels)
    return found
  }

  private static func leftOutError(_ replicate: Replicate, _ labels: [Int]) -> Double {
    var (wrong, count) = (0, 0)
    for row in labels.indices where replicate.isLeftOut[row] {
      count += 1
      if replicate.answers[row] != labels[row] { wrong += 1 }
    }
    return Double(wrong) / Double(count)
  }

  private static func error(_ answers: [Int], _ labels: [Int]) -> Double {
    Double(zip(answers, labels).count { $0 != $1 }) / Double(labels.count)
  }

  private func published(
    _ learner: Learner, _ labels: [Int], _ replicates: [Replicate], _ leftOut: [Double],
    in run: RunContext
  ) throws(BasisError) -> Estimate {
    let outside = Self.meanOverRows(replicates, labels)
    var found = Estimate(
      error: outside, lower: .nan, upper: .nan, trainingError: nil, leftOutError: outside,
      noInformationError: nil, overfitting: nil, weight: nil, splits: leftOut, warnings: [])
    guard method != .outOfBag else { return found }
    let all = Array(labels.indices)
    let answers = try learner.answers(learning: all, asked: all, in: run)
    let training = Self.error(answers, labels)
    var bounded = outside
    var weight = 0.632
    if method == .point632plus {
      let gamma = Self.noInformationError(labels: labels, answers: answers)
      bounded = min(outside, gamma)
      let isFitted = gamma > training && bounded > training
      let overfitting = isFitted ? (bounded - training) / (gamma - training) : 0
      weight = 0.632 / (1 - 0.368 * overfitting)
      (found.noInformationError, found.overfitting) = (gamma, overfitting)
    }
    found.trainingError = training
    found.weight = weight
    found.error = weight * bounded + (1 - weight) * training
    found.splits = leftOut.map { weight * $0 + (1 - weight) * training }
    return found
  }

  /// For each row the share of models without it that err on it, and the mean of these (equation 17).
  private static func meanOverRows(_ replicates: [Replicate], _ labels: [Int]) -> Double {
    var (sum, count) = (0.0, 0)
    for row in labels.indices {
      var (wrong, models) = (0, 0)
      for one in replicates where one.isLeftOut[row] {
        models += 1
        if one.answers[row] != labels[row] { wrong += 1 }
      }
      guard models > 0 else { continue }
      sum += Double(wrong) / Double(models)
      count += 1
    }
    return sum / Double(count)
  }

  private func perReplicate(_ labels: [Int], _ replicates: [Replicate], _ leftOut: [Double])
    -> Estimate
  {
    var splits: [Double] = []
    var weights: [Double] = []
    var training: [Double] = []
    var gammas: [Double] = []
    for (replicate, outside) in zip(replicates, leftOut) {
      let inside = Self.error(replicate.answers, labels)
      var weight = method == .outOfBag ? 1 : 0.632
      if method == .point632plus {
        let gamma = Self.noInformationError(labels: labels, answers: replicate.answers)
        weight = 0.632 / (1 - 0.368 * (outside - inside) / (gamma - inside))
        gammas.append(gamma)
      }
      weights.append(weight)
      training.append(inside)
      splits.append(weight * outside + (1 - weight) * inside)
    }
    let isPlain = method == .outOfBag
    return Estimate(
      error: Statistics.mean(splits), lower: .nan, upper: .nan,
      trainingError: isPlain ? nil : Statistics.mean(training),
      leftOutError: Statistics.mean(leftOut),
      noInformationError: gammas.isEmpty ? nil : Statistics.mean(gammas), overfitting: nil,
      weight: isPlain ? nil : Statistics.mean(weights), splits: splits, warnings: [])
  }
}
