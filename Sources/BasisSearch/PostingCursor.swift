/// Reads one term's postings from the first to the last.
struct PostingCursor {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let documentCount: Int
  private var position = 0
  private(set) var document = -1
  private(set) var frequency: UInt32 = 0
  /// False once the bytes have turned out not to be postings of this index.
  private(set) var isSound = true

  init(bytes: UnsafeBufferPointer<UInt8>, documentCount: Int) {
    self.bytes = bytes
    self.documentCount = documentCount
  }

  /// Goes on to the next document; false at the end.
  @inline(__always)
  mutating func next() -> Bool {
    guard position < bytes.count else { return false }
    let code = readNumber()
    document += Int(truncatingIfNeeded: code >> 1) + 1
    frequency = code & 1 == 1 ? 1 : UInt32(truncatingIfNeeded: readNumber())
    // A gap has at most 62 bits, so the sum cannot have overflowed before it is found too large.
    if document >= documentCount || !isSound {
      isSound = false
      position = bytes.count
      return false
    }
    return true
  }

  @inline(__always)
  private mutating func readNumber() -> UInt64 {
    guard position < bytes.count else {
      isSound = false
      return 0
    }
    let first = bytes[position]
    position += 1
    if first < 0x80 { return UInt64(first) }
    return readRest(UInt64(first & 0x7F))
  }

  private mutating func readRest(_ start: UInt64) -> UInt64 {
    var value = start
    var shift: UInt64 = 7
    while position < bytes.count, shift <= 35 {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    isSound = false
    return 0
  }
}

/// Numbers of 7 bits a byte, low bits first; the top bit says that more follow.
package enum VariableLength {
  package static func byteCount(_ value: UInt64) -> Int {
    max(1, (64 - value.leadingZeroBitCount + 6) / 7)
  }

  /// Writes at `position` and moves it past what was written.
  package static func write(
    _ value: UInt64, to bytes: UnsafeMutableBufferPointer<UInt8>, at position: inout Int
  ) {
    var rest = value
    while rest >= 0x80 {
      bytes[position] = UInt8(truncatingIfNeeded: rest) | 0x80
      position += 1
      rest >>= 7
    }
    bytes[position] = UInt8(truncatingIfNeeded: rest)
    position += 1
  }
}
