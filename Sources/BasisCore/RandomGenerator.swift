/// The package's own random numbers: xoshiro256**, seeded through SplitMix64.
///
/// The standard library promises no stable stream; this one is the same on every machine and in
/// every version. Blackman & Vigna, *Scrambled linear pseudorandom number generators*, ACM TOMS
/// 47 (2021), doi:10.1145/3460772.
public struct RandomGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  public init(seed: UInt64) {
    var mixer = SplitMix64(state: seed)
    state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  public mutating func next() -> UInt64 {
    let result = Self.rotateLeft(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = Self.rotateLeft(state.3, 45)
    return result
  }

  /// Uniform in `0 ..< 1`, on a grid of 2⁻⁵³.
  public mutating func nextDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in `0 ..< 1`, on a grid of 2⁻²⁴.
  public mutating func nextFloat() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in `0 ..< bound`, without bias (Lemire's multiply and reject).
  ///
  /// - Precondition: `bound` is at least 1.
  public mutating func nextInt(below bound: Int) -> Int {
    precondition(bound >= 1, "an integer below \(bound) does not exist")
    let limit = UInt64(bound)
    var product = next().multipliedFullWidth(by: limit)
    if product.low < limit {
      let threshold = (0 &- limit) % limit
      while product.low < threshold { product = next().multipliedFullWidth(by: limit) }
    }
    return Int(product.high)
  }

  /// Standard normal, by the polar method; each call discards the pair's second number so that a
  /// stream's position depends on nothing but the number of draws.
  public mutating func nextGaussian() -> Double {
    while true {
      let u = 2 * nextDouble() - 1
      let v = 2 * nextDouble() - 1
      let s = u * u + v * v
      if s > 0 && s < 1 { return u * (-2 * logarithm(s) / s).squareRoot() }
    }
  }

  /// Puts the elements into a uniformly random order (Fisher–Yates).
  public mutating func shuffle<T>(_ elements: inout [T]) {
    guard elements.count > 1 else { return }
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, nextInt(below: last + 1))
    }
  }

  /// `k` different numbers of `0 ..< count`, uniformly, in rising order (Floyd's sample).
  ///
  /// - Precondition: `k` is in `0 ... count`.
  public mutating func sample(_ k: Int, of count: Int) -> [Int] {
    precondition(k >= 0 && k <= count, "\(k) of \(count)")
    var chosen: Set<Int> = []
    for top in (count - k)..<count where !chosen.insert(nextInt(below: top + 1)).inserted {
      chosen.insert(top)
    }
    return chosen.sorted()
  }

  private static func rotateLeft(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value << bits | value >> (64 - bits)
  }
}

/// The seed mixer of Steele, Lea & Flood (OOPSLA 2014): a bijection of its counter.
package struct SplitMix64: Sendable {
  package var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
