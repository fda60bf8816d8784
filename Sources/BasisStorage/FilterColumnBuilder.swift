import BasisCore
import BasisFormats

/// Gathers one field's values, record by record, up to a limit of different ones.
struct FilterColumnBuilder {
  /// More different values than this, or more bytes of texts, and the field gets no column: then
  /// SQLite answers for it.
  static let valueLimit = 1 << 17
  static let textLimit = 2 << 20

  private enum Key: Hashable {
    case plain(FilterColumn.Kind, UInt64)
    case text([UInt8])
  }

  private var numbers: [Key: UInt32] = [:]
  private var kinds: [UInt8] = []
  private var values: [UInt64] = []
  private var texts: [UInt8] = []
  private var codes: [UInt32] = []
  private(set) var isWithinLimits = true

  mutating func append(_ kind: FilterColumn.Kind, bits: UInt64 = 0) {
    append(.plain(kind, bits), kind, bits)
  }

  mutating func append(text: some Collection<UInt8>) {
    guard isWithinLimits else { return }
    let key = Key.text(Array(text))
    if let number = numbers[key] { return codes.append(number) }
    texts += text
    append(key, .text, UInt64(texts.count))
  }

  private mutating func append(_ key: Key, _ kind: FilterColumn.Kind, _ bits: UInt64) {
    guard isWithinLimits else { return }
    if let number = numbers[key] { return codes.append(number) }
    guard kinds.count < Self.valueLimit, texts.count <= Self.textLimit else {
      self = FilterColumnBuilder()
      isWithinLimits = false
      return
    }
    let number = UInt32(truncatingIfNeeded: kinds.count)
    numbers[key] = number
    kinds.append(kind.rawValue)
    values.append(bits)
    codes.append(number)
  }

  func write(to writer: ContainerWriter, number: Int) throws(BasisError) {
    let prefix = FilterColumn.prefix(number)
    try writer.write(prefix + "kinds", kinds)
    try writer.write(prefix + "values", values)
    try writer.write(prefix + "texts", texts)
    switch FilterColumn.codeSize(valueCount: kinds.count) {
    case 1: try writer.write(prefix + "codes", codes.map { UInt8(truncatingIfNeeded: $0) })
    case 2: try writer.write(prefix + "codes", codes.map { UInt16(truncatingIfNeeded: $0) })
    default: try writer.write(prefix + "codes", codes)
    }
  }
}

/// Which payload fields of some records deserve a column.
struct FilterFieldFinder {
  /// Fields of a segment that get one at most: those that most records have.
  static let fieldLimit = 32
  /// Records looked at, spread over the segment.
  static let sampleCount = 512
  /// Texts longer than this on average are to be read, not to be compared.
  static let textLength = 64
  static let depth = 3

  private struct Seen {
    var count = 0
    var nestedCount = 0
    var textBytes = 0
    var textCount = 0
  }

  private var seen: [[String]: Seen] = [:]
  private let left: Set<[String]>

  /// - Parameter textFields: are searched by their words, and get no column.
  init(textFields: [String]) {
    left = Set(textFields.flatMap { [[$0], $0.split(separator: ".").map(String.init)] })
  }

  mutating func add(_ payload: JSONValue, under path: [String] = []) {
    guard case .object(let members) = payload else { return }
    for (name, value) in members {
      // SQLite's paths have no way to write such names.
      guard !name.contains("\""), !name.contains("\\"), !name.isEmpty else { continue }
      let path = path + [name]
      guard !left.contains(path) else { continue }
      switch value {
      case .object:
        if path.count < Self.depth { add(value, under: path) }
        seen[path, default: Seen()].nestedCount += 1
      case .array: seen[path, default: Seen()].nestedCount += 1
      case .string(let text):
        seen[path, default: Seen()].count += 1
        seen[path, default: Seen()].textCount += 1
        seen[path, default: Seen()].textBytes += text.utf8.count
      case .null, .bool, .integer, .number: seen[path, default: Seen()].count += 1
      }
    }
  }

  /// The most frequent first; names decide among equals.
  var fields: [[String]] {
    seen.filter { _, seen in
      seen.count > seen.nestedCount && seen.textBytes <= Self.textLength * seen.textCount
    }.sorted { a, b in
      a.value.count != b.value.count
        ? a.value.count > b.value.count : a.key.lexicographicallyPrecedes(b.key)
    }.prefix(Self.fieldLimit).map(\.key)
  }
}
