public import BasisCore
import BasisNumerics
import Foundation

/// Whether two representations of the same things have the same units, or only span the same space.
///
/// The value is the mean correlation of units that are matched one to one. Beside it: the same where a
/// unit may be taken twice, and by chance (rows of the second in another order); what one unit and what
/// few units of the first explain of one of the second; the mean canonical correlation, which a rotation
/// leaves alone; and groups of units. Matches change with a rotation, canonical correlations do not:
/// together they tell "same units" from "same subspace".
///
/// Give it rows that neither network was trained on, many times as many as units.
///
/// Li, Yosinski, Clune, Lipson & Hopcroft, *Convergent learning: do different neural networks learn the
/// same representations?*, ICLR 2016, arXiv:1511.07543, sections 3 to 5. The sweep of the lasso's penalty
/// ends with least squares on the units that it let in.
public struct ConvergentMatching: Measure {
  /// How many units predict one, at least 1.
  public var predictorCount: Int
  /// At most so many units of the second are predicted, chosen at random; 0 for none.
  public var predictedCount: Int
  /// Groups of units, at least 1; nil for a fifth of the units of a side. 0 for none.
  public var clusterCount: Int?
  /// A unit of a smaller standard deviation is dead; at least 0.
  public var leastDeviation: Double

  public init(
    predictorCount: Int = 6, predictedCount: Int = 200, clusterCount: Int? = nil,
    leastDeviation: Double = 1e-6
  ) {
    self.predictorCount = predictorCount
    self.predictedCount = predictedCount
    self.clusterCount = clusterCount
    self.leastDeviation = leastDeviation
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = ConvergentMatching()
    predictorCount =
      try values.decodeIfPresent(Int.self, forKey: .predictorCount) ?? defaults.predictorCount
    predictedCount =
      try values.decodeIfPresent(Int.self, forKey: .predictedCount) ?? defaults.predictedCount
    clusterCount = try values.decodeIfPresent(Int.self, forKey: .clusterCount)
    leastDeviation =
      try values.decodeIfPresent(Double.self, forKey: .leastDeviation) ?? defaults.leastDeviation
  }

  /// Units beyond which canonical correlations and groups, cubic in them, are left out.
  static let mostUnits = 2_000

  /// - Parameters:
  ///   - pair: `n × d₁` and `n × d₂`, finite, *n* ≥ 3, at most 20,000 columns each.
  ///   - run: the seed chooses the order of chance, the units that are predicted and the groups' starts.
  /// - Throws: `.invalidArgument` for settings out of range; as ``UnitMatching``;
  ///   `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n* *d*² + *d*³).
  public func measure(_ pair: PairedRows, in run: RunContext) throws(BasisError) -> MeasuredValue {
    guard predictorCount >= 1, predictedCount >= 0, clusterCount ?? 0 >= 0 else {
      throw BasisError(
        .invalidArgument,
        "convergent: at least 1 predictor, and 0 or more predicted units and groups; got "
          + "\(predictorCount), \(predictedCount) and \(clusterCount ?? 0)")
    }
    let units = try UnitMatching(pair, leastDeviation: leastDeviation, in: run)
    let chance = try units.permuted(in: run)
    let matches = try units.matches(in: run)
    let found = matches.map(\.correlation)
    let value = Statistics.mean(found)
    let null = Statistics.mean(try chance.matches(in: run).map(\.correlation))
    let tenths = Statistics.quantiles(found, [0.1, 0.9])
    var parts: [MeasuredValue.Part] = [
      .init("semi_matching", Statistics.mean(units.semiMatches().map(\.correlation))),
      .init("by_chance", null), .init("lowest_tenth", tenths[0]), .init("highest_tenth", tenths[1]),
    ]
    var warnings: [String] = []
    let (first, second) = (units.liveUnits.first.count, units.liveUnits.second.count)
    if pair.first.rowCount < 10 * max(first, second) {
      warnings.append(
        "\(pair.first.rowCount) rows are few for \(max(first, second)) units: chance alone gives "
          + "high correlations")
    }
    if first + second <= Self.mostUnits {
      let kinship = try subspace(units, chance, value: value, null: null, in: run)
      parts += kinship.parts
      warnings.insert(kinship.summary, at: 0)
    } else {
      warnings.append("subspaces and groups are left out beyond \(Self.mostUnits) units")
    }
    parts += try few(units, in: run)
    if first + second <= Self.mostUnits { parts += try groups(units, in: run) }
    parts += [
      .init("dead_first", Double(units.deadUnits.first.count)),
      .init("dead_second", Double(units.deadUnits.second.count)),
    ]
    return MeasuredValue(
      value, unit: "mean correlation of \(matches.count) matched units", parts: parts,
      curve: .init(
        "matched units", x: "pair", y: "correlation",
        points: found.enumerated().map { (Double($0 + 1), $1) }),
      warnings: warnings)
  }

  private func subspace(
    _ units: UnitMatching, _ chance: UnitMatching, value: Double, null: Double, in run: RunContext
  ) throws(BasisError) -> (parts: [MeasuredValue.Part], summary: String) {
    let canonical = Statistics.mean(try units.canonicalCorrelations(in: run))
    let byChance = Statistics.mean(try chance.canonicalCorrelations(in: run))
    // What is above chance, of all that could be.
    let matched = (value - null) / max(1e-9, 1 - null)
    let spanned = (canonical - byChance) / max(1e-9, 1 - byChance)
    let summary =
      if max(matched, spanned) < 0.2 {
        "unrelated: neither units nor subspace agree beyond chance"
      } else if matched >= 0.8 * spanned {
        "local: the units themselves agree"
      } else {
        "subspace only: the same space is spanned by other units"
      }
    return (
      [.init("canonical", canonical), .init("canonical_by_chance", byChance)], summary
    )
  }

  private func few(_ units: UnitMatching, in run: RunContext) throws(BasisError)
    -> [MeasuredValue.Part]
  {
    guard predictedCount > 0 else { return [] }
    var places = Array(units.liveUnits.second.indices)
    if places.count > predictedCount {
      var generator = run.generator("predicted units")
      places = generator.sample(predictedCount, of: places.count)
    }
    let single = places.map { place in
      (0..<units.correlations.rowCount).reduce(0.0) { best, row in
        let correlation = Double(units.correlations[row, place])
        return max(best, correlation * correlation)
      }
    }
    let one = MeasuredValue.Part("explained_by_1", Statistics.quantile(single, 0.5))
    guard predictorCount > 1 else { return [one] }
    let found = try units.predictions(from: predictorCount, of: places, in: run)
    return [
      one,
      .init(
        "explained_by_\(predictorCount)",
        Statistics.quantile(found.map { $0.explained.last ?? 0 }, 0.5)),
    ]
  }

  private func groups(_ units: UnitMatching, in run: RunContext) throws(BasisError)
    -> [MeasuredValue.Part]
  {
    let (first, second) = (units.liveUnits.first.count, units.liveUnits.second.count)
    let count = clusterCount ?? max(1, min(first, second) / 5)
    guard count > 0 else { return [] }
    let found = try units.groups(count, in: run)
    let shared = found.compactMap(\.similarity)
    return [
      .init("groups", Double(found.count)), .init("shared_groups", Double(shared.count)),
      .init("shared_group_similarity", shared.isEmpty ? 0 : Statistics.mean(shared)),
    ]
  }
}
