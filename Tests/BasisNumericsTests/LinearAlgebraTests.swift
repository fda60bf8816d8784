import BasisCore
import Testing
import _BasisTestSupport

@testable import BasisNumerics

/// `op(a) · op(b)` in `Double`, and the same with magnitudes: the scale of rounding.
func naiveProduct(
  _ a: Matrix, _ b: Matrix, transposingA: Bool = false, transposingB: Bool = false
) -> (values: [[Double]], magnitudes: [[Double]]) {
  let rowCount = transposingA ? a.columnCount : a.rowCount
  let innerCount = transposingA ? a.rowCount : a.columnCount
  let columnCount = transposingB ? b.rowCount : b.columnCount
  var values = Array(repeating: [Double](repeating: 0, count: columnCount), count: rowCount)
  var magnitudes = values
  for row in 0..<rowCount {
    for inner in 0..<innerCount {
      let x = Double(transposingA ? a[inner, row] : a[row, inner])
      for column in 0..<columnCount {
        let y = Double(transposingB ? b[column, inner] : b[inner, column])
        values[row][column] += x * y
        magnitudes[row][column] += abs(x * y)
      }
    }
  }
  return (values, magnitudes)
}

/// The largest magnitude of `a − b`.
func largestDifference(_ a: Matrix, _ b: Matrix) -> Float {
  precondition(a.rowCount == b.rowCount && a.columnCount == b.columnCount)
  return a.withUnsafeFloats { x in
    b.withUnsafeFloats { y in zip(x, y).reduce(0) { max($0, abs($1.0 - $1.1)) } }
  }
}

func frobeniusNorm(_ a: Matrix) -> Float {
  a.withUnsafeFloats { Float($0.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()) }
}

func identity(_ n: Int) -> Matrix {
  var result = Matrix(rowCount: n, columnCount: n)
  for index in 0..<n { result[index, index] = 1 }
  return result
}

/// How far the columns are from orthonormal: the largest magnitude of `qᵀq − 1`.
func orthogonalityError(_ q: Matrix) throws -> Float {
  largestDifference(
    try LinearAlgebra.product(q, q, transposingA: true), identity(q.columnCount))
}

/// `u · diag(values) · vᵀ`.
func recomposed(_ u: Matrix, _ values: [Float], _ v: Matrix) throws -> Matrix {
  var scaled = u
  scaled.multiplyColumns(by: values)
  return try LinearAlgebra.product(scaled, v, transposingB: true)
}

let shapes: [(Int, Int)] = [
  (1, 1), (1, 7), (7, 1), (5, 5), (40, 13), (13, 40), (33, 64), (120, 70),
]

@Suite struct LinearAlgebraTests {
  @Test(arguments: 0..<8 as Range<UInt64>)
  func `products agree with loops in Double`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let m = generator.nextInt(below: 70)
    let n = generator.nextInt(below: 70)
    let d = generator.nextInt(below: 200)
    for (transposingA, transposingB) in [
      (false, false), (false, true), (true, false), (true, true),
    ] {
      let a = gaussianMatrix(
        rowCount: transposingA ? d : m, columnCount: transposingA ? m : d, seed: seed * 2 + 100)
      let b = gaussianMatrix(
        rowCount: transposingB ? n : d, columnCount: transposingB ? d : n, seed: seed * 2 + 101)
      let expected = naiveProduct(a, b, transposingA: transposingA, transposingB: transposingB)
      let shape = try LinearAlgebra.ProductShape(
        a, b, transposingA: transposingA, transposingB: transposingB)
      let products = [
        try LinearAlgebra.product(a, b, transposingA: transposingA, transposingB: transposingB),
        try LinearAlgebra.productWithOwnKernel(a, b, shape, in: RunContext()),
      ]
      for product in products {
        #expect(product.rowCount == m && product.columnCount == n)
        for row in 0..<m {
          for column in 0..<n {
            let bound =
              Double(d + 1) * 0x1p-23 * expected.magnitudes[row][column]
            #expect(abs(Double(product[row, column]) - expected.values[row][column]) <= bound)
          }
        }
      }
    }
  }

  @Test(arguments: [(1_000, 30, 64), (70, 33, 20_000), (513, 700, 90)])
  func `a product is the same bits at one and two threads`(m: Int, n: Int, d: Int) throws {
    let a = gaussianMatrix(rowCount: m, columnCount: d, seed: 1)
    let b = gaussianMatrix(rowCount: d, columnCount: n, seed: 2)
    let shape = try LinearAlgebra.ProductShape(a, b, transposingA: false, transposingB: false)
    #expect(
      try LinearAlgebra.product(a, b, in: RunContext(threadLimit: 1))
        == LinearAlgebra.product(a, b, in: RunContext(threadLimit: 2)))
    #expect(
      try LinearAlgebra.productWithOwnKernel(a, b, shape, in: RunContext(threadLimit: 1))
        == LinearAlgebra.productWithOwnKernel(a, b, shape, in: RunContext(threadLimit: 2)))
  }

  @Test func `sums of many products agree with loops in Double`() throws {
    let d = 40_000
    let a = gaussianMatrix(rowCount: d, columnCount: 3, seed: 5)
    let b = gaussianMatrix(rowCount: d, columnCount: 2, seed: 6)
    let expected = naiveProduct(a, b, transposingA: true)
    let product = try LinearAlgebra.product(a, b, transposingA: true)
    for row in 0..<3 {
      for column in 0..<2 {
        // Only the parts of 8,192 products are rounded.
        let bound = 8_192 * 0x1p-24 * expected.magnitudes[row][column]
        #expect(abs(Double(product[row, column]) - expected.values[row][column]) <= bound)
      }
    }
  }

  @Test(arguments: shapes) func `QR gives back the matrix`(m: Int, n: Int) throws {
    for seed in 0..<10 as Range<UInt64> {
      let a = gaussianMatrix(rowCount: m, columnCount: n, seed: seed)
      let result = try LinearAlgebra.thinQR(a)
      let k = min(m, n)
      #expect(result.q.rowCount == m && result.q.columnCount == k)
      #expect(result.r.rowCount == k && result.r.columnCount == n)
      let tolerance = Float(m + n) * 0x1p-23
      #expect(try orthogonalityError(result.q) <= tolerance)
      let back = try LinearAlgebra.product(result.q, result.r)
      #expect(largestDifference(back, a) <= tolerance * frobeniusNorm(a))
      for row in 0..<k {
        #expect(result.r[row, row] >= 0)
        for column in 0..<min(row, n) { #expect(result.r[row, column] == 0) }
      }
    }
  }

  @Test(arguments: [(2_048, 3), (4_200, 2), (5_000, 300)])
  func `QR in blocks is the same bits at one and two threads`(m: Int, n: Int) throws {
    let a = gaussianMatrix(rowCount: m, columnCount: n, seed: 7)
    let one = try LinearAlgebra.thinQR(a, in: RunContext(threadLimit: 1))
    #expect(try LinearAlgebra.thinQR(a, in: RunContext(threadLimit: 2)) == one)
    #expect(try orthogonalityError(one.q) <= Float(n + 20) * 0x1p-23)
    let back = try LinearAlgebra.product(one.q, one.r)
    #expect(largestDifference(back, a) <= 0x1p-20 * frobeniusNorm(a))
    #expect((0..<n).allSatisfy { one.r[$0, $0] >= 0 })
  }

  @Test(arguments: shapes) func `SVD gives back the matrix`(m: Int, n: Int) throws {
    for seed in 0..<10 as Range<UInt64> {
      let a = gaussianMatrix(rowCount: m, columnCount: n, seed: seed)
      let result = try LinearAlgebra.thinSVD(a)
      let k = min(m, n)
      #expect(result.u.rowCount == m && result.u.columnCount == k)
      #expect(result.v.rowCount == n && result.v.columnCount == k)
      #expect(result.singularValues.count == k)
      let tolerance = Float(m + n) * 0x1p-23
      #expect(try orthogonalityError(result.u) <= tolerance)
      #expect(try orthogonalityError(result.v) <= tolerance)
      let back = try recomposed(result.u, result.singularValues, result.v)
      #expect(largestDifference(back, a) <= tolerance * frobeniusNorm(a))
      #expect(result.singularValues == result.singularValues.sorted(by: >))
      #expect(result.singularValues.allSatisfy { $0 >= 0 })
      #expect(result.v.signsOfLargestEntries().allSatisfy { $0 == 1 })
    }
  }

  @Test(arguments: [1, 2, 9, 50]) func `eigenvectors are kept by the matrix`(n: Int) throws {
    for seed in 0..<10 as Range<UInt64> {
      let x = gaussianMatrix(rowCount: n, columnCount: n, seed: seed)
      var a = x
      for row in 0..<n { for column in 0..<n { a[row, column] = x[row, column] + x[column, row] } }
      let result = try LinearAlgebra.symmetricEigen(a)
      let tolerance = Float(n + 1) * 0x1p-23
      #expect(try orthogonalityError(result.vectors) <= tolerance)
      let back = try recomposed(result.vectors, result.values, result.vectors)
      #expect(largestDifference(back, a) <= 2 * tolerance * frobeniusNorm(a))
      #expect(result.values == result.values.sorted(by: >))
    }
  }

  @Test(arguments: [1, 2, 9, 50]) func `Cholesky factors multiply to the matrix`(n: Int) throws {
    for seed in 0..<10 as Range<UInt64> {
      let x = gaussianMatrix(rowCount: n, columnCount: n + 3, seed: seed)
      let a = try LinearAlgebra.product(x, x, transposingB: true)
      let factor = try LinearAlgebra.cholesky(a)
      let back = try LinearAlgebra.product(factor, factor, transposingB: true)
      #expect(largestDifference(back, a) <= Float(n + 1) * 0x1p-22 * frobeniusNorm(a))
      for row in 0..<n {
        #expect(factor[row, row] > 0)
        for column in (row + 1)..<max(n, row + 1) { #expect(factor[row, column] == 0) }
      }
    }
  }

  @Test func `matrices of low rank and of zeros decompose`() throws {
    let a = try LinearAlgebra.product(
      gaussianMatrix(rowCount: 30, columnCount: 2, seed: 3),
      gaussianMatrix(rowCount: 2, columnCount: 12, seed: 4))
    for matrix in [a, Matrix(rowCount: 30, columnCount: 12)] {
      let qr = try LinearAlgebra.thinQR(matrix)
      #expect(try orthogonalityError(qr.q) < 1e-5)
      #expect(largestDifference(try LinearAlgebra.product(qr.q, qr.r), matrix) < 1e-4)
      let svd = try LinearAlgebra.thinSVD(matrix)
      #expect(try orthogonalityError(svd.u) < 1e-5)
      #expect(try orthogonalityError(svd.v) < 1e-5)
      #expect(svd.singularValues.dropFirst(2).allSatisfy { $0 < 1e-4 })
    }
  }

  @Test func `empty matrices pass through`() throws {
    let none = Matrix(rowCount: 0, columnCount: 0)
    let wide = Matrix(rowCount: 0, columnCount: 4)
    #expect(try LinearAlgebra.product(wide, wide, transposingA: true).rowCount == 4)
    #expect(try LinearAlgebra.product(wide, wide, transposingB: true).isEmpty)
    #expect(try LinearAlgebra.thinQR(wide).r == Matrix(rowCount: 0, columnCount: 4))
    #expect(try LinearAlgebra.thinSVD(wide).v.rowCount == 4)
    #expect(try LinearAlgebra.symmetricEigen(none).values.isEmpty)
    #expect(try LinearAlgebra.cholesky(none).isEmpty)
  }

  @Test func `shapes that do not fit are named`() {
    let a = Matrix(rowCount: 2, columnCount: 3)
    let product = #expect(throws: BasisError.self) { try LinearAlgebra.product(a, a) }
    #expect(product?.code == .dimensionMismatch)
    #expect(product?.message == "product: 2 × 3 times 2 × 3 needs 3 = 2")
    let eigen = #expect(throws: BasisError.self) { try LinearAlgebra.symmetricEigen(a) }
    #expect(eigen?.message == "eigendecomposition: needs a square matrix, got 2 × 3")
    #expect(throws: BasisError.self) { try LinearAlgebra.cholesky(a) }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `values that are not finite are named with their place`(value: Float) {
    var a = Matrix(rowCount: 4, columnCount: 4)
    a[2, 1] = value
    let place = "the matrix to decompose has \(value) at row 2, column 1"
    let operations: [(Matrix) throws -> Void] = [
      { _ = try LinearAlgebra.thinQR($0) },
      { _ = try LinearAlgebra.thinSVD($0) },
      { _ = try LinearAlgebra.symmetricEigen($0) },
      { _ = try LinearAlgebra.cholesky($0) },
      { _ = try RandomizedSVD(rank: 2).decompose($0, in: RunContext()) },
    ]
    for operation in operations {
      let error = #expect(throws: BasisError.self) { try operation(a) }
      #expect(error?.code == .badData)
      #expect(error?.message.hasPrefix(place) == true)
    }
  }

  @Test func `a matrix that is not symmetric is refused`() throws {
    let a = try Matrix(rows: [[1, 2], [3, 4]])
    let error = #expect(throws: BasisError.self) { try LinearAlgebra.symmetricEigen(a) }
    #expect(
      error?.message
        == "eigendecomposition: the matrix is not symmetric: 3.0 at row 1, column 0, but 2.0 at "
        + "row 0, column 1")
  }

  @Test func `a matrix that is not positive definite is refused`() throws {
    let a = try Matrix(rows: [[1, 2], [2, 1]])
    let error = #expect(throws: BasisError.self) { try LinearAlgebra.cholesky(a) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains("seen at row 1") == true)
  }

  @Test func `a cancelled product stops`() {
    let run = RunContext()
    run.cancellation.cancel()
    let a = identity(3)
    let error = #expect(throws: BasisError.self) { try LinearAlgebra.product(a, a, in: run) }
    #expect(error?.code == .cancelled)
  }

  @Test func `without OpenBLAS products work and decompositions say what to install`() async {
    await #expect(processExitsWith: .success) {
      setEnvironmentValue("BASIS_OPENBLAS", "/nonexistent/libopenblas.so")
      let a = identity(5)
      let product = try LinearAlgebra.product(a, a)
      #expect(product == a)
      #expect(LinearAlgebra.backendDescription.hasPrefix("basis "))
      let error = #expect(throws: BasisError.self) { try LinearAlgebra.thinSVD(a) }
      #expect(error?.code == .missingDependency)
      #expect(error?.message.contains("apt-get install libopenblas0-pthread") == true)
    }
  }

  @Test func `OpenBLAS leaves the environment as it was`() async {
    await #expect(processExitsWith: .success) {
      setEnvironmentValue("OPENBLAS_CORETYPE", nil)
      setEnvironmentValue("OPENBLAS_NUM_THREADS", nil)
      _ = try LinearAlgebra.thinQR(identity(3))
      #expect(environmentValue("OPENBLAS_CORETYPE") == nil)
      #expect(environmentValue("OPENBLAS_NUM_THREADS") == nil)
    }
  }
}
