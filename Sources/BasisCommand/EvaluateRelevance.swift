import ArgumentParser
import BasisCollections
import BasisCore
import BasisEvaluation
import BasisFormats
import BasisNumerics
import BasisStorage
import Foundation

struct EvaluateRelevance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relevance",
    abstract: "Ask judged queries and score the answers, as trec_eval does.",
    discussion: """
      EXAMPLES
        basis evaluate relevance scifact --mode lexical --run-out bm25.run
        basis evaluate relevance scifact --mode hybrid --compare bm25.run --json

      Reads a folder with documents, queries and judgments in the layout of BEIR, TREC or SMART,
      puts the documents into a collection of its own, which is removed again, and asks every
      judged query. Intervals hold the mean over such queries with 95 % probability, by the
      bootstrap. --compare tests the difference to a run in TREC's form; --run scores such a run
      and searches nothing.
      """)

  @Argument(help: "The folder of the judged collection.")
  var folder: String

  @Option(help: "How to search: \(SearchMode.names) (default: hybrid).")
  var mode: SearchMode?

  @Option(help: "The part of the data to ask (default: test, else the only one).")
  var split: String?

  @Option(name: .short, help: "Hits a query.")
  var k = 100

  @Option(help: "What makes the vectors: corpus (default) or a model of 'basis models list'.")
  var encoder: String?

  @Option(help: "Dimension of a corpus-trained encoder.")
  var dimension: Int?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Score this run instead of searching.", valueName: "file"))
  var runFile: String?

  @Option(help: ArgumentHelp("Write the answers as a run in TREC's form.", valueName: "file"))
  var runOut: String?

  @Option(help: ArgumentHelp("Test the difference to this run.", valueName: "file"))
  var compare: String?

  @Option(help: ArgumentHelp("The queries, where the folder has several files.", valueName: "file"))
  var queries: String?

  @Option(
    help: ArgumentHelp("The judgments, where the folder has several files.", valueName: "file"))
  var judgments: String?

  @Flag(help: "Let --run-out replace a file.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if k < 1 { throw ValidationError("-k must be at least 1, not \(k)") }
    if let dimension, dimension < 1 || dimension > 4096 {
      throw ValidationError("--dimension must be in 1 ... 4096, not \(dimension)")
    }
    if runFile != nil, mode != nil || runOut != nil || encoder != nil || dimension != nil {
      throw ValidationError(
        "--run scores a run that is there; leave out --mode, --encoder, --dimension and --run-out")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    // Whatever can be wrong with the arguments is found before the long part.
    let dataset = try RetrievalDataset(
      folder, options: .init(split: split, queries: queries, judgments: judgments))
    let baseline = try compare.map { path throws(BasisError) in
      try RetrievalRun(readingTREC: path)
    }
    if let runOut { try requireWritable(runOut) }
    for note in dataset.notes { output.remark(note) }

    var summary = RelevanceSummary(folder: folder, split: dataset.split)
    let answers: RetrievalRun
    if let runFile {
      answers = try RetrievalRun(readingTREC: runFile)
      summary.source = runFile
    } else {
      answers = try search(dataset, summary: &summary, in: context)
    }
    line?.clear()
    if let runOut { try answers.writeTREC(to: runOut) }
    try summary.evaluate(answers, dataset, baseline: baseline, named: compare, in: context)
    line?.clear()

    for warning in summary.warnings { output.remark("warning: \(warning)") }
    if output.json {
      try output.print(json: summary.json)
    } else {
      try writeToStandardOutput(summary.text)
      if let rate = summary.queriesPerSecond {
        output.remark(
          "\(decimal(rate, rate < 100 ? 1 : 0)) queries/s on \(context.threadLimit) threads; "
            + "documents read in \(duration(summary.ingestSeconds ?? 0))")
      }
    }
  }

  /// Puts the documents into a collection of their own, asks the queries, removes it.
  private func search(
    _ dataset: RetrievalDataset, summary: inout RelevanceSummary, in context: RunContext
  ) throws(BasisError) -> RetrievalRun {
    let mode = mode ?? .hybrid
    let home = FileManager.default.temporaryDirectory
      .appendingPathComponent("basis-evaluate-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: home) }
    var settings = CollectionSettings(textFields: VectorCollection.datasetTextFields)
    if let encoder { settings.encoder = encoder }
    if let dimension { settings.dimension = dimension }
    let collection = try VectorCollection.create(
      CollectionFolder(name: "documents", in: home), settings: settings)
    let documents = try collection.ingest(dataset, in: context)
    let found = try collection.answer(dataset.queries, mode: mode, k: k, in: context)
    summary.source = mode.rawValue
    summary.mode = mode
    summary.depth = k
    summary.space = try collection.info().spaces.last
    summary.documentCount = documents.documentCount
    summary.ingestSeconds = documents.seconds
    summary.queriesPerSecond =
      found.seconds > 0 ? Double(dataset.queries.count) / found.seconds : nil
    if let first = documents.missing.first {
      summary.warnings.append(
        "judged documents that are in no file: \(grouped(documents.missing.count)), such as "
          + "'\(first)'; they count as not found")
    }
    if k < 100 { summary.warnings.append("recall@100 is over \(k) hits only, as -k says") }
    return found.run
  }

  private func requireWritable(_ path: String) throws(BasisError) {
    if !force, FileManager.default.fileExists(atPath: path) {
      throw BasisError(
        .alreadyExists, "\(path): is there already; give --force to replace it, or another name")
    }
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: parent) else {
      throw BasisError(.notFound, "\(path): its folder does not exist; make it first")
    }
  }
}

/// What is told about a run.
struct RelevanceSummary {
  struct Row {
    var key: String
    var label: String
    var mean: Double
    var interval: Statistics.ConfidenceInterval
    var baseline: Double?
    var difference: PairedDifference?
  }

  var folder: String
  var split: String?
  /// The mode, or the run's file.
  var source = ""
  var mode: SearchMode?
  var depth: Int?
  var space: Space?
  var documentCount: Int?
  var ingestSeconds: Double?
  var queriesPerSecond: Double?
  var warnings: [String] = []
  var queryCount = 0
  var unansweredCount = 0
  var rows: [Row] = []
  var baselineName: String?

  init(folder: String, split: String?) {
    self.folder = folder
    self.split = split
  }

  private static let bootstrap = Statistics.Bootstrap(method: .percentile, resampleCount: 10_000)

  private static let measures: [(key: String, label: String, measure: RelevanceMeasure)] = [
    ("ndcg_at_10", "nDCG@10", .ndcg(10)), ("recall_at_100", "recall@100", .recall(100)),
    ("map", "MAP", .averagePrecision()), ("mrr", "MRR", .reciprocalRank),
  ]

  mutating func evaluate(
    _ run: RetrievalRun, _ dataset: RetrievalDataset, baseline: RetrievalRun?, named name: String?,
    in context: RunContext
  ) throws(BasisError) {
    let evaluation = RelevanceEvaluation(measures: Self.measures.map(\.measure))
    let scores = try evaluation.evaluate(run, judgments: dataset.judgments)
    let others = try baseline.map { baseline throws(BasisError) in
      try evaluation.evaluate(baseline, judgments: dataset.judgments)
    }
    queryCount = scores.queries.count
    unansweredCount = scores.unanswered.count
    baselineName = name
    warn(scores, source)
    if let others, let name { warn(others, name) }
    if scores.withoutRelevantCount > 0 {
      warnings.append(
        "queries without a relevant document: \(scores.withoutRelevantCount), each counts with 0")
    }
    rows = try Self.measures.map { (key, label, measure) throws(BasisError) in
      let values = scores.values(of: measure)
      var row = Row(
        key: key, label: label, mean: scores.mean(of: measure),
        interval: try Self.bootstrap.interval(ofMeanOf: values, in: context))
      if let others {
        row.baseline = others.mean(of: measure)
        row.difference = try PairedComparison().compare(
          values, with: others.values(of: measure), in: context)
      }
      return row
    }
  }

  private mutating func warn(_ scores: RelevanceScores, _ name: String) {
    if scores.unanswered.count == scores.queries.count {
      warnings.append("\(name) answers none of the judged queries")
    } else if !scores.unanswered.isEmpty {
      warnings.append(
        "\(name): judged queries without an answer: \(scores.unanswered.count), each counts with 0")
    }
    if scores.unjudgedCount > 0 {
      warnings.append("\(name): queries that nobody judged: \(scores.unjudgedCount), left out")
    }
  }

  var json: JSONValue {
    func pair(_ interval: Statistics.ConfidenceInterval) -> JSONValue {
      .array([.number(interval.lower), .number(interval.upper)])
    }
    func whole(_ number: Int?) -> JSONValue { number.map { .integer(Int64($0)) } ?? .null }
    func real(_ number: Double?) -> JSONValue { number.map { .number($0) } ?? .null }
    var object: [String: JSONValue] = [
      "queries": whole(queryCount), "unanswered": whole(unansweredCount),
      "documents": whole(documentCount), "split": split.map { .string($0) } ?? .null,
      "mode": mode.map { .string($0.rawValue) } ?? .null, "k": whole(depth),
      "space": space.map { .string($0.id.description) } ?? .null,
      "dimension": whole(space?.dimension), "run": mode == nil ? .string(source) : .null,
      "queries_per_second": real(queriesPerSecond), "ingest_seconds": real(ingestSeconds),
      "warnings": .array(warnings.map { .string($0) }),
    ]
    var compared: [String: JSONValue] = [:]
    for row in rows {
      object[row.key] = .number(row.mean)
      object[row.key + "_interval"] = pair(row.interval)
      guard let difference = row.difference else { continue }
      compared[row.key] = .object([
        "baseline": real(row.baseline), "difference": .number(difference.mean),
        "interval": pair(difference.interval), "effect_size": .number(difference.effectSize),
        "t": .number(difference.t), "p_t": .number(difference.tTestP),
        "p_randomization": .number(difference.randomizationP),
        "p_bootstrap": .number(difference.bootstrapP),
      ])
    }
    if let baselineName {
      compared["run"] = .string(baselineName)
      object["comparison"] = .object(compared)
    }
    return .object(object)
  }

  var text: String {
    let part = split.map { ", \($0)" } ?? ""
    let documents = documentCount.map { ", \(grouped($0)) documents" } ?? ""
    var text = "\(folder)\(part): \(grouped(queryCount)) queries\(documents), \(source)\n"
    for row in rows {
      let label = row.label + String(repeating: " ", count: 12 - row.label.count)
      text += label + decimal(row.mean, 4) + "   \(range(row.interval))"
      if let difference = row.difference {
        let sign = difference.mean < 0 ? "" : "+"
        text += "   \(sign)\(decimal(difference.mean, 4)) (\(range(difference.interval)))"
        text += "  p \(decimal(difference.randomizationP, 4))"
      }
      text += "\n"
    }
    if let baselineName {
      text += "differences to \(baselineName), p by the randomisation test\n"
    }
    return text
  }

  private func range(_ interval: Statistics.ConfidenceInterval) -> String {
    "\(decimal(interval.lower, 4)) … \(decimal(interval.upper, 4))"
  }
}
