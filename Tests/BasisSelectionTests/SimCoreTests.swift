import BasisCore
import Testing
import _BasisTestSupport

@testable import BasisSelection

@Suite struct SimCoreTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      var n: Int
      var k: Int
      var a: Int
      var b: Int
      var budget: Int
      var stop: Double?
      var patience: Int
      var rows: [Int]
      var values: [Double]
      var facility: [Int]
      var facilityValue: Double
    }

    struct Apricot: Decodable {
      var n: Int
      var count: Int
      var value: Double
    }

    var tolerance: Double
    var apricot: Apricot
    var cases: [Case]
  }

  /// The fixtures' formula.
  private func similarity(_ i: Int, _ j: Int, _ a: Int, _ b: Int) -> Double {
    let step: Int = a + b * j
    let whole: Int = i * step + 7 * j * j
    return Double(whole % 65537) / 65537 * 2 - 1
  }

  @Test func `rounds are those of the description, and greedy is greedy`() throws {
    let fixture = try fixture("simcore", Fixture.self)
    for (number, c) in fixture.cases.enumerated() {
      let lists = (0..<c.k).map { center in
        (0..<c.n).map { Neighbor(id: $0, distance: Float(1 - similarity($0, center, c.a, c.b))) }
          .sorted()
      }
      var asked: [Int] = []
      let selector = SimCore(
        stopShare: c.stop ?? 0.95, patience: c.patience, fraction: c.stop == nil ? 1 : nil)
      let trace = try selector.rounds(
        centerCount: c.k, budget: min(c.budget, c.n), in: RunContext()
      ) { depth in
        asked.append(depth)
        return lists.map { Array($0.prefix(depth)) }
      }
      #expect(trace.picks.map(\.row).sorted() == c.rows, "\(number)")
      #expect(trace.isStopped == (c.stop != nil))
      #expect(trace.values.count == c.values.count)
      for (a, b) in zip(trace.values, c.values) { #expect(abs(a - b) < fixture.tolerance) }
      // Lists grow only as far as they are walked.
      #expect(asked.count >= 1 && asked.last ?? 0 < 4 * c.n)
      let table = Matrix(rowCount: c.k, columnCount: c.n) { floats in
        for place in floats.indices {
          floats[place] = Float(similarity(place % c.n, place / c.n, c.a, c.b))
        }
      }
      let chosen = try FacilityLocation(count: 12).select(table, in: RunContext())
      // Once each target has its best there is nothing to gain, but by rounding.
      let count = min(12, c.k)
      #expect(chosen.prefix(count) == c.facility.prefix(count))
      #expect(abs(FacilityLocation.value(table, of: chosen) - c.facilityValue) < 1e-4)
    }
  }

  @Test func `greedy choice is worth what apricot's is`() throws {
    let apricot = try fixture("simcore", Fixture.self).apricot
    let n = apricot.n
    let table = Matrix(rowCount: n, columnCount: n) { floats in
      for place in floats.indices {
        let (i, j) = (place / n, place % n)
        let mean = (similarity(i, j, 7919, 104) + similarity(j, i, 7919, 104)) / 2
        floats[place] = Float(max(0, mean))
      }
    }
    let chosen = try FacilityLocation(count: apricot.count).select(table, in: RunContext())
    let worth = FacilityLocation.value(table, of: chosen)
    #expect(abs(worth - apricot.value) <= 0.001 * apricot.value, "\(worth) \(apricot.value)")
    #expect(Set(chosen).count == apricot.count)
    #expect(try FacilityLocation(count: 2 * n).select(table, in: RunContext()).count == n)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `near the best of all choices, and exact for one direction`(seed: UInt64) throws {
    let pool = gaussianMatrix(rowCount: 15, columnCount: 6, seed: seed)
    let target = gaussianMatrix(rowCount: 3, columnCount: 6, seed: seed + 100)
    let unit = (pool.withUnitRows(), target.withUnitRows())
    func cosine(_ row: Int, _ t: Int) -> Float {
      zip(unit.0.row(row), unit.1.row(t)).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let table = Matrix(rowCount: 3, columnCount: 15) { floats in
      for place in floats.indices { floats[place] = cosine(place % 15, place / 15) }
    }
    var best = 0.0
    for a in 0..<15 {
      for b in 0..<a {
        for c in 0..<b { best = max(best, FacilityLocation.value(table, of: [a, b, c])) }
      }
    }
    let found = try SimCore(fraction: 0.2).select(
      PoolAndTarget(pool: pool, target: target), in: RunContext(seed: seed))
    #expect(found.indices.count == 3)
    #expect(FacilityLocation.value(table, of: found.indices) >= (1 - exponential(-1)) * best - 1e-6)
    let one = try SimCore(fraction: 0.4).select(
      PoolAndTarget(pool: pool, target: target.selecting(rows: [0])), in: RunContext(seed: seed))
    let nearest = (0..<15).sorted { cosine($0, 0) > cosine($1, 0) }.prefix(6).sorted()
    #expect(one.indices == nearest)
  }

  @Test func `it stops where the pool ends being like the target`() throws {
    let target = clouds(count: 60, centers: 0..<3, seed: 1)
    let like = clouds(count: 300, centers: 0..<3, seed: 2)
    let unlike = clouds(count: 700, centers: 3..<10, seed: 3)
    let pool = joined(like, unlike)
    let trace = try SimCore(centroidCount: 6).trace(
      PoolAndTarget(pool: pool, target: target), in: RunContext(seed: 4))
    let right = trace.picks.count { $0.row < 300 }
    #expect(trace.isStopped && Double(right) >= 0.9 * Double(trace.picks.count))
    #expect((150...450).contains(trace.picks.count), "\(trace.picks.count)")
    #expect(trace.picks.map(\.round) == trace.picks.map(\.round).sorted())
    #expect(zip(trace.values, trace.values.dropFirst()).allSatisfy { $0 >= $1 - 1e-6 })
    // A row of the pool twice is two rows; the order of the rows says nothing.
    let backwards = try SimCore(centroidCount: 6).select(
      PoolAndTarget(
        pool: pool.selecting(rows: (0..<1000).reversed()), target: target), in: RunContext(seed: 4))
    #expect(Set(backwards.indices.map { 999 - $0 }) == Set(trace.picks.map(\.row)))
  }

  @Test func `edges`() throws {
    let run = RunContext()
    let target = clouds(count: 5, centers: 0..<2, seed: 1)
    // Lists run dry: all is taken.
    let small = clouds(count: 4, centers: 0..<2, seed: 2)
    let all = try SimCore(fraction: 1).select(PoolAndTarget(pool: small, target: target), in: run)
    #expect(all.indices == [0, 1, 2, 3])
    // Away from the target there is no share of a similarity.
    let away = Matrix(rowCount: 50, columnCount: 8) { floats in
      for place in floats.indices { floats[place] = -Float(1 + place % 8) }
    }
    let positive = Matrix(rowCount: 2, columnCount: 8) { floats in
      for place in floats.indices { floats[place] = 1 }
    }
    let none = try SimCore(patience: 1).trace(PoolAndTarget(pool: away, target: positive), in: run)
    #expect(none.picks.isEmpty && none.isStopped && none.values.count == 1)
    // The cap ends it, and says so.
    let capped = try SimCore(stopShare: 0.01, cap: 1).select(
      PoolAndTarget(pool: clouds(count: 90, centers: 0..<2, seed: 3), target: target), in: run)
    #expect(capped.indices.count == 5 && capped.warnings.count == 1)
    var zeros = small
    for column in 0..<8 { zeros[1, column] = 0 }
    let without = try SimCore(fraction: 1).select(
      PoolAndTarget(pool: zeros, target: target), in: run)
    #expect(without.indices == [0, 2, 3])
    expectError(.badData, "row 1", "zeros") {
      try SimCore().select(PoolAndTarget(pool: target, target: zeros), in: run)
    }
    expectError(.badData, "target") {
      try SimCore().select(
        PoolAndTarget(pool: small, target: small.selecting(rows: 0..<0)), in: run)
    }
    expectError(.dimensionMismatch, "8", "7") {
      try PoolAndTarget(pool: small, target: small.prefix(columns: 7))
    }
    for bad in [
      SimCore(centroidCount: 0), SimCore(stopShare: 0), SimCore(patience: 0), SimCore(cap: 0),
      SimCore(fraction: 1.5), SimCore(fraction: 0),
    ] {
      expectError(.invalidArgument, "simcore") {
        try bad.select(PoolAndTarget(pool: small, target: target), in: run)
      }
    }
    // One matrix and labels: rows of class 0 are the pool.
    let parts = MethodParts([joined(target, small)], labels: [1, 1, 1, 1, 2, 0, 0, 0, 0])
    let inside = try SelectionCatalogue.entry(named: "simcore").run(
      parts, settings: #"{"fraction": 0.5}"#, in: run)
    #expect(inside.indices.count == 2 && inside.indices.allSatisfy { $0 >= 5 })
    #expect(inside.groups.map(\.count) == [4, 5])
  }

  /// Rows around some of ten directions of eight dimensions.
  private func clouds(count: Int, centers: Range<Int>, seed: UInt64) -> Matrix {
    let directions = gaussianMatrix(rowCount: 10, columnCount: 8, seed: 77)
    var rows = gaussianMatrix(rowCount: count, columnCount: 8, seed: seed)
    for row in 0..<count {
      let center = centers.lowerBound + row % centers.count
      for column in 0..<8 {
        rows[row, column] = directions[center, column] + 0.12 * rows[row, column]
      }
    }
    return rows
  }

  private func joined(_ a: Matrix, _ b: Matrix) -> Matrix {
    let values = a.withUnsafeFloats { Array($0) } + b.withUnsafeFloats { Array($0) }
    return Matrix(rowCount: a.rowCount + b.rowCount, columnCount: a.columnCount) { floats in
      for place in floats.indices { floats[place] = values[place] }
    }
  }
}
