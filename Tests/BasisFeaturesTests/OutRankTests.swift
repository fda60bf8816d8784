import BasisCore
import Testing
import _BasisTestSupport

@testable import BasisFeatures

@Suite struct OutRankTests {
  struct Fixture: Decodable {
    struct Table: Decodable {
      var x: [Int]
      var y: [Int]
      var mi: Double
      var ami: Double
      var shift: Double
      var expected: Double
      var coverage: Double
      var shuffled: Double
      var deviation: Double
      var pearson: Double
    }

    var shuffles: Int
    var tables: [Table]
  }

  private func statistic(
    _ score: ColumnScore, _ table: Fixture.Table, seed: UInt64 = 0
  ) throws -> ColumnStatistic {
    try OutRank(heuristic: score)
      .rank(labeled([("x", table.x)], table.y), in: RunContext(seed: seed)).features[0].statistic
  }

  @Test func `counts, chance and the reference's kernel`() throws {
    let fixture = try fixture("outrank", Fixture.self)
    #expect(fixture.tables.count >= 20)
    for (number, table) in fixture.tables.enumerated() {
      let plain = try statistic(.mutualInformation, table)
      #expect(abs(plain.value - table.mi) < 1e-12, "\(number)")
      #expect(plain.expected == nil && plain.z == nil)
      // The kernel works in single precision.
      let shift = try statistic(.corrected(.shift), table)
      #expect(abs(shift.excess - table.shift) < 1e-5, "\(number): \(shift) \(table.shift)")
      let exact = try statistic(.corrected(.exact), table)
      #expect(abs((exact.expected ?? 0) - table.expected) < 1e-11, "\(number)")
      let error = table.deviation / Double(fixture.shuffles).squareRoot()
      #expect(abs((exact.expected ?? 0) - table.shuffled) <= 3 * error + 1e-12, "\(number)")
      // So many draws know a standard deviation to about 0.7 %.
      #expect(
        abs((exact.deviation ?? 0) - table.deviation) <= 0.03 * table.deviation + 1e-12,
        "\(number): \(exact.deviation ?? 0) \(table.deviation)")
      #expect(
        abs(try statistic(.adjustedMutualInformation, table).value - table.ami) < 1e-10, "\(number)"
      )
      #expect(abs(try statistic(.pearson, table).value - table.pearson) < 1e-12, "\(number)")
      #expect(try statistic(.coverage, table).value == table.coverage, "\(number)")
      #expect(try statistic(.constant, table).value == 0)
    }
  }

  @Test(arguments: FeatureCatalogue.entries.map(\.descriptor.name))
  func `a method keeps to what all methods do`(name: String) throws {
    let entry = try FeatureCatalogue.entry(named: name)
    var generator = RandomGenerator(seed: 4)
    let labels = draws(90, below: 3, &generator)
    let matrix = Matrix(rowCount: 90, columnCount: 5) { floats in
      for place in floats.indices {
        let (row, column) = (place / 5, place % 5)
        floats[place] = Float(
          column == 2 ? labels[row] % 2 : generator.nextInt(below: 2 + 3 * column))
      }
    }
    try checkMethod(entry, MethodParts([matrix], labels: labels)) { ranking in
      ranking.features.flatMap { [$0.score, $0.relevance, $0.statistic.z ?? .nan] }
    }
    expectError(.invalidArgument, "'luck'", "outrank") {
      try FeatureCatalogue.entry(named: "luck")
    }
    #expect(try FeatureCatalogue.ranker(named: name) is OutRank == (name == "outrank"))
  }

  @Test func `settings come back from their names`() throws {
    for name in [
      "mi", "mi-exact", "mi-shift", "mi-permutations:16", "ami", "pearson", "surrogate-lr",
      "constant",
    ] {
      #expect(ColumnScore(rawValue: name)?.rawValue == name)
      let ranker = try FeatureCatalogue.ranker(
        named: "outrank", settings: "{\"heuristic\": \"\(name)\", \"order\": 2}")
      #expect((ranker as? OutRank)?.heuristic.rawValue == name && (ranker as? OutRank)?.order == 2)
    }
    for name in ["mi-permutations:1", "mi-permutations", "luck", "mi-permutations:2:3"] {
      #expect(ColumnScore(rawValue: name) == nil)
      expectError(.invalidArgument, "outrank", "heuristic") {
        try FeatureCatalogue.ranker(named: "outrank", settings: "{\"heuristic\": \"\(name)\"}")
      }
    }
  }

  @Test func `surrogate models lose what scikit-learn's lose`() throws {
    let cases = try fixture("surrogate", SurrogateFixture.self).surrogates
    #expect(cases.count >= 8)
    for (number, one) in cases.enumerated() {
      let found = try OutRank(heuristic: .surrogate)
        .rank(labeled([("x", one.x)], one.y), in: RunContext()).features[0]
      #expect(abs(found.statistic.value - one.score) < 2e-6, "\(number): \(found) \(one.score)")
      #expect(found.statistic.z == nil)
    }
  }

  struct SurrogateFixture: Decodable {
    struct Surrogate: Decodable {
      var x: [Int]
      var y: [Int]
      var score: Double
    }

    struct Leading: Decodable {
      var x: [Int]
      var y: [Int]
      var share: Double
      var plain: Double
      var shift: Double
    }

    var surrogates: [Surrogate]
    var leading: [Leading]
  }

  @Test func `leading rows are the reference's approximation`() throws {
    let cases = try fixture("surrogate", SurrogateFixture.self).leading
    #expect(cases.count >= 6)
    for (number, one) in cases.enumerated() {
      for (score, wanted) in [
        (ColumnScore.mutualInformation, one.plain), (.corrected(.shift), one.shift),
      ] {
        let settings = OutRank(
          heuristic: score, subsample: one.share, subsampleRule: .leading)
        let found = try settings.rank(labeled([("x", one.x)], one.y), in: RunContext())
        // The kernel works in single precision.
        let value = found.features[0].statistic.excess
        #expect(abs(value - wanted) < 1e-5, "\(number): \(value) \(wanted)")
      }
    }
    expectError(.invalidArgument, "mi-exact", "random") {
      try OutRank(subsample: 0.5, subsampleRule: .leading)
        .rank(labeled([("x", [0, 1])], [0, 1]), in: RunContext())
    }
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `random columns end where signals end`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let n = 3_000
    let label = draws(n, below: 2, &generator)
    var columns = [3, 60, 900].map { ("noise \($0)", draws(n, below: $0, &generator)) }
    // A column of that name is the table's own.
    columns.append(
      ("random 1", label.map { generator.nextDouble() < 0.3 ? $0 : generator.nextInt(below: 8) }))
    columns.append(
      ("weak", label.map { generator.nextDouble() < 0.2 ? $0 : generator.nextInt(below: 40) }))
    let table = try labeled(columns, label)
    for heuristic in [ColumnScore.corrected(.exact), .surrogate] {
      let found = try OutRank(heuristic: heuristic, noiseColumnCount: 5)
        .rank(table, in: RunContext(seed: seed))
      #expect(found.features.count == 10 && found.features.count { $0.isNoise } == 5)
      let cut = try #require(found.noiseCut)
      let above = found.features.filter { $0.relevance > cut }.map(\.name)
      #expect(Set(["random 1", "weak"]).isSubset(of: above), "\(above)")
      #expect(above.count <= 3 && !found.features[0].isNoise, "\(above)")
      let cards = found.features.filter(\.isNoise).map(\.cardinality).sorted()
      #expect(cards[0] == 2 && cards[4] > 2_000)
    }
    // Plain information holds the random column of most values for the best.
    let plain = try OutRank(heuristic: .mutualInformation, noiseColumnCount: 5)
      .rank(table, in: RunContext(seed: seed))
    #expect(plain.features[0].isNoise && plain.features[0].cardinality > 2_000)
    #expect(try OutRank().rank(table, in: RunContext()).noiseCut == nil)
    // Batches have the same random columns by name.
    let batches = try OutRank(batchSize: 1_000, noiseColumnCount: 2)
      .rank(table, in: RunContext(seed: seed))
    #expect(batches.batchCount == 3 && batches.features.count == 7)
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `a share of the rows says nearly what all say`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed + 40)
    let n = 8_000
    let label = draws(n, below: 2, &generator)
    let signal = label.map { generator.nextDouble() < 0.5 ? $0 : generator.nextInt(below: 6) }
    let table = try labeled([("signal", signal), ("noise", draws(n, below: 6, &generator))], label)
    let all = try OutRank().rank(table, in: RunContext(seed: seed))
    let some = try OutRank(subsample: 0.25).rank(table, in: RunContext(seed: seed, threadLimit: 2))
    #expect(some.features.map(\.name) == all.features.map(\.name))
    let (a, b) = (some.features[0].statistic.value, all.features[0].statistic.value)
    #expect(a != b && abs(a - b) < 0.2 * b, "\(a) \(b)")
    // A quarter of the rows, so that the noise of chance is four times as large.
    let (chance, whole) = (
      some.features[1].statistic.expected ?? 0, all.features[1].statistic.expected ?? 0
    )
    #expect(abs(chance / whole - 4) < 0.1)
    // Rows in another order are other rows, but the ranking is that of the seed.
    let again = try OutRank(subsample: 0.25).rank(table, in: RunContext(seed: seed))
    #expect(again.features == some.features)
    for settings in [
      OutRank(subsample: 0), OutRank(subsample: 1.5), OutRank(subsample: .nan),
      OutRank(noiseColumnCount: 21), OutRank(noiseColumnCount: -1),
    ] {
      expectError(.invalidArgument, "subsample") { try settings.rank(table, in: RunContext()) }
    }
  }

  @Test func `a needle and its multiple among three hundred columns come first`() throws {
    var generator = RandomGenerator(seed: 30)
    var columns = (0..<300).map { ("c\($0)", draws(1500, below: 90, &generator).map { $0 + 10 }) }
    columns[31].1 = columns[30].1.map { 3 * $0 }
    let found = try OutRank().rank(labeled(columns, columns[30].1), in: RunContext())
    #expect(Set(found.features.prefix(2).map(\.name)) == ["c30", "c31"])
    #expect(found.features[0].score == 1 && (found.features[1].statistic.z ?? 0) > 50)
    #expect(found.features[299].score == 0)
  }

  @Test func `chance stays chance at every number of values, and a weak signal comes first`() throws
  {
    var generator = RandomGenerator(seed: 5)
    let n = 20_000
    let label = draws(n, below: 2, &generator)
    var columns = [2, 10, 100, 1000, 5000, 20_000, 2_000_000].map {
      ("noise \($0)", draws(n, below: $0, &generator))
    }
    // The tenth value knows a little.
    columns.append(
      (
        "signal",
        label.map { $0 == 1 && generator.nextDouble() < 0.06 ? 9 : generator.nextInt(below: 10) }
      ))
    let table = try labeled(columns, label)
    let exact = try OutRank().rank(table, in: RunContext())
    for feature in exact.features where feature.name != "signal" {
      #expect(abs(feature.statistic.z ?? .nan) < 4, "\(feature)")
    }
    #expect(exact.features[0].name == "signal" && (exact.features[0].statistic.z ?? 0) > 10)
    let plain = try OutRank(heuristic: .mutualInformation).rank(table, in: RunContext())
    let order = plain.features.filter { $0.name != "signal" }.map(\.cardinality)
    #expect(order == order.sorted(by: >))
    #expect(plain.features[0].name == "noise 2000000")
  }

  @Test func `two columns tell what neither does`() throws {
    var generator = RandomGenerator(seed: 8)
    let (a, b) = (draws(900, below: 2, &generator), draws(900, below: 2, &generator))
    var columns = (0..<6).map { ("noise \($0)", draws(900, below: 2 + 20 * $0, &generator)) }
    columns.insert(("a", a), at: 2)
    columns.append(("b", b))
    let table = try labeled(columns, zip(a, b).map { $0 ^ $1 })
    let found = try OutRank(order: 2).rank(table, in: RunContext())
    #expect(found.features.count == 8 + 28)
    #expect(found.features[0].columns == ["a", "b"] && found.features[0].name == "a × b")
    #expect(abs(found.features[0].statistic.value - logarithm(2.0)) < 0.01)
    for name in ["a", "b"] {
      let single = try #require(found.features.first { $0.name == name })
      #expect(abs(single.statistic.z ?? .nan) < 4)
    }
    let order = try ThreeMR().rank(table, in: RunContext()).features.map(\.name)
    #expect(Set(order.prefix(2)) == ["a", "b"] && order.count == 8)
    var plain = ThreeMR()
    plain.startsWithPairs = false
    let greedy = try plain.rank(table, in: RunContext()).features.map(\.name)
    let places = ["a", "b"].compactMap { greedy.firstIndex(of: $0) }
    #expect(abs(places[0] - places[1]) == 1, "\(greedy)")
  }

  @Test(arguments: ThreeMR.Aggregate.allCases, [true, false])
  func `3MR is its formula`(aggregate: ThreeMR.Aggregate, usesMI: Bool) throws {
    var generator = RandomGenerator(seed: 9)
    let label = draws(300, below: 3, &generator)
    let columns = (0..<7).map { column in
      (
        "c\(column)",
        label.map {
          generator.nextInt(below: 7) < column ? $0 % 2 : generator.nextInt(below: 3 + column)
        }
      )
    }
    let table = try labeled(columns, label)
    var ranker = ThreeMR(
      heuristic: usesMI ? .mutualInformation : .corrected(.exact), redundancyWeight: 0.7,
      relationWeight: 1.3, aggregate: aggregate)
    ranker.startsWithPairs = false
    let found = try ranker.rank(table, in: RunContext())

    func score(_ x: CountedColumn, _ y: CountedColumn) throws -> Double {
      try ColumnScorer(ranker.heuristic, target: y, stream: "", in: RunContext())
        .statistic(x, in: RunContext()).excess
    }
    let counted = table.features.map { CountedColumn($0) }
    let target = CountedColumn(table.target)
    func scaled(_ values: [[Int]: Double]) -> [[Int]: Double] {
      let (low, high) = (values.values.min() ?? 0, values.values.max() ?? 1)
      return values.mapValues { ($0 - low) / (high - low) }
    }
    var (rel, red, rel2) = ([[Int]: Double](), [[Int]: Double](), [[Int]: Double]())
    for i in 0..<7 {
      rel[[i]] = try score(counted[i], target)
      for j in 0..<i {
        red[[j, i]] = try score(counted[i], counted[j])
        rel2[[j, i]] = try score(counted[i].joined(with: counted[j]), target)
      }
    }
    (rel, red, rel2) = (scaled(rel), scaled(red), scaled(rel2))
    var chosen: [Int] = []
    while chosen.count < 7 {
      var best: (column: Int, gain: Double)?
      for column in 0..<7 where !chosen.contains(column) {
        let pairs = chosen.map { [min($0, column), max($0, column)] }
        func joined(_ scores: [[Int]: Double]) -> Double {
          let values = pairs.map { scores[$0] ?? .nan }.sorted()
          guard let first = values.first else { return 0 }
          let sum = values.reduce(0, +)
          switch aggregate {
          case .sum: return sum
          case .mean: return sum / Double(values.count)
          case .median:
            let half = values.count / 2
            return values.count % 2 == 1
              ? values[half] : (values[half - 1] + values[half]) / 2 + 0 * first
          }
        }
        let gain = (rel[[column]] ?? .nan) - 0.7 * joined(red) + 1.3 * joined(rel2)
        if gain > best?.gain ?? -.infinity { best = (column, gain) }
      }
      let next = try #require(best)
      #expect(abs(found.features[chosen.count].relevance - next.gain) < 1e-9)
      chosen.append(next.column)
    }
    #expect(found.features.map(\.name) == chosen.map { "c\($0)" })
  }

  @Test func `a copy comes late`() throws {
    var generator = RandomGenerator(seed: 12)
    let (a, b) = (draws(800, below: 4, &generator), draws(800, below: 4, &generator))
    let label = zip(a, b).map { (3 * $0 + $1) / 6 }
    let noise = draws(800, below: 4, &generator)
    let table = try labeled([("a", a), ("copy of a", a), ("noise", noise), ("b", b)], label)
    let order = try ThreeMR(relationWeight: 0).rank(table, in: RunContext()).features.map(\.name)
    #expect(order.prefix(2) == ["a", "b"])
  }

  @Test(arguments: [0, 100, 300])
  func `rows, names and values may change places`(batchSize: Int) throws {
    var generator = RandomGenerator(seed: 3)
    let label = draws(900, below: 2, &generator)
    let columns = (0..<5).map { column in
      (
        "c\(column)",
        label.map { generator.nextInt(below: 9) < column ? $0 : generator.nextInt(below: 40) }
      )
    }
    let ranker = OutRank(order: 2, batchSize: batchSize)
    let first = try ranker.rank(labeled(columns, label), in: RunContext())
    #expect(first.batchCount == (batchSize == 0 ? 1 : 900 / batchSize))
    // Other names for the values, and columns in another order.
    let renamed = try ranker.rank(
      labeled(columns.reversed().map { ($0.0, $0.1.map { 7919 - 3 * $0 }) }, label.map { 5 - $0 }),
      in: RunContext(threadLimit: 3))
    let values = Dictionary(
      uniqueKeysWithValues: renamed.features.map { (Set($0.columns), $0.relevance) })
    for feature in first.features {
      #expect(abs((values[Set(feature.columns)] ?? .nan) - feature.relevance) < 1e-12)
    }
  }

  @Test func `batches give medians, and their spread shrinks`() throws {
    var generator = RandomGenerator(seed: 6)
    let label = draws(1000, below: 2, &generator)
    let x = label.map { generator.nextInt(below: 3) == 0 ? $0 : generator.nextInt(below: 30) }
    let parts = try (0..<4).map { part in
      try labeled(
        [("x", Array(x[part * 250..<(part + 1) * 250]))],
        Array(label[part * 250..<(part + 1) * 250]))
    }
    let single = try parts.map { try OutRank().rank($0, in: RunContext()).features[0].statistic }
    let all = try OutRank(batchSize: 250).rank(labeled([("x", x)], label), in: RunContext())
    let statistic = all.features[0].statistic
    let excesses = single.map(\.excess).sorted()
    #expect(abs(statistic.excess - (excesses[1] + excesses[2]) / 2) < 1e-12)
    let squares = single.compactMap(\.deviation).reduce(0) { $0 + $1 * $1 }
    #expect(abs((statistic.deviation ?? 0) - squares.squareRoot() / 4) < 1e-12)
    // The last 100 rows are no batch.
    let short = try OutRank(batchSize: 300).rank(labeled([("x", x)], label), in: RunContext())
    #expect(short.batchCount == 3 && short.rowCount == 900 && short.warnings.count == 1)
  }

  @Test func `edges`() throws {
    let run = RunContext()
    // Wide tables of counts go row by row, with the same sums.
    var generator = RandomGenerator(seed: 1)
    let (x, y) = (draws(3000, below: 2500, &generator), draws(3000, below: 1900, &generator))
    var (joint, rows, columns) = ([[Int]: Int](), [Int: Int](), [Int: Int]())
    for (a, b) in zip(x, y) {
      joint[[a, b], default: 0] += 1
      rows[a, default: 0] += 1
      columns[b, default: 0] += 1
    }
    let truth = joint.reduce(0.0) { sum, cell in
      let k = Double(cell.value)
      let e = Double(rows[cell.key[0]] ?? 0) * Double(columns[cell.key[1]] ?? 0)
      return sum + k / 3000 * logarithm(k * 3000 / e)
    }
    let wide = try OutRank(heuristic: .mutualInformation).rank(labeled([("x", x)], y), in: run)
    #expect(abs(wide.features[0].statistic.value - truth) < 1e-10)
    let (a, b) = (
      CountedColumn(CategoricalColumn("", numbers: x)),
      CountedColumn(CategoricalColumn("", numbers: y))
    )
    #expect(a.joined(with: b).cardinality == joint.count)

    let two = try labeled([("x", [1, 2])], [0, 1])
    let found = try OutRank().rank(two, in: run).features[0]
    #expect(abs(found.statistic.value - logarithm(2.0)) < 1e-15 && found.statistic.z == 0)
    #expect(try OutRank().rank(labeled([], [0, 1]), in: run).features.isEmpty)
    expectError(.badData, "no rows") { try OutRank().rank(labeled([("x", [])], []), in: run) }
    for ranker in [OutRank(), ThreeMR()] as [any FeatureRanker] {
      expectError(.badData, "'label'", "one value") {
        try ranker.rank(labeled([("x", [1, 2, 3])], [4, 4, 4]), in: run)
      }
    }
    expectError(.dimensionMismatch, "'x'", "2", "'label'") {
      try labeled([("x", [1, 2])], [4, 4, 4])
    }
    expectError(.invalidArgument, "'x'") { try labeled([("x", [1]), ("x", [2])], [4]) }
    for bad in [
      OutRank(margin: -1), OutRank(order: 5), OutRank(combinationLimit: 0), OutRank(batchSize: 1),
    ] {
      expectError(.invalidArgument, "outrank") { try bad.rank(two, in: run) }
    }
    expectError(.invalidArgument, "3mr", "ami") {
      try ThreeMR(heuristic: .adjustedMutualInformation).rank(two, in: run)
    }
    let words = try LabeledColumns(
      [
        CategoricalColumn("w", cells: ["a", "b", nil, "a"]),
        CategoricalColumn("v", cells: ["1", "2", nil, "3"]),
      ],
      target: CategoricalColumn("t", cells: ["no", "yes", "no", "no"]))
    let numbers = try OutRank(heuristic: .pearson).rank(words, in: run)
    #expect(numbers.features.map(\.name) == ["v", "w"] && numbers.features[1].relevance.isNaN)
  }

  @Test func `a copy of the label keeps all that it tells`() throws {
    let label = [0, 1, 0, 1, 1, 0, 0, 1]
    let table = try labeled(
      [("copy", label.map { 9 - $0 }), ("same sum", [1, 0, 0, 1, 1, 0, 0, 1])], label)
    let found = try OutRank(heuristic: .corrected(.shift)).rank(table, in: RunContext())
    let copy = try #require(found.features.first { $0.name == "copy" })
    #expect(abs(copy.relevance - logarithm(2.0)) < 1e-12)
    // The reference takes columns of equal sums for copies.
    let other = try #require(found.features.first { $0.name == "same sum" })
    #expect(other.statistic.expected != 0)
  }
}
