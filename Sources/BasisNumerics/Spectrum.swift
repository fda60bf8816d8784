public import BasisCore

/// The singular values of a matrix, for measures of how many of its directions are in use.
///
/// From the eigenvalues of the smaller Gram matrix, summed in `Double`: singular values down to 10⁻⁷ of
/// the largest are good to three digits, where a Gram matrix of `Float` loses all below 3 · 10⁻⁴.
public struct Spectrum: Sendable, Hashable {
  /// Falling, at least 0: min(*n*, *d*) of them.
  public let singularValues: [Double]
  public let rowCount: Int
  public let columnCount: Int

  /// Of known singular values.
  public init(singularValues: [Double], rowCount: Int, columnCount: Int) {
    self.singularValues = singularValues.sorted(by: >)
    self.rowCount = rowCount
    self.columnCount = columnCount
  }

  /// - Parameters:
  ///   - matrix: `n × d`, finite.
  ///   - isCentered: whether column means are taken off first.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.badData` naming the row and column of a value that is not finite; `.unsupported`
  ///   for a side of 2³¹ or more; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n* *d* min(*n*, *d*)), parallel over rows; 8 min(*n*, *d*)² bytes a thread.
  public init(of matrix: Matrix, isCentered: Bool = false, in run: RunContext = RunContext())
    throws(BasisError)
  {
    try matrix.requireFinite("the matrix")
    rowCount = matrix.rowCount
    columnCount = matrix.columnCount
    guard !matrix.isEmpty else {
      singularValues = []
      return
    }
    let library = try OpenBLAS.required(for: "a spectrum")
    let means =
      isCentered
      ? try Statistics.columnMoments(of: matrix, in: run).map(\.mean)
      : Array(repeating: 0, count: matrix.columnCount)
    var gram = try Self.gram(matrix, means, library, in: run)
    let side = min(matrix.rowCount, matrix.columnCount)
    singularValues = try LinearAlgebra.eigenvalues(
      &gram, side: side, keepsVectors: false, library
    ).reversed().map { max(0, $0).squareRoot() }
  }

  /// Zᵀ Z of the tall side, `side × side`, of which the upper triangle by rows is filled.
  private static func gram(
    _ matrix: Matrix, _ means: [Double], _ library: OpenBLAS, in run: RunContext
  ) throws(BasisError) -> [Double] {
    let (n, d) = (matrix.rowCount, matrix.columnCount)
    let isTall = n >= d
    let (length, side) = isTall ? (n, d) : (d, n)
    return try LinearAlgebra.gram(count: length, side: side, library, in: run) { (rows, block) in
      matrix.withUnsafeFloats { floats in
        for (place, row) in rows.enumerated() {
          for column in 0..<side {
            let (i, j) = isTall ? (row, column) : (column, row)
            block[place * side + column] = Double(floats[i * d + j]) - means[j]
          }
        }
      }
    }
  }
}
