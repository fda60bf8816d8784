import BasisCodecs
import BasisCore
import BasisFormats
import Foundation

/// What is told about a comparison of codecs: as text, as JSON, as a picture.
struct CompressTable {
  let rows: [CodecComparison.Row]
  let recommended: Int
  let comparison: CodecComparison
  let input: String

  var json: JSONValue {
    .object([
      "rows": .array(rows.map(Self.json)),
      "recommended": .string(rows[recommended].plan.label),
      "vectors": .integer(Int64(comparison.storedCount)),
      "dimension": .integer(Int64(comparison.dimension)),
      "queries": .integer(Int64(comparison.queryCount)),
      "metric": .string(comparison.metric.rawValue),
    ])
  }

  private static func json(_ row: CodecComparison.Row) -> JSONValue {
    .object([
      "codec": .string(row.plan.label), "method": .string(row.plan.method),
      "bytes_per_vector": .integer(Int64(row.bytesPerVector)),
      "shared_bytes": .integer(Int64(row.sharedBytes)),
      "total_bytes_per_vector": .number(row.totalBytesPerVector),
      "recall_at_10": .number(row.recall), "relative_error": .number(row.relativeError),
      "fit_seconds": .number(row.fitSeconds),
      "encoded_per_second": .number(row.encodeRate),
      "scanned_per_second": .number(row.scanRate),
    ])
  }

  var text: String {
    let width = max(5, rows.map(\.plan.label.count).max() ?? 0)
    func line(_ mark: String, _ name: String, _ cells: [String]) -> String {
      let widths = [8, 9, 9, 10, 10, 9]
      let columns = zip(cells, widths).map { cell, width in
        aligned(cell, in: width)
      }
      let label = padded(name, to: width)
      return "\(mark) \(label)\(columns.joined())\n"
    }
    var text =
      "\(input): \(grouped(comparison.rowCount)) × \(comparison.dimension), "
      + "\(grouped(comparison.queryCount)) queries, \(comparison.metric.rawValue)\n"
    text += line(
      " ", "codec", ["bytes", "shared", "total", "recall@10", "encode/s", "scan/s"])
    for (number, row) in rows.enumerated() {
      text += line(
        number == recommended ? ">" : " ", row.plan.label,
        [
          "\(row.bytesPerVector)", bytes(row.sharedBytes), decimal(row.totalBytesPerVector, 1),
          decimal(row.recall, 3), short(row.encodeRate), short(row.scanRate),
        ])
    }
    return text
  }

  private func short(_ rate: Double) -> String {
    switch rate {
    case 1e9...: "\(decimal(rate / 1e9, 1)) G"
    case 1e6...: "\(decimal(rate / 1e6, 1)) M"
    case 1e3...: "\(decimal(rate / 1e3, 0)) k"
    default: decimal(rate, 0)
    }
  }
}
