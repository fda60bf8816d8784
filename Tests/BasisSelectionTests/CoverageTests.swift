import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisSelection

@Suite struct CoverageTests {
  private struct Fixture: Decodable {
    struct Budget: Decodable {
      var counts: [Int]
      var total: Int
      var budgets: [Int]
    }

    struct Chosen: Decodable {
      var scores: [Double]
      var cut: Double
      var keep: Double
      var counts: [Int]
      var budgets: [Int]
    }

    struct Dynamics: Decodable {
      var epochs: Int
      var classes: Int
      var labels: [Int]
      var probabilities: [Double]
      var aum: [Double]
      var forgetting: [Double]
      var el2n: [Double]
      var entropy: [Double]
      var loss: [Double]
    }

    var budgets: [Budget]
    var selections: [Chosen]
    var dynamics: [Dynamics]
  }

  // MARK: Budgets

  @Test func `budgets are those of the authors' routine`() throws {
    let all = try fixture("ccs", Fixture.self)
    for one in all.budgets {
      #expect(stratifiedBudget(counts: one.counts, total: one.total) == one.budgets)
    }
    #expect(stratifiedBudget(counts: [5, 100, 20], total: 60) == [5, 35, 20])
    #expect(stratifiedBudget(counts: [], total: 7) == [])
    for one in all.selections {
      let settings = CoverageCentricSelector(fraction: one.keep, hardCut: one.cut)
      let found = try settings.select(
        .scores(one.scores, hardness: .scores), in: RunContext(seed: 1))
      let strata = found.groups.filter { $0.name != "hardest" }
      #expect(strata.map(\.count) == one.counts)
      #expect(strata.map(\.keptCount) == one.budgets)
    }
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `a budget is even and whole`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let counts = (0..<1 + generator.nextInt(below: 60)).map { _ in
      generator.nextInt(below: generator.nextInt(below: 2) == 0 ? 4 : 90)
    }
    let sum = counts.reduce(0, +)
    for total in [0, 1, sum / 7, sum / 2, max(0, sum - 1), sum, sum + 5] {
      let budget = stratifiedBudget(counts: counts, total: total)
      #expect(budget.reduce(0, +) == min(total, sum))
      #expect(zip(budget, counts).allSatisfy { $0 >= 0 && $0 <= $1 })
      let rising = counts.indices.sorted { counts[$0] < counts[$1] }
      for (a, b) in zip(rising, rising.dropFirst()) where counts[a] < counts[b] {
        #expect(budget[a] <= budget[b])
      }
      let unfilled = counts.indices.filter { budget[$0] < counts[$0] }.map { budget[$0] }
      #expect((unfilled.max() ?? 0) - (unfilled.min() ?? 0) <= 1)
      // Nothing that is taken whole is larger than what another group may give.
      let filled = counts.indices.filter { budget[$0] == counts[$0] }.map { budget[$0] }
      if let least = unfilled.min(), let most = filled.max() { #expect(most <= least + 1) }
    }
  }

  // MARK: Scores

  @Test func `scores of a log are those of their formulas`() throws {
    for one in try fixture("ccs", Fixture.self).dynamics {
      let n = one.labels.count
      var dynamics = try TrainingDynamics(labels: one.labels, classCount: one.classes)
      let width = n * one.classes
      for epoch in 0..<one.epochs {
        let values = one.probabilities[epoch * width..<(epoch + 1) * width].map { Float($0) }
        try dynamics.record(Matrix(rowCount: n, columnCount: one.classes, values: values))
      }
      let wanted: [ImportanceScore: [Double]] = [
        .aum: one.aum, .forgetting: one.forgetting, .el2n: one.el2n, .entropy: one.entropy,
        .loss: one.loss,
      ]
      for score in ImportanceScore.allCases {
        let found = try dynamics.scores(score)
        let numbers = try #require(wanted[score])
        #expect(zip(found, numbers).allSatisfy { abs($0 - $1) < 1e-9 }, "\(score)")
      }
      // The hardest are cut off by their margins, whatever the score.
      let settings = CoverageCentricSelector(fraction: 0.5, hardCut: 0.3, score: .entropy)
      let found = try settings.select(
        ImportanceInput(dynamics, .entropy), in: RunContext(seed: 2))
      let cut = Int(0.3 * Double(n))
      let hardest = one.aum.indices.sorted { one.aum[$0] < one.aum[$1] }.prefix(cut)
      #expect(Set(hardest).isDisjoint(with: found.indices))
      #expect(found.groups.first?.count == cut && cut > 0)
    }
  }

  // MARK: Properties

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `what is kept is as many as asked, none of the hardest`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    for offset in [0.0, 50, -50, -1e6] {
      let scores = (0..<200).map { _ in generator.nextGaussian() + offset }
      let rising = scores.sorted()
      for (fraction, cut) in [(0.1, 0.0), (0.1, 0.3), (0.5, 0.5), (1, 0), (0.005, 0.99)] {
        for hard in CoverageCentricSelector.HardEnd.allCases {
          let settings = CoverageCentricSelector(fraction: fraction, hardCut: cut, hard: hard)
          let found = try settings.select(
            .scores(scores, hardness: .scores), in: RunContext(seed: seed))
          #expect(found.indices.count == Int((200 * fraction).rounded()))
          let cutCount = Int(200 * cut + 1e-9)
          let kept = found.indices.map { scores[$0] }
          switch hard {
          case .low: #expect(try #require(kept.min()) >= rising[cutCount])
          case .high: #expect(try #require(kept.max()) <= rising[199 - cutCount])
          }
          #expect(found.groups.reduce(0) { $0 + $1.count } == 200)
        }
      }
    }
  }

  @Test func `strata are of equal width, whatever the sign`() throws {
    for scores in [[-4.0, -3, -2, -1], [1, 2, 3, 4], [-2, -1, 0, 1], [-3, -2, -1, 0]] {
      #expect(ScoreStrata(scores, count: 2).places == [0, 0, 1, 1])
      #expect(ScoreStrata(scores, count: 1).places == [0, 0, 0, 0])
    }
    #expect(ScoreStrata([0, 0, 0], count: 50).places == [0, 0, 0])
    #expect(Set(ScoreStrata([-7, -7, -7], count: 50).places).count == 1)
    // A row far off has a stratum to itself, and is kept.
    let scores = (0..<100).map { Double($0 % 10) } + [1000]
    let found = try CoverageCentricSelector(fraction: 0.1, hardCut: 0).select(
      .scores(scores, hardness: .scores), in: RunContext())
    #expect(found.indices.contains(100) && found.indices.count == 10)
  }

  @Test func `equal scores are a random choice`() throws {
    let settings = CoverageCentricSelector(fraction: 0.2, hardCut: 0)
    let scores = [Double](repeating: 3, count: 50)
    var times = [Int](repeating: 0, count: 50)
    for seed in 0..<400 as Range<UInt64> {
      let found = try settings.select(
        .scores(scores, hardness: .scores), in: RunContext(seed: seed))
      #expect(found.indices.count == 10 && found.groups.count == 1)
      for row in found.indices { times[row] += 1 }
    }
    // 80 of each, within five standard deviations.
    #expect(times.allSatisfy { abs($0 - 80) < 40 })
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `labels that are wrong are cut off`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    var rows = gaussianMatrix(rowCount: 200, columnCount: 6, seed: seed)
    var labels = (0..<200).map { $0 % 4 }
    for row in 0..<200 { rows[row, row % 4] += 5 }
    let wrong = generator.sample(16, of: 200)
    for row in wrong { labels[row] = (labels[row] + 1) % 4 }
    for score in ImportanceScore.allCases {
      let found = try CoverageCentricSelector(fraction: 0.3, hardCut: 0.1, score: score).select(
        .rows(LabeledRows(rows, labels: labels.map { 3 * $0 - 2 })), in: RunContext(seed: seed))
      #expect(found.indices.count == 60)
      // By chance it were 5.
      #expect(found.indices.count { wrong.contains($0) } <= 1, "\(score)")
    }
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `it covers better than the hardest rows do`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 400, columnCount: 3, seed: seed)
    let scores = (0..<400).map { Double(rows[$0, 0]) }
    let found = try CoverageCentricSelector(fraction: 0.1, hardCut: 0).select(
      .scores(scores, hardness: .scores), in: RunContext(seed: seed))
    let hardest = scores.indices.sorted { scores[$0] < scores[$1] }.prefix(40)
    func coverage(_ kept: [Int]) throws -> SelectionCoverage {
      try SelectionCoverage(of: rows, by: rows.selecting(rows: kept), in: RunContext())
    }
    let (ours, theirs) = (try coverage(found.indices), try coverage(Array(hardest)))
    #expect(ours.meanDistance < 0.7 * theirs.meanDistance)
    // By the definition, and one on top of the other.
    let near = (0..<400).map { row in
      found.indices.map { other in
        zip(rows.row(row), rows.row(other)).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
      }.min() ?? 0
    }
    #expect(
      abs(ours.meanDistance - near.reduce(0) { $0 + $1.squareRoot() } / 400) < 1e-4)
    #expect(ours.radii.count == 101 && ours.radii == ours.radii.sorted() && ours.radii[0] < 1e-3)
    #expect(try coverage(Array(0..<400)).meanDistance < 1e-3)
  }

  // MARK: Edges

  @Test func `what it cannot keep is an error`() throws {
    let run = RunContext()
    func select(_ settings: CoverageCentricSelector, _ scores: [Double]) throws -> Selection {
      try settings.select(.scores(scores, hardness: .scores), in: run)
    }
    let scores = (0..<10).map { Double($0) }
    for fraction in [0, -0.1, 1.1, .nan] {
      expectError(.invalidArgument, "fraction") {
        try select(CoverageCentricSelector(fraction: fraction), scores)
      }
    }
    for cut in [-0.1, 1, .nan] {
      expectError(.invalidArgument, "hard cut") {
        try select(CoverageCentricSelector(hardCut: cut), scores)
      }
    }
    expectError(.invalidArgument, "strata") {
      try select(CoverageCentricSelector(strata: 0), scores)
    }
    expectError(.invalidArgument, "leaves 5", "8 are wanted", "allowFewer") {
      try select(CoverageCentricSelector(fraction: 0.8, hardCut: 0.5), scores)
    }
    let fewer = CoverageCentricSelector(fraction: 0.8, hardCut: 0.5, allowFewer: true)
    #expect(try select(fewer, scores).indices == [5, 6, 7, 8, 9])
    expectError(.badData, "row 3") { try select(.init(), [1, 2, 3, .nan, 5]) }
    expectError(.badData, "no rows") { try select(.init(), []) }
    #expect(try select(.init(fraction: 0.01, hardCut: 0), [4]).indices == [0])
    // Fewer rows than strata.
    #expect(try select(.init(fraction: 0.5, hardCut: 0), scores).indices.count == 5)
    expectError(.dimensionMismatch, "10 scores", "9") {
      try CoverageCentricSelector().select(
        .scores(scores, hardness: .margins(Array(scores.dropLast()))), in: run)
    }
    let entry = try SelectionCatalogue.entry(named: "coverage")
    let rows = gaussianMatrix(rowCount: 10, columnCount: 3, seed: 1)
    expectError(.invalidArgument, "column of scores", "3 columns") {
      try entry.run(MethodParts([rows]))
    }
    #expect(try entry.run(MethodParts([rows.prefix(columns: 1)])).indices.count == 3)
    expectError(.badData, "2 classes") {
      try entry.run(MethodParts([rows], labels: Array(repeating: 1, count: 10)))
    }
    expectError(.badData, "got 10 and 0") {
      try SelectionCoverage(of: rows, by: rows.selecting(rows: []), in: run)
    }
  }

  @Test func `a log that is none is an error`() throws {
    expectError(.invalidArgument, "2 classes") { try TrainingDynamics(labels: [0], classCount: 1) }
    expectError(.badData, "row 1", "label 2") {
      try TrainingDynamics(labels: [0, 2], classCount: 2)
    }
    var dynamics = try TrainingDynamics(labels: [0, 1], classCount: 2)
    expectError(.badData, "no epoch") { try dynamics.scores(.aum) }
    expectError(.dimensionMismatch, "2 × 3", "2 rows of 2") {
      try dynamics.record(Matrix(rowCount: 2, columnCount: 3))
    }
    expectError(.badData, "row 1", "logits") {
      try dynamics.record(Matrix(rows: [[0.5, 0.5], [3, -1]]))
    }
    expectError(.badData, "row 0") { try dynamics.record(Matrix(rows: [[.nan, 1], [0, 1]])) }
  }
}
