import BasisCore
import CBasisKernels

/// Small whole numbers of `bits` bits each, packed without gaps, low bits of low bytes first.
struct LevelStream: Sendable, Hashable {
  let count: Int
  let bits: Int

  /// Unsafe to the compiler, which does not know that nobody writes the table.
  nonisolated(unsafe) static let kernels = basis_table_scan_kernels().pointee

  var byteCount: Int { (count * bits + 7) / 8 }
  /// The odd number that stands for the highest level: levels are −highest, −highest + 2 … highest.
  var highest: Int8 { Int8((1 << bits) - 1) }

  /// Packs levels below 2ᵇⁱᵗˢ into zeroed bytes.
  func pack(_ levels: UnsafePointer<UInt8>, into stream: UnsafeMutablePointer<UInt8>) {
    for index in 0..<count {
      let place = index * bits
      let word = UInt16(levels[index]) << UInt16(place & 7)
      stream[place >> 3] |= UInt8(truncatingIfNeeded: word)
      if place & 7 + bits > 8 { stream[place >> 3 + 1] |= UInt8(word >> 8) }
    }
  }

  /// The levels as odd numbers, `2 · level − highest`.
  func unpackOdd(_ stream: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<Int8>) {
    unpack(stream, into: out)
    let highest = highest
    for index in 0..<count { out[index] = out[index] &* 2 &- highest }
  }

  /// Calls `body` with blocks of codes: their places in the range, the first one's bytes, and their
  /// levels as odd numbers, `count` a code.
  ///
  /// - Parameter skipped: bytes of a code before its levels.
  func forEachBlock(
    of codes: Codes, _ range: Range<Int>, skipping skipped: Int = 0,
    _ body: (Range<Int>, UnsafePointer<UInt8>, UnsafePointer<Int8>) -> Void
  ) {
    let (width, grain) = (codes.bytesPerVector, 64)
    codes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      withUnsafeTemporaryAllocation(of: Int8.self, capacity: grain * count) { buffer in
        guard let odd = buffer.baseAddress else { return }
        for first in stride(from: 0, to: range.count, by: grain) {
          let block = first..<min(first + grain, range.count)
          let start = base + (range.lowerBound + first) * width
          for row in 0..<block.count {
            unpackOdd(start + row * width + skipped, into: odd + row * count)
          }
          body(block, start, odd)
        }
      }
    }
  }

  /// The levels as they are.
  func unpack(_ stream: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<Int8>) {
    Self.kernels.unpack(stream, count, Int32(bits), out)
  }
}

/// A query in 15-bit fixed point: its products with rows of small whole numbers are sums of whole
/// numbers, twice as many as with 8 bits.
struct FixedPointQuery: Sendable {
  let count: Int
  private let high: [Int8]
  private let low: [Int8]
  private let unit: Float
  private let kernel = DistanceKernel<Int8, Int8, Int32>.dot

  init(_ query: [Float]) {
    count = query.count
    let largest = query.reduce(0) { max($0, abs($1)) }
    let unit = largest / 16_319
    let scale = unit > 0 ? 1 / unit : 0
    let isUsable = scale.isFinite
    // 128 · high + low, with |high| ≤ 127 and |low| ≤ 64.
    let whole = query.map { isUsable ? Int(($0 * scale).rounded()) : 0 }
    high = whole.map { Int8(clamping: ($0 + 64) >> 7) }
    low = whole.map { Int8(clamping: $0 - (($0 + 64) >> 7) * 128) }
    self.unit = isUsable ? unit : 0
  }

  /// The products with `rowCount` rows of `count` numbers, `stride` bytes apart.
  func products(
    with rows: UnsafePointer<Int8>, rowCount: Int, stride: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    guard count > 0 else { return out.initialize(repeating: 0, count: rowCount) }
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * rowCount) { sums in
      high.withUnsafeBufferPointer { high in
        low.withUnsafeBufferPointer { low in
          guard let upper = sums.baseAddress, let high = high.baseAddress,
            let low = low.baseAddress
          else { return }
          let lower = upper + rowCount
          kernel(
            high, rows: rows, rowCount: rowCount, stride: stride, dimension: count, into: upper)
          kernel(low, rows: rows, rowCount: rowCount, stride: stride, dimension: count, into: lower)
          for row in 0..<rowCount {
            out[row] = Float(Int(upper[row]) << 7 + Int(lower[row])) * unit
          }
        }
      }
    }
  }

  /// Σ xᵢ² of a row of `count` numbers, exact.
  func squares(of row: UnsafePointer<Int8>) -> Float {
    Float(kernel(row, row, dimension: count))
  }
}

/// What makes a distance of the product of query and vector, and the vector's squared length.
struct ProductMetric: Sendable {
  let metric: Metric
  let squaredLength: Float
  let inverseLength: Float

  init(_ query: [Float], _ metric: Metric) {
    self.metric = metric
    squaredLength = Float(query.reduce(0.0) { $0 + Double($1) * Double($1) })
    inverseLength = squaredLength > 0 ? 1 / squaredLength.squareRoot() : 0
  }

  /// Whether a distance needs the vector's length.
  var needsLength: Bool { metric != .innerProduct }

  @inline(__always)
  func distance(product: Float, squaredLength other: Float) -> Float {
    switch metric {
    case .innerProduct: return -product
    case .squaredEuclidean: return max(0, squaredLength + other - 2 * product)
    case .cosine:
      guard other > 0 else { return 1 }
      return min(2, max(0, 1 - product * inverseLength / other.squareRoot()))
    }
  }
}
