import BasisCore
import BasisFormats
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct GraphFilterTests {
  /// Enough rows for groups, few enough for a short test.
  private static let count = 6000
  private static let queryCount = 40

  @Test(arguments: [24, 200]) func `a filter takes no recall and little time, and gives k rows`(
    dimension: Int
  ) throws {
    let all = clusteredMatrix(
      count: Self.count + Self.queryCount, dimension: dimension, seed: 20)
    let rows = all.selecting(rows: 0..<Self.count)
    let queries = all.selecting(rows: Self.count..<Self.count + Self.queryCount)
    let index = try build(rows)
    let flat = try FlatIndex(rows, metric: .cosine)
    let order = try flat.search(queries.selecting(rows: [0]), k: Self.count)[0].map(\.id)
    let unfiltered = try #require(
      try index.comparisonCount(queries, k: 10, effort: .recall(0.95)))
    for share in [0.001, 0.01, 0.1, 0.5, 0.9] {
      for (kind, filter) in filters(share, order) {
        let truth = try flat.search(queries, k: 10, allowing: filter)
        let found = try index.search(queries, k: 10, allowing: filter, effort: .recall(0.95))
        // Less twice the sampling error of 400 answers.
        #expect(recall(found, truth) >= 0.93, "\(kind), \(share)")
        for (found, truth) in zip(found, truth) {
          #expect(found.count == truth.count && found.allSatisfy { filter[$0.id] })
        }
        let compared = try #require(
          try index.comparisonCount(queries, k: 10, allowing: filter, effort: .recall(0.95)))
        // Comparisons of codes, which cost a tenth of those of floats.
        let scan = filter.population * Self.queryCount
        #expect(
          compared <= max(3 * unfiltered, scan + scan / 5 + 400 * Self.queryCount),
          "\(kind), \(share): \(compared) of \(scan), unfiltered \(unfiltered)")
        #expect(
          try index.search(queries, k: 10, allowing: filter, effort: .candidates(Self.count))
            == truth)
      }
    }
  }

  @Test(arguments: Metric.allCases) func `one query at a time gets the same rows`(metric: Metric)
    throws
  {
    let rows = clusteredMatrix(count: 5000, dimension: 16, seed: 30)
    let queries = gaussianMatrix(rowCount: 20, columnCount: 16, seed: 31)
    let index = try build(rows, metric)
    var generator = RandomGenerator(seed: 32)
    var filter = Bitmap(count: 5000)
    for row in 0..<5000 where generator.nextDouble() < 0.3 { filter[row] = true }
    for effort in [Effort.recall(0.9), .candidates(20)] {
      let batch = try index.search(queries, k: 7, allowing: filter, effort: effort)
      for query in 0..<20 {
        let single = try index.search(
          queries.selecting(rows: [query]), k: 7, allowing: filter, effort: effort)
        #expect(single[0] == batch[query])
      }
    }
  }

  @Test func `appended rows are among those that a filter lets through`() throws {
    let all = clusteredMatrix(count: 5600, dimension: 20, seed: 40)
    let index = try build(all.selecting(rows: 0..<5000))
      .appending(all.selecting(rows: 5000..<5600))
    let flat = try FlatIndex(all, metric: .cosine)
    let queries = all.selecting(rows: 5000..<5050)
    var filter = Bitmap(count: 5600)
    for row in 3000..<5600 { filter[row] = true }
    let truth = try flat.search(queries, k: 10, allowing: filter)
    let found = try index.search(queries, k: 10, allowing: filter, effort: .recall(0.95))
    #expect(recall(found, truth) >= 0.93)
    #expect(found.indices.allSatisfy { found[$0].first?.id == 5000 + $0 })
  }

  @Test func `a graph read back keeps its signs, and tells where they are damaged`() throws {
    let folder = try TemporaryFolder()
    let all = clusteredMatrix(count: 4540, dimension: 200, seed: 60)
    let rows = all.selecting(rows: 0..<4500)
    let queries = all.selecting(rows: 4500..<4540)
    let index = try build(rows)
    var filter = Bitmap(count: 4500)
    for row in 0..<4500 where row % 5 < 3 { filter[row] = true }
    func open(_ path: String) throws -> GraphIndex {
      try GraphIndex(
        from: Container(path: path, kind: "test", maximumVersion: 1), prefix: "", rows: rows)
    }
    func write(
      _ path: String, without prefix: String? = nil, _ change: (String, inout [UInt8]) -> Void
    )
      throws
    {
      let source = try Container(path: folder.path + "/graph", kind: "test", maximumVersion: 1)
      let writer = try ContainerWriter(path: path, kind: "test", version: 1)
      for name in source.blockNames where !name.hasPrefix(prefix ?? "?") {
        var bytes = Array(try source.array(name, of: UInt8.self))
        change(name, &bytes)
        try writer.write(name, bytes)
      }
      try writer.finish()
    }
    let writer = try ContainerWriter(path: folder.path + "/graph", kind: "test", version: 1)
    try index.write(to: writer, prefix: "")
    try writer.finish()
    let found = try index.search(queries, k: 10, allowing: filter, effort: .recall(0.95))
    #expect(
      try open(folder.path + "/graph")
        .search(queries, k: 10, allowing: filter, effort: .recall(0.95)) == found)

    // As a program wrote it that knew no signs.
    try write(folder.path + "/plain", without: "signs-") { name, bytes in
      guard name == "settings" else { return }
      let text = String(decoding: bytes, as: UTF8.self)
      bytes = Array(text.replacing(#""hasSigns":true"#, with: #""hasSigns":false"#).utf8)
    }
    let truth = try FlatIndex(rows, metric: .cosine).search(queries, k: 10, allowing: filter)
    let plain = try open(folder.path + "/plain")
    #expect(
      try recall(plain.search(queries, k: 10, allowing: filter, effort: .recall(0.95)), truth)
        >= 0.93)

    try write(folder.path + "/short") { name, bytes in
      if name == "signs-blocks" { bytes.removeLast(bytes.count / 2) }
    }
    #expect(throws: BasisError.self) { try open(folder.path + "/short") }
  }

  @Test func `thousands of equal rows are no trouble`() throws {
    let one = gaussianMatrix(rowCount: 1, columnCount: 8, seed: 50)
    let rows = one.selecting(rows: Array(repeating: 0, count: 5000))
    let index = try build(rows)
    var filter = Bitmap(count: 5000)
    for row in stride(from: 0, to: 5000, by: 2) { filter[row] = true }
    let found = try index.search(one, k: 10, allowing: filter, effort: .recall(0.9))
    #expect(found[0].count == 10 && found[0].allSatisfy { filter[$0.id] })
  }

  /// Chance, and rows around a query, and those far from it: so near or far from the queries of
  /// its cluster, and far from most of the others.
  private func filters(_ share: Double, _ order: [Int]) -> [(String, Bitmap)] {
    var generator = RandomGenerator(seed: 21)
    var random = Bitmap(count: order.count)
    for row in 0..<order.count where generator.nextDouble() < share { random[row] = true }
    let wanted = Int(Double(order.count) * share)
    var near = Bitmap(count: order.count)
    for row in order.prefix(wanted) { near[row] = true }
    var far = Bitmap(count: order.count)
    for row in order.suffix(wanted) { far[row] = true }
    return [("random", random), ("near", near), ("far", far)]
  }

  private func build(_ rows: Matrix, _ metric: Metric = .cosine) throws -> GraphIndex {
    var settings = GraphIndex.Settings()
    settings.groupSize = 100
    return try settings.build(rows, metric: metric)
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
