import BasisCore
import BasisNumerics

/// Weighs scores so that their sum tells two kinds apart: logistic regression with ½ ‖a‖² on the weights
/// and none on the constant.
enum LogisticCombiner {
  /// - Parameters:
  ///   - inside: a list of scores a thing that belongs; at least one.
  ///   - outside: of things that do not; at least one.
  /// - Returns: a weight a score; the constant is left out.
  /// - Complexity: O(things · scores²) a step, some ten steps.
  static func weights(inside: [[Double]], outside: [[Double]]) -> [Double] {
    let all = inside + outside
    let width = all[0].count
    let rows = Matrix(rowCount: all.count, columnCount: width) { out in
      for (row, scores) in all.enumerated() {
        for column in 0..<width { out[row * width + column] = Float(scores[column]) }
      }
    }
    return PenalizedLogistic(rows, all.indices.map { $0 < inside.count }).weights
  }
}
