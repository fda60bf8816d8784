public import BasisCore

/// Groups things around *k* of the things themselves, with any dissimilarity, so that the sum of the
/// distances to the nearest of them is small.
///
/// Finds a local optimum; another seed may find another. Which one when: `fasterPAM` always, unless
/// the very steps of PAM are wanted (`fastPAM1`), or it is to be compared with (`pam`,
/// `alternating`). Where there is no room for all pairs, ``CLARA`` and ``CLARANS``.
///
/// Schubert & Rousseeuw, *Fast and eager k-medoids clustering: O(k) runtime improvement of the PAM,
/// CLARA, and CLARANS algorithms*, Information Systems 101 (2021), doi:10.1016/j.is.2021.101804.
/// `fastPAM1` and the `lab` start: Schubert & Rousseeuw, *Faster k-medoids clustering*, SISAP 2019,
/// doi:10.1007/978-3-030-32047-8_16.
public struct KMedoids: Clusterer {
  public enum Variant: String, Sendable, Hashable, Codable, CaseIterable {
    /// Makes every swap that is an improvement as soon as it is found: O(*n*²) a pass, whatever *k*
    /// (2021, algorithm 4).
    case fasterPAM = "fasterpam"
    /// Makes the best of all swaps, once a pass: the steps of PAM in O(*n*²) rather than O(*k* *n*²).
    case fastPAM1 = "fastpam1"
    /// As first published: every medoid with every candidate. Kaufman & Rousseeuw 1987.
    case pam
    /// Assigns, and takes the middle of each group, as k-means does: quick and of less use.
    /// Park & Jun 2009.
    case alternating
  }

  /// At least 1 and at most as many as things.
  public var clusterCount: Int
  public var variant: Variant
  public var start: MedoidStart
  /// Different things to begin with, as many as groups, in place of ``start``.
  public var startMedoids: [Int]?
  /// How rows are compared; of no account for dissimilarities.
  public var metric: DissimilarityMetric
  /// Passes, at least 0.
  public var maxIterations: Int
  /// Whether `fasterPAM` looks at candidates in a random order.
  public var isShuffled: Bool
  /// How many bytes the dissimilarities of all rows may take.
  public var memoryLimit: Int

  public init(
    clusterCount: Int = 8, variant: Variant = .fasterPAM, start: MedoidStart = .random,
    startMedoids: [Int]? = nil, metric: DissimilarityMetric = .euclidean,
    maxIterations: Int = 100, isShuffled: Bool = false, memoryLimit: Int = 4 << 30
  ) {
    self.clusterCount = clusterCount
    self.variant = variant
    self.start = start
    self.startMedoids = startMedoids
    self.metric = metric
    self.maxIterations = maxIterations
    self.isShuffled = isShuffled
    self.memoryLimit = memoryLimit
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    clusterCount = try values.decodeIfPresent(Int.self, forKey: .clusterCount) ?? clusterCount
    variant = try values.decodeIfPresent(Variant.self, forKey: .variant) ?? variant
    start = try values.decodeIfPresent(MedoidStart.self, forKey: .start) ?? start
    startMedoids = try values.decodeIfPresent([Int].self, forKey: .startMedoids)
    metric = try values.decodeIfPresent(DissimilarityMetric.self, forKey: .metric) ?? metric
    maxIterations = try values.decodeIfPresent(Int.self, forKey: .maxIterations) ?? maxIterations
    isShuffled = try values.decodeIfPresent(Bool.self, forKey: .isShuffled) ?? isShuffled
    memoryLimit = try values.decodeIfPresent(Int.self, forKey: .memoryLimit) ?? memoryLimit
  }

  /// Finds the medoids, and the nearest one of everything.
  ///
  /// - Parameters:
  ///   - input: *n* things, *n* at least ``clusterCount``; rows finite.
  ///   - run: the seed chooses the start and the order.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, or for
  ///   rows so far apart that distances overflow; `.unsupported` for more rows than ``memoryLimit``
  ///   allows; `.cancelled`.
  /// - Complexity: O(*n*²) a pass for `fasterPAM` and `fastPAM1`, O(*k* *n*²) for `pam`; 4 *n*² bytes
  ///   for rows, and 4 *n* *k* more. `fasterPAM` takes some 2 to 5 passes, the others one a swap.
  public func fit(_ input: PairwiseInput, in run: RunContext = RunContext()) throws(BasisError)
    -> KMedoidsModel
  {
    try input.require(clusterCount: clusterCount)
    try check(count: input.count)
    let all = try input.expanded(by: metric, limit: memoryLimit, in: run)
    let found = try search(all, in: run)
    return try KMedoidsModel(found, input, metric: metric)
  }

  private func check(count: Int) throws(BasisError) {
    guard maxIterations >= 0 else {
      throw BasisError(
        .invalidArgument, "k-medoids makes at least 0 passes, not \(maxIterations)")
    }
    guard let startMedoids else { return }
    guard startMedoids.count == clusterCount, Set(startMedoids).count == clusterCount,
      startMedoids.allSatisfy({ $0 >= 0 && $0 < count })
    else {
      throw BasisError(
        .invalidArgument,
        "the start \(startMedoids.prefix(20)) is not \(clusterCount) different numbers of things in "
          + "0 ..< \(count)")
    }
  }

  /// The same of dissimilarities that are at hand.
  func search(_ all: Dissimilarities, in run: RunContext) throws(BasisError) -> FoundMedoids {
    let reader = DissimilarityReader(all)
    var medoids = startMedoids ?? []
    if startMedoids == nil { medoids = try start.medoids(clusterCount, reader, in: run) }
    if variant == .alternating {
      return try alternate(medoids, reader, in: run)
    }
    guard clusterCount > 1 else { return try middle(medoids[0], reader, in: run) }
    let state = SwapState(reader, medoids: medoids)
    return variant == .fasterPAM
      ? try swapEagerly(state, in: run) : try swapBest(state, in: run)
  }

  /// One medoid: what has the least sum.
  private func middle(_ start: Int, _ reader: DissimilarityReader, in run: RunContext)
    throws(BasisError) -> FoundMedoids
  {
    let sums = try Self.sums(reader, in: run)
    var best = start
    if maxIterations > 0 { for item in sums.indices where sums[item] < sums[best] { best = item } }
    return FoundMedoids(
      medoids: [best], assignments: Array(repeating: 0, count: reader.count), loss: sums[best],
      iterationCount: min(1, maxIterations), swapCount: best == start ? 0 : 1,
      isConverged: maxIterations > 0, medoidSilhouette: 0)
  }

  /// How far everything is from all else.
  static func sums(_ reader: DissimilarityReader, in run: RunContext) throws(BasisError) -> [Double]
  {
    let n = reader.count
    return try parallelMap(n, grain: 32, in: run) { (_, range) -> [Double] in
      let scratch = SwapScratch(count: n, clusterCount: 1)
      return range.map { item in
        let row = reader.row(item, scratch.row)
        var sum = 0.0
        for other in 0..<n { sum += Double(row[other]) }
        return sum
      }
    }.flatMap { $0 }
  }
}

/// Medoids, before it is known what of.
struct FoundMedoids: Sendable {
  var medoids: [Int]
  var assignments: [Int]
  var loss: Double
  var iterationCount: Int
  var swapCount: Int
  var isConverged: Bool
  var medoidSilhouette: Double
  var warnings: [String] = []

  init(
    medoids: [Int], assignments: [Int], loss: Double, iterationCount: Int, swapCount: Int,
    isConverged: Bool, medoidSilhouette: Double
  ) {
    self.medoids = medoids
    self.assignments = assignments
    self.loss = loss
    self.iterationCount = iterationCount
    self.swapCount = swapCount
    self.isConverged = isConverged
    self.medoidSilhouette = medoidSilhouette
  }

  init(_ state: SwapState, iterationCount: Int, swapCount: Int, isConverged: Bool) {
    self.init(
      medoids: state.medoids, assignments: state.assignments, loss: state.loss,
      iterationCount: iterationCount, swapCount: swapCount, isConverged: isConverged,
      medoidSilhouette: state.medoidSilhouette)
  }
}
