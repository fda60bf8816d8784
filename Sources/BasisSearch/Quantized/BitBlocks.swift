import BasisCodecs
import BasisCore
import BasisFormats
import CBasisKernels

/// A bit per dimension, four bits looked up at a time: a query keeps its values, as bytes, which
/// costs no more than counting bits and finds far better candidates.
///
/// Each row has a factor beside its bits, so that products are estimated without bias.
///
/// Gao & Long, *RaBitQ*, SIGMOD 2024, doi:10.1145/3654970, section 3.3.2, for the look-up.
struct BitBlocks: ScannedCodes {
  let codec: any SignCodec
  let metric: Metric
  let count: Int
  let blocks: BlockStorage<UInt8>
  /// A row's factor, as many as the blocks have places.
  let factors: BlockStorage<Float>
  /// Half the squared lengths of rows less the mean, for Euclidean distances.
  let halves: BlockStorage<Float>
  private let turn: SignTurn

  static let grain = 256
  static let blockRows = FastScan.blockSize

  static func holds(_ codec: any SignCodec) -> Bool {
    (codec.bitCount + 3) / 4 <= FastScan.maximumParts
      && (codec as? FittedResidualBitQuantizer)?.settings.bits ?? 1 == 1
  }

  var parts: Int { (codec.bitCount + 3) / 4 }
  var byteCount: Int { blocks.count + 4 * (factors.count + halves.count) }

  private static func places(_ count: Int) -> Int {
    (count + blockRows - 1) / blockRows * blockRows
  }

  /// No rows.
  init(_ codec: any SignCodec, metric: Metric) {
    self.init(
      codec: codec, metric: metric, count: 0, blocks: .owned([]), factors: .owned([]),
      halves: .owned([]))
  }

  private init(
    codec: any SignCodec, metric: Metric, count: Int, blocks: BlockStorage<UInt8>,
    factors: BlockStorage<Float>, halves: BlockStorage<Float>
  ) {
    self.codec = codec
    self.metric = metric
    self.count = count
    self.blocks = blocks
    self.factors = factors
    self.halves = halves
    turn = codec.signTurn(isEuclidean: metric == .squaredEuclidean)
  }

  func appending(_ source: RowSource, _ norms: [Float], in run: RunContext) throws(BasisError)
    -> any ScannedCodes
  {
    try appending(source, norms.count, codec, in: run)
  }

  private func appending(
    _ source: RowSource, _ total: Int, _ codec: some SignCodec, in run: RunContext
  ) throws(BasisError) -> BitBlocks {
    let places = Self.places(total)
    var bytes = [UInt8](
      repeating: 0, count: places / Self.blockRows * FastScan.blockBytes(parts: parts))
    var scales = [Float](repeating: 0, count: places)
    var lengths = [Float](repeating: 0, count: metric == .squaredEuclidean ? places : 0)
    blocks.withUnsafeBufferPointer { old in
      for index in old.indices { bytes[index] = old[index] }
    }
    factors.withUnsafeBufferPointer { old in
      for index in 0..<count { scales[index] = old[index] }
    }
    halves.withUnsafeBufferPointer { old in
      for index in 0..<min(count, old.count) { lengths[index] = old[index] }
    }
    try source.encode(from: count, codec, in: run) { (first, rows, codes) throws(BasisError) in
      for (row, own) in try codec.signFactors(of: rows, codes, in: run).enumerated() {
        scales[first + row] = own.factor
        if metric == .squaredEuclidean { lengths[first + row] = own.squaredLength / 2 }
      }
      pack(codes, codec, first, into: &bytes)
    }
    return BitBlocks(
      codec: codec, metric: metric, count: total, blocks: .owned(bytes), factors: .owned(scales),
      halves: .owned(lengths))
  }

  private func pack(
    _ codes: Codes, _ codec: some SignCodec, _ first: Int, into blocks: inout [UInt8]
  ) {
    let rows = codes.count
    var nibbles = [UInt8](repeating: 0, count: FastScan.paddedParts(parts))
    let bytes = (codec.bitCount + 7) / 8
    blocks.withUnsafeMutableBufferPointer { blocks in
      codes.withUnsafeBytes { codes in
        guard let out = blocks.baseAddress, let base = codes.baseAddress else { return }
        for row in 0..<rows {
          let code = base + row * codec.bytesPerVector + codec.headByteCount
          for byte in 0..<bytes {
            nibbles[2 * byte] = code[byte] & 15
            if 2 * byte + 1 < nibbles.count { nibbles[2 * byte + 1] = code[byte] >> 4 }
          }
          FastScan.pack(nibbles, parts: parts, at: first + row, into: out)
        }
      }
    }
  }

  // MARK: Search

  func candidates(
    _ queries: Matrix, _ range: Range<Int>, wanted: Int, allowed: Bitmap?, in run: RunContext,
    _ body: (_ query: Int, NearCodes) throws(BasisError) -> Void
  ) throws(BasisError) {
    let scan = CodeScan(
      .bits, queryCount: range.count, groups: FastScan.paddedParts(parts) / 4, wanted: wanted)
    let isEuclidean = metric == .squaredEuclidean
    let weights = turn(queries, range)
    for row in 0..<range.count {
      weights.withRow(row) { scan.setSigns(row, $0, unit: isEuclidean ? 1 : nil) }
    }
    let rows = BlockedRows(
      blocks: blocks, factors: factors, biases: halves, count: count, blockRows: Self.blockRows,
      blockBytes: FastScan.blockBytes(parts: parts))
    try rows.collect(scan, queryCount: range.count, allowed: allowed, in: run)
    for query in range {
      try body(query, NearCodes(keys: scan.smallest(query - range.lowerBound), bound: nil))
    }
  }

  // MARK: In a file

  func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try blocks.write(to: writer, prefix + "bits")
    try factors.write(to: writer, prefix + "factors")
    try halves.write(to: writer, prefix + "halves")
  }

  init(
    from container: Container, prefix: String, _ codec: any SignCodec, metric: Metric, count: Int
  ) throws(BasisError) {
    let blocks = try container.array(prefix + "bits", of: UInt8.self)
    let factors = try container.array(prefix + "factors", of: Float.self)
    let halves = try container.array(prefix + "halves", of: Float.self)
    let places = Self.places(count)
    let size = FastScan.blockBytes(parts: (codec.bitCount + 3) / 4)
    guard blocks.count == places / Self.blockRows * size else {
      throw CodeLayout.damaged(container, prefix + "bits", blocks.count, for: count)
    }
    guard factors.count == places, halves.count == (metric == .squaredEuclidean ? places : 0) else {
      throw CodeLayout.damaged(
        container, prefix + "factors", 4 * (factors.count + halves.count), for: count)
    }
    self.init(
      codec: codec, metric: metric, count: count, blocks: .mapped(blocks),
      factors: .mapped(factors), halves: .mapped(halves))
  }
}
