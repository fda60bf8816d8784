public import BasisCore

/// The kinds of dense index.
public enum IndexKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// ``FlatIndex``: every row, exactly.
  case flat
  /// ``QuantizedFlatIndex`` of bytes: every row as a byte a dimension, the best of them exactly.
  case int8
  /// ``InvertedListsIndex``: rows by their nearest centroid, as 4-bit codes.
  case lists
  /// ``GraphIndex``: rows that point at near rows.
  case graph
}

/// Chooses the index of a set of vectors from its size and dimension, and says why.
public struct IndexPlanner: Settings {
  /// The kind to use whatever the size; nil to choose.
  public var kind: IndexKind?
  /// Up to so many values, rows times dimension, every row is compared as it is: a fraction of a
  /// millisecond.
  public var exactValueLimit = 1_000_000
  /// Up to so many values every row is compared, above ``exactValueLimit`` as bytes: about a
  /// millisecond.
  public var flatValueLimit = 8_000_000
  /// Vectors shorter than this are put into lists. Their 4-bit codes say nearly everything about
  /// them, and take a fraction of the time that a graph takes to build; longer vectors are found
  /// sooner by a walk.
  public var graphDimension = 96
  /// The recall that most searches will ask for: a graph for more than 0.97 is built with twice the
  /// care. Searches may ask for more, and get it for more time.
  public var targetRecall = 0.95
  /// Most bytes that an index may take beside the rows; nil for no limit.
  public var byteLimit: Int?

  public init() {}

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    kind = try values.decodeIfPresent(IndexKind.self, forKey: .kind)
    exactValueLimit =
      try values.decodeIfPresent(Int.self, forKey: .exactValueLimit) ?? exactValueLimit
    flatValueLimit =
      try values.decodeIfPresent(Int.self, forKey: .flatValueLimit) ?? flatValueLimit
    graphDimension =
      try values.decodeIfPresent(Int.self, forKey: .graphDimension) ?? graphDimension
    targetRecall = try values.decodeIfPresent(Double.self, forKey: .targetRecall) ?? targetRecall
    byteLimit = try values.decodeIfPresent(Int.self, forKey: .byteLimit)
  }

  /// What was chosen.
  public struct Plan: Sendable, Hashable, Codable {
    public var kind: IndexKind
    /// Why, in words for people.
    public var reason: String
    /// What a graph is built for; nil in older files.
    public var targetRecall: Double?

    public init(kind: IndexKind, reason: String, targetRecall: Double? = nil) {
      self.kind = kind
      self.reason = reason
      self.targetRecall = targetRecall
    }
  }

  /// The index for some rows.
  ///
  /// - Parameters:
  ///   - rowCount: at least 0.
  ///   - dimension: at least 0.
  public func plan(rowCount: Int, dimension: Int) -> Plan {
    if let kind { return Plan(kind: kind, reason: "asked for", targetRecall: targetRecall) }
    let values = rowCount * dimension
    if values <= flatValueLimit {
      let reason = "\(rowCount) rows of \(dimension) are compared in milliseconds"
      // Bytes answer within their calibration; who wants every neighbour is better off without.
      guard values > exactValueLimit, targetRecall < 1,
        rowCount * IndexPlanner.byteCodeBytes(dimension: dimension) <= byteLimit ?? .max
      else { return Plan(kind: .flat, reason: reason) }
      return Plan(kind: .int8, reason: reason + ", sooner as bytes")
    }
    let graphBytes = rowCount * IndexPlanner.graphBytes(dimension: dimension)
    let listsBytes = rowCount * IndexPlanner.listsBytes(dimension: dimension)
    let prefersGraph = dimension >= graphDimension
    if prefersGraph, graphBytes <= byteLimit ?? .max {
      return Plan(
        kind: .graph, reason: "\(rowCount) rows of \(dimension), at least \(graphDimension)",
        targetRecall: targetRecall)
    }
    if listsBytes <= byteLimit ?? .max {
      return Plan(
        kind: .lists,
        reason: prefersGraph
          ? "a graph would take \(graphBytes) bytes, of which there may be \(byteLimit ?? .max)"
          : "\(rowCount) rows of \(dimension), fewer than \(graphDimension)")
    }
    return Plan(
      kind: .flat,
      reason: "lists would take \(listsBytes) bytes, of which there may be \(byteLimit ?? .max)")
  }

  /// Bytes a row takes in a graph: a byte a dimension, with many dimensions pairs of bits and signs
  /// too, and 32 neighbours.
  static func graphBytes(dimension: Int) -> Int {
    let bits = GraphCodes.pairStride(dimension) + (dimension < 192 ? 0 : dimension / 8 + 8)
    return (dimension + 63) / 64 * 64 + bits + 32 * 4 + 20
  }

  /// Bytes a row takes as bytes: one a dimension, its factor, its norm and the norm's inverse.
  static func byteCodeBytes(dimension: Int) -> Int { (dimension + 63) / 64 * 64 + 12 }

  /// Bytes a row takes in lists: half a byte for two dimensions, a number and a length.
  static func listsBytes(dimension: Int) -> Int { dimension / 4 + 8 }
}
