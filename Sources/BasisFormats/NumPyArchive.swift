public import BasisCore
import CZlib

/// Several named arrays in one file: NumPy's npz, a zip archive of npy files.
///
/// Members may be stored or deflated, and the archive larger than 4 GiB. Every member's checksum is
/// verified when it is read. Immutable, and safe to use from any number of threads.
public struct NumPyArchive: Sendable {
  /// The arrays' names without `.npy`, in the order of the archive.
  public let names: [String]

  private let path: String
  private let file: FileBytes
  private let members: [String: ZipLayout.Member]

  /// Opens an archive and reads its table; no array is read yet.
  ///
  /// - Parameter path: a file, or `-` for standard input.
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` with the byte where the archive is damaged.
  /// - Complexity: O(number of members).
  public init(contentsOf path: String) throws(BasisError) {
    try self.init(try FileBytes.read(path), path == "-" ? "standard input" : path)
  }

  init(_ file: FileBytes, _ path: String) throws(BasisError) {
    self.file = file
    self.path = path
    let all: [ZipLayout.Member]
    do throws(BasisError) {
      all = try ZipLayout.members(of: file.bytes).filter { $0.name.hasSuffix(".npy") }
    } catch {
      throw error.at(path)
    }
    names = all.map { String($0.name.dropLast(4)) }
    members = Dictionary(uniqueKeysWithValues: zip(names, all))
  }

  /// The array with this name.
  ///
  /// - Throws: `.notFound` with the names that there are; `.badData` for a member that is damaged,
  ///   cut off, or more than its archive can hold; `.unsupported` for encrypted members and other
  ///   compressions.
  /// - Complexity: O(bytes of the member).
  public func array(_ name: String) throws(BasisError) -> NumPyArray {
    guard let member = members[name] else {
      throw BasisError(
        .notFound,
        "\(path): has no array '\(name)' (there are: \(names.prefix(20).joined(separator: ", ")))")
    }
    let title = "\(path): '\(member.name)'"
    guard member.flags & 1 == 0 else {
      throw BasisError(.unsupported, "\(title): is encrypted; decrypt the archive first")
    }
    let data: UnsafeRawBufferPointer
    do throws(BasisError) {
      data = try ZipLayout.data(of: member, in: file.bytes)
    } catch {
      throw error.at(path)
    }
    let owner: FileBytes
    let content: UnsafeRawBufferPointer
    switch member.method {
    case ZipLayout.stored:
      owner = file
      content = data
    case ZipLayout.deflated:
      // Deflate makes at most 1,032 bytes of one (zlib's technical details).
      guard member.byteCount / 1032 <= member.compressedCount,
        member.byteCount <= FileBytes.defaultLimit
      else {
        throw BasisError(
          .badData,
          "\(title): says that \(member.compressedCount) bytes become \(member.byteCount), which "
            + "is more than they may; save the archive again")
      }
      owner = FileBytes(
        owning: try file.inflated(.none, data, name: title, limit: member.byteCount))
      content = owner.bytes
    default:
      throw BasisError(
        .unsupported,
        "\(title): is compressed by method \(member.method), which is not read here; save it with "
          + "numpy.savez or numpy.savez_compressed")
    }
    guard content.count == member.byteCount, ZipLayout.checksum(content) == member.checksum else {
      throw BasisError(
        .badData,
        "\(title): byte \(member.offset): fails its checksum; copy the archive again or save it "
          + "again")
    }
    return try NumPyArray(owner, content, name: title)
  }

  /// The only array, or the one whose name is asked for.
  ///
  /// - Throws: `.invalidArgument` with the names if there are several and none is asked for.
  func single(_ name: String?) throws(BasisError) -> NumPyArray {
    if let name { return try array(name) }
    guard let only = names.first, names.count == 1 else {
      throw BasisError(
        .invalidArgument,
        names.isEmpty
          ? "\(path): holds no array"
          : "\(path): holds \(names.count) arrays; name one of \(names.prefix(20).joined(separator: ", "))"
      )
    }
    return try array(only)
  }

  // MARK: Writing

  /// Writes arrays as an archive, over what is there; stored ones byte for byte as `numpy.savez`.
  ///
  /// - Parameters:
  ///   - arrays: with their names, in this order; each name once, without `.npy`.
  ///   - path: its folder exists; the file appears when it is complete.
  ///   - compresses: deflates every member.
  /// - Throws: `.invalidArgument` for a name that comes twice or is longer than 60,000 bytes;
  ///   `.notFound`; `.inputOutput`.
  public static func write(
    _ arrays: [(name: String, array: NumPyArray)], to path: String,
    compressing compresses: Bool = false
  ) throws(BasisError) {
    var names: Set<String> = []
    for (name, _) in arrays {
      guard names.insert(name).inserted, name.utf8.count <= 60_000 else {
        throw BasisError(
          .invalidArgument, "\(path): the array name '\(name)' comes twice or is too long")
      }
    }
    let file = try ReplacingFile(path)
    var members: [ZipLayout.Member] = []
    for (name, array) in arrays {
      let header = array.serializedHeader
      let sum = ZipLayout.checksum(
        array.bytes.buffer, continuing: header.withUnsafeBytes { ZipLayout.checksum($0) })
      // Bit 11: the name is UTF-8.
      let isPlain = name.utf8.allSatisfy { $0 < 0x80 }
      var member = ZipLayout.Member(
        name: name + ".npy", method: compresses ? ZipLayout.deflated : ZipLayout.stored,
        flags: isPlain ? 0 : 1 << 11, checksum: sum, compressedCount: 0,
        byteCount: header.count + array.bytes.buffer.count, offset: file.byteCount)
      let place = file.byteCount
      try ZipLayout.localHeader(member).withUnsafeBytesOf { (raw) throws(BasisError) in
        try file.append(raw)
      }
      let start = file.byteCount
      if compresses {
        let deflater = try Deflater(path)
        try header.withUnsafeBytesOf { (raw) throws(BasisError) in
          try deflater.add(raw, isLast: false, to: file)
        }
        try deflater.add(array.bytes.buffer, isLast: true, to: file)
      } else {
        try header.withUnsafeBytesOf { (raw) throws(BasisError) in try file.append(raw) }
        try file.append(array.bytes.buffer)
      }
      member.compressedCount = file.byteCount - start
      // Now that its sizes are known.
      try ZipLayout.localHeader(member).withUnsafeBytesOf { (raw) throws(BasisError) in
        try file.write(raw, at: place)
      }
      members.append(member)
    }
    try ZipLayout.tableAndEnd(members, at: file.byteCount).withUnsafeBytesOf {
      (raw) throws(BasisError) in try file.append(raw)
    }
    try file.finish()
  }
}

/// zlib's encoder of bare deflate data.
private final class Deflater {
  private let path: String
  /// On the heap: zlib keeps a pointer to it.
  private let stream: UnsafeMutablePointer<z_stream>

  init(_ path: String) throws(BasisError) {
    self.path = path
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard
      deflateInit2_(
        stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw BasisError(.inputOutput, "\(path): not enough memory to compress") }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  func add(_ bytes: UnsafeRawBufferPointer, isLast: Bool, to file: ReplacingFile)
    throws(BasisError)
  {
    var output = [UInt8](repeating: 0, count: 1 << 16)
    var rest = bytes[...]
    while true {
      // zlib counts in 32 bits.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      rest = rest.dropFirst(piece.count)
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = uInt(piece.count)
      var room: uInt
      repeat {
        room = output.withUnsafeMutableBufferPointer { output in
          stream.pointee.next_out = output.baseAddress
          stream.pointee.avail_out = uInt(output.count)
          // It fails only for arguments that are never given here.
          _ = deflate(stream, isLast && rest.isEmpty ? Z_FINISH : Z_NO_FLUSH)
          return stream.pointee.avail_out
        }
        try output.withUnsafeBytesOf { (raw) throws(BasisError) in
          try file.append(UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - Int(room))]))
        }
      } while room == 0
      if rest.isEmpty { return }
    }
  }
}
