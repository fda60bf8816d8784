import BasisCodecs
import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@Suite struct BinaryCodecTests {
  private let rows = gaussianMatrix(rowCount: 80, columnCount: 40, seed: 2)

  @Test(arguments: Rotation.allCases, [true, false])
  func `a binary quantiser keeps the promises of a codec`(
    rotation: Rotation, isCentred: Bool
  ) throws {
    try checkCodec(BinaryQuantizer(rotation: rotation, isCentred: isCentred), rows)
    try checkCodec(
      BinaryQuantizer(rotation: rotation, isCentred: isCentred, isSymmetric: true), rows,
      metrics: [.cosine, .squaredEuclidean], tolerance: nil)
  }

  @Test func `fewer bits than dimensions, one dimension, and words that are not full`() throws {
    try checkCodec(BinaryQuantizer(bits: 17), rows)
    try checkCodec(BinaryQuantizer(), gaussianMatrix(rowCount: 30, columnCount: 1, seed: 1))
    try checkCodec(BinaryQuantizer(), gaussianMatrix(rowCount: 30, columnCount: 65, seed: 1))
    for bits in [0, 41] {
      expectError(.invalidArgument, "\(bits)", "40") { try BinaryQuantizer(bits: bits).fit(rows) }
      expectError(.invalidArgument, "\(bits)", "40") {
        try RecurrentBinaryCodec(dimensions: bits).fit(rows)
      }
    }
  }

  @Test func `bits against bits are in the order of how many differ`() throws {
    let fitted = try BinaryQuantizer(isSymmetric: true).fit(rows)
    let codes = try fitted.encode(rows)
    let scores = try score(fitted.scorer(for: rows.row(4), metric: .cosine), codes, 0..<80)
    for row in 0..<80 {
      let different = zip(codes[4], codes[row]).reduce(0) {
        $0 + ($1.0 ^ $1.1).nonzeroBitCount
      }
      #expect(abs(scores[row] - Float(1 - cos(Double.pi * Double(different) / 40))) < 1e-6)
    }
    #expect(scores[4] == 0)
  }

  @Test(arguments: 1...4)
  func `a residual bit quantiser keeps the promises of a codec`(bits: Int) throws {
    try checkCodec(ResidualBitQuantizer(bits: bits), rows, tolerance: nil)
    try checkCodec(ResidualBitQuantizer(bits: bits, dimensions: 24), rows, tolerance: nil)
    let fitted = try ResidualBitQuantizer(bits: bits).fit(rows)
    #expect(fitted.bytesPerVector == 8 + 5 * bits)
    #expect(ResidualBitQuantizer(bits: bits).bytesPerVector(dimension: 40) == 8 + 5 * bits)
  }

  @Test(arguments: 1...4, Metric.allCases)
  func `its estimates have no bias and stay within their bounds`(
    bits: Int, metric: Metric
  ) throws {
    var data = gaussianMatrix(rowCount: 500, columnCount: 96, seed: 9)
    // A mean, and lengths that differ.
    data.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        floats[index] = (floats[index] + 0.7) * (1 + Float(index / 96 % 5) / 4)
      }
    }
    let queries = gaussianMatrix(rowCount: 20, columnCount: 96, seed: 10)
    var (errors, outside, spread) = (0.0, 0, 0.0)
    for seed in 0..<3 as Range<UInt64> {
      let fitted = try ResidualBitQuantizer(bits: bits).fit(data, in: RunContext(seed: seed))
      let codes = try fitted.encode(data)
      for number in 0..<20 {
        let query = queries.row(number)
        let scorer = try fitted.scorer(for: query, metric: metric)
        var estimates = [Float](repeating: .nan, count: 500)
        var bounds = estimates
        estimates.withUnsafeMutableBufferPointer { estimates in
          bounds.withUnsafeMutableBufferPointer { bounds in
            scorer.distances(to: codes, 0..<500, into: estimates, bounds: bounds)
          }
        }
        #expect(estimates == score(scorer, codes, 0..<500))
        for row in 0..<500 {
          let error = Double(estimates[row] - metric.distance(query, data.row(row)))
          errors += error
          spread += error * error
          if abs(error) > Double(bounds[row]) { outside += 1 }
        }
      }
    }
    let count = 30_000.0
    // Estimates of one query share the query: the mean's deviation is that of 60 and not of 30,000.
    #expect(abs(errors / count) < 3 * (spread / count).squareRoot() / 60.squareRoot())
    #expect(Double(outside) / count < 0.08, "\(Double(outside) / count)")
    #expect(Double(outside) / count > 0.01, "the bound is of use: \(Double(outside) / count)")
  }

  @Test func `rows at the mean, of zeros and far away are measured all the same`() throws {
    let data = try Matrix(rows: [[1, 0], [-1, 0], [0, 0], [1e20, 1], [0, 1e-30]])
    for bits in 1...4 {
      let fitted = try ResidualBitQuantizer(bits: bits).fit(data.selecting(rows: 0..<3))
      let codes = try fitted.encode(data)
      #expect(try fitted.decode(codes).firstNonFinite() == nil)
      for metric in Metric.allCases {
        let scores = try score(fitted.scorer(for: [1, 0], metric: metric), codes, 0..<5)
        // The square of the length of the fourth is no Float.
        #expect(
          scores.enumerated().allSatisfy { $1.isFinite || $0 == 3 && metric == .squaredEuclidean })
        #expect(!scores.contains { $0.isNaN })
      }
    }
  }

  @Test(arguments: 1...4, Rotation.allCases)
  func `a recurrent codec keeps the promises of a codec`(bits: Int, rotation: Rotation) throws {
    try checkCodec(
      RecurrentBinaryCodec(bits: bits, rotation: rotation), rows, metrics: [.cosine])
    // A query cut to bits is another query.
    try checkCodec(
      RecurrentBinaryCodec(bits: bits, rotation: rotation, isSymmetric: true), rows,
      metrics: [.cosine], tolerance: nil)
    try checkCodec(
      RecurrentBinaryCodec(bits: bits, dimensions: 13, rotation: rotation), rows,
      metrics: [.cosine])
  }

  @Test(arguments: 1...4) func `levels are those of the recurrence`(bits: Int) throws {
    let fitted = try RecurrentBinaryCodec(bits: bits, rotation: .none).fit(rows)
    let codes = try fitted.encode(rows)
    for row in 0..<80 {
      let x = rows.row(row).map { Double($0) }
      let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      var b = x.map { $0 >= 0 ? 1.0 : -1.0 }
      for i in 1..<max(2, bits) where i < bits {
        let size = b.reduce(0) { $0 + $1 * $1 }.squareRoot()
        b = zip(x, b).map { $1 + ($0 / length >= $1 / size ? 1 : -1) * pow(2, -Double(i)) }
      }
      let code = codes[row]
      for index in 0..<40 {
        var level = 0
        for bit in 0..<bits {
          let place = index * bits + bit
          level |= Int(code[place / 8] >> UInt8(place % 8) & 1) << bit
        }
        let value = Double(2 * level - (1 << bits) + 1) / pow(2, Double(bits - 1))
        #expect(value == b[index], "row \(row), dimension \(index)")
      }
    }
  }

  @Test func `a zero has no direction`() throws {
    var data = rows
    for column in 0..<40 { data[3, column] = 0 }
    let fitted = try RecurrentBinaryCodec().fit(data)
    expectError(.badData, "row 3", "zero") { try fitted.encode(data) }
    expectError(.badData, "zero") { try fitted.code(of: data.row(3)) }
    for bits in [0, 5] {
      expectError(.invalidArgument, "1 to 4", "\(bits)") {
        try RecurrentBinaryCodec(bits: bits).fit(rows)
      }
      expectError(.invalidArgument, "1 to 4", "\(bits)") {
        try ResidualBitQuantizer(bits: bits).fit(rows)
      }
    }
  }
}
