import BasisCodecs
import BasisCore
import CBasisKernels

/// How a search goes through signs.
struct GraphSweep: Sendable {
  let signs: GraphSigns
  /// The groups whose order the signs have.
  let groups: GraphGroups?
  /// Which groups are left out, or nil for none.
  let level: (lower: Int, share: Float)?
  /// How many of the nearest by sign are compared as bytes.
  let wanted: Int
  /// In comparisons of single rows.
  let cost: Double

  /// Comparisons of single rows that take as long as a block, and as making the table of a query.
  static let blockCost = 5
  private static var tableCost: Double { 200 }
  /// And as turning to a group.
  private static var groupCost: Double { 8 }

  /// - Parameters:
  ///   - share: of all rows, how many are allowed.
  ///   - level: for the recall that is wanted; nil if that is not known.
  ///   - recall: that is wanted; nil if that is not known.
  init?(
    _ index: GraphIndex, _ groups: GraphGroups?, k: Int, share: Double,
    level: (lower: Int, share: Float)?,
    recall: Double?
  ) {
    guard let signs = index.signs else { return nil }
    self.signs = signs
    self.groups = groups
    wanted = Self.wanted(k, recall)
    let all = Double(Self.blockCost) * min(share * Double(index.count), Double(signs.blockCount))
    let fixed = Self.tableCost + Double(wanted)
    if let groups, let level {
      let order = groups.orderCost + Self.groupCost * Double(groups.count)
      let near = fixed + order + groups.reach.share(of: Double(k) / max(share, 1e-9)) * all
      if near < fixed + all {
        self.level = level
        cost = Self.expected(near, atMost: fixed + order + all)
        return
      }
    }
    self.level = nil
    cost = fixed + all
  }
}

extension GraphSweep {
  /// What a search through groups costs, of which only those that chance lets through are known:
  /// where a filter goes against the queries it costs the most that it may.
  static func expected(_ likely: Double, atMost most: Double) -> Double {
    likely + 0.6 * (most - likely)
  }

  private static func wanted(_ k: Int, _ recall: Double?) -> Int {
    guard let recall, recall < 0.995 else { return 16 * k + 128 }
    return recall > 0.96 ? 8 * k + 64 : 4 * k + 24
  }
}

extension GraphSearch {
  /// Goes through the signs of group after group, until the others are too far, or through those of
  /// all rows, for some queries together; and measures the nearest.
  ///
  /// - Parameter answer: called for each query in turn.
  func sweep(
    _ sweep: GraphSweep, _ filter: GraphFilter, _ asked: ArraySlice<Int>, of queries: Matrix,
    _ scratch: GraphScratch, _ answer: (_ query: Int, [Neighbor]) -> Void
  ) {
    let scan = CodeScan(
      .bits, queryCount: asked.count, groups: FastScan.paddedParts(sweep.signs.parts) / 4,
      wanted: sweep.wanted)
    filter.withPlaces(of: sweep.groups) { (places, mark) in
      for (slot, query) in asked.enumerated() {
        prepare(0, queries, query, scratch)
        setSigns(scan, slot, 0, scratch)
        guard let groups = sweep.groups, let level = sweep.level else { continue }
        goThrough(sweep, groups, level, scan, slot, places, mark, scratch)
      }
      if sweep.level == nil { goThrough(sweep.signs, scan, asked.count, places, mark, scratch) }
    }
    for (slot, query) in asked.enumerated() {
      prepare(0, queries, query, scratch)
      let keys = scan.smallest(slot)
      scratch.comparisonCount += keys.count
      let found = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: keys.count) { entries in
        for (place, key) in keys.enumerated() {
          entries[place] = UInt64(row(UInt32(truncatingIfNeeded: key), sweep)) << 1
        }
        return measure(
          entries.baseAddress, count: keys.count, isOfBytes: false, 0, queries, query, scratch)
      }
      answer(query, found)
    }
  }

  private func goThrough(
    _ signs: GraphSigns, _ scan: CodeScan, _ queryCount: Int, _ places: UnsafePointer<UInt64>,
    _ mark: (Int) -> Void, _ scratch: GraphScratch
  ) {
    let pointers = signs.pointers
    for block in 0..<signs.blockCount { mark(block) }
    let step = max(1, CodeScan.pieceBytes / pointers.stride)
    for first in stride(from: 0, to: signs.blockCount, by: step) {
      signs.collect(
        first..<min(first + step, signs.blockCount), pointers, scan, 0..<queryCount,
        allowed: places)
    }
    scratch.comparisonCount += GraphSweep.blockCost * signs.blockCount * queryCount
  }

  private func row(_ place: UInt32, _ sweep: GraphSweep) -> UInt32 {
    guard let groups = sweep.groups else { return place }
    return groups.members.withUnsafeBufferPointer { $0[Int(place)] }
  }

  private func setSigns(_ scan: CodeScan, _ slot: Int, _ member: Int, _ scratch: GraphScratch) {
    let codes = scratch.codes(of: member)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: index.codes.dimension) { weights in
      for column in weights.indices { weights[column] = Float(codes[column]) }
      scan.setSigns(
        slot, UnsafeBufferPointer(weights), unit: scratch.queries[member].scale / 2)
    }
  }

  private func goThrough(
    _ sweep: GraphSweep, _ groups: GraphGroups, _ level: (lower: Int, share: Float),
    _ scan: CodeScan, _ slot: Int, _ places: UnsafePointer<UInt64>, _ mark: (Int) -> Void,
    _ scratch: GraphScratch
  ) {
    let own = index.codes.squaredLength(scratch.queries[0])
    let words = (sweep.signs.blockCount + 63) / 64
    let pointers = sweep.signs.pointers
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { seen in
      seen.initialize(repeating: 0)
      func isSeen(_ block: Int) -> Bool { seen[block >> 6] >> UInt64(block & 63) & 1 == 1 }
      var limit = Float.infinity
      var (met, due) = (0, max(256, 8 * k))
      near(groups, 0, scratch) { (group, far) in
        guard far <= limit else { return }
        let blocks = groups.blocks(of: group)
        // Neighbours share the blocks where they meet.
        guard let first = blocks.first(where: { !isSeen($0) }) else { return }
        let end = isSeen(blocks.upperBound - 1) ? blocks.upperBound - 1 : blocks.upperBound
        for block in first..<end {
          seen[block >> 6] |= 1 << UInt64(block & 63)
          mark(block)
          let half = UInt64(block % 2 * GraphSigns.blockRows)
          met += UInt32(truncatingIfNeeded: places[block / 2] >> half).nonzeroBitCount
        }
        sweep.signs.collect(first..<end, pointers, scan, slot..<slot + 1, allowed: places)
        scratch.comparisonCount += GraphSweep.blockCost * (end - first)
        guard met >= due else { return }
        due = 2 * met
        if let distance = distance(ofNearest: scan, slot, sweep, scratch) {
          limit = groups.reach.distance(max(0, distance + own), level: level) - own
        }
      }
    }
  }

  /// The key of the `k`-th of those that signs say are nearest.
  private func distance(
    ofNearest scan: CodeScan, _ slot: Int, _ sweep: GraphSweep, _ scratch: GraphScratch
  ) -> Float? {
    let met = scan.smallest(slot)
    let count = FastScan.smallest(
      met.baseAddress.unsafelyUnwrapped, count: met.count, wanted: min(met.count, 3 * k + 24))
    guard count >= k else { return nil }
    scratch.comparisonCount += count
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { ids in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { room in
        var keys = room
        for place in 0..<count {
          ids[place] = row(UInt32(truncatingIfNeeded: met[place]), sweep)
        }
        var rows = index.codes.rows(edges: nil, pairs: false)
        index.codes.bytes.touch(UnsafeBufferPointer(ids))
        basis_graph_kernels().pointee.keys(
          &rows, scratch.queries, ids.baseAddress, count, keys.baseAddress)
        keys.sort()
        return keys[k - 1]
      }
    }
  }
}
