import BasisCore
import Testing

/// Every kernel reaches the function that it is named after, in all three forms. The numbers are
/// small integers, so that all arithmetic is exact.
@Suite struct DistanceKernelTests {
  private func check<Query, Row, Value: BinaryInteger & Sendable>(
    _ kernel: DistanceKernel<Query, Row, Value>, _ query: [Query], _ rows: [Row],
    expected: [Value], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    check(kernel, query, rows, zero: 0, expected: expected, sourceLocation: sourceLocation)
  }

  private func check<Query, Row, Value: Equatable & Sendable>(
    _ kernel: DistanceKernel<Query, Row, Value>, _ query: [Query], _ rows: [Row], zero: Value,
    expected: [Value], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let n = query.count
    #expect(kernel(query, rows, dimension: n) == expected[0], sourceLocation: sourceLocation)
    var out = Array(repeating: zero, count: expected.count)
    kernel(
      query, rows: rows, rowCount: expected.count, stride: n, dimension: n, into: &out)
    #expect(out == expected, sourceLocation: sourceLocation)
    let ids = expected.indices.reversed().map { UInt32($0) }
    ids.withUnsafeBufferPointer {
      kernel(query, rows: rows, ids: $0, stride: n, dimension: n, into: &out)
    }
    #expect(out == expected.reversed(), sourceLocation: sourceLocation)
  }

  private let query: [Int8] = [3, -2, 7, 0, 5]
  private let rows: [Int8] = [1, 2, 3, 4, 5, -6, 7, 0, -1, 2]
  private let dots: [Int32] = [45, -22]
  private let squares: [Int32] = [52, 221]

  @Test func `floats of every size`() {
    let (dots, squares) = (dots.map { Float($0) }, squares.map { Float($0) })
    let (query, rows) = (query.map { Float($0) }, rows.map { Float($0) })
    let (query16, rows16) = (query.map { Float16($0) }, rows.map { Float16($0) })
    let (queryB, rowsB) = (query.map { BFloat16($0) }, rows.map { BFloat16($0) })
    check(.dot, query, rows, zero: 0, expected: dots)
    check(.squaredDistance, query, rows, zero: 0, expected: squares)
    check(.dot, query, rows16, zero: 0, expected: dots)
    check(.squaredDistance, query, rows16, zero: 0, expected: squares)
    check(.dot, query16, rows16, zero: 0, expected: dots)
    check(.squaredDistance, query16, rows16, zero: 0, expected: squares)
    check(.dot, query, rowsB, zero: 0, expected: dots)
    check(.squaredDistance, query, rowsB, zero: 0, expected: squares)
    check(.dot, queryB, rowsB, zero: 0, expected: dots)
    check(.squaredDistance, queryB, rowsB, zero: 0, expected: squares)
  }

  @Test func `integers and bits`() {
    check(.dot, query, rows, expected: dots)
    check(.squaredDistance, query, rows, expected: squares)
    let (query, rows) = ([0b1100, 7] as [UInt64], [0b1010, 5, 0, .max] as [UInt64])
    check(.hamming, query, rows, expected: [3, 63])
    check(.commonBits, query, rows, expected: [3, 3])
  }

  @Test func `products, pairs and conversions`() {
    let (a, b) = (query.map { Float($0) }, rows.map { Float($0) })
    let (dots, squares) = (dots.map { Float($0) }, squares)
    let scratch = Kernels.ProductScratch()
    var (a16, b16) = ([Float16](repeating: 0, count: 5), [Float16](repeating: 0, count: 10))
    var aB = [BFloat16](repeating: BFloat16(0), count: 5)
    var bB = [BFloat16](repeating: BFloat16(0), count: 10)
    Kernels.convert(a, count: 5, into: &a16)
    Kernels.convert(b, count: 10, into: &b16)
    Kernels.convert(a, count: 5, into: &aB)
    Kernels.convert(b, count: 10, into: &bB)
    #expect(a16 == a.map { Float16($0) } && bB == b.map { BFloat16($0) })
    var back = [Float](repeating: 0, count: 10)
    Kernels.convert(b16, count: 10, into: &back)
    #expect(back == b)
    Kernels.convert(aB, count: 5, into: &back)
    #expect(Array(back.prefix(5)) == a)

    var c = [Float](repeating: 0, count: 2)
    Kernels.product(
      a, aStride: 5, aCount: 1, b16, bStride: 5, bCount: 2, dimension: 5, into: &c, cStride: 2,
      scratch: scratch)
    #expect(c == dots)
    c = [0, 0]
    Kernels.product(
      a16, aStride: 5, aCount: 1, b16, bStride: 5, bCount: 2, dimension: 5, into: &c, cStride: 2,
      scratch: scratch)
    #expect(c == dots)
    c = [0, 0]
    Kernels.product(
      a, aStride: 5, aCount: 1, bB, bStride: 5, bCount: 2, dimension: 5, into: &c, cStride: 2,
      scratch: scratch)
    #expect(c == dots)
    c = [0, 0]
    Kernels.product(
      aB, aStride: 5, aCount: 1, bB, bStride: 5, bCount: 2, dimension: 5, into: &c, cStride: 2,
      scratch: scratch)
    #expect(c == dots)

    var integers = [Int32](repeating: 0, count: 2)
    Kernels.dots(
      query, aStride: 5, aCount: 1, rows, bStride: 5, bCount: 2, dimension: 5, into: &integers,
      cStride: 2)
    #expect(integers == self.dots)
    Kernels.squaredDistances(
      query, aStride: 5, aCount: 1, rows, bStride: 5, bCount: 2, dimension: 5, into: &integers,
      cStride: 2)
    #expect(integers == squares)
    let (word, words) = ([0b1100] as [UInt64], [0b1010, 1] as [UInt64])
    Kernels.hammingDistances(
      word, aStride: 1, aCount: 1, words, bStride: 1, bCount: 2, wordCount: 1, into: &integers,
      cStride: 2)
    #expect(integers == [2, 3])
    Kernels.commonBits(
      word, aStride: 1, aCount: 1, words, bStride: 1, bCount: 2, wordCount: 1, into: &integers,
      cStride: 2)
    #expect(integers == [1, 0])
  }
}
