import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisNumerics

/// Against numpy and scipy: `Scripts/oracles/statistics.py`.
@Suite struct StatisticsTests {
  struct Fixture: Decodable {
    struct Sample: Decodable {
      var name: String
      var values: [Double]
      var mean: Double
      var populationVariance: Double
      var variance: Double?
      var probabilities: [Double]
      var quantiles: [Double]
    }

    struct Normal: Decodable {
      var z: [Double]
      var cumulative: [Double]
      var p: [Double]
      var quantile: [Double]
    }

    struct Interval: Decodable {
      var sample: String
      var statistic: String
      var seed: UInt64
      var resampleCount: Int
      var confidence: Double
      var estimate: Double
      var standardError: Double
      var percentile: [Double]
      var biasCorrected: [Double]
    }

    var moments: [Sample]
    var normal: Normal
    var intervals: [Interval]

    static func load() throws -> Fixture {
      let url = try #require(
        Bundle.module.url(
          forResource: "statistics", withExtension: "json", subdirectory: "Fixtures"))
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  /// How far a sum of the values, and the squares of their deviations, may be off when each is
  /// rounded: *n* units of the largest, and twice over because numpy rounds too.
  private func tolerances(_ values: [Double]) -> (mean: Double, variance: Double) {
    let n = Double(values.count)
    let largest = values.map { abs($0) }.max() ?? 0
    let mean = 2 * n * 0x1p-53 * largest
    let deviation = values.map { abs($0 - values[0]) }.max() ?? 0
    // A mean that is off enters squared; a deviation carries the rounding of the subtraction.
    return (mean, 2 * (n + 4) * 0x1p-53 * deviation * deviation + mean * mean)
  }

  // MARK: Moments and quantiles

  @Test func `moments and quantiles are those of numpy`() throws {
    for sample in try Fixture.load().moments {
      let values = sample.values
      let tolerance = tolerances(values)
      var streamed = Moments()
      for value in values { streamed.add(value) }
      let whole = Moments(values)
      #expect(abs(Statistics.mean(values) - sample.mean) <= tolerance.mean)
      #expect(abs(streamed.mean - sample.mean) <= tolerance.mean)
      #expect(abs(whole.populationVariance - sample.populationVariance) <= tolerance.variance)
      if let variance = sample.variance {
        #expect(abs(Statistics.variance(values) - variance) <= 2 * tolerance.variance)
        // The running mean is off by its own rounding at every step.
        let slack = tolerance.mean * (values.max()! - values.min()!)
        #expect(abs(streamed.variance - variance) <= 2 * tolerance.variance + 2 * slack)
      } else {
        #expect(Statistics.variance(values).isNaN && streamed.variance.isNaN)
      }
      let quantiles = Statistics.quantiles(values, sample.probabilities)
      for (found, expected) in zip(quantiles, sample.quantiles) {
        #expect(abs(found - expected) <= 0x1p-51 * abs(expected), "\(sample.name)")
      }
    }
  }

  @Test func `no values have no moments, and one has a mean`() {
    let none: [Double] = []
    #expect(Statistics.mean(none).isNaN && Statistics.variance(none).isNaN)
    #expect(Statistics.quantile(none, 0.5).isNaN)
    #expect(Moments().mean.isNaN && Moments().populationVariance.isNaN)
    #expect(Moments([7]).mean == 7 && Moments([7]).populationVariance == 0)
    #expect(Statistics.quantile([7], 0.3) == 7)
    #expect(Statistics.quantile([1, .nan], 0.5).isNaN)
    #expect(Statistics.quantile([.infinity, 1, .infinity], 0.75) == .infinity)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `moments of parts merge to those of the whole`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let values = (0..<generator.nextInt(below: 200) + 2).map { _ in
      100 + 3 * generator.nextGaussian()
    }
    let (first, second) = (
      generator.nextInt(below: values.count + 1), generator.nextInt(below: values.count + 1)
    )
    let cuts = [0, min(first, second), max(first, second), values.count]
    var merged = Moments()
    for (start, end) in zip(cuts, cuts.dropFirst()) { merged.merge(Moments(values[start..<end])) }
    let whole = Moments(values)
    let tolerance = tolerances(values)
    #expect(merged.count == values.count)
    #expect(abs(merged.mean - whole.mean) <= tolerance.mean)
    #expect(
      abs(merged.squaredDeviations - whole.squaredDeviations)
        <= Double(values.count) * tolerance.variance)
  }

  @Test func `columns have the moments of their values, at any number of threads`() throws {
    var generator = RandomGenerator(seed: 5)
    // More rows than one chunk.
    let rows = (0..<9_000).map { _ in
      [1000 + generator.nextFloat(), Float(generator.nextGaussian()), 3]
    }
    let matrix = try Matrix(rows: rows)
    let found = try Statistics.columnMoments(of: matrix, in: RunContext(threadLimit: 1))
    for threads in [2, 5] {
      #expect(
        try Statistics.columnMoments(of: matrix, in: RunContext(threadLimit: threads)) == found)
    }
    for column in 0..<3 {
      let values = rows.map { Double($0[column]) }
      let tolerance = tolerances(values)
      #expect(found[column].count == 9_000)
      #expect(abs(found[column].mean - Statistics.mean(values)) <= tolerance.mean)
      #expect(
        abs(found[column].variance - Statistics.variance(values)) <= 2 * tolerance.variance)
    }
    #expect(found[2].variance == 0)
    let cancelled = RunContext(threadLimit: 1)
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try Statistics.columnMoments(of: matrix, in: cancelled) }
  }

  // MARK: The normal distribution

  @Test func `the normal distribution is that of scipy`() throws {
    let expected = try Fixture.load().normal
    for (z, wanted) in zip(expected.z, expected.cumulative) {
      // An ulp of z is z² of the tail's.
      let relative = 0x1p-52 * (4 + z * z)
      #expect(abs(StandardNormal.cumulative(z) - wanted) <= relative * wanted, "\(z)")
    }
    for (p, wanted) in zip(expected.p, expected.quantile) {
      // An ulp of p, over the density there.
      let density = exp(-wanted * wanted / 2) / (2 * Double.pi).squareRoot()
      let tolerance = 0x1p-52 * (4 * abs(wanted) + (p < 0.25 ? 0 : 1 / density))
      #expect(abs(StandardNormal.quantile(p) - wanted) <= tolerance, "\(p)")
    }
  }

  @Test func `quantiles of the normal distribution end where it ends`() {
    #expect(StandardNormal.quantile(0) == -.infinity && StandardNormal.quantile(1) == .infinity)
    #expect(StandardNormal.quantile(0.5) == 0)
    #expect(StandardNormal.quantile(-0.1).isNaN && StandardNormal.quantile(.nan).isNaN)
    #expect(StandardNormal.quantile(.leastNonzeroMagnitude) < -38)
    #expect(StandardNormal.cumulative(-.infinity) == 0 && StandardNormal.cumulative(.infinity) == 1)
  }

  // MARK: Intervals

  @Test func `bootstrap intervals are those of scipy`() throws {
    let fixture = try Fixture.load()
    for expected in fixture.intervals {
      let sample = try #require(fixture.moments.first { $0.name == expected.sample }).values
      let statistic: @Sendable ([Int]) -> Double =
        switch expected.statistic {
        case "mean": { Statistics.mean($0.map { sample[$0] }) }
        case "median": { Statistics.quantile($0.map { sample[$0] }, 0.5) }
        default: { Statistics.variance($0.map { sample[$0] }) }
        }
      for (method, bounds) in [
        (Statistics.Bootstrap.Method.percentile, expected.percentile),
        (.biasCorrected, expected.biasCorrected),
      ] {
        let bootstrap = Statistics.Bootstrap(
          method: method, resampleCount: expected.resampleCount, confidence: expected.confidence)
        let found = try bootstrap.interval(
          ofRows: sample.count, in: RunContext(seed: expected.seed), statistic)
        // Rounding of a statistic of n values, relative to the largest square.
        let largest = sample.map { abs($0) }.max() ?? 0
        let tolerance = 8 * Double(sample.count) * 0x1p-52 * (1 + largest * largest)
        #expect(found.method == method)
        #expect(abs(found.estimate - expected.estimate) <= tolerance)
        #expect(abs(found.standardError - expected.standardError) <= tolerance)
        #expect(abs(found.lower - bounds[0]) <= tolerance, "\(expected.statistic) \(method)")
        #expect(abs(found.upper - bounds[1]) <= tolerance, "\(expected.statistic) \(method)")
      }
    }
  }

  private let sample: [Double] = [1.5, -0.5, 3, 2, 8, 0, 1, 1, -2, 4]

  @Test func `an interval is the same at any number of threads, and another for another seed`()
    throws
  {
    let sample = sample
    func interval(_ run: RunContext) throws -> Statistics.ConfidenceInterval {
      try Statistics.Bootstrap(resampleCount: 100).interval(ofRows: sample.count, in: run) { rows in
        Statistics.mean(rows.map { sample[$0] })
      }
    }
    let single = try interval(RunContext(seed: 3, threadLimit: 1))
    #expect(single.lower < single.estimate && single.estimate < single.upper)
    for threads in [2, 5] {
      #expect(try interval(RunContext(seed: 3, threadLimit: threads)) == single)
    }
    #expect(try interval(RunContext(seed: 4)) != single)
  }

  @Test func `an interval of a mean holds it about as often as it says`() throws {
    var held = 0
    for seed in 0..<200 as Range<UInt64> {
      var generator = RandomGenerator(seed: 1_000 + seed)
      let sample = (0..<40).map { _ in generator.nextGaussian() }
      let found = try Statistics.Bootstrap(resampleCount: 200, confidence: 0.9).interval(
        ofRows: sample.count, in: RunContext(seed: seed)
      ) { rows in Statistics.mean(rows.map { sample[$0] }) }
      if found.lower <= 0 && 0 <= found.upper { held += 1 }
    }
    // 180 expected; four standard deviations, and 40 values make it a little narrow.
    #expect(held >= 158 && held <= 197, "\(held) of 200")
  }

  @Test func `without a difference, the interval is a point`() throws {
    let found = try Statistics.Bootstrap(resampleCount: 60).interval(ofRows: 5, in: RunContext()) {
      _ in 2.5
    }
    #expect(found.lower == 2.5 && found.upper == 2.5 && found.standardError == 0)
    #expect(found.method == .percentile)
    let single = try Statistics.Bootstrap(method: .percentile, resampleCount: 1)
      .interval(ofRows: 1, in: RunContext()) { Double($0[0]) }
    #expect(single.lower == 0 && single.upper == 0 && single.standardError.isNaN)
  }

  @Test func `settings of an older version are filled up`() throws {
    let found = try JSONDecoder().decode(
      Statistics.Bootstrap.self, from: Data(#"{"method":"percentile"}"#.utf8))
    #expect(found == Statistics.Bootstrap(method: .percentile))
  }

  @Test func `what cannot be answered is an error`() {
    let run = RunContext()
    expectError(.invalidArgument, "0 rows", "1") {
      try Statistics.Bootstrap(method: .percentile).interval(ofRows: 0, in: run) { _ in 0 }
    }
    expectError(.invalidArgument, "1 rows", "2") {
      try Statistics.Bootstrap().interval(ofRows: 1, in: run) { _ in 0 }
    }
    expectError(.invalidArgument, "49 resamples") {
      try Statistics.Bootstrap(resampleCount: 49).interval(ofRows: 9, in: run) { _ in 0 }
    }
    for confidence in [0, 1, -1, Double.nan] {
      expectError(.invalidArgument, "confidence") {
        try Statistics.Bootstrap(confidence: confidence).interval(ofRows: 9, in: run) { _ in 0 }
      }
    }
    expectError(.badData, "all 9 rows", "nan") {
      try Statistics.Bootstrap().interval(ofRows: 9, in: run) { _ in .nan }
    }
    for threads in [1, 4] {
      expectError(.badData, "resample 0 ", "inf") {
        try Statistics.Bootstrap().interval(ofRows: 9, in: RunContext(threadLimit: threads)) {
          rows in
          rows == Array(0..<9) ? 1 : .infinity
        }
      }
    }
    let cancelled = RunContext(threadLimit: 1)
    cancelled.cancellation.cancel()
    expectError(.cancelled) {
      try Statistics.Bootstrap().interval(ofRows: 9, in: cancelled) { _ in 1 }
    }
  }
}
