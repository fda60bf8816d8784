public import BasisCore

extension Statistics {
  /// Intervals for any statistic, from samples drawn out of the sample.
  ///
  /// Which one when: `.percentile` is simple and transforms as the statistic does, but is too
  /// narrow for small samples and off where the statistic is biased. `.biasCorrected` (BCa) mends
  /// bias and skewness, at one more evaluation per row; it wants a statistic that changes smoothly.
  ///
  /// Resamples depend on the seed and on their number alone: the same interval at any thread count.
  ///
  /// Efron & Tibshirani, *An Introduction to the Bootstrap*, Chapman & Hall (1993), sections 13.3
  /// and 14.3; Efron, *Better bootstrap confidence intervals*, JASA 82 (1987),
  /// doi:10.1080/01621459.1987.10478410.
  public struct Bootstrap: Settings {
    public enum Method: String, Codable, Hashable, Sendable {
      case percentile
      /// Bias-corrected and accelerated, with the jackknife's acceleration (equation 14.15).
      case biasCorrected
    }

    public var method: Method
    public var resampleCount: Int
    /// The share of intervals that should hold the true value, between 0 and 1.
    public var confidence: Double

    public init(
      method: Method = .biasCorrected, resampleCount: Int = 2_000, confidence: Double = 0.95
    ) {
      self.method = method
      self.resampleCount = resampleCount
      self.confidence = confidence
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      let defaults = Bootstrap()
      method = try values.decodeIfPresent(Method.self, forKey: .method) ?? defaults.method
      resampleCount =
        try values.decodeIfPresent(Int.self, forKey: .resampleCount) ?? defaults.resampleCount
      confidence =
        try values.decodeIfPresent(Double.self, forKey: .confidence) ?? defaults.confidence
    }

    /// An interval for a statistic of `count` rows.
    ///
    /// - Parameters:
    ///   - count: of the sample's rows, at least 1, or 2 for `.biasCorrected`.
    ///   - run: seed, threads and cancellation.
    ///   - statistic: of the rows with these numbers, some of them repeated; called from any
    ///     thread. It must not depend on their order.
    /// - Returns: the interval; its `method` is `.percentile` where BCa is not defined, because all
    ///   resamples lie on one side of the estimate or no row makes a difference.
    /// - Throws: `.invalidArgument` for settings out of range or too few rows; `.badData` if the
    ///   statistic of the rows, or of a resample, is not finite; `.cancelled`; what `statistic`
    ///   throws.
    /// - Complexity: `resampleCount` evaluations, and `count` more for `.biasCorrected`.
    public func interval(
      ofRows count: Int, in run: RunContext,
      _ statistic: @Sendable (_ rows: [Int]) throws(BasisError) -> Double
    ) throws(BasisError) -> ConfidenceInterval {
      try check(count)
      @Sendable func value(_ rows: [Int], _ what: String) throws(BasisError) -> Double {
        let value = try statistic(rows)
        guard value.isFinite else {
          throw BasisError(.badData, "bootstrap: the statistic of \(what) is \(value)")
        }
        return value
      }

      let estimate = try value(Array(0..<count), "all \(count) rows")
      let parts = try parallelMap(resampleCount, grain: 16, in: run) {
        (_, range) throws(BasisError) in
        var values: [Double] = []
        var rows = [Int](repeating: 0, count: count)
        for resample in range {
          try run.checkCancelled()
          var generator = run.generator("bootstrap", chunk: resample)
          for index in 0..<count { rows[index] = generator.nextInt(below: count) }
          values.append(try value(rows, "resample \(resample)"))
        }
        return values
      }
      let resamples = Array(parts.joined())
      let sorted = resamples.sorted()

      let tail = (1 - confidence) / 2
      var shares = (lower: tail, upper: 1 - tail)
      var used = Method.percentile
      if method == .biasCorrected {
        let jackknife = try parallelMap(count, grain: 16, in: run) {
          (_, range) throws(BasisError) in
          var values: [Double] = []
          for left in range {
            try run.checkCancelled()
            values.append(
              try value(Array(0..<left) + Array(left + 1..<count), "all rows but \(left)"))
          }
          return values
        }
        if let corrected = Self.corrected(
          tail: tail, estimate: estimate, resamples: sorted, jackknife: Array(jackknife.joined()))
        {
          shares = corrected
          used = .biasCorrected
        }
      }
      return ConfidenceInterval(
        estimate: estimate,
        lower: Statistics.quantile(ofSorted: sorted, shares.lower),
        upper: Statistics.quantile(ofSorted: sorted, shares.upper),
        confidence: confidence, standardError: Moments(resamples).standardDeviation, method: used)
    }

    /// An interval for the mean of a sample.
    ///
    /// - Parameters:
    ///   - values: at least 1, or 2 for `.biasCorrected`; finite.
    ///   - run: seed, threads and cancellation.
    /// - Throws: `.invalidArgument` for settings out of range or too few values; `.badData` for a
    ///   value that is not finite; `.cancelled`.
    /// - Complexity: O(*n* · `resampleCount`).
    public func interval(ofMeanOf values: [Double], in run: RunContext) throws(BasisError)
      -> ConfidenceInterval
    {
      if let row = values.firstIndex(where: { !$0.isFinite }) {
        throw BasisError(.badData, "bootstrap: value \(row) is \(values[row]); all must be finite")
      }
      return try interval(ofRows: values.count, in: run) { rows throws(BasisError) in
        rows.reduce(0) { $0 + values[$1] } / Double(rows.count)
      }
    }

    private func check(_ count: Int) throws(BasisError) {
      let fewest = method == .percentile ? 1 : 2
      guard count >= fewest else {
        throw BasisError(
          .invalidArgument, "bootstrap: \(count) rows; \(method.rawValue) needs at least \(fewest)")
      }
      // A tail of a few resamples says nothing about a corrected share of it.
      let fewestResamples = method == .percentile ? 1 : 50
      guard resampleCount >= fewestResamples else {
        throw BasisError(
          .invalidArgument,
          "bootstrap: \(resampleCount) resamples; \(method.rawValue) needs at least "
            + "\(fewestResamples)")
      }
      guard confidence > 0 && confidence < 1 else {
        throw BasisError(
          .invalidArgument, "bootstrap: confidence is \(confidence), wanted between 0 and 1")
      }
    }

    /// The shares of the resamples where a BCa interval ends (equation 14.10), or nil where there
    /// are none.
    static func corrected(
      tail: Double, estimate: Double, resamples: [Double], jackknife: [Double]
    ) -> (lower: Double, upper: Double)? {
      let mean = Statistics.mean(jackknife)
      var (squares, cubes) = (0.0, 0.0)
      for value in jackknife {
        let deviation = mean - value
        squares += deviation * deviation
        cubes += deviation * deviation * deviation
      }
      return corrected(
        tail: tail, estimate: estimate, resamples: resamples,
        acceleration: cubes / (6 * squares * squares.squareRoot()))
    }

    /// The same for a statistic whose acceleration is known.
    package static func corrected(
      tail: Double, estimate: Double, resamples: [Double], acceleration: Double
    ) -> (lower: Double, upper: Double)? {
      // Ties count half, as for a statistic with few values.
      let below = resamples.count { $0 < estimate }
      let notAbove = resamples.count { $0 <= estimate }
      let bias = StandardNormal.quantile(Double(below + notAbove) / Double(2 * resamples.count))
      guard bias.isFinite && acceleration.isFinite else { return nil }
      func share(_ z: Double) -> Double {
        let shifted = bias + z
        return StandardNormal.cumulative(bias + shifted / (1 - acceleration * shifted))
      }
      let z = StandardNormal.quantile(tail)
      let shares = (lower: share(z), upper: share(-z))
      return shares.lower.isNaN || shares.upper.isNaN ? nil : shares
    }
  }

  /// An estimate and where the true value may lie.
  public struct ConfidenceInterval: Hashable, Codable, Sendable {
    public var estimate: Double
    public var lower: Double
    public var upper: Double
    /// The share of such intervals that should hold the true value.
    public var confidence: Double
    /// The standard deviation of the resamples; NaN for one resample.
    public var standardError: Double
    /// How it was made.
    public var method: Bootstrap.Method
  }
}
