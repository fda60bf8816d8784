import BasisCore
import BasisEvaluation
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

private func labels(_ count: Int, classes: Int = 2, seed: UInt64) -> [Int] {
  var generator = RandomGenerator(seed: seed)
  return (0..<count).map { _ in generator.nextInt(below: classes) }
}

@Suite struct ResamplerTests {
  private static let schemes: [Resampler.Scheme] = [
    .holdOut(testShare: 0.3, repeats: 3), .folds(4, repeats: 2), .leaveOneOut, .bootstrap(5),
    .forward(4),
  ]

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `parts are apart, and folds ask about each row once`(seed: UInt64) throws {
    let run = RunContext(seed: seed)
    for scheme in Self.schemes {
      for count in [5, 23] {
        let plan = try Resampler(scheme).plan(rowCount: count, in: run)
        #expect(plan == (try Resampler(scheme).plan(rowCount: count, in: run)))
        for split in plan.splits {
          #expect(Set(split.training).isDisjoint(with: split.test))
          #expect(!split.training.isEmpty && !split.test.isEmpty)
          #expect((split.training + split.test).allSatisfy { (0..<count).contains($0) })
        }
        switch scheme {
        case .folds(_, let repeats):
          let asked = plan.splits.flatMap(\.test).sorted()
          #expect(asked == (0..<count).flatMap { Array(repeating: $0, count: repeats) })
          let sizes = plan.splits.map(\.test.count)
          #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        case .bootstrap: #expect(plan.splits.allSatisfy { $0.training.count == count })
        case .forward:
          #expect(plan.splits.allSatisfy { ($0.training.max() ?? 0) < ($0.test.min() ?? 0) })
        case .leaveOneOut: #expect(plan.splits.count == count)
        case .holdOut:
          #expect(plan.splits.allSatisfy { $0.test.count == Int((0.3 * Double(count)).rounded()) })
        }
        let data = try JSONEncoder().encode(plan)
        #expect(try JSONDecoder().decode(ResamplingPlan.self, from: data) == plan)
      }
    }
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `strata keep their proportion, and groups stay together`(seed: UInt64) throws {
    let classes = (0..<60).map { $0 % 6 == 0 ? 2 : $0 % 2 }
    let run = RunContext(seed: seed)
    let folds = try Resampler(.folds(5, repeats: 1), isStratified: true)
      .plan(rowCount: 60, labels: classes, in: run)
    for split in folds.splits {
      #expect(split.test.count == 12 && split.test.count { classes[$0] == 2 } == 2)
      // 20 of class 0 and 30 of class 1.
      #expect(split.test.count { classes[$0] == 0 } == 4)
    }
    let held = try Resampler(.holdOut(testShare: 0.2, repeats: 4), isStratified: true)
      .plan(rowCount: 60, labels: classes, in: run)
    #expect(held.splits.allSatisfy { split in split.test.count { classes[$0] == 2 } == 2 })
    let groups = (0..<60).map { $0 * $0 % 13 }
    for scheme in [Resampler.Scheme.folds(3, repeats: 1), .holdOut(testShare: 0.3, repeats: 2)] {
      let plan = try Resampler(scheme).plan(rowCount: 60, groups: groups, in: run)
      for split in plan.splits {
        #expect(
          Set(split.training.map { groups[$0] }).isDisjoint(with: split.test.map { groups[$0] }))
      }
    }
    let drawn = try Resampler(.bootstrap(4)).plan(rowCount: 60, groups: groups, in: run)
    for split in drawn.splits {
      #expect(
        Set(split.training.map { groups[$0] }).isDisjoint(with: split.test.map { groups[$0] }))
    }
  }

  @Test func `what cannot be split is said`() throws {
    let run = RunContext()
    expectError(.invalidArgument, "5 stratified folds", "rarest class has 3 rows") {
      try Resampler(.folds(5, repeats: 1), isStratified: true)
        .plan(rowCount: 10, labels: [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], in: run)
    }
    expectError(.invalidArgument, "11 folds of 10 rows") {
      try Resampler(.folds(11, repeats: 1)).plan(rowCount: 10, in: run)
    }
    expectError(.invalidArgument, "2 folds at least", "got 1") {
      try Resampler(.folds(1, repeats: 1)).plan(rowCount: 10, in: run)
    }
    expectError(.invalidArgument, "2 rows at least", "got 1") {
      try Resampler(.leaveOneOut).plan(rowCount: 1, in: run)
    }
    expectError(.invalidArgument, "need labels") {
      try Resampler(isStratified: true).plan(rowCount: 20, in: run)
    }
    expectError(.dimensionMismatch, "3 groups for 20 rows") {
      try Resampler().plan(rowCount: 20, groups: [1, 2, 3], in: run)
    }
    expectError(.invalidArgument, "a share of 0.9") {
      try Resampler(.holdOut(testShare: 0.9, repeats: 1))
        .plan(rowCount: 4, groups: [0, 0, 0, 0], in: run)
    }
    let rare = [0, 0, 0, 0, 0, 1]
    let plan = try Resampler(.leaveOneOut).plan(rowCount: 6, in: run)
    #expect(plan.warnings(labels: rare).count == 1)
    #expect(plan.warnings(labels: rare)[0].contains("class 1 is absent"))
    #expect(plan.warnings(labels: [0, 0, 0, 1, 1, 1]).isEmpty)
    let twins = try Matrix(rows: [[1, 2], [3, 4], [1, 2], [5, 6], [-0, 1], [0, 1]])
    #expect(try plan.sharedDuplicateCount(of: twins) == 4)
  }
}

@Suite struct AccuracyIntervalTests {
  /// Sums over the binomial, as the definition of coverage says.
  private func coverage(_ method: AccuracyInterval.Method, _ n: Int, _ a: Double) throws -> Double {
    let law = BinomialDistribution(count: n, probability: a)
    var sum = 0.0
    for hits in 0...n {
      let found = try AccuracyInterval(method).interval(hits: hits, of: n, in: RunContext())
      if found.lower <= a && a <= found.upper { sum += law.mass(hits) }
    }
    return sum
  }

  @Test func `coverage of few rows`() throws {
    #expect(abs(try coverage(.normal, 30, 0.95) - 0.782) < 1e-3)
    #expect(abs(try coverage(.wilson, 30, 0.95) - 0.939) < 1e-3)
    #expect(abs(try coverage(.clopperPearson, 30, 0.95) - 0.984) < 1e-3)
    let few = try AccuracyInterval(.normal).interval(hits: 29, of: 30, in: RunContext())
    #expect(few.warnings.first?.contains("take wilson") == true)
    let many = try AccuracyInterval(.normal).interval(hits: 900, of: 1000, in: RunContext())
    #expect(many.warnings.isEmpty)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `bootstraps of many rows agree with Wilson`(seed: UInt64) throws {
    let run = RunContext(seed: seed)
    let wilson = try AccuracyInterval(.wilson).interval(hits: 8_000, of: 10_000, in: run)
    for method in [AccuracyInterval.Method.bootstrapPercentile, .bootstrapT, .bootstrapBCa] {
      let found = try AccuracyInterval(method).interval(hits: 8_000, of: 10_000, in: run)
      // The end of 2,000 resamples is known to about 0.05 standard errors of 0.004.
      #expect(abs(found.lower - wilson.lower) < 1.2e-3, "\(method) \(found)")
      #expect(abs(found.upper - wilson.upper) < 1.2e-3, "\(method) \(found)")
    }
    let constant = try AccuracyInterval(.bootstrapBCa).interval(hits: 7, of: 7, in: run)
    #expect(constant.lower == 1 && !constant.warnings.isEmpty)
  }

  @Test func `binomial draws follow their law`() throws {
    for (n, p) in [(6, 0.3), (40, 0.1), (40, 0.9), (50, 0.4), (3_000, 0.02), (100_000, 0.5)] {
      let law = BinomialDistribution(count: n, probability: p)
      var generator = RandomGenerator(seed: UInt64(n))
      let draws = (0..<20_000).map { _ in law.draw(&generator) }
      let moments = Moments(draws.map { Double($0) })
      let variance = Double(n) * p * (1 - p)
      #expect(abs(moments.mean - Double(n) * p) < 4.5 * (variance / 20_000).squareRoot())
      #expect(abs(moments.variance / variance - 1) < 0.06)
      guard n <= 50 else { continue }
      let counts = Dictionary(grouping: draws) { $0 }.mapValues(\.count)
      var (chi, cells) = (0.0, 0.0)
      for k in 0...n where law.mass(k) * 20_000 >= 5 {
        let wanted = law.mass(k) * 20_000
        let gap = Double(counts[k] ?? 0) - wanted
        chi += gap * gap / wanted
        cells += 1
      }
      #expect(ChiSquareDistribution(degreesOfFreedom: cells - 1).upperTail(chi) > 1e-4, "\(n) \(p)")
    }
    #expect(BinomialDistribution(count: 0, probability: 0.5).cumulative(0) == 1)
    #expect(BinomialDistribution(count: 4, probability: 1).mass(4) == 1)
    var generator = RandomGenerator(seed: 1)
    #expect(BinomialDistribution(count: 9, probability: 0).draw(&generator) == 0)
    #expect(BinomialDistribution(count: 9, probability: 1).draw(&generator) == 9)
  }

  @Test func `counted samples have the moments of their values`() {
    let values = [3.0, 1, 1, 2, 3, 3, 7.5]
    let sample = CountedSample(values)
    #expect(sample.values == [1, 2, 3, 7.5] && sample.counts == [2, 1, 3, 1])
    #expect(abs(sample.moments.mean - Statistics.mean(values)) < 1e-12)
    let population = Moments(values).populationVariance
    #expect(abs(sample.moments.variance - population) < 1e-12)
    #expect(CountedSample(ones: 2, of: 5) == CountedSample([0, 1, 0, 1, 0]))
    var generator = RandomGenerator(seed: 3)
    let means = (0..<4_000).map { _ in sample.resampledMoments(&generator).mean }
    #expect(abs(Statistics.mean(means) - sample.moments.mean) < 0.06)
    #expect(abs(Statistics.variance(means) / (population / 7) - 1) < 0.12)
    #expect(CountedSample([Double]()).moments.mean.isNaN)
  }

  @Test func `what has no interval is said`() {
    let run = RunContext()
    expectError(.invalidArgument, "11 hits among 10") {
      try AccuracyInterval().interval(hits: 11, of: 10, in: run)
    }
    expectError(.invalidArgument, "0 hits among 0") {
      try AccuracyInterval().interval(hits: 0, of: 0, in: run)
    }
    expectError(.invalidArgument, "49 resamples") {
      try AccuracyInterval(.bootstrapBCa, resampleCount: 49).interval(hits: 5, of: 10, in: run)
    }
    expectError(.invalidArgument, "not 1.0") {
      try AccuracyInterval(confidence: 1).interval(hits: 5, of: 10, in: run)
    }
  }
}

@Suite struct ErrorEstimateTests {
  private static func neighbor(_ rows: Matrix, _ labels: [Int]) throws -> Learner {
    ReferenceLearner.neighbor.learner(try LabeledRows(rows, labels: labels))
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `the no-information error is the share of pairs`(seed: UInt64) {
    let (truth, answers) = (
      labels(37, classes: 4, seed: seed), labels(37, classes: 3, seed: seed + 9)
    )
    var apart = 0
    for a in truth { for b in answers where a != b { apart += 1 } }
    #expect(
      ErrorEstimate.noInformationError(labels: truth, answers: answers) == Double(apart) / (37 * 37)
    )
  }

  @Test func `of random labels, .632 believes what is learnt by heart and .632+ does not`() throws {
    var sums: [ErrorEstimate.Method: Double] = [:]
    for seed in 0..<4 as Range<UInt64> {
      let rows = gaussianMatrix(rowCount: 60, columnCount: 10, seed: seed)
      let classes = (0..<60).map { $0 % 2 }
      let learner = try Self.neighbor(rows, classes)
      for method in [ErrorEstimate.Method.outOfBag, .point632, .point632plus] {
        let found = try ErrorEstimate(method, resampleCount: 25)
          .estimate(learner, labels: classes, in: RunContext(seed: seed))
        sums[method, default: 0] += found.error / 4
        #expect(found.lower <= found.error + 0.05 && found.error <= found.upper + 0.05)
        if method == .point632plus {
          #expect(found.trainingError == 0)
          // Half the labels are of each class, and so are the answers of who knows them by heart.
          #expect(found.noInformationError == 0.5)
          #expect((0...1).contains(try #require(found.overfitting)))
        }
      }
    }
    #expect(sums[.outOfBag, default: 0] > 0.42 && sums[.point632plus, default: 0] > 0.42)
    #expect(sums[.point632, default: 1] < 0.37, "\(sums)")
  }

  @Test func `leave-one-out of a majority vote on halves is always wrong`() throws {
    let rows = gaussianMatrix(rowCount: 40, columnCount: 2, seed: 1)
    let classes = (0..<40).map { $0 % 2 }
    let learner = ReferenceLearner.majority.learner(try LabeledRows(rows, labels: classes))
    let plan = try Resampler(.leaveOneOut).plan(rowCount: 40, in: RunContext())
    #expect(try learner.accuracies(plan, labels: classes, in: RunContext()).allSatisfy { $0 == 0 })
    let advice = try Advisor(.estimate, rowCount: 40).advice()
    #expect(advice.warnings.contains { $0.contains("leave-one-out") })
  }

  @Test func `methods of the room keep what methods promise`() throws {
    var rows = gaussianMatrix(rowCount: 30, columnCount: 2, seed: 5)
    let classes = (0..<30).map { $0 % 2 }
    for row in 0..<30 { rows[row, 0] += Float(4 * classes[row]) }
    let parts = MethodParts([rows], labels: classes)
    for entry in EvaluationCatalogue.entries {
      // Splits are of places, so that another order of the rows is another split.
      let kind = try #require(ErrorEstimate.Method(rawValue: entry.descriptor.name))
      let few = MethodEntry(entry.descriptor, ErrorEstimate(kind, resampleCount: 8, foldCount: 3)) {
        (settings: ErrorEstimate, input: LabeledRows, run: RunContext) throws(BasisError) in
        try settings.estimate(
          ReferenceLearner.centroid.learner(input), labels: input.labels, in: run)
      }
      try checkMethod(few, parts, isOfRows: false) {
        [$0.error, $0.lower, $0.upper, $0.leftOutError, $0.trainingError ?? .nan] + $0.splits
      }
      let found = try entry.run(parts, settings: #"{"resampleCount": 20, "foldCount": 3}"#)
      #expect(found.error < 0.2 && found.splits.count <= 20)
    }
    let names = EvaluationCatalogue.methods.map { "\($0.verb) \($0.name)" }
    #expect(Set(names).count == names.count)
    expectError(.invalidArgument, "'jackknife'", "632plus") {
      _ = try EvaluationCatalogue.entry(named: "jackknife")
    }
  }

  @Test func `reference learners learn what is there`() throws {
    var rows = gaussianMatrix(rowCount: 90, columnCount: 3, seed: 7)
    let classes = (0..<90).map { [4, 7, 9][$0 % 3] }
    for row in 0..<90 {
      rows[row, 0] += classes[row] == 4 ? 6 : 0
      rows[row, 1] += classes[row] == 7 ? 6 : 0
    }
    let input = try LabeledRows(rows, labels: classes)
    for learner in ReferenceLearner.allCases {
      let found = try ErrorEstimate(.crossValidation, foldCount: 3)
        .estimate(learner.learner(input), labels: classes, in: RunContext())
      if learner == .majority {
        #expect(found.error > 0.6)
      } else {
        #expect(found.error < 0.06, "\(learner) \(found.error)")
      }
    }
    expectError(.dimensionMismatch, "'short' gave 1 answers") {
      let short = Learner("short") { (_, _, _) throws(BasisError) in [1] }
      _ = try ErrorEstimate().estimate(short, labels: classes, in: RunContext())
    }
    expectError(.invalidArgument, "are of 1 classes") {
      _ = try ErrorEstimate().estimate(
        ReferenceLearner.majority.learner(input), labels: [1, 1, 1], in: RunContext())
    }
  }
}

@Suite struct ComparisonTests {
  /// Two learners that are right by chance: `shares` of the rows, independently.
  private func table(_ shares: [Double], rows: Int, seed: UInt64) throws -> HitTable {
    var generator = RandomGenerator(seed: seed)
    let hits = shares.map { share -> Bitmap in
      var bits = Bitmap(count: rows)
      for row in 0..<rows { bits[row] = generator.nextDouble() < share }
      return bits
    }
    return try HitTable(
      rowCount: rows, hits: hits.enumerated().map { ("m\($0)", $1) })
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `hit tables count as a loop does`(seed: UInt64) throws {
    let found = try table([0.5, 0.7, 0.6], rows: 131, seed: seed)
    for first in 0..<3 {
      for second in 0..<3 {
        let only = (0..<131).count { found.hits[first][$0] && !found.hits[second][$0] }
        let other = (0..<131).count { !found.hits[first][$0] && found.hits[second][$0] }
        #expect(
          found.discordance(first, second) == Discordance(onlyFirst: only, onlySecond: other))
      }
    }
    // The order of the rows says nothing.
    let pairs = try MultipleComparison.pairs(found)
    #expect(pairs.count == 3 && pairs.allSatisfy { $0.adjustedP >= $0.test.p })
  }

  @Test func `equal models differ as often as the level says`() throws {
    var early = (mcNemar: 0, q: 0, midP: 0)
    for seed in 0..<400 as Range<UInt64> {
      let found = try table([0.7, 0.7, 0.7], rows: 80, seed: seed)
      if PairedTest.mcNemar(found.discordance(0, 1)).p <= 0.05 { early.mcNemar += 1 }
      if PairedTest.mcNemar(found.discordance(0, 1), .midP).p <= 0.05 { early.midP += 1 }
      if try MultipleComparison.cochranQ(found).p <= 0.05 { early.q += 1 }
    }
    // 20 expected with a deviation of 4.4; McNemar's correction and exact tails find fewer.
    #expect(early.mcNemar <= 30 && early.midP <= 34 && (6...36).contains(early.q), "\(early)")
    #expect(early.mcNemar <= early.midP)
  }

  @Test func `a gap on shared rows is found more often by McNemar than by proportions`() throws {
    var found = (mcNemar: 0, proportions: 0)
    for seed in 0..<60 as Range<UInt64> {
      var generator = RandomGenerator(seed: seed)
      let n = 2_000
      var (a, b) = (Bitmap(count: n), Bitmap(count: n))
      for row in 0..<n {
        // Both are right on most rows; where one of them is not, the first more often is.
        let hard = generator.nextDouble()
        a[row] = hard < 0.88
        b[row] = hard < 0.84 || (hard > 0.88 && hard < 0.90)
      }
      let hits = try HitTable(rowCount: n, hits: [("a", a), ("b", b)])
      if PairedTest.mcNemar(hits.discordance(0, 1)).p < 0.05 { found.mcNemar += 1 }
      let z = try PairedTest.proportions(hits: a.population, of: n, otherHits: b.population, of: n)
      if z.p < 0.05 { found.proportions += 1 }
    }
    #expect(found.mcNemar > found.proportions + 10, "\(found)")
  }

  @Test func `five halvings of two learners`() throws {
    var rows = gaussianMatrix(rowCount: 60, columnCount: 4, seed: 3)
    let classes = (0..<60).map { $0 % 2 }
    for row in 0..<60 { rows[row, 0] += Float(3 * classes[row]) }
    let input = try LabeledRows(rows, labels: classes)
    let run = RunContext(seed: 1)
    let halvings = try LearnerComparison(isStratified: true).halvings(
      ReferenceLearner.centroid.learner(input), ReferenceLearner.majority.learner(input),
      labels: classes, in: run)
    #expect(try PairedTest.combinedF(halvings).p < 0.05)
    let same = try LearnerComparison().halvings(
      ReferenceLearner.centroid.learner(input), ReferenceLearner.centroid.learner(input),
      labels: classes, in: run)
    let undefined = try PairedTest.combinedF(same)
    #expect(undefined.p.isNaN && undefined.warnings[0].contains("equal"))
    let certain = try PairedTest.uncorrectedT([0.5, 0.5, 0.5])
    #expect(certain.p == 0 && certain.statistic == .infinity)
  }

  @Test func `ranks over data sets, their cliques, and signs`() throws {
    // The first is best everywhere, the last worst: rank sums are known.
    let scores = (0..<12).map { set in [0.9, 0.8, 0.5 + 0.01 * Double(set % 3), 0.1] }
    let found = try MultipleComparison.friedman(scores)
    #expect(found.meanRanks == [1, 2, 3, 4])
    #expect(found.friedman.p < 1e-5 && found.imanDavenport.p <= found.friedman.p)
    // q at 5 % of four is 3.633; 3.633 / √2 · √(20 / 72).
    #expect(abs(found.criticalDifference - 1.354) < 1e-3)
    #expect(found.cliques == [[0, 1], [1, 2], [2, 3]])
    let equal = try MultipleComparison.friedman([[1, 1, 1], [2, 2, 2]])
    #expect(equal.friedman.p.isNaN && equal.cliques == [[0, 1, 2]])
    // All ways to sign 3 ranks: the smallest sum is 0, and 2 of 8 are as far out.
    #expect(try PairedTest.signedRanks([1, 2, 3]).p == 0.25)
    #expect(try PairedTest.signedRanks([0, 0]).p.isNaN)
    for seed in 0..<10 as Range<UInt64> {
      var generator = RandomGenerator(seed: seed)
      let gaps = (0..<9).map { _ in (generator.nextGaussian() * 3).rounded() }
      let kept = gaps.filter { $0 != 0 }
      let ranks = Statistics.ranks(kept.map { abs($0) })
      let own = zip(kept, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
      let low = min(own, ranks.reduce(0, +) - own)
      let all = 1 << kept.count
      let few = (0..<all).count { signs in
        ranks.indices.reduce(0) { $0 + (signs >> $1 & 1 == 1 ? ranks[$1] : 0) } <= low
      }
      let found = try PairedTest.signedRanks(gaps).p
      #expect(abs(found - min(1, 2 * Double(few) / Double(all))) < 1e-12)
    }
  }

  @Test func `what cannot be compared is said`() throws {
    expectError(.dimensionMismatch, "'b' has 2 predictions for 3 rows") {
      try HitTable(truth: [1, 2, 3], predictions: [("a", [1, 2, 3]), ("b", [1, 2])])
    }
    expectError(.invalidArgument, "one name") {
      try HitTable(truth: [1], predictions: [("a", [1]), ("a", [2])])
    }
    let one = try HitTable(truth: [1, 2], predictions: [("a", [1, 1])])
    expectError(.invalidArgument, "2 models at least, got 1") {
      _ = try MultipleComparison.cochranQ(one)
    }
    let same = try HitTable(truth: [1, 2], predictions: [("a", [1, 1]), ("b", [1, 1])])
    #expect(try MultipleComparison.cochranQ(same).p.isNaN)
    #expect(try MultipleComparison.looneyF(same).p.isNaN)
    expectError(.invalidArgument, "5 halvings, got 2") {
      try PairedTest.combinedF([.init(0, 1), .init(1, 0)])
    }
    expectError(.badData, "part 1", "nan") { try PairedTest.uncorrectedT([0, .nan]) }
    expectError(.badData, "row 1, column 0") {
      try MultipleComparison.friedman([[1, 2], [.nan, 2]])
    }
    expectError(.dimensionMismatch, "data set 1 has 3 scores") {
      try MultipleComparison.friedman([[1, 2], [1, 2, 3]])
    }
    #expect(MultipleComparison.Adjustment.holm.adjusted([0.01, .nan, 0.04])[0] == 0.02)
  }
}

@Suite struct NestedSelectionTests {
  /// Chooses the columns that separate the classes best, on the rows it learns from or on all.
  private func filtered(
    _ rows: Matrix, _ classes: [Int], isNaive: Bool
  ) -> Learner {
    Learner("filtered") { (training, asked, _) throws(BasisError) in
      let seen = isNaive ? Array(classes.indices) : training
      var gaps: [(gap: Float, column: Int)] = []
      for column in 0..<rows.columnCount {
        var gap: Float = 0
        for row in seen { gap += classes[row] == 1 ? rows[row, column] : -rows[row, column] }
        gaps.append((abs(gap), column))
      }
      let kept = gaps.sorted { $0.gap > $1.gap }.prefix(5).map(\.column)
      let few = Matrix(rowCount: rows.rowCount, columnCount: kept.count) { out in
        for row in 0..<rows.rowCount {
          for (place, column) in kept.enumerated() {
            out[row * kept.count + place] = rows[row, column]
          }
        }
      }
      return try ReferenceLearner.centroid.learner(LabeledRows(few, labels: classes))
        .answers(learning: training, asked: asked, in: RunContext())
    }
  }

  @Test func `choosing columns on all rows looks like skill, inside folds it does not`() throws {
    var (naive, honest) = (0.0, 0.0)
    for seed in 0..<6 as Range<UInt64> {
      let rows = gaussianMatrix(rowCount: 50, columnCount: 100, seed: seed)
      let classes = (0..<50).map { $0 % 2 }
      let plan = try Resampler(.folds(5, repeats: 1), isStratified: true)
        .plan(rowCount: 50, labels: classes, in: RunContext(seed: seed))
      let run = RunContext(seed: seed)
      naive +=
        try Statistics.mean(
          filtered(rows, classes, isNaive: true).accuracies(plan, labels: classes, in: run)) / 6
      let nested = try NestedSelection(innerFolds: 2)
        .select([filtered(rows, classes, isNaive: false)], labels: classes, in: run)
      honest += nested.accuracy / 6
    }
    #expect(naive > 0.65 && abs(honest - 0.5) < 0.1, "\(naive) \(honest)")
  }

  @Test func `the better candidate is chosen, within one standard error the simpler`() throws {
    var rows = gaussianMatrix(rowCount: 60, columnCount: 3, seed: 2)
    let classes = (0..<60).map { $0 % 2 }
    for row in 0..<60 { rows[row, 1] += Float(4 * classes[row]) }
    let input = try LabeledRows(rows, labels: classes)
    let candidates = [ReferenceLearner.majority, .centroid, .neighbor].map { $0.learner(input) }
    let run = RunContext(seed: 3)
    let found = try NestedSelection().select(candidates, labels: classes, in: run)
    #expect(found.choice != 0 && found.accuracy > 0.85 && found.outer.count == 5)
    #expect(found.outer.allSatisfy { $0.choice != 0 && $0.innerAccuracies.count == 3 })
    #expect(
      found
        == (try NestedSelection().select(
          candidates, labels: classes, in: RunContext(seed: 3, threadLimit: 1))))
    let scores = [[0.7, 0.8, 0.9], [0.8, 0.85, 0.9], [0.9, 0.8, 0.9]]
    #expect(NestedSelection.choice(scores, isWithinOneStandardError: false) == 2)
    // The best is 0.867 with an error of 0.033: the second, not the first, comes within.
    #expect(NestedSelection.choice(scores, isWithinOneStandardError: true) == 1)
    expectError(.invalidArgument, "no candidate") {
      try NestedSelection().select([], labels: classes, in: run)
    }
  }

  @Test func `advice follows what there is`() throws {
    func method(_ task: Advisor.Task, _ rows: Int, _ change: (inout Advisor) -> Void = { _ in })
      throws -> String
    {
      var advisor = Advisor(task, rowCount: rows)
      if task != .estimate { advisor.modelCount = 2 }
      change(&advisor)
      return try advisor.advice().method
    }
    #expect(try method(.estimate, 10_000).hasPrefix("hold-out"))
    #expect(try method(.estimate, 60) == ".632+ bootstrap")
    #expect(try method(.estimate, 60) { $0.affordableFits = 10 } == "5-fold cross-validation")
    #expect(try method(.compareModels, 500) == "McNemar")
    #expect(try method(.compareModels, 500) { $0.isPaired = false }.contains("proportions"))
    #expect(try method(.compareModels, 500) { $0.modelCount = 4 }.contains("Cochran"))
    #expect(try method(.compareLearners, 500) == "5×2 F")
    #expect(try method(.compareLearners, 500) { $0.dataSetCount = 9 }.contains("Wilcoxon"))
    #expect(
      try method(.compareModels, 500) { ($0.dataSetCount, $0.modelCount) = (9, 3) }
        .contains("Nemenyi"))
    #expect(try method(.select, 500).contains("nested"))
    #expect(try method(.select, 100_000).contains("three"))
    var rare = Advisor(.estimate, rowCount: 200)
    rare.rarestClass = 4
    #expect(try rare.advice().warnings.contains { $0.contains("4 rows") })
    expectError(.invalidArgument, "2 models") { _ = try Advisor(.select, rowCount: 9).advice() }
  }
}
