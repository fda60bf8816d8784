import BasisCore
import BasisFormats

/// One payload field of a segment's records: the different values that it has, and which of them
/// each record has.
///
/// Values are those that SQLite's `json_type` and `json_extract` give, kept as they come, so that a
/// condition means the same here as there. A condition is put to each different value once, and
/// then looked up for each record.
///
/// In a segment column *i* is these blocks:
///
/// | block | holds |
/// |---|---|
/// | `columns/i/kinds` | a byte per value: ``Kind`` |
/// | `columns/i/values` | 8 bytes per value: an integer, a double, or where a text ends in `texts` |
/// | `columns/i/texts` | UTF-8 of all texts |
/// | `columns/i/codes` | per record the number of its value, in 1, 2 or 4 bytes |
struct FilterColumn: Sendable {
  enum Kind: UInt8 {
    case missing, null, `false`, `true`, integer, real, text
    /// A list or an object.
    case nested
  }

  private enum Codes {
    case bytes(MappedArray<UInt8>)
    case shorts(MappedArray<UInt16>)
    case words(MappedArray<UInt32>)
  }

  private let kinds: MappedArray<UInt8>
  private let values: MappedArray<UInt64>
  private let texts: MappedArray<UInt8>
  private let codes: Codes
  private let count: Int

  /// - Throws: `.corruptFile` if a block is missing, damaged or does not fit the others.
  init(_ container: Container, number: Int, count: Int) throws(BasisError) {
    let prefix = FilterColumn.prefix(number)
    self.count = count
    kinds = try container.array(prefix + "kinds", of: UInt8.self)
    values = try container.array(prefix + "values", of: UInt64.self)
    texts = try container.array(prefix + "texts", of: UInt8.self)
    let name = prefix + "codes"
    let largest: Int
    let found: Int
    switch FilterColumn.codeSize(valueCount: kinds.count) {
    case 1:
      let codes = try container.array(name, of: UInt8.self)
      (found, largest) = (codes.count, Int(codes.max() ?? 0))
      self.codes = .bytes(codes)
    case 2:
      let codes = try container.array(name, of: UInt16.self)
      (found, largest) = (codes.count, Int(codes.max() ?? 0))
      self.codes = .shorts(codes)
    default:
      let codes = try container.array(name, of: UInt32.self)
      (found, largest) = (codes.count, Int(codes.max() ?? 0))
      self.codes = .words(codes)
    }
    var end: UInt64 = 0
    var isSound = found == count && values.count == kinds.count && (largest < kinds.count)
    for (kind, value) in zip(kinds, values) where isSound {
      isSound = Kind(rawValue: kind) != nil
      guard kind == Kind.text.rawValue else { continue }
      isSound = isSound && value >= end && value <= UInt64(texts.count)
      end = value
    }
    guard isSound || (count == 0 && found == 0) else {
      throw BasisError(
        .corruptFile, "\(container.path): the column \(number) does not fit its segment")
    }
  }

  static func prefix(_ number: Int) -> String { "columns/\(number)/" }

  static func codeSize(valueCount: Int) -> Int {
    valueCount <= 1 << 8 ? 1 : valueCount <= 1 << 16 ? 2 : 4
  }

  /// Whether a list or an object is among the values.
  var hasNested: Bool { kinds.contains(Kind.nested.rawValue) }

  /// The records whose value is as asked.
  func records(where isAsked: (Value) -> Bool) -> Bitmap {
    var matches: [UInt8] = []
    matches.reserveCapacity(kinds.count)
    texts.withUnsafeBufferPointer { texts in
      values.withUnsafeBufferPointer { values in
        var start = 0
        for (number, kind) in kinds.enumerated() {
          let bits = values[number]
          let value: Value
          switch Kind(rawValue: kind) ?? .missing {
          case .missing: value = .missing
          case .null: value = .null
          case .false: value = .bool(false)
          case .true: value = .bool(true)
          case .integer: value = .integer(Int64(bitPattern: bits))
          case .real: value = .real(Double(bitPattern: bits))
          case .nested: value = .nested
          case .text:
            value = .text(UnsafeBufferPointer(rebasing: texts[start..<Int(bits)]))
            start = Int(bits)
          }
          matches.append(isAsked(value) ? 1 : 0)
        }
      }
    }
    guard matches.contains(1) else { return Bitmap(count: count) }
    return matches.withUnsafeBufferPointer { matches in
      switch codes {
      case .bytes(let codes): codes.withUnsafeBufferPointer { bitmap($0, matches) }
      case .shorts(let codes): codes.withUnsafeBufferPointer { bitmap($0, matches) }
      case .words(let codes): codes.withUnsafeBufferPointer { bitmap($0, matches) }
      }
    }
  }

  @inline(__always)
  private func bitmap<Code: FixedWidthInteger>(
    _ codes: UnsafeBufferPointer<Code>, _ matches: UnsafeBufferPointer<UInt8>
  ) -> Bitmap {
    guard let codes = codes.baseAddress, let matches = matches.baseAddress else {
      return Bitmap(count: count)
    }
    return Bitmap(count: count) { word in
      let start = word * 64
      var bits: UInt64 = 0
      for place in 0..<min(64, count - start) {
        bits |= UInt64(matches[Int(codes[start + place])]) << UInt64(place)
      }
      return bits
    }
  }

  /// A value as a condition sees it; a text as UTF-8 that may not be valid.
  enum Value {
    case missing, null, nested
    case bool(Bool)
    case integer(Int64)
    case real(Double)
    case text(UnsafeBufferPointer<UInt8>)
  }
}
