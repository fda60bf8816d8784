import BasisCore
import CBasisKernels
import Synchronization

/// Links rows to near rows.
struct GraphBuilder: Sendable {
  let settings: GraphIndex.Settings
  let codes: GraphCodes
  let run: RunContext
  private let scratches = GraphScratchPool()

  init(settings: GraphIndex.Settings, codes: GraphCodes, run: RunContext) {
    self.settings = settings
    self.codes = codes
    self.run = run
  }

  var degree: Int { settings.maximumDegree }
  private var grain: Int { 256 }

  /// Rows without neighbours.
  func emptyEdges(count: Int) -> GraphBlock {
    GraphBlock(count: count, stride: 4 * degree) { raw in
      let edges = raw.assumingMemoryBound(to: UInt32.self)
      for row in 0..<count {
        for slot in 0..<degree { edges[row * degree + slot] = UInt32(truncatingIfNeeded: row) }
      }
    }
  }

  // MARK: Building

  /// Links rows that have no neighbours yet to one another.
  func link(_ present: [UInt32], in edges: inout GraphBlock) throws(BasisError) {
    guard present.count > 1, codes.dimension > 0 else { return }
    let pools = try GraphPools(self, of: present)
    let shared = mutable(&edges)
    var rows = codes.rows(edges: nil, pairs: false)
    // One place stays free, for the edge that may be needed to be reached.
    let limit = degree - 1
    let slack = settings.slack
    let poolSize = pools.size
    let kernelRows = SharedValue(rows)
    try parallelFor(present.count, grain: grain, in: run) { (_, range) throws(BasisError) in
      var rows = kernelRows.value
      for row in present[range] {
        let pool = pools.entries + Int(row) * poolSize
        var count = 0
        while count < poolSize, pool[count] != .max { count += 1 }
        _ = basis_graph_kernels().pointee.prune(
          &rows, row, pool, count, slack, limit, shared.base + Int(row) * degree)
      }
    }
    rows.degree = degree
    try addReverse(of: present, in: shared)
    withExtendedLifetime(pools) {}
  }

  /// Each neighbour of these rows gets an edge back, and chooses again where it has too many.
  private func addReverse(
    of sources: [UInt32], in edges: SharedPointer<UInt32>
  ) throws(BasisError) {
    // Edges by target, in the order of sources.
    var starts = [Int](repeating: 0, count: codes.count + 1)
    forEachEdge(of: sources, in: edges) { starts[Int($1) + 1] += 1 }
    for row in 0..<codes.count { starts[row + 1] += starts[row] }
    var incoming = [UInt32](repeating: 0, count: starts[codes.count])
    var places = starts
    forEachEdge(of: sources, in: edges) { source, target in
      incoming[places[Int(target)]] = source
      places[Int(target)] += 1
    }
    let (from, sorted) = (starts, incoming)
    let kernelRows = SharedValue(codes.rows(edges: nil, pairs: false))
    let (degree, slack) = (degree, settings.slack)
    try parallelFor(codes.count, grain: 1024, in: run) { (_, range) throws(BasisError) in
      var rows = kernelRows.value
      var candidates: [UInt32] = []
      var keys: [Float] = []
      var entries: [UInt64] = []
      for target in range where from[target] < from[target + 1] {
        let row = UInt32(truncatingIfNeeded: target)
        let list = edges.base + target * degree
        candidates.removeAll(keepingCapacity: true)
        var count = 0
        while count < degree, list[count] != row {
          candidates.append(list[count])
          count += 1
        }
        for source in sorted[from[target]..<from[target + 1]]
        where !candidates.prefix(count).contains(source) {
          candidates.append(source)
        }
        if candidates.count < degree {
          for slot in count..<candidates.count { list[slot] = candidates[slot] }
          continue
        }
        keys.reserveCapacity(candidates.count)
        if keys.count < candidates.count {
          keys = Array(repeating: 0, count: candidates.count)
          entries = Array(repeating: 0, count: candidates.count)
        }
        basis_graph_kernels().pointee.sort(
          &rows, row, candidates, candidates.count, &keys, &entries)
        let kept = basis_graph_kernels().pointee.prune(
          &rows, row, entries, candidates.count, slack, degree - 1, list)
        for slot in kept..<degree { list[slot] = row }
      }
    }
  }

  private func forEachEdge(
    of sources: [UInt32], in edges: SharedPointer<UInt32>, _ body: (UInt32, UInt32) -> Void
  ) {
    for source in sources {
      let list = edges.base + Int(source) * degree
      for slot in 0..<degree {
        guard list[slot] != source else { break }
        body(source, list[slot])
      }
    }
  }

  // MARK: Inserting

  /// Links rows without neighbours into the graph that is there, as it is before the first of them.
  ///
  /// - Parameter present: those that are in the graph then.
  func insert(
    _ batch: [UInt32], among present: [UInt32], from entrances: GraphEntrances,
    in edges: inout GraphBlock
  ) throws(BasisError) {
    guard !batch.isEmpty, codes.dimension > 0 else { return }
    let shared = mutable(&edges)
    let pools = try GraphPools(self, amongBlocksOf: batch)
    let snapshot = edges
    let poolSize = pools.size
    let (degree, slack) = (degree, settings.slack)
    let width = max(64, settings.candidateCount)
    let chosen = Mutex<[(Int, [UInt32])]>([])
    try parallelFor(batch.count, grain: 64, in: run) { (chunk, range) throws(BasisError) in
      var lists: [UInt32] = []
      scratches.with(count: codes.count, width: codes.width) { scratch in
        var rows = codes.rows(edges: snapshot, pairs: false)
        for position in range {
          let row = batch[position]
          let found = walk(row, width: width, from: entrances, snapshot, scratch)
          let pool = UnsafeBufferPointer(
            start: pools.entries + position * poolSize, count: poolSize)
          let entries = Set(found.map { $0 & ~1 } + pool.filter { $0 != .max }).sorted()
          var list = [UInt32](repeating: row, count: degree)
          _ = basis_graph_kernels().pointee.prune(
            &rows, row, entries, entries.count, slack, degree - 1, &list)
          lists += list
        }
      }
      chosen.withLock { $0.append((chunk, lists)) }
    }
    for (chunk, lists) in chosen.withLock({ $0 }) {
      for (offset, target) in lists.enumerated() {
        let position = chunk * 64 + offset / degree
        shared.base[Int(batch[position]) * degree + offset % degree] = target
      }
    }
    try addReverse(of: batch, in: shared)
    withExtendedLifetime(pools) {}
    try makeReachable(present, from: entrances, in: &edges)
  }

  /// The nearest rows to a row that a walk finds, as entries.
  private func walk(
    _ row: UInt32, width: Int, from entrances: GraphEntrances, _ edges: GraphBlock,
    _ scratch: GraphScratch
  ) -> UnsafeBufferPointer<UInt64> {
    var rows = codes.rows(edges: edges, pairs: false)
    scratch.setWidth(width, step: 2)
    let query = scratch.queries
    query.pointee = codes.query(row, &rows, into: scratch.codes(of: 0))
    scratch.walks.pointee.entry_count = entrances.nearest(
      to: query.pointee, limit: min(4, entrances.rows.count), into: scratch.entries(of: 0))
    basis_graph_kernels().pointee.walk(&rows, query, scratch.walks, 1)
    return UnsafeBufferPointer(
      start: scratch.walks.pointee.beam, count: scratch.walks.pointee.beam_count)
  }

  // MARK: Reaching

  /// Adds edges until all rows in the graph can be reached from the first entrance.
  func makeReachable(
    _ present: [UInt32], from entrances: GraphEntrances, in edges: inout GraphBlock
  ) throws(BasisError) {
    guard let first = entrances.rows.first else { return }
    let shared = mutable(&edges)
    let degree = degree
    var reached = Bitmap(count: codes.count)
    var open: [UInt32] = []
    func reach(from row: UInt32) {
      reached[Int(row)] = true
      open.append(row)
      while let next = open.popLast() {
        let list = shared.base + Int(next) * degree
        for slot in 0..<degree {
          guard list[slot] != next else { break }
          guard !reached[Int(list[slot])] else { continue }
          reached[Int(list[slot])] = true
          open.append(list[slot])
        }
      }
    }
    reach(from: first)
    var last = first
    try scratches.with(count: codes.count, width: codes.width) { (scratch) throws(BasisError) in
      for row in present where !reached[Int(row)] {
        try run.checkCancelled()
        // Only what is reached is found. The row reached last has a free place at any rate.
        let found = walk(row, width: 64, from: entrances, edges, scratch).map {
          UInt32(truncatingIfNeeded: $0) >> 1
        }
        let near = found.first { reached[Int($0)] && free($0, in: shared) != nil }
        let source =
          near ?? (free(last, in: shared) == nil ? nil : last)
          ?? present.first { reached[Int($0)] && free($0, in: shared) != nil }
        if let source, let slot = free(source, in: shared) {
          shared.base[Int(source) * degree + slot] = row
        }
        last = row
        reach(from: row)
      }
    }
  }

  private func free(_ row: UInt32, in edges: SharedPointer<UInt32>) -> Int? {
    (0..<degree).first { edges.base[Int(row) * degree + $0] == row }
  }

  private func mutable(_ edges: inout GraphBlock) -> SharedPointer<UInt32> {
    var pointer: UnsafeMutablePointer<UInt32>?
    edges.withMutableBytes { pointer = $0.assumingMemoryBound(to: UInt32.self) }
    return SharedPointer(pointer.unsafelyUnwrapped)
  }
}

/// A value that holds pointers, given to the chunks of a parallel loop. Unchecked: they only read
/// what it points at.
struct SharedValue<T>: @unchecked Sendable {
  let value: T

  init(_ value: T) { self.value = value }
}
