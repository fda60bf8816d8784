/// Plain values that say how a method works. Every value has a default; decoding fills what an
/// older file lacks from the defaults.
public protocol Settings: Codable, Hashable, Sendable {}

/// Which side of a search a text is on; some encoders treat the two differently.
public enum EncodingRole: String, Sendable, Hashable, Codable {
  case document
  case query
}

/// Anything into vectors of one space.
public protocol Encoder: Sendable {
  associatedtype Input: Sendable

  /// The space of the vectors that it makes.
  var space: Space { get }

  /// One row per input, `inputs.count × space.dimension`.
  ///
  /// - Throws: `.badData` for an input that it cannot encode; `.cancelled`.
  func encode(_ inputs: [Input], as role: EncodingRole, in run: RunContext) throws(BasisError)
    -> Matrix
}
