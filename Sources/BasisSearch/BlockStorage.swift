package import BasisFormats

/// Numbers in memory of ours or in a mapped file.
package enum BlockStorage<T: BitwiseCopyable & Sendable>: Sendable {
  case owned([T])
  case mapped(MappedArray<T>)

  var count: Int {
    switch self {
    case .owned(let values): values.count
    case .mapped(let values): values.count
    }
  }

  @inline(__always)
  func withUnsafeBufferPointer<R, E: Error>(
    _ body: (UnsafeBufferPointer<T>) throws(E) -> R
  ) throws(E) -> R {
    switch self {
    case .owned(let values): try values.withUnsafeBufferPointer(body)
    case .mapped(let values): try values.withUnsafeBufferPointer(body)
    }
  }
}
