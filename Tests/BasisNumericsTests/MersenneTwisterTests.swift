import Foundation
import Testing

@testable import BasisNumerics

/// Against libstdc++, bit by bit: `Scripts/oracles/mersenne_twister.py`.
@Suite struct MersenneTwisterTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      struct Integers: Decodable {
        var first: Int
        var last: Int
        var draws: [Int]
        var next: [UInt64]
      }

      var engine: String
      var seed: UInt64
      var words: [UInt64]
      var later: [UInt64]
      var doubles: [UInt64]
      var floats: [UInt32]
      var integers: [Integers]
      var normals: [UInt64]
      var scaled: [UInt64]
      var floatNormals: [UInt32]
      var after: [UInt64]
    }

    var cases: [Case]
  }

  @Test func `draws are those of libstdc++`() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "mersenne_twister", withExtension: "json", subdirectory: "Fixtures"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    #expect(fixture.cases.count == 6)
    for expected in fixture.cases {
      if expected.engine == "mt19937" {
        check(MersenneTwister(seed: UInt32(expected.seed)), expected)
      } else {
        check(MersenneTwister64(seed: expected.seed), expected)
      }
    }
  }

  private func check(_ fresh: some RandomWordGenerator, _ expected: Fixture.Case) {
    let note = Comment(rawValue: "\(expected.engine), seed \(expected.seed)")
    var words = fresh
    #expect(expected.words.map { _ in UInt64(words.nextWord()) } == expected.words, note)
    for _ in 0..<1_000 { _ = words.nextWord() }
    #expect(expected.later.map { _ in UInt64(words.nextWord()) } == expected.later, note)

    var fractions = fresh
    #expect(expected.doubles.map { _ in fractions.nextDouble().bitPattern } == expected.doubles)
    #expect(expected.floats.map { _ in fractions.nextFloat().bitPattern } == expected.floats)

    for integers in expected.integers {
      var generator = fresh
      let range = integers.first...integers.last
      #expect(integers.draws.map { _ in generator.nextInt(in: range) } == integers.draws, note)
      // As many words went into them.
      #expect([UInt64(generator.nextWord())] == integers.next, note)
    }

    var generator = fresh
    var normal = PolarNormal<Double>()
    #expect(
      expected.normals.map { _ in normal.next(using: &generator).bitPattern } == expected.normals)
    var scaled = PolarNormal<Double>(mean: -2.5, standardDeviation: 0.75)
    #expect(
      expected.scaled.map { _ in scaled.next(using: &generator).bitPattern } == expected.scaled)
    var small = PolarNormal<Float>()
    #expect(
      expected.floatNormals.map { _ in small.next(using: &generator).bitPattern }
        == expected.floatNormals)
    #expect([UInt64(generator.nextWord())] == expected.after)
  }

  /// What the C++ standard asks of every implementation, [rand.predef].
  @Test func `the ten thousandth words are those of the standard`() {
    var small = MersenneTwister()
    var large = MersenneTwister64()
    for _ in 1..<10_000 {
      _ = small.nextWord()
      _ = large.nextWord()
    }
    #expect(small.nextWord() == 4_123_659_995)
    #expect(large.nextWord() == 9_981_545_732_273_789_042)
  }

  @Test func `fractions stay below one`() {
    struct Highest<Word: FixedWidthInteger & UnsignedInteger & Sendable>: RandomWordGenerator {
      mutating func nextWord() -> Word { .max }
    }
    var small = Highest<UInt32>()
    var large = Highest<UInt64>()
    #expect(small.nextDouble() == 1.0.nextDown && large.nextDouble() == 1.0.nextDown)
    #expect(small.nextFloat() == Float(1).nextDown && large.nextFloat() == Float(1).nextDown)
  }

  @Test(arguments: 0..<20 as Range<UInt32>) func `integers stay in their range`(seed: UInt32) {
    var small = MersenneTwister(seed: seed)
    var large = MersenneTwister64(seed: UInt64(seed))
    for range in [0...0, -3...3, Int.min...Int.min, Int.max - 1...Int.max, Int.min...Int.max] {
      for _ in 0..<50 {
        #expect(range.contains(small.nextInt(in: range)))
        #expect(range.contains(large.nextInt(in: range)))
      }
    }
  }

  @Test func `a copy goes its own way`() {
    var one = MersenneTwister(seed: 7)
    var two = one
    let first = (0..<700).map { _ in one.nextWord() }
    #expect((0..<700).map { _ in two.nextWord() } == first)
  }
}
