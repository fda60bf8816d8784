import BasisCore
import Testing
import _BasisTestSupport

@Suite struct QueryScorerTests {
  @Test(arguments: Metric.allCases) func `distances are what the metric says`(metric: Metric) {
    var generator = RandomGenerator(seed: 6)
    for n in [1, 3, 17, 33, 384] {
      let (a, b) = (gaussians(n, &generator), gaussians(n, &generator))
      let (dot, bound) = dotReference(a, b)
      let expected: Double
      let tolerance: Double
      switch metric {
      case .innerProduct: (expected, tolerance) = (-dot, bound)
      case .squaredEuclidean: (expected, tolerance) = distanceReference(a, b)
      case .cosine:
        let norms = dotReference(a, a).sum.squareRoot() * dotReference(b, b).sum.squareRoot()
        // Half the norms' relative errors, the square roots', reciprocals' and products', and the
        // final subtraction.
        (expected, tolerance) = (1 - dot / norms, bound / norms + Double(n + 10) * 0x1p-24)
      }
      #expect(abs(Double(metric.distance(a, b)) - expected) <= tolerance)
    }
  }

  @Test(arguments: Metric.allCases)
  func `a row has one distance however it is scored`(metric: Metric) {
    for seed in 0..<20 as Range<UInt64> {
      var generator = RandomGenerator(seed: seed)
      let rowCount = 1 + generator.nextInt(below: 30)
      let dimension = 1 + generator.nextInt(below: 80)
      var rows = gaussianMatrix(rowCount: rowCount, columnCount: dimension, seed: seed + 50)
      for column in 0..<dimension { rows[0, column] = 0 }
      let query = gaussians(dimension, &generator)
      let scorer = QueryScorer(query, metric: metric)
      let norms = rows.inverseNorms()
      let ids = (0..<rowCount).map { UInt32($0) }.reversed() as [UInt32]
      var block = [Float](repeating: 0, count: rowCount)
      var gathered = block
      rows.withUnsafeFloats { floats in
        guard let base = floats.baseAddress else { return }
        scorer.distances(
          to: base, rowCount: rowCount, stride: dimension, inverseNorms: norms, into: &block)
        ids.withUnsafeBufferPointer {
          scorer.distances(
            to: base, ids: $0, stride: dimension, inverseNorms: norms, into: &gathered)
        }
        for row in 0..<rowCount {
          let alone = scorer.distance(to: base + row * dimension, inverseNorm: norms[row])
          #expect(alone == block[row] && alone == gathered[rowCount - 1 - row])
          #expect(alone == metric.distance(query, rows.row(row)))
        }
      }
    }
  }

  @Test func `a vector of zeros is at cosine distance 1 from everything`() {
    let zero = [Float](repeating: 0, count: 9)
    let other = (0..<9).map { Float($0) }
    #expect(Metric.cosine.distance(zero, other) == 1)
    #expect(Metric.cosine.distance(other, zero) == 1)
    #expect(Metric.cosine.distance(zero, zero) == 1)
    #expect(Metric.cosine.distance([], []) == 1)
    #expect(Metric.squaredEuclidean.distance([], []) == 0)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `cosine stays between 0 and 2 and ignores scale`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let a = gaussians(1 + generator.nextInt(below: 50), &generator)
    let opposite = a.map { -$0 }
    #expect((0...3e-7).contains(Metric.cosine.distance(a, a)))
    #expect((2 - 5e-7...2).contains(Metric.cosine.distance(a, opposite)))
    let b = gaussians(a.count, &generator)
    // Powers of two scale without rounding.
    #expect(Metric.cosine.distance(a.map { $0 * 1024 }, b) == Metric.cosine.distance(a, b))
  }

  @Test(arguments: Metric.allCases) func `NaN stays NaN`(metric: Metric) {
    #expect(metric.distance([1, .nan], [1, 2]).isNaN)
  }
}
