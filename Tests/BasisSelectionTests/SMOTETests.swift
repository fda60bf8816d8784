import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisSelection

@Suite struct SMOTETests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      var rowCount: Int
      var columnCount: Int
      var k: Int
      var rows: [Double]
      var labels: [Int]
      var nominal: [Int]?
      var median: Double?
      var neighbors: [[Int]]
      var first: [Int]
      var second: [Int]
      var gaps: [Double]
      var made: [Double]
    }

    struct Border: Decodable {
      var rowCount: Int
      var columnCount: Int
      var k: Int
      var m: Int
      var rows: [Double]
      var labels: [Int]
      var danger: [Int]
      var noise: Int
      var shares: [Double]
      var members: [Int]
    }

    var plain: [Case]
    var nominal: [Case]
    var borders: [Border]
  }

  private func input(_ rows: [Double], _ n: Int, _ d: Int, _ labels: [Int]) throws -> LabeledRows {
    let matrix = try Matrix(rowCount: n, columnCount: d, values: rows.map { Float($0) })
    return try LabeledRows(matrix, labels: labels)
  }

  /// `small` rows of class 1 around another place than those of class 0.
  private func table(_ n: Int, small: Int, columns: Int = 4, seed: UInt64) throws -> LabeledRows {
    var rows = gaussianMatrix(rowCount: n, columnCount: columns, seed: seed)
    for row in 0..<small { rows[row * (n / small), 0] += 2 }
    return try LabeledRows(
      rows, labels: (0..<n).map { $0 % (n / small) == 0 && $0 / (n / small) < small ? 1 : 0 })
  }

  // MARK: The oracle

  @Test func `rows are those of imbalanced-learn for its pairs and gaps`() throws {
    for one in try fixture("smote", Fixture.self).plain {
      let input = try input(one.rows, one.rowCount, one.columnCount, one.labels)
      let members = input.labels.indices.filter { input.labels[$0] == 1 }
      let pairing = try Pairing(
        SMOTE(neighborCount: one.k), input, members, 1, in: RunContext())
      #expect(pairing.starts == members && pairing.neighbors == one.neighbors)
      let parents = zip(one.first, one.second).map { SyntheticRows.Parents($0, $1) }
      let gaps = try Matrix(
        rowCount: parents.count, columnCount: 1, values: one.gaps.map { Float($0) })
      let made = try SMOTE.interpolated(input.rows, between: parents, gaps: gaps, in: RunContext())
      #expect(made.rowCount == one.made.count / one.columnCount)
      for (index, value) in made.withUnsafeFloats({ Array($0) }).enumerated() {
        // A gap and the result are rounded to 24 bits.
        #expect(abs(Double(value) - one.made[index]) <= 1e-7 * max(4, abs(one.made[index])))
      }
    }
  }

  @Test func `names are those of imbalanced-learn, by its distances`() throws {
    for one in try fixture("smote", Fixture.self).nominal {
      let nominal = try #require(one.nominal)
      let input = try input(one.rows, one.rowCount, one.columnCount, one.labels)
      let members = input.labels.indices.filter { input.labels[$0] == 1 }
      let compared = NominalRows(input.rows.selecting(rows: members), nominal: nominal)
      #expect(abs(compared.median - (try #require(one.median))) < 1e-6)
      let settings = SMOTE(neighborCount: one.k, nominalColumns: nominal)
      let pairing = try Pairing(settings, input, members, 1, in: RunContext())
      #expect(pairing.neighbors == one.neighbors)
      var compareds = 0
      for (place, start) in one.first.enumerated() {
        let near = try #require(pairing.starts.firstIndex(of: start))
        for column in nominal {
          let values = pairing.neighbors[near].map { input.rows[$0, column] }
          var counts: [Float: Int] = [:]
          for value in values { counts[value, default: 0] += 1 }
          let most = counts.values.max() ?? 0
          let theirs = Float(one.made[place * one.columnCount + column])
          #expect(counts[theirs] == most)
          // Of several they draw one; here it is the smallest.
          if counts.values.count(where: { $0 == most }) == 1 {
            #expect(NominalRows.mode(values) == theirs)
            compareds += 1
          }
        }
      }
      #expect(compareds > 20)
    }
    #expect(NominalRows.mode([3, 1, 3, 1, 2]) == 1)
  }

  @Test func `the border is that of imbalanced-learn`() throws {
    for one in try fixture("smote", Fixture.self).borders {
      let input = try input(one.rows, one.rowCount, one.columnCount, one.labels)
      var settings = SMOTE(neighborCount: one.k, variant: .borderline1, surroundingCount: one.m)
      let border = try Pairing(settings, input, one.members, 1, in: RunContext())
      #expect(border.starts == one.danger && border.others.isEmpty)
      #expect(border.warnings.isEmpty == (one.noise == 0))
      if one.noise > 0 { #expect(border.warnings[0].hasPrefix("\(one.noise) of ")) }
      settings.variant = .borderline2
      let both = try Pairing(settings, input, one.members, 1, in: RunContext())
      #expect(both.others.allSatisfy { list in list.allSatisfy { one.labels[$0] == 0 } })
      #expect(both.others.count == one.danger.count)
      settings.variant = .adasyn
      let shares = try #require(
        try Pairing(settings, input, one.members, 1, in: RunContext()).shares)
      #expect(zip(shares, one.shares).allSatisfy { abs($0 - $1) < 1e-12 })
      let found = try settings.select(input, in: RunContext(seed: 4))
      let made = try #require(found.synthetic)
      for (member, share) in zip(one.members, shares) {
        let count = made.parents.count { $0.first == member }
        #expect(abs(Double(count) - share * Double(made.labels.count)) < 1)
      }
    }
  }

  // MARK: Properties

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `every new row lies between a row and one of its neighbours`(seed: UInt64) throws {
    let input = try table(90, small: 15, seed: seed)
    for gap in SMOTE.Gap.allCases {
      for picking in SMOTE.Picking.allCases {
        let settings = SMOTE(neighborCount: 4, gap: gap, picking: picking)
        let found = try settings.select(input, in: RunContext(seed: seed))
        let made = try #require(found.synthetic)
        #expect(found.indices == Array(0..<90) && made.rows.rowCount == 60)
        #expect(made.labels == Array(repeating: 1, count: 60))
        for (row, pair) in made.parents.enumerated() {
          #expect(input.labels[pair.first] == 1 && input.labels[pair.second] == 1)
          #expect(pair.first != pair.second)
          let reach = distance(input.rows, pair.first, pair.second)
          let nearer = (0..<90).count { other in
            input.labels[other] == 1 && other != pair.first
              && distance(input.rows, pair.first, other) < reach
          }
          #expect(nearer < 4)
          for column in 0..<4 {
            let (a, b) = (input.rows[pair.first, column], input.rows[pair.second, column])
            let share = made.gaps[row, gap == .box ? column : 0]
            #expect(share >= 0 && share < 1)
            #expect(abs(made.rows[row, column] - (a + share * (b - a))) < 1e-6)
          }
        }
        let times = input.labels.indices.filter { input.labels[$0] == 1 }.map { member in
          made.parents.count { $0.first == member }
        }
        if picking == .quota { #expect(times.allSatisfy { $0 == 4 }) }
        if picking == .pairs { #expect(Set(times).count > 1) }
        let whole = try found.applied(to: input.rows)
        #expect(whole.rowCount == 150 && whole.selecting(rows: 0..<90) == input.rows)
        #expect(whole.selecting(rows: 90..<150) == made.rows)
        #expect(try found.applied(to: input.labels) == input.labels + made.labels)
      }
    }
  }

  private func distance(_ rows: Matrix, _ a: Int, _ b: Int) -> Double {
    zip(rows.row(a), rows.row(b)).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
  }

  @Test func `one gap a column fills the box, one a row does not`() throws {
    let input = try table(60, small: 12, seed: 3)
    let box = try #require(
      try SMOTE(gap: .box).select(input, in: RunContext(seed: 1)).synthetic)
    #expect(box.gaps.columnCount == 4)
    #expect((0..<box.gaps.rowCount).allSatisfy { box.gaps[$0, 0] != box.gaps[$0, 1] })
    let segment = try #require(try SMOTE().select(input, in: RunContext(seed: 1)).synthetic)
    #expect(segment.gaps.columnCount == 1)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `gaps and pairs are even`(seed: UInt64) throws {
    let input = try table(90, small: 15, seed: 1)
    let settings = SMOTE(neighborCount: 4, ratio: .counts([1: 6015]))
    let made = try #require(try settings.select(input, in: RunContext(seed: seed)).synthetic)
    let gaps = made.gaps.withUnsafeFloats { $0.map { Double($0) } }
    // Five standard deviations of 6000 even draws.
    let limit = 5 * (1.0 / 12 / 6000).squareRoot()
    #expect(abs(gaps.reduce(0, +) / 6000 - 0.5) < limit)
    let firsts = Dictionary(grouping: made.parents, by: \.first).mapValues(\.count)
    let chiSquared = firsts.values.reduce(0.0) { $0 + pow(Double($1) - 400, 2) / 400 }
    // 14 degrees of freedom: above 42 once in 10,000.
    #expect(firsts.count == 15 && chiSquared < 42)
    #expect(Set(made.parents).count == 60)
  }

  @Test func `classes grow by the ratio`() throws {
    let rows = gaussianMatrix(rowCount: 60, columnCount: 3, seed: 2)
    let labels = (0..<60).map { $0 < 30 ? 7 : $0 < 48 ? -2 : 5 }
    let input = try LabeledRows(rows, labels: labels)
    func made(_ settings: SMOTE) throws -> [Int: Int] {
      let found = try settings.select(input, in: RunContext(seed: 1))
      #expect(
        found.groups.map(\.madeCount)
          == [-2, 5, 7].map { label in
            found.synthetic?.labels.count { $0 == label } ?? 0
          })
      return Dictionary(
        uniqueKeysWithValues: found.groups.map { (Int($0.name) ?? 0, $0.madeCount) })
    }
    #expect(try made(SMOTE()) == [-2: 12, 5: 18, 7: 0])
    #expect(try made(SMOTE(ratio: .percent(200))) == [-2: 36, 5: 24, 7: 0])
    #expect(try made(SMOTE(ratio: .percent(50))) == [-2: 9, 5: 6, 7: 0])
    #expect(try made(SMOTE(ratio: .counts([5: 12, 7: 40]))) == [-2: 0, 5: 0, 7: 10])
    #expect(try made(SMOTE(picking: .quota)) == [-2: 12, 5: 18, 7: 0])
    // Below 100 % so many rows are started from, each once.
    let half = try SMOTE(ratio: .percent(50), picking: .quota).select(input, in: RunContext())
    let firsts = try #require(half.synthetic).parents.map(\.first)
    #expect(firsts.count == 15 && Set(firsts).count == 15)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `large classes are thinned to the share`(seed: UInt64) throws {
    let input = try table(120, small: 20, seed: seed)
    for (percent, left) in [(100.0, 20), (200, 10), (50, 40), (10, 100), (4000, 1)] {
      let found = try UnderSampler(percent: percent).select(input, in: RunContext(seed: seed))
      #expect(found.groups.map(\.keptCount) == [left, 20], "\(percent)")
      #expect(found.indices == found.indices.sorted() && Set(found.indices).count == left + 20)
      #expect(found.indices.count { input.labels[$0] == 1 } == 20)
    }
    // With rows that are made: 20 and 40 of them against 60.
    let both = try SMOTE(ratio: .percent(200), under: 100).select(input, in: RunContext(seed: seed))
    #expect(both.groups.map(\.keptCount) == [60, 20] && both.synthetic?.labels.count == 40)
    #expect(
      try SMOTE(ratio: .percent(200), under: 100).select(input, in: RunContext(seed: seed + 1))
        .indices != both.indices)
  }

  @Test func `names are made of names`() throws {
    var rows = gaussianMatrix(rowCount: 80, columnCount: 3, seed: 1)
    for row in 0..<80 { rows[row, 1] = Float(row * 7 % 3) }
    let labels = (0..<80).map { $0 < 20 ? 1 : 0 }
    let found = try SMOTE(nominalColumns: [1]).select(
      try LabeledRows(rows, labels: labels), in: RunContext(seed: 1))
    let made = try #require(found.synthetic?.rows)
    #expect(made.rowCount == 40 && (0..<40).allSatisfy { [0, 1, 2].contains(made[$0, 1]) })
    // Names alone: every differing one counts alike.
    let only = try SMOTE(nominalColumns: [0]).select(
      try LabeledRows(
        try Matrix(rowCount: 80, columnCount: 1, values: (0..<80).map { Float($0 % 4) }),
        labels: labels), in: RunContext())
    let names = try #require(only.synthetic)
    #expect(
      names.parents.indices.allSatisfy { names.rows[$0, 0] == Float(names.parents[$0].first % 4) })
  }

  @Test func `variants start where they say`() throws {
    let input = try table(120, small: 24, columns: 2, seed: 5)
    for variant in SMOTE.Variant.allCases {
      let found = try SMOTE(variant: variant).select(input, in: RunContext(seed: 2))
      let made = try #require(found.synthetic)
      #expect(made.labels.count == 72)
      #expect(made.parents.allSatisfy { input.labels[$0.first] == 1 })
      let strangers = made.parents.indices.filter { input.labels[made.parents[$0].second] == 0 }
      #expect(strangers.isEmpty == (variant != .borderline2))
      #expect(strangers.allSatisfy { made.gaps[$0, 0] < 0.5 })
      if variant == .borderline2 { #expect(strangers.count == 36) }
    }
  }

  // MARK: Edges

  @Test func `rows that are all one stay one`() throws {
    var rows = Matrix(rowCount: 30, columnCount: 2)
    for row in 0..<10 { rows[row, 0] = 4 }
    let input = try LabeledRows(rows, labels: (0..<30).map { $0 < 10 ? 1 : 0 })
    let made = try #require(try SMOTE().select(input, in: RunContext()).synthetic)
    #expect((0..<10).allSatisfy { made.rows.row($0) == [4, 0] })
    #expect(made.parents.allSatisfy { $0.first != $0.second })
    // As few rows as there may be, and no column.
    let few = try LabeledRows(
      Matrix(rowCount: 5, columnCount: 1), labels: [0, 0, 0, 1, 1])
    #expect(try SMOTE(neighborCount: 1).select(few, in: RunContext()).synthetic?.labels == [1])
    let balanced = try LabeledRows(Matrix(rowCount: 2, columnCount: 1), labels: [0, 1])
    #expect(try SMOTE().select(balanced, in: RunContext()).synthetic?.labels == [])
  }

  @Test func `what it cannot make is an error`() throws {
    let input = try table(40, small: 4, seed: 1)
    let run = RunContext()
    expectError(.invalidArgument, "class 1 has 4 rows", "neighborCount=3") {
      try SMOTE().select(input, in: run)
    }
    let single = try LabeledRows(input.rows, labels: (0..<40).map { $0 == 3 ? 9 : 0 })
    expectError(.invalidArgument, "class 9 has 1 rows", "no neighbours") {
      try SMOTE().select(single, in: run)
    }
    expectError(.badData, "2 classes", "is 1") {
      try SMOTE().select(LabeledRows(input.rows, labels: Array(repeating: 3, count: 40)), in: run)
    }
    expectError(.invalidArgument, "no class 8", "0, 1") {
      try SMOTE(ratio: .counts([8: 10])).select(input, in: run)
    }
    expectError(.invalidArgument, "class 0 has 36 rows", "'under'") {
      try SMOTE(ratio: .counts([0: 10])).select(input, in: run)
    }
    expectError(.invalidArgument, "above 0") {
      try SMOTE(ratio: .percent(-5)).select(input, in: run)
    }
    expectError(.invalidArgument, "at least 1 neighbour") {
      try SMOTE(neighborCount: 0).select(input, in: run)
    }
    expectError(.invalidArgument, "column 4", "0 ..< 4") {
      try SMOTE(nominalColumns: [4]).select(input, in: run)
    }
    expectError(.unsupported, "adasyn") {
      try SMOTE(variant: .adasyn, nominalColumns: [1]).select(input, in: run)
    }
    expectError(.invalidArgument, "under-sampling") {
      try UnderSampler(percent: 0).select(input, in: run)
    }
    var apart = input.rows
    for row in 0..<40 where input.labels[row] == 1 { apart[row, 2] += 1000 }
    let far = try LabeledRows(apart, labels: input.labels)
    expectError(.badData, "adasyn", "take plain") {
      try SMOTE(neighborCount: 3, variant: .adasyn, surroundingCount: 2).select(far, in: run)
    }
    expectError(.badData, "border", "take plain") {
      try SMOTE(neighborCount: 3, variant: .borderline1, surroundingCount: 2).select(far, in: run)
    }
    expectError(.dimensionMismatch, "row 39", "39 labels") {
      try SMOTE(neighborCount: 3).select(input, in: run).applied(to: Array(input.labels.dropLast()))
    }
    let entry = try SelectionCatalogue.entry(named: "smote")
    let parts = MethodParts([input.rows], labels: input.labels)
    expectError(.invalidArgument, "a ratio is auto") {
      try entry.run(parts, settings: #"{"ratio": "much"}"#)
    }
    let named = try entry.run(parts, settings: #"{"ratio": {"1": 9}, "neighborCount": 2}"#)
    #expect(named.synthetic?.labels.count == 5)
    #expect(
      try entry.run(parts, settings: #"{"ratio": 250, "neighborCount": 2}"#).synthetic?.labels.count
        == 10)
    let coded = try JSONDecoder().decode(
      SMOTE.self, from: JSONEncoder().encode(SMOTE(ratio: .counts([3: 4]), under: 30)))
    #expect(coded == SMOTE(ratio: .counts([3: 4]), under: 30))
  }
}
