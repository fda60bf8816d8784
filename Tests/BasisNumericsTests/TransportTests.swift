import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisNumerics

/// What `Scripts/oracles/transport.py` wrote.
struct TransportFixture: Decodable {
  struct Case: Decodable {
    var n: Int
    var m: Int
    var costs: [Double]
    var supply: [Double]
    var demand: [Double]
    var cost: Double?
    var plan: [Double]?
    var blur: Double?
    var reach: Double?
    var power: Double?
    var scaling: Double?
    var value: Double?
    var divergence: Double?
    var sourceCosts: [Double]?
    var targetCosts: [Double]?

    func matrix(_ values: [Double], _ rows: Int, _ columns: Int) throws -> Matrix {
      try Matrix(rowCount: rows, columnCount: columns, values: values.map { Float($0) })
    }

    var matrix: Matrix { get throws { try matrix(costs, n, m) } }
  }

  var exact: [Case]
  var balanced: [Case]
  var unbalanced: [Case]
  var annealed: [Case]

  static func load() throws -> TransportFixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "transport", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(TransportFixture.self, from: Data(contentsOf: url))
  }
}

@Suite struct TransportTests {
  /// How far the plan's sums are off, and how far its prices are from being right.
  private func check(
    _ plan: TransportPlan, _ costs: Matrix, _ supply: [Double], _ demand: [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var (rows, columns) = (supply, demand)
    for flow in plan.flows {
      rows[flow.source] -= flow.mass
      columns[flow.target] -= flow.mass
      let price = plan.sourcePotentials[flow.source] + plan.targetPotentials[flow.target]
      #expect(
        abs(price - Double(costs[flow.source, flow.target])) < 1e-11, sourceLocation: sourceLocation
      )
    }
    #expect(plan.flows.allSatisfy { $0.mass > 0 }, sourceLocation: sourceLocation)
    #expect((rows + columns).allSatisfy { abs($0) < 1e-12 }, sourceLocation: sourceLocation)
    #expect(plan.flows.count < supply.count + demand.count, sourceLocation: sourceLocation)
    for row in supply.indices {
      for column in demand.indices {
        let price = plan.sourcePotentials[row] + plan.targetPotentials[column]
        #expect(price < Double(costs[row, column]) + 1e-11, sourceLocation: sourceLocation)
      }
    }
    let dual =
      zip(supply, plan.sourcePotentials).reduce(0) { $0 + ($1.0 > 0 ? $1.0 * $1.1 : 0) }
      + zip(demand, plan.targetPotentials).reduce(0) { $0 + ($1.0 > 0 ? $1.0 * $1.1 : 0) }
    #expect(abs(dual - plan.cost) < 1e-10, sourceLocation: sourceLocation)
    #expect(plan.isOptimal, sourceLocation: sourceLocation)
  }

  @Test(arguments: [UInt64](0..<6))
  func `pivots leave potentials that are right but for rounding`(seed: UInt64) throws {
    let costs = gaussianMatrix(rowCount: 30, columnCount: 45, seed: seed)
    try costs.withUnsafeFloats { floats in
      let tree = NetworkSimplex(
        try #require(floats.baseAddress), supply: Array(repeating: 1.0 / 30, count: 30),
        demand: Array(repeating: 1.0 / 45, count: 45))
      #expect(try tree.solve(limit: 100_000, in: RunContext()))
      #expect(tree.pivotCount > 20 && tree.settleCount <= 2)
    }
  }

  @Test func `costs are those of POT`() throws {
    for one in try TransportFixture.load().exact {
      let costs = try one.matrix
      let plan = try ExactTransport().plan(costs, supply: one.supply, demand: one.demand)
      #expect(abs(plan.cost - (try #require(one.cost))) < 1e-9)
      check(plan, costs, one.supply, one.demand)
      let sum = plan.matrix.withUnsafeFloats { $0.reduce(0.0) { $0 + Double($1) } }
      #expect(abs(sum - one.supply.reduce(0, +)) < 1e-6)
    }
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `plans carry everything, and prices prove them`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let n = 1 + generator.nextInt(below: 40)
    let m = 1 + generator.nextInt(below: 40)
    // Costs of a few values, with many equal plans and pivots that move nothing, or of many.
    let levels = seed % 3 == 0 ? 3.0 : 1e6
    let costs = Matrix(rowCount: n, columnCount: m) { out in
      for index in out.indices {
        out[index] = Float((generator.nextGaussian() * levels).rounded() / levels)
      }
    }
    var supply = (0..<n).map { _ in Double(generator.nextInt(below: 4)) }
    var demand = (0..<m).map { _ in Double(generator.nextInt(below: 4)) }
    supply[0] += 1
    demand[m - 1] += 1
    let scale = supply.reduce(0, +) / demand.reduce(0, +)
    demand = demand.map { $0 * scale }
    let plan = try ExactTransport().plan(costs, supply: supply, demand: demand)
    check(plan, costs, supply, demand)
    // The other way round it is the same.
    let back = try ExactTransport().plan(costs.transposed(), supply: demand, demand: supply)
    #expect(abs(back.cost - plan.cost) < 1e-9)
    // Costs that all grow cost as much more.
    var dearer = costs
    dearer.withUnsafeMutableFloats { for index in $0.indices { $0[index] += 2 } }
    let moved = try ExactTransport().plan(dearer, supply: supply, demand: demand)
    #expect(abs(moved.cost - plan.cost - 2 * supply.reduce(0, +)) < 1e-4)
  }

  @Test func `on a line masses keep their order`() throws {
    var generator = RandomGenerator(seed: 4)
    for n in [1, 2, 7, 60] {
      let x = (0..<n).map { _ in Float(generator.nextGaussian()) }
      let y = (0..<n).map { _ in Float(generator.nextGaussian() + 1) }
      let costs = Matrix(rowCount: n, columnCount: n) { out in
        for i in 0..<n { for j in 0..<n { out[i * n + j] = abs(x[i] - y[j]) } }
      }
      let plan = try ExactTransport().plan(costs)
      let wanted = zip(x.sorted(), y.sorted()).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
      #expect(abs(plan.cost - wanted / Double(n)) < 1e-6)
    }
  }

  @Test func `what cannot be carried is an error`() throws {
    let costs = try Matrix(rows: [[1, 2], [3, 4], [5, 6]])
    let solver = ExactTransport()
    expectError(.badData, "at least 1 source") {
      try solver.plan(Matrix(rowCount: 0, columnCount: 3))
    }
    expectError(.badData, "at least 1 source") {
      try solver.plan(Matrix(rowCount: 3, columnCount: 0))
    }
    expectError(.dimensionMismatch, "supply", "2 masses for 3 rows") {
      try solver.plan(costs, supply: [1, 1])
    }
    expectError(.dimensionMismatch, "demand", "3 masses for 2 columns") {
      try solver.plan(costs, demand: [1, 1, 1])
    }
    expectError(.badData, "supply", "-1.0", "at 1") { try solver.plan(costs, supply: [1, -1, 1]) }
    expectError(.badData, "nan") { try solver.plan(costs, supply: [1, .nan, 1]) }
    expectError(.badData, "0 everywhere") { try solver.plan(costs, demand: [0, 0]) }
    expectError(.badData, "sums to 3.0", "1.0", "reach") {
      try solver.plan(costs, supply: [1, 1, 1])
    }
    expectError(.invalidArgument, "-1") { try ExactTransport(maxPivots: -1).plan(costs) }
    var broken = costs
    broken[2, 1] = .nan
    expectError(.badData, "row 2", "column 1") { try solver.plan(broken) }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try solver.plan(costs, in: cancelled) }
    // One row, and all to one.
    let line = try solver.plan(costs, supply: [1, 2, 3], demand: [0, 6])
    #expect(line.cost == 2 + 8 + 18 && line.flows.map(\.target) == [1, 1, 1])
    check(line, costs, [1, 2, 3], [0, 6])
    let settings = try JSONDecoder().decode(ExactTransport.self, from: Data("{}".utf8))
    #expect(settings == ExactTransport())
    // Where pivots run out the plan carries everything all the same.
    let rough = gaussianMatrix(rowCount: 30, columnCount: 30, seed: 3)
    let stopped = try ExactTransport(maxPivots: 3).plan(rough)
    let best = try solver.plan(rough)
    #expect(!stopped.isOptimal && stopped.pivotCount == 3 && stopped.cost > best.cost)
    #expect(abs(stopped.flows.reduce(0) { $0 + $1.mass } - 1) < 1e-12)
  }
}
