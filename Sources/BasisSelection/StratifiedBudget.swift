/// Shares a number of rows out among groups as evenly as their sizes allow: small groups are taken
/// whole, and what they leave goes to larger ones.
///
/// Zheng, Liu, Lai & Prakash, *Coverage-centric Coreset Selection for High Pruning Rates*, ICLR 2023,
/// arXiv:2210.15809, algorithm 1.
///
/// - Parameters:
///   - counts: how many each group has, at least 0.
///   - total: how many are wanted, at least 0.
/// - Returns: how many of each group, `0 ... counts[i]`; they sum to `total`, or to all that there are.
///   Groups that are not taken whole get the same, but for 1.
/// - Precondition: no number is negative.
/// - Complexity: O(groups · log groups).
public func stratifiedBudget(counts: [Int], total: Int) -> [Int] {
  precondition(
    total >= 0 && counts.allSatisfy { $0 >= 0 }, "counts and their total are not negative")
  var budget = [Int](repeating: 0, count: counts.count)
  var rest = total
  let rising = counts.indices.sorted { (counts[$0], $0) < (counts[$1], $1) }
  for (place, group) in rising.enumerated() {
    budget[group] = min(counts[group], rest / (counts.count - place))
    rest -= budget[group]
  }
  return budget
}
