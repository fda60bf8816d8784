import BasisCore
import CZlib

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The whole content of a file in memory: mapped where it is a plain file, read where it is a pipe,
/// and decompressed where it starts as gzip does.
///
/// Unchecked, because the compiler cannot see that nobody writes to the bytes once they are here.
final class FileBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  private let mapping: Mapping?

  /// What a file may grow to by decompression, in bytes, before it counts as an attack: 16 GiB.
  static let defaultLimit = 16 << 30

  /// The content of a file; `-` is standard input.
  ///
  /// - Throws: `.notFound`; `.inputOutput`; `.badData` for damaged gzip data, or for more than
  ///   `limit` bytes from it or from a pipe.
  static func read(_ path: String, limit: Int = FileBytes.defaultLimit) throws(BasisError)
    -> FileBytes
  {
    let name = path == "-" ? "standard input" : path
    let file = try SystemFile(reading: path)
    let status = try file.status()
    let raw: FileBytes
    switch status.kind {
    case .folder: throw BasisError(.badData, "\(name): is a folder, not a file of numbers")
    case .file where path != "-":
      raw = FileBytes(try Mapping(file, byteCount: status.byteCount))
    default:
      var pile = Pile(name: name, limit: limit)
      while true {
        let count = try pile.grow { (room) throws(BasisError) in try file.read(into: room) }
        if count == 0 { break }
      }
      raw = FileBytes(owning: pile.take())
    }
    return try raw.decompressed(name: name, limit: limit)
  }

  /// These bytes, or what they are when decompressed where they start as gzip does.
  ///
  /// - Throws: `.badData` for damaged gzip data, or for more than `limit` bytes from it.
  func decompressed(name: String, limit: Int = FileBytes.defaultLimit) throws(BasisError)
    -> FileBytes
  {
    guard bytes.starts(with: [0x1F, 0x8B]) else { return self }
    return FileBytes(owning: try inflated(.gzip, bytes, name: name, limit: limit))
  }

  init(_ mapping: Mapping) {
    bytes = mapping.bytes
    self.mapping = mapping
  }

  /// - Parameter block: from `malloc`; freed with the last reference.
  init(owning block: UnsafeRawBufferPointer) {
    bytes = block
    mapping = nil
  }

  /// A copy of bytes in memory.
  convenience init(_ content: [UInt8]) {
    // A zero-sized block may be nil, and one byte is not worth a case of its own.
    guard let block = malloc(max(1, content.count)) else {
      preconditionFailure("no memory for \(content.count) bytes")
    }
    let copy = UnsafeMutableRawBufferPointer(start: block, count: content.count)
    copy.copyBytes(from: content)
    self.init(owning: UnsafeRawBufferPointer(copy))
  }

  deinit {
    if mapping == nil { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
  }

  enum Wrapping { case gzip, none }

  /// What a part of the bytes is when decompressed, in a block from `malloc`.
  ///
  /// Memory follows what comes out, never what the data says of itself.
  /// - Throws: `.badData` for damaged data, for data that is cut off, and beyond `limit`.
  func inflated(
    _ wrapping: Wrapping, _ part: UnsafeRawBufferPointer, name: String, limit: Int
  ) throws(BasisError) -> UnsafeRawBufferPointer {
    let inflater = try Inflater(name: name, windowBits: wrapping == .gzip ? 15 + 16 : -15)
    let origin = part.baseAddress.flatMap { start in bytes.baseAddress.map { start - $0 } } ?? 0
    var pile = Pile(name: name, limit: limit)
    var position = 0
    while position < part.count {
      // zlib counts in 32 bits.
      let piece = UnsafeMutableRawBufferPointer(
        mutating: UnsafeRawBufferPointer(
          rebasing: part[position..<min(part.count, position + 1 << 28)]))
      try pile.grow { (room) throws(BasisError) in
        let made = try inflater.inflate(piece, into: room, at: origin + position)
        position += made.used
        return made.written
      }
      if wrapping == .none && inflater.isBetweenMembers { break }
    }
    // What is left in the decoder once its input is used up.
    while !inflater.isBetweenMembers {
      let count = try pile.grow { (room) throws(BasisError) in
        try inflater.inflate(UnsafeMutableRawBufferPointer(start: nil, count: 0), into: room, at: 0)
          .written
      }
      if count == 0 { break }
    }
    try inflater.end(at: origin + part.count)
    guard position == part.count else {
      throw BasisError(
        .badData,
        "\(name): byte \(origin + position): \(part.count - position) bytes follow the compressed "
          + "data; copy or make the file again")
    }
    return pile.take()
  }

  /// Memory that doubles as it fills.
  private struct Pile: ~Copyable {
    let name: String
    let limit: Int
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var count = 0

    init(name: String, limit: Int) {
      self.name = name
      self.limit = limit
    }

    deinit { free(base) }

    /// Has `fill` write into what is free; it returns how many bytes it wrote.
    @discardableResult
    mutating func grow(
      _ fill: (UnsafeMutableRawBufferPointer) throws(BasisError) -> Int
    ) throws(BasisError) -> Int {
      if count == capacity {
        let wanted = max(1 << 16, capacity * 2)
        guard let larger = realloc(base, wanted) else {
          throw BasisError(
            .inputOutput, "\(name): not enough memory to hold more than \(count) bytes")
        }
        base = larger
        capacity = wanted
      }
      let room = UnsafeMutableRawBufferPointer(start: base, count: capacity)
      let added = try fill(UnsafeMutableRawBufferPointer(rebasing: room[count...]))
      count += added
      guard count <= limit else {
        throw BasisError(
          .badData,
          "\(name): has more than \(limit) bytes when decompressed, which is more than it may have; "
            + "decompress it first")
      }
      return added
    }

    mutating func take() -> UnsafeRawBufferPointer {
      let block = UnsafeRawBufferPointer(start: base, count: count)
      base = nil
      return block
    }
  }
}
