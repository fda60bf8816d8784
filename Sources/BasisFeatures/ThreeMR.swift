public import BasisCore
import BasisNumerics

/// Puts columns into an order in which each next one is relevant, not redundant with those before it, and
/// related with them: tells much about the target together with them.
///
/// Next is the column of the largest rel(*f*) − α · agg red(*f*, *s*) + β · agg rel(*f* × *s*) over the chosen *s*,
/// where rel is the mutual information with the target, red that of two columns, and rel of a product that of
/// the combined column with the target; each scaled to 0 … 1 over all columns or pairs.
///
/// Škrlj & Mramor, *OutRank*, RecSys 2023, doi:10.1145/3604915.3610636, 3MR.
///
/// - Note: All three are corrected for chance. Starts from the most relevant column, or, where that says less
///   than what some pair adds to its parts, from this pair: of two columns that tell something only
///   together, neither would come early.
public struct ThreeMR: FeatureRanker {
  public enum Aggregate: String, Sendable, Hashable, Codable, CaseIterable {
    case median, mean, sum
  }

  /// What columns have in common; `mi`, or one of the corrected.
  public var heuristic: ColumnScore
  /// *α*, at least 0.
  public var redundancyWeight: Double
  /// *β*, at least 0.
  public var relationWeight: Double
  /// *agg*.
  public var aggregate: Aggregate
  /// Columns that are put in order, at least 1; the most relevant ones, where there are more.
  public var candidateLimit: Int
  /// Whether a pair may come first.
  public var startsWithPairs: Bool

  public init(
    heuristic: ColumnScore = .corrected(.exact), redundancyWeight: Double = 1,
    relationWeight: Double = 1, aggregate: Aggregate = .median, candidateLimit: Int = 200,
    startsWithPairs: Bool = true
  ) {
    self.heuristic = heuristic
    self.redundancyWeight = redundancyWeight
    self.relationWeight = relationWeight
    self.aggregate = aggregate
    self.candidateLimit = candidateLimit
    self.startsWithPairs = startsWithPairs
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    heuristic = try values.decodeIfPresent(ColumnScore.self, forKey: .heuristic) ?? heuristic
    redundancyWeight =
      try values.decodeIfPresent(Double.self, forKey: .redundancyWeight) ?? redundancyWeight
    relationWeight =
      try values.decodeIfPresent(Double.self, forKey: .relationWeight) ?? relationWeight
    aggregate = try values.decodeIfPresent(Aggregate.self, forKey: .aggregate) ?? aggregate
    candidateLimit =
      try values.decodeIfPresent(Int.self, forKey: .candidateLimit) ?? candidateLimit
    startsWithPairs =
      try values.decodeIfPresent(Bool.self, forKey: .startsWithPairs) ?? startsWithPairs
  }

  /// - Parameters:
  ///   - input: at least one row, and a target of two values.
  ///   - run: the seed draws the orders of ``ColumnScore/Chance/permutations(_:)``.
  /// - Returns: the columns in the order in which they were chosen; relevance is each one's gain then, and the
  ///   score falls from 1 for the first to 0 for the last.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for no rows or a target of one
  ///   value; `.cancelled`.
  /// - Complexity: O(*n* · candidates²).
  public func rank(_ input: LabeledColumns, in run: RunContext) throws(BasisError) -> FeatureRanking
  {
    try input.requireRankable("3mr")
    try requireSettings()
    let scorer = try ColumnScorer(heuristic, target: input.target, in: run)
    let all = try parallelMap(input.features.count, grain: 1, in: run) {
      (place, _) throws(BasisError) -> (column: CountedColumn, statistic: ColumnStatistic) in
      let column = CountedColumn(input.features[place])
      return (column, try scorer.statistic(column, in: run.silent))
    }
    let excess = all.map(\.statistic.excess)
    let candidates = excess.indices.sorted { (excess[$1], $0) < (excess[$0], $1) }
      .prefix(candidateLimit).sorted()
    let columns = candidates.map { all[$0].column }
    let relevance = candidates.map { excess[$0] }
    let pairs = try PairScores(columns, scorer, in: run)
    let chosen = order(relevance, pairs)

    let last = Double(max(chosen.count - 1, 1))
    let features = chosen.enumerated().map { rank, step in
      let place = candidates[step.column]
      let name = input.features[place].name
      return RankedFeature(
        name: name, columns: [name], score: 1 - Double(rank) / last, relevance: step.gain,
        statistic: all[place].statistic, cardinality: all[place].column.cardinality)
    }
    var warnings: [String] = []
    if candidates.count < all.count {
      warnings.append(
        "of \(all.count) columns the \(candidates.count) most relevant are put in order; "
          + "candidateLimit says how many")
    }
    return FeatureRanking(
      features, unit: "gain", rowCount: input.rowCount, warnings: warnings)
  }

  private func requireSettings() throws(BasisError) {
    guard redundancyWeight >= 0, relationWeight >= 0, redundancyWeight.isFinite,
      relationWeight.isFinite, candidateLimit >= 1
    else {
      throw BasisError(
        .invalidArgument,
        "3mr: the weights are at least 0 and the limit of candidates at least 1; got "
          + "\(redundancyWeight), \(relationWeight) and \(candidateLimit)")
    }
    switch heuristic {
    case .mutualInformation, .corrected: return
    default:
      throw BasisError(
        .invalidArgument,
        "3mr: takes mi, mi-exact, mi-shift or mi-permutations:K, not \(heuristic.rawValue)")
    }
  }

  private func order(_ relevance: [Double], _ pairs: PairScores) -> [(column: Int, gain: Double)] {
    guard !relevance.isEmpty else { return [] }
    let own = Self.scaled(relevance)
    let redundancy = Self.scaled(pairs.redundancy)
    let relation = Self.scaled(pairs.relation)
    var left = Set(relevance.indices)
    var chosen: [(column: Int, gain: Double)] = []
    func gain(_ column: Int) -> Double {
      let places = chosen.map { pairs.place(column, $0.column) }
      guard !places.isEmpty else { return own[column] }
      return own[column] - redundancyWeight * aggregated(places.map { redundancy[$0] })
        + relationWeight * aggregated(places.map { relation[$0] })
    }
    func choose(_ column: Int) {
      chosen.append((column, gain(column)))
      left.remove(column)
    }
    let best = relevance.indices.max { (relevance[$0], $1) < (relevance[$1], $0) } ?? 0
    if startsWithPairs, let pair = pairs.strongest(beyond: relevance),
      pair.synergy > relevance[best]
    {
      let inOrder = relevance[pair.second] > relevance[pair.first]
      choose(inOrder ? pair.second : pair.first)
      choose(inOrder ? pair.first : pair.second)
    } else {
      choose(best)
    }
    while !left.isEmpty {
      let gains = left.sorted().map { (column: $0, gain: gain($0)) }
      guard let next = gains.max(by: { ($0.gain, $1.column) < ($1.gain, $0.column) }) else { break }
      choose(next.column)
    }
    return chosen
  }

  private func aggregated(_ values: [Double]) -> Double {
    switch aggregate {
    case .median: Statistics.quantile(values, 0.5)
    case .mean: Statistics.mean(values)
    case .sum: values.reduce(0, +)
    }
  }

  /// 0 for the least and 1 for the most.
  private static func scaled(_ values: [Double]) -> [Double] {
    guard let low = values.min(), let high = values.max(), high > low else {
      return values.map { _ in 0 }
    }
    return values.map { ($0 - low) / (high - low) }
  }
}

/// What each two columns tell about each other, and together about the target.
private struct PairScores {
  /// By place; nats.
  let redundancy: [Double]
  let relation: [Double]
  private let count: Int

  init(_ columns: [CountedColumn], _ scorer: ColumnScorer, in run: RunContext) throws(BasisError) {
    count = columns.count
    // One chunk a column: the pairs with the columns before it.
    let found = try parallelMap(columns.count, grain: 1, in: run) {
      (second, _) throws(BasisError) -> [(Double, Double)] in
      let own = ColumnScorer(
        scorer.score, target: columns[second], stream: "column orders \(second)", in: run)
      var pairs: [(Double, Double)] = []
      for first in 0..<second {
        try run.checkCancelled()
        pairs.append(
          (
            try own.statistic(columns[first], in: run.silent).excess,
            try scorer.statistic(columns[first].joined(with: columns[second]), in: run.silent)
              .excess
          ))
      }
      return pairs
    }
    let all = found.flatMap { $0 }
    redundancy = all.map(\.0)
    relation = all.map(\.1)
  }

  /// Where the pair of two different columns is.
  func place(_ a: Int, _ b: Int) -> Int {
    let (low, high) = (min(a, b), max(a, b))
    return high * (high - 1) / 2 + low
  }

  /// The pair that tells most beyond what its columns tell one by one.
  func strongest(beyond relevance: [Double]) -> (first: Int, second: Int, synergy: Double)? {
    var best: (first: Int, second: Int, synergy: Double)?
    for second in 0..<count {
      for first in 0..<second {
        let synergy = relation[place(first, second)] - relevance[first] - relevance[second]
        if synergy > best?.synergy ?? 0 { best = (first, second, synergy) }
      }
    }
    return best
  }
}
