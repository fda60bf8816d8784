import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisMeasures

@Suite struct ConvergentTests {
  struct Fixture: Decodable {
    var first: [[Float]]
    var second: [[Float]]
    var dead: [Int]
    var matches: [[Int]]
    var mean: Double
    var semi: [Int]
    var semiMean: Double
    var canonical: [Double]
  }

  @Test func `matches are those of scipy`() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "convergent", withExtension: "json", subdirectory: "Fixtures"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    let pair = try PairedRows(Matrix(rows: fixture.first), Matrix(rows: fixture.second))
    let units = try UnitMatching(pair)
    #expect(units.deadUnits.first == fixture.dead && units.deadUnits.second.isEmpty)
    let matches = try units.matches()
    #expect(
      matches.map { [$0.first, $0.second] }.sorted { $0[0] < $1[0] } == fixture.matches)
    #expect(matches.map(\.correlation) == matches.map(\.correlation).sorted(by: >))
    #expect(abs(Statistics.mean(matches.map(\.correlation)) - fixture.mean) < 1e-5)
    #expect(units.semiMatches().map(\.second) == fixture.semi)
    #expect(
      abs(Statistics.mean(units.semiMatches().map(\.correlation)) - fixture.semiMean) < 1e-5)
    for (a, b) in zip(try units.canonicalCorrelations(), fixture.canonical) {
      #expect(abs(a - b) < 1e-4)
    }
    let found = try ConvergentMatching().measure(pair, in: RunContext())
    #expect(abs(found.value - fixture.mean) < 1e-5)
    #expect(found.parts.first { $0.name == "dead_first" }?.value == 1)
  }

  private static func number(_ value: MeasuredValue, _ name: String) throws -> Double {
    try #require(value.parts.first { $0.name == name }?.value)
  }

  /// Columns that vary together in a pattern of their own.
  private static func layer(seed: UInt64) throws -> Matrix {
    let mix = gaussianMatrix(rowCount: 10, columnCount: 12, seed: seed + 500)
    var rows = try LinearAlgebra.product(
      gaussianMatrix(rowCount: 400, columnCount: 10, seed: seed), mix)
    rows.withUnsafeMutableFloats { for index in $0.indices { $0[index] = max(0, $0[index]) } }
    return rows
  }

  @Test(arguments: 0..<6)
  func `a permutation is found again, and a rotation is a subspace only`(seed: UInt64) throws {
    let rows = try Self.layer(seed: seed)
    let run = RunContext(seed: seed)
    var order = Array(0..<12)
    var generator = RandomGenerator(seed: seed)
    generator.shuffle(&order)
    let noise = gaussianMatrix(rowCount: 400, columnCount: 12, seed: seed + 9)
    var shuffled = Matrix(rowCount: 400, columnCount: 12)
    for row in 0..<400 {
      for column in 0..<12 {
        shuffled[row, column] = 3 * rows[row, order[column]] + 0.001 * noise[row, column]
      }
    }
    let units = try UnitMatching(PairedRows(rows, shuffled))
    for match in try units.matches() { #expect(order[match.second] == match.first) }
    let same = try ConvergentMatching().measure(PairedRows(rows, shuffled), in: run)
    #expect(same.value > 0.999 && same.warnings.contains { $0.hasPrefix("local") })
    let rotation = try LinearAlgebra.thinQR(
      gaussianMatrix(rowCount: 12, columnCount: 12, seed: seed + 77)
    ).q
    let turned = try ConvergentMatching().measure(
      PairedRows(rows, LinearAlgebra.product(rows, rotation)), in: run)
    #expect(turned.value < 0.8, "\(turned.value)")
    #expect(try Self.number(turned, "canonical") > 0.99)
    #expect(turned.warnings.contains { $0.hasPrefix("subspace only") }, "\(turned.warnings)")
    let other = try ConvergentMatching().measure(
      PairedRows(rows, gaussianMatrix(rowCount: 400, columnCount: 12, seed: seed + 31)), in: run)
    #expect(other.value < 0.2)
    #expect(other.warnings.contains { $0.hasPrefix("unrelated") }, "\(other.warnings)")
    #expect(try Self.number(same, "by_chance") < 0.25)
  }

  @Test(arguments: 0..<4)
  func `few units explain what one does not`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 9, seed: seed)
    // Each unit of the second is the sum of three of the first.
    var second = Matrix(rowCount: 300, columnCount: 4)
    for row in 0..<300 {
      for unit in 0..<4 {
        second[row, unit] = (0..<3).reduce(0) { $0 + rows[row, (2 * unit + $1) % 9] }
      }
    }
    let units = try UnitMatching(PairedRows(rows, second))
    for (unit, found) in try units.predictions(from: 3).enumerated() {
      #expect(found.unit == unit)
      #expect(Set(found.predictors) == Set((0..<3).map { (2 * unit + $0) % 9 }), "unit \(unit)")
      #expect(found.explained.count == 3 && found.explained[2] > 0.999, "\(found.explained)")
      #expect(found.explained[0] < 0.6)
      for (a, b) in zip(found.explained, found.explained.dropFirst()) { #expect(b >= a - 1e-6) }
    }
    let single = try ConvergentMatching(predictorCount: 1).measure(
      PairedRows(rows, second), in: RunContext())
    #expect(single.parts.count { $0.name == "explained_by_1" } == 1)
  }

  @Test(arguments: 0..<4)
  func `units of one group are put together`(seed: UInt64) throws {
    // Three sources, each behind three units of either side.
    let sources = gaussianMatrix(rowCount: 500, columnCount: 3, seed: seed)
    let noise = gaussianMatrix(rowCount: 500, columnCount: 18, seed: seed + 5)
    func side(_ offset: Int) -> Matrix {
      var rows = Matrix(rowCount: 500, columnCount: 9)
      for row in 0..<500 {
        for unit in 0..<9 {
          rows[row, unit] = sources[row, unit % 3] + 0.5 * noise[row, offset + unit]
        }
      }
      return rows
    }
    let units = try UnitMatching(PairedRows(side(0), side(9)))
    let groups = try units.groups(3, in: RunContext(seed: seed))
    #expect(groups.count == 3)
    for group in groups {
      #expect(Set(group.first.map { $0 % 3 }).count == 1 && group.first.count == 3)
      #expect(Set(group.second.map { $0 % 3 }) == Set(group.first.map { $0 % 3 }))
      #expect(try #require(group.similarity) > 0.2)
    }
  }

  @Test func `what cannot be matched is one error`() throws {
    let rows = gaussianMatrix(rowCount: 30, columnCount: 4, seed: 1)
    let run = RunContext()
    func measure(_ a: Matrix, _ b: Matrix, _ settings: ConvergentMatching = .init()) throws {
      _ = try settings.measure(PairedRows(a, b), in: run)
    }
    let two = rows.selecting(rows: [0, 1])
    expectError(.badData, "at least 3 rows, got 2") { try measure(two, two) }
    let dead = Matrix(rowCount: 30, columnCount: 2) { $0.update(repeating: 1) }
    expectError(.badData, "second matrix is dead") { try measure(rows, dead) }
    let wide = Matrix(rowCount: 3, columnCount: 20_001)
    expectError(.unsupported, "20001", "GB") { try measure(wide, wide) }
    expectError(.invalidArgument, "predictor") {
      try measure(rows, rows, ConvergentMatching(predictorCount: 0))
    }
    expectError(.invalidArgument, "groups") {
      try measure(rows, rows, ConvergentMatching(clusterCount: -1))
    }
    expectError(.invalidArgument, "clusters") {
      try measure(rows, rows, ConvergentMatching(clusterCount: 9))
    }
    let plain = try ConvergentMatching(predictedCount: 0, clusterCount: 0).measure(
      PairedRows(rows, rows), in: run)
    #expect(!plain.parts.contains { $0.name.hasPrefix("explained") || $0.name == "groups" })
    #expect(plain.warnings.contains { $0.contains("30 rows are few") })
    #expect(
      try JSONDecoder().decode(ConvergentMatching.self, from: Data("{}".utf8))
        == ConvergentMatching())
  }
}
