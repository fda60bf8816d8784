import BasisCodecs
import BasisCore
import BasisFormats

/// One search of a ``QuantizedFlatIndex``.
struct QuantizedScan<Codec: FittedCodec>: Sendable {
  let flat: FlatIndex
  let codec: Codec
  let codes: QuantizedCodes
  let queries: Matrix
  let k: Int
  let shortlist: Int
  let allowed: Bitmap?

  /// Queries that go through the codes together.
  static var grain: Int { 256 }
  /// Bytes of codes that stay in a near cache while many queries read them.
  private static var chunkBytes: Int { 32_768 }

  /// The answers to some of the queries.
  func search(_ range: Range<Int>, in run: RunContext) throws(BasisError) -> [[Neighbor]] {
    let possible = min(k, allowed?.population ?? flat.count)
    var found: [[Neighbor]] = []
    found.reserveCapacity(range.count)
    try candidates(range, in: run) { (query, keys) throws(BasisError) in
      let neighbors = flat.nearest(keys, to: queries, query, k: k)
      if neighbors.count < possible {
        found += try flat.search(
          queries.selecting(rows: [query]), k: k, allowing: allowed,
          in: RunContext(threadLimit: 1))
      } else {
        found.append(neighbors)
      }
    }
    return found
  }

  /// Calls `body` with the keys of each query's nearest codes, in no order.
  func candidates(
    _ range: Range<Int>, in run: RunContext,
    _ body: (_ query: Int, UnsafeMutableBufferPointer<UInt64>) throws(BasisError) -> Void
  ) throws(BasisError) {
    switch codes {
    case .plain(let codes):
      for query in range {
        try run.checkCancelled()
        var keys = try plainKeys(query, codes)
        let count = keys.withUnsafeMutableBufferPointer { keys in
          keys.baseAddress.map {
            FastScan.smallest($0, count: keys.count, wanted: shortlist)
          } ?? 0
        }
        keys.removeLast(keys.count - count)
        // The buffer is the body's own.
        let copy = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: count)
        defer { copy.deallocate() }
        _ = copy.initialize(from: keys)
        try body(query, copy)
      }
    case .blocks(let lists):
      guard let product = codec as? FittedProductQuantizer else {
        throw BasisError(.unsupported, "only 4-bit product codes lie in blocks")
      }
      let scan = try fastScan(range, lists, product, in: run)
      for query in range { try body(query, scan.smallest(query - range.lowerBound)) }
    }
  }

  private func fastScan(
    _ range: Range<Int>, _ lists: CodeLists, _ product: FittedProductQuantizer, in run: RunContext
  ) throws(BasisError) -> FastScan {
    let scan = FastScan(queryCount: range.count, parts: product.parts, wanted: shortlist)
    let metric: Metric = flat.metric == .squaredEuclidean ? .squaredEuclidean : .innerProduct
    for query in range {
      let scorer = try product.scorer(for: queries.row(query), metric: metric)
      scorer.table.withUnsafeBufferPointer { table in
        if let table = table.baseAddress { _ = scan.setTable(query - range.lowerBound, table) }
      }
    }
    let visitors = (0..<range.count).map {
      FastScan.Visitor(query: UInt32(truncatingIfNeeded: $0), bias: 0)
    }
    let blocks = lists.starts[1]
    let step = max(1, Self.chunkBytes / lists.blockBytes)
    for first in stride(from: 0, to: blocks, by: step) {
      try run.checkCancelled()
      lists.withPointers { lists in
        visitors.withUnsafeBufferPointer { visitors in
          func visit(_ allowed: UnsafePointer<UInt64>?) {
            lists.collect(
              0, blocks: first..<min(blocks, first + step), scan, allowed: allowed,
              visitors: visitors)
          }
          if let allowed {
            allowed.words.withUnsafeBufferPointer { visit($0.baseAddress) }
          } else {
            visit(nil)
          }
        }
      }
    }
    return scan
  }

  /// At least the keys of the nearest codes, by the codec's own scorer.
  private func plainKeys(_ query: Int, _ codes: Codes) throws(BasisError) -> [UInt64] {
    let scorer = try codec.scorer(for: queries.row(query), metric: flat.metric)
    var keys: [UInt64] = []
    let capacity = 2 * shortlist + 1024
    keys.reserveCapacity(capacity)
    var limit = UInt64.max
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 1024) { out in
      for first in stride(from: 0, to: codes.count, by: 1024) {
        let range = first..<min(codes.count, first + 1024)
        scorer.distances(
          to: codes, range, into: UnsafeMutableBufferPointer(rebasing: out[0..<range.count]))
        for (index, row) in range.enumerated() {
          guard allowed?[row] ?? true, !out[index].isNaN else { continue }
          let key = UInt64(Self.ordered(out[index])) << 32 | UInt64(row)
          if key < limit { keys.append(key) }
        }
        guard keys.count > capacity - 1024 else { continue }
        let count = keys.withUnsafeMutableBufferPointer { keys in
          keys.baseAddress.map {
            FastScan.smallest($0, count: keys.count, wanted: shortlist)
          } ?? 0
        }
        keys.removeLast(keys.count - count)
        limit = keys.max() ?? .max
      }
    }
    return keys
  }

  /// A number that rises with a distance.
  private static func ordered(_ distance: Float) -> UInt32 {
    let bits = distance.bitPattern
    return bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
  }

  /// Lets some rows play queries and looks where their true neighbours come in.
  static func calibrate(
    _ flat: FlatIndex, _ codec: Codec, _ codes: QuantizedCodes, queryCount: Int,
    in run: RunContext
  ) throws(BasisError) -> Calibration {
    let truth = try CalibrationTruth(flat, queryCount: queryCount, in: run)
    guard let truth else { return Calibration() }
    let shortlists = Calibration.ladder(to: min(flat.count, 5_000), by: 1.2)
    let scan = QuantizedScan(
      flat: flat, codec: codec, codes: codes, queries: truth.queries, k: 1,
      shortlist: shortlists.last ?? 1, allowed: nil)
    return try truth.measured(probes: [1], shortlists: shortlists, in: run) {
      (range, met) throws(BasisError) in
      try scan.candidates(range, in: run) { (query, keys) in
        met(query, keys.sorted().map { .init(id: Int(UInt32(truncatingIfNeeded: $0)), rank: 0) })
      }
    }
  }
}
