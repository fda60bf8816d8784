import BasisCore
import BasisNumerics
import Testing
import _BasisTestSupport

private func gaussians(_ count: Int, mean: Double = 0, seed: UInt64) -> [Double] {
  var generator = RandomGenerator(seed: seed)
  return (0..<count).map { _ in mean + generator.nextGaussian() }
}

private func percentile(resampleCount: Int = 10_000, confidence: Double = 0.95)
  -> Statistics.Bootstrap
{
  Statistics.Bootstrap(
    method: .percentile, resampleCount: resampleCount, confidence: confidence)
}

@Suite struct BootstrapOfMeansTests {
  @Test func `the interval of many values is the normal one`() throws {
    let values = gaussians(400, mean: 3, seed: 1)
    let mean = values.reduce(0, +) / 400
    let error = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400).squareRoot() / 20
    let interval = try percentile().interval(ofMeanOf: values, in: RunContext())
    // The 2.5 % point of 10,000 draws has a standard error of 0.027 standard deviations.
    #expect(abs(interval.lower - (mean - 1.96 * error)) < 0.12 * error)
    #expect(abs(interval.upper - (mean + 1.96 * error)) < 0.12 * error)
    #expect(interval.confidence == 0.95)
  }

  @Test func `it holds the true mean about as often as it says`() throws {
    let bootstrap = percentile(resampleCount: 400, confidence: 0.9)
    let hits = try (0..<300 as Range<UInt64>).count { seed in
      let interval = try bootstrap.interval(
        ofMeanOf: gaussians(60, mean: 1, seed: seed), in: RunContext(seed: seed, threadLimit: 1))
      return interval.lower <= 1 && 1 <= interval.upper
    }
    // 270 expected; the standard deviation of a binomial count is 5.
    #expect(hits > 270 - 25 && hits < 270 + 20, "\(hits) of 300")
  }

  @Test func `a seed gives one answer at any number of threads`() throws {
    let values = gaussians(50, seed: 2)
    let bootstrap = percentile(resampleCount: 3000)
    let one = try bootstrap.interval(ofMeanOf: values, in: RunContext(seed: 7, threadLimit: 1))
    let two = try bootstrap.interval(ofMeanOf: values, in: RunContext(seed: 7, threadLimit: 3))
    let other = try bootstrap.interval(ofMeanOf: values, in: RunContext(seed: 8))
    #expect(one == two)
    #expect(one != other)
    #expect(one.lower < one.upper)
  }

  @Test func `few and equal values`() throws {
    let run = RunContext()
    for values in [[0.25], [0.5, 0.5, 0.5]] {
      let interval = try percentile(resampleCount: 10).interval(ofMeanOf: values, in: run)
      #expect(interval.lower == values[0] && interval.upper == values[0])
    }
    expectError(.invalidArgument, "0 rows") {
      try percentile().interval(ofMeanOf: [], in: run)
    }
    expectError(.badData, "value 1 is nan") {
      try percentile().interval(ofMeanOf: [1, .nan], in: run)
    }
    expectError(.invalidArgument, "0 resamples") {
      try percentile(resampleCount: 0).interval(ofMeanOf: [1], in: run)
    }
    expectError(.invalidArgument, "confidence") {
      try percentile(confidence: 1).interval(ofMeanOf: [1], in: run)
    }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try percentile().interval(ofMeanOf: [1, 2], in: cancelled) }
  }
}
