import BasisCore
import BasisNumerics

/// Scores columns against one target.
struct ColumnScorer: Sendable {
  let score: ColumnScore
  let target: CountedColumn
  /// The target's values as numbers; nil where they are none.
  private let targetNumbers: [Double]?
  /// The target in random orders.
  private let shuffles: [[UInt32]]

  /// - Parameter stream: the name of the stream that random orders are drawn from.
  init(
    _ score: ColumnScore, target: CategoricalColumn, stream: String = "label orders",
    in run: RunContext
  ) throws(BasisError) {
    self.init(
      score, target: CountedColumn(target),
      numbers: score == .pearson ? Self.numbers(ofTarget: target) : nil, stream: stream, in: run)
    if score == .pearson, targetNumbers == nil {
      throw BasisError(
        .badData,
        "pearson: the target '\(target.name)' is neither numbers nor two values; take mi-exact")
    }
  }

  init(
    _ score: ColumnScore, target: CountedColumn, numbers: [Double]? = nil, stream: String,
    in run: RunContext
  ) {
    self.score = score
    self.target = target
    targetNumbers = numbers
    var shuffles: [[UInt32]] = []
    if case .corrected(.permutations(let count)) = score {
      for number in 0..<count {
        var generator = run.generator(stream, chunk: number)
        var labels = target.codes
        generator.shuffle(&labels)
        shuffles.append(labels)
      }
    }
    self.shuffles = shuffles
  }

  private var n: Int { target.codes.count }

  /// In nats.
  private func information(_ column: CountedColumn, joint: Double) -> Double {
    let sum =
      joint - column.entropySum - target.entropySum + EntropyTerms.shared.value(n)
    // Independent columns may come out below zero by rounding.
    return max(0, sum / Double(n))
  }

  /// - Parameters:
  ///   - column: as many rows as the target.
  ///   - numbers: its values as numbers, for `pearson`; NaN where there is none.
  ///   - run: cancellation.
  func statistic(_ column: CountedColumn, numbers: [Double]? = nil, in run: RunContext)
    throws(BasisError) -> ColumnStatistic
  {
    switch score {
    case .constant: return ColumnStatistic(0)
    case .coverage: return ColumnStatistic(coverage(column))
    case .pearson: return ColumnStatistic(correlation(numbers))
    case .surrogate:
      let model = SurrogateModel(
        values: column.codes, valueCodeCount: column.counts.count, labels: target.codes,
        labelCodeCount: target.counts.count)
      return ColumnStatistic(try model.score(in: run))
    case .mutualInformation, .corrected, .adjustedMutualInformation: break
    }
    let labelCount = target.counts.count
    let joint = column.jointSum(target.codes, labelCount: labelCount)
    let value = information(column, joint: joint)
    switch score {
    case .corrected(.exact):
      let null = PermutationNull(rows: column.totals, columns: target.totals, n: n)
      return ColumnStatistic(value, expected: null.mean, deviation: null.variance.squareRoot())
    case .corrected(.shift):
      // A copy of the label: beside itself nothing is to be taken off.
      if column.codes == target.codes { return ColumnStatistic(value, expected: 0) }
      let shifted = column.jointSum(column.shifted(target.codes), labelCount: labelCount)
      // The labels that are read are not the labels of all rows: the difference is of joint sums, not
      // of two mutual informations.
      return ColumnStatistic(value, expected: value - (joint - shifted) / Double(n))
    case .corrected(.permutations):
      let values = shuffles.map {
        information(column, joint: column.jointSum($0, labelCount: labelCount))
      }
      return ColumnStatistic(
        value, expected: Statistics.mean(values),
        deviation: Statistics.variance(values).squareRoot())
    case .adjustedMutualInformation: return ColumnStatistic(adjusted(column, value))
    default: return ColumnStatistic(value)
    }
  }

  /// From the first rows of each value.
  ///
  /// - Precondition: the score is mutual information, plain or less a shift.
  func statistic(_ column: CountedColumn, leading share: Double) -> ColumnStatistic {
    let rows = LeadingRows(
      column, labels: target.codes, labelCount: target.counts.count, share: share)
    let value = rows.information
    guard score == .corrected(.shift) else { return ColumnStatistic(value) }
    if column.codes == target.codes { return ColumnStatistic(value, expected: 0) }
    return ColumnStatistic(value, expected: value - rows.corrected)
  }

  private func adjusted(_ column: CountedColumn, _ value: Double) -> Double {
    // Two columns of one value, or of n, are the same partition.
    if column.cardinality == target.cardinality, [1, n].contains(column.cardinality) { return 1 }
    let expected = PermutationNull(rows: column.totals, columns: target.totals, n: n).mean
    let limit = (column.entropy + target.entropy) / 2 - expected
    let least = 0x1p-52
    return (value - expected) / (limit < 0 ? min(limit, -least) : max(limit, least))
  }

  private func coverage(_ column: CountedColumn) -> Double {
    let pairs = column.joined(with: target)
    return Double(pairs.counts.max() ?? 0) / Double(max(n, 1))
  }

  /// Over the rows where both are numbers.
  private func correlation(_ numbers: [Double]?) -> Double {
    guard let numbers, let targetNumbers else { return .nan }
    let rows = numbers.indices.filter { !numbers[$0].isNaN && !targetNumbers[$0].isNaN }
    guard rows.count > 1 else { return .nan }
    let r = Statistics.correlation(rows.map { numbers[$0] }, rows.map { targetNumbers[$0] })
    return abs(r)
  }

  /// A column's values as numbers, NaN for missing ones; nil where a value is none.
  static func numbers(_ column: CategoricalColumn) -> [Double]? {
    var values: [Double] = [.nan, .nan]
    for text in column.dictionary.values {
      guard let value = Double(text), value.isFinite else { return nil }
      values.append(value)
    }
    return column.codes.map { values[Int($0)] }
  }

  private static func numbers(ofTarget column: CategoricalColumn) -> [Double]? {
    if let numbers = numbers(column) { return numbers }
    guard column.dictionary.values.count == 2 else { return nil }
    return column.codes.map {
      switch $0 {
      case 2: 0
      case 3: 1
      default: .nan
      }
    }
  }
}
