import BasisCore
import Synchronization

/// One search of a ``FlatIndex``: the queries, and the best neighbours so far.
final class FlatScan: Sendable {
  private let index: FlatIndex
  private let queries: Matrix
  private let queryNorms: [Float]
  private let scorers: [QueryScorer]
  private let k: Int
  private let allowed: Bitmap?
  private let goesThroughProduct: Bool
  private let best: Mutex<[TopK]>

  private static let queryGrain = 64
  private static let distanceGrain = 256

  init(index: FlatIndex, queries: Matrix, k: Int, allowed: Bitmap?) {
    self.index = index
    self.queries = queries
    self.k = k
    self.allowed = allowed
    queryNorms = (0..<queries.rowCount).map { row in queries.withRow(row) { euclideanNorm($0) } }
    scorers = (0..<queries.rowCount).map { row in
      queries.withRow(row) { QueryScorer($0, metric: index.metric) }
    }
    best = Mutex(Array(repeating: TopK(k: k), count: queries.rowCount))
    // A product costs about a quarter of single distances, but knows no filter.
    let isSelective = allowed.map { 4 * $0.population < index.count } ?? false
    goesThroughProduct = queries.rowCount >= 8 && index.dimension > 0 && !isSelective
  }

  func results() -> [[Neighbor]] { best.withLock { $0.map { $0.sorted() } } }

  func scan(_ range: Range<Int>, in run: RunContext) throws(BasisError) {
    guard goesThroughProduct else {
      let ids = allowed.map { allowed in
        range.filter { allowed[$0] }.map { UInt32(truncatingIfNeeded: $0) }
      }
      for query in scorers.indices {
        merge(ids.map { measure(query, $0) } ?? measure(query, range), query)
      }
      return
    }
    let scratch = Kernels.ProductScratch()
    var products = Array(repeating: Float(0), count: Self.queryGrain * range.count)
    for start in stride(from: 0, to: queries.rowCount, by: Self.queryGrain) {
      try run.checkCancelled()
      let block = start..<min(start + Self.queryGrain, queries.rowCount)
      multiply(block, range, into: &products, scratch: scratch)
      // Old thresholds do no harm: more rows are measured, with the same answer.
      let thresholds = best.withLock { best in block.map { best[$0].threshold } }
      products.withUnsafeMutableBufferPointer { products in
        for query in block {
          let row = (query - start) * range.count
          let candidates = candidates(
            query, range, threshold: thresholds[query - start],
            UnsafeMutableBufferPointer(rebasing: products[row..<row + range.count]))
          if !candidates.isEmpty { merge(measure(query, candidates), query) }
        }
      }
    }
  }

  /// The best of a range of rows, by the kernel whose distances are the answer.
  private func measure(_ query: Int, _ range: Range<Int>) -> TopK {
    measure(query, count: range.count, id: { range.lowerBound + $0 }) { scorer, block, out in
      withRows { rows, inverseNorms in
        let first = range.lowerBound + block.lowerBound
        scorer.distances(
          to: rows + first * index.dimension, rowCount: block.count, stride: index.dimension,
          inverseNorms: inverseNorms + first, into: out)
      }
    }
  }

  /// The best of some rows. The kernel gives each the bits that it gives it in a range.
  private func measure(_ query: Int, _ ids: [UInt32]) -> TopK {
    measure(query, count: ids.count, id: { Int(ids[$0]) }) { scorer, block, out in
      withRows { rows, inverseNorms in
        ids.withUnsafeBufferPointer { ids in
          scorer.distances(
            to: rows, ids: UnsafeBufferPointer(rebasing: ids[block]), stride: index.dimension,
            inverseNorms: inverseNorms, into: out)
        }
      }
    }
  }

  private func measure(
    _ query: Int, count: Int, id: (Int) -> Int,
    distances: (QueryScorer, Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) -> TopK {
    var result = TopK(k: k)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.distanceGrain) { buffer in
      guard let out = buffer.baseAddress else { return }
      for start in stride(from: 0, to: count, by: Self.distanceGrain) {
        let block = start..<min(start + Self.distanceGrain, count)
        if index.dimension > 0 {
          distances(scorers[query], block, out)
        } else {
          out.initialize(repeating: index.metric == .cosine ? 1 : 0, count: block.count)
        }
        for position in block where out[position - start] <= result.threshold {
          result.offer(Neighbor(id: id(position), distance: out[position - start]))
        }
      }
    }
    return result
  }

  private func withRows(_ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void) {
    index.rows.withUnsafeFloats { rows in
      index.inverseNorms.withUnsafeBufferPointer { inverseNorms in
        if let rows = rows.baseAddress, let inverseNorms = inverseNorms.baseAddress {
          body(rows, inverseNorms)
        }
      }
    }
  }

  private func multiply(
    _ block: Range<Int>, _ range: Range<Int>, into products: inout [Float],
    scratch: borrowing Kernels.ProductScratch
  ) {
    let dimension = index.dimension
    products.withUnsafeMutableBufferPointer { products in
      queries.withUnsafeFloats { queries in
        index.rows.withUnsafeFloats { rows in
          guard let a = queries.baseAddress, let b = rows.baseAddress,
            let c = products.baseAddress
          else { return }
          Kernels.product(
            a + block.lowerBound * dimension, aStride: dimension, aCount: block.count,
            b + range.lowerBound * dimension, bStride: dimension, bCount: range.count,
            dimension: dimension, into: c, cStride: range.count, scratch: scratch)
        }
      }
    }
  }

  /// The rows whose distance, give or take the rounding of the product, may be among the best.
  ///
  /// - Parameters:
  ///   - threshold: the worst of the `k` best so far, or infinity.
  ///   - products: of the query and each row of the range; overwritten.
  private func candidates(
    _ query: Int, _ range: Range<Int>, threshold: Float,
    _ products: UnsafeMutableBufferPointer<Float>
  ) -> [UInt32] {
    var limit = threshold
    // While fewer than k rows are known, the range itself has to say what is near.
    if threshold == .infinity, range.count > k {
      var upperBounds = TopK(k: k)
      for position in products.indices {
        let row = range.lowerBound + position
        guard allowed?[row] ?? true else { continue }
        let bound = estimate(products[position], query, row) + slack(query, row)
        upperBounds.offer(Neighbor(id: row, distance: bound))
      }
      limit = upperBounds.threshold
    }
    for position in products.indices {
      let row = range.lowerBound + position
      products[position] = estimate(products[position], query, row) - slack(query, row)
    }
    var result: [UInt32] = []
    // In this form a bound that is NaN stays in.
    for position in products.indices where !(products[position] > limit) {
      let row = range.lowerBound + position
      if allowed?[row] ?? true { result.append(UInt32(truncatingIfNeeded: row)) }
    }
    return result
  }

  /// A distance from a product of another rounding than the kernel's.
  @inline(__always)
  private func estimate(_ product: Float, _ query: Int, _ row: Int) -> Float {
    switch index.metric {
    case .squaredEuclidean:
      let (a, b) = (queryNorms[query], index.norms[row])
      return a * a + b * b - 2 * product
    case .innerProduct: return -product
    case .cosine: return 1 - product * index.inverseNorms[row]
    }
  }

  /// How far that may be from the kernel's distance.
  ///
  /// Two sums of the same *d* products in any two orders differ by at most 2 γ(*d*) ‖x‖ ‖y‖,
  /// γ(*d*) = *d* *u* / (1 − *d* *u*), *u* = 2⁻²⁴; the factor is twice that, for the rest.
  @inline(__always)
  private func slack(_ query: Int, _ row: Int) -> Float {
    let unit = Float(index.dimension + 16) * 0x1p-22
    switch index.metric {
    case .squaredEuclidean:
      let sum = queryNorms[query] + index.norms[row]
      return unit * sum * sum
    case .innerProduct: return unit * queryNorms[query] * index.norms[row]
    case .cosine: return unit
    }
  }

  private func merge(_ neighbors: TopK, _ query: Int) {
    let sorted = neighbors.sorted()
    best.withLock { best in for neighbor in sorted { best[query].offer(neighbor) } }
  }
}
