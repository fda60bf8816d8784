public import BasisCore

/// A lexical and a dense ranking into one, by their scores: a convex combination.
///
/// Each ranking's scores are put on a scale from 0, the worst there can be, to 1, its best hit for
/// this query; a row's score is `lexicalWeight` times the one plus `1 − lexicalWeight` times the
/// other, and 0 where a ranking does not have it. Unlike ranks (``Fusion``), this keeps how much
/// better one hit is than the next, which matters when one of the two is the weaker judge.
///
/// Bruch, Gai & Ingber, *An analysis of fusion functions for hybrid retrieval*, ACM TOIS 42 (2023),
/// doi:10.1145/3596512, equation 1 with the theoretical minimum of section 3.
public struct HybridFusion: Settings {
  /// From 0, the dense ranking alone, to 1, the lexical one alone.
  public var lexicalWeight: Double

  /// The default suits an encoder learnt from the corpus; a good language model deserves half.
  ///
  /// - Precondition: `lexicalWeight` is in `0 ... 1`.
  public init(lexicalWeight: Double = 0.7) {
    precondition(lexicalWeight >= 0 && lexicalWeight <= 1, "lexicalWeight \(lexicalWeight)")
    self.lexicalWeight = lexicalWeight
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let weight =
      try values.decodeIfPresent(Double.self, forKey: .lexicalWeight)
      ?? HybridFusion().lexicalWeight
    guard weight >= 0 && weight <= 1 else {
      throw DecodingError.dataCorruptedError(
        forKey: .lexicalWeight, in: values,
        debugDescription: "lexicalWeight \(weight) is outside 0 ... 1")
    }
    self.init(lexicalWeight: weight)
  }

  /// The best rows of both rankings together.
  ///
  /// - Parameters:
  ///   - lexical: from a ``LexicalIndex``, best first, without repetitions; the more the better, a
  ///     hundred is plenty for ten hits.
  ///   - dense: from any index of vectors, likewise.
  ///   - metric: of the dense distances. The worst there can be is similarity 0 for `.cosine` and
  ///     `.innerProduct`, and the last row given for `.squaredEuclidean`, which has no worst.
  ///   - k: at least 0.
  /// - Returns: at most `k` hits, best first, ties by smaller id. Their ranks are the one in
  ///   `lexical` and the one in `dense`. A row that has only a ranking of weight 0 is left out.
  /// - Throws: `.invalidArgument` for a negative `k`, or a row that a ranking has twice.
  /// - Complexity: O(*n* log *n*) for *n* rows in both.
  public func fuse(lexical: [Neighbor], dense: [Neighbor], metric: Metric, k: Int)
    throws(BasisError) -> [Fusion.Hit]
  {
    guard k >= 0 else { throw BasisError(.invalidArgument, "k must be at least 0, got \(k)") }
    let worst: Float =
      switch metric {
      case .cosine: 1
      case .innerProduct: 0
      case .squaredEuclidean: dense.last?.distance ?? 0
      }
    var hits: [Int: Fusion.Hit] = [:]
    try add(lexical, 0, weight: lexicalWeight, worst: 0, to: &hits)
    try add(dense, 1, weight: 1 - lexicalWeight, worst: worst, to: &hits)
    let sorted = hits.values.sorted { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
    return Array(sorted.prefix(k))
  }

  private func add(
    _ ranking: [Neighbor], _ index: Int, weight: Double, worst: Float,
    to hits: inout [Int: Fusion.Hit]
  ) throws(BasisError) {
    guard weight > 0, let best = ranking.first?.distance else { return }
    let span = Double(worst) - Double(best)
    for (position, neighbor) in ranking.enumerated() {
      var hit = hits[neighbor.id] ?? Fusion.Hit(id: neighbor.id, score: 0, ranks: [nil, nil])
      guard hit.ranks[index] == nil else {
        throw BasisError(
          .invalidArgument, "fusion: ranking \(index) has row \(neighbor.id) twice")
      }
      // All rows equally bad, or worse than the worst: no say, but a place.
      let share = span > 0 ? (Double(worst) - Double(neighbor.distance)) / span : 0
      hit.score += weight * max(0, share)
      hit.ranks[index] = position + 1
      hits[neighbor.id] = hit
    }
  }
}
