import ArgumentParser
import BasisCore
import BasisEvaluation
import BasisFormats
import BasisText
import Dispatch
import Foundation

struct EvaluatePool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pool",
    abstract: "Keep what many models made of many samples, and rank them on any part of it.",
    discussion: """
      EXAMPLES
        basis evaluate pool add results.jsonl
        basis evaluate pool rank --filter set.eq=scifact
        basis evaluate pool rank --query "negation" -k 200 --aggregate pl --missing-curve

      A result is an object {"sample": "q17", "set": "scifact", "model": "m", "value": 1}, or one for each
      sample with "results": {"m": 1, "n": 0}. Its "metric" is binary, ordinal or numeric; "text",
      "answer", "vector", "answer_vector" and "metadata" are for queries and filters.
      """,
    subcommands: [EvaluatePoolAdd.self, EvaluatePoolRank.self])
}

/// Where a pool is.
struct PoolOptions: ParsableArguments {
  @Option(
    name: .customLong("pool"),
    help: ArgumentHelp(
      "The pool (default: results.pool.jsonl beside the collections).", valueName: "file"))
  var path: String?

  @OptionGroup var data: DataOptions

  var file: String { path ?? data.home + "/results.pool.jsonl" }

  func read() throws(BasisError) -> ResultPool {
    try ResultPool(reading: RecordSource(path: file, format: .jsonl))
  }
}

struct EvaluatePoolAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Add results to the pool; what is there already is no error, unless it differs.",
    discussion: """
      EXAMPLES
        basis evaluate pool add results.jsonl
        basis evaluate pool add a.csv b.jsonl --pool ours.pool.jsonl --json
      """)

  @Argument(help: "Results: jsonl, csv, tsv.")
  var inputs: [String]

  @OptionGroup var pool: PoolOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let file = pool.file
    var whole = ResultPool()
    if FileManager.default.fileExists(atPath: file) { whole = try pool.read() }
    var added = 0
    for path in inputs {
      let new = try ResultPool(reading: RecordSource(path: path))
      do throws(BasisError) { added += try whole.merge(new) } catch { throw error.at(path) }
    }
    let folder = (file as NSString).deletingLastPathComponent
    if !folder.isEmpty {
      try? FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    }
    let target = try OutputFile(file, force: true)
    try whole.forEachLine { line throws(BasisError) in try target.write(line) }
    try target.finish()
    if output.json {
      try output.print(
        json: .object([
          "pool": .string(file), "added": .integer(Int64(added)),
          "samples": .integer(Int64(whole.sampleCount)),
          "models": .integer(Int64(whole.modelCount)), "cells": .integer(Int64(whole.cellCount)),
          "missing": .number(whole.missingShare),
        ]))
    } else {
      try writeToStandardOutput(
        "\(file): \(grouped(added)) new results; \(grouped(whole.sampleCount)) samples, "
          + "\(grouped(whole.modelCount)) models, \(decimal(100 * whole.missingShare, 1)) % missing\n"
      )
    }
  }
}

struct EvaluatePoolRank: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rank",
    abstract: "Rank models on the pool, or on the samples that a query and filters choose.",
    discussion: """
      EXAMPLES
        basis evaluate pool rank
        basis evaluate pool rank --query "negation" --filter set.eq=scifact --aggregate pl
        basis evaluate pool rank --vector question.npy --answer "no negation" -k 500
        basis evaluate pool rank --missing-curve --plot curve.svg --json

      Of several queries the samples are taken that all of them find. Aggregates: pl (Plackett–Luce), mean, set-mean, borda, elo, rasch. Where each model met samples of
      another hardness take pl without ties, or rasch; where gaps are random the mean is as good.
      A filter is field.operation=value with eq, ne, gt, ge, lt, le, contains, length.
      """)

  enum Aggregate: String, ExpressibleByArgument, CaseIterable {
    case pl, mean, setMean = "set-mean", borda, elo, rasch
  }

  @Option(help: ArgumentHelp("Samples whose text is near this.", valueName: "text"))
  var query: String?

  @Option(help: ArgumentHelp("Samples whose answer is near this.", valueName: "text"))
  var answer: String?

  @Option(
    help: ArgumentHelp("Samples whose vector is near this one.", valueName: "file"))
  var vector: String?

  @Option(
    help: ArgumentHelp("Samples whose answer's vector is near this one.", valueName: "file"))
  var answerVector: String?

  @Option(
    name: .customShort("k"), help: ArgumentHelp("Of a query: so many samples.", valueName: "number")
  )
  var count = 200

  @Option(help: ArgumentHelp("Of a query: a similarity of at least this.", valueName: "number"))
  var threshold: Float?

  @Option(help: ArgumentHelp("Samples with this: set.eq=scifact.", valueName: "condition"))
  var filter: [String] = []

  @Option(help: "How models are ranked.")
  var aggregate = Aggregate.pl

  @Option(help: "pl: ties are ignored, half or both.")
  var ties = PlackettLuce.Ties.ignored

  @Option(help: "pl, rasch: how strong the prior is.")
  var lambda = 0.1

  @Option(help: "Of the bootstrap over samples; 0 for none.")
  var resamples = 200

  @Flag(help: "Say how the ranking holds where results are missing.")
  var missingCurve = false

  @Option(help: ArgumentHelp("Draw scores, or the curve.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var pool: PoolOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let filters = try filter.map { text throws(BasisError) in try PoolFilter(parsing: text) }
    var chosen = try pool.read()
    if !filters.isEmpty { chosen = chosen.selecting(samples: chosen.places(filters)) }
    chosen = try found(in: chosen, context)
    guard chosen.sampleCount > 0 else {
      throw BasisError(
        .badData, "\(pool.file): no sample is left by the query and filters; ask for less")
    }
    let began = DispatchTime.now().uptimeNanoseconds
    let report = try ranked(chosen, in: context)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    line?.clear()
    try PoolReport(found: report).tell(of: pool.file, seconds: seconds, picture: picture, output)
    for warning in report.warnings { output.remark(warning) }
  }

  private func ranked(_ chosen: ResultPool, in context: RunContext) throws(BasisError)
    -> RankReport
  {
    func report(_ aggregator: some RankAggregator) throws(BasisError) -> RankReport {
      try PoolRanking(
        aggregator, resampleCount: resamples,
        missingRates: missingCurve ? [0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98] : []
      ).report(chosen, in: context)
    }
    return switch aggregate {
    case .pl: try report(PlackettLuce(ties: ties, lambda: lambda))
    case .mean: try report(MeanScore())
    case .setMean: try report(MeanScore(isBySet: true))
    case .borda: try report(Borda())
    case .elo: try report(Elo())
    case .rasch: try report(Rasch(lambda: lambda))
    }
  }

  /// The samples that every query finds, each asked of the whole pool.
  private func found(in pool: ResultPool, _ run: RunContext) throws(BasisError) -> ResultPool {
    var hits: [[Int]] = []
    for (query, field) in [(query, "text"), (answer, "answer")] {
      guard let query else { continue }
      hits.append(try Self.near(query, field, pool, count, threshold, in: run))
    }
    for (path, side) in [(vector, ResultPool.Side.question), (answerVector, .answer)] {
      guard let path else { continue }
      let asked = try MatrixSource(path: path).vector()
      guard
        pool.samples.contains(where: { !(side == .question ? $0.vector : $0.answerVector).isEmpty })
      else {
        throw BasisError(
          .invalidArgument,
          "no sample has a vector of its \(side.rawValue) to compare \(path) with; add results with "
            + "'\(side == .question ? "vector" : "answer_vector")'")
      }
      do throws(BasisError) {
        hits.append(
          try pool.nearest(to: asked, side: side, count: count, threshold: threshold))
      } catch { throw error.at(path) }
    }
    guard let first = hits.first else { return pool }
    let others = hits.dropFirst().map { Set($0) }
    return pool.selecting(samples: first.filter { hit in others.allSatisfy { $0.contains(hit) } })
  }

  /// The samples whose texts are nearest to a query, in a space learnt from all of their texts.
  private static func near(
    _ query: String, _ field: String, _ pool: ResultPool, _ count: Int, _ threshold: Float?,
    in run: RunContext
  ) throws(BasisError) -> [Int] {
    let texts = pool.samples.map { $0.metadata[field]?.stringValue ?? "" }
    guard texts.contains(where: { !$0.isEmpty }) else {
      throw BasisError(
        .invalidArgument,
        "no sample has a text to compare the query with; add results with '\(field)'")
    }
    let encoder = try CorpusEncoder().fit(texts, in: run)
    let rows = try encoder.encode(texts, as: .document, in: run)
    let asked = try encoder.encode([query], as: .query, in: run)
    var withVectors = ResultPool()
    for (place, sample) in pool.samples.enumerated() {
      var copy = sample
      copy.vector = rows.row(place)
      try withVectors.add(copy)
    }
    return try withVectors.nearest(
      to: asked.row(0), count: count, threshold: threshold ?? Float.leastNormalMagnitude)
  }
}

/// What is told of a ranking.
private struct PoolReport: MethodReport {
  let found: RankReport

  func json(seconds: Double) -> JSONValue {
    func numbers(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }
    return .object([
      "aggregate": .string(found.aggregator), "samples": .integer(Int64(found.sampleCount)),
      "ignored_samples": .integer(Int64(found.ignoredSampleCount)),
      "cells": .integer(Int64(found.cellCount)),
      "components": .integer(Int64(found.componentCount)),
      "identifiable": .bool(found.isIdentifiable),
      "models": .array(
        found.rows.map { row in
          .object([
            "name": .string(row.name), "rank": row.rank.map { .integer(Int64($0)) } ?? .null,
            "score": .number(row.score), "interval": numbers([row.lower, row.upper]),
            "results": .integer(Int64(row.resultCount)),
            "component": .integer(Int64(row.component)), "baselines": numbers(row.baselines),
          ])
        }),
      "baselines": .array(found.baselines.map { .string($0) }),
      "baseline_tau": numbers(found.baselineCorrelations),
      "missing_curve": .array(
        found.curve.map {
          .object([
            "missing": .number($0.missing), "tau": .number($0.correlation),
            "deviation": .number($0.deviation),
          ])
        }),
      "seconds": .number(seconds), "warnings": .array(found.warnings.map { .string($0) }),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    let width = max(6, found.rows.map(\.name.count).max() ?? 0) + 2
    var text =
      "\(input): \(grouped(found.sampleCount)) samples, \(grouped(found.cellCount)) results, "
    text += "\(found.aggregator)   \(decimal(seconds, 2)) s\n\n"
    text += "rank  \(padded("model", to: width))   score          95 %           results"
    text += found.componentCount > 1 ? "  group\n" : "\n"
    for row in found.rows {
      text += aligned(row.rank.map { "\($0)" } ?? "–", in: 4) + "  " + padded(row.name, to: width)
      text += aligned(row.score.isNaN ? "–" : decimal(row.score, 3), in: 8)
      let ends =
        row.lower.isNaN ? "" : "\(decimal(row.lower, 3)) … \(decimal(row.upper, 3))"
      text += aligned(ends, in: 20) + aligned(grouped(row.resultCount), in: 10)
      text += found.componentCount > 1 ? aligned("\(row.component + 1)", in: 7) + "\n" : "\n"
    }
    text += "\norder against others (τ):"
    for (name, tau) in zip(found.baselines, found.baselineCorrelations) {
      text += "  \(name) \(tau.isNaN ? "–" : decimal(tau, 3))"
    }
    text += "\n"
    if !found.curve.isEmpty { text += "\nmissing      τ with all\n" }
    for point in found.curve {
      if point.correlation.isNaN {
        text += aligned(decimal(100 * point.missing, 0), in: 5) + " %           –\n"
        continue
      }
      text += aligned(decimal(100 * point.missing, 0), in: 5) + " %  "
      text += aligned(decimal(point.correlation, 3), in: 10)
      text += " ± \(decimal(point.deviation, 3))\n"
    }
    return text
  }

  func chart(_ input: String) -> Chart {
    let title = "\((input as NSString).lastPathComponent): \(found.aggregator)"
    guard found.curve.isEmpty else {
      return Chart(
        title, x: .init("share of results left out"), y: .init("Kendall's τ with all results"),
        series: [
          .init(
            "mean of draws",
            found.curve.filter { $0.correlation.isFinite && $0.deviation.isFinite }.map { point in
              let (low, high) = (
                point.correlation - point.deviation, point.correlation + point.deviation
              )
              return .init(
                point.missing, point.correlation, interval: low...max(low, min(1, high)),
                title: "\(decimal(point.correlation, 3))")
            })
        ])
    }
    let shown = found.rows.filter { !$0.score.isNaN }
    return Chart(
      title, x: .init("", names: shown.map(\.name)), y: .init("score"),
      series: [
        .init(
          "score",
          shown.enumerated().map { place, row in
            .init(
              Double(place), row.score,
              interval: row.lower <= row.upper ? row.lower...row.upper : nil,
              title: "\(row.name): \(decimal(row.score, 3))")
          }, style: .points)
      ])
  }
}

extension PlackettLuce.Ties: ExpressibleByArgument {}
