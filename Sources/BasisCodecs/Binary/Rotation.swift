import BasisCore
import BasisNumerics

/// How vectors are turned before their signs are taken.
public enum Rotation: String, Sendable, Hashable, Codable, CaseIterable {
  /// Not at all: the signs are those of the values.
  case none
  /// At random, so that no value carries more than others.
  case random
  /// From there on so that rotated vectors lie close to corners of a cube: iterative quantisation.
  ///
  /// Gong & Lazebnik, *Iterative quantization: a Procrustean approach to learning binary codes*,
  /// CVPR 2011, doi:10.1109/CVPR.2011.5995432, equations 2 to 4.
  case iterative = "itq"
}

extension Rotation {
  /// Rows of the sample that the iteration looks at, at most.
  private static let sampleCount = 8_192
  private static let iterationCount = 30

  /// The turn of `dimension` values into `count` of them: the principal directions where that is
  /// fewer, then the rotation.
  func fit(_ rows: Matrix, count: Int, in run: RunContext) throws(BasisError) -> LinearMap {
    let dimension = rows.columnCount
    let directions = count < dimension ? try rows.principalDirections(count, in: run) : nil
    guard self != .none else {
      return LinearMap(matrix: directions ?? Matrix.identity(dimension))
    }
    var generator = run.generator("rotation")
    let noise = Matrix(rowCount: count, columnCount: count) { target in
      for index in target.indices { target[index] = Float(generator.nextGaussian()) }
    }
    var rotation = try LinearAlgebra.thinQR(noise, in: run).q
    if self == .iterative {
      let sample = rows.sample(atMost: Self.sampleCount, by: &generator)
      let seen = try directions.map { (directions) throws(BasisError) in
        try LinearMap(matrix: directions)(sample, in: run)
      }
      rotation = try Self.iterate(rotation, seen ?? sample, in: run)
    }
    guard let directions else { return LinearMap(matrix: rotation) }
    return LinearMap(matrix: try LinearAlgebra.product(rotation, directions, in: run))
  }

  /// Signs of the rotated rows, then the rotation that brings the rows closest to them, in turns.
  private static func iterate(_ first: Matrix, _ rows: Matrix, in run: RunContext)
    throws(BasisError) -> Matrix
  {
    var rotation = first
    for iteration in 0..<iterationCount {
      run.report("rotation", iteration, of: iterationCount)
      try run.checkCancelled()
      var signs = try LinearMap(matrix: rotation)(rows, in: run)
      signs.withUnsafeMutableFloats { floats in
        for index in floats.indices { floats[index] = floats[index] < 0 ? -1 : 1 }
      }
      // The orthogonal R of smallest ‖signs − rows Rᵀ‖ is U Vᵀ of signsᵀ rows = U S Vᵀ.
      let moments = try LinearAlgebra.product(signs, rows, transposingA: true, in: run)
      let parts = try LinearAlgebra.thinSVD(moments, in: run)
      rotation = try LinearAlgebra.product(parts.u, parts.v, transposingB: true, in: run)
    }
    run.report("rotation", iterationCount, of: iterationCount)
    return rotation
  }
}

extension Matrix {
  static func identity(_ count: Int) -> Matrix {
    Matrix(rowCount: count, columnCount: count) { target in
      for index in 0..<count { target[index * count + index] = 1 }
    }
  }
}

/// The number of values that are kept of `dimension`.
///
/// - Throws: `.invalidArgument` outside `1 ... dimension`.
func keptCount(_ asked: Int?, of dimension: Int, _ name: String) throws(BasisError) -> Int {
  let count = asked ?? dimension
  guard count >= 1, count <= dimension else {
    throw BasisError(
      .invalidArgument,
      "\(name): cannot keep \(count) of \(dimension) dimensions; ask for 1 to \(dimension)")
  }
  return count
}
