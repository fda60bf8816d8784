import BasisCore
import CBasisKernels
import Testing

@Suite struct ChecksumTests {
  static let vectors: [(bytes: [UInt8], crc: UInt32)] = [
    ([], 0),
    (Array("123456789".utf8), 0xE306_9283),
    // RFC 3720, appendix B.4.
    (Array(repeating: 0, count: 32), 0x8A91_36AA),
    (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
    (Array(0..<32), 0x46DD_794E),
    (Array((0..<32).reversed()), 0x113F_DB5C),
  ]

  @Test(arguments: vectors) func `CRC-32C of known texts`(bytes: [UInt8], crc: UInt32) {
    #expect(basis_crc32c(0, bytes, bytes.count) == crc)
    #expect(basis_crc32c_portable(0, bytes, bytes.count) == crc)
  }

  @Test func `instruction and tables agree at every length and cut`() {
    var generator = RandomGenerator(seed: 7)
    let bytes = (0..<20_000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      // Around the bounds of one, two and three streams of the interleaved loop.
      let counts =
        Array(0...80) + Array(3_060...3_090) + Array(6_130...6_160) + [9_216, 20_000 - 7]
      for count in counts {
        for start in [0, 1, 7] {
          let whole = basis_crc32c_portable(0, base + start, count)
          #expect(basis_crc32c(0, base + start, count) == whole)
          let cut = generator.nextInt(below: count + 1)
          let first = basis_crc32c(0, base + start, cut)
          #expect(basis_crc32c(first, base + start + cut, count - cut) == whole)
        }
      }
    }
  }

  @Test func `one flipped bit changes the checksum`() {
    var generator = RandomGenerator(seed: 8)
    var bytes = (0..<5_000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    let crc = basis_crc32c(0, bytes, bytes.count)
    for _ in 0..<500 {
      let place = generator.nextInt(below: bytes.count)
      let bit = UInt8(1) << UInt8(generator.nextInt(below: 8))
      bytes[place] ^= bit
      #expect(basis_crc32c(0, bytes, bytes.count) != crc)
      bytes[place] ^= bit
    }
  }
}
