import BasisCore
import Synchronization

/// The rows nearest to each row of a matrix, itself left out, exactly: nearest first, ties by smaller
/// number.
///
/// A product of two blocks of rows serves both: where a row of one may be near a row of the other, so may
/// the other be near the one. Distances are those of `FlatIndex`, of which this does half the products.
final class NeighborsAmongRows: Sendable {
  /// Of *k*: what is found is sorted in as it comes, at a cost of *k*.
  static let largestCount = 64
  private static let blockSize = 256

  private let rows: Matrix
  private let k: Int
  private let norms: [Float]
  /// Half the squared norms.
  private let halfSquares: [Float]
  private let blocks: [Block]

  /// Some rows, laid out for products on either side, and the nearest that are known of each.
  private final class Block: Sendable {
    let range: Range<Int>
    let left: Kernels.PackedRows
    let right: Kernels.PackedRows
    let longest: Float
    let best: Mutex<NearestKeys>

    init(_ rows: Matrix, _ range: Range<Int>, norms: [Float], k: Int) {
      self.range = range
      left = Kernels.PackedRows(.left, rows, rows: range)
      right = Kernels.PackedRows(.right, rows, rows: range)
      longest = norms[range].max() ?? 0
      best = Mutex(NearestKeys(rowCount: range.count, k: k))
    }
  }

  /// - Precondition: rows are more than `k`, which is at least 1; there is a column.
  /// - Throws: `.badData` naming the row and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(*n*² *d* / 2), parallel over blocks of rows.
  init(_ rows: Matrix, k: Int, in run: RunContext) throws(BasisError) {
    precondition(k >= 1 && k < rows.rowCount && rows.columnCount > 0, "\(k) neighbours among rows")
    self.rows = rows
    self.k = k
    let norms = (0..<rows.rowCount).map { row in rows.withRow(row) { euclideanNorm($0) } }
    // A norm is finite exactly if its row is, except where it overflows.
    if norms.contains(where: { !$0.isFinite }) { try rows.requireFinite("the rows") }
    self.norms = norms
    halfSquares = norms.map { $0 * $0 * 0.5 }
    blocks = stride(from: 0, to: rows.rowCount, by: Self.blockSize).map { first in
      Block(rows, first..<min(first + Self.blockSize, rows.rowCount), norms: norms, k: k)
    }
    // First each block by itself, so that bounds are known when it meets others.
    try parallelFor(blocks.count, grain: 1, in: run) { (_, range) in
      let space = TileSpace(side: Self.blockSize)
      for place in range { compare(blocks[place], space) }
    }
    try parallelFor(blocks.count, grain: 1, in: run) { (_, range) throws(BasisError) in
      let space = TileSpace(side: Self.blockSize)
      for place in range {
        for other in blocks[(place + 1)...] {
          try run.checkCancelled()
          compare(blocks[place], other, space)
        }
      }
    }
  }

  /// - Complexity: O(*k*).
  func neighbors(of row: Int) -> [Int] {
    let place = row % Self.blockSize
    return blocks[row / Self.blockSize].best.withLock { best in
      (0..<k).map { Int(best.keys[place * k + $0] & 0xFFFF_FFFF) }
    }
  }

  /// A tile of products, positions that were found in a row of it, and bounds.
  private final class TileSpace {
    let products: UnsafeMutablePointer<Float>
    let positions: UnsafeMutablePointer<UInt32>
    let bounds: UnsafeMutablePointer<Float>
    private let memory: UnsafeMutableRawPointer

    init(side: Int) {
      memory = .allocate(byteCount: 4 * side * (side + 2), alignment: 64)
      products = memory.bindMemory(to: Float.self, capacity: side * side)
      bounds = (memory + 4 * side * side).bindMemory(to: Float.self, capacity: side)
      positions = (memory + 4 * side * (side + 1)).bindMemory(to: UInt32.self, capacity: side)
    }

    deinit { memory.deallocate() }
  }

  /// A block with itself.
  private func compare(_ block: Block, _ space: TileSpace) {
    let width = block.range.count
    Kernels.product(block.left, block.right, into: space.products, cStride: width)
    block.best.withLock { best in
      halfSquares.withUnsafeBufferPointer { halves in
        rows.withUnsafeFloats { floats in
          guard let halves = halves.baseAddress, let floats = floats.baseAddress else { return }
          for place in 0..<width {
            let row = block.range.lowerBound + place
            // In steps that double: each has few rows nearer than those that are known by then.
            var (first, step) = (0, max(16, k))
            while first < width {
              let count = min(step, width - first)
              let found = Kernels.positions(
                of: space.products + place * width + first,
                minus: halves + block.range.lowerBound + first, count: count,
                notBelow: bound(row, best.limit(place, k), block.longest), into: space.positions)
              for index in 0..<found {
                let other = block.range.lowerBound + first + Int(space.positions[index])
                if other != row { best.offer(other, distance(row, other, floats), to: place, k) }
              }
              (first, step) = (first + count, 2 * step)
            }
          }
        }
      }
    }
  }

  /// A block with a later one.
  private func compare(_ block: Block, _ other: Block, _ space: TileSpace) {
    let width = other.range.count
    Kernels.product(block.left, other.right, into: space.products, cStride: width)
    halfSquares.withUnsafeBufferPointer { halves in
      rows.withUnsafeFloats { floats in
        guard let halves = halves.baseAddress, let floats = floats.baseAddress else { return }
        block.best.withLock { best in
          for place in 0..<block.range.count {
            let row = block.range.lowerBound + place
            let found = Kernels.positions(
              of: space.products + place * width, minus: halves + other.range.lowerBound,
              count: width, notBelow: bound(row, best.limit(place, k), other.longest),
              into: space.positions)
            for index in 0..<found {
              let found = other.range.lowerBound + Int(space.positions[index])
              best.offer(found, distance(row, found, floats), to: place, k)
            }
          }
        }
        other.best.withLock { best in
          for place in 0..<width {
            space.bounds[place] = bound(
              other.range.lowerBound + place, best.limit(place, k), block.longest)
          }
          for place in 0..<block.range.count {
            let row = block.range.lowerBound + place
            let found = Kernels.positions(
              of: space.products + place * width, minus: space.bounds, count: width,
              notBelow: halves[row], into: space.positions)
            for index in 0..<found {
              let target = Int(space.positions[index])
              best.offer(
                row, distance(other.range.lowerBound + target, row, floats), to: target, k)
            }
          }
        }
      }
    }
  }

  /// What a product less half the squared norm of the other row is not below where the other may be
  /// within a limit.
  ///
  /// Solved for the product, with the slack that two orders of summation need: of any two sums of *d*
  /// products at most 2 γ(*d*) ‖x‖ ‖y‖, γ(*d*) = *d* *u* / (1 − *d* *u*), *u* = 2⁻²⁴; twice that, for the rest.
  @inline(__always)
  private func bound(_ row: Int, _ limit: Float, _ longest: Float) -> Float {
    let norm = norms[row]
    let slack = Float(rows.columnCount + 16) * 0x1p-22 * (norm + longest) * (norm + longest)
    return (norm * norm - limit - slack) * 0.5
  }

  @inline(__always)
  private func distance(_ a: Int, _ b: Int, _ floats: UnsafePointer<Float>) -> Float {
    let d = rows.columnCount
    return Kernels.squaredDistance(floats + a * d, floats + b * d, count: d)
  }
}

/// The smallest distances that are known of some rows, each with its row: the bits of the distance, which
/// is not negative, above the row's number, so that numbers sort as distances do.
private struct NearestKeys {
  private(set) var keys: [UInt64]

  init(rowCount: Int, k: Int) { keys = Array(repeating: .max, count: rowCount * k) }

  /// Above it nothing is wanted.
  @inline(__always)
  func limit(_ place: Int, _ k: Int) -> Float {
    let last = keys[(place + 1) * k - 1]
    return last == .max ? .infinity : Float(bitPattern: UInt32(last >> 32))
  }

  /// - Complexity: O(*k*).
  mutating func offer(_ row: Int, _ distance: Float, to place: Int, _ k: Int) {
    let key = UInt64(distance.bitPattern) << 32 | UInt64(row)
    var slot = (place + 1) * k - 1
    guard key < keys[slot] else { return }
    while slot > place * k, keys[slot - 1] > key {
      keys[slot] = keys[slot - 1]
      slot -= 1
    }
    keys[slot] = key
  }
}
