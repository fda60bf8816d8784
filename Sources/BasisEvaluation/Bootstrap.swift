public import BasisCore

/// A range that is to hold the true value with a given probability.
public struct ConfidenceInterval: Sendable, Hashable {
  public let lower: Double
  public let upper: Double
  /// The probability, as 0.95.
  public let level: Double
}

/// How far a mean may be off, told by drawing the sample again and again from itself.
///
/// Seeded by `run.generator("bootstrap")`; the same at any number of threads.
///
/// Efron & Tibshirani, *An Introduction to the Bootstrap*, Chapman & Hall 1993, section 13.3: the
/// percentile interval.
public struct Bootstrap: Settings {
  /// At least 1; the ends of a 95 % interval move by about a fortieth of its width between seeds at
  /// ten thousand.
  public var resampleCount: Int
  /// Between 0 and 1, both left out.
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

  /// The interval of the mean of independent values, such as one a query.
  ///
  /// - Parameters:
  ///   - values: at least 1, finite. With few of them, below about 20, the interval is too narrow.
  ///   - run: seed and threads.
  /// - Throws: `.invalidArgument` for no value or a setting outside its range; `.badData` for a
  ///   value that is not finite; `.cancelled`.
  /// - Complexity: O(*n* · `resampleCount`) time, O(`resampleCount`) memory.
  public func interval(ofMeanOf values: [Double], in run: RunContext) throws(BasisError)
    -> ConfidenceInterval
  {
    try requireUsable(values, "the values")
    let means = try resampledMeans(values, stream: "bootstrap", in: run).sorted()
    let outside = (1 - level) / 2
    return ConfidenceInterval(
      lower: quantile(outside, of: means), upper: quantile(1 - outside, of: means), level: level)
  }

  func requireUsable(_ values: [Double], _ name: String) throws(BasisError) {
    guard resampleCount >= 1, level > 0, level < 1 else {
      throw BasisError(
        .invalidArgument,
        "a bootstrap needs 1 resample at least and a level between 0 and 1, got \(resampleCount) "
          + "and \(level)")
    }
    guard !values.isEmpty else {
      throw BasisError(.invalidArgument, "\(name): there is no value to resample")
    }
    if let row = values.firstIndex(where: { !$0.isFinite }) {
      throw BasisError(
        .badData, "\(name): value \(row) is \(values[row]); all must be finite")
    }
  }

  /// The means of resamples, in no meaningful order but always the same.
  func resampledMeans(_ values: [Double], stream: String, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    let parts = try parallelMap(resampleCount, grain: 512, in: run) {
      (chunk, range) throws(BasisError) in
      var generator = run.generator(stream, chunk: chunk)
      return range.map { _ in
        var sum = 0.0
        for _ in values.indices { sum += values[generator.nextInt(below: values.count)] }
        return sum / Double(values.count)
      }
    }
    return parts.flatMap { $0 }
  }
}

/// Between two sorted values in proportion: `q` 0 is the first, 1 the last.
private func quantile(_ q: Double, of sorted: [Double]) -> Double {
  let place = q * Double(sorted.count - 1)
  let below = Int(place)
  guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
  return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
}
