public import BasisCore
import BasisNumerics

/// Which layer, version or region a representation comes from, told from its dissimilarities alone.
///
/// Each subject has one representation of the same things for each region. Of every subject left out,
/// each summary is given to the region whose mean over the other subjects it correlates with most; the
/// accuracy is the share that goes where it belongs. By chance 1 / regions.
///
/// Lin & Kriegeskorte 2024, arXiv:2309.11028 (region identification).
public struct RepresentationIdentification: Sendable {
  /// *[subject][region]*, ranked.
  private let ranked: [[RDM]]

  public let subjectCount: Int
  public let regionCount: Int

  /// - Parameter summaries: *[subject][region]*, at least 2 of either, all of the same things.
  /// - Throws: `.badData` for fewer, or where all dissimilarities of one are the same;
  ///   `.dimensionMismatch` for other numbers of regions or things.
  public init(_ summaries: [[RDM]]) throws(BasisError) {
    guard summaries.count >= 2, let first = summaries.first, first.count >= 2 else {
      throw BasisError(
        .badData,
        "representations are told apart of at least 2 subjects with 2 regions, got "
          + "\(summaries.count) with \(summaries.first?.count ?? 0)")
    }
    var ranked: [[RDM]] = []
    for (subject, regions) in summaries.enumerated() {
      guard regions.count == first.count, regions.allSatisfy({ $0.count == first[0].count }) else {
        throw BasisError(
          .dimensionMismatch,
          "subject \(subject) has \(regions.count) regions, subject 0 has \(first.count); all are of "
            + "the same things")
      }
      var own: [RDM] = []
      for region in regions { own.append(try region.ranked()) }
      ranked.append(own)
    }
    self.ranked = ranked
    (subjectCount, regionCount) = (ranked.count, first.count)
  }

  /// The accuracy with dissimilarities as they are given, such as a plain or a geodesic RDM.
  ///
  /// - Parameter summaries: as for ``init(_:)``.
  /// - Throws: as ``init(_:)``.
  /// - Complexity: O(*subjects* *regions*² *n*²).
  public static func accuracy(of summaries: [[RDM]]) throws(BasisError) -> Double {
    _ = try RepresentationIdentification(summaries)
    return Self.accuracy(summaries, leavingOut: nil)
  }

  /// The accuracy with thresholds.
  ///
  /// - Parameter transform: the thresholds.
  /// - Throws: `.invalidArgument` for thresholds out of range.
  public func accuracy(_ transform: GeoTopological) throws(BasisError) -> Double {
    Self.accuracy(try transformed(transform), leavingOut: nil)
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
  }

  /// The accuracy of each of some thresholds, and of choosing among them fairly: for each subject by the
  /// accuracy within the others.
  ///
  /// - Parameters:
  ///   - grid: at least 1.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument`; `.cancelled`.
  /// - Complexity: O(*grid* *subjects*² *regions*² *n*²), parallel over the grid.
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
    let trials = try parallelMap(grid.count, grain: 1, in: run) {
      (chunk, _) throws(BasisError) -> Trial in
      let summaries = try transformed(grid[chunk])
      let subjects = Array(summaries.indices)
      let own = subjects.map { Self.share(of: $0, summaries, others: subjects) }
      let within = subjects.map { Self.accuracy(summaries, leavingOut: $0) }
      return Trial(whole: Statistics.mean(own), within: within, own: own)
    }
    let nested = (0..<subjectCount).map { subject -> Double in
      let best = trials.indices.reduce(0) {
        trials[$1].within[subject] > trials[$0].within[subject] ? $1 : $0
      }
      return trials[best].own[subject]
    }
    return Surface(
      cells: zip(grid, trials).map {
        .init(lower: $0.lower, upper: $0.upper, accuracy: $1.whole)
      }, nestedAccuracy: Statistics.mean(nested))
  }

  private func transformed(_ transform: GeoTopological) throws(BasisError) -> [[RDM]] {
    var result: [[RDM]] = []
    for regions in ranked {
      var own: [RDM] = []
      for region in regions { own.append(try transform.transform(ranked: region)) }
      result.append(own)
    }
    return result
  }

  /// The mean share over subjects, without one of them altogether.
  private static func accuracy(_ summaries: [[RDM]], leavingOut left: Int?) -> Double {
    let subjects = summaries.indices.filter { $0 != left }
    return Statistics.mean(subjects.map { share(of: $0, summaries, others: subjects) })
  }

  /// The share of a subject's regions that are told by the mean of the others'.
  private static func share(of subject: Int, _ summaries: [[RDM]], others: [Int]) -> Double {
    let others = others.filter { $0 != subject }
    guard !others.isEmpty else { return .nan }
    let regions = summaries[subject].indices
    let means = regions.map { region -> [Double] in
      var sum = [Double](repeating: 0, count: summaries[subject][region].values.count)
      for other in others {
        let values = summaries[other][region].values
        for index in sum.indices { sum[index] += values[index] }
      }
      return sum
    }
    let right = regions.count { region in
      let fits = means.map { mean -> Double in
        let fit = Statistics.correlation(summaries[subject][region].values, mean)
        return fit.isNaN ? -2 : fit
      }
      return regions.reduce(0) { fits[$1] > fits[$0] ? $1 : $0 } == region
    }
    return Double(right) / Double(regions.count)
  }
}
