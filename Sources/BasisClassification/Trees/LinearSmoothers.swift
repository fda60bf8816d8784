public import BasisCore
import BasisNumerics
import Foundation

/// Means of the training targets, those of near rows counting more: *ŝ*_i(*x*) ∝ exp(−‖*x* − *x*_i‖² / 2
/// *h*²). A smoother to compare others with.
///
/// Nadaraya, *On estimating regression*, Theory of Probability & Its Applications 9 (1964),
/// doi:10.1137/1109020, with a normal kernel.
public struct KernelSmoother: SmootherWeights {
  /// `n × d`.
  public let rows: Matrix
  /// *h*, in the unit of the rows.
  public let bandwidth: Double

  public var trainingCount: Int { rows.rowCount }

  /// - Parameters:
  ///   - rows: `n × d`, finite, at least one.
  ///   - bandwidth: *h*, above 0 and finite.
  /// - Throws: `.invalidArgument` for another bandwidth; `.badData` for no rows, or naming row and column.
  public init(_ rows: Matrix, bandwidth: Double) throws(BasisError) {
    guard bandwidth > 0, bandwidth.isFinite else {
      throw BasisError(
        .invalidArgument, "a kernel smoother: the bandwidth is above 0, and not \(bandwidth)")
    }
    guard rows.rowCount > 0 else {
      throw BasisError(.badData, "a kernel smoother needs 1 row at least; there are none")
    }
    try rows.requireFinite("the rows")
    self.rows = rows
    self.bandwidth = bandwidth
  }

  /// - Complexity: O(*m* *n* *d*), parallel over rows.
  public func weights(for asked: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try asked.requireRows(of: rows.columnCount, for: "kernel smoother")
    let (n, d) = (trainingCount, rows.columnCount)
    let scale = -0.5 / (bandwidth * bandwidth)
    return try parallelMap(asked.rowCount, grain: 16, in: run) { (_, range) -> [Double] in
      var out: [Double] = []
      for row in range {
        var own = [Double](repeating: 0, count: n)
        asked.withRow(row) { values in
          rows.withUnsafeFloats { floats in
            for other in 0..<n {
              for column in 0..<d {
                let difference = Double(values[column]) - Double(floats[other * d + column])
                own[other] += scale * difference * difference
              }
            }
          }
        }
        // Far from all rows the nearest one counts, and not the ratio of two zeros.
        Softmax.normalize(&own, classCount: n)
        out += own
      }
      return out
    }.flatMap { $0 }
  }
}

/// Linear regression with a penalty on the squared weights, the intercept free, as weights of the training
/// targets: *ŝ*_i(*x*) = 1/*n* + (*x* − *c*)ᵀ (XᵀX + *λ* 1)⁻¹ (*x*_i − *c*), X the rows less their mean *c*.
///
/// Hoerl & Kennard, *Ridge regression: biased estimation for nonorthogonal problems*, Technometrics 12
/// (1970), doi:10.1080/00401706.1970.10488634, equation 2.1. Weights may be negative.
public struct RidgeSmoother: SmootherWeights {
  /// `n × d`.
  public let rows: Matrix
  /// *λ*, in the squared unit of the rows.
  public let penalty: Double
  private let center: [Double]
  private let factor: CholeskyFactor

  public var trainingCount: Int { rows.rowCount }

  /// - Parameters:
  ///   - rows: `n × d`, finite, at least one.
  ///   - penalty: *λ*, above 0 and finite.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for another penalty; `.badData` for no rows, or naming row and column;
  ///   `.cancelled`.
  /// - Complexity: O(*n* *d*² + *d*³).
  public init(_ rows: Matrix, penalty: Double, in run: RunContext = RunContext())
    throws(BasisError)
  {
    guard penalty > 0, penalty.isFinite else {
      throw BasisError(
        .invalidArgument, "a ridge smoother: the penalty is above 0, and not \(penalty)")
    }
    guard rows.rowCount > 0 else {
      throw BasisError(.badData, "a ridge smoother needs 1 row at least; there are none")
    }
    try rows.requireFinite("the rows")
    self.rows = rows
    self.penalty = penalty
    let d = rows.columnCount
    let center = try Statistics.columnMoments(of: rows, in: run).map(\.mean)
    var products = [Double](repeating: 0, count: d * d)
    for column in 0..<d { products[column * (d + 1)] = penalty }
    for row in 0..<rows.rowCount {
      if row % 4096 == 0 { try run.checkCancelled() }
      let own = Self.offset(rows, row, center)
      for first in 0..<d {
        for second in 0...first { products[first * d + second] += own[first] * own[second] }
      }
    }
    self.center = center
    factor = CholeskyFactor(products, side: d)
  }

  private static func offset(_ rows: Matrix, _ row: Int, _ center: [Double]) -> [Double] {
    rows.withRow(row) { values in values.indices.map { Double(values[$0]) - center[$0] } }
  }

  /// - Complexity: O(*m* *d* (*n* + *d*)), parallel over rows.
  public func weights(for asked: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try asked.requireRows(of: rows.columnCount, for: "ridge smoother")
    let n = trainingCount
    return try parallelMap(asked.rowCount, grain: 16, in: run) { (_, range) -> [Double] in
      var out: [Double] = []
      out.reserveCapacity(range.count * n)
      for row in range {
        let direction = factor.solve(Self.offset(asked, row, center))
        let level = zip(direction, center).reduce(0) { $0 + $1.0 * $1.1 }
        for other in 0..<n {
          rows.withRow(other) { values in
            var along = -level
            for column in values.indices { along += direction[column] * Double(values[column]) }
            out.append(1 / Double(n) + along)
          }
        }
      }
      return out
    }.flatMap { $0 }
  }
}
