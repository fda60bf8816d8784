import BasisCore
import Foundation
import Testing

@testable import BasisNumerics

/// Against numpy and scipy: `Scripts/oracles/linear_algebra.py`.
@Suite struct LinearAlgebraOracleTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      var a: [[Float]]
      var b: [[Float]]
      var product: [[Float]]
      var q: [[Float]]
      var r: [[Float]]
      var u: [[Float]]
      var singularValues: [Float]
      var v: [[Float]]
      var gram: [[Float]]
      var eigenvalues: [Float]
      var eigenvectors: [[Float]]
      var cholesky: [[Float]]
    }

    struct Decaying: Decodable {
      var a: [[Float]]
      var singularValues: [Float]
    }

    var cases: [Case]
    var decaying: Decaying

    static func load() throws -> Fixture {
      let url = try #require(
        Bundle.module.url(
          forResource: "linear_algebra", withExtension: "json", subdirectory: "Fixtures"))
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  @Test func `results are those of scipy`() throws {
    for expected in try Fixture.load().cases {
      let a = try Matrix(rows: expected.a)
      let gram = try Matrix(rows: expected.gram)
      func check(
        _ x: Matrix, _ rows: [[Float]], scale: Float, _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
      ) throws {
        let difference = largestDifference(x, try Matrix(rows: rows))
        #expect(
          difference <= 64 * .ulpOfOne * scale, "\(what) of \(a.rowCount) × \(a.columnCount)",
          sourceLocation: sourceLocation)
      }
      let norm = frobeniusNorm(a)
      let gramNorm = frobeniusNorm(gram)
      // Vectors turn by the error over the distance to the next value.
      let gap =
        zip(expected.singularValues, expected.singularValues.dropFirst())
        .map { $0 - $1 }.min() ?? norm
      let gramGap =
        zip(expected.eigenvalues, expected.eigenvalues.dropFirst())
        .map { $0 - $1 }.min() ?? gramNorm
      let condition = norm / (expected.singularValues.last ?? norm)

      let b = try Matrix(rows: expected.b)
      try check(
        LinearAlgebra.product(a, b), expected.product, scale: norm * frobeniusNorm(b), "product")
      let qr = try LinearAlgebra.thinQR(a)
      try check(qr.q, expected.q, scale: condition, "Q")
      try check(qr.r, expected.r, scale: norm * condition, "R")
      let svd = try LinearAlgebra.thinSVD(a)
      try check(
        Matrix(rows: [svd.singularValues]), [expected.singularValues], scale: norm,
        "singular values")
      try check(svd.u, expected.u, scale: norm / min(gap, expected.singularValues.last ?? gap), "U")
      try check(svd.v, expected.v, scale: norm / min(gap, expected.singularValues.last ?? gap), "V")
      // With more columns than rows the identity's eigenvalue comes several times over, and its
      // vectors are anybody's choice.
      let eigen = try LinearAlgebra.symmetricEigen(gram)
      try check(
        Matrix(rows: [eigen.values]), [expected.eigenvalues], scale: gramNorm, "eigenvalues")
      if a.columnCount <= a.rowCount {
        try check(eigen.vectors, expected.eigenvectors, scale: gramNorm / gramGap, "eigenvectors")
      }
      try check(
        LinearAlgebra.cholesky(gram), expected.cholesky, scale: gramNorm, "Cholesky factor")
    }
  }

  @Test func `the randomised decomposition finds a decaying spectrum`() throws {
    let expected = try Fixture.load().decaying
    let a = try Matrix(rows: expected.a)
    let found = try RandomizedSVD(rank: 8, oversampling: 4).decompose(a, in: RunContext())
    for (value, wanted) in zip(found.singularValues, expected.singularValues) {
      #expect(abs(value - wanted) <= 64 * .ulpOfOne * frobeniusNorm(a))
    }
  }
}
