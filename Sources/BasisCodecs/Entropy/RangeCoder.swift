public import BasisCore

/// Writes symbols as fractions of a shrinking range, so that a symbol of probability *p* costs close to
/// −log₂ *p* bits.
///
/// Carries are passed back into bytes that have been written (a run of 255s is held back until the next
/// byte decides). Bits may have adaptive probabilities (``AdaptiveBit``) or symbols a fixed table
/// (``SymbolFrequencies``).
///
/// Martin, *Range encoding: an algorithm for removing redundancy from a digitised message* (1979), with
/// the carries of Schindler's byte-wise coder.
public struct RangeEncoder: Sendable {
  private var low: UInt64 = 0
  private var range: UInt32 = .max
  private var cache: UInt8 = 0
  private var heldCount = 0
  private var isFirst = true
  private var bytes: [UInt8] = []

  public init() {}

  /// Writes a bit and lets its model learn.
  public mutating func encode(_ bit: Bool, _ model: inout AdaptiveBit) {
    let bound = (range >> AdaptiveBit.precision) * UInt32(model.probabilityOfZero)
    if bit {
      low += UInt64(bound)
      range -= bound
    } else {
      range = bound
    }
    model.learn(bit)
    normalize()
  }

  /// Writes the lower `count` bits of a number, each as likely set as not.
  ///
  /// - Precondition: `count` is in `0 ... 32`.
  public mutating func encode(bits value: UInt32, count: Int) {
    precondition(count >= 0 && count <= 32)
    for place in stride(from: count - 1, through: 0, by: -1) {
      range >>= 1
      if value >> UInt32(place) & 1 == 1 { low += UInt64(range) }
      normalize()
    }
  }

  /// Writes a symbol of a fixed table.
  ///
  /// - Precondition: the symbol is in the table and its frequency is above 0.
  public mutating func encode(_ symbol: Int, _ model: SymbolFrequencies) {
    let (start, size) = model.interval(of: symbol)
    precondition(size > 0, "symbol \(symbol) has no probability")
    range /= model.total
    low += UInt64(start) * UInt64(range)
    range *= size
    normalize()
  }

  /// The bytes of all that was written.
  public consuming func finished() -> [UInt8] {
    for _ in 0..<5 { shift() }
    return bytes
  }

  private mutating func normalize() {
    while range < 1 << 24 {
      range <<= 8
      shift()
    }
  }

  private mutating func shift() {
    if low < 0xFF00_0000 || low > 0xFFFF_FFFF {
      let carry = UInt8(truncatingIfNeeded: low >> 32)
      if !isFirst { bytes.append(cache &+ carry) }
      isFirst = false
      for _ in 0..<heldCount { bytes.append(0xFF &+ carry) }
      heldCount = 0
      cache = UInt8(truncatingIfNeeded: low >> 24)
    } else {
      heldCount += 1
    }
    low = low << 8 & 0xFFFF_FFFF
  }
}

/// Reads what a ``RangeEncoder`` wrote, with the same models in the same order.
///
/// A damaged stream gives other symbols; a stream that ends too soon is noticed by ``checkEnd()``.
public struct RangeDecoder: Sendable {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var range: UInt32 = .max
  private var code: UInt32 = 0

  public init(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)[...]
    position = 0
    for _ in 0..<4 { code = code << 8 | next() }
  }

  /// A bit; its model learns.
  public mutating func decodeBit(_ model: inout AdaptiveBit) -> Bool {
    let bound = (range >> AdaptiveBit.precision) * UInt32(model.probabilityOfZero)
    let bit = code >= bound
    if bit {
      code -= bound
      range -= bound
    } else {
      range = bound
    }
    model.learn(bit)
    normalize()
    return bit
  }

  /// `count` bits, each as likely set as not.
  ///
  /// - Precondition: `count` is in `0 ... 32`.
  public mutating func decodeBits(count: Int) -> UInt32 {
    precondition(count >= 0 && count <= 32)
    var value: UInt32 = 0
    for _ in 0..<count {
      range >>= 1
      let isSet = code >= range
      if isSet { code -= range }
      value = value << 1 | (isSet ? 1 : 0)
      normalize()
    }
    return value
  }

  /// A symbol of a fixed table.
  public mutating func decode(_ model: SymbolFrequencies) -> Int {
    range /= model.total
    let symbol = model.symbol(at: min(code / range, model.total - 1))
    let (start, size) = model.interval(of: symbol)
    // In a damaged stream the code may lie outside; it then decodes to something.
    code = code &- start &* range
    range *= size
    normalize()
    return symbol
  }

  /// - Throws: `.badData` if more was read than the stream has.
  public func checkEnd() throws(BasisError) {
    guard position <= bytes.count else {
      throw BasisError(
        .badData,
        "the coded stream ends after \(bytes.count) bytes, in the middle of its symbols; it was cut"
      )
    }
  }

  private mutating func normalize() {
    while range < 1 << 24 {
      range <<= 8
      code = code << 8 | next()
    }
  }

  private mutating func next() -> UInt32 {
    defer { position += 1 }
    return position < bytes.count ? UInt32(bytes[bytes.startIndex + position]) : 0
  }
}

/// How likely a bit is to be zero, learnt from those before it: quickly at first, then ever more slowly.
public struct AdaptiveBit: Sendable, Hashable {
  static let precision: UInt32 = 15
  /// In 32,768ths; never 0 or 1.
  var probabilityOfZero: UInt16 = 1 << 14
  private var seenCount: UInt8 = 0

  /// How slowly it learns in the end: the weight of a bit is 2⁻ʳ.
  private static let slowest: UInt8 = 7

  public init() {}

  mutating func learn(_ bit: Bool) {
    let rate = min(Self.slowest, 2 + seenCount / 4)
    if seenCount < 250 { seenCount += 1 }
    if bit {
      probabilityOfZero -= probabilityOfZero >> rate
    } else {
      probabilityOfZero += (1 << 15 - probabilityOfZero) >> rate
    }
    probabilityOfZero = min(32_736, max(32, probabilityOfZero))
  }
}

/// How often each of some symbols comes, known to writer and reader beforehand.
public struct SymbolFrequencies: Sendable, Hashable, Codable {
  /// Where each symbol's interval starts; the last is the total.
  private let starts: [UInt32]

  /// At most this, so that a range can be divided.
  private static let maximumTotal = 1 << 16

  var total: UInt32 { starts[starts.count - 1] }
  public var symbolCount: Int { starts.count - 1 }

  /// - Parameter counts: of each symbol, at least 0; scaled down where their sum is above 2¹⁶. A symbol
  ///   that was counted keeps at least 1.
  /// - Throws: `.invalidArgument` for a negative count, none above 0, or more than 2¹⁵ symbols.
  public init(counts: [Int]) throws(BasisError) {
    let sum = counts.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    guard counts.allSatisfy({ $0 >= 0 }), sum > 0, counts.count <= Self.maximumTotal / 2 else {
      throw BasisError(
        .invalidArgument,
        "symbol frequencies: \(counts.count) counts of sum \(sum); needs counts of at least 0, one "
          + "above 0, of at most \(Self.maximumTotal / 2) symbols")
    }
    let room = Double(Self.maximumTotal - counts.count)
    let scale = Double(sum) > room ? room / Double(sum) : 1
    var starts: [UInt32] = [0]
    starts.reserveCapacity(counts.count + 1)
    for count in counts {
      let scaled = count == 0 ? 0 : max(1, UInt32((Double(count) * scale).rounded(.down)))
      starts.append(starts[starts.count - 1] + scaled)
    }
    self.starts = starts
  }

  /// Bits that a symbol costs.
  public func bits(of symbol: Int) -> Double {
    -logarithm2(Double(interval(of: symbol).size) / Double(total))
  }

  func interval(of symbol: Int) -> (start: UInt32, size: UInt32) {
    (starts[symbol], starts[symbol + 1] - starts[symbol])
  }

  func symbol(at place: UInt32) -> Int {
    var (low, high) = (0, starts.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= place { low = middle } else { high = middle }
    }
    return low
  }
}
