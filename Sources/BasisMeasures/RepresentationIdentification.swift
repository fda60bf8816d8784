public import BasisCore
import BasisNumerics

/// Which layer, version or region a representation comes from, told from its dissimilarities alone.
///
/// Each subject has one representation of the same things for each region. Of every subject left out,
/// each summary is given to the region whose mean over the other subjects it correlates with most; the
/// accuracy is the share that goes where it belongs. By chance 1 / regions. Of regions that fit alike to
/// 10⁻⁶ the first is taken.
///
/// Correlations with means, whoever is left out or drawn again, are sums of products between two
/// summaries: these are added up once for each transform.
///
/// Lin & Kriegeskorte 2024, arXiv:2309.11028 (region identification).
public struct RepresentationIdentification: Sendable {
  /// *[subject · regions + region]*, ranked, one value a pair.
  private let ranked: [[Double]]
  private let pairs: PairTable

  public let subjectCount: Int
  public let regionCount: Int

  /// - Parameters:
  ///   - summaries: *[subject][region]*, at least 2 of either, all of the same things.
  ///   - run: threads and cancellation.
  /// - Throws: `.badData` for fewer, or where all dissimilarities of one are the same;
  ///   `.dimensionMismatch` for other numbers of regions or things; `.cancelled`.
  /// - Complexity: O(*subjects* *regions* *n*² log *n*), parallel; 8 *n*² / 2 bytes for each summary.
  public init(_ summaries: [[RDM]], in run: RunContext = RunContext()) throws(BasisError) {
    pairs = try Self.pairs(summaries)
    let all = summaries.flatMap { $0 }
    ranked = try parallelMap(all.count, grain: 1, in: run) { (place, _) throws(BasisError) in
      try all[place].ranked().values
    }
    (subjectCount, regionCount) = (summaries.count, summaries[0].count)
  }

  private static func pairs(_ summaries: [[RDM]]) throws(BasisError) -> PairTable {
    guard summaries.count >= 2, let first = summaries.first, first.count >= 2 else {
      throw BasisError(
        .badData,
        "representations are told apart of at least 2 subjects with 2 regions, got "
          + "\(summaries.count) with \(summaries.first?.count ?? 0)")
    }
    for (subject, regions) in summaries.enumerated() {
      guard regions.count == first.count, regions.allSatisfy({ $0.count == first[0].count }) else {
        throw BasisError(
          .dimensionMismatch,
          "subject \(subject) has \(regions.count) regions, subject 0 has \(first.count); all are of "
            + "the same things")
      }
    }
    return PairTable(count: first[0].count)
  }

  /// The accuracy with dissimilarities as they are given, such as a plain or a geodesic RDM.
  ///
  /// - Parameters:
  ///   - summaries: as for ``init(_:in:)``.
  ///   - run: threads and cancellation.
  /// - Throws: as ``init(_:in:)``.
  /// - Complexity: O((*subjects* *regions* *n*)²).
  public static func accuracy(of summaries: [[RDM]], in run: RunContext = RunContext())
    throws(BasisError) -> Double
  {
    let pairs = try Self.pairs(summaries)
    let values = summaries.flatMap { $0.map(\.values) }
    let unit = values.map { Statistics.variance($0) }.max() ?? 0
    let scales = values.map { SummaryScale(centering: $0, unit: unit.squareRoot()) }
    let products = try SummaryProducts(
      values, scales, pairs, regionCount: summaries[0].count, in: run)
    return products.accuracy(leavingOut: nil)
  }

  /// The accuracy with thresholds.
  ///
  /// - Parameters:
  ///   - transform: the thresholds.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for thresholds out of range; `.cancelled`.
  /// - Complexity: O((*subjects* *regions* *n*)²).
  public func accuracy(_ transform: GeoTopological, in run: RunContext = RunContext())
    throws(BasisError) -> Double
  {
    try products(transform, in: run).accuracy(leavingOut: nil)
  }

  /// Where each summary goes with thresholds.
  ///
  /// - Parameters:
  ///   - transform: the thresholds.
  ///   - run: threads and cancellation.
  /// - Returns: *[subject][region]*, a region each.
  /// - Throws: as ``accuracy(_:in:)``.
  public func regions(_ transform: GeoTopological, in run: RunContext = RunContext())
    throws(BasisError) -> [[Int]]
  {
    let products = try products(transform, in: run)
    return (0..<subjectCount).map { products.regions(of: $0, leavingOut: nil) }
  }

  /// What is drawn again for an interval.
  public enum Resampled: String, Sendable, Hashable, Codable, CaseIterable {
    case subjects, things, both
  }

  /// Where the accuracy of other subjects and things would lie, at 95 %.
  ///
  /// Drawn with replacement. A subject that is drawn several times counts so often among the others, and
  /// is left out with all of its copies. A pair of things counts as often as both are drawn; a thing and
  /// its own copy are no pair. Ranks and thresholds stay those of all things.
  ///
  /// - Parameters:
  ///   - transform: the thresholds.
  ///   - resampleCount: at least 2.
  ///   - resampled: what is drawn.
  ///   - run: the seed draws; threads and cancellation.
  /// - Returns: the quantiles .025 and .975 of the accuracies; nil where hardly a draw has two subjects.
  /// - Throws: `.invalidArgument` for thresholds out of range or fewer draws; `.cancelled`.
  /// - Complexity: O((*subjects* *regions* *n*)²) for each draw of things, parallel.
  public func interval(
    _ transform: GeoTopological, resampleCount: Int = 200, over resampled: Resampled = .both,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> ClosedRange<Double>? {
    guard resampleCount >= 2 else {
      throw BasisError(.invalidArgument, "an interval wants 2 draws at least, got \(resampleCount)")
    }
    let scales = try scales(transform, in: run)
    let whole =
      resampled == .subjects
      ? try SummaryProducts(ranked, scales, pairs, regionCount: regionCount, in: run) : nil
    let (subjects, things) = (subjectCount, pairs.count)
    let found = try parallelMap(resampleCount, grain: 1, in: run) {
      (chunk, _) throws(BasisError) -> Double in
      var generator = run.generator("subjects and things drawn again", chunk: chunk)
      func counts(_ n: Int) -> [Double] {
        var counts = [Double](repeating: 0, count: n)
        for _ in 0..<n { counts[generator.nextInt(below: n)] += 1 }
        return counts
      }
      let drawn = resampled == .things ? nil : counts(subjects)
      if let whole { return whole.accuracy(leavingOut: nil, counts: drawn) }
      let products = try SummaryProducts(
        ranked, scales, pairs, regionCount: regionCount, weights: counts(things), in: run.silent)
      return products.accuracy(leavingOut: nil, counts: drawn)
    }.filter(\.isFinite)
    guard found.count >= 2 else { return nil }
    let ends = Statistics.quantiles(found, [0.025, 0.975])
    return ends[0]...ends[1]
  }

  /// What a grid of thresholds gives.
  public struct Surface: Sendable, Hashable {
    public struct Cell: Sendable, Hashable {
      public var lower: Double
      public var upper: Double
      public var accuracy: Double
    }

    public var cells: [Cell]
    /// The accuracy of thresholds that are chosen without the subject that they are tried on.
    public var nestedAccuracy: Double
    /// The cell, by its place, that each subject's others choose; the first of equals.
    public var choices: [Int]

    /// The first cell of the highest accuracy: the best of several, and so too good. What choosing is
    /// worth is ``nestedAccuracy``.
    public var best: Cell? {
      cells.reduce(nil) { best, cell in
        best.map { cell.accuracy > $0.accuracy } ?? true ? cell : best
      }
    }
  }

  /// The accuracy of each of some thresholds, and of choosing among them fairly: for each subject by the
  /// accuracy within the others.
  ///
  /// - Parameters:
  ///   - grid: at least 1.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument`; `.cancelled`.
  /// - Complexity: O(*grid* (*subjects* *regions* *n*)²), parallel over the grid.
  public func surface(
    _ grid: [GeoTopological] = GeoTopological.grid(), in run: RunContext = RunContext()
  ) throws(BasisError) -> Surface {
    guard !grid.isEmpty else {
      throw BasisError(.invalidArgument, "there are no thresholds to try")
    }
    struct Trial: Sendable {
      var whole: Double
      /// Within the others, and of the subject itself, for each subject.
      var within: [Double]
      var own: [Double]
    }
    let levels = try levels(grid, in: run)
    let trials = try parallelMap(grid.count, grain: 1, in: run) {
      (chunk, _) throws(BasisError) -> Trial in
      let scales = levels.map { SummaryScale($0[2 * chunk], $0[2 * chunk + 1]) }
      let products = try SummaryProducts(
        ranked, scales, pairs, regionCount: regionCount, in: run.silent)
      let own = (0..<subjectCount).map { products.share(of: $0, leavingOut: nil) }
      let within = (0..<subjectCount).map { products.accuracy(leavingOut: $0) }
      return Trial(whole: Statistics.mean(own), within: within, own: own)
    }
    let choices = (0..<subjectCount).map { subject in
      trials.indices.reduce(0) {
        trials[$1].within[subject] > trials[$0].within[subject] ? $1 : $0
      }
    }
    return Surface(
      cells: zip(grid, trials).map {
        .init(lower: $0.lower, upper: $0.upper, accuracy: $1.whole)
      },
      nestedAccuracy: Statistics.mean(choices.enumerated().map { trials[$1].own[$0] }),
      choices: choices)
  }

  private func products(_ transform: GeoTopological, in run: RunContext) throws(BasisError)
    -> SummaryProducts
  {
    try SummaryProducts(
      ranked, scales(transform, in: run), pairs, regionCount: regionCount, in: run)
  }

  private func scales(_ transform: GeoTopological, in run: RunContext) throws(BasisError)
    -> [SummaryScale]
  {
    try levels([transform], in: run).map { SummaryScale($0[0], $0[1]) }
  }

  /// Of each summary the ranks at both thresholds of each transform: one sort for all.
  private func levels(_ grid: [GeoTopological], in run: RunContext) throws(BasisError)
    -> [[Double]]
  {
    for transform in grid { try transform.check() }
    let shares = grid.flatMap { [$0.lower, $0.upper] }
    return try parallelMap(ranked.count, grain: 1, in: run) { (place, _) in
      Statistics.quantiles(ranked[place], shares)
    }
  }
}
