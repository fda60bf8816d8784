public import BasisCore

/// Thins the larger classes at random, until the smallest one's rows are so many per cent of each.
///
/// Chawla, Bowyer, Hall & Kegelmeyer, *SMOTE: Synthetic Minority Over-sampling Technique*, JAIR 16
/// (2002), doi:10.1613/jair.953, section 4.3: at 200 % the minority has twice the rows that the majority
/// keeps.
public struct UnderSampler: Selector {
  /// The smallest class as a share of every other that is thinned, in per cent, above 0: 100 makes
  /// all classes equal.
  public var percent: Double

  public init(percent: Double = 100) { self.percent = percent }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    percent =
      try values.decodeIfPresent(Double.self, forKey: .percent) ?? UnderSampler().percent
  }

  /// - Parameters:
  ///   - input: rows of two classes at least; the values play no part.
  ///   - run: the seed chooses the rows.
  /// - Returns: the rows kept, all of a class that is small enough.
  /// - Throws: `.invalidArgument`; `.badData` for a single class; `.cancelled`.
  /// - Complexity: O(*n* log *n*).
  public func select(_ input: LabeledRows, in run: RunContext) throws(BasisError) -> Selection {
    try run.checkCancelled()
    let classes = try ClassMembers(input.labels, for: "under")
    let counts = classes.classes.map { classes.members($0).count }
    let kept = try keptRows(classes, finalCounts: counts, in: run)
    var groups: [Selection.Group] = []
    for (place, label) in classes.classes.enumerated() {
      groups.append(.init("\(label)", count: counts[place], keptCount: kept[place].count))
    }
    return Selection(kept.flatMap { $0 }.sorted(), groups: groups)
  }

  /// The rows of each class that stay.
  ///
  /// - Parameter finalCounts: rows of each class, with those that were made.
  func keptRows(_ classes: ClassMembers, finalCounts: [Int], in run: RunContext) throws(BasisError)
    -> [[Int]]
  {
    guard percent > 0, percent.isFinite else {
      throw BasisError(
        .invalidArgument, "under-sampling wants a number of per cent above 0, not \(percent)")
    }
    let smallest = finalCounts.min() ?? 0
    let wanted = max(1, min(Double(Int32.max), (Double(smallest) * 100 / percent).rounded()))
    var result: [[Int]] = []
    for (place, label) in classes.classes.enumerated() {
      let members = classes.members(label)
      let surplus = finalCounts[place] - Int(wanted)
      guard finalCounts[place] > smallest, surplus > 0 else {
        result.append(members)
        continue
      }
      var generator = run.generator("rows that stay", chunk: place)
      let count = max(0, members.count - surplus)
      result.append(generator.sample(count, of: members.count).map { members[$0] })
    }
    return result
  }
}
