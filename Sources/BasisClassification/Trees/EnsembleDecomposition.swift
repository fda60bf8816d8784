public import BasisCore

/// What a forest gains over one tree, by cause: less noise of the growing, or answers that no tree has.
///
/// The same rows are fitted again and again with other seeds. The error of all fits is that of the best
/// one, and the rest; if averaging only calmed the growing, the best forest would be no better than the
/// best tree. Wants targets without noise, so that errors are the model's.
///
/// Curth, Jeffares & van der Schaar, *Why do Random Forests Work?* (2024), arXiv:2402.01502, section 5.
public struct EnsembleDecomposition: Settings {
  public var forest: RandomForest
  /// Trees of an ensemble, at least 1 each.
  public var treeCounts: [Int]
  /// Fits with other seeds, at least 2.
  public var fitCount: Int

  /// - Parameters:
  ///   - forest: whose trees they are; its own number of them counts for nothing.
  ///   - treeCounts: trees of an ensemble.
  ///   - fitCount: fits with other seeds.
  public init(
    forest: RandomForest = RandomForest(isBootstrapped: false), treeCounts: [Int] = [1, 5, 50],
    fitCount: Int = 30
  ) {
    self.forest = forest
    self.treeCounts = treeCounts
    self.fitCount = fitCount
  }

  /// The errors of ensembles of one size, in the square of the targets' unit.
  public struct Step: Sendable, Hashable {
    public var treeCount: Int
    /// The mean squared error on the test rows, all fits.
    public var error: Double
    /// That of the best fit, chosen on the test rows.
    public var best: Double
    /// The mean over fits of the squared distance from the best fit.
    public var variability: Double
  }

  /// - Parameters:
  ///   - train: what all are fitted on.
  ///   - test: what errors are measured on; targets without noise.
  ///   - run: the seed that the fits' are made from.
  /// - Returns: a step for each of ``treeCounts``.
  /// - Throws: `.invalidArgument` for settings out of range; what the fits throw.
  /// - Complexity: that of `fitCount` forests of the largest size: the smaller ones are parts of these.
  public func steps(_ train: TargetRows, _ test: TargetRows, in run: RunContext = RunContext())
    throws(BasisError) -> [Step]
  {
    guard fitCount >= 2, let most = treeCounts.max(), treeCounts.allSatisfy({ $0 >= 1 }) else {
      throw BasisError(
        .invalidArgument,
        "a decomposition: fitCount is \(fitCount), treeCounts \(treeCounts); wanted at least 2, and "
          + "some of at least 1")
    }
    var found = [[[Double]]](repeating: [], count: treeCounts.count)
    for fit in 0..<fitCount {
      var settings = forest
      settings.treeCount = most
      var generator = run.generator("fits", chunk: fit)
      let own = RunContext(
        seed: generator.next(), threadLimit: run.threadLimit, cancellation: run.cancellation)
      let model = try settings.fit(train, in: own)
      for (place, count) in treeCounts.enumerated() {
        found[place].append(try model.predict(test.rows, prefix: count, in: own))
      }
    }
    return zip(treeCounts, found).map { count, fits in
      let errors = fits.map { Self.distance($0, test.targets) }
      let best = errors.indices.min { errors[$0] < errors[$1] } ?? 0
      let spread = fits.map { Self.distance($0, fits[best]) }
      return Step(
        treeCount: count, error: errors.reduce(0, +) / Double(fitCount), best: errors[best],
        variability: spread.reduce(0, +) / Double(fitCount))
    }
  }

  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(1, a.count))
  }
}
