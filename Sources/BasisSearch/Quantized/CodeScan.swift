import BasisCodecs
import BasisCore
import BasisFormats
import CBasisKernels

/// Some queries on their way through blocks of codes, and the nearest codes each has met. For one
/// thread. See `basis_code_scan_kernels.h` for the layout of codes.
///
/// What a query keeps depends on the codes that it has met, and not on their order or on the other
/// queries.
final class CodeScan {
  /// Which kernel goes through the codes.
  enum Kind { case bytes, bits }

  /// Bytes of codes that the first-level cache keeps while many queries read them.
  static let pieceBytes = 24_576

  private let kind: Kind
  private let groups: Int
  private let queryCount: Int
  private let queries: UnsafeMutablePointer<basis_code_query>
  private let keys: UnsafeMutablePointer<UInt64>
  /// `groups` times 4 bytes, or 64, a query.
  private let codes: UnsafeMutablePointer<UInt8>
  private let kernels = basis_code_scan_kernels().pointee

  /// Bytes of a group of a query.
  private var groupBytes: Int { kind == .bytes ? 4 : Int(BASIS_SCAN_GROUP_BYTES) }

  /// - Parameter wanted: how many codes each query looks for, at least 1.
  init(_ kind: Kind, queryCount: Int, groups: Int, wanted: Int) {
    self.kind = kind
    self.groups = groups
    self.queryCount = queryCount
    let capacity = 2 * wanted + 2 * Int(BASIS_CODE_SCAN_ROWS)
    queries = .allocate(capacity: queryCount)
    keys = .allocate(capacity: queryCount * capacity)
    let size = groups * (kind == .bytes ? 4 : Int(BASIS_SCAN_GROUP_BYTES))
    codes = .allocate(capacity: max(1, queryCount * size))
    codes.initialize(repeating: 0, count: max(1, queryCount * size))
    for query in 0..<queryCount {
      queries[query] = basis_code_query(
        codes: codes + query * size, keys: keys + query * capacity, limit: .max,
        bound: .infinity, wanted: UInt32(clamping: wanted), capacity: UInt32(clamping: capacity),
        count: 0, offset: 0, scale: 1)
    }
  }

  deinit {
    queries.deallocate()
    keys.deallocate()
    codes.deallocate()
  }

  /// Cuts a query to bytes, negated so that smaller sums are closer.
  ///
  /// - Parameter isEuclidean: whether rows have biases, in the unit of products.
  func setBytes(_ query: Int, _ values: UnsafeBufferPointer<Float>, isEuclidean: Bool)
    -> basis_query_bytes
  {
    let out = codes + query * groups * groupBytes
    let result = UnsafeMutableRawPointer(out).withMemoryRebound(
      to: Int8.self, capacity: values.count
    ) { kernels.query_bytes(values.baseAddress, values.count, $0) }
    // Rows have 128 added to each value.
    queries[query].offset = 128 &* result.sum
    queries[query].scale = isEuclidean && result.unit > 0 ? 1 / result.unit : 1
    return result
  }

  /// Sets what each sign adds to a query's score.
  ///
  /// - Parameters:
  ///   - weights: what signs are multiplied with, finite, at most four for each part.
  ///   - unit: what weights are worth in the unit of the rows' biases; nil where there are none.
  func setSigns(_ query: Int, _ weights: UnsafeBufferPointer<Float>, unit: Float?) {
    var least: Float = 0
    let step = kernels.sign_table(
      weights.baseAddress, weights.count, groups, codes + query * groups * groupBytes, &least)
    queries[query].offset = Int32((-least / step).rounded())
    let worth = step * (unit ?? 1)
    // Weights of no length: biases alone.
    queries[query].scale = worth >= .leastNormalMagnitude ? 1 / worth : 1
  }

  /// Takes queries through some codes.
  ///
  /// - Parameters:
  ///   - blocks: the first row's block.
  ///   - count: how many rows.
  ///   - factors: what each row's sums are multiplied with; nil for 1.
  ///   - biases: what is added to each row's scores; nil for 0.
  ///   - first: the first row's number.
  ///   - allowed: a bit per row number; nil for all.
  ///   - chosen: the queries; nil for all.
  func collect(
    _ blocks: UnsafePointer<UInt8>, count: Int, factors: UnsafePointer<Float>?,
    biases: UnsafePointer<Float>?, first: Int, allowed: UnsafePointer<UInt64>?,
    queries chosen: Range<Int>? = nil
  ) {
    let kernel = kind == .bytes ? kernels.collect_bytes : kernels.collect_bits
    kernel?(
      blocks, count, groups, factors, biases, first, allowed,
      queries + (chosen?.lowerBound ?? 0), chosen?.count ?? queryCount)
  }

  /// The wanted nearest codes that a query has met, in no order. Valid until the next call.
  func smallest(_ query: Int) -> UnsafeMutableBufferPointer<UInt64> {
    let state = queries + query
    let count = FastScan.smallest(
      state.pointee.keys, count: Int(state.pointee.count), wanted: Int(state.pointee.wanted))
    return UnsafeMutableBufferPointer(start: state.pointee.keys, count: count)
  }
}

/// Blocks of codes with a factor, and perhaps an addition, for each row.
struct BlockedRows {
  let blocks: BlockStorage<UInt8>
  let factors: BlockStorage<Float>
  /// Empty for none.
  let biases: BlockStorage<Float>
  let count: Int
  /// Rows and bytes of a block.
  let blockRows: Int
  let blockBytes: Int

  /// Takes queries through all rows, a piece at a time that stays in a near cache while they read it.
  func collect(
    _ scan: CodeScan, queryCount: Int, allowed: Bitmap?, in run: RunContext
  ) throws(BasisError) {
    try blocks.withUnsafeBufferPointer { (blocks) throws(BasisError) in
      try factors.withUnsafeBufferPointer { (factors) throws(BasisError) in
        try biases.withUnsafeBufferPointer { (biases) throws(BasisError) in
          guard let base = blocks.baseAddress else { return }
          // Few queries read long pieces; many read pieces that the first-level cache holds.
          let bytes = queryCount > 6 ? CodeScan.pieceBytes : 1 << 20
          let rows = Int(BASIS_CODE_SCAN_ROWS)
          let step = max(rows, bytes / max(1, blockBytes) * blockRows / rows * rows)
          for first in stride(from: 0, to: count, by: step) {
            try run.checkCancelled()
            func visit(_ allowed: UnsafePointer<UInt64>?) {
              scan.collect(
                base + first / blockRows * blockBytes, count: min(step, count - first),
                factors: factors.baseAddress.map { $0 + first },
                // An empty array may have an address.
                biases: biases.isEmpty ? nil : biases.baseAddress.map { $0 + first },
                first: first, allowed: allowed)
            }
            if let allowed {
              allowed.words.withUnsafeBufferPointer { visit($0.baseAddress) }
            } else {
              visit(nil)
            }
          }
        }
      }
    }
  }
}
