import ArgumentParser
import BasisCore
import BasisEvaluation
import BasisFormats
import Dispatch
import Foundation

struct EvaluateNested: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nested",
    abstract: "Choose among classifiers, and say what the choice is worth on new rows.",
    discussion: """
      EXAMPLES
        basis evaluate nested vectors.npy --labels y.npy
        basis evaluate nested vectors.npy --labels y.npy --learners centroid,logistic,forest --set outerFolds=10
        basis evaluate nested vectors.npy --labels y.npy --set isWithinOneStandardError=true

      X is a collection, a file, or - for standard input. The accuracy is the mean over outer folds, which
      had no part in the choice. Name the simplest classifier first.
      """)

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Option(
    help: ArgumentHelp("Which, separated by commas: \(LearnerTable.names).", valueName: "names"))
  var learners = "centroid,neighbor,neighbors5,softmax"

  @Option(help: ArgumentHelp("Draw outer and inner accuracies.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var options: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let rows = try LabeledRows(options.parts([input], in: context), for: "nested")
    let settings = try NestedSelection().changed(by: options.json(), in: "nested")
    let candidates = try learners.split(separator: ",").map { name throws(BasisError) in
      try LearnerTable.learner(name.trimmingCharacters(in: .whitespaces), rows)
    }
    let began = DispatchTime.now().uptimeNanoseconds
    let found = try settings.select(candidates, labels: rows.labels, in: context)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    line?.clear()
    try NestedReport(found: found, rowCount: rows.labels.count)
      .tell(of: input, seconds: seconds, picture: picture, output)
    for warning in found.warnings { output.remark(warning) }
  }
}

/// What is told of a choice.
private struct NestedReport: MethodReport {
  let found: NestedSelection.Outcome
  let rowCount: Int

  func json(seconds: Double) -> JSONValue {
    .object([
      "rows": .integer(Int64(rowCount)), "accuracy": .number(found.accuracy),
      "standard_error": .number(found.standardError),
      "choice": .string(found.candidates[found.choice]),
      "candidates": .array(found.candidates.map { .string($0) }),
      "outer": .array(
        found.outer.map { fold in
          .object([
            "choice": .string(found.candidates[fold.choice]), "accuracy": .number(fold.accuracy),
            "inner": .array(fold.innerAccuracies.map { .number($0) }),
            "rows": .integer(Int64(fold.testCount)),
          ])
        }),
      "seconds": .number(seconds), "warnings": .array(found.warnings.map { .string($0) }),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    var text = "\(input): \(grouped(rowCount)) rows, \(found.candidates.count) classifiers   "
    text += "\(decimal(seconds, 2)) s\n"
    text += "accuracy \(decimal(found.accuracy, 4)) ± \(decimal(found.standardError, 4)) over "
    text += "\(found.outer.count) outer folds; take \(found.candidates[found.choice])\n\n"
    text += "fold  rows  accuracy  chosen      "
    text += found.candidates.map { aligned($0, in: 12) }.joined() + "\n"
    for (number, fold) in found.outer.enumerated() {
      text += aligned("\(number + 1)", in: 4) + aligned("\(fold.testCount)", in: 6)
      text += aligned(decimal(fold.accuracy, 4), in: 10) + "  "
      text += padded(found.candidates[fold.choice], to: 12)
      text += fold.innerAccuracies.map { aligned(decimal($0, 4), in: 12) }.joined() + "\n"
    }
    return text
  }

  func chart(_ input: String) -> Chart {
    var series: [Chart.Series] = [
      .init(
        "outer, of the choice",
        found.outer.enumerated().map { number, fold in
          .init(
            Double(number + 1), fold.accuracy,
            title: "fold \(number + 1): \(found.candidates[fold.choice])")
        })
    ]
    for (place, name) in found.candidates.enumerated() {
      series.append(
        .init(
          "inner, \(name)",
          found.outer.enumerated().map { .init(Double($0 + 1), $1.innerAccuracies[place]) },
          style: .points))
    }
    return Chart(
      (input as NSString).lastPathComponent, x: .init("outer fold"), y: .init("accuracy"),
      series: series, references: [("mean of outer folds", found.accuracy)])
  }
}
