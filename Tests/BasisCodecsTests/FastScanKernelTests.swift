import BasisCore
import CBasisKernels
import Testing
import _BasisTestSupport

private let levels = [BASIS_SIMD_SCALAR, BASIS_SIMD_AVX2, BASIS_SIMD_AVX512]

private func eachLevel(_ body: (String, basis_scan_table) throws -> Void) rethrows {
  for level in levels {
    guard let table = basis_scan_kernels_at(level)?.pointee else { continue }
    try body(String(cString: table.name), table)
  }
}

/// Codes of `groups · 4` parts, in blocks and a byte a part.
private struct PackedCodes {
  let groups: Int
  var codes: [[UInt8]]
  var blocks: [UInt8]

  init(count: Int, groups: Int, _ generator: inout RandomGenerator) {
    self.groups = groups
    codes = (0..<count).map { _ in
      (0..<4 * groups).map { _ in UInt8(generator.nextInt(below: 16)) }
    }
    blocks = Array(repeating: 0, count: (count + 31) / 32 * groups * 64)
    for (index, code) in codes.enumerated() { basis_scan_pack(code, groups, index, &blocks) }
  }

  func sum(_ index: Int, _ table: [UInt8]) -> Int {
    codes[index].enumerated().reduce(0) { $0 + Int(table[16 * $1.offset + Int($1.element)]) }
  }
}

/// The largest entries that a run allows.
private func table(groups: Int, _ generator: inout RandomGenerator) -> [UInt8] {
  let most = 255 / min(groups, Int(BASIS_SCAN_RUN))
  return (0..<64 * groups).map { _ in UInt8(generator.nextInt(below: most + 1)) }
}

@Suite struct FastScanKernelTests {
  @Test(arguments: [1, 2, 7, 8, 9, 16, 24, 33])
  func `sums are those of the tables, at every level`(groups: Int) {
    var generator = RandomGenerator(seed: UInt64(groups))
    let packed = PackedCodes(count: 100, groups: groups, &generator)
    let table = table(groups: groups, &generator)
    let expected = (0..<100).map { packed.sum($0, table) }
    eachLevel { name, kernels in
      var sums = [UInt16](repeating: 0, count: 128)
      kernels.sums(packed.blocks, 4, groups, table, &sums)
      #expect((0..<100).map { Int(sums[$0]) } == expected, "\(name) \(groups)")
    }
    var code = [UInt8](repeating: 0, count: 4 * groups)
    for index in [0, 1, 8, 31, 32, 99] {
      basis_scan_unpack(packed.blocks, groups, index, &code)
      #expect(code == packed.codes[index])
    }
  }

  @Test(arguments: [1, 31, 32, 33, 300], [1, 4, 40])
  func `the smallest keys are kept, whatever the company`(count: Int, wanted: Int) {
    var generator = RandomGenerator(seed: UInt64(count * 100 + wanted))
    let groups = 9
    let packed = PackedCodes(count: count, groups: groups, &generator)
    let tables = (0..<5).map { _ in table(groups: groups, &generator) }
    let ids = (0..<count).map { UInt32($0 * 3 + 1) }
    let biases = (0..<count).map { _ in generator.nextFloat() }
    let allowed: [UInt64] = (0..<(3 * count + 64) / 64 + 1).map { _ in generator.next() }
    eachLevel { name, kernels in
      for (usesBiases, filters) in [(false, false), (true, false), (false, true), (true, true)] {
        let found = collect(
          kernels, packed, tables, ids, usesBiases ? biases : nil, filters ? allowed : nil, wanted)
        for (query, keys) in found.enumerated() {
          let expected = (0..<count).compactMap { index -> UInt64? in
            let id = Int(ids[index])
            guard !filters || allowed[id >> 6] >> UInt64(id & 63) & 1 == 1 else { return nil }
            let own = usesBiases ? Int((biases[index] * 100).rounded(.toNearestOrEven)) : 0
            let score = packed.sum(index, tables[query]) + own + 5 * query
            return UInt64(score) << 32 | UInt64(id)
          }.sorted().prefix(wanted)
          #expect(keys.sorted() == Array(expected), "\(name) \(query)")
        }
      }
    }
  }

  private func collect(
    _ kernels: basis_scan_table, _ packed: PackedCodes, _ tables: [[UInt8]], _ ids: [UInt32],
    _ biases: [Float]?, _ allowed: [UInt64]?, _ wanted: Int
  ) -> [[UInt64]] {
    let capacity = wanted + 32
    let tableBytes = tables[0].count
    let flat = UnsafeMutablePointer<UInt8>.allocate(capacity: tables.count * tableBytes)
    let keys = UnsafeMutablePointer<UInt64>.allocate(capacity: tables.count * capacity)
    let queries = UnsafeMutablePointer<basis_scan_query>.allocate(capacity: tables.count)
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<basis_scan_query>?>.allocate(
      capacity: tables.count)
    defer {
      flat.deallocate()
      keys.deallocate()
      queries.deallocate()
      pointers.deallocate()
    }
    for (index, table) in tables.enumerated() {
      for (place, byte) in table.enumerated() { flat[index * tableBytes + place] = byte }
      queries[index] = basis_scan_query(
        table: flat + index * tableBytes, keys: keys + index * capacity, limit: .max,
        wanted: UInt32(wanted), capacity: UInt32(capacity), count: 0, bias: UInt32(5 * index),
        scale: 100)
      pointers[index] = queries + index
    }
    func run(_ biases: UnsafePointer<Float>?, _ allowed: UnsafePointer<UInt64>?) {
      kernels.collect(
        packed.blocks, ids.count, packed.groups, ids, biases, allowed, pointers, tables.count)
    }
    switch (biases, allowed) {
    case (nil, nil): run(nil, nil)
    case (let biases?, nil): run(biases, nil)
    case (nil, let allowed?): run(nil, allowed)
    case (let biases?, let allowed?): run(biases, allowed)
    }
    return tables.indices.map { index in
      let state = queries[index]
      let count = kernels.smallest(state.keys, Int(state.count), wanted)
      return Array(UnsafeBufferPointer(start: state.keys, count: count))
    }
  }

  @Test(arguments: [1, 3, 4], [16, 256]) func `codes and products agree with plain loops`(
    width: Int, size: Int
  ) {
    var generator = RandomGenerator(seed: 1)
    let (count, parts) = (6, 3)
    let d = parts * width
    let rows = (0..<count * d).map { _ in Float(generator.nextGaussian()) }
    let words = (0..<d * size).map { _ in Float(generator.nextGaussian()) }
    var reference: [[UInt8]] = []
    eachLevel { name, kernels in
      var codes = [UInt8](repeating: 0, count: count * parts)
      kernels.encode(rows, nil, count, parts, width, words, size, 0, 0, &codes)
      for row in 0..<count {
        for part in 0..<parts {
          let losses = (0..<size).map { word in
            (0..<width).reduce(Float(0)) { sum, column in
              let error =
                rows[row * d + part * width + column]
                - words[(part * width + column) * size + word]
              return sum + error * error
            }
          }
          let best = losses.indices.min { losses[$0] < losses[$1] }
          #expect(Int(codes[row * parts + part]) == best, "\(name)")
        }
      }
      // The other loss: no single part can lower it further.
      var directions = rows
      for row in 0..<count {
        let norm = rows[row * d..<(row + 1) * d].reduce(0) { $0 + $1 * $1 }.squareRoot()
        for column in 0..<d { directions[row * d + column] /= norm }
      }
      kernels.encode(rows, directions, count, parts, width, words, size, 3, 20, &codes)
      reference.append(codes)
      func loss(_ row: Int, _ code: [UInt8]) -> Double {
        var (squares, along) = (0.0, 0.0)
        for column in 0..<d {
          let word = Int(code[column / width])
          let error = Double(rows[row * d + column]) - Double(words[column * size + word])
          squares += error * error
          along += error * Double(directions[row * d + column])
        }
        return squares + 3 * along * along
      }
      for row in 0..<count {
        var code = Array(codes[row * parts..<(row + 1) * parts])
        let own = loss(row, code)
        for part in 0..<parts {
          let kept = code[part]
          var least = Double.infinity
          for word in 0..<size {
            code[part] = UInt8(word)
            least = min(least, loss(row, code))
          }
          #expect(least >= own - 1e-5 * own, "\(name) row \(row) part \(part)")
          code[part] = kept
        }
      }
    }
    #expect(reference.allSatisfy { $0 == reference[0] })
  }

  @Test(arguments: [1, 15, 16, 17, 70]) func `the nearest centroid is the first of the best`(
    count: Int
  ) {
    var generator = RandomGenerator(seed: 4)
    // Few values, so that ties are common.
    let products = (0..<20 * count).map { _ in Float(generator.nextInt(below: 5)) }
    let halves = (0..<count).map { _ in Float(generator.nextInt(below: 3)) }
    eachLevel { name, kernels in
      var (ids, values) = ([UInt32](repeating: 9, count: 20), [Float](repeating: 0, count: 20))
      kernels.nearest(products, count, 20, halves, count, &ids, &values)
      for row in 0..<20 {
        let scores = (0..<count).map { halves[$0] - products[row * count + $0] }
        let best = scores.indices.min { scores[$0] < scores[$1] }
        #expect(Int(ids[row]) == best && values[row] == scores.min(), "\(name)")
      }
    }
  }

  @Test func `tables of bytes stay within their run, and near their floats`() {
    for parts in [1, 4, 25, 96] {
      for scale in [0, 1e-30, 1, 1e20] as [Float] {
        var tables: [[UInt8]] = []
        eachLevel { name, kernels in
          var generator = RandomGenerator(seed: UInt64(parts))
          let values = (0..<16 * parts).map { _ in Float(generator.nextGaussian()) * scale }
          tables.append(check(kernels, values, parts))
        }
        #expect(tables.allSatisfy { $0 == tables[0] })
      }
    }
  }

  private func check(_ kernels: basis_scan_table, _ values: [Float], _ parts: Int) -> [UInt8] {
    let groups = (parts + 3) / 4
    var table = [UInt8](repeating: 7, count: 64 * groups)
    var offset: Float = 0
    let step = kernels.quantize(values, parts, groups, &table, &offset)
    #expect(step > 0)
    for s in 0..<4 {
      for first in stride(from: 0, to: groups, by: Int(BASIS_SCAN_RUN)) {
        let run = first..<min(groups, first + Int(BASIS_SCAN_RUN))
        let most = run.reduce(0) { sum, g in
          sum + (0..<16).reduce(0) { max($0, Int(table[64 * g + 16 * s + $1])) }
        }
        #expect(most <= 255)
      }
    }
    for part in 0..<parts {
      let least = values[16 * part..<16 * part + 16].min() ?? 0
      let errors = (0..<16).map { word in
        abs(values[16 * part + word] - least - step * Float(table[16 * part + word]))
      }
      #expect((errors.max() ?? 0) <= step * 0.501)
    }
    return table
  }
}
