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
    let ids = range.filter { allowed?[$0] ?? true }.map { UInt32(truncatingIfNeeded: $0) }
    guard !ids.isEmpty else { return }
    guard goesThroughProduct else {
      for query in scorers.indices {
        merge(measure(query, ids), query)
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
      products.withUnsafeBufferPointer { products in
        for query in block {
          let row = (query - start) * range.count - range.lowerBound
          let candidates = candidates(query, ids, threshold: thresholds[query - start]) {
            products[row + $0]
          }
          merge(measure(query, candidates), query)
        }
      }
    }
  }

  /// The best of these rows, by the kernel whose distances are the answer.
  private func measure(_ query: Int, _ ids: [UInt32]) -> TopK {
    var result = TopK(k: k)
    let dimension = index.dimension
    guard dimension > 0 else {
      for id in ids {
        result.offer(Neighbor(id: Int(id), distance: index.metric == .cosine ? 1 : 0))
      }
      return result
    }
    index.rows.withUnsafeFloats { rows in
      index.inverseNorms.withUnsafeBufferPointer { inverseNorms in
        ids.withUnsafeBufferPointer { ids in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: ids.count) { distances in
            guard let rows = rows.baseAddress, let out = distances.baseAddress else { return }
            scorers[query].distances(
              to: rows, ids: ids, stride: dimension,
              inverseNorms: inverseNorms.baseAddress, into: out)
            for position in ids.indices {
              // Nothing farther has a chance, but what is NaN must not end the search.
              result.offer(Neighbor(id: Int(ids[position]), distance: out[position]))
            }
          }
        }
      }
    }
    return result
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
  private func candidates(
    _ query: Int, _ ids: [UInt32], threshold: Float, product: (Int) -> Float
  ) -> [UInt32] {
    var upperBounds = TopK(k: k)
    for id in ids {
      let (middle, slack) = estimate(product(Int(id)), query, Int(id))
      upperBounds.offer(Neighbor(id: Int(id), distance: middle + slack))
    }
    let limit = min(upperBounds.threshold, threshold)
    return ids.filter { id in
      let (middle, slack) = estimate(product(Int(id)), query, Int(id))
      // In this form an estimate that is NaN stays in.
      return !(middle - slack > limit)
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
      return (1 - product * index.inverseNorms[row], unit)
    }
  }

  private func merge(_ neighbors: TopK, _ query: Int) {
    let sorted = neighbors.sorted()
    best.withLock { best in for neighbor in sorted { best[query].offer(neighbor) } }
  }
}
