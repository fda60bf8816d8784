public import BasisCore

/// Products and decompositions of dense matrices, row-major.
///
/// Products run on OpenBLAS where it is installed and on the package's own kernel elsewhere; the
/// decompositions need OpenBLAS. Answers do not depend on the number of threads; they may differ
/// in the last bits between instruction sets and between the two product kernels.
public enum LinearAlgebra {
  /// What multiplies here and now: `openblas` with the processor kind it chose, or `basis` with
  /// the instruction set of the package's own kernel.
  public static var backendDescription: String {
    OpenBLAS.shared.map { "openblas \($0.coreName)" }
      ?? "basis \(Kernels.levelName)"
  }

  /// `op(a) · op(b)`, where `op` transposes if asked to.
  ///
  /// Values that are not finite go through as arithmetic has it.
  ///
  /// - Parameters:
  ///   - a: `m × d`, or `d × m` with `transposingA`.
  ///   - b: `d × n`, or `n × d` with `transposingB`.
  ///   - transposingA: use the transpose of `a`.
  ///   - run: seed, threads and cancellation.
  ///   - transposingB: use the transpose of `b`.
  /// - Returns: `m × n`. With OpenBLAS, sums of more than 16,384 products are added up in `Double`,
  ///   from parts of 8,192.
  /// - Throws: `.dimensionMismatch` with both shapes; `.unsupported` for a side of 2³¹ or more;
  ///   `.cancelled`.
  /// - Complexity: O(*m* *n* *d*), parallel over blocks of rows of the result.
  public static func product(
    _ a: Matrix, _ b: Matrix, transposingA: Bool = false, transposingB: Bool = false,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> Matrix {
    let shape = try ProductShape(a, b, transposingA: transposingA, transposingB: transposingB)
    if let library = OpenBLAS.shared { return try product(a, b, shape, library, in: run) }
    return try productWithOwnKernel(a, b, shape, in: run)
  }

  struct ProductShape {
    var rowCount: Int
    var columnCount: Int
    var innerCount: Int
    var transposingA: Bool
    var transposingB: Bool

    init(_ a: Matrix, _ b: Matrix, transposingA: Bool, transposingB: Bool) throws(BasisError) {
      rowCount = transposingA ? a.columnCount : a.rowCount
      innerCount = transposingA ? a.rowCount : a.columnCount
      columnCount = transposingB ? b.rowCount : b.columnCount
      self.transposingA = transposingA
      self.transposingB = transposingB
      let other = transposingB ? b.columnCount : b.rowCount
      guard innerCount == other else {
        throw BasisError(
          .dimensionMismatch,
          "product: \(Self.describe(a, transposingA)) times \(Self.describe(b, transposingB)) "
            + "needs \(innerCount) = \(other)")
      }
      for side in [rowCount, columnCount, innerCount] { _ = try blasSize(side, "product") }
    }

    /// Rows of the result per parallel chunk. Made from the shape alone, so that the blocks, and
    /// with them the rounding, are the same at any thread count.
    var rowGrain: Int { min(512, max(32, (rowCount / 8 + 31) / 32 * 32)) }

    private static func describe(_ x: Matrix, _ transposed: Bool) -> String {
      "\(x.rowCount) × \(x.columnCount)" + (transposed ? " (transposed)" : "")
    }
  }

  static func product(
    _ a: Matrix, _ b: Matrix, _ shape: ProductShape, _ library: OpenBLAS, in run: RunContext
  ) throws(BasisError) -> Matrix {
    let (m, n, d) = (shape.rowCount, shape.columnCount, shape.innerCount)
    guard m > 0, n > 0, d > 0 else { return Matrix(rowCount: m, columnCount: n) }
    let innerGrain = d > 16_384 ? 8_192 : d
    return try Matrix(rowCount: m, columnCount: n) { (target) throws(BasisError) in
      guard let start = target.baseAddress else { return }
      let result = SharedPointer(start)
      try parallelFor(m, grain: shape.rowGrain, in: run) { (_, rows) throws(BasisError) in
        // One sgemm for the inner range `inner`, into `count × n` floats at `out`.
        func multiply(_ inner: Range<Int>, into out: UnsafeMutablePointer<Float>) {
          a.withUnsafeFloats { aFloats in
            b.withUnsafeFloats { bFloats in
              guard let aBase = aFloats.baseAddress, let bBase = bFloats.baseAddress else { return }
              let aStart =
                shape.transposingA
                ? inner.lowerBound * m + rows.lowerBound : rows.lowerBound * d + inner.lowerBound
              let bStart = shape.transposingB ? inner.lowerBound : inner.lowerBound * n
              // 101: row-major; 111 and 112: as it is, and transposed.
              library.sgemm(
                101, shape.transposingA ? 112 : 111, shape.transposingB ? 112 : 111,
                Int32(rows.count), Int32(n), Int32(inner.count), 1, aBase + aStart,
                Int32(shape.transposingA ? m : d), bBase + bStart,
                Int32(shape.transposingB ? d : n), 0, out, Int32(n))
            }
          }
        }
        let out = result.base + rows.lowerBound * n
        guard innerGrain < d else { return multiply(0..<d, into: out) }
        var sums = [Double](repeating: 0, count: rows.count * n)
        for first in stride(from: 0, to: d, by: innerGrain) {
          try run.checkCancelled()
          multiply(first..<min(d, first + innerGrain), into: out)
          for index in sums.indices { sums[index] += Double(out[index]) }
        }
        for index in sums.indices { out[index] = Float(sums[index]) }
      }
    }
  }

  /// The same product without a library. Both operands are brought into the kernel's form,
  /// rows against rows, first.
  static func productWithOwnKernel(
    _ a: Matrix, _ b: Matrix, _ shape: ProductShape, in run: RunContext
  ) throws(BasisError) -> Matrix {
    let (m, n, d) = (shape.rowCount, shape.columnCount, shape.innerCount)
    let left = shape.transposingA ? a.transposed() : a
    let right = shape.transposingB ? b : b.transposed()
    guard m > 0, n > 0, d > 0 else { return Matrix(rowCount: m, columnCount: n) }
    return try Matrix(rowCount: m, columnCount: n) { (target) throws(BasisError) in
      guard let start = target.baseAddress else { return }
      let result = SharedPointer(start)
      try parallelFor(m, grain: shape.rowGrain, in: run) { (_, rows) throws(BasisError) in
        let scratch = Kernels.ProductScratch()
        left.withUnsafeFloats { leftFloats in
          right.withUnsafeFloats { rightFloats in
            guard let leftBase = leftFloats.baseAddress, let rightBase = rightFloats.baseAddress
            else { return }
            Kernels.product(
              leftBase + rows.lowerBound * d, aStride: d, aCount: rows.count,
              rightBase, bStride: d, bCount: n, dimension: d,
              into: result.base + rows.lowerBound * n, cStride: n, scratch: scratch)
          }
        }
      }
    }
  }

  /// A side of a matrix as BLAS counts.
  static func blasSize(_ count: Int, _ operation: String) throws(BasisError) -> Int32 {
    guard let size = Int32(exactly: count) else {
      throw BasisError(
        .unsupported, "\(operation): a side of \(count) is beyond the library's limit of 2³¹ − 1")
    }
    return size
  }
}

extension Matrix {
  /// Columns as rows, `columnCount × rowCount`.
  package func transposed() -> Matrix { transposed(rows: 0..<rowCount) }

  /// The columns of some rows as rows, `columnCount × rows.count`.
  func transposed(rows: Range<Int>) -> Matrix {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount)
    return Matrix(rowCount: columnCount, columnCount: rows.count) { target in
      withUnsafeFloats { source in
        // Square blocks, so that neither side jumps through memory more than a block's height.
        let block = 32
        for firstRow in stride(from: 0, to: rows.count, by: block) {
          for firstColumn in stride(from: 0, to: columnCount, by: block) {
            for column in firstColumn..<min(columnCount, firstColumn + block) {
              for row in firstRow..<min(rows.count, firstRow + block) {
                target[column * rows.count + row] =
                  source[(rows.lowerBound + row) * columnCount + column]
              }
            }
          }
        }
      }
    }
  }
}
