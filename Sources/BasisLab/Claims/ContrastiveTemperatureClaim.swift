public import BasisCore
import BasisMeasures
import BasisNumerics

/// The temperature of a contrastive loss trades even spread for closeness of what is alike; what matters
/// is that near negatives are pushed hardest.
public struct ContrastiveTemperatureClaim: Claim {
  public static let statement = ClaimStatement(
    id: 159,
    title:
      "a higher temperature spreads embeddings less evenly and keeps what is alike closer, and "
      + "hard negatives alone do what the softmax does",
    paper:
      "uniformity and tolerance both rise with the temperature on four image sets (figures 4 and "
      + "5), and a simple loss over hard negatives comes close to the softmax (table 1)",
    baseline: "the simple loss over all negatives",
    data: "1,797 digits, runs at temperatures 0.1 to 3", cost: .slow, seedCount: 5,
    breaking: "`usesTemperature` off: every run has the temperature 0.5")

  /// Whether runs differ in their temperature.
  public var usesTemperature = true
  /// Of the runs, rising.
  public var temperatures = [0.1, 0.2, 0.5, 1, 3]
  /// The share of the negatives that count as hard, above 0.
  public var hardShare = 0.08
  var study = ContrastiveStudy()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.study = .miniature
    claim.temperatures = [0.1, 1]
    return claim
  }

  public var broken: ContrastiveTemperatureClaim {
    var copy = self
    copy.usesTemperature = false
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "uniformity", "rank correlation of temperature and uniformity", reported: 1, .above(0.9)),
      .init("tolerance", "rank correlation of temperature and tolerance", reported: 1, .above(0.9)),
      .init(
        "largest", "probe's accuracy: the best temperature less the largest", reported: 0.018,
        .above(0)),
      .init(
        "hard", "probe's accuracy: best temperature less the simple loss over hard negatives",
        .within(-0.02...0.02)),
      .init(
        "mining", "probe's accuracy: simple loss over hard negatives less over all", .above(0.03)),
      .init("first_uniformity", "at the lowest temperature", reported: -3.20),
      .init("last_uniformity", "at the highest temperature", reported: -2.17),
      .init("first_tolerance", "at the lowest temperature", reported: 0.40),
      .init("last_tolerance", "at the highest temperature", reported: 0.74),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    var (uniformity, tolerance, accuracies): ([Double], [Double], [Double]) = ([], [], [])
    for temperature in temperatures {
      let outcome = try study.train(
        .infoNCE(temperature: usesTemperature ? temperature : 0.5), in: run)
      uniformity.append(try Uniformity().measure(outcome.embedding, in: run).value)
      tolerance.append(
        try Tolerance().measure(
          LabeledRows(outcome.embedding, labels: outcome.labels), in: run
        ).value)
      accuracies.append(outcome.accuracy)
    }
    let best = accuracies.max() ?? .nan
    let hard = try study.train(.simple(share: hardShare), in: run).accuracy
    let plain = try study.train(.simple(share: 1), in: run).accuracy
    return [
      "uniformity": Statistics.rankCorrelation(temperatures, uniformity),
      "tolerance": Statistics.rankCorrelation(temperatures, tolerance),
      "largest": best - (accuracies.last ?? .nan), "hard": best - hard, "mining": hard - plain,
      "first_uniformity": uniformity.first ?? .nan, "last_uniformity": uniformity.last ?? .nan,
      "first_tolerance": tolerance.first ?? .nan, "last_tolerance": tolerance.last ?? .nan,
    ]
  }
}
