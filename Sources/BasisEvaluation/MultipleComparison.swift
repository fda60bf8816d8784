public import BasisCore
import BasisNumerics

/// Whether several models differ at all, and then which.
///
/// On one test set ``cochranQ(_:)`` (or ``looneyF(_:)``), then McNemar's test of every pair with *p* put up
/// for their number: ``pairs(_:form:adjustment:)``. Over data sets ``friedman(_:significance:)``, then Nemenyi's critical
/// difference of mean ranks. Looking at pairs first, without putting *p* up, finds differences among
/// equals: of ten pairs two in five.
///
/// Raschka, arXiv:1811.12808, sections 4.4 to 4.6; Demšar, *Statistical comparisons of classifiers over
/// multiple data sets*, JMLR 7 (2006).
public enum MultipleComparison {
  /// How *p* values are put up for their number.
  public enum Adjustment: String, Sendable, Hashable, Codable, CaseIterable {
    case none
    /// By the number of them: an error anywhere is as likely as in one.
    case bonferroni
    /// As safe as Bonferroni's, and finds more. Holm, Scandinavian Journal of Statistics 6 (1979).
    case holm
    /// The share of errors among what is found. Benjamini & Hochberg, JRSS B 57 (1995).
    case benjaminiHochberg = "bh"

    /// - Parameter p: in any order; NaN, for what could not be tested, stays and does not count.
    /// - Returns: adjusted, each at most 1, in the same order.
    public func adjusted(_ p: [Double]) -> [Double] {
      let order = p.indices.filter { !p[$0].isNaN }.sorted { p[$0] < p[$1] }
      let count = Double(order.count)
      var result = p
      switch self {
      case .none: break
      case .bonferroni: for place in order { result[place] = min(1, p[place] * count) }
      case .holm:
        var highest = 0.0
        for (rank, place) in order.enumerated() {
          highest = max(highest, min(1, p[place] * (count - Double(rank))))
          result[place] = highest
        }
      case .benjaminiHochberg:
        var lowest = 1.0
        for (rank, place) in order.enumerated().reversed() {
          lowest = min(lowest, p[place] * count / Double(rank + 1))
          result[place] = lowest
        }
      }
      return result
    }
  }

  private static func requireTwo(_ table: HitTable, _ test: String) throws(BasisError) {
    guard table.modelCount >= 2 else {
      throw BasisError(.invalidArgument, "\(test) is of 2 models at least, got \(table.modelCount)")
    }
  }

  /// Cochran's *Q* of models on the same rows: (L − 1)(L Σ Gⱼ² − T²) / (L T − Σ Lᵢ²), on χ²(L − 1).
  ///
  /// Cochran, *The comparison of percentages in matched samples*, Biometrika 37 (1950),
  /// doi:10.1093/biomet/37.3-4.256. With two models it is McNemar's test without a correction.
  ///
  /// - Throws: `.invalidArgument` for fewer than 2 models.
  public static func cochranQ(_ table: HitTable) throws(BasisError) -> TestOutcome {
    try requireTwo(table, "Cochran's Q")
    let models = Double(table.modelCount)
    let totals = (0..<table.modelCount).map { Double(table.hitCount($0)) }
    let whole = totals.reduce(0, +)
    let squares = totals.reduce(0) { $0 + $1 * $1 }
    let rows = table.hitsPerRow().reduce(0.0) { $0 + Double($1 * $1) }
    let below = models * whole - rows
    guard below > 0 else {
      return .equal("Cochran's Q", "the models are right on the same rows")
    }
    let q = (models - 1) * (models * squares - whole * whole) / below
    return TestOutcome(
      "Cochran's Q", statistic: q, degreesOfFreedom: [models - 1],
      p: ChiSquareDistribution(degreesOfFreedom: models - 1).upperTail(q))
  }

  /// Looney's *F* of models on the same rows: an analysis of variance of hits, with degrees of freedom
  /// (L − 1) and (L − 1)(n − 1).
  ///
  /// Looney, *A statistical technique for comparing the accuracies of several classifiers*, Pattern
  /// Recognition Letters 8 (1988), doi:10.1016/0167-8655(88)90016-5. The second is (L − 1) n in a peer,
  /// mlxtend.
  ///
  /// - Throws: `.invalidArgument` for fewer than 2 models or rows.
  public static func looneyF(_ table: HitTable) throws(BasisError) -> TestOutcome {
    try requireTwo(table, "Looney's F")
    guard table.rowCount >= 2 else {
      throw BasisError(.invalidArgument, "Looney's F is of 2 rows at least, got 1")
    }
    let (models, n) = (Double(table.modelCount), Double(table.rowCount))
    let totals = (0..<table.modelCount).map { Double(table.hitCount($0)) }
    let whole = totals.reduce(0, +)
    let mean = whole * whole / (models * n)
    let between = totals.reduce(0) { $0 + $1 * $1 } / n - mean
    let rows = table.hitsPerRow().reduce(0.0) { $0 + Double($1 * $1) } / models - mean
    let rest = whole - mean - between - rows
    let degrees = [models - 1, (models - 1) * (n - 1)]
    // Whole numbers up to rounding.
    guard rest > 1e-9 * max(1, whole) else {
      return .equal("Looney's F", "no row tells the models apart but for all alike")
    }
    let f = (between / degrees[0]) / (rest / degrees[1])
    return TestOutcome(
      "Looney's F", statistic: f, degreesOfFreedom: degrees,
      p: FisherDistribution(numerator: degrees[0], denominator: degrees[1]).upperTail(f))
  }

  /// Two of several models.
  public struct Pair: Sendable, Hashable, Codable {
    /// The model's place in the table.
    public var first: Int
    public var second: Int
    /// Score of the first less that of the second.
    public var difference: Double
    public var test: TestOutcome
    /// *p* put up for the number of pairs.
    public var adjustedP: Double
  }

  /// McNemar's test of every pair.
  ///
  /// - Throws: `.invalidArgument` for fewer than 2 models.
  public static func pairs(
    _ table: HitTable, form: PairedTest.McNemarForm = .automatic, adjustment: Adjustment = .holm
  ) throws(BasisError) -> [Pair] {
    try requireTwo(table, "a comparison")
    var pairs: [Pair] = []
    for first in 0..<table.modelCount {
      for second in first + 1..<table.modelCount {
        let test = PairedTest.mcNemar(table.discordance(first, second), form)
        pairs.append(
          Pair(
            first: first, second: second,
            difference: table.accuracy(first) - table.accuracy(second), test: test,
            adjustedP: test.p))
      }
    }
    let adjusted = adjustment.adjusted(pairs.map(\.test.p))
    for place in pairs.indices { pairs[place].adjustedP = adjusted[place] }
    return pairs
  }

  /// Models over several data sets.
  public struct RankComparison: Sendable, Hashable, Codable {
    /// Of each model over the data sets, 1 for the best.
    public var meanRanks: [Double]
    public var dataSetCount: Int
    /// Friedman's χ², with ties.
    public var friedman: TestOutcome
    /// The less cautious *F* of Iman and Davenport.
    public var imanDavenport: TestOutcome
    /// Nemenyi's test of every pair by its mean ranks; the difference is of mean ranks, less is better.
    public var pairs: [Pair]
    /// Mean ranks that differ by more are different at this level (Nemenyi).
    public var criticalDifference: Double
    public var significance: Double

    /// Runs of models, best first, none of which differs from another of the run: the bars of a
    /// critical-difference diagram. Each is two or more, and none lies within another.
    public var cliques: [[Int]] {
      let order = meanRanks.indices.sorted { meanRanks[$0] < meanRanks[$1] }
      var found: [[Int]] = []
      var reached = 0
      for start in order.indices {
        var end = start
        while end + 1 < order.count,
          meanRanks[order[end + 1]] - meanRanks[order[start]] <= criticalDifference
        {
          end += 1
        }
        if end > start, end > reached || found.isEmpty { found.append(Array(order[start...end])) }
        reached = max(reached, end)
      }
      return found
    }
  }

  /// Friedman's test of models over data sets, with Nemenyi's test of every pair.
  ///
  /// Friedman, JASA 32 (1937), doi:10.1080/01621459.1937.10503522; Iman & Davenport, Communications in
  /// Statistics A 9 (1980), doi:10.1080/03610928008827904; Demšar (2006), section 3.2.2.
  ///
  /// - Parameters:
  ///   - scores: a list a data set, of a score a model; higher is better.
  ///   - significance: of Nemenyi's critical difference, between 0 and 1.
  /// - Throws: `.invalidArgument` for fewer than 2 data sets or models; `.dimensionMismatch` for a data
  ///   set of other models; `.badData` for a score that is not finite.
  public static func friedman(_ scores: [[Double]], significance: Double = 0.05)
    throws(BasisError) -> RankComparison
  {
    let models = scores.first?.count ?? 0
    guard scores.count >= 2, models >= 2, significance > 0, significance < 1 else {
      throw BasisError(
        .invalidArgument,
        "ranks are compared over 2 data sets and 2 models at least, at a level between 0 and 1; got "
          + "\(scores.count), \(models) and \(significance)")
    }
    var sums = [Double](repeating: 0, count: models)
    var ties = 0.0
    for (number, row) in scores.enumerated() {
      guard row.count == models else {
        throw BasisError(
          .dimensionMismatch,
          "data set \(number) has \(row.count) scores, data set 0 has \(models)")
      }
      if let column = row.firstIndex(where: { !$0.isFinite }) {
        throw BasisError(
          .badData, "the scores have \(row[column]) at row \(number), column \(column)")
      }
      let ranks = Statistics.ranks(row.map { -$0 })
      for model in 0..<models { sums[model] += ranks[model] }
      for (_, tied) in Dictionary(grouping: ranks, by: { $0 }) {
        let t = Double(tied.count)
        ties += t * t * t - t
      }
    }
    let (n, k) = (Double(scores.count), Double(models))
    let means = sums.map { $0 / n }
    let spread = means.reduce(0) { $0 + ($1 - (k + 1) / 2) * ($1 - (k + 1) / 2) }
    let correction = 1 - ties / (n * k * (k * k - 1))
    let tests = friedmanTests(spread * 12 * n / (k * (k + 1)), correction, n, k)
    let range = NormalRangeDistribution(count: models)
    let error = (k * (k + 1) / (6 * n)).squareRoot()
    var pairs: [Pair] = []
    for first in 0..<models {
      for second in first + 1..<models {
        let q = abs(means[first] - means[second]) / error
        let p = range.upperTail(q * 2.0.squareRoot())
        pairs.append(
          Pair(
            first: first, second: second, difference: means[first] - means[second],
            test: TestOutcome("Nemenyi", statistic: q * 2.0.squareRoot(), p: p), adjustedP: p))
      }
    }
    return RankComparison(
      meanRanks: means, dataSetCount: scores.count, friedman: tests.0, imanDavenport: tests.1,
      pairs: pairs,
      criticalDifference: range.criticalValue(significance) / 2.0.squareRoot() * error,
      significance: significance)
  }

  private static func friedmanTests(
    _ uncorrected: Double, _ correction: Double, _ n: Double, _ k: Double
  ) -> (TestOutcome, TestOutcome) {
    guard correction > 1e-12 else {
      let equal = "all models are equal on every data set"
      return (.equal("Friedman", equal), .equal("Iman–Davenport", equal))
    }
    let statistic = uncorrected / correction
    let few = n < 10 || k < 5 ? ["few data sets or models: χ² is rough below 10 and 5"] : []
    let friedman = TestOutcome(
      "Friedman", statistic: statistic, degreesOfFreedom: [k - 1],
      p: ChiSquareDistribution(degreesOfFreedom: k - 1).upperTail(statistic), warnings: few)
    let rest = n * (k - 1) - statistic
    let degrees = [k - 1, (k - 1) * (n - 1)]
    let f = rest > 1e-9 ? (n - 1) * statistic / rest : .infinity
    return (
      friedman,
      TestOutcome(
        "Iman–Davenport", statistic: f, degreesOfFreedom: degrees,
        p: FisherDistribution(numerator: degrees[0], denominator: degrees[1]).upperTail(f))
    )
  }
}
