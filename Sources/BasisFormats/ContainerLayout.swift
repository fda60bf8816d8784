import BasisCore

/// Header and table of contents of a ``Container``, to and from bytes.
struct ContainerLayout {
  static let alignment = 64
  static let headerSize = 64
  static let magic: [UInt8] = [0x89, 0x42, 0x41, 0x53, 0x49, 0x53, 0x0D, 0x0A]
  static let layoutVersion: UInt32 = 3
  /// Bytes under one checksum: what a search that touches single rows reads and compares for each.
  static let chunkSize = 4 << 10
  /// In layout 2.
  static let formerChunkSize = 64 << 10
  static let byteOrder: UInt32 = 0x0102_0304

  struct Entry: Sendable {
    var name: String
    var offset: Int
    var length: Int
    var checksum: UInt32
    var stride: Int
    /// Of the block's chunks, where it has more than one.
    var chunkChecksums: [UInt32] = []
    /// Bytes under one of those.
    var listedChunkSize = ContainerLayout.chunkSize

    /// Bytes under one checksum.
    var chunkSize: Int {
      chunkChecksums.isEmpty ? max(1, paddedRange.count) : listedChunkSize
    }
    var chunkCount: Int { chunkChecksums.isEmpty ? 1 : chunkChecksums.count }

    func checksum(of chunk: Int) -> UInt32 {
      chunkChecksums.isEmpty ? checksum : chunkChecksums[chunk]
    }

    func range(ofChunk chunk: Int) -> Range<Int> {
      let all = paddedRange
      let start = all.lowerBound + chunk * chunkSize
      return start..<min(all.upperBound, start + chunkSize)
    }

    /// How many chunks have a checksum of their own in the table.
    var expectedChunkChecksums: Int {
      let length = paddedRange.count
      return length <= listedChunkSize ? 0 : (length + listedChunkSize - 1) / listedChunkSize
    }

    var range: Range<Int> { offset..<offset + length }
    var paddedRange: Range<Int> { offset..<ContainerLayout.padded(offset + length) }
  }

  var kind: String
  var version: UInt32
  var entries: [Entry] = []

  init(kind: String, version: UInt32) {
    self.kind = kind
    self.version = version
  }

  /// The next multiple of the alignment.
  ///
  /// - Precondition: at least 64 below the largest number.
  static func padded(_ offset: Int) -> Int { (offset + alignment - 1) & ~(alignment - 1) }

  /// The table of contents, and the header of a file that ends with it.
  func serialized() -> (header: [UInt8], table: [UInt8]) {
    var table: [UInt8] = []
    for entry in entries {
      table.appendLittleEndian(UInt64(entry.offset))
      table.appendLittleEndian(UInt64(entry.length))
      table.appendLittleEndian(entry.checksum)
      table.appendLittleEndian(UInt16(entry.stride))
      table.appendLittleEndian(UInt16(entry.name.utf8.count))
      table += entry.name.utf8
      for checksum in entry.chunkChecksums { table.appendLittleEndian(checksum) }
    }
    let tableOffset = entries.last?.paddedRange.upperBound ?? Self.headerSize

    var header = Self.magic
    header.appendLittleEndian(Self.layoutVersion)
    // In the machine's own order, as the blocks are.
    withUnsafeBytes(of: Self.byteOrder) { header += $0 }
    header += kind.utf8
    header += repeatElement(0, count: 8 - kind.utf8.count)
    header.appendLittleEndian(version)
    header.appendLittleEndian(UInt32(0))
    header.appendLittleEndian(UInt64(tableOffset))
    header.appendLittleEndian(UInt64(table.count))
    header.appendLittleEndian(UInt64(tableOffset + table.count))
    header.appendLittleEndian(table.withUnsafeBytes { crc32c($0) })
    header.appendLittleEndian(header.withUnsafeBytes { crc32c($0) })
    return (header, table)
  }

  /// Nothing that the bytes say is used before it was checked against their count.
  ///
  /// - Throws: `.corruptFile`, `.newerFormat`; messages without the path.
  init(reading bytes: UnsafeRawBufferPointer, kind: String) throws(BasisError) {
    func damaged(_ what: String) -> BasisError {
      BasisError(.corruptFile, "\(what); restore the file from a backup or make it again")
    }
    guard bytes.starts(with: Self.magic) else {
      throw BasisError(.corruptFile, "is not a \(kind) file of this program")
    }
    guard bytes.count >= Self.headerSize else { throw damaged("the header is cut off") }
    let header = UnsafeRawBufferPointer(rebasing: bytes[..<Self.headerSize])
    let headerChecksum = crc32c(UnsafeRawBufferPointer(rebasing: header[..<60]))
    guard header.littleEndian(at: 60, UInt32.self) == headerChecksum else {
      throw damaged("the header fails its checksum")
    }
    let layoutVersion = header.littleEndian(at: 8, UInt32.self)
    guard layoutVersion <= Self.layoutVersion else {
      throw BasisError(
        .newerFormat,
        "was written by a later version of the program (layout \(layoutVersion), this one reads "
          + "up to \(Self.layoutVersion)); update the program")
    }
    guard header.loadUnaligned(fromByteOffset: 12, as: UInt32.self) == Self.byteOrder else {
      throw BasisError(
        .unsupported, "was written on a machine of the other byte order; make it again on this one")
    }
    let written = String(decoding: header[16..<24].prefix { $0 != 0 }, as: UTF8.self)
    guard written == kind else {
      throw BasisError(.corruptFile, "is a '\(written)' file, not a '\(kind)' file")
    }
    self.kind = kind
    version = header.littleEndian(at: 24, UInt32.self)

    guard header.littleEndian(at: 48, UInt64.self) == UInt64(bytes.count) else {
      throw damaged(
        "has \(bytes.count) bytes and should have \(header.littleEndian(at: 48, UInt64.self))")
    }
    // Both sums stay below the file's size, so neither can overflow.
    guard let tableOffset = Int(exactly: header.littleEndian(at: 32, UInt64.self)),
      let tableLength = Int(exactly: header.littleEndian(at: 40, UInt64.self)),
      tableOffset >= Self.headerSize, tableOffset <= bytes.count,
      tableLength == bytes.count - tableOffset
    else { throw damaged("the table of contents lies outside the file") }
    let table = UnsafeRawBufferPointer(rebasing: bytes[tableOffset...])
    guard header.littleEndian(at: 56, UInt32.self) == crc32c(table) else {
      throw damaged("the table of contents fails its checksum")
    }

    var position = 0
    var end = Self.headerSize
    var names: Set<String> = []
    while position < table.count {
      guard table.count - position >= 24 else { throw damaged("the table of contents is cut off") }
      let nameLength = Int(table.littleEndian(at: position + 22, UInt16.self))
      guard table.count - position - 24 >= nameLength,
        let name = String(
          validating: table[position + 24..<position + 24 + nameLength], as: UTF8.self)
      else { throw damaged("the table of contents is cut off") }
      guard let length = Int(exactly: table.littleEndian(at: position + 8, UInt64.self)),
        table.littleEndian(at: position, UInt64.self) == UInt64(end),
        length <= tableOffset - end, Self.padded(end + length) <= tableOffset
      else { throw damaged("the block '\(name)' lies outside its place") }
      let stride = Int(table.littleEndian(at: position + 20, UInt16.self))
      guard stride > 0, names.insert(name).inserted else {
        throw damaged("the table of contents is wrong about the block '\(name)'")
      }
      var entry = Entry(
        name: name, offset: end, length: length,
        checksum: table.littleEndian(at: position + 16, UInt32.self), stride: stride)
      position += 24 + nameLength
      if layoutVersion >= 2 {
        if layoutVersion == 2 { entry.listedChunkSize = Self.formerChunkSize }
        let count = entry.expectedChunkChecksums
        guard table.count - position >= 4 * count else {
          throw damaged("the table of contents is cut off")
        }
        entry.chunkChecksums = (0..<count).map {
          table.littleEndian(at: position + 4 * $0, UInt32.self)
        }
        position += 4 * count
      }
      entries.append(entry)
      end = entry.paddedRange.upperBound
    }
    guard end == tableOffset else { throw damaged("bytes belong to no block") }
  }
}

extension Array<UInt8> {
  mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { self += $0 }
  }
}

extension UnsafeRawBufferPointer {
  /// - Precondition: the number lies inside the buffer.
  func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, _ type: T.Type
  ) -> T {
    T(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
