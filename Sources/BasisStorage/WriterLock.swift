import BasisCore
import Foundation

/// The kernel's lock on a collection: one writer at a time, and none left behind by a killed one.
final class WriterLock: Sendable {
  private let descriptor: Int32

  /// - Throws: `.busy` if another process, or another store of this one, holds the lock.
  init(path: String, collection: String) throws(BasisError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw systemError("cannot open the lock of collection '\(collection)' at \(path)")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = try? String(contentsOfFile: path, encoding: .utf8)
      close(descriptor)
      let who = holder.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        .map { " (process \($0))" }
      throw BasisError(
        .busy,
        "collection '\(collection)' is being written by another process\(who ?? ""); "
          + "try again when it has ended")
    }
    let text = "\(getpid())\n"
    ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, text.utf8.count, 0) }
  }

  deinit {
    // A process that is just being spawned shares the lock until it runs its own program, so
    // closing alone may come too early.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}

/// The last failed system call as an error: what was tried, and the system's reason.
func systemError(_ action: String) -> BasisError {
  let reason = errno
  let text = String(cString: strerror(reason))
  let remedy: String =
    switch reason {
    case ENOSPC, EDQUOT: "; make room and try again: nothing acknowledged is lost"
    case EACCES, EPERM, EROFS: "; check the permissions or choose another folder with --data"
    default: ""
    }
  return BasisError(
    reason == ENOENT ? .notFound : .inputOutput, "\(action): \(text)\(remedy)")
}
