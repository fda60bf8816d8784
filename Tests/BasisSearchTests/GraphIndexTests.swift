import BasisCore
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct GraphIndexTests {
  /// Groups and their divisions need few rows with these.
  private var smallGroups: GraphIndex.Settings {
    var settings = GraphIndex.Settings()
    settings.groupSize = 100
    return settings
  }

  @Test(arguments: Metric.allCases) func `it keeps the promises of a search index`(
    metric: Metric
  ) throws {
    for dimension in [1, 33] {
      let rows = gaussianMatrix(rowCount: 150, columnCount: dimension, seed: 1)
      let queries = gaussianMatrix(rowCount: 4, columnCount: dimension, seed: 2)
      for effort in [Effort.exact, .candidates(150), .recall(0.9)] {
        try checkSearchIndex(rowCount: 150, queryCount: 4) { order in
          let index = try GraphIndex.Settings().build(
            rows.selecting(rows: order), metric: metric)
          return {
            try index.search(
              queries.selecting(rows: $0), k: $1, allowing: $2, effort: effort, in: $3)
          }
        }
      }
    }
  }

  @Test(arguments: Metric.allCases, [3, 200])
  func `a full beam finds what the flat index finds, bit for bit`(
    metric: Metric, dimension: Int
  ) throws {
    let rows = try awkwardRows(count: 1200, dimension: dimension)
    let queries = gaussianMatrix(rowCount: 6, columnCount: dimension, seed: 5)
    let index = try smallGroups.build(rows, metric: metric)
    let flat = try FlatIndex(rows, metric: metric)
    for k in [1, 10, 700] {
      let expected = try flat.search(queries, k: k)
      #expect(try index.search(queries, k: k, effort: .candidates(1200)) == expected)
      #expect(try index.search(queries, k: k, effort: .exact) == expected)
    }
  }

  /// Clusters, thousands of equal rows, zero rows and very different lengths.
  private func awkwardRows(count: Int, dimension: Int) throws -> Matrix {
    var rows = clusteredMatrix(count: count, dimension: dimension, seed: 3)
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        let row = index / dimension
        if row % 3 == 0 { floats[index] = floats[index % dimension] }
        if row % 50 == 1 { floats[index] = 0 }
        if row % 50 == 2 { floats[index] *= 100 }
      }
    }
    return rows
  }

  @Test(arguments: [0, 1, 2], Metric.allCases)
  func `no row has too many neighbours, and all can be reached`(kind: Int, metric: Metric) throws {
    let rows =
      switch kind {
      case 0: clusteredMatrix(count: 1500, dimension: 20, seed: 6)
      case 1: try awkwardRows(count: 1500, dimension: 20)
      default: Matrix(rowCount: 1500, columnCount: 20)
      }
    var settings = smallGroups
    settings.maximumDegree = 8
    let index = try settings.build(rows, metric: metric)
    #expect(unreachable(index) == 0)
    for row in 0..<index.count {
      let neighbors = index.neighbors(of: row)
      #expect(neighbors.count <= 8 && Set(neighbors).count == neighbors.count)
      #expect(!neighbors.contains(row))
    }
    let more = try index.appending(rows.selecting(rows: 0..<500))
    #expect(more.count == 2000 && unreachable(more) == 0)
  }

  /// Rows that no walk from any one row finds, taking the best row to start from.
  private func unreachable(_ index: GraphIndex) -> Int {
    var reached = Set([index.entranceRows[0]])
    var open = [index.entranceRows[0]]
    while let row = open.popLast() {
      for next in index.neighbors(of: row) where reached.insert(next).inserted {
        open.append(next)
      }
    }
    return index.count - reached.count
  }

  @Test(arguments: [16, 200], 0..<1)
  func `the recall that is promised is kept`(dimension: Int, seed: UInt64) throws {
    let all = clusteredMatrix(count: 3200, dimension: dimension, seed: 10 + seed)
    let rows = all.selecting(rows: 0..<3000)
    let queries = all.selecting(rows: 3000..<3200)
    let index = try smallGroups.build(
      rows, metric: .cosine, in: RunContext(seed: seed))
    let flat = try FlatIndex(rows, metric: .cosine)
    for k in [1, 10, 50, 200] {
      let truth = try flat.search(queries, k: k)
      for target in [0.8, 0.9, 0.95, 0.99] {
        let found = try index.search(queries, k: k, effort: .recall(target))
        #expect(recall(found, truth) >= target - 0.02, "k \(k), target \(target)")
      }
      #expect(try index.search(queries, k: k, effort: .recall(1)) == truth)
    }
  }

  @Test func `the graph does not depend on threads, and depends on the seed`() throws {
    let rows = clusteredMatrix(count: 1200, dimension: 24, seed: 30)
    let queries = gaussianMatrix(rowCount: 50, columnCount: 24, seed: 31)
    func build(_ seed: UInt64, _ threads: Int) throws -> GraphIndex {
      let run = RunContext(seed: seed, threadLimit: threads)
      return try smallGroups.build(rows, metric: .squaredEuclidean, in: run)
        .appending(queries, in: run)
    }
    func graph(_ index: GraphIndex) -> [[Int]] {
      (0..<index.count).map { index.neighbors(of: $0) }
    }
    let first = try build(1, 1)
    let other = try build(1, 5)
    #expect(graph(first) == graph(other))
    #expect(
      try first.search(queries, k: 10, effort: .recall(0.9))
        == other.search(queries, k: 10, effort: .recall(0.9)))
    #expect(try graph(first) != graph(build(2, 1)))
  }

  @Test func `appended rows are found`() throws {
    let all = clusteredMatrix(count: 2600, dimension: 32, seed: 40)
    let queries = all.selecting(rows: 2500..<2600)
    let index = try GraphIndex.Settings().build(all.selecting(rows: 0..<1200), metric: .cosine)
      .appending(all.selecting(rows: 1200..<2500))
    let flat = try FlatIndex(all.selecting(rows: 0..<2500), metric: .cosine)
    let truth = try flat.search(queries, k: 10)
    #expect(
      recall(try index.search(queries, k: 10, effort: .recall(0.95)), truth) >= 0.93)
    #expect(try index.search(queries, k: 10, effort: .candidates(2500)) == truth)
    // From next to nothing, too.
    let small = try GraphIndex.Settings().build(all.selecting(rows: 0..<3), metric: .cosine)
      .appending(all.selecting(rows: 3..<50)).appending(all.selecting(rows: 50..<200))
    let few = try FlatIndex(all.selecting(rows: 0..<200), metric: .cosine)
    #expect(
      try small.search(queries, k: 10, effort: .candidates(200)) == few.search(queries, k: 10))
  }

  @Test(arguments: Metric.allCases) func `a range holds all rows within it`(metric: Metric) throws {
    let all = clusteredMatrix(count: 1520, dimension: 12, seed: 50)
    let rows = all.selecting(rows: 0..<1500)
    let queries = all.selecting(rows: 1500..<1520)
    let index = try GraphIndex.Settings().build(rows, metric: metric)
    let flat = try FlatIndex(rows, metric: metric)
    let ranked = try flat.search(queries, k: 1500)
    for rank in [0, 5, 100, 600] {
      let distance = ranked[0][rank].distance
      let truth = ranked.map { Array($0.prefix { $0.distance <= distance }) }
      #expect(try index.search(queries, within: distance, effort: .exact) == truth)
      let found = try index.search(queries, within: distance, effort: .recall(0.98))
      let wanted = truth.reduce(0) { $0 + $1.count }
      #expect(found.reduce(0) { $0 + $1.count } >= wanted * 95 / 100, "rank \(rank)")
      for (found, truth) in zip(found, truth) { #expect(Set(found).isSubset(of: truth)) }
    }
  }

  @Test func `edges`() throws {
    let settings = GraphIndex.Settings()
    for metric in Metric.allCases {
      let none = try settings.build(Matrix(rowCount: 0, columnCount: 4), metric: metric)
      #expect(
        try none.search(Matrix(rowCount: 2, columnCount: 4), k: 3, effort: .candidates(5))
          == [[], []])
      let one = try settings.build(Matrix(rows: [[1, 2]]), metric: metric)
      for effort in [Effort.candidates(1), .recall(0.5), .exact] {
        #expect(
          try one.search(Matrix(rows: [[2, 1]]), k: 3, effort: effort)[0].map(\.id) == [0])
      }
      let flat = try settings.build(Matrix(rowCount: 3, columnCount: 0), metric: metric)
      #expect(
        try flat.search(Matrix(rowCount: 1, columnCount: 0), k: 2, effort: .candidates(9))[0]
          .map(\.id) == [0, 1])
      let huge = Float.greatestFiniteMagnitude
      let wild = try settings.build(
        Matrix(rows: [[huge, huge], [1, 1], [-huge, huge], [2, 0], [0, 0]]), metric: metric)
      _ = try wild.search(Matrix(rows: [[huge, 1], [0, 0]]), k: 4, effort: .candidates(5))
    }
  }

  @Test func `what does not fit is an error`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 3, seed: 60)
    let index = try GraphIndex.Settings().build(rows)
    expectError(.dimensionMismatch, "1 × 4", "300 × 3") {
      try index.search(Matrix(rowCount: 1, columnCount: 4), k: 1, effort: .candidates(9))
    }
    expectError(.dimensionMismatch, "5 × 4", "300 × 3") {
      try index.appending(Matrix(rowCount: 5, columnCount: 4))
    }
    let bad = try Matrix(rows: [[0, 0, 0], [0, 0, .nan]])
    expectError(.badData, "row 1", "column 2") {
      try index.search(bad, k: 1, effort: .candidates(9))
    }
    expectError(.badData, "row 1", "column 2") { try GraphIndex.Settings().build(bad) }
    expectError(.badData, "row 1", "column 2") { try index.appending(bad) }
    for effort in [Effort.candidates(0), .recall(1.5), .recall(-0.1), .recall(.nan)] {
      expectError(.invalidArgument) { try index.search(rows, k: 1, effort: effort) }
    }
    expectError(.invalidArgument) { try index.search(rows, within: .nan) }
    var settings = GraphIndex.Settings()
    settings.maximumDegree = 3
    expectError(.invalidArgument, "maximumDegree", "3") { try settings.build(rows) }
    let cancelled = RunContext(threadLimit: 1)
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try GraphIndex.Settings().build(rows, in: cancelled) }
    expectError(.cancelled) {
      try index.search(rows, k: 1, effort: .candidates(9), in: cancelled)
    }
  }

  private func recall(_ found: [[Neighbor]], _ truth: [[Neighbor]]) -> Double {
    var hits = 0
    for (found, truth) in zip(found, truth) {
      let wanted = Set(truth.map(\.id))
      hits += found.count { wanted.contains($0.id) }
    }
    return Double(hits) / Double(max(1, truth.reduce(0) { $0 + $1.count }))
  }
}

/// Rows around a hundred centres, of lengths that differ by a factor of ten.
func clusteredMatrix(count: Int, dimension: Int, seed: UInt64) -> Matrix {
  var generator = RandomGenerator(seed: seed)
  let centers = gaussianMatrix(rowCount: 100, columnCount: dimension, seed: seed + 1000)
  return Matrix(rowCount: count, columnCount: dimension) { floats in
    for row in 0..<count {
      let center = generator.nextInt(below: 100)
      let length = Float(1 + 9 * generator.nextDouble())
      for column in 0..<dimension {
        floats[row * dimension + column] =
          length * (centers[center, column] + Float(generator.nextGaussian()))
      }
    }
  }
}
