package import BasisCore
import CBasisKernels

/// Finds the nearest of some centroids by matrix products. An assignment does not depend on the
/// rows beside it.
package struct NearestCentroid: Sendable {
  private let count: Int
  private let dimension: Int
  private let halves: [Float]
  private let blocks: [Block]

  /// Some centroids laid out for products, no more than a near cache keeps.
  private final class Block: Sendable {
    let first: Int
    let rows: Kernels.PackedRows

    init(_ centroids: Matrix, _ range: Range<Int>) {
      first = range.lowerBound
      rows = Kernels.PackedRows(.right, centroids, rows: range)
    }
  }

  /// - Parameter ignoringLengths: by the largest product rather than the smallest distance.
  package init(_ centroids: Matrix, ignoringLengths: Bool) {
    count = centroids.rowCount
    dimension = centroids.columnCount
    halves =
      ignoringLengths
      ? Array(repeating: 0, count: centroids.rowCount) : centroids.halfSquaredNorms
    // Half a megabyte, in whole panels.
    let width = max(64, 131_072 / max(1, dimension) / 64 * 64)
    let count = count
    blocks = stride(from: 0, to: count, by: width).map {
      Block(centroids, $0..<min(count, $0 + width))
    }
  }

  /// - Parameters:
  ///   - rows: `count` rows, one after the other.
  ///   - ids: room for `count` numbers of centroids.
  ///   - each: told half the squared length of the centroid less its product with the row.
  package func assign(
    _ rows: UnsafePointer<Float>, count rowCount: Int, into ids: UnsafeMutablePointer<UInt32>,
    _ each: (_ row: Int, _ value: Float) -> Void = { _, _ in }
  ) {
    let (k, d) = (count, dimension)
    // Products of half a megabyte stay in a near cache until they are read.
    let height = max(16, min(512, 131_072 / max(1, k)))
    var left = Kernels.PackedRows(.left, capacity: min(height, rowCount), dimension: d)
    let kernels = basis_scan_kernels().pointee
    withUnsafeTemporaryAllocation(of: Float.self, capacity: height * (k + 1)) { room in
      guard let products = room.baseAddress else { return }
      let values = products + height * k
      for first in stride(from: 0, to: rowCount, by: height) {
        let rest = min(height, rowCount - first)
        left.fill(rows + first * d, stride: d, count: rest)
        for block in blocks {
          Kernels.product(left, block.rows, into: products + block.first, cStride: k)
        }
        kernels.nearest(products, k, rest, halves, k, ids + first, values)
        for row in 0..<rest { each(first + row, values[row]) }
      }
    }
  }
}
