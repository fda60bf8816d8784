public import BasisCore
import BasisEvaluation
import BasisNumerics

/// Ranking by what beats what within samples is right where each model met samples of another hardness, and no
/// better than the plain mean where values are missing at random.
public struct SamplePoolClaim: Claim {
  public static let statement = ClaimStatement(
    id: 68,
    title:
      "Plackett–Luce ranks models from a pool in which each met a differently hard part, where the mean of "
      + "its values does not; with gaps at random it is no better than the mean",
    paper:
      "rankings from 5 % of the results stay close to those of all (section 4); a miniature reports what "
      + "happens with random gaps, and with gaps that depend on how hard a sample is",
    baseline: "the mean of the values that are there; Rasch's model",
    data:
      "made: 30 models with Gumbel utilities, 1,000 samples; 32 models on binary samples of spread "
      + "hardness, 2,000 with gaps at random and 10,000 where each model met its own hardness; and what 32 "
      + "classifiers, 8 kinds learnt from 30 to 500 digits, make of as many noisy ones",
    cost: .slow, seedCount: 10,
    breaking: "`ranksByMean`: the mean stands for Plackett–Luce")

  public var modelCount = 32
  /// Of the pool whose gaps depend on hardness.
  public var sampleCount = 10_000
  /// Of the pool with gaps at random.
  public var randomSampleCount = 2_000
  /// How sharply a model's samples are of its own hardness.
  public var focus = 0.3
  /// Whether the mean takes Plackett–Luce's place.
  public var ranksByMean = false
  /// The classifiers, and what they are asked.
  var digits = DigitPool()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.modelCount, claim.sampleCount, claim.randomSampleCount) = (8, 400, 3_000)
    claim.digits.kinds = ["centroid", "naive-bayes"]
    claim.digits.trainingSizes = [10, 20, 30, 40, 50, 60]
    (claim.digits.trainCount, claim.digits.sampleCount) = (60, 3_000)
    return claim
  }

  public var broken: SamplePoolClaim {
    var copy = self
    copy.ranksByMean = true
    return copy
  }

  private static let kept = [30, 10, 5]
  private static let missing = [50, 80, 90, 95, 98]

  public var expectations: [ClaimExpectation] {
    var list: [ClaimExpectation] = [
      .init("gumbel", "τ with the truth, 30 models, 1,000 samples, none missing", .above(0.97))
    ]
    for share in Self.kept {
      list += [
        .init("mean_kept_\(share)", "mean: τ with the truth, \(share) % kept by hardness"),
        .init("pl_kept_\(share)", "Plackett–Luce without ties: the same"),
        .init("gain_kept_\(share)", "the one less the other", .above(0.25)),
        .init(
          "rasch_kept_\(share)", "Rasch's model less Plackett–Luce without ties", .above(-0.05)),
      ]
    }
    for share in Self.missing {
      list += [
        .init(
          "mean_missing_\(share)", "mean: τ with the mean of all, \(share) % missing at random"),
        .init("pl_missing_\(share)", "Plackett–Luce: the same"),
      ]
    }
    list += [
      .init(
        "gain_missing_90", "Plackett–Luce less the mean where 90 % are missing at random",
        .below(0.05)),
      .init("loss_98", "mean less Plackett–Luce where 98 % are missing at random"),
    ]
    return list + digitExpectations
  }

  /// What was reported is of 32 classifiers on MNIST's test images.
  private var digitExpectations: [ClaimExpectation] {
    var list: [ClaimExpectation] = []
    let random: [[Double?]] = [
      [0.953, 0.972, 0.960, nil], [0.922, 0.937, 0.923, nil], [0.878, 0.879, 0.876, 0.851],
      [0.845, 0.827, 0.793, 0.816], [0.726, 0.534, 0.519, 0.530],
    ]
    for (place, share) in Self.missing.enumerated() {
      let words = "\(share) % missing at random"
      for (name, reported) in zip(Self.digitNames, random[place]) {
        list.append(
          .init(
            "digits_\(name.key)_missing_\(share)",
            "classifiers of digits, \(name.title): τ with the mean of all, \(words)",
            reported: reported))
      }
    }
    list += [
      .init(
        "digits_gain_missing_90",
        "classifiers of digits: Plackett–Luce less the mean, 90 % missing at random",
        reported: -0.002, .below(0.05)),
      .init(
        "digits_loss_98", "the mean less Plackett–Luce, 98 % missing at random", reported: 0.207,
        .above(0)),
    ]
    let kept: [[Double?]] = [
      [0.475, 0.774, 0.863, nil], [0.463, 0.760, 0.836, nil], [0.460, 0.756, 0.807, nil],
    ]
    let gains = [0.388, 0.373, 0.347]
    for (place, share) in Self.kept.enumerated() {
      for (name, reported) in zip(Self.digitNames, kept[place]) {
        list.append(
          .init(
            "digits_\(name.key)_kept_\(share)",
            "classifiers of digits, \(name.title): τ with the mean of all, \(share) % kept by hardness",
            reported: reported))
      }
      list += [
        .init(
          "digits_gain_kept_\(share)", "Plackett–Luce without ties less the mean",
          reported: gains[place], .above(0.25)),
        .init(
          "digits_rasch_kept_\(share)", "Rasch's model less Plackett–Luce without ties",
          .above(-0.05)
        ),
      ]
    }
    return list
  }

  private static let digitNames: [(key: String, title: String)] = [
    ("mean", "mean"), ("ties", "Plackett–Luce with ties"), ("pl", "Plackett–Luce without ties"),
    ("elo", "Elo"),
  ]

  private var digitAggregators: [any RankAggregator] {
    [MeanScore(), PlackettLuce(ties: .both), likelihood, Elo()]
  }

  private var likelihood: any RankAggregator { ranksByMean ? MeanScore() : PlackettLuce() }

  private static func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let both = a.indices.filter { !a[$0].isNaN && !b[$0].isNaN }
    return Statistics.kendallCorrelation(both.map { a[$0] }, both.map { b[$0] })
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard modelCount >= 3, sampleCount >= 10, randomSampleCount >= 10, focus >= 0 else {
      throw BasisError(
        .invalidArgument,
        "claim 68: models \(modelCount) are at least 3, samples \(sampleCount) and "
          + "\(randomSampleCount) at least 10, the focus \(focus) at least 0")
    }
    try run.checkCancelled()
    var numbers: [String: Double] = [:]
    let gumbel = try SyntheticResults(.gumbel, modelCount: 30, sampleCount: 1_000).make(in: run)
    numbers["gumbel"] = Self.correlation(
      try likelihood.scores(gumbel.results, weights: nil, in: run), gumbel.strengths)
    for share in Self.kept {
      try run.checkCancelled()
      let made = try SyntheticResults(
        .difficulty, modelCount: modelCount, sampleCount: sampleCount,
        keptShare: Double(share) / 100, focus: focus
      ).make(in: run)
      let mean = Self.correlation(
        try MeanScore().scores(made.results, weights: nil, in: run), made.strengths)
      let ours = Self.correlation(
        try likelihood.scores(made.results, weights: nil, in: run), made.strengths)
      let rasch = Self.correlation(
        try Rasch().scores(made.results, weights: nil, in: run), made.strengths)
      numbers["mean_kept_\(share)"] = mean
      numbers["pl_kept_\(share)"] = ours
      numbers["gain_kept_\(share)"] = ours - mean
      numbers["rasch_kept_\(share)"] = rasch - ours
    }
    numbers.merge(try randomGaps(in: run)) { $1 }
    numbers.merge(try classifiers(in: run)) { $1 }
    return numbers
  }

  /// The same of classifiers of digits: cells at random, and cells of each model's own hardness.
  private func classifiers(in run: RunContext) throws(BasisError) -> [String: Double] {
    let answers = try digits.answers(in: run)
    var numbers: [String: Double] = [:]
    func correlations(_ asked: [[Bool]], _ part: PooledResults, _ words: String) throws(BasisError)
    {
      let truth = (0..<digits.modelCount).map { model in
        Double(asked.count { $0[model] }) / Double(asked.count)
      }
      for (name, aggregator) in zip(Self.digitNames, digitAggregators) {
        numbers["digits_\(name.key)_\(words)"] = Self.correlation(
          try aggregator.scores(part, weights: nil, in: run), truth)
      }
    }
    let few = Array(answers.prefix(max(10, answers.count / 5)))
    for share in Self.missing {
      try run.checkCancelled()
      let part = DigitPool.kept(few, share: 1 - Double(share) / 100, focus: 0, in: run)
      try correlations(few, part, "missing_\(share)")
    }
    for share in Self.kept {
      try run.checkCancelled()
      let part = DigitPool.kept(answers, share: Double(share) / 100, focus: focus, in: run)
      try correlations(answers, part, "kept_\(share)")
      let truth = (0..<digits.modelCount).map { model in
        Double(answers.count { $0[model] }) / Double(answers.count)
      }
      let ours = numbers["digits_pl_kept_\(share)"] ?? .nan
      numbers["digits_gain_kept_\(share)"] = ours - (numbers["digits_mean_kept_\(share)"] ?? .nan)
      numbers["digits_rasch_kept_\(share)"] =
        Self.correlation(try Rasch().scores(part, weights: nil, in: run), truth) - ours
    }
    for (name, share, sign) in [("gain_missing_90", 90, 1.0), ("loss_98", 98, -1.0)] {
      let gap =
        (numbers["digits_pl_missing_\(share)"] ?? .nan)
        - (numbers["digits_mean_missing_\(share)"] ?? .nan)
      numbers["digits_\(name)"] = sign * gap
    }
    return numbers
  }

  private func randomGaps(in run: RunContext) throws(BasisError) -> [String: Double] {
    var numbers: [String: Double] = [:]
    let whole = try SyntheticResults(
      .difficulty, modelCount: modelCount, sampleCount: randomSampleCount
    ).make(in: run).results
    let truth = try MeanScore().scores(whole, weights: nil, in: run)
    for share in Self.missing {
      var generator = run.generator("missing", chunk: share)
      let part = whole.thinned(keeping: 1 - Double(share) / 100, &generator)
      numbers["mean_missing_\(share)"] = Self.correlation(
        try MeanScore().scores(part, weights: nil, in: run), truth)
      numbers["pl_missing_\(share)"] = Self.correlation(
        try likelihood.scores(part, weights: nil, in: run), truth)
    }
    numbers["gain_missing_90"] =
      (numbers["pl_missing_90"] ?? .nan) - (numbers["mean_missing_90"] ?? .nan)
    numbers["loss_98"] =
      (numbers["mean_missing_98"] ?? .nan) - (numbers["pl_missing_98"] ?? .nan)
    return numbers
  }
}
