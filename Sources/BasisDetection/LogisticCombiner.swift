import BasisCore
import BasisNumerics

/// Weighs scores so that their sum tells two kinds apart: logistic regression with ½ ‖a‖² on the weights
/// and none on the constant, by Newton's steps.
enum LogisticCombiner {
  /// - Parameters:
  ///   - inside: a list of scores a thing that belongs; at least one.
  ///   - outside: of things that do not; at least one.
  /// - Returns: a weight a score; the constant is left out.
  /// - Complexity: O(things · scores²) a step, some ten steps.
  static func weights(inside: [[Double]], outside: [[Double]]) -> [Double] {
    let rows = (inside + outside).map { $0 + [1] }
    let targets = inside.map { _ in 1.0 } + outside.map { _ in -1.0 }
    let count = rows[0].count
    var weights = [Double](repeating: 0, count: count)
    var loss = Self.loss(rows, targets, weights)
    for _ in 0..<100 {
      var slopes = (0..<count).map { $0 + 1 < count ? weights[$0] : 0 }
      var curvature = [Double](repeating: 0, count: count * count)
      for place in 0..<count { curvature[place * (count + 1)] = place + 1 < count ? 1 : 1e-9 }
      for (row, target) in zip(rows, targets) {
        let value = zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 }
        let doubt = 1 / (1 + exponential(target * value))
        for i in 0..<count {
          slopes[i] -= target * doubt * row[i]
          for j in 0...i { curvature[i * count + j] += doubt * (1 - doubt) * row[i] * row[j] }
        }
      }
      let step = solvePositiveDefinite(curvature, slopes)
      var (share, isLower) = (1.0, false)
      while share > 1e-8, !isLower {
        let next = zip(weights, step).map { $0 - share * $1 }
        let value = Self.loss(rows, targets, next)
        isLower = value < loss
        if isLower { (weights, loss) = (next, value) }
        share /= 2
      }
      guard isLower, step.contains(where: { abs($0) > 1e-9 }) else { break }
    }
    return Array(weights.dropLast())
  }

  private static func loss(_ rows: [[Double]], _ targets: [Double], _ weights: [Double]) -> Double {
    var sum = weights.dropLast().reduce(0) { $0 + $1 * $1 / 2 }
    for (row, target) in zip(rows, targets) {
      let value = target * zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 }
      // log (1 + e^−v), which overflows for neither sign.
      sum += max(0, -value) + logarithm(1 + exponential(-abs(value)))
    }
    return sum
  }
}
