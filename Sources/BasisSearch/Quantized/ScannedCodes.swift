import BasisCodecs
import BasisCore
import BasisFormats

/// The codes of all rows of an index, laid out so that queries go through them quickly.
protocol ScannedCodes: Sendable {
  /// How many rows there are.
  var count: Int { get }
  /// The size of the codes and of what they keep for each row.
  var byteCount: Int { get }
  /// Queries that go through the codes together: they and their best rows fit into a near cache.
  static var grain: Int { get }

  /// Calls `body` with the nearest codes to each query.
  ///
  /// - Parameters:
  ///   - queries: as the index measures them: unit rows for the cosine.
  ///   - range: which of them.
  ///   - wanted: how many codes each looks for, at least 1.
  ///   - allowed: the rows that count, or nil for all.
  func candidates(
    _ queries: Matrix, _ range: Range<Int>, wanted: Int, allowed: Bitmap?, in run: RunContext,
    _ body: (_ query: Int, NearCodes) throws(BasisError) -> Void
  ) throws(BasisError)

  /// The codes of the same rows and of those that a source has after them.
  func appending(_ source: RowSource, _ norms: [Float], in run: RunContext) throws(BasisError)
    -> any ScannedCodes

  func write(to writer: ContainerWriter, prefix: String) throws(BasisError)
}

/// The codes nearest to a query.
struct NearCodes {
  /// A score in the upper half, a row in the lower; in no order, the body's own while it runs.
  let keys: UnsafeMutableBufferPointer<UInt64>
  /// Where the error of codes is bounded: what distances the codes speak of.
  var bound: Bound?

  /// What a score says about a distance.
  struct Bound {
    /// The distance that a score of 0 estimates, and what one more adds.
    var offset: Float
    var step: Float
    /// How far an estimate may be from the true distance.
    var slack: Float

    /// The least distance that a row with this key, or a larger one, can have.
    func leastDistance(of key: UInt64) -> Float {
      offset + step * score(ofOrdered: UInt32(key >> 32)) - slack
    }
  }
}

/// A float as a number that rises with it, in the upper half of keys.
func score(ofOrdered bits: UInt32) -> Float {
  Float(bitPattern: bits >> 31 == 1 ? bits ^ 0x8000_0000 : ~bits)
}

func orderedBits(_ score: Float) -> UInt32 {
  let bits = score.bitPattern
  return bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
}

/// Lays out the codes of an index's rows.
enum CodeLayout {
  /// Rows that are encoded at once: unit rows are made some at a time, not as a second matrix.
  static let batch = 16_384

  /// The codes of rows, encoded.
  static func make<Codec: FittedCodec>(
    _ source: RowSource, _ norms: [Float], _ codec: Codec, metric: Metric, in run: RunContext
  ) throws(BasisError) -> any ScannedCodes {
    if let scalar = codec as? FittedScalarQuantizer, ByteBlocks.holds(scalar) {
      return try ByteBlocks(scalar, metric: metric).appending(source, norms, in: run)
    }
    if let signs = codec as? any SignCodec, BitBlocks.holds(signs) {
      return try BitBlocks(signs, metric: metric).appending(source, norms, in: run)
    }
    if let product = codec as? FittedProductQuantizer, NibbleBlocks.holds(product) {
      return try NibbleBlocks(product, metric: metric).appending(source, norms, in: run)
    }
    return try PlainCodes(codec, metric: metric).appending(source, norms, in: run)
  }

  /// The codes in a file.
  ///
  /// - Parameter norms: the lengths of rows. Bytes need them for Euclidean distances, and to bound
  ///   products; others do not.
  static func open<Codec: FittedCodec>(
    _ container: Container, prefix: String, _ codec: Codec, metric: Metric, count: Int,
    norms: [Float]
  ) throws(BasisError) -> any ScannedCodes {
    if let scalar = codec as? FittedScalarQuantizer, ByteBlocks.holds(scalar) {
      return try ByteBlocks(
        from: container, prefix: prefix, scalar, metric: metric, count: count, norms: norms)
    }
    if let signs = codec as? any SignCodec, BitBlocks.holds(signs) {
      return try BitBlocks(
        from: container, prefix: prefix, signs, metric: metric, count: count)
    }
    if let product = codec as? FittedProductQuantizer, NibbleBlocks.holds(product) {
      return try NibbleBlocks(
        from: container, prefix: prefix, product, metric: metric, count: count)
    }
    return try PlainCodes(
      from: container, prefix: prefix, codec, metric: metric, count: count)
  }

  static func damaged(_ container: Container, _ block: String, _ got: Int, for count: Int)
    -> BasisError
  {
    BasisError(
      .corruptFile,
      "\(container.path): the codes in '\(block)' take \(got) bytes, which does not fit \(count) "
        + "rows; rebuild the segment")
  }
}

extension RowSource {
  /// Some rows, of unit length for the cosine.
  func matrix(of ids: some RandomAccessCollection<Int> & Sendable, in run: RunContext)
    throws(BasisError) -> Matrix
  {
    let d = rows.columnCount
    return try Matrix(rowCount: ids.count, columnCount: d) { (target) throws(BasisError) in
      guard let base = target.baseAddress else { return }
      let out = SharedPointer(base)
      try parallelFor(ids.count, grain: 4096, in: run) { (_, range) in
        for index in range {
          copy(ids[ids.index(ids.startIndex, offsetBy: index)], into: out.base + index * d)
        }
      }
    }
  }

  /// Calls `body` with rows from `first` on, some at a time, and their codes.
  func encode(
    from first: Int, _ codec: some FittedCodec, in run: RunContext,
    _ body: (_ first: Int, Matrix, Codes) throws(BasisError) -> Void
  ) throws(BasisError) {
    for start in stride(from: first, to: rows.rowCount, by: CodeLayout.batch) {
      try run.checkCancelled()
      let batch = try matrix(of: start..<min(rows.rowCount, start + CodeLayout.batch), in: run)
      try body(start, batch, try codec.encode(batch, in: run))
    }
  }
}
