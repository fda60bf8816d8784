import ArgumentParser
import BasisCore
import BasisFormats
import BasisLab
import Foundation

struct LabReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a ledger of claims as a page with pictures.",
    discussion: """
      EXAMPLES
        basis lab run --all --quick --ledger claims.json
        basis lab report claims.json -o claims

      Writes README.md and a picture a claim into the folder: what was measured, beside what was
      reported.
      """)

  @Argument(help: "What basis lab run --ledger wrote.")
  var ledger: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder.", valueName: "dir"))
  var output: String

  @Flag(help: "Overwrite what is there.")
  var force = false

  func run() throws {
    let report = ClaimReport(try ClaimLedger(contentsOf: ledger))
    do {
      try FileManager.default.createDirectory(
        atPath: output, withIntermediateDirectories: true)
    } catch {
      throw BasisError(.inputOutput, "cannot make the folder \(output)", cause: error)
    }
    let pages =
      [("README.md", report.markdown)] + report.pictures.map { ($0.name, $0.chart.svg) }
    for (name, content) in pages {
      let file = try OutputFile(output + "/" + name, force: force)
      try file.write(content)
      try file.finish()
    }
  }
}
