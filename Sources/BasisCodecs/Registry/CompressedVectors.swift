public import BasisCore
import BasisFormats

/// Codes and the codec that reads them, in one file.
public struct CompressedVectors: Sendable {
  public let codec: any FittedCodec
  public let codes: Codes
  /// How the vectors were meant to be compared.
  public let metric: Metric

  static let kind = "codes"
  static let version: UInt32 = 1

  public init(codec: any FittedCodec, codes: Codes, metric: Metric) {
    self.codec = codec
    self.codes = codes
    self.metric = metric
  }

  private struct Manifest: Codable {
    var count: Int
    var dimension: Int
    var metric: Metric
  }

  /// Opens a file; its codes stay there and are read as they are needed.
  ///
  /// - Parameter path: what ``write(to:)`` was given.
  /// - Throws: `.notFound`; `.corruptFile`; `.newerFormat`; `.inputOutput`.
  public init(contentsOf path: String) throws(BasisError) {
    let container = try Container(path: path, kind: Self.kind, maximumVersion: Self.version)
    let manifest = try container.json("manifest", as: Manifest.self)
    codec = try CodecRegistry.read(from: container, prefix: "codec.")
    codes = try Codes(from: container, "codes", bytesPerVector: codec.bytesPerVector)
    metric = manifest.metric
    guard codes.count == manifest.count, codec.dimension == manifest.dimension else {
      throw BasisError(
        .corruptFile,
        "\(path): holds \(codes.count) codes of \(codec.dimension) values, not \(manifest.count) of "
          + "\(manifest.dimension)")
    }
  }

  /// Writes the file, over what is there; it appears when it is complete.
  ///
  /// - Parameter path: its folder exists.
  /// - Throws: `.inputOutput`.
  public func write(to path: String) throws(BasisError) {
    let writer = try ContainerWriter(path: path, kind: Self.kind, version: Self.version)
    try writer.write(
      "manifest",
      json: Manifest(count: codes.count, dimension: codec.dimension, metric: metric))
    try CodecRegistry.write(codec, to: writer, prefix: "codec.")
    try codes.write(to: writer, "codes")
    try writer.finish()
  }
}
