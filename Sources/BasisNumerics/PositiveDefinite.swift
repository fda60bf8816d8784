/// Solves a small positive definite system in `Double`, by Cholesky's factors.
///
/// - Parameters:
///   - matrix: `n × n`, row after row; the lower triangle is read.
///   - right: *n* values.
/// - Complexity: O(*n*³).
package func solvePositiveDefinite(_ matrix: [Double], _ right: [Double]) -> [Double] {
  let n = right.count
  var (factor, x) = (matrix, right)
  for i in 0..<n {
    for j in 0...i {
      var sum = factor[i * n + j]
      for k in 0..<j { sum -= factor[i * n + k] * factor[j * n + k] }
      factor[i * n + j] = i == j ? max(sum, 1e-300).squareRoot() : sum / factor[j * n + j]
    }
    for k in 0..<i { x[i] -= factor[i * n + k] * x[k] }
    x[i] /= factor[i * n + i]
  }
  for i in (0..<n).reversed() {
    for k in stride(from: i + 1, to: n, by: 1) { x[i] -= factor[k * n + i] * x[k] }
    x[i] /= factor[i * n + i]
  }
  return x
}
