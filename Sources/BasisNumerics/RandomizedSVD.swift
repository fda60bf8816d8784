public import BasisCore

/// The largest singular values and vectors of a large matrix, from a random sketch of its range.
///
/// Multiplies the matrix with `rank + oversampling` random vectors and with itself and its
/// transpose, a few times, with a QR decomposition after each product so that small directions are
/// not drowned; then decomposes what the matrix does inside that range. With two power iterations
/// the error is within a few per cent of the best possible one unless the spectrum is almost flat;
/// more iterations sharpen it.
///
/// Seeded by `run.generator("randomized-svd")`; the same at any number of threads.
///
/// Halko, Martinsson & Tropp, *Finding structure with randomness: probabilistic algorithms for
/// constructing approximate matrix decompositions*, SIAM Review 53 (2011),
/// doi:10.1137/090771806: algorithms 4.4 and 5.1.
public struct RandomizedSVD: Settings {
  /// How many singular values to find, at least 1; fewer come back where the matrix has fewer
  /// rows or columns. *k* in the paper.
  public var rank: Int
  /// Random vectors beyond `rank`, at least 0. *p* in the paper.
  public var oversampling: Int
  /// Products with the matrix and its transpose after the first, at least 0. *q* in the paper.
  public var powerIterations: Int

  public init(rank: Int = 128, oversampling: Int = 10, powerIterations: Int = 2) {
    self.rank = rank
    self.oversampling = oversampling
    self.powerIterations = powerIterations
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = RandomizedSVD()
    rank = try values.decodeIfPresent(Int.self, forKey: .rank) ?? defaults.rank
    oversampling =
      try values.decodeIfPresent(Int.self, forKey: .oversampling) ?? defaults.oversampling
    powerIterations =
      try values.decodeIfPresent(Int.self, forKey: .powerIterations) ?? defaults.powerIterations
  }

  /// Decomposes a sparse matrix without making it dense.
  ///
  /// - Parameter x: `n × columns`, finite.
  /// - Parameter run: seed, threads and cancellation.
  /// - Returns: *k* = min(`rank`, *n*, *columns*) singular values with their vectors.
  /// - Throws: `.invalidArgument` for a setting outside its range; `.badData` naming row and
  ///   column of a value that is not finite; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: with *l* = `rank + oversampling` and *q* = `powerIterations`: O(*q* *l*
  ///   *nonzeros* + *q* *l*² (*n* + *columns*)) time, a copy of *x* and O(*l* (*n* + *columns*))
  ///   memory.
  public func decompose(_ x: SparseMatrix, in run: RunContext) throws(BasisError)
    -> SingularValueDecomposition
  {
    try x.requireFinite("the matrix to decompose")
    let transposed = x.transposed()
    return try decompose(
      rowCount: x.rowCount, columnCount: x.columnCount, in: run,
      times: { (y) throws(BasisError) in try x.product(y, in: run) },
      transposedTimes: { (y) throws(BasisError) in try transposed.product(y, in: run) })
  }

  /// Decomposes a dense matrix.
  ///
  /// - Parameter x: `n × columns`, finite.
  /// - Parameter run: seed, threads and cancellation.
  /// - Returns: *k* = min(`rank`, *n*, *columns*) singular values with their vectors.
  /// - Throws: as for a sparse matrix.
  /// - Complexity: O(*q* *l* *n* *columns*) time, O(*l* (*n* + *columns*)) memory.
  public func decompose(_ x: Matrix, in run: RunContext) throws(BasisError)
    -> SingularValueDecomposition
  {
    try x.requireFinite("the matrix to decompose")
    return try decompose(
      rowCount: x.rowCount, columnCount: x.columnCount, in: run,
      times: { (y) throws(BasisError) in try LinearAlgebra.product(x, y, in: run) },
      transposedTimes: { (y) throws(BasisError) in
        try LinearAlgebra.product(x, y, transposingA: true, in: run)
      })
  }

  private func decompose(
    rowCount: Int, columnCount: Int, in run: RunContext,
    times: (Matrix) throws(BasisError) -> Matrix,
    transposedTimes: (Matrix) throws(BasisError) -> Matrix
  ) throws(BasisError) -> SingularValueDecomposition {
    guard rank >= 1, oversampling >= 0, powerIterations >= 0 else {
      throw BasisError(
        .invalidArgument,
        "randomized SVD: needs rank ≥ 1, oversampling ≥ 0 and powerIterations ≥ 0, got \(rank), "
          + "\(oversampling) and \(powerIterations)")
    }
    let smallerSide = min(rowCount, columnCount)
    let k = min(rank, smallerSide)
    let sketchCount = oversampling < smallerSide - k ? k + oversampling : smallerSide
    guard k > 0 else {
      return SingularValueDecomposition(
        u: Matrix(rowCount: rowCount, columnCount: 0), singularValues: [],
        v: Matrix(rowCount: columnCount, columnCount: 0))
    }

    let phase = "randomized SVD"
    var generator = run.generator("randomized-svd")
    let sketch = Matrix(rowCount: columnCount, columnCount: sketchCount) { target in
      for index in target.indices { target[index] = Float(generator.nextGaussian()) }
    }
    try run.checkCancelled()
    var range = try LinearAlgebra.thinQR(times(sketch), in: run).q
    for iteration in 0..<powerIterations {
      run.report(phase, iteration, of: powerIterations + 1)
      try run.checkCancelled()
      let corange = try LinearAlgebra.thinQR(transposedTimes(range), in: run).q
      try run.checkCancelled()
      range = try LinearAlgebra.thinQR(times(corange), in: run).q
    }
    run.report(phase, powerIterations, of: powerIterations + 1)
    try run.checkCancelled()

    // xᵀ · range = q · r and r = a · s · bᵀ give x ≈ range · rangeᵀ · x = (range · b) · s · (q · a)ᵀ.
    let projected = try LinearAlgebra.thinQR(transposedTimes(range), in: run)
    let small = try LinearAlgebra.thinSVD(projected.r, in: run)
    var u = try LinearAlgebra.product(range, small.v.prefix(columns: k), in: run)
    var v = try LinearAlgebra.product(projected.q, small.u.prefix(columns: k), in: run)
    let signs = v.signsOfLargestEntries()
    v.multiplyColumns(by: signs)
    u.multiplyColumns(by: signs)
    run.report(phase, powerIterations + 1, of: powerIterations + 1)
    return SingularValueDecomposition(
      u: u, singularValues: Array(small.singularValues.prefix(k)), v: v)
  }
}
