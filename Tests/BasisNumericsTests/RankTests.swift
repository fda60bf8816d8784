import BasisCore
import BasisNumerics
import Testing

@Suite struct RankTests {
  @Test func `ranks and correlations, ties included`() {
    #expect(Statistics.ranks([3, 1, 2]) == [3, 1, 2])
    #expect(Statistics.ranks([2, 1, 2, 0, 2]) == [4, 2, 4, 1, 4])
    #expect(Statistics.ranks([]) == [])
    #expect(Statistics.ranks([1, .nan]).allSatisfy { $0.isNaN })
    #expect(abs(Statistics.rankCorrelation([1, 2, 3, 4], [1, 4, 9, 1e9]) - 1) < 1e-12)
    #expect(abs(Statistics.rankCorrelation([1, 2, 3, 4], [3, 2, 1, 0]) + 1) < 1e-12)
    // scipy.stats.spearmanr([1, 2, 2, 3, 5], [2, 1, 4, 4, 3]) and pearsonr of the same.
    let (x, y) = ([1.0, 2, 2, 3, 5], [2.0, 1, 4, 4, 3])
    #expect(abs(Statistics.rankCorrelation(x, y) - 0.3947368421052632) < 1e-12)
    #expect(abs(Statistics.correlation(x, y) - 0.3287191293257129) < 1e-12)
    for (x, y) in [([], []), ([1.0], [1.0]), ([1, 1], [1, 2]), ([1, 2], [3, 3])] {
      #expect(Statistics.rankCorrelation(x, y).isNaN)
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `rising maps change no rank`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let x = (0..<30).map { _ in generator.nextGaussian() }
    let y = x.map { $0 + generator.nextGaussian() }
    let bent = y.map { $0 * $0 * $0 + $0 }
    let value = Statistics.rankCorrelation(x, y)
    #expect(value > -1 && value < 1)
    #expect(Statistics.rankCorrelation(x, bent) == value)
    #expect(Statistics.rankCorrelation(y, x) == value)
    #expect(abs(Statistics.rankCorrelation(x, y.map { -$0 }) + value) < 1e-12)
  }

  @Test func `critical values are scipy's`() {
    for (degrees, confidence, wanted) in [
      (1.0, 0.95, 12.706204736174694), (4, 0.95, 2.7764451051977934),
      (30, 0.99, 2.7499956535672254),
      (1e6, 0.95, 1.959966356814107),
    ] {
      let found = StudentDistribution(degreesOfFreedom: degrees).criticalValue(
        confidence: confidence)
      #expect(abs(found - wanted) < 1e-8 * wanted, "\(degrees): \(found)")
    }
    #expect(StudentDistribution(degreesOfFreedom: 3).criticalValue(confidence: 0) < 1e-9)
  }
}
