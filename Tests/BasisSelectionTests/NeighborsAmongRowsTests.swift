import BasisCore
import BasisSearch
import Testing
import _BasisTestSupport

@testable import BasisSelection

@Suite struct NeighborsAmongRowsTests {
  /// What a search of the rows for themselves gives, each left out of its own.
  private func searched(_ rows: Matrix, _ k: Int) throws -> [[Int]] {
    let index = try FlatIndex(rows, metric: .squaredEuclidean)
    return try index.search(rows, k: k + 1).enumerated().map { row, found in
      Array(found.map(\.id).filter { $0 != row }.prefix(k))
    }
  }

  // One block, a whole one, several, and a last one of a single row; k above the first step too.
  @Test(arguments: [
    (2, 1, 1), (40, 3, 39), (256, 5, 7), (257, 33, 5), (700, 8, 20), (513, 2, 64),
  ])
  func `neighbours are those of the flat index`(n: Int, d: Int, k: Int) throws {
    var rows = gaussianMatrix(rowCount: n, columnCount: d, seed: UInt64(n))
    // Rows that are equal, and rows far from all: distances tie, and products round coarsely.
    for row in stride(from: 0, to: n - 1, by: 9) {
      for column in 0..<d { rows[row + 1, column] = rows[row, column] }
    }
    for row in stride(from: 4, to: n, by: 12) {
      for column in 0..<d { rows[row, column] = 1000 + rows[row, column] / 8 }
    }
    let expected = try searched(rows, k)
    for threads in [1, 4] {
      let found = try NeighborsAmongRows(rows, k: k, in: RunContext(threadLimit: threads))
      #expect((0..<n).map { found.neighbors(of: $0) } == expected)
    }
  }

  @Test func `distances that overflow come last, and values that are not finite are named`() throws
  {
    var rows = gaussianMatrix(rowCount: 300, columnCount: 2, seed: 1)
    rows[7, 0] = 3e38
    rows[290, 1] = -3e38
    let found = try NeighborsAmongRows(rows, k: 298, in: RunContext())
    #expect(!found.neighbors(of: 0).contains(290))
    #expect(found.neighbors(of: 7).count == 298)
    rows[280, 1] = .nan
    expectError(.badData, "280", "1") { _ = try NeighborsAmongRows(rows, k: 2, in: RunContext()) }
  }
}
