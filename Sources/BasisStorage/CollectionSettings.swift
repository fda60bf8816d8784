public import BasisCore
public import BasisSearch
public import BasisText

/// What is decided when a collection is made and holds for its whole life.
public struct CollectionSettings: Settings {
  /// The payload fields that make up a record's text, in this order.
  public var textFields: [String]
  /// Turns texts into the terms of the lexical index.
  public var analyzer: Analyzer
  /// The encoder of the dense space, by name; ``readyMade`` where records bring their vectors.
  public var encoder: String
  /// Dimension asked of a corpus-trained encoder.
  public var dimension: Int
  /// How texts are cut into parts that are searched one by one; nil to leave them whole.
  public var chunker: TextChunker?
  /// A segment is sealed at this many rows …
  public var segmentRowLimit: Int
  /// … or at this many bytes of text, whichever comes first.
  public var segmentByteLimit: Int

  /// The payload fields, as paths such as `author.name`, whose values segments keep in columns, so
  /// that a filter on them reads no payload. Nil for those that are seen: of a segment's records,
  /// the 32 most frequent fields with numbers, truth values or short texts. Filters on other fields
  /// have the same answers, later.
  public var filterFields: [String]?
  /// Chooses how the vectors of a segment are indexed.
  public var index: IndexPlanner

  /// The name that stands for no encoder: vectors come with the records.
  public static let readyMade = "none"

  public init(
    textFields: [String] = ["text"], analyzer: Analyzer = Analyzer(), encoder: String = "corpus",
    dimension: Int = 256, chunker: TextChunker? = nil, segmentRowLimit: Int = 65_536,
    segmentByteLimit: Int = 64 << 20, index: IndexPlanner = IndexPlanner(),
    filterFields: [String]? = nil
  ) {
    self.filterFields = filterFields
    self.textFields = textFields
    self.analyzer = analyzer
    self.encoder = encoder
    self.dimension = dimension
    self.chunker = chunker
    self.segmentRowLimit = segmentRowLimit
    self.segmentByteLimit = segmentByteLimit
    self.index = index
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    textFields = try values.decodeIfPresent([String].self, forKey: .textFields) ?? textFields
    analyzer = try values.decodeIfPresent(Analyzer.self, forKey: .analyzer) ?? analyzer
    encoder = try values.decodeIfPresent(String.self, forKey: .encoder) ?? encoder
    dimension = try values.decodeIfPresent(Int.self, forKey: .dimension) ?? dimension
    chunker = try values.decodeIfPresent(TextChunker.self, forKey: .chunker)
    segmentRowLimit =
      try values.decodeIfPresent(Int.self, forKey: .segmentRowLimit) ?? segmentRowLimit
    segmentByteLimit =
      try values.decodeIfPresent(Int.self, forKey: .segmentByteLimit) ?? segmentByteLimit
    filterFields = try values.decodeIfPresent([String].self, forKey: .filterFields)
    index = try values.decodeIfPresent(IndexPlanner.self, forKey: .index) ?? index
  }
}
