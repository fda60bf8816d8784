public import BasisCore
import BasisNumerics
import BasisSearch

/// A pool to choose from, and the few rows that the choice is for.
public struct PoolAndTarget: MethodInput {
  public static let description = "a pool and a target, or a matrix with label 0 for the pool"

  /// `n × d`, finite.
  public let pool: Matrix
  /// `m × d`, finite.
  public let target: Matrix
  /// The number of each row of the pool in what was given.
  private let places: [Int]
  /// Rows of what was given that are of the target.
  let targetCountInside: Int

  /// - Throws: `.dimensionMismatch` for rows of different dimensions.
  public init(pool: Matrix, target: Matrix) throws(BasisError) {
    try self.init(pool, target, places: Array(0..<pool.rowCount), inside: 0)
  }

  private init(_ pool: Matrix, _ target: Matrix, places: [Int], inside: Int) throws(BasisError) {
    guard pool.columnCount == target.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the pool has \(pool.columnCount) columns, the target \(target.columnCount); give rows of one space"
      )
    }
    (self.pool, self.target) = (pool, target)
    (self.places, targetCountInside) = (places, inside)
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    if parts.matrices.count == 2 {
      let both = try parts.matrices(2, Self.description, for: method)
      try self.init(pool: both[0], target: both[1])
      return
    }
    let rows = try parts.matrices(1, Self.description, for: method)[0]
    guard let labels = parts.labels else {
      throw BasisError(.invalidArgument, "'\(method)' takes \(Self.description); give --labels")
    }
    let labeled = try LabeledRows(rows, labels: labels)
    let inPool = labels.indices.filter { labels[$0] == 0 }
    let inTarget = labels.indices.filter { labels[$0] != 0 }
    try self.init(
      labeled.rows.selecting(rows: inPool), labeled.rows.selecting(rows: inTarget), places: inPool,
      inside: inTarget.count)
  }

  /// Rows of the pool as rows of what was given.
  public func given(_ rows: [Int]) -> [Int] { rows.map { places[$0] } }
}

/// Keeps the rows of a large pool that are most like a small target, and finds out how many to keep.
///
/// The target is summed up by the directions of its clusters. In each round every direction takes the row of the
/// pool that is nearest to it and not taken yet; the mean of these similarities falls from round to round, and the
/// choice ends before the first round in which it is below a share of what it was in an early one. That is greedy
/// facility location, many rows at a time.
///
/// Kim, Bae & Yun, *Coreset Sampling from Open-Set for Fine-Grained Self-Supervised Learning*, CVPR 2023,
/// arXiv:2303.11101, equation 2 and algorithm 1.
///
/// - Note: Where the similarity at which the choice should end is not positive there is no such share, and the choice
///   ends there. Rows of zeros have no direction; they are never taken.
public struct SimCore: Selector {
  /// Directions that the target is summed up by, at least 1; each of its rows, where it has no more.
  public var centroidCount: Int
  /// The share of the early round's mean similarity, above 0 and at most 1, below which the choice ends.
  public var stopShare: Double
  /// The early round, from 1.
  public var patience: Int
  /// At most so many rows for each of the target, at least 1.
  public var cap: Int
  /// The share of the pool to keep, above 0 and at most 1, in place of the rule by similarity; nil for that.
  public var fraction: Double?

  public init(
    centroidCount: Int = 100, stopShare: Double = 0.95, patience: Int = 20, cap: Int = 50,
    fraction: Double? = nil
  ) {
    self.centroidCount = centroidCount
    self.stopShare = stopShare
    self.patience = patience
    self.cap = cap
    self.fraction = fraction
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    centroidCount = try values.decodeIfPresent(Int.self, forKey: .centroidCount) ?? centroidCount
    stopShare = try values.decodeIfPresent(Double.self, forKey: .stopShare) ?? stopShare
    patience = try values.decodeIfPresent(Int.self, forKey: .patience) ?? patience
    cap = try values.decodeIfPresent(Int.self, forKey: .cap) ?? cap
    fraction = try values.decodeIfPresent(Double.self, forKey: .fraction)
  }

  /// What was taken, in its order.
  public struct Trace: Sendable, Hashable {
    public struct Pick: Sendable, Hashable {
      /// Of the pool.
      public var row: Int
      /// From 1.
      public var round: Int
      /// The first direction that wanted it in this round.
      public var center: Int
      /// The cosine, −1 … 1.
      public var similarity: Double
    }

    public var picks: [Pick] = []
    /// The mean similarity of each round, the one that was not taken any more included.
    public var values: [Double] = []
    /// Whether similarity ended the choice, and not the number of rows.
    public var isStopped = false
  }

  /// - Parameters:
  ///   - input: at least one row of the target.
  ///   - run: the seed starts the clusters, and thins the last round where it has more rows than are wanted.
  /// - Returns: the rows kept, rising; ``trace(_:in:)`` has their order and similarity.
  /// - Throws: as ``trace(_:in:)``.
  public func select(_ input: PoolAndTarget, in run: RunContext) throws(BasisError) -> Selection {
    selection(try trace(input, in: run), of: input)
  }

  /// What a trace of these settings keeps.
  ///
  /// - Parameters:
  ///   - trace: of ``trace(_:in:)``.
  ///   - input: what it is of.
  public func selection(_ trace: Trace, of input: PoolAndTarget) -> Selection {
    let picks = trace.picks.sorted { $0.row < $1.row }
    var groups = [
      Selection.Group("pool", count: input.pool.rowCount, keptCount: picks.count)
    ]
    if input.targetCountInside > 0 {
      groups.append(.init("target", count: input.targetCountInside, keptCount: 0))
    }
    var warnings: [String] = []
    if fraction == nil, !trace.isStopped {
      warnings.append(
        picks.count == input.pool.rowCount
          ? "the whole pool is like the target, by this rule; a higher stopShare keeps less"
          : "the cap ended the choice, not similarity; a higher stopShare, or more of the target, says more"
      )
    }
    return Selection(
      input.given(picks.map(\.row)), groupKind: "part", groups: groups, warnings: warnings)
  }

  /// What is taken, and from round to round how like the target it is.
  ///
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` without a row of the target, and for rows of it
  ///   without a direction; `.cancelled`.
  /// - Complexity: O(*n* · centroids · *d*), a few times where many rows are taken; memory is that of the nearest rows
  ///   of each direction.
  public func trace(_ input: PoolAndTarget, in run: RunContext) throws(BasisError) -> Trace {
    guard centroidCount >= 1, stopShare > 0, stopShare <= 1, patience >= 1, cap >= 1,
      fraction.map({ $0 > 0 && $0 <= 1 }) ?? true
    else {
      throw BasisError(
        .invalidArgument,
        "simcore: centroids, patience and cap are at least 1, the stop share and the fraction above 0 and at "
          + "most 1; got \(centroidCount), \(patience), \(cap), \(stopShare) and "
          + "\(fraction.map { "\($0)" } ?? "none")")
    }
    let target = input.target.withUnitRows()
    guard target.rowCount > 0 else {
      throw BasisError(.badData, "simcore: the target has no rows; give some to be like")
    }
    for row in 0..<target.rowCount where target.row(row).allSatisfy({ $0 == 0 }) {
      throw BasisError(
        .badData,
        "simcore: row \(row) of the target is all zeros and has no direction; leave it out")
    }
    try run.checkCancelled()
    var centers = target
    if centroidCount < target.rowCount {
      centers = try KMeans(clusterCount: centroidCount).fit(target, in: run.silent).centroids
        .withUnitRows()
    }
    let budget =
      fraction.map { Int(($0 * Double(input.pool.rowCount)).rounded(.down)) }
      ?? cap * input.target.rowCount
    let index = try FlatIndex(input.pool, metric: .cosine)
    let allowed = Self.withDirection(input.pool)
    return try rounds(centerCount: centers.rowCount, budget: budget, in: run) {
      (depth) throws(BasisError) in
      try index.search(centers, k: depth, allowing: allowed, in: run)
    }
  }

  /// The rows that are not zero; nil where all are not.
  private static func withDirection(_ pool: Matrix) -> Bitmap? {
    let zeros = (0..<pool.rowCount).filter { row in
      pool.withRow(row) { $0.allSatisfy { $0 == 0 } }
    }
    guard !zeros.isEmpty else { return nil }
    var bitmap = Bitmap(count: pool.rowCount, all: true)
    for row in zeros { bitmap[row] = false }
    return bitmap
  }

  /// - Parameters:
  ///   - budget: rows at most.
  ///   - lists: for each direction the rows nearest to it by the cosine, so many or all.
  func rounds(
    centerCount: Int, budget: Int, in run: RunContext,
    lists: (Int) throws(BasisError) -> [[Neighbor]]
  ) throws(BasisError) -> Trace {
    var trace = Trace()
    var taken: Set<Int> = []
    var places = [Int](repeating: 0, count: centerCount)
    var depth = 64
    var nearest = try lists(depth)
    var threshold = -Double.infinity
    while trace.picks.count < budget {
      try run.checkCancelled()
      var round: [Trace.Pick] = []
      var sum = 0.0
      for center in 0..<centerCount {
        while true {
          while places[center] < nearest[center].count,
            taken.contains(nearest[center][places[center]].id)
          {
            places[center] += 1
          }
          guard places[center] >= nearest[center].count, nearest[center].count >= depth else {
            break
          }
          depth *= 4
          nearest = try lists(depth)
        }
        // The pool has run dry.
        guard places[center] < nearest[center].count else { return trace }
        let found = nearest[center][places[center]]
        let similarity = 1 - Double(found.distance)
        sum += similarity
        if !round.contains(where: { $0.row == found.id }) {
          round.append(
            .init(
              row: found.id, round: trace.values.count + 1, center: center,
              similarity: similarity))
        }
      }
      let value = sum / Double(centerCount)
      trace.values.append(value)
      if fraction == nil {
        if trace.values.count == patience { threshold = value > 0 ? stopShare * value : .infinity }
        if value < threshold {
          trace.isStopped = true
          return trace
        }
      }
      let room = budget - trace.picks.count
      if round.count > room {
        var generator = run.generator("last round")
        round = generator.sample(room, of: round.count).map { round[$0] }
      }
      trace.picks += round
      taken.formUnion(round.map(\.row))
    }
    return trace
  }
}

/// Rows that stand for targets: the sum over targets of the similarity to the nearest chosen row.
///
/// Monotone and submodular, so that greedy choice reaches 1 − 1/e of the best. Lazy: a gain is computed again only
/// where an old one says that it may be the largest. Minoux, *Accelerated greedy algorithms for maximizing
/// submodular set functions*, 1978, doi:10.1007/BFb0006528.
public struct FacilityLocation: Settings {
  /// At least 1.
  public var count: Int

  public init(count: Int) { self.count = count }

  /// - Parameters:
  ///   - similarities: targets × rows; what is below 0 counts as 0.
  ///   - run: threads and cancellation.
  /// - Returns: the rows in the order in which they were chosen, at most as many as there are.
  /// - Throws: `.badData` naming row and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(targets · rows · count) at worst, mostly far less.
  public func select(_ similarities: Matrix, in run: RunContext) throws(BasisError) -> [Int] {
    try similarities.requireFinite("the similarities")
    var best = [Float](repeating: 0, count: similarities.rowCount)
    func gain(_ row: Int) -> Double {
      var sum = 0.0
      for target in best.indices { sum += Double(max(0, similarities[target, row] - best[target])) }
      return sum
    }
    var bounds = (0..<similarities.columnCount).map { gain($0) }
    var left = Array(bounds.indices)
    var chosen: [Int] = []
    while chosen.count < count, !left.isEmpty {
      try run.checkCancelled()
      left.sort { (bounds[$1], $0) < (bounds[$0], $1) }
      var top = (place: 0, gain: -1.0)
      for (place, row) in left.enumerated() {
        guard bounds[row] > top.gain else { break }
        bounds[row] = gain(row)
        if bounds[row] > top.gain { top = (place, bounds[row]) }
      }
      let row = left.remove(at: top.place)
      chosen.append(row)
      for target in best.indices { best[target] = max(best[target], similarities[target, row]) }
    }
    return chosen
  }

  /// The sum over targets of the similarity to the nearest of these rows.
  public static func value(_ similarities: Matrix, of rows: some Sequence<Int>) -> Double {
    var best = [Float](repeating: 0, count: similarities.rowCount)
    for row in rows {
      for target in best.indices { best[target] = max(best[target], similarities[target, row]) }
    }
    return best.reduce(0) { $0 + Double($1) }
  }
}
