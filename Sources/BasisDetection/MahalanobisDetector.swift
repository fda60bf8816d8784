public import BasisCore
public import BasisNumerics

/// Strange is what is far from every class, in any layer, measured by the spread inside the classes.
///
/// For each layer, M(x) = max over classes of −(x − m)ᵀ S⁻¹ (x − m), as in `ClassGaussians`. Every part
/// of the rows is scored by a fit to the others; with the mean and deviation of these scores a layer's M
/// is brought to one scale, and the layers are summed. No outliers are needed; with some, the sum is
/// weighed by logistic regression.
///
/// Which one when: for whole worlds that the features have never seen (other sensors, noise, broken
/// pixels) this is the surest. For new classes that look like the old ones it depends on the features;
/// compare with a network's own doubt and ``NeighborDetector``.
///
/// Lee, Lee, Lee & Shin, *A simple unified framework for detecting out-of-distribution samples and
/// adversarial attacks* (2018), arXiv:1807.03888, equations 1 and 2 and algorithm 1. Where the paper
/// tunes on outliers of the kind that is tested, this sums; all distances are those of the paper, twice
/// those of its code.
public struct MahalanobisDetector: Detector {
  /// One covariance for all classes, or each its own.
  public var covariance: ClassGaussians.Covariance
  /// What is done where rows are few for their columns.
  public var shrinkage: ClassGaussians.Shrinkage
  /// Whether the distance from the Gaussian of all rows is taken off: Ren et al., *A simple fix to
  /// Mahalanobis distance for improving near-OOD detection* (2021), arXiv:2106.09022, equation 3.
  public var isRelative: Bool
  /// Parts that are held out one after the other, at least 2.
  public var foldCount: Int
  /// Of rows that belong, between 0 and 1.
  public var acceptedShare: Double

  public init(
    covariance: ClassGaussians.Covariance = .pooled,
    shrinkage: ClassGaussians.Shrinkage = .none, isRelative: Bool = false, foldCount: Int = 5,
    acceptedShare: Double = 0.95
  ) {
    self.covariance = covariance
    self.shrinkage = shrinkage
    self.isRelative = isRelative
    self.foldCount = foldCount
    self.acceptedShare = acceptedShare
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = MahalanobisDetector()
    covariance =
      try values.decodeIfPresent(ClassGaussians.Covariance.self, forKey: .covariance)
      ?? defaults.covariance
    shrinkage =
      try values.decodeIfPresent(ClassGaussians.Shrinkage.self, forKey: .shrinkage)
      ?? defaults.shrinkage
    isRelative = try values.decodeIfPresent(Bool.self, forKey: .isRelative) ?? defaults.isRelative
    foldCount = try values.decodeIfPresent(Int.self, forKey: .foldCount) ?? defaults.foldCount
    acceptedShare =
      try values.decodeIfPresent(Double.self, forKey: .acceptedShare) ?? defaults.acceptedShare
  }

  /// Fits Gaussians to every layer, and finds the threshold.
  ///
  /// - Parameters:
  ///   - input: two rows a class, and without shrinkage more rows than columns for each covariance.
  ///   - run: the seed draws the parts that are held out.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for too few rows, naming the
  ///   class, or rows that do not vary; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: a fit of `ClassGaussians` a layer and a part, and one more.
  public func fit(_ input: LayeredRows, in run: RunContext) throws(BasisError) -> MahalanobisModel {
    try fit(input, outliers: nil, in: run)
  }

  /// The same with some rows that do not belong, by which the layers are weighed: logistic regression with
  /// ½ ‖a‖², of the outliers against the rows that were held out.
  ///
  /// What is found like this is good for outliers of this kind; the others are no worse for the plain
  /// sum, which ``fit(_:in:)`` gives.
  ///
  /// - Parameters:
  ///   - input: as in ``fit(_:in:)``.
  ///   - outliers: the layers of at least 20 things that do not belong, or nil.
  ///   - run: the seed draws the parts that are held out.
  /// - Throws: as ``fit(_:in:)``, `.dimensionMismatch` for other layers, and `.badData` for fewer
  ///   outliers.
  public func fit(_ input: LayeredRows, outliers: [Matrix]?, in run: RunContext)
    throws(BasisError) -> MahalanobisModel
  {
    guard foldCount >= 2 else {
      throw BasisError(.invalidArgument, "\(foldCount) parts to hold out; there are at least 2")
    }
    let gaussians = ClassGaussians(covariance: covariance, shrinkage: shrinkage)
    for (place, layer) in input.layers.enumerated() {
      do throws(BasisError) {
        try gaussians.check(layer, input.labels)
      } catch {
        throw input.layers.count == 1 ? error : error.at("layer \(place)")
      }
    }
    run.report("Gaussians", 0, of: foldCount + 1, unit: "fits")
    var layers: [ClassGaussiansModel] = []
    for layer in input.layers {
      layers.append(try gaussians.fitUnchecked(layer, labels: input.labels, in: run))
    }
    let held = try heldOut(input, gaussians, in: run)
    var model = try MahalanobisModel(
      self, layers, heldOut: held, warnings: warnings(input, layers))
    if let outliers {
      guard let count = outliers.first?.rowCount, count >= 20 else {
        throw BasisError(
          .badData,
          "\(outliers.first?.rowCount ?? 0) outliers are too few to weigh layers by; give at least 20, "
            + "or none")
      }
      let inside = held.map { model.standardized($0) }
      let outside = try model.layerScores(of: outliers, in: run)
      let weights = LogisticCombiner.weights(inside: inside, outside: outside)
      model = try MahalanobisModel(
        self, layers, heldOut: held, weights: weights, warnings: model.warnings)
    }
    return model
  }

  /// The M of every row in each layer, by Gaussians of the other parts: a list of layers a row.
  private func heldOut(_ input: LayeredRows, _ gaussians: ClassGaussians, in run: RunContext)
    throws(BasisError) -> [[Double]]
  {
    let count = min(foldCount, input.labels.count)
    let folds = RowContent.folds(input, count: count, in: run)
    var scores = [[Double]](
      repeating: [Double](repeating: 0, count: input.layers.count), count: input.labels.count)
    for fold in 0..<count {
      try run.checkCancelled()
      run.report("Gaussians", fold + 1, of: count + 1, unit: "fits")
      let kept = folds.indices.filter { folds[$0] != fold }
      let held = folds.indices.filter { folds[$0] == fold }
      let labels = kept.map { input.labels[$0] }
      for (place, layer) in input.layers.enumerated() {
        let model = try gaussians.fitUnchecked(
          layer.selecting(rows: kept), labels: labels, in: run)
        let found = try MahalanobisModel.scores(
          layer.selecting(rows: held), model, isRelative ? model.asOneClass() : nil, in: run)
        for (row, score) in zip(held, found.scores) { scores[row][place] = score }
      }
    }
    return scores
  }

  private func warnings(_ input: LayeredRows, _ layers: [ClassGaussiansModel]) -> [String] {
    var warnings: [String] = []
    for (place, layer) in layers.enumerated() {
      let name = layers.count == 1 ? "the matrix" : "layer \(place)"
      if let rank = layer.ranks.min(), rank < layer.dimension {
        warnings.append(
          "\(name): rows vary in \(rank) of \(layer.dimension) directions; differences in the others "
            + "are not seen")
      }
      let least = layer.scatters.map(\.count).min() ?? 0
      if shrinkage == .none, least - least / foldCount <= 2 * layer.dimension {
        warnings.append(
          "\(name): \(least) rows for \(layer.dimension) columns make a poor covariance; "
            + "--set shrinkage=ledoitWolf")
      }
    }
    if input.labels.count < 100 {
      warnings.append("the threshold comes from \(input.labels.count) rows: it is rough")
    }
    return warnings
  }
}
