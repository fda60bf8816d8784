public import BasisCore
public import BasisFormats

/// Scores what a system answered against what people judged, as trec_eval does.
///
/// Hits are taken in the order of their scores, equal ones by document id from the last to the first
/// (`RetrievalRun.ranking(of:)`): neither a rank written in a file nor the order of
/// lines has a say.
///
/// Buckley, *trec_eval*, NIST, version 9; the same value for every query and measure.
public struct RelevanceEvaluation: Settings {
  /// Which queries the means are over.
  public enum Scope: String, Codable, Sendable, CaseIterable {
    /// All that are judged; one that was not answered has 0 everywhere. What papers report, and
    /// `trec_eval -c`: leaving out hard queries must not pay.
    case judged
    /// Those that are judged and answered with at least one document: trec_eval without `-c`.
    case answered
  }

  /// nDCG@10, recall@100, MAP and MRR.
  public static let standardMeasures: [RelevanceMeasure] = [
    .ndcg(10), .recall(100), .averagePrecision(), .reciprocalRank,
  ]

  public var measures: [RelevanceMeasure]
  public var scope: Scope

  public init(
    measures: [RelevanceMeasure] = RelevanceEvaluation.standardMeasures, scope: Scope = .judged
  ) {
    self.measures = measures
    self.scope = scope
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    measures = try values.decodeIfPresent([RelevanceMeasure].self, forKey: .measures) ?? measures
    scope = try values.decodeIfPresent(Scope.self, forKey: .scope) ?? scope
  }

  /// The value of every measure for every query.
  ///
  /// Queries of the run that are not judged are passed over. A query whose judgments name no
  /// relevant document has 0 everywhere and counts, as in trec_eval.
  ///
  /// - Parameters:
  ///   - run: what was answered, each document of a query once, with finite scores.
  ///   - judgments: by query and document the grade: 1 and more is relevant, 0 was judged and is
  ///     not, below 0 is neither.
  /// - Returns: the values, queries with shorter ids first.
  /// - Throws: `.invalidArgument` for a measure after fewer than 1 documents; `.badData` for a
  ///   document that a query has twice, a score that is not finite, or if there is no query to
  ///   average over.
  /// - Complexity: O(*n* log *n*) for *n* hits, and O(*n*) per measure.
  public func evaluate(_ run: RetrievalRun, judgments: [String: [String: Int]])
    throws(BasisError) -> RelevanceScores
  {
    for measure in measures {
      guard measure.depth ?? 1 >= 1 else {
        throw BasisError(
          .invalidArgument, "\(measure): a measure looks at 1 document at least")
      }
    }
    let isAnswered = { (query: String) in !(run.hits[query] ?? []).isEmpty }
    let judged = judgments.keys.sorted {
      $0.utf8.count != $1.utf8.count
        ? $0.utf8.count < $1.utf8.count : $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    let queries = scope == .judged ? judged : judged.filter(isAnswered)
    guard !queries.isEmpty else {
      throw BasisError(
        .badData,
        judged.isEmpty
          ? "there is no judged query to evaluate"
          : "none of the \(judged.count) judged queries is in the run, which has \(run.hits.count) "
            + "queries; the ids of both must be the same")
    }
    var values = Dictionary(uniqueKeysWithValues: Set(measures).map { ($0, [Double]()) })
    var withoutRelevant = 0
    for query in queries {
      let hits = run.ranking(of: query)
      try Self.check(hits, of: query)
      let ranking = JudgedRanking(hits.map(\.document), judgments: judgments[query] ?? [:])
      if ranking.ideal.isEmpty { withoutRelevant += 1 }
      for measure in values.keys { values[measure]?.append(ranking.value(measure)) }
    }
    return RelevanceScores(
      queries: queries, values: values, unanswered: judged.filter { !isAnswered($0) },
      unjudgedCount: run.hits.keys.count { judgments[$0] == nil },
      withoutRelevantCount: withoutRelevant)
  }

  private static func check(_ hits: [RetrievalRun.Hit], of query: String) throws(BasisError) {
    var seen: Set<String> = []
    seen.reserveCapacity(hits.count)
    for hit in hits {
      guard hit.score.isFinite else {
        throw BasisError(
          .badData, "query \(query), document \(hit.document): the score is \(hit.score)")
      }
      guard seen.insert(hit.document).inserted else {
        throw BasisError(.badData, "query \(query) has document \(hit.document) twice")
      }
    }
  }
}

/// How good a run is, query by query.
public struct RelevanceScores: Sendable, Hashable {
  /// What the values are of, in this order.
  public let queries: [String]
  /// For each measure one value a query, in `0 ... 1`.
  public let values: [RelevanceMeasure: [Double]]
  /// Judged queries for which the run has no document.
  public let unanswered: [String]
  /// How many queries of the run nobody judged.
  public let unjudgedCount: Int
  /// How many of the queries have no relevant document; each counts with 0.
  public let withoutRelevantCount: Int

  /// The values of one measure, in the order of ``queries``.
  ///
  /// - Precondition: the evaluation was asked for the measure.
  public func values(of measure: RelevanceMeasure) -> [Double] {
    guard let list = values[measure] else {
      preconditionFailure("\(measure) was not among the measures evaluated")
    }
    return list
  }

  /// The mean over the queries.
  ///
  /// - Precondition: the evaluation was asked for the measure.
  public func mean(of measure: RelevanceMeasure) -> Double {
    let list = values(of: measure)
    return list.reduce(0, +) / Double(list.count)
  }
}
