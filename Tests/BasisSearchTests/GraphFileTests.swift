import BasisCore
import BasisFormats
import BasisSearch
import Foundation
import Testing
import _BasisTestSupport

@Suite struct GraphFileTests {
  @Test(arguments: [50, 200], Metric.allCases)
  func `a graph read back answers as before`(dimension: Int, metric: Metric) throws {
    let folder = try TemporaryFolder()
    let rows = clusteredMatrix(count: 800, dimension: dimension, seed: 1)
    let queries = gaussianMatrix(rowCount: 20, columnCount: dimension, seed: 2)
    let index = try GraphIndex.Settings().build(rows, metric: metric)
    let back = try open(save(index, folder), rows)
    for effort in [Effort.candidates(30), .recall(0.9), .candidates(800), .exact] {
      #expect(
        try back.search(queries, k: 10, effort: effort)
          == index.search(queries, k: 10, effort: effort))
    }
    let (a, b) = try (index.appending(queries), back.appending(queries))
    #expect((0..<a.count).allSatisfy { a.neighbors(of: $0) == b.neighbors(of: $0) })
  }

  @Test func `small graphs, too`() throws {
    for count in [0, 1, 2] {
      let folder = try TemporaryFolder()
      let rows = gaussianMatrix(rowCount: count, columnCount: 3, seed: 3)
      let index = try GraphIndex.Settings().build(rows)
      let back = try open(save(index, folder), rows)
      #expect(
        try back.search(Matrix(rows: [[1, 0, 0]]), k: 9, effort: .candidates(9))
          == index.search(Matrix(rows: [[1, 0, 0]]), k: 9, effort: .candidates(9)))
    }
  }

  @Test func `a changed or cut file is an error`() throws {
    let folder = try TemporaryFolder()
    let rows = clusteredMatrix(count: 700, dimension: 20, seed: 4)
    let path = try save(try GraphIndex.Settings().build(rows), folder)
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    var generator = RandomGenerator(seed: 5)
    for trial in 0..<60 {
      var damaged = sound
      if trial % 3 == 0 {
        damaged = sound.prefix(generator.nextInt(below: sound.count))
      } else {
        damaged[generator.nextInt(below: sound.count)] ^= UInt8(1 << generator.nextInt(below: 8))
      }
      let file = folder.path + "/damaged-\(trial)"
      try damaged.write(to: URL(fileURLWithPath: file))
      do {
        _ = try open(file, rows)
        Issue.record("trial \(trial): no error")
      } catch let error as BasisError {
        #expect([.corruptFile, .newerFormat].contains(error.code), "\(error.message)")
      }
    }
  }

  @Test func `blocks that do not fit are errors, though their checksums are right`() throws {
    let folder = try TemporaryFolder()
    let rows = clusteredMatrix(count: 600, dimension: 20, seed: 6)
    let path = try save(try GraphIndex.Settings().build(rows), folder)
    let container = try Container(path: path, kind: "test", maximumVersion: 1)
    func rewritten(_ changed: String, _ change: (inout [UInt8]) -> Void) throws -> String {
      let file = folder.path + "/changed"
      let writer = try ContainerWriter(path: file, kind: "test", version: 1)
      for name in container.blockNames {
        var bytes = Array(try container.array(name, of: UInt8.self))
        if name == changed { change(&bytes) }
        try writer.write(name, bytes)
      }
      try writer.finish()
      return file
    }
    let changes: [(String, (inout [UInt8]) -> Void)] = [
      ("g.edges", { $0[4003] = 0xFF }),
      ("g.edges", { $0.removeLast(4) }),
      ("g.entrances", { $0[3] = 0x7F }),
      ("g.entrances", { $0.removeAll() }),
      ("g.bytes", { $0.removeLast(64) }),
      ("g.mean", { $0.removeLast(4) }),
      ("g.settings", { $0 = Array("{}".utf8) }),
      (
        "g.settings",
        {
          let text = String(decoding: $0, as: UTF8.self)
          $0 = Array(
            text.replacingOccurrences(of: "\"maximumDegree\":32", with: "\"maximumDegree\":500")
              .utf8)
        }
      ),
    ]
    for (name, change) in changes {
      expectError(.corruptFile) { try open(rewritten(name, change), rows) }
    }
    expectError(.dimensionMismatch, "599 × 20", "600 × 20") {
      try open(path, rows.selecting(rows: 0..<599))
    }
  }

  private func save(_ index: GraphIndex, _ folder: TemporaryFolder) throws -> String {
    let path = folder.path + "/graph"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try index.write(to: writer, prefix: "g.")
    try writer.finish()
    return path
  }

  private func open(_ path: String, _ rows: Matrix) throws -> GraphIndex {
    try GraphIndex(
      from: Container(path: path, kind: "test", maximumVersion: 1), prefix: "g.", rows: rows)
  }
}
