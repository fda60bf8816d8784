import BasisCodecs
import BasisCore
import BasisFormats
import Foundation

extension CompressTable {
  /// Recall over bytes, a line a method.
  var chart: Chart {
    let methods = rows.map(\.plan.method).reduce(into: [String]()) { list, name in
      if !list.contains(name) { list.append(name) }
    }
    var series: [Chart.Series] = []
    for method in methods {
      var rising: [Chart.Point] = []
      var others: [Chart.Point] = []
      // The line goes along what keeps more for more bytes.
      for row in rows where row.plan.method == method {
        let isBest = row.plan.label == rows[recommended].plan.label
        let point = Chart.Point(
          Double(row.bytesPerVector), row.recall,
          title: "\(row.plan.label): \(row.bytesPerVector) bytes, recall \(decimal(row.recall, 3))",
          label: isBest ? row.plan.label : "")
        if let last = rising.last, last.x == point.x, point.y >= last.y {
          others.append(rising.removeLast())
        }
        if point.y > rising.last?.y ?? -1 { rising.append(point) } else { others.append(point) }
      }
      series.append(Chart.Series(method, rising + others, lineCount: rising.count))
    }
    let recalls = rows.map(\.recall).min() ?? 0
    return Chart(
      "\((input as NSString).lastPathComponent): \(grouped(comparison.rowCount)) × "
        + "\(comparison.dimension), \(comparison.metric.rawValue)",
      x: .init("bytes per vector", scale: .logarithmic),
      y: .init("recall@10", range: max(0, ((recalls - 0.02) * 10).rounded(.down) / 10)...1),
      series: series)
  }
}
