public import BasisCore

/// k-medoids of samples: the medoids of a sample, that serve everything best.
///
/// For more things than all pairs have room for. Each sample holds the best medoids so far; the last
/// word has the loss over everything. With a sample of everything it is ``KMedoids`` itself.
///
/// Schubert & Rousseeuw 2021, section 5.1 (FasterCLARA: eager swaps in samples of 80 + 4 *k*); with
/// ``isClassic`` Kaufman & Rousseeuw 1986 (PAM from BUILD in samples of 40 + 2 *k*).
public struct CLARA: Clusterer {
  /// At least 1 and at most as many as things.
  public var clusterCount: Int
  /// Whether it is the method of 1986.
  public var isClassic: Bool
  /// How samples start; nil for `random`, or `build` if classic.
  public var start: MedoidStart?
  public var metric: DissimilarityMetric
  /// Samples, at least 1.
  public var sampleCount: Int
  /// Things a sample; nil for 80 + 4 *k*, or 40 + 2 *k* if classic. What is outside *k* … *n* is
  /// brought there.
  public var sampleSize: Int?
  /// Passes a sample, at least 0.
  public var maxIterations: Int
  /// How many bytes the dissimilarities of a sample may take.
  public var memoryLimit: Int

  public init(
    clusterCount: Int = 8, isClassic: Bool = false, start: MedoidStart? = nil,
    metric: DissimilarityMetric = .euclidean, sampleCount: Int = 5, sampleSize: Int? = nil,
    maxIterations: Int = 100, memoryLimit: Int = 4 << 30
  ) {
    self.clusterCount = clusterCount
    self.isClassic = isClassic
    self.start = start
    self.metric = metric
    self.sampleCount = sampleCount
    self.sampleSize = sampleSize
    self.maxIterations = maxIterations
    self.memoryLimit = memoryLimit
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    clusterCount = try values.decodeIfPresent(Int.self, forKey: .clusterCount) ?? clusterCount
    isClassic = try values.decodeIfPresent(Bool.self, forKey: .isClassic) ?? isClassic
    start = try values.decodeIfPresent(MedoidStart.self, forKey: .start)
    metric = try values.decodeIfPresent(DissimilarityMetric.self, forKey: .metric) ?? metric
    sampleCount = try values.decodeIfPresent(Int.self, forKey: .sampleCount) ?? sampleCount
    sampleSize = try values.decodeIfPresent(Int.self, forKey: .sampleSize)
    maxIterations = try values.decodeIfPresent(Int.self, forKey: .maxIterations) ?? maxIterations
    memoryLimit = try values.decodeIfPresent(Int.self, forKey: .memoryLimit) ?? memoryLimit
  }

  /// - Parameters:
  ///   - input: *n* things, *n* at least ``clusterCount``; rows finite.
  ///   - run: the seed chooses samples and starts.
  /// - Throws: as ``KMedoids/fit(_:in:)``.
  /// - Complexity: O(*s*² + *n* *k* *d*) a sample of *s*; 4 *s*² bytes.
  public func fit(_ input: PairwiseInput, in run: RunContext = RunContext()) throws(BasisError)
    -> KMedoidsModel
  {
    try input.require(clusterCount: clusterCount)
    guard sampleCount >= 1, maxIterations >= 0 else {
      throw BasisError(
        .invalidArgument,
        "CLARA takes at least 1 sample and 0 passes, not \(sampleCount) and \(maxIterations)")
    }
    let n = input.count
    let wanted = sampleSize ?? (isClassic ? 40 + 2 * clusterCount : 80 + 4 * clusterCount)
    let size = min(n, max(wanted, clusterCount))
    try PairwiseInput.requireMemory(size, size, limit: memoryLimit)
    let all = try input.compared(by: metric)
    let reader = DissimilarityReader(all)
    var best: FoundMedoids?
    var (iterations, swaps) = (0, 0)
    // Several samples of everything would be one.
    for number in 0..<(size == n ? 1 : sampleCount) {
      run.report("samples", number, of: sampleCount)
      let found = try sampled(number, size, all, reader, keeping: best?.medoids ?? [], in: run)
      iterations += found.iterationCount
      swaps += found.swapCount
      if found.loss < best?.loss ?? .infinity { best = found }
    }
    guard var best else {
      throw BasisError(
        .badData, "the rows are so far apart that distances overflow; scale them down")
    }
    (best.iterationCount, best.swapCount) = (iterations, swaps)
    best.warnings = warnings(size: size, wanted: wanted, n: n)
    return try KMedoidsModel(best, input, metric: metric)
  }

  private func warnings(size: Int, wanted: Int, n: Int) -> [String] {
    var warnings: [String] = []
    if let sampleSize, sampleSize != size {
      warnings.append("a sample of \(sampleSize) is not in \(clusterCount) ... \(n): took \(size)")
    }
    if size < 3 * clusterCount, size < n {
      warnings.append(
        "samples of \(size) are few for \(clusterCount) clusters; take at least "
          + "\(3 * clusterCount)")
    }
    return warnings
  }

  private func sampled(
    _ number: Int, _ size: Int, _ all: Dissimilarities, _ reader: DissimilarityReader,
    keeping kept: [Int], in run: RunContext
  ) throws(BasisError) -> FoundMedoids {
    let settings = KMedoids(
      clusterCount: clusterCount, variant: isClassic ? .pam : .fasterPAM,
      start: start ?? (isClassic ? .build : .random), metric: metric,
      maxIterations: maxIterations)
    var items = Array(0..<reader.count)
    var own = run.silent
    if size < reader.count {
      items = Self.items(number, size, of: reader.count, keeping: kept, in: run)
      own.seed &+= UInt64(number)
    }
    var found = try settings.search(try all.selecting(items, in: run), in: own)
    found.medoids = found.medoids.map { items[$0] }
    let everything = KMedoids.assign(found.medoids, reader)
    (found.assignments, found.loss) = (everything.assignments, everything.loss)
    found.medoidSilhouette = everything.medoidSilhouette
    return found
  }

  /// So many things, rising: those that are kept, and others drawn at random.
  private static func items(
    _ number: Int, _ size: Int, of count: Int, keeping kept: [Int], in run: RunContext
  ) -> [Int] {
    var generator = run.generator("k-medoids sample", chunk: number)
    let others = generator.sample(size - kept.count, of: count - kept.count)
    // Numbers of what is not kept.
    let sorted = kept.sorted()
    var items = sorted
    var passed = 0
    for other in others {
      while passed < sorted.count && sorted[passed] <= other + passed { passed += 1 }
      items.append(other + passed)
    }
    return items.sorted()
  }
}
