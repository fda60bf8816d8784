import BasisCore
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct FlatIndexTests {
  @Test(arguments: Metric.allCases) func `it keeps the promises of a search index`(
    metric: Metric
  ) throws {
    for dimension in [1, 33] {
      let rows = gaussianMatrix(rowCount: 150, columnCount: dimension, seed: 1)
      let queries = gaussianMatrix(rowCount: 4, columnCount: dimension, seed: 2)
      try checkSearchIndex(rowCount: 150, queryCount: 4) { order in
        let index = try FlatIndex(rows.selecting(rows: order), metric: metric)
        return { try index.search(queries.selecting(rows: $0), k: $1, allowing: $2, in: $3) }
      }
    }
  }

  @Test(arguments: Metric.allCases, [1, 3, 8, 33, 256])
  func `distances are those of the definition`(metric: Metric, dimension: Int) throws {
    let rows = gaussianMatrix(rowCount: 80, columnCount: dimension, seed: 3)
    let queries = gaussianMatrix(rowCount: 20, columnCount: dimension, seed: 4)
    let index = try FlatIndex(rows, metric: metric)
    let found = try index.search(queries, k: 80)
    for (query, neighbors) in found.enumerated() {
      #expect(neighbors.count == 80)
      for neighbor in neighbors {
        let (expected, scale) = naiveDistance(metric, queries.row(query), rows.row(neighbor.id))
        let tolerance = 2 * Double(dimension + 4) * 0x1p-24 * scale
        #expect(abs(Double(neighbor.distance) - expected) <= tolerance)
      }
    }
  }

  /// The distance in `Double`, and the sum of magnitudes that bounds its rounding.
  private func naiveDistance(_ metric: Metric, _ x: [Float], _ y: [Float]) -> (Double, Double) {
    let pairs = zip(x, y).map { (Double($0), Double($1)) }
    let product = pairs.reduce(0) { $0 + $1.0 * $1.1 }
    let magnitude = pairs.reduce(0) { $0 + abs($1.0 * $1.1) }
    let squares = (pairs.reduce(0) { $0 + $1.0 * $1.0 }, pairs.reduce(0) { $0 + $1.1 * $1.1 })
    switch metric {
    case .innerProduct: return (-product, magnitude)
    case .cosine:
      return (1 - product / (squares.0 * squares.1).squareRoot(), 2)
    case .squaredEuclidean:
      let distance = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return (distance, squares.0 + squares.1)
    }
  }

  @Test(arguments: Metric.allCases, 0..<2)
  func `a large batch gives what single queries give, bit for bit`(
    metric: Metric, seed: UInt64
  ) throws {
    // Coarse values and repeated rows: ties, and near-ties that only the rounding decides.
    var generator = RandomGenerator(seed: seed)
    var rows = gaussianMatrix(rowCount: 5000, columnCount: 24, seed: seed)
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        switch (index / 24) % 4 {
        case 0: floats[index] = floats[index].rounded()
        case 1: floats[index] = floats[index - 24] + Float(generator.nextInt(below: 3)) * 1e-7
        case 2: floats[index] = floats[index % (24 * 50)]
        default: break
        }
      }
    }
    let queries = gaussianMatrix(rowCount: 70, columnCount: 24, seed: seed + 100)
    let index = try FlatIndex(rows, metric: metric)
    var half = Bitmap(count: 5000)
    for row in 0..<5000 where row % 2 == 0 { half[row] = true }
    for (k, allowed) in [(10, nil), (200, nil), (10, half)] as [(Int, Bitmap?)] {
      let batch = try index.search(queries, k: k, allowing: allowed)
      for query in stride(from: 0, to: 70, by: 23) {
        let single = try index.search(queries.selecting(rows: [query]), k: k, allowing: allowed)
        #expect(batch[query] == single[0], "query \(query), k \(k)")
      }
    }
  }

  @Test func `a zero vector is at cosine distance 1 from everything`() throws {
    let rows = try Matrix(rows: [[0, 0], [3, 0], [-1, 0], [0, 2]])
    let index = try FlatIndex(rows, metric: .cosine)
    let queries = try Matrix(rows: Array(repeating: [1, 0], count: 9) + [[0, 0]])
    let found = try index.search(queries, k: 4)
    #expect(found[0].map(\.id) == [1, 0, 3, 2])
    #expect(found[0].map(\.distance) == [0, 1, 1, 2])
    #expect(found[9].map(\.id) == [0, 1, 2, 3])
    #expect(found[9].allSatisfy { $0.distance == 1 })
  }

  @Test(arguments: [1e-25, 1e-12, 1, 1e12, 1e25] as [Float], [1e-25, 1, 1e25] as [Float])
  func `the cosine does not depend on lengths`(rowScale: Float, queryScale: Float) throws {
    let rows = try Matrix(rows: [[1, 1], [1, 0], [-1, 2]].map { $0.map { $0 * rowScale } })
    let queries = try Matrix(rows: Array(repeating: [queryScale, 0], count: 10))
    let index = try FlatIndex(rows, metric: .cosine)
    for found in try [
      index.search(queries, k: 3)[0], index.search(queries.selecting(rows: [0]), k: 3)[0],
    ] {
      #expect(found.map(\.id) == [1, 0, 2])
      #expect(found[0].distance < 1e-6)
      #expect(abs(found[1].distance - (1 - Float(0.5).squareRoot())) < 1e-6)
    }
  }

  @Test func `edges`() throws {
    let none = try FlatIndex(Matrix(rowCount: 0, columnCount: 4), metric: .cosine)
    #expect(try none.search(Matrix(rowCount: 2, columnCount: 4), k: 3) == [[], []])
    let flat = try FlatIndex(Matrix(rowCount: 3, columnCount: 0), metric: .squaredEuclidean)
    #expect(try flat.search(Matrix(rowCount: 1, columnCount: 0), k: 2)[0].map(\.id) == [0, 1])
    let same = try FlatIndex(
      Matrix(rowCount: 300, columnCount: 5, values: Array(repeating: 0.1, count: 1500)),
      metric: .innerProduct)
    let queries = try Matrix(
      rowCount: 12, columnCount: 5, values: Array(repeating: 0.3, count: 60))
    for found in try same.search(queries, k: 7) { #expect(found.map(\.id) == Array(0..<7)) }
  }

  @Test func `values that overflow neither trap nor hide the rest`() throws {
    let huge = Float.greatestFiniteMagnitude
    let rows = try Matrix(rows: [[huge, huge], [1, 1], [-huge, huge], [2, 0]])
    let queries = try Matrix(rows: Array(repeating: [huge, 1], count: 9))
    for metric in Metric.allCases {
      let index = try FlatIndex(rows, metric: metric)
      let found = try index.search(queries, k: 4)
      #expect(found[0].contains { $0.id == 3 })
      #expect(try index.search(queries.selecting(rows: [0]), k: 4)[0] == found[0])
    }
  }

  @Test func `what does not fit is an error`() throws {
    let index = try FlatIndex(Matrix(rowCount: 5, columnCount: 3), metric: .cosine)
    expectError(.dimensionMismatch, "1 × 4", "5 × 3") {
      try index.search(Matrix(rowCount: 1, columnCount: 4), k: 1)
    }
    for value in [Float.nan, .infinity] {
      let queries = try Matrix(rows: [[0, 0, 0], [0, 0, value]])
      expectError(.badData, "the queries", "row 1", "column 2") {
        try index.search(queries, k: 1)
      }
      expectError(.badData, "to index", "row 1", "column 2") {
        try FlatIndex(queries, metric: .innerProduct)
      }
    }
  }

  @Test(arguments: Metric.allCases)
  func `batches of many blocks, of long and short rows, give what single queries give`(
    metric: Metric
  ) throws {
    // More rows and queries than a block of either, and lengths over eight powers of ten.
    var rows = gaussianMatrix(rowCount: 9000, columnCount: 7, seed: 21)
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        let row = index / 7
        floats[index] *= row % 5 == 0 ? 1e4 : row % 7 == 0 ? 1e-4 : 1
      }
    }
    let queries = gaussianMatrix(rowCount: 600, columnCount: 7, seed: 22)
    let index = try FlatIndex(rows, metric: metric)
    let batch = try index.search(queries, k: 10, in: RunContext(threadLimit: 1))
    #expect(try index.search(queries, k: 10, in: RunContext(threadLimit: 3)) == batch)
    for query in stride(from: 0, to: 600, by: 37) {
      #expect(
        try index.search(queries.selecting(rows: [query]), k: 10) == [batch[query]],
        "query \(query)")
    }
  }
}
