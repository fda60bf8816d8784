public import BasisCore
import BasisMeasures
import BasisNumerics

/// RankMe sees a collapse and the rank that was planted, and ranks training runs as a probe with labels
/// would, without any.
public struct RankMeClaim: Claim {
  public static let statement = ClaimStatement(
    id: 190,
    title:
      "the smooth rank of embeddings counts planted directions, and puts contrastive runs in the "
      + "order of their linear probes without seeing a label",
    paper: "choosing hyper-parameters by it loses about a point on average against choosing by "
      + "ImageNet's labels (tables 1 and 2); the miniature on digits reports a rank correlation of .88",
    baseline: "choosing with labels: the best probe of all runs",
    data: "1,797 digits, six runs at temperatures 0.05 to 3; made matrices of known rank",
    cost: .slow, seedCount: 5,
    breaking: "`collapses`: each run's embeddings are one and the same vector")

  /// Whether embeddings are replaced by a constant.
  public var collapses = false
  /// Of the runs, above 0 each.
  public var temperatures = [0.05, 0.1, 0.2, 0.5, 1, 3]
  var study = ContrastiveStudy()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.study = .miniature
    claim.temperatures = [0.1, 1]
    return claim
  }

  public var broken: RankMeClaim {
    var copy = self
    copy.collapses = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "correlation", "rank correlation of RankMe of the embedding and the probe's accuracy",
        reported: 0.88, .above(0.6)),
      .init(
        "regret", "accuracy lost by choosing the run of the highest RankMe", .below(0.015)),
      .init(
        "representation", "the same correlation of the layer before", reported: -0.62),
      .reported("planted_8", "RankMe of a product of rank 8 in 64 columns", 7.86, within: 0.1),
      .reported("isotropic", "RankMe of independent normal values, 4096 × 64", 63.87, within: 0.05),
      .reported("collapsed", "RankMe of a product of rank 1", 1, within: 0.01),
      .init("first_rank", "RankMe at the lowest temperature", reported: 16.9),
      .init("last_rank", "RankMe at the highest temperature", reported: 5.6),
      .init("first_accuracy", "probe at the lowest temperature", reported: 0.966),
      .init("last_accuracy", "probe at the highest temperature", reported: 0.948),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    var numbers = try planted(in: run)
    var (ranks, before, accuracies): ([Double], [Double], [Double]) = ([], [], [])
    for temperature in temperatures {
      let outcome = try study.train(.infoNCE(temperature: temperature), in: run)
      ranks.append(try rank(outcome.embedding, in: run))
      before.append(try rank(outcome.representation, in: run))
      accuracies.append(outcome.accuracy)
    }
    numbers["correlation"] = Statistics.rankCorrelation(ranks, accuracies)
    numbers["representation"] = Statistics.rankCorrelation(before, accuracies)
    let highest = ranks.indices.max { ranks[$0] < ranks[$1] } ?? 0
    numbers["regret"] = (accuracies.max() ?? .nan) - accuracies[highest]
    numbers["first_rank"] = ranks.first
    numbers["last_rank"] = ranks.last
    numbers["first_accuracy"] = accuracies.first
    numbers["last_accuracy"] = accuracies.last
    return numbers
  }

  private func rank(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Double {
    var rows = rows
    if collapses {
      rows.withUnsafeMutableFloats { floats in
        for index in floats.indices { floats[index] = 1 }
      }
    }
    return try SpectralMeasure(.rankMe).measure(rows, in: run).value
  }

  private func planted(in run: RunContext) throws(BasisError) -> [String: Double] {
    var generator = run.generator("planted ranks")
    func normal(_ n: Int, _ d: Int) -> Matrix {
      Matrix(rowCount: n, columnCount: d) { floats in
        for index in floats.indices { floats[index] = Float(generator.nextGaussian()) }
      }
    }
    var numbers: [String: Double] = [:]
    for (name, width) in [("planted_8", 8), ("collapsed", 1)] {
      let rows = try LinearAlgebra.product(normal(4_096, width), normal(width, 64), in: run)
      numbers[name] = try rank(rows, in: run)
    }
    numbers["isotropic"] = try rank(normal(4_096, 64), in: run)
    return numbers
  }
}
