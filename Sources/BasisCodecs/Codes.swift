public import BasisCore
public import BasisFormats

/// The codes of some vectors, one after the other, in memory or in a mapped file.
public struct Codes: Sendable {
  public let count: Int
  public let bytesPerVector: Int
  private let bytes: BlockStorage<UInt8>

  /// - Precondition: `bytes` holds `count * bytesPerVector` bytes.
  public init(count: Int, bytesPerVector: Int, bytes: [UInt8]) {
    precondition(
      bytes.count == count * bytesPerVector,
      "\(bytes.count) bytes for \(count) codes of \(bytesPerVector)")
    self.count = count
    self.bytesPerVector = bytesPerVector
    self.bytes = .owned(bytes)
  }

  /// Codes of a file, read as they are needed.
  ///
  /// - Throws: `.corruptFile` if the block is missing, damaged, or not of whole codes.
  public init(from container: Container, _ name: String, bytesPerVector: Int) throws(BasisError) {
    let mapped = try container.array(name, of: UInt8.self)
    guard bytesPerVector > 0, mapped.count % bytesPerVector == 0 else {
      throw BasisError(
        .corruptFile,
        "\(container.path): \(name) has \(mapped.count) bytes, not codes of \(bytesPerVector)")
    }
    count = mapped.count / bytesPerVector
    self.bytesPerVector = bytesPerVector
    bytes = .mapped(mapped)
  }

  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, _ name: String) throws(BasisError) {
    try bytes.write(to: writer, name)
  }

  /// All codes; row `i` starts at `i * bytesPerVector`.
  public func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    try bytes.withUnsafeBufferPointer(body)
  }

  /// One code.
  public subscript(index: Int) -> [UInt8] {
    withUnsafeBytes { Array($0[index * bytesPerVector..<(index + 1) * bytesPerVector]) }
  }
}
