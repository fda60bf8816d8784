import BasisCore
import BasisSearch

extension Benchmark {
  /// Searches with filters, on one thread, in a graph: how long they take beside a flat scan of what
  /// the filter lets through, and beside the graph without a filter. For each kind of filter and
  /// share of rows a line
  /// `KIND SHARE RECALL SHORT GRAPH FLAT UNFILTERED`, in processor seconds a query, where `SHORT`
  /// counts the queries that got too few rows; medians of rounds that take turns.
  ///
  /// Kinds: `random` rows; rows around one query and the queries `near` it; rows around one
  /// `place` and queries from everywhere; and the rows that are `far` from the queries.
  static func filters(_ arguments: [String]) throws {
    guard arguments.count == 5, let target = Double(arguments[2]), let k = Int(arguments[3]),
      ["batch", "single"].contains(arguments[4])
    else { throw usage }
    let mapped = try Matrix(contentsOf: arguments[0])
    let base = mapped.selecting(rows: 0..<mapped.rowCount)
    let queries = try Matrix(contentsOf: arguments[1])
    let run = RunContext(threadLimit: 1)
    let graph = try GraphIndex.Settings().build(base, metric: .cosine, in: run)
    let bench = FilterBenchmark(
      graph: graph, flat: try FlatIndex(base, metric: .cosine), queries: queries, k: k,
      effort: .recall(target), isSingle: arguments[4] == "single", run: run)
    for kind in FilterBenchmark.Kind.allCases {
      for share in [0.001, 0.01, 0.1, 0.25, 0.5, 0.9] { say(try bench.line(kind, share)) }
    }
  }
}

private struct FilterBenchmark {
  enum Kind: String, CaseIterable { case random, near, place, far }

  let graph: GraphIndex
  let flat: FlatIndex
  let queries: Matrix
  let k: Int
  let effort: Effort
  let isSingle: Bool
  let run: RunContext

  func line(_ kind: Kind, _ share: Double) throws -> String {
    var hits = 0
    var wanted = 0
    var short = 0
    var asked = 0
    var seconds = [0.0, 0.0, 0.0]
    for (allowed, some) in try cases(kind, share) {
      let truth = try flat.search(some, k: k, allowing: allowed, in: run)
      let found = try search(some) {
        try graph.search($0, k: k, allowing: allowed, effort: effort, in: run)
      }
      for (found, truth) in zip(found, truth) {
        let ids = Set(truth.map(\.id))
        hits += found.count { ids.contains($0.id) }
        wanted += truth.count
        if found.count < truth.count { short += 1 }
      }
      asked += some.rowCount
      let ways: [(Matrix) throws -> [[Neighbor]]] = [
        { try graph.search($0, k: k, allowing: allowed, effort: effort, in: run) },
        { try flat.search($0, k: k, allowing: allowed, in: run) },
        { try graph.search($0, k: k, allowing: nil, effort: effort, in: run) },
      ]
      var rounds = ways.map { _ in [Double]() }
      for _ in 0..<(graph.count > 50_000 ? 3 : 7) {
        for (way, body) in ways.enumerated() {
          rounds[way].append(try Benchmark.processSeconds { _ = try search(some, body) })
        }
      }
      for way in ways.indices { seconds[way] += rounds[way].sorted()[rounds[way].count / 2] }
    }
    let times = seconds.map { "\($0 / Double(asked))" }.joined(separator: " ")
    return "\(kind.rawValue) \(share) \(Double(hits) / Double(max(1, wanted))) \(short) \(times)"
  }

  /// All at once, or one after the other.
  private func search(_ some: Matrix, _ body: (Matrix) throws -> [[Neighbor]]) throws
    -> [[Neighbor]]
  {
    guard isSingle else { return try body(some) }
    return try (0..<some.rowCount).flatMap { try body(some.selecting(rows: [$0])) }
  }

  private func cases(_ kind: Kind, _ share: Double) throws -> [(Bitmap, Matrix)] {
    let count = max(1, Int(share * Double(graph.count)))
    if kind == .random {
      var generator = RandomGenerator(seed: 4)
      var allowed = Bitmap(count: graph.count)
      for row in generator.sample(count, of: graph.count) { allowed[row] = true }
      return [(allowed, queries.selecting(rows: 0..<min(450, queries.rowCount)))]
    }
    let near = try FlatIndex(queries, metric: .cosine)
    return try [0, 1, 2].map { place in
      let centre = queries.selecting(rows: [place * queries.rowCount / 3])
      let order = try flat.search(centre, k: graph.count, in: run)[0]
      let around = try near.search(centre, k: min(150, queries.rowCount), in: run)[0].map(\.id)
      var allowed = Bitmap(count: graph.count)
      for row in kind == .far ? order.suffix(count) : order.prefix(count) { allowed[row.id] = true }
      let spread = stride(from: place, to: queries.rowCount, by: max(1, queries.rowCount / 150))
      return (
        allowed,
        queries.selecting(rows: kind == .place ? Array(spread.prefix(150)) : around)
      )
    }
  }
}
