public import BasisCore
import Foundation

/// What was learned, in a form that a file keeps.
public protocol FittedModel: Sendable {
  /// What a file says that it holds: `gaussian naive bayes`. No two types share one.
  static var modelName: String { get }
  /// Rises when older programs could no longer read what is written.
  static var modelVersion: Int { get }

  /// Adds all that ``init(from:)`` needs.
  ///
  /// - Parameter file: the file that is being made.
  /// - Throws: `.invalidArgument` for what a file cannot hold.
  func write(to file: inout ModelWriter) throws(BasisError)

  /// - Parameter file: a file of this type.
  /// - Throws: `.corruptFile`, `.badData` or `.dimensionMismatch` naming the file and the tensor.
  init(from file: ModelFile) throws(BasisError)
}

extension FittedModel {
  public static var modelVersion: Int { 1 }

  /// Writes a file, over what is there; it appears when it is complete.
  ///
  /// - Parameter path: its folder exists.
  /// - Throws: `.notFound` if the folder does not exist; `.inputOutput`; what ``write(to:)`` throws.
  public func save(to path: String) throws(BasisError) {
    var file = ModelWriter()
    try write(to: &file)
    file.tensors.metadata[ModelFile.Key.name] = Self.modelName
    file.tensors.metadata[ModelFile.Key.version] = String(Self.modelVersion)
    file.tensors.metadata[ModelFile.Key.checksum] = String(file.tensors.checksum, radix: 16)
    try file.tensors.write(to: path)
  }

  /// Reads what ``save(to:)`` wrote.
  ///
  /// - Parameter path: the file.
  /// - Throws: `.notFound`; `.corruptFile`; `.newerFormat`; `.badData` for a file of another type.
  public init(contentsOf path: String) throws(BasisError) {
    self = try ModelFile(path: path).model(Self.self)
  }
}

/// Collects what a model's file will hold: tensors, and a manifest of everything else.
public struct ModelWriter: Sendable {
  public var tensors = SafetensorsWriter()

  public init() {}

  /// Sets the manifest, whatever was set before.
  ///
  /// - Parameter value: small; numbers in bulk are tensors.
  /// - Throws: `.invalidArgument` for what JSON has not, such as a NaN.
  public mutating func setManifest(_ value: some Encodable) throws(BasisError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      tensors.metadata[ModelFile.Key.manifest] = String(
        decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw BasisError(
        .invalidArgument,
        "\(type(of: value)) holds what JSON has not (a NaN or infinite number?)", cause: error)
    }
  }
}

/// A model in a safetensors file, whose metadata says which type it is of.
///
/// Any program that reads safetensors can read the numbers: `basis.model` is the type, `basis.version`
/// its version, `basis.manifest` a JSON object with what is no tensor, `basis.checksum` the CRC32C of
/// everything else.
public struct ModelFile: Sendable {
  enum Key {
    static let name = "basis.model"
    static let version = "basis.version"
    static let manifest = "basis.manifest"
    static let checksum = "basis.checksum"
  }

  public let tensors: Safetensors
  /// The type that it holds, by ``FittedModel/modelName``.
  public let name: String
  public let version: Int

  public var path: String { tensors.path }

  /// - Parameter path: the file.
  /// - Throws: `.notFound`; `.corruptFile`; `.badData` for a safetensors file that is no model of
  ///   this program's; `.inputOutput`.
  /// - Complexity: O(bytes): all of them are checked.
  public init(path: String) throws(BasisError) {
    tensors = try Safetensors(path: path)
    let metadata = tensors.metadata
    guard metadata.keys.contains(where: { $0.hasPrefix("basis.") }) else {
      throw BasisError(
        .badData, "\(path): has tensors, but is no model that this program wrote")
    }
    guard let name = metadata[Key.name], let version = metadata[Key.version].flatMap({ Int($0) }),
      metadata[Key.checksum] == String(tensors.checksum(without: Key.checksum), radix: 16)
    else {
      throw BasisError(.corruptFile, "\(path): is damaged: its checksum differs; save it again")
    }
    (self.name, self.version) = (name, version)
  }

  /// Whether a file says that it is a model of this program's, sound or damaged.
  ///
  /// - Parameter path: a file, or none.
  public static func isModel(_ path: String) -> Bool {
    (try? Safetensors(path: path))?.metadata[Key.name] != nil
  }

  /// The manifest.
  ///
  /// - Parameter type: what was given to ``ModelWriter/setManifest(_:)``.
  /// - Throws: `.corruptFile` if there is none, or it is not the JSON of a `T`.
  public func manifest<T: Decodable>(_ type: T.Type) throws(BasisError) -> T {
    do {
      return try JSONDecoder().decode(type, from: Data((tensors.metadata[Key.manifest] ?? "").utf8))
    } catch {
      throw BasisError(
        .corruptFile, "\(path): its manifest is not the JSON of a \(type)", cause: error)
    }
  }

  /// - Parameter type: what the file should hold.
  /// - Throws: `.badData` if it holds something else; `.newerFormat`; what reading throws.
  public func model<Model: FittedModel>(_ type: Model.Type) throws(BasisError) -> Model {
    guard name == type.modelName else {
      throw BasisError(.badData, "\(path): is a model of '\(name)', not of '\(type.modelName)'")
    }
    guard version <= type.modelVersion else {
      throw BasisError(
        .newerFormat,
        "\(path): '\(name)' has version \(version), and this program knows up to "
          + "\(type.modelVersion); update it")
    }
    do throws(BasisError) {
      return try type.init(from: self)
    } catch {
      throw error.message.hasPrefix(path) ? error : error.at(path)
    }
  }

  /// The same, as what all of these types are.
  ///
  /// - Parameters:
  ///   - types: that are known here.
  ///   - what: they are, for the message: `detector`.
  /// - Throws: as ``model(among:)``.
  public func model<Model>(
    among types: [any FittedModel.Type], called what: String
  ) throws(BasisError) -> Model {
    guard let model = try model(among: types) as? Model else {
      throw BasisError(.badData, "\(path): holds no \(what)")
    }
    return model
  }

  /// The model, whichever of these types it is.
  ///
  /// - Parameter types: that are known here.
  /// - Throws: `.badData` with the names that are known; otherwise as ``model(_:)``.
  public func model(among types: [any FittedModel.Type]) throws(BasisError) -> any FittedModel {
    guard let type = types.first(where: { $0.modelName == name }) else {
      let known = types.map { "'\($0.modelName)'" }.joined(separator: ", ")
      throw BasisError(.badData, "\(path): is a model of '\(name)'; known here: \(known)")
    }
    func open<Model: FittedModel>(_ type: Model.Type) throws(BasisError) -> any FittedModel {
      try model(type)
    }
    return try open(type)
  }
}
