import ArgumentParser
import BasisCollections
import BasisCore
import BasisFormats
import BasisStorage

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read every byte of a collection and check it.",
    discussion: """
      EXAMPLES
        basis verify packages
        basis verify packages --json

      Exit status 65 if anything is damaged; each damaged block is named.
      """)

  @Argument(help: "The collection.")
  var name: String

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let report = try CollectionStore(data.folder(name), for: .read).verify(in: context)
    line?.clear()
    if output.json {
      try output.print(
        json: .object([
          "sound": .bool(report.isSound),
          "records": .integer(Int64(report.recordCount)),
          "segments": .integer(Int64(report.segmentCount)),
          "bytes": .integer(Int64(report.byteCount)),
          "damage": .array(report.damage.map { .string($0.message) }),
        ]))
    } else if report.isSound {
      output.remark(
        "\(name) is sound: \(grouped(report.recordCount)) records in \(report.segmentCount) "
          + "segments, \(bytes(report.byteCount)) checked")
    } else {
      for error in report.damage { writeToStandardError("basis: error: \(error.message)\n") }
    }
    if !report.isSound { throw ExitCode(65) }
  }
}
