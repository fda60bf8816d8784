public import BasisCore
public import BasisFormats

/// Strange is what a classifier is unsure of, by what it gives before its softmax.
///
/// Nothing is learned but the threshold, from the logits of rows that belong; of rows that the
/// classifier was not trained on, for of those it is too sure. The simplest detector, and on new classes
/// near the old ones a hard one to beat; on worlds far from all it has seen a network may be surer than
/// ever.
public struct LogitDetector: Detector {
  /// What is read from the logits.
  public enum Score: String, Sendable, Hashable, Codable, CaseIterable {
    /// The largest probability: Hendrycks & Gimpel, *A baseline for detecting misclassified and
    /// out-of-distribution examples in neural networks* (2017), arXiv:1610.02136.
    case maxSoftmax
    /// T log Σ exp(logit / T): Liu, Wang, Owens & Li, *Energy-based out-of-distribution detection*
    /// (2020), arXiv:2010.03759, equation 4, with the sign that makes it high for what belongs.
    case energy
  }

  public var score: Score
  /// T, above 0.
  public var temperature: Double
  /// Of rows that belong, between 0 and 1.
  public var acceptedShare: Double

  public init(score: Score = .maxSoftmax, temperature: Double = 1, acceptedShare: Double = 0.95) {
    self.score = score
    self.temperature = temperature
    self.acceptedShare = acceptedShare
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = LogitDetector()
    score = try values.decodeIfPresent(Score.self, forKey: .score) ?? defaults.score
    temperature =
      try values.decodeIfPresent(Double.self, forKey: .temperature) ?? defaults.temperature
    acceptedShare =
      try values.decodeIfPresent(Double.self, forKey: .acceptedShare) ?? defaults.acceptedShare
  }

  /// Finds the threshold.
  ///
  /// - Parameters:
  ///   - input: logits, at least one row and two columns.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for fewer rows or columns, or
  ///   naming row and column; `.cancelled`.
  /// - Complexity: O(rows · classes).
  public func fit(_ input: Matrix, in run: RunContext) throws(BasisError) -> LogitDetectorModel {
    guard temperature > 0, temperature.isFinite else {
      throw BasisError(.invalidArgument, "the temperature is above 0, not \(temperature)")
    }
    guard input.rowCount >= 1, input.columnCount >= 2 else {
      throw BasisError(
        .badData,
        "logits have a row a thing and a column a class, at least 1 × 2, not \(input.rowCount) × "
          + "\(input.columnCount)")
    }
    var warnings: [String] = []
    if input.rowCount < 100 {
      warnings.append("the threshold comes from \(input.rowCount) rows: it is rough")
    }
    let open = LogitDetectorModel(
      settings: self, classCount: input.columnCount, threshold: 0, warnings: warnings)
    let scores = try open.scores(of: [input], in: run)
    return LogitDetectorModel(
      settings: self, classCount: input.columnCount,
      threshold: try BasisDetection.threshold(of: scores, accepting: acceptedShare),
      warnings: warnings)
  }
}

/// How sure a classifier usually is.
public struct LogitDetectorModel: FittedDetector {
  public static let modelName = "logit detector"

  public let settings: LogitDetector
  public let classCount: Int
  public let threshold: Double
  public let warnings: [String]

  public var layerSizes: [Int] { [classCount] }

  /// The largest probability, or the energy with its sign turned.
  ///
  /// - Parameters:
  ///   - layers: one matrix, of logits.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(rows · classes).
  public func scores(of layers: [Matrix], in run: RunContext) throws(BasisError) -> [Double] {
    try check(layers)
    try run.checkCancelled()
    let logits = layers[0]
    return (0..<logits.rowCount).map { row in
      logits.withRow(row) { values in
        let top = Double(values.max() ?? 0)
        // At least 1, for the largest is its own.
        var sum = 0.0
        for value in values { sum += exponential((Double(value) - top) / settings.temperature) }
        switch settings.score {
        case .maxSoftmax: return 1 / sum
        case .energy: return top + settings.temperature * logarithm(sum)
        }
      }
    }
  }

  // MARK: Files

  private struct Manifest: Codable {
    var settings: LogitDetector
    var classCount: Int
    var threshold: Double
    var warnings: [String]
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        settings: settings, classCount: classCount, threshold: threshold, warnings: warnings))
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    guard manifest.classCount >= 2, manifest.settings.temperature > 0 else {
      throw BasisError(.corruptFile, "\(file.path): has \(manifest.classCount) classes")
    }
    self.init(
      settings: manifest.settings, classCount: manifest.classCount, threshold: manifest.threshold,
      warnings: manifest.warnings)
  }

  init(settings: LogitDetector, classCount: Int, threshold: Double, warnings: [String]) {
    self.settings = settings
    self.classCount = classCount
    self.threshold = threshold
    self.warnings = warnings
  }
}
