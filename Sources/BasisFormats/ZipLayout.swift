import BasisCore
import CZlib

/// The table of a zip archive, and its parts to and from bytes. PKWARE's APPNOTE.TXT 6.3.10.
///
/// Nothing that the bytes say is used before it was checked against their count.
enum ZipLayout {
  struct Member: Sendable {
    var name: String
    var method: UInt16
    var flags: UInt16
    var checksum: UInt32
    var compressedCount: Int
    var byteCount: Int
    /// Where its local header starts.
    var offset: Int
  }

  static let stored: UInt16 = 0
  static let deflated: UInt16 = 8
  private static let endSize = 22
  private static let localSize = 30
  private static let centralSize = 46

  private static func damaged(_ position: Int, _ what: String) -> BasisError {
    BasisError(
      .badData, "byte \(position): \(what); copy the archive again or save it again")
  }

  /// The members in the order of the archive's table.
  ///
  /// - Throws: `.badData`; messages start with `byte N: `.
  static func members(of bytes: UnsafeRawBufferPointer) throws(BasisError) -> [Member] {
    var (count, size, start) = try table(of: bytes)
    guard start <= bytes.count, size <= bytes.count - start else {
      throw damaged(bytes.count, "the table of the archive's members lies beyond its end")
    }
    // Each entry takes 46 bytes at least.
    guard count <= size / centralSize else {
      throw damaged(start, "a table of \(size) bytes has no room for \(count) members")
    }
    let end = start + size
    var members: [Member] = []
    var names: Set<String> = []
    while count > 0 {
      count -= 1
      guard end - start >= centralSize, bytes.littleEndian(at: start, UInt32.self) == 0x0201_4B50
      else { throw damaged(start, "an entry of the archive's table is damaged") }
      let nameCount = Int(bytes.littleEndian(at: start + 28, UInt16.self))
      let extraCount = Int(bytes.littleEndian(at: start + 30, UInt16.self))
      let commentCount = Int(bytes.littleEndian(at: start + 32, UInt16.self))
      let next = start + centralSize + nameCount + extraCount + commentCount
      guard next <= end else { throw damaged(start, "an entry of the archive's table is cut off") }
      let nameStart = start + centralSize
      guard
        let name = String(
          validating: bytes[nameStart..<nameStart + nameCount], as: UTF8.self)
      else { throw damaged(nameStart, "a member's name is not UTF-8") }
      var large = [
        UInt64(bytes.littleEndian(at: start + 24, UInt32.self)),
        UInt64(bytes.littleEndian(at: start + 20, UInt32.self)),
        UInt64(bytes.littleEndian(at: start + 42, UInt32.self)),
      ]
      // Numbers that do not fit 32 bits follow in the extra field 1, those that do are left out.
      var extra = nameStart + nameCount
      let extraEnd = extra + extraCount
      while extraEnd - extra >= 4 {
        let kind = bytes.littleEndian(at: extra, UInt16.self)
        let length = Int(bytes.littleEndian(at: extra + 2, UInt16.self))
        guard length <= extraEnd - extra - 4 else {
          throw damaged(extra, "an extra field of '\(name)' is cut off")
        }
        if kind == 1 {
          var place = extra + 4
          for index in large.indices where large[index] == UInt64(UInt32.max) {
            guard place + 8 <= extra + 4 + length else {
              throw damaged(extra, "the sizes of '\(name)' are cut off")
            }
            large[index] = bytes.littleEndian(at: place, UInt64.self)
            place += 8
          }
        }
        extra += 4 + length
      }
      guard let byteCount = Int(exactly: large[0]), let compressedCount = Int(exactly: large[1]),
        let offset = Int(exactly: large[2])
      else { throw damaged(start, "'\(name)' says that it is larger than any memory") }
      guard names.insert(name).inserted else {
        throw damaged(start, "two members are called '\(name)'")
      }
      members.append(
        Member(
          name: name, method: bytes.littleEndian(at: start + 10, UInt16.self),
          flags: bytes.littleEndian(at: start + 8, UInt16.self),
          checksum: bytes.littleEndian(at: start + 16, UInt32.self),
          compressedCount: compressedCount, byteCount: byteCount, offset: offset))
      start = next
    }
    return members
  }

  /// How many members there are, and how long their table is and where it starts.
  private static func table(of bytes: UnsafeRawBufferPointer) throws(BasisError)
    -> (count: Int, size: Int, start: Int)
  {
    // A comment of up to 65,535 bytes may end the file.
    var end = bytes.count - endSize
    let lowest = max(0, end - 65_535)
    while end >= lowest, bytes.littleEndian(at: end, UInt32.self) != 0x0605_4B50 { end -= 1 }
    guard end >= lowest else {
      throw damaged(bytes.count, "the archive's end is missing: it is cut off or not a zip archive")
    }
    let count = Int(bytes.littleEndian(at: end + 10, UInt16.self))
    let size = Int(bytes.littleEndian(at: end + 12, UInt32.self))
    let start = Int(bytes.littleEndian(at: end + 16, UInt32.self))
    guard count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF else {
      return (count, size, start)
    }
    // Zip64: a locator just before the end says where the larger record is.
    let locator = end - 20
    guard locator >= 0, bytes.littleEndian(at: locator, UInt32.self) == 0x0706_4B50 else {
      return (count, size, start)
    }
    guard let place = Int(exactly: bytes.littleEndian(at: locator + 8, UInt64.self)),
      place <= locator - 56, bytes.littleEndian(at: place, UInt32.self) == 0x0606_4B50,
      let largeCount = Int(exactly: bytes.littleEndian(at: place + 32, UInt64.self)),
      let largeSize = Int(exactly: bytes.littleEndian(at: place + 40, UInt64.self)),
      let largeStart = Int(exactly: bytes.littleEndian(at: place + 48, UInt64.self))
    else { throw damaged(locator, "the archive's 64-bit end is damaged") }
    return (largeCount, largeSize, largeStart)
  }

  /// Where a member's data lies, compressed or not.
  static func data(of member: Member, in bytes: UnsafeRawBufferPointer) throws(BasisError)
    -> UnsafeRawBufferPointer
  {
    guard member.offset <= bytes.count - localSize,
      bytes.littleEndian(at: member.offset, UInt32.self) == 0x0403_4B50
    else { throw damaged(member.offset, "'\(member.name)' does not start where the table says") }
    let start =
      member.offset + localSize + Int(bytes.littleEndian(at: member.offset + 26, UInt16.self))
      + Int(bytes.littleEndian(at: member.offset + 28, UInt16.self))
    guard start <= bytes.count, member.compressedCount <= bytes.count - start else {
      throw damaged(bytes.count, "'\(member.name)' is cut off")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + member.compressedCount])
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer, continuing sum: UInt32 = 0) -> UInt32 {
    var sum = uLong(sum)
    var rest = bytes[...]
    // zlib counts in 32 bits.
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      sum = crc32(sum, piece.baseAddress?.assumingMemoryBound(to: UInt8.self), uInt(piece.count))
      rest = rest.dropFirst(piece.count)
    }
    return UInt32(truncatingIfNeeded: sum)
  }

  /// A local header as Python writes it: sizes always in 64 bits, the date 1 January 1980.
  static func localHeader(_ member: Member) -> [UInt8] {
    var header: [UInt8] = []
    header.appendLittleEndian(UInt32(0x0403_4B50))
    header.appendLittleEndian(UInt16(45))
    header.appendLittleEndian(member.flags)
    header.appendLittleEndian(member.method)
    header.appendLittleEndian(UInt32(0x0021_0000))
    header.appendLittleEndian(member.checksum)
    header.appendLittleEndian(UInt32.max)
    header.appendLittleEndian(UInt32.max)
    header.appendLittleEndian(UInt16(member.name.utf8.count))
    header.appendLittleEndian(UInt16(20))
    header += member.name.utf8
    header.appendLittleEndian(UInt16(1))
    header.appendLittleEndian(UInt16(16))
    header.appendLittleEndian(UInt64(member.byteCount))
    header.appendLittleEndian(UInt64(member.compressedCount))
    return header
  }

  /// The table of members and the archive's end.
  static func tableAndEnd(_ members: [Member], at start: Int) -> [UInt8] {
    var table: [UInt8] = []
    for member in members {
      let numbers = [member.byteCount, member.compressedCount, member.offset]
      let sizesAreLarge = max(member.byteCount, member.compressedCount) > 0x7FFF_FFFF
      let isLarge = [sizesAreLarge, sizesAreLarge, member.offset > 0x7FFF_FFFF]
      let large = zip(numbers, isLarge).filter(\.1).map(\.0)
      func short(_ index: Int) -> UInt32 { isLarge[index] ? .max : UInt32(numbers[index]) }
      table.appendLittleEndian(UInt32(0x0201_4B50))
      // Made on Unix, which gives the file mode below its meaning.
      table.appendLittleEndian(UInt16(45 | 3 << 8))
      table.appendLittleEndian(UInt16(45))
      table.appendLittleEndian(member.flags)
      table.appendLittleEndian(member.method)
      table.appendLittleEndian(UInt32(0x0021_0000))
      table.appendLittleEndian(member.checksum)
      table.appendLittleEndian(short(1))
      table.appendLittleEndian(short(0))
      table.appendLittleEndian(UInt16(member.name.utf8.count))
      table.appendLittleEndian(UInt16(large.isEmpty ? 0 : 4 + 8 * large.count))
      table.appendLittleEndian(UInt16(0))
      table.appendLittleEndian(UInt16(0))
      table.appendLittleEndian(UInt16(0))
      table.appendLittleEndian(UInt32(0o600) << 16)
      table.appendLittleEndian(short(2))
      table += member.name.utf8
      if !large.isEmpty {
        table.appendLittleEndian(UInt16(1))
        table.appendLittleEndian(UInt16(8 * large.count))
        for number in large { table.appendLittleEndian(UInt64(number)) }
      }
    }
    let size = table.count
    if members.count >= 0xFFFF || max(size, start) > 0x7FFF_FFFF {
      table.appendLittleEndian(UInt32(0x0606_4B50))
      table.appendLittleEndian(UInt64(44))
      table.appendLittleEndian(UInt32(45 | 45 << 16))
      table.appendLittleEndian(UInt64(0))
      for number in [members.count, members.count, size, start] {
        table.appendLittleEndian(UInt64(number))
      }
      table.appendLittleEndian(UInt32(0x0706_4B50))
      table.appendLittleEndian(UInt32(0))
      table.appendLittleEndian(UInt64(start + size))
      table.appendLittleEndian(UInt32(1))
    }
    table.appendLittleEndian(UInt32(0x0605_4B50))
    table.appendLittleEndian(UInt32(0))
    table.appendLittleEndian(UInt16(clamping: members.count))
    table.appendLittleEndian(UInt16(clamping: members.count))
    table.appendLittleEndian(UInt32(clamping: size))
    table.appendLittleEndian(UInt32(clamping: start))
    table.appendLittleEndian(UInt16(0))
    return table
  }
}
