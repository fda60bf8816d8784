import BasisCore
import BasisFormats
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
  private let blocks: [Range<Int>]
  private let packedQueries: PackedQueries
  private let best: Mutex<[TopK]>

  // A block of products, 1 MB at most, is read while it is still in a near cache.
  private static let queryGrain = 1008
  private static let rowGrain = 256
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
    blocks =
      goesThroughProduct
      ? stride(from: 0, to: queries.rowCount, by: Self.queryGrain).map {
        $0..<min($0 + Self.queryGrain, queries.rowCount)
      } : []
    packedQueries = PackedQueries(queries, blocks)
  }

  /// Rows of one task of a parallel scan: of products, some blocks; else about a megabyte.
  var grain: Int {
    goesThroughProduct
      ? 16 * Self.rowGrain : max(64, min(4096, 262_144 / max(1, index.dimension)))
  }

  func results() -> [[Neighbor]] { best.withLock { $0.map { $0.sorted() } } }

  func scan(_ range: Range<Int>, in run: RunContext) throws(BasisError) {
    guard goesThroughProduct else {
      let ids = allowed.map { allowed in
        range.filter { allowed[$0] }.map { UInt32(truncatingIfNeeded: $0) }
      }
      if let ids {
        ids.withUnsafeBufferPointer { index.touch($0) }
        try index.block?.check()
      } else {
        try index.block?.verify(records: range, stride: 4 * index.dimension)
      }
      for query in scorers.indices {
        merge(ids.map { measure(query, $0) } ?? measure(query, range), query)
      }
      return
    }
    try index.block?.verify(records: range, stride: 4 * index.dimension)
    var packed = Kernels.PackedRows(
      .right, capacity: min(Self.rowGrain, range.count), dimension: index.dimension)
    let width = min(Self.rowGrain, range.count)
    let productCount = min(Self.queryGrain, queries.rowCount) * width
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: productCount * MemoryLayout<Float>.stride, alignment: 64)
    defer { memory.deallocate() }
    let products = memory.bindMemory(to: Float.self, capacity: productCount)
    var found = Found(capacity: width)
    for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.rowGrain) {
      try run.checkCancelled()
      let rows = first..<min(first + Self.rowGrain, range.upperBound)
      let side = Side(of: rows, in: index)
      withRows { floats, _ in
        packed.fill(
          floats + rows.lowerBound * index.dimension, stride: index.dimension, count: rows.count)
      }
      for (number, block) in blocks.enumerated() {
        let start = block.lowerBound
        packedQueries.multiply(number, packed, into: products, stride: width)
        // Old thresholds do no harm: more rows are measured, with the same answer.
        let thresholds = best.withLock { best in block.map { best[$0].threshold } }
        for query in block {
          select(
            query, rows, side, threshold: thresholds[query - start],
            products + (query - start) * width, into: &found)
        }
        best.withLock { best in found.drain { best[$0].offer($1) } }
      }
    }
  }

  /// Neighbours of several queries on their way into the best, and room to find them in.
  private struct Found: ~Copyable {
    let positions: UnsafeMutablePointer<UInt32>
    let distances: UnsafeMutablePointer<Float>
    private var neighbors: [(query: Int, neighbor: Neighbor)] = []

    init(capacity: Int) {
      positions = .allocate(capacity: capacity)
      distances = .allocate(capacity: capacity)
    }

    deinit {
      positions.deallocate()
      distances.deallocate()
    }

    mutating func append(_ query: Int, _ neighbor: Neighbor) {
      neighbors.append((query, neighbor))
    }

    mutating func drain(_ body: (Int, Neighbor) -> Void) {
      for (query, neighbor) in neighbors { body(query, neighbor) }
      neighbors.removeAll(keepingCapacity: true)
    }
  }

  /// What the metric needs to know of a block of rows.
  private struct Side {
    let longest: Float
    /// Half the squared norms, for Euclidean distances.
    let halfSquares: [Float]

    init(of rows: Range<Int>, in index: FlatIndex) {
      let norms = index.norms[rows]
      longest = norms.max() ?? 0
      halfSquares = index.metric == .squaredEuclidean ? norms.map { $0 * $0 * 0.5 } : []
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
    // What is no better than the best of other ranges is of no use.
    var limit = best.withLock { $0[query].threshold }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.distanceGrain) { buffer in
      guard let out = buffer.baseAddress else { return }
      for start in stride(from: 0, to: count, by: Self.distanceGrain) {
        let block = start..<min(start + Self.distanceGrain, count)
        if index.dimension > 0 {
          distances(scorers[query], block, out)
        } else {
          out.initialize(repeating: index.metric == .cosine ? 1 : 0, count: block.count)
        }
        for position in 0..<block.count where out[position] <= limit {
          result.offer(Neighbor(id: id(start + position), distance: out[position]))
          limit = min(limit, result.threshold)
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

  /// Measures the rows whose distance, give or take the rounding of the product, may be among the
  /// best.
  ///
  /// - Parameters:
  ///   - threshold: the worst of the `k` best so far, or infinity.
  ///   - products: of the query and each row of the block.
  private func select(
    _ query: Int, _ rows: Range<Int>, _ side: Side, threshold: Float,
    _ products: UnsafePointer<Float>, into found: inout Found
  ) {
    var limit = threshold
    // While fewer than k rows are known, the block itself has to say what is near.
    if threshold == .infinity, rows.count > k {
      var upperBounds = TopK(k: k)
      for (position, row) in rows.enumerated() where allowed?[row] ?? true {
        let bound = estimate(products[position], query, row) + slack(query, index.norms[row])
        // Most are too far to be worth a call; NaN is not.
        guard !(bound > limit) else { continue }
        upperBounds.offer(Neighbor(id: row, distance: bound))
        limit = upperBounds.threshold
      }
    }

    // Each is `estimate(product) - slack <= limit`, solved for what depends on the row; the slack
    // is that of the block's longest row. A bound that is NaN lets every row through.
    let positions = found.positions
    let slack = slack(query, side.longest)
    let count: Int
    switch index.metric {
    case .innerProduct:
      count = Kernels.positions(
        of: products, count: rows.count, notBelow: -limit - slack, into: positions)
    case .cosine:
      count = index.inverseNorms.withUnsafeBufferPointer { inverseNorms in
        Kernels.positions(
          of: products, times: inverseNorms.baseAddress.map { $0 + rows.lowerBound },
          count: rows.count, notBelow: 1 - limit - slack, into: positions)
      }
    case .squaredEuclidean:
      let norm = queryNorms[query]
      count = side.halfSquares.withUnsafeBufferPointer { halfSquares in
        Kernels.positions(
          of: products, minus: halfSquares.baseAddress, count: rows.count,
          notBelow: (norm * norm - limit - slack) * 0.5, into: positions)
      }
    }
    guard count > 0 else { return }
    var kept = 0
    for index in 0..<count {
      let row = rows.lowerBound + Int(positions[index])
      guard allowed?[row] ?? true else { continue }
      positions[kept] = UInt32(truncatingIfNeeded: row)
      kept += 1
    }
    withRows { floats, inverseNorms in
      scorers[query].distances(
        to: floats, ids: UnsafeBufferPointer(start: positions, count: kept),
        stride: index.dimension, inverseNorms: inverseNorms, into: found.distances)
    }
    for index in 0..<kept where found.distances[index] <= threshold {
      found.append(
        query, Neighbor(id: Int(positions[index]), distance: found.distances[index]))
    }
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
  ///
  /// - Parameter norm: the row's.
  @inline(__always)
  private func slack(_ query: Int, _ norm: Float) -> Float {
    let unit = Float(index.dimension + 16) * 0x1p-22
    switch index.metric {
    case .squaredEuclidean:
      let sum = queryNorms[query] + norm
      return unit * sum * sum
    case .innerProduct: return unit * queryNorms[query] * norm
    case .cosine: return unit
    }
  }

  private func merge(_ neighbors: TopK, _ query: Int) {
    let sorted = neighbors.sorted()
    best.withLock { best in for neighbor in sorted { best[query].offer(neighbor) } }
  }
}
