import BasisCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An open file of the operating system. Every failure is a `BasisError` that starts with the path.
///
/// The only type of this room that names a platform.
struct SystemFile: ~Copyable {
  let path: String
  private let descriptor: Int32
  private let closes: Bool

  /// Opens for reading; `-` is standard input.
  ///
  /// - Throws: `.notFound`; `.inputOutput`.
  init(reading path: String) throws(BasisError) {
    self.path = path
    closes = path != "-"
    guard closes else {
      descriptor = STDIN_FILENO
      return
    }
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError(errno, path, "open") }
  }

  /// Makes a file that must not exist yet.
  init(creating path: String) throws(BasisError) {
    self.path = path
    closes = true
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw systemError(errno, path, "create") }
  }

  deinit { if closes { close(descriptor) } }

  enum Kind { case file, folder, stream }

  /// What the path leads to, and its size where it is a file.
  func status() throws(BasisError) -> (kind: Kind, byteCount: Int) {
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw systemError(errno, path, "read") }
    switch info.st_mode & S_IFMT {
    case S_IFREG: return (.file, Int(info.st_size))
    case S_IFDIR: return (.folder, 0)
    default: return (.stream, 0)
    }
  }

  /// Reads what there is, at most `buffer.count` bytes; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(BasisError) -> Int {
    guard let base = buffer.baseAddress, !buffer.isEmpty else { return 0 }
    while true {
      #if canImport(Darwin)
        let count = Darwin.read(descriptor, base, buffer.count)
      #elseif canImport(Glibc)
        let count = Glibc.read(descriptor, base, buffer.count)
      #else
        let count = Musl.read(descriptor, base, buffer.count)
      #endif
      if count >= 0 { return count }
      if errno != EINTR { throw systemError(errno, path, "read") }
    }
  }

  /// Fills a buffer from a position of the file.
  ///
  /// - Throws: `.corruptFile` where the file ends before; `.inputOutput`.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, from position: Int) throws(BasisError) {
    guard let base = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      let count = pread(descriptor, base + done, buffer.count - done, off_t(position + done))
      if count > 0 {
        done += count
      } else if count == 0 {
        throw BasisError(
          .corruptFile,
          "\(path): ends at byte \(position + done), \(buffer.count - done) bytes too early")
      } else if errno != EINTR {
        throw systemError(errno, path, "read")
      }
    }
  }

  /// Writes all bytes at a position of the file.
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(BasisError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let count = pwrite(descriptor, base + done, bytes.count - done, off_t(position + done))
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw systemError(errno, path, "write")
      }
    }
  }

  /// Returns once the bytes are on the medium.
  func synchronize() throws(BasisError) {
    guard fsync(descriptor) == 0 else { throw systemError(errno, path, "write") }
  }

  /// The whole file as memory, nil where it is empty. `unmap` gives it back.
  func map(byteCount: Int) throws(BasisError) -> UnsafeRawPointer? {
    guard byteCount > 0 else { return nil }
    let address = mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0)
    guard let address, address != MAP_FAILED else { throw systemError(errno, path, "map") }
    return UnsafeRawPointer(address)
  }

  static func unmap(_ base: UnsafeRawPointer, byteCount: Int) {
    munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
  }

  static let pageSize = max(1, sysconf(Int32(_SC_PAGESIZE)))

  /// A wish about mapped pages, which the system may leave unheard.
  static func advise(_ base: UnsafeRawPointer, byteCount: Int, isRandom: Bool) {
    madvise(
      UnsafeMutableRawPointer(mutating: base), byteCount, isRandom ? MADV_RANDOM : MADV_NORMAL)
  }

  static func remove(_ path: String) { unlink(path) }

  /// Puts the file `from` at `to`, over what is there, so that a loss of power leaves one of both.
  static func move(_ from: String, over to: String) throws(BasisError) {
    guard rename(from, to) == 0 else { throw systemError(errno, to, "write") }
    let slash = to.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { $0 == to.startIndex ? "/" : String(to[..<$0]) } ?? "."
    try SystemFile(reading: folder).synchronize()
  }

  /// The files of a folder and of the folders in it, with their paths below it and their sizes, in
  /// no order. What starts with a dot and links to folders are left out.
  static func list(_ folder: String) throws(BasisError) -> [(path: String, byteCount: Int)] {
    var found: [(path: String, byteCount: Int)] = []
    var open = [""]
    while let below = open.popLast() {
      let path = below.isEmpty ? folder : "\(folder)/\(below)"
      guard let listing = opendir(path) else { throw systemError(errno, path, "read the folder") }
      defer { closedir(listing) }
      while let entry = readdir(listing) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let name, !name.hasPrefix(".") else { continue }
        let child = below.isEmpty ? name : "\(below)/\(name)"
        var info = stat()
        guard lstat("\(folder)/\(child)", &info) == 0 else { continue }
        switch info.st_mode & S_IFMT {
        case S_IFDIR: open.append(child)
        case S_IFREG: found.append((child, Int(info.st_size)))
        case S_IFLNK:
          if stat("\(folder)/\(child)", &info) == 0, info.st_mode & S_IFMT == S_IFREG {
            found.append((child, Int(info.st_size)))
          }
        default: break
        }
      }
    }
    return found
  }

  static func temporaryName(beside path: String) -> String {
    var generator = SystemRandomNumberGenerator()
    return "\(path).\(String(generator.next() as UInt64, radix: 36)).tmp"
  }
}

/// The error for what the system call reported, with the remedy where there is one.
func systemError(_ number: Int32, _ path: String, _ operation: String) -> BasisError {
  let reason = String(cString: strerror(number))
  switch number {
  case ENOENT where operation == "create", ENOTDIR where operation == "create":
    return BasisError(
      .notFound, "\(path): cannot create the file: its folder does not exist; make it first")
  case ENOENT, ENOTDIR:
    return BasisError(.notFound, "\(path): no such file")
  case ENOSPC, EDQUOT:
    return BasisError(
      .inputOutput,
      "\(path): cannot write: \(reason); free some space and try again, nothing was changed")
  case EFBIG:
    return BasisError(
      .inputOutput,
      "\(path): cannot write: \(reason); raise the limit on file sizes (ulimit -f) and try again")
  default:
    return BasisError(.inputOutput, "\(path): cannot \(operation): \(reason)")
  }
}

/// Where a byte first stands, found by the C library's vector code.
func firstIndex(of byte: UInt8, in bytes: UnsafeRawBufferPointer) -> Int? {
  guard let base = bytes.baseAddress, let found = memchr(base, Int32(byte), bytes.count) else {
    return nil
  }
  return UnsafeRawPointer(found) - base
}
