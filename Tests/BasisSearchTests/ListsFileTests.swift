import BasisCodecs
import BasisCore
import BasisFormats
import BasisSearch
import Foundation
import Testing
import _BasisTestSupport

@Suite struct ListsFileTests {
  private func written(
    _ folder: TemporaryFolder, _ write: (ContainerWriter) throws -> Void
  ) throws -> String {
    let path = folder.path + "/index"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try write(writer)
    try writer.finish()
    return path
  }

  private func open(_ path: String) throws -> Container {
    try Container(path: path, kind: "test", maximumVersion: 1)
  }

  @Test(arguments: Metric.allCases) func `an index comes back from a file`(metric: Metric) throws {
    let rows = clusteredMatrix(rowCount: 2000, columnCount: 13, seed: 1)
    let queries = clusteredMatrix(rowCount: 50, columnCount: 13, seed: 2)
    let index = try InvertedListsIndex(rows, metric: metric)
    let folder = try TemporaryFolder()
    let path = try written(folder) { try index.write(to: $0, prefix: "a.") }
    let read = try InvertedListsIndex(from: open(path), prefix: "a.", rows: rows)
    for effort in [Effort.recall(0.7), .recall(0.95), .candidates(3), .exact] {
      let run = RunContext()
      #expect(
        try read.search(queries, k: 10, allowing: nil, effort: effort, in: run)
          == index.search(queries, k: 10, allowing: nil, effort: effort, in: run))
    }
    #expect(
      try read.appending(rows).search(queries, k: 10) == index.search(queries, k: 10))
    expectError(.corruptFile, "'b.settings'") {
      try InvertedListsIndex(from: open(path), prefix: "b.", rows: rows)
    }
    expectError(.dimensionMismatch, "2000 × 13", "100 × 13") {
      try InvertedListsIndex(from: open(path), prefix: "a.", rows: rows.selecting(rows: 0..<100))
    }
  }

  @Test func `damage is an error, wherever it is`() throws {
    let rows = gaussianMatrix(rowCount: 90, columnCount: 5, seed: 3)
    let index = try InvertedListsIndex(rows, metric: .squaredEuclidean)
    let folder = try TemporaryFolder()
    let path = try written(folder) { try index.write(to: $0, prefix: "") }
    let bytes = try Data(contentsOf: URL(filePath: path))
    for position in stride(from: 0, to: bytes.count, by: 97) {
      var damaged = bytes
      damaged[position] ^= 0x20
      try damaged.write(to: URL(filePath: path))
      expectCorrupt { try InvertedListsIndex(from: open(path), prefix: "", rows: rows) }
    }
    for length in stride(from: 0, to: bytes.count, by: 211) {
      try bytes.prefix(length).write(to: URL(filePath: path))
      expectCorrupt { try InvertedListsIndex(from: open(path), prefix: "", rows: rows) }
    }
  }

  private func expectCorrupt<R>(_ body: () throws -> R) {
    do {
      _ = try body()
      Issue.record("damage was not noticed")
    } catch {
      let code = (error as? BasisError)?.code
      #expect(code == .corruptFile || code == .newerFormat, "\(error)")
    }
  }

  @Test func `blocks that do not fit each other are an error`() throws {
    let rows = gaussianMatrix(rowCount: 90, columnCount: 5, seed: 3)
    let index = try InvertedListsIndex(rows, metric: .cosine)
    let folder = try TemporaryFolder()
    let names = ["centroids", "words", "counts", "blocks", "ids", "halves", "leasts"]
    let sound = try open(written(folder) { try index.write(to: $0, prefix: "") })
    for victim in names {
      for change in 0..<3 {
        let other = folder.path + "/other"
        let writer = try ContainerWriter(path: other, kind: "test", version: 1)
        let settings = Array(try sound.array("settings", of: UInt8.self))
        try writer.write("settings", settings)
        for name in names {
          var bytes = Array(try sound.array(name, of: UInt8.self))
          if name == victim {
            switch change {
            case 0: bytes += [255, 255, 255, 255]
            case 1: bytes.removeLast(min(4, bytes.count))
            default:
              // Of a kind that no count, number of a row or float may have.
              guard !bytes.isEmpty, name != "blocks" else { continue }
              for place in 0..<4 { bytes[place] = 255 }
            }
          }
          try writer.write(name, bytes)
        }
        guard change < 2 || !["blocks", "halves"].contains(victim) else { continue }
        guard change != 1 || victim != "halves" else { continue }
        try writer.finish()
        expectCorrupt { try InvertedListsIndex(from: open(other), prefix: "", rows: rows) }
      }
    }
  }

  @Test(arguments: [4, 8], Metric.allCases)
  func `a quantised index comes back from a file`(bits: Int, metric: Metric) throws {
    let rows = clusteredMatrix(rowCount: 1500, columnCount: 12, seed: 4)
    let queries = clusteredMatrix(rowCount: 40, columnCount: 12, seed: 5)
    let index = try QuantizedFlatIndex(
      rows, metric: metric, codec: ProductQuantizer(parts: 6, bits: bits))
    let folder = try TemporaryFolder()
    let path = try written(folder) { try index.write(to: $0, prefix: "q.") }
    let read = try QuantizedFlatIndex<FittedProductQuantizer>(
      from: open(path), prefix: "q.", rows: rows)
    #expect(try read.search(queries, k: 10) == index.search(queries, k: 10))
    expectError(.corruptFile) {
      try QuantizedFlatIndex<FittedProductQuantizer>(from: open(path), prefix: "x.", rows: rows)
    }
  }
}
