public import BasisCore
import BasisNumerics

/// Which of the things that are known in both spaces serve as anchors.
///
/// In JSON a word, or a list of row numbers.
///
/// Which one when: `uniform` is as good as any from some hundred anchors on; with few, `farthest` and
/// `kMeans` see to it that no region goes without one. Farthest-point sampling takes strangers first.
public enum AnchorSelector: Sendable, Hashable, Codable {
  /// Drawn without regard to where they are.
  case uniform
  /// Each the farthest from those before. Gonzalez, *Clustering to minimize the maximum intercluster
  /// distance*, Theoretical Computer Science 38 (1985), doi:10.1016/0304-3975(85)90224-5.
  case farthest
  /// The row at the smallest angle to each mean of spherical k-means.
  case kMeans
  /// These rows, in this order.
  case list([Int])

  private static let words: [(String, AnchorSelector)] = [
    ("uniform", .uniform), ("farthest", .farthest), ("kmeans", .kMeans),
  ]

  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let rows = try? value.decode([Int].self) {
      self = .list(rows)
      return
    }
    let word = try value.decode(String.self)
    guard let found = Self.words.first(where: { $0.0 == word }) else {
      throw DecodingError.dataCorruptedError(
        in: value,
        debugDescription: "anchors are uniform, farthest, kmeans or a list of rows, not '\(word)'")
    }
    self = found.1
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var value = encoder.singleValueContainer()
    if case .list(let rows) = self { return try value.encode(rows) }
    try value.encode(Self.words.first { $0.1 == self }?.0)
  }

  /// Chooses rows.
  ///
  /// - Parameters:
  ///   - count: how many, `1 ... n`; a list counts for itself.
  ///   - rows: `n × d`, finite; compared by their angles.
  ///   - run: the seed of the choice, threads and cancellation.
  /// - Returns: different row numbers; rising but for `farthest` and a list.
  /// - Throws: `.invalidArgument` for more anchors than rows, or a list with a row that there is not or
  ///   that is named twice; `.cancelled`.
  /// - Complexity: O(*count* *n* *d*), a pass for k-means; O(*count*) for the others.
  public func select(_ count: Int, of rows: Matrix, in run: RunContext) throws(BasisError) -> [Int]
  {
    if case .list(let list) = self {
      _ = try PairedRows(rows, rows).selecting(rows: list)
      return list
    }
    guard count >= 1, count <= rows.rowCount else {
      throw BasisError(
        .invalidArgument,
        "\(count) anchors of \(rows.rowCount) pairs: choose 1 to as many as there are")
    }
    try run.checkCancelled()
    var generator = run.generator("anchors")
    switch self {
    case .farthest:
      return try Self.spread(
        count, of: rows.withUnitRows(), from: generator.nextInt(below: rows.rowCount), in: run)
    case .kMeans: return try Self.middles(count, of: rows, in: run)
    default: return generator.sample(count, of: rows.rowCount)
    }
  }

  private static func spread(_ count: Int, of rows: Matrix, from start: Int, in run: RunContext)
    throws(BasisError) -> [Int]
  {
    var chosen = [start]
    // The closest that anything chosen is; what is chosen is never farthest again.
    var closeness = [Float](repeating: -.infinity, count: rows.rowCount)
    closeness[start] = .infinity
    while chosen.count < count {
      try run.checkCancelled()
      let last = chosen[chosen.count - 1]
      rows.withRow(last) { anchor in
        for row in closeness.indices {
          let cosine = rows.withRow(row) { values -> Float in
            guard let a = values.baseAddress, let b = anchor.baseAddress else { return 0 }
            return Kernels.dot(a, b, count: values.count)
          }
          closeness[row] = max(closeness[row], cosine)
        }
      }
      let next = closeness.indices.reduce(0) { closeness[$1] < closeness[$0] ? $1 : $0 }
      closeness[next] = .infinity
      chosen.append(next)
    }
    return chosen
  }

  private static func middles(_ count: Int, of rows: Matrix, in run: RunContext)
    throws(BasisError) -> [Int]
  {
    var clusters = KMeans(clusterCount: count)
    clusters.isSpherical = true
    let model = try clusters.fit(rows, in: run)
    let unit = rows.withUnitRows()
    var best = [(row: Int, cosine: Float)?](repeating: nil, count: count)
    for (row, cluster) in model.assignments.enumerated() {
      let cosine = unit.withRow(row) { values in
        model.centroids.withRow(cluster) { centroid -> Float in
          guard let a = values.baseAddress, let b = centroid.baseAddress else { return 0 }
          return Kernels.dot(a, b, count: values.count)
        }
      }
      if best[cluster].map({ cosine > $0.cosine }) ?? true { best[cluster] = (row, cosine) }
    }
    var chosen = Set(best.compactMap { $0?.row })
    // An empty cluster has no row: equal rows leave some. The first others take their place.
    for row in 0..<rows.rowCount where chosen.count < count { chosen.insert(row) }
    return chosen.sorted()
  }
}
