import BasisClustering
import BasisCore
import BasisFormats
import BasisNumerics
import Foundation

/// What is told about groups: as text, as JSON, as a picture.
struct ClusterReport: MethodReport {
  private let found: any StoredClustering
  private let steps: [ClusterCountScan.Step]
  private let keys: [String]
  private let method: String
  private let metric: DissimilarityMetric
  private let isPairwise: Bool
  /// The row that stands for each group; nil for an empty one.
  private let exemplars: [Int?]
  private let silhouette: Silhouette
  /// Agreement with known classes, where they are given.
  private let agreement: Double?
  /// The group of each row that has a silhouette.
  private let measured: [Int]
  private(set) var warnings: [String] = []

  /// Silhouettes of more would take longer than the groups.
  private static let measuredCount = 10_000

  init(
    _ found: any StoredClustering, _ steps: [ClusterCountScan.Step], _ parts: MethodParts,
    labels: [Int]?, keys: [String], method: String, metric: DissimilarityMetric,
    in run: RunContext
  ) throws(BasisError) {
    self.found = found
    self.steps = steps
    self.keys = keys
    self.method = method
    self.metric = metric
    isPairwise = parts.isPairwise
    agreement = try labels.map { labels throws(BasisError) in
      try found.adjustedRandIndex(with: labels)
    }
    let rows = parts.matrices[0]
    var isConverged = (found as? KMeansModel)?.isConverged ?? true
    if let model = found as? KMedoidsModel {
      exemplars = model.medoids
      warnings = model.warnings
      isConverged = model.isConverged
    } else {
      exemplars = Self.nearest(found, rows)
    }
    if !isConverged {
      warnings.append("the passes ended before the groups were settled; --set maxIterations=MORE")
    }
    let sizes = found.sizes
    let empty = sizes.count { $0 == 0 }
    if empty > 0 { warnings.append("\(empty) of \(sizes.count) clusters are empty") }

    var items = Array(0..<rows.rowCount)
    if items.count > Self.measuredCount {
      var generator = run.generator("rows with silhouettes")
      items = generator.sample(Self.measuredCount, of: items.count)
      warnings.append("the silhouette is that of \(grouped(items.count)) rows chosen at random")
    }
    let pairs: Dissimilarities
    if parts.isPairwise {
      let all = try Dissimilarities(square: rows, symmetrizing: parts.isSymmetrized)
      pairs = items.count < rows.rowCount ? try all.selecting(items, in: run) : all
    } else {
      let some = items.count < rows.rowCount ? rows.selecting(rows: items) : rows
      pairs = try Dissimilarities(comparing: some, by: metric)
    }
    measured = items.map { found.assignments[$0] }
    silhouette = try Silhouette(pairs, measured, clusterCount: found.clusterCount, in: run)
  }

  /// The row nearest to each mean.
  private static func nearest(_ found: any StoredClustering, _ rows: Matrix) -> [Int?] {
    var best = [Int?](repeating: nil, count: found.clusterCount)
    guard let model = found as? KMeansModel else { return best }
    let metric: Metric = model.isSpherical ? .cosine : .squaredEuclidean
    var least = [Float](repeating: .infinity, count: found.clusterCount)
    let centroids = (0..<found.clusterCount).map { model.centroids.row($0) }
    for (row, cluster) in found.assignments.enumerated() {
      let distance = metric.distance(rows.row(row), centroids[cluster])
      if distance < least[cluster] { (best[cluster], least[cluster]) = (row, distance) }
    }
    return best
  }

  private func name(_ row: Int) -> String { keys.isEmpty ? "row \(row)" : keys[row] }

  // MARK: JSON

  func json(seconds: Double) -> JSONValue {
    let sizes = found.sizes
    var clusters: [JSONValue] = []
    for (cluster, row) in exemplars.enumerated() {
      var members: [String: JSONValue] = [
        "size": .integer(Int64(sizes[cluster])),
        "silhouette": .number(silhouette.clusterMeans[cluster]),
        "medoid": row.map { .integer(Int64($0)) } ?? .null,
      ]
      if !keys.isEmpty { members["key"] = row.map { .string(keys[$0]) } ?? .null }
      clusters.append(.object(members))
    }
    var members: [String: JSONValue] = [
      "assignments": .array(found.assignments.map { .integer(Int64($0)) }),
      "medoids": .array(exemplars.map { $0.map { .integer(Int64($0)) } ?? .null }),
      "loss": .number(found.loss), "iterations": .integer(Int64(found.iterationCount)),
      "seconds": .number(seconds), "method": .string(method),
      "metric": isPairwise ? .null : .string(metric.rawValue),
      "silhouette": .number(silhouette.mean), "clusters": .array(clusters),
      "warnings": .array(warnings.map { .string($0) }),
    ]
    if let model = found as? KMedoidsModel {
      members["swaps"] = .integer(Int64(model.swapCount))
      members["converged"] = .bool(model.isConverged)
      members["medoid_silhouette"] = .number(model.medoidSilhouette)
    } else if let model = found as? KMeansModel {
      members["converged"] = .bool(model.isConverged)
    }
    if let agreement { members["adjusted_rand_index"] = .number(agreement) }
    if !steps.isEmpty {
      members["scan"] = .array(
        steps.map {
          .object([
            "clusters": .integer(Int64($0.clusterCount)), "loss": .number($0.loss),
            "medoid_silhouette": .number($0.medoidSilhouette),
          ])
        })
    }
    return .object(members)
  }

  // MARK: Text

  func text(_ input: String, seconds: Double) -> String {
    let compared = isPairwise ? "dissimilarities" : metric.rawValue
    var text =
      "\(input): \(grouped(found.assignments.count)) rows in \(found.clusterCount) clusters by "
      + "\(method), \(compared)\n"
    text += "loss \(decimal(found.loss, 2))   silhouette \(decimal(silhouette.mean, 3))"
    if let model = found as? KMedoidsModel {
      text += "   \(grouped(model.iterationCount)) passes, \(grouped(model.swapCount)) swaps"
    } else {
      text += "   \(grouped(found.iterationCount)) passes"
    }
    if let agreement { text += "   adjusted Rand index \(decimal(agreement, 3))" }
    text += "   \(decimal(seconds, 2)) s\n\n"
    for step in steps {
      let mark = step.clusterCount == found.clusterCount ? ">" : " "
      text += "\(mark)\(aligned("\(step.clusterCount)", in: 4)) clusters"
      text += "\(aligned(decimal(step.medoidSilhouette, 3), in: 8)) medoid silhouette\n"
    }
    if !steps.isEmpty { text += "\n" }
    text += "cluster     size  silhouette  \(found is KMedoidsModel ? "medoid" : "nearest row")\n"
    let width = max(20, terminalWidth() - 33)
    for (cluster, size) in found.sizes.enumerated() {
      let mean = decimal(silhouette.clusterMeans[cluster], 3)
      text +=
        "\(aligned("\(cluster)", in: 7))\(aligned(grouped(size), in: 9))\(aligned(mean, in: 12))  "
      let stands = exemplars[cluster].map(name) ?? "–"
      text += (stands.count > width ? stands.prefix(width - 1) + "…" : stands) + "\n"
    }
    return text
  }

  // MARK: Picture

  /// The silhouettes, group by group, each falling; of a scan, the silhouette by the number of groups.
  func chart(_ input: String) -> Chart {
    let file = (input as NSString).lastPathComponent
    if !steps.isEmpty { return scanChart(file) }
    var values = [[Double]](repeating: [], count: found.clusterCount)
    for (place, cluster) in measured.enumerated() {
      values[cluster].append(silhouette.values[place])
    }
    // The legend has room for so many.
    let isNamed = values.count <= 18
    // A pixel's worth of rows is as fine as it gets.
    let step = max(1, measured.count / 600)
    var series: [Chart.Series] = []
    var start = 0
    for (cluster, group) in values.enumerated() where !group.isEmpty {
      let falling = group.sorted(by: >)
      let places = stride(from: 0, to: falling.count, by: step) + [falling.count - 1]
      var points = places.map { Chart.Point(Double(start + $0), falling[$0]) }
      points.append(.init(Double(start + falling.count), falling[falling.count - 1]))
      series.append(.init(isNamed ? "\(cluster) (\(group.count))" : "", points, style: .area))
      start += falling.count
    }
    return Chart(
      "\(file): \(method), \(found.clusterCount) clusters",
      x: .init("rows by cluster", range: 0...Double(max(1, start))), y: .init("silhouette"),
      series: series,
      references: [("mean \(decimal(silhouette.mean, 3))", silhouette.mean)])
  }

  private func scanChart(_ file: String) -> Chart {
    Chart(
      "\(file): how many clusters", x: .init("clusters"), y: .init("medoid silhouette"),
      series: [
        .init(
          "",
          steps.map { step in
            Chart.Point(
              Double(step.clusterCount), step.medoidSilhouette,
              title: "\(step.clusterCount) clusters, loss \(decimal(step.loss, 2))",
              label: step.clusterCount == found.clusterCount ? "\(step.clusterCount)" : "")
          })
      ])
  }
}
