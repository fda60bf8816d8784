import BasisCore
import BasisEvaluation
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

private func pool(_ rows: [[Double?]], metric: ResultPool.Metric = .numeric) throws -> ResultPool {
  var pool = ResultPool()
  for (row, values) in rows.enumerated() {
    try pool.add(ResultPool.Sample("s\(row)", metric: metric))
    for (model, value) in values.enumerated() {
      if let value { try pool.add(value, model: "m\(model)", sample: "s\(row)") }
    }
  }
  return pool
}

/// In the order of the columns, which is not that in which the pool met the models.
private func byColumn(_ scores: [Double], _ pool: ResultPool) -> [Double] {
  var sorted = scores
  for (model, name) in pool.models.enumerated() {
    sorted[Int(name.dropFirst()) ?? 0] = scores[model]
  }
  return sorted
}

private func randomRows(_ samples: Int, _ models: Int, kept: Double, seed: UInt64) -> [[Double?]] {
  var generator = RandomGenerator(seed: seed)
  return (0..<samples).map { _ in
    (0..<models).map { model in
      let value = (Double(model) * 0.3 + generator.nextGaussian()).rounded()
      return generator.nextDouble() < kept ? value : nil
    }
  }
}

@Suite struct PlackettLuceTests {
  /// Against choix: `Scripts/oracles/onebench.py`.
  struct Fixture: Decodable {
    struct Case: Decodable {
      var wins: [[Double]]
      var theta: [Double]
    }
    struct Pool: Decodable {
      var values: [[Double?]]
      var theta: [String: [Double]]
    }
    var tolerance: Double
    var cases: [Case]
    var pool: Pool
  }

  @Test func `strengths are choix's`() throws {
    let url = try #require(
      Bundle.module.url(forResource: "onebench", withExtension: "json", subdirectory: "Fixtures"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    for one in fixture.cases {
      let fit = try PlackettLuce(lambda: 0).fit(wins: one.wins, in: RunContext())
      #expect(fit.isConverged && fit.largestSlope < 1e-8 && fit.iterationCount < 15)
      for (found, wanted) in zip(fit.scores, one.theta) {
        #expect(abs(found - wanted) < fixture.tolerance)
      }
      // A prior so weak that it says nothing.
      let weak = try PlackettLuce(lambda: 1e-9).fit(wins: one.wins, in: RunContext())
      for (found, wanted) in zip(weak.scores, one.theta) { #expect(abs(found - wanted) < 1e-6) }
    }
    // Of two layouts: pair by pair, and by bit sets where there are only zeros and ones.
    let made = try pool(fixture.pool.values)
    for (name, wanted) in fixture.pool.theta {
      let ties = try #require(PlackettLuce.Ties(rawValue: name))
      for results in [
        PooledResults(made), PooledResults(modelCount: made.modelCount, cells: made.cells),
      ] {
        let fit = try PlackettLuce(ties: ties, lambda: 0).fit(results, in: RunContext())
        for (found, value) in zip(byColumn(fit.scores, made), wanted) {
          #expect(abs(found - value) < 1e-6)
        }
      }
    }
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `orders of rows and models, copies and scales change nothing`(seed: UInt64) throws {
    let rows = randomRows(80, 6, kept: 0.7, seed: seed)
    let run = RunContext()
    let likelihood = PlackettLuce(lambda: 0)
    func scores(_ rows: [[Double?]], _ aggregator: some RankAggregator = PlackettLuce())
      throws -> [Double]
    {
      let made = try pool(rows)
      return byColumn(try aggregator.scores(PooledResults(made), weights: nil, in: run), made)
    }
    func near(_ a: [Double], _ b: [Double]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) < 1e-8 } }
    let own = try scores(rows, likelihood)
    #expect(abs(own.reduce(0, +)) < 1e-9)
    #expect(near(own, try scores(rows.reversed(), likelihood)))
    #expect(near(own, try scores(rows + rows, likelihood)))
    let stretched = rows.enumerated().map { place, row in
      row.map { $0.map { value in exp(value / 2) * Double(place + 1) - 7 } }
    }
    for ties in PlackettLuce.Ties.allCases {
      #expect(
        near(
          try scores(rows, PlackettLuce(ties: ties)),
          try scores(stretched, PlackettLuce(ties: ties))))
    }
    #expect(near(try scores(rows, Borda()), try scores(stretched, Borda())))
    #expect(near(try scores(rows, Rasch()), try scores(stretched, Rasch())))
    let turned = try scores(rows.map { $0.reversed() }, likelihood)
    #expect(near(turned, own.reversed()))
    // Weights count as copies.
    let weights = (0..<PooledResults(try pool(rows)).sampleCount).map { _ in 2 }
    for aggregator: any RankAggregator in [PlackettLuce(ties: .half), MeanScore(), Borda()] {
      let results = PooledResults(try pool(rows))
      let twice = PooledResults(
        modelCount: results.modelCount,
        cells: try pool(rows).cells.flatMap { [$0, $0] })
      #expect(
        near(
          try aggregator.scores(results, weights: weights, in: run),
          try aggregator.scores(twice, weights: nil, in: run)))
    }
  }

  @Test func `bit sets count what pairs count`() throws {
    var generator = RandomGenerator(seed: 2)
    let rows = (0..<150).map { _ in
      (0..<7).map { _ -> Double? in
        generator.nextDouble() < 0.6 ? Double(generator.nextInt(below: 2)) : nil
      }
    }
    let results = PooledResults(try pool(rows, metric: .binary))
    let ones = [Int](repeating: 1, count: results.sampleCount)
    for ties in PlackettLuce.Ties.allCases {
      let aggregator = PlackettLuce(ties: ties)
      let bits = try aggregator.scores(results, weights: nil, in: RunContext())
      let pairs = try aggregator.scores(results, weights: ones, in: RunContext())
      #expect(zip(bits, pairs).allSatisfy { abs($0 - $1) < 1e-9 })
    }
  }

  @Test func `Gumbel utilities come back in order, and ties pull together`() throws {
    let made = try SyntheticResults(.gumbel, modelCount: 12, sampleCount: 400)
      .make(in: RunContext(seed: 1))
    let found = try PlackettLuce().scores(made.results, weights: nil, in: RunContext())
    #expect(Statistics.kendallCorrelation(found, made.strengths) > 0.95)
    // Steps of 0.2 between strengths are steps of 0.2 in θ: pairs of one sample are not independent
    // but not biased either.
    #expect(abs((found[11] - found[0]) - 2.2) < 0.35)
  }

  @Test func `models that always win have finite scores by the prior alone`() throws {
    let rows: [[Double?]] = [[1, 0], [1, 0], [1, 0]]
    let results = PooledResults(try pool(rows))
    let found = try PlackettLuce().scores(results, weights: nil, in: RunContext())
    #expect(found[0] > found[1] && found[0] < 5)
    expectError(.badData, "do not connect", "lambda above 0") {
      try PlackettLuce(lambda: 0).scores(results, weights: nil, in: RunContext())
    }
    expectError(.invalidArgument, "not -1.0") {
      try PlackettLuce(lambda: -1).scores(results, weights: nil, in: RunContext())
    }
    expectError(.dimensionMismatch, "row 1") {
      try PlackettLuce().fit(wins: [[0, 1], [1]], in: RunContext())
    }
    #expect(try PlackettLuce().fit(wins: [], in: RunContext()).scores.isEmpty)
    #expect(try PlackettLuce().fit(wins: [[0]], in: RunContext()).scores == [0])
  }

  @Test func `only what compares within samples is fair where models met other samples`() throws {
    var sums = (mean: 0.0, likelihood: 0.0, rasch: 0.0)
    for seed in 0..<3 as Range<UInt64> {
      let run = RunContext(seed: seed)
      let made = try SyntheticResults(
        .difficulty, modelCount: 16, sampleCount: 1500, keptShare: 0.3, focus: 0.3
      ).make(in: run)
      func tau(_ aggregator: some RankAggregator) throws -> Double {
        Statistics.kendallCorrelation(
          try aggregator.scores(made.results, weights: nil, in: run), made.strengths)
      }
      sums.mean += try tau(MeanScore()) / 3
      sums.likelihood += try tau(PlackettLuce()) / 3
      sums.rasch += try tau(Rasch()) / 3
    }
    #expect(sums.likelihood > sums.mean + 0.2, "\(sums)")
    #expect(sums.rasch > sums.likelihood - 0.1, "\(sums)")
  }
}

@Suite struct ResultPoolTests {
  private func sample(_ id: String, _ metadata: String = "null", set: String = "a") throws
    -> ResultPool.Sample
  {
    ResultPool.Sample(id, set: set, metadata: try JSONValue(parsing: metadata))
  }

  @Test func `results are added, kept and never changed`() throws {
    var pool = ResultPool()
    try pool.add(sample("x"))
    #expect(try pool.add(1, model: "b", sample: "x"))
    #expect(try pool.add(0, model: "a", sample: "x"))
    #expect(try !pool.add(1, model: "b", sample: "x"))
    #expect(pool.models == ["b", "a"] && pool.cellCount == 2 && pool.missingShare == 0)
    expectError(.badData, "'x', model 'b'", "has 1.0, not 0.0") {
      try pool.add(0, model: "b", sample: "x")
    }
    expectError(.badData, "0.5 is no binary value") { try pool.add(0.5, model: "c", sample: "x") }
    expectError(.badData, "the value is nan") { try pool.add(.nan, model: "c", sample: "x") }
    expectError(.notFound, "no sample 'y'") { try pool.add(1, model: "c", sample: "y") }
    expectError(.badData, "'x' is binary of set 'a'", "numeric of set 'a'") {
      try pool.add(ResultPool.Sample("x", set: "a", metric: .numeric))
    }
    expectError(.badData, "without an id") { try pool.add(sample("")) }
    var other = ResultPool()
    try other.add(sample("x"))
    try other.add(sample("z"))
    try other.add(1, model: "c", sample: "z")
    try other.add(0, model: "a", sample: "x")
    #expect(try pool.merge(other) == 1)
    #expect(pool.models == ["b", "a", "c"] && pool.sampleCount == 2)
    let copy = try JSONDecoder().decode(ResultPool.self, from: JSONEncoder().encode(pool))
    #expect(copy == pool)
    try other.add(sample("w"))
    try other.add(1, model: "a", sample: "w")
    var clash = ResultPool()
    try clash.add(sample("w"))
    try clash.add(sample("x"))
    try clash.add(1, model: "a", sample: "x")
    let before = other
    expectError(.badData, "never changed") { _ = try other.merge(clash) }
    #expect(other == before)
  }

  @Test func `filters and queries choose samples`() throws {
    var pool = ResultPool()
    for (id, set, text) in [
      ("1", "scifact", #"{"year": 2019, "title": "negation in text", "tags": ["a", "b"]}"#),
      ("2", "scifact", #"{"year": 2021, "title": "models", "tags": []}"#),
      ("3", "nq", #"{"title": "who"}"#),
    ] {
      var one = try sample(id, text, set: set)
      one.vector = [Float(pool.sampleCount), 1]
      if id != "2" { one.answerVector = [1, Float(-pool.sampleCount), 0] }
      try pool.add(one)
    }
    func chosen(_ filters: String...) throws -> [String] {
      pool.places(try filters.map { text throws(BasisError) in try PoolFilter(parsing: text) })
        .map { pool.samples[$0].id }
    }
    #expect(try chosen("set.eq=scifact") == ["1", "2"])
    #expect(try chosen("set.ne=scifact") == ["3"])
    #expect(try chosen("set.eq=scifact", "year.ge=2020") == ["2"])
    #expect(try chosen("year.lt=2020") == ["1"])
    #expect(try chosen("year.le=2021") == ["1", "2"] && chosen("year.gt=2021") == [])
    #expect(try chosen("year.ne=2021") == ["1", "3"])
    #expect(try chosen("title.contains=negation") == ["1"])
    #expect(try chosen("tags.contains=b") == ["1"] && chosen("tags.length=0") == ["2"])
    #expect(try chosen("title.length=3") == ["3"])
    expectError(.invalidArgument, "'set=scifact'", "contains") {
      _ = try PoolFilter(parsing: "set=scifact")
    }
    #expect(try pool.nearest(to: [1, 0]) == [2, 1, 0])
    #expect(try pool.nearest(to: [1, 0], count: 1) == [2])
    #expect(try pool.nearest(to: [1, 0], threshold: 1) == [2, 1])
    expectError(.dimensionMismatch, "sample '1'", "one of 3") {
      _ = try pool.nearest(to: [1, 0, 0])
    }
    // Answers have a space of their own, and a sample without one is left out.
    #expect(try pool.nearest(to: [0, -1, 0], side: .answer) == [2, 0])
    expectError(.dimensionMismatch, "sample '1'", "3 values", "one of 2") {
      _ = try pool.nearest(to: [1, 0], side: .answer)
    }
    let copy = try JSONDecoder().decode(ResultPool.self, from: JSONEncoder().encode(pool))
    #expect(copy == pool)
    expectError(.badData, "'4'", "inf at 1") {
      try pool.add(ResultPool.Sample("4", answerVector: [0, .infinity]))
    }
    #expect(pool.selecting(samples: [2, 0]).samples.map(\.id) == ["3", "1"])
  }

  @Test func `a report ranks, says how sure, and what cannot be ranked`() throws {
    var rows = randomRows(120, 5, kept: 0.8, seed: 4)
    // Two more models that met only each other, and one sample that one model met.
    rows = rows.map { $0 + [nil, nil] } + [[Double?](repeating: nil, count: 5) + [1, 2]]
    rows.append([1] + [Double?](repeating: nil, count: 6))
    let made = try pool(rows)
    let ranking = PoolRanking(
      PlackettLuce(), resampleCount: 40, missingRates: [0, 0.5, 0.9], drawCount: 3)
    let report = try ranking.report(made, in: RunContext(seed: 1))
    #expect(report == (try ranking.report(made, in: RunContext(seed: 1, threadLimit: 1))))
    #expect(report.rows.prefix(1).allSatisfy { $0.rank == 1 })
    #expect(report.componentCount == 2 && !report.isIdentifiable)
    #expect(report.ignoredSampleCount == 1 && report.sampleCount == 121)
    #expect(report.warnings.contains { $0.contains("no order across") })
    // Each group is ranked by itself.
    #expect(report.rows.count { $0.rank == 1 } == 2)
    for row in report.rows where row.component == report.rows[0].component {
      #expect(row.lower <= row.score + 0.5 && row.score <= row.upper + 0.5)
      #expect(row.baselines.count == report.baselines.count)
    }
    #expect(report.curve.map(\.missing) == [0, 0.5, 0.9])
    #expect(report.curve[0].correlation == 1)
    #expect(report.curve[2].correlation < report.curve[0].correlation)
    expectError(.badData, "no sample was met by two models") {
      _ = try ranking.report(try pool([[1, nil], [nil, 1]]), in: RunContext())
    }
    expectError(.badData, "0 samples") { _ = try ranking.report(ResultPool(), in: RunContext()) }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { _ = try ranking.report(made, in: cancelled) }
  }

  @Test func `every aggregator finds a plain order`() throws {
    let rows = randomRows(200, 5, kept: 0.9, seed: 9).map { row in
      row.enumerated().map { model, value in value.map { $0 + 2 * Double(model) } }
    }
    let made = try pool(rows)
    let wanted = made.models.map { Double($0.dropFirst()) ?? 0 }
    let all: [any RankAggregator] = [
      PlackettLuce(), PlackettLuce(ties: .both), MeanScore(), MeanScore(isBySet: true), Borda(),
      Elo(), Rasch(),
    ]
    for aggregator in all {
      let found = try aggregator.scores(PooledResults(made), weights: nil, in: RunContext())
      #expect(Statistics.kendallCorrelation(found, wanted) == 1, "\(aggregator.name)")
      let again = try aggregator.scores(PooledResults(made), weights: nil, in: RunContext())
      #expect(found == again)
    }
    #expect(Set(all.map(\.name)).count == all.count)
    expectError(.invalidArgument, "Elo's step") {
      _ = try Elo(step: 0).scores(PooledResults(made), weights: nil, in: RunContext())
    }
  }
}
