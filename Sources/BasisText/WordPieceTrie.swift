/// The entries of a vocabulary, to be matched from a place in a word on, longest first.
///
/// A tree of bytes whose edges lie in one hash table: one probe a byte, no object an entry.
struct WordPieceTrie: Sendable {
  /// `(node << 8 | byte) << 32 | next node`; all ones where there is nothing.
  private var edges: [UInt64]
  private var shift: UInt32
  /// By node: the entry that ends there, or −1.
  private var entries: [Int32] = [-1]

  static let root: UInt32 = 0
  /// The most bytes that all entries together may have: nodes are numbers of 24 bits.
  static let byteLimit = 1 << 24 - 1

  init(byteCount: Int) {
    var bits: UInt32 = 8
    while 1 << bits < 2 * byteCount { bits += 1 }
    edges = Array(repeating: .max, count: 1 << bits)
    shift = 64 - bits
    entries.reserveCapacity(byteCount + 1)
  }

  /// Adds an entry; of two with the same bytes the later one stays.
  ///
  /// - Precondition: all entries together have at most the bytes that were announced.
  mutating func insert(_ bytes: some Sequence<UInt8>, id: Int32) {
    var node = Self.root
    for byte in bytes { node = next(node, byte) ?? append(node, byte) }
    entries[Int(node)] = id
  }

  /// The node that these bytes lead to, nil where no entry starts with them.
  func node(of bytes: some Sequence<UInt8>) -> UInt32? {
    var node = Self.root
    for byte in bytes {
      guard let following = next(node, byte) else { return nil }
      node = following
    }
    return node
  }

  /// The longest entry that `word` continues with from `start` on; nil if none does.
  func longestMatch(_ word: UnsafeBufferPointer<UInt8>, from start: Int, below root: UInt32)
    -> (id: Int32, end: Int)?
  {
    edges.withUnsafeBufferPointer { edges in
      entries.withUnsafeBufferPointer { entries in
        var node = root
        var found: (id: Int32, end: Int)?
        var position = start
        while position < word.count,
          let following = Self.next(node, word[position], edges, shift)
        {
          node = following
          position += 1
          let id = entries[Int(node)]
          if id >= 0 { found = (id, position) }
        }
        return found
      }
    }
  }

  private func next(_ node: UInt32, _ byte: UInt8) -> UInt32? {
    edges.withUnsafeBufferPointer { Self.next(node, byte, $0, shift) }
  }

  @inline(__always)
  private static func next(
    _ node: UInt32, _ byte: UInt8, _ edges: UnsafeBufferPointer<UInt64>, _ shift: UInt32
  ) -> UInt32? {
    let key = UInt64(node << 8 | UInt32(byte))
    var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> UInt64(shift))
    while edges[slot] != .max {
      if edges[slot] >> 32 == key { return UInt32(truncatingIfNeeded: edges[slot]) }
      slot = (slot + 1) & (edges.count - 1)
    }
    return nil
  }

  private mutating func append(_ node: UInt32, _ byte: UInt8) -> UInt32 {
    precondition(2 * entries.count <= edges.count, "more bytes than were announced")
    let key = UInt64(node << 8 | UInt32(byte))
    var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> UInt64(shift))
    while edges[slot] != .max { slot = (slot + 1) & (edges.count - 1) }
    let made = UInt32(entries.count)
    edges[slot] = key << 32 | UInt64(made)
    entries.append(-1)
    return made
  }
}
