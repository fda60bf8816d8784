import BasisCodecs
import BasisCore
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct ListsQuantizedTests {
  @Test(arguments: Metric.allCases) func `it keeps the promises of a search index`(
    metric: Metric
  ) throws {
    let rows = gaussianMatrix(rowCount: 120, columnCount: 12, seed: 1)
    let queries = gaussianMatrix(rowCount: 4, columnCount: 12, seed: 2)
    for effort in [Effort.exact, .candidates(300), .recall(1)] {
      try checkSearchIndex(rowCount: 120, queryCount: 4) { order in
        let index = try QuantizedFlatIndex(
          rows.selecting(rows: order), metric: metric,
          codec: ProductQuantizer(parts: 6, bits: 4), calibrationQueries: 20)
        return {
          try index.search(
            queries.selecting(rows: $0), k: $1, allowing: $2, effort: effort, in: $3)
        }
      }
    }
  }

  @Test(arguments: Metric.allCases, [4, 8]) func `recall reaches its target, by measured errors`(
    metric: Metric, bits: Int
  ) throws {
    let rows = clusteredMatrix(rowCount: 2000, columnCount: 24, seed: 3)
    let queries = clusteredMatrix(rowCount: 200, columnCount: 24, seed: 4)
    let truth = try FlatIndex(rows, metric: metric).search(queries, k: 10)
    var shortlists: [Int] = []
    for parts in [4, 12] {
      let index = try QuantizedFlatIndex(
        rows, metric: metric, codec: ProductQuantizer(parts: parts, bits: bits),
        calibrationQueries: 150)
      for target in [0.8, 0.95, 0.99] {
        let found = try index.search(
          queries, k: 10, allowing: nil, effort: .recall(target), in: RunContext())
        #expect(recall(found, truth) >= target - 0.015, "\(parts) parts, \(target)")
        #expect(found.allSatisfy { $0.count == 10 })
      }
      shortlists.append(try index.shortlist(for: .recall(0.95), k: 10) ?? 2000)
      let one = try index.search(
        queries, k: 10, allowing: nil, effort: .recall(0.9), in: RunContext(threadLimit: 1))
      let many = try index.search(
        queries, k: 10, allowing: nil, effort: .recall(0.9), in: RunContext(threadLimit: 3))
      #expect(one == many)
      for query in stride(from: 0, to: 200, by: 61) {
        let single = try index.search(
          queries.selecting(rows: [query]), k: 10, allowing: nil, effort: .recall(0.9),
          in: RunContext())
        #expect(single[0] == one[query])
      }
      for share in [100, 10, 2] {
        var allowed = Bitmap(count: 2000)
        for row in 0..<2000 where row % share == 0 { allowed[row] = true }
        let exact = try FlatIndex(rows, metric: metric).search(queries, k: 10, allowing: allowed)
        let found = try index.search(queries, k: 10, allowing: allowed)
        #expect(recall(found, exact) >= 0.93)
        #expect(found.allSatisfy { $0.count == 10 && $0.allSatisfy { allowed[$0.id] } })
      }
    }
    // The coarser codec has to have more rows measured.
    #expect(shortlists[0] > shortlists[1])
  }

  @Test func `what does not fit is an error`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 12, seed: 5)
    expectError(.invalidArgument, "12 values", "5 equal parts") {
      try QuantizedFlatIndex(rows, metric: .cosine, codec: ProductQuantizer(parts: 5))
    }
    let index = try QuantizedFlatIndex(
      rows, metric: .cosine, codec: ProductQuantizer(parts: 6, bits: 4))
    expectError(.invalidArgument, "candidate", "0") {
      try index.search(rows, k: 1, allowing: nil, effort: .candidates(0), in: RunContext())
    }
    expectError(.invalidArgument, "0 to 1") {
      try index.search(rows, k: 1, allowing: nil, effort: .recall(-1), in: RunContext())
    }
    expectError(.dimensionMismatch, "1 × 3") {
      try index.search(Matrix(rowCount: 1, columnCount: 3), k: 1)
    }
  }
}
