import Foundation

/// What BERT's basic tokenisation makes of each Unicode scalar.
///
/// In its order: control characters go, white space becomes a space, Chinese characters stand
/// alone; then, where asked for, canonical decomposition without the nonspacing marks, and lower
/// case; then punctuation stands alone. Filled page by page as scalars are met.
///
/// The reference (the `tokenizers` package) takes categories from Unicode 8, decompositions from
/// Unicode 12 and lower case from Unicode 16: a scalar younger than that is left as it is here too.
struct BertScalars: Sendable {
  struct Rules: Hashable, Sendable {
    var cleansText = true
    var splitsChinese = true
    var stripsAccents = true
    var lowercases = true
  }

  /// What becomes of a scalar: a kind, and a scalar or the place of several.
  struct Entry: Sendable {
    let bits: UInt32

    enum Kind: UInt32 {
      /// Part of a word, as the scalar.
      case letter
      case removed
      case space
      /// A word of its own, as the scalar.
      case alone
      /// Several entries, at the place.
      case several
      /// A mark that stays and whose place depends on its neighbours: the text needs canonical
      /// order first.
      case ordered
    }

    init(_ kind: Kind, _ value: UInt32 = 0) { bits = kind.rawValue << 24 | value }

    var kind: Kind { Kind(rawValue: bits >> 24) ?? .removed }
    var value: UInt32 { bits & 0xFF_FFFF }
  }

  let rules: Rules
  private var pages: [[Entry]] = Array(repeating: [], count: 0x1100)
  private(set) var sequences: [[Entry]] = []
  /// What a byte below 128 becomes: below 128 a letter, else one of the three below.
  private(set) var ascii: [UInt16] = []

  static let asciiSpace: UInt16 = 0x100
  static let asciiRemoved: UInt16 = 0x101
  /// With the byte in the lower bits.
  static let asciiAlone: UInt16 = 0x80

  init(_ rules: Rules) {
    self.rules = rules
    ascii = (0..<128).map { byte in
      let entry = self[UInt32(byte)]
      return switch entry.kind {
      case .letter: UInt16(entry.value)
      case .space: Self.asciiSpace
      case .alone: Self.asciiAlone | UInt16(entry.value)
      default: Self.asciiRemoved
      }
    }
  }

  subscript(scalar: UInt32) -> Entry {
    mutating get {
      let page = Int(scalar >> 8)
      if pages[page].isEmpty {
        pages[page] = (0..<256).map { makeEntry(scalar & ~0xFF | $0) }
      }
      return pages[page][Int(scalar & 0xFF)]
    }
  }

  private mutating func makeEntry(_ value: UInt32) -> Entry {
    guard let scalar = Unicode.Scalar(value) else { return Entry(.removed) }
    var isChinese = false
    if rules.cleansText {
      if value == 0 || value == 0xFFFD || Self.isControl(scalar) { return Entry(.removed) }
      if scalar.properties.isWhitespace { return Entry(.space) }
    }
    if rules.splitsChinese { isChinese = Self.isChinese(value) }
    var scalars = [scalar]
    if rules.stripsAccents {
      scalars = Self.decomposed(scalar).filter { !Self.isNonspacingMark($0) }
      if scalars.contains(where: { Self.order($0) > 0 }) {
        return Entry(.ordered)
      }
    }
    if rules.lowercases {
      scalars = scalars.flatMap {
        Self.isInVersion(16, $0) ? Array($0.properties.lowercaseMapping.unicodeScalars) : [$0]
      }
    }
    let entries = scalars.map { scalar -> Entry in
      if scalar.properties.isWhitespace { return Entry(.space) }
      let isAlone = isChinese || Self.isPunctuation(scalar)
      return Entry(isAlone ? .alone : .letter, scalar.value)
    }
    switch entries.count {
    case 0: return Entry(.removed)
    case 1: return entries[0]
    default:
      sequences.append(entries)
      return Entry(.several, UInt32(sequences.count - 1))
    }
  }

  /// Words for a mark that stays although accents go, once the text is in canonical order.
  static func entry(ofOrdered scalar: UInt32) -> Entry { Entry(.letter, scalar) }

  /// The scalars with control characters gone, decomposed and in canonical order.
  func canonicallyOrdered(_ text: String) -> String {
    var scalars: [(scalar: Unicode.Scalar, order: UInt8)] = []
    for scalar in text.unicodeScalars {
      if rules.cleansText,
        scalar.value == 0 || scalar.value == 0xFFFD || Self.isControl(scalar)
      {
        continue
      }
      for part in Self.decomposed(scalar) { scalars.append((part, Self.order(part))) }
    }
    var start = 0
    while start < scalars.count {
      var end = start + 1
      if scalars[start].order > 0 {
        while end < scalars.count, scalars[end].order > 0 { end += 1 }
        // Equal orders keep their places, so the sort must be stable; Swift's is.
        scalars[start..<end].sort { $0.order < $1.order }
      }
      start = end
    }
    var ordered = String.UnicodeScalarView()
    ordered.append(contentsOf: scalars.map(\.scalar))
    return String(ordered)
  }

  // MARK: Unicode as the reference has it

  private static func decomposed(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    guard isInVersion(12, scalar) else { return [scalar] }
    return Array(String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars)
  }

  private static func order(_ scalar: Unicode.Scalar) -> UInt8 {
    isInVersion(12, scalar) ? scalar.properties.canonicalCombiningClass.rawValue : 0
  }

  private static func isInVersion(_ version: Int, _ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.age.map { $0.major <= version } ?? false
  }

  private static func category(_ scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
    switch scalar.value {
    // Those few that later versions moved.
    case 0x166D, 0x111C9: .otherPunctuation
    case 0x1734, 0x1171E: .nonspacingMark
    case 0x1885, 0x1886: .otherLetter
    case 0xA9BD: .spacingMark
    default: isInVersion(8, scalar) ? scalar.properties.generalCategory : .unassigned
    }
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\r": return false
    default: break
    }
    switch category(scalar) {
    case .control, .format, .privateUse, .surrogate: return true
    default: return false
    }
  }

  private static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
    category(scalar) == .nonspacingMark
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 33...47, 58...64, 91...96, 123...126: return true
    default: break
    }
    switch category(scalar) {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// The blocks that BERT calls Chinese. The fifth starts at 2B920, as in the reference, although
  /// Unicode has it from 2B820 on.
  private static func isChinese(_ value: UInt32) -> Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
