import ArgumentParser
import BasisClassification
import BasisCore
import BasisEvaluation
import BasisFormats
import BasisLab
import Dispatch
import Foundation

/// The classifiers that `evaluate estimate` and `evaluate nested` know: those that everything is measured
/// beside, and all that `basis classify` has.
enum LearnerTable {
  typealias Maker = @Sendable (LabeledRows) -> Learner

  static let makers: [(name: String, make: Maker)] =
    ReferenceLearner.allCases.map { one in (one.rawValue, { one.learner($0) }) }
    + ClassificationCatalogue.entries.map { entry in
      (entry.descriptor.name, { Learner(entry, $0) })
    }

  static var names: String { makers.map(\.name).joined(separator: ", ") }

  static func learner(_ name: String, _ input: LabeledRows) throws(BasisError) -> Learner {
    guard let found = makers.first(where: { $0.name == name }) else {
      throw BasisError(
        .invalidArgument, "there is no classifier '\(name)'; there are \(names)")
    }
    return found.make(input)
  }
}

struct EvaluateEstimate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimate",
    abstract: "Say how often a classifier will err on new rows.",
    discussion: """
      EXAMPLES
        basis evaluate estimate vectors.npy --labels y.npy
        basis evaluate estimate vectors.npy --labels y.npy --method 632plus --learner neighbor
        basis evaluate estimate vectors.npy --labels y.npy --learner logistic
        basis evaluate estimate notes --labels y.npy --method cv --set foldCount=5 --set repeats=4

      X is a collection, a file, or - for standard input.

      METHODS
      \(EvaluationCatalogue.entries.map { entry in
        "  \(padded(entry.descriptor.name, to: 10))\(entry.descriptor.summary)"
      }.joined(separator: "\n"))
      """)

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Option(help: "How: one of the methods below.")
  var method = "cv"

  @Option(help: ArgumentHelp("What learns: \(LearnerTable.names).", valueName: "classifier"))
  var learner = ReferenceLearner.centroid.rawValue

  @Option(help: ArgumentHelp("Draw the error of each split.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var options: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let entry = try EvaluationCatalogue.entry(named: method)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let rows = try LabeledRows(options.parts([input], in: context), for: method)
    let learner = try LearnerTable.learner(learner, rows)
    let kind = ErrorEstimate.Method(rawValue: entry.descriptor.name) ?? .crossValidation
    var settings = try ErrorEstimate(kind).changed(by: options.json(), in: method)
    settings.method = kind

    let began = DispatchTime.now().uptimeNanoseconds
    let plan = try settings.plan(labels: rows.labels, in: context)
    let twins = try plan.sharedDuplicateCount(of: rows.rows)
    let found = try settings.estimate(learner, labels: rows.labels, plan: plan, in: context)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    var advisor = Advisor(.estimate, rowCount: rows.labels.count)
    advisor.rarestClass = Dictionary(grouping: rows.labels) { $0 }.values.map(\.count).min()
    line?.clear()
    try EstimateReport(
      found: found, method: method, learner: learner.name, rowCount: rows.labels.count,
      advice: try advisor.advice()
    ).tell(of: input, seconds: seconds, picture: picture, output)
    for warning in found.warnings { output.remark(warning) }
    if twins > 0 {
      output.remark(
        "\(grouped(twins)) rows that are asked about have an equal that is learnt from: the error is "
          + "too small; remove duplicates, or give them one group")
    }
  }
}

/// What is told of an error.
private struct EstimateReport: MethodReport {
  let found: ErrorEstimate.Estimate
  let method: String
  let learner: String
  let rowCount: Int
  let advice: Advisor.Advice

  private var parts: [(name: String, value: Double?)] {
    [
      ("training_error", found.trainingError), ("left_out_error", found.leftOutError),
      ("no_information_error", found.noInformationError), ("overfitting", found.overfitting),
      ("weight", found.weight),
    ]
  }

  func json(seconds: Double) -> JSONValue {
    var members: [String: JSONValue] = [
      "method": .string(method), "learner": .string(learner), "rows": .integer(Int64(rowCount)),
      "error": .number(found.error), "accuracy": .number(1 - found.error),
      "interval": .array([.number(found.lower), .number(found.upper)]),
      "splits": .array(found.splits.map { .number($0) }), "seconds": .number(seconds),
      "warnings": .array(found.warnings.map { .string($0) }),
      "advice": .object([
        "method": .string(advice.method), "reason": .string(advice.reason),
        "warnings": .array(advice.warnings.map { .string($0) }),
      ]),
    ]
    for part in parts { members[part.name] = part.value.map { .number($0) } ?? .null }
    return .object(members)
  }

  func text(_ input: String, seconds: Double) -> String {
    var text = "\(input): \(learner) on \(grouped(rowCount)) rows by \(method)   "
    text += "\(decimal(seconds, 2)) s\n"
    text += "error \(decimal(found.error, 4))   \(decimal(found.lower, 4)) … "
    text += "\(decimal(found.upper, 4))   accuracy \(decimal(1 - found.error, 4))\n"
    for part in parts {
      guard let value = part.value else { continue }
      let name = part.name.replacing("_", with: " ")
      text += "  \(padded(name, to: 22))\(decimal(value, 4))\n"
    }
    text += "\nfor so many rows: \(advice.method) (\(advice.reason))\n"
    for warning in advice.warnings { text += "  \(warning)\n" }
    return text
  }

  func chart(_ input: String) -> Chart {
    Chart(
      "\((input as NSString).lastPathComponent): \(learner), \(method)",
      x: .init("split"), y: .init("error"),
      series: [
        .init(
          "a split",
          found.splits.enumerated().map { place, error in
            .init(Double(place + 1), error, title: "split \(place + 1): \(decimal(error, 4))")
          }, style: .points)
      ],
      references: [("the estimate", found.error)])
  }
}
