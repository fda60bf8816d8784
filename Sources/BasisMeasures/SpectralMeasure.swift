public import BasisCore
public import BasisNumerics
import Foundation

/// How many of its dimensions a representation uses, as one number from its singular values; no labels
/// are needed.
///
/// Rows are neither centred nor brought to unit length unless asked. Low values mean collapse: rows on
/// few directions. A high value is necessary for good features and not sufficient: compare only models
/// of one kind, one width and one number of rows, and score what the loss saw, such as a projector's
/// output; the layer before it may rank runs the other way round.
///
/// Which one when: `rankMe` to choose between runs; `stableRank` and `participationRatio` are less
/// moved by many small directions; `hardRank` counts all above rounding; `eigenvalueDecay` and
/// `eigenvalueSum` are for covariances, and so centred.
///
/// Garrido, Balestriero, Najman & LeCun, *RankMe: assessing the downstream performance of pretrained
/// self-supervised representations by their rank*, ICML 2023, arXiv:2210.02885, equation 1.
public struct SpectralMeasure: Measure {
  public enum Statistic: String, Sendable, Hashable, Codable, CaseIterable {
    /// exp(−Σ *p* log *p*) with *p* = σ / Σσ + ε; 1 to min(*n*, *d*).
    case rankMe = "rankme"
    /// The same of σ²: of the eigenvalues of the covariance.
    case spectralEntropy = "spectral-entropy"
    /// ‖Z‖²_F / σ₁²; 1 to min(*n*, *d*).
    case stableRank = "stable-rank"
    /// (Σσ²)² / Σσ⁴; 1 to min(*n*, *d*).
    case participationRatio = "participation-ratio"
    /// How many σ exceed the rounding of `Float`: max(*n*, *d*) · 2⁻²³ σ₁.
    case hardRank = "hard-rank"
    /// Σλ / λ₁ of the covariance (He & Ozay 2022, NESum); 1 to min(*n*, *d*).
    case eigenvalueSum = "nesum"
    /// The slope of log λ over log index, negated (Agrawal et al. 2022, α-ReQ); about 1 is good.
    case eigenvalueDecay = "alpha-req"

    /// Whether the statistic is of a covariance.
    public var isOfCovariance: Bool { self == .eigenvalueSum || self == .eigenvalueDecay }
  }

  public var statistic: Statistic
  /// What is added to each *p* of ``Statistic/rankMe``, at least 0: the noise of single precision.
  public var epsilon: Double
  /// Whether column means are taken off; nil for what the statistic is of.
  public var isCentered: Bool?
  /// At most so many rows, chosen at random; nil for all. At least 2.
  public var sampleCount: Int?

  public init(
    _ statistic: Statistic = .rankMe, epsilon: Double = 1e-7, isCentered: Bool? = nil,
    sampleCount: Int? = nil
  ) {
    self.statistic = statistic
    self.epsilon = epsilon
    self.isCentered = isCentered
    self.sampleCount = sampleCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = SpectralMeasure()
    statistic =
      try values.decodeIfPresent(Statistic.self, forKey: .statistic) ?? defaults.statistic
    epsilon = try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? defaults.epsilon
    isCentered = try values.decodeIfPresent(Bool.self, forKey: .isCentered)
    sampleCount = try values.decodeIfPresent(Int.self, forKey: .sampleCount)
  }

  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* ≥ 2, *d* ≥ 1, not all zero.
  ///   - run: the seed chooses the sample.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for fewer rows, or where there
  ///   is no spectrum; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n* *d* min(*n*, *d*)), parallel over rows.
  public func measure(_ rows: Matrix, in run: RunContext) throws(BasisError) -> MeasuredValue {
    guard epsilon >= 0, sampleCount ?? 2 >= 2 else {
      throw BasisError(
        .invalidArgument,
        "a spectrum is of at least 2 rows and its epsilon at least 0; got \(sampleCount ?? 2) rows "
          + "and \(epsilon)")
    }
    let sample = sample(of: rows, in: run)
    guard sample.rowCount >= 2, sample.columnCount >= 1 else {
      throw BasisError(
        .badData,
        "a spectrum needs at least 2 rows and 1 column, got \(sample.rowCount) × "
          + "\(sample.columnCount)")
    }
    let spectrum = try Spectrum(
      of: sample, isCentered: isCentered ?? statistic.isOfCovariance, in: run)
    return try measurement(of: spectrum)
  }

  /// The number of a spectrum that is at hand.
  ///
  /// - Throws: `.badData` where every singular value is zero.
  public func measurement(of spectrum: Spectrum) throws(BasisError) -> MeasuredValue {
    guard let largest = spectrum.singularValues.first, largest > 0 else {
      throw BasisError(
        .badData,
        "there is no spectrum: all values are zero\(isCentered == true ? " or equal" : "")")
    }
    let value = Self.value(statistic, spectrum, epsilon: epsilon)
    let (n, d) = (spectrum.rowCount, spectrum.columnCount)
    var warnings: [String] = []
    if n < d { warnings.append("there are fewer rows (\(n)) than columns (\(d)), which is a cap") }
    if statistic == .rankMe, value < 0.1 * Double(min(n, d)) {
      warnings.append(
        "less than a tenth of the \(min(n, d)) directions are in use: the rows have collapsed")
    }
    return MeasuredValue(
      value, unit: statistic == .eigenvalueDecay ? "exponent" : "directions of \(min(n, d))",
      parts: Statistic.allCases.filter {
        $0 != statistic && $0.isOfCovariance == statistic.isOfCovariance
      }
      .map { .init($0.rawValue, Self.value($0, spectrum, epsilon: epsilon)) },
      curve: .init(
        "singular values", x: "index", y: "singular value", isLogarithmic: true,
        points: spectrum.singularValues.enumerated().map { (Double($0 + 1), $1) }),
      warnings: warnings)
  }

  private func sample(of rows: Matrix, in run: RunContext) -> Matrix {
    guard let sampleCount else { return rows }
    var generator = run.generator("rows of a spectrum")
    return rows.sample(atMost: sampleCount, by: &generator)
  }

  /// A statistic of singular values of which the first is above zero.
  static func value(_ statistic: Statistic, _ spectrum: Spectrum, epsilon: Double) -> Double {
    let sigma = spectrum.singularValues
    let squares = sigma.map { $0 * $0 }
    let total = squares.reduce(0, +)
    switch statistic {
    case .rankMe: return perplexity(of: sigma, epsilon: epsilon)
    case .spectralEntropy: return perplexity(of: squares, epsilon: 0)
    case .stableRank, .eigenvalueSum: return total / squares[0]
    case .participationRatio: return total * total / squares.reduce(0) { $0 + $1 * $1 }
    case .hardRank:
      let side = Double(max(spectrum.rowCount, spectrum.columnCount))
      let least = sigma[0] * side * Double(Float.ulpOfOne)
      return Double(sigma.count { $0 > least })
    case .eigenvalueDecay:
      // Values at the level of rounding say nothing of the slope.
      let kept = squares.prefix { $0 > squares[0] * 1e-13 }
      let points = kept.enumerated().map { (x: log(Double($0 + 1)), y: log($1)) }
      let (x, y) = (
        Statistics.mean(points.map(\.x)), Statistics.mean(points.map(\.y))
      )
      let along = points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
      let rise = points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) }
      return along > 0 ? -rise / along : 0
    }
  }

  private static func perplexity(of weights: [Double], epsilon: Double) -> Double {
    let total = weights.reduce(0, +)
    let entropy = weights.reduce(0.0) { sum, weight in
      let p = weight / total + epsilon
      return p > 0 ? sum - p * log(p) : sum
    }
    return exp(entropy)
  }
}
