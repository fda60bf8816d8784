/// The lower triangular L with LLᵀ = A, of a small positive definite matrix in `Double`.
package struct CholeskyFactor: Sendable {
  private let factor: [Double]
  private let side: Int

  /// - Parameters:
  ///   - matrix: `n × n`, row after row; the lower triangle is read.
  ///   - n: its side.
  /// - Complexity: O(*n*³).
  package init(_ matrix: [Double], side n: Int) {
    var factor = matrix
    for i in 0..<n {
      for j in 0...i {
        var sum = factor[i * n + j]
        for k in 0..<j { sum -= factor[i * n + k] * factor[j * n + k] }
        factor[i * n + j] = i == j ? max(sum, 1e-300).squareRoot() : sum / factor[j * n + j]
      }
    }
    self.factor = factor
    side = n
  }

  /// The x with A x = `right`.
  ///
  /// - Parameter right: *n* values.
  /// - Complexity: O(*n*²).
  package func solve(_ right: [Double]) -> [Double] {
    let n = side
    var x = right
    for i in 0..<n {
      for k in 0..<i { x[i] -= factor[i * n + k] * x[k] }
      x[i] /= factor[i * n + i]
    }
    for i in (0..<n).reversed() {
      for k in stride(from: i + 1, to: n, by: 1) { x[i] -= factor[k * n + i] * x[k] }
      x[i] /= factor[i * n + i]
    }
    return x
  }
}

/// Solves a small positive definite system in `Double`, by Cholesky's factors.
///
/// - Parameters:
///   - matrix: `n × n`, row after row; the lower triangle is read.
///   - right: *n* values.
/// - Complexity: O(*n*³).
package func solvePositiveDefinite(_ matrix: [Double], _ right: [Double]) -> [Double] {
  CholeskyFactor(matrix, side: right.count).solve(right)
}
