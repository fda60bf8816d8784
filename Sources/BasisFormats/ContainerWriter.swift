public import BasisCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Writes a ``Container``: blocks one after another, then ``finish()``.
///
/// The bytes go to a file beside the target, whose name ends in `.tmp`. Only ``finish()`` puts it
/// in the target's place, once it is on the medium: whatever happens before, the target is as it
/// was. After an error, or when the writer is dropped unfinished, that file is removed; every later
/// call throws the same error again.
///
/// For one thread at a time. Memory: one megabyte, whatever the size of the blocks.
public final class ContainerWriter {
  private let path: String
  private let temporaryPath: String
  private var file: SystemFile?
  private var layout: ContainerLayout
  private var names: Set<String> = []
  private var failure: BasisError?
  private var isStreaming = false
  /// The checksum of the chunk that is being written, and how many bytes it has.
  private var openChunk: UInt32 = 0
  private var openChunkLength = 0

  /// Bytes that are not in the file yet, and where they belong.
  private var buffer: [UInt8] = []
  private var position = 0

  /// Makes the temporary file.
  ///
  /// - Parameters:
  ///   - path: where the file will be; its folder exists.
  ///   - kind: what the file holds, 1 to 8 ASCII characters.
  ///   - version: of what the blocks mean, for the reader to check.
  /// - Throws: `.notFound` if the folder does not exist; `.inputOutput`.
  /// - Precondition: `kind` has 1 to 8 ASCII characters.
  public init(path: String, kind: String, version: UInt32) throws(BasisError) {
    precondition(
      (1...8).contains(kind.utf8.count) && kind.utf8.allSatisfy { (0x20..<0x7F).contains($0) },
      "a kind has 1 to 8 ASCII characters, got '\(kind)'")
    self.path = path
    temporaryPath = SystemFile.temporaryName(beside: path)
    layout = ContainerLayout(kind: kind, version: version)
    do throws(BasisError) {
      file = try SystemFile(creating: temporaryPath)
    } catch {
      throw named(error)
    }
    // The header's place; it is written last, when the table of contents has one.
    buffer = Array(repeating: 0, count: ContainerLayout.headerSize)
  }

  deinit { discard() }

  /// Writes a block of elements, as they lie in memory.
  ///
  /// - Parameters:
  ///   - name: not used before, at most 65,535 bytes.
  ///   - values: of a type without padding, or equal values give unequal files.
  /// - Throws: `.inputOutput`, with the remedy where the disk is full.
  /// - Precondition: the name is new; no streamed block is open.
  public func write<T: BitwiseCopyable>(_ name: String, _ values: [T]) throws(BasisError) {
    try values.withUnsafeBufferPointer { (elements) throws(BasisError) in
      try write(name, elements)
    }
  }

  /// Writes a block of elements, as they lie in memory.
  public func write<T: BitwiseCopyable>(_ name: String, _ values: UnsafeBufferPointer<T>)
    throws(BasisError)
  {
    try begin(name, stride: MemoryLayout<T>.stride)
    try append(UnsafeRawBufferPointer(values))
    try end()
  }

  /// Writes a block that holds a value as JSON, keys sorted.
  ///
  /// - Throws: `.invalidArgument` if the value has no JSON (a number that is not finite);
  ///   `.inputOutput`.
  public func write(_ name: String, json value: some Encodable) throws(BasisError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes: [UInt8]
    do {
      bytes = Array(try encoder.encode(value))
    } catch {
      throw BasisError(
        .invalidArgument,
        "\(path): the block '\(name)' cannot be written as JSON: \(type(of: value)) holds what "
          + "JSON has not (a NaN or infinite number?)", cause: error)
    }
    try begin(name, stride: 1)
    try bytes.withUnsafeBytesOf { (raw) throws(BasisError) in try append(raw) }
    try end()
  }

  /// Writes a block of the matrix's floats, row after row. Its shape is the reader's to know.
  public func write(_ name: String, matrix: Matrix) throws(BasisError) {
    try matrix.withUnsafeFloats { (floats) throws(BasisError) in try write(name, floats) }
  }

  /// Opens a block whose bytes come in pieces, through ``append(_:)``, until ``end()``.
  ///
  /// - Precondition: the name is new; no streamed block is open.
  public func begin(_ name: String) throws(BasisError) { try begin(name, stride: 1) }

  /// Adds bytes to the open block.
  ///
  /// - Precondition: a block is open.
  public func append(_ bytes: UnsafeRawBufferPointer) throws(BasisError) {
    try check()
    precondition(isStreaming, "append(_:) needs begin(_:) first")
    let last = layout.entries.count - 1
    addToChecksums(bytes)
    layout.entries[last].length += bytes.count
    try put(bytes)
  }

  /// Of the open block, and of its chunks.
  private func addToChecksums(_ bytes: UnsafeRawBufferPointer) {
    let last = layout.entries.count - 1
    layout.entries[last].checksum = crc32c(bytes, continuing: layout.entries[last].checksum)
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(ContainerLayout.chunkSize - openChunkLength)
      openChunk = crc32c(UnsafeRawBufferPointer(rebasing: part), continuing: openChunk)
      openChunkLength += part.count
      rest = rest[part.endIndex...]
      if openChunkLength == ContainerLayout.chunkSize { closeChunk() }
    }
  }

  private func closeChunk() {
    guard openChunkLength > 0 else { return }
    layout.entries[layout.entries.count - 1].chunkChecksums.append(openChunk)
    openChunk = 0
    openChunkLength = 0
  }

  /// Closes the open block.
  ///
  /// - Precondition: a block is open.
  public func end() throws(BasisError) {
    try check()
    precondition(isStreaming, "end() needs begin(_:) first")
    let last = layout.entries.count - 1
    let entry = layout.entries[last]
    let padding = [UInt8](
      repeating: 0, count: entry.paddedRange.upperBound - entry.range.upperBound)
    try padding.withUnsafeBytesOf { (zeros) throws(BasisError) in
      addToChecksums(zeros)
      try put(zeros)
    }
    closeChunk()
    // One chunk has the block's own checksum.
    if layout.entries[last].chunkChecksums.count == 1 {
      layout.entries[last].chunkChecksums = []
    }
    isStreaming = false
  }

  /// Writes the table of contents, waits for the medium and puts the file in the target's place.
  ///
  /// - Throws: `.inputOutput`; the target is then as it was.
  /// - Precondition: no streamed block is open; not finished before.
  public func finish() throws(BasisError) {
    try check()
    precondition(!isStreaming, "finish() needs end() first")
    let (header, table) = layout.serialized()
    try table.withUnsafeBytesOf { (raw) throws(BasisError) in try put(raw) }
    try flush()
    try guarded { (file) throws(BasisError) in
      try header.withUnsafeBytesOf { (raw) throws(BasisError) in try file.write(raw, at: 0) }
      try file.synchronize()
      try SystemFile.move(temporaryPath, over: path)
    }
    file = nil
  }

  private func begin(_ name: String, stride: Int) throws(BasisError) {
    try check()
    precondition(!isStreaming, "'\(name)' begins before the block before it has ended")
    precondition(names.insert(name).inserted, "the block '\(name)' is written twice")
    precondition(name.utf8.count <= UInt16.max && stride <= UInt16.max, "name or element too long")
    let offset = layout.entries.last?.paddedRange.upperBound ?? ContainerLayout.headerSize
    layout.entries.append(
      .init(name: name, offset: offset, length: 0, checksum: 0, stride: stride))
    isStreaming = true
  }

  private func check() throws(BasisError) {
    if let failure { throw failure }
    precondition(file != nil, "the container '\(path)' is finished")
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws(BasisError) {
    let limit = 1 << 20
    if buffer.count + bytes.count > limit { try flush() }
    if bytes.count > limit {
      try guarded { [position] (file) throws(BasisError) in try file.write(bytes, at: position) }
      position += bytes.count
    } else {
      buffer += bytes
    }
  }

  private func flush() throws(BasisError) {
    try guarded { (file) throws(BasisError) in
      try buffer.withUnsafeBytesOf { (raw) throws(BasisError) in
        try file.write(raw, at: position)
      }
    }
    position += buffer.count
    buffer.removeAll(keepingCapacity: true)
  }

  private func guarded(_ body: (borrowing SystemFile) throws(BasisError) -> Void)
    throws(BasisError)
  {
    do throws(BasisError) {
      switch file {
      case .some(let open): try body(open)
      case .none: preconditionFailure("the container '\(path)' is finished")
      }
    } catch {
      failure = named(error)
      discard()
      throw named(error)
    }
  }

  /// People know the file by the name that they gave it.
  private func named(_ error: BasisError) -> BasisError {
    guard error.message.hasPrefix(temporaryPath) else { return error }
    let rest = error.message.dropFirst(temporaryPath.count)
    return BasisError(error.code, path + rest, cause: error.cause)
  }

  private func discard() {
    guard file != nil else { return }
    file = nil
    SystemFile.remove(temporaryPath)
  }
}

extension Array<UInt8> {
  /// `withUnsafeBytes`, with the type of the error kept.
  func withUnsafeBytesOf<R>(
    _ body: (UnsafeRawBufferPointer) throws(BasisError) -> R
  ) throws(BasisError) -> R {
    try withUnsafeBufferPointer { (elements) throws(BasisError) in
      try body(UnsafeRawBufferPointer(elements))
    }
  }
}
