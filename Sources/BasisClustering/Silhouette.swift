public import BasisCore

/// How much nearer each thing is to its own group than to the next: (b − a) / max(a, b) with its mean
/// distance *a* from its own group and *b* from the nearest other one.
///
/// −1 … 1; 0 between two groups, and for a group of one. Rousseeuw, *Silhouettes*, Journal of
/// Computational and Applied Mathematics 20 (1987), doi:10.1016/0377-0427(87)90125-7.
public struct Silhouette: Sendable {
  /// Of each thing.
  public let values: [Double]
  /// Over all things; 0 where all are in one group.
  public let mean: Double
  /// Of each group; 0 for an empty one.
  public let clusterMeans: [Double]

  /// - Parameters:
  ///   - dissimilarities: of *n* things.
  ///   - assignments: the group of each, `0 ..< clusterCount`.
  ///   - clusterCount: how many groups there may be.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch` for another number of assignments; `.invalidArgument` for a
  ///   group that there is not; `.cancelled`.
  /// - Complexity: O(*n*²), or O(*n*² *d*) of rows; parallel.
  public init(
    _ dissimilarities: Dissimilarities, _ assignments: [Int], clusterCount: Int,
    in run: RunContext = RunContext()
  ) throws(BasisError) {
    let n = dissimilarities.count
    guard assignments.count == n else {
      throw BasisError(
        .dimensionMismatch, "there are \(assignments.count) assignments for \(n) things")
    }
    guard assignments.allSatisfy({ $0 >= 0 && $0 < clusterCount }) else {
      throw BasisError(.invalidArgument, "assignments are groups in 0 ..< \(clusterCount)")
    }
    var sizes = [Int](repeating: 0, count: clusterCount)
    for cluster in assignments { sizes[cluster] += 1 }
    let reader = DissimilarityReader(dissimilarities)
    let counts = sizes
    let values = try parallelMap(n, grain: 64, in: run) { (_, range) -> [Double] in
      let scratch = SwapScratch(count: n, clusterCount: clusterCount)
      return range.map { item in
        scratch.gains.initialize(repeating: 0, count: clusterCount)
        let row = reader.row(item, scratch.row)
        for other in 0..<n { scratch.gains[assignments[other]] += Double(row[other]) }
        return Self.value(scratch.gains, counts, own: assignments[item])
      }
    }.flatMap { $0 }
    self.values = values
    mean = n == 0 ? 0 : values.reduce(0, +) / Double(n)
    var sums = [Double](repeating: 0, count: clusterCount)
    for (item, cluster) in assignments.enumerated() { sums[cluster] += values[item] }
    clusterMeans = zip(sums, sizes).map { $1 == 0 ? 0 : $0 / Double($1) }
  }

  private static func value(_ sums: UnsafePointer<Double>, _ sizes: [Int], own: Int) -> Double {
    guard sizes[own] > 1 else { return 0 }
    let inside = sums[own] / Double(sizes[own] - 1)
    var outside = Double.infinity
    for cluster in sizes.indices where cluster != own && sizes[cluster] > 0 {
      outside = min(outside, sums[cluster] / Double(sizes[cluster]))
    }
    let larger = max(inside, outside)
    return outside < .infinity && larger > 0 ? (outside - inside) / larger : 0
  }
}
