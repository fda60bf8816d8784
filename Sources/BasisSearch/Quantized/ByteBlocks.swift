import BasisCodecs
import BasisCore
import BasisFormats
import CBasisKernels

/// Rows of `ScalarQuantizer(.int8)`, compared with queries cut to 8 bits too, as whole numbers.
///
/// A product is off by at most ‖q − q̂‖ ‖x‖ + ‖q̂‖ ‖x − x̂‖, and the largest ‖x − x̂‖ is known, so a
/// scan can prove that it found the nearest rows.
struct ByteBlocks: ScannedCodes {
  let codec: FittedScalarQuantizer
  let metric: Metric
  let count: Int
  let blocks: BlockStorage<UInt8>
  /// A row's factor, as many as the blocks have places.
  let factors: BlockStorage<Float>
  /// The lengths of rows, and half their squares, for Euclidean distances.
  let norms: [Float]
  let halves: [Float]
  /// The largest ‖x − x̂‖, and the largest ‖x‖.
  let rowError: Float
  let longest: Float

  static let grain = 1020
  static let blockRows = Int(BASIS_BYTES_BLOCK)

  static func holds(_ codec: FittedScalarQuantizer) -> Bool {
    codec.kind == .int8 && codec.dimension <= 4 * Int(BASIS_BYTES_MAX_GROUPS)
  }

  var groups: Int { Self.groups(codec.dimension) }
  var byteCount: Int { blocks.count + 4 * (factors.count + halves.count) }

  private static func groups(_ dimension: Int) -> Int { (dimension + 3) / 4 }

  private static func blockBytes(_ dimension: Int) -> Int {
    groups(dimension) * Int(BASIS_BYTES_GROUP_BYTES)
  }

  /// Places of whole blocks.
  private static func places(_ count: Int) -> Int {
    (count + blockRows - 1) / blockRows * blockRows
  }

  /// No rows.
  init(_ codec: FittedScalarQuantizer, metric: Metric) {
    self.init(
      codec: codec, metric: metric, count: 0, norms: [], blocks: .owned([]), factors: .owned([]),
      rowError: 0)
  }

  private init(
    codec: FittedScalarQuantizer, metric: Metric, count: Int, norms: [Float],
    blocks: BlockStorage<UInt8>, factors: BlockStorage<Float>, rowError: Float
  ) {
    self.codec = codec
    self.metric = metric
    self.count = count
    self.blocks = blocks
    self.factors = factors
    self.rowError = rowError
    self.norms = metric == .squaredEuclidean ? norms : []
    // Of unknown lengths nothing is bounded.
    longest = metric == .cosine ? 1 : norms.max() ?? (count > 0 ? .infinity : 0)
    halves =
      metric == .squaredEuclidean
      ? (0..<Self.places(count)).map { $0 < norms.count ? norms[$0] * norms[$0] / 2 : 0 } : []
  }

  func appending(_ source: RowSource, _ norms: [Float], in run: RunContext) throws(BasisError)
    -> any ScannedCodes
  {
    let (d, places) = (codec.dimension, Self.places(norms.count))
    let blockBytes = Self.blockBytes(d)
    var bytes = [UInt8](repeating: 128, count: places / Self.blockRows * blockBytes)
    var scales = [Float](repeating: 0, count: places)
    blocks.withUnsafeBufferPointer { old in
      for index in old.indices { bytes[index] = old[index] }
    }
    factors.withUnsafeBufferPointer { old in
      for index in 0..<count { scales[index] = old[index] }
    }
    var largest = Double(rowError)
    try source.encode(from: count, codec, in: run) { (first, rows, codes) throws(BasisError) in
      let width = codec.bytesPerVector
      bytes.withUnsafeMutableBufferPointer { bytes in
        codes.withUnsafeBytes { codes in
          guard let out = bytes.baseAddress, let base = codes.baseAddress else { return }
          for row in 0..<rows.rowCount {
            let code = base + row * width
            let factor = UnsafeRawPointer(code).loadUnaligned(as: Float.self)
            let values = UnsafeRawPointer(code + 4).assumingMemoryBound(to: Int8.self)
            scales[first + row] = factor
            basis_bytes_pack(values, d, first + row, out)
            largest = max(largest, rows.withRow(row) { Self.error($0, values, factor) })
          }
        }
      }
    }
    // Rounded up, and the sum's own rounding with it.
    return ByteBlocks(
      codec: codec, metric: metric, count: norms.count, norms: norms, blocks: .owned(bytes),
      factors: .owned(scales),
      rowError: Float(largest * 1.000_001))
  }

  /// ‖x − factor · values‖.
  private static func error(
    _ row: UnsafeBufferPointer<Float>, _ values: UnsafePointer<Int8>, _ factor: Float
  ) -> Double {
    var squares = 0.0
    for index in row.indices {
      let difference = Double(row[index]) - Double(factor) * Double(values[index])
      squares += difference * difference
    }
    return squares.squareRoot()
  }

  // MARK: Search

  func candidates(
    _ queries: Matrix, _ range: Range<Int>, wanted: Int, allowed: Bitmap?, in run: RunContext,
    _ body: (_ query: Int, NearCodes) throws(BasisError) -> Void
  ) throws(BasisError) {
    let scan = CodeScan(.bytes, queryCount: range.count, groups: groups, wanted: wanted)
    var bounds: [NearCodes.Bound] = []
    bounds.reserveCapacity(range.count)
    for query in range {
      bounds.append(queries.withRow(query) { prepare($0, query - range.lowerBound, scan) })
    }
    let rows = BlockedRows(
      blocks: blocks, factors: factors, biases: .owned(halves), count: count,
      blockRows: Self.blockRows,
      blockBytes: Self.blockBytes(codec.dimension))
    try rows.collect(scan, queryCount: range.count, allowed: allowed, in: run)
    for query in range {
      let place = query - range.lowerBound
      try body(query, NearCodes(keys: scan.smallest(place), bound: bounds[place]))
    }
  }

  private func prepare(
    _ query: UnsafeBufferPointer<Float>, _ place: Int, _ scan: CodeScan
  ) -> NearCodes.Bound {
    let isEuclidean = metric == .squaredEuclidean
    let cut = scan.setBytes(place, query, isEuclidean: isEuclidean)
    let step = cut.unit > 0 ? cut.unit : 1
    let length = cut.squares.squareRoot()
    let error = cut.errors.squareRoot()
    // Lengths and scores are rounded; so are the distances that they are compared with.
    let reach: Float = length + longest
    let rounding: Float = Float(codec.dimension + 16) * 0x1p-21 * reach * reach
    let cutting: Float = error * longest + (length + error) * rowError
    let slack: Float = cutting * 1.001 + rounding
    switch metric {
    case .cosine: return .init(offset: 1, step: step, slack: slack)
    case .innerProduct: return .init(offset: 0, step: step, slack: slack)
    case .squaredEuclidean: return .init(offset: cut.squares, step: 2 * step, slack: 2 * slack)
    }
  }

  // MARK: In a file

  private struct Header: Codable { var rowError: Float }

  func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(prefix + "bytes.header", json: Header(rowError: rowError))
    try blocks.write(to: writer, prefix + "bytes")
    try factors.write(to: writer, prefix + "factors")
  }

  init(
    from container: Container, prefix: String, _ codec: FittedScalarQuantizer, metric: Metric,
    count: Int, norms: [Float]
  ) throws(BasisError) {
    let header = try container.json(prefix + "bytes.header", as: Header.self)
    let blocks = try container.array(prefix + "bytes", of: UInt8.self)
    let factors = try container.array(prefix + "factors", of: Float.self)
    let places = Self.places(count)
    guard blocks.count == places / Self.blockRows * Self.blockBytes(codec.dimension) else {
      throw CodeLayout.damaged(container, prefix + "bytes", blocks.count, for: count)
    }
    guard factors.count == places, header.rowError >= 0 else {
      throw CodeLayout.damaged(container, prefix + "factors", 4 * factors.count, for: count)
    }
    self.init(
      codec: codec, metric: metric, count: count, norms: norms, blocks: .mapped(blocks),
      factors: .mapped(factors), rowError: header.rowError)
  }
}
