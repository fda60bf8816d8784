import BasisCodecs
import BasisCore
import BasisNumerics

/// What recall was measured at which effort, when an index was built.
struct Calibration: Sendable, Codable, Hashable {
  /// Recall by probes and shortlist, for one number of neighbours.
  struct Table: Sendable, Codable, Hashable {
    var k: Int
    /// A row per entry of `probes`, a column per entry of `shortlists`.
    var recalls: [[Double]]
  }

  var probes: [Int] = []
  var shortlists: [Int] = []
  /// By rising k.
  var tables: [Table] = []
  /// Rows of a list, on average.
  var listSize = 1.0
  /// What one scanned code costs, as a share of one measured row.
  var scanCost = 0.05

  /// The cheapest plan whose measured recall reaches the target and a little more.
  ///
  /// - Parameter share: of the rows that are allowed.
  func plan(recall target: Double, k: Int, share: Double) -> InvertedListsIndex.Plan? {
    // Where one row in ten is allowed, the 10 nearest of them are among the 100 nearest of all.
    let wide = max(1, Int((Double(k) / share).rounded(.up)))
    guard let table = tables.first(where: { $0.k >= wide }) ?? tables.last else { return nil }
    let factor = max(1, (Double(wide) / Double(table.k)).rounded(.up))
    let wanted = target + 0.1 * (1 - target)
    var best: (cost: Double, plan: InvertedListsIndex.Plan)?
    for (row, probes) in probes.enumerated() {
      for (column, shortlist) in shortlists.enumerated() {
        guard table.recalls[row][column] >= wanted else { continue }
        let rows = max(k, Int((Double(shortlist) * factor * share).rounded(.up)))
        let cost = Double(probes) * listSize * scanCost + Double(rows)
        if best.map({ cost < $0.cost }) ?? true {
          best = (cost, .init(probes: probes, shortlist: rows))
        }
        break
      }
    }
    return best?.plan
  }

  /// A plan with so many probes, whose shortlist costs next to no recall.
  func plan(probes wanted: Int, k: Int) -> InvertedListsIndex.Plan {
    let table = tables.first(where: { $0.k >= k }) ?? tables.last
    guard let table, let row = probes.lastIndex(where: { $0 <= wanted }) else {
      return .init(probes: wanted, shortlist: max(10 * k, 100))
    }
    let factor = max(1, (Double(k) / Double(table.k)).rounded(.up))
    let reachable = table.recalls[row].max() ?? 1
    let column = table.recalls[row].firstIndex { $0 >= reachable - 0.001 } ?? 0
    return .init(probes: wanted, shortlist: max(k, Int(Double(shortlists[column]) * factor)))
  }
}

extension InvertedListsIndex {
  private static let calibratedCounts = [1, 10, 100]

  /// Lets some rows play queries and looks where their true neighbours come in.
  ///
  /// A row does not count as its own neighbour.
  func calibrated(in run: RunContext) throws(BasisError) -> Calibration {
    var result = Calibration()
    result.listSize = Double(count) / Double(max(1, listCount))
    result.scanCost = Double(book.parts) / Double(8 * (dimension + 100))
    var generator = run.generator("rows that play queries")
    let sample = generator.sample(min(configuration.calibrationQueries, count), of: count)
    guard sample.count > 0, dimension > 0, count > 1 else { return result }
    result.probes = Self.ladder(to: listCount, by: 1.2)
    result.shortlists = Self.ladder(to: min(count, 10_000), by: 1.25)
    let queries = try flat.prepared(rows.selecting(rows: sample))
    let counts = Self.calibratedCounts.filter { $0 == 1 || $0 < count }
    let truth = try flat.search(queries, k: min(count, (counts.last ?? 1) + 1), in: run)
    let (probes, shortlists) = (result.probes, result.shortlists)
    let homes = lists.homes(count: count)
    let scan = ListScan(
      index: self, queries: queries, k: 1, allowed: nil,
      plan: Plan(probes: listCount, shortlist: shortlists.last ?? 1))
    let partial = try parallelMap(sample.count, grain: 16, in: run) {
      (_, range) throws(BasisError) -> [[[Double]]] in
      let walk = ListWalk(scan, range)
      walk.rankLists(inFull: true)
      walk.makeTables()
      walk.scan(tier: 0..<listCount)
      var sums = counts.map { _ in
        Array(repeating: Array(repeating: 0.0, count: shortlists.count), count: probes.count)
      }
      for query in range {
        let own = query - range.lowerBound
        var ranks = [Int](repeating: 0, count: listCount)
        for place in 0..<listCount { ranks[Int(walk.lists[own * listCount + place])] = place }
        // Nearest code first: which row, and how many lists have to be probed to meet it.
        let met = walk.scan.smallest(own).sorted().map { key in
          let id = Int(UInt32(truncatingIfNeeded: key))
          return Meeting(id: id, rank: ranks[Int(homes[id])])
        }.filter { $0.id != sample[query] }
        let wanted = truth[query].map(\.id).filter { $0 != sample[query] }
        for (table, k) in counts.enumerated() where !wanted.isEmpty {
          Self.add(met, Array(wanted.prefix(k)), probes, shortlists, to: &sums[table])
        }
      }
      return sums
    }
    for (table, k) in counts.enumerated() {
      var recalls = partial[0][table]
      for row in probes.indices {
        for column in shortlists.indices {
          let sum = partial.reduce(0) { $0 + $1[table][row][column] }
          recalls[row][column] = sum / Double(sample.count)
        }
      }
      result.tables.append(.init(k: k, recalls: recalls))
    }
    return result
  }

  /// Rising numbers to a limit, each some times the one before.
  private static func ladder(to limit: Int, by factor: Double) -> [Int] {
    var steps = [1]
    while let last = steps.last, last < limit {
      steps.append(min(limit, max(last + 1, Int(Double(last) * factor))))
    }
    return steps
  }

  private struct Meeting {
    var id: Int
    var rank: Int
  }

  /// Adds one query's recall of `wanted` at every effort.
  private static func add(
    _ met: [Meeting], _ wanted: [Int], _ probes: [Int], _ shortlists: [Int],
    to sums: inout [[Double]]
  ) {
    let wantedSet = Set(wanted)
    let marks = met.map { wantedSet.contains($0.id) }
    let share = 1 / Double(wanted.count)
    for (row, limit) in probes.enumerated() {
      var place = 0
      var hits = 0.0
      var column = 0
      for (index, meeting) in met.enumerated() where meeting.rank < limit {
        while column < shortlists.count, place >= shortlists[column] {
          sums[row][column] += hits
          column += 1
        }
        place += 1
        if marks[index] { hits += share }
      }
      while column < shortlists.count {
        sums[row][column] += hits
        column += 1
      }
    }
  }
}
