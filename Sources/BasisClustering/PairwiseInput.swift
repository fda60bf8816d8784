public import BasisCore

/// Things that are told apart pair by pair: rows that a metric compares, or the dissimilarity of each
/// pair.
public enum PairwiseInput: MethodInput {
  case rows(Matrix)
  case dissimilarities(Dissimilarities)

  public static let description = "a matrix, or the dissimilarities of all pairs"

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let matrix = try parts.matrices(1, Self.description, for: method)[0]
    guard parts.isPairwise else {
      self = .rows(matrix)
      return
    }
    self = .dissimilarities(
      try Dissimilarities(
        square: matrix, symmetrizing: parts.isSymmetrized, name: parts.names[0]))
  }

  /// How many things.
  public var count: Int {
    switch self {
    case .rows(let rows): rows.rowCount
    case .dissimilarities(let all): all.count
    }
  }

  /// - Throws: `.invalidArgument` for a number of groups that so many things cannot have.
  func require(clusterCount k: Int) throws(BasisError) {
    guard count > 0 else { throw BasisError(.badData, "there is nothing to cluster: no rows") }
    guard k >= 1, k <= count else {
      throw BasisError(
        .invalidArgument,
        "\(k) clusters of \(count) things: give a number of clusters in 1 ... \(count)")
    }
  }

  /// What compares them.
  func compared(by metric: DissimilarityMetric) throws(BasisError) -> Dissimilarities {
    switch self {
    case .rows(let rows): try Dissimilarities(comparing: rows, by: metric)
    case .dissimilarities(let all): all
    }
  }

  /// All of them at hand: what is met again and again is computed once.
  func expanded(by metric: DissimilarityMetric, limit: Int, in run: RunContext)
    throws(BasisError) -> Dissimilarities
  {
    guard case .rows(let rows) = self else { return try compared(by: metric) }
    try Self.requireMemory(rows.rowCount, rows.rowCount, limit: limit)
    return try Dissimilarities(ofAll: rows, by: metric, in: run)
  }

  /// - Throws: `.unsupported` if so many distances take more bytes than they may.
  static func requireMemory(_ n: Int, _ m: Int, limit: Int) throws(BasisError) {
    let bytes = 4 * Double(n) * Double(m)
    guard bytes > Double(limit) else { return }
    func giga(_ bytes: Double) -> String { "\((bytes / 1e7).rounded(.up) / 100) GB" }
    throw BasisError(
      .unsupported,
      "\(n) × \(m) dissimilarities take \(giga(bytes)), more than \(giga(Double(limit))); use "
        + "fasterclara for so many rows, fewer clusters, or --set memoryLimit=BYTES")
  }

  /// The rows of some, where there are rows.
  func rows(of items: [Int]) -> Matrix? {
    guard case .rows(let rows) = self else { return nil }
    return rows.selecting(rows: items)
  }
}
