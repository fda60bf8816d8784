public import BasisCore
import BasisNumerics
import BasisSelection

/// Where most of a labelled set is left out, a choice that covers easy and hard rows alike is worth more
/// than the hardest rows, and than chance; where most is kept, there is little to gain.
public struct CoverageCoresetClaim: Claim {
  public static let statement = ClaimStatement(
    id: 202,
    title:
      "of labels of which some are wrong, a stratified tenth without the hardest rows trains better "
      + "than the hardest tenth and than a random one, and seven tenths no worse than any choice",
    paper:
      "at 90 % pruning of CIFAR-10 7.04 points above random choice and at least 19.56 above choices by "
      + "score (abstract); accuracies here are those of the miniature on digits that the method's "
      + "description gives",
    baseline: "rows by chance; the hardest by EL2N and by the area under the margin",
    data: "1,797 digits, 450 of them by seed to test on, one label in twenty of the others wrong",
    cost: .slow, seedCount: 8,
    breaking: "`takesHardest`: the hardest rows are kept in place of strata")

  /// Whether the hardest rows are kept.
  public var takesHardest = false
  /// *β*: the hardest share, which is never kept.
  public var hardCut = 0.1
  /// Of the labels, how many are wrong, `0 ..< 1`.
  public var noise = 0.05
  /// Images to learn from, at least 100, and to test on.
  public var trainCount = 1_347
  public var testCount = 450
  public var hiddenSize = 64
  /// Passes over all rows that are watched; on fewer rows the same number of steps.
  public var epochCount = 40
  public var batchSize = 64
  public var learningRate = 0.005

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.trainCount, claim.testCount) = (160, 60)
    (claim.hiddenSize, claim.epochCount) = (16, 4)
    return claim
  }

  public var broken: CoverageCoresetClaim {
    var copy = self
    copy.takesHardest = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "over_random_10", "accuracy on a tenth: strata less chance", reported: 0.021, .above(0.01)),
      .init(
        "over_el2n_10", "the same: strata less the hardest by EL2N", reported: 0.683, .above(0.3)),
      .init(
        "over_random_30", "accuracy on three tenths: strata less chance", reported: 0.024, .above(0)
      ),
      .init("over_best_70", "on seven tenths: strata less the best other choice", .above(-0.005)),
      .init(
        "covering", "distance from test images to a tenth: of strata over that of EL2N", .below(1)),
      .init("strata_10", "accuracy on a tenth by strata", reported: 0.905),
      .init("random_10", "by chance", reported: 0.884),
      .init("el2n_10", "of the hardest by EL2N", reported: 0.222),
      .init("margin_10", "of the hardest by the margin", reported: 0.302),
      .init("strata_30", "accuracy on three tenths by strata", reported: 0.954),
      .init("random_30", "by chance", reported: 0.93),
      .init("strata_70", "accuracy on seven tenths by strata"),
      .init("random_70", "by chance"),
      .init("el2n_70", "of the hardest by EL2N"),
      .init("margin_70", "of the hardest by the margin"),
      .init("all", "accuracy with all rows"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard trainCount >= 100, testCount >= 1, trainCount + testCount <= Digits.labels.count,
      epochCount >= 1, batchSize >= 1, hiddenSize >= 1, noise >= 0, noise < 1
    else {
      throw BasisError(
        .invalidArgument,
        "claim 202: images to learn from at least 100 and with those to test on at most "
          + "\(Digits.labels.count), passes, batch and hidden size at least 1, noise in 0 ..< 1")
    }
    let order = Digits.shuffled(in: run)
    let train = Array(order.prefix(trainCount))
    let test = Array(order.dropFirst(trainCount).prefix(testCount))
    let rows = Digits.images.selecting(rows: train)
    var labels = train.map { Digits.labels[$0] }
    var generator = run.generator("wrong labels")
    for row in generator.sample(Int(noise * Double(trainCount)), of: trainCount) {
      labels[row] = (labels[row] + 1 + generator.nextInt(below: 9)) % 10
    }
    let asked = Asked(
      rows: Digits.images.selecting(rows: test), labels: test.map { Digits.labels[$0] })
    var dynamics = try TrainingDynamics(labels: labels, classCount: 10)
    let full = try self.train(
      rows, labels,
      watching: { (network) throws(BasisError) in
        try dynamics.record(Self.shares(network.forward(rows, in: run).outputs))
      }, in: run)
    var numbers = ["all": try asked.accuracy(of: full, in: run)]
    let choices = try Choices(self, dynamics, in: run)
    for (percent, share) in [(10, 0.1), (30, 0.3), (70, 0.7)] {
      for (name, kept) in try choices.kept(share, in: run) {
        let network = try self.train(
          rows.selecting(rows: kept), kept.map { labels[$0] }, watching: nil, in: run)
        numbers["\(name)_\(percent)"] = try asked.accuracy(of: network, in: run)
        if percent == 10, name == "strata" || name == "el2n" {
          let coverage = try SelectionCoverage(
            of: asked.rows, by: rows.selecting(rows: kept), in: run)
          numbers["covering"] =
            name == "strata"
            ? (numbers["covering"] ?? 1) * coverage.meanDistance
            : (numbers["covering"] ?? 1) / coverage.meanDistance
        }
      }
    }
    func number(_ name: String) -> Double { numbers[name] ?? .nan }
    numbers["over_random_10"] = number("strata_10") - number("random_10")
    numbers["over_el2n_10"] = number("strata_10") - number("el2n_10")
    numbers["over_random_30"] = number("strata_30") - number("random_30")
    let best = max(number("random_70"), number("el2n_70"), number("margin_70"))
    numbers["over_best_70"] = number("strata_70") - best
    for name in ["el2n_30", "margin_30"] { numbers[name] = nil }
    return numbers
  }

  /// What is asked of a network.
  private struct Asked {
    var rows: Matrix
    var labels: [Int]

    func accuracy(of network: PerceptronNetwork, in run: RunContext) throws(BasisError) -> Double {
      let found = try MultilayerPerceptronModel(network: network).classes(of: rows, in: run)
      return Double(zip(found, labels).count { $0 == $1 }) / Double(labels.count)
    }
  }

  /// The ways to choose.
  private struct Choices {
    let claim: CoverageCoresetClaim
    let dynamics: TrainingDynamics
    let errors: [Double]
    let margins: [Double]

    init(_ claim: CoverageCoresetClaim, _ dynamics: TrainingDynamics, in run: RunContext)
      throws(BasisError)
    {
      self.claim = claim
      self.dynamics = dynamics
      errors = try dynamics.scores(.el2n)
      margins = try dynamics.scores(.aum)
    }

    func kept(_ share: Double, in run: RunContext) throws(BasisError) -> [(String, [Int])] {
      let count = Int((share * Double(errors.count)).rounded())
      let places = errors.indices
      let hardest = places.sorted { (errors[$1], $0) < (errors[$0], $1) }.prefix(count)
      let narrow = places.sorted { (margins[$0], $0) < (margins[$1], $1) }.prefix(count)
      var generator = run.generator("rows by chance")
      let strata = try CoverageCentricSelector(fraction: share, hardCut: claim.hardCut)
        .select(ImportanceInput(dynamics, .aum), in: run).indices
      return [
        ("strata", claim.takesHardest ? Array(narrow) : strata),
        ("random", generator.sample(count, of: errors.count)),
        ("el2n", Array(hardest)), ("margin", Array(narrow)),
      ]
    }
  }

  /// Trains a network for as many steps as all rows take in all their passes.
  ///
  /// - Parameter watching: called after each pass over the rows.
  private func train(
    _ rows: Matrix, _ labels: [Int],
    watching: ((PerceptronNetwork) throws(BasisError) -> Void)?, in run: RunContext
  ) throws(BasisError) -> PerceptronNetwork {
    var network = try PerceptronNetwork(sizes: [64, hiddenSize, 10], in: run)
    var optimizer = try PerceptronOptimizer(for: network, learningRate: learningRate)
    let stepCount = epochCount * ((trainCount + batchSize - 1) / batchSize)
    var (steps, pass) = (0, 0)
    while steps < stepCount {
      var order = Array(labels.indices)
      var generator = run.generator("coreset batches", chunk: pass)
      generator.shuffle(&order)
      for first in stride(from: 0, to: order.count, by: batchSize) where steps < stepCount {
        try run.checkCancelled()
        let batch = order[first..<min(order.count, first + batchSize)]
        var targets = Matrix(rowCount: batch.count, columnCount: 10)
        for (row, item) in batch.enumerated() { targets[row, labels[item]] = 1 }
        let found = try network.forward(rows.selecting(rows: batch), in: run)
        let slope = try PerceptronLoss.softmaxCrossEntropy.value(
          of: found.outputs, targets: targets
        ).gradient
        optimizer.step(&network, along: try network.backward(found, gradient: slope, in: run))
        steps += 1
      }
      try watching?(network)
      pass += 1
    }
    return network
  }

  /// The softmax of each row.
  private static func shares(_ outputs: Matrix) -> Matrix {
    let d = outputs.columnCount
    return Matrix(rowCount: outputs.rowCount, columnCount: d) { out in
      for row in 0..<outputs.rowCount {
        outputs.withRow(row) { values in
          let most = Double(values.max() ?? 0)
          let powers = values.map { exponential(Double($0) - most) }
          let sum = powers.reduce(0, +)
          for column in 0..<d { out[row * d + column] = Float(powers[column] / sum) }
        }
      }
    }
  }
}
