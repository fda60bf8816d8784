public import BasisCore

/// Several rankings of the same rows into one, by their ranks alone: reciprocal rank fusion.
///
/// A row's score is the sum over the rankings that have it of `weight / (constant + rank)`, with
/// ranks from 1. Scores of the rankings are never compared, so any two may be fused.
///
/// Cormack, Clarke & Büttcher, *Reciprocal rank fusion outperforms Condorcet and individual rank
/// learning methods*, SIGIR 2009, doi:10.1145/1571941.1572114, the equation of section 2.
public struct Fusion: Settings {
  /// How much the first ranks stand out less, *k* in the paper. Finite, at least 0.
  public var constant: Double

  /// - Precondition: `constant` is finite and at least 0.
  public init(constant: Double = 60) {
    precondition(constant >= 0 && constant.isFinite, "constant \(constant)")
    self.constant = constant
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let constant = try values.decodeIfPresent(Double.self, forKey: .constant) ?? 60
    guard constant >= 0, constant.isFinite else {
      throw DecodingError.dataCorruptedError(
        forKey: .constant, in: values, debugDescription: "constant \(constant) is out of range")
    }
    self.init(constant: constant)
  }

  /// A row of the fused ranking.
  public struct Hit: Sendable, Hashable {
    public var id: Int
    /// The sum of the reciprocal ranks; larger is better.
    public var score: Double
    /// In each ranking, from 1; nil where the row is not in it.
    public var ranks: [Int?]

    /// As a neighbour: the distance is the score times −1.
    public var neighbor: Neighbor { Neighbor(id: id, distance: -Float(score)) }
  }

  /// The best rows of all rankings together.
  ///
  /// - Parameters:
  ///   - rankings: each best first and without repetitions; their distances do not matter.
  ///   - weights: one per ranking, finite and at least 0, or nil for 1 each. A row that only
  ///     rankings of weight 0 have is left out.
  ///   - k: at least 0.
  /// - Returns: at most `k` hits, best first, ties by smaller id.
  /// - Throws: `.invalidArgument` for a `k` or a weight outside its range, or a row that a ranking
  ///   has twice; `.dimensionMismatch` if there are not as many weights as rankings.
  /// - Complexity: O(*n* log *n*) for *n* entries in all rankings.
  public func fuse(_ rankings: [[Neighbor]], weights: [Double]? = nil, k: Int)
    throws(BasisError) -> [Hit]
  {
    guard k >= 0 else { throw BasisError(.invalidArgument, "k must be at least 0, got \(k)") }
    let weights = weights ?? Array(repeating: 1, count: rankings.count)
    guard weights.count == rankings.count else {
      throw BasisError(
        .dimensionMismatch,
        "fusion of \(rankings.count) rankings needs as many weights, got \(weights.count)")
    }
    var hits: [Int: Hit] = [:]
    for (index, ranking) in rankings.enumerated() {
      guard weights[index] >= 0, weights[index].isFinite else {
        throw BasisError(
          .invalidArgument,
          "fusion: weight \(index) is \(weights[index]); weights are finite and at least 0")
      }
      guard weights[index] > 0 else { continue }
      for (position, neighbor) in ranking.enumerated() {
        var hit =
          hits[neighbor.id]
          ?? Hit(
            id: neighbor.id, score: 0, ranks: Array(repeating: nil, count: rankings.count))
        guard hit.ranks[index] == nil else {
          throw BasisError(
            .invalidArgument, "fusion: ranking \(index) has row \(neighbor.id) twice")
        }
        hit.score += weights[index] / (constant + Double(position + 1))
        hit.ranks[index] = position + 1
        hits[neighbor.id] = hit
      }
    }
    let sorted = hits.values.sorted { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
    return Array(sorted.prefix(k))
  }
}
