public import BasisCore

/// A way to say which links come next: settings, which ``predict(_:in:)`` applies.
public protocol LinkPredictor: Settings {
  associatedtype Input: Sendable

  /// - Parameters:
  ///   - input: what is known.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for what has nothing to predict
  ///   from; `.cancelled`.
  func predict(_ input: Input, in run: RunContext) throws(BasisError) -> LinkPrediction
}

/// Sets of nodes that may become links, and how likely each is.
public struct LinkPrediction: Sendable {
  /// How many nodes a link has: 2, or 3 of a group.
  public let order: Int
  /// The nodes of each candidate, one after another, each candidate's rising: `order` times ``count``.
  public let nodes: [Int32]
  /// One a candidate, higher for likelier; they order, and are no probabilities.
  public let scores: [Double]
  /// What to keep in mind, a sentence each.
  public var warnings: [String]

  public var count: Int { scores.count }

  init(order: Int, nodes: [Int32], scores: [Double], warnings: [String] = []) {
    self.order = order
    self.nodes = nodes
    self.scores = scores
    self.warnings = warnings
  }

  /// The nodes of a candidate, rising.
  public func members(of candidate: Int) -> [Int] {
    nodes[candidate * order..<(candidate + 1) * order].map { Int($0) }
  }

  /// The candidates of the highest scores, best first; equal ones by their nodes.
  ///
  /// - Parameter count: at most so many.
  public func best(_ count: Int) -> [Int] {
    let order = scores.indices.sorted { a, b in
      if scores[a] != scores[b] { return scores[a] > scores[b] }
      return members(of: a).lexicographicallyPrecedes(members(of: b))
    }
    return Array(order.prefix(max(0, count)))
  }
}

/// How well scores put what came true before what did not.
public struct RankingQuality: Sendable, Hashable {
  /// Candidates that came true, and all of them.
  public let positiveCount: Int
  public let count: Int
  /// The mean, over those that came true, of the share of true ones among all with a score as high;
  /// NaN if none came true.
  public let averagePrecision: Double

  /// What any order has on average.
  public var baseRate: Double { count > 0 ? Double(positiveCount) / Double(count) : .nan }
  /// How many times better than any order.
  public var averagePrecisionOverRandom: Double { averagePrecision / baseRate }

  /// - Parameters:
  ///   - scores: higher for likelier; equal scores count as one step, in no order.
  ///   - cameTrue: as many.
  /// - Complexity: O(*n* log *n*).
  public init(scores: [Double], cameTrue: [Bool]) {
    precondition(scores.count == cameTrue.count)
    count = scores.count
    positiveCount = cameTrue.count { $0 }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var (sum, hits, place) = (0.0, 0, 0)
    while place < order.count {
      var end = place
      var found = 0
      while end < order.count, scores[order[end]] == scores[order[place]] {
        if cameTrue[order[end]] { found += 1 }
        end += 1
      }
      hits += found
      sum += Double(found) * Double(hits) / Double(end)
      place = end
    }
    averagePrecision = positiveCount > 0 ? sum / Double(positiveCount) : .nan
  }
}
