import BasisCore
import BasisFormats
import BasisSearch
import Testing
import _BasisTestSupport

@Suite struct DenseIndexTests {
  private func plan(_ kind: IndexKind) -> IndexPlanner.Plan {
    IndexPlanner.Plan(kind: kind, reason: "a test")
  }

  @Test(arguments: IndexKind.allCases, Metric.allCases)
  func `every kind keeps the promises of a search index at full effort`(
    kind: IndexKind, metric: Metric
  ) throws {
    let rows = gaussianMatrix(rowCount: 150, columnCount: 9, seed: 1)
    let queries = gaussianMatrix(rowCount: 4, columnCount: 9, seed: 2)
    try checkSearchIndex(rowCount: 150, queryCount: 4) { order in
      let index = try DenseIndex(
        rows.selecting(rows: order), metric: metric, plan: plan(kind))
      return {
        try index.search(
          queries.selecting(rows: $0), k: $1, allowing: $2, effort: .exact, in: $3)
      }
    }
  }

  @Test(arguments: IndexKind.allCases)
  func `an index comes back from its file with the same answers`(kind: IndexKind) throws {
    let folder = try TemporaryFolder()
    let rows = gaussianMatrix(rowCount: 2000, columnCount: 20, seed: 3)
    let queries = gaussianMatrix(rowCount: 20, columnCount: 20, seed: 4)
    let index = try DenseIndex(rows, metric: .cosine, plan: plan(kind))
    let path = folder.path + "/index"
    let writer = try ContainerWriter(path: path, kind: "test", version: 1)
    try index.write(to: writer, prefix: "a/")
    try writer.finish()
    let container = try Container(path: path, kind: "test", maximumVersion: 1)
    let read = try DenseIndex(from: container, prefix: "a/", rows: rows, metric: .cosine)
    #expect(read.plan == index.plan)
    for effort in [Effort.recall(0.9), .candidates(20), .exact] {
      let run = RunContext()
      let (a, b) = (
        try index.search(queries, k: 5, allowing: nil, effort: effort, in: run),
        try read.search(queries, k: 5, allowing: nil, effort: effort, in: run)
      )
      #expect(a == b, "\(effort)")
    }
    if kind != .flat {
      expectError(.corruptFile, "cosine") {
        try DenseIndex(from: container, prefix: "a/", rows: rows, metric: .innerProduct)
      }
    }
    let none = try DenseIndex(from: container, prefix: "b/", rows: rows, metric: .cosine)
    #expect(none.kind == .flat)
  }

  @Test func `the planner goes by size, dimension and memory`() {
    var planner = IndexPlanner()
    #expect(planner.plan(rowCount: 0, dimension: 0).kind == .flat)
    #expect(planner.plan(rowCount: 1000, dimension: 384).kind == .flat)
    #expect(planner.plan(rowCount: 10_000, dimension: 384).kind == .int8)
    #expect(planner.plan(rowCount: 65_536, dimension: 256).kind == .graph)
    #expect(planner.plan(rowCount: 400_000, dimension: 50).kind == .lists)
    planner.byteLimit = 10_000_000
    let plan = planner.plan(rowCount: 65_536, dimension: 256)
    #expect(plan.kind == .lists && plan.reason.contains("10000000"))
    planner.byteLimit = 1000
    #expect(planner.plan(rowCount: 65_536, dimension: 256).kind == .flat)
    #expect(planner.plan(rowCount: 10_000, dimension: 384).kind == .flat)
    planner.byteLimit = nil
    planner.targetRecall = 1
    #expect(planner.plan(rowCount: 10_000, dimension: 384).kind == .flat)
    planner.kind = .graph
    #expect(planner.plan(rowCount: 10, dimension: 2).kind == .graph)
  }

  @Test func `recall counts equally far neighbours as found`() {
    let exact = [Neighbor(id: 1, distance: 0.5), Neighbor(id: 2, distance: 1)]
    func share(_ found: [Neighbor]) -> Double { NeighborRecall.share(of: exact, in: found) }
    #expect(share(exact) == 1)
    #expect(share([]) == 0)
    #expect(share([Neighbor(id: 9, distance: 1), Neighbor(id: 1, distance: 0.5)]) == 1)
    #expect(share([Neighbor(id: 9, distance: 1.01), Neighbor(id: 1, distance: 0.5)]) == 0.5)
    #expect(NeighborRecall.share(of: [], in: exact) == 1)
  }

  @Test func `a graph is built with the care that its recall wants`() throws {
    var planner = IndexPlanner()
    planner.kind = .graph
    let usual = planner.plan(rowCount: 1000, dimension: 32)
    planner.targetRecall = 0.99
    let careful = planner.plan(rowCount: 1000, dimension: 32)
    #expect(usual.targetRecall == 0.95 && careful.targetRecall == 0.99)
    #expect(GraphIndex.Settings(targetRecall: 0.99) == GraphIndex.Settings())
    // Half the pairs are compared.
    let light = GraphIndex.Settings(targetRecall: 0.95)
    let heavy = GraphIndex.Settings()
    #expect(
      2 * light.partitionCount * light.groupSize <= heavy.partitionCount * heavy.groupSize)
    let rows = clusteredMatrix(count: 1000, dimension: 32, seed: 70)
    for plan in [usual, careful] {
      let index = try DenseIndex(rows, metric: .cosine, plan: plan)
      let found = try index.search(
        rows.selecting(rows: [5]), k: 1, allowing: nil, effort: .recall(0.95), in: RunContext())
      #expect(found[0].first?.id == 5)
    }
  }
}
