import BasisCore
import BasisFormats

/// Bytes at a 64-byte boundary, on large pages where there are many, or in a mapped file: records of
/// whole 32-bit words. A matrix keeps them, for it has all that.
struct GraphBlock: Sendable {
  let count: Int
  /// Bytes of a record, a multiple of 4.
  let stride: Int
  private var words: Matrix
  /// Of records in a file that are touched before they are read; nil where all are sound.
  private let block: BlockGuard?

  init(count: Int, stride: Int, fill: (UnsafeMutableRawPointer) -> Void = { _ in }) {
    self.count = count
    self.stride = stride
    block = nil
    words = Matrix(rowCount: count, columnCount: stride / 4) { floats in
      if let base = floats.baseAddress { fill(UnsafeMutableRawPointer(base)) }
    }
  }

  /// Opens the block that ``write(to:_:)`` wrote.
  ///
  /// - Parameter isVerified: false where records are verified only as they are touched.
  /// - Throws: `.corruptFile` if it has another size.
  init(
    _ container: Container, _ name: String, count: Int, stride: Int, isVerified: Bool = true
  ) throws(BasisError) {
    let opened = try container.unverifiedMatrix(name, columnCount: stride / 4)
    words = opened.matrix
    block = isVerified ? nil : opened.guardian
    guard words.rowCount == count else {
      throw BasisError(
        .corruptFile,
        "\(container.path): the block '\(name)' has \(words.rowCount) records, not \(count)")
    }
    self.count = count
    self.stride = stride
    if isVerified {
      try opened.guardian.verify(records: 0..<count, stride: stride)
    }
  }

  /// Touches records that are about to be read.
  func touch(_ ids: UnsafeBufferPointer<UInt32>) { block?.touch(records: ids, stride: stride) }

  func touch(records range: Range<Int>) {
    block?.touch(range.lowerBound * stride..<range.upperBound * stride)
  }

  /// - Throws: `.corruptFile` if a record that was touched is damaged.
  func check() throws(BasisError) { try block?.check() }

  /// - Throws: `.corruptFile` if any record is damaged.
  func verify() throws(BasisError) { try block?.verify(records: 0..<count, stride: stride) }

  func write(to writer: ContainerWriter, _ name: String) throws(BasisError) {
    try writer.write(name, matrix: words)
  }

  /// Where the records are, for as long as the block lives.
  var base: UnsafeRawPointer {
    // A matrix has memory even where it has no rows.
    words.withUnsafeFloats { UnsafeRawPointer($0.baseAddress.unsafelyUnwrapped) }
  }

  mutating func withMutableBytes(_ body: (UnsafeMutableRawPointer) -> Void) {
    words.withUnsafeMutableFloats { floats in
      if let base = floats.baseAddress { body(UnsafeMutableRawPointer(base)) }
    }
  }
}
