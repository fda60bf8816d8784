import BasisCore
import BasisFormats
import BasisStorage
import BasisText
import Synchronization

/// The text encoders that a collection can have, by name.
enum EncoderCatalog {
  /// A corpus-trained encoder is fitted on about this many bytes of text at most, so that fitting
  /// takes no more memory than sealing a segment.
  static let sampleByteLimit = 24 << 20

  /// The block of a collection's model file that says which installed model a space needs.
  private static let modelBlock = "installed-model"

  /// Whether an encoder has to be learnt from texts first.
  static func isLearnt(_ name: String) -> Bool { name == "corpus" }

  /// Whether an encoder is one of the user's models.
  static func isModel(_ name: String) -> Bool {
    !isLearnt(name) && name != CollectionSettings.readyMade
  }

  /// - Throws: `.unsupported` with the names there are; `.missingDependency` with the command that
  ///   gets a model.
  static func require(_ name: String) throws(BasisError) {
    if isModel(name) { _ = try ModelStore.user.require(name) }
  }

  /// Gives a collection whose encoder is a model the space of that model, if it has none yet.
  static func addModelSpace(to store: CollectionStore) throws(BasisError) {
    guard isModel(store.settings.encoder), try store.spaces().isEmpty else { return }
    let model = try ModelStore.user.require(store.settings.encoder)
    try store.addSpace(model.space()) { writer throws(BasisError) in
      try writer.write(modelBlock, json: model)
    }
  }

  static func fit(
    _ texts: [String], version: Int, settings: CollectionSettings, in run: RunContext
  ) throws(BasisError) -> CorpusEncoderModel {
    guard isLearnt(settings.encoder) else {
      throw BasisError(.unsupported, "the encoder '\(settings.encoder)' is not learnt from texts")
    }
    run.report("fitting the encoder", 0, of: texts.count, unit: "texts")
    let encoder = CorpusEncoder(dimension: settings.dimension, analyzer: settings.analyzer)
    return try encoder.fit(texts, version: version, in: run.silent)
  }

  static func open(_ stored: StoredSpace) throws(BasisError) -> any TextEncoder {
    let space = stored.space
    guard let name = space.encoder, let file = try stored.openModel() else {
      throw BasisError(.corruptFile, "the space \(space.id) has no model")
    }
    if isLearnt(name) { return try CorpusEncoderModel(from: file) }
    let wanted = try file.json(modelBlock, as: StoredModel.self)
    let found = try ModelStore.user.require(name)
    guard found.sha256 == wanted.sha256, found.description == wanted.description else {
      throw BasisError(
        .spaceMismatch,
        "the space \(space.id) was made with another model than the '\(name)' that is installed "
          + "(its weights were \(wanted.sha256.prefix(12))…, from \(wanted.source)); install that "
          + "one, or make the collection again")
    }
    return try ModelStore.user.encoder(found, version: space.id.version)
  }
}

/// The encoders of a collection's spaces, each opened once.
final class EncoderCache: Sendable {
  private let open = Mutex<[Space.Identifier: any TextEncoder]>([:])
  private let cut = Mutex(Truncation())

  /// What encoders have cut off texts that were stored.
  var truncation: Truncation { cut.withLock { $0 } }

  /// Vectors of texts that are to be stored.
  func encode(_ texts: [String], for stored: StoredSpace, in run: RunContext) throws(BasisError)
    -> Matrix
  {
    let encoder = try encoder(of: stored)
    guard let encoder = encoder as? any TruncatingEncoder else {
      return try encoder.encode(texts, as: .document, in: run)
    }
    let (vectors, truncation) = try encoder.encodeCounting(texts, as: .document, in: run)
    cut.withLock { $0 += truncation }
    return vectors
  }

  func forget(_ space: Space.Identifier) { open.withLock { $0[space] = nil } }

  /// The encoder, where it was learnt from the collection.
  func model(of stored: StoredSpace) throws(BasisError) -> (any TextEncoder)? {
    EncoderCatalog.isLearnt(stored.space.encoder ?? "") ? try encoder(of: stored) : nil
  }

  func encoder(of stored: StoredSpace) throws(BasisError) -> any TextEncoder {
    if let encoder = open.withLock({ $0[stored.space.id] }) { return encoder }
    let encoder = try EncoderCatalog.open(stored)
    open.withLock { $0[stored.space.id] = encoder }
    return encoder
  }
}
