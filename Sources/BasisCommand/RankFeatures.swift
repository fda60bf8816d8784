import ArgumentParser
import BasisCore
import BasisFeatures
import BasisFormats
import Dispatch
import Foundation

struct RankFeatures: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rank-features",
    abstract: "Rank the columns of a table by what they tell about one of them.",
    discussion: """
      EXAMPLES
        basis rank-features clicks.csv --target click
        basis rank-features clicks.csv.gz --target click --order 2 --plot bars.svg
        basis rank-features clicks.jsonl --target click --3mr
        basis rank-features clicks.csv --target click --noise-columns 5
        basis rank-features clicks.vw --target label --batch 16384 --every 10 --heuristic mi-shift

      TABLE is CSV, TSV, JSON lines or Vowpal Wabbit's lines, or - for standard input; also a matrix,
      with --labels. Values are names: numbers of many values are to be cut into ranges first. The score is
      1 for the best column and 0 for the worst; z says by how many standard deviations a column tells
      more than chance, and below 3 it tells nothing that can be relied on. --order 2 ranks pairs of
      columns too. --noise-columns ranks columns of random values with the others: what is not above the
      best of them can be cut. --batch reads and ranks so many rows at a time, and takes medians: memory is that of
      one batch.

      METHODS
      \(FeatureCatalogue.entries.map { entry in
        "  \(padded(entry.descriptor.name, to: 10))\(entry.descriptor.summary)"
      }.joined(separator: "\n"))

      HEURISTICS
        \(ColumnScore.names.joined(separator: ", "))
      """)

  @Argument(help: ArgumentHelp("A table, or a matrix.", valueName: "table"))
  var input: String

  @Option(help: ArgumentHelp("The column that the others are to tell about.", valueName: "column"))
  var target: String?

  @Option(help: "How: one of the methods below.")
  var method: String?

  @Flag(name: .customLong("3mr"), help: "The same as --method 3mr.")
  var isThreeMR = false

  @Option(help: ArgumentHelp("What columns have in common, below.", valueName: "heuristic"))
  var heuristic: String?

  @Option(help: ArgumentHelp("outrank: columns taken together, up to 4.", valueName: "number"))
  var order: Int?

  @Option(
    help: ArgumentHelp("outrank: rows that are read and ranked at a time.", valueName: "rows"))
  var batch: Int?

  @Option(help: ArgumentHelp("outrank: random columns to compare with.", valueName: "number"))
  var noiseColumns: Int?

  @Option(help: ArgumentHelp("outrank: of a batch's rows, drawn at random.", valueName: "share"))
  var subsample: Double?

  @Option(help: ArgumentHelp("Keep every so manieth row only.", valueName: "number"))
  var every = 1

  @Option(help: ArgumentHelp("csv, tsv, jsonl or vw. Guessed if not given.", valueName: "format"))
  var format: SourceFormat?

  @Option(help: ArgumentHelp("Lines to show; JSON has all.", valueName: "number"))
  var top = 30

  @Option(help: ArgumentHelp("Values in fewer rows are rare.", valueName: "rows"))
  var rare = 10

  @Option(help: ArgumentHelp("Draw the best columns as bars.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var options: MethodOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  private var methodName: String { isThreeMR ? "3mr" : method ?? "outrank" }

  func validate() throws {
    if let heuristic, ColumnScore(rawValue: heuristic) == nil {
      throw ValidationError(
        "--heuristic is one of \(ColumnScore.names.joined(separator: ", ")), not '\(heuristic)'")
    }
    if isThreeMR, let method, method != "3mr" {
      throw ValidationError("--3mr is a method of its own; leave --method \(method) out")
    }
    if target == nil, options.labels == nil {
      throw ValidationError("--target names the column that the others are to tell about")
    }
    if target != nil, options.labels != nil {
      throw ValidationError("--labels goes with a matrix, --target with a table; give one of them")
    }
    if let batch, batch < 2 { throw ValidationError("--batch must be at least 2, not \(batch)") }
    if every < 1 { throw ValidationError("--every must be at least 1, not \(every)") }
    if rare < 1 { throw ValidationError("--rare must be at least 1, not \(rare)") }
    if top < 0 { throw ValidationError("--top must be at least 0, not \(top)") }
    if methodName == "3mr" {
      if order != nil { throw ValidationError("--order is for outrank; 3mr sees pairs anyhow") }
      if noiseColumns != nil || subsample != nil {
        throw ValidationError("--noise-columns and --subsample are for outrank")
      }
      if batch != nil {
        throw ValidationError("--batch is for outrank; 3mr takes all rows at once")
      }
    }
    if options.labels != nil, batch != nil || every != 1 || format != nil {
      throw ValidationError("--batch, --every and --format are for tables, not for a matrix")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let ranker = try FeatureCatalogue.ranker(named: methodName, settings: settings)
    var job = RankJob(rareThreshold: rare)
    let ranking: FeatureRanking
    if let target {
      let source = try RecordSource(path: input, format: format)
      ranking = try job.rank(
        CategoricalReader(source, sampling: .init(every: every), in: context), target, ranker,
        batch: batch, in: context)
    } else {
      let parts = try options.parts([input], in: context)
      ranking = try job.rank(LabeledColumns(parts, for: methodName), ranker, in: context)
    }
    let report = RankFeaturesReport(
      ranking, job, method: methodName, target: target ?? "label", limit: top,
      heuristic: (ranker as? OutRank)?.heuristic ?? (ranker as? ThreeMR)?.heuristic)
    line?.clear()
    try report.tell(of: input, seconds: job.seconds, picture: picture, output)
    for warning in report.warnings { output.remark(warning) }
  }

  private var settings: String {
    var own: [String] = []
    if let heuristic { own.append("heuristic=\(heuristic)") }
    if let order { own.append("order=\(order)") }
    if let noiseColumns { own.append("noiseColumnCount=\(noiseColumns)") }
    if let subsample { own.append("subsample=\(subsample)") }
    return options.json(after: own)
  }
}

/// A ranking in the making: what is read, and how long it takes.
struct RankJob {
  private(set) var quality: DataQualityReport
  /// Of ranking alone.
  private(set) var seconds = 0.0
  private(set) var readSeconds = 0.0

  init(rareThreshold: Int) { quality = DataQualityReport(rareThreshold: rareThreshold) }

  mutating func rank(
    _ reader: consuming CategoricalReader, _ target: String, _ ranker: any FeatureRanker,
    batch: Int?, in run: RunContext
  ) throws(BasisError) -> FeatureRanking {
    guard let batch, let ranker = ranker as? OutRank else {
      let began = DispatchTime.now().uptimeNanoseconds
      let table = try reader.all()
      quality.add(table)
      let columns = try table.separating(target)
      readSeconds = Self.since(began)
      return try rank(columns, ranker, in: run)
    }
    let began = DispatchTime.now().uptimeNanoseconds
    var (reading, report) = (0.0, quality)
    let ranking = try ranker.rank(
      { () throws(BasisError) -> LabeledColumns? in
        let start = DispatchTime.now().uptimeNanoseconds
        guard let table = try reader.next(batch) else { return nil }
        report.add(table)
        let columns = try table.separating(target)
        reading += Self.since(start)
        return columns
      }, in: run)
    (quality, readSeconds) = (report, reading)
    seconds = Self.since(began) - reading
    return ranking
  }

  mutating func rank(_ columns: LabeledColumns, _ ranker: any FeatureRanker, in run: RunContext)
    throws(BasisError) -> FeatureRanking
  {
    if quality.rowCount == 0 {
      quality.add(try CategoricalTable(columns.features + [columns.target]))
    }
    let began = DispatchTime.now().uptimeNanoseconds
    let ranking = try ranker.rank(columns, in: run)
    seconds = Self.since(began)
    return ranking
  }

  private static func since(_ start: UInt64) -> Double {
    Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
  }
}
