import BasisCore

/// The lines of a file, whatever their number; memory is that of the longest line.
final class LineStream {
  let bytes: ByteStream
  let limit: Int
  /// The number of the line that ``next()`` gave last, from 1.
  private(set) var lineNumber = 0

  private var buffer: UnsafeMutableRawBufferPointer
  /// What of `buffer` was read and not given out yet.
  private var pending: Range<Int> = 0..<0
  /// No line ends before this place of `pending`.
  private var searched = 0
  private var atEnd = false

  /// - Parameter limit: the longest line, in bytes, that is not an error.
  init(_ bytes: ByteStream, limit: Int) {
    self.bytes = bytes
    self.limit = limit
    buffer = .allocate(byteCount: 1 << 17, alignment: 64)
  }

  deinit { buffer.deallocate() }

  var name: String { bytes.name }

  /// The first bytes of the file, at most 16 KiB, without taking them.
  func peek() throws(BasisError) -> UnsafeRawBufferPointer {
    while pending.count < 1 << 14, !atEnd { try fill() }
    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[pending].prefix(1 << 14))
  }

  /// The next line without its line feed, nil at the end; good until the next call.
  ///
  /// A byte order mark at the start of the file is passed over.
  ///
  /// - Throws: `.badData` for a line over the limit; what ``ByteStream/read(into:)`` throws.
  func next() throws(BasisError) -> UnsafeRawBufferPointer? {
    if lineNumber == 0 {
      while pending.count < 3, !atEnd { try fill() }
      if buffer[pending].starts(with: [0xEF, 0xBB, 0xBF]) {
        pending = pending.lowerBound + 3..<pending.upperBound
        searched = pending.lowerBound
      }
    }
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: buffer[searched..<pending.upperBound])
      if let length = firstIndex(of: 0x0A, in: rest) {
        let end = searched + length
        let line = buffer[pending.lowerBound..<end]
        pending = end + 1..<pending.upperBound
        searched = end + 1
        return try give(UnsafeRawBufferPointer(rebasing: line))
      }
      searched = pending.upperBound
      if atEnd {
        guard !pending.isEmpty else { return nil }
        let line = buffer[pending]
        pending = pending.upperBound..<pending.upperBound
        return try give(UnsafeRawBufferPointer(rebasing: line))
      }
      if pending.count > limit {
        lineNumber += 1
        throw tooLong(lineNumber)
      }
      try fill()
    }
  }

  /// The error for a record over the limit; the stream is then at its end.
  func tooLong(_ row: Int) -> BasisError {
    close()
    return recordTooLong("\(name):\(row)", limit: limit)
  }

  private func give(_ line: UnsafeRawBufferPointer) throws(BasisError) -> UnsafeRawBufferPointer {
    lineNumber += 1
    guard line.count <= limit else { throw tooLong(lineNumber) }
    return line
  }

  private func close() {
    atEnd = true
    pending = 0..<0
    searched = 0
  }

  private func fill() throws(BasisError) {
    if pending.lowerBound > 0 {
      let moved = pending.count
      if moved > 0, let base = buffer.baseAddress {
        base.copyMemory(from: base + pending.lowerBound, byteCount: moved)
      }
      searched -= pending.lowerBound
      pending = 0..<moved
    }
    if pending.upperBound == buffer.count {
      let larger = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 2 * buffer.count, alignment: 64)
      larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
      buffer.deallocate()
      buffer = larger
    }
    do throws(BasisError) {
      let count = try bytes.read(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[pending.upperBound...]))
      atEnd = count == 0
      pending = 0..<pending.upperBound + count
    } catch {
      close()
      throw error
    }
  }
}

func recordTooLong(_ place: String, limit: Int) -> BasisError {
  BasisError(
    .badData,
    "\(place): the record is longer than the limit of \(limit) bytes; split it, or raise the limit")
}

/// A line as text, its carriage return taken off.
///
/// - Throws: `.badData` with the column of the first byte that is not UTF-8.
func lineText(_ line: UnsafeRawBufferPointer, _ place: @autoclosure () -> String)
  throws(BasisError) -> String
{
  switch decodeUTF8(withoutCarriageReturn(line)) {
  case .text(let text): return text
  case .invalid(let offset): throw notUTF8(place(), column: offset + 1)
  }
}

func notUTF8(_ place: String, column: Int) -> BasisError {
  BasisError(
    .badData,
    "\(place): column \(column): bytes that are not UTF-8; convert the file first (iconv -t UTF-8)")
}

func withoutCarriageReturn(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
  line.last == 0x0D ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
}

/// Whether a line has nothing but spaces, tabs and carriage returns.
func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
  line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
}
