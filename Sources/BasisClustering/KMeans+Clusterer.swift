public import BasisCore
public import BasisFormats
public import BasisNumerics

extension KMeans: Clusterer {}

extension KMeansModel: StoredClustering {
  public var clusterCount: Int { centroids.rowCount }
  /// The sum over all rows of the squared distance from their centroid, or of 1 − cosine.
  public var loss: Double { inertia }

  public static var modelName: String { "k-means" }

  private struct Manifest: Codable {
    var inertia: Double
    var iterationCount: Int
    var isConverged: Bool
    var isSpherical: Bool
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        inertia: inertia, iterationCount: iterationCount, isConverged: isConverged,
        isSpherical: isSpherical))
    try file.tensors.add("centroids", centroids)
    try file.tensors.add("assignments", shape: [assignments.count], assignments.map { Int64($0) })
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    let found = try file.tensors.matrix("centroids")
    let groups = try file.tensors.integers("assignments").map { Int($0) }
    guard found.rowCount >= 1, groups.allSatisfy({ $0 >= 0 && $0 < found.rowCount }) else {
      throw BasisError(
        .corruptFile,
        "\(file.path): has \(found.rowCount) centroids that do not fit its assignments")
    }
    self.init(centroids: found, isSpherical: manifest.isSpherical)
    assignments = groups
    inertia = manifest.inertia
    iterationCount = manifest.iterationCount
    isConverged = manifest.isConverged
  }
}
