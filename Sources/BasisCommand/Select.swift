import ArgumentParser
import BasisCore
import BasisFormats
import BasisSelection
import Dispatch
import Foundation

struct Select: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Choose which rows to keep, or make rows of classes that have few.",
    discussion: """
      EXAMPLES
        basis select vectors.npy --labels y.npy --method coverage --fraction 0.3 -o kept.npy
        basis select vectors.npy --scores aum.npy --fraction 0.1 --hard-cut 0.3 --rows few.npy
        basis select vectors.npy --labels y.npy --log epochs.npy --score el2n --fraction 0.1
        basis select table.npy --labels y.npy --method smote --k 5 --ratio auto --under 100 \\
          --rows more.npy --row-labels more-y.npy
        basis select table.npy --labels y.npy --method under --plot classes.svg
        basis select texts.jsonl --method zipfit --target task.jsonl --text body --fraction 0.1 \\
          --rows best.jsonl
        basis select pool.npy --method tarot --target task.npy --budget 0.2 -o kept.npy
        basis select --method simcore --candidates pool.npy --target x.npy --out kept.npy \\
          --trace rounds.csv

      X is a collection, a file, or - for standard input; --candidates says the same. Texts come from all that ingest reads. -o
      writes the numbers of the rows that are kept, --rows these rows themselves and after them those
      that were made, or the records of texts as JSON lines, --row-labels their labels. A log has the
      probabilities of epochs × rows × classes. --trace writes what each round took, and its mean similarity. What is tested on is not to be resampled: split first.

      METHODS
      \(SelectionCatalogue.entries.map { entry in
        "  \(padded(entry.descriptor.name, to: 10))"
          + "\(entry.descriptor.summary) (\(entry.input))"
      }.joined(separator: "\n"))
      """)

  @Argument(help: "A matrix, a collection or texts; with --scores it may be left out.")
  var candidate: String?

  @Option(help: ArgumentHelp("The same as X: what is chosen from.", valueName: "file"))
  var candidates: String?

  var input: String? { candidate ?? candidates }

  @Option(help: "How: one of the methods below.")
  var method = "coverage"

  @Option(
    name: [.customLong("fraction"), .customLong("budget")],
    help: ArgumentHelp("What to keep of all rows, up to 1.", valueName: "share"))
  var fraction: Double?

  @Option(
    help: ArgumentHelp("What the rows kept are to be like: rows or texts.", valueName: "file"))
  var target: String?

  @Option(help: ArgumentHelp("Which fields hold the text.", valueName: "fields"))
  var text = "text"

  @Option(help: ArgumentHelp("coverage: how hard each row is, low for hard.", valueName: "file"))
  var scores: String?

  @Option(
    help: ArgumentHelp("coverage: what a classifier thought in training.", valueName: "file.npy"))
  var log: String?

  @Option(
    help: ArgumentHelp(
      "coverage: \(ImportanceScore.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "score"))
  var score: String?

  @Option(help: ArgumentHelp("coverage: the share of the hardest, left out.", valueName: "share"))
  var hardCut: Double?

  @Flag(help: "coverage: keep fewer where the cut leaves fewer.")
  var allowFewer = false

  @Option(
    name: [.customShort("k"), .customLong("k")],
    help: ArgumentHelp("smote: neighbours of a row.", valueName: "number"))
  var neighborCount: Int?

  @Option(
    help: ArgumentHelp(
      "smote: auto, per cent of new rows, or counts as {\"1\": 300}.", valueName: "ratio"))
  var ratio: String?

  @Option(
    help: ArgumentHelp(
      "smote, under: the smallest class as per cent of larger ones.", valueName: "percent"))
  var under: Double?

  @Option(
    help: ArgumentHelp("smote: columns whose values are names, as 3,4.", valueName: "columns"))
  var nominal: String?

  @Option(
    name: [.short, .long, .customLong("out")],
    help: ArgumentHelp("Write the numbers of the rows kept.", valueName: "file.npy"))
  var outputFile: String?

  @Option(help: ArgumentHelp("simcore: write what each round took.", valueName: "file.csv"))
  var trace: String?

  @Option(help: ArgumentHelp("Write the rows kept, and those made.", valueName: "file.npy"))
  var rows: String?

  @Option(help: ArgumentHelp("Write the labels of these rows.", valueName: "file.npy"))
  var rowLabels: String?

  @Option(help: ArgumentHelp("Draw what became of each group.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var options: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if let score, ImportanceScore(rawValue: score) == nil {
      throw ValidationError(
        "--score is one of \(ImportanceScore.allCases.map(\.rawValue).joined(separator: ", ")), "
          + "not '\(score)'")
    }
    if scores != nil, log != nil {
      throw ValidationError("--scores and --log say the same; give one of them")
    }
    if scores != nil || log != nil, method != "coverage" {
      throw ValidationError("--scores and --log are for coverage, not for \(method)")
    }
    if candidate != nil, candidates != nil {
      throw ValidationError("X and --candidates say the same; give one of them")
    }
    if trace != nil, method != "simcore" {
      throw ValidationError("--trace is for simcore, not for \(method)")
    }
    if input == nil, scores == nil {
      throw ValidationError("X is missing: a matrix, or a collection; or give --scores")
    }
    if input == "-", target == "-" {
      throw ValidationError("X and --target cannot both be standard input")
    }
    if input == nil, rows != nil {
      throw ValidationError("--rows writes rows of X; say which it is")
    }
    if scores != nil, score != nil {
      throw ValidationError("--score is of a log or of rows; --scores has them already")
    }
    if let nominal, nominal.split(separator: ",").contains(where: { Int($0) == nil }) {
      throw ValidationError("--nominal takes columns as 3,4, not '\(nominal)'")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let entry = try SelectionCatalogue.entry(named: method)
    for path in [outputFile, rows, rowLabels, trace].compactMap({ $0 }) {
      try OutputFile.requireAbsent(path, force: force)
    }
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let given = try scores.map { path throws(BasisError) in try SelectScores.column(path) }
    let isOfTexts = entry.input == TextPools.description
    let records = try (isOfTexts ? input : nil).map { path throws(BasisError) in
      try SelectTexts(path, fields: fields)
    }
    var parts =
      try records.map { records throws(BasisError) in try self.parts(of: records) }
      ?? options.parts([input, target].compactMap { $0 }, in: context)
    if input == nil, let given { parts.matrices = [try Self.column(given)] }
    let name = input ?? scores ?? ""

    let began = DispatchTime.now().uptimeNanoseconds
    let found = try select(entry, parts, given, in: context)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    let report = try SelectReport(found, parts, method: method, in: context)
    line?.clear()
    try write(found, parts, records)
    try report.tell(of: name, seconds: seconds, picture: picture, output)
    for warning in found.warnings { output.remark(warning) }
  }

  private var fields: [String] { text.split(separator: ",").map(String.init) }

  private func parts(of records: SelectTexts) throws(BasisError) -> MethodParts {
    guard let target else {
      throw BasisError(
        .invalidArgument, "'\(method)' keeps texts that are like others; give those by --target")
    }
    return MethodParts(texts: [records.texts, try SelectTexts(target, fields: fields).texts])
  }

  private func select(
    _ entry: MethodEntry<Selection>, _ parts: MethodParts, _ given: [Double]?,
    in context: RunContext
  ) throws(BasisError) -> Selection {
    let settings = SelectSettings(self).json
    if let trace {
      let simCore = try SimCore().changed(by: settings, in: method)
      let input = try PoolAndTarget(parts, for: method)
      let found = try simCore.trace(input, in: context)
      try Self.write(found, input, to: trace, force: force)
      return simCore.selection(found, of: input)
    }
    guard let rows = parts.matrices.first, scores != nil || log != nil else {
      return try entry.run(parts, settings: settings, in: context)
    }
    let coverage = try CoverageCentricSelector().changed(by: settings, in: method)
    let importance: ImportanceInput
    if let given {
      importance = .scores(given, hardness: .scores)
    } else {
      let dynamics = try SelectScores.dynamics(log ?? "", labels: parts.labels)
      importance = try ImportanceInput(dynamics, coverage.score)
    }
    guard case .scores(let values, _) = importance, values.count == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "\(scores ?? log ?? "") is of other rows than the \(rows.rowCount) of \(input ?? "X")")
    }
    return try coverage.select(importance, in: context)
  }

  /// A line a row that was taken: the round, its mean similarity, the row of X, the direction that took it,
  /// and how similar it is. The round that ended the choice took none.
  private static func write(
    _ trace: SimCore.Trace, _ input: PoolAndTarget, to path: String, force: Bool
  ) throws(BasisError) {
    let file = try OutputFile(path, force: force)
    try file.write("round,value,row,center,similarity\n")
    for (pick, row) in zip(trace.picks, input.given(trace.picks.map(\.row))) {
      try file.write(
        "\(pick.round),\(trace.values[pick.round - 1]),\(row),\(pick.center),\(pick.similarity)\n")
    }
    for (place, value) in trace.values.enumerated().dropFirst(trace.picks.last?.round ?? 0) {
      try file.write("\(place + 1),\(value),,,\n")
    }
    try file.finish()
  }

  private static func column(_ values: [Double]) throws(BasisError) -> Matrix {
    try Matrix(rowCount: values.count, columnCount: 1, values: values.map { Float($0) })
  }

  private func write(_ found: Selection, _ parts: MethodParts, _ records: SelectTexts?)
    throws(BasisError)
  {
    if let outputFile { try NumPyArray(found.indices).write(to: outputFile) }
    if let rows, let records {
      let file = try OutputFile(rows, force: force)
      for row in found.indices { try file.write(records.lines[row] + "\n") }
      try file.finish()
    } else if let rows {
      try NumPyArray(found.applied(to: parts.matrices[0])).write(to: rows)
    }
    if let rowLabels {
      guard let labels = parts.labels else {
        throw BasisError(.invalidArgument, "--row-labels writes labels; give --labels")
      }
      try NumPyArray(found.applied(to: labels)).write(to: rowLabels)
    }
    if found.synthetic?.labels.isEmpty == false, rows == nil {
      output.remark("the rows that were made are in no file; say --rows FILE.npy")
    }
  }
}

/// The settings of a method from what the command line says.
struct SelectSettings {
  let json: String

  init(_ command: Select) {
    var own: [String] = []
    func add(_ name: String, _ value: String?) {
      if let value { own.append("\(name)=\(value)") }
    }
    add("fraction", command.fraction.map { "\($0)" })
    add("hardCut", command.hardCut.map { "\($0)" })
    add("score", command.score)
    if command.allowFewer { own.append("allowFewer=true") }
    add("neighborCount", command.neighborCount.map { "\($0)" })
    add("ratio", command.ratio)
    add(command.method == "under" ? "percent" : "under", command.under.map { "\($0)" })
    add("nominalColumns", command.nominal.map { "[\($0)]" })
    json = command.options.json(after: own)
  }
}

/// Scores and training logs in files.
enum SelectScores {
  /// One column or one row.
  static func column(_ path: String) throws(BasisError) -> [Double] {
    let source = try MatrixSource(path: path)
    if let values = try? source.vector() { return values.map { Double($0) } }
    let matrix = try source.matrix()
    guard matrix.columnCount == 1 else {
      throw BasisError(
        .badData,
        "\(path): a score a row is wanted, the file has \(matrix.rowCount) × \(matrix.columnCount)")
    }
    return matrix.withUnsafeFloats { $0.map { Double($0) } }
  }

  static func dynamics(_ path: String, labels: [Int]?) throws(BasisError) -> TrainingDynamics {
    guard let labels else {
      throw BasisError(.invalidArgument, "--log is read with labels; give --labels")
    }
    let array = try NumPyArray(contentsOf: path)
    guard array.shape.count == 3, array.shape[1] == labels.count else {
      throw BasisError(
        .dimensionMismatch,
        "\(path): a log has epochs × \(labels.count) rows × classes; its shape is \(array.shape)")
    }
    var result = try TrainingDynamics(labels: labels, classCount: array.shape[2])
    let values = try array.values()
    let width = array.shape[1] * array.shape[2]
    for epoch in 0..<array.shape[0] {
      let own = Array(values[epoch * width..<(epoch + 1) * width])
      do throws(BasisError) {
        try result.record(
          Matrix(rowCount: array.shape[1], columnCount: array.shape[2], values: own))
      } catch { throw error.at(path) }
    }
    return result
  }
}
