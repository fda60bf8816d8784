import BasisCore
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct CascadeTests {
  /// The first columns only: cheap, and wrong enough to need a second look.
  private struct PrefixIndex: SearchIndex {
    let index: FlatIndex

    var count: Int { index.count }

    init(_ rows: Matrix, metric: Metric) throws {
      index = try FlatIndex(rows.prefix(columns: 4), metric: metric)
    }

    func search(_ queries: Matrix, k: Int, allowing allowed: Bitmap?, in run: RunContext)
      throws(BasisError) -> [[Neighbor]]
    {
      try index.search(queries.prefix(columns: 4), k: k, allowing: allowed, in: run)
    }
  }

  private let rows = gaussianMatrix(rowCount: 150, columnCount: 16, seed: 1)
  private let queries = gaussianMatrix(rowCount: 4, columnCount: 16, seed: 2)

  @Test(arguments: Metric.allCases)
  func `at full depth it keeps the promises of a search index, and is the last stage`(
    metric: Metric
  ) throws {
    try checkSearchIndex(rowCount: 150, queryCount: 4) { order in
      let rows = rows.selecting(rows: order)
      let exact = try FlatIndex(rows, metric: metric)
      let cascade = try Cascade(
        PrefixIndex(rows, metric: metric), stages: [.init(exact, depth: 150)])
      for k in [1, 10, 150] {
        #expect(try cascade.search(queries, k: k) == exact.search(queries, k: k))
      }
      return { try cascade.search(queries.selecting(rows: $0), k: $1, allowing: $2, in: $3) }
    }
  }

  @Test(arguments: [1, 5, 20, 60]) func `each stage sees as many as its depth`(depth: Int) throws {
    let metric = Metric.squaredEuclidean
    let first = try PrefixIndex(rows, metric: metric)
    let middle = try HalfReranker(rows)
    let exact = try FlatIndex(rows, metric: metric)
    let cascade = try Cascade(
      first, stages: [.init(middle, depth: 2 * depth), .init(exact, depth: depth)])
    let found = try cascade.search(queries, k: 1)
    for query in 0..<4 {
      let seen = try first.search(queries, k: 2 * depth, allowing: nil, in: RunContext())[query]
      let ranked = seen.map(\.id).sorted {
        (middle.distance(queries, query, $0), $0) < (middle.distance(queries, query, $1), $1)
      }
      let best = ranked.prefix(depth).map {
        Neighbor(id: $0, distance: metric.distance(queries.row(query), rows.row($0)))
      }.min()
      #expect(found[query] == [try #require(best)])
    }
    // More neighbours than a depth: the depth gives way.
    #expect(try cascade.search(queries, k: 150)[0].count == 150)
    #expect(
      try cascade.search(queries, k: 150) == exact.search(queries, k: 150))
  }

  /// By the first half of the columns, one at a time.
  private struct HalfReranker: Reranker {
    let rows: Matrix
    var count: Int { rows.rowCount }

    init(_ rows: Matrix) throws { self.rows = rows }

    func distance(_ queries: Matrix, _ query: Int, _ row: Int) -> Float {
      Metric.squaredEuclidean.distance(
        Array(queries.row(query)[..<8]), Array(rows.row(row)[..<8]))
    }

    func rerank(_ queries: Matrix, candidates: [[Int]], in run: RunContext) throws(BasisError)
      -> [[Neighbor]]
    {
      candidates.enumerated().map { query, ids in
        ids.map { Neighbor(id: $0, distance: distance(queries, query, $0)) }.sorted()
      }
    }
  }

  @Test func `reranking gives the bits of the search, in any order of candidates`() throws {
    for metric in Metric.allCases {
      let index = try FlatIndex(rows, metric: metric)
      let whole = try index.search(queries, k: 150)
      let ids = Array((0..<150).reversed())
      #expect(try index.rerank(queries, candidates: Array(repeating: ids, count: 4)) == whole)
      let few = try index.rerank(queries, candidates: [[3, 1], [], [149], [7]])
      #expect(few.map { $0.map(\.id).sorted() } == [[1, 3], [], [149], [7]])
    }
    let flat = try FlatIndex(Matrix(rowCount: 3, columnCount: 0), metric: .cosine)
    #expect(
      try flat.rerank(Matrix(rowCount: 1, columnCount: 0), candidates: [[2, 0]])[0].map(\.id)
        == [0, 2])
  }

  @Test func `without stages it is its first index, and what does not fit is an error`() throws {
    let index = try FlatIndex(rows, metric: .cosine)
    #expect(try Cascade(index, stages: []).search(queries, k: 9) == index.search(queries, k: 9))
    expectError(.invalidArgument, "stage 0 has the depth 0") {
      try Cascade(index, stages: [.init(index, depth: 0)])
    }
    let other = try FlatIndex(Matrix(rowCount: 3, columnCount: 16), metric: .cosine)
    expectError(.dimensionMismatch, "stage 1 knows 3 rows", "150") {
      try Cascade(index, stages: [.init(index, depth: 9), .init(other, depth: 5)])
    }
    expectError(.invalidArgument, "the candidate 150") {
      try index.rerank(queries, candidates: [[150], [], [], []])
    }
    expectError(.dimensionMismatch, "4 queries and candidates for 1") {
      try index.rerank(queries, candidates: [[1]])
    }
  }
}
