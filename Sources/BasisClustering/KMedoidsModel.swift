public import BasisCore
public import BasisFormats

/// Things that stand for groups, and the nearest of them of everything.
public struct KMedoidsModel: StoredClustering {
  /// The numbers of the things that stand for the groups.
  public let medoids: [Int]
  public let assignments: [Int]
  /// The sum over everything of the distance from its medoid, in the unit of the dissimilarity.
  public let loss: Double
  public let iterationCount: Int
  /// How often a medoid was replaced.
  public let swapCount: Int
  /// Whether the last pass found nothing to improve.
  public let isConverged: Bool
  /// The mean of 1 − nearest / second nearest medoid: 1 is best; 0 for a single group, which has no
  /// second. Van der Laan, Pollard & Bryan 2003.
  public let medoidSilhouette: Double
  /// What to keep in mind, a sentence each.
  public let warnings: [String]
  /// How rows are compared.
  public let metric: DissimilarityMetric
  /// `k × d`, the medoids themselves; nil for groups of dissimilarities, which have no rows.
  public let medoidRows: Matrix?

  public var clusterCount: Int { medoids.count }

  init(_ found: FoundMedoids, _ input: PairwiseInput, metric: DissimilarityMetric)
    throws(BasisError)
  {
    guard found.loss.isFinite else {
      throw BasisError(
        .badData, "the rows are so far apart that distances overflow; scale them down")
    }
    medoids = found.medoids
    assignments = found.assignments
    loss = found.loss
    iterationCount = found.iterationCount
    swapCount = found.swapCount
    isConverged = found.isConverged
    medoidSilhouette = found.medoidSilhouette
    warnings = found.warnings
    self.metric = metric
    medoidRows = input.rows(of: found.medoids)
  }

  /// The nearest medoid of each row, the first of equals.
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite. For groups of dissimilarities instead `m × k`: how far each thing is
  ///     from each medoid.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(*m* *k* *d*), parallel over rows.
  public func assign(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> [Int]
  {
    let width = medoidRows?.columnCount ?? clusterCount
    guard rows.columnCount == width || rows.rowCount == 0 else {
      throw BasisError(
        .dimensionMismatch,
        "the rows to assign are \(rows.rowCount) × \(rows.columnCount); wanted \(width) "
          + (medoidRows == nil ? "dissimilarities from the medoids" : "values, as the medoids have")
      )
    }
    try rows.requireFinite("the rows to assign")
    let (unit, own) =
      metric == .cosine
      ? (medoidRows?.withUnitRows(), medoidRows == nil ? rows : rows.withUnitRows())
      : (medoidRows, rows)
    let (k, metric) = (clusterCount, metric)
    return try parallelMap(rows.rowCount, grain: 256, in: run) { (_, range) -> [Int] in
      var distances = [Float](repeating: 0, count: k)
      return range.map { row in
        own.withRow(row) { values in
          guard let base = values.baseAddress, let unit else {
            return values.isEmpty ? 0 : Self.first(values)
          }
          return unit.withUnsafeFloats { floats in
            guard let start = floats.baseAddress else { return 0 }
            return distances.withUnsafeMutableBufferPointer { out in
              guard let target = out.baseAddress else { return 0 }
              metric.distances(
                of: base, to: start, rowCount: k, dimension: width, into: target)
              return Self.first(UnsafeBufferPointer(out))
            }
          }
        }
      }
    }.flatMap { $0 }
  }

  private static func first(_ distances: UnsafeBufferPointer<Float>) -> Int {
    var best = 0
    for slot in distances.indices where distances[slot] < distances[best] { best = slot }
    return best
  }

  // MARK: Files

  public static let modelName = "k-medoids"

  private struct Manifest: Codable {
    var loss: Double
    var iterationCount: Int
    var swapCount: Int
    var isConverged: Bool
    var medoidSilhouette: Double
    var warnings: [String]
    var metric: DissimilarityMetric
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        loss: loss, iterationCount: iterationCount, swapCount: swapCount,
        isConverged: isConverged, medoidSilhouette: medoidSilhouette, warnings: warnings,
        metric: metric))
    try file.tensors.add("medoids", shape: [medoids.count], medoids.map { Int64($0) })
    try file.tensors.add("assignments", shape: [assignments.count], assignments.map { Int64($0) })
    if let medoidRows { try file.tensors.add("rows", medoidRows) }
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    loss = manifest.loss
    iterationCount = manifest.iterationCount
    swapCount = manifest.swapCount
    isConverged = manifest.isConverged
    medoidSilhouette = manifest.medoidSilhouette
    warnings = manifest.warnings
    metric = manifest.metric
    medoids = try file.tensors.integers("medoids").map { Int($0) }
    assignments = try file.tensors.integers("assignments").map { Int($0) }
    let (k, n) = (medoids.count, assignments.count)
    medoidRows =
      file.tensors["rows"] == nil ? nil : try file.tensors.matrix("rows", rowCount: k)
    guard k >= 1, medoids.allSatisfy({ $0 >= 0 && $0 < n }),
      assignments.allSatisfy({ $0 >= 0 && $0 < k })
    else {
      throw BasisError(
        .corruptFile, "\(file.path): its groups do not fit its \(n) things and \(k) medoids")
    }
  }
}
