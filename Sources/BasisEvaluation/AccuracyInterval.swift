public import BasisCore
import BasisNumerics

/// Where the true accuracy may lie, from how many of some rows were answered right.
///
/// Which one when: `.wilson` unless there is a reason; `.clopperPearson` where an interval must never
/// be too narrow; `.normal` is what papers print, and too narrow for few rows or an accuracy near 0 or 1
/// (n = 30 at .95 covers .78 of the time). The bootstraps draw counts, not rows: for hits all of them
/// are of binomial numbers, and `.bootstrapT` and `.bootstrapBCa` mend the percentile's skew.
///
/// Wilson, JASA 22 (1927), doi:10.1080/01621459.1927.10502953; Clopper & Pearson, Biometrika 26 (1934),
/// doi:10.1093/biomet/26.4.404; Efron & Tibshirani, *An Introduction to the Bootstrap* (1993), sections
/// 12.5, 13.3 and 14.3; Raschka, arXiv:1811.12808, sections 1.7 and 2.4.
public struct AccuracyInterval: Settings {
  public enum Method: String, Sendable, Hashable, Codable, CaseIterable {
    case normal
    case wilson
    case clopperPearson = "clopper-pearson"
    case bootstrapPercentile = "percentile"
    case bootstrapT = "bootstrap-t"
    case bootstrapBCa = "bca"

    var isBootstrap: Bool {
      self == .bootstrapPercentile || self == .bootstrapT || self == .bootstrapBCa
    }
  }

  public var method: Method
  /// The share of intervals that should hold the true accuracy, between 0 and 1.
  public var confidence: Double
  /// Of a bootstrap: at least 50.
  public var resampleCount: Int

  public init(_ method: Method = .wilson, confidence: Double = 0.95, resampleCount: Int = 2_000) {
    self.method = method
    self.confidence = confidence
    self.resampleCount = resampleCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    method = try values.decodeIfPresent(Method.self, forKey: .method) ?? method
    confidence = try values.decodeIfPresent(Double.self, forKey: .confidence) ?? confidence
    resampleCount = try values.decodeIfPresent(Int.self, forKey: .resampleCount) ?? resampleCount
  }

  public struct Interval: Sendable, Hashable, Codable {
    public var estimate: Double
    /// At least 0.
    public var lower: Double
    /// At most 1.
    public var upper: Double
    public var confidence: Double
    public var method: Method
    /// Where the interval is not to be trusted, and why.
    public var warnings: [String] = []
  }

  /// - Parameters:
  ///   - hits: rows answered right, `0 ... count`.
  ///   - count: all rows, at least 1.
  ///   - run: seed and cancellation of a bootstrap.
  ///   - stream: tells several bootstraps of one run apart.
  /// - Throws: `.invalidArgument` for settings or counts out of range; `.cancelled`.
  /// - Complexity: a bootstrap draws `resampleCount` binomial numbers and sorts them, whatever the
  ///   number of rows.
  public func interval(hits: Int, of count: Int, in run: RunContext, stream: Int = 0)
    throws(BasisError) -> Interval
  {
    guard count >= 1, hits >= 0, hits <= count else {
      throw BasisError(.invalidArgument, "an accuracy of \(hits) hits among \(count) rows")
    }
    guard confidence > 0, confidence < 1 else {
      throw BasisError(
        .invalidArgument, "an interval's confidence is between 0 and 1, not \(confidence)")
    }
    if method.isBootstrap, resampleCount < 50 {
      throw BasisError(
        .invalidArgument,
        "\(resampleCount) resamples; an interval's ends need 50 at least, and 200 to be steady")
    }
    let accuracy = Double(hits) / Double(count)
    let z = -StandardNormal.quantile((1 - confidence) / 2)
    switch method {
    case .normal: return normal(accuracy, count, z)
    case .wilson: return wilson(accuracy, Double(count), z)
    case .clopperPearson: return clopperPearson(hits, count, accuracy)
    case .bootstrapPercentile, .bootstrapT, .bootstrapBCa:
      return try bootstrap(hits, count, in: run, stream)
    }
  }

  private func made(_ estimate: Double, _ lower: Double, _ upper: Double, _ warnings: [String] = [])
    -> Interval
  {
    Interval(
      estimate: estimate, lower: max(0, lower), upper: min(1, upper), confidence: confidence,
      method: method, warnings: warnings)
  }

  private func normal(_ a: Double, _ count: Int, _ z: Double) -> Interval {
    let spread = Double(count) * a * (1 - a)
    let width = z * (a * (1 - a) / Double(count)).squareRoot()
    let warning =
      "the normal interval is too narrow for \(count) rows at this accuracy (n a (1 − a) < 10); take "
      + "wilson"
    return made(a, a - width, a + width, spread < 10 ? [warning] : [])
  }

  private func wilson(_ a: Double, _ n: Double, _ z: Double) -> Interval {
    let square = z * z
    let center = (a + square / (2 * n)) / (1 + square / n)
    let width =
      z / (1 + square / n) * (a * (1 - a) / n + square / (4 * n * n)).squareRoot()
    // Exactly, where rounding would leave a little beside it.
    return made(a, a == 0 ? 0 : center - width, a == 1 ? 1 : center + width)
  }

  private func clopperPearson(_ hits: Int, _ count: Int, _ accuracy: Double) -> Interval {
    let tail = (1 - confidence) / 2
    let (x, n) = (Double(hits), Double(count))
    let lower = hits == 0 ? 0 : BetaDistribution(a: x, b: n - x + 1).quantile(tail)
    // From the other side, so that ends near 1 keep their digits.
    let upper = hits == count ? 1 : 1 - BetaDistribution(a: n - x, b: x + 1).quantile(tail)
    return made(accuracy, lower, upper)
  }

  private func bootstrap(_ hits: Int, _ count: Int, in run: RunContext, _ stream: Int)
    throws(BasisError) -> Interval
  {
    let mean = Double(hits) / Double(count)
    let variance = mean * (1 - mean)
    // Multinomial counts of hits and misses are binomial.
    let law = BinomialDistribution(count: count, probability: mean)
    guard hits > 0, hits < count else {
      return made(
        mean, mean, mean,
        ["all rows are alike, so that every resample is too; take wilson or clopper-pearson"])
    }
    try run.checkCancelled()
    var generator = run.generator("accuracy bootstrap", chunk: stream)
    let root = Double(count).squareRoot()
    var values: [Double] = []
    values.reserveCapacity(resampleCount)
    for _ in 0..<resampleCount {
      let value = Double(law.draw(&generator)) / Double(count)
      if method == .bootstrapT {
        // Without spread, a resample says nothing but its side.
        let error = (value * (1 - value)).squareRoot() / root
        values.append(error > 0 ? (value - mean) / error : value > mean ? .infinity : -.infinity)
      } else {
        values.append(value)
      }
    }
    values.sort()
    let tail = (1 - confidence) / 2
    if method == .bootstrapT {
      let ends = Statistics.quantiles(values, [tail, 1 - tail])
      let error = variance.squareRoot() / root
      return made(mean, mean - ends[1] * error, mean - ends[0] * error)
    }
    var shares = (lower: tail, upper: 1 - tail)
    if method == .bootstrapBCa {
      // The jackknife's acceleration is a sixth of the skewness of the mean.
      let acceleration = (1 - 2 * mean) / (6 * (Double(count) * variance).squareRoot())
      if let corrected = Statistics.Bootstrap.corrected(
        tail: tail, estimate: mean, resamples: values, acceleration: acceleration)
      {
        shares = corrected
      }
    }
    let ends = Statistics.quantiles(values, [shares.lower, shares.upper])
    return made(mean, ends[0], ends[1])
  }
}
