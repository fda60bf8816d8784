import BasisCodecs
import BasisCore

/// Finds the second list of a row: of the nearest centroids the one that makes
/// ‖r′‖² + λ (r · r′)² / ‖r‖² least, where r is what the first list leaves of the row and r′ what the
/// second would. A query whose distance from the first list is misleading, because it lies along r,
/// then finds the row by the second.
///
/// Sun et al., arXiv:2404.00774, theorem 3.1, with λ = 1.
struct SecondCentroid: Sendable {
  private let centroids: Matrix
  private let packed: PackedCentroids

  /// Centroids that are looked at closely.
  private static let candidates = 32
  private static let orthogonality: Float = 1

  init(_ centroids: Matrix) {
    self.centroids = centroids
    packed = PackedCentroids(centroids)
  }

  /// - Parameters:
  ///   - rows: `count × d`.
  ///   - residuals: what the first lists leave, `stride` floats apart.
  ///   - lists: the first list of each row; becomes the second.
  func assign(
    _ rows: UnsafePointer<Float>, count: Int, residuals: UnsafePointer<Float>, stride padded: Int,
    lists: UnsafeMutablePointer<UInt32>
  ) {
    let (k, d) = (centroids.rowCount, centroids.columnCount)
    guard k > 1 else { return }
    let height = 32
    var block = Kernels.PackedRows(.left, capacity: min(height, count), dimension: d)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: height * k) { products in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: k) { keys in
        guard let products = products.baseAddress, let keys = keys.baseAddress else { return }
        for first in Swift.stride(from: 0, to: count, by: height) {
          let rest = min(height, count - first)
          block.fill(rows + first * d, stride: d, count: rest)
          Kernels.product(block, packed.rows, into: products, cStride: k)
          for row in first..<first + rest {
            let own = products + (row - first) * k
            packed.halfSquares.withUnsafeBufferPointer {
              FastScan.rank(own, halves: $0.baseAddress, count: k, into: keys)
            }
            let near = FastScan.smallest(keys, count: k, wanted: min(k, Self.candidates))
            lists[row] = best(
              UnsafeBufferPointer(start: keys, count: near), products: own, rows + row * d,
              residuals + row * padded, other: lists[row])
          }
        }
      }
    }
  }

  private func best(
    _ keys: UnsafeBufferPointer<UInt64>, products: UnsafePointer<Float>,
    _ row: UnsafePointer<Float>, _ residual: UnsafePointer<Float>, other: UInt32
  ) -> UInt32 {
    let d = centroids.columnCount
    let squared = Kernels.dot(row, row, count: d)
    let length = Kernels.dot(residual, residual, count: d)
    let along = Kernels.dot(row, residual, count: d)
    var best = (loss: Float.infinity, list: other)
    for key in keys {
      let list = UInt32(truncatingIfNeeded: key)
      guard list != other else { continue }
      let dot = centroids.withRow(Int(list)) { centroid in
        centroid.baseAddress.map { along - Kernels.dot($0, residual, count: d) } ?? 0
      }
      let distance = squared + 2 * (packed.halfSquares[Int(list)] - products[Int(list)])
      let loss = distance + (length > 0 ? Self.orthogonality * dot * dot / length : 0)
      if loss < best.loss || (loss == best.loss && list < best.list) { best = (loss, list) }
    }
    return best.list
  }
}
