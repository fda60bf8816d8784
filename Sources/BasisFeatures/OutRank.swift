public import BasisCore
import BasisNumerics

/// Ranks columns, and combinations of them, by how much they tell about a target beyond what columns of as
/// many values tell by chance.
///
/// Mutual information from counts grows with the number of values: an identifier that knows nothing comes
/// first. What chance gives columns of these very counts is taken off, ``ColumnScore/Chance/exact`` by its
/// mean over all orders of the target, and `margin` standard deviations besides, so that what a rare value
/// happens to hit is not a signal.
///
/// Škrlj & Mramor, *OutRank: Speeding up AutoML-based Model Search for Large Sparse Data sets with
/// Cardinality-aware Feature Ranking*, RecSys 2023, doi:10.1145/3604915.3610636.
///
/// - Note: The paper takes off one shifted reading of the labels (``ColumnScore/Chance/shift``); at tens of
///   thousands of values its own error exceeds weak signals. Its code joins values without a separator, so that
///   different pairs merge, and takes unequal columns of equal sums for copies; neither is done here.
public struct OutRank: FeatureRanker {
  public var heuristic: ColumnScore
  /// Standard deviations of chance that are taken off besides its mean, at least 0; where they are known.
  public var margin: Double
  /// Largest number of columns taken together, 1 … 4.
  public var order: Int
  /// Combinations of each order a batch, at least 1.
  public var combinationLimit: Int
  /// Rows that are counted together, at least 2; 0 for all. Scores are medians over batches.
  public var batchSize: Int
  /// ρ: the share of a batch's rows that are looked at, above 0 and at most 1.
  public var subsample: Double
  /// Which rows these are.
  public var subsampleRule: SubsampleRule
  /// Columns of random values that are ranked with the others, `0 ... 20`, of 2 to 10,000 values: what is
  /// not above the best of them tells no more than chance.
  public var noiseColumnCount: Int

  /// Which rows of a batch are looked at.
  public enum SubsampleRule: String, Sendable, Hashable, Codable, CaseIterable {
    /// Rows at random, the same for all columns.
    case random
    /// As many for each value of a column, its first ones, and the result multiplied by the share: the
    /// reference's rule, whose scores are of another scale. For `mi` and `mi-shift`.
    case leading
  }

  public init(
    heuristic: ColumnScore = .corrected(.exact), margin: Double = 3, order: Int = 1,
    combinationLimit: Int = 1 << 15, batchSize: Int = 0, subsample: Double = 1,
    subsampleRule: SubsampleRule = .random, noiseColumnCount: Int = 0
  ) {
    self.heuristic = heuristic
    self.margin = margin
    self.order = order
    self.combinationLimit = combinationLimit
    self.batchSize = batchSize
    self.subsample = subsample
    self.subsampleRule = subsampleRule
    self.noiseColumnCount = noiseColumnCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    heuristic = try values.decodeIfPresent(ColumnScore.self, forKey: .heuristic) ?? heuristic
    margin = try values.decodeIfPresent(Double.self, forKey: .margin) ?? margin
    order = try values.decodeIfPresent(Int.self, forKey: .order) ?? order
    combinationLimit =
      try values.decodeIfPresent(Int.self, forKey: .combinationLimit) ?? combinationLimit
    batchSize = try values.decodeIfPresent(Int.self, forKey: .batchSize) ?? batchSize
    subsample = try values.decodeIfPresent(Double.self, forKey: .subsample) ?? subsample
    subsampleRule =
      try values.decodeIfPresent(SubsampleRule.self, forKey: .subsampleRule) ?? subsampleRule
    noiseColumnCount =
      try values.decodeIfPresent(Int.self, forKey: .noiseColumnCount) ?? noiseColumnCount
  }

  /// - Parameters:
  ///   - input: at least one row, and a target of two values.
  ///   - run: the seed draws the orders of ``ColumnScore/Chance/permutations(_:)``, rows of a subsample and
  ///     random columns.
  /// - Returns: each column, and each combination, once, and random columns among them; NaN relevance, last, for what has none.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for no rows or a target of one
  ///   value; `.cancelled`.
  /// - Complexity: O(*n*) a column, and for the exact correction the different counts of the column times those
  ///   of the target.
  public func rank(_ input: LabeledColumns, in run: RunContext) throws(BasisError) -> FeatureRanking
  {
    try input.requireRankable("outrank")
    var start = 0
    let step = batchSize == 0 ? max(1, input.rowCount) : batchSize
    return try rank(
      { () throws(BasisError) -> LabeledColumns? in
        guard start < input.rowCount else { return nil }
        let rows = start..<min(input.rowCount, start + step)
        start = rows.upperBound
        return rows.count == input.rowCount ? input : try input.selecting(rows: rows)
      }, in: run)
  }

  /// Batch after batch, each with numbers of its own for its values; memory is that of one batch.
  ///
  /// A batch whose target has one value says nothing and is left out, and so is a last one of less than half as
  /// many rows as the first. Columns are the same by their names.
  ///
  /// - Parameters:
  ///   - next: the next batch, nil at the end.
  ///   - run: the seed draws the orders of ``ColumnScore/Chance/permutations(_:)``.
  /// - Throws: as for a whole table, and what `next` throws.
  public func rank(
    _ next: () throws(BasisError) -> LabeledColumns?, in run: RunContext
  ) throws(BasisError) -> FeatureRanking {
    try requireSettings()
    var batches = BatchScores(margin: margin)
    var (rowCount, firstCount, silent) = (0, 0, 0)
    var warnings: [String] = []
    while let batch = try next() {
      try run.checkCancelled()
      if firstCount == 0 { firstCount = batch.rowCount }
      guard 2 * batch.rowCount >= firstCount else {
        warnings.append("the last \(batch.rowCount) rows are too few for a batch and left out")
        continue
      }
      guard let first = batch.target.codes.first,
        batch.target.codes.contains(where: { $0 != first })
      else {
        silent += 1
        continue
      }
      if batch.target.codes.contains(CategoryDictionary.missing) {
        warnings.append(
          "the target '\(batch.target.name)' is missing in some rows; missing counts as a value")
      }
      try add(batch, to: &batches, in: run)
      rowCount += batch.rowCount
    }
    guard batches.count > 0 else {
      throw BasisError(
        .badData,
        firstCount == 0
          ? "outrank: the table has no rows"
          : "outrank: the target has one value in all rows; nothing can tell about it")
    }
    if silent > 0 {
      warnings.append("\(silent) batches have one value of the target only and are left out")
    }
    var seen: Set<String> = []
    return FeatureRanking(
      FeatureRanking.sorted(batches.features), unit: unit, rowCount: rowCount,
      batchCount: batches.count,
      warnings: (warnings + batches.warnings).filter { seen.insert($0).inserted })
  }

  private var unit: String {
    switch heuristic {
    case .mutualInformation: "nats"
    case .corrected(.shift): "nats beyond chance"
    case .corrected: "nats beyond chance and \(margin) standard deviations"
    case .adjustedMutualInformation: "share of the entropy beyond chance"
    case .pearson: "correlation"
    case .surrogate: "1 less the log loss in nats"
    case .coverage: "share of rows"
    case .constant: "nothing"
    }
  }

  private var isLeading: Bool { subsample < 1 && subsampleRule == .leading }

  private func requireSettings() throws(BasisError) {
    guard margin >= 0, margin.isFinite, (1...4).contains(order), combinationLimit >= 1,
      batchSize == 0 || batchSize >= 2
    else {
      throw BasisError(
        .invalidArgument,
        "outrank: the margin is at least 0, the order 1 … 4, the limit of combinations at least 1, and a "
          + "batch 0 for all or at least 2 rows; got \(margin), \(order), \(combinationLimit) and "
          + "\(batchSize)")
    }
    guard subsample > 0, subsample <= 1, (0...20).contains(noiseColumnCount) else {
      throw BasisError(
        .invalidArgument,
        "outrank: the subsample is above 0 and at most 1, random columns are 0 … 20; got \(subsample) and "
          + "\(noiseColumnCount)")
    }
    if isLeading, heuristic != .mutualInformation, heuristic != .corrected(.shift) {
      throw BasisError(
        .invalidArgument,
        "outrank: leading rows are for mi and mi-shift, not for \(heuristic.rawValue); take "
          + "subsampleRule=random")
    }
    if order > 1, heuristic == .pearson {
      throw BasisError(
        .invalidArgument, "pearson: combinations of columns are no numbers; take mi-exact")
    }
  }

  /// A share of the rows, or all.
  private func sampled(_ batch: LabeledColumns, _ number: Int, in run: RunContext)
    throws(BasisError) -> LabeledColumns
  {
    guard subsample < 1, subsampleRule == .random else { return batch }
    var generator = run.generator("rows that are looked at", chunk: number)
    let count = max(2, Int(subsample * Double(batch.rowCount)))
    guard count < batch.rowCount else { return batch }
    let rows = generator.sample(count, of: batch.rowCount).sorted()
    let some = try batch.selecting(rows: rows)
    // A rare target may have lost all rows but those of one value: then the draw says nothing.
    guard let first = some.target.codes.first, some.target.codes.contains(where: { $0 != first })
    else { return batch }
    return some
  }

  /// Columns of random values, from 2 to 10,000 of them by equal factors.
  private func noise(rowCount: Int, _ number: Int, in run: RunContext) -> [(
    name: String, column: CountedColumn
  )] {
    (0..<noiseColumnCount).map { place in
      let step = noiseColumnCount > 1 ? Double(place) / Double(noiseColumnCount - 1) : 0
      let values = Int((2 * exponential(step * logarithm(5_000))).rounded())
      var generator = run.generator("random columns \(place)", chunk: number)
      let codes = (0..<rowCount).map { _ in UInt32(generator.nextInt(below: values)) }
      return ("random \(place + 1)", CountedColumn(codes: codes, codeCount: values))
    }
  }

  private func add(_ whole: LabeledColumns, to batches: inout BatchScores, in run: RunContext)
    throws(BasisError)
  {
    let batch = try sampled(whole, batches.count, in: run)
    let scorer = try ColumnScorer(
      heuristic, target: batch.target, stream: "label orders \(batches.count)", in: run)
    let columns = try parallelMap(batch.features.count, grain: 1, in: run) {
      (place, _) throws(BasisError) in CountedColumn(batch.features[place])
    }
    var parts = columns.indices.map { [$0] }
    for size in stride(from: 2, through: min(order, columns.count), by: 1) {
      let combiner = FeatureCombiner(order: size, limit: combinationLimit)
      parts += try combiner.combinations(of: columns.count, batch: batches.count)
      let all = combiner.count(of: columns.count)
      if all > combinationLimit {
        batches.warnings.append(
          "of \(all) combinations of \(size) columns a batch takes \(combinationLimit)")
      }
    }
    let noise = noise(rowCount: batch.rowCount, batches.count, in: run)
    let sets = parts
    let wantsNumbers = heuristic == .pearson
    @Sendable func statistic(_ column: CountedColumn, _ numbers: [Double]?) throws(BasisError)
      -> ColumnStatistic
    {
      if isLeading { return scorer.statistic(column, leading: subsample) }
      return try scorer.statistic(column, numbers: numbers, in: run.silent)
    }
    let found = try parallelMap(sets.count + noise.count, grain: 1, in: run) {
      (place, _) throws(BasisError) -> BatchScores.Entry in
      guard place < sets.count else {
        let (name, column) = noise[place - sets.count]
        let numbers = wantsNumbers ? column.codes.map { Double($0) } : nil
        return BatchScores.Entry(
          columns: [name], statistic: try statistic(column, numbers),
          cardinality: column.cardinality, isNoise: true)
      }
      let set = sets[place]
      let column =
        set.count == 1 ? columns[set[0]] : FeatureCombiner.joined(set.map { columns[$0] })
      let numbers = wantsNumbers ? ColumnScorer.numbers(batch.features[set[0]]) : nil
      let names = set.map { batch.features[$0].name }
      return BatchScores.Entry(
        columns: names, statistic: try statistic(column, numbers),
        cardinality: column.cardinality)
    }
    batches.add(found)
    run.report("ranking", batches.count, unit: "batches")
  }
}

/// What batches say of each feature.
private struct BatchScores {
  struct Entry: Sendable {
    var columns: [String]
    var statistic: ColumnStatistic
    var cardinality: Int
    var isNoise = false
  }

  let margin: Double
  var warnings: [String] = []
  private(set) var count = 0
  private var places: [Key: Int] = [:]
  private var entries: [[Entry]] = []

  /// A random column is none of the table's, whatever that calls its own.
  private struct Key: Hashable {
    var columns: [String]
    var isNoise: Bool
  }

  init(margin: Double) { self.margin = margin }

  mutating func add(_ batch: [Entry]) {
    count += 1
    for entry in batch {
      let key = Key(columns: entry.columns, isNoise: entry.isNoise)
      if let place = places[key] {
        entries[place].append(entry)
      } else {
        places[key] = entries.count
        entries.append([entry])
      }
    }
  }

  var features: [RankedFeature] {
    entries.map { batches in
      let all = batches.map(\.statistic)
      let value = Statistics.quantile(all.map(\.value), 0.5)
      var statistic = ColumnStatistic(value)
      if all.allSatisfy({ $0.expected != nil }) {
        // Medians of differences, not differences of medians.
        statistic.expected = value - Statistics.quantile(all.map(\.excess), 0.5)
      }
      let deviations = all.compactMap(\.deviation)
      if deviations.count == all.count {
        statistic.deviation =
          deviations.reduce(0) { $0 + $1 * $1 }.squareRoot() / Double(all.count)
      }
      let columns = batches[0].columns
      return RankedFeature(
        name: FeatureCombiner.name(of: columns), columns: columns,
        relevance: statistic.excess - margin * (statistic.deviation ?? 0), statistic: statistic,
        cardinality: batches.map(\.cardinality).max() ?? 0, isNoise: batches[0].isNoise)
    }
  }
}
