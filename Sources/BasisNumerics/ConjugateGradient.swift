/// Solves systems with symmetric positive definite matrices of which only products are known.
///
/// Hestenes & Stiefel, *Methods of conjugate gradients for solving linear systems*, J. Res. NBS 49 (1952),
/// doi:10.6028/jres.049.044.
package struct ConjugateGradient: Sendable {
  /// Of the residual's length over that of the right side.
  package var tolerance: Double
  /// At most so many products.
  package var iterationLimit: Int

  package init(tolerance: Double = 1e-9, iterationLimit: Int = 1000) {
    self.tolerance = tolerance
    self.iterationLimit = iterationLimit
  }

  /// - Parameters:
  ///   - right: the right side.
  ///   - times: adds nothing to its second argument, but overwrites it with the product.
  /// - Returns: the solution; what was reached where the limit comes first.
  package func solve(_ right: [Double], _ times: ([Double], inout [Double]) -> Void) -> [Double] {
    var x = [Double](repeating: 0, count: right.count)
    var residual = right
    var direction = right
    var product = x
    var squared = Self.dot(residual, residual)
    let goal = tolerance * tolerance * squared
    var iteration = 0
    while squared > goal, iteration < iterationLimit {
      times(direction, &product)
      let curvature = Self.dot(direction, product)
      guard curvature > 0 else { break }
      let step = squared / curvature
      for index in x.indices {
        x[index] += step * direction[index]
        residual[index] -= step * product[index]
      }
      let next = Self.dot(residual, residual)
      let share = next / squared
      for index in x.indices { direction[index] = residual[index] + share * direction[index] }
      squared = next
      iteration += 1
    }
    return x
  }

  /// The vector nearest to `target` among the products of a matrix: least squares by the normal equations,
  /// never formed (CGLS).
  ///
  /// - Parameters:
  ///   - target: what is to be come near to.
  ///   - count: columns of the matrix.
  ///   - times: overwrites its second argument with the product.
  ///   - transposedTimes: the same of the transpose.
  /// - Returns: the projection of `target` onto the matrix's range.
  package func projection(
    of target: [Double], columnCount count: Int, _ times: ([Double], inout [Double]) -> Void,
    _ transposedTimes: ([Double], inout [Double]) -> Void
  ) -> [Double] {
    var reached = [Double](repeating: 0, count: target.count)
    var residual = target
    var gradient = [Double](repeating: 0, count: count)
    transposedTimes(residual, &gradient)
    var direction = gradient
    var product = reached
    var squared = Self.dot(gradient, gradient)
    let goal = tolerance * tolerance * Self.dot(target, target)
    var iteration = 0
    while squared > goal, iteration < iterationLimit {
      times(direction, &product)
      let length = Self.dot(product, product)
      guard length > 0 else { break }
      let step = squared / length
      for index in reached.indices {
        reached[index] += step * product[index]
        residual[index] -= step * product[index]
      }
      transposedTimes(residual, &gradient)
      let next = Self.dot(gradient, gradient)
      let share = next / squared
      for index in direction.indices {
        direction[index] = gradient[index] + share * direction[index]
      }
      squared = next
      iteration += 1
    }
    return reached
  }

  package static func dot(_ x: [Double], _ y: [Double]) -> Double {
    var sum = 0.0
    for index in x.indices { sum += x[index] * y[index] }
    return sum
  }
}
