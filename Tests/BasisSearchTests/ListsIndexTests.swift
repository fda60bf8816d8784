import BasisCore
import BasisFormats
import BasisSearch
import Foundation
import Testing
import _BasisTestSupport

/// Rows around many centres: what indexes of lists are for.
func clusteredMatrix(rowCount: Int, columnCount: Int, seed: UInt64) -> Matrix {
  let centers = gaussianMatrix(rowCount: 40, columnCount: columnCount, seed: 77)
  var rows = gaussianMatrix(rowCount: rowCount, columnCount: columnCount, seed: seed)
  var generator = RandomGenerator(seed: seed)
  rows.withUnsafeMutableFloats { floats in
    for row in 0..<rowCount {
      let center = generator.nextInt(below: 40)
      for column in 0..<columnCount {
        let index = row * columnCount + column
        floats[index] = floats[index] * 0.4 + centers[center, column]
      }
    }
  }
  return rows
}

/// The share of the true neighbours found, by distance, so that ties are no misses.
func recall(_ found: [[Neighbor]], _ truth: [[Neighbor]]) -> Double {
  var (hits, all) = (0, 0)
  for (found, truth) in zip(found, truth) {
    guard let last = truth.last else { continue }
    all += truth.count
    hits += found.filter { $0.distance <= last.distance }.count
  }
  return all == 0 ? 1 : Double(hits) / Double(all)
}

private func settings(lists: Int? = nil, spills: Bool = false) -> InvertedListsIndex.Settings {
  var settings = InvertedListsIndex.Settings()
  settings.spills = spills
  settings.listCount = lists
  settings.calibrationQueries = 100
  settings.iterations = 6
  return settings
}

@Suite struct ListsIndexTests {
  @Test(arguments: Metric.allCases, [1, 33]) func `it keeps the promises of a search index`(
    metric: Metric, dimension: Int
  ) throws {
    let rows = gaussianMatrix(rowCount: 150, columnCount: dimension, seed: 1)
    let queries = gaussianMatrix(rowCount: 4, columnCount: dimension, seed: 2)
    // All lists and all rows: what is found is exact then, and the promises can be checked.
    for (effort, spills) in [
      (Effort.exact, false), (.candidates(12), false), (.candidates(12), true),
    ] {
      try checkSearchIndex(rowCount: 150, queryCount: 4) { order in
        let index = try InvertedListsIndex(
          rows.selecting(rows: order), metric: metric, settings: everything(spills: spills))
        return {
          try index.search(
            queries.selecting(rows: $0), k: $1, allowing: $2, effort: effort, in: $3)
        }
      }
    }
  }

  /// Settings whose probes of all lists measure all rows.
  private func everything(spills: Bool) -> InvertedListsIndex.Settings {
    var settings = settings(lists: 12, spills: spills)
    settings.calibrationQueries = 0
    return settings
  }

  @Test(arguments: Metric.allCases, [false, true])
  func `recall reaches its target, and distances are exact`(metric: Metric, spills: Bool) throws {
    let seed: UInt64 = spills ? 1 : 0
    let rows = clusteredMatrix(rowCount: 3000, columnCount: 24, seed: seed)
    let queries = clusteredMatrix(rowCount: 200, columnCount: 24, seed: seed + 500)
    let flat = try FlatIndex(rows, metric: metric)
    let index = try InvertedListsIndex(
      rows, metric: metric, settings: settings(spills: spills), in: RunContext(seed: seed))
    let truth = try flat.search(queries, k: 10)
    for target in [0.5, 0.9, 0.99] {
      let found = try index.search(
        queries, k: 10, allowing: nil, effort: .recall(target), in: RunContext())
      #expect(recall(found, truth) >= target - 0.02, "\(target)")
      #expect(found.allSatisfy { $0.count == 10 })
      for (query, ranking) in found.enumerated() where query % 10 == 0 {
        let exact = try flat.search(
          queries.selecting(rows: [query]), k: 10, allowing: bitmap(3000, ranking.map(\.id)))
        #expect(exact[0] == ranking)
      }
    }
    for effort in [Effort.exact, .recall(1)] {
      let found = try index.search(
        queries, k: 10, allowing: nil, effort: effort, in: RunContext())
      #expect(found == truth)
    }
    // More probes find more.
    var last = 0.0
    for probes in [1, 4, 16, 64, index.listCount] {
      let found = try index.search(
        queries, k: 10, allowing: nil, effort: .candidates(probes), in: RunContext())
      let now = recall(found, truth)
      #expect(now >= last - 0.01)
      last = now
    }
    #expect(last > 0.98)
  }

  private func bitmap(_ count: Int, _ ids: [Int]) -> Bitmap {
    var bitmap = Bitmap(count: count)
    for id in ids { bitmap[id] = true }
    return bitmap
  }

  @Test(arguments: Metric.allCases) func `a batch gives what single queries give, at any threads`(
    metric: Metric
  ) throws {
    let rows = clusteredMatrix(rowCount: 3000, columnCount: 17, seed: 4)
    let queries = clusteredMatrix(rowCount: 600, columnCount: 17, seed: 5)
    let index = try InvertedListsIndex(
      rows, metric: metric, settings: settings(), in: RunContext(threadLimit: 1))
    let other = try InvertedListsIndex(
      rows, metric: metric, settings: settings(), in: RunContext(threadLimit: 3))
    var third = Bitmap(count: 3000)
    for row in 0..<3000 where row % 3 == 0 { third[row] = true }
    for allowed in [nil, third] {
      let batch = try index.search(
        queries, k: 7, allowing: allowed, effort: .recall(0.8), in: RunContext(threadLimit: 1))
      for threads in [2, 5] {
        let run = RunContext(threadLimit: threads)
        #expect(
          try other.search(queries, k: 7, allowing: allowed, effort: .recall(0.8), in: run)
            == batch)
      }
      for query in stride(from: 0, to: 600, by: 37) {
        let single = try index.search(
          queries.selecting(rows: [query]), k: 7, allowing: allowed, effort: .recall(0.8),
          in: RunContext())
        #expect(single[0] == batch[query], "\(query)")
      }
    }
  }

  @Test(arguments: [0.001, 0.01, 0.1, 0.5]) func `filters keep the recall and the count`(
    share: Double
  ) throws {
    let rows = clusteredMatrix(rowCount: 4000, columnCount: 20, seed: 6)
    let queries = clusteredMatrix(rowCount: 100, columnCount: 20, seed: 7)
    let flat = try FlatIndex(rows, metric: .cosine)
    let index = try InvertedListsIndex(rows, metric: .cosine, settings: settings())
    var generator = RandomGenerator(seed: 8)
    var allowed = Bitmap(count: 4000)
    for row in 0..<4000 where generator.nextDouble() < share { allowed[row] = true }
    let truth = try flat.search(queries, k: 10, allowing: allowed)
    let found = try index.search(queries, k: 10, allowing: allowed)
    #expect(recall(found, truth) >= 0.95)
    #expect(found.allSatisfy { $0.count == min(10, allowed.population) })
    #expect(found.allSatisfy { $0.allSatisfy { allowed[$0.id] } })
    // Fewer probes than it takes to meet ten rows that are allowed.
    let one = try index.search(
      queries, k: 10, allowing: allowed, effort: .candidates(1), in: RunContext())
    #expect(one.allSatisfy { $0.count == min(10, allowed.population) })
  }

  @Test func `rows within a distance`() throws {
    let rows = clusteredMatrix(rowCount: 4000, columnCount: 16, seed: 9)
    let queries = clusteredMatrix(rowCount: 40, columnCount: 16, seed: 10)
    let flat = try FlatIndex(rows, metric: .squaredEuclidean)
    let index = try InvertedListsIndex(
      rows, metric: .squaredEuclidean, settings: settings())
    let everything = try flat.search(queries, k: 4000)
    for distance in [-1, 2, 6, 1e9] as [Float] {
      let truth = everything.map { $0.filter { $0.distance <= distance } }
      #expect(try index.search(queries, within: distance, effort: .exact) == truth)
      let found = try index.search(queries, within: distance, effort: .recall(0.95))
      let (hits, all) = (found.reduce(0) { $0 + $1.count }, truth.reduce(0) { $0 + $1.count })
      #expect(Double(hits) >= 0.93 * Double(all))
      for (found, truth) in zip(found, truth) { #expect(Set(found).isSubset(of: truth)) }
    }
    expectError(.invalidArgument, "not a number") {
      try index.search(queries, within: .nan)
    }
  }

  @Test(arguments: Metric.allCases) func `second lists find rows with fewer probes`(
    metric: Metric
  ) throws {
    let rows = gaussianMatrix(rowCount: 3000, columnCount: 12, seed: 13)
    let queries = gaussianMatrix(rowCount: 100, columnCount: 12, seed: 14)
    let truth = try FlatIndex(rows, metric: metric).search(queries, k: 10)
    let recalls = try [false, true].map { spills in
      let index = try InvertedListsIndex(
        rows, metric: metric, settings: settings(lists: 64, spills: spills))
      let found = try index.search(
        queries, k: 10, allowing: nil, effort: .candidates(2), in: RunContext())
      #expect(found.allSatisfy { Set($0.map(\.id)).count == 10 })
      return recall(found, truth)
    }
    #expect(recalls[1] > recalls[0] + 0.02)
  }

  @Test func `an index with second lists comes back from a file`() throws {
    let rows = clusteredMatrix(rowCount: 1500, columnCount: 9, seed: 15)
    let index = try InvertedListsIndex(rows, metric: .cosine, settings: settings(spills: true))
    let folder = try TemporaryFolder()
    let path = folder.path + "/index"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try index.write(to: writer, prefix: "")
    try writer.finish()
    let read = try InvertedListsIndex(
      from: Container(path: path, kind: "test", maximumVersion: 1), prefix: "", rows: rows)
    #expect(read.byteCount == index.byteCount)
    #expect(try read.search(rows, k: 5) == index.search(rows, k: 5))
  }

  @Test(arguments: Metric.allCases, [false, true])
  func `rows can be appended`(metric: Metric, spills: Bool) throws {
    let all = clusteredMatrix(rowCount: 3000, columnCount: 19, seed: 11)
    let queries = clusteredMatrix(rowCount: 80, columnCount: 19, seed: 12)
    let old = try InvertedListsIndex(
      all.selecting(rows: 0..<2000), metric: metric, settings: settings(spills: spills))
    let index = try old.appending(all)
    #expect(index.count == 3000 && old.count == 2000)
    let truth = try FlatIndex(all, metric: metric).search(queries, k: 10)
    let found = try index.search(queries, k: 10)
    #expect(recall(found, truth) >= 0.93)
    let whole = try index.search(
      queries, k: 10, allowing: nil, effort: .candidates(index.listCount), in: RunContext())
    #expect(recall(whole, truth) >= 0.98)
    #expect(
      try old.appending(all.selecting(rows: 0..<2000)).search(queries, k: 5)
        == old.search(queries, k: 5))
    expectError(.dimensionMismatch, "2000 × 19", "10 × 19") {
      try old.appending(all.selecting(rows: 0..<10))
    }
  }

  @Test func `edges`() throws {
    for metric in Metric.allCases {
      let none = try InvertedListsIndex(Matrix(rowCount: 0, columnCount: 4), metric: metric)
      #expect(try none.search(Matrix(rowCount: 2, columnCount: 4), k: 3) == [[], []])
      let one = try InvertedListsIndex(Matrix(rows: [[1, 2, 3]]), metric: metric)
      #expect(try one.search(Matrix(rows: [[0, 1, 0]]), k: 3)[0].map(\.id) == [0])
      let flat = try InvertedListsIndex(Matrix(rowCount: 3, columnCount: 0), metric: metric)
      #expect(try flat.search(Matrix(rowCount: 1, columnCount: 0), k: 2)[0].map(\.id) == [0, 1])
      // Equal rows, rows of zeros, and a query of zeros.
      var rows = Matrix(rowCount: 500, columnCount: 5)
      for row in 0..<250 { rows[row, 2] = 1 }
      let same = try InvertedListsIndex(rows, metric: metric, settings: settings())
      let queries = try Matrix(rows: [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])
      let found = try same.search(
        queries, k: 7, allowing: nil, effort: .candidates(same.listCount), in: RunContext())
      #expect(found.allSatisfy { $0.count == 7 })
      let exact = try FlatIndex(rows, metric: metric).search(queries, k: 7)
      for (found, exact) in zip(found, exact) {
        #expect(found.map(\.distance) == exact.map(\.distance))
      }
    }
  }

  @Test func `what does not fit is an error`() throws {
    let rows = gaussianMatrix(rowCount: 50, columnCount: 3, seed: 1)
    let index = try InvertedListsIndex(rows, metric: .cosine, settings: settings())
    expectError(.invalidArgument, "at least 1 list", "0") {
      try index.search(rows, k: 1, allowing: nil, effort: .candidates(0), in: RunContext())
    }
    expectError(.invalidArgument, "0 to 1", "1.5") {
      try index.search(rows, k: 1, allowing: nil, effort: .recall(1.5), in: RunContext())
    }
    expectError(.dimensionMismatch, "1 × 4", "50 × 3") {
      try index.search(Matrix(rowCount: 1, columnCount: 4), k: 1)
    }
    expectError(.badData, "row 0", "column 1") {
      try index.search(Matrix(rows: [[0, .nan, 0]]), k: 1)
    }
    var settings = settings()
    settings.anisotropy = 1
    expectError(.invalidArgument, "anisotropy") {
      try InvertedListsIndex(rows, metric: .cosine, settings: settings)
    }
    expectError(.badData, "row 0", "column 2") {
      try InvertedListsIndex(Matrix(rows: [[0, 1, .infinity]]), metric: .cosine)
    }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try InvertedListsIndex(rows, metric: .cosine, in: cancelled) }
  }
}
