import BasisCodecs
import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@Suite struct MatrixCompressorTests {
  /// What every compressor promises: rows one by one as all at once, honest bytes, errors, files.
  private func check<Compressor: MatrixCompressor>(_ settings: Compressor, _ rows: Matrix) throws {
    let single = RunContext(seed: 3, threadLimit: 1)
    let compressed = try settings.compress(rows, in: single)
    #expect(compressed.rowCount == rows.rowCount && compressed.columnCount == rows.columnCount)
    let whole = try compressed.decoded(in: single)
    for row in 0..<rows.rowCount {
      #expect(compressed.rows(row..<row + 1).row(0) == whole.row(row), "row \(row)")
    }
    #expect(compressed.rows(0..<0).rowCount == 0)
    let other = RunContext(seed: 3, threadLimit: 3)
    #expect(try settings.compress(rows, in: other).decoded(in: other) == whole)

    let folder = try TemporaryFolder()
    let path = folder.path + "/matrix"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try compressed.write(to: writer, prefix: "a.")
    try writer.finish()
    let container = try Container(path: path, kind: "test", maximumVersion: 1)
    let read = try Compressor.Compressed(from: container, prefix: "a.")
    #expect(try read.decoded() == whole && read.byteCount == compressed.byteCount)
    // Blocks are filled up to 64 bytes; a header and a table come with them.
    #expect(abs(container.byteCount - compressed.byteCount) < 2500, "\(container.byteCount)")
    expectError(.corruptFile) { try Compressor.Compressed(from: container, prefix: "b.") }

    var broken = rows
    broken[1, 2] = .nan
    expectError(.badData, "row 1", "column 2") { try settings.compress(broken, in: single) }
    let cancelled = RunContext(threadLimit: 1)
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try settings.compress(rows, in: cancelled) }
    let text = try JSONEncoder().encode(settings)
    #expect(try JSONDecoder().decode(Compressor.self, from: text) == settings)
    _ = try JSONDecoder().decode(Compressor.self, from: Data("{}".utf8))
  }

  private let rows = gaussianMatrix(rowCount: 100, columnCount: 24, seed: 1)

  @Test func `all keep their promises`() throws {
    try check(PruneCodec(ratio: 0.3), rows)
    try check(PruneCodec(ratio: 0.1), rows)
    try check(PruneCodec(ratio: 0.4, columnBytes: 4), rows)
    try check(MagnitudeSVDCodec(ratio: 0.6), rows)
    try check(MagnitudeProductQuantizer(parts: 6, bits: [5, 4]), rows)
    try check(MagnitudeProductQuantizer(parts: 24, bits: [3]), rows)
    try check(MagnitudeProductQuantizer(parts: 1, bits: [9, 2, 1]), rows)
    try check(TensorTrainCodec(ratio: 0.5), rows)
    try check(repeatedTiles().0, repeatedTiles().1)
  }

  @Test func `long rows have more words, and are kept better`() throws {
    // Few long rows among many short ones, in eight dimensions.
    let plain = gaussianMatrix(rowCount: 3000, columnCount: 8, seed: 11)
    let rows = Matrix(rowCount: 3000, columnCount: 8) { out in
      for row in 0..<3000 {
        for column in 0..<8 {
          out[row * 8 + column] = plain[row, column] * (row.isMultiple(of: 10) ? 9 : 1)
        }
      }
    }
    let run = RunContext()
    func squaredError(_ compressed: some CompressedMatrix) throws -> Double {
      let decoded = try compressed.decoded()
      return (0..<3000).reduce(0.0) {
        $0 + Double(Metric.squaredEuclidean.distance(rows.row($1), decoded.row($1)))
      }
    }
    let grouped = try MagnitudeProductQuantizer(parts: 4, bits: [6, 5]).compress(rows, in: run)
    let blind = try MagnitudeProductQuantizer(parts: 4, bits: [6]).compress(rows, in: run)
    #expect(grouped.sizes.map(\.words) == [64, 32])
    #expect(grouped.sizes[0].rowCount < 700 && grouped.sizes[1].rowCount > 2300)
    // About as many bytes, better spent.
    #expect(Double(grouped.byteCount) < 1.01 * Double(blind.byteCount))
    #expect(try squaredError(grouped) < 0.8 * squaredError(blind))
    // Words, codes of 4 parts, and a bit a row.
    let bits = grouped.sizes.reduce(0) { $0 + $1.rowCount * 4 * ($1.words == 64 ? 6 : 5) }
    #expect(abs(grouped.byteCount - (bits / 8 + 3000 / 8 + 4 * 8 * (64 + 32))) <= 3)
    expectError(.invalidArgument, "8 values", "3 equal parts", "1, 2, 4, 8") {
      try MagnitudeProductQuantizer(parts: 3).compress(rows, in: run)
    }
    for bits in [[], [0], [13], [8, -1]] {
      expectError(.invalidArgument, "1 to 12 bits") {
        try MagnitudeProductQuantizer(parts: 2, bits: bits).compress(rows, in: run)
      }
    }
    let none = try MagnitudeProductQuantizer(parts: 2).compress(
      Matrix(rowCount: 0, columnCount: 4), in: run)
    #expect(try none.decoded().rowCount == 0)
  }

  @Test(arguments: [0.5, 0.25, 0.1, 0.02])
  func `pruning keeps as many values as the formula has it, the largest`(ratio: Double) throws {
    let rows = gaussianMatrix(rowCount: 500, columnCount: 64, seed: 2)
    let pruned = try PruneCodec(ratio: ratio, columnBytes: 4).compress(rows)
    let d = 64.0
    let density = ratio * d < 3 ? ratio / 3 : (ratio * d - 1) / (2 * d)
    #expect(abs(pruned.density - density) < 1e-4)
    #expect(pruned.ratio <= ratio)
    let decoded = try pruned.decoded()
    let kept = decoded.withUnsafeFloats { $0.filter { $0 != 0 }.map(abs) }
    let lost = decoded.withUnsafeFloats { after in
      rows.withUnsafeFloats { before in
        zip(before, after).filter { $1 == 0 }.map { abs($0.0) }
      }
    }
    #expect((kept.min() ?? 0) >= (lost.max() ?? 0))
    // Two bytes for a column leave room for more.
    #expect(try PruneCodec(ratio: ratio).compress(rows).density > pruned.density)
  }

  @Test func `a tensor of low rank comes back exactly`() throws {
    // A sum of two products of three tensors over the digits of 4·5·6 rows and 2·3·4 columns.
    let (n, d) = (TensorTrainCodec.factors(120), TensorTrainCodec.factors(24))
    #expect(n.reduce(1, *) >= 120 && d.reduce(1, *) >= 24)
    var generator = RandomGenerator(seed: 5)
    let parts = (0..<2).map { _ in
      (0..<3).map { side in (0..<n[side] * d[side]).map { _ in Float(generator.nextGaussian()) } }
    }
    let rows = Matrix(rowCount: 120, columnCount: 24) { out in
      for row in 0..<120 {
        let i = [row / (n[1] * n[2]), row / n[2] % n[1], row % n[2]]
        for column in 0..<24 {
          let j = [column / (d[1] * d[2]), column / d[2] % d[1], column % d[2]]
          out[row * 24 + column] = parts.reduce(0) { sum, part in
            sum
              + (0..<3).reduce(Float(1)) { $0 * part[$1][i[$1] * d[$1] + j[$1]] }
          }
        }
      }
    }
    let compressed = try TensorTrainCodec(ratio: 0.2).compress(rows)
    #expect(compressed.ratio <= 0.2)
    let decoded = try compressed.decoded()
    let largest = rows.withUnsafeFloats { $0.map(abs).max() ?? 0 }
    for row in 0..<120 {
      for column in 0..<24 {
        #expect(abs(decoded[row, column] - rows[row, column]) <= 1e-4 * largest)
      }
    }
  }

  @Test func `long rows get the higher rank, and less is lost than by one rank for all`() throws {
    var rows = gaussianMatrix(rowCount: 300, columnCount: 32, seed: 4)
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] *= exp(-Float(index / 32) / 40) }
    }
    let grouped = try MagnitudeSVDCodec(ratio: 0.4, groupCount: 4).compress(rows)
    #expect(grouped.ratio <= 0.4 && grouped.ratio > 0.3)
    // A group of few rows has no higher rank than rows.
    let free = grouped.ranks.filter { $0.rank < min($0.rowCount, 32) }
    #expect(zip(free, free.dropFirst()).allSatisfy { $0.rank >= $1.rank })
    #expect(
      zip(grouped.ranks, grouped.ranks.dropFirst()).allSatisfy { $0.rowCount <= $1.rowCount })
    let rank = SVDCodec.rank(ratio: 0.4, rowCount: 300, dimension: 32)
    let plain = try SVDCodec(rank: rank).fit(rows)
    func error(_ decoded: Matrix) -> Double {
      rows.withUnsafeFloats { a in
        decoded.withUnsafeFloats { b in
          zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        }
      }
    }
    #expect(try error(grouped.decoded()) < error(plain.decode(plain.encode(rows))))
  }

  /// Tiles of which half repeat others, but for a few values and a little noise.
  private func repeatedTiles() -> (TileDedupCodec, Matrix) {
    var generator = RandomGenerator(seed: 6)
    var rows = gaussianMatrix(rowCount: 80, columnCount: 20, seed: 5)
    rows.withUnsafeMutableFloats { floats in
      for index in 40 * 20..<80 * 20 {
        floats[index] = floats[index - 40 * 20] + (generator.nextFloat() - 0.5) * 0.01
      }
      floats[41 * 20] = 7
    }
    return (TileDedupCodec(ratio: 0.55, tileRows: 10, tileColumns: 10), rows)
  }

  @Test func `tiles that repeat others go`() throws {
    let (settings, rows) = repeatedTiles()
    let tiled = try settings.compress(rows)
    #expect(tiled.replacedCount == 8 && tiled.ratio <= 0.55)
    let decoded = try tiled.decoded()
    var far = 0
    for row in 0..<80 {
      for column in 0..<20 where abs(decoded[row, column] - rows[row, column]) > 0.01 { far += 1 }
    }
    // The value that was made to differ, in the tile that stands for another or in the other.
    #expect(far <= 1)
    expectError(.invalidArgument, "0.2", "smallest is 0.5") {
      var smaller = settings
      smaller.ratio = 0.2
      _ = try smaller.compress(rows)
    }
  }

  @Test func `what cannot be is an error that says what can`() throws {
    for ratio in [0, -1, Double.nan] {
      expectError(.invalidArgument, "ratio") { try PruneCodec(ratio: ratio).compress(rows) }
      expectError(.invalidArgument, "ratio") { try MagnitudeSVDCodec(ratio: ratio).compress(rows) }
      expectError(.invalidArgument, "ratio") { try TensorTrainCodec(ratio: ratio).compress(rows) }
      expectError(.invalidArgument, "ratio") { try TileDedupCodec(ratio: ratio).compress(rows) }
    }
    expectError(.invalidArgument, "smallest") { try PruneCodec(ratio: 1e-6).compress(rows) }
    expectError(.invalidArgument, "smallest") { try MagnitudeSVDCodec(ratio: 0.02).compress(rows) }
    expectError(.invalidArgument, "smallest") { try TensorTrainCodec(ratio: 1e-3).compress(rows) }
    expectError(.invalidArgument, "3 bytes") {
      try PruneCodec(columnBytes: 3).compress(rows)
    }
    expectError(.invalidArgument, "group") { try MagnitudeSVDCodec(groupCount: 0).compress(rows) }
  }
}
