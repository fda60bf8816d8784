import BasisCodecs
import BasisCore
import BasisFormats
import BasisSearch
import Foundation
import Testing
import _BasisTestSupport

@Suite struct BiGranularIndexTests {
  private func file(_ rows: Matrix, _ folder: TemporaryFolder, _ name: String) throws -> String {
    let path = folder.path + "/\(name).npy"
    try NumPyArray(rows).write(to: path)
    return path
  }

  private func stored<Codec: FittedCodec>(
    _ index: BiGranularIndex<Codec>, _ folder: TemporaryFolder
  ) throws -> Container {
    let path = folder.path + "/index"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try index.write(to: writer, prefix: "a.")
    try writer.finish()
    return try Container(path: path, kind: "test", maximumVersion: 1)
  }

  private func checkExact<Codec: VectorCodec>(_ codec: Codec, _ metric: Metric) throws {
    let rows = clusteredMatrix(rowCount: 700, columnCount: 12, seed: 1)
    let queries = clusteredMatrix(rowCount: 9, columnCount: 12, seed: 2)
    let folder = try TemporaryFolder()
    let path = try file(rows, folder, "rows")
    let built = try BiGranularIndex(
      vectorsAt: path, metric: metric, codec: codec, calibrationQueries: 30)
    let index = try BiGranularIndex<Codec.Fitted>(
      from: stored(built, folder), prefix: "a.", vectorsAt: path)
    try index.verify()
    let flat = try FlatIndex(rows, metric: metric)
    let run = RunContext()
    var allowed = Bitmap(count: 700)
    for row in 0..<700 where row % 9 == 4 { allowed[row] = true }
    for effort in [Effort.exact, .recall(1), .candidates(699), .candidates(700)] {
      #expect(
        try index.search(queries, k: 10, allowing: nil, effort: effort, in: run)
          == flat.search(queries, k: 10))
      #expect(
        try index.search(queries, k: 10, allowing: allowed, effort: effort, in: run)
          == flat.search(queries, k: 10, allowing: allowed))
    }
    for count in [10, 50] {
      let answer = try index.searchCounting(
        queries, k: 10, effort: .candidates(count), in: run)
      #expect(answer.rowsRead == 9 * count)
      #expect(answer.reads <= answer.rowsRead)
      #expect(
        try answer.neighbors
          == built.search(queries, k: 10, allowing: nil, effort: .candidates(count), in: run))
      let one = try index.search(
        queries, k: 10, allowing: nil, effort: .candidates(count), in: RunContext(threadLimit: 1))
      #expect(one == answer.neighbors)
    }
  }

  @Test(arguments: Metric.allCases) func `a list of all rows gives the exact answer`(
    metric: Metric
  ) throws {
    try checkExact(ProductQuantizer(parts: 6, bits: 4), metric)
    try checkExact(ScalarQuantizer(.int8), metric)
    try checkExact(ResidualBitQuantizer(bits: 1), metric)
    try checkExact(ScalarQuantizer(.int4), metric)
  }

  @Test func `few rows that are read make up for what light codes lose`() throws {
    let rows = clusteredMatrix(rowCount: 4000, columnCount: 128, seed: 3)
    let queries = clusteredMatrix(rowCount: 50, columnCount: 128, seed: 4)
    let folder = try TemporaryFolder()
    let path = try file(rows, folder, "rows")
    let index = try BiGranularIndex(
      vectorsAt: path, metric: .squaredEuclidean, codec: ProductQuantizer(parts: 16, bits: 4),
      calibrationQueries: 50)
    let truth = try FlatIndex(rows, metric: .squaredEuclidean).search(queries, k: 10)
    let run = RunContext()
    func found(_ candidates: Int) throws -> Double {
      recall(
        try index.search(queries, k: 10, allowing: nil, effort: .candidates(candidates), in: run),
        truth)
    }
    let (light, heavy) = (try found(10), try found(200))
    #expect(light < 0.8)
    #expect(heavy >= 0.97, "after \(light)")
    #expect(index.size.memory * 16 <= index.size.vectors)
    #expect(index.size.vectors == 4000 * 128 * 4)
    #expect(index.size.disk - index.size.vectors == 128)
  }

  @Test func `vectors that are not those of the codes are an error`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 8, seed: 5)
    let folder = try TemporaryFolder()
    let path = try file(rows, folder, "rows")
    let index = try BiGranularIndex(
      vectorsAt: path, metric: .cosine, codec: ScalarQuantizer(.int8), calibrationQueries: 10)
    let container = try stored(index, folder)
    func open(_ rows: Matrix, _ name: String) throws -> BiGranularIndex<FittedScalarQuantizer> {
      try .init(from: container, prefix: "a.", vectorsAt: file(rows, folder, name))
    }
    expectError(.corruptFile, "299 × 8", "300 × 8") {
      try open(rows.selecting(rows: 0..<299), "short")
    }
    expectError(.corruptFile, "row 0", "another order") {
      try open(rows.selecting(rows: Array((0..<300).reversed())), "reversed")
    }
    // Two rows changed places: seen where they are looked at.
    var order = Array(0..<300)
    order.swapAt(101, 102)
    let swapped = try open(rows.selecting(rows: order), "swapped")
    expectError(.corruptFile, "row 101") { try swapped.verify() }
    expectError(.corruptFile, "row 101") {
      try swapped.search(
        rows.selecting(rows: [0]), k: 3, allowing: nil, effort: .exact, in: .init())
    }
    // Cut off: the header promises more.
    let whole = try Data(contentsOf: URL(filePath: path))
    let cut = folder.path + "/cut.npy"
    try whole.prefix(whole.count - 5).write(to: URL(filePath: cut))
    expectError(.badData) {
      try BiGranularIndex<FittedScalarQuantizer>(from: container, prefix: "a.", vectorsAt: cut)
    }
    let wide = folder.path + "/wide.npy"
    try NumPyArray(rows, as: .float64).write(to: wide)
    expectError(.badData, "float64", "float32") { try NumPyRows(contentsOf: wide) }
    expectError(.notFound) { try NumPyRows(contentsOf: folder.path + "/none.npy") }
    expectError(.dimensionMismatch) {
      try index.search(gaussianMatrix(rowCount: 1, columnCount: 3, seed: 1), k: 1)
    }
    expectError(.invalidArgument) {
      try index.search(rows, k: 1, allowing: nil, effort: .candidates(0), in: RunContext())
    }
  }
}
