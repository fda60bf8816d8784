public import BasisCore
import BasisNumerics
import Foundation

/// How unlike each two of some things are: a representational dissimilarity matrix without its diagonal
/// and its lower half.
///
/// Kriegeskorte, Mur & Bandettini, *Representational similarity analysis*, Frontiers in Systems
/// Neuroscience 2 (2008), doi:10.3389/neuro.06.004.2008.
public struct RDM: Sendable, Hashable, Codable {
  /// How rows are compared.
  public enum Dissimilarity: String, Sendable, Hashable, Codable, CaseIterable {
    /// ‖*x* − *y*‖².
    case squaredEuclidean = "sql2"
    /// 1 − Pearson's correlation of two rows, 0 … 2.
    case correlation
  }

  /// How many things.
  public let count: Int
  /// One a pair, in the order (0, 1), (0, 2) …, (1, 2) …
  public let values: [Double]

  /// - Throws: `.dimensionMismatch` for another number of values than pairs; `.badData` for fewer than 4
  ///   things or a value that is not finite.
  public init(count: Int, values: [Double]) throws(BasisError) {
    guard values.count == count * (count - 1) / 2 else {
      throw BasisError(
        .dimensionMismatch,
        "\(count) things have \(count * (count - 1) / 2) pairs, got \(values.count) dissimilarities"
      )
    }
    guard count >= 4 else {
      throw BasisError(
        .badData, "dissimilarities are compared of at least 4 things, got \(count)")
    }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw BasisError(.badData, "the dissimilarity of pair \(place) is \(values[place])")
    }
    (self.count, self.values) = (count, values)
  }

  /// For values that are known to fit.
  init(count: Int, known values: [Double]) { (self.count, self.values) = (count, values) }

  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* ≥ 4, *d* ≥ 1; *d* ≥ 2 and rows that vary for correlations.
  ///   - dissimilarity: how rows are compared.
  ///   - run: threads and cancellation.
  /// - Throws: `.badData` for fewer rows, or naming a row without a correlation, or row and column of a
  ///   value that is not finite; `.cancelled`.
  /// - Complexity: O(*n*² *d*), parallel, summed in `Double`; 4 *n*² bytes.
  public init(
    _ rows: Matrix, _ dissimilarity: Dissimilarity = .squaredEuclidean,
    in run: RunContext = RunContext()
  ) throws(BasisError) {
    let (n, d) = (rows.rowCount, rows.columnCount)
    guard n >= 4, d >= 1 else {
      throw BasisError(
        .badData, "dissimilarities are compared of at least 4 things, got \(n) × \(d)")
    }
    try rows.requireFinite("the matrix")
    var points = rows.withUnsafeFloats { $0.map { Double($0) } }
    if dissimilarity == .correlation { try Self.standardize(&points, d) }
    let all = points
    let parts = try parallelMap(n, grain: 16, in: run) { (_, range) -> [Double] in
      all.withUnsafeBufferPointer { points in
        range.flatMap { i in
          (i + 1..<max(i + 1, n)).map { j in
            Self.squaredDistance(points, i * d, j * d, d)
          }
        }
      }
    }
    count = n
    // Of standardised rows 1 − ⟨x, y⟩ is half the squared distance.
    let factor = dissimilarity == .correlation ? 0.5 : 1
    values = parts.flatMap { part in part.map { factor * $0 } }
  }

  private static func squaredDistance(
    _ points: UnsafeBufferPointer<Double>, _ a: Int, _ b: Int, _ d: Int
  ) -> Double {
    var sum = 0.0
    for column in 0..<d {
      let difference = points[a + column] - points[b + column]
      sum += difference * difference
    }
    return sum
  }

  private static func standardize(_ points: inout [Double], _ d: Int) throws(BasisError) {
    for (row, start) in stride(from: 0, to: points.count, by: d).enumerated() {
      let mean = Statistics.mean(points[start..<start + d])
      for index in start..<start + d { points[index] -= mean }
      let length = points[start..<start + d].reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 0 else {
        throw BasisError(
          .badData, "row \(row) is the same in every column: it has no correlation; leave it out")
      }
      for index in start..<start + d { points[index] /= length }
    }
  }

  /// Cross-validated dissimilarities of noisy repeats, whose mean is 0 where two things are the same: the
  /// product of differences in two repeats, over all pairs of repeats, per column. May be below 0.
  ///
  /// Walther et al., *Reliability of dissimilarity measures for multi-voxel pattern analysis*, NeuroImage
  /// 137 (2016), doi:10.1016/j.neuroimage.2015.12.012, without the noise's covariance.
  ///
  /// - Parameters:
  ///   - repeats: at least 2, each `n × d` of the same things, finite, *n* ≥ 4.
  ///   - run: cancellation.
  /// - Throws: `.badData` for too few repeats or rows, or naming row and column; `.dimensionMismatch`;
  ///   `.cancelled`.
  /// - Complexity: O(*repeats* *n*² *d*).
  public init(crossValidating repeats: [Matrix], in run: RunContext = RunContext())
    throws(BasisError)
  {
    guard repeats.count >= 2, let first = repeats.first else {
      throw BasisError(
        .badData, "crossnobis wants at least 2 repeats of each thing, got \(repeats.count)")
    }
    // Σ over a ≠ b of ⟨δa, δb⟩ = ‖Σ δ‖² − Σ ‖δ‖².
    let (n, d, m) = (first.rowCount, first.columnCount, Double(repeats.count))
    var sums = [Double](repeating: 0, count: n * d)
    var own = [Double](repeating: 0, count: n * (n - 1) / 2)
    for rows in repeats {
      guard rows.rowCount == n, rows.columnCount == d else {
        throw BasisError(
          .dimensionMismatch,
          "repeats are of one shape; got \(n) × \(d) and \(rows.rowCount) × \(rows.columnCount)")
      }
      let one = try RDM(rows, in: run)
      for index in own.indices { own[index] += one.values[index] }
      rows.withUnsafeFloats { floats in
        for index in sums.indices { sums[index] += Double(floats[index]) }
      }
    }
    var place = 0
    sums.withUnsafeBufferPointer { sums in
      for i in 0..<n {
        for j in i + 1..<max(i + 1, n) {
          let whole = Self.squaredDistance(sums, i * d, j * d, d)
          own[place] = (whole - own[place]) / (m * (m - 1) * Double(d))
          place += 1
        }
      }
    }
    (count, values) = (n, own)
  }

  /// The dissimilarity of two things; 0 of a thing and itself.
  public subscript(a: Int, b: Int) -> Double {
    guard a != b else { return 0 }
    let (i, j) = (min(a, b), max(a, b))
    return values[i * (2 * count - i - 1) / 2 + j - i - 1]
  }

  /// Ranks of the values, equal ones sharing theirs, brought to 0 … 1.
  ///
  /// - Throws: `.badData` where all values are one.
  /// - Complexity: O(*n*² log *n*).
  public func ranked() throws(BasisError) -> RDM {
    let (ranks, most) = try ranksFromZero()
    return RDM(count: count, known: ranks.map { $0 / most })
  }

  /// Ranks less the least, in halves, and the most of them.
  fileprivate func ranksFromZero() throws(BasisError) -> (ranks: [Double], most: Double) {
    let ranks = Statistics.ranks(values)
    guard let least = ranks.min(), let most = ranks.max(), most > least else {
      throw BasisError(
        .badData,
        "all \(values.count) dissimilarities are the same: there is no geometry to compare")
    }
    return (ranks.map { $0 - least }, most - least)
  }

  /// Pearson's correlation of the values of two, −1 … 1; NaN where one does not vary.
  ///
  /// - Throws: `.dimensionMismatch` for another number of things.
  public func correlation(with other: RDM) throws(BasisError) -> Double {
    guard other.count == count else {
      throw BasisError(
        .dimensionMismatch,
        "dissimilarities of \(count) and of \(other.count) things are not comparable")
    }
    return Statistics.correlation(values, other.values)
  }
}

/// What is between geometry and topology: ranks of dissimilarities of which the smallest count as 0 and
/// the largest as 1.
///
/// With *l* = 0 and *u* = 1 the ranks themselves; with *l* = *u* a graph of who is near whom. Thresholds
/// near 0 look at neighbourhoods, near 1 at the whole; far apart they keep distances, close together only
/// connections.
///
/// Lin & Kriegeskorte, *The topology and geometry of neural representations*, PNAS 121 (2024),
/// doi:10.1073/pnas.2317881121, arXiv:2309.11028 (geo-topological transform).
public struct GeoTopological: Settings {
  /// *l*, a quantile, `0 ... upper`.
  public var lower: Double
  /// *u*, a quantile, `lower ... 1`.
  public var upper: Double

  public init(lower: Double = 0.2, upper: Double = 0.8) {
    self.lower = lower
    self.upper = upper
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = GeoTopological()
    lower = try values.decodeIfPresent(Double.self, forKey: .lower) ?? defaults.lower
    upper = try values.decodeIfPresent(Double.self, forKey: .upper) ?? defaults.upper
  }

  /// All thresholds `lower < upper` on a grid.
  ///
  /// - Parameter step: above 0, at most 1.
  public static func grid(step: Double = 0.1) -> [GeoTopological] {
    let count = max(1, Int((1 / step).rounded()))
    return (0..<count).flatMap { low in
      (low + 1...count).map { high in
        GeoTopological(
          lower: Double(low) / Double(count), upper: min(1, Double(high) / Double(count)))
      }
    }
  }

  /// - Parameter rdm: of at least 4 things, not all dissimilarities the same.
  /// - Returns: values 0 … 1, a function of the ranks that does not fall.
  /// - Throws: `.invalidArgument` for thresholds out of range; `.badData` where there is no geometry.
  /// - Complexity: O(*n*² log *n*).
  public func transform(_ rdm: RDM) throws(BasisError) -> RDM {
    try transform(ranked: rdm.ranked())
  }

  /// The same of what ``RDM/ranked()`` gave: many thresholds share the ranks.
  ///
  /// - Throws: `.invalidArgument` for thresholds out of range.
  public func transform(ranked: RDM) throws(BasisError) -> RDM {
    try check()
    let bounds = Statistics.quantiles(ranked.values, [lower, upper])
    let (a, b) = (bounds[0], bounds[1])
    // Few ranks, or ties, can bring the two together.
    guard b > a else {
      return RDM(count: ranked.count, known: ranked.values.map { $0 > a ? 1 : 0 })
    }
    return RDM(
      count: ranked.count,
      known: ranked.values.map { $0 < a ? 0 : $0 > b ? 1 : ($0 - a) / (b - a) })
  }

  func check() throws(BasisError) {
    guard lower >= 0, upper <= 1, lower <= upper else {
      throw BasisError(
        .invalidArgument,
        "thresholds are quantiles with 0 ≤ lower ≤ upper ≤ 1, got \(lower) and \(upper)")
    }
  }

  /// The smooth form: 1 / (1 + exp(−α (*r* − β))) of the ranks.
  ///
  /// - Parameters:
  ///   - rdm: as for ``transform(_:)``.
  ///   - steepness: α, above 0.
  ///   - middle: β, 0 … 1.
  /// - Throws: `.invalidArgument`; `.badData` where there is no geometry.
  public static func sigmoid(_ rdm: RDM, steepness: Double = 10, middle: Double = 0.5)
    throws(BasisError) -> RDM
  {
    guard steepness > 0, steepness.isFinite, middle >= 0, middle <= 1 else {
      throw BasisError(
        .invalidArgument,
        "a sigmoid's steepness is above 0 and its middle in 0 ... 1, got \(steepness) and \(middle)"
      )
    }
    return RDM(
      count: rdm.count,
      known: try rdm.ranked().values.map { 1 / (1 + exp(-steepness * ($0 - middle))) })
  }
}

/// How far things are from each other along a graph of near neighbours.
///
/// Edges are ranks of dissimilarities. Pairs that nothing connects are put beyond all others: at the
/// largest length and 1.
///
/// Lin & Kriegeskorte 2024, arXiv:2309.11028 (geodesic distances); Tenenbaum, de Silva & Langford, *A
/// global geometric framework for nonlinear dimensionality reduction*, Science 290 (2000),
/// doi:10.1126/science.290.5500.2319.
public struct Geodesic: Settings {
  /// The share of pairs that are edges, the nearest ones; above 0, at most 1.
  public var edgeShare: Double
  /// Each thing's edges to so many nearest in their place, at least 1; nil for the share.
  public var neighborCount: Int?

  public init(edgeShare: Double = 0.05, neighborCount: Int? = nil) {
    self.edgeShare = edgeShare
    self.neighborCount = neighborCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    edgeShare =
      try values.decodeIfPresent(Double.self, forKey: .edgeShare) ?? Geodesic().edgeShare
    neighborCount = try values.decodeIfPresent(Int.self, forKey: .neighborCount)
  }

  /// What ``lengths(of:in:)`` found.
  public struct Lengths: Sendable, Hashable {
    /// Lengths along the graph.
    public var lengths: RDM
    /// Pairs that nothing connects.
    public var unreachableCount: Int
    public var edgeCount: Int
  }

  /// - Parameters:
  ///   - rdm: of at least 4 things, not all dissimilarities the same.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` where there is no geometry;
  ///   `.cancelled`.
  /// - Complexity: O(*n* *e* log *n*), parallel.
  public func lengths(of rdm: RDM, in run: RunContext = RunContext()) throws(BasisError) -> Lengths
  {
    guard edgeShare > 0, edgeShare <= 1, neighborCount ?? 1 >= 1 else {
      throw BasisError(
        .invalidArgument,
        "a geodesic's share of edges is above 0 and at most 1, its neighbours at least 1; got "
          + "\(edgeShare) and \(neighborCount ?? 1)")
    }
    // In halves sums are exact, so that ways of one length stay so whatever the order of their steps.
    let (ranks, most) = try rdm.ranksFromZero()
    let steps = RDM(count: rdm.count, known: ranks)
    let edges = neighborCount.map { nearest($0, steps) } ?? share(steps)
    let paths = try ShortestPaths(edges, nodeCount: rdm.count, in: run)
    var values: [Double] = []
    values.reserveCapacity(rdm.values.count)
    for i in 0..<rdm.count {
      for j in i + 1..<max(i + 1, rdm.count) { values.append(paths[i, j] / most) }
    }
    let longest = values.reduce(0) { $1.isFinite ? max($0, $1) : $0 }
    let unreachable = values.count { !$0.isFinite }
    return Lengths(
      lengths: RDM(count: rdm.count, known: values.map { $0.isFinite ? $0 : longest + 1 }),
      unreachableCount: unreachable, edgeCount: edges.count)
  }

  private func share(_ ranked: RDM) -> [ShortestPaths.Edge] {
    let most = Statistics.quantile(ranked.values, edgeShare)
    var edges: [ShortestPaths.Edge] = []
    var place = 0
    for i in 0..<ranked.count {
      for j in i + 1..<max(i + 1, ranked.count) {
        if ranked.values[place] <= most {
          edges.append(.init(i, j, length: ranked.values[place]))
        }
        place += 1
      }
    }
    return edges
  }

  private func nearest(_ k: Int, _ ranked: RDM) -> [ShortestPaths.Edge] {
    (0..<ranked.count).flatMap { i -> [ShortestPaths.Edge] in
      let others = (0..<ranked.count).filter { $0 != i }
        .map { (id: $0, length: ranked[i, $0]) }
        .sorted { ($0.length, $0.id) < ($1.length, $1.id) }
      return others.prefix(k).map { .init(i, $0.id, length: $0.length) }
    }
  }
}
