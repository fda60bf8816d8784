public import BasisCore

/// Clusters rows around means: Lloyd's iterations over matrix products.
///
/// Finds a local optimum that depends on the seed, and on nothing else: answers are the same at any
/// number of threads. Lloyd, *Least squares quantization in PCM*, IEEE Trans. Inf. Theory 28
/// (1982), doi:10.1109/TIT.1982.1056489.
public struct KMeans: Settings {
  /// How the first centroids are chosen.
  public enum Seeding: String, Sendable, Hashable, Codable {
    /// Rows drawn with a probability that grows with the squared distance from those drawn before.
    /// Arthur & Vassilvitskii, *k-means++*, SODA 2007.
    case plusPlus
    /// Rows drawn uniformly: quicker, and as good where there are many clusters.
    case random
  }

  /// How many clusters, at least 1.
  public var clusterCount: Int
  /// At least 0; the iterations end earlier when no row changes its cluster.
  public var maxIterations = 25
  public var seeding = Seeding.plusPlus
  /// Training uses at most this many rows a cluster, drawn at random; at least 1. All rows are
  /// assigned in the end.
  public var maxRowsPerCluster = 256
  /// Whether only directions count: rows and centroids are taken as unit vectors, and a row belongs
  /// to the centroid at the smallest angle. Dhillon & Modha, Machine Learning 42 (2001),
  /// doi:10.1023/A:1007612920971.
  public var isSpherical = false

  public init(clusterCount: Int) { self.clusterCount = clusterCount }

  /// Finds the centroids, and the nearest one of every row.
  ///
  /// A cluster that has lost all rows takes over one half of the largest one.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* at least ``clusterCount``.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for settings out of range or too few rows; `.badData` naming the
  ///   row and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(*n* *k* *d*) per iteration, parallel over rows.
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> KMeansModel
  {
    guard clusterCount >= 1, maxIterations >= 0, maxRowsPerCluster >= 1 else {
      throw BasisError(
        .invalidArgument,
        "k-means needs a cluster count and rows per cluster of at least 1 and iterations of at "
          + "least 0, got \(clusterCount), \(maxRowsPerCluster) and \(maxIterations)")
    }
    guard rows.rowCount >= clusterCount else {
      throw BasisError(
        .invalidArgument,
        "\(clusterCount) clusters need at least as many rows, got \(rows.rowCount)")
    }
    try rows.requireFinite("the rows to cluster")
    let limit = clusterCount.multipliedReportingOverflow(by: maxRowsPerCluster)
    let isCapped = !limit.overflow && rows.rowCount > limit.partialValue
    var sample = rows
    if isCapped {
      var generator = run.generator("k-means sample")
      sample = rows.selecting(rows: generator.sample(limit.partialValue, of: rows.rowCount))
    }
    if isSpherical { sample = unit(sample) }

    var model = KMeansModel(
      centroids: try seeds(of: sample, in: run), isSpherical: isSpherical)
    var assignments: [UInt32] = []
    var sums = ClusterSums(clusterCount: clusterCount, dimension: sample.columnCount)
    while model.iterationCount < maxIterations {
      let found = try model.nearest(to: sample, in: run)
      if found.ids == assignments {
        model.isConverged = true
        break
      }
      try sums.update(of: sample, from: assignments, to: found.ids, in: run)
      assignments = found.ids
      model.centroids = means(of: sums)
      model.iterationCount += 1
      run.report("clustering", model.iterationCount, of: maxIterations, unit: "iterations")
    }
    let found = try model.nearest(to: rows, in: run)
    model.assignments = found.ids.map { Int($0) }
    model.inertia = found.inertia
    return model
  }

  private func seeds(of sample: Matrix, in run: RunContext) throws(BasisError) -> Matrix {
    var generator = run.generator("k-means seeding")
    switch seeding {
    case .random:
      return sample.selecting(rows: generator.sample(clusterCount, of: sample.rowCount))
    case .plusPlus:
      return sample.selecting(rows: try spreadRows(of: sample, &generator, in: run))
    }
  }

  /// The rows that k-means++ draws.
  private func spreadRows(
    of sample: Matrix, _ generator: inout RandomGenerator, in run: RunContext
  ) throws(BasisError) -> [Int] {
    let (count, d) = (sample.rowCount, sample.columnCount)
    var chosen = [generator.nextInt(below: count)]
    var distances = [Float](repeating: .infinity, count: count)
    let grain = max(256, 262_144 / max(1, d))
    while chosen.count < clusterCount {
      let scorer = QueryScorer(sample.row(chosen[chosen.count - 1]), metric: .squaredEuclidean)
      let sums = try distances.withUnsafeMutableBufferPointer {
        (distances) throws(BasisError) -> [Double] in
        guard let base = distances.baseAddress else { return [] }
        let kept = SharedPointer(base)
        return try parallelMap(count, grain: grain, in: run) { (_, range) -> Double in
          var sum = 0.0
          withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { fresh in
            guard let out = fresh.baseAddress else { return }
            sample.withUnsafeFloats { floats in
              guard d > 0, let rows = floats.baseAddress else {
                out.initialize(repeating: 0, count: range.count)
                return
              }
              scorer.distances(
                to: rows + range.lowerBound * d, rowCount: range.count, stride: d,
                inverseNorms: nil, into: out)
            }
            for index in 0..<range.count {
              let least = min(kept.base[range.lowerBound + index], out[index])
              kept.base[range.lowerBound + index] = least
              sum += Double(least)
            }
          }
          return sum
        }
      }
      chosen.append(Self.draw(from: distances, sums, grain, &generator))
    }
    return chosen
  }

  /// A row, by weights whose sums over chunks are known; any row where all weights are zero.
  private static func draw(
    from weights: [Float], _ sums: [Double], _ grain: Int, _ generator: inout RandomGenerator
  ) -> Int {
    let total = sums.reduce(0, +)
    var rest = generator.nextDouble() * total
    guard total > 0, total.isFinite else { return generator.nextInt(below: weights.count) }
    var last = 0
    for (chunk, sum) in sums.enumerated() {
      if rest >= sum && chunk < sums.count - 1 {
        rest -= sum
        continue
      }
      for row in chunk * grain..<min(weights.count, (chunk + 1) * grain) where weights[row] > 0 {
        last = row
        rest -= Double(weights[row])
        if rest < 0 { return row }
      }
    }
    return last
  }

  /// The means of the rows of each cluster; an empty cluster splits the largest one.
  private func means(of sums: ClusterSums) -> Matrix {
    let d = sums.dimension
    var centroids = Matrix(rowCount: clusterCount, columnCount: d) { out in
      for cluster in 0..<clusterCount {
        let scale = 1 / Double(max(1, sums.sizes[cluster]))
        for place in cluster * d..<(cluster + 1) * d {
          out[place] = Float(sums.values[place] * scale)
        }
      }
    }
    Self.fillEmpty(&centroids, sizes: sums.sizes)
    return isSpherical ? unit(centroids) : centroids
  }

  private static func fillEmpty(_ centroids: inout Matrix, sizes: [Int]) {
    var sizes = sizes
    let d = centroids.columnCount
    for empty in sizes.indices where sizes[empty] == 0 {
      var largest = 0
      for other in sizes.indices where sizes[other] > sizes[largest] { largest = other }
      centroids.withUnsafeMutableFloats { floats in
        for column in 0..<d {
          // A part in a thousand, one way and the other.
          let value = floats[largest * d + column]
          let shift: Float = column % 2 == 0 ? 0x1p-10 : -0x1p-10
          floats[empty * d + column] = value * (1 + shift)
          floats[largest * d + column] = value * (1 - shift)
        }
      }
      sizes[empty] = sizes[largest] / 2
      sizes[largest] -= sizes[empty]
    }
  }

  private func unit(_ rows: Matrix) -> Matrix {
    let scales = rows.inverseNorms()
    let d = rows.columnCount
    return Matrix(rowCount: rows.rowCount, columnCount: d) { target in
      rows.withUnsafeFloats { floats in
        for row in 0..<rows.rowCount {
          for column in row * d..<(row + 1) * d { target[column] = floats[column] * scales[row] }
        }
      }
    }
  }
}
