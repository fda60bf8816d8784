import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisNumerics

@Suite struct SinkhornTests {
  private func fitted(_ one: TransportFixture.Case, _ change: (inout Sinkhorn) -> Void = { _ in })
    throws -> (EntropicTransport, Matrix)
  {
    var settings = Sinkhorn(
      blur: one.blur ?? 0.05, power: one.power ?? 2, scaling: one.scaling ?? 0.5,
      reach: one.reach, maxIterations: 20_000, tolerance: 1e-8)
    change(&settings)
    let costs = try one.matrix
    return (try settings.fit(costs, supply: one.supply, demand: one.demand), costs)
  }

  @Test func `plans are those of POT, with and without a reach`() throws {
    let all = try TransportFixture.load()
    for one in all.balanced + all.unbalanced {
      let (found, costs) = try fitted(one)
      #expect(found.isConverged, "\(found.error) after \(found.iterationCount)")
      let plan = try found.plan(costs)
      let wanted = try #require(one.plan)
      for (index, value) in plan.withUnsafeFloats({ Array($0) }).enumerated() {
        #expect(abs(Double(value) - wanted[index]) < 2e-6, "\(index)")
      }
      #expect(abs(try found.transportCost(costs) - (try #require(one.cost))) < 1e-5)
    }
  }

  @Test func `annealed values and divergences are those of their formulas`() throws {
    for one in try TransportFixture.load().annealed {
      let (found, costs) = try fitted(one) { $0.maxIterations = 0 }
      let wanted = try #require(one.value)
      #expect(abs(found.value - wanted) < 2e-6 * max(1, abs(wanted)), "\(found.value) \(wanted)")
      #expect(found.iterationCount == 0 && !found.isConverged && found.error.isNaN)
      let settings = Sinkhorn(
        blur: one.blur ?? 0, power: one.power ?? 0, scaling: one.scaling ?? 0, reach: one.reach,
        maxIterations: 0)
      let apart = try settings.divergence(
        costs, within: one.matrix(one.sourceCosts ?? [], one.n, one.n),
        one.matrix(one.targetCosts ?? [], one.m, one.m), supply: one.supply, demand: one.demand)
      #expect(abs(apart - (try #require(one.divergence))) < 5e-6)
    }
  }

  private func costs(_ n: Int, _ m: Int, seed: UInt64) throws -> Matrix {
    let x = gaussianMatrix(rowCount: n, columnCount: 3, seed: seed)
    let y = gaussianMatrix(rowCount: m, columnCount: 3, seed: seed + 1000)
    return Matrix(rowCount: n, columnCount: m) { out in
      for i in 0..<n {
        for j in 0..<m {
          out[i * m + j] = zip(x.row(i), y.row(j)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
      }
    }
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `sums hold, threads say nothing, and little blur is exact`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let (n, m) = (10 + generator.nextInt(below: 12), 1 + generator.nextInt(below: 20))
    let costs = try costs(n, m, seed: seed)
    var supply = (0..<n).map { _ in 0.1 + generator.nextDouble() }
    supply[3] = 0
    let demand = [Double](repeating: supply.reduce(0, +) / Double(m), count: m)
    let settings = Sinkhorn(blur: 0.6, maxIterations: 3000)
    let found = try settings.fit(costs, supply: supply, demand: demand)
    #expect(found.isConverged)
    let plan = try found.plan(costs)
    for row in 0..<n {
      #expect(abs(plan.row(row).reduce(0.0) { $0 + Double($1) } - supply[row]) < 1e-4)
    }
    for column in 0..<m {
      let sum = (0..<n).reduce(0.0) { $0 + Double(plan[$1, column]) }
      #expect(abs(sum - demand[column]) < 1e-4)
    }
    for threads in [1, 3] {
      let other = try settings.fit(
        costs, supply: supply, demand: demand, in: RunContext(threadLimit: threads))
      #expect(other == found)
    }
    let exact = try ExactTransport().plan(costs, supply: supply, demand: demand).cost
    let sharp = try Sinkhorn(blur: 0.03, maxIterations: 1500, tolerance: 1e-4)
      .fit(costs, supply: supply, demand: demand)
    #expect(abs(sharp.value - exact) < 0.1 * exact)
    #expect(try found.transportCost(costs) > exact * 0.9999)
  }

  @Test func `a tiny blur and far rows neither overflow nor vanish`() throws {
    var costs = try costs(20, 20, seed: 9)
    for column in 0..<20 { costs[4, column] += 5000 }
    for blur in [1e-4, 1e-2, 10] {
      let found = try Sinkhorn(blur: blur, maxIterations: 50).fit(costs)
      #expect(found.sourcePotentials.allSatisfy { $0.isFinite })
      #expect(found.targetPotentials.allSatisfy { $0.isFinite })
      #expect(found.value.isFinite && found.value > 200)
    }
    let equal = try Sinkhorn().fit(Matrix(rowCount: 3, columnCount: 4))
    #expect(abs(equal.value) < 1e-6 && equal.isConverged)
    let even = try equal.plan(Matrix(rowCount: 3, columnCount: 4)).row(0)
    #expect(even.allSatisfy { abs($0 - 1 / 12) < 1e-6 })
  }

  @Test func `a cloud is at no distance from itself`() throws {
    let own = try costs(12, 12, seed: 2)
    var inner = Matrix(rowCount: 12, columnCount: 12)
    for i in 0..<12 { for j in 0..<12 where i != j { inner[i, j] = own[min(i, j), max(i, j)] } }
    for reach in [nil, 1.0] as [Double?] {
      let settings = Sinkhorn(blur: 0.5, reach: reach)
      #expect(abs(try settings.divergence(inner, within: inner, inner)) < 1e-4)
    }
  }

  @Test func `what it cannot blur is an error`() throws {
    let costs = try Matrix(rows: [[1, 2], [3, 4]])
    for settings in [
      Sinkhorn(blur: 0), Sinkhorn(blur: .nan), Sinkhorn(power: 0), Sinkhorn(scaling: 1),
      Sinkhorn(scaling: 0), Sinkhorn(reach: 0), Sinkhorn(maxIterations: -1), Sinkhorn(tolerance: 0),
    ] {
      expectError(.invalidArgument, "Sinkhorn") { try settings.fit(costs) }
    }
    expectError(.badData, "row 1", "column 0", "at least 0") {
      try Sinkhorn().fit(Matrix(rows: [[1, 2], [-3, 4]]))
    }
    expectError(.badData, "sums to") { try Sinkhorn().fit(costs, supply: [1, 1]) }
    #expect(try Sinkhorn(reach: 1).fit(costs, supply: [1, 1]).value.isFinite)
    expectError(.dimensionMismatch, "2 × 2", "1 × 1") {
      try Sinkhorn().divergence(costs, within: costs, Matrix(rowCount: 1, columnCount: 1))
    }
    let found = try Sinkhorn().fit(costs)
    expectError(.dimensionMismatch, "3 × 2") { try found.plan(Matrix(rowCount: 3, columnCount: 2)) }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try Sinkhorn().fit(costs, in: cancelled) }
    let settings = try JSONDecoder().decode(Sinkhorn.self, from: Data(#"{"blur": 0.2}"#.utf8))
    #expect(settings == Sinkhorn(blur: 0.2))
  }
}
