public import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage
import Dispatch

extension VectorCollection {
  /// The records that fit a query best, from the collection as it is now.
  ///
  /// - Throws: `.notFound` if the query names a key that is not there; `.invalidArgument` for a
  ///   negative `k`, or for a dense search by text where vectors come ready-made;
  ///   `.dimensionMismatch` for a vector of another length than the space's; `.corruptFile` if a
  ///   block that the query reads is damaged.
  public func search(_ request: SearchRequest, in run: RunContext) throws(BasisError)
    -> SearchResult
  {
    let start = DispatchTime.now().uptimeNanoseconds
    guard request.k >= 0 else {
      throw BasisError(.invalidArgument, "k must be at least 0, not \(request.k)")
    }
    let view = try currentView()
    let query = try resolve(request.query, in: view)
    let matches = try request.filter.map { filter throws(BasisError) in
      try view.snapshot.matches(filter)
    }
    let allowed = view.allowed(matches)
    var search = Search(request: request, query: query, view: view, allowed: allowed)

    // Hits that fold into one group, or that are the query itself, leave room for more: look
    // deeper until there are enough or nothing is left.
    var depth = request.k + (query.key == nil ? 0 : 1)
    let folds = request.groupField != nil || store.settings.chunker != nil
    if folds { depth = max(depth * 4, 50) }
    var answer = try search.run(depth: depth, in: run)
    while folds, answer.hits.count < request.k, answer.rankedCount >= depth {
      depth *= 4
      answer = try search.run(depth: depth, in: run)
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    return SearchResult(
      hits: answer.hits, seconds: seconds,
      plan: SearchResult.Plan(summary: search.summary, steps: search.steps))
  }

  private func resolve(_ query: SearchRequest.Query, in view: SearchView) throws(BasisError)
    -> ResolvedQuery
  {
    switch query {
    case .text(let text): return ResolvedQuery(text: text)
    case .vector(let vector): return ResolvedQuery(text: "", vector: vector)
    case .key(let key):
      guard let record = try view.snapshot.record(key: key) else {
        throw BasisError(
          .notFound, "collection '\(store.folder.name)' has no record with the key '\(key)'")
      }
      let vector = try view.snapshot.readyMadeVector(of: record.sequence)
      return ResolvedQuery(text: record.text, vector: vector, key: key)
    }
  }
}

private struct ResolvedQuery {
  var text: String
  /// Ready-made; nil to have the text encoded.
  var vector: [Float]?
  /// The record that is asked about, which is no hit.
  var key: String?
}

/// One search over one view.
private struct Search {
  let request: SearchRequest
  let query: ResolvedQuery
  let view: SearchView
  let allowed: SearchView.Allowed
  var steps: [String] = []
  var summary = ""

  /// Rankings are fused three times as deep as asked, and at least this deep: a record that is
  /// tenth in one and fiftieth in the other may well be among the best together.
  private static let fusionDepth = 100

  mutating func run(depth: Int, in run: RunContext) throws(BasisError) -> (
    hits: [SearchResult.Hit], rankedCount: Int
  ) {
    steps = []
    if let filter = request.filter {
      steps.append("filter \(filter.source): \(allowed.count) records, before ranking")
    }
    let depths = request.mode == .hybrid ? max(3 * depth, Search.fusionDepth) : depth
    let terms = LexicalQuery(query.text, analyzer: view.snapshot.store.settings.analyzer)

    var lexical: (neighbors: [Neighbor], statistics: LexicalStatistics)?
    if request.mode != .dense {
      let ranking = try view.lexicalRanking(terms, k: depths, allowed: allowed, in: run)
      lexical = ranking
      steps.append(
        "lexical: BM25 over \(terms.terms.map(\.text).joined(separator: ", ")); "
          + "\(ranking.neighbors.count) candidates")
    }
    var dense: [Neighbor]?
    var space: Space?
    if request.mode != .lexical, let side = try view.dense(in: run) {
      space = side.space
      if let vector = try queryVector(side, in: run) {
        let ranking = try view.denseRanking(
          vector, of: side, k: depths, allowed: allowed, effort: request.effort, in: run)
        dense = ranking.neighbors
        let id = side.space.id
        let name = id.version == 0 ? "\(id.name), provisional" : id.description
        steps.append(
          "dense: \(method(ranking.kinds)) in \(name), \(side.space.dimension) dimensions, "
            + "\(side.space.metric.rawValue); \(ranking.neighbors.count) candidates")
      } else {
        steps.append("dense: left out, the query has no direction in \(side.space.id)")
      }
    }

    var ranked: [(sequence: Int, score: Float, ranks: [Int?])]
    switch request.mode {
    case .lexical:
      ranked = (lexical?.neighbors ?? []).map { ($0.id, -$0.distance, []) }
    case .dense:
      let metric = space?.metric ?? .cosine
      ranked = (dense ?? []).map { ($0.id, metric.similarity(distance: $0.distance), []) }
    case .hybrid:
      let fusion = try HybridFusion(
        lexicalWeight: lexicalWeight(for: space))
      ranked = try fusion.fuse(
        lexical: lexical?.neighbors ?? [], dense: dense ?? [], metric: space?.metric ?? .cosine,
        k: depths
      ).map { ($0.id, Float($0.score), $0.ranks) }
      steps.append(
        "hybrid: scores joined, lexical weight \(fusion.lexicalWeight); "
          + "\(ranked.count) candidates")
    }
    let rankedCount = ranked.count
    summary = "\(request.mode.rawValue) over \(view.snapshot.recordCount) records"

    let hits = try fetch(ranked, terms: terms, statistics: lexical?.statistics)
    return (hits, rankedCount)
  }

  /// The query's vector, one row; nil for a text that has none in this space: without a single
  /// known term, or, in a hybrid search, where only records bring vectors.
  private func queryVector(_ side: SearchView.Dense, in run: RunContext) throws(BasisError)
    -> Matrix?
  {
    if let vector = query.vector {
      guard vector.count == side.space.dimension else {
        throw BasisError(
          .dimensionMismatch,
          "the query has \(vector.count) dimensions, the space \(side.space.id) has "
            + "\(side.space.dimension)")
      }
      return try Matrix(rows: [vector])
    }
    guard let encoder = side.encoder else {
      guard request.mode == .hybrid else {
        throw BasisError(
          .invalidArgument,
          "the vectors of \(side.space.id) came ready-made, so a text cannot be compared with them; "
            + "give --vector FILE or --key, or search with --mode lexical")
      }
      return nil
    }
    let vector = try encoder.encode([query.text], as: .query, in: run)
    return vector.withUnsafeFloats { $0.allSatisfy { $0 == 0 } } ? nil : vector
  }

  /// How vectors were searched, in words.
  private func method(_ kinds: [IndexKind: Int]) -> String {
    let indexed = IndexKind.allCases.filter { $0 != .flat && kinds[$0] != nil }
    guard !indexed.isEmpty, request.effort != .exact else { return "exact scan" }
    let effort =
      switch request.effort {
      case .recall(let target): "for a recall of \(target)"
      case .candidates(let count): "with \(count) candidates"
      case .exact: ""
      }
    return indexed.map { "\($0.rawValue) of \(kinds[$0] ?? 0) segments" }
      .joined(separator: ", ") + " " + effort
  }

  /// A space learnt from the corpus knows no more than its words do; a language model does.
  private func lexicalWeight(for space: Space?) throws(BasisError) -> Double {
    guard let weight = request.lexicalWeight else {
      return space?.encoder == "corpus" ? HybridFusion().lexicalWeight : 0.5
    }
    guard weight >= 0, weight <= 1 else {
      throw BasisError(.invalidArgument, "the lexical weight must be in 0 ... 1, not \(weight)")
    }
    return weight
  }

  /// The records behind a ranking, one a group, up to `k`.
  private func fetch(
    _ ranked: [(sequence: Int, score: Float, ranks: [Int?])], terms: LexicalQuery,
    statistics: LexicalStatistics?
  ) throws(BasisError) -> [SearchResult.Hit] {
    var hits: [SearchResult.Hit] = []
    var keys: Set<String> = []
    if let own = query.key { keys.insert(own) }
    var groups: Set<JSONValue> = []
    var position = 0
    while hits.count < request.k, position < ranked.count {
      let chunk = ranked[position..<min(position + max(request.k, 1), ranked.count)]
      position += chunk.count
      let records = try view.snapshot.records(chunk.map { Int64($0.sequence) })
      for candidate in chunk where hits.count < request.k {
        guard let record = records[Int64(candidate.sequence)] else { continue }
        // The best part of a cut text stands for its record.
        guard keys.insert(record.key).inserted else { continue }
        if let field = request.groupField,
          let value = try JSONValue(parsing: record.payload).value(at: field), !value.isNull,
          !groups.insert(value).inserted
        {
          continue
        }
        hits.append(
          SearchResult.Hit(
            key: record.key, score: candidate.score, record: record,
            explanation: request.explains
              ? try explain(candidate, terms: terms, statistics: statistics) : []))
      }
    }
    return hits
  }

  private func explain(
    _ candidate: (sequence: Int, score: Float, ranks: [Int?]), terms: LexicalQuery,
    statistics: LexicalStatistics?
  ) throws(BasisError) -> [String] {
    var lines: [String] = []
    if candidate.ranks.count == 2 {
      let words = candidate.ranks.map { $0.map { "rank \($0)" } ?? "not ranked" }
      lines.append("lexical \(words[0]), dense \(words[1])")
    }
    if let statistics {
      let parts = try view.explain(candidate.sequence, terms, statistics).map {
        "\($0.term) \(($0.score * 1000).rounded() / 1000) (\($0.frequency)×, in \($0.documentFrequency) records)"
      }
      if !parts.isEmpty { lines.append("terms: " + parts.joined(separator: ", ")) }
    }
    return lines
  }
}
