import BasisCodecs
public import BasisCore

extension BiGranularIndex: ApproximateIndex {
  /// The nearest rows to each query, as far as the effort finds them; candidates are rows that are
  /// read.
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap?, effort: Effort, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    try searchCounting(queries, k: k, allowing: allowed, effort: effort, in: run).neighbors
  }

  /// Answers, and what they took.
  public struct Answer: Sendable {
    public var neighbors: [[Neighbor]]
    /// Rows that were read from the file, of all queries together.
    public var rowsRead = 0
    /// Calls of the system in which they were read.
    public var reads = 0
  }

  /// As ``search(_:k:allowing:effort:in:)``, and counts what was read.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite.
  ///   - k: at least 0.
  ///   - allowed: the rows that may be answered, or nil for all.
  ///   - effort: how hard to look; so many candidates read at most as many rows a query, or `k`.
  ///   - run: seed, threads and cancellation.
  /// - Throws: as ``search(_:k:allowing:effort:in:)``; `.corruptFile` for a row that is not the one
  ///   that its code was made of; `.inputOutput`.
  public func searchCounting(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap? = nil, effort: Effort = .recall(0.95),
    in run: RunContext = RunContext()
  ) throws(BasisError) -> Answer {
    try checkSearch(k: k, allowing: allowed)
    try checkQueries(queries, dimension: dimension)
    try run.checkCancelled()
    let shortlist = try shortlist(for: effort, k: k, allowing: allowed)
    let possible = min(k, allowed?.population ?? count)
    guard possible > 0, queries.rowCount > 0 else {
      return Answer(neighbors: Array(repeating: [], count: queries.rowCount))
    }
    let measured = metric.measured(queries)
    guard let shortlist, shortlist < allowed?.population ?? count else {
      return try measureAll(measured, 0..<queries.rowCount, k: possible, allowed, in: run)
    }
    let parts = try parallelMap(queries.rowCount, grain: 16, in: run) {
      (_, range) throws(BasisError) -> Answer in
      var answer = Answer(neighbors: [])
      try codes.candidates(measured, range, wanted: shortlist, allowed: allowed, in: run) {
        (query, near) throws(BasisError) in
        let ids = near.keys.map { Int(UInt32(truncatingIfNeeded: $0)) }.sorted()
        let (rows, calls) = try read(ids)
        answer.rowsRead += ids.count
        answer.reads += calls
        var best = TopK(k: possible)
        offer(rows, ids, to: &best, measured, query)
        let neighbors = best.sorted()
        if neighbors.count < possible {
          // Some scores were not numbers.
          answer.add(
            try measureAll(
              measured, query..<query + 1, k: possible, allowed, in: RunContext(threadLimit: 1)))
        } else {
          answer.neighbors.append(neighbors)
        }
      }
      return answer
    }
    var answer = Answer(neighbors: [])
    for part in parts { answer.add(part) }
    return answer
  }

  /// How many rows are read for an effort.
  ///
  /// - Parameters:
  ///   - effort: how hard to look.
  ///   - k: how many neighbours are wanted.
  ///   - allowed: the rows that may be answered, or nil for all.
  /// - Returns: nil for all of them.
  /// - Throws: `.invalidArgument` for an effort out of range.
  public func shortlist(for effort: Effort, k: Int, allowing allowed: Bitmap? = nil)
    throws(BasisError) -> Int?
  {
    try calibration.shortlist(
      for: effort, k: k, share: share(of: allowed), above: 0, now: count)
  }

  /// Reads every allowed row.
  private func measureAll(
    _ queries: Matrix, _ range: Range<Int>, k: Int, _ allowed: Bitmap?, in run: RunContext
  ) throws(BasisError) -> Answer {
    var best = range.map { _ in TopK(k: k) }
    var answer = Answer(neighbors: [])
    for first in stride(from: 0, to: count, by: 4096) {
      try run.checkCancelled()
      let ids = (first..<min(count, first + 4096)).filter { allowed?[$0] ?? true }
      guard !ids.isEmpty else { continue }
      let (rows, calls) = try read(ids)
      answer.rowsRead += ids.count
      answer.reads += calls
      let before = best
      let found = try parallelMap(range.count, grain: 16, in: run) {
        (_, part) throws(BasisError) -> [TopK] in
        part.map { place in
          var own = before[place]
          offer(rows, ids, to: &own, queries, range.lowerBound + place)
          return own
        }
      }
      best = found.flatMap { $0 }
    }
    answer.neighbors = best.map { $0.sorted() }
    return answer
  }

  /// Measures rows as ``FlatIndex`` does.
  private func offer(
    _ rows: Matrix, _ ids: [Int], to best: inout TopK, _ queries: Matrix, _ query: Int
  ) {
    let scorer = queries.withRow(query) { QueryScorer($0, metric: metric) }
    let inverseNorms = ids.indices.map { place in
      rows.withRow(place) { row in
        let norm = metric == .cosine ? euclideanNorm(row) : 0
        return norm > 0 ? 1 / norm : 0
      }
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: ids.count) { distances in
      guard let out = distances.baseAddress else { return }
      rows.withUnsafeFloats { rows in
        inverseNorms.withUnsafeBufferPointer { inverseNorms in
          guard let rows = rows.baseAddress, let inverseNorms = inverseNorms.baseAddress else {
            return
          }
          scorer.distances(
            to: rows, rowCount: ids.count, stride: dimension, inverseNorms: inverseNorms, into: out)
        }
      }
      for (place, id) in ids.enumerated() where distances[place] <= best.threshold {
        best.offer(Neighbor(id: id, distance: distances[place]))
      }
    }
  }
}

extension BiGranularIndex.Answer {
  fileprivate mutating func add(_ other: Self) {
    neighbors += other.neighbors
    rowsRead += other.rowsRead
    reads += other.reads
  }
}
