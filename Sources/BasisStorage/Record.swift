import BasisFormats

/// A row: a key, a payload and the text that is searched.
public struct Record: Sendable, Hashable {
  /// Identifies the record in its collection; writing the same key again replaces the record.
  public var key: String
  /// A JSON object, kept as it is written here.
  public var payload: String
  /// What is analysed and encoded. Nil: the collection's text fields of the payload, joined by a
  /// line break.
  public var text: String?
  /// The record's vector, in a collection whose vectors come ready-made; nil in any other.
  public var vector: [Float]?

  /// Further parts of a text that is searched piece by piece; ``text`` is the first one.
  public var furtherParts: [String]

  public init(
    key: String, payload: String, text: String? = nil, vector: [Float]? = nil,
    furtherParts: [String] = []
  ) {
    self.key = key
    self.payload = payload
    self.text = text
    self.vector = vector
    self.furtherParts = furtherParts
  }

  /// Tells two vectors apart without keeping either (FNV-1a over the bits); nil without a vector.
  var vectorDigest: Int64? {
    vector.map { vector in
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for value in vector { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
      return Int64(bitPattern: hash)
    }
  }
}

/// What a write did to the records it was given.
public struct WriteSummary: Sendable, Hashable {
  public var inserted = 0
  public var replaced = 0
  /// Already there with the same payload and text; not written again.
  public var unchanged = 0

  public init() {}

  public var total: Int { inserted + replaced + unchanged }

  public static func += (a: inout WriteSummary, b: WriteSummary) {
    a.inserted += b.inserted
    a.replaced += b.replaced
    a.unchanged += b.unchanged
  }
}

extension JSONValue {
  /// The named fields' texts, joined by a line break; fields that are missing or empty are left
  /// out. A list is joined by spaces.
  package func text(of fields: [String]) -> String {
    fields.compactMap { field -> String? in
      switch value(at: field) {
      case .array(let items)?: items.compactMap(\.stringValue).joined(separator: " ")
      case let value?: value.stringValue
      case nil: nil
      }
    }.filter { !$0.isEmpty }.joined(separator: "\n")
  }
}
