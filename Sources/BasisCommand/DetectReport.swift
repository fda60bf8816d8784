import BasisCore
import BasisDetection
import BasisFormats
import BasisNumerics
import Foundation

/// What is told about rows that may not belong: as text, as JSON, as a picture.
struct DetectReport: MethodReport {
  private let method: String
  private let keys: [String]
  private let layerCount: Int
  private let threshold: Double
  private let scores: [Double]
  /// Class and layer, where the method has them.
  private let explained: [MahalanobisModel.Explanation]
  /// Scores of rows that should not belong.
  private let others: [Double]
  private let metrics: DetectionMetrics?
  let warnings: [String]

  init(
    _ detector: any FittedDetector, _ layers: [Matrix], _ others: [Matrix], keys: [String],
    warnings: [String], method: String, in run: RunContext
  ) throws(BasisError) {
    self.method = method
    self.keys = keys
    self.warnings = warnings
    layerCount = layers.count
    threshold = detector.threshold
    if let model = detector as? MahalanobisModel {
      explained = try model.explain(layers, in: run)
      scores = explained.map(\.score)
    } else {
      explained = []
      scores = try detector.scores(of: layers, in: run)
    }
    self.others = others.isEmpty ? [] : try detector.scores(of: others, in: run)
    metrics =
      others.isEmpty ? nil : try DetectionMetrics(inside: scores, outside: self.others)
  }

  /// The scores as a matrix of one column.
  var column: Matrix {
    Matrix(rowCount: scores.count, columnCount: 1) { out in
      for (row, score) in scores.enumerated() { out[row] = Float(score) }
    }
  }

  /// Rows below the threshold.
  private var strange: [Int] { scores.indices.filter { scores[$0] < threshold } }

  // MARK: JSON

  func json(seconds: Double) -> JSONValue {
    func list(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }
    func list(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }
    var members: [String: JSONValue] = [
      "method": .string(method), "scores": list(scores), "threshold": .number(threshold),
      "strange": list(strange), "layers": .integer(Int64(layerCount)),
      "seconds": .number(seconds), "warnings": .array(warnings.map { .string($0) }),
      "report": .null,
    ]
    if !explained.isEmpty {
      members["classes"] = list(explained.map(\.label))
      members["strangest_layers"] = list(explained.map(\.layer))
    }
    if !keys.isEmpty { members["strange_keys"] = .array(strange.map { .string(keys[$0]) }) }
    if let metrics {
      members["report"] = .object([
        "scores": list(others), "auroc": .number(metrics.areaUnderROC),
        "tnr_at_tpr_95": .number(metrics.trueNegativeRateAt95),
        "threshold_at_tpr_95": .number(metrics.thresholdAt95),
        "accuracy": .number(metrics.accuracy),
        "average_precision_in": .number(metrics.averagePrecisionIn),
        "average_precision_out": .number(metrics.averagePrecisionOut),
        "accepted_in": .number(share(scores)), "accepted_out": .number(share(others)),
      ])
    }
    return .object(members)
  }

  private func share(_ scores: [Double]) -> Double {
    Double(scores.count { $0 >= threshold }) / Double(max(1, scores.count))
  }

  // MARK: Text

  /// So many rows are named.
  private static let namedCount = 10

  func text(_ input: String, seconds: Double) -> String {
    var text =
      "\(input): \(grouped(strange.count)) of \(grouped(scores.count)) rows do not belong, by "
    text += "\(method)\(layerCount > 1 ? " in \(layerCount) layers" : "")"
    text += "   threshold \(decimal(threshold, 4))   \(decimal(seconds, 2)) s\n"
    if let metrics {
      text += "against \(grouped(others.count)) others: AUROC \(decimal(metrics.areaUnderROC, 4))"
      text += "   TNR at TPR 95 \(decimal(metrics.trueNegativeRateAt95, 4))"
      text += "   accuracy \(decimal(metrics.accuracy, 4))\n"
      text += "average precision of what belongs \(decimal(metrics.averagePrecisionIn, 4))"
      text += "   of the others \(decimal(metrics.averagePrecisionOut, 4))\n"
      text += "the threshold accepts \(decimal(100 * share(scores), 1)) % and "
      text += "\(decimal(100 * share(others), 1)) %\n"
    }
    guard !strange.isEmpty else { return text }
    text += "\n" + aligned("score", in: 12)
    if !explained.isEmpty {
      text += layerCount > 1 ? aligned("layer", in: 7) : ""
      text += aligned("nearest", in: 9)
    }
    text += "  row\n"
    let width = max(20, terminalWidth() - 34)
    for row in strange.sorted(by: { (scores[$0], $0) < (scores[$1], $1) }).prefix(Self.namedCount) {
      text += aligned(decimal(scores[row], 4), in: 12)
      if !explained.isEmpty {
        text += layerCount > 1 ? aligned("\(explained[row].layer)", in: 7) : ""
        text += aligned("\(explained[row].nearestThere)", in: 9)
      }
      let name = keys.isEmpty ? "\(row)" : keys[row]
      text += "  \(name.count > width ? name.prefix(width - 1) + "…" : name)\n"
    }
    if strange.count > Self.namedCount {
      text += "   and \(grouped(strange.count - Self.namedCount)) more\n"
    }
    return text
  }

  // MARK: Picture

  func chart(_ input: String) -> Chart {
    let file = (input as NSString).lastPathComponent
    guard let metrics else { return histogram(file) }
    let curve = metrics.points.map { point in
      Chart.Point(
        point.falsePositiveRate, point.truePositiveRate,
        title: "score \(decimal(point.threshold, 4))")
    }
    let mark = Chart.Point(
      1 - metrics.trueNegativeRateAt95,
      share(scores, reaching: metrics.thresholdAt95),
      title: "score \(decimal(metrics.thresholdAt95, 4))",
      label: "TNR \(decimal(metrics.trueNegativeRateAt95, 3))")
    return Chart(
      "\(file): \(method), AUROC \(decimal(metrics.areaUnderROC, 4))",
      x: .init("accepted of the others", range: 0...1),
      y: .init("accepted of what belongs", range: 0...1),
      series: [
        .init(method, curve, style: .line), .init("TPR 95", [mark], style: .points),
        .init("by chance", [.init(0, 0), .init(1, 1)], style: .line),
      ])
  }

  private func share(_ scores: [Double], reaching bound: Double) -> Double {
    Double(scores.count { $0 >= bound }) / Double(max(1, scores.count))
  }

  /// Rows by score; those far below are in the first bar.
  private func histogram(_ file: String) -> Chart {
    let sorted = scores.sorted()
    let most = max(threshold, sorted.last ?? 0)
    let usual = Statistics.quantiles(scores.isEmpty ? [0] : scores, [0.25, 0.75])
    // Scores fall far where rows are strange; the usual ones would be a line.
    let low = min(threshold, usual[0]) - 3 * max(usual[1] - usual[0], 1e-9 * abs(most))
    let least = min(threshold, max(sorted.first ?? 0, low))
    let step = (most - least) / 40 > 0 ? (most - least) / 40 : 1
    var counts = [Int](repeating: 0, count: 41)
    for score in scores {
      counts[min(40, max(0, Int(((score - least) / step).rounded(.down))))] += 1
    }
    var points: [Chart.Point] = []
    for (bin, count) in counts.enumerated() {
      let start = least + Double(bin) * step
      let place = bin > 0 ? "from \(decimal(start, 3))" : "below \(decimal(start + step, 3))"
      let title = "\(grouped(count)) rows \(place)"
      points.append(.init(start, Double(count), title: title))
      points.append(.init(start + step, Double(count), title: title))
    }
    let top = Double(counts.max() ?? 1)
    return Chart(
      "\(file): \(method), \(grouped(strange.count)) of \(grouped(scores.count)) rows do not belong",
      x: .init("score, low is strange"), y: .init("rows"),
      series: [
        .init("rows", points, style: .area),
        .init(
          "threshold \(decimal(threshold, 3))", [.init(threshold, 0), .init(threshold, top)],
          style: .line),
      ])
  }
}
