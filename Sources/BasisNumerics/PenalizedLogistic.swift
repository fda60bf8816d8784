package import BasisCore

/// Logistic regression with a penalty on the weights, not on the intercept: minimises
/// ½‖*w*‖² + *C* Σ log(1 + exp(−*yᵢ fᵢ*)) by Newton steps, each a system for ``ConjugateGradient``.
package struct PenalizedLogistic: Sendable {
  package private(set) var weights: [Double]
  package private(set) var intercept: Double

  /// - Parameters:
  ///   - rows: `n × d`.
  ///   - isPositive: the class of each row.
  ///   - strength: *C*, positive.
  package init(_ rows: Matrix, _ isPositive: [Bool], strength: Double = 1) {
    let d = rows.columnCount
    let signs = isPositive.map { $0 ? 1.0 : -1.0 }
    // The intercept comes last.
    var w = [Double](repeating: 0, count: d + 1)
    var (loss, values) = Self.loss(w, rows, signs, strength)
    for _ in 0..<100 {
      var gradient = w
      gradient[d] = 0
      var curvature = [Double](repeating: 0, count: signs.count)
      for row in signs.indices {
        let share = 1 / (1 + exponential(signs[row] * values[row]))
        curvature[row] = strength * share * (1 - share)
        Self.add(-strength * signs[row] * share, rows, row, to: &gradient)
      }
      let size = ConjugateGradient.dot(gradient, gradient).squareRoot()
      guard size > 1e-9 * max(1, strength) else { break }
      let solver = ConjugateGradient(tolerance: min(0.1, size), iterationLimit: 200)
      let step = solver.solve(gradient) { (direction, out) in
        for column in 0..<d { out[column] = direction[column] }
        // So that a column of equal signs has a solution too.
        out[d] = 1e-9 * direction[d]
        for row in curvature.indices {
          Self.add(curvature[row] * Self.value(direction, rows, row), rows, row, to: &out)
        }
      }
      let slope = ConjugateGradient.dot(gradient, step)
      var length = 1.0
      while true {
        let next = w.indices.map { w[$0] - length * step[$0] }
        let (nextLoss, nextValues) = Self.loss(next, rows, signs, strength)
        if nextLoss <= loss - 1e-4 * length * slope || length < 1e-8 {
          let gain = loss - nextLoss
          (w, loss, values) = (next, nextLoss, nextValues)
          if gain <= 1e-14 * max(1, abs(loss)) { length = 0 }
          break
        }
        length /= 2
      }
      if length == 0 { break }
    }
    intercept = w.removeLast()
    weights = w
  }

  /// What the sign of is the class.
  package func decisions(_ rows: Matrix) -> [Double] {
    let all = weights + [intercept]
    return (0..<rows.rowCount).map { Self.value(all, rows, $0) }
  }

  private static func value(_ weights: [Double], _ rows: Matrix, _ row: Int) -> Double {
    rows.withRow(row) { values in
      var sum = weights[values.count]
      for column in values.indices { sum += weights[column] * Double(values[column]) }
      return sum
    }
  }

  private static func add(
    _ factor: Double, _ rows: Matrix, _ row: Int, to sums: inout [Double]
  ) {
    rows.withRow(row) { values in
      for column in values.indices { sums[column] += factor * Double(values[column]) }
      sums[values.count] += factor
    }
  }

  private static func loss(
    _ weights: [Double], _ rows: Matrix, _ signs: [Double], _ strength: Double
  ) -> (loss: Double, values: [Double]) {
    let values = signs.indices.map { value(weights, rows, $0) }
    var sum = 0.0
    for (value, sign) in zip(values, signs) {
      let margin = sign * value
      // log(1 + exp(−m)) without overflow.
      sum +=
        margin > 0
        ? logarithm(1 + exponential(-margin)) : logarithm(1 + exponential(margin)) - margin
    }
    let penalty = weights.dropLast().reduce(0.0) { $0 + $1 * $1 } / 2
    return (penalty + strength * sum, values)
  }
}
