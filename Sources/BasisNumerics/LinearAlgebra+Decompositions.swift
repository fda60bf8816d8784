public import BasisCore

/// `a = q · r`.
public struct QRDecomposition: Sendable, Equatable {
  /// `m × k`, orthonormal columns, *k* = min(*m*, *n*).
  public let q: Matrix
  /// `k × n`, upper triangular (trapezoidal if *m* < *n*), no negative value on its diagonal.
  public let r: Matrix
}

/// `a = vectors · diag(values) · vectorsᵀ`.
public struct SymmetricEigendecomposition: Sendable, Equatable {
  /// `n` values, falling.
  public let values: [Float]
  /// `n × n`; column `j` belongs to `values[j]`. In each column the entry of largest magnitude
  /// (the first, if several) is positive.
  public let vectors: Matrix
}

/// `a ≈ u · diag(singularValues) · vᵀ`.
public struct SingularValueDecomposition: Sendable, Equatable {
  /// `n × k`, orthonormal columns.
  public internal(set) var u: Matrix
  /// `k` values, falling, at least 0.
  public internal(set) var singularValues: [Float]
  /// `columns × k`, orthonormal columns. In each column the entry of largest magnitude (the first,
  /// if several) is positive.
  public internal(set) var v: Matrix
}

extension LinearAlgebra {
  /// The QR decomposition with as many columns as it needs.
  ///
  /// A matrix of lower rank has its decomposition too: `q` is orthonormal always.
  ///
  /// A tall matrix is cut into blocks of max(1024, 4 *n*) rows, whose triangles are decomposed
  /// again, one above the other. The blocks do not depend on the number of threads.
  ///
  /// - Parameter a: `m × n`, finite.
  /// - Parameter run: seed, threads and cancellation.
  /// - Throws: `.badData` naming row and column of a value that is not finite; `.unsupported` for
  ///   a side of 2³¹ or more; `.missingDependency`; `.cancelled`.
  /// - Complexity: O(*m* *n* min(*m*, *n*)), parallel over the blocks.
  /// - Note: Householder reflections (LAPACK `sgeqrf`) inside a block; Demmel, Grigori, Hoemmen &
  ///   Langou, *Communication-optimal parallel and sequential QR and LU factorizations*, SIAM J.
  ///   Sci. Comput. 34 (2012), doi:10.1137/080731992, between the blocks.
  public static func thinQR(_ a: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> QRDecomposition
  {
    let library = try OpenBLAS.required(for: "a QR decomposition")
    for side in [a.rowCount, a.columnCount] { _ = try blasSize(side, "QR decomposition") }
    try a.requireFinite("the matrix to decompose")
    return try blockedQR(a, library, in: run)
  }

  private static func blockedQR(
    _ a: Matrix, _ library: OpenBLAS, in run: RunContext
  ) throws(BasisError) -> QRDecomposition {
    let (m, n) = (a.rowCount, a.columnCount)
    let grain = max(1024, 4 * n)
    try run.checkCancelled()
    guard m >= 2 * grain else { return householderQR(a, rows: 0..<m, library) }

    let blocks = try parallelMap(m, grain: grain, in: run) { (_, rows) throws(BasisError) in
      householderQR(a, rows: rows, library)
    }
    let heights = blocks.map(\.r.rowCount)
    let triangles = Matrix(rowCount: heights.reduce(0, +), columnCount: n) { target in
      var place = 0
      for block in blocks {
        block.r.withUnsafeFloats {
          for value in $0 {
            target[place] = value
            place += 1
          }
        }
      }
    }
    let top = try blockedQR(triangles, library, in: run)
    let q = try Matrix(rowCount: m, columnCount: n) { (target) throws(BasisError) in
      guard let start = target.baseAddress else { return }
      let result = SharedPointer(start)
      try parallelFor(m, grain: grain, in: run) { (chunk, rows) throws(BasisError) in
        let height = heights[chunk]
        // Only the last block may be lower than the others.
        let above = chunk * (heights.first ?? 0)
        blocks[chunk].q.withUnsafeFloats { blockFloats in
          top.q.withUnsafeFloats { topFloats in
            guard let block = blockFloats.baseAddress, let top = topFloats.baseAddress
            else { return }
            library.sgemm(
              101, 111, 111, Int32(rows.count), Int32(n), Int32(height), 1, block, Int32(height),
              top + above * n, Int32(n), 0, result.base + rows.lowerBound * n, Int32(n))
          }
        }
      }
    }
    return QRDecomposition(q: q, r: top.r)
  }

  /// The decomposition of some rows by LAPACK alone. Both sides fit its integers.
  private static func householderQR(
    _ a: Matrix, rows: Range<Int>, _ library: OpenBLAS
  ) -> QRDecomposition {
    let (m, n) = (rows.count, a.columnCount)
    let k = min(m, n)
    guard k > 0 else {
      return QRDecomposition(
        q: Matrix(rowCount: m, columnCount: 0), r: Matrix(rowCount: 0, columnCount: n))
    }
    var rowCount = Int32(m)
    var columnCount = Int32(n)
    var rank = Int32(k)
    // Columns one after the other, as LAPACK wants them. Reading our rows as its columns would
    // save the copy, but its row-wise routine is many times slower on long rows.
    var factors = a.transposed(rows: rows)
    var tau = [Float](repeating: 0, count: k)
    withWorkspace { (work, size, info) in
      factors.withUnsafeMutableFloats {
        guard let start = $0.baseAddress else { return }
        library.sgeqrf(&rowCount, &columnCount, start, &rowCount, &tau, work, &size, &info)
      }
    }
    var r = Matrix(rowCount: k, columnCount: n) { target in
      factors.withUnsafeFloats { source in
        for row in 0..<k {
          for column in row..<n { target[row * n + column] = source[column * m + row] }
        }
      }
    }
    withWorkspace { (work, size, info) in
      factors.withUnsafeMutableFloats {
        guard let start = $0.baseAddress else { return }
        library.sorgqr(&rowCount, &rank, &rank, start, &rowCount, &tau, work, &size, &info)
      }
    }
    var q = factors.transposed(rows: 0..<k)

    let signs = (0..<k).map { r[$0, $0] < 0 ? Float(-1) : 1 }
    q.multiplyColumns(by: signs)
    r.withUnsafeMutableFloats {
      for row in 0..<k where signs[row] < 0 {
        for column in row..<n { $0[row * n + column].negate() }
      }
    }
    return QRDecomposition(q: q, r: r)
  }

  /// Eigenvalues and eigenvectors of a symmetric matrix.
  ///
  /// Works in `Double` on the mean of `a` and its transpose.
  ///
  /// - Parameter a: `n × n`, finite, symmetric up to 10⁻⁴ of its largest magnitude.
  /// - Throws: `.dimensionMismatch` if not square; `.badData` naming the place of a value that is
  ///   not finite or of a pair that differs; `.unsupported` for a side of 2³¹ or more;
  ///   `.missingDependency`.
  /// - Complexity: O(*n*³), one thread; 16 *n*² bytes of scratch and more inside LAPACK.
  /// - Note: Divide and conquer, LAPACK `dsyevd`.
  public static func symmetricEigen(_ a: Matrix) throws(BasisError)
    -> SymmetricEigendecomposition
  {
    let library = try OpenBLAS.required(for: "an eigendecomposition")
    try requireSymmetric(a, "eigendecomposition")
    let n = a.rowCount
    guard n > 0 else { return SymmetricEigendecomposition(values: [], vectors: a) }
    var vectors = a.withUnsafeFloats { floats in
      (0..<n * n).map {
        (Double(floats[$0]) + Double(floats[$0 % n * n + $0 / n])) / 2
      }
    }
    let values = try eigenvalues(&vectors, side: n, keepsVectors: true, library)

    // LAPACK's values rise, and its vectors lie one after the other.
    var sorted = Matrix(rowCount: n, columnCount: n) { target in
      for rank in 0..<n {
        let source = n - 1 - rank
        for row in 0..<n { target[row * n + rank] = Float(vectors[source * n + row]) }
      }
    }
    sorted.multiplyColumns(by: sorted.signsOfLargestEntries())
    return SymmetricEigendecomposition(values: values.reversed().map { Float($0) }, vectors: sorted)
  }

  /// The eigenvalues, rising, of a symmetric matrix of which the lower triangle by columns is filled;
  /// by rows that is the upper one. The matrix is overwritten: by the vectors, one after the other, if
  /// they are kept.
  static func eigenvalues(
    _ matrix: inout [Double], side n: Int, keepsVectors: Bool, _ library: OpenBLAS
  ) throws(BasisError) -> [Double] {
    let job = keepsVectors ? "V" : "N"
    var side = try blasSize(n, "eigendecomposition")
    var values = [Double](repeating: 0, count: n)
    var info: Int32 = 0
    var workSize: Int32 = -1
    var integerWorkSize: Int32 = -1
    var bestSize = 0.0
    var bestIntegerSize: Int32 = 0
    library.dsyevd(
      job, "L", &side, &matrix, &side, &values, &bestSize, &workSize, &bestIntegerSize,
      &integerWorkSize, &info, 1, 1)
    workSize = try blasSize(Int(bestSize), "workspace of an eigendecomposition")
    integerWorkSize = bestIntegerSize
    var work = [Double](repeating: 0, count: Int(workSize))
    var integerWork = [Int32](repeating: 0, count: Int(integerWorkSize))
    library.dsyevd(
      job, "L", &side, &matrix, &side, &values, &work, &workSize, &integerWork,
      &integerWorkSize, &info, 1, 1)
    guard info == 0 else {
      throw BasisError(
        .badData, "eigendecomposition of a \(n) × \(n) matrix: no convergence (dsyevd, \(info))")
    }
    return values
  }

  /// The singular value decomposition with min(*m*, *n*) columns.
  ///
  /// - Parameter a: `m × n`, finite.
  /// - Parameter run: seed, threads and cancellation.
  /// - Throws: `.badData` naming row and column of a value that is not finite; `.unsupported` for
  ///   a side of 2³¹ or more; `.missingDependency`; `.cancelled`.
  /// - Complexity: O(*m* *n* min(*m*, *n*)); the first step for a matrix that is far from square, a
  ///   QR decomposition, is parallel.
  /// - Note: Divide and conquer, LAPACK `sgesdd`; in the rare case that it does not converge,
  ///   `sgesvd`.
  public static func thinSVD(_ a: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> SingularValueDecomposition
  {
    let library = try OpenBLAS.required(for: "a singular value decomposition")
    let (m, n) = (a.rowCount, a.columnCount)
    for side in [m, n] { _ = try blasSize(side, "singular value decomposition") }
    try a.requireFinite("the matrix to decompose")
    guard min(m, n) > 0 else {
      return SingularValueDecomposition(
        u: Matrix(rowCount: m, columnCount: 0), singularValues: [],
        v: Matrix(rowCount: n, columnCount: 0))
    }
    // From twice as tall as wide, the triangle holds all that the iteration needs.
    var result: SingularValueDecomposition
    if m >= 2 * n {
      let qr = try blockedQR(a, library, in: run)
      let small = try dividedSVD(qr.r, library)
      result = SingularValueDecomposition(
        u: try product(qr.q, small.u, in: run), singularValues: small.singularValues, v: small.v)
    } else if n >= 2 * m {
      let qr = try blockedQR(a.transposed(), library, in: run)
      let small = try dividedSVD(qr.r, library)
      result = SingularValueDecomposition(
        u: small.v, singularValues: small.singularValues, v: try product(qr.q, small.u, in: run))
    } else {
      result = try dividedSVD(a, library)
    }
    let signs = result.v.signsOfLargestEntries()
    result.v.multiplyColumns(by: signs)
    result.u.multiplyColumns(by: signs)
    return result
  }

  /// The decomposition by LAPACK alone, with signs as they come. Both sides fit its integers.
  private static func dividedSVD(
    _ a: Matrix, _ library: OpenBLAS
  ) throws(BasisError) -> SingularValueDecomposition {
    let (m, n) = (a.rowCount, a.columnCount)
    let k = min(m, n)
    var rows = Int32(m)
    var columns = Int32(n)
    var rank = Int32(k)
    // Row-major `a` is the column-major transpose, whose left vectors are our right ones.
    var singularValues = [Float](repeating: 0, count: k)
    var u = Matrix(rowCount: m, columnCount: k)
    var vTransposed = Matrix(rowCount: k, columnCount: n)
    var integerWork = [Int32](repeating: 0, count: 8 * k)
    // Either routine destroys its input and gets a copy.
    func decompose(
      _ body: (
        _ a: OpenBLAS.Floats, _ u: OpenBLAS.Floats, _ vt: OpenBLAS.Floats, _ work: OpenBLAS.Floats,
        _ size: inout Int32, _ info: inout Int32
      ) -> Void
    ) -> Int32 {
      var scratch = a
      return withWorkspace { (work, size, info) in
        scratch.withUnsafeMutableFloats { aFloats in
          u.withUnsafeMutableFloats { uFloats in
            vTransposed.withUnsafeMutableFloats { vFloats in
              guard let aBase = aFloats.baseAddress, let uBase = uFloats.baseAddress,
                let vBase = vFloats.baseAddress
              else { return }
              body(aBase, uBase, vBase, work, &size, &info)
            }
          }
        }
      }
    }
    var info = decompose { (a, u, vt, work, size, info) in
      library.sgesdd(
        "S", &columns, &rows, a, &columns, &singularValues, vt, &columns, u, &rank, work, &size,
        &integerWork, &info, 1)
    }
    if info > 0 {
      info = decompose { (a, u, vt, work, size, info) in
        library.sgesvd(
          "S", "S", &columns, &rows, a, &columns, &singularValues, vt, &columns, u, &rank, work,
          &size, &info, 1, 1)
      }
    }
    guard info == 0 else {
      throw BasisError(
        .badData, "singular value decomposition of a \(m) × \(n) matrix: no convergence (\(info))")
    }

    return SingularValueDecomposition(
      u: u, singularValues: singularValues, v: vTransposed.transposed())
  }

  /// The lower triangular `L` with `a = L · Lᵀ`.
  ///
  /// - Parameter a: `n × n`, finite, positive definite, symmetric up to 10⁻⁴ of its largest
  ///   magnitude; only its lower triangle is used.
  /// - Returns: `n × n`, zero above the diagonal, positive on it.
  /// - Throws: `.dimensionMismatch` if not square; `.badData` if not symmetric, not finite, or not
  ///   positive definite, naming the row where that shows; `.unsupported` for a side of 2³¹ or
  ///   more; `.missingDependency`.
  /// - Complexity: O(*n*³), one thread.
  public static func cholesky(_ a: Matrix) throws(BasisError) -> Matrix {
    let library = try OpenBLAS.required(for: "a Cholesky decomposition")
    try requireSymmetric(a, "Cholesky decomposition")
    let n = a.rowCount
    guard n > 0 else { return a }
    var side = try blasSize(n, "Cholesky decomposition")
    var factor = a
    var info: Int32 = 0
    factor.withUnsafeMutableFloats {
      guard let start = $0.baseAddress else { return }
      // Our lower triangle is the upper one of the column-major reading.
      library.spotrf("U", &side, start, &side, &info, 1)
      for row in 0..<n {
        for column in (row + 1)..<max(n, row + 1) { $0[row * n + column] = 0 }
      }
    }
    guard info == 0 else {
      throw BasisError(
        .badData,
        "Cholesky decomposition: the \(n) × \(n) matrix is not positive definite (seen at row "
          + "\(info - 1)); add a small multiple of the identity")
    }
    return factor
  }

  private static func requireSymmetric(_ a: Matrix, _ operation: String) throws(BasisError) {
    let n = a.rowCount
    guard n == a.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "\(operation): needs a square matrix, got \(a.rowCount) × \(a.columnCount)")
    }
    try a.requireFinite("the matrix to decompose")
    let worst = a.withUnsafeFloats { floats -> (row: Int, column: Int)? in
      let tolerance = floats.reduce(0) { max($0, abs($1)) } * 1e-4
      for row in 0..<n {
        for column in 0..<row
        where abs(floats[row * n + column] - floats[column * n + row]) > tolerance {
          return (row, column)
        }
      }
      return nil
    }
    if let (row, column) = worst {
      throw BasisError(
        .badData,
        "\(operation): the matrix is not symmetric: \(a[row, column]) at row \(row), column "
          + "\(column), but \(a[column, row]) at row \(column), column \(row)")
    }
  }

  /// Calls a LAPACK routine twice: to learn the scratch it wants, and to run.
  ///
  /// - Returns: what the second call says; negative is a mistake in our arguments.
  @discardableResult
  private static func withWorkspace(
    _ body: (_ work: OpenBLAS.Floats, _ size: inout Int32, _ info: inout Int32) -> Void
  ) -> Int32 {
    var info: Int32 = 0
    var size: Int32 = -1
    var wanted: Float = 0
    body(&wanted, &size, &info)
    // The wanted size comes as a Float, which has rounded large ones.
    size = Int32(clamping: Int(wanted) + Int(wanted) / 1_000_000 + 1)
    var work = [Float](repeating: 0, count: Int(size))
    work.withUnsafeMutableBufferPointer {
      guard let start = $0.baseAddress else { return }
      body(start, &size, &info)
    }
    precondition(info >= 0, "LAPACK rejects argument \(-info)")
    return info
  }
}

extension Matrix {
  /// For each column, −1 if its entry of largest magnitude (the first, if several) is negative,
  /// else 1.
  func signsOfLargestEntries() -> [Float] {
    var largest = [Float](repeating: 0, count: columnCount)
    withUnsafeFloats { floats in
      for row in 0..<rowCount {
        for column in 0..<columnCount {
          let value = floats[row * columnCount + column]
          if abs(value) > abs(largest[column]) { largest[column] = value }
        }
      }
    }
    return largest.map { $0 < 0 ? -1 : 1 }
  }

  mutating func multiplyColumns(by factors: [Float]) {
    let columnCount = columnCount
    let rowCount = rowCount
    guard factors.contains(where: { $0 != 1 }) else { return }
    withUnsafeMutableFloats { floats in
      for row in 0..<rowCount {
        for column in 0..<columnCount { floats[row * columnCount + column] *= factors[column] }
      }
    }
  }
}
