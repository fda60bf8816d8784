public import BasisCore

/// Chooses the number of groups: k-medoids from many groups down to two, each from the medoids before
/// less the one that is needed least, and the number whose medoid silhouette is highest.
///
/// The scan of DynMSC, with the loss of k-medoids in place of the silhouette inside: Lenssen &
/// Schubert, *Medoid silhouette clustering with automatic cluster number selection*, Information
/// Systems 120 (2024), doi:10.1016/j.is.2023.102290, section 5.
public struct ClusterCountScan: Settings {
  /// What was found with so many groups.
  public struct Step: Sendable, Hashable, Codable {
    public var clusterCount: Int
    public var loss: Double
    /// 0 … 1, higher is better.
    public var medoidSilhouette: Double
  }

  /// At least 2; with fewer things than one more than that, as many as there are things less 1.
  public var maxClusterCount: Int
  /// Start, metric and passes; its number of groups is of no account.
  public var settings: KMedoids

  public init(maxClusterCount: Int = 20, settings: KMedoids = KMedoids()) {
    self.maxClusterCount = maxClusterCount
    self.settings = settings
  }

  /// - Parameters:
  ///   - input: at least 3 things; rows finite.
  ///   - run: the seed chooses the first start.
  /// - Returns: the best model, the smaller number of equals, and all steps by rising number.
  /// - Throws: `.invalidArgument` for fewer things, or a largest number below 2; and as
  ///   ``KMedoids/fit(_:in:)``.
  /// - Complexity: that of k-medoids, a few passes a number.
  public func fit(_ input: PairwiseInput, in run: RunContext = RunContext()) throws(BasisError)
    -> (model: KMedoidsModel, steps: [Step])
  {
    guard maxClusterCount >= 2, input.count >= 3 else {
      throw BasisError(
        .invalidArgument,
        "a number of clusters is chosen from 2 up and among at least 3 things, not up to "
          + "\(maxClusterCount) among \(input.count)")
    }
    let all = try input.expanded(by: settings.metric, limit: settings.memoryLimit, in: run)
    let reader = DissimilarityReader(all)
    var medoids = try settings.start.medoids(
      min(maxClusterCount, input.count - 1), reader, in: run)
    var best: FoundMedoids?
    var steps: [Step] = []
    let most = medoids.count
    while medoids.count >= 2 {
      run.report("numbers of clusters", most - medoids.count, of: most - 1)
      let state = SwapState(reader, medoids: medoids)
      let found = try settings.swapEagerly(state, in: run.silent)
      if found.medoidSilhouette >= best?.medoidSilhouette ?? 0 { best = found }
      steps.append(
        Step(
          clusterCount: medoids.count, loss: found.loss,
          medoidSilhouette: found.medoidSilhouette))
      medoids = found.medoids
      medoids.remove(at: state.leastNeeded)
    }
    guard let best else {
      throw BasisError(
        .badData, "the rows are so far apart that distances overflow; scale them down")
    }
    return (
      try KMedoidsModel(best, input, metric: settings.metric), steps.reversed()
    )
  }
}
