public import BasisCore
import BasisNumerics
import Foundation

/// Weights that make the labels likely, with a penalty on their squares: the usual head on embeddings.
///
/// Minimises Σ log-loss + ‖*w*‖² / (2 *C*), the intercept free, which is what scikit-learn minimises: the
/// same weights for the same *C*. Two classes have one vector of weights, more have one each.
///
/// Searched by L-BFGS on centred columns, each by what is known of its curvature: that moves no minimum,
/// since the penalty goes along. Products are of single precision, sums of double.
public struct LogisticRegression: Classifier {
  /// What the data weigh against the penalty, *C*: above 0; infinity for no penalty.
  public var c: Double
  /// Steps at most, at least 1.
  public var maxIterations: Int
  /// Done when no slope of the mean loss is above this; above 0.
  public var tolerance: Double

  /// - Parameters:
  ///   - c: what the data weigh against the penalty.
  ///   - maxIterations: steps at most.
  ///   - tolerance: done when no slope of the mean loss is above this.
  public init(c: Double = 1, maxIterations: Int = 1000, tolerance: Double = 1e-6) {
    self.c = c
    self.maxIterations = maxIterations
    self.tolerance = tolerance
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    c = try values.decodeIfPresent(Double.self, forKey: .c) ?? c
    maxIterations = try values.decodeIfPresent(Int.self, forKey: .maxIterations) ?? maxIterations
    tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance) ?? tolerance
  }

  /// - Parameters:
  ///   - input: rows of two classes at least.
  ///   - run: threads and cancellation.
  /// - Returns: the weights in the units of the columns, around the columns' means.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, or for a
  ///   single class; `.cancelled`.
  /// - Complexity: O(*n* *d* *K*) a step, some 20 to 200 steps; 8 *n* (*d* + *K*) bytes.
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> LinearClassifierModel
  {
    guard c > 0, maxIterations >= 1, tolerance > 0 else {
      throw BasisError(
        .invalidArgument,
        "logistic regression: c is \(c), maxIterations \(maxIterations), tolerance \(tolerance); "
          + "wanted above 0, at least 1 and above 0")
    }
    try input.rows.requireFinite("the rows")
    let places = try ClassPlaces(input.labels, for: "logistic regression")
    let problem = try LogisticProblem(input.rows, places, penalty: 1 / c, in: run)
    let search = LBFGS(
      maxIterations: maxIterations, gradientTolerance: tolerance, relativeNoise: 1e-7)
    let found = try search.minimize(from: problem.start, in: run) {
      (point, gradient) throws(BasisError) in
      try problem.value(at: point, &gradient, in: run)
    }
    return try problem.model(found)
  }
}

/// The mean loss of the rows in scaled weights: of each output first one for each column, then the
/// intercept.
struct LogisticProblem {
  private let classes: [Int]
  private let places: [Int]
  /// Centred and scaled, `n × d`.
  private let x: Matrix
  private let center: [Double]
  private let scales: [Double]
  /// Of a scaled weight's square, half of this.
  private let penalties: [Double]
  private let outputCount: Int

  var start: [Double] { [Double](repeating: 0, count: outputCount * (x.columnCount + 1)) }

  init(_ rows: Matrix, _ places: ClassPlaces, penalty: Double, in run: RunContext)
    throws(BasisError)
  {
    classes = places.classes
    self.places = places.places
    outputCount = classes.count == 2 ? 1 : classes.count
    let (n, d) = (rows.rowCount, rows.columnCount)
    let moments = try Statistics.columnMoments(of: rows, in: run)
    let center = moments.map(\.mean)
    let strength = penalty / Double(n)
    let scales = moments.map { moment in
      // A quarter of the variance is the most that a row adds to the curvature.
      let curvature = moment.populationVariance + 4 * strength
      return curvature > 0 ? 1 / curvature.squareRoot() : 1
    }
    (self.center, self.scales) = (center, scales)
    penalties = scales.map { strength * $0 * $0 }
    x = try Matrix(rowCount: n, columnCount: d) { (out) throws(BasisError) in
      guard let base = out.baseAddress else { return }
      let target = SharedPointer(base)
      try parallelFor(n, grain: 1024, in: run) { (_, range) in
        for row in range {
          rows.withRow(row) { values in
            let own = target.base + row * d
            for column in 0..<d {
              own[column] = Float((Double(values[column]) - center[column]) * scales[column])
            }
          }
        }
      }
    }
  }

  func value(at point: [Double], _ gradient: inout [Double], in run: RunContext)
    throws(BasisError) -> Double
  {
    let (n, d, k) = (x.rowCount, x.columnCount, outputCount)
    let weights = Matrix(rowCount: k, columnCount: d) { out in
      for output in 0..<k {
        for column in 0..<d { out[output * d + column] = Float(point[output * (d + 1) + column]) }
      }
    }
    let logits = try LinearAlgebra.product(x, weights, transposingB: true, in: run)
    let intercepts = (0..<k).map { point[$0 * (d + 1) + d] }
    let (errors, loss, sums) = try slopes(logits, intercepts, in: run)
    let slopes = try LinearAlgebra.product(errors, x, transposingA: true, in: run)
    let share = 1 / Double(n)
    var value = loss * share
    for output in 0..<k {
      let own = output * (d + 1)
      for column in 0..<d {
        let weight = point[own + column]
        value += 0.5 * penalties[column] * weight * weight
        gradient[own + column] =
          Double(slopes[output, column]) * share + penalties[column] * weight
      }
      gradient[own + d] = sums[output] * share
    }
    return value
  }

  /// What each row's probabilities are too high by, `n × outputs`, the sum of the losses, and the sums of
  /// the columns.
  private func slopes(_ logits: Matrix, _ intercepts: [Double], in run: RunContext)
    throws(BasisError) -> (errors: Matrix, loss: Double, sums: [Double])
  {
    let (n, k) = (logits.rowCount, outputCount)
    var errors = Matrix(rowCount: n, columnCount: k)
    var parts: [(loss: Double, sums: [Double])] = []
    try errors.withUnsafeMutableFloats { (out) throws(BasisError) in
      guard let base = out.baseAddress else { return }
      let target = SharedPointer(base)
      parts = try parallelMap(n, grain: 1024, in: run) { (_, range) in
        var part = (loss: 0.0, sums: [Double](repeating: 0, count: k))
        for row in range {
          logits.withRow(row) { values in
            part.loss += slope(
              values, intercepts, places[row], into: target.base + row * k, &part.sums)
          }
        }
        return part
      }
    }
    var total = (loss: 0.0, sums: [Double](repeating: 0, count: k))
    for part in parts {
      total.loss += part.loss
      for output in 0..<k { total.sums[output] += part.sums[output] }
    }
    return (errors, total.loss, total.sums)
  }

  private func slope(
    _ values: UnsafeBufferPointer<Float>, _ intercepts: [Double], _ place: Int,
    into out: UnsafeMutablePointer<Float>, _ sums: inout [Double]
  ) -> Double {
    if outputCount == 1 {
      let logit = Double(values[0]) + intercepts[0]
      // exp of what is not above 0, whatever the logit is.
      let small = exp(-abs(logit))
      let probability = (logit >= 0 ? 1 : small) / (1 + small)
      let error = probability - (place == 1 ? 1 : 0)
      out[0] = Float(error)
      sums[0] += error
      return log1p(small) + max(logit, 0) - (place == 1 ? logit : 0)
    }
    var top = -Double.infinity
    for output in 0..<outputCount { top = max(top, Double(values[output]) + intercepts[output]) }
    var sum = 0.0
    for output in 0..<outputCount {
      sum += exp(Double(values[output]) + intercepts[output] - top)
    }
    for output in 0..<outputCount {
      let logit = Double(values[output]) + intercepts[output] - top
      let error = exp(logit) / sum - (place == output ? 1 : 0)
      out[output] = Float(error)
      sums[output] += error
    }
    return log(sum) + top - Double(values[place]) - intercepts[place]
  }

  func model(_ found: LBFGS.Minimum) throws(BasisError) -> LinearClassifierModel {
    let d = x.columnCount
    var weights: [Double] = []
    var intercepts: [Double] = []
    if outputCount == 1 {
      weights = [Double](repeating: 0, count: d)
      intercepts = [0]
    }
    for output in 0..<outputCount {
      let own = output * (d + 1)
      for column in 0..<d { weights.append(found.point[own + column] * scales[column]) }
      intercepts.append(found.point[own + d])
    }
    let warning =
      "the search ended after \(found.iterationCount) steps before its slopes were small enough; set "
      + "a smaller c, or more maxIterations"
    return try LinearClassifierModel(
      classes: classes, weights: weights, intercepts: intercepts, center: center,
      fit: .init(
        loss: found.value, largestSlope: found.largestSlope, iterationCount: found.iterationCount,
        isConverged: found.isConverged),
      warnings: found.isConverged ? [] : [warning])
  }
}
