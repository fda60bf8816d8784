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
    exact.isEmpty ? 1 : Double(count(of: exact, in: found)) / Double(exact.count)
  }

  /// How many of the exact answer's places are filled as well.
  static func count(of exact: some BidirectionalCollection<Neighbor>, in found: [Neighbor]) -> Int {
    guard let last = exact.last else { return 0 }
    return min(exact.count, found.count { $0.distance <= last.distance })
  }
}
