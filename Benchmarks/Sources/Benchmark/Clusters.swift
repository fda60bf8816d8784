import BasisClustering
import BasisCore
import BasisFormats
import BasisNumerics

extension Benchmark {
  /// k-medoids of a matrix of dissimilarities from given medoids, or k-means of rows from given rows:
  /// one thread. Each round answers with seconds of the process; before the first the result is
  /// told, `found LOSS ITERATIONS SWAPS`.
  static func clusters(_ arguments: [String]) throws {
    guard arguments.count == 3 else { throw usage }
    let mapped = try Matrix(contentsOf: arguments[1])
    let matrix = mapped.selecting(rows: 0..<mapped.rowCount)
    let start = try MatrixSource(path: arguments[2]).integers()
    let run = RunContext(threadLimit: 1)
    if arguments[0] == "kmeans" { return try means(matrix, start.count, in: run) }
    guard let variant = KMedoids.Variant(rawValue: arguments[0]) else { throw usage }
    let all = try Dissimilarities(square: matrix)
    let settings = KMedoids(
      clusterCount: start.count, variant: variant, startMedoids: start)
    var found: KMedoidsModel?
    try serve { _ in
      let seconds = try processSeconds { found = try settings.fit(.dissimilarities(all), in: run) }
      if let found { say("found \(found.loss) \(found.iterationCount) \(found.swapCount)") }
      return seconds
    }
  }

  private static func means(_ rows: Matrix, _ k: Int, in run: RunContext) throws {
    var settings = KMeans(clusterCount: k)
    settings.seeding = .random
    settings.maxIterations = 10
    settings.maxRowsPerCluster = rows.rowCount
    try serve { _ in
      var found: KMeansModel?
      let seconds = try processSeconds { found = try settings.fit(rows, in: run) }
      if let found { say("found \(found.inertia) \(found.iterationCount) 0") }
      return seconds
    }
  }
}
