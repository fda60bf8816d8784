import BasisCore
import CBasisKernels
import Testing
import _BasisTestSupport

private let levels = [
  BASIS_SIMD_SCALAR, BASIS_SIMD_AVX2, BASIS_SIMD_AVX512, BASIS_SIMD_AVX512_VNNI,
]

private typealias Collect =
  @convention(c) (
    UnsafePointer<UInt8>?, Int, Int, UnsafePointer<Float>?, UnsafePointer<Float>?, Int,
    UnsafePointer<UInt64>?, UnsafeMutablePointer<basis_code_query>?, Int
  ) -> Void

/// Rows with factors and biases, some queries, and what each should keep.
private struct Case {
  var blocks: [UInt8] = []
  var factors: [Float] = []
  var biases: [Float] = []
  var queries: [[UInt8]] = []
  var offsets: [Int32] = []
  /// For each query and row the sum.
  var sums: [[Int32]] = []
  var allowed: [UInt64] = []
  let count: Int
  let groups: Int
  let first = 128

  /// The keys of the wanted nearest rows, smallest first.
  func expected(_ query: Int, wanted: Int, isFiltered: Bool, hasOwn: Bool) -> [UInt64] {
    var keys: [UInt64] = []
    for row in 0..<count {
      let id = first + row
      if isFiltered, allowed[id >> 6] >> UInt64(id & 63) & 1 == 0 { continue }
      var score = Float(sums[query][row] - offsets[query])
      if hasOwn {
        score = score * factors[row]
        score = score + biases[row] * 0.75
      }
      let bits = score.bitPattern
      let order = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
      keys.append(UInt64(order) << 32 | UInt64(id))
    }
    return Array(keys.sorted().prefix(wanted))
  }

  func found(
    _ collect: Collect, wanted: Int, isFiltered: Bool, hasOwn: Bool
  ) -> [[UInt64]] {
    let capacity = 2 * wanted + 80
    let width = queries[0].count
    var codes = queries.flatMap { $0 }
    var keys = [UInt64](repeating: 0, count: capacity * queries.count)
    return codes.withUnsafeMutableBufferPointer { codes in
      keys.withUnsafeMutableBufferPointer { keys in
        guard let codeBase = codes.baseAddress, let keyBase = keys.baseAddress else { return [] }
        var states = offsets.enumerated().map { query, offset in
          basis_code_query(
            codes: codeBase + query * width, keys: keyBase + query * capacity, limit: .max,
            bound: .infinity, wanted: UInt32(wanted), capacity: UInt32(capacity), count: 0,
            offset: offset, scale: 0.75)
        }
        // In two pieces, the first of whole blocks.
        let middle = count / 2 / 64 * 64
        for range in [0..<middle, middle..<count] where !range.isEmpty {
          let start = range.lowerBound
          let blockStart = blocks.count / (((count + 31) / 32) * 2) * (start / 16)
          factors.withUnsafeBufferPointer { factors in
            biases.withUnsafeBufferPointer { biases in
              blocks.withUnsafeBufferPointer { blocks in
                allowed.withUnsafeBufferPointer { allowed in
                  collect(
                    blocks.baseAddress.map { $0 + blockStart }, range.count, groups,
                    hasOwn ? factors.baseAddress.map { $0 + start } : nil,
                    hasOwn ? biases.baseAddress.map { $0 + start } : nil, first + start,
                    isFiltered ? allowed.baseAddress : nil, &states, states.count)
                }
              }
            }
          }
        }
        return states.map { state in
          let kept = UnsafeBufferPointer(start: state.keys, count: Int(state.count)).sorted()
          return Array(kept.prefix(wanted))
        }
      }
    }
  }

  init(count: Int, groups: Int, queryCount: Int, _ generator: inout RandomGenerator) {
    self.count = count
    self.groups = groups
    let places = (count + 31) / 32 * 32
    factors = (0..<places).map { _ in Float(generator.nextGaussian()) }
    biases = (0..<places).map { _ in Float(100 * generator.nextGaussian()) }
    offsets = (0..<queryCount).map { _ in Int32(generator.nextInt(below: 1000)) - 500 }
    allowed = (0..<(first + count) / 64 + 1).map { _ in generator.next() }
  }

  static func bytes(
    count: Int, dimension: Int, queryCount: Int, _ generator: inout RandomGenerator
  ) -> Case {
    let groups = (dimension + 3) / 4
    var result = Case(count: count, groups: groups, queryCount: queryCount, &generator)
    result.blocks = Array(repeating: 128, count: (count + 31) / 32 * 2 * groups * 64)
    func values() -> [Int8] {
      // Extremes now and then, where instructions saturate.
      (0..<dimension).map { _ in
        let value = generator.nextInt(below: 300)
        return value > 255 ? -128 : value > 254 ? 127 : Int8(value - 128)
      }
    }
    let rows = (0..<count).map { _ in values() }
    for (index, row) in rows.enumerated() {
      basis_bytes_pack(row, dimension, index, &result.blocks)
      var again = [Int8](repeating: 0, count: dimension)
      basis_bytes_unpack(result.blocks, dimension, index, &again)
      #expect(again == row)
    }
    for _ in 0..<queryCount {
      let query = values()
      result.queries.append(
        query.map { UInt8(bitPattern: $0) }
          + [UInt8](repeating: 0, count: 4 * groups - dimension))
      result.sums.append(
        rows.map { row in
          zip(row, query).reduce(0) { $0 + (Int32($1.0) + 128) * Int32($1.1) }
        })
    }
    return result
  }

  static func bits(
    count: Int, groups: Int, queryCount: Int, _ generator: inout RandomGenerator
  ) -> Case {
    var result = Case(count: count, groups: groups, queryCount: queryCount, &generator)
    result.blocks = Array(repeating: 0, count: (count + 31) / 32 * groups * 64)
    let rows = (0..<count).map { _ in
      (0..<4 * groups).map { _ in UInt8(generator.nextInt(below: 16)) }
    }
    for (index, row) in rows.enumerated() { basis_scan_pack(row, groups, index, &result.blocks) }
    let most = 255 / min(groups, Int(BASIS_SCAN_RUN))
    for _ in 0..<queryCount {
      let table = (0..<64 * groups).map { _ in UInt8(generator.nextInt(below: most + 1)) }
      result.queries.append(table)
      result.sums.append(
        rows.map { row in
          row.enumerated().reduce(0) { $0 + Int32(table[16 * $1.offset + Int($1.element)]) }
        })
    }
    return result
  }
}

@Suite struct CodeScanKernelTests {
  private func check(
    _ scene: Case, _ label: String, _ kernel: (basis_code_scan_table) -> Collect?
  ) {
    for wanted in [1, 20] {
      for (isFiltered, hasOwn) in [(false, true), (true, true), (false, false)] {
        let expected = scene.queries.indices.map {
          scene.expected($0, wanted: wanted, isFiltered: isFiltered, hasOwn: hasOwn)
        }
        for level in levels {
          guard let table = basis_code_scan_kernels_at(level)?.pointee, let collect = kernel(table)
          else { continue }
          let found = scene.found(
            collect, wanted: wanted, isFiltered: isFiltered, hasOwn: hasOwn)
          #expect(found == expected, "\(String(cString: table.name)) \(label), \(wanted)")
        }
      }
    }
  }

  @Test(arguments: [1, 17, 64, 65, 230], [1, 4, 33])
  func `bytes are scored alike at every level`(count: Int, dimension: Int) {
    var generator = RandomGenerator(seed: UInt64(1000 * count + dimension))
    for queryCount in [1, 5, 13] {
      check(
        .bytes(count: count, dimension: dimension, queryCount: queryCount, &generator),
        "\(count) × \(dimension), \(queryCount) queries"
      ) { $0.collect_bytes }
    }
  }

  @Test(arguments: [1, 33, 64, 230], [1, 8, 9])
  func `bits are scored alike at every level`(count: Int, groups: Int) {
    var generator = RandomGenerator(seed: UInt64(1000 * count + groups))
    for queryCount in [1, 6, 7] {
      check(
        .bits(count: count, groups: groups, queryCount: queryCount, &generator),
        "\(count) × \(groups), \(queryCount) queries"
      ) { $0.collect_bits }
    }
  }

  @Test(arguments: [1, 4, 5, 63, 384, 1500]) func `tables of signs are alike at every level`(
    dimension: Int
  ) {
    var generator = RandomGenerator(seed: UInt64(dimension))
    let groups = (dimension + 15) / 16
    for scale in [Float(1), 1e-30, 1e30, 0] {
      let weights = (0..<dimension).map { _ in Float(generator.nextGaussian()) * scale }
      let tables = levels.compactMap { level -> (table: [UInt8], step: Float, least: Float)? in
        guard let kernels = basis_code_scan_kernels_at(level)?.pointee else { return nil }
        var table = [UInt8](repeating: 1, count: 64 * groups)
        var least: Float = 0
        let step = kernels.sign_table(weights, dimension, groups, &table, &least)
        return (table, step, least)
      }
      guard let first = tables.first else { return }
      #expect(tables.allSatisfy { $0 == first })
      // Sums of a run fit into a byte.
      for slot in 0..<4 {
        for run in stride(from: 0, to: groups, by: Int(BASIS_SCAN_RUN)) {
          let most = (run..<min(groups, run + Int(BASIS_SCAN_RUN))).reduce(0) { sum, group in
            let part = 16 * (4 * group + slot)
            return sum + Int(first.table[part..<part + 16].max() ?? 0)
          }
          #expect(most <= 255)
        }
      }
      let signs = (0..<dimension).map { _ in generator.nextInt(below: 2) }
      var sum = 0
      for part in 0..<4 * groups {
        let own = (4 * part..<4 * part + 4).map { $0 < dimension ? signs[$0] : 0 }
        sum += Int(first.table[16 * part + own[0] + 2 * own[1] + 4 * own[2] + 8 * own[3]])
      }
      let product = zip(weights, signs).reduce(0) { $0 + Double($1.0) * ($1.1 == 1 ? 1 : -1) }
      let found = Double(first.step) * Double(sum) + Double(first.least)
      // Each weight is rounded to half a step, one way or the other.
      let slack = 3 * Double(dimension).squareRoot() * Double(first.step) * 0.3
      #expect(abs(found + product) <= slack + 1e-6 * Double(scale), "\(scale)")
    }
  }

  @Test(arguments: [0, 1, 15, 16, 17, 33, 384]) func `queries are cut alike at every level`(
    dimension: Int
  ) {
    var generator = RandomGenerator(seed: UInt64(dimension))
    for scale in [Float(1), 1e-38, 1e30, 0] {
      let query = (0..<dimension).map { _ in Float(generator.nextGaussian()) * scale }
      let largest = query.map { abs($0) }.max() ?? 0
      let unit = (1 / (largest / 127)).isFinite ? largest / 127 : 0
      let expected = query.map { value in
        unit > 0 ? Int8(-(value * (1 / unit)).rounded(.toNearestOrEven)) : 0
      }
      for level in levels {
        guard let table = basis_code_scan_kernels_at(level)?.pointee else { continue }
        let name = Comment(rawValue: "\(String(cString: table.name)) \(dimension) \(scale)")
        var out = [Int8](repeating: 5, count: dimension + 1)
        let cut = query.withUnsafeBufferPointer {
          table.query_bytes($0.baseAddress, dimension, &out)
        }
        #expect(out.dropLast() == expected[...], name)
        #expect(out[dimension] == 5, name)
        #expect(cut.unit == unit, name)
        #expect(cut.sum == expected.reduce(0) { $0 + Int32($1) }, name)
        let squares = query.reduce(0.0) { $0 + Double($1) * Double($1) }
        let errors = zip(query, expected).reduce(0.0) {
          let difference = Double($1.0) + Double($1.1) * Double(unit)
          return $0 + difference * difference
        }
        guard scale < 1e20 else { continue }
        #expect(abs(Double(cut.squares) - squares) <= 1e-5 * squares + 1e-40, name)
        #expect(abs(Double(cut.errors) - errors) <= 1e-4 * errors + 1e-6 * squares + 1e-40, name)
      }
    }
  }
}
