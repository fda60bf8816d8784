package import BasisCore

/// Numbers in memory of ours or in a mapped file.
@frozen @usableFromInline
package enum BlockStorage<T: BitwiseCopyable & Sendable>: Sendable {
  case owned([T])
  case mapped(MappedArray<T>)

  @inlinable package var count: Int {
    switch self {
    case .owned(let values): values.count
    case .mapped(let values): values.count
    }
  }

  @inlinable @inline(__always)
  package func withUnsafeBufferPointer<R, E: Error>(
    _ body: (UnsafeBufferPointer<T>) throws(E) -> R
  ) throws(E) -> R {
    switch self {
    case .owned(let values): try values.withUnsafeBufferPointer(body)
    case .mapped(let values): try values.withUnsafeBufferPointer(body)
    }
  }

  package func write(to writer: ContainerWriter, _ name: String) throws(BasisError) {
    try withUnsafeBufferPointer { (values) throws(BasisError) in try writer.write(name, values) }
  }
}
