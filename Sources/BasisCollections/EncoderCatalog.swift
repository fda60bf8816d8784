import BasisCore
import BasisStorage
import BasisText
import Synchronization

/// The text encoders that a collection can have, by name.
enum EncoderCatalog {
  /// A corpus-trained encoder is fitted on about this many bytes of text at most, so that fitting
  /// takes no more memory than sealing a segment.
  static let sampleByteLimit = 24 << 20

  /// - Throws: `.unsupported` with the names there are.
  static func require(_ name: String) throws(BasisError) {
    guard name == "corpus" || name == CollectionSettings.readyMade else {
      throw BasisError(.unsupported, "there is no encoder '\(name)'; there is 'corpus'")
    }
  }

  static func fit(
    _ texts: [String], version: Int, settings: CollectionSettings, in run: RunContext
  ) throws(BasisError) -> CorpusEncoderModel {
    try require(settings.encoder)
    run.report("fitting the encoder", 0, of: texts.count, unit: "texts")
    let encoder = CorpusEncoder(dimension: settings.dimension, analyzer: settings.analyzer)
    return try encoder.fit(texts, version: version, in: run.silent)
  }

  static func open(_ stored: StoredSpace) throws(BasisError) -> any TextEncoder {
    try require(stored.space.encoder ?? "")
    guard let model = try stored.openModel() else {
      throw BasisError(.corruptFile, "the space \(stored.space.id) has no model")
    }
    return try CorpusEncoderModel(from: model)
  }
}

/// The encoders of a collection's spaces, each opened once.
final class EncoderCache: Sendable {
  private let open = Mutex<[Space.Identifier: any TextEncoder]>([:])

  func forget(_ space: Space.Identifier) { open.withLock { $0[space] = nil } }

  /// The encoder, where the collection keeps its model.
  func model(of stored: StoredSpace) throws(BasisError) -> (any TextEncoder)? {
    stored.modelPath == nil ? nil : try encoder(of: stored)
  }

  func encoder(of stored: StoredSpace) throws(BasisError) -> any TextEncoder {
    if let encoder = open.withLock({ $0[stored.space.id] }) { return encoder }
    let encoder = try EncoderCatalog.open(stored)
    open.withLock { $0[stored.space.id] = encoder }
    return encoder
  }
}
