public import BasisCore
import CBasisKernels
import Synchronization

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A file of named blocks, each under its own checksum: what segments and models are stored in.
///
/// The file is mapped into memory and never changed; whoever wants another content writes another
/// file (``ContainerWriter``) over its name. A block's checksums are verified when the block is
/// first asked for, once, or, where its reader says what it touches, chunk by chunk; a damaged
/// block is an error that names it, and the other blocks stay readable. Safe to use from any number
/// of threads.
///
/// The layout, version 2. Numbers are little-endian; `CRC` is CRC-32C (Castagnoli).
///
/// | bytes | header |
/// |---|---|
/// | 0 ..< 8 | magic: `89 42 41 53 49 53 0D 0A` ("\x89BASIS\r\n") |
/// | 8 ..< 12 | version of this layout, 2 |
/// | 12 ..< 16 | byte order of the blocks: `04 03 02 01`, the number 0x01020304 |
/// | 16 ..< 24 | kind: up to 8 ASCII characters, then zeros |
/// | 24 ..< 28 | version of the kind |
/// | 28 ..< 32 | zero |
/// | 32 ..< 40 | where the table of contents starts, a multiple of 64 |
/// | 40 ..< 48 | how many bytes the table has |
/// | 48 ..< 56 | how many bytes the file has |
/// | 56 ..< 60 | CRC of the table |
/// | 60 ..< 64 | CRC of bytes 0 ..< 60 |
///
/// Blocks follow without gaps from byte 64 on, each filled up with zeros to a multiple of 64. The
/// table of contents ends the file. It has one entry per block, in the order of the blocks:
///
/// | bytes | entry |
/// |---|---|
/// | 0 ..< 8 | where the block starts |
/// | 8 ..< 16 | how many bytes it has, without the zeros after it |
/// | 16 ..< 20 | CRC of the block, with the zeros after it |
/// | 20 ..< 22 | bytes per element; 1 where the block is JSON or was streamed |
/// | 22 ..< 24 | how many bytes the name has |
/// | 24 ... | the name, UTF-8 |
/// | then | where the block has more than 4 KiB, with the zeros after it: a CRC for each 4 KiB of it and the rest |
///
/// Layouts 1 and 2 are still read. The first has no checksums of parts: its blocks are verified
/// whole; the parts of the second have 64 KiB.
///
/// So every byte of the file is under a checksum. Later layouts keep the header's form up to
/// byte 12 and its checksum, so that an old program can tell a newer file from a damaged one.
///
/// - Note: A file that another program cuts short while it is mapped ends the process with
///   `SIGBUS`, as with any mapped file. Replace files by renaming; never write into them.
public final class Container: Sendable {
  public let path: String
  /// The version of the file's kind, as its writer gave it.
  public let version: UInt32
  /// The size of the file.
  public let byteCount: Int
  /// In the order of writing.
  public let blockNames: [String]

  private let mapping: Mapping
  private let guards: [String: BlockGuard]
  private let verified: VerifiedBytes

  /// Maps a file and checks its header and its table of contents; no block is read yet.
  ///
  /// - Parameters:
  ///   - kind: what the file must say that it holds, up to 8 ASCII characters.
  ///   - path: the file.
  ///   - maximumVersion: the newest version of the kind that the caller can read.
  /// - Throws: `.notFound`; `.corruptFile` if it is not a container of this kind, or is damaged;
  ///   `.newerFormat`; `.inputOutput`.
  /// - Complexity: O(number of blocks).
  public init(path: String, kind: String, maximumVersion: UInt32) throws(BasisError) {
    let file = try SystemFile(reading: path)
    let status = try file.status()
    guard status.kind == .file else {
      throw BasisError(.corruptFile, "\(path): is a folder or a device, not a \(kind) file")
    }
    mapping = try Mapping(file, byteCount: status.byteCount)
    let layout: ContainerLayout
    do throws(BasisError) {
      layout = try ContainerLayout(reading: mapping.bytes, kind: kind)
    } catch {
      throw error.at(path)
    }
    guard layout.version <= maximumVersion else {
      throw BasisError(
        .newerFormat,
        "\(path): was written by a later version of the program (\(kind) \(layout.version), this "
          + "one reads up to \(maximumVersion)); update the program")
    }
    self.path = path
    version = layout.version
    byteCount = status.byteCount
    blockNames = layout.entries.map(\.name)
    let (mapping, verified) = (mapping, VerifiedBytes())
    self.verified = verified
    guards = Dictionary(
      uniqueKeysWithValues: layout.entries.map {
        ($0.name, BlockGuard($0, mapping, path: path, counting: verified))
      })
  }

  public func contains(_ name: String) -> Bool { guards[name] != nil }

  /// What the block of this name takes in the file, or the blocks in this folder: `name/`.
  package func byteCount(ofBlocks prefix: String) -> Int {
    guards.values.reduce(0) {
      let isOne = $1.entry.name == prefix || prefix.last == "/" && $1.entry.name.hasPrefix(prefix)
      return isOne ? $0 + $1.entry.paddedRange.count : $0
    }
  }

  /// How many bytes of blocks were read and compared with their checksums so far.
  package var verifiedByteCount: Int { verified.count.load(ordering: .relaxed) }

  /// Refuses what a later program laid out in some other way.
  ///
  /// - Parameters:
  ///   - layout: what the file says.
  ///   - what: is laid out, for the message.
  ///   - newest: the last layout that this program reads.
  package func requireLayout(_ layout: Int, of what: String, upTo newest: Int = 1)
    throws(BasisError)
  {
    guard layout <= newest else {
      throw BasisError(
        .newerFormat,
        "\(path): the \(what) has layout \(layout), this program reads up to \(newest); update it")
    }
  }

  /// The elements of a block, in the mapping.
  ///
  /// - Parameter type: what was written, or a type of the same stride for which every bit pattern
  /// - Parameter name: the name of the block, unique in its file.
  ///   is a value; a streamed block can be read as any.
  /// - Throws: `.corruptFile` if the block is missing, damaged, or holds elements of another size.
  /// - Precondition: `T` is aligned to at most 64 bytes.
  /// - Complexity: O(bytes of the block) the first time, O(1) then.
  public func array<T: BitwiseCopyable>(_ name: String, of type: T.Type) throws(BasisError)
    -> MappedArray<T>
  {
    let (array, guardian) = try unverifiedArray(name, of: type)
    try guardian.verifyAll()
    return array
  }

  /// The elements of a block, none of which may be believed before it was touched and checked.
  ///
  /// - Throws: `.corruptFile` if the block is missing or holds elements of another size.
  package func unverifiedArray<T: BitwiseCopyable>(_ name: String, of type: T.Type)
    throws(BasisError) -> (array: MappedArray<T>, guardian: BlockGuard)
  {
    precondition(MemoryLayout<T>.alignment <= ContainerLayout.alignment)
    let stride = MemoryLayout<T>.stride
    let guardian = try guardian(of: name)
    let (entry, bytes) = (guardian.entry, guardian.bytes)
    guard entry.stride == 1 || stride == 1 || entry.stride == stride,
      bytes.count.isMultiple(of: stride)
    else {
      throw damaged(
        name,
        "holds \(bytes.count) bytes in elements of \(entry.stride), not elements of \(stride)")
    }
    let array = MappedArray<T>(
      owner: self, base: bytes.baseAddress?.assumingMemoryBound(to: T.self),
      count: bytes.count / stride)
    return (array, guardian)
  }

  /// The value that a block holds as JSON.
  ///
  /// - Throws: `.corruptFile` if the block is missing, damaged, or not the JSON of a `T`.
  public func json<T: Decodable>(_ name: String, as type: T.Type) throws(BasisError) -> T {
    let guardian = try guardian(of: name)
    try guardian.verifyAll()
    do {
      return try JSONDecoder().decode(type, from: Data(guardian.bytes))
    } catch {
      throw BasisError(
        .corruptFile, "\(path): the block '\(name)' is not the JSON of a \(type)", cause: error)
    }
  }

  /// The floats of a block as rows of `columnCount`. The matrix borrows the mapping.
  ///
  /// - Parameter columnCount: at least 1, or 0 for an empty block.
  /// - Parameter name: the name of the block, unique in its file.
  /// - Throws: `.corruptFile` if the block is missing, damaged, or does not divide into such rows.
  public func matrix(_ name: String, columnCount: Int) throws(BasisError) -> Matrix {
    let (matrix, guardian) = try unverifiedMatrix(name, columnCount: columnCount)
    try guardian.verifyAll()
    return matrix
  }

  /// The floats of a block as rows, none of which may be believed before it was touched and checked.
  ///
  /// - Throws: `.corruptFile` if the block is missing or does not divide into such rows.
  package func unverifiedMatrix(_ name: String, columnCount: Int) throws(BasisError)
    -> (matrix: Matrix, guardian: BlockGuard)
  {
    let (floats, guardian) = try unverifiedArray(name, of: Float.self)
    guard columnCount > 0, floats.count.isMultiple(of: columnCount), let base = floats.base else {
      guard floats.isEmpty && columnCount >= 0 else {
        throw damaged(name, "holds \(floats.count) floats, not rows of \(columnCount)")
      }
      return (Matrix(rowCount: 0, columnCount: columnCount), guardian)
    }
    let matrix = Matrix(
      rowCount: floats.count / columnCount, columnCount: columnCount, borrowing: base, owner: self)
    return (matrix, guardian)
  }

  /// Reads every block again and compares it with its checksum.
  ///
  /// - Returns: one `.corruptFile` error per damaged block, in the order of the blocks; none where
  ///   the file is sound.
  public func verify() -> [BasisError] {
    blockNames.compactMap { name in
      guard let entry = guards[name]?.entry, !isSound(entry) else { return nil }
      return damaged(name, "fails its checksum")
    }
  }

  private func guardian(of name: String) throws(BasisError) -> BlockGuard {
    guard let guardian = guards[name] else {
      throw BasisError(.corruptFile, "\(path): has no block '\(name)'")
    }
    return guardian
  }

  private func isSound(_ entry: ContainerLayout.Entry) -> Bool {
    var whole: UInt32 = 0
    for chunk in 0..<entry.chunkCount {
      let bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[entry.range(ofChunk: chunk)])
      guard crc32c(bytes) == entry.checksum(of: chunk) else { return false }
      whole = crc32c(bytes, continuing: whole)
    }
    return whole == entry.checksum
  }

  private func damaged(_ name: String, _ what: String) -> BasisError {
    BasisError(
      .corruptFile,
      "\(path): the block '\(name)' \(what); restore the file from a backup or make it again")
  }
}

/// The elements of a block of a ``Container``, where they lie in the mapped file.
///
/// Keeps the container, and so the mapping, alive. Unchecked, because the compiler cannot see that
/// the memory behind the pointer is never written.
public struct MappedArray<T: BitwiseCopyable>: RandomAccessCollection, @unchecked Sendable {
  @usableFromInline let owner: AnyObject?
  @usableFromInline let base: UnsafePointer<T>?
  public let count: Int

  init(owner: Container, base: UnsafePointer<T>?, count: Int) {
    self.owner = owner
    self.base = base
    self.count = count
  }

  @inlinable public var startIndex: Int { 0 }
  @inlinable public var endIndex: Int { count }

  /// - Precondition: `position` is in `0 ..< count`.
  @inlinable public subscript(position: Int) -> T {
    precondition(position >= 0 && position < count, "element outside the block")
    defer { withExtendedLifetime(owner) {} }
    return base.unsafelyUnwrapped[position]
  }

  /// Calls `body` with the elements; the pointer is good until it returns.
  @inlinable public func withUnsafeBufferPointer<R, E: Error>(
    _ body: (UnsafeBufferPointer<T>) throws(E) -> R
  ) throws(E) -> R {
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeBufferPointer(start: base, count: count))
  }

  @inlinable public func withContiguousStorageIfAvailable<R>(
    _ body: (UnsafeBufferPointer<T>) throws -> R
  ) rethrows -> R? {
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeBufferPointer(start: base, count: count))
  }
}

/// A file in memory, given back when nobody holds it.
///
/// Unchecked, because the compiler cannot see that mapped memory is never written.
final class Mapping: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init(_ file: borrowing SystemFile, byteCount: Int) throws(BasisError) {
    bytes = UnsafeRawBufferPointer(start: try file.map(byteCount: byteCount), count: byteCount)
  }

  deinit { if let base = bytes.baseAddress { SystemFile.unmap(base, byteCount: bytes.count) } }

  /// Says how a part of the file is going to be read: in single pages, or in runs of many.
  func advise(_ range: Range<Int>, isRandom: Bool) {
    guard let base = bytes.baseAddress, !range.isEmpty else { return }
    let page = SystemFile.pageSize
    let start = range.lowerBound / page * page
    SystemFile.advise(base + start, byteCount: range.upperBound - start, isRandom: isRandom)
  }
}

func crc32c(_ bytes: UnsafeRawBufferPointer, continuing checksum: UInt32 = 0) -> UInt32 {
  guard let base = bytes.baseAddress else { return checksum }
  return basis_crc32c(checksum, base, bytes.count)
}
