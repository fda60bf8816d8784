import BasisCore
import BasisFormats
import CZlib
import Foundation
import Testing

/// A folder that is removed with its last reference.
final class TemporaryFolder {
  let path: String

  init() throws {
    // In memory where that is possible: some tests write thousands of files, and a disk may take
    // milliseconds for each.
    let memory = "/dev/shm"
    let place =
      FileManager.default.isWritableFile(atPath: memory)
      ? memory : FileManager.default.temporaryDirectory.path
    path = place + "/basis-formats-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, making the folders that its name has, and returns its path.
  func write(_ name: String, _ content: [UInt8]) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(content).write(to: URL(fileURLWithPath: file))
    return file
  }

  func write(_ name: String, _ content: String) throws -> String {
    try write(name, Array(content.utf8))
  }

  var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path) } }
}

func contents(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
  let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  defer { stream.deallocate() }
  stream.initialize(to: z_stream())
  try #require(
    deflateInit2_(
      stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size)) == Z_OK)
  defer { deflateEnd(stream) }
  var input = bytes
  var output = [UInt8](repeating: 0, count: Int(deflateBound(stream, uLong(bytes.count))))
  let count = input.withUnsafeMutableBufferPointer { input in
    output.withUnsafeMutableBufferPointer { output in
      stream.pointee.next_in = input.baseAddress
      stream.pointee.avail_in = uInt(input.count)
      stream.pointee.next_out = output.baseAddress
      stream.pointee.avail_out = uInt(output.count)
      return deflate(stream, Z_FINISH) == Z_STREAM_END ? Int(stream.pointee.total_out) : -1
    }
  }
  try #require(count >= 0)
  return Array(output[..<count])
}

/// All records, and the errors between them in the order of their coming.
func readAll(
  _ path: String, _ format: SourceFormat? = nil, limit: Int = RecordSource.defaultRecordLimit
) throws -> (records: [SourceRecord], errors: [BasisError]) {
  var reader = try RecordSource(path: path, format: format, recordLimit: limit).makeReader()
  var records: [SourceRecord] = []
  var errors: [BasisError] = []
  while true {
    do throws(BasisError) {
      guard let record = try reader.next() else { return (records, errors) }
      records.append(record)
    } catch {
      errors.append(error)
      // A reader whose every call fails would never end.
      try #require(errors.count < 10_000)
    }
  }
}

/// Changes a few bytes: flips, cuts, doubles and inserts.
func mutated(_ bytes: [UInt8], _ generator: inout RandomGenerator, from alphabet: [UInt8])
  -> [UInt8]
{
  var bytes = bytes
  for _ in 0...generator.nextInt(below: 4) {
    guard !bytes.isEmpty else { break }
    let place = generator.nextInt(below: bytes.count)
    switch generator.nextInt(below: 6) {
    case 0: bytes[place] ^= UInt8(1) << UInt8(generator.nextInt(below: 8))
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(alphabet[generator.nextInt(below: alphabet.count)], at: place)
    case 3: bytes[place] = alphabet[generator.nextInt(below: alphabet.count)]
    case 4: bytes.removeSubrange(place..<min(bytes.count, place + generator.nextInt(below: 20)))
    default:
      let piece = bytes[place..<min(bytes.count, place + generator.nextInt(below: 20))]
      bytes.insert(contentsOf: piece, at: generator.nextInt(below: bytes.count))
    }
  }
  return bytes
}
