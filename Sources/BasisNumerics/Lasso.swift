public import BasisCore
import Foundation

/// Sparse least squares: the weights *w* that make 1/(2*n*) ‖*y* − *Xw*‖² + λ ‖*w*‖₁ small, by cyclic
/// coordinate descent on the Gram matrix.
///
/// The Gram matrix is made once for any number of targets and penalties; a step costs O(*d*) only where a
/// weight changes. Ends when the duality gap is below ``tolerance`` · *y*ᵀ*y*/*n*.
///
/// Tibshirani, *Regression shrinkage and selection via the lasso*, J. R. Statist. Soc. B 58 (1996);
/// Friedman, Hastie & Tibshirani, *Regularization paths for generalized linear models via coordinate
/// descent*, J. Stat. Softw. 33 (2010), doi:10.18637/jss.v033.i01, section 2.2 (covariance updates).
public struct Lasso: Settings {
  /// λ, at least 0.
  public var penalty: Double
  /// At least 1.
  public var maxPasses: Int
  /// Above 0.
  public var tolerance: Double

  public init(penalty: Double = 0.01, maxPasses: Int = 1_000, tolerance: Double = 1e-6) {
    self.penalty = penalty
    self.maxPasses = maxPasses
    self.tolerance = tolerance
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = Lasso()
    penalty = try values.decodeIfPresent(Double.self, forKey: .penalty) ?? defaults.penalty
    maxPasses = try values.decodeIfPresent(Int.self, forKey: .maxPasses) ?? defaults.maxPasses
    tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance) ?? defaults.tolerance
  }

  /// - Parameters:
  ///   - gram: *X*ᵀ*X*/*n*, `d × d` symmetric; a column of zeros gets the weight 0.
  ///   - products: *X*ᵀ*y*/*n*, *d* of them.
  ///   - square: *y*ᵀ*y*/*n*, at least 0.
  ///   - start: weights to begin with, such as those of a larger penalty; nil for zeros.
  ///   - run: cancellation.
  /// - Throws: `.invalidArgument` for settings out of range; `.dimensionMismatch`; `.cancelled`.
  /// - Complexity: O(*d*²) a pass in the worst case, O(*d* · changes) mostly; one thread.
  public func fit(
    gram: Matrix, products: [Double], square: Double, from start: [Double]? = nil,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> LassoSolution {
    guard penalty >= 0, penalty.isFinite, maxPasses >= 1, tolerance > 0 else {
      throw BasisError(
        .invalidArgument,
        "a lasso's penalty is at least 0, its passes at least 1 and its tolerance above 0; got "
          + "\(penalty), \(maxPasses) and \(tolerance)")
    }
    let d = gram.columnCount
    guard gram.rowCount == d, products.count == d, start?.count ?? d == d else {
      throw BasisError(
        .dimensionMismatch,
        "a lasso wants a Gram matrix of d × d, d products and d weights to start with; got "
          + "\(gram.rowCount) × \(d), \(products.count) and \(start?.count ?? d)")
    }
    var weights = start ?? [Double](repeating: 0, count: d)
    // Xᵀ(y − Xw)/n.
    var rest = products
    for (column, weight) in weights.enumerated() where weight != 0 {
      Self.add(gram, column, -weight, to: &rest)
    }
    var (passes, isConverged) = (0, false)
    while passes < maxPasses, !isConverged {
      try run.checkCancelled()
      passes += 1
      var change = 0.0
      for column in 0..<d {
        let curve = Double(gram[column, column])
        guard curve > 0 else { continue }
        let old = weights[column]
        let pull = rest[column] + curve * old
        let new = max(0, abs(pull) - penalty) / curve * (pull < 0 ? -1 : 1)
        guard new != old else { continue }
        weights[column] = new
        Self.add(gram, column, old - new, to: &rest)
        change = max(change, abs(new - old) * curve.squareRoot())
      }
      // The gap is looked at only where it has a chance to be small.
      if change <= 1e-3 * square.squareRoot() || passes % 10 == 0 {
        isConverged =
          change == 0 || gap(weights, products, rest, square) <= tolerance * square
      }
    }
    let explained = zip(weights, products).reduce(0.0) { $0 + $1.0 * $1.1 }
    let left = zip(weights, rest).reduce(square - explained) { $0 - $1.0 * $1.1 }
    return LassoSolution(
      weights: weights, passCount: passes, isConverged: isConverged,
      explainedShare: square > 0 ? 1 - max(0, left) / square : 0)
  }

  /// rest += factor · a row of the Gram matrix.
  private static func add(_ gram: Matrix, _ row: Int, _ factor: Double, to rest: inout [Double]) {
    gram.withRow(row) { values in
      rest.withUnsafeMutableBufferPointer { rest in
        for column in 0..<rest.count { rest[column] += factor * Double(values[column]) }
      }
    }
  }

  /// The duality gap, from products alone: with *r* = *y* − *Xw* all of ‖*r*‖², *y*ᵀ*r* and *X*ᵀ*r* are at
  /// hand. Kim et al., IEEE J. Sel. Top. Signal Process. 1 (2007), doi:10.1109/JSTSP.2007.910971.
  private func gap(
    _ weights: [Double], _ products: [Double], _ rest: [Double], _ square: Double
  ) -> Double {
    var (fit, inner, length, steepest) = (0.0, 0.0, 0.0, 0.0)
    for index in weights.indices {
      fit += weights[index] * products[index]
      inner += weights[index] * rest[index]
      length += abs(weights[index])
      steepest = max(steepest, abs(rest[index]))
    }
    let target = square - fit
    let left = max(0, target - inner)
    let scale = steepest > penalty ? penalty / steepest : 1
    return 0.5 * left * (1 + scale * scale) + penalty * length - scale * target
  }
}

/// Weights of which most are zero.
public struct LassoSolution: Sendable, Hashable, Codable {
  public let weights: [Double]
  public let passCount: Int
  public let isConverged: Bool
  /// 1 − ‖*y* − *Xw*‖² / ‖*y*‖²: of centred targets the coefficient of determination.
  public let explainedShare: Double

  /// The columns with weights that are not zero.
  public var support: [Int] { weights.indices.filter { weights[$0] != 0 } }
}
