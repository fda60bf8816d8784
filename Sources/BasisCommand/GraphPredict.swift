import ArgumentParser
import BasisCore
import BasisFormats
import BasisGraphs
import Dispatch
import Foundation

struct GraphPredict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Say which three that met two by two will meet as a group.",
    discussion: """
      EXAMPLES
        basis graph predict simplicial-email-enron --higher-order geometric --top 20
        basis graph predict mails --higher-order all
        basis graph predict contacts --higher-order -0.5 --evaluate --json

      DIR is as for closures. Everything in it is the past, unless --evaluate predicts at a quantile of
      the times and tells what came true. The number is the average precision over that of any order.

      SCORES
        \(HigherOrderScore.allCases.map(\.rawValue).joined(separator: ", "))
        a number: the generalised mean of the three ties with this exponent, inf and -inf too
        all: an evaluation of those that take seconds, side by side
      """)

  @Argument(help: ArgumentHelp("A folder with groups and their times.", valueName: "dir"))
  var input: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("One of the scores below.", valueName: "score"))
  var higherOrder = HigherOrderScore.geometric.rawValue

  @Option(help: "How many to print.")
  var top = 20

  @Flag(help: "Predict the last part of the times, and tell how well.")
  var evaluate = false

  @Option(
    help: ArgumentHelp("The quantile of the times that is the past.", valueName: "share"))
  var share = 0.8

  @Option(help: ArgumentHelp("Draw precision over recall.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Overwrite files that are there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  private var predictors: [(name: String, settings: HigherOrderLinkPredictor)] {
    if higherOrder == "all" {
      return HigherOrderScore.allCases.filter { !$0.isGlobal }.map {
        ($0.rawValue, HigherOrderLinkPredictor($0))
      }
    }
    if let score = HigherOrderScore(rawValue: higherOrder) {
      return [(higherOrder, HigherOrderLinkPredictor(score))]
    }
    return Double(higherOrder).map {
      [("mean of exponent \(higherOrder)", HigherOrderLinkPredictor(exponent: $0))]
    } ?? []
  }

  func validate() throws {
    if predictors.isEmpty {
      throw ValidationError(
        "--higher-order is a number, all, or one of "
          + HigherOrderScore.allCases.map(\.rawValue).joined(separator: ", ")
          + "; not '\(higherOrder)'")
    }
    if top < 0 { throw ValidationError("--top is a number of triples, not \(top)") }
    if plot != nil, !evaluate, higherOrder != "all" {
      throw ValidationError("--plot draws an evaluation; say --evaluate")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    let drawing = try plot.map { path throws(BasisError) in try OutputFile(path, force: force) }
    let stream = try SimplicialStream(folder: input)
    let began = DispatchTime.now().uptimeNanoseconds
    var found: [GraphPredictReport.Found] = []
    var remarks: [String] = []
    for (name, settings) in predictors {
      do throws(BasisError) {
        guard evaluate || higherOrder == "all" else {
          found.append(
            .init(name: name, prediction: try settings.predict(stream, in: context)))
          continue
        }
        let result = try settings.evaluate(stream, at: share, in: context)
        found.append(
          .init(
            name: name, prediction: result.prediction, cameTrue: result.cameTrue,
            quality: result.quality))
      } catch {
        guard predictors.count > 1, error.code == .badData, !found.isEmpty else { throw error }
        remarks.append("\(name): \(error.message)")
      }
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
    line?.clear()
    let report = GraphPredictReport(found: found, stream: stream, top: top)
    try report.tell(of: input, seconds: seconds, picture: drawing, output)
    for remark in remarks { output.remark(remark) }
  }
}

/// What is told about groups to come: as text, as JSON, as a picture.
struct GraphPredictReport: MethodReport {
  struct Found {
    var name: String
    var prediction: LinkPrediction
    /// Of each candidate; empty where nothing was held back.
    var cameTrue: [Bool] = []
    var quality: RankingQuality?
  }

  let found: [Found]
  let stream: SimplicialStream
  let top: Int

  private func names(_ one: Found, _ candidate: Int) -> [String] {
    one.prediction.members(of: candidate).map { stream.names[$0] }
  }

  func json(seconds: Double) -> JSONValue {
    let scores = found.map { one -> JSONValue in
      .object([
        "score": .string(one.name), "open_triangles": .integer(Int64(one.prediction.count)),
        "closed": one.quality.map { .integer(Int64($0.positiveCount)) } ?? .null,
        "base_rate": one.quality.map { .number($0.baseRate) } ?? .null,
        "average_precision": number(one.quality?.averagePrecision),
        "average_precision_over_random": number(one.quality?.averagePrecisionOverRandom),
        "triples": .array(
          one.prediction.best(top).map { candidate in
            .object([
              "nodes": .array(names(one, candidate).map { .string($0) }),
              "score": .number(one.prediction.scores[candidate]),
              "closed": one.cameTrue.isEmpty ? .null : .bool(one.cameTrue[candidate]),
            ])
          }),
      ])
    }
    return .object(["scores": .array(scores), "seconds": .number(seconds)])
  }

  private func number(_ value: Double?) -> JSONValue {
    value.map { $0.isFinite ? .number($0) : .null } ?? .null
  }

  func text(_ input: String, seconds: Double) -> String {
    var text = "\(input): \(grouped(stream.simplexCount)) groups of \(grouped(stream.nodeCount)) "
    text += "nodes, \(grouped(found.first?.prediction.count ?? 0)) open triangles   "
    text += "\(decimal(seconds, 2)) s\n"
    if let quality = found.first?.quality {
      text += "\(grouped(quality.positiveCount)) of them closed later: "
      text += "\(decimal(100 * quality.baseRate, 3)) per cent\n\n"
      text += padded("score", to: 24) + aligned("times any order", in: 16) + "\n"
      for one in found {
        let value = one.quality?.averagePrecisionOverRandom ?? .nan
        text += padded(one.name, to: 24) + aligned(value.isFinite ? decimal(value, 2) : "–", in: 16)
        text += "\n"
      }
    }
    guard found.count == 1, let one = found.first, top > 0 else { return text }
    text += "\n" + aligned("score", in: 12) + "  three by \(one.name)\n"
    for candidate in one.prediction.best(top) {
      text += aligned(decimal(one.prediction.scores[candidate], 4), in: 12)
      text += one.cameTrue.isEmpty ? "  " : one.cameTrue[candidate] ? " *" : "  "
      text += names(one, candidate).joined(separator: " · ") + "\n"
    }
    if one.cameTrue.contains(true) { text += "\n* met as a group later\n" }
    return text
  }

  /// Precision over recall of each score.
  func chart(_ input: String) -> Chart {
    let series = found.prefix(8).map { one -> Chart.Series in
      let order = one.prediction.best(one.prediction.count)
      let all = max(1, one.cameTrue.count { $0 })
      var points: [Chart.Point] = []
      var hits = 0
      // A point for each two hundredth of what came true.
      for (place, candidate) in order.enumerated() where one.cameTrue[candidate] {
        hits += 1
        if hits * 200 / all == (hits - 1) * 200 / all { continue }
        points.append(.init(Double(hits) / Double(all), Double(hits) / Double(place + 1)))
      }
      return .init(one.name, points, style: .line)
    }
    let base = found.first?.quality?.baseRate ?? 0
    return Chart(
      "\((input as NSString).lastPathComponent): open triangles that close",
      x: .init("share of those that closed", range: 0...1),
      y: .init("share that closed of as many as that", scale: .logarithmic), series: series,
      references: [("any order", base)])
  }
}
