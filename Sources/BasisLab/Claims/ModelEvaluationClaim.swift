public import BasisCore
import BasisEvaluation
import BasisNumerics

/// The estimate, the interval and the test that people reach for first are the ones that mislead; the desk's
/// do not.
public struct ModelEvaluationClaim: Claim {
  public static let statement = ClaimStatement(
    id: 111,
    title:
      "Wilson's interval, .632+, McNemar's and the corrected tests, and nested selection keep what they "
      + "promise where the normal interval, .632, the resampled t test and choosing on all rows do not",
    paper:
      "a guide with advice by size of the data (figure 30); coverage, errors of the first kind and the bias "
      + "of selection are measured here",
    baseline:
      "the normal interval, .632, the resampled t test, the z test of proportions, choosing on all "
      + "rows",
    data:
      "made: normal rows with labels by chance, or two classes with two equally good halves of columns",
    cost: .slow, seedCount: 5,
    breaking: "`choosesOnAllRows`: columns are chosen before the folds are cut")

  /// Draws of each rate, in one repetition.
  public var drawCount = 120
  /// Data sets of labels by chance, in one repetition.
  public var randomCount = 4
  /// Bootstrap samples of each.
  public var resampleCount = 100
  /// Whether the columns of the nested selection are chosen on all rows.
  public var choosesOnAllRows = false

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.drawCount, claim.randomCount, claim.resampleCount) = (2, 1, 4)
    return claim
  }

  public var broken: ModelEvaluationClaim {
    var copy = self
    copy.choosesOnAllRows = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .reported("normal", "share of normal intervals that hold .95, 30 rows", 0.782, within: 1e-3),
      .reported("wilson", "the same of Wilson's", 0.939, within: 1e-3),
      .reported("clopper_pearson", "the same of Clopper and Pearson's", 0.984, within: 1e-3),
      .init(
        "oob", "left-out error of 1-nearest neighbours on random labels", reported: 0.492),
      .init("plus", "its .632+ error", reported: 0.483, .above(0.44)),
      .init("plain", "its .632 error", reported: 0.311, .below(0.35)),
      .init("leave_one_out", "accuracy of leave-one-out, majority vote on halves", .below(1e-9)),
      .init("resampled_t", "resampled t: equal learners told apart at 5 %", .above(0.15)),
      .init("k_fold_t", "k-fold t: the same"),
      .init("five_by_two_t", "5×2 t: the same", .below(0.08)),
      .init("five_by_two_f", "5×2 F: the same", .below(0.08)),
      .init("corrected_t", "the corrected resampled t: the same", .below(0.08)),
      .init("naive", "accuracy on random labels, columns chosen on all rows", .above(0.65)),
      .init("nested", "the same, chosen inside the folds", .within(0.45...0.55)),
      .init("mcnemar", "share of gaps of 2 points that McNemar's test finds, 2,000 rows"),
      .init("gain", "the same less what the z test of proportions finds", .above(0)),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard drawCount >= 1, randomCount >= 1, resampleCount >= 2 else {
      throw BasisError(
        .invalidArgument,
        "claim 111: draws \(drawCount) and data sets \(randomCount) are at least 1, samples "
          + "\(resampleCount) at least 2")
    }
    try run.checkCancelled()
    var numbers: [String: Double] = [:]
    for (name, method) in [
      ("normal", AccuracyInterval.Method.normal), ("wilson", .wilson),
      ("clopper_pearson", .clopperPearson),
    ] {
      numbers[name] = try coverage(method, in: run)
    }
    numbers.merge(try randomLabels(in: run)) { $1 }
    numbers.merge(try errorsOfTheFirstKind(in: run)) { $1 }
    numbers.merge(try selection(in: run)) { $1 }
    numbers.merge(try power(in: run)) { $1 }
    return numbers
  }

  /// Exactly, over all numbers of hits.
  private func coverage(_ method: AccuracyInterval.Method, in run: RunContext) throws(BasisError)
    -> Double
  {
    let law = BinomialDistribution(count: 30, probability: 0.95)
    var sum = 0.0
    for hits in 0...30 {
      let found = try AccuracyInterval(method).interval(hits: hits, of: 30, in: run)
      if found.lower <= 0.95 && 0.95 <= found.upper { sum += law.mass(hits) }
    }
    return sum
  }

  private static func normal(_ n: Int, _ d: Int, _ generator: inout RandomGenerator) -> Matrix {
    Matrix(rowCount: n, columnCount: d) { floats in
      for index in floats.indices { floats[index] = Float(generator.nextGaussian()) }
    }
  }

  private func randomLabels(in run: RunContext) throws(BasisError) -> [String: Double] {
    var generator = run.generator("random labels")
    var numbers = ["oob": 0.0, "plus": 0, "plain": 0]
    let count = Double(randomCount)
    for draw in 0..<randomCount {
      var inner = run.silent
      inner.seed = generator.next()
      let rows = Self.normal(100, 10, &generator)
      let labels = (0..<100).map { $0 % 2 }
      let learner = ReferenceLearner.neighbor.learner(try LabeledRows(rows, labels: labels))
      for (name, method) in [
        ("oob", ErrorEstimate.Method.outOfBag), ("plus", .point632plus), ("plain", .point632),
      ] {
        let found = try ErrorEstimate(method, resampleCount: resampleCount)
          .estimate(learner, labels: labels, in: inner)
        numbers[name, default: 0] += found.error / count
      }
      run.report("random labels", draw, of: randomCount)
    }
    let labels = (0..<40).map { $0 % 2 }
    let majority = ReferenceLearner.majority.learner(
      try LabeledRows(Self.normal(40, 1, &generator), labels: labels))
    let plan = try Resampler(.leaveOneOut).plan(rowCount: 40, in: run)
    numbers["leave_one_out"] = Statistics.mean(
      try majority.accuracies(plan, labels: labels, in: run))
    return numbers
  }

  /// Two learners that are equally good: class means of the first, and of the second half of the columns.
  private func errorsOfTheFirstKind(in run: RunContext) throws(BasisError) -> [String: Double] {
    let names = ["resampled_t", "k_fold_t", "five_by_two_t", "five_by_two_f", "corrected_t"]
    let found = try parallelMap(drawCount, grain: 1, in: run) {
      (draw, _) throws(BasisError) -> [Double] in
      var generator = run.generator("equal learners", chunk: draw)
      let inner = RunContext(seed: generator.next(), threadLimit: 1, cancellation: run.cancellation)
      var rows = Self.normal(300, 10, &generator)
      let labels = (0..<300).map { $0 % 2 }
      for row in 0..<300 where labels[row] == 1 {
        for column in 0..<10 { rows[row, column] += 0.4 }
      }
      let first = ReferenceLearner.centroid.learner(
        try LabeledRows(rows.prefix(columns: 5), labels: labels))
      let halves = rows
      let second = ReferenceLearner.centroid.learner(
        try LabeledRows(
          Matrix(rowCount: 300, columnCount: 5) { out in
            for place in 0..<1500 { out[place] = halves[place / 5, 5 + place % 5] }
          }, labels: labels))
      let comparison = LearnerComparison()
      let halvings = try comparison.halvings(first, second, labels: labels, in: inner)
      let held = try Resampler(.holdOut(testShare: 0.3, repeats: 30)).plan(rowCount: 300, in: inner)
      let resampled = try comparison.differences(first, second, held, labels: labels, in: inner)
      let folds = try Resampler().plan(rowCount: 300, in: inner)
      let folded = try comparison.differences(first, second, folds, labels: labels, in: inner)
      let outcomes = [
        try PairedTest.uncorrectedT(resampled),
        try PairedTest.uncorrectedT(folded, isOfFolds: true),
        try PairedTest.fiveByTwoT(halvings), try PairedTest.combinedF(halvings),
        try PairedTest.correctedResampledT(resampled, trainingCount: 210, testCount: 90),
      ]
      return outcomes.map { $0.p < 0.05 ? 1 : 0 }
    }
    var numbers: [String: Double] = [:]
    for (place, name) in names.enumerated() {
      numbers[name] = Statistics.mean(found.map { $0[place] })
    }
    return numbers
  }

  /// The ten columns of a hundred that separate labels by chance best.
  private func filtered(_ rows: Matrix, _ labels: [Int], isNaive: Bool) -> Learner {
    Learner("filtered") { (training, asked, run) throws(BasisError) in
      let seen = isNaive ? Array(labels.indices) : training
      var gaps: [(gap: Float, column: Int)] = []
      for column in 0..<rows.columnCount {
        var gap: Float = 0
        for row in seen { gap += labels[row] == 1 ? rows[row, column] : -rows[row, column] }
        gaps.append((abs(gap), column))
      }
      gaps.sort { $0.gap > $1.gap }
      let kept = gaps.prefix(10).map(\.column)
      let few = Matrix(rowCount: rows.rowCount, columnCount: kept.count) { out in
        for row in 0..<rows.rowCount {
          for (place, column) in kept.enumerated() {
            out[row * kept.count + place] = rows[row, column]
          }
        }
      }
      return try ReferenceLearner.centroid.learner(LabeledRows(few, labels: labels))
        .answers(learning: training, asked: asked, in: run)
    }
  }

  private func selection(in run: RunContext) throws(BasisError) -> [String: Double] {
    var generator = run.generator("selection")
    var (naive, nested) = (0.0, 0.0)
    // An accuracy of 50 rows varies by .07.
    let count = 4 * randomCount
    for _ in 0..<count {
      var inner = run.silent
      inner.seed = generator.next()
      let rows = Self.normal(50, 100, &generator)
      let labels = (0..<50).map { $0 % 2 }
      let plan = try Resampler(isStratified: true).plan(rowCount: 50, labels: labels, in: inner)
      naive += Statistics.mean(
        try filtered(rows, labels, isNaive: true).accuracies(plan, labels: labels, in: inner))
      nested += try NestedSelection(innerFolds: 2)
        .select([filtered(rows, labels, isNaive: choosesOnAllRows)], labels: labels, in: inner)
        .accuracy
    }
    return ["naive": naive / Double(count), "nested": nested / Double(count)]
  }

  /// Two models on 2,000 rows: what one of them gets right more is two points.
  private func power(in run: RunContext) throws(BasisError) -> [String: Double] {
    var generator = run.generator("power")
    var (mcnemar, proportions) = (0.0, 0.0)
    for _ in 0..<drawCount {
      try run.checkCancelled()
      var (both, first, second) = (0, 0, 0)
      for _ in 0..<2_000 {
        // .80 both right, .06 only the first, .04 only the second.
        let place = generator.nextDouble()
        if place < 0.8 {
          both += 1
        } else if place < 0.86 {
          first += 1
        } else if place < 0.9 {
          second += 1
        }
      }
      let table = Discordance(onlyFirst: first, onlySecond: second)
      if PairedTest.mcNemar(table).p < 0.05 { mcnemar += 1 }
      let test = try PairedTest.proportions(
        hits: both + first, of: 2_000, otherHits: both + second, of: 2_000)
      if test.p < 0.05 { proportions += 1 }
    }
    let count = Double(drawCount)
    return ["mcnemar": mcnemar / count, "gain": (mcnemar - proportions) / count]
  }
}
