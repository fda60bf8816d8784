import BasisCore
import Testing
import _BasisTestSupport

@testable import BasisFeatures

/// What chance gives, against all orders of small tables.
@Suite struct NullTests {
  /// Mean and variance of the mutual information over all orders of the labels.
  private static func enumerated(_ rows: [Int], _ columns: [Int]) -> (
    mean: Double, variance: Double
  ) {
    let x = rows.enumerated().flatMap { Array(repeating: $0, count: $1) }
    let n = x.count
    var table = [[Int]](repeating: [Int](repeating: 0, count: columns.count), count: rows.count)
    var left = columns
    var (weight, first, second) = (0.0, 0.0, 0.0)
    // Each different sequence of labels once: they all come as often.
    func visit(_ row: Int) {
      guard row < n else {
        var information = 0.0
        for (i, cells) in table.enumerated() {
          for (j, count) in cells.enumerated() where count > 0 {
            let k = Double(count)
            information +=
              k / Double(n)
              * logarithm(k * Double(n) / (Double(rows[i]) * Double(columns[j])))
          }
        }
        weight += 1
        first += information
        second += information * information
        return
      }
      for label in columns.indices where left[label] > 0 {
        left[label] -= 1
        table[x[row]][label] += 1
        visit(row + 1)
        table[x[row]][label] -= 1
        left[label] += 1
      }
    }
    visit(0)
    let mean = first / weight
    return (mean, second / weight - mean * mean)
  }

  private static func totals(_ counts: [Int]) -> [Total] {
    Dictionary(grouping: counts) { $0 }.map { Total(rowCount: $0.key, valueCount: $0.value.count) }
      .sorted { $0.rowCount < $1.rowCount }
  }

  @Test(arguments: [
    ([3, 4], [2, 5]), ([5, 2], [1, 6]), ([2, 2, 3], [3, 4]), ([2, 2, 3], [1, 2, 4]),
    ([6, 1, 1], [5, 2, 1]), ([2, 2, 2, 2], [2, 3, 3]), ([4, 4], [4, 4]), ([9, 2], [3, 8]),
    ([1, 9], [9, 1]), ([3, 3, 3], [3, 3, 3]), ([7, 1, 1, 1], [2, 2, 6]), ([1, 2, 3, 4], [5, 5]),
  ])
  func `mean and spread are those of all orders`(rows: [Int], columns: [Int]) {
    let n = rows.reduce(0, +)
    let truth = Self.enumerated(rows, columns)
    let null = PermutationNull(rows: Self.totals(rows), columns: Self.totals(columns), n: n)
    // Squares of numbers near 1 are subtracted in the naive loop.
    #expect(abs(null.mean - truth.mean) < 1e-13, "\(null.mean) \(truth.mean)")
    #expect(abs(null.variance - truth.variance) < 1e-13, "\(null.variance) \(truth.variance)")
    let turned = PermutationNull(rows: Self.totals(columns), columns: Self.totals(rows), n: n)
    #expect(abs(null.mean - turned.mean) < 1e-13 && abs(null.variance - turned.variance) < 1e-13)
  }

  @Test func `what the totals fix has no spread`() {
    for (rows, columns) in [([Int](repeating: 1, count: 9), [4, 5]), ([9], [4, 5]), ([9], [9])] {
      let null = PermutationNull(rows: Self.totals(rows), columns: Self.totals(columns), n: 9)
      #expect(null.variance == 0, "\(rows)")
    }
    #expect(PermutationNull(rows: [], columns: [], n: 0).variance.isNaN == true)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `at sizes that cannot be listed it is what many orders give`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    // Totals from one row to most rows, on both sides.
    let n = 400
    let x = (0..<n).map { _ -> Int in
      let u = generator.nextDouble()
      return u < 0.55 ? 0 : Int(60 * u * u)
    }
    let y = draws(n, below: seed % 2 == 0 ? 2 : 7, &generator).map { $0 * $0 % 5 }
    let columns = try labeled([("x", x)], y)
    let shuffles = 600
    let exact = try OutRank().rank(columns, in: RunContext()).features[0].statistic
    let drawn = try OutRank(heuristic: .corrected(.permutations(shuffles)))
      .rank(columns, in: RunContext(seed: seed)).features[0].statistic
    let deviation = try #require(exact.deviation)
    let error = deviation / Double(shuffles).squareRoot()
    #expect(abs((exact.expected ?? 0) - (drawn.expected ?? 0)) < 4 * error)
    // A standard deviation of m draws is known to about 1 / √(2m).
    let ratio = (drawn.deviation ?? 0) / deviation
    #expect(abs(ratio - 1) < 4.5 / Double(2 * shuffles).squareRoot(), "\(ratio)")
    #expect(exact.value == drawn.value)
  }

  @Test func `probabilities are the hypergeometric ones`() {
    for (a, b, n) in [(3, 5, 9), (7, 8, 10), (1, 1, 2), (5, 5, 5), (20, 30, 1000)] {
      let (low, weights) = CellMoments.hypergeometric(a, b, of: n)
      for (place, weight) in weights.enumerated() {
        let k = low + place
        let ways = Double(FeatureCombiner.binomial(b, k)) * choose(n - b, a - k) / choose(n, a)
        #expect(abs(weight - ways) < 1e-12, "\(a) \(b) \(n) \(k)")
      }
      #expect(low >= max(0, a + b - n) && low + weights.count - 1 <= min(a, b))
    }
  }

  private func choose(_ n: Int, _ k: Int) -> Double {
    (0..<max(k, 0)).reduce(k < 0 ? 0 : 1) { $0 * Double(n - $1) / Double($1 + 1) }
  }
}
