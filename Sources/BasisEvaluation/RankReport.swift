public import BasisCore
import BasisNumerics

/// Models in order, how sure that is, and whether the results can order them at all.
public struct RankReport: Sendable, Hashable, Codable {
  public struct Row: Sendable, Hashable, Codable {
    /// The model's place in the pool.
    public var model: Int
    public var name: String
    /// From 1; nil for a model without results that compare it with others.
    public var rank: Int?
    /// Of the aggregator; NaN for a model without results.
    public var score: Double
    /// Of the bootstrap over samples; NaN where there is none.
    public var lower: Double
    public var upper: Double
    /// Values of it in the pool.
    public var resultCount: Int
    /// Models of one component can be compared, if by way of others; there is no order across.
    public var component: Int
    /// Scores of the other aggregators, in the order of ``RankReport/baselines``.
    public var baselines: [Double]
  }

  /// How well part of the results ranks as all of them do.
  public struct Point: Sendable, Hashable, Codable {
    /// The share of the values that is left out.
    public var missing: Double
    /// Kendall's τ_b with the ranking of all results, the mean over draws.
    public var correlation: Double
    /// Its standard deviation over draws.
    public var deviation: Double
  }

  public var aggregator: String
  /// Best first.
  public var rows: [Row]
  public var sampleCount: Int
  /// Samples that fewer than two models met.
  public var ignoredSampleCount: Int
  public var cellCount: Int
  public var componentCount: Int
  /// Whether each model has beaten each other of its component, if by way of others: if not, only a prior
  /// keeps Plackett–Luce's scores finite.
  public var isIdentifiable: Bool
  /// Names of the other aggregators.
  public var baselines: [String]
  /// Kendall's τ_b of each of them with this one.
  public var baselineCorrelations: [Double]
  public var curve: [Point]
  public var warnings: [String]
}

/// Ranks the models of a pool.
public struct PoolRanking<Aggregator: RankAggregator>: Sendable {
  public var aggregator: Aggregator
  /// Of the bootstrap over samples; 0 for none.
  public var resampleCount: Int
  public var confidence: Double
  /// Shares of values to leave out, for ``RankReport/curve``; each in `0 ..< 1`.
  public var missingRates: [Double]
  /// Draws a rate, at least 1.
  public var drawCount: Int
  /// Always shown beside.
  public var baselines: [any RankAggregator] = [
    MeanScore(), MeanScore(isBySet: true), Borda(), Elo(), PlackettLuce(ties: .half), Rasch(),
  ]

  public init(
    _ aggregator: Aggregator, resampleCount: Int = 200, confidence: Double = 0.95,
    missingRates: [Double] = [], drawCount: Int = 5
  ) {
    self.aggregator = aggregator
    self.resampleCount = resampleCount
    self.confidence = confidence
    self.missingRates = missingRates
    self.drawCount = drawCount
  }

  /// - Parameters:
  ///   - pool: at least 2 models and a sample that two of them met.
  ///   - run: seed, threads and cancellation. The report does not depend on the threads.
  /// - Throws: `.badData` for a pool that compares nobody; `.invalidArgument` for settings out of range;
  ///   what the aggregator throws.
  public func report(_ pool: ResultPool, in run: RunContext) throws(BasisError) -> RankReport {
    guard resampleCount >= 0, confidence > 0, confidence < 1, drawCount >= 1,
      missingRates.allSatisfy({ $0 >= 0 && $0 < 1 })
    else {
      throw BasisError(
        .invalidArgument,
        "a ranking has 0 resamples or more, a confidence and missing rates between 0 and 1, and 1 draw "
          + "at least")
    }
    let results = PooledResults(pool)
    guard results.sampleCount > 0 else {
      throw BasisError(
        .badData,
        "no sample was met by two models (\(pool.sampleCount) samples, \(pool.modelCount) models): "
          + "there is nothing to compare; add results, or ask for other samples")
    }
    let scores = try aggregator.scores(results, weights: nil, in: run)
    let ends = try bootstrap(results, in: run)
    var others: [[Double]] = []
    for baseline in baselines {
      try run.checkCancelled()
      others.append(try baseline.scores(results, weights: nil, in: run))
    }
    let graph = Graph(results)
    var report = RankReport(
      aggregator: aggregator.name,
      rows: rows(pool, results, scores, ends, others, graph.components),
      sampleCount: results.sampleCount, ignoredSampleCount: results.ignoredSampleCount,
      cellCount: results.cellCount, componentCount: graph.componentCount,
      isIdentifiable: graph.isIdentifiable, baselines: baselines.map(\.name),
      baselineCorrelations: others.map { Self.correlation(scores, $0) },
      curve: try curve(results, scores, in: run), warnings: [])
    report.warnings = warnings(pool, results, graph)
    return report
  }

  /// Which models can be compared.
  private struct Graph {
    let components: [Int]
    let componentCount: Int
    let isIdentifiable: Bool

    init(_ results: PooledResults) {
      let duels = results.duels()
      let n = duels.count
      let met = (0..<n * n).map { place in
        duels.wins[place] + duels.wins[place % n * n + place / n] + duels.ties[place]
      }
      let joined = BeatsGraph(count: n, wins: met)
      components = joined.components
      componentCount = joined.componentCount
      isIdentifiable = BeatsGraph(count: n, wins: duels.wins).componentCount == componentCount
    }
  }

  /// τ_b over models that both have a score of.
  static func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let both = a.indices.filter { !a[$0].isNaN && !b[$0].isNaN }
    return Statistics.kendallCorrelation(both.map { a[$0] }, both.map { b[$0] })
  }

  private func rows(
    _ pool: ResultPool, _ results: PooledResults, _ scores: [Double],
    _ ends: [(lower: Double, upper: Double)], _ others: [[Double]], _ components: [Int]
  ) -> [RankReport.Row] {
    let order = scores.indices.sorted {
      let (a, b) = (scores[$0], scores[$1])
      return a.isNaN || b.isNaN ? !a.isNaN && b.isNaN : a > b
    }
    var ranks = [Int: Int](minimumCapacity: components.count)
    return order.map { model in
      let component = components[model]
      var rank: Int?
      // Who met nobody has no rank.
      if !scores[model].isNaN, components.count(where: { $0 == component }) > 1 {
        ranks[component, default: 0] += 1
        rank = ranks[component]
      }
      return RankReport.Row(
        model: model, name: pool.models[model], rank: rank, score: scores[model],
        lower: ends[model].lower, upper: ends[model].upper,
        resultCount: results.resultCounts[model], component: component,
        baselines: others.map { $0[model] })
    }
  }

  private func bootstrap(_ results: PooledResults, in run: RunContext) throws(BasisError)
    -> [(lower: Double, upper: Double)]
  {
    guard resampleCount > 0 else {
      return Array(repeating: (.nan, .nan), count: results.modelCount)
    }
    let inner = run.silent
    let draws = try parallelMap(resampleCount, grain: 1, in: run) {
      (number, _) throws(BasisError) -> [Double] in
      var generator = run.generator("bootstrap of samples", chunk: number)
      var weights = [Int](repeating: 0, count: results.sampleCount)
      for _ in weights.indices { weights[generator.nextInt(below: weights.count)] += 1 }
      return try aggregator.scores(results, weights: weights, in: inner)
    }
    let tail = (1 - confidence) / 2
    return (0..<results.modelCount).map { model in
      let own = draws.map { $0[model] }.filter { !$0.isNaN }
      let ends = Statistics.quantiles(own, [tail, 1 - tail])
      return (ends[0], ends[1])
    }
  }

  private func curve(_ results: PooledResults, _ scores: [Double], in run: RunContext)
    throws(BasisError) -> [RankReport.Point]
  {
    var points: [RankReport.Point] = []
    for (place, rate) in missingRates.enumerated() {
      run.report("missing rates", place, of: missingRates.count)
      let found = try parallelMap(drawCount, grain: 1, in: run) {
        (draw, _) throws(BasisError) -> Double in
        var generator = run.generator("missing \(rate)", chunk: draw)
        let part = results.thinned(keeping: 1 - rate, &generator)
        guard part.sampleCount > 0 else { return .nan }
        return Self.correlation(
          scores, try aggregator.scores(part, weights: nil, in: run.silent))
      }
      let moments = Moments(found.filter { !$0.isNaN })
      points.append(
        .init(
          missing: rate, correlation: moments.mean,
          deviation: moments.count > 1 ? moments.standardDeviation : 0))
    }
    return points
  }

  private func warnings(_ pool: ResultPool, _ results: PooledResults, _ graph: Graph) -> [String] {
    var found: [String] = []
    if results.ignoredSampleCount > 0 {
      found.append(
        "\(results.ignoredSampleCount) samples were met by fewer than two models and say nothing of "
          + "their order")
    }
    let silent = pool.models.indices.filter { results.resultCounts[$0] == 0 }
    if !silent.isEmpty {
      found.append("without any result: " + silent.map { pool.models[$0] }.joined(separator: ", "))
    }
    if graph.componentCount > 1 {
      let groups = Dictionary(grouping: pool.models.indices) { graph.components[$0] }
      let lists = groups.sorted { $0.key < $1.key }.map { group in
        group.value.map { pool.models[$0] }.joined(separator: ", ")
      }
      found.append(
        "the models fall into \(graph.componentCount) groups that met no common samples, and there is "
          + "no order across: " + lists.joined(separator: " | "))
    }
    if !graph.isIdentifiable {
      found.append(
        "some models always beat some others: how far apart they are is the prior's word, not the "
          + "results'")
    }
    return found
  }
}
