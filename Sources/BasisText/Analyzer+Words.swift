import BasisCore
import Foundation

extension Analyzer {
  /// Calls `body` with the UTF-8 bytes of each word: lower-cased and composed, not yet stopped or
  /// stemmed.
  package func forEachWord(of text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    var text = text
    text.withUTF8 { bytes in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: maximumTermLength) { scratch in
        var scanner = WordScanner(
          bytes: bytes, scratch: scratch, dropsEnclitics: stopWords == .english)
        while scanner.next() {
          body(UnsafeBufferPointer(rebasing: scratch[0..<scanner.wordLength]))
        }
      }
    }
  }
}

/// Finds the words of valid UTF-8, one after the other.
private struct WordScanner {
  let bytes: UnsafeBufferPointer<UInt8>
  let scratch: UnsafeMutableBufferPointer<UInt8>
  let dropsEnclitics: Bool
  private var position = 0
  private(set) var wordLength = 0

  init(
    bytes: UnsafeBufferPointer<UInt8>, scratch: UnsafeMutableBufferPointer<UInt8>,
    dropsEnclitics: Bool
  ) {
    self.bytes = bytes
    self.scratch = scratch
    self.dropsEnclitics = dropsEnclitics
  }

  /// Puts the next word into the scratch space. False at the end of the text.
  mutating func next() -> Bool {
    Self.classes.withUnsafeBufferPointer { classes in
      while position < bytes.count {
        let start = position
        let first = classes[Int(bytes[start])]
        if first == Self.separator {
          position += 1
          continue
        }
        wordLength = 0
        if first == Self.beyondASCII {
          scanScalars(from: start)
        } else {
          var lower = first
          repeat {
            if wordLength < scratch.count {
              scratch[wordLength] = lower
              wordLength += 1
            }
            position += 1
            lower = position < bytes.count ? classes[Int(bytes[position])] : Self.separator
          } while lower > Self.beyondASCII
          if lower == Self.beyondASCII, isWordScalar(at: position) { scanScalars(from: start) }
        }
        if wordLength > 0, !(dropsEnclitics && isEnclitic(startingAt: start)) { return true }
      }
      return false
    }
  }

  /// Scans a word that has scalars beyond ASCII, from its start; leaves `wordLength` 0 if what
  /// stands there is no word.
  private mutating func scanScalars(from start: Int) {
    position = start
    wordLength = 0
    var word = String.UnicodeScalarView()
    var isInert = true
    while position < bytes.count {
      let (scalar, length) = scalar(at: position)
      guard Self.isWordScalar(scalar) else {
        if word.isEmpty { position += length }
        break
      }
      let standsAlone = Self.standsAlone(scalar)
      if standsAlone, !word.isEmpty { break }
      word.append(scalar)
      isInert = isInert && Self.isInert(scalar)
      position += length
      if standsAlone {
        // A voicing mark belongs to the sign before it.
        while position < bytes.count {
          let (mark, length) = self.scalar(at: position)
          guard mark.properties.generalCategory == .nonspacingMark else { break }
          word.append(mark)
          isInert = false
          position += length
        }
        break
      }
      // Runs are cut to the scratch space; no need to hold more than that can take.
      if word.count > 4 * scratch.count { skipRun() }
    }
    guard !word.isEmpty else { return }
    let composed =
      isInert ? String(word) : String(word).precomposedStringWithCompatibilityMapping
    for scalar in composed.unicodeScalars {
      for byte in scalar.properties.lowercaseMapping.unicodeScalars.lazy.flatMap({ lower in
        UTF8.encode(lower == "ς" ? "σ" : lower) ?? UTF8.encodedReplacementCharacter
      }) {
        guard wordLength < scratch.count else { return cutAtScalar() }
        scratch[wordLength] = byte
        wordLength += 1
      }
    }
  }

  private mutating func skipRun() {
    while position < bytes.count {
      let (scalar, length) = scalar(at: position)
      guard Self.isWordScalar(scalar), !Self.standsAlone(scalar) else { return }
      position += length
    }
  }

  /// Removes a scalar of which only the first bytes fitted.
  private mutating func cutAtScalar() {
    var start = wordLength - 1
    while start > 0, scratch[start] & 0xC0 == 0x80 { start -= 1 }
    let lead = scratch[start]
    let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    if start + length > wordLength { wordLength = start }
  }

  /// Whether the word in the scratch space is what a contraction or a genitive leaves behind its
  /// apostrophe (' or ’).
  private func isEnclitic(startingAt start: Int) -> Bool {
    guard wordLength <= 2, start >= 2 else { return false }
    let beforeApostrophe: Int
    if bytes[start - 1] == 0x27 {
      beforeApostrophe = start - 2
    } else if start >= 4, bytes[start - 3] == 0xE2, bytes[start - 2] == 0x80,
      bytes[start - 1] == 0x99
    {
      beforeApostrophe = start - 4
    } else {
      return false
    }
    let before = bytes[beforeApostrophe]
    guard before >= 0x80 || Self.classes[Int(before)] > Self.beyondASCII else { return false }
    return StopWords.enclitics.contains { enclitic in
      enclitic.utf8.count == wordLength && enclitic.utf8.elementsEqual(scratch[0..<wordLength])
    }
  }

  private func isWordScalar(at position: Int) -> Bool {
    Self.isWordScalar(scalar(at: position).0)
  }

  /// The scalar at a position of its first byte; the text is a `String`'s and so valid.
  private func scalar(at position: Int) -> (Unicode.Scalar, length: Int) {
    let lead = UInt32(bytes[position])
    if lead < 0x80 { return (Unicode.Scalar(UInt8(lead)), 1) }
    let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    var value = lead & (0xFF >> UInt32(length + 1))
    for offset in 1..<length { value = value << 6 | UInt32(bytes[position + offset]) & 0x3F }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  // A byte's class: 0 separates, 1 starts a scalar beyond ASCII, all else is the lower-cased byte.
  private static let separator: UInt8 = 0
  private static let beyondASCII: UInt8 = 1
  private static let classes: [UInt8] = (0..<256).map { value in
    let byte = UInt8(value)
    return switch byte {
    case 0x30...0x39, 0x61...0x7A: byte
    case 0x41...0x5A: byte | 0x20
    case 0x80...: beyondASCII
    default: separator
    }
  }

  private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 { return classes[Int(scalar.value)] != separator }
    if isInert(scalar) { return true }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
      true
    default: false
    }
  }

  /// Letters that NFKC leaves alone and that never combine with a letter before them: ranges of the
  /// common alphabets, so that only unusual words pay for normalisation.
  private static func isInert(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x131, 0x134...0x13E, 0x141...0x148, 0x14A...0x17E: true
    case 0x388...0x38A, 0x38E...0x3A1, 0x3A3...0x3CE: true
    case 0x400...0x481, 0x48A...0x52F: true
    case 0x5D0...0x5EA, 0x621...0x64A, 0x1EA0...0x1EF9: true
    case 0x3041...0x3096, 0x30A1...0x30FA, 0x30FC, 0x4E00...0x9FFF, 0xAC00...0xD7A3: true
    default: false
    }
  }

  /// Han and Hiragana: one character, one word.
  private static func standsAlone(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3005, 0x3041...0x309F, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,
      0x20000...0x3FFFF:
      true
    default: false
    }
  }
}
