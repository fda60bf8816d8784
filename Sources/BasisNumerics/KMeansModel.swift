public import BasisCore

/// Centroids, and which of them each row of the training data is nearest to.
public struct KMeansModel: Sendable {
  /// `k × d`; unit vectors if the clusters are of directions.
  public package(set) var centroids: Matrix
  /// For each row, the number of its nearest centroid, the smaller one of two.
  public package(set) var assignments: [Int] = []
  /// The sum over all rows of the squared distance from their centroid, or of 1 − cosine.
  public package(set) var inertia = 0.0
  /// How many times the means were computed.
  public package(set) var iterationCount = 0
  /// Whether the last iteration changed nothing.
  public package(set) var isConverged = false
  public let isSpherical: Bool

  package init(centroids: Matrix, isSpherical: Bool) {
    self.centroids = centroids
    self.isSpherical = isSpherical
  }

  /// The number of the nearest centroid of each row.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(*n* *k* *d*), parallel over rows.
  public func assign(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Int]
  {
    guard rows.columnCount == centroids.columnCount || rows.rowCount == 0 else {
      throw BasisError(
        .dimensionMismatch,
        "the rows to assign are \(rows.rowCount) × \(rows.columnCount), the centroids "
          + "\(centroids.rowCount) × \(centroids.columnCount)")
    }
    try rows.requireFinite("the rows to assign")
    return try nearest(to: rows, in: run).ids.map { Int($0) }
  }

  package struct Nearest: Sendable {
    package var ids: [UInt32]
    package var inertia: Double
  }

  /// The nearest centroid of each row.
  package func nearest(to rows: Matrix, in run: RunContext) throws(BasisError) -> Nearest {
    let assigner = NearestCentroid(centroids, ignoringLengths: isSpherical)
    let (count, d) = (rows.rowCount, rows.columnCount)
    var ids = [UInt32](repeating: 0, count: count)
    let sums = try ids.withUnsafeMutableBufferPointer { (ids) throws(BasisError) -> [Double] in
      guard let base = ids.baseAddress else { return [] }
      let out = SharedPointer(base)
      return try parallelMap(count, grain: 4096, in: run) { (_, range) throws(BasisError) in
        rows.withUnsafeFloats { floats -> Double in
          guard let start = floats.baseAddress else { return 0 }
          var sum = 0.0
          assigner.assign(
            start + range.lowerBound * d, count: range.count, into: out.base + range.lowerBound
          ) {
            (row, value) in
            let of = start + (range.lowerBound + row) * d
            let squared = Double(Kernels.dot(of, of, count: d))
            sum +=
              isSpherical
              ? 1 + (squared > 0 ? Double(value) / squared.squareRoot() : 0)
              : max(0, squared + 2 * Double(value))
          }
          return sum
        }
      }
    }
    return Nearest(ids: ids, inertia: sums.reduce(0, +))
  }
}
