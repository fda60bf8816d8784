import BasisCodecs
import BasisCore
import BasisFormats

/// How many rows had to be listed so that nineteen in twenty queries could prove their `k` nearest.
struct ProofSize: Sendable, Codable, Hashable {
  var k: Int
  var shortlist: Int
}

/// One search of a ``QuantizedFlatIndex``.
struct QuantizedScan: Sendable {
  let flat: FlatIndex
  let codes: any ScannedCodes
  /// As they were given, and as they are measured.
  let asked: Matrix
  let queries: Matrix
  let k: Int
  let allowed: Bitmap?

  private var possible: Int { min(k, allowed?.population ?? flat.count) }

  /// Queries of one task of a parallel search.
  private static func grain(_ codes: any ScannedCodes, _ count: Int, _ run: RunContext) -> Int {
    min(type(of: codes).grain, max(16, (count + run.threadLimit - 1) / run.threadLimit))
  }

  /// The best of the rows whose codes are nearest.
  func search(shortlist: Int, in run: RunContext) throws(BasisError) -> [[Neighbor]] {
    let found = try parallelMap(
      queries.rowCount, grain: Self.grain(codes, queries.rowCount, run), in: run
    ) { (_, range) throws(BasisError) -> [[Neighbor]] in
      var found: [[Neighbor]] = []
      found.reserveCapacity(range.count)
      try codes.candidates(queries, range, wanted: shortlist, allowed: allowed, in: run) {
        (query, near) throws(BasisError) in
        let neighbors = flat.nearest(near.keys, to: queries, query, k: k)
        if neighbors.count < possible {
          found += try flat.search(
            asked.selecting(rows: [query]), k: k, allowing: allowed, in: RunContext(threadLimit: 1))
        } else {
          found.append(neighbors)
        }
      }
      try flat.block?.check()
      return found
    }
    return found.flatMap { $0 }
  }

  /// The nearest rows for certain: a list of codes is long enough once the next code cannot belong
  /// to a row that is as near as the `k`-th of the list.
  ///
  /// - Parameter first: the length to start from; nil to compare all rows.
  func prove(from first: Int?, in run: RunContext) throws(BasisError) -> [[Neighbor]] {
    var answers = [[Neighbor]](repeating: [], count: queries.rowCount)
    var open = Array(0..<queries.rowCount)
    var shortlist = first ?? .max
    while !open.isEmpty, shortlist <= flat.count / 8 {
      let some =
        open.count == queries.rowCount ? queries : queries.selecting(rows: open)
      let length = shortlist
      let found = try parallelMap(
        open.count, grain: Self.grain(codes, open.count, run), in: run
      ) { (_, range) throws(BasisError) -> [[Neighbor]?] in
        var found: [[Neighbor]?] = []
        found.reserveCapacity(range.count)
        try codes.candidates(some, range, wanted: length, allowed: allowed, in: run) {
          (query, near) in
          let neighbors = flat.nearest(near.keys, to: some, query, k: k)
          found.append(isProven(neighbors, near, length) ? neighbors : nil)
        }
        try flat.block?.check()
        return found
      }
      var next: [Int] = []
      for (query, neighbors) in zip(open, found.joined()) {
        if let neighbors { answers[query] = neighbors } else { next.append(query) }
      }
      open = next
      shortlist *= 8
    }
    let rest = try flat.search(
      open.count == asked.rowCount ? asked : asked.selecting(rows: open), k: k, allowing: allowed,
      in: run)
    for (query, neighbors) in zip(open, rest) { answers[query] = neighbors }
    return answers
  }

  private func isProven(_ neighbors: [Neighbor], _ near: NearCodes, _ length: Int) -> Bool {
    guard neighbors.count == possible else { return false }
    // All rows are listed, or none is wanted.
    guard near.keys.count == length, let worst = neighbors.last else { return true }
    guard let bound = near.bound, let last = near.keys.max() else { return false }
    return worst.distance < bound.leastDistance(of: last)
  }

  // MARK: What was measured when the index was built

  private static func calibration(
    _ flat: FlatIndex, _ codes: any ScannedCodes, _ truth: CalibrationTruth
  ) -> QuantizedScan {
    QuantizedScan(
      flat: flat, codes: codes, asked: truth.queries, queries: truth.queries, k: 1, allowed: nil)
  }

  /// Where true neighbours come in among the nearest codes.
  static func calibrate(
    _ flat: FlatIndex, _ codes: any ScannedCodes, _ truth: CalibrationTruth, in run: RunContext
  ) throws(BasisError) -> Calibration {
    let shortlists = Calibration.ladder(to: min(flat.count, 5_000), by: 1.2)
    return try truth.measured(probes: [1], shortlists: shortlists, in: run) {
      (range, met) throws(BasisError) in
      try codes.candidates(
        truth.queries, range, wanted: shortlists.last ?? 1, allowed: nil, in: run
      ) { (query, near) in
        met(
          query, near.keys.sorted().map { .init(id: Int(UInt32(truncatingIfNeeded: $0)), rank: 0) })
      }
    }
  }

  /// How long lists must be for proofs; none where codes have no bound.
  static func proofSizes(
    _ flat: FlatIndex, _ codes: any ScannedCodes, _ truth: CalibrationTruth, in run: RunContext
  ) throws(BasisError) -> [ProofSize] {
    let longest = min(flat.count, 2_000)
    let sizes = [1, 10, 100].filter { $0 <= longest }
    let found = try parallelMap(truth.queries.rowCount, grain: 16, in: run) {
      (_, range) throws(BasisError) -> [[Int]?] in
      var found: [[Int]?] = []
      try codes.candidates(truth.queries, range, wanted: longest, allowed: nil, in: run) {
        (query, near) in
        guard let bound = near.bound else { return found.append(nil) }
        // Of the nearest codes first, as a search with a shorter list would have met them.
        var keys = near.keys
        keys.sort()
        let leasts = keys.map { bound.leastDistance(of: $0) }
        let distances = flat.distances(keys, to: truth.queries, query)
        found.append(
          sizes.map { k in
            var best = TopK(k: k)
            for place in leasts.indices {
              best.offer(Neighbor(id: place, distance: distances[place]))
              if place + 1 >= k, best.threshold < leasts[place] { return place + 1 }
            }
            return longest
          })
      }
      return found
    }
    let lists = found.joined().compactMap { $0 }
    guard !lists.isEmpty else { return [] }
    return sizes.indices.map { size in
      let lengths = lists.map { $0[size] }.sorted()
      return ProofSize(k: sizes[size], shortlist: lengths[lengths.count * 19 / 20])
    }
  }
}

extension FlatIndex {
  /// The distances of some rows, given as keys, to a query.
  func distances(_ keys: UnsafeMutableBufferPointer<UInt64>, to queries: Matrix, _ query: Int)
    -> [Float]
  {
    let scorer = queries.withRow(query) { QueryScorer($0, metric: metric) }
    let ids = keys.map { UInt32(truncatingIfNeeded: $0) }
    return [Float](unsafeUninitializedCapacity: ids.count) { out, count in
      count = ids.count
      guard let out = out.baseAddress else { return }
      rows.withUnsafeFloats { rows in
        guard let rows = rows.baseAddress else { return }
        inverseNorms.withUnsafeBufferPointer { inverseNorms in
          ids.withUnsafeBufferPointer { ids in
            scorer.distances(
              to: rows, ids: ids, stride: dimension, inverseNorms: inverseNorms.baseAddress,
              into: out)
          }
        }
      }
    }
  }
}
