import BasisCore
import BasisEvaluation
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// Against trec_eval: `Scripts/oracles/trec_eval.py`.
@Suite struct RelevanceOracleTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      var name: String
      var judgments: [String: [String: Int]]
      var run: [String: [String: Double]]
      var values: [String: [String: Double]]
    }

    var tolerance: Double
    var cases: [Case]
  }

  @Test func `every query and measure has trec_eval's value`() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "trec_eval", withExtension: "json", subdirectory: "Fixtures"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    #expect(fixture.cases.count == 7)
    for one in fixture.cases {
      let run = RetrievalRun(
        hits: one.run.mapValues { hits in
          hits.map { RetrievalRun.Hit(document: $0.key, score: Float($0.value)) }
        })
      let names = try #require(one.values.values.first).keys.sorted()
      let measures = try names.map { try RelevanceMeasure($0) }
      #expect(measures.count == 23)

      let answered = try RelevanceEvaluation(measures: measures, scope: .answered)
        .evaluate(run, judgments: one.judgments)
      #expect(answered.queries == one.values.keys.sorted(), "\(one.name)")
      let judged = try RelevanceEvaluation(measures: measures)
        .evaluate(run, judgments: one.judgments)
      #expect(judged.queries == one.judgments.keys.sorted(), "\(one.name)")
      #expect(judged.unanswered == ["q2"] && judged.unjudgedCount == 1)
      for measure in measures {
        var sum = 0.0
        for (query, value) in zip(answered.queries, answered.values(of: measure)) {
          let expected = try #require(one.values[query]?[measure.description])
          #expect(abs(value - expected) <= fixture.tolerance, "\(one.name), \(query), \(measure)")
          sum += expected
        }
        // trec_eval without and with -c.
        let count = Double(one.values.count)
        #expect(abs(answered.mean(of: measure) - sum / count) <= fixture.tolerance)
        #expect(abs(judged.mean(of: measure) - sum / (count + 1)) <= fixture.tolerance)
      }
    }
  }
}

@Suite struct RelevanceEvaluationTests {
  static let measures: [RelevanceMeasure] = [
    .ndcg(), .ndcg(1), .ndcg(10), .averagePrecision(), .averagePrecision(5), .reciprocalRank,
    .recall(10), .recall(100), .precision(1), .precision(5), .success(1), .success(5), .rPrecision,
    .bpref,
  ]

  static func run(_ documents: [String], query: String = "q") -> RetrievalRun {
    // Falling scores.
    RetrievalRun(hits: [
      query: documents.enumerated().map { .init(document: $1, score: -Float($0)) }
    ])
  }

  private func values(
    _ documents: [String], _ grades: [String: Int],
    _ measures: [RelevanceMeasure] = RelevanceEvaluationTests.measures
  ) throws -> [RelevanceMeasure: Double] {
    let scores = try RelevanceEvaluation(measures: measures)
      .evaluate(Self.run(documents), judgments: ["q": grades])
    return scores.values.mapValues { $0[0] }
  }

  /// Judgments and a ranking drawn at random.
  static func draw(_ seed: UInt64) -> (documents: [String], grades: [String: Int]) {
    var generator = RandomGenerator(seed: seed)
    var pool = (0..<40).map { "d\($0)" }
    generator.shuffle(&pool)
    let documents = Array(pool.prefix(1 + generator.nextInt(below: 30)))
    generator.shuffle(&pool)
    var grades: [String: Int] = [:]
    for document in pool.prefix(1 + generator.nextInt(below: 20)) {
      grades[document] = generator.nextInt(below: 5) - 1
    }
    return (documents, grades)
  }

  @Test func `a ranking by hand`() throws {
    // Grades in order: 0, 2, unjudged, 1; a document of grade 3 is not found.
    let found = try values(["a", "b", "x", "c"], ["a": 0, "b": 2, "c": 1, "d": 3])
    func close(_ measure: RelevanceMeasure, _ expected: Double) -> Bool {
      abs((found[measure] ?? -1) - expected) < 1e-12
    }
    // The logarithms to base 2 of 3 and 5.
    let (second, fourth): (Double, Double) = (1.584962500721156, 2.321928094887362)
    let gain: Double = 2 / second + 1 / fourth
    let best: Double = 3 + 2 / second + 0.5
    #expect(close(.ndcg(10), gain / best))
    #expect(close(.averagePrecision(), 1.0 / 3))
    #expect(close(.reciprocalRank, 0.5))
    #expect(close(.recall(100), 2.0 / 3))
    #expect(close(.precision(5), 0.4))
    #expect(close(.success(1), 0) && close(.success(5), 1))
    #expect(close(.rPrecision, 1.0 / 3))
    // One document was judged and is not relevant; it stands before both that are.
    #expect(close(.bpref, 0))
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `values are in their range; the perfect ranking has 1`(seed: UInt64) throws {
    let (documents, grades) = Self.draw(seed)
    for (measure, value) in try values(documents, grades) {
      #expect(value >= 0 && value <= 1 + 1e-12, "\(measure) \(value)")
    }
    let relevant = grades.filter { $0.value > 0 }
    guard !relevant.isEmpty else { return }
    let perfect = grades.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    let best = try values(
      perfect, grades,
      [
        .ndcg(), .ndcg(1), .ndcg(10), .averagePrecision(), .reciprocalRank, .recall(100),
        .precision(1), .success(1), .rPrecision, .bpref,
      ])
    for (measure, value) in best { #expect(abs(value - 1) < 1e-12, "\(measure) \(value)") }
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `the order of equal scores, of lines and of scores' scale changes nothing`(
    seed: UInt64
  ) throws {
    let (documents, grades) = Self.draw(seed)
    var generator = RandomGenerator(seed: seed &+ 1000)
    var hits = documents.map {
      RetrievalRun.Hit(document: $0, score: Float(generator.nextInt(below: 3)))
    }
    let evaluation = RelevanceEvaluation(measures: Self.measures)
    let before = try evaluation.evaluate(RetrievalRun(hits: ["q": hits]), judgments: ["q": grades])
    generator.shuffle(&hits)
    let shuffled = try evaluation.evaluate(
      RetrievalRun(hits: ["q": hits]), judgments: ["q": grades])
    #expect(shuffled == before)
    let scaled = hits.map { RetrievalRun.Hit(document: $0.document, score: $0.score * 8 - 3) }
    #expect(
      try evaluation.evaluate(RetrievalRun(hits: ["q": scaled]), judgments: ["q": grades])
        == before)
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `a tail that is not relevant changes nothing that looks at the top`(seed: UInt64) throws {
    let (documents, grades) = Self.draw(seed)
    let tail = (0..<60).map { "tail\($0)" }
    let before = try values(documents, grades)
    let after = try values(documents + tail, grades)
    for measure in Self.measures { #expect(after[measure] == before[measure], "\(measure)") }
    // Nor does it matter for nDCG whether such a document was judged.
    var more = grades
    more["tail59"] = 0
    let judged = try values(documents + tail, more)
    #expect(judged[.ndcg(10)] == before[.ndcg(10)])
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `moving a better document up never lowers nDCG or MAP`(seed: UInt64) throws {
    let (documents, grades) = Self.draw(seed)
    guard documents.count > 1 else { return }
    let before = try values(documents, grades)
    for place in 1..<documents.count {
      let (upper, lower) = (grades[documents[place - 1]] ?? 0, grades[documents[place]] ?? 0)
      guard lower > upper else { continue }
      var swapped = documents
      swapped.swapAt(place - 1, place)
      let after = try values(swapped, grades)
      for measure in [RelevanceMeasure.ndcg(), .ndcg(10), .averagePrecision(), .reciprocalRank] {
        let (new, old) = (after[measure] ?? -1, before[measure] ?? 2)
        #expect(new >= old - 1e-12, "\(measure) at \(place)")
      }
    }
  }

  @Test func `queries without relevant documents and without answers count as trec_eval does`()
    throws
  {
    let run = RetrievalRun(hits: [
      "1": [.init(document: "a", score: 1)], "10": [.init(document: "a", score: 1)],
      "2": [], "9": [.init(document: "a", score: 1)],
    ])
    let judgments = ["1": ["a": 1], "10": ["a": 0], "2": ["a": 1], "3": ["a": 1]]
    let all = try RelevanceEvaluation(measures: [.reciprocalRank]).evaluate(
      run, judgments: judgments)
    #expect(all.queries == ["1", "2", "3", "10"])
    #expect(all.values(of: .reciprocalRank) == [1, 0, 0, 0])
    #expect(all.unanswered == ["2", "3"])
    #expect(all.unjudgedCount == 1 && all.withoutRelevantCount == 1)
    let answered = try RelevanceEvaluation(measures: [.reciprocalRank], scope: .answered)
      .evaluate(run, judgments: judgments)
    #expect(answered.queries == ["1", "10"])
    #expect(answered.mean(of: .reciprocalRank) == 0.5)
  }

  @Test func `what cannot be evaluated is said`() throws {
    let evaluation = RelevanceEvaluation()
    let judged = ["q": ["a": 1]]
    expectError(.badData, "no judged query") {
      try evaluation.evaluate(Self.run(["a"]), judgments: [:])
    }
    expectError(.badData, "none of the 1 judged queries is in the run") {
      try RelevanceEvaluation(scope: .answered)
        .evaluate(Self.run(["a"], query: "other"), judgments: judged)
    }
    expectError(.badData, "query q has document a twice") {
      try evaluation.evaluate(Self.run(["a", "b", "a"]), judgments: judged)
    }
    expectError(.badData, "query q, document a: the score is nan") {
      try evaluation.evaluate(
        RetrievalRun(hits: ["q": [.init(document: "a", score: .nan)]]), judgments: judged)
    }
    expectError(.invalidArgument, "P_0") {
      try RelevanceEvaluation(measures: [.precision(0)])
        .evaluate(Self.run(["a"]), judgments: judged)
    }
  }

  @Test func `measures go by trec_eval's names`() throws {
    for measure in Self.measures {
      #expect(try RelevanceMeasure(measure.description) == measure)
    }
    for name in ["", "ndcg_cut", "ndcg_cut_0", "P_", "P_-1", "map_10", "recall", "NDCG"] {
      expectError(.invalidArgument, "'\(name)'", "ndcg_cut_K") { try RelevanceMeasure(name) }
    }
    let settings = RelevanceEvaluation(measures: Self.measures, scope: .answered)
    let json = try JSONEncoder().encode(settings)
    #expect(try JSONDecoder().decode(RelevanceEvaluation.self, from: json) == settings)
    #expect(
      try JSONDecoder().decode(RelevanceEvaluation.self, from: Data("{}".utf8))
        == RelevanceEvaluation())
  }
}
