import BasisCodecs
import BasisCore
import BasisFormats

/// The codes of all rows, list by list, in blocks for ``FastScan``.
struct CodeLists: Sendable {
  /// Values of a code.
  let parts: Int
  /// How many codes each list has.
  let counts: BlockStorage<UInt32>
  /// All blocks, list after list.
  let blocks: BlockStorage<UInt8>
  /// A row per place in a block, list after list; 0 where a last block has places left.
  let ids: BlockStorage<UInt32>
  /// For each place half the row's squared norm, less the list's least. Empty but for Euclidean
  /// distances.
  let halves: BlockStorage<Float>
  /// The least of each list.
  let leasts: BlockStorage<Float>
  /// The first block of each list, and the end.
  let starts: [Int]

  init(
    parts: Int, counts: BlockStorage<UInt32>, blocks: BlockStorage<UInt8>,
    ids: BlockStorage<UInt32>, halves: BlockStorage<Float>, leasts: BlockStorage<Float>
  ) {
    self.parts = parts
    self.counts = counts
    self.blocks = blocks
    self.ids = ids
    self.halves = halves
    self.leasts = leasts
    starts = Self.starts(of: counts)
  }

  private static func starts(of counts: BlockStorage<UInt32>) -> [Int] {
    counts.withUnsafeBufferPointer { counts in
      var starts = [0]
      for count in counts {
        starts.append(starts[starts.count - 1] + Self.blockCount(Int(count)))
      }
      return starts
    }
  }

  static func blockCount(_ codes: Int) -> Int {
    (codes + FastScan.blockSize - 1) / FastScan.blockSize
  }

  var blockBytes: Int { FastScan.blockBytes(parts: parts) }
  var listCount: Int { counts.count }

  /// Which list each place in a block is in.
  func homes() -> [UInt32] {
    var homes: [UInt32] = []
    homes.reserveCapacity(ids.count)
    for list in 0..<listCount {
      let blocks = starts[list + 1] - starts[list]
      homes += repeatElement(
        UInt32(truncatingIfNeeded: list), count: blocks * FastScan.blockSize)
    }
    return homes
  }

  /// The same codes, which answer with their places in the blocks: a row may have several.
  func withPlaces() -> CodeLists {
    CodeLists(
      parts: parts, counts: counts, blocks: blocks,
      ids: .owned((0..<ids.count).map { UInt32(truncatingIfNeeded: $0) }), halves: halves,
      leasts: leasts)
  }

  /// Pointers to everything, for as long as `body` runs.
  func withPointers<R>(_ body: (Pointers) -> R) -> R {
    counts.withUnsafeBufferPointer { counts in
      blocks.withUnsafeBufferPointer { blocks in
        ids.withUnsafeBufferPointer { ids in
          halves.withUnsafeBufferPointer { halves in
            leasts.withUnsafeBufferPointer { leasts in
              body(
                Pointers(
                  counts: counts, blocks: blocks, ids: ids, halves: halves, leasts: leasts,
                  starts: starts, blockBytes: blockBytes))
            }
          }
        }
      }
    }
  }

  struct Pointers {
    let counts: UnsafeBufferPointer<UInt32>
    let blocks: UnsafeBufferPointer<UInt8>
    let ids: UnsafeBufferPointer<UInt32>
    let halves: UnsafeBufferPointer<Float>
    let leasts: UnsafeBufferPointer<Float>
    let starts: [Int]
    let blockBytes: Int

    func collect(
      _ list: Int, _ scan: FastScan, allowed: UnsafePointer<UInt64>?,
      visitors: UnsafeBufferPointer<FastScan.Visitor>
    ) {
      collect(
        list, blocks: 0..<starts[list + 1] - starts[list], scan, allowed: allowed,
        visitors: visitors)
    }

    /// Some of a list's blocks.
    func collect(
      _ list: Int, blocks range: Range<Int>, _ scan: FastScan, allowed: UnsafePointer<UInt64>?,
      visitors: UnsafeBufferPointer<FastScan.Visitor>
    ) {
      let end = min(Int(counts[list]), range.upperBound * FastScan.blockSize)
      let count = end - range.lowerBound * FastScan.blockSize
      guard count > 0, let blocks = blocks.baseAddress, let ids = ids.baseAddress else { return }
      let first = starts[list] + range.lowerBound
      scan.collect(
        blocks + first * blockBytes, count: count, ids: ids + first * FastScan.blockSize,
        // An empty array may have an address.
        ownDistances: halves.isEmpty
          ? nil : halves.baseAddress.map { $0 + first * FastScan.blockSize },
        allowed: allowed, visitors: visitors)
    }
  }
}

/// Puts codes into lists.
struct CodeListsBuilder {
  private let parts: Int
  private let starts: [Int]
  private var counts: [UInt32]
  private var blocks: [UInt8]
  private var ids: [UInt32]
  private var halves: [Float]
  private let hasHalves: Bool

  /// Room for so many codes in each list.
  init(parts: Int, sizes: [Int], hasHalves: Bool) {
    self.parts = parts
    self.hasHalves = hasHalves
    var starts = [0]
    for size in sizes { starts.append(starts[starts.count - 1] + CodeLists.blockCount(size)) }
    self.starts = starts
    let blockCount = starts[sizes.count]
    counts = Array(repeating: 0, count: sizes.count)
    blocks = Array(repeating: 0, count: blockCount * FastScan.blockBytes(parts: parts))
    ids = Array(repeating: 0, count: blockCount * FastScan.blockSize)
    halves = hasHalves ? Array(repeating: 0, count: ids.count) : []
  }

  /// Copies the lists of an index that has the same number of lists.
  mutating func append(_ old: CodeLists) {
    old.withPointers { old in
      for list in counts.indices {
        let source = old.starts[list]..<old.starts[list + 1]
        let target = starts[list]
        for index in 0..<source.count * FastScan.blockSize {
          ids[target * FastScan.blockSize + index] =
            old.ids[source.lowerBound * FastScan.blockSize + index]
          if hasHalves {
            halves[target * FastScan.blockSize + index] =
              old.halves[source.lowerBound * FastScan.blockSize + index] + old.leasts[list]
          }
        }
        for index in 0..<source.count * old.blockBytes {
          blocks[target * old.blockBytes + index] =
            old.blocks[source.lowerBound * old.blockBytes + index]
        }
        counts[list] = old.counts[list]
      }
    }
  }

  /// - Parameter code: `parts` bytes, and zeros up to a multiple of four.
  mutating func append(_ id: Int, to list: Int, _ code: UnsafePointer<UInt8>, half: Float) {
    let place = Int(counts[list])
    counts[list] += 1
    let index = starts[list] * FastScan.blockSize + place
    ids[index] = UInt32(truncatingIfNeeded: id)
    if hasHalves { halves[index] = half }
    blocks.withUnsafeMutableBufferPointer { blocks in
      guard let base = blocks.baseAddress else { return }
      FastScan.pack(
        code, parts: parts, at: place,
        into: base + starts[list] * FastScan.blockBytes(parts: parts))
    }
  }

  consuming func finish() -> CodeLists {
    var leasts = [Float](repeating: 0, count: counts.count)
    if hasHalves {
      for list in counts.indices where counts[list] > 0 {
        let first = starts[list] * FastScan.blockSize
        let places = first..<first + Int(counts[list])
        let least = halves[places].min() ?? 0
        leasts[list] = least
        for place in places { halves[place] -= least }
      }
    }
    return CodeLists(
      parts: parts, counts: .owned(counts), blocks: .owned(blocks), ids: .owned(ids),
      halves: .owned(halves), leasts: .owned(leasts))
  }
}
