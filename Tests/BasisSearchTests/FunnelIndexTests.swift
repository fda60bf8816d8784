import BasisCore
import BasisFormats
import BasisNumerics
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct FunnelIndexTests {
  private func stages(_ pairs: [(Int, Int)]) -> [FunnelIndex.Stage] {
    pairs.map { .init(dimensions: $0.0, keep: $0.1) }
  }

  @Test(arguments: Metric.allCases) func `it keeps the promises of a search index`(
    metric: Metric
  ) throws {
    let rows = gaussianMatrix(rowCount: 150, columnCount: 33, seed: 1)
    let queries = gaussianMatrix(rowCount: 4, columnCount: 33, seed: 2)
    for pairs in [[(33, 150)], [(4, 150), (20, 150), (33, 150)]] {
      try checkSearchIndex(rowCount: 150, queryCount: 4) { order in
        let index = try FunnelIndex(
          rows.selecting(rows: order), metric: metric, stages: stages(pairs))
        return { try index.search(queries.selecting(rows: $0), k: $1, allowing: $2, in: $3) }
      }
    }
  }

  @Test(arguments: Metric.allCases) func `with every row kept it finds what the exact index finds`(
    metric: Metric
  ) throws {
    let rows = gaussianMatrix(rowCount: 400, columnCount: 48, seed: 3)
    let queries = gaussianMatrix(rowCount: 10, columnCount: 48, seed: 4)
    let exact = try FlatIndex(rows, metric: metric).search(queries, k: 10)
    let funnel = try FunnelIndex(
      rows, metric: metric, stages: stages([(8, 400), (16, 400), (48, 400)]))
    for (a, b) in zip(exact, try funnel.search(queries, k: 10)) {
      #expect(a.map(\.id) == b.map(\.id))
      for (x, y) in zip(a, b) {
        #expect(abs(x.distance - y.distance) <= 1e-5 * max(1, abs(x.distance)))
      }
    }
  }

  @Test func `each stage passes on the best of its own dimensions`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 24, seed: 5)
    let queries = gaussianMatrix(rowCount: 6, columnCount: 24, seed: 6)
    let pairs = [(3, 120), (9, 40), (24, 15)]
    let funnel = try FunnelIndex(rows, metric: .cosine, stages: stages(pairs))
    let found = try funnel.search(queries, k: 12)
    for query in 0..<6 {
      var left = Array(0..<300)
      for (dimensions, keep) in pairs {
        var best = TopK(k: keep)
        for row in left {
          let distance = Metric.cosine.distance(
            Array(queries.row(query).prefix(dimensions)), Array(rows.row(row).prefix(dimensions)))
          best.offer(Neighbor(id: row, distance: distance))
        }
        left = best.sorted().map(\.id)
      }
      #expect(found[query].map(\.id) == Array(left.prefix(12)))
    }
    let (own, full) = funnel.multiplyAdds
    #expect(own == 300 * 3 + 120 * 6 + 40 * 15 && full == 300 * 24)
  }

  @Test func `a filter is obeyed in every stage, and zero prefixes come last`() throws {
    var rows = gaussianMatrix(rowCount: 100, columnCount: 12, seed: 7)
    for column in 0..<4 { rows[5, column] = 0 }
    let queries = rows.selecting(rows: [5, 9])
    let funnel = try FunnelIndex(rows, metric: .cosine, stages: stages([(4, 20), (12, 10)]))
    var allowed = Bitmap(count: 100)
    for row in stride(from: 1, to: 100, by: 2) { allowed[row] = true }
    let found = try funnel.search(queries, k: 10, allowing: allowed)
    #expect(found.allSatisfy { $0.count == 10 && $0.allSatisfy { $0.id % 2 == 1 } })
    #expect(try funnel.search(queries, k: 1)[1][0].id == 9)
    #expect(try funnel.search(queries, k: 50)[0].count == 50)
  }

  @Test func `stages that make no funnel are errors`() throws {
    let rows = gaussianMatrix(rowCount: 20, columnCount: 8, seed: 1)
    for (pairs, text) in [
      ([], "at least one stage"), ([(0, 5)], "[0]"), ([(9, 5)], "at most 8"),
      ([(4, 5), (4, 3)], "[4, 4]"), ([(2, 5), (4, 6)], "[5, 6]"), ([(4, 0)], "[0]"),
    ] as [([(Int, Int)], String)] {
      expectError(.invalidArgument, text) {
        try FunnelIndex(rows, metric: .cosine, stages: stages(pairs))
      }
    }
    var broken = rows
    broken[3, 2] = .infinity
    expectError(.badData, "row 3", "column 2") {
      try FunnelIndex(broken, metric: .cosine, stages: stages([(8, 5)]))
    }
    let index = try FunnelIndex(rows, metric: .cosine, stages: stages([(4, 5)]))
    expectError(.dimensionMismatch, "1 × 4") {
      try index.search(Matrix(rowCount: 1, columnCount: 4), k: 1)
    }
  }

  @Test func `on rotated digits it finds nearly all with an eighth of the work`() throws {
    let data = DigitEmbeddings(pixels: try Matrix(contentsOf: DigitEmbeddings.path))
    let moments = try LinearAlgebra.product(data.rows, data.rows, transposingA: true)
    let directions = try LinearAlgebra.symmetricEigen(moments).vectors
    let rows = try LinearAlgebra.product(data.rows, directions)
    let queries = try LinearAlgebra.product(
      data.queries.selecting(rows: 0..<100), directions)
    let exact = try FlatIndex(rows, metric: .cosine).search(queries, k: 10)
    let funnel = try FunnelIndex(
      rows, metric: .cosine, stages: stages([(16, 400), (32, 200), (64, 100), (256, 10)]))
    let found = try funnel.search(queries, k: 10)
    let hits = zip(exact, found).reduce(0) {
      $0 + Set($1.0.map(\.id)).intersection($1.1.map(\.id)).count
    }
    #expect(Double(hits) / 1000 >= 0.99, "\(hits)")
    #expect(8 * funnel.multiplyAdds.funnel <= funnel.multiplyAdds.full)
  }
}
