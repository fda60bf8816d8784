public import BasisCore
import BasisFormats
import BasisText

extension LexicalIndex: SearchIndex {
  /// The query of a text, with this index's analyser.
  public func makeQuery(_ text: String) -> LexicalQuery { LexicalQuery(text, analyzer: analyzer) }

  /// What this index adds to the statistics of a query.
  ///
  /// - Throws: `.corruptFile`.
  public func statistics(for query: LexicalQuery) throws(BasisError) -> LexicalStatistics {
    var frequencies: [Int] = []
    for term in query.terms {
      let found = try find(term.text)
      frequencies.append(found.map(documentFrequency) ?? 0)
    }
    return LexicalStatistics(
      documentCount: count, totalLength: totalLength, documentFrequencies: frequencies)
  }

  /// The documents that match a query best.
  ///
  /// - Parameters:
  ///   - k: at least 0.
  ///   - query: what is looked for.
  ///   - allowed: the documents that may be answered, or nil for all; it does not change scores.
  ///   - statistics: of all indexes that the query is asked of together, or nil for this one alone.
  ///   - run: seed, threads and cancellation.
  /// - Returns: at most `k` documents that have a term of the query, best first, ties by smaller
  ///   id; `distance` is the score of ``BM25`` times −1.
  /// - Throws: `.invalidArgument` for a negative `k` or a weight that is negative or not finite;
  ///   `.dimensionMismatch` if the filter or the statistics are of another index or query;
  ///   `.corruptFile`; `.cancelled`.
  /// - Complexity: O(*n* + postings of the query's terms), one float per document of memory.
  public func search(
    _ query: LexicalQuery, k: Int, allowing allowed: Bitmap? = nil,
    statistics: LexicalStatistics? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [Neighbor] {
    try checkSearch(k: k, allowing: allowed)
    let weighted = try weigh(query, statistics)
    guard k > 0, count > 0, !weighted.terms.isEmpty else { return [] }

    var scores = Array(repeating: Float(0), count: count)
    for (number, weight) in weighted.terms {
      try run.checkCancelled()
      let range = try postingRange(number)
      let isSound = postings.withUnsafeBufferPointer { bytes in
        lengths.withUnsafeBufferPointer { lengths in
          scores.withUnsafeMutableBufferPointer { scores in
            var cursor = PostingCursor(
              bytes: UnsafeBufferPointer(rebasing: bytes[range]), documentCount: scores.count)
            while cursor.next() {
              scores[cursor.document] += weighted.contribution(
                weight, frequency: cursor.frequency, length: lengths[cursor.document])
            }
            return cursor.isSound
          }
        }
      }
      guard isSound else { throw Self.corrupt("the postings of term \(number) are damaged") }
    }

    var best = TopK(k: k)
    // A contribution is positive, so a score of zero is a document without any term.
    if let allowed {
      allowed.forEach { document in
        if scores[document] > 0 {
          best.offer(Neighbor(id: document, distance: -scores[document]))
        }
      }
    } else {
      scores.withUnsafeBufferPointer { scores in
        var threshold = Float(0)
        for document in 0..<scores.count where scores[document] > threshold {
          best.offer(Neighbor(id: document, distance: -scores[document]))
          if best.count == k { threshold = -best.threshold }
        }
      }
    }
    return best.sorted()
  }

  public func search(
    _ queries: [LexicalQuery], k: Int, allowing allowed: Bitmap?, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    try parallelMap(queries.count, grain: 1, in: run) { (_, range) throws(BasisError) in
      try search(queries[range.lowerBound], k: k, allowing: allowed, in: run)
    }
  }

  /// Why a document has its score.
  public struct Contribution: Sendable, Hashable, Codable {
    public var term: String
    /// How often the document has the term.
    public var frequency: Int
    /// How many documents have it.
    public var documentFrequency: Int
    /// What it adds to the score.
    public var score: Float
  }

  /// What each term of a query adds to a document's score: terms that the document has, in the
  /// query's order. Their scores, added up in this order, are the score of a search.
  ///
  /// - Parameter statistics: as given to the search.
  /// - Parameter document: the document's number.
  /// - Parameter query: what is looked for.
  /// - Throws: `.invalidArgument` if there is no such document; as ``search(_:k:allowing:statistics:in:)``.
  /// - Complexity: O(postings of the query's terms).
  public func explain(
    _ document: Int, for query: LexicalQuery, statistics: LexicalStatistics? = nil
  ) throws(BasisError) -> [Contribution] {
    guard document >= 0 && document < count else {
      throw BasisError(.invalidArgument, "document \(document) of an index of \(count)")
    }
    let weighted = try weigh(query, statistics)
    var result: [Contribution] = []
    for (position, term) in query.terms.enumerated() {
      guard let number = try find(term.text) else { continue }
      let range = try postingRange(number)
      let frequency: UInt32? = postings.withUnsafeBufferPointer { bytes in
        var cursor = PostingCursor(
          bytes: UnsafeBufferPointer(rebasing: bytes[range]), documentCount: count)
        while cursor.next() {
          if cursor.document >= document {
            return cursor.document == document ? cursor.frequency : nil
          }
        }
        return nil
      }
      guard let frequency else { continue }
      let length = lengths.withUnsafeBufferPointer { $0[document] }
      result.append(
        Contribution(
          term: term.text, frequency: Int(frequency),
          documentFrequency: weighted.documentFrequencies[position],
          score: weighted.contribution(
            weighted.weights[position], frequency: frequency, length: length)))
    }
    return result
  }

  /// A query with everything that does not depend on the document.
  private struct WeightedQuery {
    /// The terms that this index has, by their numbers, in the query's order.
    var terms: [(number: Int, weight: Float)] = []
    /// By position in the query.
    var weights: [Float] = []
    var documentFrequencies: [Int]
    // k1 · (1 − b) and k1 · b / average length.
    var constantNorm: Float
    var lengthNorm: Float

    @inline(__always)
    func contribution(_ weight: Float, frequency: UInt32, length: UInt32) -> Float {
      let tf = Float(frequency)
      return weight * tf / (tf + (constantNorm + lengthNorm * Float(length)))
    }
  }

  private func weigh(
    _ query: LexicalQuery, _ given: LexicalStatistics?
  ) throws(BasisError) -> WeightedQuery {
    let statistics: LexicalStatistics
    if let given { statistics = given } else { statistics = try self.statistics(for: query) }
    guard statistics.documentFrequencies.count == query.terms.count else {
      throw BasisError(
        .dimensionMismatch,
        "the statistics are of \(statistics.documentFrequencies.count) terms, the query has "
          + "\(query.terms.count)")
    }
    let averageLength = max(
      Double(statistics.totalLength) / Double(max(1, statistics.documentCount)), 1e-9)
    var weighted = WeightedQuery(
      documentFrequencies: statistics.documentFrequencies,
      constantNorm: Float(scoring.k1 * (1 - scoring.b)),
      lengthNorm: Float(scoring.k1 * scoring.b / averageLength))
    for (term, frequency) in zip(query.terms, statistics.documentFrequencies) {
      guard term.weight >= 0, term.weight.isFinite else {
        throw BasisError(
          .invalidArgument,
          "the query's term '\(term.text)' has weight \(term.weight); weights are finite and at least 0"
        )
      }
      let idf = scoring.inverseDocumentFrequency(
        frequency, documentCount: statistics.documentCount)
      let weight = Float(Double(term.weight) * idf)
      weighted.weights.append(weight)
      if weight > 0, let number = try find(term.text) { weighted.terms.append((number, weight)) }
    }
    return weighted
  }
}
