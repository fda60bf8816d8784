/// A set of row numbers in `0 ..< count`, one bit each: what a filter lets through.
public struct Bitmap: Sendable, Hashable {
  public let count: Int
  public private(set) var words: [UInt64]

  /// All rows out, or all in.
  public init(count: Int, all: Bool = false) {
    precondition(count >= 0)
    self.count = count
    words = Array(repeating: all ? .max : 0, count: (count + 63) / 64)
    clearTail()
  }

  /// Rows as `fill` gives them, 64 in a word, the first in the lowest bit.
  package init(count: Int, fill: (_ word: Int) -> UInt64) {
    precondition(count >= 0)
    self.count = count
    words = (0..<(count + 63) / 64).map(fill)
    clearTail()
  }

  /// Membership of one row.
  ///
  /// - Precondition: `row` is in `0 ..< count`.
  public subscript(row: Int) -> Bool {
    get {
      precondition(row >= 0 && row < count)
      return words[row >> 6] >> UInt64(row & 63) & 1 == 1
    }
    set {
      precondition(row >= 0 && row < count)
      let bit = UInt64(1) << UInt64(row & 63)
      if newValue { words[row >> 6] |= bit } else { words[row >> 6] &= ~bit }
    }
  }

  /// How many rows are in.
  public var population: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Keeps what is in both.
  ///
  /// - Precondition: equal counts.
  public mutating func formIntersection(_ other: Bitmap) {
    precondition(count == other.count)
    for index in words.indices { words[index] &= other.words[index] }
  }

  /// Keeps what is in either.
  ///
  /// - Precondition: equal counts.
  public mutating func formUnion(_ other: Bitmap) {
    precondition(count == other.count)
    for index in words.indices { words[index] |= other.words[index] }
  }

  /// What is out comes in, and the other way round.
  public mutating func invert() {
    for index in words.indices { words[index] = ~words[index] }
    clearTail()
  }

  /// Calls `body` with every row that is in, rising.
  public func forEach<E: Error>(_ body: (Int) throws(E) -> Void) throws(E) {
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        try body(index << 6 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }

  private mutating func clearTail() {
    let extra = words.count * 64 - count
    if extra > 0 { words[words.count - 1] &= .max >> UInt64(extra) }
  }
}
