import BasisCore

/// A file that is written beside its target and takes the target's place when it is complete.
///
/// Dropped unfinished, or after an error, it leaves nothing behind and the target as it was.
final class ReplacingFile {
  private let path: String
  private let temporaryPath: String
  private var file: SystemFile?
  private(set) var byteCount = 0

  /// - Throws: `.notFound` if the folder does not exist; `.inputOutput`.
  init(_ path: String) throws(BasisError) {
    self.path = path
    temporaryPath = SystemFile.temporaryName(beside: path)
    do throws(BasisError) {
      file = try SystemFile(creating: temporaryPath)
    } catch {
      throw named(error)
    }
  }

  deinit { if file != nil { SystemFile.remove(temporaryPath) } }

  func append(_ bytes: UnsafeRawBufferPointer) throws(BasisError) {
    try write(bytes, at: byteCount)
    byteCount += bytes.count
  }

  /// Writes over what was written before.
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(BasisError) {
    try withFile { (open) throws(BasisError) in try open.write(bytes, at: position) }
  }

  /// Waits for the medium and puts the file in the target's place.
  func finish() throws(BasisError) {
    try withFile { (open) throws(BasisError) in
      try open.synchronize()
      try SystemFile.move(temporaryPath, over: path)
    }
    file = nil
  }

  private func withFile(_ body: (borrowing SystemFile) throws(BasisError) -> Void)
    throws(BasisError)
  {
    do throws(BasisError) {
      switch file {
      case .some(let open): try body(open)
      case .none: preconditionFailure("'\(path)' is finished")
      }
    } catch {
      throw named(error)
    }
  }

  /// People know the file by the name that they gave it.
  private func named(_ error: BasisError) -> BasisError {
    guard error.message.hasPrefix(temporaryPath) else { return error }
    return BasisError(
      error.code, path + error.message.dropFirst(temporaryPath.count), cause: error.cause)
  }
}
