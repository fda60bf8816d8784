/// Where a vector lives: which encoder made it, in which version, how long it is and how it is
/// compared. Vectors of two different spaces are never compared silently.
public struct Space: Sendable, Hashable, Codable {
  /// What one record has in the space.
  public enum Element: String, Sendable, Hashable, Codable {
    case dense
    case tokenSet
    case sparse
  }

  /// `name@version` of the space, as it is written on disk and shown.
  public struct Identifier: Sendable, Hashable, Codable, CustomStringConvertible {
    public var name: String
    public var version: Int

    public init(name: String, version: Int = 1) {
      self.name = name
      self.version = version
    }

    public var description: String { "\(name)@\(version)" }
  }

  public var id: Identifier
  public var dimension: Int
  public var metric: Metric
  public var element: Element
  /// The encoder that makes the vectors, or nil where they come ready-made.
  public var encoder: String?
  /// Older spaces whose vectors may be compared with the prefix of this one's.
  public var compatibleWith: [Identifier]

  public init(
    id: Identifier, dimension: Int, metric: Metric, element: Element = .dense,
    encoder: String? = nil, compatibleWith: [Identifier] = []
  ) {
    self.id = id
    self.dimension = dimension
    self.metric = metric
    self.element = element
    self.encoder = encoder
    self.compatibleWith = compatibleWith
  }
}
