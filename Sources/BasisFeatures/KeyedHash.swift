/// A keyed hash of several fields: SipHash-2-4 of each field with its length before it.
///
/// The length keeps `("1", "11")` and `("11", "1")` apart, and the key keeps whoever writes a table from
/// choosing values that collide. The same key gives the same numbers on every machine.
///
/// Aumasson & Bernstein, *SipHash: a fast short-input PRF*, INDOCRYPT 2012, doi:10.1007/978-3-642-34931-7_28.
public struct KeyedHash: Sendable, Hashable {
  /// The first half of the key.
  public let k0: UInt64
  /// The second half of the key.
  public let k1: UInt64

  public init(_ k0: UInt64 = 0x0706_0504_0302_0100, _ k1: UInt64 = 0x0F0E_0D0C_0B0A_0908) {
    self.k0 = k0
    self.k1 = k1
  }

  /// - Returns: 64 bits of all fields, in their order.
  /// - Complexity: O(bytes).
  public func hash(_ fields: [String]) -> UInt64 {
    var bytes: [UInt8] = []
    for field in fields {
      let length = UInt64(field.utf8.count)
      for shift in stride(from: 0, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
      }
      bytes += field.utf8
    }
    return hash(bytes: bytes)
  }

  /// SipHash-2-4 of bytes as they are.
  public func hash(bytes: some Sequence<UInt8>) -> UInt64 {
    var state = State(k0, k1)
    var (word, place, count): (UInt64, UInt64, UInt64) = (0, 0, 0)
    for byte in bytes {
      word |= UInt64(byte) << place
      place += 8
      count &+= 1
      if place == 64 {
        state.absorb(word)
        (word, place) = (0, 0)
      }
    }
    state.absorb(word | count << 56)
    return state.finish()
  }

  private struct State {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ k0: UInt64, _ k1: UInt64) {
      v0 = k0 ^ 0x736F_6D65_7073_6575
      v1 = k1 ^ 0x646F_7261_6E64_6F6D
      v2 = k0 ^ 0x6C79_6765_6E65_7261
      v3 = k1 ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
      v3 ^= word
      round()
      round()
      v0 ^= word
    }

    mutating func finish() -> UInt64 {
      v2 ^= 0xFF
      for _ in 0..<4 { round() }
      return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
      v0 = v0 &+ v1
      v1 = Self.rotated(v1, 13) ^ v0
      v0 = Self.rotated(v0, 32)
      v2 = v2 &+ v3
      v3 = Self.rotated(v3, 16) ^ v2
      v0 = v0 &+ v3
      v3 = Self.rotated(v3, 21) ^ v0
      v2 = v2 &+ v1
      v1 = Self.rotated(v1, 17) ^ v2
      v2 = Self.rotated(v2, 32)
    }

    private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
      value << bits | value >> (64 - bits)
    }
  }
}
