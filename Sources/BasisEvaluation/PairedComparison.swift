public import BasisCore
public import BasisNumerics

/// Whether two systems really differ, from the values of both for the same queries.
///
/// Three tests of the hypothesis that the mean difference is 0, each two-sided: Student's *t* for
/// pairs, which takes the mean for normal; the randomisation test, which flips which system is which,
/// query by query, and assumes nothing else; and the bootstrap with the differences shifted to mean
/// 0. They agree on a few dozen queries and more; where they do not, trust the randomisation test.
///
/// Seeded by `run.generator("randomization")` and others; the same at any number of threads.
///
/// Smucker, Allan & Carterette, *A comparison of statistical significance tests for information
/// retrieval evaluation*, CIKM 2007, doi:10.1145/1321440.1321528, sections 2.1, 2.4 and 2.5. *p*
/// values of sampled tests count the observed difference itself, so that none is 0.
public struct PairedComparison: Settings {
  /// Resamples of the bootstrap, and flips of the randomisation test unless all ways to flip are
  /// fewer. At least 1.
  public var resampleCount: Int
  /// Of the interval of the difference; between 0 and 1, both left out.
  public var level: Double

  public init(resampleCount: Int = 10_000, level: Double = 0.95) {
    self.resampleCount = resampleCount
    self.level = level
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    resampleCount = try values.decodeIfPresent(Int.self, forKey: .resampleCount) ?? resampleCount
    level = try values.decodeIfPresent(Double.self, forKey: .level) ?? level
  }

  /// How much larger `values` are than `baseline`, and whether that could be chance.
  ///
  /// - Parameters:
  ///   - values: one a query, at least 2, finite.
  ///   - baseline: for the same queries in the same order.
  ///   - run: seed and threads.
  /// - Throws: `.dimensionMismatch` for different counts; `.invalidArgument` for fewer than 2 or a
  ///   setting outside its range; `.badData` for a value that is not finite; `.cancelled`.
  /// - Complexity: O(*n* · `resampleCount`).
  public func compare(_ values: [Double], with baseline: [Double], in run: RunContext)
    throws(BasisError) -> PairedDifference
  {
    guard values.count == baseline.count else {
      throw BasisError(
        .dimensionMismatch,
        "a paired comparison needs as many values as baseline values, got \(values.count) and "
          + "\(baseline.count)")
    }
    guard values.count >= 2 else {
      throw BasisError(
        .invalidArgument, "a paired comparison needs 2 queries at least, got \(values.count)")
    }
    for (name, list) in [("the values", values), ("the baseline", baseline)] {
      guard let row = list.firstIndex(where: { !$0.isFinite }) else { continue }
      throw BasisError(.badData, "\(name): value \(row) is \(list[row]); all must be finite")
    }
    let bootstrap = Statistics.Bootstrap(
      method: .percentile, resampleCount: resampleCount, confidence: level)
    let differences = zip(values, baseline).map { $0 - $1 }
    let count = Double(differences.count)
    let mean = differences.reduce(0, +) / count
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    let deviation = variance.squareRoot()
    // No spread: the same difference everywhere is either none or certain.
    let t = deviation > 0 ? mean / (deviation / count.squareRoot()) : Self.signed(mean)
    let randomization = try randomize(differences, in: run)
    return PairedDifference(
      count: differences.count, mean: mean,
      interval: try bootstrap.interval(ofMeanOf: differences, in: run),
      effectSize: deviation > 0 ? mean / deviation : Self.signed(mean), t: t,
      tTestP: StudentDistribution(degreesOfFreedom: count - 1).twoSidedTail(t),
      randomizationP: randomization.p, isRandomizationExact: randomization.isExact,
      bootstrapP: try bootstrapP(differences, mean: mean, in: run))
  }

  private static func signed(_ mean: Double) -> Double {
    mean == 0 ? 0 : mean > 0 ? .infinity : -.infinity
  }

  /// Sums that differ by less are equal: they were added up in another order.
  private static func slack(_ differences: [Double]) -> Double {
    differences.reduce(0) { $0 + abs($1) } * Double(differences.count) * 0x1p-52
  }

  private func randomize(_ differences: [Double], in run: RunContext) throws(BasisError)
    -> (p: Double, isExact: Bool)
  {
    let bound = abs(differences.reduce(0, +)) - Self.slack(differences)
    let count = differences.count
    if count < 62, 1 << count <= resampleCount {
      let all = 1 << count
      let extreme = (0..<all).count { signs in
        var sum = 0.0
        for row in 0..<count { sum += signs >> row & 1 == 0 ? differences[row] : -differences[row] }
        return abs(sum) >= bound
      }
      return (Double(extreme) / Double(all), true)
    }
    let extremes = try parallelMap(resampleCount, grain: 512, in: run) {
      (chunk, range) throws(BasisError) in
      var generator = run.generator("randomization", chunk: chunk)
      return range.count { _ in
        var sum = 0.0
        var bits: UInt64 = 0
        for row in 0..<count {
          if row % 64 == 0 { bits = generator.next() }
          sum += bits & 1 == 0 ? differences[row] : -differences[row]
          bits >>= 1
        }
        return abs(sum) >= bound
      }
    }
    return (Double(1 + extremes.reduce(0, +)) / Double(1 + resampleCount), false)
  }

  private func bootstrapP(_ differences: [Double], mean: Double, in run: RunContext)
    throws(BasisError) -> Double
  {
    let centred = differences.map { $0 - mean }
    let bound = abs(mean) - Self.slack(differences)
    let extremes = try parallelMap(resampleCount, grain: 512, in: run) {
      (chunk, range) throws(BasisError) in
      var generator = run.generator("paired-bootstrap", chunk: chunk)
      return range.count { _ in
        var sum = 0.0
        for _ in centred.indices { sum += centred[generator.nextInt(below: centred.count)] }
        return abs(sum / Double(centred.count)) >= bound
      }
    }
    return Double(1 + extremes.reduce(0, +)) / Double(1 + resampleCount)
  }
}

/// How two systems differ.
public struct PairedDifference: Sendable, Hashable {
  /// Queries.
  public let count: Int
  /// The mean of value − baseline.
  public let mean: Double
  /// Of the mean, by the bootstrap.
  public let interval: Statistics.ConfidenceInterval
  /// The mean over the standard deviation of the differences, Cohen's *d* for pairs; infinite where
  /// all differences are the same and not 0.
  public let effectSize: Double
  /// Student's *t*, with `count` − 1 degrees of freedom; infinite as ``effectSize``.
  public let t: Double
  public let tTestP: Double
  public let randomizationP: Double
  /// Whether all ways to flip were tried.
  public let isRandomizationExact: Bool
  public let bootstrapP: Double
}
