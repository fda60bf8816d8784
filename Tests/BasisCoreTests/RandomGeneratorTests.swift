import BasisCore
import Testing

/// The streams are a promise: what a seed gives today, it gives in every later version. The
/// numbers come from `Scripts/oracles/random_generator.py`.
@Suite struct RandomGeneratorTests {
  @Test(
    arguments: [
      (0, [0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0]),
      (1, [0xB3F2_AF6D_0FC7_10C5, 0x853B_5596_4736_4CEA, 0x92F8_9756_082A_4514]),
      (0xDEAD_BEEF, [0xC555_5444_A74D_7E83, 0x65C3_0D37_B4B1_6E38, 0x54F7_7320_0A4E_FA23]),
      (UInt64.max, [0x8F55_20D5_2A7E_AD08, 0xC476_A018_CAA1_802D, 0x81DE_31C0_D260_469E]),
    ] as [(UInt64, [UInt64])])
  func `a seed gives these numbers`(seed: UInt64, expected: [UInt64]) {
    var generator = RandomGenerator(seed: seed)
    #expect(expected.map { _ in generator.next() } == expected)
  }

  @Test(
    arguments: [
      (0, "sample", 0, [0x6680_EEF3_B549_0535, 0x1BE4_93C5_094F_0241]),
      (0, "sample", 1, [0x8F09_3FC8_5998_51D1, 0xE041_4817_0022_7314]),
      (7, "randomized-svd", 0, [0xD5F0_FAF8_74C2_BAFD, 0xEED2_4C0A_6DBE_F3D1]),
    ] as [(UInt64, String, Int, [UInt64])])
  func `a named stream gives these numbers`(
    seed: UInt64, name: String, chunk: Int, expected: [UInt64]
  ) {
    var generator = RunContext(seed: seed).generator(name, chunk: chunk)
    #expect(expected.map { _ in generator.next() } == expected)
  }

  @Test func `derived draws give these values`() {
    var generator = RandomGenerator(seed: 42)
    #expect(
      (0..<3).map { _ in generator.nextDouble() }
        == [0.08386297105988216, 0.3789802506626686, 0.6800434110281394])
    generator = RandomGenerator(seed: 42)
    #expect(
      (0..<12).map { _ in generator.nextInt(below: 10) } == [0, 3, 6, 9, 9, 7, 7, 8, 7, 5, 6, 2])
    generator = RandomGenerator(seed: 42)
    var order = Array(0..<10)
    generator.shuffle(&order)
    #expect(order == [9, 1, 4, 2, 8, 7, 6, 5, 3, 0])
  }

  @Test(arguments: [2, 3, 7, 10, 64, 100]) func `integers are uniform`(bound: Int) {
    let drawCount = 20_000
    for seed in 0..<10 as Range<UInt64> {
      var generator = RandomGenerator(seed: seed)
      var counts = [Double](repeating: 0, count: bound)
      for _ in 0..<drawCount { counts[generator.nextInt(below: bound)] += 1 }
      let expected = Double(drawCount) / Double(bound)
      let statistic = counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
      // Laurent & Massart (2000), lemma 1, at x = 16: exceeded with probability 10⁻⁷ at most.
      let freedom = Double(bound - 1)
      #expect(statistic <= freedom + 2 * (freedom * 16).squareRoot() + 32)
    }
  }

  @Test func `integers below a bound near the word's end are not biased`() {
    // Without rejection, the lower half of the range would come up two times in three.
    let bound = 3 << 61
    var generator = RandomGenerator(seed: 3)
    let low = (0..<20_000).count { _ in generator.nextInt(below: bound) < bound / 2 }
    // Six standard deviations.
    #expect(abs(low - 10_000) < 425)
  }

  @Test func `fractions are below one and centred`() {
    var generator = RandomGenerator(seed: 9)
    let doubles = (0..<20_000).map { _ in generator.nextDouble() }
    let floats = (0..<20_000).map { _ in Double(generator.nextFloat()) }
    for values in [doubles, floats] {
      #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
      // Six standard deviations: 1/√12 for one value, and √20,000 = 141.4.
      let mean: Double = values.reduce(0, +) / 20_000
      #expect(abs(mean - 0.5) < 0.01225)
    }
  }

  @Test func `gaussians have mean 0 and variance 1`() {
    var generator = RandomGenerator(seed: 10)
    let values = (0..<20_000).map { _ in generator.nextGaussian() }
    let mean: Double = values.reduce(0, +) / 20_000
    let variance: Double = values.map { $0 * $0 }.reduce(0, +) / 20_000
    // Six standard deviations: 1 and √2 for one value.
    #expect(abs(mean) < 0.0425)
    #expect(abs(variance - 1) < 0.06)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `samples are rising, different and inside`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let count = generator.nextInt(below: 50)
    let k = generator.nextInt(below: count + 1)
    let sample = generator.sample(k, of: count)
    #expect(sample.count == k)
    #expect(zip(sample, sample.dropFirst()).allSatisfy { $0 < $1 })
    #expect(sample.allSatisfy { $0 >= 0 && $0 < count })
    #expect(generator.sample(count, of: count) == Array(0..<count))
  }

  @Test func `shuffling reaches every order about equally often`() {
    var counts: [[Int]: Int] = [:]
    var generator = RandomGenerator(seed: 11)
    for _ in 0..<12_000 {
      var order = [0, 1, 2, 3]
      generator.shuffle(&order)
      counts[order, default: 0] += 1
    }
    #expect(counts.count == 24)
    // Six standard deviations about 500.
    #expect(counts.values.allSatisfy { abs($0 - 500) < 132 })
  }
}
