import BasisCodecs
import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

private struct Fixture: Decodable {
  struct Case: Decodable {
    var dimension: Int
    var parts: Int
    var bits: Int
    var words: [Float]
    var rows: [Float]
    var query: [Float]
    var codes: [UInt8]
    var distances: [Float]
  }

  var tolerance: Float
  var cases: [Case]
}

@Suite struct ProductQuantizerTests {
  @Test func `codes and distances are faiss's`() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "product_quantizer", withExtension: "json", subdirectory: "Fixtures"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    for test in fixture.cases {
      let width = test.dimension / test.parts
      let codec = try FittedProductQuantizer(
        words: Matrix(
          rowCount: test.parts << test.bits, columnCount: width, values: test.words),
        bits: test.bits)
      #expect(codec.dimension == test.dimension && codec.parts == test.parts)
      let rows = try Matrix(rowCount: 20, columnCount: test.dimension, values: test.rows)
      let codes = try codec.encode(rows, in: RunContext())
      #expect((0..<20).flatMap { codes[$0] } == test.codes, "\(test.parts) × \(test.bits)")
      var out = [Float](repeating: 0, count: 20)
      let scorer = try codec.scorer(for: test.query, metric: .squaredEuclidean)
      out.withUnsafeMutableBufferPointer { scorer.distances(to: codes, 0..<20, into: $0) }
      for (own, expected) in zip(out, test.distances) {
        #expect(abs(own - expected) <= fixture.tolerance * max(1, expected))
      }
    }
  }

  private func distances(
    _ codec: FittedProductQuantizer, _ codes: Codes, _ query: [Float], _ metric: Metric
  ) throws -> [Float] {
    var out = [Float](repeating: 0, count: codes.count)
    let scorer = try codec.scorer(for: query, metric: metric)
    out.withUnsafeMutableBufferPointer { scorer.distances(to: codes, 0..<codes.count, into: $0) }
    return out
  }

  @Test(arguments: [4, 8], [false, true])
  func `distances are those to the decoded vectors, for every metric`(
    bits: Int, rotates: Bool
  ) throws {
    let rows = gaussianMatrix(rowCount: 600, columnCount: 15, seed: 1)
    var settings = ProductQuantizer(parts: 5, bits: bits)
    settings.rotates = rotates
    settings.iterations = 5
    let codec = try settings.fit(rows, in: RunContext())
    #expect(codec.bytesPerVector == (bits == 8 ? 5 : 3))
    #expect(codec.sharedBytes == 4 * (15 << bits) + (rotates ? 4 * 15 * 15 : 0))
    let codes = try codec.encode(rows, in: RunContext())
    let decoded = try codec.decode(codes, in: RunContext())
    let query = gaussianMatrix(rowCount: 1, columnCount: 15, seed: 2).row(0)
    for metric in Metric.allCases {
      let found = try distances(codec, codes, query, metric)
      let errors = (0..<600).map { abs(found[$0] - metric.distance(query, decoded.row($0))) }
      #expect((errors.max() ?? 0) < 2e-4)
    }
    let folder = try TemporaryFolder()
    let writer = try ContainerWriter(path: folder.path + "/pq", kind: "test", version: 1)
    try codec.write(to: writer, prefix: "pq.")
    try writer.finish()
    let container = try Container(path: folder.path + "/pq", kind: "test", maximumVersion: 1)
    let read = try FittedProductQuantizer(from: container, prefix: "pq.")
    #expect(try read.decode(codes, in: RunContext()) == decoded)
    #expect(try distances(read, codes, query, .cosine) == distances(codec, codes, query, .cosine))
    expectError(.corruptFile) { try FittedProductQuantizer(from: container, prefix: "other.") }
  }

  @Test func `codes depend on neither threads nor company`() throws {
    let rows = gaussianMatrix(rowCount: 3000, columnCount: 12, seed: 3)
    var settings = ProductQuantizer(parts: 6, bits: 4)
    settings.anisotropy = 0.3
    settings.iterations = 6
    let one = try settings.fit(rows, in: RunContext(threadLimit: 1))
    let codes = try one.encode(rows, in: RunContext(threadLimit: 1))
    for threads in [2, 5] {
      let run = RunContext(threadLimit: threads)
      let many = try settings.fit(rows, in: run).encode(rows, in: run)
      #expect((0..<3000).allSatisfy { many[$0] == codes[$0] })
    }
    for row in stride(from: 0, to: 3000, by: 501) {
      #expect(try one.encode(rows.selecting(rows: [row]), in: RunContext())[0] == codes[row])
    }
  }

  private func error(
    _ settings: ProductQuantizer, _ rows: Matrix
  ) throws -> (squared: Double, along: Double) {
    let codec = try settings.fit(rows, in: RunContext())
    let decoded = try codec.decode(codec.encode(rows, in: RunContext()), in: RunContext())
    var (squared, along) = (0.0, 0.0)
    for row in 0..<rows.rowCount {
      let (x, y) = (rows.row(row), decoded.row(row))
      let norm = x.reduce(0) { $0 + Double($1) * Double($1) }
      var shadow = 0.0
      for column in x.indices {
        let error = Double(x[column] - y[column])
        squared += error * error
        shadow += error * Double(x[column])
      }
      along += shadow * shadow / norm
    }
    return (squared, along)
  }

  @Test func `more bits, a rotation and more iterations lower the error`() throws {
    // Columns that go together, so that a rotation has something to do.
    var rows = gaussianMatrix(rowCount: 2000, columnCount: 16, seed: 4)
    rows.withUnsafeMutableFloats { floats in
      for row in 0..<2000 {
        for column in 0..<16 { floats[row * 16 + column] *= column < 4 ? 4 : 0.5 }
      }
    }
    var settings = ProductQuantizer(parts: 4, bits: 4)
    let plain = try error(settings, rows).squared
    settings.iterations = 1
    #expect(try error(settings, rows).squared > plain)
    settings.iterations = 25
    settings.rotates = true
    #expect(try error(settings, rows).squared < 0.9 * plain)
    settings = ProductQuantizer(parts: 4, bits: 8)
    #expect(try error(settings, rows).squared < 0.6 * plain)
  }

  @Test func `anisotropy lowers the error along the rows`() throws {
    let rows = gaussianMatrix(rowCount: 3000, columnCount: 24, seed: 5)
    var settings = ProductQuantizer(parts: 12, bits: 4)
    let plain = try error(settings, rows)
    settings.anisotropy = 0.5
    let other = try error(settings, rows)
    #expect(other.along < 0.7 * plain.along)
    #expect(other.squared < 1.3 * plain.squared)
  }

  @Test func `what does not fit is an error`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 12, seed: 6)
    expectError(.invalidArgument, "12 values", "5 equal parts", "1, 2, 3, 4, 6, 12") {
      try ProductQuantizer(parts: 5).fit(rows, in: RunContext())
    }
    expectError(.invalidArgument, "3 bits") {
      try ProductQuantizer(parts: 4, bits: 3).fit(rows, in: RunContext())
    }
    expectError(.invalidArgument, "256 words", "got 100") {
      try ProductQuantizer(parts: 4).fit(rows.selecting(rows: 0..<100), in: RunContext())
    }
    var damaged = rows
    damaged[7, 2] = .infinity
    expectError(.badData, "row 7", "column 2") {
      try ProductQuantizer(parts: 4).fit(damaged, in: RunContext())
    }
    let codec = try ProductQuantizer(parts: 4, bits: 4).fit(rows, in: RunContext())
    expectError(.dimensionMismatch, "2 × 3", "12") {
      try codec.encode(Matrix(rowCount: 2, columnCount: 3), in: RunContext())
    }
    expectError(.dimensionMismatch) {
      try codec.decode(Codes(count: 1, bytesPerVector: 3, bytes: [1, 2, 3]), in: RunContext())
    }
    expectError(.dimensionMismatch) { try codec.scorer(for: [1], metric: .cosine) }
    expectError(.badData, "column 0") {
      try codec.scorer(for: [.nan] + Array(repeating: 0, count: 11), metric: .cosine)
    }
    #expect(try codec.encode(Matrix(rowCount: 0, columnCount: 12), in: RunContext()).count == 0)
  }
}
