import BasisCodecs
import BasisCore
import BasisNumerics
import Testing
import _BasisTestSupport

@Suite struct PrefixCodecTests {
  private let rows = gaussianMatrix(rowCount: 60, columnCount: 24, seed: 6)

  @Test(arguments: [ScalarQuantizer.Kind.float32, .int8, .stochasticInt16])
  func `prefixes keep the promises of a codec`(kind: ScalarQuantizer.Kind) throws {
    try checkCodec(PCARotationCodec(dimensions: 9, kind: kind), rows)
    try checkCodec(PCARotationCodec(kind: kind), rows)
    try checkCodec(MatryoshkaCodec(dimensions: 7, kind: kind), rows)
    try checkCodec(MatryoshkaCodec(dimensions: 24, isRenormalised: false, kind: kind), rows)
    try checkCodec(SVDCodec(rank: 5, kind: kind), rows)
  }

  /// Rows of a few strong directions.
  private func decaying() throws -> Matrix {
    var mixed = gaussianMatrix(rowCount: 90, columnCount: 24, seed: 8)
    mixed.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] /= Float(1 << (index % 24 / 2)) }
    }
    let turn = try LinearAlgebra.thinQR(gaussianMatrix(rowCount: 24, columnCount: 24, seed: 9)).q
    return try LinearAlgebra.product(mixed, turn)
  }

  @Test(arguments: [1, 4, 12]) func `the error is the tail of the singular values`(rank: Int) throws
  {
    let rows = try decaying()
    let tail = try LinearAlgebra.thinSVD(rows).singularValues.dropFirst(rank)
      .reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    func error(_ codec: FittedPrefixCodec) throws -> Double {
      let decoded = try codec.decode(codec.encode(rows))
      return rows.withUnsafeFloats { a in
        decoded.withUnsafeFloats { b in
          zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }.squareRoot()
        }
      }
    }
    #expect(try abs(error(SVDCodec(rank: rank).fit(rows)) - tail) <= 1e-4 * tail + 1e-5)
    #expect(
      try abs(error(PCARotationCodec(dimensions: rank).fit(rows)) - tail) <= 1e-4 * tail + 1e-5)
    #expect(try error(PCARotationCodec().fit(rows)) < 1e-4)
  }

  @Test func `a prefix has unit length, and zeros stay zeros`() throws {
    var data = rows
    for column in 0..<8 { data[2, column] = 0 }
    let settings = MatryoshkaCodec(dimensions: 8)
    #expect(settings.emptyPrefixCount(in: data) == 1)
    let fitted = try settings.fit(data)
    let decoded = try fitted.decode(fitted.encode(data))
    for row in 0..<60 {
      let length = decoded.row(row).reduce(0) { $0 + $1 * $1 }
      #expect(abs(length - (row == 2 ? 0 : 1)) < 1e-5)
      #expect(decoded.row(row).dropFirst(8).allSatisfy { $0 == 0 })
    }
    let scores = try score(
      fitted.scorer(for: rows.row(0), metric: .cosine), fitted.encode(data), 0..<60)
    #expect(scores[2] == 1)
    for count in [0, 25] {
      expectError(.invalidArgument, "\(count)", "24") {
        try MatryoshkaCodec(dimensions: count).fit(rows)
      }
      expectError(.invalidArgument, "\(count)", "24") { try SVDCodec(rank: count).fit(rows) }
      expectError(.invalidArgument, "\(count)", "24") {
        try PCARotationCodec(dimensions: count).fit(rows)
      }
    }
    expectError(.invalidArgument, "3 rows") {
      try SVDCodec(rank: 5).fit(rows.selecting(rows: 0..<3))
    }
    #expect(SVDCodec.rank(ratio: 0.05, rowCount: 8485, dimension: 256) == 12)
  }
}
