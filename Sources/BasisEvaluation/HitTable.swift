public import BasisCore

/// Which rows several models answered right, one bit each.
public struct HitTable: Sendable, Hashable {
  /// Of the models.
  public let names: [String]
  public let rowCount: Int
  /// For each model, the rows that it answered right.
  public let hits: [Bitmap]

  /// - Parameters:
  ///   - truth: the class of each row, any whole numbers.
  ///   - predictions: what each model says of the same rows, in the same order.
  /// - Throws: `.dimensionMismatch` for a model with another number of rows; `.invalidArgument` for no
  ///   model, no row, or two models of one name.
  public init(truth: [Int], predictions: [(name: String, labels: [Int])]) throws(BasisError) {
    for (name, labels) in predictions where labels.count != truth.count {
      throw BasisError(
        .dimensionMismatch,
        "'\(name)' has \(labels.count) predictions for \(truth.count) rows; give one a row, of the "
          + "same rows in the same order")
    }
    try self.init(
      rowCount: truth.count,
      hits: predictions.map { one in
        (
          one.name,
          Bitmap(count: truth.count) { word in
            var bits: UInt64 = 0
            for place in 0..<min(64, truth.count - word * 64)
            where one.labels[word * 64 + place] == truth[word * 64 + place] {
              bits |= 1 << UInt64(place)
            }
            return bits
          }
        )
      })
  }

  /// - Parameters:
  ///   - rowCount: at least 1.
  ///   - hits: for each model, the rows that it answered right.
  /// - Throws: as ``init(truth:predictions:)``.
  public init(rowCount: Int, hits: [(name: String, rows: Bitmap)]) throws(BasisError) {
    guard rowCount >= 1, !hits.isEmpty else {
      throw BasisError(
        .invalidArgument,
        "hits are of 1 row and 1 model at least, got \(rowCount) rows and \(hits.count) models")
    }
    for (name, rows) in hits where rows.count != rowCount {
      throw BasisError(
        .dimensionMismatch, "'\(name)' has hits of \(rows.count) rows, wanted \(rowCount)")
    }
    guard Set(hits.map(\.name)).count == hits.count else {
      throw BasisError(
        .invalidArgument, "two models have one name: \(hits.map(\.name).joined(separator: ", "))")
    }
    names = hits.map(\.name)
    self.rowCount = rowCount
    self.hits = hits.map(\.rows)
  }

  public var modelCount: Int { names.count }

  /// How many rows a model answered right.
  public func hitCount(_ model: Int) -> Int { hits[model].population }

  /// The share of rows that a model answered right.
  public func accuracy(_ model: Int) -> Double { Double(hitCount(model)) / Double(rowCount) }

  /// Rows that one of two models answered right and the other did not.
  ///
  /// - Complexity: O(rows / 64).
  public func discordance(_ first: Int, _ second: Int) -> Discordance {
    var both = hits[first]
    both.formIntersection(hits[second])
    let common = both.population
    return Discordance(
      onlyFirst: hitCount(first) - common, onlySecond: hitCount(second) - common)
  }

  /// How many models answered each row right.
  func hitsPerRow() -> [Int] {
    var counts = [Int](repeating: 0, count: rowCount)
    for rows in hits { rows.forEach { counts[$0] += 1 } }
    return counts
  }
}

/// How many rows only one of two models answered right: *b* and *c* of McNemar's table.
public struct Discordance: Sendable, Hashable, Codable {
  public var onlyFirst: Int
  public var onlySecond: Int

  public init(onlyFirst: Int, onlySecond: Int) {
    self.onlyFirst = onlyFirst
    self.onlySecond = onlySecond
  }

  public var count: Int { onlyFirst + onlySecond }
}
