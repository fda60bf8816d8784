import BasisClassification
public import BasisCore
import BasisNumerics
import Foundation

/// A forest smooths by itself: it follows the rows that it was fitted on and averages over many for
/// others, and its answers are better than any one tree could give.
public struct ForestClaim: Claim {
  public static let statement = ClaimStatement(
    id: 84,
    title:
      "a forest uses many effective parameters for rows it was fitted on and few for others, the fewer "
      + "the further off; and the best of many deep forests is far better than the best of many trees",
    paper:
      "figures 3, 4 and 8: effective parameters fall from training to test inputs and with their "
      + "distance; the best forest's error is below the best tree's at full depth",
    baseline: "a single tree of the same settings; shallow trees, which gain nothing of that kind",
    data:
      "MARSadd, 500 rows to fit on and 500 to test with, 5 columns, noise of deviation 1; without "
      + "noise for the decomposition",
    cost: .quick, seedCount: 10,
    breaking: "`usesOneTree`: the forest has a single tree")

  /// Whether the forest is a tree.
  public var usesOneTree = false
  public var rowCount = 500
  public var treeCount = 100
  /// Fits of the decomposition.
  public var fitCount = 30
  /// Trees of its ensembles.
  public var ensembleSize = 50

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.rowCount, claim.treeCount) = (60, 10)
    (claim.fitCount, claim.ensembleSize) = (3, 5)
    return claim
  }

  public var broken: ForestClaim {
    var copy = self
    copy.usesOneTree = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init("train", "effective parameters on training rows, no bootstrap", reported: 500),
      .init("test", "the same on test rows", reported: 38),
      .init("test_share", "test by training", reported: 0.076, .below(0.3)),
      .init("offset_02", "on training rows moved by up to .02", reported: 248),
      .init("offset_1", "moved by up to .1", reported: 63),
      .init("offset_3", "moved by up to .3", reported: 40),
      .init(
        "falls", "the largest ratio of a step to the one before: 0, .02, .1, .3", .below(1)),
      .init("tree_error", "squared error of a tree on test rows", reported: 4.21),
      .init("forest_error", "that of the forest", reported: 1.49),
      .init("error_ratio", "forest by tree", reported: 0.354, .below(0.6)),
      .init("bootstrap_test", "effective parameters on test rows, with bootstrap", reported: 26),
      .init(
        "deep_gain", "error without noise: the best forest by the best tree, full depth",
        reported: 0.248, .below(0.5)),
      .init(
        "shallow_gain", "the same with 8 leaves: no such gain", reported: 0.918, .above(0.85)),
      .init("novelty", "AUC of effective parameters for rows beyond the training range"),
      .init("novelty_distance", "the same of the distance from the nearest training row"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    var generator = run.generator("surface")
    let train = try Self.surface(rowCount, noise: 1, &generator)
    let test = try Self.surface(rowCount, noise: 1, &generator)
    let settings = RandomForest(treeCount: usesOneTree ? 1 : treeCount, isBootstrapped: false)
    let forest: ForestRegressor = try settings.fit(train, in: run.silent)
    let tree: ForestRegressor = try DecisionTree(featureShare: 1.0 / 3).fit(train, in: run.silent)
    let errors = (try Self.error(forest, test, in: run), try Self.error(tree, test, in: run))
    var numbers = ["forest_error": errors.0, "tree_error": errors.1]
    numbers["error_ratio"] = errors.0 / errors.1

    let known = try EffectiveParameters(of: forest, on: train.rows, in: run).mean
    let asked = try EffectiveParameters(of: forest, on: test.rows, in: run).mean
    (numbers["train"], numbers["test"]) = (known, asked)
    numbers["test_share"] = asked / known
    var (before, falls) = (known, 0.0)
    for (name, offset) in [("offset_02", 0.02), ("offset_1", 0.1), ("offset_3", 0.3)] {
      let moved = Self.moved(train.rows, by: offset, &generator)
      let value = try EffectiveParameters(of: forest, on: moved, in: run).mean
      numbers[name] = value
      falls = max(falls, value / before)
      before = value
    }
    numbers["falls"] = falls
    let drawn: ForestRegressor = try RandomForest(treeCount: settings.treeCount)
      .fit(train, in: run.silent)
    numbers["bootstrap_test"] = try EffectiveParameters(of: drawn, on: test.rows, in: run).mean
    let novelty = try novelty(forest, train.rows, &generator, in: run)
    (numbers["novelty"], numbers["novelty_distance"]) = novelty

    let calm = try Self.surface(rowCount, noise: 0, &generator)
    let truth = try Self.surface(rowCount, noise: 0, &generator)
    for (name, leaves) in [("deep_gain", Int?.none), ("shallow_gain", 8)] {
      let steps = try EnsembleDecomposition(
        forest: RandomForest(isBootstrapped: false, maxLeafCount: leaves),
        treeCounts: [1, usesOneTree ? 1 : ensembleSize], fitCount: fitCount
      ).steps(calm, truth, in: run.silent)
      numbers[name] = steps[1].best / steps[0].best
    }
    return numbers
  }

  /// .1 e^{4x₁} + 4 / (1 + e^{−20(x₂ − ½)}) + 3x₃ + 2x₄ + x₅ (Friedman 1991), and noise.
  private static func surface(_ count: Int, noise: Double, _ generator: inout RandomGenerator)
    throws(BasisError) -> TargetRows
  {
    let rows = Matrix(rowCount: count, columnCount: 5) { out in
      for index in out.indices { out[index] = generator.nextFloat() }
    }
    let targets = (0..<count).map { row in
      let x = (0..<5).map { Double(rows[row, $0]) }
      let curve = 0.1 * exp(4 * x[0]) + 4 / (1 + exp(-20 * (x[1] - 0.5)))
      return curve + 3 * x[2] + 2 * x[3] + x[4] + noise * generator.nextGaussian()
    }
    return try TargetRows(rows, targets: targets)
  }

  private static func moved(_ rows: Matrix, by offset: Double, _ generator: inout RandomGenerator)
    -> Matrix
  {
    var rows = rows
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        floats[index] += Float((2 * generator.nextDouble() - 1) * offset)
      }
    }
    return rows
  }

  private static func error(_ model: ForestRegressor, _ test: TargetRows, in run: RunContext)
    throws(BasisError) -> Double
  {
    let found = try model.predict(test.rows, in: run)
    return zip(found, test.targets).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      / Double(found.count)
  }

  /// How well rows at .5 or more beyond the range are told from such as are near training rows: by few
  /// parameters, and by the distance from the nearest training row.
  private func novelty(
    _ forest: ForestRegressor, _ rows: Matrix, _ generator: inout RandomGenerator,
    in run: RunContext
  ) throws(BasisError) -> (Double, Double) {
    let near = Self.moved(rows, by: 0.05, &generator)
    var far = rows
    far.withUnsafeMutableFloats { floats in
      for index in floats.indices where index % 5 == 0 { floats[index] += 1.5 }
    }
    let nearest = try NearestNeighborSmoother(rows, k: 1)
    func parameters(_ rows: Matrix) throws(BasisError) -> [Double] {
      try EffectiveParameters(of: forest, on: rows, in: run).values.map { -$0 }
    }
    func distances(_ asked: Matrix) throws(BasisError) -> [Double] {
      try nearest.weights(for: asked, in: run).enumerated().compactMap { index, weight in
        guard weight > 0 else { return nil }
        let (row, other) = (index / rows.rowCount, index % rows.rowCount)
        return (0..<5).reduce(0.0) { sum, column in
          let difference = Double(asked[row, column]) - Double(rows[other, column])
          return sum + difference * difference
        }
      }
    }
    return (
      Self.area(try parameters(near), try parameters(far)),
      Self.area(try distances(near), try distances(far))
    )
  }

  /// The share of pairs in which the second sample's value is the higher; ties count half.
  private static func area(_ low: [Double], _ high: [Double]) -> Double {
    let ranks = Statistics.ranks(low + high)
    let sum = ranks[low.count...].reduce(0, +)
    let (a, b) = (Double(high.count), Double(low.count))
    return (sum - a * (a + 1) / 2) / (a * b)
  }
}
