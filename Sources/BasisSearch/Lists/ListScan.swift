import BasisCodecs
import BasisCore
import BasisFormats

/// One search of an ``InvertedListsIndex``.
struct ListScan: Sendable {
  let index: InvertedListsIndex
  let queries: Matrix
  let k: Int
  let allowed: Bitmap?
  let plan: InvertedListsIndex.Plan

  /// Queries that go through the lists together: a list's codes are read once for all of them.
  static let grain = 256
  /// Nearest lists that are scanned before the others, for a good first threshold.
  static let firstTier = 3

  /// The answers to some of the queries.
  func search(_ range: Range<Int>, in run: RunContext) throws(BasisError) -> [[Neighbor]] {
    let walk = ListWalk(self, range)
    walk.rankLists()
    walk.makeTables()
    walk.scan(tier: 0..<min(Self.firstTier, plan.probes))
    try run.checkCancelled()
    walk.scan(tier: min(Self.firstTier, plan.probes)..<plan.probes)
    try run.checkCancelled()
    var found: [[Neighbor]] = []
    found.reserveCapacity(range.count)
    let possible = min(k, allowed?.population ?? index.count)
    for query in range {
      let neighbors = index.flat.nearest(
        walk.scan.smallest(query - range.lowerBound), to: queries, query, k: k,
        hasDoubles: index.copies > 1)
      if neighbors.count < possible {
        // The lists had too few rows that are allowed.
        let single = queries.selecting(rows: [query])
        found += try index.flat.search(
          single, k: k, allowing: allowed, in: RunContext(threadLimit: 1))
      } else {
        found.append(neighbors)
      }
    }
    try index.flat.block?.check()
    return found
  }
}

extension FlatIndex {
  /// The nearest to a query of some rows, given as keys: a row's number is in the lower half.
  ///
  /// - Parameters:
  ///   - keys: are overwritten.
  ///   - queries: as ``prepared(_:)`` makes them.
  ///   - query: the number of one.
  ///   - k: how many are wanted.
  ///   - hasDoubles: whether a row may be there twice.
  func nearest(
    _ keys: UnsafeMutableBufferPointer<UInt64>, to queries: Matrix, _ query: Int, k: Int,
    hasDoubles: Bool = false
  ) -> [Neighbor] {
    var best = TopK(k: k)
    let scorer = queries.withRow(query) { QueryScorer($0, metric: metric) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: keys.count) { distances in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: keys.count) { ids in
        guard let out = distances.baseAddress else { return }
        for position in keys.indices {
          ids[position] = UInt32(truncatingIfNeeded: keys[position])
        }
        let ids = hasDoubles ? withoutDoubles(ids) : ids
        touch(UnsafeBufferPointer(ids))
        rows.withUnsafeFloats { rows in
          guard let rows = rows.baseAddress else { return }
          inverseNorms.withUnsafeBufferPointer { inverseNorms in
            scorer.distances(
              to: rows, ids: UnsafeBufferPointer(ids), stride: dimension,
              inverseNorms: inverseNorms.baseAddress, into: out)
          }
        }
        var threshold = Float.infinity
        for position in ids.indices where distances[position] <= threshold {
          best.offer(Neighbor(id: Int(ids[position]), distance: distances[position]))
          threshold = best.threshold
        }
      }
    }
    return best.sorted()
  }

  private func withoutDoubles(_ ids: UnsafeMutableBufferPointer<UInt32>)
    -> UnsafeMutableBufferPointer<UInt32>
  {
    var ids = ids
    ids.sort()
    var count = 0
    for position in ids.indices where count == 0 || ids[count - 1] != ids[position] {
      ids[count] = ids[position]
      count += 1
    }
    return UnsafeMutableBufferPointer(rebasing: ids[..<count])
  }
}

/// Centroids, laid out for products with queries.
final class PackedCentroids: Sendable {
  let rows: Kernels.PackedRows
  /// Half the squared norm of each, for Euclidean distances.
  let halfSquares: [Float]

  init(_ centroids: Matrix) {
    rows = Kernels.PackedRows(.right, centroids)
    halfSquares = centroids.halfSquaredNorms
  }
}

/// What a block of queries needs on its way through the lists. For one thread.
final class ListWalk {
  private let owner: ListScan
  private let index: InvertedListsIndex
  private let range: Range<Int>
  private let probes: Int
  let scan: FastScan
  /// For each query the lists that it visits: the first tier's first, the others in any order.
  let lists: UnsafeMutablePointer<UInt32>
  /// What each of these lists adds to a distance, and then to a score.
  private let additions: UnsafeMutablePointer<Float>
  private var visitors: [FastScan.Visitor] = []
  private var biases: [UInt32]

  init(_ owner: ListScan, _ range: Range<Int>) {
    self.owner = owner
    self.range = range
    index = owner.index
    probes = owner.plan.probes
    scan = FastScan(
      queryCount: range.count, parts: index.book.parts, wanted: owner.plan.shortlist)
    lists = .allocate(capacity: range.count * probes)
    additions = .allocate(capacity: range.count * probes)
    biases = Array(repeating: 0, count: range.count * probes)
  }

  deinit {
    lists.deallocate()
    additions.deallocate()
  }

  /// Chooses each query's lists.
  func rankLists(inFull: Bool = false) {
    let (count, d) = (index.listCount, index.dimension)
    let height = 32
    var block = Kernels.PackedRows(
      .left, capacity: min(height, range.count), dimension: d)
    let isEuclidean = index.metric == .squaredEuclidean
    let leasts = index.lists.leasts.withUnsafeBufferPointer { Array($0) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: height * count) { products in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { keys in
        guard let products = products.baseAddress, let keys = keys.baseAddress else { return }
        for first in stride(from: 0, to: range.count, by: height) {
          let end = min(range.count, first + height)
          owner.queries.withUnsafeFloats { queries in
            guard let base = queries.baseAddress else { return }
            block.fill(base + (range.lowerBound + first) * d, stride: d, count: end - first)
          }
          Kernels.product(block, index.packed.rows, into: products, cStride: count)
          for query in first..<end {
            let row = products + (query - first) * count
            index.packed.halfSquares.withUnsafeBufferPointer {
              FastScan.rank(
                row, halves: isEuclidean ? $0.baseAddress : nil, count: count, into: keys)
            }
            let found = FastScan.smallest(keys, count: count, wanted: probes)
            if inFull {
              var all = UnsafeMutableBufferPointer(start: keys, count: found)
              all.sort()
            } else {
              sortFirst(keys, found)
            }
            for place in 0..<found {
              let list = Int(UInt32(truncatingIfNeeded: keys[place]))
              lists[query * probes + place] = UInt32(list)
              additions[query * probes + place] = (isEuclidean ? leasts[list] : 0) - row[list]
            }
          }
        }
      }
    }
  }

  /// Brings the nearest lists to the front.
  private func sortFirst(_ keys: UnsafeMutablePointer<UInt64>, _ count: Int) {
    for place in 0..<min(ListScan.firstTier, count) {
      var best = place
      for other in (place + 1)..<max(count, place + 1) where keys[other] < keys[best] {
        best = other
      }
      (keys[place], keys[best]) = (keys[best], keys[place])
    }
  }

  /// Makes each query's table of bytes, and the scores of its lists in the table's steps.
  func makeTables() {
    let padded = index.book.dimension
    var query = [Float](repeating: 0, count: padded)
    var values = [Float](repeating: 0, count: index.book.parts * 16)
    let largestHalf = index.largestHalf
    for place in 0..<range.count {
      owner.queries.withRow(range.lowerBound + place) { row in
        for column in row.indices { query[column] = row[column] }
      }
      index.book.products(with: query, into: &values)
      let (step, _) = scan.setTable(place, values)
      let own = UnsafeBufferPointer(start: additions + place * probes, count: probes)
      let least = own.min() ?? 0
      let spread = (own.max() ?? 0) - least
      // Scores beyond 2³⁰ would be of lists that are far beyond use.
      let scale = min(1 / step, 0x1p29 / max(spread, largestHalf, .leastNormalMagnitude))
      scan.setScale(place, scale)
      for list in 0..<probes {
        biases[place * probes + list] = UInt32(((own[list] - least) * scale).rounded())
      }
    }
  }

  /// Scans some of each query's lists, list by list.
  func scan(tier: Range<Int>) {
    guard !tier.isEmpty else { return }
    let listCount = index.listCount
    var ends = [Int](repeating: 0, count: listCount + 1)
    for query in 0..<range.count {
      for place in tier { ends[Int(lists[query * probes + place]) + 1] += 1 }
    }
    for list in 0..<listCount { ends[list + 1] += ends[list] }
    let total = ends[listCount]
    if visitors.count < total {
      visitors = Array(repeating: FastScan.Visitor(query: 0, bias: 0), count: total)
    }
    var next = ends
    for query in 0..<range.count {
      for place in tier {
        let list = Int(lists[query * probes + place])
        visitors[next[list]] = FastScan.Visitor(
          query: UInt32(truncatingIfNeeded: query), bias: biases[query * probes + place])
        next[list] += 1
      }
    }
    let words = owner.allowed?.words
    visitors.withUnsafeBufferPointer { visitors in
      index.lists.withPointers { lists in
        func visit(_ allowed: UnsafePointer<UInt64>?) {
          for list in 0..<listCount where ends[list + 1] > ends[list] {
            lists.collect(
              list, scan, allowed: allowed,
              visitors: UnsafeBufferPointer(rebasing: visitors[ends[list]..<ends[list + 1]]))
          }
        }
        if let words { words.withUnsafeBufferPointer { visit($0.baseAddress) } } else { visit(nil) }
      }
    }
  }
}
