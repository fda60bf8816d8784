import BasisCodecs
import BasisCore
import BasisFormats

/// Codes of a 4-bit `ProductQuantizer`, in blocks for ``FastScan``.
struct NibbleBlocks: ScannedCodes {
  let codec: FittedProductQuantizer
  let metric: Metric
  let count: Int
  let lists: CodeLists

  static let grain = 256
  /// Bytes of codes that stay in a near cache while many queries read them.
  private static let chunkBytes = 32_768

  static func holds(_ codec: FittedProductQuantizer) -> Bool {
    codec.bits == 4 && codec.parts <= FastScan.maximumParts
  }

  var byteCount: Int { lists.blocks.count }

  /// No rows.
  init(_ codec: FittedProductQuantizer, metric: Metric) {
    self.init(
      codec: codec, metric: metric, count: 0,
      lists: CodeListsBuilder(parts: codec.parts, sizes: [0], hasHalves: false).finish())
  }

  private init(codec: FittedProductQuantizer, metric: Metric, count: Int, lists: CodeLists) {
    self.codec = codec
    self.metric = metric
    self.count = count
    self.lists = lists
  }

  func appending(_ source: RowSource, _ norms: [Float], in run: RunContext) throws(BasisError)
    -> any ScannedCodes
  {
    var builder = CodeListsBuilder(parts: codec.parts, sizes: [norms.count], hasHalves: false)
    builder.append(lists)
    var code = [UInt8](repeating: 0, count: FastScan.paddedParts(codec.parts))
    try source.encode(from: count, codec, in: run) { (first, rows, codes) throws(BasisError) in
      code.withUnsafeMutableBufferPointer { code in
        codes.withUnsafeBytes { bytes in
          guard let code = code.baseAddress, let bytes = bytes.baseAddress else { return }
          for row in 0..<rows.rowCount {
            codec.unpack(bytes + row * codec.bytesPerVector, into: code)
            builder.append(first + row, to: 0, code, half: 0)
          }
        }
      }
    }
    return NibbleBlocks(
      codec: codec, metric: metric, count: norms.count, lists: builder.finish())
  }

  func candidates(
    _ queries: Matrix, _ range: Range<Int>, wanted: Int, allowed: Bitmap?, in run: RunContext,
    _ body: (_ query: Int, NearCodes) throws(BasisError) -> Void
  ) throws(BasisError) {
    let scan = FastScan(queryCount: range.count, parts: codec.parts, wanted: wanted)
    let metric: Metric = metric == .squaredEuclidean ? .squaredEuclidean : .innerProduct
    for query in range {
      let scorer = try codec.scorer(for: queries.row(query), metric: metric)
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
    for query in range {
      try body(query, NearCodes(keys: scan.smallest(query - range.lowerBound), bound: nil))
    }
  }

  func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try lists.blocks.write(to: writer, prefix + "blocks")
  }

  init(
    from container: Container, prefix: String, _ codec: FittedProductQuantizer, metric: Metric,
    count: Int
  ) throws(BasisError) {
    let blocks = try container.array(prefix + "blocks", of: UInt8.self)
    let blockCount = CodeLists.blockCount(count)
    guard blocks.count == blockCount * FastScan.blockBytes(parts: codec.parts) else {
      throw CodeLayout.damaged(container, prefix + "blocks", blocks.count, for: count)
    }
    let ids = (0..<blockCount * FastScan.blockSize).map {
      $0 < count ? UInt32(truncatingIfNeeded: $0) : 0
    }
    self.init(
      codec: codec, metric: metric, count: count,
      lists: CodeLists(
        parts: codec.parts, counts: .owned([UInt32(truncatingIfNeeded: count)]),
        blocks: .mapped(blocks), ids: .owned(ids), halves: .owned([]), leasts: .owned([0])))
  }
}
