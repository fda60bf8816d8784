import BasisCore
import CBasisKernels
import Testing
import _BasisTestSupport

/// A level that this processor runs.
struct Level: Sendable, CustomTestStringConvertible {
  let raw: basis_simd_level

  static let available = (0..<UInt32(BASIS_SIMD_LEVEL_COUNT))
    .map { basis_simd_level(rawValue: $0) }
    .filter { basis_kernels_at($0) != nil }.map { Level(raw: $0) }

  var table: basis_kernel_table { basis_kernels_at(raw).pointee }
  var testDescription: String { String(cString: table.name) }
}

/// Every tail of every vector length, and lengths that models have.
let lengths = Array(0...70) + [384, 768, 1000]

func gaussians(_ count: Int, _ generator: inout RandomGenerator) -> [Float] {
  (0..<count).map { _ in Float(generator.nextGaussian()) }
}

/// A sum in `Double` and how far a `Float` sum of the same terms, in any order, may be from it:
/// *n* · 2⁻²⁴ · Σ|term| (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.1),
/// with `roundings` more per term for how the term itself was made.
func reference(_ terms: some Collection<Double>, roundings: Int) -> (sum: Double, bound: Double) {
  let magnitude = terms.reduce(0) { $0 + abs($1) }
  return (terms.reduce(0, +), Double(terms.count + roundings) * 0x1p-24 * 1.001 * magnitude)
}

func dotReference(_ a: [Float], _ b: [Float]) -> (sum: Double, bound: Double) {
  reference(zip(a, b).map { Double($0) * Double($1) }, roundings: 0)
}

func distanceReference(_ a: [Float], _ b: [Float]) -> (sum: Double, bound: Double) {
  // The difference is rounded before it is squared.
  reference(
    zip(a, b).map { (Double($0) - Double($1)) * (Double($0) - Double($1)) }, roundings: 3)
}

@Suite struct KernelTests {
  @Test(arguments: Level.available)
  func `dot and squared distance agree with Double at every length`(level: Level) {
    var generator = RandomGenerator(seed: 1)
    for n in lengths {
      let (a, b) = (gaussians(n, &generator), gaussians(n, &generator))
      for startingAtPage in [false, true] {
        let x = GuardedFloats(a, startingAtPage: startingAtPage)
        let y = GuardedFloats(b, startingAtPage: startingAtPage)
        let (dot, dotBound) = dotReference(a, b)
        #expect(abs(Double(level.table.dot_f32(x.base, y.base, n)) - dot) <= dotBound)
        let (distance, distanceBound) = distanceReference(a, b)
        #expect(abs(Double(level.table.l2_f32(x.base, y.base, n)) - distance) <= distanceBound)
      }
    }
  }

  @Test(arguments: Level.available)
  func `a pair has the same bits alone, among rows and among gathered rows`(level: Level) {
    var generator = RandomGenerator(seed: 2)
    let table = level.table
    for n in lengths {
      for rowCount in [0, 1, 2, 3, 4, 5, 8, 11] {
        let stride = n + generator.nextInt(below: 4)
        let query = GuardedFloats(gaussians(n, &generator))
        // The gaps between rows hold NaN, and the last row ends where memory ends.
        var values = [Float](repeating: .nan, count: max(0, rowCount * stride - (stride - n)))
        for row in 0..<rowCount {
          values.replaceSubrange(
            row * stride..<row * stride + n, with: gaussians(n, &generator))
        }
        let rows = GuardedFloats(values)
        let ids = (0..<rowCount).map { _ in UInt32(generator.nextInt(below: rowCount)) }
        for (one, several, gathered) in [
          (table.dot_f32, table.dot_f32_rows, table.dot_f32_gathered),
          (table.l2_f32, table.l2_f32_rows, table.l2_f32_gathered),
        ] {
          let expected = (0..<rowCount).map {
            one!(query.base, rows.base + $0 * stride, n).bitPattern
          }
          let out = GuardedFloats(Array(repeating: .nan, count: rowCount))
          several!(query.base, rows.base, rowCount, stride, n, out.base)
          #expect(out.values.map(\.bitPattern) == expected)
          gathered!(query.base, rows.base, ids, rowCount, stride, n, out.base)
          #expect(out.values.map(\.bitPattern) == ids.map { expected[Int($0)] })
        }
      }
    }
  }

  @Test(arguments: Level.available)
  func `values that are not finite come through`(level: Level) {
    for n in [1, 7, 33, 64, 100] {
      for place in [0, n / 2, n - 1] {
        var a = [Float](repeating: 1, count: n)
        a[place] = .nan
        let b = [Float](repeating: 2, count: n)
        #expect(level.table.dot_f32(a, b, n).isNaN)
        #expect(level.table.l2_f32(a, b, n).isNaN)
        a[place] = .infinity
        #expect(level.table.dot_f32(a, b, n) == .infinity)
        #expect(level.table.l2_f32(a, b, n) == .infinity)
      }
    }
  }

  @Test(arguments: Level.available)
  func `a product agrees with Double and keeps to its memory`(level: Level) {
    var generator = RandomGenerator(seed: 3)
    let scratch = GuardedFloats(Array(repeating: .nan, count: Int(BASIS_PRODUCT_SCRATCH)))
    for m in [0, 1, 2, 6, 7, 14, 29] {
      for n in [0, 1, 8, 9, 31, 33, 70] {
        for d in [0, 1, 7, 8, 41, 385] {
          let aStride = d + generator.nextInt(below: 3)
          let bStride = d + generator.nextInt(below: 3)
          let cStride = n + generator.nextInt(below: 3)
          func rows(_ count: Int, _ stride: Int) -> GuardedFloats {
            var values = [Float](repeating: .nan, count: max(0, count * stride - (stride - d)))
            for row in 0..<count {
              for column in 0..<d {
                values[row * stride + column] = generator.nextFloat() - 0.5
              }
            }
            return GuardedFloats(values)
          }
          let (a, b) = (rows(m, aStride), rows(n, bStride))
          let untouched: Float = 12345
          let c = GuardedFloats(
            Array(repeating: untouched, count: max(0, m * cStride - (cStride - n))))
          level.table.product_f32(
            a.base, aStride, m, b.base, bStride, n, d, c.base, cStride, scratch.base)
          var isRight = true
          for row in 0..<m {
            for column in 0..<cStride where row * cStride + column < c.count {
              let value = c[row * cStride + column]
              if column >= n {
                isRight = isRight && value == untouched
                continue
              }
              let (sum, bound) = reference(
                (0..<d).map {
                  Double(a[row * aStride + $0]) * Double(b[column * bStride + $0])
                }, roundings: 1)
              isRight = isRight && abs(Double(value) - sum) <= bound
            }
          }
          #expect(isRight, "\(m) × \(n) × \(d)")

          // The same bits from sides that were packed before.
          let width = level.table.packed_columns
          let left = GuardedFloats([Float](repeating: .nan, count: m * d))
          let right = GuardedFloats(
            [Float](repeating: .nan, count: (n + width - 1) / width * width * d))
          level.table.pack_left_f32(a.base, aStride, m, d, left.base)
          level.table.pack_right_f32(b.base, bStride, n, d, right.base)
          let again = GuardedFloats([Float](repeating: untouched, count: c.count))
          level.table.product_packed_f32(left.base, m, right.base, n, d, again.base, cStride)
          #expect(
            (0..<c.count).allSatisfy { c[$0] == again[$0] }, "packed, \(m) × \(n) × \(d)")
        }
      }
    }
  }

  @Test(arguments: Level.available)
  func `an element of a product is the same bits in any block`(level: Level) {
    // Beyond one block on either side, and two parts in depth.
    let (m, n, d) = (1_040, 530, 390)
    var generator = RandomGenerator(seed: 4)
    let a = (0..<m * d).map { _ in generator.nextFloat() - 0.5 }
    let b = (0..<n * d).map { _ in generator.nextFloat() - 0.5 }
    let scratch = [Float](unsafeUninitializedCapacity: Int(BASIS_PRODUCT_SCRATCH)) {
      $0.initialize(repeating: .nan)
      $1 = Int(BASIS_PRODUCT_SCRATCH)
    }
    func product(_ rows: Range<Int>, _ columns: Range<Int>) -> [Float] {
      var scratch = scratch
      var c = [Float](repeating: .nan, count: rows.count * columns.count)
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          level.table.product_f32(
            a.baseAddress! + rows.lowerBound * d, d, rows.count,
            b.baseAddress! + columns.lowerBound * d, d, columns.count, d, &c, columns.count,
            &scratch)
        }
      }
      return c
    }
    let whole = product(0..<m, 0..<n)
    for _ in 0..<60 {
      let row = generator.nextInt(below: m)
      let column = generator.nextInt(below: n)
      let rows = row..<min(m, row + 1 + generator.nextInt(below: 20))
      let columns = column..<min(n, column + 1 + generator.nextInt(below: 40))
      let part = product(rows, columns)
      let expected = rows.flatMap { row in columns.map { whole[row * n + $0].bitPattern } }
      #expect(part.map(\.bitPattern) == expected)
    }
  }

  @Test(arguments: Level.available)
  func `weighted rows agree with Double, column by column`(level: Level) {
    var generator = RandomGenerator(seed: 5)
    for n in Array(0...70) + [138, 200, 384] {
      let stride = n + generator.nextInt(below: 3)
      let denseRowCount = 6
      let dense = GuardedFloats(gaussians(denseRowCount * stride - (stride - n), &generator))
      for count in [0, 1, 2, 9, 20] {
        let weights = gaussians(count, &generator)
        let rows = (0..<count).map { _ in Int32(generator.nextInt(below: denseRowCount)) }
        let out = GuardedFloats(Array(repeating: .nan, count: n))
        level.table.weighted_rows_f32(weights, rows, count, dense.base, stride, n, out.base)
        var isRight = true
        for column in 0..<n {
          let (sum, bound) = reference(
            zip(weights, rows).map { Double($0) * Double(dense[Int($1) * stride + column]) },
            roundings: 0)
          isRight = isRight && abs(Double(out[column]) - sum) <= bound
          var alone: Float = .nan
          level.table.weighted_rows_f32(
            weights, rows, count, dense.base + column, stride, 1, &alone)
          isRight = isRight && alone.bitPattern == out[column].bitPattern
        }
        #expect(isRight, "\(count) rows of \(n)")
      }
    }
  }

  @Test(arguments: ["scalar", "avx2", "avx512", "avx512vnni", "avx512popcnt"])
  func `BASIS_SIMD_LEVEL chooses the level`(name: String) async {
    guard Level.available.contains(where: { $0.testDescription == name }) else { return }
    await #expect(processExitsWith: .success) { [name = name as String] in
      setEnvironmentValue("BASIS_SIMD_LEVEL", name)
      #expect(Kernels.tableName == name)
      #expect(Kernels.levelName == (name.hasPrefix("avx512") ? "avx512" : name))
      // Once chosen, it stays.
      setEnvironmentValue("BASIS_SIMD_LEVEL", "scalar")
      #expect(Kernels.tableName == name)
    }
  }

  @Test(arguments: ["", "AVX2", "avx1024"])
  func `an unknown level counts as none`(name: String) async {
    await #expect(processExitsWith: .success) { [name = name as String] in
      setEnvironmentValue("BASIS_SIMD_LEVEL", name)
      #expect(Kernels.tableName == Level.available.last?.testDescription)
    }
  }

  @Test(arguments: Level.available)
  func `what is not below a bound is found, NaN included`(level: Level) {
    var generator = RandomGenerator(seed: 9)
    let table = level.table
    for n in lengths {
      var x = gaussians(n, &generator)
      let y = gaussians(n, &generator)
      for place in x.indices where place % 17 == 3 { x[place] = .nan }
      for bound in [-.infinity, -0.5, 2, .infinity, .nan] as [Float] {
        let (a, b) = (GuardedFloats(x), GuardedFloats(y))
        var out = [UInt32](repeating: 0, count: n + 1)
        func found(_ count: Int) -> [Int] { out[..<count].map { Int($0) } }
        let plain = table.select_f32(a.base, n, bound, &out)
        #expect(found(plain) == x.indices.filter { !(x[$0] < bound) })
        let scaled = table.select_scaled_f32(a.base, b.base, n, bound, &out)
        #expect(found(scaled) == x.indices.filter { !(x[$0] * y[$0] < bound) })
        let shifted = table.select_shifted_f32(a.base, b.base, n, bound, &out)
        #expect(found(shifted) == x.indices.filter { !(x[$0] - y[$0] < bound) })
        #expect(out[n] == 0)
      }
    }
  }
}
