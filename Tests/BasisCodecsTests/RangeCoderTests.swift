import BasisCodecs
import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@Suite struct RangeCoderTests {
  @Test func `a million symbols come back, in as many bits as their entropy`() throws {
    #if DEBUG
      let count = 100_000
    #else
      let count = 1_000_000
    #endif
    var generator = RandomGenerator(seed: 1)
    // Geometric, so that probabilities go from a half to one in thousands.
    let symbols = (0..<count).map { _ in min(15, Int(generator.next().leadingZeroBitCount)) }
    var counts = [Int](repeating: 0, count: 16)
    for symbol in symbols { counts[symbol] += 1 }
    let model = try SymbolFrequencies(counts: counts)
    var encoder = RangeEncoder()
    for symbol in symbols { encoder.encode(symbol, model) }
    let bytes = encoder.finished()
    let entropy = counts.filter { $0 > 0 }.reduce(0.0) {
      $0 - Double($1) * log2(Double($1) / Double(count))
    }
    #expect(Double(bytes.count) <= entropy / 8 * 1.01 + 32)
    #expect(Double(bytes.count) >= entropy / 8 - 32)
    let expected = symbols.reduce(0.0) { $0 + model.bits(of: $1) }
    #expect(abs(Double(8 * bytes.count) - expected) <= 0.002 * expected + 64)
    var decoder = RangeDecoder(bytes)
    #expect(symbols.allSatisfy { decoder.decode(model) == $0 })
    try decoder.checkEnd()
  }

  @Test(arguments: 0..<6) func `bits, adaptive bits and symbols in any order come back`(
    seed: UInt64
  ) throws {
    var generator = RandomGenerator(seed: seed)
    let model = try SymbolFrequencies(counts: [1, 0, 1 << 40, 3, 70_000])
    var encoder = RangeEncoder()
    var bits = [AdaptiveBit](repeating: AdaptiveBit(), count: 3)
    var written: [(Int, UInt32)] = []
    for _ in 0..<3000 {
      switch generator.nextInt(below: 3) {
      case 0:
        let count = generator.nextInt(below: 33)
        let value =
          count == 0 ? 0 : UInt32(truncatingIfNeeded: generator.next()) >> UInt32(32 - count)
        written.append((count, value))
        encoder.encode(bits: value, count: count)
      case 1:
        let which = generator.nextInt(below: 3)
        // All alike, almost all alike, and either: runs of 255 and carries come with them.
        let bit = which == 0 || generator.nextInt(below: which == 1 ? 50 : 2) == 0
        written.append((100 + which, bit ? 1 : 0))
        encoder.encode(bit, &bits[which])
      default:
        let symbol = [0, 2, 3, 4][generator.nextInt(below: 4)]
        written.append((200, UInt32(symbol)))
        encoder.encode(symbol, model)
      }
    }
    let bytes = encoder.finished()
    var decoder = RangeDecoder(bytes)
    bits = [AdaptiveBit](repeating: AdaptiveBit(), count: 3)
    for (kind, value) in written {
      let read: UInt32 =
        switch kind {
        case 200: UInt32(decoder.decode(model))
        case 100...102: decoder.decodeBit(&bits[kind - 100]) ? 1 : 0
        default: decoder.decodeBits(count: kind)
        }
      #expect(read == value)
    }
    try decoder.checkEnd()
    var cut = RangeDecoder(bytes.prefix(bytes.count / 2))
    bits = [AdaptiveBit](repeating: AdaptiveBit(), count: 3)
    for (kind, _) in written {
      switch kind {
      case 200: _ = cut.decode(model)
      case 100...102: _ = cut.decodeBit(&bits[kind - 100])
      default: _ = cut.decodeBits(count: kind)
      }
    }
    expectError(.badData, "cut") { try cut.checkEnd() }
  }

  @Test func `a model learns what is likely`() {
    var generator = RandomGenerator(seed: 3)
    var encoder = RangeEncoder()
    var model = AdaptiveBit()
    for _ in 0..<20_000 { encoder.encode(generator.nextInt(below: 20) == 0, &model) }
    // The entropy of one in twenty is .286 bits.
    let bits = Double(8 * encoder.finished().count) / 20_000
    #expect(bits > 0.27 && bits < 0.31, "\(bits)")
    #expect(RangeEncoder().finished().count <= 5)
  }

  @Test func `frequencies that make no table are errors`() {
    for counts in [[], [0, 0], [3, -1], [Int](repeating: 1, count: 1 << 16)] {
      expectError(.invalidArgument) { try SymbolFrequencies(counts: counts) }
    }
  }
}
