import ArgumentParser
import BasisCore
import BasisFormats
import BasisGraphs
import Dispatch
import Foundation

struct GraphClosures: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "closures",
    abstract: "Count how often three or four who had not met as a group did so later.",
    discussion: """
      EXAMPLES
        basis graph closures simplicial-email-enron
        basis graph closures mails --size 4 --json
        basis graph closures contacts --share 0.6 --plot closures.svg

      DIR has the files NAME-nverts.txt (how many nodes each group has), NAME-simplices.txt (the nodes of
      all groups, one after another) and NAME-times.txt (when each met), a number a line, perhaps
      compressed by gzip.

      Of three, a kind is their three ties: 0 never met, 1 met once, 2 met more often. Of four with a
      triangle among them it is how often each of their triangles met; -1 stands for the two that five
      edges lack, -2 and -3 for those that four and three edges lack.
      """)

  @Argument(help: ArgumentHelp("A folder with groups and their times.", valueName: "dir"))
  var input: String

  @Option(help: "Of 3 or of 4 nodes.")
  var size = 3

  @Option(help: ArgumentHelp("The quantile of the times that is the past.", valueName: "share"))
  var share = 0.8

  @Option(help: ArgumentHelp("Draw how likely each kind closes.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if size != 3, size != 4 { throw ValidationError("--size is 3 or 4, not \(size)") }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let drawing = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let stream = try SimplicialStream(folder: input)
    let began = DispatchTime.now().uptimeNanoseconds
    let table = try ClosureTable(stream, size: size, share: share, in: context)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    line?.clear()
    let report = GraphClosuresReport(table: table, stream: stream, share: share)
    try report.tell(of: input, seconds: seconds, picture: drawing, output)
    if stream.repeatedCount > 0 {
      output.remark("\(stream.repeatedCount) nodes were named twice in a group; each counts once")
    }
  }
}

/// What is told about closures: as text, as JSON, as a picture.
struct GraphClosuresReport: MethodReport {
  let table: ClosureTable
  let stream: SimplicialStream
  let share: Double

  func json(seconds: Double) -> JSONValue {
    .object([
      "size": .integer(Int64(table.size)), "share": .number(share),
      "simplices": .integer(Int64(stream.simplexCount)),
      "nodes": .integer(Int64(stream.nodeCount)),
      "open_triangles": .integer(Int64(table.openTriangleCount)),
      "closed_triangles": .integer(Int64(table.closedTriangleCount)),
      "rows": .array(
        table.rows.map { row in
          .object([
            "key": .array(row.key.map { .integer(Int64($0)) }),
            "open": .integer(Int64(row.openCount)), "closed": .integer(Int64(row.closedCount)),
            "probability": row.openCount > 0 ? .number(row.probability) : .null,
          ])
        }),
      "seconds": .number(seconds),
    ])
  }

  private func name(_ row: ClosureTable.Row) -> String {
    row.key.map { "\($0)" }.joined(separator: " ")
  }

  func text(_ input: String, seconds: Double) -> String {
    var text = "\(input): \(grouped(stream.simplexCount)) groups of \(grouped(stream.nodeCount)) "
    text += "nodes   \(decimal(seconds, 2)) s\n"
    text +=
      "before \(decimal(share, 2)) of the times: \(grouped(table.openTriangleCount)) open and "
    text += "\(grouped(table.closedTriangleCount)) closed triangles\n\n"
    text += aligned(table.size == 3 ? "ties" : "triangles", in: 12) + aligned("open", in: 14)
    text += aligned("closed", in: 10) + aligned("per cent", in: 12) + "\n"
    for row in table.rows {
      let percent = row.openCount > 0 ? decimal(100 * row.probability, 4) : "–"
      text += aligned(name(row), in: 12) + aligned(grouped(row.openCount), in: 14)
      text += aligned(grouped(row.closedCount), in: 10) + aligned(percent, in: 12) + "\n"
    }
    return text
  }

  /// How likely each kind closes, with an interval: sets of equal nodes are not independent, so it is
  /// narrower than the truth.
  func chart(_ input: String) -> Chart {
    let some = table.rows.filter { $0.openCount > 0 }
    let points = some.enumerated().map { place, row in
      // Of a count of k the half-width that a Poisson count has, in shares.
      let half = 1.96 * Double(row.closedCount).squareRoot() / Double(row.openCount)
      let low = max(row.probability - half, 0.2 / Double(row.openCount))
      return Chart.Point(
        Double(place), row.probability, interval: low...max(low, row.probability + half),
        title: "\(name(row)): \(row.closedCount) of \(row.openCount)")
    }
    return Chart(
      "\((input as NSString).lastPathComponent): who meets as a group",
      x: .init(table.size == 3 ? "ties" : "triangles", names: some.map(name)),
      y: .init("share that closed", scale: .logarithmic),
      series: [.init("", points, style: .points)])
  }
}
