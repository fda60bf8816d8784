import BasisCore
import CBasisKernels
import Synchronization

/// The nearest rows that are known of each row, as sorted entries, `size` a row; `UInt64.max` where
/// there is none.
final class GraphPools: Sendable {
  let size: Int
  private let storage: Mutex<GraphBlock>
  private let pointer: SharedPointer<UInt64>

  var entries: UnsafeMutablePointer<UInt64> { pointer.base }

  /// Pools by row number, from groups around random rows.
  init(_ builder: GraphBuilder, of present: [UInt32]) throws(BasisError) {
    size = builder.settings.candidateCount
    var (block, base) = try Self.empty(count: builder.codes.count, size: size, in: builder.run)
    let finder = GroupFinder(builder: builder, present: present, size: size)
    try finder.findInGroups(base)
    if present.count > finder.largestGroup {
      for _ in 0..<builder.settings.refinementCount {
        let (next, target) = try Self.empty(
          count: builder.codes.count, size: size, in: builder.run)
        try finder.refine(base, into: target)
        (block, base) = (next, target)
      }
    }
    storage = Mutex(block)
    pointer = base
  }

  /// Pools by position among the present rows: their nearest ones of the same block.
  init(_ builder: GraphBuilder, amongBlocksOf present: [UInt32]) throws(BasisError) {
    size = min(32, builder.settings.candidateCount)
    let (block, base) = try Self.empty(count: present.count, size: size, in: builder.run)
    let finder = GroupFinder(builder: builder, present: present, size: size)
    try parallelFor(present.count, grain: 1024, in: builder.run) {
      (_, range) throws(BasisError) in
      let positions = range.map { UInt32(truncatingIfNeeded: $0) }
      finder.offer(
        rows: Array(present[range]), ids: positions,
        asks: Array(repeating: 1, count: range.count), base)
      for position in range {
        let pool = base.base + position * finder.size
        for slot in 0..<finder.size where pool[slot] != .max {
          let other = Int(UInt32(truncatingIfNeeded: pool[slot]) >> 1)
          pool[slot] = (pool[slot] >> 32) << 32 | UInt64(present[other]) << 1
        }
      }
    }
    storage = Mutex(block)
    pointer = base
  }

  private static func empty(count: Int, size: Int, in run: RunContext) throws(BasisError)
    -> (GraphBlock, SharedPointer<UInt64>)
  {
    var block = GraphBlock(count: count, stride: 8 * size)
    var base: UnsafeMutablePointer<UInt64>?
    block.withMutableBytes { base = $0.assumingMemoryBound(to: UInt64.self) }
    let shared = SharedPointer(base.unsafelyUnwrapped)
    try parallelFor(count, grain: 4096, in: run) { (_, range) throws(BasisError) in
      (shared.base + range.lowerBound * size).update(repeating: .max, count: range.count * size)
    }
    return (block, shared)
  }
}

private struct GroupFinder: Sendable {
  let builder: GraphBuilder
  let present: [UInt32]
  let size: Int

  private var settings: GraphIndex.Settings { builder.settings }
  private var codes: GraphCodes { builder.codes }
  private var perRow: Int { settings.groupsPerRow }

  /// What is larger is divided: rows that are equal all fall into one group.
  var largestGroup: Int { 4 * settings.groupSize * perRow }

  func findInGroups(_ pools: SharedPointer<UInt64>) throws(BasisError) {
    guard present.count > 2 * settings.groupSize else {
      offer(
        rows: present, ids: present, asks: Array(repeating: 1, count: present.count), pools)
      return
    }
    for partition in 0..<settings.partitionCount {
      let groups = try divide(partition)
      builder.run.report(
        "graph", partition, of: settings.partitionCount, unit: "divisions")
      // A row's pool changes in one group at a time.
      for slot in 0..<perRow {
        try parallelFor(groups.count, grain: 1, in: builder.run) {
          (index, _) throws(BasisError) in
          let group = groups[index]
          offer(
            rows: group.rows, ids: group.rows,
            asks: group.slots.map { $0 == UInt8(truncatingIfNeeded: slot) ? 1 : 0 }, pools)
        }
      }
    }
  }

  private struct Group: Sendable {
    var rows: [UInt32] = []
    /// Which of its groups this one is to a row.
    var slots: [UInt8] = []
  }

  /// Each row goes to the groups of the nearest of some random rows.
  private func divide(_ partition: Int) throws(BasisError) -> [Group] {
    var generator = builder.run.generator("graph.groups", chunk: partition)
    let wanted = (present.count + settings.groupSize - 1) / settings.groupSize * perRow
    let pivots = generator.sample(min(wanted, present.count), of: present.count)
    let packed = PackedRows(codes, pivots.map { present[$0] })
    let limit = min(perRow, pivots.count)
    let nearest = try parallelMap(present.count, grain: 2048, in: builder.run) {
      (_, range) throws(BasisError) -> [UInt32] in
      var rows = codes.rows(edges: nil, pairs: false)
      var members = packed.rows
      var query = [Int8](repeating: 0, count: codes.width)
      var scratch = [Float](repeating: 0, count: 256)
      var entries = [UInt64](repeating: 0, count: limit)
      var found: [UInt32] = []
      found.reserveCapacity(range.count * limit)
      let kernels = basis_graph_kernels().pointee
      for row in present[range] {
        query.withUnsafeMutableBufferPointer { bytes in
          var asked = codes.query(row, &rows, into: bytes.baseAddress)
          kernels.nearest(&members, packed.count, &asked, limit, &scratch, &entries)
        }
        for entry in entries { found.append(UInt32(truncatingIfNeeded: entry) >> 1) }
      }
      return found
    }
    var groups = [Group](repeating: Group(), count: pivots.count)
    var position = 0
    for chunk in nearest {
      for (offset, group) in chunk.enumerated() where Int(group) < groups.count {
        groups[Int(group)].rows.append(present[position + offset / limit])
        groups[Int(group)].slots.append(UInt8(truncatingIfNeeded: offset % limit))
      }
      position += chunk.count / limit
    }
    guard groups.contains(where: { $0.rows.count > largestGroup }) else { return groups }
    return groups.flatMap { group in
      stride(from: 0, to: group.rows.count, by: largestGroup).map { start in
        let part = start..<min(start + largestGroup, group.rows.count)
        return Group(rows: Array(group.rows[part]), slots: Array(group.slots[part]))
      }
    }
  }

  /// Compares all pairs of some rows.
  func offer(
    rows: [UInt32], ids: [UInt32], asks: [UInt8], _ pools: SharedPointer<UInt64>
  ) {
    guard rows.count > 1, asks.contains(1) else { return }
    let packed = PackedRows(codes, rows)
    var members = packed.rows
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * rows.count + 256) { scratch in
      basis_graph_kernels().pointee.offer(
        &members, ids, asks, rows.count, pools.base, size, scratch.baseAddress)
    }
  }

  /// What the near rows of near rows add.
  func refine(_ old: SharedPointer<UInt64>, into new: SharedPointer<UInt64>) throws(BasisError) {
    let reach = min(16, size)
    try parallelFor(present.count, grain: 1024, in: builder.run) {
      (_, range) throws(BasisError) in
      var rows = codes.rows(edges: nil, pairs: false)
      var seen = [UInt64](repeating: 0, count: codes.count / 64 + 1)
      var scratch = [UInt32](repeating: 0, count: 2 * reach * reach)
      for row in present[range] {
        basis_graph_kernels().pointee.refine(
          &rows, row, old.base, size, reach, &seen, &scratch, new.base + Int(row) * size)
      }
    }
  }
}

/// Some rows' bytes and facts, one after another.
struct PackedRows: Sendable {
  let count: Int
  private let bytes: GraphBlock
  private let facts: GraphBlock
  private let shape: GraphRowShape

  init(_ codes: GraphCodes, _ rows: [UInt32], pairs: Bool = false) {
    count = rows.count
    let source = pairs ? codes.pairs : codes.bytes
    func copies(_ source: GraphBlock) -> GraphBlock {
      GraphBlock(count: rows.count, stride: source.stride) { target in
        for (position, row) in rows.enumerated() {
          (target + position * source.stride).copyMemory(
            from: source.base + Int(row) * source.stride, byteCount: source.stride)
        }
      }
    }
    bytes = copies(source)
    facts = copies(codes.facts)
    shape = GraphRowShape(codes, isPairs: pairs)
  }

  /// Good as long as this lives.
  var rows: basis_graph_rows { shape.rows(bytes, facts) }
}

/// What codes have in common with copies of some of them.
struct GraphRowShape: Sendable {
  let dimension: Int
  let width: Int
  let isPairs: Bool

  init(_ codes: GraphCodes, isPairs: Bool) {
    dimension = codes.dimension
    width = codes.width
    self.isPairs = isPairs
  }

  func rows(_ block: GraphBlock, _ facts: GraphBlock) -> basis_graph_rows {
    var rows = basis_graph_rows()
    rows.codes = block.base.assumingMemoryBound(to: UInt8.self)
    rows.stride = block.stride
    rows.dimension = dimension
    rows.width = width
    rows.is_pairs = isPairs ? 1 : 0
    if isPairs || width - dimension >= 8 {
      // Facts end a row of bytes, and follow the pairs of a row of pairs.
      rows.facts = (block.base + (isPairs ? width / 4 : width - 8))
        .assumingMemoryBound(to: Float.self)
      rows.facts_stride = block.stride / 4
    } else {
      rows.facts = facts.base.assumingMemoryBound(to: Float.self)
      rows.facts_stride = 2
    }
    return rows
  }
}
