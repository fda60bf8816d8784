import BasisCodecs
import BasisCore
import BasisFormats

/// Codes as the codec made them, compared by its own scorer, query by query.
struct PlainCodes<Codec: FittedCodec>: ScannedCodes {
  let codec: Codec
  let metric: Metric
  let codes: Codes

  static var grain: Int { 16 }

  var count: Int { codes.count }
  var byteCount: Int { codes.count * codes.bytesPerVector }

  /// No rows.
  init(_ codec: Codec, metric: Metric) {
    self.init(
      codec, Codes(count: 0, bytesPerVector: codec.bytesPerVector, bytes: []), metric: metric)
  }

  private init(_ codec: Codec, _ codes: Codes, metric: Metric) {
    self.codec = codec
    self.metric = metric
    self.codes = codes
  }

  func appending(_ source: RowSource, _ norms: [Float], in run: RunContext) throws(BasisError)
    -> any ScannedCodes
  {
    var bytes = codes.withUnsafeBytes { Array($0) }
    bytes.reserveCapacity(norms.count * codec.bytesPerVector)
    try source.encode(from: count, codec, in: run) { (_, _, codes) in
      codes.withUnsafeBytes { bytes += $0 }
    }
    return PlainCodes(
      codec, Codes(count: norms.count, bytesPerVector: codec.bytesPerVector, bytes: bytes),
      metric: metric)
  }

  func candidates(
    _ queries: Matrix, _ range: Range<Int>, wanted: Int, allowed: Bitmap?, in run: RunContext,
    _ body: (_ query: Int, NearCodes) throws(BasisError) -> Void
  ) throws(BasisError) {
    for query in range {
      try run.checkCancelled()
      var keys = try keys(queries.row(query), wanted, allowed)
      let count = Self.smallest(&keys, wanted)
      // The buffer is the body's own.
      let copy = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: count)
      defer { copy.deallocate() }
      _ = copy.initialize(from: keys.prefix(count))
      try body(query, NearCodes(keys: copy, bound: nil))
    }
  }

  private static func smallest(_ keys: inout [UInt64], _ wanted: Int) -> Int {
    keys.withUnsafeMutableBufferPointer { keys in
      keys.baseAddress.map { FastScan.smallest($0, count: keys.count, wanted: wanted) } ?? 0
    }
  }

  /// At least the keys of the nearest codes.
  private func keys(_ query: [Float], _ wanted: Int, _ allowed: Bitmap?) throws(BasisError)
    -> [UInt64]
  {
    let scorer = try codec.scorer(for: query, metric: metric)
    var keys: [UInt64] = []
    let capacity = 2 * wanted + 1024
    keys.reserveCapacity(capacity)
    var limit = UInt64.max
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 1024) { out in
      for first in stride(from: 0, to: codes.count, by: 1024) {
        let range = first..<min(codes.count, first + 1024)
        scorer.distances(
          to: codes, range, into: UnsafeMutableBufferPointer(rebasing: out[0..<range.count]))
        for (index, row) in range.enumerated() {
          guard allowed?[row] ?? true, !out[index].isNaN else { continue }
          let key = UInt64(orderedBits(out[index])) << 32 | UInt64(row)
          if key < limit { keys.append(key) }
        }
        guard keys.count > capacity - 1024 else { continue }
        keys.removeLast(keys.count - Self.smallest(&keys, wanted))
        limit = keys.max() ?? .max
      }
    }
    return keys
  }

  func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try codes.write(to: writer, prefix + "codes")
  }

  init(
    from container: Container, prefix: String, _ codec: Codec, metric: Metric, count: Int
  ) throws(BasisError) {
    let codes = try Codes(from: container, prefix + "codes", bytesPerVector: codec.bytesPerVector)
    guard codes.count == count else {
      throw CodeLayout.damaged(
        container, prefix + "codes", codes.count * codes.bytesPerVector, for: count)
    }
    self.init(codec, codes, metric: metric)
  }
}
