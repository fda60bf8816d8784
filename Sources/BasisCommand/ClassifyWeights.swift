import ArgumentParser
import BasisClassification
import BasisCore
import BasisFormats
import Dispatch
import Foundation

struct ClassifyWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "Show which training rows made a forest's answers, and how many it used.",
    discussion: """
      EXAMPLES
        basis classify weights model new.npy
        basis classify weights model new.npy --most 5 --plot parameters.svg --json

      A forest's answer is a weighted mean of what it was fitted on. Effective parameters are n times the
      sum of the squared weights: n where one training row makes the answer, 1 where all do alike. A
      deep forest uses many for the rows that it was fitted on, and few for rows unlike them.
      """)

  @Argument(help: "What 'basis classify fit' kept: tree, forest, or boosted numbers.")
  var model: String

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Option(help: "Training rows to name for each row.")
  var most = 3

  @Option(help: ArgumentHelp("Draw the parameters of all rows.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if most < 0 { throw ValidationError("--most is at least 0, not \(most)") }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let opened = try ModelFile(path: model).model(among: ClassificationCatalogue.models)
    guard let smoother = opened as? any SmootherWeights else {
      throw BasisError(
        .unsupported,
        "\(model): '\(type(of: opened).modelName)' answers with no weighted means of its rows; forests, "
          + "trees and boosted numbers do")
    }
    let rows = try data.rows(input, in: context)
    let began = DispatchTime.now().uptimeNanoseconds
    let report = try ClassifyWeightsReport(smoother, rows, most: most, in: context)
    let seconds = Classify.seconds(since: began)
    line?.clear()
    try report.tell(of: input, seconds: seconds, picture: picture, output)
  }
}

/// What is told about weights: as text, as JSON, as a picture.
struct ClassifyWeightsReport: MethodReport {
  private let trainingCount: Int
  private let parameters: EffectiveParameters
  /// Of each row the training rows of the largest weights.
  private var largest: [[(row: Int, weight: Double)]] = []

  init(_ smoother: any SmootherWeights, _ rows: Matrix, most: Int, in context: RunContext)
    throws(BasisError)
  {
    let n = smoother.trainingCount
    trainingCount = n
    parameters = try Self.parameters(smoother, rows, in: context)
    let step = max(1, (1 << 22) / max(1, n))
    for start in stride(from: 0, to: most > 0 ? rows.rowCount : 0, by: step) {
      let some = rows.selecting(rows: start..<min(rows.rowCount, start + step))
      let weights = try smoother.weights(for: some, in: context)
      for row in 0..<some.rowCount {
        let own = weights[row * n..<(row + 1) * n]
        let order = own.indices.filter { own[$0] != 0 }
          .sorted { abs(own[$0]) != abs(own[$1]) ? abs(own[$0]) > abs(own[$1]) : $0 < $1 }
        largest.append(order.prefix(most).map { ($0 - row * n, own[$0]) })
      }
    }
  }

  private static func parameters(
    _ smoother: some SmootherWeights, _ rows: Matrix, in context: RunContext
  ) throws(BasisError) -> EffectiveParameters {
    try EffectiveParameters(of: smoother, on: rows, in: context)
  }

  func json(seconds: Double) -> JSONValue {
    let rows = parameters.values.enumerated().map { row, value in
      let made = row < largest.count ? largest[row] : []
      return JSONValue.object([
        "effective_parameters": .number(value),
        "training": .array(
          made.map {
            .object(["row": .integer(Int64($0.row)), "weight": .number($0.weight)])
          }),
      ])
    }
    return .object([
      "effective_parameters": .number(parameters.mean),
      "training_rows": .integer(Int64(trainingCount)), "rows": .array(rows),
      "seconds": .number(seconds),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    var text =
      "\(input): \(decimal(parameters.mean, 1)) effective parameters of \(grouped(trainingCount)) "
      + "training rows   \(decimal(seconds, 2)) s\n\n"
    text += "\(aligned("row", in: 8))\(aligned("parameters", in: 12))  made by (row: weight)\n"
    for (row, value) in parameters.values.enumerated() {
      let made = row < largest.count ? largest[row] : []
      let names = made.map { "\($0.row): \(decimal($0.weight, 3))" }.joined(separator: "  ")
      text += "\(aligned(grouped(row), in: 8))\(aligned(decimal(value, 1), in: 12))  \(names)\n"
    }
    return text
  }

  /// All rows, falling.
  func chart(_ input: String) -> Chart {
    let falling = parameters.values.sorted(by: >)
    let step = max(1, falling.count / 600)
    let points = stride(from: 0, to: falling.count, by: step).map {
      Chart.Point(Double($0 + 1), falling[$0])
    }
    return Chart(
      "\((input as NSString).lastPathComponent): effective parameters",
      x: .init("rows, falling"), y: .init("effective parameters", scale: .logarithmic),
      series: [.init("", points, style: points.count > 60 ? .line : .linePoints)],
      references: [("mean \(decimal(parameters.mean, 1))", parameters.mean)])
  }
}
