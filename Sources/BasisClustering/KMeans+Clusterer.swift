public import BasisCore
public import BasisFormats
public import BasisNumerics

extension KMeans: Clusterer {}

extension KMeansModel: StoredClustering {
  public var clusterCount: Int { centroids.rowCount }
  /// The sum over all rows of the squared distance from their centroid, or of 1 − cosine.
  public var loss: Double { inertia }

  private struct Manifest: Codable {
    var inertia: Double
    var iterationCount: Int
    var isConverged: Bool
    var isSpherical: Bool
    var clusterCount: Int
    var dimension: Int
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "manifest",
      json: Manifest(
        inertia: inertia, iterationCount: iterationCount, isConverged: isConverged,
        isSpherical: isSpherical, clusterCount: clusterCount, dimension: centroids.columnCount))
    try writer.write(prefix + "centroids", matrix: centroids)
    try writer.write(prefix + "assignments", assignments.map { Int32(truncatingIfNeeded: $0) })
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let manifest = try container.json(prefix + "manifest", as: Manifest.self)
    let found = try container.matrix(prefix + "centroids", columnCount: manifest.dimension)
    let groups = try container.array(prefix + "assignments", of: Int32.self).map { Int($0) }
    guard manifest.dimension >= 1, found.rowCount == manifest.clusterCount, found.rowCount >= 1,
      groups.allSatisfy({ $0 >= 0 && $0 < found.rowCount })
    else {
      throw BasisError(
        .corruptFile,
        "\(container.path): has \(found.rowCount) centroids that do not fit its assignments")
    }
    self.init(centroids: found, isSpherical: manifest.isSpherical)
    assignments = groups
    inertia = manifest.inertia
    iterationCount = manifest.iterationCount
    isConverged = manifest.isConverged
  }
}
