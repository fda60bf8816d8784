import BasisCore
import BasisFormats
import CBasisKernels

/// One search of a ``GraphIndex``: how wide, and for how many.
struct GraphSearch: Sendable {
  private let index: GraphIndex
  private let k: Int
  private let width: Int
  private let filter: GraphFilter?
  private let scansAllowed: Bool
  /// A beam through all rows that holds enough of those that are allowed, where they are many.
  private let wideBeam: Int?
  /// How many those are.
  private let enough: Int

  init(_ index: GraphIndex, k: Int, width: Int, filter allowed: Bitmap?) {
    self.index = index
    self.k = k
    // The graph was made for walks through all rows.
    let unfiltered = width
    let width = allowed == nil ? width : min(index.count, width * 8 / 5 + 12)
    self.width = width
    enough = max(k, unfiltered / 2)
    // About as long as a walk takes, for a scan reads in order.
    let scanned = max(k, 64 * width)
    let filter = allowed.map { GraphFilter($0, listed: scanned) }
    self.filter = filter?.population == index.count ? nil : filter
    scansAllowed = filter.map { $0.population <= scanned } ?? false
    wideBeam = filter.flatMap { filter in
      guard 5 * filter.population >= 2 * index.count, width < index.count else { return nil }
      // A beam's first rows are surer than its last: less than in proportion will do.
      let share = Double(filter.population) / Double(index.count)
      let wide = Double(unfiltered) / share * (1.05 - 0.5 * (1 - share))
      return max(k, min(index.count, Int(wide) + 12))
    }
  }

  /// Answers some queries, at most as many as walks take turns.
  func run(
    _ group: Range<Int>, of queries: Matrix, _ scratch: GraphScratch,
    into results: inout [[Neighbor]]
  ) throws(BasisError) {
    for query in group { prepare(query - group.lowerBound, queries, query, scratch) }
    if let filter, scansAllowed {
      for query in group {
        results.append(scan(filter, query - group.lowerBound, queries, query, scratch))
      }
      return
    }
    var found = [[Neighbor]?](repeating: nil, count: group.count)
    if let filter, let wide = wideBeam {
      walk(0..<group.count, width: wide, filter: nil, scratch)
      for member in 0..<group.count {
        let walk = scratch.walks[member]
        guard let beam = walk.beam else { continue }
        var count = 0
        for position in 0..<walk.beam_count
        where filter.allowed[Int(UInt32(truncatingIfNeeded: beam[position]) >> 1)] {
          beam[count] = beam[position]
          count += 1
        }
        guard count >= enough else { continue }
        found[member] = measure(
          beam, count: count, isOfBytes: !index.codes.hasBits, member, queries,
          group.lowerBound + member, scratch)
      }
    }
    let rest = (0..<group.count).filter { found[$0] == nil }
    if rest.count == group.count {
      walk(0..<group.count, width: width, filter: filter, scratch)
    } else {
      for member in rest { walk(member..<member + 1, width: width, filter: filter, scratch) }
    }
    for member in rest {
      let walk = scratch.walks[member]
      let query = group.lowerBound + member
      if let filter, walk.gave_up != 0 || walk.beam_count < min(width, filter.population) {
        found[member] = scan(filter, member, queries, query, scratch)
      } else {
        found[member] = measure(
          walk.beam, count: walk.beam_count, isOfBytes: !index.codes.hasBits, member, queries,
          query, scratch)
      }
    }
    results += found.map { $0 ?? [] }
  }

  /// Walks of some members, who all get beams of this width.
  private func walk(
    _ members: Range<Int>, width: Int, filter: GraphFilter?, _ scratch: GraphScratch
  ) {
    scratch.setWidth(
      width, step: width < 24 ? 1 : 2,
      budget: filter.map { min(index.count, $0.population / 2 + width) } ?? index.count)
    var rows = index.codes.rows(edges: index.edges, bits: index.codes.hasBits)
    let seeds = width >= index.count ? index.count : max(2, width / 32)
    withAllowed(filter) { allowed in
      for member in members {
        scratch.walks[member].allowed = allowed
        scratch.walks[member].entry_count =
          filter == nil
          ? index.entrances.nearest(
            to: scratch.queries[member], limit: seeds, into: scratch.entries(of: member))
          : start(member, scratch)
      }
      basis_graph_kernels().pointee.walk(
        &rows, scratch.queries + members.lowerBound, scratch.walks + members.lowerBound,
        members.count)
    }
  }

  private func withAllowed(_ filter: GraphFilter?, _ body: (UnsafePointer<UInt64>?) -> Void) {
    guard let filter else { return body(nil) }
    filter.allowed.words.withUnsafeBufferPointer { body($0.baseAddress) }
  }

  /// A query's codes.
  private func prepare(_ member: Int, _ queries: Matrix, _ query: Int, _ scratch: GraphScratch) {
    let codes = index.codes
    queries.withRow(query) { codes.preparing.query($0, into: scratch.prepared) }
    var sum: Int32 = 0
    let scale = basis_graph_kernels().pointee.encode(
      scratch.prepared, codes.mean, codes.dimension, codes.width, scratch.codes(of: member), &sum)
    scratch.queries[member].sum = sum
    scratch.queries[member].scale = 2 * scale
  }

  /// Where a filtered walk starts: the nearest of some allowed rows, and of the entrances those
  /// that are allowed.
  private func start(_ member: Int, _ scratch: GraphScratch) -> Int {
    guard let filter else { return 0 }
    let out = scratch.entries(of: member)
    var count = 0
    let near = index.entrances.nearest(to: scratch.queries[member], limit: 16, into: out)
    for position in 0..<near where filter.allowed[Int(out[position])] {
      out[count] = out[position]
      count += 1
    }
    for row in filter.sample.prefix(GraphScratch.entryCapacity - count) {
      out[count] = row
      count += 1
    }
    return count
  }

  /// Compares all allowed rows as bytes, and measures the nearest.
  private func scan(
    _ filter: GraphFilter, _ member: Int, _ queries: Matrix, _ query: Int, _ scratch: GraphScratch
  ) -> [Neighbor] {
    var rows = index.codes.rows(edges: nil, bits: false)
    var asked = scratch.queries[member]
    let kernels = basis_graph_kernels().pointee
    // Whatever the rounding of the bytes hides is measured.
    let kept = min(filter.population, k + k / 2 + 16)
    var pool = [UInt64](repeating: .max, count: kept)
    guard kept > 0 else { return [] }
    pool.withUnsafeMutableBufferPointer { pool in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: GraphFilter.block) { keys in
        var bound = Float.infinity
        filter.forEachBlock { ids in
          index.codes.bytes.touch(ids)
          kernels.keys(&rows, &asked, ids.baseAddress, ids.count, keys.baseAddress)
          for position in 0..<ids.count where keys[position] <= bound {
            let entry = Self.entry(keys[position], ids[position])
            guard entry < pool[kept - 1] else { continue }
            var place = kept - 1
            while place > 0, pool[place - 1] > entry {
              pool[place] = pool[place - 1]
              place -= 1
            }
            pool[place] = entry
            if pool[kept - 1] != .max { bound = Self.key(pool[kept - 1]) }
          }
        }
      }
    }
    let count = pool.firstIndex(of: .max) ?? kept
    return pool.withUnsafeMutableBufferPointer {
      measure($0.baseAddress, count: count, isOfBytes: true, member, queries, query, scratch)
    }
  }

  /// The `k` nearest of some entries by their exact distance.
  ///
  /// - Parameter isOfBytes: whether keys are of bytes; if they are of bits, they are made anew.
  private func measure(
    _ entries: UnsafeMutablePointer<UInt64>?, count: Int, isOfBytes: Bool, _ member: Int,
    _ queries: Matrix, _ query: Int, _ scratch: GraphScratch
  ) -> [Neighbor] {
    guard let entries, count > 0 else { return [] }
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { ids in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count) { floats in
        guard let ids = ids.baseAddress, let out = floats.baseAddress else { return [] }
        for position in 0..<count {
          ids[position] = UInt32(truncatingIfNeeded: entries[position]) >> 1
        }
        var few = count
        // A full beam promises the exact answer.
        if count > k && width < index.count {
          if isOfBytes {
            for position in 0..<count { out[position] = Self.key(entries[position]) }
          } else {
            var rows = index.codes.rows(edges: nil, bits: false)
            index.codes.bytes.touch(UnsafeBufferPointer(start: ids, count: count))
            basis_graph_kernels().pointee.keys(
              &rows, scratch.queries + member, ids, count, out)
          }
          few = keepNearest(ids, keys: out, count, scratch: out + count)
        }
        index.rowBlock?.touch(
          records: UnsafeBufferPointer(start: ids, count: few), stride: 4 * index.dimension)
        let scorer = queries.withRow(query) { QueryScorer($0, metric: index.metric) }
        index.rows.withUnsafeFloats { floats in
          guard let base = floats.baseAddress else { return }
          scorer.distances(
            to: base, ids: UnsafeBufferPointer(start: ids, count: few), stride: index.dimension,
            inverseNorms: index.inverseNorms.base.assumingMemoryBound(to: Float.self), into: out)
        }
        return answer(ids, out, few)
      }
    }
  }

  private func answer(
    _ ids: UnsafeMutablePointer<UInt32>, _ distances: UnsafeMutablePointer<Float>, _ count: Int
  ) -> [Neighbor] {
    var found: [Neighbor] = []
    found.reserveCapacity(count)
    for position in 0..<count where !distances[position].isNaN {
      found.append(Neighbor(id: Int(ids[position]), distance: distances[position]))
    }
    found.sort()
    if found.count > k { found.removeLast(found.count - k) }
    return found
  }

  /// Puts those that may be among the `k` nearest, give or take the rounding of codes, first, and
  /// returns how many they are.
  private func keepNearest(
    _ ids: UnsafeMutablePointer<UInt32>, keys: UnsafeMutablePointer<Float>, _ count: Int,
    scratch best: UnsafeMutablePointer<Float>
  ) -> Int {
    var kept = 0
    for position in 0..<count {
      let key = keys[position]
      guard kept < k || key < best[k - 1] else { continue }
      var place = kept < k ? kept : k - 1
      while place > 0, best[place - 1] > key {
        best[place] = best[place - 1]
        place -= 1
      }
      best[place] = key
      kept = min(kept + 1, k)
    }
    // Three standard deviations of a difference.
    let limit = best[k - 1] + 4.25 * index.codes.roundingError
    var few = 0
    for position in 0..<count where keys[position] <= limit {
      ids[few] = ids[position]
      few += 1
    }
    return few
  }

  static func entry(_ key: Float, _ row: UInt32) -> UInt64 {
    var bits = key.bitPattern
    bits ^= UInt32(bitPattern: Int32(bitPattern: bits) >> 31) | 0x8000_0000
    return UInt64(bits) << 32 | UInt64(row) << 1
  }

  static func key(_ entry: UInt64) -> Float {
    var bits = UInt32(truncatingIfNeeded: entry >> 32)
    bits ^= bits & 0x8000_0000 != 0 ? 0x8000_0000 : 0xFFFF_FFFF
    return Float(bitPattern: bits)
  }
}
