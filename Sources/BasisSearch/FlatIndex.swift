public import BasisCore
import BasisNumerics
import CBasisKernels
import Synchronization

/// The exact index: compares a query with every row. Immutable, and safe to use from any number of
/// threads.
///
/// The right index for some tens of thousands of rows, and what approximate indexes are judged by.
/// Large batches of queries go through a matrix product that finds the rows which might be among
/// the nearest; their distances then come from the same kernel that a single query uses, so the
/// size of the batch never changes an answer.
public struct FlatIndex: Sendable {
  public let rows: Matrix
  public let metric: Metric
  // Euclidean norms of the rows.
  private let norms: [Float]

  public var count: Int { rows.rowCount }
  public var dimension: Int { rows.columnCount }

  /// An index over a matrix, which it does not copy.
  ///
  /// - Parameter rows: `n × d`, finite.
  /// - Throws: `.badData` naming the row and column of a value that is not finite.
  /// - Complexity: O(*n* *d*): reads the matrix once, for the norms.
  public init(_ rows: Matrix, metric: Metric) throws(BasisError) {
    self.rows = rows
    self.metric = metric
    norms = (0..<rows.rowCount).map { row in rows.withRow(row) { euclideanNorm($0) } }
    // A norm is finite exactly if its row is, except where it overflows.
    if norms.contains(where: { !$0.isFinite }) { try rows.requireFinite("the matrix to index") }
  }

  // Chunks are the same at any thread count; about a megabyte of rows keeps a block in cache
  // while a batch of queries passes over it.
  private var rowGrain: Int { max(64, min(4096, 262_144 / max(1, dimension))) }
  private static let queryGrain = 64
}

extension FlatIndex: SearchIndex {
  /// The nearest rows to each query, exactly.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite, of the index's dimension.
  ///   - k: at least 0; more than ``count`` gives all rows.
  ///   - allowed: the rows that may be answered, or nil for all; `allowed.count` equals ``count``.
  /// - Returns: for each query at most `k` neighbours, nearest first, ties by smaller id. Distances
  ///   by the cosine are cut to `0 ... 2`; a distance that overflows is infinite or left out.
  /// - Throws: `.invalidArgument` for a negative `k`; `.dimensionMismatch` with both dimensions or
  ///   counts; `.badData` naming the query and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(*q* *n* *d*), parallel over blocks of rows.
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    guard queries.columnCount == dimension || queries.rowCount == 0 else {
      throw BasisError(
        .dimensionMismatch,
        "the queries are \(queries.rowCount) × \(queries.columnCount), the index is "
          + "\(count) × \(dimension); encode both with the same model")
    }
    try queries.requireFinite("the queries")
    guard k > 0, count > 0, queries.rowCount > 0 else {
      return Array(repeating: [], count: queries.rowCount)
    }
    let search = Search(
      index: self, queries: metric == .cosine ? normalized(queries) : queries, k: min(k, count),
      allowed: allowed)
    try parallelFor(count, grain: rowGrain, in: run) { (_, range) throws(BasisError) in
      if search.goesThroughProduct {
        for start in stride(from: 0, to: queries.rowCount, by: Self.queryGrain) {
          try run.checkCancelled()
          try search.scanByProduct(
            range, start..<min(start + Self.queryGrain, queries.rowCount))
        }
      } else {
        search.scan(range)
      }
    }
    return search.results()
  }

  /// One search: the queries and the best neighbours so far.
  private final class Search: Sendable {
    let index: FlatIndex
    let queries: Matrix
    let queryNorms: [Float]
    let k: Int
    let allowed: Bitmap?
    let goesThroughProduct: Bool
    private let best: Mutex<[TopK]>

    init(index: FlatIndex, queries: Matrix, k: Int, allowed: Bitmap?) {
      self.index = index
      self.queries = queries
      self.k = k
      self.allowed = allowed
      queryNorms = (0..<queries.rowCount).map { row in queries.withRow(row) { euclideanNorm($0) } }
      best = Mutex(Array(repeating: TopK(k: k), count: queries.rowCount))
      // A product costs a quarter of the single dots, but knows no filter.
      let isSelective = allowed.map { 4 * $0.population < index.count } ?? false
      goesThroughProduct = queries.rowCount >= 8 && !isSelective
    }

    func results() -> [[Neighbor]] { best.withLock { $0.map { $0.sorted() } } }

    func scan(_ range: Range<Int>) {
      for query in 0..<queries.rowCount {
        var chunkBest = TopK(k: k)
        queries.withRow(query) { vector in
          for row in range where allowed?[row] ?? true {
            chunkBest.offer(Neighbor(id: row, distance: distance(vector, query, row)))
          }
        }
        merge(chunkBest, query)
      }
    }

    /// Finds the rows whose distance, give or take the rounding of the product, may be among the
    /// best, and measures those.
    func scanByProduct(_ range: Range<Int>, _ queryRange: Range<Int>) throws(BasisError) {
      let products = try block(queries, queryRange) { (some) throws(BasisError) in
        try block(index.rows, range) { (rows) throws(BasisError) in
          try LinearAlgebra.product(
            some, rows, transposingB: true, in: RunContext(threadLimit: 1))
        }
      }
      // Reads of the thresholds may be old: then more rows are measured, with the same answer.
      let thresholds = best.withLock { best in queryRange.map { best[$0].threshold } }
      for query in queryRange {
        products.withRow(query - queryRange.lowerBound) { products in
          var upperBounds = TopK(k: k)
          for row in range where allowed?[row] ?? true {
            let (middle, slack) = estimate(products[row - range.lowerBound], query, row)
            upperBounds.offer(Neighbor(id: row, distance: middle + slack))
          }
          let limit = min(upperBounds.threshold, thresholds[query - queryRange.lowerBound])
          var chunkBest = TopK(k: k)
          queries.withRow(query) { vector in
            for row in range where allowed?[row] ?? true {
              let (middle, slack) = estimate(products[row - range.lowerBound], query, row)
              // Written so that an estimate that is NaN is measured.
              if middle - slack > limit { continue }
              chunkBest.offer(Neighbor(id: row, distance: distance(vector, query, row)))
            }
          }
          merge(chunkBest, query)
        }
      }
    }

    private func block<R>(
      _ matrix: Matrix, _ range: Range<Int>, _ body: (Matrix) throws(BasisError) -> R
    ) throws(BasisError) -> R {
      try matrix.withUnsafeFloats { (floats) throws(BasisError) in
        guard let base = floats.baseAddress else {
          return try body(Matrix(rowCount: range.count, columnCount: matrix.columnCount))
        }
        // The caller holds the matrix that owns the floats for as long as `body` runs.
        return try body(
          Matrix(
            rowCount: range.count, columnCount: matrix.columnCount,
            borrowing: base + range.lowerBound * matrix.columnCount, owner: self))
      }
    }

    private func merge(_ neighbors: TopK, _ query: Int) {
      let sorted = neighbors.sorted()
      best.withLock { best in for neighbor in sorted { best[query].offer(neighbor) } }
    }

    private func distance(
      _ vector: UnsafeBufferPointer<Float>, _ query: Int, _ row: Int
    ) -> Float {
      index.rows.withRow(row) { other in
        guard let a = vector.baseAddress, let b = other.baseAddress else {
          return index.metric == .cosine ? 1 : 0
        }
        let kernels = basis_kernels().pointee
        switch index.metric {
        case .squaredEuclidean:
          return kernels.l2_f32(a, b, vector.count)
        case .innerProduct:
          return -kernels.dot_f32(a, b, vector.count)
        case .cosine:
          return cosineDistance(
            kernels.dot_f32(a, b, vector.count), index.norms[row])
        }
      }
    }

    /// A distance from a product of another rounding, and how far it may be from the kernel's.
    ///
    /// Two sums of the same *d* products in any two orders differ by at most 2 γ(*d*) ‖x‖ ‖y‖,
    /// γ(*d*) = *d* *u* / (1 − *d* *u*), *u* = 2⁻²⁴; the factor is twice that, for the rest.
    private func estimate(_ product: Float, _ query: Int, _ row: Int) -> (Float, slack: Float) {
      let unit = Float(index.dimension + 16) * 0x1p-22
      let (a, b) = (queryNorms[query], index.norms[row])
      switch index.metric {
      case .squaredEuclidean:
        return (a * a + b * b - 2 * product, unit * (a + b) * (a + b))
      case .innerProduct:
        return (-product, unit * a * b)
      case .cosine:
        return (cosineDistance(product, b), unit)
      }
    }

    /// - Parameter product: of a unit query, or one of zeros, and the row of this norm.
    private func cosineDistance(_ product: Float, _ norm: Float) -> Float {
      norm > 0 ? min(2, max(0, 1 - product / norm)) : 1
    }
  }
}

/// Unit rows, so that products with short queries do not vanish; a row of zeros stays one.
private func normalized(_ queries: Matrix) -> Matrix {
  Matrix(rowCount: queries.rowCount, columnCount: queries.columnCount) { target in
    for row in 0..<queries.rowCount {
      queries.withRow(row) { values in
        let norm = euclideanNorm(values)
        guard norm > 0 else { return }
        for column in 0..<queries.columnCount {
          target[row * queries.columnCount + column] = values[column] / norm
        }
      }
    }
  }
}

private func euclideanNorm(_ row: UnsafeBufferPointer<Float>) -> Float {
  guard let base = row.baseAddress else { return 0 }
  let product = basis_kernels().pointee.dot_f32(base, base, row.count)
  if product > 1e-30 && product < 1e30 { return product.squareRoot() }
  // In `Double`, where squares neither overflow nor vanish.
  var squared = 0.0
  for value in row { squared += Double(value) * Double(value) }
  return Float(squared.squareRoot())
}
