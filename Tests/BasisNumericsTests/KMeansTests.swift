import BasisCore
import BasisNumerics
import Testing
import _BasisTestSupport

/// Rows around a few far centres, and which centre each is around.
private func blobs(_ count: Int, centers: Int, dimension: Int, seed: UInt64) -> (Matrix, [Int]) {
  let middle = gaussianMatrix(rowCount: centers, columnCount: dimension, seed: seed)
  var rows = gaussianMatrix(rowCount: count, columnCount: dimension, seed: seed + 1000)
  rows.withUnsafeMutableFloats { floats in
    for index in floats.indices {
      let center = index / dimension % centers
      floats[index] = floats[index] * 0.05 + 10 * middle[center, index % dimension]
    }
  }
  return (rows, (0..<count).map { $0 % centers })
}

@Suite struct KMeansTests {
  @Test(arguments: 0..<10 as Range<UInt64>)
  func `far blobs are found, whatever the seed`(seed: UInt64) throws {
    let (rows, truth) = blobs(300, centers: 4, dimension: 12, seed: seed)
    let model = try KMeans(clusterCount: 4).fit(rows, in: RunContext(seed: seed))
    #expect(model.isConverged)
    var names: [Int: Int] = [:]
    for (row, cluster) in model.assignments.enumerated() {
      #expect(names[truth[row], default: cluster] == cluster)
      names[truth[row]] = cluster
    }
    #expect(Set(names.values).count == 4)
  }

  @Test(arguments: [1, 2, 5, 33], [KMeans.Seeding.plusPlus, .random])
  func `rows belong to the nearest centroid, and centroids are means`(
    dimension: Int, seeding: KMeans.Seeding
  ) throws {
    let rows = gaussianMatrix(rowCount: 500, columnCount: dimension, seed: 7)
    var settings = KMeans(clusterCount: 17)
    settings.seeding = seeding
    settings.maxIterations = 200
    let model = try settings.fit(rows)
    #expect(model.isConverged)
    var inertia = 0.0
    var sums = [[Double]](repeating: Array(repeating: 0, count: dimension), count: 17)
    var counts = [Int](repeating: 0, count: 17)
    for row in 0..<500 {
      let distances = (0..<17).map { cluster in
        zip(rows.row(row), model.centroids.row(cluster))
          .reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
      }
      let own = distances[model.assignments[row]]
      #expect(own <= (distances.min() ?? 0) + 1e-4)
      inertia += own
      counts[model.assignments[row]] += 1
      for column in 0..<dimension {
        sums[model.assignments[row]][column] += Double(rows[row, column])
      }
    }
    #expect(abs(model.inertia - inertia) <= 1e-4 * inertia + 1e-3)
    for cluster in 0..<17 where counts[cluster] > 0 {
      for column in 0..<dimension {
        let mean = sums[cluster][column] / Double(counts[cluster])
        #expect(abs(Double(model.centroids[cluster, column]) - mean) < 1e-5)
      }
    }
  }

  @Test func `more iterations never raise the loss`() throws {
    let rows = gaussianMatrix(rowCount: 2000, columnCount: 8, seed: 1)
    var settings = KMeans(clusterCount: 30)
    settings.seeding = .random
    var last = Double.infinity
    for iterations in 0..<12 {
      settings.maxIterations = iterations
      let model = try settings.fit(rows)
      #expect(model.inertia <= last * (1 + 1e-6))
      last = model.inertia
    }
  }

  @Test(arguments: [false, true]) func `threads change nothing`(isSpherical: Bool) throws {
    let rows = gaussianMatrix(rowCount: 9000, columnCount: 20, seed: 2)
    var settings = KMeans(clusterCount: 40)
    settings.isSpherical = isSpherical
    settings.maxRowsPerCluster = 100
    settings.maxIterations = 5
    let one = try settings.fit(rows, in: RunContext(seed: 3, threadLimit: 1))
    for threads in [2, 5] {
      let many = try settings.fit(rows, in: RunContext(seed: 3, threadLimit: threads))
      #expect(many.centroids == one.centroids)
      #expect(many.assignments == one.assignments && many.inertia == one.inertia)
    }
    #expect(try settings.fit(rows, in: RunContext(seed: 4)).centroids != one.centroids)
    #expect(try one.assign(rows) == one.assignments)
  }

  @Test func `spherical clusters do not see lengths`() throws {
    let rows = gaussianMatrix(rowCount: 400, columnCount: 6, seed: 5)
    var settings = KMeans(clusterCount: 9)
    settings.isSpherical = true
    let model = try settings.fit(rows)
    var longer = rows
    longer.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] *= index / 6 % 2 == 0 ? 4 : 0.5 }
    }
    #expect(try settings.fit(longer).assignments == model.assignments)
    for cluster in 0..<9 {
      let norm = model.centroids.row(cluster).reduce(0) { $0 + $1 * $1 }
      #expect(abs(norm - 1) < 1e-5)
    }
  }

  @Test func `a cluster that loses its rows splits another`() throws {
    // Many equal rows: random seeds are equal too, and all but one lose.
    var generator = RandomGenerator(seed: 1)
    let rows = Matrix(rowCount: 1000, columnCount: 2) { floats in
      for row in 0..<1000 {
        floats[2 * row] = row < 900 ? 1 : Float(generator.nextGaussian())
        floats[2 * row + 1] = row < 900 ? 1 : Float(generator.nextGaussian())
      }
    }
    var settings = KMeans(clusterCount: 20)
    settings.seeding = .random
    settings.maxIterations = 60
    let model = try settings.fit(rows)
    #expect(Set(model.assignments).count >= 12)
  }

  @Test func `edges`() throws {
    let same = try Matrix(rows: Array(repeating: [1, 2, 3], count: 10))
    let model = try KMeans(clusterCount: 3).fit(same)
    #expect(model.inertia < 1e-4)
    #expect(model.centroids.firstNonFinite() == nil)
    let single = try KMeans(clusterCount: 1).fit(Matrix(rows: [[5]]))
    #expect(single.assignments == [0] && single.centroids.row(0) == [5])
    let each = try KMeans(clusterCount: 5).fit(gaussianMatrix(rowCount: 5, columnCount: 3, seed: 1))
    #expect(Set(each.assignments).count == 5)
    let flat = try KMeans(clusterCount: 2).fit(Matrix(rowCount: 4, columnCount: 0))
    #expect(flat.assignments.count == 4)
  }

  @Test func `what does not fit is an error`() throws {
    let rows = gaussianMatrix(rowCount: 5, columnCount: 3, seed: 1)
    expectError(.invalidArgument, "6 clusters", "got 5") { try KMeans(clusterCount: 6).fit(rows) }
    expectError(.invalidArgument, "at least 1", "0") { try KMeans(clusterCount: 0).fit(rows) }
    expectError(.badData, "row 1", "column 0") {
      try KMeans(clusterCount: 1).fit(Matrix(rows: [[1], [.nan]]))
    }
    let model = try KMeans(clusterCount: 2).fit(rows)
    expectError(.dimensionMismatch, "1 × 4", "2 × 3") {
      try model.assign(Matrix(rowCount: 1, columnCount: 4))
    }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try KMeans(clusterCount: 2).fit(rows, in: cancelled) }
  }
}
