package import BasisCore
import Synchronization

/// Sees to it that no byte of a block is believed before its checksum was found right: each chunk
/// of 4 KiB is read and compared once, when something in it is first touched.
///
/// A touch says nothing; ``check()`` throws what touches have found. So a search touches what it
/// reads, and checks once before it answers. Damage that was found stays: every later check of the
/// block throws it again. Safe to use from any number of threads.
///
/// Unchecked, because the compiler cannot see that the bits are atomic and the bytes never written.
package final class BlockGuard: @unchecked Sendable {
  let entry: ContainerLayout.Entry
  let bytes: UnsafeRawBufferPointer
  private let mapping: Mapping
  private let path: String
  private let verifiedBytes: VerifiedBytes
  /// A bit per chunk that was found right.
  private let sound: UnsafeMutablePointer<Atomic<UInt64>>
  private let wordCount: Int
  /// Chunks that were not found right yet.
  private let remaining: Atomic<Int>
  private let isDamaged = Atomic<Bool>(false)

  init(
    _ entry: ContainerLayout.Entry, _ mapping: Mapping, path: String, counting: VerifiedBytes
  ) {
    self.entry = entry
    self.mapping = mapping
    self.path = path
    verifiedBytes = counting
    bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[entry.range])
    wordCount = (entry.chunkCount + 63) / 64
    sound = .allocate(capacity: wordCount)
    for word in 0..<wordCount { (sound + word).initialize(to: Atomic(0)) }
    remaining = Atomic(entry.chunkCount)
  }

  deinit {
    sound.deinitialize(count: wordCount)
    sound.deallocate()
  }

  /// Compares the chunks that these bytes of the block lie in, where that was not done before.
  ///
  /// - Precondition: the range lies in the block.
  package func touch(_ range: Range<Int>) {
    guard remaining.load(ordering: .acquiring) > 0, !range.isEmpty else { return }
    precondition(range.lowerBound >= 0 && range.upperBound <= entry.length, "outside the block")
    for chunk in range.lowerBound / entry.chunkSize...(range.upperBound - 1) / entry.chunkSize {
      touch(chunk: chunk)
    }
  }

  /// Touches records of `stride` bytes.
  package func touch(records ids: UnsafeBufferPointer<UInt32>, stride: Int) {
    guard remaining.load(ordering: .acquiring) > 0, stride > 0 else { return }
    for id in ids { touch(Int(id) * stride..<(Int(id) + 1) * stride) }
  }

  /// - Throws: `.corruptFile` if a chunk that was touched is damaged.
  package func check() throws(BasisError) {
    guard isDamaged.load(ordering: .acquiring) else { return }
    throw BasisError(
      .corruptFile,
      "\(path): the block '\(entry.name)' fails its checksum; restore the file from a backup or "
        + "make it again")
  }

  /// Touches and checks.
  package func verify(_ range: Range<Int>) throws(BasisError) {
    touch(range)
    try check()
  }

  /// Touches and checks records of `stride` bytes.
  package func verify(records: Range<Int>, stride: Int) throws(BasisError) {
    try verify(records.lowerBound * stride..<records.upperBound * stride)
  }

  /// Says whether single records are going to be read, so that the system fetches no more than those
  /// from the medium, or runs of many.
  package func expectRandomAccess(_ isRandom: Bool) {
    mapping.advise(entry.range, isRandom: isRandom)
  }

  func verifyAll() throws(BasisError) {
    for chunk in 0..<entry.chunkCount where remaining.load(ordering: .acquiring) > 0 {
      touch(chunk: chunk)
    }
    try check()
  }

  private func touch(chunk: Int) {
    let bit = UInt64(1) << UInt64(chunk & 63)
    guard sound[chunk >> 6].load(ordering: .acquiring) & bit == 0 else { return }
    // Two threads that come first both read the chunk, and agree.
    let part = entry.range(ofChunk: chunk)
    verifiedBytes.count.add(part.count, ordering: .relaxed)
    guard crc32c(UnsafeRawBufferPointer(rebasing: mapping.bytes[part])) == entry.checksum(of: chunk)
    else {
      isDamaged.store(true, ordering: .releasing)
      return
    }
    let before = sound[chunk >> 6].bitwiseOr(bit, ordering: .acquiringAndReleasing).oldValue
    if before & bit == 0 { remaining.subtract(1, ordering: .acquiringAndReleasing) }
  }
}

/// How many bytes of a file were compared with their checksums.
final class VerifiedBytes: Sendable {
  let count = Atomic<Int>(0)
}
