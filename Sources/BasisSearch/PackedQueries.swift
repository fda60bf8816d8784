import BasisCore

/// Blocks of queries, laid out for products with many rows.
final class PackedQueries: Sendable {
  private let blocks: [Block]

  private final class Block: Sendable {
    let rows: Kernels.PackedRows

    init(_ rows: consuming Kernels.PackedRows) { self.rows = rows }
  }

  init(_ queries: Matrix, _ blocks: [Range<Int>]) {
    self.blocks = blocks.map { Block(Kernels.PackedRows(.left, queries, rows: $0)) }
  }

  /// The product of a block of queries, by its number, with rows.
  func multiply(
    _ block: Int, _ rows: borrowing Kernels.PackedRows, into products: UnsafeMutablePointer<Float>,
    stride: Int
  ) {
    Kernels.product(blocks[block].rows, rows, into: products, cStride: stride)
  }
}
