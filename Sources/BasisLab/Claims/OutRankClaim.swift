public import BasisCore
import BasisFeatures
import BasisNumerics

/// Mutual information less what chance gives finds what plain mutual information drowns in identifiers.
public struct OutRankClaim: Claim {
  public static let statement = ClaimStatement(
    id: 7,
    title:
      "corrected for chance, mutual information finds a weak signal among columns of any number of "
      + "values that know nothing, which plain mutual information ranks by their number of values",
    paper:
      "needles in 300 columns take the top places (the reference's own test); in the method's trial at "
      + "50,000 rows plain information is 0.389 for noise of 28,572 values and 0.0013 for a true signal",
    baseline:
      "plain mutual information; one shifted reading of the labels, as the reference takes off",
    data:
      "made columns: uniform noise of 2 to 40,000 values, a signal of ten, a needle, an exclusive or",
    seedCount: 5, breaking: "`ignoresChance`: nothing is taken off")

  /// Rows of the columns that know nothing, at least 100.
  public var rowCount = 50_000
  /// Of the labels' halves, by so much more in the signal's upper values for one class; MI ≈ half its square.
  public var signal = 0.051
  public var needleRowCount = 2_000
  public var pairRowCount = 2_000
  /// Whether plain mutual information is ranked by.
  public var ignoresChance = false

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.rowCount, claim.needleRowCount, claim.pairRowCount) = (1_500, 250, 150)
    return claim
  }

  public var broken: OutRankClaim {
    var copy = self
    copy.ignoresChance = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "needles", "share of the two needles in the two top places", reported: 1, .within(1...1)),
      .init(
        "noise_z", "largest |z| of the columns that know nothing", .below(4)),
      .init(
        "signal_rank", "place of the weak signal among them", reported: 1, .within(1...1)),
      .init("signal_z", "z of the weak signal", .above(10)),
      .init("shift_rank", "its place with one shift taken off"),
      .init("plain_rank", "its place by plain information", .above(3)),
      .init(
        "plain_order", "rank correlation of plain information and number of values, without it",
        reported: 1, .above(0.99)),
      .reported(
        "plain_noise", "plain information of the column of some 28,500 values, nats", 0.389,
        within: 0.02),
      .init("pair_rank", "place of an exclusive or's two columns among all pairs", .within(1...1)),
      .init("pair_z", "largest |z| of the two alone", .below(4)),
      .init("pair_3mr", "share of the two in the first two places of 3MR", .within(1...1)),
    ]
  }

  private var ranker: OutRank {
    OutRank(heuristic: ignoresChance ? .mutualInformation : .corrected(.exact))
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    var numbers = try needles(in: run)
    numbers.merge(try noise(in: run)) { $1 }
    numbers.merge(try pair(in: run)) { $1 }
    return numbers
  }

  private func needles(in run: RunContext) throws(BasisError) -> [String: Double] {
    var generator = run.generator("needles")
    var columns: [CategoricalColumn] = []
    var needle: [Int] = []
    for number in 0..<300 {
      let values = number == 31 ? needle.map { 2 * $0 } : draws(needleRowCount, 90, &generator)
      if number == 30 { needle = values }
      columns.append(CategoricalColumn("c\(number)", numbers: values))
    }
    let table = try LabeledColumns(columns, target: CategoricalColumn("label", numbers: needle))
    let first = try ranker.rank(table, in: run).features.prefix(2)
    return ["needles": Double(first.count { ["c30", "c31"].contains($0.name) }) / 2]
  }

  private func noise(in run: RunContext) throws(BasisError) -> [String: Double] {
    var generator = run.generator("noise")
    let label = draws(rowCount, 2, &generator)
    let largest = 4 * rowCount / 5
    var columns = [2, 10, 100, 1_000, rowCount / 5, largest].map {
      CategoricalColumn("\($0)", numbers: draws(rowCount, $0, &generator))
    }
    let upper = label.map { value -> Int in
      let share = 0.5 * (1 + (value == 1 ? signal : -signal))
      return generator.nextInt(below: 5) + (generator.nextDouble() < share ? 5 : 0)
    }
    columns.append(CategoricalColumn("signal", numbers: upper))
    let table = try LabeledColumns(columns, target: CategoricalColumn("label", numbers: label))
    let found = try ranker.rank(table, in: run).features
    let plain = try OutRank(heuristic: .mutualInformation).rank(table, in: run).features
    let shift = try OutRank(heuristic: .corrected(.shift)).rank(table, in: run).features
    func place(_ features: [RankedFeature]) -> Double {
      Double((features.firstIndex { $0.name == "signal" } ?? features.count) + 1)
    }
    let chance = plain.filter { $0.name != "signal" }
    let others = found.filter { $0.name != "signal" }
    let zs = others.map { abs($0.statistic.z ?? .nan) }
    return [
      "noise_z": zs.contains(where: \.isNaN) ? .nan : zs.max() ?? .nan,
      "signal_rank": place(found),
      "signal_z": found.first { $0.name == "signal" }?.statistic.z ?? .nan,
      "shift_rank": place(shift), "plain_rank": place(plain),
      "plain_order": Statistics.rankCorrelation(
        chance.map(\.statistic.value), chance.map { Double($0.cardinality) }),
      "plain_noise": chance.first { $0.name == "\(largest)" }?.statistic.value ?? .nan,
    ]
  }

  private func pair(in run: RunContext) throws(BasisError) -> [String: Double] {
    var generator = run.generator("pairs")
    let a = draws(pairRowCount, 2, &generator)
    let b = draws(pairRowCount, 2, &generator)
    var columns = (0..<8).map {
      CategoricalColumn("noise \($0)", numbers: draws(pairRowCount, 2 + 30 * $0, &generator))
    }
    columns.insert(CategoricalColumn("a", numbers: a), at: 3)
    columns.append(CategoricalColumn("b", numbers: b))
    let label = zip(a, b).map { $0 ^ $1 }
    let table = try LabeledColumns(columns, target: CategoricalColumn("label", numbers: label))
    var pairs = ranker
    pairs.order = 2
    let found = try pairs.rank(table, in: run).features
    let place = found.firstIndex { $0.columns == ["a", "b"] } ?? found.count
    let zs = found.filter { ["a", "b"].contains($0.name) }.map { abs($0.statistic.z ?? .nan) }
    let chosen = try ThreeMR(heuristic: pairs.heuristic).rank(table, in: run).features.prefix(2)
    return [
      "pair_rank": Double(place + 1),
      "pair_z": zs.contains(where: \.isNaN) ? .nan : zs.max() ?? .nan,
      "pair_3mr": Double(chosen.count { ["a", "b"].contains($0.name) }) / 2,
    ]
  }

  private func draws(_ count: Int, _ bound: Int, _ generator: inout RandomGenerator) -> [Int] {
    (0..<count).map { _ in generator.nextInt(below: bound) }
  }
}
