public import BasisText

/// The terms that a lexical index is asked for.
public struct LexicalQuery: Sendable, Hashable {
  public struct Term: Sendable, Hashable {
    /// As the index's analyser makes it: lower-cased, stemmed.
    public var text: String
    /// What its contribution is multiplied by, finite and at least 0.
    public var weight: Float

    public init(text: String, weight: Float = 1) {
      self.text = text
      self.weight = weight
    }
  }

  /// Each term once; contributions are added up in this order.
  public var terms: [Term]

  public init(terms: [Term]) { self.terms = terms }

  /// The terms of a text in the order of their first appearance, each weighted by how often it
  /// occurs. Empty if the text has nothing but stop words.
  ///
  /// - Parameter analyzer: the one that made the index, ``LexicalIndex/analyzer``.
  /// - Parameter text: a JSON text.
  public init(_ text: String, analyzer: Analyzer) {
    terms = []
    var positions: [String: Int] = [:]
    for term in analyzer.terms(of: text) {
      if let position = positions[term] {
        terms[position].weight += 1
      } else {
        positions[term] = terms.count
        terms.append(Term(text: term))
      }
    }
  }
}

/// What scoring needs to know of all documents together. Sums of several indexes' statistics for
/// one query make them score as one index would.
public struct LexicalStatistics: Sendable, Hashable {
  public var documentCount: Int
  /// Terms in all documents, repetitions included.
  public var totalLength: Int
  /// How many documents have each of the query's terms, in the query's order.
  public var documentFrequencies: [Int]

  public init(documentCount: Int, totalLength: Int, documentFrequencies: [Int]) {
    self.documentCount = documentCount
    self.totalLength = totalLength
    self.documentFrequencies = documentFrequencies
  }

  /// - Precondition: both are for the same query.
  public static func += (sum: inout LexicalStatistics, other: LexicalStatistics) {
    precondition(sum.documentFrequencies.count == other.documentFrequencies.count)
    sum.documentCount += other.documentCount
    sum.totalLength += other.totalLength
    for index in sum.documentFrequencies.indices {
      sum.documentFrequencies[index] += other.documentFrequencies[index]
    }
  }

  /// - Precondition: both are for the same query.
  public static func + (a: LexicalStatistics, b: LexicalStatistics) -> LexicalStatistics {
    var sum = a
    sum += b
    return sum
  }
}
