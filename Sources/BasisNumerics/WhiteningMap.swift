import BasisCore

/// x ↦ W (x − c), for blocks of rows.
struct WhiteningMap: Sendable {
  /// W, `rank × d`.
  let rows: Matrix
  let rank: Int
  private let center: [Double]
  private let blocks: [Block]

  private final class Block: Sendable {
    let first: Int
    let rows: Kernels.PackedRows

    init(_ matrix: Matrix, _ range: Range<Int>) {
      first = range.lowerBound
      rows = Kernels.PackedRows(.right, matrix, rows: range)
    }
  }

  init(_ values: [Double], rank: Int, center: [Double]) {
    let d = center.count
    let rows = Matrix(rowCount: rank, columnCount: d) { out in
      for index in out.indices { out[index] = Float(values[index]) }
    }
    // Half a megabyte, in whole panels.
    let width = max(64, 131_072 / d / 64 * 64)
    blocks = stride(from: 0, to: rank, by: width).map {
      Block(rows, $0..<min(rank, $0 + width))
    }
    self.rows = rows
    self.rank = rank
    self.center = center
  }

  /// - Parameter out: room for so many rows of `rank` floats, one after the other.
  func apply(_ range: Range<Int>, of matrix: Matrix, into out: UnsafeMutablePointer<Float>) {
    let d = center.count
    var left = Kernels.PackedRows(.left, capacity: range.count, dimension: d)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * d) { room in
      guard let base = room.baseAddress else { return }
      for (place, row) in range.enumerated() {
        matrix.withRow(row) { values in
          for column in 0..<d {
            base[place * d + column] = Float(Double(values[column]) - center[column])
          }
        }
      }
      left.fill(base, stride: d, count: range.count)
    }
    for block in blocks {
      Kernels.product(left, block.rows, into: out + block.first, cStride: rank)
    }
  }

  /// One class mean, in `Double` until it is done.
  func apply(toMean mean: [Double], _ index: Int, _ out: UnsafeMutableBufferPointer<Float>) {
    let d = center.count
    rows.withUnsafeFloats { floats in
      for place in 0..<rank {
        var sum = 0.0
        for column in 0..<d {
          sum += Double(floats[place * d + column]) * (mean[column] - center[column])
        }
        out[index * rank + place] = Float(sum)
      }
    }
  }
}
