public import BasisSearch
public import BasisStorage

/// How a search compares.
public enum SearchMode: String, Sendable, CaseIterable {
  /// By shared words.
  case lexical
  /// By vectors.
  case dense
  /// Both rankings, joined by a weighted sum of their scores.
  case hybrid
}

/// What is looked for, and how.
public struct SearchRequest: Sendable {
  public enum Query: Sendable {
    case text(String)
    /// What is like the record with this key; the record itself is no hit.
    case key(String)
    /// Dense search only.
    case vector([Float])
  }

  public var query: Query
  public var mode = SearchMode.hybrid
  /// At most this many hits, at least 0.
  public var k = 10
  public var filter: Filter?
  /// How hard to look for near vectors, where an index makes that a choice.
  public var effort = Effort.recall(0.98)
  /// The say of the lexical ranking in a hybrid one, from 0 to 1; nil for what suits the encoder.
  public var lexicalWeight: Double?
  /// At most one hit, the best, for each value of this payload field; records without the field
  /// stay single.
  public var groupField: String?
  /// Fill in ``SearchResult/Hit/explanation``.
  public var explains = false

  public init(_ query: Query) { self.query = query }
}

/// What a search found.
public struct SearchResult: Sendable {
  public struct Hit: Sendable {
    public let key: String
    /// Larger is better; comparable within one answer only.
    public let score: Float
    let record: CollectionSnapshot.StoredRecord
    /// A JSON object.
    public var payload: String { record.payload }
    /// What was searched; of a text that was cut, the part that was found.
    public var text: String { record.text }
    /// What the score is made of, a line each.
    public let explanation: [String]
  }

  /// How the answer was found.
  public struct Plan: Sendable {
    /// In one line.
    public let summary: String
    public let steps: [String]
  }

  /// Best first.
  public let hits: [Hit]
  public let seconds: Double
  public let plan: Plan
}
