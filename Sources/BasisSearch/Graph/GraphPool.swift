import BasisCore
import CBasisKernels

/// The nearest of some rows by their codes, as sorted entries.
struct GraphPool {
  let entries: UnsafeMutablePointer<UInt64>
  /// How many are kept at most, at least 1; there is room for one more.
  let limit: Int
  private(set) var count = 0
  private(set) var comparisonCount = 0

  init(_ entries: UnsafeMutablePointer<UInt64>, limit: Int) {
    self.entries = entries
    self.limit = limit
  }

  mutating func offer(
    _ ids: UnsafeBufferPointer<UInt32>, of rows: inout basis_graph_rows,
    to query: inout basis_graph_query
  ) {
    comparisonCount += ids.count
    count = basis_graph_kernels().pointee.collect(
      &rows, &query, ids.baseAddress, ids.count, entries, count, limit)
  }
}

/// The groups of a query from near to far, so far as sorting into some hundred steps tells them
/// apart.
struct GraphGroupOrder {
  private static let stepCount = 512

  /// - Parameters:
  ///   - keys: of the means, finite.
  ///   - order: room for as many groups.
  static func fill(_ order: UnsafeMutablePointer<UInt32>, keys: UnsafeBufferPointer<Float>) {
    guard let low = keys.min(), let high = keys.max() else { return }
    let factor = high > low ? Float(stepCount - 1) / (high - low) : 0
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: stepCount + 1) { places in
      places.initialize(repeating: 0)
      func step(_ key: Float) -> Int { max(0, min(stepCount - 1, Int((key - low) * factor))) }
      for key in keys { places[step(key) + 1] += 1 }
      for index in 0..<stepCount { places[index + 1] += places[index] }
      for (group, key) in keys.enumerated() {
        let step = step(key)
        order[Int(places[step])] = UInt32(truncatingIfNeeded: group)
        places[step] += 1
      }
    }
  }
}

extension GraphSearch {
  /// Compares all allowed rows, and measures the nearest.
  func scan(
    _ filter: GraphFilter, _ member: Int, _ queries: Matrix, _ query: Int, _ scratch: GraphScratch
  ) -> [Neighbor] {
    var rows = index.codes.rows(edges: nil, pairs: index.codes.hasPairs)
    var asked = scratch.queries[member]
    return nearest(filter, member, queries, query, scratch) { pool in
      filter.forEachBlock { pool.offer($0, of: &rows, to: &asked) }
    }
  }

  /// Compares the allowed rows of group after group, until the others are too far.
  func probe(
    _ filter: GraphFilter, _ groups: GraphGroups, level: (lower: Int, share: Float),
    _ member: Int, _ queries: Matrix, _ query: Int, _ scratch: GraphScratch
  ) -> [Neighbor] {
    let codes = index.codes
    var rows = codes.rows(edges: nil, pairs: codes.hasPairs)
    var asked = scratch.queries[member]
    let own = codes.squaredLength(asked)
    let room = groups.largest + Self.comparedTogether
    return nearest(filter, member, queries, query, scratch) { pool in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: room) { block in
        guard let block = block.baseAddress else { return }
        var limit = Float.infinity
        var count = 0
        func compare() {
          pool.offer(
            UnsafeBufferPointer(start: block, count: count), of: &rows, to: &asked)
          count = 0
        }
        near(groups, member, scratch) { (group, far) in
          if far <= limit { count += filter.gather(group, of: groups, into: block + count) }
          guard count >= Self.comparedTogether else { return }
          compare()
          guard pool.count >= k else { return }
          let distance = max(0, Self.key(pool.entries[k - 1]) + own)
          limit = groups.reach.distance(distance, level: level) - own
        }
        compare()
      }
    }
  }

  /// Calls `body` with all groups, those with near means first, and the keys of their means.
  func near(
    _ groups: GraphGroups, _ member: Int, _ scratch: GraphScratch,
    _ body: (_ group: Int, _ key: Float) -> Void
  ) {
    var means = groups.codes.rows(edges: nil, pairs: groups.codes.hasPairs)
    scratch.comparisonCount += groups.count
    withUnsafeTemporaryAllocation(of: Float.self, capacity: groups.count) { floats in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: groups.count) { order in
        guard let far = floats.baseAddress, let first = order.baseAddress else { return }
        for group in 0..<groups.count { order[group] = UInt32(truncatingIfNeeded: group) }
        basis_graph_kernels().pointee.keys(
          &means, scratch.queries + member, first, groups.count, far)
        GraphGroupOrder.fill(first, keys: UnsafeBufferPointer(start: far, count: groups.count))
        for group in order { body(Int(group), far[Int(group)]) }
      }
    }
  }

  /// Rows that are compared at once.
  private static var comparedTogether: Int { 48 }

  /// Measures what `body` leaves in a pool.
  private func nearest(
    _ filter: GraphFilter, _ member: Int, _ queries: Matrix, _ query: Int,
    _ scratch: GraphScratch, _ body: (inout GraphPool) -> Void
  ) -> [Neighbor] {
    // Whatever the rounding of the codes hides is measured.
    let kept = min(filter.population, index.codes.hasPairs ? 3 * k + 24 : k + k / 2 + 16)
    guard kept > 0 else { return [] }
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: kept + 1) { entries in
      guard let base = entries.baseAddress else { return [] }
      var pool = GraphPool(base, limit: kept)
      body(&pool)
      scratch.comparisonCount += pool.comparisonCount
      return measure(
        base, count: pool.count, isOfBytes: !index.codes.hasPairs, member, queries,
        query, scratch)
    }
  }
}
