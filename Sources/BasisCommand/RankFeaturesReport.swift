import BasisCore
import BasisFeatures
import BasisFormats
import Foundation

/// What is told about ranked columns: as text, as JSON, as a picture.
struct RankFeaturesReport: MethodReport {
  private let ranking: FeatureRanking
  private let quality: DataQualityReport
  private let readSeconds: Double
  private let method: String
  private let target: String
  private let limit: Int
  private let heuristic: ColumnScore?
  let warnings: [String]

  /// Below it a column is held to tell nothing.
  private static let significance = 3.0
  private static let barCount = 20

  init(
    _ ranking: FeatureRanking, _ job: RankJob, method: String, target: String, limit: Int,
    heuristic: ColumnScore?
  ) {
    self.ranking = ranking
    quality = job.quality
    readSeconds = job.readSeconds
    self.method = method
    self.target = target
    self.limit = limit
    self.heuristic = heuristic
    var warnings = ranking.warnings
    let flagged = job.quality.columns.filter { $0.name != target && !$0.flags.isEmpty }
    for flag in DataQualityReport.Flag.allCases {
      let names = flagged.filter { $0.flags.contains(flag) }.map { "'\($0.name)'" }
      guard !names.isEmpty else { continue }
      let more = names.count > 6 ? " and \(names.count - 6) more" : ""
      warnings.append("\(Self.words(flag)): \(names.prefix(6).joined(separator: ", "))\(more)")
    }
    self.warnings = warnings
  }

  private static func words(_ flag: DataQualityReport.Flag) -> String {
    switch flag {
    case .constant: "one value in all rows"
    case .identifier: "a value of its own in nearly each row, as an identifier has"
    case .sparse: "missing in more than half of the rows"
    case .dominated: "one value in 99 % of the rows or more"
    }
  }

  private func quality(of feature: RankedFeature) -> DataQualityReport.Column? {
    feature.columns.count == 1 && !feature.isNoise ? quality.column(named: feature.name) : nil
  }

  // MARK: JSON

  func json(seconds: Double) -> JSONValue {
    .object([
      "features": .array(ranking.features.map(json)), "method": .string(method),
      "heuristic": heuristic.map { .string($0.rawValue) } ?? .null, "target": .string(target),
      "unit": .string(ranking.unit), "rows": .integer(Int64(ranking.rowCount)),
      "batches": .integer(Int64(ranking.batchCount)), "seconds": .number(seconds),
      "read_seconds": .number(readSeconds),
      "noise_cut": number(ranking.noiseCut),
      "above_noise": ranking.noiseCut == nil ? .null : .integer(Int64(aboveNoise)),
      "columns": .array(quality.columns.map(json)),
      "warnings": .array(warnings.map { .string($0) }),
    ])
  }

  private func number(_ value: Double?) -> JSONValue {
    value.map { $0.isFinite ? .number($0) : .null } ?? .null
  }

  private func json(_ feature: RankedFeature) -> JSONValue {
    let statistic = feature.statistic
    return .object([
      "name": .string(feature.name), "columns": .array(feature.columns.map { .string($0) }),
      "score": .number(feature.score), "relevance": number(feature.relevance),
      "value": number(statistic.value), "expected": number(statistic.expected),
      "deviation": number(statistic.deviation), "z": number(statistic.z),
      "cardinality": .integer(Int64(feature.cardinality)), "noise": .bool(feature.isNoise),
    ])
  }

  /// Columns of the table that tell more than any random one.
  private var aboveNoise: Int {
    guard let cut = ranking.noiseCut else { return 0 }
    return ranking.features.count { !$0.isNoise && $0.relevance > cut }
  }

  private func json(_ column: DataQualityReport.Column) -> JSONValue {
    .object([
      "name": .string(column.name), "cardinality": .integer(Int64(column.cardinality)),
      "estimated": .bool(column.isEstimated), "missing": .integer(Int64(column.missingCount)),
      "coverage": .number(column.coverage),
      "commonest": column.commonest.map { .string($0.value) } ?? .null,
      "commonest_share": number(column.commonest?.share),
      "rare_values": column.rareValueCount.map { .integer(Int64($0)) } ?? .null,
      "rare_rows": number(column.rareRowShare),
      "flags": .array(column.flags.map { .string($0.rawValue) }),
    ])
  }

  // MARK: Text

  func text(_ input: String, seconds: Double) -> String {
    let all = ranking.features
    let classes = quality.column(named: target)?.cardinality
    var text = "\(input): \(grouped(all.count)) features, \(grouped(ranking.rowCount)) rows"
    if ranking.batchCount > 1 { text += " in \(ranking.batchCount) batches" }
    text += ", target '\(target)'\(classes.map { " of \(grouped($0)) values" } ?? "")\n"
    text += "\(method), \(heuristic?.rawValue ?? "")   \(decimal(seconds, 2)) s"
    text += "   reading \(decimal(readSeconds, 2)) s\n\n"
    let width = min(30, max(8, all.prefix(limit).map(\.name.count).max() ?? 8))
    text += " rank  \(padded("feature", to: width))   score        z      value  by chance"
    text += "   values  missing  flags\n"
    for (rank, feature) in all.prefix(limit).enumerated() { text += row(rank, feature, width) }
    if all.count > limit { text += "       … and \(grouped(all.count - limit)) more\n" }
    let known = all.filter { $0.statistic.z != nil }
    if !known.isEmpty {
      let silent = known.count { ($0.statistic.z ?? 0) < Self.significance }
      text +=
        "\n\(grouped(silent)) of \(grouped(known.count)) tell nothing beyond chance (z below 3)\n"
    }
    if let cut = ranking.noiseCut {
      let all = ranking.features.count { !$0.isNoise }
      text += "\n\(grouped(aboveNoise)) of \(grouped(all)) tell more than the best random column "
      text += "(\(decimal(cut, 5))): cut the others\n"
    }
    return text
  }

  private func row(_ rank: Int, _ feature: RankedFeature, _ width: Int) -> String {
    func shown(_ value: Double?, _ places: Int) -> String {
      value.map { $0.isFinite ? decimal($0, places) : "–" } ?? "–"
    }
    let name = feature.name
    let short = name.count > width ? name.prefix(width - 1) + "…" : name
    let statistic = feature.statistic
    var text = aligned("\(rank + 1)", in: 5) + "  " + padded(short, to: width)
    text += aligned(shown(feature.score, 3), in: 8) + aligned(shown(statistic.z, 1), in: 9)
    text +=
      aligned(shown(statistic.value, 5), in: 11) + aligned(shown(statistic.expected, 5), in: 11)
    text += aligned(grouped(feature.cardinality), in: 9)
    let column = quality(of: feature)
    let missing = column.map {
      $0.missingCount == 0 ? "–" : "\(decimal(100 * (1 - $0.coverage), 1)) %"
    }
    text += aligned(missing ?? "", in: 9)
    let flags =
      feature.isNoise ? "random" : column?.flags.map(\.rawValue).joined(separator: ", ") ?? ""
    return (flags.isEmpty ? text : text + "  " + flags) + "\n"
  }

  // MARK: Picture

  /// Bars of what the best features tell, beside what chance gives them.
  func chart(_ input: String) -> Chart {
    let best = ranking.features.prefix(Self.barCount)
    func bars(_ name: String, _ value: (RankedFeature) -> Double?) -> Chart.Series {
      Chart.Series(
        name,
        best.enumerated().compactMap { place, feature in
          value(feature).map { .init(Double(place), $0, title: "\(feature.name): \($0)") }
        }, style: .bars)
    }
    var series = [bars("value", \.statistic.value)]
    if best.contains(where: { $0.statistic.expected != nil }) {
      series.append(bars("by chance", \.statistic.expected))
    }
    let names = best.map { $0.name.count > 16 ? $0.name.prefix(15) + "…" : $0.name }
    let unit: String =
      switch heuristic {
      case .mutualInformation, .corrected, nil: "nats about \(target)"
      default: ranking.unit
      }
    return Chart(
      "\((input as NSString).lastPathComponent): what columns tell about \(target)",
      x: .init("", names: names), y: .init(unit), series: series)
  }
}
