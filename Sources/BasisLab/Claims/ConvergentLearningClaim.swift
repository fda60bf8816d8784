public import BasisCore
import BasisMeasures
import BasisNumerics

/// Networks from different seeds learn some of the same units, more than chance and architecture give, and
/// others of which only the space is the same; few units explain one of the other's.
public struct ConvergentLearningClaim: Claim {
  public static let statement = ClaimStatement(
    id: 18,
    title:
      "units of two trained networks match one to one better than with an untrained partner, some well "
      + "and some not; a rotation undoes the matches and keeps the subspace; six units explain one of "
      + "the other network's better than the best single one",
    paper:
      "some features are learned reliably and others not, units span low-dimensional subspaces "
      + "that are shared while bases are not, and few units (3 to 6) suffice to predict one (sections 3 "
      + "to 5); figures are those of the description's miniature on digits",
    baseline: "rows in another order; a partner that was never trained; the best single unit",
    data: "1,797 digits, networks 64–128–128–10 of two seeds, images that were held out",
    seedCount: 8,
    breaking: "`isTrained` off: both networks are as they started")

  /// Whether the two networks are trained.
  public var isTrained = true
  /// Units of the second network that are predicted.
  public var predictedCount = 64
  var nets: DigitNets = {
    var nets = DigitNets()
    nets.hiddenSizes = [128, 128]
    return nets
  }()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.nets = .miniature([16, 16])
    claim.predictedCount = 4
    return claim
  }

  public var broken: Self {
    var copy = self
    copy.isTrained = false
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init("matched_1", "mean matched correlation, layer 1", reported: 0.626),
      .init("matched_2", "the same, layer 2", reported: 0.748),
      .init("semi_1", "a unit may be taken twice, layer 1", reported: 0.667),
      .init("semi_2", "the same, layer 2", reported: 0.781),
      .init("chance_1", "rows in another order, layer 1", reported: 0.10),
      .init("chance_2", "the same, layer 2", reported: 0.09),
      .init("untrained_1", "an untrained partner, layer 1", reported: 0.50),
      .init("untrained_2", "the same, layer 2", reported: 0.48),
      .init(
        "training_gain_1", "trained less untrained partner, layer 1", reported: 0.126,
        .above(0.08)),
      .init(
        "training_gain_2", "the same, layer 2", reported: 0.268, .above(0.15)),
      .init(
        "spread", "best less worst tenth of the matches, layer 2", .above(0.15)),
      .init("rotated", "a rotated copy's matches, layer 2", reported: 0.68, .below(0.8)),
      .init("rotated_canonical", "its mean canonical correlation", .above(0.99)),
      .init("single", "median R² of the best single unit, layer 2", reported: 0.64),
      .init("six", "the same of six units", reported: 0.89),
      .init("few_gain", "six units less one", reported: 0.25, .above(0.1)),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let split = nets.split(in: run)
    let epochs = isTrained ? nil : 0
    let first = try nets.train(0, split, epochs: epochs, in: run)
    let second = try nets.train(1, split, epochs: epochs, in: run)
    let untrained = try nets.train(2, split, epochs: 0, in: run)
    var numbers: [String: Double] = [:]
    for layer in 0...1 {
      let name = "\(layer + 1)"
      func rows(_ model: MultilayerPerceptronModel) throws(BasisError) -> Matrix {
        try DigitNets.layer(layer, of: model, split.test, in: run)
      }
      let own = try rows(first)
      let units = try UnitMatching(PairedRows(own, rows(second)), in: run)
      let found = try units.matches(in: run).map(\.correlation)
      let matched = Statistics.mean(found)
      let partner = try UnitMatching(PairedRows(own, rows(untrained)), in: run)
      let start = Statistics.mean(try partner.matches(in: run).map(\.correlation))
      numbers["matched_\(name)"] = matched
      numbers["semi_\(name)"] = Statistics.mean(units.semiMatches().map(\.correlation))
      numbers["chance_\(name)"] = Statistics.mean(
        try units.permuted(in: run).matches(in: run).map(\.correlation))
      numbers["untrained_\(name)"] = start
      numbers["training_gain_\(name)"] = matched - start
      guard layer == 1 else { continue }
      let tenths = Statistics.quantiles(found, [0.1, 0.9])
      numbers["spread"] = tenths[1] - tenths[0]
      try rotate(own, &numbers, in: run)
      try predict(units, &numbers, in: run)
    }
    return numbers
  }

  private func rotate(_ rows: Matrix, _ numbers: inout [String: Double], in run: RunContext)
    throws(BasisError)
  {
    var generator = run.generator("rotation of units")
    let d = rows.columnCount
    let random = Matrix(rowCount: d, columnCount: d) { floats in
      for index in floats.indices { floats[index] = Float(generator.nextGaussian()) }
    }
    let turned = try LinearAlgebra.product(rows, LinearAlgebra.thinQR(random).q, in: run)
    let units = try UnitMatching(PairedRows(rows, turned), in: run)
    numbers["rotated"] = Statistics.mean(try units.matches(in: run).map(\.correlation))
    numbers["rotated_canonical"] = Statistics.mean(try units.canonicalCorrelations(in: run))
  }

  private func predict(
    _ units: UnitMatching, _ numbers: inout [String: Double], in run: RunContext
  ) throws(BasisError) {
    var generator = run.generator("predicted units")
    let live = units.liveUnits.second.count
    let places = generator.sample(min(predictedCount, live), of: live)
    let single = places.map { place in
      (0..<units.correlations.rowCount).reduce(0.0) { best, row in
        let correlation = Double(units.correlations[row, place])
        return max(best, correlation * correlation)
      }
    }
    let six = try units.predictions(from: 6, of: places, in: run)
    let (one, few) = (
      Statistics.quantile(single, 0.5),
      Statistics.quantile(six.map { $0.explained.last ?? 0 }, 0.5)
    )
    numbers["single"] = one
    numbers["six"] = few
    numbers["few_gain"] = few - one
  }
}
