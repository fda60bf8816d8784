import Foundation
import Testing

@testable import BasisNumerics

/// Against scipy: `Scripts/oracles/student_distribution.py`.
@Suite struct StudentDistributionTests {
  struct Fixture: Decodable {
    var tolerance: Double
    /// Degrees of freedom, t, the two-sided tail.
    var tails: [[Double]]
    /// x, ln Γ(x).
    var logarithmsOfGamma: [[Double]]
  }

  private func load() throws -> Fixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "student_distribution", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  @Test func `tails have scipy's values, the tiny ones too`() throws {
    let fixture = try load()
    for row in fixture.tails {
      let found = StudentDistribution(degreesOfFreedom: row[0]).twoSidedTail(row[1])
      // The difference of two logarithms of Γ loses digits as they grow.
      let tolerance = fixture.tolerance * max(1, row[0] / 1e4)
      #expect(abs(found - row[2]) <= tolerance * row[2] + 1e-300, "\(row), got \(found)")
    }
  }

  @Test func `the logarithm of Γ has scipy's values`() throws {
    for row in try load().logarithmsOfGamma {
      #expect(abs(logGamma(row[0]) - row[1]) <= 1e-13 * max(1, abs(row[1])), "\(row)")
    }
  }

  @Test func `tails fall, both sides add up, the ends are exact`() {
    for degrees in [1.0, 3, 30] {
      let distribution = StudentDistribution(degreesOfFreedom: degrees)
      var last = 1.0
      for step in 0...200 {
        let t = Double(step) / 10
        let tail = distribution.twoSidedTail(t)
        #expect(tail <= last && tail >= 0)
        #expect(distribution.twoSidedTail(-t) == tail)
        #expect(abs(distribution.cumulative(t) + distribution.cumulative(-t) - 1) < 1e-15)
        last = tail
      }
      #expect(distribution.twoSidedTail(0) == 1)
      #expect(distribution.twoSidedTail(.infinity) == 0)
      #expect(distribution.twoSidedTail(.nan).isNaN)
    }
    // One degree is Cauchy's distribution.
    let cauchy = StudentDistribution(degreesOfFreedom: 1)
    #expect(abs(cauchy.cumulative(1) - 0.75) < 1e-14)
    // Near 0 its tail is 1 − 2t/π, where scipy answers 1.
    #expect(abs(cauchy.twoSidedTail(1e-9) - (1 - 2e-9 / .pi)) < 1e-15)
  }
}
