package import BasisCore
package import BasisFormats

/// In a file a flat index is one block, `norms`: a `Float` per row, its Euclidean norm. The rows are
/// kept elsewhere.
extension FlatIndex {
  /// An index over rows in a file, whose norms were kept when they were written: reads no row.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, perhaps not verified yet.
  ///   - metric: how rows are compared.
  ///   - norms: of the rows.
  ///   - block: the rows' block, touched before rows are read; nil where they are known to be sound.
  /// - Throws: `.corruptFile` for another number of norms; `.badData` for a row that is not finite.
  package init(
    _ rows: Matrix, metric: Metric, norms: [Float], guardedBy block: BlockGuard?
  ) throws(BasisError) {
    guard norms.count == rows.rowCount else {
      throw BasisError(
        .corruptFile, "\(norms.count) norms for \(rows.rowCount) rows; rebuild the segment")
    }
    self.rows = rows
    self.metric = metric
    self.norms = norms
    self.block = block
    inverseNorms = norms.map { $0 > 0 ? 1 / $0 : 0 }
    // Only a row whose norm overflows may have a value that is not finite.
    for (row, norm) in norms.enumerated() where !norm.isFinite {
      try block?.verify(records: row..<row + 1, stride: 4 * rows.columnCount)
      try rows.selecting(rows: [row]).requireFinite("row \(row) of the matrix to index")
    }
  }

  /// Opens the index in a file; computes the norms where an earlier version kept none.
  init(
    from container: Container, prefix: String, rows: Matrix, metric: Metric,
    guardedBy block: BlockGuard?
  ) throws(BasisError) {
    guard container.contains(prefix + FlatIndex.normsBlock) else {
      try block?.verify(records: 0..<rows.rowCount, stride: 4 * rows.columnCount)
      try self.init(rows, metric: metric)
      return
    }
    let norms = Array(try container.array(prefix + FlatIndex.normsBlock, of: Float.self))
    try self.init(rows, metric: metric, norms: norms, guardedBy: block)
  }

  static let normsBlock = "norms"

  /// The Euclidean norms of rows, one after another.
  ///
  /// - Precondition: `dimension` is at least 1 and divides the count of `floats`.
  package static func norms(of floats: UnsafeBufferPointer<Float>, dimension: Int) -> [Float] {
    stride(from: 0, to: floats.count, by: dimension).map {
      euclideanNorm(UnsafeBufferPointer(rebasing: floats[$0..<$0 + dimension]))
    }
  }

  /// Writes what the index keeps beside the rows.
  package static func write(norms: [Float], to writer: ContainerWriter, prefix: String)
    throws(BasisError)
  {
    try writer.write(prefix + normsBlock, norms)
  }

  /// Touches rows that are about to be read.
  func touch(_ ids: UnsafeBufferPointer<UInt32>) {
    block?.touch(records: ids, stride: 4 * dimension)
  }
}
