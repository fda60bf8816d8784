import BasisCodecs
import BasisCore
import Testing
import _BasisTestSupport

@Suite struct SymmetricTableScannerTests {
  @Test(arguments: [2, 4, 6, 40, 128, 258], [1, 31, 32, 33, 100])
  func `a scan gives twice the products of the levels, exactly`(dimension: Int, count: Int) throws {
    // Any codes, not only such as vectors have.
    let fitted = try RecurrentBinaryCodec(rotation: .random).fit(
      gaussianMatrix(rowCount: 3, columnCount: dimension, seed: 1))
    var generator = RandomGenerator(seed: UInt64(dimension + count))
    let width = fitted.bytesPerVector
    let unused = width * 8 - dimension * 2
    let bytes = (0..<(count + 1) * width).map { index in
      let byte = UInt8(truncatingIfNeeded: generator.next())
      return index % width == width - 1 ? byte >> UInt8(unused) : byte
    }
    let codes = Codes(count: count, bytesPerVector: width, bytes: Array(bytes.dropLast(width)))
    let query = Array(bytes.suffix(width))
    func odd(_ code: [UInt8]) -> [Int] {
      (0..<dimension).map { 2 * Int(code[$0 / 4] >> UInt8($0 % 4 * 2) & 3) - 3 }
    }
    let scanner = try SymmetricTableScanner(codes, of: fitted)
    let found = try scanner.doubledProducts(with: query)
    for row in 0..<count {
      let product = zip(odd(query), odd(codes[row])).reduce(0) { $0 + $1.0 * $1.1 }
      // Levels are half of the odd numbers, so that twice the product is half of this one.
      #expect(Int(found[row]) * 2 == product, "row \(row)")
    }
    let decoded = try fitted.decode(codes)
    // What is asked with is the code of the query, which for any codes is not the one decoded.
    let asked = (0..<dimension).map { _ in Float(generator.nextGaussian()) }
    let target = try fitted.decode(
      Codes(count: 1, bytesPerVector: width, bytes: fitted.code(of: asked))
    ).row(0)
    let distances = try scanner.distances(to: asked)
    for row in 0..<count {
      #expect(abs(distances[row] - Metric.cosine.distance(target, decoded.row(row))) < 1e-4)
    }
  }

  @Test func `it ranks as codes against codes do`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 64, seed: 3)
    let fitted = try RecurrentBinaryCodec(isSymmetric: true).fit(rows)
    let codes = try fitted.encode(rows)
    let scanner = try SymmetricTableScanner(codes, of: fitted)
    #expect(scanner.count == 300)
    for query in 0..<5 {
      let scanned = try scanner.distances(to: rows.row(query))
      let scored = try score(
        fitted.scorer(for: rows.row(query), metric: .cosine), codes, 0..<300)
      for row in 0..<300 { #expect(abs(scanned[row] - scored[row]) < 1e-4) }
      #expect(scanned[query] < 1e-6)
    }
  }

  @Test func `what it cannot scan is an error`() throws {
    let rows = gaussianMatrix(rowCount: 10, columnCount: 7, seed: 3)
    let odd = try RecurrentBinaryCodec().fit(rows)
    expectError(.unsupported, "7", "even") { try SymmetricTableScanner(odd.encode(rows), of: odd) }
    let three = try RecurrentBinaryCodec(bits: 3, dimensions: 6).fit(rows)
    expectError(.unsupported, "2 bits", "3") {
      try SymmetricTableScanner(three.encode(rows), of: three)
    }
    let two = try RecurrentBinaryCodec(dimensions: 6).fit(rows)
    expectError(.dimensionMismatch) { try SymmetricTableScanner(three.encode(rows), of: two) }
    let scanner = try SymmetricTableScanner(two.encode(rows), of: two)
    expectError(.dimensionMismatch) { try scanner.doubledProducts(with: [1]) }
    expectError(.badData, "zero") { try scanner.distances(to: [0, 0, 0, 0, 0, 0, 0]) }
    expectError(.dimensionMismatch) { try scanner.distances(to: [1]) }
    #expect(SymmetricTableScanner.maximumDimensions == 7280)
  }
}
