public import BasisCore
import BasisNumerics
import BasisSelection

/// A decision tree that is to find a rare digit finds it better with rows made between neighbours than
/// with copies of those there are, and best where other digits are thinned as well.
public struct SMOTEClaim: Claim {
  public static let statement = ClaimStatement(
    id: 71,
    title:
      "made rows of a rare class serve a decision tree better than copies of its rows, and with "
      + "thinning of the others they serve it best",
    paper:
      "making rows and thinning the others together had the better hull of ROC points in most of the "
      + "experiments (section 5, nine sets with C4.5, Ripper and naive Bayes); areas here are of "
      + "imbalanced-learn and scikit-learn's tree on the same digits",
    baseline: "copies of rows, in the same numbers; thinning alone; nothing",
    data: "digits: 60 eights by seed and all that are none, halves to train and to test on",
    cost: .slow, seedCount: 8,
    breaking: "`copies`: what is made are copies of the rows that it starts from")

  /// Whether copies of first parents take the place of new rows.
  public var copies = false
  /// Of all images, the first so many.
  public var imageCount = 1_797
  /// Eights, at least 14, so that a half has more than five.
  public var positiveCount = 60
  /// Halvings of a seed, at least 1.
  public var splitCount = 10
  /// The rare class in per cent of the others that thinning leaves.
  public var levels: [Double] = [10, 25, 50, 100, 200, 400]

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.imageCount, claim.positiveCount, claim.splitCount) = (300, 20, 1)
    claim.levels = [100]
    return claim
  }

  public var broken: SMOTEClaim {
    var copy = self
    copy.copies = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init("over_copies", "area under the ROC curve, made rows less copies", .above(0)),
      .init(
        "both_over_none", "the same, made rows and thinning less nothing", reported: 0.086,
        .above(0.05)),
      .init(
        "both_over_copies", "the same, made rows and thinning less copies", reported: 0.076,
        .above(0.04)),
      .init(
        "hull", "area under the hull over levels of thinning, with made rows less without",
        .above(0)),
      .init("none", "area with the rows as they are", reported: 0.763),
      .init("copied", "area with copies", reported: 0.773),
      .init("thinned", "area with thinning", reported: 0.84),
      .init("made", "area with made rows", reported: 0.828),
      .init("both", "area with three times the rows and thinning", reported: 0.849),
      .init("recall_none", "share of eights that are found, rows as they are", reported: 0.457),
      .init("recall_both", "the same with made rows and thinning", reported: 0.747),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let eights = Digits.labels.prefix(imageCount).count { $0 == 8 }
    guard positiveCount >= 14, positiveCount <= eights, splitCount >= 1, !levels.isEmpty,
      levels.allSatisfy({ $0 > 0 })
    else {
      throw BasisError(
        .invalidArgument,
        "claim 71: 14 to \(eights) eights of \(imageCount) images, at least 1 halving and levels above "
          + "0; got \(positiveCount), \(splitCount) and \(levels)")
    }
    var sums: [String: Double] = [:]
    for split in 0..<splitCount {
      let task = try Task(self, split, in: run)
      for (name, value) in try measure(task, in: run) { sums[name, default: 0] += value }
    }
    return sums.mapValues { $0 / Double(splitCount) }
  }

  private func measure(_ task: Task, in run: RunContext) throws(BasisError) -> [String: Double] {
    let plain = try task.trained(task.train, in: run)
    let full = try made(SMOTE(), task, in: run)
    let copied = try task.trained(
      task.copied(SMOTE().select(task.train, in: task.context(run))), in: run)
    let thinned = try thinned(100, task, in: run)
    let both = try made(SMOTE(ratio: .percent(200), under: 100), task, in: run)
    var (with, without): ([RatePoint], [RatePoint]) = ([], [])
    for level in levels {
      with.append(
        try made(SMOTE(ratio: .percent(200), under: level), task, in: run).point)
      without.append(try self.thinned(level, task, in: run).point)
    }
    return [
      "none": plain.area, "made": full.area, "copied": copied.area, "thinned": thinned.area,
      "both": both.area, "over_copies": full.area - copied.area,
      "both_over_none": both.area - plain.area, "both_over_copies": both.area - copied.area,
      "hull": RatePoint.hullArea(with) - RatePoint.hullArea(without),
      "recall_none": plain.point.found, "recall_both": both.point.found,
    ]
  }

  private func made(_ settings: SMOTE, _ task: Task, in run: RunContext) throws(BasisError)
    -> Outcome
  {
    let found = try settings.select(task.train, in: task.context(run))
    return try task.trained(copies ? task.copied(found) : task.applied(found), in: run)
  }

  private func thinned(_ percent: Double, _ task: Task, in run: RunContext) throws(BasisError)
    -> Outcome
  {
    let found = try UnderSampler(percent: percent).select(task.train, in: task.context(run))
    return try task.trained(task.applied(found), in: run)
  }

  /// What a tree finds among the rows that it is tested on.
  private struct Outcome {
    /// Under the ROC curve.
    var area: Double
    /// Where it says eight for a share above a half.
    var point: RatePoint
  }

  /// Half of the rows to learn from, and the other half.
  private struct Task {
    let train: LabeledRows
    private let test: LabeledRows
    private let split: Int

    init(_ claim: SMOTEClaim, _ split: Int, in run: RunContext) throws(BasisError) {
      self.split = split
      var generator = run.generator("halves", chunk: split)
      var eights = (0..<claim.imageCount).filter { Digits.labels[$0] == 8 }
      var others = (0..<claim.imageCount).filter { Digits.labels[$0] != 8 }
      generator.shuffle(&eights)
      generator.shuffle(&others)
      eights = Array(eights.prefix(claim.positiveCount))
      let (a, b) = (eights.count / 2, others.count / 2)
      func rows(_ images: [Int]) throws(BasisError) -> LabeledRows {
        try LabeledRows(
          Digits.images.selecting(rows: images),
          labels: images.map { Digits.labels[$0] == 8 ? 1 : 0 })
      }
      train = try rows(Array(others[..<b] + eights[..<a]))
      test = try rows(Array(others[b...] + eights[a...]))
    }

    /// The same draws for every method of a halving, and others for the next.
    func context(_ run: RunContext) -> RunContext {
      var own = run.silent
      own.seed = run.seed &* 1009 &+ UInt64(split)
      return own
    }

    func applied(_ found: Selection) throws(BasisError) -> LabeledRows {
      try LabeledRows(found.applied(to: train.rows), labels: found.applied(to: train.labels))
    }

    /// The rows that new ones start from, in their place.
    func copied(_ found: Selection) throws(BasisError) -> LabeledRows {
      let rows = found.indices + (found.synthetic?.parents.map(\.first) ?? [])
      return try LabeledRows(
        train.rows.selecting(rows: rows), labels: rows.map { train.labels[$0] })
    }

    func trained(_ rows: LabeledRows, in run: RunContext) throws(BasisError) -> Outcome {
      let tree = try PixelTree(rows.rows, rows.labels, in: run)
      let shares = tree.shares(of: test.rows)
      let places = shares.indices
      let positives = places.filter { test.labels[$0] == 1 }
      let negatives = places.filter { test.labels[$0] == 0 }
      let (p, n) = (Double(positives.count), Double(negatives.count))
      let ranks = Statistics.ranks(shares)
      let sum = positives.reduce(0.0) { $0 + ranks[$1] }
      return Outcome(
        area: (sum - p * (p + 1) / 2) / (p * n),
        point: RatePoint(
          wrong: Double(negatives.count { shares[$0] > 0.5 }) / n,
          found: Double(positives.count { shares[$0] > 0.5 }) / p))
    }
  }
}

/// A point of a ROC diagram.
struct RatePoint {
  /// The share of others that are taken for the class.
  var wrong: Double
  /// The share of the class that is found.
  var found: Double

  /// The area under the upper hull of some points and the diagonal's ends.
  static func hullArea(_ points: [RatePoint]) -> Double {
    let all = points + [RatePoint(wrong: 0, found: 0), RatePoint(wrong: 1, found: 1)]
    let sorted = all.sorted { ($0.wrong, $0.found) < ($1.wrong, $1.found) }
    var hull: [RatePoint] = []
    for point in sorted {
      while hull.count >= 2, !turnsRight(hull[hull.count - 2], hull[hull.count - 1], point) {
        hull.removeLast()
      }
      hull.append(point)
    }
    return zip(hull, hull.dropFirst()).reduce(0) {
      $0 + ($1.1.wrong - $1.0.wrong) * ($1.0.found + $1.1.found) / 2
    }
  }

  private static func turnsRight(_ a: RatePoint, _ b: RatePoint, _ c: RatePoint) -> Bool {
    let left = (b.wrong - a.wrong) * (c.found - a.found)
    return left - (b.found - a.found) * (c.wrong - a.wrong) < 0
  }
}
