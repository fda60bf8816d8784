import BasisCore
import CZlib

/// The bytes of a file, decompressed where the file starts as gzip does.
final class ByteStream {
  /// What messages call the file.
  let name: String
  let byteCount: Int?
  private(set) var bytesRead = 0

  private let file: SystemFile
  private let input: UnsafeMutableRawBufferPointer
  /// What of `input` was read and not used yet.
  private var pending: Range<Int>
  private var inflater: Inflater?
  private var isOpen = true

  init(_ file: consuming SystemFile, name: String, byteCount: Int?) throws(BasisError) {
    self.name = name
    self.byteCount = byteCount
    input = .allocate(byteCount: 1 << 16, alignment: 64)
    pending = 0..<0
    self.file = file

    // A pipe may give its first bytes one by one.
    while pending.count < 12, try fill() > 0 {}
    let start = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(input)[pending])
    if start.starts(with: [0x1F, 0x8B]) {
      inflater = try Inflater(name: name)
    } else if let error = Self.refusal(start, name) {
      throw error
    }
  }

  deinit { input.deallocate() }

  /// The next bytes, at most `output.count`; 0 at the end.
  ///
  /// - Throws: `.badData` for damaged gzip data, with the byte; `.inputOutput`. Then the stream is
  ///   at its end.
  func read(into output: UnsafeMutableRawBufferPointer) throws(BasisError) -> Int {
    guard isOpen, !output.isEmpty else { return 0 }
    do throws(BasisError) {
      guard let inflater else {
        if pending.isEmpty {
          let count = try file.read(into: output)
          bytesRead += count
          return count
        }
        let count = min(pending.count, output.count)
        output.copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: input[pending.lowerBound..<pending.lowerBound + count]))
        pending = pending.lowerBound + count..<pending.upperBound
        return count
      }
      while true {
        if pending.isEmpty, try fill() == 0 {
          try inflater.end(at: bytesRead)
          return 0
        }
        let before = pending.count
        let made = try inflater.inflate(
          UnsafeMutableRawBufferPointer(rebasing: input[pending]), into: output,
          at: bytesRead - before)
        pending = pending.lowerBound + made.used..<pending.upperBound
        if made.written > 0 { return made.written }
      }
    } catch {
      isOpen = false
      throw error
    }
  }

  /// Reads more behind what is pending.
  private func fill() throws(BasisError) -> Int {
    if pending.isEmpty { pending = 0..<0 }
    let count = try file.read(
      into: UnsafeMutableRawBufferPointer(rebasing: input[pending.upperBound...]))
    bytesRead += count
    pending = pending.lowerBound..<pending.upperBound + count
    return count
  }

  /// Why a file that starts with these bytes cannot be text.
  private static func refusal(_ start: UnsafeRawBufferPointer, _ name: String) -> BasisError? {
    let compressions: [(magic: [UInt8], what: String, tool: String)] = [
      ([0x28, 0xB5, 0x2F, 0xFD], "zstd", "zstd -dc"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz", "xz -dc"),
      ([0x42, 0x5A, 0x68, 0x39, 0x31, 0x41, 0x59], "bzip2", "bzip2 -dc"),
      ([0x04, 0x22, 0x4D, 0x18], "lz4", "lz4 -dc"),
      ([0x50, 0x4B, 0x03, 0x04], "zip", "unzip -p"),
    ]
    for (magic, what, tool) in compressions where start.starts(with: magic) {
      return BasisError(
        .unsupported,
        "\(name): is compressed by \(what), which is not read here; decompress it first (\(tool))")
    }
    if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) {
      return BasisError(
        .unsupported, "\(name): is UTF-16; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)")
    }
    return nil
  }
}

/// zlib's decoder over any number of gzip members, one after another, or over bare deflate data.
final class Inflater {
  private let name: String
  /// On the heap: zlib keeps a pointer to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private enum State { case inMember, betweenMembers, padding }
  private var state = State.inMember

  /// - Parameter windowBits: as zlib wants it: 15 bits of window, 16 for the gzip wrapping, negative
  ///   for none.
  init(name: String, windowBits: Int32 = 15 + 16) throws(BasisError) {
    self.name = name
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard
      inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw BasisError(.inputOutput, "\(name): not enough memory to decompress") }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Whether all that has begun has also ended.
  var isBetweenMembers: Bool { state != .inMember }

  /// - Parameter offset: where `input` starts in the file.
  func inflate(
    _ input: UnsafeMutableRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
    at offset: Int
  ) throws(BasisError) -> (used: Int, written: Int) {
    var used = 0
    if state != .inMember {
      // Tapes and some tools fill the rest of a block with zeros; RFC 1952 has nothing else here.
      if input[0] == 0 { state = .padding }
      if state == .padding {
        guard let rest = input.firstIndex(where: { $0 != 0 }) else { return (input.count, 0) }
        used = rest
      }
      guard state == .betweenMembers, input[used] == 0x1F else {
        throw BasisError(
          .badData,
          "\(name): byte \(offset + used): something that is not gzip follows the gzip data; "
            + "cut it off or make the file again")
      }
      inflateReset(stream)
      state = .inMember
    }
    stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = uInt(input.count)
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let room = uInt(clamping: output.count)
    stream.pointee.avail_out = room
    let result = CZlib.inflate(stream, Z_NO_FLUSH)
    used = input.count - Int(stream.pointee.avail_in)
    switch result {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: state = .betweenMembers
    case Z_MEM_ERROR: throw BasisError(.inputOutput, "\(name): not enough memory to decompress")
    default:
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "a preset dictionary"
      throw BasisError(
        .badData,
        "\(name): byte \(offset + used): damaged gzip data (\(reason)); copy or make the file again"
      )
    }
    return (used, Int(room - stream.pointee.avail_out))
  }

  func end(at offset: Int) throws(BasisError) {
    guard state == .inMember else { return }
    throw BasisError(
      .badData,
      "\(name): byte \(offset): the gzip data is cut off here; copy or make the file again")
  }
}
