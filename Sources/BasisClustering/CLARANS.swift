public import BasisCore

/// k-medoids by a random walk: a candidate is drawn, and swapped in if that is an improvement; the walk
/// ends after so many draws in vain.
///
/// Needs no matrix of all pairs: O(*n* *k*) memory. Schubert & Rousseeuw 2021, section 5.2
/// (FasterCLARANS: each candidate with all medoids at once); with ``isClassic`` Ng & Han 1994, pairs of
/// candidate and medoid.
public struct CLARANS: Clusterer {
  /// At least 1 and at most as many as things.
  public var clusterCount: Int
  /// Whether it is the method of 1994.
  public var isClassic: Bool
  public var metric: DissimilarityMetric
  /// Walks, at least 1, of which the best counts.
  public var restarts: Int
  /// Draws in vain that end a walk: a share of the *n* − *k* candidates, or if classic of the
  /// *k* (*n* − *k*) pairs; above 0, at most 1. Nil for 0.025, or 0.0125 if classic.
  public var rate: Double?
  /// How many bytes the distances of everything from the medoids may take.
  public var memoryLimit: Int

  public init(
    clusterCount: Int = 8, isClassic: Bool = false, metric: DissimilarityMetric = .euclidean,
    restarts: Int = 2, rate: Double? = nil,
    memoryLimit: Int = 4 << 30
  ) {
    self.clusterCount = clusterCount
    self.isClassic = isClassic
    self.metric = metric
    self.restarts = restarts
    self.rate = rate
    self.memoryLimit = memoryLimit
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    clusterCount = try values.decodeIfPresent(Int.self, forKey: .clusterCount) ?? clusterCount
    isClassic = try values.decodeIfPresent(Bool.self, forKey: .isClassic) ?? isClassic
    metric = try values.decodeIfPresent(DissimilarityMetric.self, forKey: .metric) ?? metric
    restarts = try values.decodeIfPresent(Int.self, forKey: .restarts) ?? restarts
    rate = try values.decodeIfPresent(Double.self, forKey: .rate)
    memoryLimit = try values.decodeIfPresent(Int.self, forKey: .memoryLimit) ?? memoryLimit
  }

  /// - Parameters:
  ///   - input: *n* things, *n* at least ``clusterCount``; rows finite.
  ///   - run: the seed chooses starts and candidates.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData`; `.cancelled`.
  /// - Complexity: O(*n* *d*) a candidate; 4 *n* *k* bytes.
  /// - Note: with 2 *k* ≥ *n* a walk sees little, and ``KMedoids`` is used instead.
  public func fit(_ input: PairwiseInput, in run: RunContext = RunContext()) throws(BasisError)
    -> KMedoidsModel
  {
    let k = clusterCount
    try input.require(clusterCount: k)
    let share = rate ?? (isClassic ? 0.0125 : 0.025)
    guard restarts >= 1, share > 0, share <= 1 else {
      throw BasisError(
        .invalidArgument,
        "CLARANS takes at least 1 walk and a rate above 0 and up to 1, not \(restarts) and \(share)"
      )
    }
    let n = input.count
    try PairwiseInput.requireMemory(n, k, limit: memoryLimit)
    if k == 1 || 2 * k >= n {
      let all = try input.compared(by: metric)
      var found = try KMedoids(clusterCount: k, metric: metric).search(all, in: run)
      if k > 1 {
        found.warnings.append("\(k) clusters of \(n) things leave no room to walk: used fasterpam")
      }
      return try KMedoidsModel(found, input, metric: metric)
    }
    let reader = DissimilarityReader(try input.compared(by: metric))
    let budget = Int((share * Double(isClassic ? k * (n - k) : n - k)).rounded(.up))
    var best: FoundMedoids?
    var (draws, swaps) = (0, 0)
    for walk in 0..<restarts {
      run.report("walks", walk, of: restarts)
      let found = try self.walk(walk, budget, reader, in: run)
      draws += found.iterationCount
      swaps += found.swapCount
      if found.loss < best?.loss ?? .infinity { best = found }
    }
    guard var best else {
      throw BasisError(
        .badData, "the rows are so far apart that distances overflow; scale them down")
    }
    (best.iterationCount, best.swapCount) = (draws, swaps)
    return try KMedoidsModel(best, input, metric: metric)
  }

  private func walk(
    _ number: Int, _ budget: Int, _ reader: DissimilarityReader, in run: RunContext
  ) throws(BasisError) -> FoundMedoids {
    let n = reader.count
    var generator = run.generator("k-medoids walk", chunk: number)
    var start = generator.sample(clusterCount, of: n)
    generator.shuffle(&start)
    let state = SwapState(reader, medoids: start)
    let scratch = SwapScratch(count: n, clusterCount: clusterCount)
    // Candidates are drawn without replacement, anew after each swap.
    var pool = Array(0..<n)
    var (draws, swaps, failures, taken) = (0, 0, 0, 0)
    while failures < budget {
      if taken == n { taken = 0 }
      pool.swapAt(taken, taken + generator.nextInt(below: n - taken))
      let candidate = pool[taken]
      taken += 1
      if state.isMedoid(candidate) { continue }
      if draws.isMultiple(of: 64) { try run.checkCancelled() }
      draws += 1
      let swap: Swap
      if isClassic {
        // Pairs are drawn with replacement.
        taken = 0
        let slot = generator.nextInt(below: clusterCount)
        let change = state.change(replacing: slot, with: candidate, scratch)
        swap = Swap(change: change, slot: slot, candidate: candidate)
      } else {
        swap = state.bestSwap(candidate, scratch)
      }
      if swap.change < -1e-12 * state.loss {
        state.make(swap)
        swaps += 1
        (failures, taken) = (0, 0)
      } else {
        failures += 1
      }
    }
    return FoundMedoids(
      state, iterationCount: draws, swapCount: swaps, isConverged: true)
  }
}
