/// What the distributions below ask of a generator: words, all values equally likely.
public protocol RandomWordGenerator: Sendable {
  associatedtype Word: FixedWidthInteger & UnsignedInteger & Sendable
  mutating func nextWord() -> Word
}

/// The 32-bit Mersenne Twister, `std::mt19937` of C++.
///
/// For methods whose numbers must equal those of a program built on libstdc++: words, integers,
/// fractions and normal draws are the ones that it gets from the same seed. Everything else draws
/// from a `RunContext`.
///
/// - Complexity: 2.5 kB of state, copied with the value; O(1) a word.
///
/// Matsumoto & Nishimura, *Mersenne Twister*, ACM TOMACS 8 (1998), doi:10.1145/272991.272995;
/// seeded as the authors' version of 2002.
public struct MersenneTwister: RandomWordGenerator {
  private var state: [UInt32]
  private var position = 624

  /// - Parameter seed: C++ takes the same default.
  public init(seed: UInt32 = 5489) {
    state = [seed]
    state.reserveCapacity(624)
    for index in 1..<624 as Range<UInt32> {
      let last = state[Int(index) - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ index)
    }
  }

  public mutating func nextWord() -> UInt32 {
    if position == 624 { twist() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9D2C_5680
    word ^= word << 15 & 0xEFC6_0000
    return word ^ word >> 18
  }

  private mutating func twist() {
    for index in 0..<624 {
      let next = index == 623 ? 0 : index + 1
      let far = index < 227 ? index + 397 : index - 227
      let mixed = state[index] & 0x8000_0000 | state[next] & 0x7FFF_FFFF
      state[index] = state[far] ^ mixed >> 1 ^ (mixed & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    position = 0
  }
}

/// The 64-bit Mersenne Twister, `std::mt19937_64` of C++. See ``MersenneTwister``.
///
/// Nishimura, *Tables of 64-bit Mersenne Twisters*, ACM TOMACS 10 (2000),
/// doi:10.1145/369534.369540.
public struct MersenneTwister64: RandomWordGenerator {
  private var state: [UInt64]
  private var position = 312

  /// - Parameter seed: C++ takes the same default.
  public init(seed: UInt64 = 5489) {
    state = [seed]
    state.reserveCapacity(312)
    for index in 1..<312 as Range<UInt64> {
      let last = state[Int(index) - 1]
      state.append(6_364_136_223_846_793_005 &* (last ^ last >> 62) &+ index)
    }
  }

  public mutating func nextWord() -> UInt64 {
    if position == 312 { twist() }
    var word = state[position]
    position += 1
    word ^= word >> 29 & 0x5555_5555_5555_5555
    word ^= word << 17 & 0x71D6_7FFF_EDA6_0000
    word ^= word << 37 & 0xFFF7_EEE0_0000_0000
    return word ^ word >> 43
  }

  private mutating func twist() {
    for index in 0..<312 {
      let next = index == 311 ? 0 : index + 1
      let far = index < 156 ? index + 156 : index - 156
      let mixed = state[index] & 0xFFFF_FFFF_8000_0000 | state[next] & 0x7FFF_FFFF
      state[index] = state[far] ^ mixed >> 1 ^ (mixed & 1 == 0 ? 0 : 0xB502_6F5A_A966_19E9)
    }
    position = 0
  }
}

/// The draws of libstdc++ (GCC 11 and later), which the C++ standard leaves open.
extension RandomWordGenerator {
  /// Uniform in `0 ..< 1`: `std::generate_canonical<double, 53>`.
  ///
  /// Two words of 32 bits, low one first, or one of 64. More bits than a `Double` holds are rounded
  /// away, and what that would make 1 is the number below 1.
  public mutating func nextDouble() -> Double {
    var value = Double(nextWord())
    if Word.bitWidth < 53 { value += Double(nextWord()) * 0x1p32 }
    return min(value * 0x1p-64, 1.0.nextDown)
  }

  /// Uniform in `0 ..< 1`: `std::generate_canonical<float, 24>`, of one word.
  public mutating func nextFloat() -> Float {
    let scale: Float = Word.bitWidth == 32 ? 0x1p-32 : 0x1p-64
    return min(Float(nextWord()) * scale, Float(1).nextDown)
  }

  /// Uniform in `range`: `std::uniform_int_distribution`, of any integer type that holds the range.
  ///
  /// By multiplication and rejection (Lemire, ACM TOMACS 29 (2019), doi:10.1145/3230636).
  public mutating func nextInt(in range: ClosedRange<Int>) -> Int {
    let first = UInt64(bitPattern: Int64(range.lowerBound))
    let width = UInt64(bitPattern: Int64(range.upperBound)) &- first
    return Int(truncatingIfNeeded: first &+ draw(upTo: width))
  }

  private mutating func draw(upTo last: UInt64) -> UInt64 {
    let most = UInt64(Word.max)
    if last == most { return UInt64(nextWord()) }
    if last > most {
      // Two digits to the base of a word.
      while true {
        let upper = draw(upTo: last >> 32) << 32
        let (value, overflow) = upper.addingReportingOverflow(UInt64(nextWord()))
        if value <= last && !overflow { return value }
      }
    }
    let count = Word(last) + 1
    var product = nextWord().multipliedFullWidth(by: count)
    if product.low < count {
      let threshold = (0 &- count) % count
      while product.low < threshold { product = nextWord().multipliedFullWidth(by: count) }
    }
    return UInt64(product.high)
  }
}
