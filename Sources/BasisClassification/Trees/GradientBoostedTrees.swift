public import BasisCore
import Foundation

/// Small trees one after another, each of what those before it left over.
///
/// Numbers: squared loss, from the mean of the targets; it smooths as a forest does, and says with which
/// weights. Classes: the multinomial loss, one tree for each class and round (a single one for two
/// classes), with a Newton step in each leaf.
///
/// Friedman, *Greedy function approximation: a gradient boosting machine*, Annals of Statistics 29 (2001),
/// doi:10.1214/aos/1013203451, algorithms 2, 5 and 6.
public struct GradientBoostedTrees: Classifier, Regressor {
  /// Rounds, at least 1.
  public var treeCount: Int
  /// What of each tree is taken, *η*: above 0, at most 1.
  public var rate: Double
  /// Questions in a row at most, nil for no limit.
  public var maxDepth: Int?
  /// Leaves of a tree at most, the best split first; nil for no limit.
  public var maxLeafCount: Int?
  /// Rows that a leaf has at least.
  public var minLeafCount: Int
  /// Of the columns, the share that a split is chosen among, anew each time: above 0, at most 1.
  public var featureShare: Double

  /// - Parameters:
  ///   - treeCount: rounds.
  ///   - rate: what of each tree is taken.
  ///   - maxDepth: questions in a row at most.
  ///   - maxLeafCount: leaves of a tree at most.
  ///   - minLeafCount: rows that a leaf has at least.
  ///   - featureShare: columns that a split is chosen among.
  public init(
    treeCount: Int = 100, rate: Double = 0.1, maxDepth: Int? = 3, maxLeafCount: Int? = nil,
    minLeafCount: Int = 1, featureShare: Double = 1
  ) {
    self.treeCount = treeCount
    self.rate = rate
    self.maxDepth = maxDepth
    self.maxLeafCount = maxLeafCount
    self.minLeafCount = minLeafCount
    self.featureShare = featureShare
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    treeCount = try values.decodeIfPresent(Int.self, forKey: .treeCount) ?? treeCount
    rate = try values.decodeIfPresent(Double.self, forKey: .rate) ?? rate
    if values.contains(.maxDepth) {
      maxDepth = try values.decodeIfPresent(Int.self, forKey: .maxDepth)
    }
    maxLeafCount = try values.decodeIfPresent(Int.self, forKey: .maxLeafCount)
    minLeafCount = try values.decodeIfPresent(Int.self, forKey: .minLeafCount) ?? minLeafCount
    featureShare = try values.decodeIfPresent(Double.self, forKey: .featureShare) ?? featureShare
  }

  private func setUp(_ rows: Matrix, in run: RunContext) throws(BasisError) -> (
    TreeColumns, TreeLimits
  ) {
    guard treeCount >= 1, rate > 0, rate <= 1, featureShare > 0, featureShare <= 1 else {
      throw BasisError(
        .invalidArgument,
        "boosting: treeCount is \(treeCount), rate \(rate), featureShare \(featureShare); wanted at "
          + "least 1, and above 0 and at most 1")
    }
    guard rows.columnCount >= 1 else {
      throw BasisError(.badData, "boosting needs 1 column at least; there are none")
    }
    try rows.requireFinite("the rows")
    let candidates = max(1, Int(featureShare * Double(rows.columnCount) + 1e-9))
    let limits = try TreeLimits(
      maxDepth, maxLeafCount, minLeafCount, candidates: candidates, for: "boosting")
    return (try TreeColumns(rows, in: run), limits)
  }

  /// - Parameters:
  ///   - input: two rows at least.
  ///   - run: the seed chooses among equals, and columns where ``featureShare`` is below 1.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column;
  ///   `.cancelled`.
  /// - Complexity: O(*n* *d* · depth) a round.
  public func fit(_ input: TargetRows, in run: RunContext = RunContext()) throws(BasisError)
    -> BoostedRegressor
  {
    let n = input.rows.rowCount
    guard n >= 2 else {
      throw BasisError(
        .badData, "boosting needs 2 rows at least; there \(n == 1 ? "is 1" : "are none")")
    }
    let (columns, limits) = try setUp(input.rows, in: run)
    let mean = input.targets.reduce(0, +) / Double(n)
    var residuals = input.targets.map { $0 - mean }
    var grown: [TreeEnsemble.Grown] = []
    let ones = [Double](repeating: 1, count: n)
    for round in 0..<treeCount {
      try run.checkCancelled()
      run.report("rounds", round, of: treeCount)
      var grower = TreeGrower(
        columns, .values(residuals), weights: ones, limits,
        run.generator("boosted trees", chunk: round))
      let tree = grower.grow()
      for row in 0..<n { residuals[row] -= rate * tree.values[Int(grower.leaves[row])] }
      grown.append(
        .init(
          tree: tree, leaves: grower.leaves, multiplicities: [UInt16](repeating: 1, count: n)))
    }
    return BoostedRegressor(
      TreeEnsemble(grown, columnCount: input.rows.columnCount, trainingCount: n), start: mean,
      rate: rate)
  }

  /// - Parameters:
  ///   - input: rows of two classes at least.
  ///   - run: the seed chooses among equals, and columns where ``featureShare`` is below 1; the trees of
  ///     a round grow in parallel.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, or for a
  ///   single class; `.cancelled`.
  /// - Complexity: O(*n* *d* *K* · depth) a round.
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> BoostedClassifier
  {
    let places = try ClassPlaces(input.labels, for: "boosting")
    let (columns, limits) = try setUp(input.rows, in: run)
    let n = input.rows.rowCount
    let classCount = places.classes.count
    let outputCount = classCount == 2 ? 1 : classCount
    var counts = [Double](repeating: 0, count: classCount)
    for place in places.places { counts[place] += 1 }
    let starts =
      outputCount == 1 ? [log(counts[1] / counts[0])] : counts.map { log($0 / Double(n)) }
    // Output after output, what the trees so far add up to.
    var sums = starts.flatMap { [Double](repeating: $0, count: n) }
    var grown: [TreeEnsemble.Grown] = []
    for round in 0..<treeCount {
      try run.checkCancelled()
      run.report("rounds", round, of: treeCount)
      let probabilities = Self.probabilities(sums, n, outputCount)
      let trees = try parallelMap(outputCount, grain: 1, in: run) { (output, _) in
        let wanted = outputCount == 1 ? 1 : output
        let residuals = (0..<n).map { row in
          (places.places[row] == wanted ? 1 : 0) - probabilities[output * n + row]
        }
        return step(
          columns, residuals, limits, outputCount,
          run.generator("boosted trees", chunk: round * outputCount + output))
      }
      for (output, one) in trees.enumerated() {
        for row in 0..<n {
          sums[output * n + row] += rate * one.tree.values[Int(one.leaves[row])]
        }
      }
      grown += trees
    }
    return BoostedClassifier(
      TreeEnsemble(grown, columnCount: input.rows.columnCount, trainingCount: n),
      classes: places.classes, starts: starts, rate: rate)
  }

  /// A tree of the residuals, with a Newton step in each leaf: algorithms 5 and 6.
  private func step(
    _ columns: TreeColumns, _ residuals: [Double], _ limits: TreeLimits, _ outputCount: Int,
    _ generator: RandomGenerator
  ) -> TreeEnsemble.Grown {
    let n = residuals.count
    var grower = TreeGrower(
      columns, .values(residuals), weights: [Double](repeating: 1, count: n), limits, generator)
    var tree = grower.grow()
    var above = [Double](repeating: 0, count: tree.leafCount)
    var below = above
    for row in 0..<n {
      let (leaf, residual) = (Int(grower.leaves[row]), residuals[row])
      above[leaf] += residual
      below[leaf] += abs(residual) * (1 - abs(residual))
    }
    let share = outputCount == 1 ? 1 : Double(outputCount - 1) / Double(outputCount)
    for leaf in above.indices {
      tree.values[leaf] = below[leaf] > 1e-150 ? share * above[leaf] / below[leaf] : 0
    }
    return .init(
      tree: tree, leaves: grower.leaves, multiplicities: [UInt16](repeating: 1, count: n))
  }

  /// Of the classes that have an output, output after output.
  private static func probabilities(_ sums: [Double], _ n: Int, _ outputCount: Int) -> [Double] {
    if outputCount == 1 { return sums.map { 1 / (1 + exp(-$0)) } }
    var result = sums
    for row in 0..<n {
      var top = -Double.infinity
      for output in 0..<outputCount { top = max(top, sums[output * n + row]) }
      var total = 0.0
      for output in 0..<outputCount {
        result[output * n + row] = exp(sums[output * n + row] - top)
        total += result[output * n + row]
      }
      for output in 0..<outputCount { result[output * n + row] /= total }
    }
    return result
  }
}
