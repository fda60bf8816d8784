import BasisCore
import CBasisKernels
import Testing

/// What the kernels of one element type give, and what plain loops give.
private struct IntegerFamily<Element: BitwiseCopyable> {
  typealias One = (UnsafePointer<Element>?, UnsafePointer<Element>?, Int) -> Int32
  typealias Rows = (
    UnsafePointer<Element>?, UnsafePointer<Element>?, Int, Int, Int, UnsafeMutablePointer<Int32>?
  ) -> Void
  typealias Gathered = (
    UnsafePointer<Element>?, UnsafePointer<Element>?, UnsafePointer<UInt32>?, Int, Int, Int,
    UnsafeMutablePointer<Int32>?
  ) -> Void
  typealias Pairs = (
    UnsafePointer<Element>?, Int, Int, UnsafePointer<Element>?, Int, Int, Int,
    UnsafeMutablePointer<Int32>?, Int
  ) -> Void

  let name: String
  let term: (Element, Element) -> Int
  let random: (inout RandomGenerator) -> Element
  let one: One
  let rows: Rows
  let gathered: Gathered
  let pairs: Pairs

  func expected(_ a: some Collection<Element>, _ b: some Collection<Element>) -> Int32 {
    Int32(zip(a, b).reduce(0) { $0 + term($1.0, $1.1) })
  }

  func random(_ count: Int, _ generator: inout RandomGenerator) -> [Element] {
    (0..<count).map { _ in random(&generator) }
  }

  func checkVectors() {
    var generator = RandomGenerator(seed: 30)
    for n in lengths {
      let (a, b) = (random(n, &generator), random(n, &generator))
      for startingAtPage in [false, true] {
        let x = GuardedMemory(a, startingAtPage: startingAtPage)
        let y = GuardedMemory(b, startingAtPage: startingAtPage)
        #expect(one(x.base, y.base, n) == expected(a, b), "\(name) of \(n)")
      }
    }
  }

  func checkRows() {
    var generator = RandomGenerator(seed: 31)
    for n in lengths {
      for rowCount in [0, 3, 9] {
        let stride = n + generator.nextInt(below: 4)
        let query = GuardedMemory(random(n, &generator))
        // The gaps between rows hold noise, and the last row ends where memory ends.
        let rows = GuardedMemory(
          random(max(0, rowCount * stride - (stride - n)), &generator))
        let ids = (0..<rowCount).map { _ in UInt32(generator.nextInt(below: rowCount)) }
        let values = (0..<rowCount).map {
          expected(query.values, rows.values[$0 * stride..<$0 * stride + n])
        }
        let out = GuardedMemory<Int32>(Array(repeating: -1, count: rowCount))
        self.rows(query.base, rows.base, rowCount, stride, n, out.base)
        #expect(out.values == values, "\(name), \(rowCount) rows of \(n)")
        gathered(query.base, rows.base, ids, rowCount, stride, n, out.base)
        #expect(out.values == ids.map { values[Int($0)] }, "\(name), gathered, of \(n)")
      }
    }
  }

  /// - Parameter large: shapes beyond one block of rows.
  func checkPairs(large: [(m: Int, n: Int, d: Int)]) {
    var generator = RandomGenerator(seed: 32)
    var shapes = large
    for m in [0, 1, 2, 4, 5, 9] {
      for n in [0, 1, 3, 4, 6] {
        for d in [0, 1, 15, 33, 64, 70, 129] { shapes.append((m, n, d)) }
      }
    }
    for (m, n, d) in shapes {
      let aStride = d + generator.nextInt(below: 3)
      let bStride = d + generator.nextInt(below: 3)
      let cStride = n + generator.nextInt(below: 3)
      let a = GuardedMemory(random(max(0, m * aStride - (aStride - d)), &generator))
      let b = GuardedMemory(random(max(0, n * bStride - (bStride - d)), &generator))
      let untouched: Int32 = -12345
      var values = [Int32](repeating: untouched, count: max(0, m * cStride - (cStride - n)))
      for row in 0..<m {
        for column in 0..<n {
          // Tested above.
          values[row * cStride + column] = one(a.base + row * aStride, b.base + column * bStride, d)
        }
      }
      let c = GuardedMemory([Int32](repeating: untouched, count: values.count))
      pairs(a.base, aStride, m, b.base, bStride, n, d, c.base, cStride)
      #expect(c.values == values, "\(name), \(m) × \(n) × \(d)")
    }
  }
}

@Suite struct KernelInt8Tests {
  private func families(_ level: Level) -> [IntegerFamily<Int8>] {
    let table = level.table
    let random: (inout RandomGenerator) -> Int8 = { Int8(truncatingIfNeeded: $0.next()) }
    return [
      IntegerFamily(
        name: "dot", term: { Int($0) * Int($1) }, random: random, one: table.dot_i8,
        rows: table.dot_i8_rows, gathered: table.dot_i8_gathered, pairs: table.dot_i8_pairs),
      IntegerFamily(
        name: "squared distance", term: { (Int($0) - Int($1)) * (Int($0) - Int($1)) },
        random: random, one: table.l2_i8, rows: table.l2_i8_rows, gathered: table.l2_i8_gathered,
        pairs: table.l2_i8_pairs),
    ]
  }

  @Test(arguments: Level.available)
  func `vectors of every length are exact`(level: Level) {
    for family in families(level) { family.checkVectors() }
  }

  @Test(arguments: Level.available)
  func `rows and gathered rows are exact`(level: Level) {
    for family in families(level) { family.checkRows() }
  }

  @Test(arguments: Level.available)
  func `pairs are exact and keep to their memory`(level: Level) {
    for family in families(level) { family.checkPairs(large: [(6, 300, 41), (5, 21, 20_000)]) }
  }

  /// Sums that would saturate first, in vectors as long as results allow.
  @Test(arguments: Level.available)
  func `extreme values do not saturate`(level: Level) {
    let values: [Int8] = [-128, -127, -1, 1, 127]
    for (dotLength, squareLength) in [(1, 1), (2, 2), (64, 64), (127, 127), (131_071, 33_025)] {
      for (x, y) in values.flatMap({ x in values.map { (x, $0) } }) {
        for (family, n) in zip(families(level), [dotLength, squareLength]) {
          let a = [Int8](repeating: x, count: n)
          let b = [Int8](repeating: y, count: n)
          let expected = Int32(n * family.term(x, y))
          #expect(family.one(a, b, n) == expected)
          var out = [Int32](repeating: -1, count: 4)
          family.rows(a, b, 4, 0, n, &out)
          #expect(out == Array(repeating: expected, count: 4))
          var c = [Int32](repeating: -1, count: 16)
          family.pairs(a, 0, 4, b, 0, 4, n, &c, 4)
          #expect(c == Array(repeating: expected, count: 16))
        }
      }
    }
    // Signs that alternate: neighbours neither cancel nor add up as above.
    let a = (0..<1_000).map { $0 % 3 == 0 ? Int8.min : .max }
    let b = (0..<1_000).map { $0 % 2 == 0 ? Int8.min : .max }
    for family in families(level) { #expect(family.one(a, b, 1_000) == family.expected(a, b)) }
  }
}

@Suite struct KernelBitsTests {
  private func families(_ level: Level) -> [IntegerFamily<UInt64>] {
    let table = level.table
    return [
      IntegerFamily(
        name: "Hamming", term: { ($0 ^ $1).nonzeroBitCount }, random: { $0.next() },
        one: table.hamming_bits, rows: table.hamming_bits_rows,
        gathered: table.hamming_bits_gathered, pairs: table.hamming_bits_pairs),
      IntegerFamily(
        name: "common bits", term: { ($0 & $1).nonzeroBitCount }, random: { $0.next() },
        one: table.and_bits, rows: table.and_bits_rows, gathered: table.and_bits_gathered,
        pairs: table.and_bits_pairs),
    ]
  }

  @Test(arguments: Level.available)
  func `vectors of every length are exact`(level: Level) {
    for family in families(level) { family.checkVectors() }
  }

  @Test(arguments: Level.available)
  func `rows and gathered rows are exact`(level: Level) {
    for family in families(level) { family.checkRows() }
  }

  @Test(arguments: Level.available)
  func `pairs are exact and keep to their memory`(level: Level) {
    for family in families(level) { family.checkPairs(large: [(3, 70, 600)]) }
  }

  /// Every bit at once is what a byte's counter must hold.
  @Test(arguments: Level.available)
  func `all bits, and each bit alone, are counted`(level: Level) {
    for n in Array(1...140) + [4_096, 20_000] {
      let zeros = [UInt64](repeating: 0, count: n)
      let ones = [UInt64](repeating: .max, count: n)
      #expect(level.table.hamming_bits(zeros, ones, n) == 64 * Int32(n))
      #expect(level.table.and_bits(ones, ones, n) == 64 * Int32(n))
      #expect(level.table.hamming_bits(ones, ones, n) == 0)
      #expect(level.table.and_bits(zeros, ones, n) == 0)
    }
    let n = 70
    for bit in 0..<64 * n {
      var one = [UInt64](repeating: 0, count: n)
      one[bit / 64] = 1 << UInt64(bit % 64)
      let found = level.table.hamming_bits(one, [UInt64](repeating: 0, count: n), n)
      if found != 1 { Issue.record("bit \(bit) counts as \(found)") }
    }
  }
}
