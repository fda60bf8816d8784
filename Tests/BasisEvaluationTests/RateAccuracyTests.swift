import BasisCore
import BasisEvaluation
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@Suite struct RateAccuracyTests {
  /// `Scripts/oracles/rate_accuracy.py`.
  struct Fixture: Decodable {
    struct Curve: Decodable {
      var x: [Double]
      var y: [Double]
      var at: [Double]
      var values: [Double]
      var integral: Double
    }

    struct Rates: Decodable {
      var anchorRates: [Double]
      var anchorAccuracies: [Double]
      var testRates: [Double]
      var testAccuracies: [Double]
      var difference: Double
    }

    var curves: [Curve]
    var rates: [Rates]

    static func read() throws -> Fixture {
      let url = try #require(
        Bundle.module.url(
          forResource: "rate_accuracy", withExtension: "json", subdirectory: "Fixtures"))
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  private func curve(_ rates: [Double], _ accuracies: [Double]) throws -> RateAccuracyCurve {
    try RateAccuracyCurve(
      zip(rates, accuracies).map { .init("\($0)", rate: $0, accuracy: $1) })
  }

  @Test func `monotone cubics have scipy's values and areas`() throws {
    for one in try Fixture.read().curves {
      let curve = try MonotoneCubic(x: one.x, y: one.y)
      for (at, value) in zip(one.at, one.values) {
        #expect(abs(curve.value(at: at) - value) < 1e-11)
      }
      #expect(abs(curve.integral(over: one.at[2]...one.at[7]) - one.integral) < 1e-11)
    }
  }

  @Test func `differences of rates are those of bjontegaard`() throws {
    for one in try Fixture.read().rates {
      let (anchor, test) = (
        try curve(one.anchorRates, one.anchorAccuracies),
        try curve(one.testRates, one.testAccuracies)
      )
      #expect(abs(try test.rateDifference(from: anchor) - one.difference) < 1e-6)
      #expect(abs(try anchor.rateDifference(from: anchor)) < 1e-12)
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `curves stay between their points, and equal factors are equal differences`(seed: UInt64)
    throws
  {
    var generator = RandomGenerator(seed: seed)
    var (x, y) = ([Double](), [Double]())
    for _ in 0..<6 {
      x.append((x.last ?? 0) + 0.01 + generator.nextDouble())
      y.append(generator.nextGaussian())
    }
    let curve = try MonotoneCubic(x: x, y: y)
    for piece in 0..<5 {
      let (low, high) = (min(y[piece], y[piece + 1]), max(y[piece], y[piece + 1]))
      for step in 0...10 {
        let value = curve.value(at: x[piece] + (x[piece + 1] - x[piece]) * Double(step) / 10)
        #expect(value >= low - 1e-9 && value <= high + 1e-9)
      }
    }
    let rising = y.map { $0.magnitude }.reduce(into: [50.0]) { $0.append($0[$0.count - 1] + $1) }
    let rates = x + [x[5] + 1]
    let less = try self.curve(rates.map { $0 * 0.7 }, rising)
    #expect(abs(try less.rateDifference(from: self.curve(rates, rising)) + 0.3) < 1e-9)
  }

  @Test func `the frontier, and the cheapest that is good enough`() throws {
    let curve = try curve([4, 1, 2, 3], [90, 70, 80, 79])
    #expect(curve.frontier.map(\.rate) == [1, 2, 4])
    #expect(curve.cheapest(losing: 10, of: 90)?.rate == 2)
    #expect(curve.cheapest(losing: 1, of: 95) == nil)
    #expect(try self.curve([], []).frontier.isEmpty)
  }

  @Test func `what cannot be compared is an error`() throws {
    let low = try curve([1, 2], [10, 20])
    expectError(.invalidArgument, "no accuracies in common") {
      try low.rateDifference(from: curve([1, 2], [30, 40]))
    }
    expectError(.invalidArgument, "two rates") { try low.rateDifference(from: curve([1], [10])) }
    expectError(.invalidArgument, "'0.0'") { try curve([0], [1]) }
    expectError(.invalidArgument, "point 1") { try MonotoneCubic(x: [1, 1], y: [0, 0]) }
    expectError(.invalidArgument, "two points") { try MonotoneCubic(x: [1], y: [0]) }
  }
}
