public import BasisCore

/// A way to put the columns of a table into the order of what they tell about one of them.
public protocol FeatureRanker: Settings {
  /// - Parameters:
  ///   - input: at least one row, and a target of two values.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for a table that nothing can be
  ///   told from; `.cancelled`.
  func rank(_ input: LabeledColumns, in run: RunContext) throws(BasisError) -> FeatureRanking
}

/// A column, or several taken together, and what it tells.
public struct RankedFeature: Sendable, Hashable {
  /// The column's name; of several, their names with ` × ` between them.
  public var name: String
  /// The columns that it is made of.
  public var columns: [String]
  /// What it is ranked by, over all that are ranked: 1 for the best, 0 for the worst.
  public var score: Double
  /// What it is ranked by, in the unit of the ranking.
  public var relevance: Double
  /// Over all batches: the median of the values, and so on; the deviation is that of their mean.
  public var statistic: ColumnStatistic
  /// Different values, a missing one counted; the most that a batch has.
  public var cardinality: Int
  /// Whether it is a column of random values, to compare with.
  public var isNoise: Bool

  public init(
    name: String, columns: [String], score: Double = 0, relevance: Double,
    statistic: ColumnStatistic, cardinality: Int, isNoise: Bool = false
  ) {
    self.name = name
    self.columns = columns
    self.score = score
    self.relevance = relevance
    self.statistic = statistic
    self.cardinality = cardinality
    self.isNoise = isNoise
  }
}

/// The columns of a table, those that tell most first.
public struct FeatureRanking: Sendable {
  public var features: [RankedFeature]
  /// What relevance is in.
  public var unit: String
  /// Rows that were looked at.
  public var rowCount: Int
  public var batchCount: Int
  /// What to keep in mind, a sentence each.
  public var warnings: [String]

  public init(
    _ features: [RankedFeature], unit: String, rowCount: Int, batchCount: Int = 1,
    warnings: [String] = []
  ) {
    self.features = features
    self.unit = unit
    self.rowCount = rowCount
    self.batchCount = batchCount
    self.warnings = warnings
  }

  /// The relevance of the best column of random values, and 0 at least where chance is taken off: what is
  /// not above it tells no more than chance. Nil where there are no such columns.
  public var noiseCut: Double? {
    let noise = features.filter { $0.isNoise && $0.relevance.isFinite }
    guard let best = noise.map(\.relevance).max() else { return nil }
    return noise.contains { $0.statistic.expected == nil } ? best : max(0, best)
  }

  /// The features in the order of their relevance, NaN last and ties as they were, scores filled in.
  static func sorted(_ features: [RankedFeature]) -> [RankedFeature] {
    let order = features.indices.sorted { a, b in
      let (x, y) = (features[a].relevance, features[b].relevance)
      if x.isNaN || y.isNaN { return y.isNaN && !x.isNaN || (x.isNaN == y.isNaN && a < b) }
      return (y, a) < (x, b)
    }
    let finite = features.map(\.relevance).filter(\.isFinite)
    let low = finite.min() ?? 0
    let width = (finite.max() ?? 0) - low
    return order.map { place in
      var feature = features[place]
      feature.score =
        feature.relevance.isFinite && width > 0 ? (feature.relevance - low) / width : 0
      return feature
    }
  }
}
