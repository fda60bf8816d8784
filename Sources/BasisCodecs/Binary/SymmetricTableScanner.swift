public import BasisCore
import CBasisKernels

/// Two-bit recurrent codes, laid out so that a byte shuffle looks up 16 or more products at once.
///
/// A position is two dimensions, 4 bits; the table of a query's position holds 2 ⟨v, w⟩ + 9 for the
/// 16 pairs *w* of values, *v* the query's pair. Blocks of 32 codes lie position by position. Sums are
/// whole numbers, so that a scan gives exactly twice the products of the decoded levels.
///
/// The shuffle as in André, Kermarrec & Le Scouarnec, *Cache locality is not enough: high-performance
/// nearest neighbor search with product quantization fast scan*, VLDB 2015,
/// doi:10.14778/2856318.2856324; the table of two-bit levels as in Gan et al., KDD 2023, section 3.4,
/// where the lower half of a nibble is the second of two dimensions, and here the first.
public struct SymmetricTableScanner: Sendable {
  public let count: Int
  private let codec: FittedRecurrentBinaryCodec
  /// 16 bytes a position, positions of a block, blocks.
  private let blocks: [UInt8]
  private let inverseLengths: [Float]
  /// Two dimensions each, and filled up to what a scan takes at once.
  private let pairCount: Int
  private let positionCount: Int

  /// Most dimensions whose sums are sure to fit 16 bits.
  public static let maximumDimensions = 2 * Int(BASIS_TABLE_SCAN_POSITIONS)

  /// - Parameters:
  ///   - codes: of two bits a dimension, an even number of them.
  ///   - codec: what made them.
  /// - Throws: `.unsupported` for another number of bits, an odd number of dimensions, or more than ``maximumDimensions``;
  ///   `.dimensionMismatch` for codes of another length.
  /// - Complexity: O(*n* *d*).
  public init(_ codes: Codes, of codec: FittedRecurrentBinaryCodec) throws(BasisError) {
    guard codec.bits == 2 else {
      throw BasisError(
        .unsupported, "a table scan takes codes of 2 bits per dimension, not \(codec.bits)")
    }
    guard codec.levelCount.isMultiple(of: 2) else {
      throw BasisError(
        .unsupported,
        "a table scan takes two dimensions at a time, the codes have \(codec.levelCount); keep an "
          + "even number")
    }
    guard codec.levelCount <= Self.maximumDimensions else {
      throw BasisError(
        .unsupported,
        "a table scan takes codes of at most \(Self.maximumDimensions) dimensions, not "
          + "\(codec.levelCount): its sums have 16 bits")
    }
    try codes.requireBytes(codec.bytesPerVector)
    self.codec = codec
    count = codes.count
    let (pairs, step) = ((codec.levelCount + 1) / 2, Int(BASIS_TABLE_SCAN_STEP))
    let positions = (pairs + step - 1) / step * step
    let blockCount = (codes.count + 31) / 32
    var blocks = [UInt8](repeating: 0, count: blockCount * positions * 16)
    var inverseLengths = [Float](repeating: 0, count: codes.count)
    codes.withUnsafeBytes { bytes in
      for row in 0..<codes.count {
        let code = bytes[row * codes.bytesPerVector..<(row + 1) * codes.bytesPerVector]
        let (block, place) = (row / 32, row % 32)
        for pair in 0..<pairs {
          let nibble = code[code.startIndex + pair / 2] >> UInt8(pair % 2 * 4) & 15
          let target = (block * positions + pair) * 16 + place % 16
          blocks[target] |= place < 16 ? nibble : nibble << 4
        }
        inverseLengths[row] = Self.inverseLength(code, codec.levelCount)
      }
    }
    self.blocks = blocks
    self.inverseLengths = inverseLengths
    pairCount = pairs
    positionCount = positions
  }

  /// One over the length of the levels −1.5, −0.5, 0.5 and 1.5.
  private static func inverseLength(_ code: some RandomAccessCollection<UInt8>, _ count: Int)
    -> Float
  {
    // Twice a level, squared: 9 for the outer ones, 1 for the inner.
    var squares = 0
    for index in 0..<count {
      let byte = code[code.index(code.startIndex, offsetBy: index / 4)]
      let level = byte >> UInt8(index % 4 * 2) & 3
      squares += level == 0 || level == 3 ? 9 : 1
    }
    return 2 / Float(squares).squareRoot()
  }

  /// Twice the products of the query's levels with those of each code, exact.
  ///
  /// - Parameter code: of a query, by the codec of the codes.
  /// - Throws: `.dimensionMismatch` for a code of another length.
  /// - Complexity: O(*n* *d*).
  public func doubledProducts(with code: [UInt8]) throws(BasisError) -> [Int32] {
    let tables = try tables(code)
    let offset = Int32(9 * pairCount)
    return [Int32](unsafeUninitializedCapacity: count) { out, written in
      scan(tables) { row, sum in out.initializeElement(at: row, to: Int32(sum) - offset) }
      written = count
    }
  }

  /// The cosine distances of a query to all codes.
  ///
  /// - Parameter query: of the codec's dimension.
  /// - Throws: as `FittedRecurrentBinaryCodec.code(of:)`.
  /// - Complexity: O(*n* *d*).
  public func distances(to query: [Float]) throws(BasisError) -> [Float] {
    let code = try codec.code(of: query)
    let tables = try tables(code)
    let offset = Int32(9 * pairCount)
    let scale = Self.inverseLength(code[...], codec.levelCount) / 2
    return [Float](unsafeUninitializedCapacity: count) { out, written in
      inverseLengths.withUnsafeBufferPointer { inverseLengths in
        scan(tables) { row, sum in
          let cosine = Float(Int32(sum) - offset) * (inverseLengths[row] * scale)
          out.initializeElement(at: row, to: min(2, max(0, 1 - cosine)))
        }
      }
      written = count
    }
  }

  /// For each pair of the query the 16 sums that a code's pair may add.
  private func tables(_ code: [UInt8]) throws(BasisError) -> [UInt8] {
    guard code.count == codec.bytesPerVector else {
      throw BasisError(
        .dimensionMismatch,
        "the query's code has \(code.count) bytes, the codes have \(codec.bytesPerVector)")
    }
    var tables = [UInt8](repeating: 0, count: 16 * positionCount)
    for pair in 0..<pairCount {
      let nibble = code[pair / 2] >> UInt8(pair % 2 * 4) & 15
      for other in 0..<UInt8(16) {
        tables[16 * pair + Int(other)] = UInt8(Self.entry(nibble, other))
      }
    }
    return tables
  }

  /// Calls `body` with the sum of each code, some blocks at a time so that sums stay in a near cache.
  @inline(__always)
  private func scan(_ tables: [UInt8], _ body: (_ row: Int, _ sum: UInt16) -> Void) {
    let grain = 32
    let blockCount = (count + 31) / 32
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 32 * grain) { sums in
      blocks.withUnsafeBufferPointer { blocks in
        guard let base = blocks.baseAddress else { return }
        for first in stride(from: 0, to: blockCount, by: grain) {
          let size = min(grain, blockCount - first)
          LevelStream.kernels.scan(
            base + first * positionCount * 16, size, positionCount, tables, sums.baseAddress)
          for place in 0..<min(32 * size, count - 32 * first) {
            body(32 * first + place, sums[place])
          }
        }
      }
    }
  }

  /// 2 ⟨v, w⟩ + 9 for two pairs of levels, `0 ... 18`.
  static func entry(_ a: UInt8, _ b: UInt8) -> Int {
    func odd(_ level: UInt8) -> Int { 2 * Int(level & 3) - 3 }
    return (odd(a) * odd(b) + odd(a >> 2) * odd(b >> 2)) / 2 + 9
  }
}
