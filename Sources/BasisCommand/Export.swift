import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage
import Foundation

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a collection's records as JSON lines.",
    discussion: """
      EXAMPLES
        basis export packages > packages.jsonl
        basis export packages -o packages.jsonl --where 'section = "utils"'
        basis export packages -o packages.jsonl --vectors packages.npy

      Each line is a record's payload as it was read, so that the file can be ingested again.
      """)

  @Argument(help: "The collection.")
  var name: String

  @Option(name: .shortAndLong, help: "The file to write; - is standard output.")
  var outputFile = "-"

  @Option(help: "Only records that meet a condition.")
  var `where`: String?

  @Option(
    help: ArgumentHelp(
      "Write the vectors of the current space too, as a NumPy array: row i is that of line i.",
      valueName: "file.npy"))
  var vectors: String?

  @Flag(help: "Overwrite the file if it is there.")
  var force = false

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let collection = try VectorCollection(data.folder(name), for: .read)
    // Both files show one state of the collection, whoever writes meanwhile.
    let exporter = try vectors.map { _ throws(BasisError) in
      try collection.vectorReader(in: work.context())
    }
    let snapshot = try exporter?.snapshot ?? collection.store.snapshot()
    let wanted = try `where`.map { source throws(BasisError) in
      Set(try snapshot.sequences(matching: Filter(source)))
    }
    let target = try OutputFile(outputFile, force: force)
    var table: NumPyWriter?
    if let vectors, let exporter {
      try OutputFile.requireAbsent(vectors, force: force)
      table = try NumPyWriter(path: vectors, columnCount: exporter.space.dimension)
    }
    var count = 0
    try snapshot.forEachChunk { records throws(BasisError) in
      var text = ""
      let chosen = records.filter { wanted?.contains($0.sequence) ?? true }
      for record in chosen { text += record.payload + "\n" }
      count += chosen.count
      try target.write(text)
      if let exporter { try table?.append(exporter.vectors(of: chosen.map(\.sequence))) }
    }
    try table?.finish()
    try target.finish()
    if output.json && outputFile != "-" {
      try output.print(json: .object(["records": .integer(Int64(count))]))
    } else {
      output.remark("\(grouped(count)) records")
    }
  }
}

/// Where a command writes: standard output, or a file that appears when it is complete.
final class OutputFile {
  private let path: String
  private let partial: String
  private let handle: FileHandle

  /// - Throws: `.alreadyExists` if the file is there and may not be overwritten.
  static func requireAbsent(_ path: String, force: Bool) throws(BasisError) {
    if !force && FileManager.default.fileExists(atPath: path) {
      throw BasisError(.alreadyExists, "\(path) is there already; say --force to overwrite it")
    }
  }

  /// - Throws: `.alreadyExists` if the file is there and may not be overwritten.
  init(_ path: String, force: Bool) throws(BasisError) {
    self.path = path
    guard path != "-" else {
      partial = ""
      handle = .standardOutput
      return
    }
    // A device or a pipe takes what is written, and is never replaced.
    let resolved = (path as NSString).resolvingSymlinksInPath
    let attributes = try? FileManager.default.attributesOfItem(atPath: resolved)
    let type = attributes?[.type] as? FileAttributeType
    if let type, type != .typeRegular, type != .typeDirectory {
      guard let handle = FileHandle(forWritingAtPath: path) else {
        throw BasisError(.inputOutput, "cannot write \(path)")
      }
      partial = ""
      self.handle = handle
      return
    }
    try Self.requireAbsent(path, force: force)
    partial = "\(path).partial-\(getpid())"
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let handle = FileHandle(forWritingAtPath: partial)
    else { throw BasisError(.inputOutput, "cannot write \(path); check the folder") }
    self.handle = handle
  }

  func write(_ text: String) throws(BasisError) {
    do {
      try handle.write(contentsOf: Data(text.utf8))
    } catch {
      throw BasisError(
        .inputOutput, "cannot write \(path == "-" ? "standard output" : path): \(error)",
        cause: error)
    }
  }

  func finish() throws(BasisError) {
    guard path != "-" else { return }
    do {
      if !partial.isEmpty { try handle.synchronize() }
      try handle.close()
    } catch {
      throw BasisError(.inputOutput, "cannot write \(path)", cause: error)
    }
    guard partial.isEmpty || rename(partial, path) == 0 else {
      throw BasisError(.inputOutput, "cannot rename \(partial) to \(path)")
    }
  }

  deinit { if !partial.isEmpty { unlink(partial) } }
}
