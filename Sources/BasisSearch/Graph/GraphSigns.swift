import BasisCodecs
import BasisCore
import BasisFormats
import CBasisKernels

/// The signs of rows less the mean, in blocks of 32 that a look-up scan goes through: as fast as
/// five comparisons of single rows, whichever of the 32 a filter lets through. Rows lie group by
/// group, so that those of one filter or near one query lie together.
///
/// A factor makes the estimate of a product exact for the row itself, as for pairs of bits. The
/// nearest by sign are compared as bytes after that.
///
/// The scan is that of André et al., *Accelerated nearest neighbor search with Quick ADC*, ICMR
/// 2017, doi:10.1145/3078971.3078992, over bits as in Gao & Long, *RaBitQ*, SIGMOD 2024, section
/// 3.3.2.
struct GraphSigns: Sendable {
  static let blockRows = FastScan.blockSize

  /// Rows; the places of the last block may be more.
  let count: Int
  /// Four dimensions each.
  let parts: Int
  private var blocks: GraphBlock
  /// A factor, and a squared length, for each place of a block.
  private var factors: GraphBlock
  private var lengths: GraphBlock

  var blockCount: Int { blocks.count }
  var byteCount: Int {
    [blocks, factors, lengths].reduce(0) { $0 + $1.count * $1.stride }
  }

  /// Whether signs say enough of such rows.
  static func suit(_ codes: GraphCodes) -> Bool {
    codes.hasPairs && parts(codes.dimension) <= FastScan.maximumParts
  }

  private static func parts(_ dimension: Int) -> Int { (dimension + 3) / 4 }

  /// - Parameter order: the row of each place.
  /// - Complexity: O(*n* *d*), parallel over blocks.
  init(_ codes: GraphCodes, order: [UInt32], in run: RunContext) throws(BasisError) {
    count = codes.count
    parts = Self.parts(codes.dimension)
    (blocks, factors, lengths) = Self.empty(count, parts)
    var targets: [SharedPointer<UInt8>] = []
    func share(_ block: inout GraphBlock) {
      block.withMutableBytes { targets.append(.init($0.assumingMemoryBound(to: UInt8.self))) }
    }
    share(&blocks)
    share(&factors)
    share(&lengths)
    guard count > 0 else { return }
    let (shared, stride, parts) = (targets, blocks.stride, parts)
    try parallelFor(blocks.count, grain: 64, in: run) { (_, range) throws(BasisError) in
      var nibbles = [UInt8](repeating: 0, count: FastScan.paddedParts(parts))
      for place in range.lowerBound * Self.blockRows..<range.upperBound * Self.blockRows
      where place < order.count {
        let (block, slot) = (place / Self.blockRows, place % Self.blockRows)
        let fact = Self.read(codes, Int(order[place]), into: &nibbles)
        FastScan.pack(nibbles, parts: parts, at: slot, into: shared[0].base + block * stride)
        UnsafeMutableRawPointer(shared[1].base + 4 * place)
          .storeBytes(of: fact.factor, as: Float.self)
        UnsafeMutableRawPointer(shared[2].base + 4 * place)
          .storeBytes(of: fact.length, as: Float.self)
      }
    }
  }

  /// Of rows in the order of their groups, or nil where rows have few dimensions.
  init?(_ codes: GraphCodes, _ groups: GraphGroups?, in run: RunContext) throws(BasisError) {
    guard Self.suit(codes) else { return nil }
    try self.init(
      codes,
      order: groups?.members ?? (0..<codes.count).map { UInt32(truncatingIfNeeded: $0) }, in: run)
  }

  private static func empty(_ count: Int, _ parts: Int) -> (GraphBlock, GraphBlock, GraphBlock) {
    let blockCount = (count + blockRows - 1) / blockRows
    func block(_ stride: Int) -> GraphBlock {
      GraphBlock(count: blockCount, stride: stride) {
        $0.initializeMemory(as: UInt8.self, repeating: 0, count: blockCount * stride)
      }
    }
    return (block(FastScan.blockBytes(parts: parts)), block(4 * blockRows), block(4 * blockRows))
  }

  /// A row's signs, four a part.
  private static func read(_ codes: GraphCodes, _ row: Int, into nibbles: inout [UInt8])
    -> (factor: Float, length: Float)
  {
    let bytes = (codes.bytes.base + row * codes.width).assumingMemoryBound(to: UInt8.self)
    let facts = codes.facts.base + row * 8
    let scale = facts.load(as: Float.self)
    var (sum, squares) = (0, 0)
    for part in 0..<Self.parts(codes.dimension) {
      var nibble: UInt8 = 0
      for column in 4 * part..<min(4 * part + 4, codes.dimension) {
        let code = Int(bytes[column]) - 128
        sum += abs(code)
        squares += code * code
        if code >= 0 { nibble |= 1 << UInt8(column % 4) }
      }
      nibbles[part] = nibble
    }
    // Twice, for the product in a squared distance.
    let factor = sum > 0 ? 2 * scale * Float(squares) / Float(sum) : 0
    return (factor, facts.load(fromByteOffset: 4, as: Float.self))
  }

  // MARK: Search

  /// Where blocks are, for as long as this lives.
  struct Pointers {
    let blocks: UnsafePointer<UInt8>
    let stride: Int
    let factors: UnsafePointer<Float>
    let lengths: UnsafePointer<Float>
  }

  var pointers: Pointers {
    Pointers(
      blocks: blocks.base.assumingMemoryBound(to: UInt8.self), stride: blocks.stride,
      factors: factors.base.assumingMemoryBound(to: Float.self),
      lengths: lengths.base.assumingMemoryBound(to: Float.self))
  }

  /// Takes some queries through some blocks that follow one another.
  ///
  /// - Parameter allowed: a bit for each place; only those of these blocks are read.
  func collect(
    _ range: Range<Int>, _ pointers: Pointers, _ scan: CodeScan, _ queries: Range<Int>,
    allowed: UnsafePointer<UInt64>
  ) {
    blocks.touch(records: range)
    factors.touch(records: range)
    lengths.touch(records: range)
    let first = range.lowerBound * Self.blockRows
    scan.collect(
      pointers.blocks + range.lowerBound * pointers.stride,
      count: min(count - first, range.count * Self.blockRows),
      factors: pointers.factors + first, biases: pointers.lengths + first, first: first,
      allowed: allowed, queries: queries)
  }

  /// - Throws: `.corruptFile` if a block that was gone through is damaged.
  func check() throws(BasisError) {
    try blocks.check()
    try factors.check()
    try lengths.check()
  }

  // MARK: In a file

  func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try blocks.write(to: writer, prefix + "blocks")
    try factors.write(to: writer, prefix + "factors")
    try lengths.write(to: writer, prefix + "lengths")
  }

  /// Opens what ``write(to:prefix:)`` wrote; blocks are verified as they are gone through.
  init(from container: Container, prefix: String, _ codes: GraphCodes) throws(BasisError) {
    count = codes.count
    parts = Self.parts(codes.dimension)
    let blockCount = (count + Self.blockRows - 1) / Self.blockRows
    func open(_ name: String, _ stride: Int) throws(BasisError) -> GraphBlock {
      guard blockCount > 0 else { return GraphBlock(count: 0, stride: stride) }
      return try GraphBlock(
        container, prefix + name, count: blockCount, stride: stride, isVerified: false)
    }
    blocks = try open("blocks", FastScan.blockBytes(parts: parts))
    factors = try open("factors", 4 * Self.blockRows)
    lengths = try open("lengths", 4 * Self.blockRows)
  }
}
