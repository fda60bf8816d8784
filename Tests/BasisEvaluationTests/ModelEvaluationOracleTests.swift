import BasisCore
import BasisEvaluation
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

/// Against scipy, statsmodels and mlxtend: `Scripts/oracles/model_evaluation.py`.
@Suite struct ModelEvaluationOracleTests {
  struct Fixture: Decodable {
    struct Row: Decodable {
      var name: String
      var values: [Double]

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        name = try list.decode(String.self)
        values = []
        while !list.isAtEnd { values.append(try list.decode(Double.self)) }
      }
    }
    struct McNemar: Decodable {
      var b: Int
      var c: Int
      var exact: Double?
      var midP: Double?
      var corrected: [Double]?
      var plain: [Double]?
    }
    struct Interval: Decodable {
      var hits: Int
      var count: Int
      var confidence: Double
      var normal: [Double]
      var wilson: [Double]
      var clopper: [Double]

      enum CodingKeys: String, CodingKey {
        case hits, count, confidence, normal, wilson
        case clopper = "clopper-pearson"
      }
    }
    struct Table: Decodable {
      var hits: [String]
      var q: [Double]
      var f: [Double]
    }
    struct Learners: Decodable {
      var halvings: [Double]
      var t: [Double]
      var f: [Double]
      var resampled: [Double]
      var r: [Double]
      var corrected: [Double]
      var folds: [Double]
      var k: [Double]
    }
    struct Wilcoxon: Decodable {
      var plain: [Double]
      var exact: [Double]
      var tied: [Double]
      var normal: [Double]
    }
    struct Friedman: Decodable {
      var scores: [[Double]]
      var chi: [Double]
      var ranks: [Double]
      var criticalDifference: Double
      var pairs: [Double]
    }
    struct Bootstraps: Decodable {
      var labels: String
      var training: [[Int]]
      var answers: [String]
      var accuracy: [String: Double]
    }
    struct Kendall: Decodable {
      var x: [Double]
      var y: [Double]
      var tau: Double
    }

    var tolerance: Double
    var distributions: [Row]
    var mcnemar: [McNemar]
    var intervals: [Interval]
    var proportions: [[Double]]
    var tables: [Table]
    var learners: [Learners]
    var wilcoxon: [Wilcoxon]
    var friedman: [Friedman]
    var adjustments: [String: [Double]]
    var bootstraps: Bootstraps
    var kendall: Kendall
  }

  let fixture: Fixture

  init() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "model_evaluation", withExtension: "json", subdirectory: "Fixtures"))
    fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  private func expect(
    _ found: Double, _ wanted: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      abs(found - wanted) <= fixture.tolerance * max(1, abs(wanted)),
      "\(what): \(found), \(wanted)",
      sourceLocation: sourceLocation)
  }

  private func expect(
    _ test: TestOutcome, _ wanted: [Double], _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expect(test.statistic, wanted[0], what, sourceLocation: sourceLocation)
    expect(test.p, wanted[1], "p of \(what)", sourceLocation: sourceLocation)
  }

  @Test func `tails and quantiles are scipy's, small ones by their digits`() {
    for row in fixture.distributions {
      let (a, b, x, wanted) = (row.values[0], row.values[1], row.values[2], row.values[3])
      let binomial = BinomialDistribution(
        count: Int(a), probability: row.name.count <= 3 ? min(1, b) : 0)
      let found: Double =
        switch row.name {
        case "chi2": ChiSquareDistribution(degreesOfFreedom: a).upperTail(x)
        case "f": FisherDistribution(numerator: a, denominator: b).upperTail(x)
        case "beta": BetaDistribution(a: a, b: b).quantile(x)
        case "cdf": binomial.cumulative(Int(x))
        case "sf": binomial.upperTail(Int(x))
        case "pmf": binomial.mass(Int(x))
        case "range": NormalRangeDistribution(count: Int(a)).upperTail(x)
        default: NormalRangeDistribution(count: Int(a)).criticalValue(x)
        }
      // Of the range's tail the digits after the eleventh are lost; scipy integrates it to about 1e-9.
      let slack = row.name == "range" || row.name == "critical" ? 1e-8 : 0
      #expect(abs(found - wanted) <= 1e-9 * abs(wanted) + slack, "\(row): \(found)")
    }
  }

  @Test func `McNemar's tests are statsmodels'`() throws {
    for one in fixture.mcnemar {
      let table = Discordance(onlyFirst: one.b, onlySecond: one.c)
      guard let exact = one.exact, let midP = one.midP else {
        #expect(PairedTest.mcNemar(table).p == 1)
        continue
      }
      expect(PairedTest.mcNemar(table, .exact).p, exact, "\(one)")
      expect(PairedTest.mcNemar(table, .midP).p, midP, "\(one)")
      expect(PairedTest.mcNemar(table, .plain), try #require(one.plain), "\(one)")
      // Yates' correction goes on past equality there: (0 − 1)² rather than 0.
      if one.b != one.c {
        expect(PairedTest.mcNemar(table, .corrected), try #require(one.corrected), "\(one)")
      }
      let automatic = PairedTest.mcNemar(table)
      #expect(automatic.isExact == (one.b + one.c < 25))
    }
    for one in fixture.proportions {
      let found = try PairedTest.proportions(
        hits: Int(one[0]), of: Int(one[1]), otherHits: Int(one[2]), of: Int(one[3]))
      expect(found, [one[4], one[5]], "\(one)")
    }
  }

  @Test func `intervals of accuracies are statsmodels'`() throws {
    for one in fixture.intervals {
      for (method, wanted) in [
        (AccuracyInterval.Method.normal, one.normal), (.wilson, one.wilson),
        (.clopperPearson, one.clopper),
      ] {
        let found = try AccuracyInterval(method, confidence: one.confidence)
          .interval(hits: one.hits, of: one.count, in: RunContext())
        expect(found.lower, wanted[0], "\(method) \(one)")
        expect(found.upper, wanted[1], "\(method) \(one)")
      }
    }
  }

  @Test func `tests of several models are mlxtend's`() throws {
    for one in fixture.tables {
      let count = one.hits[0].count
      let table = try HitTable(
        truth: Array(repeating: 1, count: count),
        predictions: one.hits.enumerated().map { number, bits in
          ("model \(number)", bits.map { $0 == "1" ? 1 : 0 })
        })
      expect(try MultipleComparison.cochranQ(table), one.q, "Q")
      expect(try MultipleComparison.looneyF(table), one.f, "F")
      if table.modelCount == 2 {
        // With two models Cochran's Q is McNemar's statistic.
        let plain = PairedTest.mcNemar(table.discordance(0, 1), .plain)
        expect(plain, one.q, "Q of two")
      }
    }
    let p = try #require(fixture.adjustments["p"])
    for (name, wanted) in fixture.adjustments where name != "p" {
      let adjustment = try #require(MultipleComparison.Adjustment(rawValue: name))
      for (found, value) in zip(adjustment.adjusted(p), wanted) { expect(found, value, name) }
    }
  }

  @Test func `tests of learners are mlxtend's on the same splits`() throws {
    for one in fixture.learners {
      let halvings = (0..<5).map {
        PairedTest.Halving(one.halvings[2 * $0], one.halvings[2 * $0 + 1])
      }
      let t = try PairedTest.fiveByTwoT(halvings)
      let f = try PairedTest.combinedF(halvings)
      #expect(abs(t.statistic - one.t[0]) <= 1e-10 * abs(one.t[0]), "\(t)")
      #expect(abs(f.statistic - one.f[0]) <= 1e-10 * abs(one.f[0]), "\(f)")
      expect(t, one.t, "5×2 t")
      expect(f, one.f, "5×2 F")
      expect(try PairedTest.uncorrectedT(one.resampled), one.r, "resampled t")
      expect(try PairedTest.uncorrectedT(one.folds, isOfFolds: true), one.k, "k-fold t")
      expect(
        try PairedTest.correctedResampledT(one.resampled, trainingCount: 105, testCount: 45),
        one.corrected, "corrected t")
    }
  }

  @Test func `rank tests are scipy's`() throws {
    for one in fixture.wilcoxon {
      expect(try PairedTest.signedRanks(one.plain, .exact), one.exact, "exact")
      expect(try PairedTest.signedRanks(one.tied, .normal), one.normal, "normal")
    }
    for one in fixture.friedman {
      let found = try MultipleComparison.friedman(one.scores)
      expect(found.friedman, one.chi, "Friedman")
      for (rank, wanted) in zip(found.meanRanks, one.ranks) { expect(rank, wanted, "rank") }
      expect(found.criticalDifference, one.criticalDifference, "critical difference")
      for (pair, wanted) in zip(found.pairs, one.pairs) { expect(pair.test.p, wanted, "Nemenyi") }
    }
    let kendall = fixture.kendall
    expect(Statistics.kendallCorrelation(kendall.x, kendall.y), kendall.tau, "tau")
  }

  @Test func `bootstraps by replicates are mlxtend's on the same samples`() throws {
    let one = fixture.bootstraps
    func digits(_ text: String) -> [Int] { text.compactMap(\.wholeNumberValue) }
    let labels = digits(one.labels)
    let splits = one.training.map { training in
      let drawn = Set(training)
      return ResamplingPlan.Split(
        training: training, test: labels.indices.filter { !drawn.contains($0) })
    }
    let answers = Dictionary(
      uniqueKeysWithValues: zip(one.training, one.answers.map(digits)))
    let learner = Learner("kept") { (training, asked, _) throws(BasisError) in
      asked.map { answers[training]?[$0] ?? -1 }
    }
    let plan = ResamplingPlan(rowCount: labels.count, splits: splits)
    for (method, accuracy) in one.accuracy {
      let method = try #require(ErrorEstimate.Method(rawValue: method))
      let found = try ErrorEstimate(method, convention: .perReplicate)
        .estimate(learner, labels: labels, plan: plan, in: RunContext())
      expect(1 - found.error, accuracy, "\(method)")
      #expect(found.splits.count == splits.count)
    }
  }
}
