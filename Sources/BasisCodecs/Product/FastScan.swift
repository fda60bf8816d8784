import BasisCore
import CBasisKernels

/// Some queries on their way through lists of 4-bit codes, and the nearest codes each has met. For
/// one thread. See `basis_scan_kernels.h` for the layout of the codes.
///
/// What a query keeps depends on the codes that it has met, and not on their order or on the other
/// queries.
package final class FastScan {
  /// Codes of a block.
  package static let blockSize = Int(BASIS_SCAN_BLOCK)

  /// Bytes of a block of codes of so many parts.
  package static func blockBytes(parts: Int) -> Int {
    groups(parts) * Int(BASIS_SCAN_GROUP_BYTES)
  }

  /// How many parts a code may have.
  package static let maximumParts = 4 * Int(BASIS_SCAN_MAX_GROUPS)

  private static func groups(_ parts: Int) -> Int { (parts + 3) / 4 }

  private let parts: Int
  private let groups: Int
  private let queries: UnsafeMutablePointer<basis_scan_query>
  private let queryCount: Int
  private let tables: UnsafeMutablePointer<UInt8>
  private let keys: UnsafeMutablePointer<UInt64>
  private let capacity: Int
  private let visitors: UnsafeMutablePointer<UnsafeMutablePointer<basis_scan_query>?>
  private let kernels = basis_scan_kernels().pointee

  /// - Parameter wanted: how many codes each query looks for, at least 1.
  package init(queryCount: Int, parts: Int, wanted: Int) {
    self.parts = parts
    self.queryCount = queryCount
    groups = Self.groups(parts)
    capacity = 2 * wanted + 96
    queries = .allocate(capacity: queryCount)
    tables = .allocate(capacity: queryCount * groups * Int(BASIS_SCAN_GROUP_BYTES))
    keys = .allocate(capacity: queryCount * capacity)
    visitors = .allocate(capacity: queryCount)
    for query in 0..<queryCount {
      queries[query] = basis_scan_query(
        table: tables + query * groups * Int(BASIS_SCAN_GROUP_BYTES),
        keys: keys + query * capacity, limit: .max, wanted: UInt32(clamping: wanted),
        capacity: UInt32(clamping: capacity), count: 0, bias: 0, scale: 0)
    }
  }

  deinit {
    queries.deallocate()
    tables.deallocate()
    keys.deallocate()
    visitors.deallocate()
  }

  /// Sets what each word of each part adds to a query's distance.
  ///
  /// - Parameter values: `parts × 16`, finite.
  /// - Returns: the distance that one step of a score is worth, and the distance of score 0.
  package func setTable(_ query: Int, _ values: UnsafePointer<Float>) -> (
    step: Float, offset: Float
  ) {
    var offset: Float = 0
    let step = kernels.quantize(
      values, parts, groups, tables + query * groups * Int(BASIS_SCAN_GROUP_BYTES), &offset)
    return (step, offset)
  }

  /// Sets what a code's own distance is multiplied with before it is added to its score.
  package func setScale(_ query: Int, _ scale: Float) { queries[query].scale = scale }

  /// Scans one list for some queries.
  ///
  /// - Parameters:
  ///   - blocks: the list's blocks.
  ///   - count: how many codes they hold.
  ///   - ids: one per code.
  ///   - ownDistances: one per code, at least 0; nil for none.
  ///   - allowed: a bit per id; nil for all.
  ///   - visitors: numbers of queries, each with what the list as a whole adds to its scores.
  package func collect(
    _ blocks: UnsafePointer<UInt8>, count: Int, ids: UnsafePointer<UInt32>,
    ownDistances: UnsafePointer<Float>?, allowed: UnsafePointer<UInt64>?,
    visitors: UnsafeBufferPointer<Visitor>
  ) {
    for (index, visitor) in visitors.enumerated() {
      let query = queries + Int(visitor.query)
      query.pointee.bias = visitor.bias
      self.visitors[index] = query
    }
    kernels.collect(
      blocks, count, groups, ids, ownDistances, allowed, self.visitors, visitors.count)
  }

  package struct Visitor {
    package var query: UInt32
    package var bias: UInt32

    package init(query: UInt32, bias: UInt32) {
      self.query = query
      self.bias = bias
    }
  }

  /// The wanted nearest codes that a query has met, in no order: a score in the upper half of a
  /// number, an id in the lower. Valid until the next call.
  package func smallest(_ query: Int) -> UnsafeMutableBufferPointer<UInt64> {
    let state = queries + query
    let count = kernels.smallest(
      state.pointee.keys, Int(state.pointee.count), Int(state.pointee.wanted))
    return UnsafeMutableBufferPointer(start: state.pointee.keys, count: count)
  }

  // MARK: Codes and keys

  /// Writes a code, a byte per part, as number `index` of a list.
  ///
  /// - Parameter code: of `4 · ⌈parts / 4⌉` bytes, the last ones zero.
  package static func pack(
    _ code: UnsafePointer<UInt8>, parts: Int, at index: Int,
    into blocks: UnsafeMutablePointer<UInt8>
  ) {
    basis_scan_pack(code, groups(parts), index, blocks)
  }

  /// The bytes of a code, and of as many zeros as its last group has places left.
  package static func paddedParts(_ parts: Int) -> Int { 4 * groups(parts) }

  /// Moves the `wanted` smallest of different keys to the front.
  package static func smallest(
    _ keys: UnsafeMutablePointer<UInt64>, count: Int, wanted: Int
  ) -> Int {
    basis_scan_kernels().pointee.smallest(keys, count, wanted)
  }

  /// Keys of values `halves − products`, in the order of the values: the number in the lower half.
  package static func rank(
    _ products: UnsafePointer<Float>, halves: UnsafePointer<Float>?, count: Int,
    into keys: UnsafeMutablePointer<UInt64>
  ) {
    basis_scan_kernels().pointee.rank(products, halves, count, keys)
  }
}
