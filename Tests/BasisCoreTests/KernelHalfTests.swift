import BasisCore
import CBasisKernels
import Testing

/// A half-size format: its bits, and what the standard library or plain arithmetic says of them.
struct HalfFormat: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Of a pattern; a signalling NaN may come out quiet.
  let widened: @Sendable (UInt16) -> Float
  /// The pattern of infinity.
  let infinity: UInt16

  static let float16 = HalfFormat(
    testDescription: "f16", widened: { Float(Float16(bitPattern: $0)) }, infinity: 0x7C00)
  static let bfloat16 = HalfFormat(
    testDescription: "bf16", widened: { Float(bitPattern: UInt32($0) << 16) }, infinity: 0x7F80)

  func narrow(_ table: basis_kernel_table, _ x: [Float]) -> [UInt16] {
    let from = GuardedFloats(x)
    let out = GuardedMemory<UInt16>(Array(repeating: 0xABCD, count: x.count))
    let function = infinity == 0x7C00 ? table.f16_from_f32 : table.bf16_from_f32
    function!(from.base, x.count, out.base)
    return out.values
  }

  func widen(_ table: basis_kernel_table, _ x: [UInt16]) -> [Float] {
    let from = GuardedMemory(x)
    let out = GuardedFloats(Array(repeating: 12345, count: x.count))
    let function = infinity == 0x7C00 ? table.f32_from_f16 : table.f32_from_bf16
    function!(from.base, x.count, out.base)
    return out.values
  }
}

/// The kernels of one pair of types, beside those of floats.
private struct Pair<Query: BitwiseCopyable> {
  let format: HalfFormat
  let one: [(UnsafePointer<Query>?, UnsafePointer<UInt16>?, Int) -> Float]
  let rows:
    [(
      UnsafePointer<Query>?, UnsafePointer<UInt16>?, Int, Int, Int, UnsafeMutablePointer<Float>?
    ) -> Void]
  let gathered:
    [(
      UnsafePointer<Query>?, UnsafePointer<UInt16>?, UnsafePointer<UInt32>?, Int, Int, Int,
      UnsafeMutablePointer<Float>?
    ) -> Void]
}

@Suite struct KernelHalfTests {
  @Test(arguments: Level.available, [HalfFormat.float16, .bfloat16])
  func `every pattern widens exactly`(level: Level, format: HalfFormat) {
    let patterns = Array(0...UInt16.max)
    let found = format.widen(level.table, patterns)
    for (pattern, value) in zip(patterns, found) {
      var expected = format.widened(pattern).bitPattern
      var bits = value.bitPattern
      if pattern & 0x7FFF > format.infinity {
        // NaN: sign and payload stay; only the quiet bit may be new.
        expected = UInt32(pattern & 0x8000) << 16 | 0x7FC0_0000
        expected |= UInt32(pattern & (format.infinity ^ 0x7FFF)) << (format == .float16 ? 13 : 16)
        if format == .bfloat16 { bits |= 0x40_0000 }
      }
      guard bits == expected else {
        Issue.record("\(pattern) became \(bits), not \(expected)")
        return
      }
    }
  }

  @Test(arguments: Level.available, [HalfFormat.float16, .bfloat16])
  func `narrowing takes the nearest, ties to even`(level: Level, format: HalfFormat) {
    for sign in [0, 0x8000] as [UInt16] {
      var inputs: [Float] = []
      var expected: [UInt16] = []
      for pattern in 0..<format.infinity {
        let low = format.widened(pattern)
        // The step goes on where infinity begins.
        let high =
          pattern + 1 < format.infinity
          ? Double(format.widened(pattern + 1))
          : Double(low) + Double(low) - Double(format.widened(pattern - 1))
        let middle = Float((Double(low) + high) / 2)
        let even = pattern & 1 == 0 ? pattern : pattern + 1
        inputs += [low, middle.nextDown, middle, middle.nextUp]
        expected += [pattern, pattern, even, pattern + 1]
      }
      inputs += [.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
      expected += [format.infinity, format.infinity, 0]
      if format == .float16 {
        inputs += [65_536, 70_000, 131_072, 1e9]
        expected += Array(repeating: format.infinity, count: 4)
      }
      let found = format.narrow(level.table, sign == 0 ? inputs : inputs.map { -$0 })
      let wrong = inputs.indices.first { found[$0] != expected[$0] | sign }
      #expect(wrong == nil, "\(wrong.map { "\(inputs[$0]) became \(found[$0])" } ?? "")")
    }
  }

  @Test(arguments: Level.available, [HalfFormat.float16, .bfloat16])
  func `a NaN stays one`(level: Level, format: HalfFormat) {
    let shift = UInt32(format == .float16 ? 13 : 16)
    let quiet: UInt16 = format == .float16 ? 0x200 : 0x40
    let inputs: [UInt32] = [
      0x7F80_0001, 0x7FC0_0000, 0x7FFF_FFFF, 0x7FA5_A5A5, 0xFF80_0001, 0xFFED_CBA9,
    ]
    let found = format.narrow(level.table, inputs.map { Float(bitPattern: $0) })
    let expected = inputs.map {
      UInt16($0 >> 16) & 0x8000 | format.infinity | quiet | UInt16(($0 & 0x7F_FFFF) >> shift)
    }
    #expect(found == expected)
  }

  @Test(arguments: Level.available, [HalfFormat.float16, .bfloat16])
  func `conversions of every length keep to their memory`(level: Level, format: HalfFormat) {
    var generator = RandomGenerator(seed: 20)
    for n in lengths {
      let values = gaussians(n, &generator)
      let narrow = format.narrow(level.table, values)
      #expect(narrow == format.narrow(basis_kernels_at(BASIS_SIMD_SCALAR).pointee, values))
      let wide = format.widen(level.table, narrow)
      #expect(wide == narrow.map(format.widened))
      // Half a unit of the shorter format's last place.
      let relative: Float = format == .float16 ? 0x1p-11 : 0x1p-8
      let absolute: Float = format == .float16 ? 0x1p-25 : 0
      #expect(
        zip(values, wide).allSatisfy { abs($0 - $1) <= max(relative * abs($0), absolute) })
    }
  }

  @Test func `the value type narrows as the kernels do`() {
    var generator = RandomGenerator(seed: 21)
    let inputs =
      (0..<2_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
      + [0, -0.0, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, 1.00390625]
    let table = basis_kernels_at(BASIS_SIMD_SCALAR).pointee
    let bits = HalfFormat.bfloat16.narrow(table, inputs)
    #expect(inputs.map { BFloat16($0).bitPattern } == bits)
    #expect(
      bits.map { Float(BFloat16(bitPattern: $0)).bitPattern }
        == HalfFormat.bfloat16.widen(table, bits).map(\.bitPattern))
  }

  /// Widening is exact, and the order of the sums is that of floats: this is the error bound too.
  @Test(arguments: Level.available, [HalfFormat.float16, .bfloat16])
  func `distances are those of the widened vectors, bit by bit`(level: Level, format: HalfFormat) {
    let table = level.table
    var generator = RandomGenerator(seed: 22)
    let half = format == .float16
    check(
      table,
      Pair<Float>(
        format: format,
        one: half
          ? [table.dot_f32_f16, table.l2_f32_f16] : [table.dot_f32_bf16, table.l2_f32_bf16],
        rows: half
          ? [table.dot_f32_f16_rows, table.l2_f32_f16_rows]
          : [table.dot_f32_bf16_rows, table.l2_f32_bf16_rows],
        gathered: half
          ? [table.dot_f32_f16_gathered, table.l2_f32_f16_gathered]
          : [table.dot_f32_bf16_gathered, table.l2_f32_bf16_gathered]),
      query: { gaussians($0, &generator) }, widened: { $0 })
    var other = RandomGenerator(seed: 23)
    check(
      table,
      Pair<UInt16>(
        format: format,
        one: half ? [table.dot_f16, table.l2_f16] : [table.dot_bf16, table.l2_bf16],
        rows: half
          ? [table.dot_f16_rows, table.l2_f16_rows] : [table.dot_bf16_rows, table.l2_bf16_rows],
        gathered: half
          ? [table.dot_f16_gathered, table.l2_f16_gathered]
          : [table.dot_bf16_gathered, table.l2_bf16_gathered]),
      query: { format.narrow(table, gaussians($0, &other)) }, widened: format.widened)
  }

  private func check<Query>(
    _ table: basis_kernel_table, _ pair: Pair<Query>, query make: (Int) -> [Query],
    widened: (Query) -> Float
  ) {
    var generator = RandomGenerator(seed: 24)
    let (format, nan) = (pair.format, UInt16.max)
    let floats = [table.dot_f32, table.l2_f32]
    for n in lengths {
      for rowCount in [1, 6] {
        let stride = n + generator.nextInt(below: 4)
        var values = [UInt16](repeating: nan, count: rowCount * stride - (stride - n))
        for row in 0..<rowCount {
          values.replaceSubrange(
            row * stride..<row * stride + n,
            with: format.narrow(table, gaussians(n, &generator)))
        }
        let queryValues = make(n)
        let wideQuery = queryValues.map(widened)
        let expected = floats.map { float in
          (0..<rowCount).map { row in
            let wide = values[row * stride..<row * stride + n].map(format.widened)
            return float!(wideQuery, wide, n).bitPattern
          }
        }
        for startingAtPage in [false, true] {
          let query = GuardedMemory(queryValues, startingAtPage: startingAtPage)
          let rows = GuardedMemory(values, startingAtPage: startingAtPage)
          let ids = (0..<rowCount).map { _ in UInt32(generator.nextInt(below: rowCount)) }
          for which in [0, 1] {
            let out = GuardedFloats(Array(repeating: .nan, count: rowCount))
            for row in 0..<rowCount {
              out.base[row] = pair.one[which](query.base, rows.base + row * stride, n)
            }
            #expect(out.values.map(\.bitPattern) == expected[which])
            pair.rows[which](query.base, rows.base, rowCount, stride, n, out.base)
            #expect(out.values.map(\.bitPattern) == expected[which])
            pair.gathered[which](query.base, rows.base, ids, rowCount, stride, n, out.base)
            #expect(out.values.map(\.bitPattern) == ids.map { expected[which][Int($0)] })
          }
        }
      }
    }
  }

  @Test(arguments: Level.available, [HalfFormat.float16, .bfloat16])
  func `values that are not finite, and subnormals, come through`(
    level: Level, format: HalfFormat
  ) {
    let table = level.table
    let dot = format == .float16 ? table.dot_f32_f16 : table.dot_f32_bf16
    let l2 = format == .float16 ? table.l2_f32_f16 : table.l2_f32_bf16
    for n in [1, 7, 33, 64, 100] {
      for place in [0, n / 2, n - 1] {
        let ones = [Float](repeating: 1, count: n)
        var row = [UInt16](repeating: 0, count: n)
        row[place] = format.infinity | 1
        #expect(dot!(ones, row, n).isNaN && l2!(ones, row, n).isNaN)
        row[place] = format.infinity
        #expect(dot!(ones, row, n) == .infinity && l2!(ones, row, n) == .infinity)
        row[place] = 1
        #expect(dot!(ones, row, n) == format.widened(1))
      }
    }
  }

  @Test(arguments: Level.available, [HalfFormat.float16, .bfloat16])
  func `products are those of the widened rows, bit by bit`(level: Level, format: HalfFormat) {
    let table = level.table
    let mixed = format == .float16 ? table.product_f32_f16 : table.product_f32_bf16
    let both = format == .float16 ? table.product_f16 : table.product_bf16
    var generator = RandomGenerator(seed: 25)
    let scratch = GuardedFloats(Array(repeating: .nan, count: Int(BASIS_PRODUCT_SCRATCH)))
    // The first shapes are beyond one block on a side, and of two parts in depth.
    var shapes = [(1_030, 3, 390), (3, 520, 390)]
    for m in [0, 1, 15] {
      for n in [0, 9, 33] {
        for d in [0, 7, 31, 32, 33, 41] { shapes.append((m, n, d)) }
      }
    }
    for (m, n, d) in shapes {
      let aStride = d + generator.nextInt(below: 3)
      let bStride = d + generator.nextInt(below: 3)
      let cStride = n + generator.nextInt(below: 3)
      func rows(_ count: Int, _ stride: Int) -> GuardedMemory<UInt16> {
        var values = [UInt16](repeating: .max, count: max(0, count * stride - (stride - d)))
        for row in 0..<count {
          values.replaceSubrange(
            row * stride..<row * stride + d,
            with: format.narrow(table, (0..<d).map { _ in generator.nextFloat() - 0.5 }))
        }
        return GuardedMemory(values)
      }
      let (a, b) = (rows(m, aStride), rows(n, bStride))
      let wideA = GuardedFloats(a.values.map(format.widened))
      let wideB = GuardedFloats(b.values.map(format.widened))
      func c() -> GuardedFloats {
        GuardedFloats(Array(repeating: 12345, count: max(0, m * cStride - (cStride - n))))
      }
      let (expected, first, second) = (c(), c(), c())
      table.product_f32(
        wideA.base, aStride, m, wideB.base, bStride, n, d, expected.base, cStride, scratch.base)
      mixed!(wideA.base, aStride, m, b.base, bStride, n, d, first.base, cStride, scratch.base)
      both!(a.base, aStride, m, b.base, bStride, n, d, second.base, cStride, scratch.base)
      #expect(first.values == expected.values, "\(m) × \(n) × \(d), the left side in floats")
      #expect(second.values == expected.values, "\(m) × \(n) × \(d)")
    }
  }
}

extension HalfFormat: Equatable {
  static func == (a: HalfFormat, b: HalfFormat) -> Bool { a.infinity == b.infinity }
}
