public import BasisCore
import Foundation

/// How hard a labelled row is to learn, by one number.
public enum ImportanceScore: String, Sendable, Hashable, Codable, CaseIterable {
  /// Area under the margin: Σ over epochs of the label's probability less the largest other. Low is
  /// hard. Pleiss, Zhang, Elenberg & Weinberger, NeurIPS 2020, arXiv:2001.10528, of probabilities.
  case aum
  /// How often the row was right, and in the next epoch wrong. Toneva et al., ICLR 2019,
  /// arXiv:1812.05159.
  case forgetting
  /// Σ over the first epochs of ‖p − label‖₂. Paul, Ganguli & Dziugaite, NeurIPS 2021,
  /// arXiv:2107.07075.
  case el2n
  /// −Σ p log p of the last epoch, in nats.
  case entropy
  /// −log p of the label in the last epoch, in nats.
  case loss

  /// Whether small values are the hard ones.
  public var isHardWhenLow: Bool { self == .aum }
}

/// What a classifier thought of each row of a training set, epoch after epoch, kept as sums.
public struct TrainingDynamics: Sendable {
  /// A class per row, `0 ..< classCount`.
  public let labels: [Int]
  public let classCount: Int
  /// EL2N counts so many epochs.
  public let earlyEpochCount: Int
  /// How many epochs were recorded.
  public private(set) var epochCount = 0
  private var margins: [Double]
  private var forgotten: [Int]
  private var wasRight: [Bool]
  private var errors: [Double]
  private var entropies: [Double]
  private var losses: [Double]

  /// - Parameters:
  ///   - labels: one per row, `0 ..< classCount`.
  ///   - classCount: at least 2.
  ///   - earlyEpochCount: at least 1.
  /// - Throws: `.invalidArgument` for another count; `.badData` naming the row of a label that is no
  ///   class.
  public init(labels: [Int], classCount: Int, earlyEpochCount: Int = 10) throws(BasisError) {
    guard classCount >= 2, earlyEpochCount >= 1 else {
      throw BasisError(
        .invalidArgument,
        "training dynamics are of 2 classes and 1 early epoch at least; got \(classCount) and "
          + "\(earlyEpochCount)")
    }
    for (row, label) in labels.enumerated() where label < 0 || label >= classCount {
      throw BasisError(
        .badData, "row \(row) has the label \(label); the log has the classes 0 ..< \(classCount)")
    }
    self.labels = labels
    self.classCount = classCount
    self.earlyEpochCount = earlyEpochCount
    margins = [Double](repeating: 0, count: labels.count)
    (errors, entropies, losses) = (margins, margins, margins)
    forgotten = [Int](repeating: 0, count: labels.count)
    wasRight = [Bool](repeating: false, count: labels.count)
  }

  /// Takes in one epoch.
  ///
  /// - Parameter probabilities: `rows × classes`, rows that sum to 1.
  /// - Throws: `.dimensionMismatch`; `.badData` naming the row of values that are no probabilities.
  /// - Complexity: O(rows · classes).
  public mutating func record(_ probabilities: Matrix) throws(BasisError) {
    guard probabilities.rowCount == labels.count, probabilities.columnCount == classCount else {
      throw BasisError(
        .dimensionMismatch,
        "an epoch has \(probabilities.rowCount) × \(probabilities.columnCount) probabilities; "
          + "wanted \(labels.count) rows of \(classCount) classes")
    }
    for row in labels.indices {
      let values = probabilities.row(row)
      let sum = values.reduce(0.0) { $0 + Double($1) }
      guard abs(sum - 1) < 1e-3, values.allSatisfy({ $0 >= 0 && $0 <= 1.001 }) else {
        throw BasisError(
          .badData,
          "epoch \(epochCount), row \(row): the probabilities sum to \(sum); give softmax outputs, "
            + "not logits")
      }
      record(values, row)
    }
    epochCount += 1
  }

  private mutating func record(_ values: [Float], _ row: Int) {
    let label = labels[row]
    let own = Double(values[label])
    var (other, squared, entropy) = (0.0, 0.0, 0.0)
    for (place, value) in values.enumerated() {
      let value = Double(value)
      if place != label { other = max(other, value) }
      let error = value - (place == label ? 1 : 0)
      squared += error * error
      if value > 0 { entropy -= value * log(value) }
    }
    margins[row] += own - other
    let isRight = own > other
    if wasRight[row], !isRight { forgotten[row] += 1 }
    wasRight[row] = isRight
    if epochCount < earlyEpochCount { errors[row] += squared.squareRoot() }
    entropies[row] = entropy
    losses[row] = -log(max(own, 1e-30))
  }

  /// A score of each row.
  ///
  /// - Throws: `.badData` before the first epoch.
  public func scores(_ score: ImportanceScore) throws(BasisError) -> [Double] {
    guard epochCount > 0 else {
      throw BasisError(.badData, "scores are of training; no epoch was recorded")
    }
    return switch score {
    case .aum: margins
    case .forgetting: forgotten.map { Double($0) }
    case .el2n: errors
    case .entropy: entropies
    case .loss: losses
    }
  }
}
