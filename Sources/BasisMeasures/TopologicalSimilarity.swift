public import BasisCore
import BasisNumerics
import Foundation

/// How alike two representations of the same things are, by their dissimilarities seen through a
/// geo-topological transform: Pearson's correlation, −1 … 1.
///
/// Blind to rotation, shift and scale, and to any change of distances that keeps their order. Beside it the
/// same of the plain dissimilarities, of their ranks, of the graph at the middle between the thresholds,
/// and of lengths along a graph of near neighbours. The interval is that of the things: they are drawn
/// again with replacement, and pairs of one thing with itself are left out.
///
/// Lin & Kriegeskorte, *The topology and geometry of neural representations*, PNAS 121 (2024),
/// doi:10.1073/pnas.2317881121, arXiv:2309.11028.
public struct TopologicalSimilarity: Measure {
  public var dissimilarity: RDM.Dissimilarity
  /// *l*, a quantile, `0 ... upper`.
  public var lower: Double
  /// *u*, a quantile, `lower ... 1`.
  public var upper: Double
  /// The share of pairs that are edges of the graph of near neighbours; above 0, at most 1.
  public var edgeShare: Double
  /// Samples of the interval, at least 0; 0 for none.
  public var resampleCount: Int
  /// At most so many things, chosen at random; at least 4.
  public var sampleCount: Int

  public init(
    dissimilarity: RDM.Dissimilarity = .squaredEuclidean, lower: Double = 0.2, upper: Double = 0.8,
    edgeShare: Double = 0.05, resampleCount: Int = 200, sampleCount: Int = 1_000
  ) {
    self.dissimilarity = dissimilarity
    self.lower = lower
    self.upper = upper
    self.edgeShare = edgeShare
    self.resampleCount = resampleCount
    self.sampleCount = sampleCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = TopologicalSimilarity()
    dissimilarity =
      try values.decodeIfPresent(RDM.Dissimilarity.self, forKey: .dissimilarity)
      ?? defaults.dissimilarity
    lower = try values.decodeIfPresent(Double.self, forKey: .lower) ?? defaults.lower
    upper = try values.decodeIfPresent(Double.self, forKey: .upper) ?? defaults.upper
    edgeShare = try values.decodeIfPresent(Double.self, forKey: .edgeShare) ?? defaults.edgeShare
    resampleCount =
      try values.decodeIfPresent(Int.self, forKey: .resampleCount) ?? defaults.resampleCount
    sampleCount =
      try values.decodeIfPresent(Int.self, forKey: .sampleCount) ?? defaults.sampleCount
  }

  /// - Parameters:
  ///   - pair: `n × d₁` and `n × d₂`, finite, *n* ≥ 4.
  ///   - run: the seed chooses the sample and draws the samples of the interval.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for fewer rows, or where all
  ///   dissimilarities of a side are the same; `.cancelled`.
  /// - Complexity: O(*n*² (*d* + log *n* + *samples*)) for the things that are looked at, parallel.
  public func measure(_ pair: PairedRows, in run: RunContext) throws(BasisError) -> MeasuredValue {
    guard resampleCount >= 0, sampleCount >= 4 else {
      throw BasisError(
        .invalidArgument,
        "trsa: at least 4 things and 0 or more samples, got \(sampleCount) and \(resampleCount)")
    }
    var pair = pair
    let all = pair.first.rowCount
    if all > sampleCount {
      var generator = run.generator("things compared")
      let rows = generator.sample(sampleCount, of: all)
      pair = try PairedRows(pair.first.selecting(rows: rows), pair.second.selecting(rows: rows))
    }
    let plain = [
      try RDM(pair.first, dissimilarity, in: run), try RDM(pair.second, dissimilarity, in: run),
    ]
    let transform = GeoTopological(lower: lower, upper: upper)
    let middle = GeoTopological(lower: (lower + upper) / 2, upper: (lower + upper) / 2)
    let geodesic = Geodesic(edgeShare: edgeShare)
    var (ranks, seen, graphs, paths): ([RDM], [RDM], [RDM], [RDM]) = ([], [], [], [])
    var unreachable: [Int] = []
    for rdm in plain {
      let ranked = try rdm.ranked()
      ranks.append(ranked)
      seen.append(try transform.transform(ranked: ranked))
      graphs.append(try middle.transform(ranked: ranked))
      let found = try geodesic.lengths(of: rdm, in: run)
      paths.append(try found.lengths.ranked())
      unreachable.append(found.unreachableCount)
    }
    let value = try seen[0].correlation(with: seen[1])
    var warnings: [String] = []
    if all > sampleCount { warnings.append("\(sampleCount) of \(all) things are compared") }
    let pairs = plain[0].values.count
    if let most = unreachable.max(), 10 * most > pairs {
      warnings.append(
        "\(100 * most / pairs) % of the pairs are not connected by near neighbours: take a larger "
          + "edgeShare")
    }
    return MeasuredValue(
      value, unit: "correlation, −1 … 1", interval: try interval(seen[0], seen[1], in: run),
      parts: [
        .init("distances", try plain[0].correlation(with: plain[1])),
        .init("ranks", try ranks[0].correlation(with: ranks[1])),
        .init("graph", try graphs[0].correlation(with: graphs[1])),
        .init("geodesic", try paths[0].correlation(with: paths[1])),
        .init("unconnected_first", Double(unreachable[0])),
        .init("unconnected_second", Double(unreachable[1])),
      ],
      curve: try curve(ranks, in: run), warnings: warnings)
  }

  /// The correlation by where narrow thresholds lie: from neighbourhoods to the whole.
  private func curve(_ ranks: [RDM], in run: RunContext) throws(BasisError) -> MeasuredValue.Curve {
    var points: [(x: Double, y: Double)] = []
    for step in 0...8 {
      try run.checkCancelled()
      let low = Double(step) / 10
      let transform = GeoTopological(lower: low, upper: min(1, low + 0.2))
      let correlation = try transform.transform(ranked: ranks[0])
        .correlation(with: transform.transform(ranked: ranks[1]))
      if correlation.isFinite { points.append((low + 0.1, correlation)) }
    }
    return .init(
      "from neighbourhoods to the whole", x: "middle of thresholds 0.2 apart", y: "correlation",
      points: points)
  }

  /// Each thing counts as often as it is drawn; so does a pair.
  private func interval(_ a: RDM, _ b: RDM, in run: RunContext) throws(BasisError)
    -> ClosedRange<Double>?
  {
    guard resampleCount > 0 else { return nil }
    let n = a.count
    let found = try parallelMap(resampleCount, grain: 1, in: run) { (chunk, _) -> Double in
      var generator = run.generator("things drawn again", chunk: chunk)
      var counts = [Double](repeating: 0, count: n)
      for _ in 0..<n { counts[generator.nextInt(below: n)] += 1 }
      return Self.correlation(a.values, b.values, counts)
    }.filter(\.isFinite)
    guard found.count >= 2 else { return nil }
    let ends = Statistics.quantiles(found, [0.025, 0.975])
    return ends[0]...ends[1]
  }

  private static func correlation(_ x: [Double], _ y: [Double], _ counts: [Double]) -> Double {
    var (weight, sumX, sumY) = (0.0, 0.0, 0.0)
    var (squareX, squareY, product) = (0.0, 0.0, 0.0)
    var place = 0
    for i in counts.indices {
      for j in i + 1..<max(i + 1, counts.count) {
        let own = counts[i] * counts[j]
        if own > 0 {
          // Values lie in 0 … 1: no care against cancellation is needed.
          weight += own
          sumX += own * x[place]
          sumY += own * y[place]
          squareX += own * x[place] * x[place]
          squareY += own * y[place] * y[place]
          product += own * x[place] * y[place]
        }
        place += 1
      }
    }
    let (xx, yy) = (squareX - sumX * sumX / weight, squareY - sumY * sumY / weight)
    guard weight > 0, xx > 1e-12, yy > 1e-12 else { return .nan }
    return max(-1, min(1, (product - sumX * sumY / weight) / (xx * yy).squareRoot()))
  }
}
