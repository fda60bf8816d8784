import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisSelection

@Suite struct TAROTTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      var n: Int
      var m: Int
      var p: Int
      var budget: Int
      var candidates: [Double]
      var targets: [Double]
      var kept: [Int]
      var mean: [Int]
      var distance: Double
      var all: Double
    }

    var cases: [Case]
  }

  private func input(_ one: Fixture.Case) throws -> TargetedRows {
    try TargetedRows(
      Matrix(rowCount: one.n, columnCount: one.p, values: one.candidates.map { Float($0) }),
      targets: Matrix(rowCount: one.m, columnCount: one.p, values: one.targets.map { Float($0) }))
  }

  @Test func `layers, cuts and distances are those of the formulas`() throws {
    for one in try fixture("tarot", Fixture.self).cases {
      let input = try input(one)
      let share = Double(one.budget) / Double(one.n)
      let settings = TAROTSelector(fraction: share)
      #expect(try settings.select(input, in: RunContext()).indices == one.kept)
      let mean = TAROTSelector(fraction: share, variant: .mean)
      #expect(try mean.select(input, in: RunContext()).indices == one.mean)
      #expect(abs(try settings.distance(of: one.kept, input) - one.distance) < 1e-3 * one.distance)
      let all = try settings.distance(of: Array(0..<one.n), input)
      #expect(abs(all - one.all) < 1e-3 * one.all)
    }
  }

  /// Targets at four places, a few at the last, and candidates there and all around.
  private func modes(_ seed: UInt64) throws -> (input: TargetedRows, kinds: [Int]) {
    var generator = RandomGenerator(seed: seed)
    let centers = gaussianMatrix(rowCount: 4, columnCount: 8, seed: seed + 7)
    func rows(_ kinds: [Int]) -> Matrix {
      Matrix(rowCount: kinds.count, columnCount: 8) { out in
        for (row, kind) in kinds.enumerated() {
          for column in 0..<8 {
            let noise = Float(generator.nextGaussian())
            out[row * 8 + column] = kind < 0 ? 2 * noise : 3 * centers[kind, column] + 0.3 * noise
          }
        }
      }
    }
    let kinds = (0..<240).map { $0 % 6 < 4 && $0 < 120 ? $0 % 6 : -1 }
    let targets = (0..<40).map { $0 < 24 ? 0 : $0 < 32 ? 1 : $0 < 38 ? 2 : 3 }
    return (try TargetedRows(rows(kinds), targets: rows(targets)), kinds)
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `rare kinds are kept, and what is kept is nearer than by the mean`(seed: UInt64) throws {
    let (input, kinds) = try modes(seed)
    let run = RunContext(seed: seed)
    let settings = TAROTSelector(fraction: 0.15)
    let found = try settings.select(input, in: run)
    let mean = try TAROTSelector(fraction: 0.15, variant: .mean, whitening: .none)
      .select(input, in: run)
    let random = try TAROTSelector(fraction: 0.15, variant: .random).select(input, in: run)
    for one in [found, mean, random] { #expect(one.indices.count == 36) }
    #expect(found.indices.count { kinds[$0] == 3 } >= 2)
    let distance = try settings.distance(of: found.indices, input)
    #expect(distance < (try settings.distance(of: mean.indices, input)))
    #expect(distance < (try settings.distance(of: random.indices, input)))
    // The sizes of folds depend on nothing but the seed, and relevant rows are most of them.
    let folded = try TAROTSelector(mode: .automatic, foldCount: 5).select(input, in: run)
    #expect(folded.indices.count > 10 && folded.indices.count < 160)
    let relevant = folded.indices.count { kinds[$0] >= 0 }
    #expect(Double(relevant) > 0.5 * Double(folded.indices.count))
    let again = try TAROTSelector(mode: .automatic, foldCount: 5)
      .select(input, in: RunContext(seed: seed, threadLimit: 1))
    #expect(again.indices == folded.indices)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `whitening gives the identity, whatever the features were mixed by`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 120, columnCount: 6, seed: seed)
    let others = gaussianMatrix(rowCount: 40, columnCount: 6, seed: seed + 50)
    var mix = gaussianMatrix(rowCount: 6, columnCount: 6, seed: seed + 90)
    for index in 0..<6 { mix[index, index] += 3 }
    let map = try Whitener(rows, others, ridge: 1e-5, in: RunContext())
    let both = [try map.apply(rows, in: RunContext()), try map.apply(others, in: RunContext())]
    for first in 0..<6 {
      for second in 0...first {
        var sum = 0.0
        for part in both {
          for row in 0..<part.rowCount {
            sum += Double(part[row, first]) * Double(part[row, second])
          }
        }
        #expect(abs(sum / 160 - (first == second ? 1 : 0)) < 1e-3)
      }
    }
    let mixed = try TargetedRows(
      LinearAlgebra.product(rows, mix), targets: LinearAlgebra.product(others, mix))
    let settings = TAROTSelector(fraction: 0.25)
    let (a, b) = (
      try settings.select(TargetedRows(rows, targets: others), in: RunContext()).indices,
      try settings.select(mixed, in: RunContext()).indices
    )
    // A pair may change places where rounding decides.
    #expect(Set(a).intersection(b).count >= 29)
  }

  @Test func `weights add up`() throws {
    let (input, _) = try modes(3)
    let found = try TAROTSelector(fraction: 0.1, weighs: true).select(input, in: RunContext())
    #expect(found.weights.count == 24)
    #expect(found.weights.allSatisfy { $0 >= 0 && $0 == $0.rounded() })
    // The 40 targets have what the dearest has, or one less where remainders end.
    let most = try #require(found.weights.max())
    let rest = 240 - found.weights.reduce(0, +)
    #expect(rest <= 40 * most && rest >= 40 * (most - 1))
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `counts are shares that were cut, and one more for the largest remainders`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let worths = (0..<17).map { _ in generator.nextDouble() }
    let sum = worths.reduce(0, +)
    for total in [1, 5, 17, 240] {
      let counts = TargetSpace.counts(worths, total: total)
      #expect(counts.reduce(0, +) == total)
      let shares = worths.map { $0 / sum * Double(total) }
      for (count, share) in zip(counts, shares) { #expect([0, 1].contains(count - Int(share))) }
      let given = counts.indices.filter { counts[$0] > Int(shares[$0]) }
      let left = counts.indices.filter { counts[$0] == Int(shares[$0]) }
      let least = given.map { shares[$0] - Double(Int(shares[$0])) }.min() ?? 1
      #expect(left.allSatisfy { shares[$0] - Double(Int(shares[$0])) <= least })
    }
    // 2.5, 2.5, 5: the first of equal remainders.
    #expect(TargetSpace.counts([1, 1, 2], total: 10) == [3, 2, 5])
  }

  @Test func `what it cannot choose is an error, and the odd is told`() throws {
    let rows = gaussianMatrix(rowCount: 20, columnCount: 3, seed: 1)
    let few = rows.selecting(rows: 0..<4)
    let input = try TargetedRows(rows, targets: few)
    let run = RunContext()
    expectError(.badData, "got 20 and 0") {
      try TargetedRows(rows, targets: rows.selecting(rows: []))
    }
    expectError(.dimensionMismatch, "3 columns", "2") {
      try TargetedRows(rows, targets: few.prefix(columns: 2))
    }
    for settings in [
      TAROTSelector(fraction: 0), TAROTSelector(fraction: 1.1), TAROTSelector(ridge: 0),
      TAROTSelector(similarityFloor: 2), TAROTSelector(blur: 0),
    ] {
      expectError(.invalidArgument, "tarot") { try settings.select(input, in: run) }
    }
    expectError(.invalidArgument, "10 folds of 4 targets") {
      try TAROTSelector(mode: .automatic).select(input, in: run)
    }
    expectError(.invalidArgument, "fraction") {
      try TAROTSelector(mode: .automatic, variant: .mean, foldCount: 2).select(input, in: run)
    }
    expectError(.invalidArgument, "0 to 19") { try TAROTSelector().distance(of: [20], input) }
    expectError(.invalidArgument, "candidate rows and target rows", "1 matrix") {
      try SelectionCatalogue.entry(named: "tarot").run(MethodParts([rows]))
    }
    #expect(try TAROTSelector(fraction: 1).select(input, in: run).indices == Array(0..<20))
    #expect(try TAROTSelector(fraction: 0.01).select(input, in: run).indices.count == 1)
    // More features than rows, and rows that are all alike.
    let wide = gaussianMatrix(rowCount: 5, columnCount: 12, seed: 2)
    let told = try TAROTSelector().select(TargetedRows(wide, targets: wide), in: run)
    #expect(told.warnings.contains { $0.contains("12 features of 10 rows") })
    let same = Matrix(rowCount: 6, columnCount: 2)
    let alike = try TAROTSelector(fraction: 0.5).select(TargetedRows(same, targets: same), in: run)
    #expect(alike.indices.count == 3)
    #expect(alike.warnings.contains { $0.hasPrefix("12 rows have no direction") })
    let settings = try JSONDecoder().decode(
      TAROTSelector.self, from: Data(#"{"mode": "auto", "foldCount": 3}"#.utf8))
    #expect(settings == TAROTSelector(mode: .automatic, foldCount: 3))
  }
}
