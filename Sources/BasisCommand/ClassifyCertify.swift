import ArgumentParser
import BasisClassification
import BasisCore
import BasisFormats
import Foundation

struct ClassifyCertify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certify",
    abstract: "Find a plane between two classes, and say whether no other is much better.",
    discussion: """
      EXAMPLES
        basis classify certify whitened.npy labels.npy
        basis classify certify vectors.npy labels.npy --whiten --noise adversarial -o model --json

      The certificate holds for normal rows: whether these are normal enough is tested beside the plane.
      Where they are not, the plane is refused: nothing is kept, and the program ends with 65. A plane that
      is kept labels further rows by 'basis classify apply'.
      """)

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Argument(help: "A class per row, two in all: npy, csv or text.")
  var labels: String

  @Option(help: "What flips labels: massart (chance) or adversarial.")
  var noise = "massart"

  @Flag(help: "Bring the rows to mean 0 and covariance 1 first.")
  var whiten = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Keep the plane, if it is certified.", valueName: "file"))
  var outputFile: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var changes: SettingsOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    if let outputFile { try OutputFile.requireAbsent(outputFile, force: force) }
    let own = ["noise=\(noise)", "isWhitening=\(whiten)"]
    let tester = try TesterLearner().changed(
      by: changes.json(after: own), in: "tester-learner")
    let rows = try data.rows(input, in: context)
    let verdict = try tester.certify(
      LabeledRows(rows, labels: Classify.labels(labels)), in: context)
    line?.clear()
    let halfspace = CertifiedHalfspace(verdict)
    if let outputFile { try halfspace?.save(to: outputFile) }
    if output.json {
      try output.print(json: Self.json(verdict))
    } else {
      try writeToStandardOutput(Self.text(verdict, input))
    }
    if halfspace == nil {
      writeToStandardError("basis: error: \(input): \(verdict.statement)\n")
      throw ExitCode(65)
    }
  }

  private static func json(_ verdict: HalfspaceVerdict) -> JSONValue {
    .object([
      "accepted": .bool(verdict.isAccepted), "statement": .string(verdict.statement),
      "error": .number(verdict.error), "error_bound": .number(verdict.errorBound),
      "test_rows": .integer(Int64(verdict.testCount)), "whitened": .bool(verdict.isWhitened),
      "checks": .array(
        verdict.checks.map { check in
          .object([
            "name": .string(check.name), "value": .number(check.value),
            "allowed": .array([
              .number(check.allowed.lowerBound), .number(check.allowed.upperBound),
            ]), "passes": .bool(check.passes),
          ])
        }),
    ])
  }

  private static func text(_ verdict: HalfspaceVerdict, _ input: String) -> String {
    var text = verdict.isAccepted ? "\(input): \(verdict.statement)\n" : ""
    text += "error \(decimal(verdict.error, 4)) on \(grouped(verdict.testCount)) rows, below "
    text += "\(decimal(verdict.errorBound, 4)) with 95 % confidence"
    text += "\(verdict.isWhitened ? "; whitened" : "")\n\n"
    for check in verdict.checks {
      text += "\(check.passes ? "  " : "✘ ")\(padded(check.name, to: 32))"
      text += "\(aligned(decimal(check.value, 3), in: 8))   "
      text += "\(decimal(check.allowed.lowerBound, 2)) … \(decimal(check.allowed.upperBound, 2))\n"
    }
    return text
  }
}
