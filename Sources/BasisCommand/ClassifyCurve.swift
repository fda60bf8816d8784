import ArgumentParser
import BasisClassification
import BasisCore
import BasisFormats
import Dispatch
import Foundation

struct ClassifyCurve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curve",
    abstract: "Naive Bayes or logistic regression: which, with how many labels.",
    discussion: """
      EXAMPLES
        basis classify curve vectors.npy labels.npy --plot curve.svg
        basis classify curve vectors.npy labels.npy --sizes 20,100,1000 --draws 10 --json

      A quarter of the rows is kept apart; the others train both heads, at first a few, in the end all.
      """)

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Argument(help: "A class per row: npy, csv or text.")
  var labels: String

  @Option(help: ArgumentHelp("Rows to train on, rising: 20,50,100.", valueName: "numbers"))
  var sizes: String?

  @Option(help: "Orders of the rows.")
  var draws = 5

  @Option(help: ArgumentHelp("Draw the curves.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var changes: SettingsOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if let sizes, sizes.split(separator: ",").contains(where: { Int($0) == nil }) {
      throw ValidationError("--sizes takes numbers as 20,50,100, not '\(sizes)'")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    var own = ["drawCount=\(draws)"]
    if let sizes { own.append("sizes=[\(sizes)]") }
    let referee = try HeadReferee().changed(by: changes.json(after: own), in: "curve")
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let rows = try data.rows(input, in: context)
    let known = try LabeledRows(rows, labels: Classify.labels(labels))
    let began = DispatchTime.now().uptimeNanoseconds
    let curve = try referee.curve(known, in: context)
    let seconds = Classify.seconds(since: began)
    line?.clear()
    try ClassifyCurveReport(curve, rowCount: rows.rowCount)
      .tell(of: input, seconds: seconds, picture: picture, output)
    for warning in curve.warnings { output.remark(warning) }
  }
}

/// What is told about a model that was fitted.
struct ClassifyFitReport {
  private let model: any FittedClassifier
  private let method: String
  private let rowCount: Int
  private let accuracy: Double
  private let holdout: Double?
  private let holdoutCount: Int
  private let seconds: Double

  init(
    _ model: any FittedClassifier, method: String, rowCount: Int, accuracy: Double,
    holdout: Double?, holdoutCount: Int, seconds: Double
  ) {
    self.model = model
    self.method = method
    self.rowCount = rowCount
    self.accuracy = accuracy
    self.holdout = holdout
    self.holdoutCount = holdoutCount
    self.seconds = seconds
  }

  /// What 'auto' chose.
  private var choice: HeadChoice? { (model as? ChosenHeadModel)?.choice }

  var json: JSONValue {
    var members = known
    if let choice {
      members["chosen"] = .object([
        "method": .string(choice.head.rawValue), "reason": .string(choice.reason),
        "naive_bayes": .number(choice.naiveBayes), "logistic": .number(choice.logistic),
        "lead_interval": .array([
          .number(choice.interval.lowerBound), .number(choice.interval.upperBound),
        ]),
        "sure": .bool(choice.isSure), "draws": .integer(Int64(choice.drawCount)),
        "held_out": .integer(Int64(choice.testCount)),
      ])
    }
    return .object(members)
  }

  private var known: [String: JSONValue] {
    [
      "method": .string(method), "rows": .integer(Int64(rowCount)),
      "columns": .integer(Int64(model.columnCount)),
      "classes": .array(model.classes.map { .integer(Int64($0)) }),
      "accuracy": .number(accuracy), "holdout_accuracy": holdout.map { .number($0) } ?? .null,
      "holdout_rows": .integer(Int64(holdoutCount)), "seconds": .number(seconds),
      "warnings": .array(model.warnings.map { .string($0) }),
    ]
  }

  func text(_ input: String, _ path: String) -> String {
    let name = (model as? ChosenHeadModel)?.name ?? method
    var text =
      "\(input): \(name) of \(grouped(rowCount)) rows, \(model.classes.count) classes   "
      + "\(decimal(seconds, 2)) s\n"
    if let choice { text += "\(choice.reason)\n" }
    text += "\(decimal(100 * accuracy, 2)) % of the labels are found again"
    if let holdout {
      text += ", \(decimal(100 * holdout, 2)) % of \(grouped(holdoutCount)) rows held out"
    }
    return text + "\nkept in \(path)\n"
  }
}

/// What is told about two heads: as text, as JSON, as a picture.
struct ClassifyCurveReport: MethodReport {
  private let curve: LearningCurve
  private let rowCount: Int

  init(_ curve: LearningCurve, rowCount: Int) {
    self.curve = curve
    self.rowCount = rowCount
  }

  func json(seconds: Double) -> JSONValue {
    let heads = curve.heads.enumerated().map { place, head in
      JSONValue.object([
        "name": .string(head.name),
        "accuracy": .array(head.means.map { .number($0) }),
        "deviation": .array(head.deviations.map { .number($0) }),
        "seconds": .array(head.seconds.map { .number($0) }),
        "rows_to_99_percent": .integer(Int64(curve.rows(toReach: 0.99, head: place))),
      ])
    }
    var crossing = JSONValue.null
    if let found = curve.crossing {
      crossing = .object([
        "rows": .number(found.rowCount), "share": .number(found.share),
        "interval": found.interval.map {
          .array([.number($0.lowerBound), .number($0.upperBound)])
        } ?? .null,
      ])
    }
    return .object([
      "sizes": .array(curve.sizes.map { .integer(Int64($0)) }), "heads": .array(heads),
      "crossing": crossing, "verdict": .string(curve.verdict),
      "diagnostics": .object([
        "correlation": .number(curve.diagnostics.correlation),
        "skewness": .number(curve.diagnostics.skewness),
        "kurtosis": .number(curve.diagnostics.kurtosis),
      ]),
      "test_rows": .integer(Int64(curve.testCount)), "seconds": .number(seconds),
      "warnings": .array(curve.warnings.map { .string($0) }),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    var text =
      "\(input): \(grouped(rowCount)) rows, \(grouped(curve.testCount)) of them to test with   "
      + "\(decimal(seconds, 2)) s\n\(curve.verdict)\n"
    if let crossing = curve.crossing, let interval = crossing.interval {
      text += "95 % of the draws drawn again cross at \(Int(interval.lowerBound.rounded())) … "
      text += "\(Int(interval.upperBound.rounded())) rows\n"
    }
    let known = curve.diagnostics
    text += "within classes: |correlation| \(decimal(known.correlation, 3))   "
    text += "|skewness| \(decimal(known.skewness, 2))   "
    text += "|excess kurtosis| \(decimal(known.kurtosis, 2))\n\n"
    text += aligned("rows", in: 10)
    for head in curve.heads { text += aligned(head.name, in: 24) }
    text += "\n"
    for (place, size) in curve.sizes.enumerated() {
      text += aligned(grouped(size), in: 10)
      for head in curve.heads {
        let spread = decimal(head.deviations[place], 3)
        text += aligned("\(decimal(head.means[place], 3)) ± \(spread)", in: 24)
      }
      text += "\n"
    }
    text += aligned("99 % at", in: 10)
    for place in curve.heads.indices {
      text += aligned(grouped(curve.rows(toReach: 0.99, head: place)), in: 24)
    }
    return text + "\n"
  }

  /// Both curves with a deviation each way, and where they cross.
  func chart(_ input: String) -> Chart {
    var series = curve.heads.map { head -> Chart.Series in
      let (means, deviations) = (head.means, head.deviations)
      let points = curve.sizes.indices.map { place -> Chart.Point in
        let spread = deviations[place].isFinite ? deviations[place] : 0
        return Chart.Point(
          Double(curve.sizes[place]), means[place],
          interval: means[place] - spread...means[place] + spread,
          title: "\(head.name), \(curve.sizes[place]) rows: \(decimal(means[place], 3))")
      }
      return Chart.Series(head.name, points)
    }
    if let crossing = curve.crossing, let height = height(at: crossing.rowCount) {
      let rows = "\(Int(crossing.rowCount.rounded()))"
      series.append(
        .init(
          "crossing", [.init(crossing.rowCount, height, title: "\(rows) rows", label: rows)],
          style: .points))
    }
    return Chart(
      "\((input as NSString).lastPathComponent): which head at how many labels",
      x: .init("rows to train on", scale: .logarithmic), y: .init("accuracy"), series: series)
  }

  /// The accuracy of the first head there, on the line that is drawn.
  private func height(at rowCount: Double) -> Double? {
    let means = curve.heads[0].means
    guard let next = curve.sizes.firstIndex(where: { Double($0) >= rowCount }), next > 0 else {
      return nil
    }
    let (low, high) = (log(Double(curve.sizes[next - 1])), log(Double(curve.sizes[next])))
    let share = (log(rowCount) - low) / (high - low)
    return means[next - 1] + share * (means[next] - means[next - 1])
  }
}
