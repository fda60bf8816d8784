import BasisCodecs
import BasisCore
import BasisFormats
import BasisSearch
import Foundation

extension Benchmark {
  /// An approximate index on one thread. Says what building took, `built CPU-SECONDS BYTES`, where
  /// the bytes are those of a vector, its own floats included; then answers lines such as
  /// `batch recall 0.95`, which asks all queries at once, or `single candidates 64`, which asks the
  /// first 200 one after another. Each answer is in seconds of the process; the ids are in the file.
  static func neighbors(_ arguments: [String]) throws {
    guard arguments.count == 5, let k = Int(arguments[3]) else { throw usage }
    let mapped = try Matrix(contentsOf: arguments[0])
    // In memory, as the peers have it.
    let base = mapped.selecting(rows: 0..<mapped.rowCount)
    let queries = try Matrix(contentsOf: arguments[1])
    let singles = (0..<min(200, queries.rowCount)).map { queries.selecting(rows: [$0]) }
    let run = RunContext(threadLimit: 1)
    var made: (any StoredIndex)?
    let taken = try processSeconds {
      switch arguments[2] {
      case "graph": made = try GraphIndex.Settings().build(base, metric: .cosine, in: run)
      case "lists": made = try InvertedListsIndex(base, metric: .cosine, in: run)
      case "quantized":
        var codec = ProductQuantizer(parts: base.columnCount / 2, bits: 4)
        codec.anisotropy = 0.2
        made = try QuantizedFlatIndex(base, metric: .cosine, codec: codec, in: run)
      case "int8":
        made = try QuantizedFlatIndex(
          base, metric: .cosine, codec: ScalarQuantizer(.int8), in: run)
      case "bits":
        made = try QuantizedFlatIndex(
          base, metric: .cosine, codec: ResidualBitQuantizer(bits: 1), in: run)
      case "flat": made = Exact(index: try FlatIndex(base, metric: .cosine))
      default: throw usage
      }
    }
    guard let index = made else { throw usage }
    let path = arguments[4] + ".index"
    let writer = try ContainerWriter(path: path, kind: "bench", version: 1)
    try index.write(to: writer, prefix: "")
    try writer.finish()
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    try FileManager.default.removeItem(atPath: path)
    say("built \(taken) \(4 * base.columnCount + size / max(1, base.rowCount))")

    try serve { line in
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 3, let effort = Effort(words[1], words[2]) else { throw usage }
      var found: [[Neighbor]] = []
      let taken = try processSeconds {
        if words[0] == "single" {
          for query in singles {
            found += try index.search(query, k: k, allowing: nil, effort: effort, in: run)
          }
        } else {
          found = try index.search(queries, k: k, allowing: nil, effort: effort, in: run)
        }
      }
      try write(found, to: arguments[4])
      return taken
    }
  }

  static func processSeconds(_ body: () throws -> Void) rethrows -> Double {
    let start = processTime()
    try body()
    return processTime() - start
  }
}

/// An index whose size can be taken from its file.
private protocol StoredIndex: ApproximateIndex {
  func write(to writer: ContainerWriter, prefix: String) throws(BasisError)
}
extension GraphIndex: StoredIndex {}

/// Every row, whatever the effort.
private struct Exact: StoredIndex {
  let index: FlatIndex
  var count: Int { index.count }

  func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap?, effort: Effort, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    try index.search(queries, k: k, allowing: allowed, in: run)
  }

  func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {}
}
extension InvertedListsIndex: StoredIndex {}
extension QuantizedFlatIndex: StoredIndex {}

extension Effort {
  fileprivate init?(_ kind: String, _ value: String) {
    switch (kind, Double(value), Int(value)) {
    case ("recall", let recall?, _): self = .recall(recall)
    case ("candidates", _, let count?): self = .candidates(count)
    default: return nil
    }
  }
}
