import ArgumentParser
import BasisCore
import BasisFormats
import BasisStorage
import Dispatch
import Foundation

/// Where the collections are.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of the collections (default: $BASIS_HOME, else ~/.local/share/basis).",
      valueName: "dir"))
  var data: String?

  var home: String {
    if let data { return data }
    let environment = ProcessInfo.processInfo.environment
    if let home = environment["BASIS_HOME"], !home.isEmpty { return home }
    if let share = environment["XDG_DATA_HOME"], !share.isEmpty { return share + "/basis" }
    return (environment["HOME"] ?? ".") + "/.local/share/basis"
  }

  func folder(_ name: String) throws(BasisError) -> CollectionFolder {
    try CollectionFolder(name: name, in: home)
  }
}

/// How results are printed.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress and no remarks.")
  var quiet = false

  /// A remark for people: on standard error, so that it never mixes with data.
  func remark(_ text: String) {
    if !quiet { writeToStandardError(text + "\n") }
  }

  func print(json value: JSONValue) throws(BasisError) {
    try writeToStandardOutput(value.serialized(pretty: false) + "\n")
  }
}

/// How work is done.
struct WorkOptions: ParsableArguments {
  @Option(help: "Threads to use at most (default: all processors). Answers do not depend on it.")
  var threads: Int?

  @Option(help: "Seed of every random choice.")
  var seed: UInt64 = 0

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads)")
    }
  }

  /// A context that stops at the first interrupt from the keyboard.
  func context(progress: ProgressLine? = nil) -> RunContext {
    let cancellation = RunContext.Cancellation()
    Interrupt.shared.onInterrupt { cancellation.cancel() }
    var context = RunContext(
      seed: seed, threadLimit: threads ?? RunContext.processorCount, cancellation: cancellation)
    if let progress { context.progress = { progress.show($0) } }
    return context
  }
}

/// Ctrl-C as a request to stop at the next safe point; a second one ends the program at once.
final class Interrupt: Sendable {
  static let shared = Interrupt()

  func onInterrupt(_ action: @escaping @Sendable () -> Void) {
    signal(SIGINT, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler {
      action()
      signal(SIGINT, SIG_DFL)
    }
    source.resume()
    sources.append(source)
  }

  private let sources = SourceList()

  /// Keeps signal sources alive; guarded by its lock.
  private final class SourceList: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [any DispatchSourceSignal] = []

    func append(_ source: any DispatchSourceSignal) {
      lock.withLock { list.append(source) }
    }
  }
}
