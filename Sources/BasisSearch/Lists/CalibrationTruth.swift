import BasisCore

/// Rows of an index that play queries, every other one as ``CalibrationQueries`` draws it towards
/// another row, and what they should find. The rows that a query is made of do not count as its
/// neighbours.
struct CalibrationTruth: Sendable {
  let queries: Matrix
  /// The rows that a query is made of.
  private let sources: [(Int, Int)]
  private let nearest: [[Int]]
  private let counts: [Int]
  private let rowCount: Int

  /// Nil where there is nothing to measure.
  init?(_ flat: FlatIndex, queryCount: Int, in run: RunContext) throws(BasisError) {
    guard queryCount > 0, flat.count > 1, flat.dimension > 0 else { return nil }
    var generator = run.generator("rows that play queries")
    let sample = generator.sample(min(queryCount, flat.count), of: flat.count)
    let partners = sample.map { _ in generator.nextInt(below: flat.count) }
    sources = sample.indices.map { (sample[$0], $0 % 2 == 0 ? sample[$0] : partners[$0]) }
    rowCount = flat.count
    let plain = flat.metric.measured(flat.rows.selecting(rows: sample))
    let mixed = CalibrationQueries.between(
      plain, flat.rows.selecting(rows: partners), metric: flat.metric, &generator)
    queries = Matrix(rowCount: sample.count, columnCount: flat.dimension) { out in
      for query in sample.indices {
        (query % 2 == 0 ? plain : mixed).withRow(query) { row in
          for column in row.indices { out[query * flat.dimension + column] = row[column] }
        }
      }
    }
    counts = [1, 10, 100].filter { $0 == 1 || $0 < flat.count }
    let found = try flat.search(
      queries, k: min(flat.count, (counts.last ?? 1) + 2), in: run)
    nearest = zip(sources, found).map { own, ranking in
      ranking.map(\.id).filter { $0 != own.0 && $0 != own.1 }
    }
  }

  /// A row that a query met, and how many lists had to be probed before. A row in two lists is met
  /// in each.
  struct Meeting {
    var id: Int
    var rank: Int
  }

  /// Recall at every effort.
  ///
  /// - Parameters:
  ///   - meet: gives what some of the queries meet, the nearest code first, to its second argument.
  func measured(
    probes: [Int], shortlists: [Int], in run: RunContext,
    _ meet: @Sendable (Range<Int>, _ met: (Int, [Meeting]) -> Void) throws(BasisError) -> Void
  ) throws(BasisError) -> Calibration {
    let partial = try parallelMap(sources.count, grain: 16, in: run) {
      (_, range) throws(BasisError) -> [[[[Double]]]] in
      let none = Array(
        repeating: Array(repeating: 0.0, count: shortlists.count), count: probes.count)
      var sums = Array(repeating: counts.map { _ in none }, count: 2)
      try meet(range) { query, met in
        let own = sources[query]
        add(
          met.filter { $0.id != own.0 && $0.id != own.1 }, nearest[query], probes, shortlists,
          to: &sums[query % 2])
      }
      return sums
    }
    var result = Calibration()
    result.count = rowCount
    result.probes = probes
    result.shortlists = shortlists
    for (table, k) in counts.enumerated() {
      // Of rows, and of what lies between rows: what is promised holds for either.
      var recalls = partial[0][0][table]
      for row in probes.indices {
        var sums = [0.0, 0.0]
        for column in shortlists.indices {
          // A row that a shortlist has is in the longer ones too.
          for kind in sums.indices {
            sums[kind] += partial.reduce(0) { $0 + $1[kind][table][row][column] }
          }
          let between = sources.count / 2
          recalls[row][column] = min(
            sums[0] / Double(sources.count - between),
            between > 0 ? sums[1] / Double(between) : 1)
        }
      }
      result.tables.append(.init(k: k, recalls: recalls))
    }
    return result
  }

  /// Adds one query's recall of its nearest 1, 10... rows where the effort begins to suffice.
  private func add(
    _ met: [Meeting], _ wanted: [Int], _ probes: [Int], _ shortlists: [Int],
    to sums: inout [[[Double]]]
  ) {
    guard !wanted.isEmpty else { return }
    var order: [Int: Int] = [:]
    for (place, id) in wanted.enumerated() { order[id] = place }
    let marks = met.indices.filter { order[met[$0].id] != nil }
    let places = marks.map { order[met[$0].id] ?? 0 }
    let ranks = met.map(\.rank)
    var isFound = [Bool](repeating: false, count: wanted.count)
    for (row, limit) in probes.enumerated() {
      for place in wanted.indices { isFound[place] = false }
      // How many rows come before each wanted one, in the lists that are probed.
      var before = 0
      var start = 0
      for (mark, index) in marks.enumerated() {
        ranks.withUnsafeBufferPointer { ranks in
          for other in start..<index where ranks[other] < limit { before += 1 }
        }
        start = index
        guard ranks[index] < limit, !isFound[places[mark]],
          let column = shortlists.firstIndex(where: { $0 > before })
        else { continue }
        isFound[places[mark]] = true
        for (table, k) in counts.enumerated() where places[mark] < k {
          sums[table][row][column] += 1 / Double(min(k, wanted.count))
        }
      }
    }
  }
}
