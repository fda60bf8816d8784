import BasisCore
import CBasisKernels
import Testing

@Suite struct TableScanKernelTests {
  static let levels: [basis_simd_level] = [BASIS_SIMD_SCALAR, BASIS_SIMD_AVX2, BASIS_SIMD_AVX512]

  private func tables() -> [basis_table_scan_table] {
    Self.levels.compactMap { basis_table_scan_kernels_at($0)?.pointee }
  }

  @Test func `every level adds up the same entries`() {
    var generator = RandomGenerator(seed: 1)
    for positions in [0, 4, 8, 56, 60, 64, 128, 260, 3640] {
      for blockCount in [0, 1, 3] {
        let blocks = (0..<16 * positions * blockCount).map { _ in
          UInt8(truncatingIfNeeded: generator.next())
        }
        // The highest entries too: the sums must not wrap around.
        let entries = (0..<16 * positions).map { _ in
          positions == 3640 ? 18 : UInt8(generator.nextInt(below: 19))
        }
        var expected = [UInt16](repeating: 0, count: 32 * blockCount)
        for block in 0..<blockCount {
          for position in 0..<positions {
            for code in 0..<32 {
              let byte = blocks[(block * positions + position) * 16 + code % 16]
              let nibble = code < 16 ? byte & 15 : byte >> 4
              expected[32 * block + code] += UInt16(entries[16 * position + Int(nibble)])
            }
          }
        }
        for table in tables() {
          var out = [UInt16](repeating: 7, count: 32 * blockCount)
          table.scan(blocks, blockCount, positions, entries, &out)
          #expect(out == expected, "\(String(cString: table.name)), \(positions) positions")
        }
      }
    }
  }

  @Test(arguments: 1...4) func `every level unpacks the same levels`(bits: Int) {
    var generator = RandomGenerator(seed: UInt64(bits))
    for count in Array(0...140) + [1000] {
      let expected = (0..<count).map { _ in Int8(generator.nextInt(below: 1 << bits)) }
      var stream = [UInt8](repeating: 0, count: (count * bits + 7) / 8)
      for (index, level) in expected.enumerated() {
        for bit in 0..<bits where level >> bit & 1 == 1 {
          stream[(index * bits + bit) / 8] |= 1 << UInt8((index * bits + bit) % 8)
        }
      }
      for table in tables() {
        var out = [Int8](repeating: -1, count: count)
        table.unpack(stream, count, Int32(bits), &out)
        #expect(out == expected, "\(String(cString: table.name)), \(count) levels")
      }
    }
  }

  @Test func `every level adds up the values at the bits`() {
    var generator = RandomGenerator(seed: 4)
    for count in Array(0...70) + [384] {
      let query = (0..<count).map { _ in Float(generator.nextGaussian()) }
      let width = (count + 7) / 8 + 1
      let rows = (0..<3 * width).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      for table in tables() {
        var out = [Float](repeating: .nan, count: 3)
        table.sum_at_bits_rows(query, rows, 3, width, count, &out)
        for row in 0..<3 {
          var (sum, magnitude) = (0.0, 0.0)
          for bit in 0..<count where rows[row * width + bit / 8] >> UInt8(bit % 8) & 1 == 1 {
            sum += Double(query[bit])
            magnitude += Double(abs(query[bit]))
          }
          #expect(abs(Double(out[row]) - sum) <= Double(count) * 0x1p-23 * magnitude + 1e-12)
        }
      }
    }
  }
}
