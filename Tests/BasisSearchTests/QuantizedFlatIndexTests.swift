import BasisCodecs
import BasisCore
import BasisFormats
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct QuantizedFlatIndexTests {
  private func checkPromises<Codec: VectorCodec>(_ codec: Codec, _ metric: Metric) throws {
    let rows = gaussianMatrix(rowCount: 120, columnCount: 12, seed: 1)
    let queries = gaussianMatrix(rowCount: 4, columnCount: 12, seed: 2)
    for effort in [Effort.exact, .candidates(300), .recall(1)] {
      try checkSearchIndex(rowCount: 120, queryCount: 4) { order in
        let index = try QuantizedFlatIndex(
          rows.selecting(rows: order), metric: metric, codec: codec, calibrationQueries: 20)
        return {
          try index.search(
            queries.selecting(rows: $0), k: $1, allowing: $2, effort: effort, in: $3)
        }
      }
    }
  }

  @Test(arguments: Metric.allCases) func `it keeps the promises of a search index`(
    metric: Metric
  ) throws {
    try checkPromises(ScalarQuantizer(.int8), metric)
    try checkPromises(ResidualBitQuantizer(bits: 1), metric)
    try checkPromises(BinaryQuantizer(rotation: .random), metric)
    try checkPromises(ScalarQuantizer(.int4), metric)
  }

  /// Rows with duplicates, zeros, and lengths that differ a thousandfold.
  private func hardRows(_ count: Int, _ dimension: Int, seed: UInt64) -> Matrix {
    let clustered = clusteredMatrix(rowCount: max(1, count), columnCount: dimension, seed: seed)
    var generator = RandomGenerator(seed: seed)
    return Matrix(rowCount: count, columnCount: dimension) { target in
      for row in 0..<count {
        let source = row % 5 == 0 ? row / 2 : row
        let scale: Float =
          row % 11 == 3 ? 0 : row % 7 == 2 ? Float(generator.nextInt(below: 1000)) : 1
        for column in 0..<dimension {
          target[row * dimension + column] = clustered[source, column] * scale
        }
      }
    }
  }

  @Test(arguments: Metric.allCases, [1, 4, 33]) func `exact answers are those of a flat index`(
    metric: Metric, dimension: Int
  ) throws {
    for count in [1, 17, 1200] {
      let hard = hardRows(count, dimension, seed: 3)
      let even = clusteredMatrix(rowCount: max(1, count), columnCount: dimension, seed: 4)
      for rows in [hard, even] {
        let index = try QuantizedFlatIndex(
          rows, metric: metric, codec: ScalarQuantizer(.int8),
          calibrationQueries: 30)
        let queries = hardRows(20, dimension, seed: 5)
        let truth = try FlatIndex(index.rows, metric: metric)
        for k in [1, 10, 100] {
          for effort in [Effort.exact, .recall(1), .candidates(index.count + 1)] {
            #expect(
              try index.search(queries, k: k, allowing: nil, effort: effort, in: RunContext())
                == truth.search(queries, k: k), "\(count) rows, k \(k), \(effort)")
          }
        }
        var allowed = Bitmap(count: index.count)
        for row in 0..<index.count where row.isMultiple(of: 3) { allowed[row] = true }
        #expect(
          try index.search(queries, k: 5, allowing: allowed, effort: .exact, in: RunContext())
            == truth.search(queries, k: 5, allowing: allowed))
      }
    }
  }

  private func checkRecall<Codec: VectorCodec>(
    _ codec: Codec, _ metric: Metric, _ rows: Matrix, _ queries: Matrix
  ) throws {
    let index = try QuantizedFlatIndex(rows, metric: metric, codec: codec, calibrationQueries: 150)
    let truth = try FlatIndex(rows, metric: metric).search(queries, k: 10)
    for target in [0.8, 0.95, 0.99] {
      let found = try index.search(
        queries, k: 10, allowing: nil, effort: .recall(target), in: RunContext())
      #expect(recall(found, truth) >= target - 0.02, "\(Codec.self) \(metric) \(target)")
      #expect(found.allSatisfy { $0.count == 10 })
      let shortlist = try index.shortlist(for: .recall(target), k: 10) ?? rows.rowCount
      #expect(shortlist < rows.rowCount / 4, "\(Codec.self) \(metric) \(target)")
    }
    // One by one as in a batch, on any number of threads.
    let one = try index.search(queries, k: 10, in: RunContext(threadLimit: 1))
    #expect(try index.search(queries, k: 10, in: RunContext(threadLimit: 3)) == one)
    for query in stride(from: 0, to: queries.rowCount, by: 37) {
      #expect(try index.search(queries.selecting(rows: [query]), k: 10)[0] == one[query])
    }
  }

  @Test(arguments: Metric.allCases) func `recall reaches its target, by measured errors`(
    metric: Metric
  ) throws {
    let rows = clusteredMatrix(rowCount: 2000, columnCount: 64, seed: 6)
    let queries = clusteredMatrix(rowCount: 200, columnCount: 64, seed: 7)
    try checkRecall(ScalarQuantizer(.int8), metric, rows, queries)
    try checkRecall(ResidualBitQuantizer(bits: 1), metric, rows, queries)
    try checkRecall(BinaryQuantizer(rotation: .random), metric, rows, queries)
  }

  private func checkGrowth<Codec: VectorCodec>(_ codec: Codec, _ metric: Metric) throws {
    let all = clusteredMatrix(rowCount: 1000, columnCount: 21, seed: 8)
    let queries = clusteredMatrix(rowCount: 30, columnCount: 21, seed: 9)
    let run = RunContext()
    let index = try QuantizedFlatIndex(
      all.selecting(rows: 0..<650), metric: metric, codec: codec, calibrationQueries: 50)
    let grown = try index.appending(all)
    #expect(grown.count == 1000)
    let truth = try FlatIndex(all, metric: metric)
    for effort in [Effort.exact, .candidates(1000)] {
      #expect(
        try grown.search(queries, k: 10, allowing: nil, effort: effort, in: run)
          == truth.search(queries, k: 10))
    }
    let found = try grown.search(queries, k: 10)
    #expect(try recall(found, truth.search(queries, k: 10)) >= 0.93)
    expectError(.dimensionMismatch, "1000 × 21", "650 × 21") {
      try grown.appending(all.selecting(rows: 0..<650))
    }

    let folder = try TemporaryFolder()
    let path = folder.path + "/index"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try grown.write(to: writer, prefix: "a.")
    try writer.finish()
    let container = try Container(path: path, kind: "test", maximumVersion: 1)
    let read = try QuantizedFlatIndex<Codec.Fitted>(from: container, prefix: "a.", rows: all)
    for effort in [Effort.exact, .recall(0.8), .candidates(40)] {
      #expect(
        try read.search(queries, k: 10, allowing: nil, effort: effort, in: run)
          == grown.search(queries, k: 10, allowing: nil, effort: effort, in: run))
    }
    #expect(read.byteCount == grown.byteCount)
    let again = try read.appending(all)
    #expect(try again.search(queries, k: 10) == found)

    // All rows within the distance of the 40th, and no others.
    let within = try truth.search(queries, k: 40)[3]
    let radius = within[39].distance
    let near = try read.search(queries.selecting(rows: [3]), within: radius, effort: .exact)
    #expect(try near[0] == truth.search(queries, k: 1000)[3].filter { $0.distance <= radius })
  }

  @Test(arguments: Metric.allCases) func `rows are added, and the index comes back from a file`(
    metric: Metric
  ) throws {
    try checkGrowth(ScalarQuantizer(.int8), metric)
    try checkGrowth(ResidualBitQuantizer(bits: 1), metric)
    try checkGrowth(BinaryQuantizer(rotation: .random), metric)
    try checkGrowth(ProductQuantizer(parts: 7, bits: 4), metric)
    try checkGrowth(ScalarQuantizer(.float16), metric)
  }

  @Test func `nothing to learn from is an error`() {
    expectError(.invalidArgument, "0 × 5") {
      try QuantizedFlatIndex(
        Matrix(rowCount: 0, columnCount: 5), metric: .cosine, codec: ScalarQuantizer(.int8))
    }
  }

  @Test func `codes that do not fit the rows are an error`() throws {
    let rows = clusteredMatrix(rowCount: 100, columnCount: 8, seed: 10)
    let index = try QuantizedFlatIndex(rows, metric: .cosine, codec: ScalarQuantizer(.int8))
    let folder = try TemporaryFolder()
    let path = folder.path + "/index"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try index.write(to: writer, prefix: "")
    try writer.finish()
    let container = try Container(path: path, kind: "test", maximumVersion: 1)
    expectError(.dimensionMismatch, "100 × 8", "99 × 8") {
      try QuantizedFlatIndex<FittedScalarQuantizer>(
        from: container, prefix: "", rows: rows.selecting(rows: 0..<99))
    }
    expectError(.corruptFile) {
      try QuantizedFlatIndex<FittedBinaryQuantizer>(from: container, prefix: "", rows: rows)
    }
  }
}
