import BasisCore
import BasisFormats
import BasisSelection
import Foundation

/// What is told about a selection: as text, as JSON, as a picture.
struct SelectReport: MethodReport {
  private let found: Selection
  private let method: String
  private let rowCount: Int
  /// How well what is kept covers all, and how well as many rows by chance do; nil where all are kept.
  private let coverage: (kept: Double, chance: Double)?

  /// Whether the rows that are covered are others than those that are chosen from.
  private let isOfTargets: Bool

  /// More would take longer than the selection.
  private static let coveredCount = 5000

  init(_ found: Selection, _ parts: MethodParts, method: String, in run: RunContext)
    throws(BasisError)
  {
    self.found = found
    self.method = method
    guard let rows = parts.matrices.first else {
      rowCount = parts.texts.first?.count ?? 0
      coverage = nil
      isOfTargets = false
      return
    }
    rowCount = rows.rowCount
    isOfTargets = parts.matrices.count > 1
    guard found.synthetic == nil, !found.indices.isEmpty, found.indices.count < rowCount,
      rows.columnCount > 0
    else {
      coverage = nil
      return
    }
    var generator = run.generator("rows that are covered")
    let some = (parts.matrices.last ?? rows).sample(atMost: Self.coveredCount, by: &generator)
    let chance = generator.sample(found.indices.count, of: rowCount)
    let kept = try SelectionCoverage(of: some, by: rows.selecting(rows: found.indices), in: run)
    let random = try SelectionCoverage(of: some, by: rows.selecting(rows: chance), in: run)
    coverage = (kept.meanDistance, random.meanDistance)
  }

  func json(seconds: Double) -> JSONValue {
    func list(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }
    var members: [String: JSONValue] = [
      "method": .string(method), "rows": .integer(Int64(rowCount)),
      "kept": .integer(Int64(found.indices.count)), "indices": list(found.indices),
      "values": found.values.isEmpty ? .null : .array(found.values.map { .number($0) }),
      "weights": found.weights.isEmpty ? .null : .array(found.weights.map { .number($0) }),
      "groups": .array(
        found.groups.map { group in
          .object([
            found.groupKind: .string(group.name), "count": .integer(Int64(group.count)),
            "kept": .integer(Int64(group.keptCount)), "made": .integer(Int64(group.madeCount)),
          ])
        }),
      "seconds": .number(seconds), "warnings": .array(found.warnings.map { .string($0) }),
      "synthetic": .null, "coverage": .null,
    ]
    if let made = found.synthetic {
      members["synthetic"] = .object([
        "count": .integer(Int64(made.labels.count)), "labels": list(made.labels),
        "parents": .array(made.parents.map { list([$0.first, $0.second]) }),
        "gaps": .array(
          (0..<made.gaps.rowCount).map { row in
            let values = made.gaps.row(row).map { JSONValue.number(Double($0)) }
            return values.count == 1 ? values[0] : .array(values)
          }),
      ])
    }
    if let coverage {
      members["coverage"] = .object([
        "mean_distance": .number(coverage.kept),
        "mean_distance_by_chance": .number(coverage.chance),
      ])
    }
    return .object(members)
  }

  func text(_ input: String, seconds: Double) -> String {
    let made = found.synthetic?.labels.count ?? 0
    var text = "\(input): \(grouped(found.indices.count)) of \(grouped(rowCount)) rows kept"
    if made > 0 { text += ", \(grouped(made)) made" }
    text += " by \(method)   \(decimal(seconds, 2)) s\n"
    if let coverage {
      text +=
        "distance \(isOfTargets ? "from a target " : "")to the nearest kept row \(decimal(coverage.kept, 4))   of as many by chance "
      text += "\(decimal(coverage.chance, 4))\n"
    }
    text +=
      "\n\(aligned(found.groupKind, in: 10))\(aligned("rows", in: 10))\(aligned("kept", in: 10))"
    text += (found.synthetic == nil ? "" : aligned("made", in: 10)) + "\n"
    for group in found.groups {
      text += aligned(group.name, in: 10) + aligned(grouped(group.count), in: 10)
      text += aligned(grouped(group.keptCount), in: 10)
      if found.synthetic != nil { text += aligned(grouped(group.madeCount), in: 10) }
      text += "\n"
    }
    return text
  }

  /// What kept rows were ranked by, if anything; else bars of what each group had, and has.
  func chart(_ input: String) -> Chart {
    let title = "\((input as NSString).lastPathComponent): \(method)"
    guard found.values.isEmpty else {
      let points = found.values.enumerated().map { place, value in
        Chart.Point(Double(place + 1), value, title: "row \(found.indices[place]): \(value)")
      }
      return Chart(
        title, x: .init("rows kept, the best first"), y: .init("fit"),
        series: [.init("kept", points, style: .line)])
    }
    func bars(_ name: String, _ value: (Selection.Group) -> Int) -> Chart.Series {
      Chart.Series(
        name,
        found.groups.enumerated().map { place, group in
          .init(
            Double(place), Double(value(group)), title: "\(group.name): \(value(group)) \(name)")
        }, style: .bars)
    }
    var series = [bars("rows", \.count), bars("kept", \.keptCount)]
    if found.synthetic != nil { series.append(bars("made", \.madeCount)) }
    // There is room for so many names.
    let step = max(1, (found.groups.count + 11) / 12)
    let names = found.groups.enumerated().map { place, group in
      place % step == 0 || place == found.groups.count - 1 ? group.name : ""
    }
    return Chart(
      title, x: .init(found.groupKind, names: names), y: .init("rows"), series: series)
  }
}
