import BasisCore
import BasisEvaluation
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

private func gaussians(_ count: Int, mean: Double = 0, seed: UInt64) -> [Double] {
  var generator = RandomGenerator(seed: seed)
  return (0..<count).map { _ in mean + generator.nextGaussian() }
}

@Suite struct PairedComparisonTests {
  /// Against scipy: `Scripts/oracles/paired_tests.py`.
  struct Fixture: Decodable {
    struct Case: Decodable {
      var values: [Double]
      var baseline: [Double]
      var t: Double
      var tTestP: Double
      var randomizationP: Double?
    }

    var tolerance: Double
    var cases: [Case]
  }

  @Test func `t tests and exact randomisation tests have scipy's values`() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "paired_tests", withExtension: "json", subdirectory: "Fixtures"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    for one in fixture.cases {
      let found = try PairedComparison().compare(
        one.values, with: one.baseline, in: RunContext())
      #expect(found.count == one.values.count)
      #expect(abs(found.t - one.t) <= fixture.tolerance * max(1, abs(one.t)))
      #expect(abs(found.tTestP - one.tTestP) <= fixture.tolerance)
      #expect(found.isRandomizationExact == (one.randomizationP != nil))
      if let p = one.randomizationP { #expect(abs(found.randomizationP - p) < 1e-12) }
      #expect(found.interval.lower <= found.mean && found.mean <= found.interval.upper)
      let root = Double(found.count).squareRoot()
      #expect(abs(found.effectSize * root - found.t) < 1e-9 * max(1, abs(found.t)))
    }
  }

  @Test func `the three tests agree on many queries`() throws {
    for (seed, shift) in [(1, 0.0), (2, 0.1), (3, 0.2), (4, 0.3)] as [(UInt64, Double)] {
      let baseline = gaussians(200, seed: seed)
      let values = gaussians(200, mean: shift, seed: seed + 100)
      let found = try PairedComparison().compare(values, with: baseline, in: RunContext())
      // Sampled p values have a standard error of at most 0.005.
      #expect(abs(found.randomizationP - found.tTestP) < 0.02, "\(found)")
      #expect(abs(found.bootstrapP - found.tTestP) < 0.02, "\(found)")
      #expect(!found.isRandomizationExact)
    }
  }

  @Test func `without a difference p is spread evenly`() throws {
    let comparison = PairedComparison(resampleCount: 300)
    var small = (t: 0, randomization: 0, bootstrap: 0)
    for seed in 0..<200 as Range<UInt64> {
      let found = try comparison.compare(
        gaussians(30, seed: seed), with: gaussians(30, seed: seed + 5000),
        in: RunContext(seed: seed, threadLimit: 1))
      if found.tTestP < 0.1 { small.t += 1 }
      if found.randomizationP < 0.1 { small.randomization += 1 }
      if found.bootstrapP < 0.1 { small.bootstrap += 1 }
    }
    // 20 expected, with a standard deviation of 4.2.
    for count in [small.t, small.randomization, small.bootstrap] {
      #expect(count >= 4 && count <= 38, "\(small)")
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `changing sides changes the sign and nothing else`(seed: UInt64) throws {
    let (a, b) = (gaussians(11, seed: seed), gaussians(11, mean: 0.5, seed: seed + 50))
    let one = try PairedComparison().compare(a, with: b, in: RunContext())
    let other = try PairedComparison().compare(b, with: a, in: RunContext())
    #expect(abs(one.mean + other.mean) < 1e-12 && abs(one.t + other.t) < 1e-9)
    #expect(one.randomizationP == other.randomizationP)
    #expect(abs(one.tTestP - other.tTestP) < 1e-12)
    #expect(one.bootstrapP == other.bootstrapP)
  }

  @Test func `equal runs, equal differences, and the same answer at any number of threads`() throws
  {
    let values = gaussians(40, seed: 3)
    let same = try PairedComparison().compare(values, with: values, in: RunContext())
    #expect(same.mean == 0 && same.t == 0 && same.effectSize == 0)
    #expect(same.tTestP == 1 && same.randomizationP == 1 && same.bootstrapP == 1)

    let shifted = try PairedComparison().compare([1, 2, 3], with: [0, 1, 2], in: RunContext())
    #expect(shifted.t == .infinity && shifted.tTestP == 0)
    #expect(shifted.randomizationP == 0.25 && shifted.isRandomizationExact)

    let baseline = gaussians(40, mean: 0.3, seed: 4)
    let one = try PairedComparison().compare(values, with: baseline, in: RunContext(threadLimit: 1))
    let three = try PairedComparison().compare(
      values, with: baseline, in: RunContext(threadLimit: 3))
    #expect(one == three)
  }

  @Test func `what cannot be compared is said`() throws {
    let run = RunContext()
    expectError(.dimensionMismatch, "got 2 and 3") {
      try PairedComparison().compare([1, 2], with: [1, 2, 3], in: run)
    }
    expectError(.invalidArgument, "2 queries at least, got 1") {
      try PairedComparison().compare([1], with: [1], in: run)
    }
    expectError(.badData, "the baseline: value 1 is inf") {
      try PairedComparison().compare([1, 2], with: [1, .infinity], in: run)
    }
    expectError(.invalidArgument, "0 resamples") {
      try PairedComparison(resampleCount: 0).compare([1, 2], with: [1, 3], in: run)
    }
  }
}
