public import BasisCore

/// How good a ranking is, given which documents are relevant: each measure as trec_eval has it.
///
/// A document is relevant from grade 1 on. A document that nobody judged counts as not relevant,
/// except for ``bpref``, which passes it over. All measures are in `0 ... 1`, larger is better, and 0
/// for a query without relevant documents.
///
/// Which one when: ``ndcg(_:)`` where grades matter and people read from the top; ``recall(_:)``
/// for what a later stage can still use; ``averagePrecision(_:)`` for one number over the whole
/// ranking; ``reciprocalRank`` where one good answer is enough; ``bpref`` where many documents of the
/// ranking were never judged.
public enum RelevanceMeasure: Sendable, Hashable {
  /// Discounted cumulative gain over the best there can be, after at most so many documents, or
  /// after all. A document's gain is its grade if that is above 0, discounted by log₂(rank + 1); the
  /// best is the judged documents in falling order of grade, retrieved or not.
  ///
  /// Järvelin & Kekäläinen, *Cumulated gain-based evaluation of IR techniques*, ACM TOIS 20 (2002),
  /// doi:10.1145/582415.582418, section 3, with the discount of every rank that trec_eval has:
  /// `ndcg`, `ndcg_cut_K`.
  case ndcg(Int? = nil)
  /// The mean over the relevant documents of the precision where each is found, 0 for one that is
  /// not found among so many: `map`, `map_cut_K`. The mean over queries is MAP.
  case averagePrecision(Int? = nil)
  /// One over the rank of the first relevant document, 0 if there is none: `recip_rank`. The mean
  /// over queries is MRR.
  case reciprocalRank
  /// The share of the relevant documents that is among the first so many: `recall_K`.
  case recall(Int)
  /// The share of relevant documents among the first so many, also where fewer were found: `P_K`.
  case precision(Int)
  /// 1 if a relevant document is among the first so many, else 0: `success_K`.
  case success(Int)
  /// Precision after as many documents as are relevant: `Rprec`.
  case rPrecision
  /// How seldom a document judged not relevant stands before a relevant one; unjudged documents,
  /// and those with grades below 0, are passed over: `bpref`.
  ///
  /// Buckley & Voorhees, *Retrieval evaluation with incomplete information*, SIGIR 2004,
  /// doi:10.1145/1008992.1009000, with the denominator min(relevant, judged not relevant) of
  /// trec_eval.
  case bpref
}

extension RelevanceMeasure: CustomStringConvertible {
  /// trec_eval's name, as in `ndcg_cut_10`.
  public var description: String {
    switch self {
    case .ndcg(let k): k.map { "ndcg_cut_\($0)" } ?? "ndcg"
    case .averagePrecision(let k): k.map { "map_cut_\($0)" } ?? "map"
    case .reciprocalRank: "recip_rank"
    case .recall(let k): "recall_\(k)"
    case .precision(let k): "P_\(k)"
    case .success(let k): "success_\(k)"
    case .rPrecision: "Rprec"
    case .bpref: "bpref"
    }
  }

  /// The measure that trec_eval calls so.
  ///
  /// - Throws: `.invalidArgument` with the names there are.
  public init(_ name: String) throws(BasisError) {
    let plain: [RelevanceMeasure] = [
      .ndcg(), .averagePrecision(), .reciprocalRank, .rPrecision, .bpref,
    ]
    if let measure = plain.first(where: { $0.description == name }) {
      self = measure
      return
    }
    if let bar = name.lastIndex(of: "_"), let k = Int(name[name.index(after: bar)...]), k >= 1 {
      let cut: [RelevanceMeasure] = [
        .ndcg(k), .averagePrecision(k), .recall(k), .precision(k), .success(k),
      ]
      if let measure = cut.first(where: { $0.description == name }) {
        self = measure
        return
      }
    }
    throw BasisError(
      .invalidArgument,
      "there is no measure '\(name)'; there are ndcg, ndcg_cut_K, map, map_cut_K, recip_rank, "
        + "recall_K, P_K, success_K, Rprec and bpref, with K at least 1")
  }

  /// How many documents it looks at; nil for all.
  var depth: Int? {
    switch self {
    case .ndcg(let k), .averagePrecision(let k): k
    case .recall(let k), .precision(let k), .success(let k): k
    case .reciprocalRank, .rPrecision, .bpref: nil
    }
  }
}

extension RelevanceMeasure: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    do {
      try self.init(name)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// What all measures of one query are computed from.
struct JudgedRanking {
  /// In the order of the ranking; nil for a document that nobody judged.
  let grades: [Int?]
  /// All grades above 0 of the query, falling.
  let ideal: [Int]
  /// Documents judged with grade 0.
  let rejectedCount: Int

  init(_ documents: some Sequence<String>, judgments: [String: Int]) {
    grades = documents.map { judgments[$0] }
    ideal = judgments.values.filter { $0 > 0 }.sorted(by: >)
    rejectedCount = judgments.values.count { $0 == 0 }
  }

  func value(_ measure: RelevanceMeasure) -> Double {
    guard !ideal.isEmpty else { return 0 }
    let relevantCount = Double(ideal.count)
    let top = grades.prefix(measure.depth ?? grades.count)
    let found = top.count { isRelevant($0) }
    switch measure {
    case .ndcg(let k):
      let best = Self.discounted(ideal.prefix(k ?? ideal.count))
      return Self.discounted(top.map { max(0, $0 ?? 0) }) / best
    case .averagePrecision:
      var seen = 0
      var sum = 0.0
      for (index, grade) in top.enumerated() where isRelevant(grade) {
        seen += 1
        sum += Double(seen) / Double(index + 1)
      }
      return sum / relevantCount
    case .reciprocalRank:
      return top.firstIndex(where: isRelevant).map { 1 / Double($0 + 1) } ?? 0
    case .recall: return Double(found) / relevantCount
    case .precision(let k): return Double(found) / Double(k)
    case .success: return found > 0 ? 1 : 0
    case .rPrecision:
      return Double(grades.prefix(ideal.count).count { isRelevant($0) }) / relevantCount
    case .bpref: return bpref(relevantCount)
    }
  }

  private func bpref(_ relevantCount: Double) -> Double {
    let bound = min(relevantCount, Double(rejectedCount))
    var rejected = 0.0
    var sum = 0.0
    for case let grade? in grades {
      if grade > 0 {
        sum += rejected > 0 ? 1 - min(rejected, relevantCount) / bound : 1
      } else if grade == 0 {
        rejected += 1
      }
    }
    return sum / relevantCount
  }

  private func isRelevant(_ grade: Int?) -> Bool { grade.map { $0 > 0 } ?? false }

  private static func discounted(_ gains: some Sequence<Int>) -> Double {
    var sum = 0.0
    for (index, gain) in gains.enumerated() where gain > 0 {
      sum += Double(gain) / binaryLogarithm(Double(index + 2))
    }
    return sum
  }
}

private let logarithmOf2 = logarithm(2.0)

private func binaryLogarithm(_ x: Double) -> Double { logarithm(x) / logarithmOf2 }
