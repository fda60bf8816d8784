import ArgumentParser
import BasisCore
import BasisDetection
import BasisFormats
import Dispatch
import Foundation

struct Detect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the rows that do not belong.",
    discussion: """
      EXAMPLES
        basis detect test.npy --reference train.npy --labels y.npy --json
        basis detect test.npy --reference train.npy --method knn --set neighborCount=10
        basis detect a1.npy a2.npy --reference r1.npy --reference r2.npy --labels y.npy --save guard
        basis detect a1.npy a2.npy --model guard --against b1.npy --against b2.npy --plot roc.svg

      The reference holds what belongs, and its labels are a class per row. Scores are high for what
      belongs; rows below the threshold do not. X, the reference, the outliers and what is compared
      against are collections, files, or - for standard input: one each, or one a layer of a network,
      all in the same order. With --against X should belong and the other rows should not: how well they
      are told apart is printed. Outliers weigh the layers, for such as they are; test with others, and
      with other rows than the reference.

      METHODS
      \(DetectionCatalogue.entries.map { entry in
        "  \(padded(entry.descriptor.name, to: 21))"
          + "\(entry.descriptor.summary) (\(entry.input))"
      }.joined(separator: "\n"))
      """)

  @Argument(help: ArgumentHelp("A matrix or a collection, one a layer.", valueName: "x"))
  var inputs: [String]

  @Option(help: "How: one of the methods below.")
  var method = "mahalanobis"

  @Option(help: ArgumentHelp("What belongs; again for each layer.", valueName: "x"))
  var reference: [String] = []

  @Option(
    help: ArgumentHelp("What does not, to compare with; again for each layer.", valueName: "x"))
  var against: [String] = []

  @Option(
    help: ArgumentHelp(
      "mahalanobis: what does not, to weigh layers by; again for each layer.", valueName: "x"))
  var outliers: [String] = []

  @Option(
    help: ArgumentHelp(
      "What the threshold accepts of rows that belong (default: 0.95).", valueName: "share"))
  var accept: Double?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the score of each row.", valueName: "file.npy"))
  var outputFile: String?

  @Option(help: ArgumentHelp("Keep the detector, for rows to come.", valueName: "file"))
  var save: String?

  @Option(help: ArgumentHelp("Use a detector that was kept.", valueName: "file"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "Draw the scores; with --against, the share of each kind accepted.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var options: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if inputs.isEmpty { throw ValidationError("X is missing: a matrix, or a collection") }
    if model == nil, reference.isEmpty {
      throw ValidationError("--reference is missing: rows that belong; or give --model")
    }
    if model != nil {
      let fitting = !reference.isEmpty || !outliers.isEmpty || options.labels != nil
      if fitting || accept != nil || save != nil || !options.settings.isEmpty {
        throw ValidationError(
          "--model is fitted already; leave --reference, --labels, --outliers, --accept, --set and "
            + "--save out")
      }
    }
    if !outliers.isEmpty, !Self.weighed.contains(method) {
      throw ValidationError("--outliers weighs the layers of mahalanobis, and not \(method)")
    }
    if let accept, !(accept > 0 && accept < 1) {
      throw ValidationError("--accept lies between 0 and 1, and is \(accept)")
    }
  }

  private static let weighed = ["mahalanobis", "relative-mahalanobis"]

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    for path in [outputFile, save].compactMap({ $0 }) {
      try OutputFile.requireAbsent(path, force: force)
    }
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let (first, keys, _) = try options.keyedRows(inputs[0], in: context)
    let layers = try [first] + matrices(inputs.dropFirst(), in: context)
    let others = try matrices(against[...], in: context)

    let began = DispatchTime.now().uptimeNanoseconds
    let (detector, warnings) = try self.detector(for: layers, in: context)
    let report = try DetectReport(
      detector, layers, others, keys: keys, warnings: detector.warnings + warnings,
      method: model == nil ? method : detector.methodName, in: context)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    line?.clear()
    if let outputFile { try NumPyArray(report.column).write(to: outputFile) }
    if let save { try detector.save(to: save) }
    try report.tell(of: inputs[0], seconds: seconds, picture: picture, output)
    for warning in report.warnings { output.remark(warning) }
  }

  private func matrices(_ names: ArraySlice<String>, in context: RunContext) throws(BasisError)
    -> [Matrix]
  {
    var result: [Matrix] = []
    for name in names { result.append(try options.rows(name, in: context)) }
    return result
  }

  /// The detector, kept or fitted, and what is to be said of the reference.
  private func detector(for layers: [Matrix], in context: RunContext) throws(BasisError) -> (
    any FittedDetector, [String]
  ) {
    if let model { return (try DetectionCatalogue.open(model), []) }
    let entry = try DetectionCatalogue.entry(named: method)
    let parts = try options.parts(reference, in: context)
    let settings = options.json(after: accept.map { ["acceptedShare=\($0)"] } ?? [])
    var warnings: [String] = []
    let repeated = RowContent.repeated(layers, among: parts.matrices)
    if repeated > 0 {
      warnings.append(
        "\(grouped(repeated)) of \(grouped(layers[0].rowCount)) rows are in the reference, too: their "
          + "scores are too good")
    }
    guard !outliers.isEmpty else {
      return (try entry.run(parts, settings: settings, in: context), warnings)
    }
    let own = MahalanobisDetector(isRelative: method != Self.weighed[0])
    let fitted = try own.changed(by: settings, in: method)
      .fit(
        LayeredRows(parts, for: method), outliers: matrices(outliers[...], in: context),
        in: context)
    return (fitted, warnings)
  }
}

extension FittedDetector {
  /// The method that made it.
  var methodName: String {
    switch self {
    case let model as MahalanobisModel:
      model.settings.isRelative ? "relative-mahalanobis" : "mahalanobis"
    case let model as LogitDetectorModel: model.settings.score == .energy ? "energy" : "softmax"
    case is NeighborDetectorModel: "knn"
    default: Self.modelName
    }
  }
}
