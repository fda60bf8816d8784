public import BasisCore

/// How much of an exact answer another answer has.
public enum NeighborRecall {
  /// The share of the exact answer's places that are filled as well.
  ///
  /// A neighbour counts if it is no farther than the last of the exact answer, so that of equally
  /// far ones any will do.
  ///
  /// - Parameters:
  ///   - found: the answer to judge, in any order.
  ///   - exact: the nearest first.
  /// - Returns: 0 to 1; 1 where the exact answer is empty.
  /// - Complexity: O(*k*).
  public static func share(of exact: [Neighbor], in found: [Neighbor]) -> Double {
    guard let last = exact.last else { return 1 }
    let count = found.reduce(0) { $0 + ($1.distance <= last.distance ? 1 : 0) }
    return Double(min(count, exact.count)) / Double(exact.count)
  }
}
