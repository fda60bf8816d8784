public import BasisCore
import BasisFormats
import BasisNumerics

/// Groups in a file: what puts further things into the same groups, tomorrow.
public enum ClusteringFile {
  static let kind = "clusters"
  static let version: UInt32 = 1

  private struct Manifest: Codable { var type: String }

  /// Writes groups, over what is there; the file appears when it is complete.
  ///
  /// - Parameters:
  ///   - clustering: of k-medoids or of k-means.
  ///   - path: its folder exists.
  /// - Throws: `.unsupported` for groups of another kind; `.inputOutput`.
  public static func write(_ clustering: any StoredClustering, to path: String) throws(BasisError) {
    let type: String
    switch clustering {
    case is KMedoidsModel: type = "k-medoids"
    case is KMeansModel: type = "k-means"
    default:
      throw BasisError(.unsupported, "\(Swift.type(of: clustering)) has no name in files")
    }
    let writer = try ContainerWriter(path: path, kind: kind, version: version)
    try writer.write("manifest", json: Manifest(type: type))
    try clustering.write(to: writer, prefix: "clusters.")
    try writer.finish()
  }

  /// Opens a file.
  ///
  /// - Parameter path: what ``write(_:to:)`` was given.
  /// - Throws: `.notFound`; `.corruptFile`; `.newerFormat` for groups that this program does not
  ///   know; `.inputOutput`.
  public static func read(_ path: String) throws(BasisError) -> any StoredClustering {
    let container = try Container(path: path, kind: kind, maximumVersion: version)
    switch try container.json("manifest", as: Manifest.self).type {
    case "k-medoids": return try KMedoidsModel(from: container, prefix: "clusters.")
    case "k-means": return try KMeansModel(from: container, prefix: "clusters.")
    case let type:
      throw BasisError(
        .newerFormat, "\(path): this program knows no groups of '\(type)'; update it")
    }
  }
}
