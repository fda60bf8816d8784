/// Byte strings numbered in the order of their first appearance.
///
/// All bytes lie in one block, so a vocabulary of a million terms is four arrays and not a million
/// objects. Open addressing with linear probing, at most half full.
package struct TermTable: Sendable {
  package private(set) var bytes: [UInt8] = []
  /// Where each term starts in `bytes`, and where the last one ends: `count + 1` values.
  package private(set) var offsets: [Int] = [0]
  private var hashes: [UInt32] = []
  private var slots: [Int32]

  package init(minimumCapacity: Int = 0) {
    var slotCount = 64
    while slotCount < 2 * minimumCapacity { slotCount *= 2 }
    slots = Array(repeating: -1, count: slotCount)
  }

  package var count: Int { hashes.count }

  /// The number of a term, or nil if it was never inserted.
  /// - Complexity: O(length of the term) expected.
  package func find(_ term: UnsafeBufferPointer<UInt8>) -> Int? {
    find(term, hash: Self.hash(term)).map(Int.init)
  }

  /// The number of a term, a new one if it was never inserted before.
  package mutating func insert(_ term: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = Self.hash(term)
    if let index = find(term, hash: hash) { return Int(index) }
    precondition(count < Int(Int32.max), "a vocabulary holds at most 2³¹ − 1 terms")
    if 2 * (count + 1) > slots.count { grow() }
    let index = Int32(truncatingIfNeeded: count)
    bytes.append(contentsOf: term)
    offsets.append(bytes.count)
    hashes.append(hash)
    place(index, hash: hash)
    return Int(index)
  }

  package func withTerm<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    bytes.withUnsafeBufferPointer {
      body(UnsafeBufferPointer(rebasing: $0[offsets[index]..<offsets[index + 1]]))
    }
  }

  package func term(_ index: Int) -> String {
    withTerm(index) { String(decoding: $0, as: UTF8.self) }
  }

  /// The numbers of all terms, in the order of their bytes.
  package func sortedIndices() -> [Int] {
    bytes.withUnsafeBufferPointer { bytes in
      (0..<count).sorted { a, b in
        precedes(
          UnsafeBufferPointer(rebasing: bytes[offsets[a]..<offsets[a + 1]]),
          UnsafeBufferPointer(rebasing: bytes[offsets[b]..<offsets[b + 1]]))
      }
    }
  }

  private func find(_ term: UnsafeBufferPointer<UInt8>, hash: UInt32) -> Int32? {
    let mask = slots.count - 1
    return slots.withUnsafeBufferPointer { slots in
      hashes.withUnsafeBufferPointer { hashes in
        offsets.withUnsafeBufferPointer { offsets in
          bytes.withUnsafeBufferPointer { bytes in
            var slot = Int(hash) & mask
            while slots[slot] >= 0 {
              let index = Int(slots[slot])
              if hashes[index] == hash {
                let start = offsets[index]
                if offsets[index + 1] - start == term.count,
                  areEqual(UnsafeBufferPointer(rebasing: bytes[start..<start + term.count]), term)
                {
                  return Int32(truncatingIfNeeded: index)
                }
              }
              slot = (slot + 1) & mask
            }
            return nil
          }
        }
      }
    }
  }

  private mutating func place(_ index: Int32, hash: UInt32) {
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    while slots[slot] >= 0 { slot = (slot + 1) & mask }
    slots[slot] = index
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: 2 * slots.count)
    for (index, hash) in hashes.enumerated() {
      place(Int32(truncatingIfNeeded: index), hash: hash)
    }
  }

  // Differs from process to process, so that nobody can prepare texts whose terms all collide.
  // Numbers of terms do not depend on it.
  private static let seed = UInt64.random(in: .min ... .max)

  private static func hash(_ term: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var state = seed ^ UInt64(truncatingIfNeeded: term.count)
    let bytes = UnsafeRawBufferPointer(term)
    var position = 0
    while position + 8 <= bytes.count {
      state = mix(state ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    if position < bytes.count {
      var rest: UInt64 = 0
      while position < bytes.count {
        rest = rest << 8 | UInt64(bytes[position])
        position += 1
      }
      state = mix(state ^ rest)
    }
    return UInt32(truncatingIfNeeded: state ^ state >> 32)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }
}

/// - Precondition: equal counts.
private func areEqual(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
  let (x, y) = (UnsafeRawBufferPointer(a), UnsafeRawBufferPointer(b))
  var position = 0
  while position + 8 <= x.count {
    guard
      x.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        == y.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    else { return false }
    position += 8
  }
  while position < x.count {
    guard x[position] == y[position] else { return false }
    position += 1
  }
  return true
}

/// Whether `a` comes before `b` in the order of their bytes, which for UTF-8 is the order of scalars.
package func precedes(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
  let shared = min(a.count, b.count)
  var position = 0
  while position < shared {
    if a[position] != b[position] { return a[position] < b[position] }
    position += 1
  }
  return a.count < b.count
}
