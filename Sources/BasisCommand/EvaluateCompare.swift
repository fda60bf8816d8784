import ArgumentParser
import BasisCore
import BasisEvaluation
import BasisFormats
import Foundation

struct EvaluateCompare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Say whether models differ, from what they answered.",
    discussion: """
      EXAMPLES
        basis evaluate compare --truth y.csv --pred a.csv b.csv
        basis evaluate compare --truth y.npy --pred a.npy b.npy c.npy --adjust bh --plot accuracy.svg
        basis evaluate compare --scores accuracies.csv --plot ranks.svg

      Answers of models to the same rows: a class a row, by number or by name. Tables with a column 'id'
      are matched by it. Two models are compared by McNemar's test, more by Cochran's Q and then pair by
      pair. --scores is a table with a row for each data set and a named column for each model, higher
      is better: Friedman's test, and Nemenyi's critical difference.
      """)

  @Option(help: ArgumentHelp("The class of each row: npy, csv, tsv, jsonl.", valueName: "file"))
  var truth: String?

  @Option(
    name: .customLong("pred"), parsing: .upToNextOption,
    help: ArgumentHelp("What each model says of the rows.", valueName: "file"))
  var predictions: [String] = []

  @Option(
    help: ArgumentHelp("A row a data set, a column a model: csv, tsv, jsonl.", valueName: "file"))
  var scores: String?

  @Option(
    help: ArgumentHelp(
      "Of accuracies: \(AccuracyInterval.Method.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "interval"))
  var interval = AccuracyInterval.Method.wilson

  @Option(
    help: ArgumentHelp(
      "Of two models: "
        + "\(PairedTest.McNemarForm.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "form"))
  var mcnemar = PairedTest.McNemarForm.automatic

  @Option(
    help: ArgumentHelp(
      "Of pairs: "
        + "\(MultipleComparison.Adjustment.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "adjustment"))
  var adjust = MultipleComparison.Adjustment.holm

  @Option(help: "Differences with a smaller p are told as such.")
  var significance = 0.05

  @Option(help: ArgumentHelp("Draw accuracies, or mean ranks.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite the picture if it is there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    guard (scores == nil) == (truth != nil && !predictions.isEmpty) else {
      throw ValidationError("give --truth and --pred, or --scores")
    }
    guard significance > 0, significance < 1 else {
      throw ValidationError("--significance is between 0 and 1, not \(significance)")
    }
  }

  func run() throws {
    let context = work.context()
    let picture = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let report: any MethodReport
    if let scores {
      let table = try ScoreTable(scores)
      report = RankComparisonReport(
        table.models,
        try MultipleComparison.friedman(table.scores, significance: significance),
        try advice(.compareLearners, rows: 2, models: table.models.count, sets: table.scores.count))
    } else {
      report = try models(in: context)
    }
    try report.tell(of: scores ?? truth ?? "", seconds: 0, picture: picture, output)
  }

  private func advice(_ task: Advisor.Task, rows: Int, models: Int, sets: Int = 1)
    throws(BasisError) -> Advisor.Advice
  {
    var advisor = Advisor(task, rowCount: max(2, rows))
    advisor.modelCount = models
    advisor.dataSetCount = sets
    return try advisor.advice()
  }

  private func models(in context: RunContext) throws(BasisError) -> HitReport {
    let right = try LabelFile(truth ?? "")
    guard predictions.count >= 2 else {
      throw BasisError(
        .invalidArgument,
        "--pred names \(predictions.count) model; 2 at least are compared ('basis evaluate estimate' is "
          + "for one)")
    }
    var numbers: [String: Int] = [:]
    func number(_ classes: [String]) -> [Int] {
      classes.map { name in
        let number = numbers[name] ?? numbers.count
        numbers[name] = number
        return number
      }
    }
    let wanted = number(right.classes)
    let known = numbers.count
    var answers: [(name: String, labels: [Int])] = []
    for path in predictions {
      let file = try LabelFile(path)
      answers.append((path, number(try file.classes(as: right))))
    }
    if numbers.count > known {
      let strange = numbers.filter { $0.value >= known }.map(\.key).sorted().prefix(3)
      output.remark("classes that \(right.path) never has: \(strange.joined(separator: ", "))")
    }
    let table = try HitTable(truth: wanted, predictions: answers)
    var intervals: [AccuracyInterval.Interval] = []
    for model in 0..<table.modelCount {
      intervals.append(
        try AccuracyInterval(interval).interval(
          hits: table.hitCount(model), of: table.rowCount, in: context, stream: model))
    }
    let pairs = try MultipleComparison.pairs(table, form: mcnemar, adjustment: adjust)
    return HitReport(
      table: table, intervals: intervals, pairs: pairs,
      test: table.modelCount == 2 ? pairs[0].test : try MultipleComparison.cochranQ(table),
      looney: table.modelCount == 2 || table.rowCount < 2
        ? nil : try MultipleComparison.looneyF(table),
      advice: try advice(.compareModels, rows: table.rowCount, models: table.modelCount),
      significance: significance)
  }
}

/// Scores of models over data sets, with the models' names.
struct ScoreTable {
  var models: [String] = []
  var scores: [[Double]] = []

  init(_ path: String) throws(BasisError) {
    var reader = try RecordSource(path: path).makeReader()
    while let record = try reader.next() {
      guard case .object(let fields) = record.fields else { continue }
      // A column of names is the data set's.
      if models.isEmpty { models = fields.keys.filter { Self.number(fields[$0]) != nil }.sorted() }
      var row: [Double] = []
      for model in models {
        guard let value = Self.number(fields[model]) else {
          throw BasisError(
            .badData, "\(path):\(record.row): has no score of '\(model)'; leave the row out")
        }
        row.append(value)
      }
      scores.append(row)
    }
  }

  /// Tables keep `0.80` as text, so that nothing of it is lost.
  private static func number(_ value: JSONValue?) -> Double? {
    value?.doubleValue ?? value?.stringValue.flatMap { Double($0) }
  }
}

private func json(_ test: TestOutcome) -> JSONValue {
  .object([
    "name": .string(test.name), "statistic": .number(test.statistic), "p": .number(test.p),
    "degrees_of_freedom": .array(test.degreesOfFreedom.map { .number($0) }),
    "exact": .bool(test.isExact), "warnings": .array(test.warnings.map { .string($0) }),
  ])
}

private func json(_ advice: Advisor.Advice) -> JSONValue {
  .object([
    "method": .string(advice.method), "reason": .string(advice.reason),
    "warnings": .array(advice.warnings.map { .string($0) }),
  ])
}

private func text(_ test: TestOutcome) -> String {
  let degrees = test.degreesOfFreedom.map { Chart.short($0) }.joined(separator: ", ")
  let law = degrees.isEmpty ? "" : " (\(degrees))"
  var line = "\(test.name)\(law): "
  line +=
    test.p.isNaN ? "equal" : "\(decimal(test.statistic, 3))   p \(probability(test.p))"
  for warning in test.warnings { line += "\n  \(warning)" }
  return line + "\n"
}

/// `0.034`, `< 0.0001`.
func probability(_ p: Double) -> String {
  p.isNaN ? "–" : p < 1e-4 ? "< 0.0001" : decimal(p, 4)
}

/// Names that say no more than they must.
private func shortNames(_ paths: [String]) -> [String] {
  let names = paths.map { ($0 as NSString).lastPathComponent }
  return Set(names).count == names.count ? names : paths
}

/// What is told of models on the same rows.
private struct HitReport: MethodReport {
  let table: HitTable
  let intervals: [AccuracyInterval.Interval]
  let pairs: [MultipleComparison.Pair]
  let test: TestOutcome
  let looney: TestOutcome?
  let advice: Advisor.Advice
  let significance: Double

  func json(seconds: Double) -> JSONValue {
    var models: [JSONValue] = []
    for (model, interval) in intervals.enumerated() {
      models.append(
        .object([
          "name": .string(table.names[model]), "hits": .integer(Int64(table.hitCount(model))),
          "accuracy": .number(table.accuracy(model)),
          "interval": .array([.number(interval.lower), .number(interval.upper)]),
          "warnings": .array(interval.warnings.map { .string($0) }),
        ]))
    }
    let pairs = pairs.map { pair -> JSONValue in
      let only = table.discordance(pair.first, pair.second)
      return .object([
        "first": .string(table.names[pair.first]), "second": .string(table.names[pair.second]),
        "difference": .number(pair.difference), "only_first": .integer(Int64(only.onlyFirst)),
        "only_second": .integer(Int64(only.onlySecond)), "test": .string(pair.test.name),
        "p": .number(pair.test.p), "adjusted_p": .number(pair.adjustedP),
        "differ": .bool(pair.adjustedP < significance),
      ])
    }
    return .object([
      "rows": .integer(Int64(table.rowCount)), "models": .array(models),
      "test": BasisCommand.json(test), "looney_f": looney.map { BasisCommand.json($0) } ?? .null,
      "pairs": .array(pairs), "advice": BasisCommand.json(advice),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    let names = shortNames(table.names)
    let width = (names.map(\.count).max() ?? 0) + 2
    var text = "\(input): \(grouped(table.rowCount)) rows, \(names.count) models\n\n"
    for (model, interval) in intervals.enumerated() {
      text += "\(padded(names[model], to: width))\(decimal(interval.estimate, 4))   "
      text += "\(decimal(interval.lower, 4)) … \(decimal(interval.upper, 4))\n"
    }
    text += "\n" + BasisCommand.text(test)
    if table.modelCount > 2 {
      text += "\n" + padded("", to: 2 * width) + aligned("difference", in: 10)
      text += aligned("only one right", in: 17) + aligned("p", in: 10)
      text += aligned("adjusted", in: 10) + "\n"
      for pair in pairs {
        let only = table.discordance(pair.first, pair.second)
        text += padded(names[pair.first], to: width) + padded(names[pair.second], to: width)
        text += aligned(decimal(pair.difference, 4), in: 10)
        text += aligned("\(only.onlyFirst) : \(only.onlySecond)", in: 17)
        text += aligned(probability(pair.test.p), in: 10)
        text += aligned(probability(pair.adjustedP), in: 10)
        text += pair.adjustedP < significance ? "  differ\n" : "\n"
      }
    } else if let pair = pairs.first {
      let only = table.discordance(pair.first, pair.second)
      text += "only \(names[0]) right: \(only.onlyFirst)   only \(names[1]): \(only.onlySecond)\n"
    }
    return text + "\n\(advice.method): \(advice.reason)\n"
  }

  func chart(_ input: String) -> Chart {
    let names = shortNames(table.names)
    return Chart(
      "\((input as NSString).lastPathComponent): \(grouped(table.rowCount)) rows",
      x: .init("", names: names), y: .init("accuracy"),
      series: [
        .init(
          "accuracy",
          intervals.enumerated().map { model, interval in
            .init(
              Double(model), interval.estimate, interval: interval.lower...interval.upper,
              title: "\(names[model]): \(decimal(interval.estimate, 4))")
          }, style: .points)
      ])
  }
}

/// What is told of models over data sets.
private struct RankComparisonReport: MethodReport {
  let names: [String]
  let found: MultipleComparison.RankComparison
  let advice: Advisor.Advice

  init(
    _ names: [String], _ found: MultipleComparison.RankComparison, _ advice: Advisor.Advice
  ) {
    self.names = names
    self.found = found
    self.advice = advice
  }

  private var order: [Int] {
    names.indices.sorted { found.meanRanks[$0] < found.meanRanks[$1] }
  }

  func json(seconds: Double) -> JSONValue {
    .object([
      "data_sets": .integer(Int64(found.dataSetCount)),
      "models": .array(
        order.map {
          .object(["name": .string(names[$0]), "mean_rank": .number(found.meanRanks[$0])])
        }),
      "test": BasisCommand.json(found.friedman),
      "iman_davenport": BasisCommand.json(found.imanDavenport),
      "critical_difference": .number(found.criticalDifference),
      "cliques": .array(found.cliques.map { .array($0.map { .string(names[$0]) }) }),
      "pairs": .array(
        found.pairs.map { pair in
          .object([
            "first": .string(names[pair.first]), "second": .string(names[pair.second]),
            "difference": .number(pair.difference), "p": .number(pair.test.p),
            "differ": .bool(abs(pair.difference) > found.criticalDifference),
          ])
        }),
      "advice": BasisCommand.json(advice),
    ])
  }

  func text(_ input: String, seconds: Double) -> String {
    let width = (names.map(\.count).max() ?? 0) + 2
    var text = "\(input): \(names.count) models over \(found.dataSetCount) data sets\n\n"
    for model in order {
      text += "\(padded(names[model], to: width))mean rank \(decimal(found.meanRanks[model], 3))\n"
    }
    text += "\n" + BasisCommand.text(found.friedman) + BasisCommand.text(found.imanDavenport)
    text += "critical difference \(decimal(found.criticalDifference, 3)) (Nemenyi, "
    text += "\(Chart.short(found.significance)))\n"
    for clique in found.cliques {
      text += "no difference among \(clique.map { names[$0] }.joined(separator: ", "))\n"
    }
    return text + "\n\(advice.method): \(advice.reason)\n"
  }

  /// Mean ranks, best first, with bars over those that do not differ.
  func chart(_ input: String) -> Chart {
    let order = order
    var series: [Chart.Series] = [
      .init(
        "mean rank",
        order.enumerated().map { place, model in
          .init(
            Double(place), found.meanRanks[model],
            title: "\(names[model]): \(decimal(found.meanRanks[model], 3))")
        }, style: .points)
    ]
    // Above the ranks that they join, each a little higher than the last.
    let top = Double(names.count) + 0.3
    for (number, clique) in found.cliques.enumerated() {
      let places = clique.compactMap { order.firstIndex(of: $0).map { Double($0) } }
      let y = top + 0.25 * Double(number)
      series.append(
        .init(
          number == 0 ? "no difference" : "",
          [.init(places.min() ?? 0, y), .init(places.max() ?? 0, y)],
          style: .line))
    }
    return Chart(
      "\((input as NSString).lastPathComponent): \(found.dataSetCount) data sets, critical difference "
        + decimal(found.criticalDifference, 2),
      x: .init("", names: order.map { names[$0] }), y: .init("mean rank, 1 is best"), series: series
    )
  }
}

extension AccuracyInterval.Method: ExpressibleByArgument {}
extension PairedTest.McNemarForm: ExpressibleByArgument {}
extension MultipleComparison.Adjustment: ExpressibleByArgument {}
