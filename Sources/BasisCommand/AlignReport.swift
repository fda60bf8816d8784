import BasisAlignment
import BasisCore
import BasisFormats
import Foundation

/// What is told about a map: as text, as JSON, as a picture.
struct AlignReport: MethodReport {
  private let map: any FittedAligner
  private let method: String
  private let file: String?
  private let pairCount: Int
  /// Of pairs that the map has not seen; nil where there are too few.
  private let aligned: CrossSpaceReport?
  /// The same without a map, where the spaces have one dimension.
  private let asTheyAre: CrossSpaceReport?
  private(set) var warnings: [String]

  init(
    _ map: any FittedAligner, _ given: AlignedInputs, _ split: AlignedInputs.Split,
    method: String, file: String?, in run: RunContext
  ) throws(BasisError) {
    self.map = map
    self.method = method
    self.file = file
    pairCount = given.pairs.first.rowCount
    warnings = map.warnings
    if given.lonelyCount > 0 {
      warnings.append("\(grouped(given.lonelyCount)) records are in one collection only")
    }
    guard split.heldOut.count >= 2 else {
      (aligned, asTheyAre) = (nil, nil)
      warnings.append("no pairs are left to judge the map by; give --holdout 0.2")
      return
    }
    let unseen = try given.pairs.selecting(rows: split.heldOut)
    aligned = try CrossSpaceReport(
      map.map(unseen.first, from: .first, in: run),
      map.map(unseen.second, from: .second, in: run), in: run)
    asTheyAre =
      unseen.first.columnCount == unseen.second.columnCount
      ? try CrossSpaceReport(unseen.first, unseen.second, in: run) : nil
  }

  // MARK: JSON

  func json(seconds: Double) -> JSONValue {
    .object([
      "method": .string(method), "map": file.map { .string($0) } ?? .null,
      "pairs": .integer(Int64(pairCount)), "anchors": .integer(Int64(map.anchorCount)),
      "dimension": .integer(Int64(map.dimension)),
      "held_out": .integer(Int64(aligned?.ranks.count ?? 0)),
      "aligned": Self.json(aligned), "as_they_are": Self.json(asTheyAre),
      "seconds": .number(seconds), "warnings": .array(warnings.map { .string($0) }),
    ])
  }

  private static func json(_ report: CrossSpaceReport?) -> JSONValue {
    guard let report else { return .null }
    return .object([
      "mrr": .number(report.meanReciprocalRank), "first": .number(report.firstShare),
      "jaccard": .number(report.neighborJaccard), "cosine": .number(report.matchedCosine),
      "neighbors": .integer(Int64(report.neighborCount)),
    ])
  }

  // MARK: Text

  func text(_ input: String, seconds: Double) -> String {
    var text =
      "\(input): \(method) from \(grouped(map.anchorCount)) pairs, \(map.dimension) dimensions, "
      + "\(decimal(seconds, 2)) s\n"
    guard let aligned else { return text }
    text += "\nof \(grouped(aligned.ranks.count)) pairs that it has not seen"
    text += "      MRR  found first  same \(aligned.neighborCount) nearest   cosine\n"
    let width = 35 + "\(grouped(aligned.ranks.count))".count
    for (name, report) in [("as they are", asTheyAre), ("aligned", aligned)] {
      guard let report else { continue }
      let same = 14 + "\(report.neighborCount)".count
      text += padded("  \(name)", to: width - 4)
      text += aligned4(report.meanReciprocalRank, 9) + aligned4(report.firstShare, 13)
      text += aligned4(report.neighborJaccard, same) + aligned4(report.matchedCosine, 9) + "\n"
    }
    return text
  }

  private func aligned4(_ value: Double, _ width: Int) -> String {
    BasisCommand.aligned(decimal(value, 3), in: width)
  }

  // MARK: Picture

  /// The share whose own is among the first so many.
  func chart(_ input: String) -> Chart {
    let files = input.split(separator: " → ").map { ("\($0)" as NSString).lastPathComponent }
    var series: [Chart.Series] = []
    let count = aligned?.ranks.count ?? 0
    var places = [1]
    while let last = places.last, last < count {
      places.append(min(count, max(last + 1, last * 5 / 4)))
    }
    for (name, report) in [("aligned", aligned), ("as they are", asTheyAre)] {
      guard let report else { continue }
      let shares = report.shareFound(within: places)
      series.append(
        .init(name, zip(places, shares).map { .init(Double($0), $1) }, style: .line))
    }
    return Chart(
      "\(files.joined(separator: " → ")): \(method), \(grouped(map.anchorCount)) anchors",
      x: .init("place in the ranking", scale: .logarithmic),
      y: .init("share found by then", range: 0...1), series: series)
  }
}
