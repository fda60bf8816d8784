/// The upper half of a `Float`: its range, and eight bits of its precision.
///
/// For storage; arithmetic is done in `Float`. `Float16` is the other half-size type.
package struct BFloat16: Hashable, Sendable, BitwiseCopyable {
  package var bitPattern: UInt16

  package init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// The nearest, ties to even; too large becomes infinity, and a NaN stays one.
  package init(_ value: Float) {
    let bits = value.bitPattern
    bitPattern =
      value.isNaN
      ? UInt16(bits >> 16) | 0x40 : UInt16((UInt64(bits) + 0x7FFF + UInt64(bits >> 16 & 1)) >> 16)
  }
}

extension Float {
  /// Exact.
  package init(_ value: BFloat16) { self.init(bitPattern: UInt32(value.bitPattern) << 16) }
}
