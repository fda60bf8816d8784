import ArgumentParser
import BasisClassification
import BasisCore
import BasisFormats
import Dispatch
import Foundation

struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Learn labels from rows, and tell those of further rows.",
    discussion: """
      EXAMPLES
        basis classify fit vectors.npy labels.npy --method logistic -o model
        basis classify apply model new.npy --json
        basis classify curve vectors.npy labels.npy --plot curve.svg

      METHODS
      \(ClassificationCatalogue.entries.map { entry in
        "  \(padded(entry.descriptor.name, to: 15))\(entry.descriptor.summary)"
      }.joined(separator: "\n"))
      """,
    subcommands: [
      ClassifyFit.self, ClassifyApply.self, ClassifyCurve.self, ClassifyWeights.self,
      ClassifyCertify.self,
    ])

  /// The labels of a file.
  static func labels(_ path: String) throws(BasisError) -> [Int] {
    try MatrixSource(path: path).integers()
  }

  static func seconds(since began: UInt64) -> Double {
    Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
  }
}

struct ClassifyFit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Learn labels from rows that have them, and keep what was learnt.",
    discussion: """
      EXAMPLES
        basis classify fit vectors.npy labels.npy -o model
        basis classify fit notes labels.csv --method naive-bayes --holdout 0.2 -o model
        basis classify fit vectors.npy labels.npy --method auto -o model
        basis classify fit more.npy more-labels.npy --after model -o model2
        basis classify fit table.npy prices.npy --regression --method forest -o model

      X is a collection, a file, or - for standard input. With --holdout some rows are kept apart, and
      told how many of them get their label; the model is of the others. The method auto takes naive Bayes
      or logistic regression, whichever finds more labels of rows held out at this number of labels, and
      says why. --after takes further rows into a naive Bayes model. With --regression the second file has a number per row, and the method is tree,
      forest or boosting.
      """)

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Argument(help: "A class per row, or a number with --regression: npy, csv or text.")
  var labels: String

  @Option(
    help:
      "How: one of the methods of 'basis classify --help' (default: logistic; forest for numbers).")
  var method: String?

  @Flag(help: "Learn a number per row instead of a class.")
  var regression = false

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where the model is kept.", valueName: "file"))
  var outputFile: String

  @Option(
    help: ArgumentHelp("Of the rows, to test with: above 0, below 1.", valueName: "share"))
  var holdout: Double?

  @Option(help: ArgumentHelp("Take the rows into this model.", valueName: "file"))
  var after: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var changes: SettingsOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if let holdout, !(holdout > 0 && holdout < 1) {
      throw ValidationError("--holdout is above 0 and below 1, not \(holdout)")
    }
    if regression, holdout != nil || after != nil {
      throw ValidationError("--holdout and --after are for classes; leave out --regression")
    }
    if after != nil, method ?? "naive-bayes" != "naive-bayes" {
      throw ValidationError("--after is for naive-bayes, which takes in further rows")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    try OutputFile.requireAbsent(outputFile, force: force)
    if regression { return try fitNumbers(line, in: context) }
    let method = after == nil ? self.method ?? "logistic" : "naive-bayes"
    let entry = try ClassificationCatalogue.entry(named: method)
    var rows = try data.rows(input, in: context)
    let known = try Classify.labels(labels)
    var input = try LabeledRows(rows, labels: known)
    var test: LabeledRows?
    if let holdout { (input, test) = try Self.split(input, holdout, in: context) }
    rows = input.rows

    let began = DispatchTime.now().uptimeNanoseconds
    let model: any FittedClassifier
    if let after {
      model = try extended(after, input, in: context)
    } else {
      let parts = MethodParts([rows], names: [self.input], labels: input.labels)
      model = try entry.run(parts, settings: changes.json(), in: context)
    }
    let seconds = Classify.seconds(since: began)
    let accuracy = try model.accuracy(on: input, in: context)
    let held = try test.map { rows throws(BasisError) in
      try model.accuracy(on: rows, in: context)
    }
    try model.save(to: outputFile)
    line?.clear()
    let report = ClassifyFitReport(
      model, method: method, rowCount: rows.rowCount, accuracy: accuracy, holdout: held,
      holdoutCount: test?.rows.rowCount ?? 0, seconds: seconds)
    if output.json {
      try output.print(json: report.json)
    } else {
      try writeToStandardOutput(report.text(self.input, outputFile))
    }
    for warning in model.warnings { output.remark(warning) }
  }

  private func fitNumbers(_ line: ProgressLine?, in context: RunContext) throws {
    let method = self.method ?? "forest"
    let entry = try ClassificationCatalogue.regressor(named: method)
    let rows = try data.rows(input, in: context)
    let known = try MatrixSource(path: labels).numbers()
    let targets = try Matrix(rowCount: known.count, columnCount: 1, values: known)
    let began = DispatchTime.now().uptimeNanoseconds
    let model = try entry.run(
      MethodParts([rows, targets], names: [input, labels]), settings: changes.json(),
      in: context)
    let seconds = Classify.seconds(since: began)
    let found = try model.predict(rows, in: context)
    let error =
      zip(found, known).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
      / Double(max(1, known.count))
    try model.save(to: outputFile)
    line?.clear()
    if output.json {
      try output.print(
        json: .object([
          "method": .string(method), "rows": .integer(Int64(rows.rowCount)),
          "columns": .integer(Int64(rows.columnCount)), "squared_error": .number(error),
          "seconds": .number(seconds), "warnings": .array(model.warnings.map { .string($0) }),
        ]))
    } else {
      try writeToStandardOutput(
        "\(input): \(method) of \(grouped(rows.rowCount)) rows   \(decimal(seconds, 2)) s\n"
          + "mean squared error on the same rows \(decimal(error, 4))\nkept in \(outputFile)\n")
    }
    for warning in model.warnings { output.remark(warning) }
  }

  private func extended(_ path: String, _ input: LabeledRows, in context: RunContext)
    throws(BasisError) -> any FittedClassifier
  {
    let earlier = try ModelFile(path: path).model(GaussianNaiveBayesModel.self)
    return try earlier.settings.fit(input, after: earlier, in: context)
  }

  private static func split(_ input: LabeledRows, _ share: Double, in context: RunContext)
    throws(BasisError) -> (LabeledRows, LabeledRows)
  {
    var order = Array(input.labels.indices)
    var generator = context.generator("rows that are held out")
    generator.shuffle(&order)
    let count = Int((share * Double(order.count)).rounded())
    guard count >= 1, count < order.count else {
      throw BasisError(
        .invalidArgument, "--holdout \(share) of \(order.count) rows leaves none on one side")
    }
    func part(_ rows: [Int]) throws(BasisError) -> LabeledRows {
      try LabeledRows(
        input.rows.selecting(rows: rows), labels: rows.map { input.labels[$0] })
    }
    return (try part(order[count...].sorted()), try part(order[..<count].sorted()))
  }
}

struct ClassifyApply: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Tell the labels of rows by a model that was kept.",
    discussion: """
      EXAMPLES
        basis classify apply model new.npy
        basis classify apply model new.npy -o labels.npy --probabilities p.npy
        basis classify apply model test.npy --labels test-labels.npy
      """)

  @Argument(help: "What 'basis classify fit' kept.")
  var model: String

  @Argument(help: "A matrix or a collection.")
  var input: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the label of each row.", valueName: "file.npy"))
  var outputFile: String?

  @Option(help: ArgumentHelp("Write how likely each class is.", valueName: "file.npy"))
  var probabilities: String?

  @Option(
    help: ArgumentHelp("What the labels are: tells how many are found.", valueName: "file"))
  var labels: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    for path in [outputFile, probabilities].compactMap({ $0 }) {
      try OutputFile.requireAbsent(path, force: force)
    }
    let opened = try ModelFile(path: model).model(among: ClassificationCatalogue.models)
    let rows = try data.rows(input, in: context)
    if let regressor = opened as? any FittedRegressor {
      return try tell(regressor.predict(rows, in: context), line)
    }
    guard let classifier = opened as? any FittedClassifier else {
      throw BasisError(.unsupported, "\(model) tells no labels")
    }
    let found = try classifier.predict(rows, in: context)
    let likely = try classifier.probabilities(rows, in: context)
    let known = try labels.map { path throws(BasisError) in
      try LabeledRows(rows, labels: Classify.labels(path)).labels
    }
    line?.clear()
    if let outputFile { try NumPyArray(found).write(to: outputFile) }
    if let probabilities { try NumPyArray(likely).write(to: probabilities) }
    try tell(found, likely, classifier.classes, known)
  }

  private func tell(
    _ found: [Int], _ likely: Matrix, _ classes: [Int], _ known: [Int]?
  ) throws(BasisError) {
    let accuracy = known.map { known in
      Double(zip(found, known).count { $0 == $1 }) / Double(max(1, known.count))
    }
    let confidence = (0..<likely.rowCount).map { row in Double(likely.row(row).max() ?? 0) }
    if output.json {
      var members: [String: JSONValue] = [
        "labels": .array(found.map { .integer(Int64($0)) }),
        "classes": .array(classes.map { .integer(Int64($0)) }),
        "confidence": .array(confidence.map { .number($0) }),
      ]
      if let accuracy { members["accuracy"] = .number(accuracy) }
      return try output.print(json: .object(members))
    }
    if let accuracy {
      output.remark("\(decimal(100 * accuracy, 2)) % of \(grouped(found.count)) labels are found")
    }
    if outputFile == nil {
      try writeToStandardOutput(
        zip(found, confidence).map { "\($0)\t\(decimal($1, 4))\n" }.joined())
    }
  }

  private func tell(_ found: [Double], _ line: ProgressLine?) throws(BasisError) {
    line?.clear()
    if let outputFile {
      try NumPyArray(
        Matrix(rowCount: found.count, columnCount: 1, values: found.map { Float($0) })
      ).write(to: outputFile)
    }
    if output.json {
      try output.print(json: .object(["values": .array(found.map { .number($0) })]))
    } else if outputFile == nil {
      try writeToStandardOutput(found.map { "\($0)\n" }.joined())
    }
  }
}
