import BasisCore
import BasisFormats
import CBasisKernels

/// One search of a ``GraphIndex``: how wide, and for how many.
struct GraphSearch: Sendable {
  let index: GraphIndex
  let k: Int
  private let width: Int
  private let filter: GraphFilter?
  /// A beam through all rows that holds enough of those that are allowed, where they are many.
  private let wideBeam: Int?
  /// How many those are.
  private let enough: Int
  /// The groups that are looked at for allowed rows, and for which recall.
  private let groups: (groups: GraphGroups, level: (lower: Int, share: Float))?
  /// What is done instead, where that is faster.
  private let signs: GraphSweep?

  /// - Parameters:
  ///   - recall: what is wanted of a search with a filter; nil if that is not known.
  ///   - queryCount: how many queries there are.
  init(
    _ index: GraphIndex, k: Int, width: Int, recall: Double?, filter allowed: Bitmap?,
    queryCount: Int
  ) throws(BasisError) {
    self.index = index
    self.k = k
    self.width = width
    let population = allowed?.population ?? index.count
    guard let allowed, population < index.count else {
      (filter, wideBeam, enough, groups, signs) = (nil, nil, 0, nil, nil)
      return
    }
    // What is found among the groups is not all that is there.
    let level = recall.flatMap { GraphReach.level(of: $0 + 0.4 * (1 - $0)) }
    let share = Double(population) / Double(index.count)
    // As many of all rows as hold k that are allowed, if chance allows them.
    let depth = Int(min(Double(index.count), Double(k) / max(share, 1e-9)).rounded(.up))
    let measured = recall.flatMap { index.calibration?.width(for: $0, k: depth) } ?? index.count
    let wide = min(index.count, max(width, measured, depth + depth / 2))
    var groups: GraphGroups?
    var least = Double(population)
    let all = try index.groups.get()
    if let made = all, level != nil {
      let found = made.reach.share(of: Double(k) / max(share, 1e-9)) * least
      let expected = GraphSweep.expected(
        made.orderCost + found, atMost: made.orderCost + Double(population))
      if expected < least { (groups, least) = (made, expected) }
    }
    var signs = GraphSweep(index, all, k: k, share: share, level: level, recall: recall)
    if let sweep = signs, sweep.cost < least {
      (groups, least) = (nil, sweep.cost)
    } else {
      signs = nil
    }
    self.signs = signs
    wideBeam = Self.cost * Double(wide) < least ? wide : nil
    // Fewer than chance lets through, and the nearest may lie beyond.
    enough = min(population, max(k, Int(0.65 * share * Double(wide))))
    self.groups = groups.flatMap { groups in level.map { (groups, $0) } }
    let way: GraphFilter.Way =
      signs.map { .signs($0.groups) } ?? groups.map { .groups($0) } ?? .rows
    filter = GraphFilter(allowed, for: way, isOften: queryCount >= 16)
  }

  /// Comparisons of codes that take as long as a beam's walk from one row to its neighbours.
  private static var cost: Double { 27 }

  /// Answers some queries.
  func answer(
    _ range: Range<Int>, of queries: Matrix, _ scratch: GraphScratch, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    var results = [[Neighbor]](repeating: [], count: range.count)
    var open: [Int] = []
    for start in stride(from: range.lowerBound, to: range.upperBound, by: GraphScratch.group) {
      try run.checkCancelled()
      let group = start..<min(start + GraphScratch.group, range.upperBound)
      if filter == nil || wideBeam != nil {
        for query in group { prepare(query - group.lowerBound, queries, query, scratch) }
        walk(0..<group.count, width: wideBeam ?? width, scratch)
      }
      for query in group {
        let found = answer(query, query - group.lowerBound, of: queries, scratch)
        if let found { results[query - range.lowerBound] = found } else { open.append(query) }
      }
    }
    guard let signs, let filter else { return results }
    for start in stride(from: 0, to: open.count, by: Self.together) {
      try run.checkCancelled()
      let some = open[start..<min(start + Self.together, open.count)]
      sweep(signs, filter, some, of: queries, scratch) { (query, found) in
        results[query - range.lowerBound] = found
      }
    }
    return results
  }

  /// Queries that signs are gone through for at once.
  private static var together: Int { 32 }

  /// One answer, or nil if signs are to be gone through for it.
  private func answer(
    _ query: Int, _ member: Int, of queries: Matrix, _ scratch: GraphScratch
  ) -> [Neighbor]? {
    guard let filter else { return measureBeam(member, queries, query, scratch) }
    if wideBeam != nil, keepAllowed(member, filter, scratch) >= enough {
      return measureBeam(member, queries, query, scratch)
    }
    guard signs == nil else { return nil }
    if wideBeam == nil { prepare(member, queries, query, scratch) }
    guard let (groups, level) = groups else {
      return scan(filter, member, queries, query, scratch)
    }
    return probe(filter, groups, level: level, member, queries, query, scratch)
  }

  private func measureBeam(
    _ member: Int, _ queries: Matrix, _ query: Int, _ scratch: GraphScratch
  ) -> [Neighbor] {
    let walk = scratch.walks[member]
    return measure(
      walk.beam, count: walk.beam_count, isOfBytes: !index.codes.hasPairs, member, queries, query,
      scratch)
  }

  /// Leaves only allowed rows in a member's beam; how many they are.
  private func keepAllowed(_ member: Int, _ filter: GraphFilter, _ scratch: GraphScratch) -> Int {
    guard let beam = scratch.walks[member].beam else { return 0 }
    var kept = 0
    for position in 0..<scratch.walks[member].beam_count
    where filter.allowed[Int(UInt32(truncatingIfNeeded: beam[position]) >> 1)] {
      beam[kept] = beam[position]
      kept += 1
    }
    scratch.walks[member].beam_count = kept
    return kept
  }

  /// Walks of some members, who all get beams of this width.
  private func walk(_ members: Range<Int>, width: Int, _ scratch: GraphScratch) {
    scratch.setWidth(width, step: width < 24 ? 1 : 2)
    var rows = index.codes.rows(edges: index.edges, pairs: index.codes.hasPairs)
    let seeds = width >= index.count ? index.count : max(2, width / 32)
    for member in members {
      scratch.walks[member].entry_count = index.entrances.nearest(
        to: scratch.queries[member], limit: seeds, into: scratch.entries(of: member))
    }
    basis_graph_kernels().pointee.walk(
      &rows, scratch.queries + members.lowerBound, scratch.walks + members.lowerBound,
      members.count)
    for member in members {
      scratch.comparisonCount += index.entrances.rows.count + scratch.walks[member].touched_count
    }
  }

  /// A query's codes.
  func prepare(_ member: Int, _ queries: Matrix, _ query: Int, _ scratch: GraphScratch) {
    let codes = index.codes
    queries.withRow(query) { codes.preparing.query($0, into: scratch.prepared) }
    var sum: Int32 = 0
    let scale = basis_graph_kernels().pointee.encode(
      scratch.prepared, codes.mean, codes.dimension, codes.width, scratch.codes(of: member), &sum)
    scratch.queries[member].sum = sum
    scratch.queries[member].scale = 2 * scale
  }

  /// The `k` nearest of some entries by their exact distance.
  ///
  /// - Parameter isOfBytes: whether keys are of bytes; if they are of pairs, they are made anew.
  func measure(
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
            var rows = index.codes.rows(edges: nil, pairs: false)
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
