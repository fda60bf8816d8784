import BasisCore
import BasisNumerics
import Testing
import _BasisTestSupport

@Suite struct DetectionMetricsTests {
  @Test func `areas are scikit-learn's, ties included`() throws {
    for one in try DetectionFixture.load().metrics {
      let found = try DetectionMetrics(inside: one.inside, outside: one.outside)
      #expect(abs(found.areaUnderROC - one.auroc) < 1e-12)
      #expect(abs(found.trueNegativeRateAt95 - one.tnr) < 1e-12)
      #expect(found.thresholdAt95 == one.threshold)
      #expect(abs(found.accuracy - one.accuracy) < 1e-12)
      #expect(abs(found.averagePrecisionIn - one.in) < 1e-12)
      #expect(abs(found.averagePrecisionOut - one.out) < 1e-12)
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `areas are those of all pairs and all thresholds`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    // Few values, so that many are equal.
    let steps = 2 + generator.nextInt(below: 30)
    let a = (0..<1 + generator.nextInt(below: 30)).map { _ in
      Double(generator.nextInt(below: steps))
    }
    let b = (0..<1 + generator.nextInt(below: 30)).map { _ in
      Double(generator.nextInt(below: steps))
    }
    let found = try DetectionMetrics(inside: a, outside: b)
    var wins = 0.0
    for x in a { for y in b { wins += x > y ? 1 : x == y ? 0.5 : 0 } }
    #expect(abs(found.areaUnderROC - wins / Double(a.count * b.count)) < 1e-12)

    var area = 0.0
    for (p, q) in zip(found.points, found.points.dropFirst()) {
      #expect(p.threshold > q.threshold)
      area +=
        (q.falsePositiveRate - p.falsePositiveRate) * (p.truePositiveRate + q.truePositiveRate) / 2
    }
    #expect(abs(area - found.areaUnderROC) < 1e-12)
    for point in found.points.dropFirst() {
      let accepted = Double(a.count { $0 >= point.threshold }) / Double(a.count)
      #expect(point.truePositiveRate == accepted)
      #expect(
        point.falsePositiveRate == Double(b.count { $0 >= point.threshold }) / Double(b.count))
    }
    // Turned round, the other kind is sought.
    let turned = try DetectionMetrics(inside: b.map { -$0 }, outside: a.map { -$0 })
    #expect(abs(turned.areaUnderROC - found.areaUnderROC) < 1e-12)
    #expect(abs(turned.averagePrecisionIn - found.averagePrecisionOut) < 1e-12)
    #expect(abs(turned.averagePrecisionOut - found.averagePrecisionIn) < 1e-12)
    #expect(abs(turned.accuracy - found.accuracy) < 1e-12)
  }

  @Test func `the ends are the ends`() throws {
    let best = try DetectionMetrics(inside: [2, 3], outside: [0, 1])
    #expect(best.areaUnderROC == 1 && best.accuracy == 1 && best.trueNegativeRateAt95 == 1)
    #expect(best.averagePrecisionIn == 1 && best.averagePrecisionOut == 1)
    let blind = try DetectionMetrics(inside: [1, 1, 1], outside: [1])
    #expect(blind.areaUnderROC == 0.5 && blind.accuracy == 0.5 && blind.trueNegativeRateAt95 == 0)
    #expect(blind.averagePrecisionIn == 0.75 && blind.averagePrecisionOut == 0.25)
    let worst = try DetectionMetrics(inside: [0], outside: [1])
    #expect(worst.areaUnderROC == 0 && worst.accuracy == 0.5)
    expectError(.badData, "no scores", "of what does not") {
      try DetectionMetrics(inside: [1], outside: [])
    }
    expectError(.badData, "score 1", "of what belongs") {
      try DetectionMetrics(inside: [1, .nan], outside: [1])
    }
    let many = try DetectionMetrics(
      inside: (0..<5000).map { Double($0) }, outside: (0..<5000).map { Double($0) - 0.5 })
    #expect(many.points.count <= 1002)
    #expect(many.points.last?.truePositiveRate == 1)
  }
}
