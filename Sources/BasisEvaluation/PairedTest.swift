public import BasisCore
import BasisNumerics

/// Whether two models, or two ways to learn them, differ.
///
/// Which one when. Two models and one test set: ``mcNemar(_:_:)``, which looks only at rows that one of
/// them gets right; never ``proportions(hits:of:otherHits:of:)``, which takes the sets for separate and
/// finds less. Two ways to learn and one data set: ``combinedF(_:)`` over five halvings. The resampled and
/// the k-fold *t* tests take parts that share rows for independent and find differences that are not
/// there; with ``correctedResampledT(_:trainingCount:testCount:)`` they may be used. Over many data sets:
/// ``signedRanks(_:_:)``.
///
/// Raschka, *Model evaluation, model selection, and algorithm selection in machine learning*,
/// arXiv:1811.12808, chapter 4; Dietterich, *Approximate statistical tests for comparing supervised
/// classification learning algorithms*, Neural Computation 10 (1998), doi:10.1162/089976698300017197.
public enum PairedTest {
  /// How McNemar's *p* is made.
  public enum McNemarForm: String, Sendable, Hashable, Codable, CaseIterable {
    /// `.exact` for fewer than 25 rows that only one model gets right, else `.corrected`.
    case automatic
    /// (|*b* − *c*| − 1)² / (*b* + *c*) on χ²(1), Edwards' correction.
    case corrected
    /// (*b* − *c*)² / (*b* + *c*) on χ²(1).
    case plain
    /// 2 P(X ≤ min(*b*, *c*)) for *b* + *c* fair coins.
    case exact
    /// The exact one with half the weight of what was seen: less cautious.
    case midP = "mid-p"
  }

  /// McNemar's test of two models on the same rows.
  ///
  /// - Parameters:
  ///   - table: rows that only one of them got right. Where there is none, *p* is 1.
  ///   - form: how *p* is made.
  public static func mcNemar(_ table: Discordance, _ form: McNemarForm = .automatic) -> TestOutcome
  {
    let (b, c) = (Double(table.onlyFirst), Double(table.onlySecond))
    let count = table.count
    guard count > 0 else {
      return TestOutcome(
        "McNemar", statistic: 0, p: 1, isExact: true,
        warnings: ["the models are right on the same rows"])
    }
    let isExact = form == .exact || form == .midP || (form == .automatic && count < 25)
    guard !isExact else {
      let coins = BinomialDistribution(count: count, probability: 0.5)
      let few = min(table.onlyFirst, table.onlySecond)
      var p = min(1, 2 * coins.cumulative(few))
      if form == .midP {
        p = table.onlyFirst == table.onlySecond ? 1 : max(0, p - coins.mass(few))
      }
      return TestOutcome(
        form == .midP ? "McNemar, mid-p" : "McNemar, exact", statistic: Double(few), p: p,
        isExact: true)
    }
    let apart = form == .plain ? abs(b - c) : max(0, abs(b - c) - 1)
    let statistic = apart * apart / (b + c)
    return TestOutcome(
      form == .plain ? "McNemar" : "McNemar, corrected", statistic: statistic,
      degreesOfFreedom: [1], p: ChiSquareDistribution(degreesOfFreedom: 1).upperTail(statistic),
      warnings: count < 25
        ? ["only \(count) rows tell the models apart; the exact test is for so few"] : [])
  }

  /// The *z* test of two proportions, for models that were asked about *separate* rows.
  ///
  /// - Throws: `.invalidArgument` for counts out of range.
  public static func proportions(hits: Int, of count: Int, otherHits: Int, of otherCount: Int)
    throws(BasisError) -> TestOutcome
  {
    for (hits, count) in [(hits, count), (otherHits, otherCount)] {
      guard count >= 1, hits >= 0, hits <= count else {
        throw BasisError(.invalidArgument, "a proportion of \(hits) among \(count)")
      }
    }
    let (n, m) = (Double(count), Double(otherCount))
    let pooled = Double(hits + otherHits) / (n + m)
    let error = (pooled * (1 - pooled) * (1 / n + 1 / m)).squareRoot()
    let gap = Double(hits) / n - Double(otherHits) / m
    guard error > 0 else {
      return .equal("difference of proportions", "all rows of both are alike")
    }
    return TestOutcome(
      "difference of proportions", statistic: gap / error,
      p: 2 * StandardNormal.cumulative(-abs(gap / error)),
      warnings: ["for separate test sets; on the same rows McNemar's test finds more"])
  }

  /// Two ways to learn, compared on both halves of one halving of the data.
  public struct Halving: Sendable, Hashable, Codable {
    /// Score of the first less that of the second, learnt on one half and asked about the other.
    public var first: Double
    /// The same with the halves changed.
    public var second: Double

    public init(_ first: Double, _ second: Double) {
      self.first = first
      self.second = second
    }

    /// (p₁ − p̄)² + (p₂ − p̄)².
    var variance: Double {
      let mean = (first + second) / 2
      return (first - mean) * (first - mean) + (second - mean) * (second - mean)
    }
  }

  /// Dietterich's 5×2 *t*: the first difference over the root of the mean variance, 5 degrees of freedom.
  ///
  /// - Parameter halvings: five.
  /// - Throws: `.invalidArgument` for another number; `.badData` for a difference that is not finite.
  public static func fiveByTwoT(_ halvings: [Halving]) throws(BasisError) -> TestOutcome {
    try check(halvings)
    let variance = halvings.reduce(0) { $0 + $1.variance } / 5
    guard variance > 0 else { return constant("5×2 t", halvings[0].first, [5]) }
    let t = halvings[0].first / variance.squareRoot()
    return TestOutcome(
      "5×2 t", statistic: t, degreesOfFreedom: [5],
      p: StudentDistribution(degreesOfFreedom: 5).twoSidedTail(t))
  }

  /// Alpaydın's combined 5×2 *F*: all ten squared differences over twice the variances, F(10, 5).
  ///
  /// Alpaydın, *Combined 5×2 cv F test*, Neural Computation 11 (1999), doi:10.1162/089976699300016007.
  ///
  /// - Parameter halvings: five.
  /// - Throws: as ``fiveByTwoT(_:)``.
  public static func combinedF(_ halvings: [Halving]) throws(BasisError) -> TestOutcome {
    try check(halvings)
    let variance = halvings.reduce(0) { $0 + $1.variance }
    let squares = halvings.reduce(0) { $0 + $1.first * $1.first + $1.second * $1.second }
    guard variance > 0 else { return constant("5×2 F", squares, [10, 5]) }
    let f = squares / (2 * variance)
    return TestOutcome(
      "5×2 F", statistic: f, degreesOfFreedom: [10, 5],
      p: FisherDistribution(numerator: 10, denominator: 5).upperTail(f))
  }

  private static func check(_ halvings: [Halving]) throws(BasisError) {
    guard halvings.count == 5 else {
      throw BasisError(.invalidArgument, "a 5×2 test is of 5 halvings, got \(halvings.count)")
    }
    for (place, one) in halvings.enumerated() where !one.first.isFinite || !one.second.isFinite {
      throw BasisError(
        .badData, "halving \(place): the differences are \(one.first) and \(one.second)")
    }
  }

  /// No spread: the same difference everywhere is either none or certain.
  private static func constant(_ name: String, _ difference: Double, _ degrees: [Double])
    -> TestOutcome
  {
    if difference == 0 { return .equal(name, "the two are equal in every part") }
    return TestOutcome(
      name, statistic: difference > 0 ? .infinity : -.infinity, degreesOfFreedom: degrees, p: 0,
      warnings: ["the difference is the same in every part"])
  }

  /// Student's *t* over parts as if they were independent, which parts that share rows are not.
  ///
  /// - Parameters:
  ///   - differences: of scores, a part each; at least 2.
  ///   - isOfFolds: whether the parts are folds, each row asked about once.
  /// - Throws: `.invalidArgument` for fewer than 2; `.badData` for a difference that is not finite.
  public static func uncorrectedT(_ differences: [Double], isOfFolds: Bool = false)
    throws(BasisError) -> TestOutcome
  {
    var outcome = try pairedT(
      differences, isOfFolds ? "k-fold t" : "resampled t", factor: 1 / Double(differences.count))
    outcome.warnings.append(
      "the parts share training rows, so that p is too small; take 5×2 F or the corrected resampled t"
    )
    return outcome
  }

  /// The resampled *t* with the variance of Nadeau and Bengio: (1/*J* + n_test/n_train) s².
  ///
  /// Nadeau & Bengio, *Inference for the generalization error*, Machine Learning 52 (2003),
  /// doi:10.1023/A:1024068626366, section 3.
  ///
  /// - Parameters:
  ///   - differences: of scores, one a part; at least 2.
  ///   - trainingCount: rows learnt from in each part, at least 1.
  ///   - testCount: rows asked about, at least 1.
  /// - Throws: as ``uncorrectedT(_:isOfFolds:)``.
  public static func correctedResampledT(
    _ differences: [Double], trainingCount: Int, testCount: Int
  ) throws(BasisError) -> TestOutcome {
    guard trainingCount >= 1, testCount >= 1 else {
      throw BasisError(
        .invalidArgument,
        "the corrected t needs rows on both sides, got \(trainingCount) and \(testCount)")
    }
    return try pairedT(
      differences, "corrected resampled t",
      factor: 1 / Double(max(1, differences.count)) + Double(testCount) / Double(trainingCount))
  }

  private static func pairedT(_ differences: [Double], _ name: String, factor: Double)
    throws(BasisError) -> TestOutcome
  {
    guard differences.count >= 2 else {
      throw BasisError(.invalidArgument, "\(name) needs 2 parts at least, got \(differences.count)")
    }
    if let place = differences.firstIndex(where: { !$0.isFinite }) {
      throw BasisError(.badData, "\(name): part \(place) has a difference of \(differences[place])")
    }
    let moments = Moments(differences)
    let degrees = Double(differences.count - 1)
    guard moments.variance > 0 else { return constant(name, moments.mean, [degrees]) }
    let t = moments.mean / (moments.variance * factor).squareRoot()
    return TestOutcome(
      name, statistic: t, degreesOfFreedom: [degrees],
      p: StudentDistribution(degreesOfFreedom: degrees).twoSidedTail(t))
  }

  /// How the *p* of signed ranks is made.
  public enum SignedRankForm: String, Sendable, Hashable, Codable {
    /// `.exact` up to 50 differences, else `.normal`.
    case automatic
    /// All ways to sign the ranks are counted, ties as they are.
    case exact
    case normal
  }

  /// Wilcoxon's signed ranks, two-sided: whether differences lean to one side. Zeros are left out.
  ///
  /// Wilcoxon, *Individual comparisons by ranking methods*, Biometrics Bulletin 1 (1945),
  /// doi:10.2307/3001968; over data sets: Demšar, JMLR 7 (2006).
  ///
  /// - Parameters:
  ///   - differences: of two models' scores, one a data set; finite.
  ///   - form: how *p* is made.
  /// - Returns: the smaller sum of ranks.
  /// - Throws: `.badData` for a difference that is not finite.
  /// - Complexity: exact O(*n*³).
  public static func signedRanks(_ differences: [Double], _ form: SignedRankForm = .automatic)
    throws(BasisError) -> TestOutcome
  {
    if let place = differences.firstIndex(where: { !$0.isFinite }) {
      throw BasisError(
        .badData, "signed ranks: difference \(place) is \(differences[place])")
    }
    let kept = differences.filter { $0 != 0 }
    guard !kept.isEmpty else {
      return .equal("Wilcoxon signed ranks", "all \(differences.count) differences are 0")
    }
    let ranks = Statistics.ranks(kept.map { abs($0) })
    let positive = zip(kept, ranks).reduce(0) { $1.0 > 0 ? $0 + $1.1 : $0 }
    let n = Double(kept.count)
    let smaller = min(positive, n * (n + 1) / 2 - positive)
    if form == .exact || (form == .automatic && kept.count <= 50) {
      return TestOutcome(
        "Wilcoxon signed ranks, exact", statistic: smaller, p: signTail(ranks, smaller),
        isExact: true)
    }
    var ties = 0.0
    for (_, tied) in Dictionary(grouping: ranks, by: { $0 }) {
      let t = Double(tied.count)
      ties += t * t * t - t
    }
    let error = ((n * (n + 1) * (2 * n + 1) - ties / 2) / 24).squareRoot()
    let z = (smaller - n * (n + 1) / 4) / error
    return TestOutcome(
      "Wilcoxon signed ranks", statistic: smaller, p: min(1, 2 * StandardNormal.cumulative(z)),
      warnings: kept.count < 10
        ? ["only \(kept.count) data sets differ; the exact test is for so few"] : [])
  }

  /// Twice the share of all signings whose positive ranks sum to at most `sum`.
  private static func signTail(_ ranks: [Double], _ sum: Double) -> Double {
    // Twice a rank is whole, also of ties.
    let doubled = ranks.map { Int((2 * $0).rounded()) }
    var shares = [Double](repeating: 0, count: doubled.reduce(0, +) + 1)
    shares[0] = 1
    var reach = 0
    for rank in doubled {
      reach += rank
      for total in stride(from: reach, through: 0, by: -1) {
        shares[total] = (shares[total] + (total >= rank ? shares[total - rank] : 0)) / 2
      }
    }
    let limit = Int((2 * sum).rounded())
    return min(1, 2 * shares[...limit].reduce(0, +))
  }
}
