public import BasisCore

extension Clustering {
  /// How far the groups agree with others of the same things, less what chance gives: 1 for the same
  /// groups, about 0 for unrelated ones, at least −0.5.
  ///
  /// Hubert & Arabie, *Comparing partitions*, Journal of Classification 2 (1985),
  /// doi:10.1007/BF01908075, over pairs of things.
  ///
  /// - Parameter labels: the other group of each thing, any whole numbers.
  /// - Throws: `.dimensionMismatch` for another number of labels than of things.
  /// - Complexity: O(*n*).
  public func adjustedRandIndex(with labels: [Int]) throws(BasisError) -> Double {
    guard labels.count == assignments.count else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(labels.count) labels for \(assignments.count) rows; give one a row")
    }
    var both: [Both: Double] = [:]
    var byLabel: [Int: Double] = [:]
    for (group, label) in zip(assignments, labels) {
      both[Both(group: group, label: label), default: 0] += 1
      byLabel[label, default: 0] += 1
    }
    func pairs(_ counts: some Sequence<Double>) -> Double {
      counts.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
    }
    // Pairs that are together in both, in one, and in the other.
    let together = pairs(both.values)
    let grouped = pairs(sizes.map { Double($0) })
    let labeled = pairs(byLabel.values)
    let all = pairs([Double(labels.count)])
    let chance = all > 0 ? grouped * labeled / all : 0
    let most = (grouped + labeled) / 2
    return most == chance ? 1 : (together - chance) / (most - chance)
  }
}

private struct Both: Hashable {
  var group: Int
  var label: Int
}
