import BasisCore
import CBasisKernels
import Testing

/// All levels of the graph kernels that this processor runs give what the plain one gives, bit for
/// bit.
@Suite struct GraphKernelTests {
  private static var levels: [UnsafePointer<basis_graph_table>] {
    [BASIS_SIMD_AVX2, BASIS_SIMD_AVX512].compactMap { basis_graph_kernels_at($0) }
  }
  private static var plain: UnsafePointer<basis_graph_table> {
    basis_graph_kernels_at(BASIS_SIMD_SCALAR)
  }

  @Test(arguments: [1, 33, 56, 63, 64, 65, 127, 192, 200, 256, 320, 384, 448, 1000])
  func `levels agree`(dimension: Int) {
    let count = 90
    let made = Self.rows(Self.plain, count, dimension)
    for kernels in Self.levels {
      let name = String(cString: kernels.pointee.name)
      let other = Self.rows(kernels, count, dimension)
      #expect(other.bytes == made.bytes && other.pairs == made.pairs, "\(name)")
      #expect(other.facts == made.facts && other.pairFacts == made.pairFacts, "\(name)")
      for isPairs in [false, true] {
        #expect(
          answers(kernels, made, isPairs: isPairs)
            == answers(Self.plain, made, isPairs: isPairs), "\(name), pairs: \(isPairs)")
      }
    }
  }

  @Test func `pairs of bits are in the documented order`() {
    // The largest codes where this is 1, the smallest elsewhere.
    for dimension in [64, 128, 192, 256, 448] {
      for column in stride(from: 0, to: dimension, by: 7) {
        var x = [Float](repeating: -0.01, count: dimension)
        x[column] = 1
        var pairs = [UInt8](repeating: 0, count: dimension / 4)
        _ = Self.plain.pointee.pack(
          x, [Float](repeating: 0, count: dimension), dimension, dimension, &pairs)
        var start = 0
        var unit = 256
        while true {
          unit = dimension - start >= 256 ? 256 : dimension - start >= 128 ? 128 : 64
          if column < start + unit { break }
          start += unit
        }
        let place = column - start
        let byte = pairs[start / 4 + place % (unit / 4)]
        #expect(byte >> UInt8(2 * (place / (unit / 4))) & 3 == 3)
      }
    }
  }

  private struct Rows {
    var dimension = 0
    var width = 0
    var bytes: [UInt8] = []
    var pairs: [UInt8] = []
    var facts: [Float] = []
    var pairFacts: [Float] = []
    var edges: [UInt32] = []
  }

  private static func rows(
    _ kernels: UnsafePointer<basis_graph_table>, _ count: Int, _ dimension: Int
  ) -> Rows {
    var generator = RandomGenerator(seed: UInt64(dimension))
    let mean = (0..<dimension).map { _ in Float(generator.nextGaussian()) / 4 }
    var made = Rows(dimension: dimension, width: (dimension + 63) / 64 * 64)
    for row in 0..<count {
      let x = (0..<dimension).map { _ in row == 7 ? 0 : Float(generator.nextGaussian()) }
      var codes = [Int8](repeating: 0, count: made.width)
      var sum: Int32 = 0
      let scale = kernels.pointee.encode(x, mean, dimension, made.width, &codes, &sum)
      made.bytes += codes.map { UInt8(bitPattern: $0) ^ 0x80 }
      var packed = [UInt8](repeating: 0, count: made.width / 4)
      let factor = kernels.pointee.pack(x, mean, dimension, made.width, &packed)
      made.pairs += packed
      let bias = Float(row) / 8
      made.facts += [scale, bias]
      made.pairFacts += [factor, bias]
      made.edges += (0..<6).map { _ in UInt32(generator.nextInt(below: count)) }
    }
    return made
  }

  /// What each kernel says, as numbers.
  private func answers(
    _ kernels: UnsafePointer<basis_graph_table>, _ made: Rows, isPairs: Bool
  ) -> [[UInt64]] {
    let count = made.facts.count / 2
    var said: [[UInt64]] = []
    func say(_ values: [Float]) { said.append(values.map { UInt64($0.bitPattern) }) }
    (isPairs ? made.pairs : made.bytes).withUnsafeBufferPointer { codes in
      made.edges.withUnsafeBufferPointer { edges in
        (isPairs ? made.pairFacts : made.facts).withUnsafeBufferPointer { facts in
          var rows = basis_graph_rows()
          rows.codes = codes.baseAddress
          rows.stride = isPairs ? made.width / 4 : made.width
          (rows.dimension, rows.width, rows.is_pairs) = (
            made.dimension, made.width, isPairs ? 1 : 0
          )
          (rows.facts, rows.facts_stride) = (facts.baseAddress, 2)
          (rows.edges, rows.degree) = (edges.baseAddress, 6)
          var queryCodes = made.bytes[0..<made.width].map { Int8(bitPattern: $0 ^ 0x80) }
          for column in made.dimension..<made.width { queryCodes[column] = 0 }
          let sum = queryCodes.reduce(Int32(0)) { $0 + Int32($1) }
          queryCodes.withUnsafeBufferPointer { queryCodes in
            var query = basis_graph_query(codes: queryCodes.baseAddress, sum: sum, scale: 0.01)
            let ids = (0..<count).map { UInt32(($0 * 37) % count) }
            var keys = [Float](repeating: 0, count: count)
            kernels.pointee.keys(&rows, &query, ids, count, &keys)
            say(keys)
            for limit in [1, 5, 9, 40, 200] {
              var entries = [UInt64](repeating: .max, count: limit + 1)
              let kept = kernels.pointee.collect(&rows, &query, ids, count, &entries, 0, limit)
              said.append(Array(entries[..<kept]))
              #expect(said.last == said.last?.sorted() && kept == min(limit, count))
              var nearest = [UInt64](repeating: 0, count: limit)
              var scratch = [Float](repeating: 0, count: 256)
              kernels.pointee.nearest(&rows, count, &query, limit, &scratch, &nearest)
              said.append(nearest)
              said.append(walk(kernels, &rows, &query, width: limit, count: count))
            }
            guard !isPairs else { return }
            said += ofBytes(kernels, &rows, count)
          }
        }
      }
    }
    return said
  }

  private func walk(
    _ kernels: UnsafePointer<basis_graph_table>, _ rows: inout basis_graph_rows,
    _ query: inout basis_graph_query, width: Int, count: Int
  ) -> [UInt64] {
    var beam = [UInt64](repeating: 0, count: width + 1)
    var seen = [UInt64](repeating: 0, count: count / 64 + 2)
    var touched = [UInt32](repeating: 0, count: count + 64)
    let entries: [UInt32] = [3, 50]
    return beam.withUnsafeMutableBufferPointer { beam in
      seen.withUnsafeMutableBufferPointer { seen in
        touched.withUnsafeMutableBufferPointer { touched in
          entries.withUnsafeBufferPointer { entries in
            var walk = basis_graph_walk()
            (walk.beam, walk.width, walk.step) = (beam.baseAddress, width, 2)
            (walk.entries, walk.entry_count) = (entries.baseAddress, 2)
            (walk.seen, walk.touched) = (seen.baseAddress, touched.baseAddress)
            kernels.pointee.walk(&rows, &query, &walk, 1)
            #expect(seen.allSatisfy { $0 == 0 })
            return Array(beam[..<walk.beam_count]) + [UInt64(walk.touched_count)]
          }
        }
      }
    }
  }

  /// What is asked of rows of bytes alone.
  private func ofBytes(
    _ kernels: UnsafePointer<basis_graph_table>, _ rows: inout basis_graph_rows, _ count: Int
  ) -> [[UInt64]] {
    var said: [[UInt64]] = []
    var decoded = [Int8](repeating: 0, count: rows.width)
    let sum = kernels.pointee.decode(&rows, 5, &decoded)
    said.append([UInt64(bitPattern: Int64(sum))] + decoded.map { UInt64(UInt8(bitPattern: $0)) })
    let ids = (0..<count).map { UInt32($0) }
    var scratch = [Float](repeating: 0, count: 4 * count + 256)
    let poolSize = 12
    var pools = [UInt64](repeating: .max, count: count * poolSize)
    kernels.pointee.offer(
      &rows, ids, [UInt8](repeating: 1, count: count), count, &pools, poolSize, &scratch)
    said.append(pools)
    var seen = [UInt64](repeating: 0, count: count / 64 + 1)
    var numbers = [UInt32](repeating: 0, count: 2 * 8 * 8)
    var refined = [UInt64](repeating: 0, count: poolSize)
    kernels.pointee.refine(&rows, 4, pools, poolSize, 8, &seen, &numbers, &refined)
    said.append(refined)
    var sorted = [UInt64](repeating: 0, count: count)
    kernels.pointee.sort(&rows, 9, ids, count, &scratch, &sorted)
    said.append(sorted)
    var kept = [UInt32](repeating: 0, count: 16)
    let keptCount = kernels.pointee.prune(&rows, 9, sorted, count, 1.1, 16, &kept)
    said.append(kept[..<keptCount].map(UInt64.init))
    return said
  }
}
