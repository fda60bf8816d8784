import BasisCodecs
import BasisCore
import BasisFormats
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
  /// How many rows there were.
  var count = 0
  /// Rows of a list, on average.
  var listSize = 1.0
  /// What one scanned code costs, as a share of one measured row.
  var scanCost = 0.05

  /// The cheapest plan whose measured recall reaches the target and a little more.
  ///
  /// - Parameters:
  ///   - share: of the rows that are allowed.
  ///   - now: how many rows there are by now: the more, the more of them come before a wanted one.
  func plan(recall target: Double, k: Int, share: Double, now: Int) -> InvertedListsIndex.Plan? {
    let growth = Double(max(now, count)) / Double(max(1, count))
    // Where one row in ten is allowed, the 10 nearest of them are among the 100 nearest of all.
    let wide = max(1, Int((Double(k) / share).rounded(.up)))
    guard let table = tables.first(where: { $0.k >= wide }) ?? tables.last else { return nil }
    let factor = max(1, (Double(wide) / Double(table.k)).rounded(.up))
    let wanted = target + 0.2 * (1 - target)
    var best: (cost: Double, plan: InvertedListsIndex.Plan)?
    for (row, probes) in probes.enumerated() {
      for (column, shortlist) in shortlists.enumerated() {
        guard table.recalls[row][column] >= wanted else { continue }
        // Of the rows that come first, more than their share may happen to be allowed.
        let expected = Double(shortlist) * factor * share * growth
        let slack = share < 1 ? 3 * expected.squareRoot() : 0
        let rows = max(k, Int((expected + slack).rounded(.up)))
        let cost = Double(probes) * listSize * scanCost + Double(rows)
        if best.map({ cost < $0.cost }) ?? true {
          best = (cost, .init(probes: probes, shortlist: rows))
        }
        break
      }
    }
    return best?.plan
  }

  /// How many rows are measured for an effort, of codes that are all scanned.
  ///
  /// - Parameters:
  ///   - least: the share of allowed rows up to which measuring them all takes less time.
  /// - Returns: nil for as many as it takes to be sure.
  /// - Throws: `.invalidArgument` for an effort out of range.
  func shortlist(for effort: Effort, k: Int, share: Double, above least: Double, now: Int)
    throws(BasisError) -> Int?
  {
    try effort.check("candidate")
    switch effort {
    case .exact: return nil
    case .candidates(let rows): return max(k, rows)
    case .recall(let target):
      guard k > 0, target < 1, share > least else { return nil }
      return plan(recall: target, k: k, share: share, now: now)?.shortlist
    }
  }

  /// A plan with so many probes, whose shortlist costs next to no recall.
  ///
  /// - Parameter now: how many rows there are by now.
  func plan(probes wanted: Int, k: Int, now: Int) -> InvertedListsIndex.Plan {
    let table = tables.first(where: { $0.k >= k }) ?? tables.last
    guard let table, let row = probes.lastIndex(where: { $0 <= wanted }) else {
      return .init(probes: wanted, shortlist: max(10 * k, 100))
    }
    let growth = Double(max(now, count)) / Double(max(1, count))
    let factor = growth * max(1, (Double(k) / Double(table.k)).rounded(.up))
    let reachable = table.recalls[row].max() ?? 1
    let column = table.recalls[row].firstIndex { $0 >= reachable - 0.001 } ?? 0
    return .init(probes: wanted, shortlist: max(k, Int(Double(shortlists[column]) * factor)))
  }
}

extension Calibration {
  /// Rising numbers to a limit, each some times the one before.
  static func ladder(to limit: Int, by factor: Double) -> [Int] {
    var steps = [1]
    while let last = steps.last, last < limit {
      steps.append(min(limit, max(last + 1, Int(Double(last) * factor))))
    }
    return steps
  }
}

extension InvertedListsIndex {
  /// Lets some rows play queries and looks where their true neighbours come in.
  func calibrated(in run: RunContext) throws(BasisError) -> Calibration {
    let truth = try CalibrationTruth(
      flat, queryCount: settings.calibrationQueries, in: run)
    guard let truth else { return Calibration() }
    let shortlists = Calibration.ladder(to: min(count, 5_000), by: 1.2)
    let homes = lists.homes()
    let ids = lists.ids.withUnsafeBufferPointer { Array($0) }
    let places = InvertedListsIndex(
      rows: rows, metric: metric, settings: settings, flat: flat, centroids: centroids, book: book,
      lists: lists.withPlaces())
    let scan = ListScan(
      index: places, queries: truth.queries, k: 1, allowed: nil,
      plan: Plan(probes: listCount, shortlist: shortlists.last ?? 1))
    var result = try truth.measured(
      probes: Calibration.ladder(to: listCount, by: 1.2), shortlists: shortlists, in: run
    ) { (range, met) in
      let walk = ListWalk(scan, range)
      walk.rankLists(inFull: true)
      walk.makeTables()
      walk.scan(tier: 0..<listCount)
      for query in range {
        let own = query - range.lowerBound
        var ranks = [Int](repeating: 0, count: listCount)
        for place in 0..<listCount { ranks[Int(walk.lists[own * listCount + place])] = place }
        met(
          query,
          walk.scan.smallest(own).sorted().map { key in
            let place = Int(UInt32(truncatingIfNeeded: key))
            return .init(id: Int(ids[place]), rank: ranks[Int(homes[place])])
          })
      }
    }
    result.listSize = Double(count * copies) / Double(listCount)
    result.scanCost = Double(book.parts) / Double(8 * (dimension + 100))
    return result
  }
}
