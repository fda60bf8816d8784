import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage

struct Vacuum: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give back all space that deleted and replaced records still take.",
    discussion: """
      EXAMPLES
        basis vacuum packages
        basis vacuum packages --json

      Writers keep the waste below a third by themselves; this removes all of it. Afterwards nothing
      of a deleted record is left on disk, not even a word of it.
      """)

  @Argument(help: "The collection.")
  var name: String

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let folder = try data.folder(name)
    let collection = try VectorCollection(folder, for: .write)
    let before = folder.byteCount
    let isLogEmpty = try collection.vacuum(in: work.context(progress: line))
    line?.clear()
    let after = folder.byteCount
    if output.json {
      try output.print(
        json: .object([
          "bytes_before": .integer(Int64(before)), "bytes_after": .integer(Int64(after)),
          "log_emptied": .bool(isLogEmpty),
        ]))
    } else {
      output.remark("\(name): \(bytes(before)) before, \(bytes(after)) now")
      if !isLogEmpty {
        output.remark("another process is reading; vacuum again when it has ended")
      }
    }
  }
}
