import CBasisKernels

/// The inner loops in C, with Swift's types. See `basis_kernels.h` for what they promise.
///
/// Pointers must reach `count` floats (or as many as rows and strides say); nothing is checked.
package enum Kernels {
  /// The instruction set in force: `scalar`, `avx2` or `avx512`, whatever extensions it has.
  package static var levelName: String { String(cString: table.family) }

  /// The table in force: `scalar`, `avx2`, `avx512`, `avx512vnni` or `avx512popcnt`.
  ///
  /// The best that the processor runs, or what `BASIS_SIMD_LEVEL` names; a name that is unknown, or
  /// that the processor cannot run, counts as none.
  package static var tableName: String { String(cString: table.name) }

  // Unsafe to the compiler, which does not know that nobody writes the table.
  nonisolated(unsafe) static let table = basis_kernels().pointee

  /// Σ aᵢ bᵢ.
  package static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float
  {
    table.dot_f32(a, b, count)
  }

  /// Σ (aᵢ − bᵢ)².
  package static func squaredDistance(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
  ) -> Float {
    table.l2_f32(a, b, count)
  }

  /// `c = a · bᵀ` for blocks of rows, on the calling thread.
  ///
  /// Each element is the same bits whatever the number of rows on either side, but not the bits of
  /// ``dot(_:_:count:)``.
  ///
  /// - Parameters:
  ///   - a: `aCount` rows of `dimension` floats, `aStride` apart.
  ///   - b: `bCount` rows of `dimension` floats, `bStride` apart.
  ///   - c: `aCount` rows of `bCount` floats, `cStride` apart; overwritten.
  package static func product(
    _ a: UnsafePointer<Float>, aStride: Int, aCount: Int,
    _ b: UnsafePointer<Float>, bStride: Int, bCount: Int, dimension: Int,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scratch: borrowing ProductScratch
  ) {
    table.product_f32(
      a, aStride, aCount, b, bStride, bCount, dimension, c, cStride, scratch.base)
  }

  /// Rows laid out for ``product(_:_:into:cStride:)``, to meet many others.
  package struct PackedRows: ~Copyable, @unchecked Sendable {
    /// Which side of the product the rows are on.
    package enum Side { case left, right }

    package private(set) var count = 0
    package let dimension: Int
    let side: Side
    let base: UnsafeMutablePointer<Float>
    private let capacity: Int

    /// Room for some rows.
    package init(_ side: Side, capacity: Int, dimension: Int) {
      self.side = side
      self.capacity = capacity
      self.dimension = dimension
      // Panels of the right side are whole.
      let columns = side == .left ? 1 : table.packed_columns
      let floats = (capacity + columns - 1) / columns * columns * dimension
      // No vector lies across two lines of the cache.
      base = UnsafeMutableRawPointer.allocate(
        byteCount: max(1, floats) * MemoryLayout<Float>.stride, alignment: 64
      ).bindMemory(to: Float.self, capacity: max(1, floats))
    }

    /// Some rows of a matrix, or all.
    package init(_ side: Side, _ matrix: Matrix, rows: Range<Int>? = nil) {
      let rows = rows ?? 0..<matrix.rowCount
      self.init(side, capacity: rows.count, dimension: matrix.columnCount)
      matrix.withUnsafeFloats { floats in
        guard let start = floats.baseAddress else { return }
        fill(
          start + rows.lowerBound * matrix.columnCount, stride: matrix.columnCount,
          count: rows.count)
      }
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    /// Takes `count` rows of `dimension` floats, `stride` apart, in place of those it had.
    package mutating func fill(_ rows: UnsafePointer<Float>, stride: Int, count: Int) {
      precondition(count <= capacity)
      self.count = count
      switch side {
      case .left: table.pack_left_f32(rows, stride, count, dimension, base)
      case .right: table.pack_right_f32(rows, stride, count, dimension, base)
      }
    }
  }

  /// `c = a · bᵀ`, as of rows that are not packed; `a` is a left side and `b` a right one.
  package static func product(
    _ a: borrowing PackedRows, _ b: borrowing PackedRows, into c: UnsafeMutablePointer<Float>,
    cStride: Int
  ) {
    precondition(a.side == .left && b.side == .right && a.dimension == b.dimension)
    table.product_packed_f32(a.base, a.count, b.base, b.count, a.dimension, c, cStride)
  }

  /// `out = Σ weightsᵢ · dense[rowsᵢ]`, in order: a row of a sparse matrix times a dense one.
  package static func weightedRows(
    _ weights: UnsafePointer<Float>, _ rows: UnsafePointer<Int32>, count: Int,
    dense: UnsafePointer<Float>, stride: Int, columnCount: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    table.weighted_rows_f32(weights, rows, count, dense, stride, columnCount, out)
  }

  /// Where a value is not below a bound, as NaN never is.
  ///
  /// - Parameters:
  ///   - values: `count` floats.
  ///   - bound: what they are compared with.
  ///   - positions: room for `count`; filled with the positions found, rising.
  /// - Returns: how many there are.
  package static func positions(
    of values: UnsafePointer<Float>, count: Int, notBelow bound: Float,
    into positions: UnsafeMutablePointer<UInt32>
  ) -> Int {
    table.select_f32(values, count, bound, positions)
  }

  /// As ``positions(of:count:notBelow:into:)``, of values times factors.
  package static func positions(
    of values: UnsafePointer<Float>, times factors: UnsafePointer<Float>?, count: Int,
    notBelow bound: Float, into positions: UnsafeMutablePointer<UInt32>
  ) -> Int {
    table.select_scaled_f32(values, factors, count, bound, positions)
  }

  /// As ``positions(of:count:notBelow:into:)``, of values less others.
  package static func positions(
    of values: UnsafePointer<Float>, minus others: UnsafePointer<Float>?, count: Int,
    notBelow bound: Float, into positions: UnsafeMutablePointer<UInt32>
  ) -> Int {
    table.select_shifted_f32(values, others, count, bound, positions)
  }

  /// What ``product(_:aStride:aCount:_:bStride:bCount:dimension:into:cStride:scratch:)`` works in:
  /// 2.4 MB, one per thread, to be used again and again.
  package struct ProductScratch: ~Copyable {
    let base: UnsafeMutablePointer<Float>

    package init() { base = .allocate(capacity: Int(BASIS_PRODUCT_SCRATCH)) }

    deinit { base.deallocate() }
  }
}

/// One query, ready to be compared with many rows.
///
/// A row's distance is the same bits alone, in a block and among gathered rows, so that candidates
/// may be scored again anywhere.
package struct QueryScorer: Sendable {
  package let metric: Metric
  package var dimension: Int { query.count }
  private let query: [Float]
  private let inverseNorm: Float

  package init(_ query: some Collection<Float>, metric: Metric) {
    self.query = Array(query)
    self.metric = metric
    inverseNorm =
      metric == .cosine
      ? self.query.withUnsafeBufferPointer { Metric.inverseNorm($0) } : 1
  }

  /// The distance of one row.
  ///
  /// - Parameters:
  ///   - row: `dimension` floats.
  ///   - rowInverseNorm: what ``Metric/inverseNorm(_:)`` says of the row; used by `.cosine` only.
  package func distance(to row: UnsafePointer<Float>, inverseNorm rowInverseNorm: Float = 1)
    -> Float
  {
    query.withUnsafeBufferPointer { query in
      guard let start = query.baseAddress else { return finish(0, rowInverseNorm) }
      return switch metric {
      case .squaredEuclidean: Kernels.squaredDistance(start, row, count: query.count)
      default: finish(Kernels.dot(start, row, count: query.count), rowInverseNorm)
      }
    }
  }

  /// The distances of `rowCount` rows, `stride` floats apart.
  ///
  /// - Parameter inverseNorms: one per row for `.cosine`, nil for the others.
  package func distances(
    to rows: UnsafePointer<Float>, rowCount: Int, stride: Int,
    inverseNorms: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>
  ) {
    let table = Kernels.table
    let kernel = metric == .squaredEuclidean ? table.l2_f32_rows : table.dot_f32_rows
    query.withUnsafeBufferPointer {
      kernel?($0.baseAddress, rows, rowCount, stride, query.count, out)
    }
    switch metric {
    case .squaredEuclidean: break
    case .innerProduct: for row in 0..<rowCount { out[row] = -out[row] }
    case .cosine:
      guard let inverseNorms else { preconditionFailure("cosine needs the norms of the rows") }
      for row in 0..<rowCount { out[row] = finish(out[row], inverseNorms[row]) }
    }
  }

  /// The distances of the rows with these numbers.
  ///
  /// - Parameters:
  ///   - rows: row 0; row `i` is `i · stride` floats on.
  ///   - inverseNorms: by row number, for `.cosine`; nil for the others.
  ///   - out: as many as `ids`.
  package func distances(
    to rows: UnsafePointer<Float>, ids: UnsafeBufferPointer<UInt32>, stride: Int,
    inverseNorms: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>
  ) {
    let table = Kernels.table
    let kernel = metric == .squaredEuclidean ? table.l2_f32_gathered : table.dot_f32_gathered
    query.withUnsafeBufferPointer {
      kernel?($0.baseAddress, rows, ids.baseAddress, ids.count, stride, query.count, out)
    }
    switch metric {
    case .squaredEuclidean: break
    case .innerProduct: for index in 0..<ids.count { out[index] = -out[index] }
    case .cosine:
      guard let inverseNorms else { preconditionFailure("cosine needs the norms of the rows") }
      for index in 0..<ids.count {
        out[index] = finish(out[index], inverseNorms[Int(ids[index])])
      }
    }
  }

  private func finish(_ dot: Float, _ rowInverseNorm: Float) -> Float {
    guard metric == .cosine else { return -dot }
    let distance = 1 - dot * inverseNorm * rowInverseNorm
    // Rounding may leave the range by an ulp; NaN fails both tests and stays.
    return distance < 0 ? 0 : distance > 2 ? 2 : distance
  }
}

extension Metric {
  /// The distance of two vectors. Smaller is closer.
  ///
  /// `.cosine` wants Euclidean lengths of 10⁻¹⁸ to 10¹⁸, or 0: squares must fit a `Float`.
  ///
  /// - Precondition: equal counts.
  /// - Complexity: O(*dimension*). For many rows, a `SearchIndex`.
  public func distance(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count, "vectors of \(a.count) and \(b.count) values")
    return b.withUnsafeBufferPointer { row in
      guard let start = row.baseAddress, !row.isEmpty else { return self == .cosine ? 1 : 0 }
      return QueryScorer(a, metric: self)
        .distance(to: start, inverseNorm: self == .cosine ? Metric.inverseNorm(row) : 1)
    }
  }

  /// 1 / ‖x‖, or 0 for a vector of zeros: this is how cosine gives it distance 1 from everything.
  package static func inverseNorm(_ x: UnsafeBufferPointer<Float>) -> Float {
    guard let start = x.baseAddress else { return 0 }
    let squared = Kernels.dot(start, start, count: x.count)
    return squared == 0 ? 0 : 1 / squared.squareRoot()
  }
}

extension Matrix {
  /// 1 / ‖row‖ for every row, 0 for a row of zeros: what `.cosine` needs beside the rows.
  package func inverseNorms() -> [Float] {
    (0..<rowCount).map { withRow($0) { Metric.inverseNorm($0) } }
  }
}
