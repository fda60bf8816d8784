import BasisCore
import CBasisKernels

/// How far the mean of a row's group may be from a query, by how far the row is: measured with rows
/// as queries, so that a search through groups can tell what is not worth looking at, whatever rows
/// it may answer with.
///
/// A search that has found `k` rows as near as `d` misses a nearer one only if the mean of that
/// one's group is beyond ``distance(_:recall:)`` of `d`: for a share of rows that `recall` names.
struct GraphReach: Codable, Hashable, Sendable {
  /// Squared distances of rows, rising.
  var distances: [Float]
  /// For each of ``levels``, the squared distance of means that holds that share, rising too.
  var bounds: [[Float]]
  /// The share of all rows whose groups are looked at before nearest rows of these ranks are known,
  /// on average, at a recall of 0.95.
  var shares: [Double]

  static let levels = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995]
  private static let queryCount = 150
  /// Ranks of near rows, beside some random ones.
  private static let ranks = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 511]
  private static let farCount = 32
  private static let binCount = 16

  /// - Parameters:
  ///   - groups: each row's.
  ///   - sizes: of the groups.
  ///   - means: of the groups.
  init(
    _ rows: GraphCodes, groups: [UInt32], sizes: [Int], means: GraphCodes, in run: RunContext
  )
    throws(BasisError)
  {
    var generator = run.generator("graph.reach")
    let queries = generator.sample(min(Self.queryCount, rows.count), of: rows.count)
    let others = generator.sample(
      min(Self.farCount, rows.count), of: rows.count
    ).map { UInt32(truncatingIfNeeded: $0) }
    let found = try parallelMap(queries.count, grain: 1, in: run) {
      (index, _) throws(BasisError) -> [(row: Float, mean: Float)] in
      let query = UInt32(truncatingIfNeeded: queries[index])
      let near = Self.nearest(to: query, rows)
      let chosen = Self.ranks.filter { $0 < near.count }.map { near[$0] }
      return Self.pairs(query, chosen + others.filter { $0 != query }, rows, groups, means)
    }
    let measured = found.joined().sorted { $0.row < $1.row }
    distances = []
    shares = []
    bounds = Array(repeating: [], count: Self.levels.count)
    for bin in 0..<Self.binCount {
      let range = measured.count * bin / Self.binCount..<measured.count * (bin + 1) / Self.binCount
      guard !range.isEmpty else { continue }
      distances.append(measured[(range.lowerBound + range.upperBound) / 2].row)
      let means = measured[range].map(\.mean).sorted()
      for (level, share) in Self.levels.enumerated() {
        let bound = means[min(means.count - 1, Int(share * Double(means.count)))]
        bounds[level].append(max(bound, bounds[level].last ?? 0))
      }
    }
    shares = try Self.shares(queries, found, self, rows, sizes, means, in: run)
  }

  private static func shares(
    _ queries: [Int], _ found: [[(row: Float, mean: Float)]], _ reach: GraphReach,
    _ rows: GraphCodes, _ sizes: [Int], _ means: GraphCodes, in run: RunContext
  ) throws(BasisError) -> [Double] {
    let totals = try parallelMap(queries.count, grain: 1, in: run) {
      (index, _) throws(BasisError) -> [Double] in
      var source = rows.rows(edges: nil, pairs: false)
      var targets = means.rows(edges: nil, pairs: false)
      var codes = [Int8](repeating: 0, count: rows.width)
      var keys = [Float](repeating: 0, count: means.count)
      let all = (0..<means.count).map { UInt32(truncatingIfNeeded: $0) }
      var own: Float = 0
      codes.withUnsafeMutableBufferPointer { codes in
        var asked = rows.query(
          UInt32(truncatingIfNeeded: queries[index]), &source, into: codes.baseAddress)
        own = rows.squaredLength(asked)
        basis_graph_kernels().pointee.keys(&targets, &asked, all, all.count, &keys)
      }
      return ranks.indices.map { rank in
        guard rank < found[index].count else { return 1 }
        let limit = reach.distance(found[index][rank].row, level: (2, 0)) - own
        let inside = zip(keys, sizes).reduce(0) { $0 + ($1.0 <= limit ? $1.1 : 0) }
        return Double(inside) / Double(rows.count)
      }
    }
    return ranks.indices.map { rank in
      totals.reduce(0) { $0 + $1[rank] } / Double(max(1, totals.count))
    }
  }

  /// The share of all rows whose groups are looked at before this many nearest rows are known.
  func share(of rank: Double) -> Double {
    guard let above = Self.ranks.firstIndex(where: { Double($0) >= rank }) else {
      // Beyond what was measured, as the square root.
      let last = Double(Self.ranks.last ?? 1)
      return min(1, (shares.last ?? 1) * (rank / last).squareRoot())
    }
    return shares[above]
  }

  /// Squared distances of some rows and of the means of their groups.
  private static func pairs(
    _ query: UInt32, _ chosen: [UInt32], _ rows: GraphCodes, _ groups: [UInt32],
    _ means: GraphCodes
  ) -> [(row: Float, mean: Float)] {
    let kernels = basis_graph_kernels().pointee
    var source = rows.rows(edges: nil, pairs: false)
    var targets = means.rows(edges: nil, pairs: false)
    var codes = [Int8](repeating: 0, count: rows.width)
    var near = [Float](repeating: 0, count: chosen.count)
    var far = near
    let of = chosen.map { groups[Int($0)] }
    var own: Float = 0
    codes.withUnsafeMutableBufferPointer { codes in
      var asked = rows.query(query, &source, into: codes.baseAddress)
      own = rows.squaredLength(asked)
      kernels.keys(&source, &asked, chosen, chosen.count, &near)
      kernels.keys(&targets, &asked, of, of.count, &far)
    }
    return zip(near, far).filter { $0.isFinite && $1.isFinite }
      .map { (max(0, $0 + own), max(0, $1 + own)) }
  }

  /// The nearest rows but for itself, as many as ``ranks`` asks for.
  private static func nearest(to query: UInt32, _ rows: GraphCodes) -> [UInt32] {
    var source = rows.rows(edges: nil, pairs: rows.hasPairs)
    var bytes = rows.rows(edges: nil, pairs: false)
    var codes = [Int8](repeating: 0, count: rows.width)
    var scratch = [Float](repeating: 0, count: 256)
    var entries = [UInt64](repeating: 0, count: min(rows.count, (ranks.last ?? 0) + 2))
    codes.withUnsafeMutableBufferPointer { codes in
      var asked = rows.query(query, &bytes, into: codes.baseAddress)
      basis_graph_kernels().pointee.nearest(
        &source, rows.count, &asked, entries.count, &scratch, &entries)
    }
    return entries.filter { $0 != .max }.map { UInt32(truncatingIfNeeded: $0) >> 1 }
      .filter { $0 != query }
  }

  /// The squared distance beyond which the means of no groups need be looked at, once `k` rows at
  /// most `distance` away are known; infinite for a recall that was not measured.
  func distance(_ distance: Float, level: (lower: Int, share: Float)) -> Float {
    guard let last = distances.last, distance <= last else { return .infinity }
    func bound(_ values: [Float]) -> Float {
      guard let above = distances.firstIndex(where: { $0 >= distance }) else { return .infinity }
      guard above > 0 else { return values[0] }
      let (a, b) = (distances[above - 1], distances[above])
      let share = b > a ? (distance - a) / (b - a) : 1
      return values[above - 1] + share * (values[above] - values[above - 1])
    }
    let low = bound(bounds[level.lower])
    guard level.share > 0 else { return low }
    return low + level.share * (bound(bounds[level.lower + 1]) - low)
  }

  /// Where a recall is among ``levels``; nil beyond them.
  static func level(of recall: Double) -> (lower: Int, share: Float)? {
    guard recall <= levels[levels.count - 1] else { return nil }
    guard let above = levels.firstIndex(where: { $0 >= recall }), above > 0 else { return (0, 0) }
    let share = (recall - levels[above - 1]) / (levels[above] - levels[above - 1])
    return (above - 1, Float(share))
  }

  /// What a file may say, and searches rely on.
  var isSound: Bool {
    shares.count == Self.ranks.count && shares.allSatisfy { (0...1).contains($0) }
      && bounds.count == Self.levels.count && bounds.allSatisfy { $0.count == distances.count }
      && (distances + bounds.joined()).allSatisfy { $0.isFinite && $0 >= 0 }
  }
}
