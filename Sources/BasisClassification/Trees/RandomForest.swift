public import BasisCore
import BasisFormats

/// One tree: questions about one column each, as many as it takes.
///
/// Splits are exact: every place between two values of a column is tried. A class is the share of its
/// rows in the leaf, and Gini's index what splits make small.
public struct DecisionTree: Classifier, Regressor {
  /// Questions in a row at most, nil for no limit.
  public var maxDepth: Int?
  /// Leaves at most, the best split first; nil for no limit.
  public var maxLeafCount: Int?
  /// Rows that a leaf has at least.
  public var minLeafCount: Int
  /// Of the columns, the share that a split is chosen among, anew each time: above 0, at most 1.
  public var featureShare: Double

  /// - Parameters:
  ///   - maxDepth: questions in a row at most.
  ///   - maxLeafCount: leaves at most.
  ///   - minLeafCount: rows that a leaf has at least.
  ///   - featureShare: columns that a split is chosen among.
  public init(
    maxDepth: Int? = nil, maxLeafCount: Int? = nil, minLeafCount: Int = 1, featureShare: Double = 1
  ) {
    self.maxDepth = maxDepth
    self.maxLeafCount = maxLeafCount
    self.minLeafCount = minLeafCount
    self.featureShare = featureShare
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    maxDepth = try values.decodeIfPresent(Int.self, forKey: .maxDepth)
    maxLeafCount = try values.decodeIfPresent(Int.self, forKey: .maxLeafCount)
    minLeafCount = try values.decodeIfPresent(Int.self, forKey: .minLeafCount) ?? minLeafCount
    featureShare = try values.decodeIfPresent(Double.self, forKey: .featureShare) ?? featureShare
  }

  private var forest: RandomForest {
    RandomForest(
      treeCount: 1, isBootstrapped: false, featureShare: featureShare, maxDepth: maxDepth,
      maxLeafCount: maxLeafCount, minLeafCount: minLeafCount)
  }

  /// - Parameters:
  ///   - input: rows of two classes at least.
  ///   - run: the seed chooses among equals, and columns where ``featureShare`` is below 1.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, or for a
  ///   single class; `.cancelled`.
  /// - Complexity: O(*n* *d*) a level of the tree.
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> ForestClassifier
  {
    try forest.fit(input, in: run)
  }

  public func fit(_ input: TargetRows, in run: RunContext = RunContext()) throws(BasisError)
    -> ForestRegressor
  {
    try forest.fit(input, in: run)
  }
}

/// The mean of many trees, each of rows drawn anew and of columns drawn anew at every split.
///
/// On rows that it was fitted on a deep forest follows each of them; on others it averages over many:
/// ``EffectiveParameters`` measures by how much. Classes are regressed: a tree gives shares, not votes.
///
/// Breiman, *Random forests*, Machine Learning 45 (2001), doi:10.1023/A:1010933404324. Curth, Jeffares &
/// van der Schaar, *Why do Random Forests Work? Understanding Tree Ensembles as Self-Regularizing Adaptive
/// Smoothers* (2024), arXiv:2402.01502, section 2.
public struct RandomForest: Classifier, Regressor {
  /// At least 1.
  public var treeCount: Int
  /// Whether each tree sees *n* rows drawn with replacement, rather than all.
  public var isBootstrapped: Bool
  /// Of the columns, the share that a split is chosen among, anew each time: above 0, at most 1; nil for
  /// a third, and √*d* columns for classes.
  public var featureShare: Double?
  /// Questions in a row at most, nil for no limit.
  public var maxDepth: Int?
  /// Leaves of a tree at most, the best split first; nil for no limit.
  public var maxLeafCount: Int?
  /// Rows that a leaf has at least.
  public var minLeafCount: Int

  /// - Parameters:
  ///   - treeCount: at least 1.
  ///   - isBootstrapped: whether each tree sees rows drawn with replacement.
  ///   - featureShare: columns that a split is chosen among.
  ///   - maxDepth: questions in a row at most.
  ///   - maxLeafCount: leaves of a tree at most.
  ///   - minLeafCount: rows that a leaf has at least.
  public init(
    treeCount: Int = 100, isBootstrapped: Bool = true, featureShare: Double? = nil,
    maxDepth: Int? = nil, maxLeafCount: Int? = nil, minLeafCount: Int = 1
  ) {
    self.treeCount = treeCount
    self.isBootstrapped = isBootstrapped
    self.featureShare = featureShare
    self.maxDepth = maxDepth
    self.maxLeafCount = maxLeafCount
    self.minLeafCount = minLeafCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    treeCount = try values.decodeIfPresent(Int.self, forKey: .treeCount) ?? treeCount
    isBootstrapped =
      try values.decodeIfPresent(Bool.self, forKey: .isBootstrapped) ?? isBootstrapped
    featureShare = try values.decodeIfPresent(Double.self, forKey: .featureShare)
    maxDepth = try values.decodeIfPresent(Int.self, forKey: .maxDepth)
    maxLeafCount = try values.decodeIfPresent(Int.self, forKey: .maxLeafCount)
    minLeafCount = try values.decodeIfPresent(Int.self, forKey: .minLeafCount) ?? minLeafCount
  }

  /// - Parameters:
  ///   - input: rows of two classes at least.
  ///   - run: the seed draws rows and columns; trees grow in parallel.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, or for a
  ///   single class; `.cancelled`.
  /// - Complexity: O(candidates · *n*) a level of a tree; 6 *n* bytes a tree are kept, for
  ///   ``SmootherWeights``.
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> ForestClassifier
  {
    let places = try ClassPlaces(input.labels, for: "a forest")
    let target = TreeTarget.classes(
      places.places.map { Int32($0) }, count: places.classes.count)
    let root = Double(input.rows.columnCount).squareRoot() / Double(max(1, input.rows.columnCount))
    let ensemble = try grow(input.rows, target, share: featureShare ?? root, in: run)
    return ForestClassifier(ensemble, classes: places.classes, warnings: [])
  }

  public func fit(_ input: TargetRows, in run: RunContext = RunContext()) throws(BasisError)
    -> ForestRegressor
  {
    guard input.rows.rowCount >= 2 else {
      throw BasisError(
        .badData,
        "a forest needs 2 rows at least; there \(input.rows.rowCount == 1 ? "is 1" : "are none")")
    }
    let ensemble = try grow(
      input.rows, .values(input.targets), share: featureShare ?? 1.0 / 3, in: run)
    let isConstant = input.targets.allSatisfy { $0 == input.targets[0] }
    return ForestRegressor(
      ensemble, warnings: isConstant ? ["all targets are \(input.targets[0]): one leaf a tree"] : []
    )
  }

  private func grow(_ rows: Matrix, _ target: TreeTarget, share: Double, in run: RunContext)
    throws(BasisError) -> TreeEnsemble
  {
    guard treeCount >= 1, share > 0, share <= 1 else {
      throw BasisError(
        .invalidArgument,
        "a forest: treeCount is \(treeCount) and featureShare \(share); wanted at least 1, and above "
          + "0 and at most 1")
    }
    guard rows.columnCount >= 1 else {
      throw BasisError(.badData, "a forest needs 1 column at least; there are none")
    }
    let candidates = max(1, Int(share * Double(rows.columnCount) + 1e-9))
    let limits = try TreeLimits(
      maxDepth, maxLeafCount, minLeafCount, candidates: candidates, for: "a forest")
    try rows.requireFinite("the rows")
    let columns = try TreeColumns(rows, in: run)
    let grown = try parallelMap(treeCount, grain: 1, in: run) {
      (number, _) throws(BasisError) in
      run.report("trees", number, of: treeCount)
      return grow(columns, target, limits, run.generator("trees", chunk: number))
    }
    return TreeEnsemble(grown, columnCount: rows.columnCount, trainingCount: rows.rowCount)
  }

  private func grow(
    _ columns: TreeColumns, _ target: TreeTarget, _ limits: TreeLimits,
    _ generator: RandomGenerator
  ) -> TreeEnsemble.Grown {
    var generator = generator
    let n = columns.rowCount
    var weights = [Double](repeating: isBootstrapped ? 0 : 1, count: n)
    if isBootstrapped {
      for _ in 0..<n { weights[generator.nextInt(below: n)] += 1 }
    }
    var grower = TreeGrower(columns, target, weights: weights, limits, generator)
    let tree = grower.grow()
    return TreeEnsemble.Grown(
      tree: tree, leaves: grower.leaves, multiplicities: weights.map { UInt16(clamping: Int($0)) })
  }
}
