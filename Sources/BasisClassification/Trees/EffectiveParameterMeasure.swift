public import BasisCore
import BasisFormats
public import BasisMeasures
import BasisNumerics

/// How many parameters a model that is kept in a file uses for some rows, as a measure: a small number
/// tells of rows unlike those that it was fitted on.
///
/// ``EffectiveParameters`` are what it is the mean of.
///
/// Curth, Jeffares & van der Schaar, *Why do Random Forests Work?* (2024), arXiv:2402.01502, equation 6.
public struct EffectiveParameterMeasure: Measure {
  public init() {}

  /// - Parameters:
  ///   - input: a model and at least one row.
  ///   - run: threads and cancellation.
  /// - Returns: the mean over rows with an interval for the mean of all rows like these, from the spread
  ///   of these; parts `least`, `most` and `training_rows`; the rows' values, falling, as a curve.
  /// - Throws: `.badData` for no rows; as the model's weights.
  /// - Complexity: that of the weights.
  public func measure(_ input: SmootherRows, in run: RunContext) throws(BasisError) -> MeasuredValue
  {
    let found = try Self.parameters(input.smoother, input.rows, in: run)
    let (count, n) = (found.values.count, input.smoother.trainingCount)
    guard count > 0, let least = found.values.min(), let most = found.values.max() else {
      throw BasisError(.badData, "effective parameters are of 1 row at least; there are none")
    }
    var interval: ClosedRange<Double>?
    if count > 1 {
      let width =
        (Statistics.variance(found.values) / Double(count)).squareRoot()
        * StudentDistribution(degreesOfFreedom: Double(count - 1)).criticalValue(confidence: 0.95)
      interval = (found.mean - width)...(found.mean + width)
    }
    let falling = found.values.sorted(by: >)
    let step = max(1, count / 1000)
    let points = stride(from: 0, to: count, by: step).map { (Double($0 + 1), falling[$0]) }
    return MeasuredValue(
      found.mean, unit: "parameters, of \(n) training rows", interval: interval,
      parts: [.init("least", least), .init("most", most), .init("training_rows", Double(n))],
      curve: .init(
        "effective parameters", x: "rows, falling", y: "effective parameters",
        isLogarithmic: least > 0, points: points))
  }

  private static func parameters(
    _ smoother: some SmootherWeights, _ rows: Matrix, in run: RunContext
  ) throws(BasisError) -> EffectiveParameters {
    try EffectiveParameters(of: smoother, on: rows, in: run)
  }
}

/// What answers with weighted means of its training targets, and the rows that it is asked about.
public struct SmootherRows: MethodInput {
  public static let description = "a model of trees and a matrix"

  public let smoother: any SmootherWeights
  /// `m × d`, finite.
  public let rows: Matrix

  /// - Throws: `.badData` naming row and column.
  public init(_ smoother: any SmootherWeights, _ rows: Matrix) throws(BasisError) {
    try rows.requireFinite("the rows")
    self.smoother = smoother
    self.rows = rows
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    guard parts.models.count == 1, parts.matrices.count == 1 else {
      throw BasisError(
        .invalidArgument,
        "'\(method)' takes \(Self.description), such as 'forest.model new.npy'; got "
          + "\(parts.models.count) of models and \(parts.matrices.count) of matrices")
    }
    try parts.matrices[0].requireFinite(parts.names[0])
    let path = parts.models[0]
    let opened = try ModelFile(path: path).model(among: ClassificationCatalogue.models)
    guard let smoother = opened as? any SmootherWeights else {
      throw BasisError(
        .unsupported,
        "\(path): '\(type(of: opened).modelName)' answers with no weighted means of its rows; forests, "
          + "trees and boosted numbers do")
    }
    try self.init(smoother, parts.matrices[0])
  }
}
