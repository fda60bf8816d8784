/// What two columns have in common, as one number.
public enum ColumnScore: Sendable, Hashable, Codable, RawRepresentable {
  /// What is taken off for chance.
  public enum Chance: Sendable, Hashable {
    /// What each row's value tells about the label that is as many rows further on as the value has rows.
    /// One arrangement of chance: at thousands of values its own error exceeds weak signals.
    case shift
    /// The mean over labels put into random order, at least 2 times.
    case permutations(Int)
    /// The mean over all orders, in closed form, and its spread.
    case exact
  }

  /// H(Y) − H(Y | X) in nats, from counts. Grows with the number of values by chance alone.
  case mutualInformation
  /// The same, less what chance gives columns of these counts.
  case corrected(Chance)
  /// (I − E I) / (mean of H(X) and H(Y) − E I): 1 for equal columns, about 0 by chance.
  case adjustedMutualInformation
  /// |r| of columns of numbers; a target of two values counts as 0 and 1.
  case pearson
  /// 1 less the logarithmic loss of a logistic regression on the column's values, of rows that it has not
  /// seen: the median of two folds. A column of many values has no advantage.
  case surrogate
  /// The share of rows that have the commonest pair of values.
  case coverage
  /// 0 for every column: for the reports alone.
  case constant

  /// `mi`, `mi-shift`, `mi-permutations:K`, `mi-exact` (also `mi-corrected`), `ami`, `pearson`,
  /// `surrogate-lr`, `max-value-coverage`, `constant`.
  public init?(rawValue: String) {
    switch rawValue {
    case "mi": self = .mutualInformation
    case "mi-exact", "mi-corrected": self = .corrected(.exact)
    case "mi-shift": self = .corrected(.shift)
    case "ami": self = .adjustedMutualInformation
    case "pearson": self = .pearson
    case "surrogate-lr": self = .surrogate
    case "max-value-coverage": self = .coverage
    case "constant": self = .constant
    default:
      let parts = rawValue.split(separator: ":")
      guard parts.count == 2, parts[0] == "mi-permutations", let count = Int(parts[1]), count >= 2
      else { return nil }
      self = .corrected(.permutations(count))
    }
  }

  public var rawValue: String {
    switch self {
    case .mutualInformation: "mi"
    case .corrected(.shift): "mi-shift"
    case .corrected(.permutations(let count)): "mi-permutations:\(count)"
    case .corrected(.exact): "mi-exact"
    case .adjustedMutualInformation: "ami"
    case .pearson: "pearson"
    case .surrogate: "surrogate-lr"
    case .coverage: "max-value-coverage"
    case .constant: "constant"
    }
  }

  /// The names that there are, for help and for messages.
  public static let names = [
    "mi-exact", "mi", "mi-shift", "mi-permutations:K", "ami", "pearson", "surrogate-lr",
    "max-value-coverage", "constant",
  ]
}

/// What a column has in common with another, and what it would by chance.
public struct ColumnStatistic: Sendable, Hashable {
  /// As measured: nats for mutual information.
  public var value: Double
  /// By chance; nil where that is not asked for.
  public var expected: Double?
  /// The standard deviation by chance; nil where that is not known.
  public var deviation: Double?

  public init(_ value: Double, expected: Double? = nil, deviation: Double? = nil) {
    self.value = value
    self.expected = expected
    self.deviation = deviation
  }

  /// The value beyond chance.
  public var excess: Double { value - (expected ?? 0) }

  /// The excess in standard deviations; 0 where chance has no spread, as for a column of *n* values.
  public var z: Double? {
    deviation.map { $0 > 0 ? excess / $0 : 0 }
  }
}
