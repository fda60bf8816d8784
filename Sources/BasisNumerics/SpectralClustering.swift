public import BasisCore
import Foundation

/// Groups of things by how much they have to do with each other: k-means of the leading eigenvectors of
/// the normalised affinities.
///
/// Ng, Jordan & Weiss, *On spectral clustering: analysis and an algorithm*, NIPS 14 (2001).
public struct SpectralClustering: Settings {
  /// At least 1.
  public var clusterCount: Int
  /// k-means from so many starts, of which the best counts; at least 1.
  public var restartCount: Int

  public init(clusterCount: Int, restartCount: Int = 10) {
    self.clusterCount = clusterCount
    self.restartCount = restartCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    clusterCount = try values.decodeIfPresent(Int.self, forKey: .clusterCount) ?? 8
    restartCount = try values.decodeIfPresent(Int.self, forKey: .restartCount) ?? 10
  }

  /// - Parameters:
  ///   - affinities: `n × n`, symmetric, finite, at least 0; the diagonal does not count. *n* at least
  ///     ``clusterCount``.
  ///   - run: seed, threads and cancellation.
  /// - Returns: the group of each thing, `0 ..< clusterCount`, numbered in the order in which they first
  ///   appear. Things that have to do with nothing share one.
  /// - Throws: `.invalidArgument` for settings out of range; `.dimensionMismatch` if not square;
  ///   `.badData` for a negative or unequal pair, naming row and column; `.missingDependency` without
  ///   OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n*³), the eigenvectors.
  public func fit(_ affinities: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Int]
  {
    let n = affinities.rowCount
    guard clusterCount >= 1, clusterCount <= n, restartCount >= 1 else {
      throw BasisError(
        .invalidArgument,
        "\(clusterCount) spectral clusters of \(n) things from \(restartCount) starts: give 1 ... "
          + "\(n) clusters and at least 1 start")
    }
    guard affinities.columnCount == n else {
      throw BasisError(
        .dimensionMismatch,
        "spectral clustering wants the affinity of each pair, got \(n) × \(affinities.columnCount)")
    }
    try affinities.requireFinite("the affinities")
    try run.checkCancelled()
    let degrees = try Self.degrees(of: affinities)
    var normalized = affinities
    normalized.withUnsafeMutableFloats { floats in
      for row in 0..<n {
        for column in 0..<n {
          let scale = (degrees[row] * degrees[column]).squareRoot()
          let place = row * n + column
          floats[place] = row == column || scale == 0 ? 0 : Float(Double(floats[place]) / scale)
        }
      }
    }
    let vectors = try LinearAlgebra.symmetricEigen(normalized).vectors
    let rows = vectors.prefix(columns: clusterCount).withUnitRows()
    var best: KMeansModel?
    for start in 0..<restartCount {
      try run.checkCancelled()
      var clusters = KMeans(clusterCount: clusterCount)
      clusters.maxRowsPerCluster = 1 << 40
      clusters.maxIterations = 100
      var own = run
      own.progress = nil
      own.seed = run.seed &+ UInt64(start)
      let found = try clusters.fit(rows, in: own)
      if best.map({ found.inertia < $0.inertia }) ?? true { best = found }
    }
    var numbers: [Int: Int] = [:]
    return (best?.assignments ?? []).map { group in
      let number = numbers[group] ?? numbers.count
      numbers[group] = number
      return number
    }
  }

  private static func degrees(of affinities: Matrix) throws(BasisError) -> [Double] {
    var degrees = [Double](repeating: 0, count: affinities.rowCount)
    for row in degrees.indices {
      let negative = affinities.withRow(row) { values -> Int? in
        for column in values.indices where column != row {
          if values[column] < 0 { return column }
          degrees[row] += Double(values[column])
        }
        return nil
      }
      if let negative {
        throw BasisError(
          .badData,
          "the affinity at row \(row), column \(negative) is below 0; take its magnitude")
      }
    }
    return degrees
  }
}
