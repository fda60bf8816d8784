import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisNumerics

/// A sparse matrix with about `density` of its entries, standard normal.
func sparseGaussian(
  rowCount: Int, columnCount: Int, density: Double, seed: UInt64
) -> SparseMatrix {
  var generator = RandomGenerator(seed: seed)
  var matrix = SparseMatrix(columnCount: columnCount)
  for _ in 0..<rowCount {
    var row: [(column: Int, value: Float)] = []
    for column in 0..<columnCount where generator.nextDouble() < density {
      row.append((column, Float(generator.nextGaussian())))
    }
    matrix.append(row: row)
  }
  return matrix
}

func dense(_ x: SparseMatrix) -> Matrix {
  var matrix = Matrix(rowCount: x.rowCount, columnCount: x.columnCount)
  for row in 0..<x.rowCount {
    for index in x.offsets[row]..<x.offsets[row + 1] {
      matrix[row, Int(x.columns[index])] = x.values[index]
    }
  }
  return matrix
}

@Suite struct SparseProductTests {
  @Test(arguments: 0..<12 as Range<UInt64>) func `products and transposes are the dense ones`(
    seed: UInt64
  ) throws {
    var generator = RandomGenerator(seed: seed)
    let x = sparseGaussian(
      rowCount: generator.nextInt(below: 600), columnCount: generator.nextInt(below: 40),
      density: generator.nextDouble() / 2, seed: seed + 100)
    #expect(dense(x.transposed()) == dense(x).transposed())
    #expect(x.transposed().transposed() == x)
    let y = gaussianMatrix(
      rowCount: x.columnCount, columnCount: generator.nextInt(below: 30), seed: seed + 200)
    let product = try x.product(y)
    let expected = naiveProduct(dense(x), y)
    for row in 0..<product.rowCount {
      for column in 0..<product.columnCount {
        let bound = Double(x.columnCount) * 0x1p-24 * 1.001 * expected.magnitudes[row][column]
        #expect(abs(Double(product[row, column]) - expected.values[row][column]) <= bound)
      }
    }
    #expect(try x.product(y, in: RunContext(threadLimit: 1)) == product)
    #expect(try x.product(y, in: RunContext(threadLimit: 2)) == product)
  }

  @Test func `shapes that do not fit are named`() {
    let error = #expect(throws: BasisError.self) {
      try SparseMatrix(columnCount: 3).product(Matrix(rowCount: 4, columnCount: 2))
    }
    #expect(error?.message == "product: sparse 0 × 3 times 4 × 2 needs 3 = 4")
  }

  @Test func `a stored value that is not finite is named with its place`() {
    var x = SparseMatrix(columnCount: 5)
    x.append(row: [(column: 1, value: 1)])
    x.append(row: [])
    x.append(row: [(column: 0, value: 2), (column: 4, value: .infinity)])
    let error = #expect(throws: BasisError.self) {
      try RandomizedSVD(rank: 1).decompose(x, in: RunContext())
    }
    #expect(error?.code == .badData)
    #expect(
      error?.message.hasPrefix("the matrix to decompose has inf at row 2, column 4") == true)
  }
}

@Suite struct RandomizedSVDTests {
  /// `n × columns` with singular values `decay⁰, decay¹, …`.
  static func decaying(_ n: Int, _ columns: Int, decay: Float, seed: UInt64) throws -> Matrix {
    let k = min(n, columns)
    let u = try LinearAlgebra.thinQR(gaussianMatrix(rowCount: n, columnCount: k, seed: seed)).q
    let v = try LinearAlgebra.thinQR(
      gaussianMatrix(rowCount: columns, columnCount: k, seed: seed + 1)
    ).q
    var values = [Float](repeating: 1, count: k)
    for index in 1..<max(k, 1) { values[index] = values[index - 1] * decay }
    return try recomposed(u, values, v)
  }

  @Test(arguments: [Float(0.7), 0.9, 0.97])
  func `what is left over is close to the least possible`(decay: Float) throws {
    for seed in 0..<10 as Range<UInt64> {
      let x = try Self.decaying(150, 90, decay: decay, seed: seed)
      let exact = try LinearAlgebra.thinSVD(x)
      let k = 12
      let found = try RandomizedSVD(rank: k).decompose(x, in: RunContext(seed: seed))
      // Eckart & Young: nothing of rank k leaves less than the values that follow.
      let least = exact.singularValues.dropFirst(k)
        .reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      var rest = x
      let back = try recomposed(found.u, found.singularValues, found.v)
      rest.withUnsafeMutableFloats { rest in
        back.withUnsafeFloats { for index in rest.indices { rest[index] -= $0[index] } }
      }
      #expect(Double(frobeniusNorm(rest)) <= 1.01 * least + 1e-5)
      #expect(try orthogonalityError(found.u) < 1e-5)
      #expect(try orthogonalityError(found.v) < 1e-5)
      #expect(found.singularValues == found.singularValues.sorted(by: >))
      for (value, wanted) in zip(found.singularValues, exact.singularValues) {
        // A projection never adds to a singular value.
        #expect(value <= wanted + 1e-5 && value >= 0.97 * wanted - 1e-5)
      }
    }
  }

  @Test func `sparse and dense input give the same decomposition`() throws {
    let x = sparseGaussian(rowCount: 200, columnCount: 60, density: 0.1, seed: 1)
    let settings = RandomizedSVD(rank: 5, powerIterations: 6)
    let sparse = try settings.decompose(x, in: RunContext())
    let full = try settings.decompose(dense(x), in: RunContext())
    for (a, b) in zip(sparse.singularValues, full.singularValues) { #expect(abs(a - b) < 1e-4 * b) }
  }

  @Test func `the same bits at one and two threads, other ones for another seed`() throws {
    let x = sparseGaussian(rowCount: 700, columnCount: 300, density: 0.03, seed: 2)
    let settings = RandomizedSVD(rank: 10)
    let one = try settings.decompose(x, in: RunContext(seed: 3, threadLimit: 1))
    #expect(try settings.decompose(x, in: RunContext(seed: 3, threadLimit: 2)) == one)
    #expect(try settings.decompose(x, in: RunContext(seed: 4, threadLimit: 2)) != one)
    #expect(one.v.signsOfLargestEntries().allSatisfy { $0 == 1 })
  }

  @Test(arguments: [(0, 0), (0, 5), (5, 0), (1, 1), (1, 9), (9, 1), (3, 8)])
  func `the rank is clipped to the matrix`(n: Int, columns: Int) throws {
    let x = sparseGaussian(rowCount: n, columnCount: columns, density: 1, seed: 4)
    let result = try RandomizedSVD(rank: 100).decompose(x, in: RunContext())
    let k = min(n, columns)
    #expect(result.u.rowCount == n && result.u.columnCount == k)
    #expect(result.v.rowCount == columns && result.v.columnCount == k)
    #expect(result.singularValues.count == k)
    let back = try recomposed(result.u, result.singularValues, result.v)
    #expect(largestDifference(back, dense(x)) < 1e-5)
  }

  @Test func `zeros and low rank decompose into orthonormal vectors`() throws {
    let zeros = Matrix(rowCount: 20, columnCount: 8)
    let lowRank = try LinearAlgebra.product(
      gaussianMatrix(rowCount: 20, columnCount: 2, seed: 5),
      gaussianMatrix(rowCount: 2, columnCount: 8, seed: 6))
    for x in [zeros, lowRank] {
      let result = try RandomizedSVD(rank: 5).decompose(x, in: RunContext())
      #expect(try orthogonalityError(result.u) < 1e-5)
      #expect(try orthogonalityError(result.v) < 1e-5)
      #expect(result.singularValues.dropFirst(2).allSatisfy { $0 < 1e-4 })
      let back = try recomposed(result.u, result.singularValues, result.v)
      #expect(largestDifference(back, x) < 1e-4)
    }
  }

  @Test(arguments: [(0, 10, 2), (5, -1, 2), (5, 10, -1)])
  func `settings outside their range are refused`(rank: Int, oversampling: Int, iterations: Int) {
    let error = #expect(throws: BasisError.self) {
      try RandomizedSVD(rank: rank, oversampling: oversampling, powerIterations: iterations)
        .decompose(identity(3), in: RunContext())
    }
    #expect(error?.code == .invalidArgument)
    #expect(error?.message.hasSuffix("got \(rank), \(oversampling) and \(iterations)") == true)
  }

  @Test func `settings of an older file are filled from the defaults`() throws {
    let settings = try JSONDecoder().decode(RandomizedSVD.self, from: Data(#"{"rank":7}"#.utf8))
    #expect(settings == RandomizedSVD(rank: 7))
  }

  @Test func `a cancelled run stops`() {
    let run = RunContext()
    run.cancellation.cancel()
    let error = #expect(throws: BasisError.self) {
      try RandomizedSVD(rank: 2).decompose(identity(5), in: run)
    }
    #expect(error?.code == .cancelled)
  }
}
