public import BasisCore

/// How hard an approximate index looks.
public enum Effort: Sendable, Hashable, Codable {
  /// The share of the true `k` nearest that an answer should hold, 0 to 1, on average over queries
  /// like those the index was calibrated on.
  case recall(Double)
  /// The index's own knob: lists that are probed, or candidates that a walk keeps.
  case candidates(Int)
  /// Whatever it takes for the exact answer.
  case exact

  /// - Parameter unit: what the index's knob counts, for the message.
  /// - Throws: `.invalidArgument` for an effort out of range.
  func check(_ unit: String) throws(BasisError) {
    switch self {
    case .recall(let target):
      guard target >= 0, target <= 1 else {
        throw BasisError(.invalidArgument, "a recall is 0 to 1, got \(target)")
      }
    case .candidates(let count):
      guard count >= 1 else {
        throw BasisError(.invalidArgument, "a search takes at least 1 \(unit), got \(count)")
      }
    case .exact: break
    }
  }
}

/// An index that trades exactness for speed.
public protocol ApproximateIndex: SearchIndex where Queries == Matrix {
  /// The nearest rows to each query, as far as the effort finds them. With a filter, never fewer
  /// than `k` where `k` rows are allowed.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite.
  ///   - k: at least 0.
  ///   - allowed: the rows that may be answered, or nil for all.
  ///   - effort: how hard to look.
  ///   - run: seed, threads and cancellation.
  /// - Throws: as ``SearchIndex/search(_:k:allowing:in:)``; `.invalidArgument` for an effort out of
  ///   range.
  func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap?, effort: Effort, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]]
}

extension ApproximateIndex {
  /// The nearest rows to each query, with nineteen in twenty of the true ones.
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    try search(queries, k: k, allowing: allowed, effort: .recall(0.95), in: run)
  }

  /// The rows within a distance of each query, as far as the effort finds them.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite.
  ///   - distance: the largest distance that counts, itself included; smaller is closer.
  ///   - allowed: the rows that may be answered, or nil for all; `allowed.count` equals `count`.
  ///   - effort: how hard to look. A recall is that of the rows which are within the distance.
  ///   - run: seed, threads and cancellation.
  /// - Returns: for each query all rows found, nearest first, ties by smaller id.
  /// - Throws: as ``search(_:k:allowing:effort:in:)``; `.invalidArgument` for a distance that is
  ///   not a number.
  /// - Complexity: that of a few searches for as many neighbours as there are.
  public func search(
    _ queries: Matrix, within distance: Float, allowing allowed: Bitmap? = nil,
    effort: Effort = .recall(0.95), in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    guard !distance.isNaN else {
      throw BasisError(.invalidArgument, "the largest distance is not a number")
    }
    var results = [[Neighbor]](repeating: [], count: queries.rowCount)
    var open = Array(0..<queries.rowCount)
    var k = 32
    // A ranking whose last row is too far away holds all that are near enough.
    while !open.isEmpty {
      let found = try search(
        queries.selecting(rows: open), k: k, allowing: allowed, effort: effort, in: run)
      var next: [Int] = []
      for (query, ranking) in zip(open, found) {
        results[query] = ranking.filter { $0.distance <= distance }
        if ranking.count == k, results[query].count == k, k < count { next.append(query) }
      }
      open = next
      k = min(count, 4 * k)
    }
    return results
  }
}
