public import BasisCore

/// How well a score tells two kinds of things apart, at every threshold: those that belong should have
/// high ones, the others low ones.
///
/// Things with equal scores are accepted together, so that their order in memory counts for nothing.
public struct DetectionMetrics: Sendable, Hashable {
  /// The share of each kind that a threshold accepts.
  public struct Point: Sendable, Hashable {
    /// Scores of at least this are accepted.
    public var threshold: Double
    /// Of those that belong, 0 to 1.
    public var truePositiveRate: Double
    /// Of the others, 0 to 1.
    public var falsePositiveRate: Double
  }

  /// The area under the curve of ``points``: how likely one that belongs has the higher score of a
  /// pair, equal scores counting half. 0.5 for a score that knows nothing.
  ///
  /// Hanley & McNeil, *The meaning and use of the area under a receiver operating characteristic (ROC)
  /// curve*, Radiology 143 (1982), doi:10.1148/radiology.143.1.7063747.
  public let areaUnderROC: Double
  /// The share of the others that is refused where the share accepted of those that belong is nearest to
  /// 0.95, the larger of two as near.
  public let trueNegativeRateAt95: Double
  /// The score that does so: those of at least it are accepted.
  public let thresholdAt95: Double
  /// The most that (true positive rate + true negative rate) / 2 gets to, at least 0.5.
  public let accuracy: Double
  /// The average precision where those that belong are sought.
  public let averagePrecisionIn: Double
  /// The average precision where the others are sought, lowest scores first.
  public let averagePrecisionOut: Double
  /// From a threshold that accepts nothing, falling: one a distinct score, at most 1,001 of them.
  public let points: [Point]

  /// - Parameters:
  ///   - inside: scores of things that belong; at least one, no NaN.
  ///   - outside: scores of things that do not; at least one, no NaN.
  /// - Throws: `.badData` for no scores, or a NaN, with its place.
  /// - Complexity: O(*n* log *n*).
  public init(inside: [Double], outside: [Double]) throws(BasisError) {
    for (values, name) in [(inside, "of what belongs"), (outside, "of what does not")] {
      guard !values.isEmpty else {
        throw BasisError(.badData, "there are no scores \(name); both kinds are needed")
      }
      if let place = values.firstIndex(where: \.isNaN) {
        throw BasisError(.badData, "score \(place) \(name) is not a number")
      }
    }
    let steps = Self.steps(inside, outside)
    let (insideCount, outsideCount) = (inside.count, outside.count)
    let ranks = Statistics.ranks(inside + outside)
    let sum = ranks.prefix(insideCount).reduce(0, +)
    let least = Double(insideCount) * Double(insideCount + 1) / 2
    areaUnderROC = (sum - least) / (Double(insideCount) * Double(outsideCount))

    var best = 0.5
    var nearest = steps[0]
    for step in steps {
      let trueRate = Double(step.inside) / Double(insideCount)
      let falseRate = Double(step.outside) / Double(outsideCount)
      best = max(best, (trueRate + 1 - falseRate) / 2)
      // In whole numbers, for 0.95 is none: |TPR − 0.95| · 20 n.
      let miss = abs(20 * step.inside - 19 * insideCount)
      let least = abs(20 * nearest.inside - 19 * insideCount)
      if miss < least || (miss == least && step.inside > nearest.inside) { nearest = step }
    }
    accuracy = best
    thresholdAt95 = nearest.threshold
    trueNegativeRateAt95 = 1 - Double(nearest.outside) / Double(outsideCount)
    averagePrecisionIn = Self.averagePrecision(
      steps.map { ($0.inside, $0.outside) }, total: insideCount)
    let refused =
      [(0, 0)]
      + steps.reversed().map {
        (outsideCount - $0.outside, insideCount - $0.inside)
      } + [(outsideCount, insideCount)]
    averagePrecisionOut = Self.averagePrecision(refused, total: outsideCount)

    let stride = max(1, (steps.count + 999) / 1000)
    var points = [Point(threshold: .infinity, truePositiveRate: 0, falsePositiveRate: 0)]
    for (place, step) in steps.enumerated() where place % stride == 0 || place + 1 == steps.count {
      points.append(
        Point(
          threshold: step.threshold, truePositiveRate: Double(step.inside) / Double(insideCount),
          falsePositiveRate: Double(step.outside) / Double(outsideCount)))
    }
    self.points = points
  }

  /// How many are accepted at each distinct score, falling.
  private struct Step {
    var threshold: Double
    var inside: Int
    var outside: Int
  }

  private static func steps(_ inside: [Double], _ outside: [Double]) -> [Step] {
    let all = (inside.map { ($0, true) } + outside.map { ($0, false) }).sorted { $0.0 > $1.0 }
    var steps: [Step] = []
    for (score, belongs) in all {
      if steps.last?.threshold != score {
        steps.append(
          Step(
            threshold: score, inside: steps.last?.inside ?? 0, outside: steps.last?.outside ?? 0))
      }
      if belongs { steps[steps.count - 1].inside += 1 } else { steps[steps.count - 1].outside += 1 }
    }
    return steps
  }

  /// Σ (recall − recall before) · precision, over thresholds that accept ever more.
  private static func averagePrecision(_ steps: [(found: Int, wrong: Int)], total: Int) -> Double {
    var (sum, before) = (0.0, 0)
    for step in steps where step.found > before {
      sum += Double(step.found - before) * Double(step.found) / Double(step.found + step.wrong)
      before = step.found
    }
    return sum / Double(total)
  }
}
