import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisGraphs

@Suite struct SimplicialTests {
  private struct Counted: Decodable, Equatable {
    var key: [Int]
    var openCount: Int
    var closedCount: Int

    init(_ row: ClosureTable.Row) {
      (key, openCount, closedCount) = (row.key, row.openCount, row.closedCount)
    }

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      key = try values.decode([Int].self)
      openCount = try values.decode(Int.self)
      closedCount = try values.decode(Int.self)
    }
  }

  private struct Fixture: Decodable {
    struct Stream: Decodable {
      var sizes: [Int]
      var nodes: [Int]
      var times: [Int]
      var three: [Counted]
      var four: [Counted]
      var triangles: [[Int]]
      var labels: [Bool]
      var scores: [String: [Double]]
      var precision: [String: Double]
    }

    struct Logistic: Decodable {
      var strength: Double
      var weights: [Double]
      var intercept: Double
    }

    var streams: [Stream]
    var rows: [Float]
    var labels: [Bool]
    var logistic: [Logistic]
  }

  private struct Published: Decodable {
    var three: [String: [Counted]]
    var four: [String: [Counted]]
  }

  /// Rows of the table that are not all zero, as the oracle leaves those out.
  private func rows(_ table: ClosureTable) -> [Counted] {
    table.rows.filter { $0.openCount > 0 || $0.closedCount > 0 }.map { Counted($0) }
  }

  private func random(_ seed: UInt64, n: Int = 9, count: Int = 40) throws -> SimplicialStream {
    var generator = RandomGenerator(seed: seed)
    var (sizes, nodes, times): ([Int], [Int], [Int]) = ([], [], [])
    for _ in 0..<count {
      let size = 1 + generator.nextInt(below: generator.nextInt(below: 3) == 0 ? 5 : 2)
      let start = generator.nextInt(below: n)
      sizes.append(size)
      for _ in 0..<size { nodes.append((start + generator.nextInt(below: 4)) % n) }
      times.append(generator.nextInt(below: 60))
    }
    return try SimplicialStream(sizes: sizes, nodes: nodes, times: times)
  }

  /// Every set, one after another.
  private func naive(_ stream: SimplicialStream, size: Int) -> [Counted] {
    let (old, new) = stream.split(at: 0.8)
    func simplices(_ stream: SimplicialStream) -> [Set<Int32>] {
      (0..<stream.simplexCount).map { Set(stream.members(of: $0)) }
    }
    let (past, future) = (simplices(old), simplices(new))
    func times(_ set: [Int32]) -> Int { past.count { $0.isSuperset(of: set) } }
    let present = Set(past.joined()).sorted()
    var counts: [[Int]: (Int, Int)] = [:]
    func subsets(_ from: Int, _ set: [Int32]) {
      if set.count == size {
        guard times(set) == 0, let key = key(set, times) else { return }
        let closed = future.contains { $0.isSuperset(of: set) } ? 1 : 0
        let known = counts[key] ?? (0, 0)
        counts[key] = (known.0 + 1, known.1 + closed)
        return
      }
      for place in from..<max(from, present.count) { subsets(place + 1, set + [present[place]]) }
    }
    subsets(0, [])
    return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
      Counted(.init(key: $0.key, openCount: $0.value.0, closedCount: $0.value.1))
    }
  }

  private func key(_ set: [Int32], _ times: ([Int32]) -> Int) -> [Int]? {
    func ties(_ set: [Int32]) -> [Int] {
      set.indices.flatMap { i in set.indices.filter { $0 > i }.map { times([set[i], set[$0]]) } }
    }
    if set.count == 3 { return ties(set).map { min(2, $0) }.sorted() }
    let faces = set.indices.map { left in set.filter { $0 != set[left] } }
      .filter { ties($0).allSatisfy { $0 > 0 } }
    guard !faces.isEmpty else { return nil }
    let missing = ties(set).count { $0 > 0 } - 6
    return [Int](repeating: missing, count: 4 - faces.count)
      + faces.map { min(2, times($0)) }.sorted()
  }

  // MARK: Oracles

  @Test func `tables and triangles are those of brute force`() throws {
    for one in try fixture("simplicial", Fixture.self).streams {
      let stream = try SimplicialStream(sizes: one.sizes, nodes: one.nodes, times: one.times)
      #expect(try rows(ClosureTable(stream)) == one.three)
      #expect(try rows(ClosureTable(stream, size: 4)) == one.four)
    }
  }

  @Test(arguments: HigherOrderScore.allCases.filter { $0 != .supervised })
  func `scores are those of dense inverses and networkx`(score: HigherOrderScore) throws {
    for one in try fixture("simplicial", Fixture.self).streams {
      let stream = try SimplicialStream(sizes: one.sizes, nodes: one.nodes, times: one.times)
      let found = try HigherOrderLinkPredictor(score).evaluate(stream)
      let triangles = (0..<found.prediction.count).map { found.prediction.members(of: $0) }
      let order = triangles.indices.sorted {
        triangles[$0].lexicographicallyPrecedes(triangles[$1])
      }
      #expect(order.map { triangles[$0] } == one.triangles)
      #expect(order.map { found.cameTrue[$0] } == one.labels)
      let wanted = try #require(one.scores[score.rawValue])
      for (place, candidate) in order.enumerated() {
        let value = found.prediction.scores[candidate]
        #expect(abs(value - wanted[place]) < 1e-6 * max(1, abs(wanted[place])), "\(score) \(place)")
      }
      // Where scores are equal up to rounding, rounding orders them.
      if !score.isGlobal, let precision = one.precision[score.rawValue] {
        // As the oracle does, so that sums in another order tie too.
        let rounded = found.prediction.scores.map { ($0 * 1e9).rounded() }
        let quality = RankingQuality(scores: rounded, cameTrue: found.cameTrue)
        #expect(abs(quality.averagePrecision - precision) < 1e-9, "\(score)")
      }
    }
  }

  @Test func `the regression is scikit-learn's`() throws {
    let fixture = try fixture("simplicial", Fixture.self)
    let rows = try Matrix(rowCount: 60, columnCount: 5, values: fixture.rows)
    for one in fixture.logistic {
      let found = PenalizedLogistic(rows, fixture.labels, strength: one.strength)
      for (a, b) in zip(found.weights + [found.intercept], one.weights + [one.intercept]) {
        #expect(abs(a - b) < 1e-4 * max(1, abs(b)))
      }
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `tables equal the naive count`(seed: UInt64) throws {
    let stream = try random(seed)
    #expect(try rows(ClosureTable(stream)) == naive(stream, size: 3))
    if seed < 25 { #expect(try rows(ClosureTable(stream, size: 4)) == naive(stream, size: 4)) }
  }

  // MARK: Published numbers

  @Test(arguments: ["email-Enron", "contact-high-school", "NDC-classes"])
  func `three-node tables are the published ones`(name: String) throws {
    guard let folder = dataSet("simplicial-\(name.lowercased())") else { return }
    let published = try fixture("published-closures", Published.self)
    let stream = try SimplicialStream(folder: folder)
    let table = try ClosureTable(stream)
    #expect(table.rows.map { Counted($0) } == published.three[name])
  }

  @Test func `four-node tables are the published ones`() throws {
    guard let folder = dataSet("simplicial-email-enron") else { return }
    let published = try fixture("published-closures", Published.self)
    let table = try ClosureTable(SimplicialStream(folder: folder), size: 4)
    #expect(table.rows.map { Counted($0) } == published.four["email-Enron"])
  }

  @Test func `a whole stream has the triangles that were counted`() throws {
    guard let folder = dataSet("simplicial-contact-high-school") else { return }
    let stream = try SimplicialStream(folder: folder)
    #expect(stream.simplexCount == 172_035 && stream.nodeCount == 327)
    let complex = try SimplicialComplex(stream, in: RunContext())
    var (open, closed) = (0, 0)
    complex.forEachTriangle(in: 0..<327) { if $0.strength > 0 { closed += 1 } else { open += 1 } }
    #expect(closed == 2370 && open == 31_850)
    #expect(abs(Double(complex.edgeCount) / (327 * 326 / 2) - 0.1091537) < 1e-6)
  }

  @Test func `average precisions over random are the measured ones`() throws {
    guard let folder = dataSet("simplicial-email-enron") else { return }
    let stream = try SimplicialStream(folder: folder)
    let wanted: [(HigherOrderScore, Double)] = [
      (.harmonic, 1.31), (.geometric, 1.40), (.arithmetic, 1.36), (.attachment, 1.52),
      (.common, 1.14), (.adamicAdar, 1.19), (.jaccard, 1.25),
    ]
    for (score, value) in wanted {
      let quality = try HigherOrderLinkPredictor(score).evaluate(stream).quality
      #expect(abs(quality.averagePrecisionOverRandom - value) < 0.02, "\(score)")
      #expect(abs(quality.baseRate - 0.0462) < 1e-4)
    }
  }

  // MARK: Properties

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `parts of a flow are orthogonal and add up`(seed: UInt64) throws {
    let complex = try SimplicialComplex(random(seed, n: 14, count: 60), in: RunContext())
    let hodge = HodgeOperators(complex)
    var generator = RandomGenerator(seed: seed)
    let potential = (0..<hodge.nodeCount).map { _ in Double(generator.nextInt(below: 1000)) }
    #expect(hodge.curl(hodge.gradient(potential)).allSatisfy { $0 == 0 })
    let flow = (0..<hodge.edgeCount).map { _ in generator.nextGaussian() }
    let parts = hodge.decompose(flow)
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    for index in flow.indices {
      let sum = parts.gradient[index] + parts.curl[index] + parts.harmonic[index]
      #expect(abs(sum - flow[index]) < 1e-12)
    }
    let size = dot(flow, flow)
    #expect(abs(dot(parts.gradient, parts.curl)) < 1e-6 * size)
    #expect(abs(dot(parts.gradient, parts.harmonic)) < 1e-6 * size)
    #expect(abs(dot(parts.curl, parts.harmonic)) < 1e-6 * size)
    #expect(hodge.curl(parts.harmonic).allSatisfy { abs($0) < 1e-6 * size })
    let pure = hodge.decompose(hodge.gradient(potential))
    #expect(pure.harmonic.allSatisfy { abs($0) < 1e-5 } && pure.curl.allSatisfy { abs($0) < 1e-5 })
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `means rise with their exponent`(seed: UInt64) throws {
    let stream = try random(seed, n: 16, count: 80)
    let exponents = [-Double.infinity, -4, -1, -0.25, 0, 0.25, 1, 4, .infinity]
    var before: [Double]?
    for exponent in exponents {
      let found = try HigherOrderLinkPredictor(exponent: exponent).predict(stream, in: RunContext())
      if let before {
        #expect(zip(before, found.scores).allSatisfy { $0 <= $1 * (1 + 1e-12) })
      }
      before = found.scores
    }
    let harmonic = try HigherOrderLinkPredictor(.harmonic).predict(stream, in: RunContext())
    #expect(
      try HigherOrderLinkPredictor(exponent: -1).predict(stream, in: RunContext()).scores
        == harmonic.scores)
    let best = harmonic.best(5)
    #expect(best.map { harmonic.scores[$0] } == Array(harmonic.scores.sorted(by: >).prefix(5)))
  }

  @Test func `a ranking without order has the base rate, a perfect one 1`() {
    let true4 = [true, false, false, true, false, false, true, true]
    let even = RankingQuality(scores: [Double](repeating: 3, count: 8), cameTrue: true4)
    #expect(even.averagePrecision == 0.5 && even.averagePrecisionOverRandom == 1)
    let perfect = RankingQuality(scores: true4.map { $0 ? 1 : 0 }, cameTrue: true4)
    #expect(perfect.averagePrecision == 1)
    let none = RankingQuality(scores: [1, 2], cameTrue: [false, false])
    #expect(none.averagePrecision.isNaN && none.baseRate == 0)
  }

  @Test(arguments: GraphCatalogue.predictors.map(\.descriptor.name))
  func `a predictor keeps to what all methods do`(name: String) throws {
    let entry = try GraphCatalogue.predictor(named: name)
    let stream = try random(5, n: 16, count: 80)
    var rows: [[Float]] = []
    for simplex in 0..<stream.simplexCount {
      for node in stream.members(of: simplex) {
        rows.append([Float(simplex), Float(node), Float(stream.times[simplex])])
      }
    }
    try checkMethod(entry, MethodParts([Matrix(rows: rows)])) { found in
      found.scores + found.nodes.map { Double($0) }
    }
  }

  // MARK: Edges

  @Test func `a stream is read, split and named`() throws {
    let stream = try SimplicialStream(
      sizes: [2, 3, 0, 1], nodes: [900, 4, 4, 7, 4, 7], times: [30, 10, 20, 40],
      labels: [4: "ann", 900: "zoe"])
    #expect(stream.names == ["ann", "7", "zoe"] && stream.repeatedCount == 1)
    #expect(Array(stream.members(of: 0)) == [0, 2] && Array(stream.members(of: 1)) == [0, 1])
    let (old, new) = stream.split(at: 0.5)
    #expect(old.times == [10, 20] && new.times == [30, 40] && new.names == stream.names)
    let (_, middle) = stream.split(at: 0.2, until: 0.7)
    #expect(middle.times == [30, 20])
    let folder = try TemporaryFolder()
    _ = try folder.write("x-nverts.txt", "2\n1\n")
    expectError(.notFound, "NAME-simplices.txt") { try SimplicialStream(folder: folder.path) }
    _ = try folder.write("x-simplices.txt", "5\n6\n5\n")
    _ = try folder.write("x-times.txt", "1\n2\n")
    _ = try folder.write("x-node-labels.txt", "5 five of them\n6 six\n")
    let read = try SimplicialStream(folder: folder.path)
    #expect(read.names == ["five of them", "six"] && read.simplexCount == 2)
    expectError(.notFound, "no folder") { try SimplicialStream(folder: folder.path + "/none") }
  }

  @Test func `what cannot be used is one error`() throws {
    expectError(.dimensionMismatch, "add up to 3", "are 2") {
      try SimplicialStream(sizes: [1, 2], nodes: [1, 2], times: [1, 2])
    }
    expectError(.dimensionMismatch, "1 times of 2") {
      try SimplicialStream(sizes: [1, 1], nodes: [1, 2], times: [1])
    }
    expectError(.badData, "simplex 1", "-1") {
      try SimplicialStream(sizes: [3, -1], nodes: [1, 2], times: [1, 1])
    }
    let still = try SimplicialStream(sizes: [2, 2], nodes: [1, 2, 2, 3], times: [5, 5])
    expectError(.badData, "no future") { try ClosureTable(still) }
    expectError(.badData, "no future") { try HigherOrderLinkPredictor().evaluate(still) }
    expectError(.badData, "nothing to predict") {
      try HigherOrderLinkPredictor().predict(still, in: RunContext())
    }
    expectError(.invalidArgument, "not of 5") { try ClosureTable(still, size: 5) }
    expectError(.invalidArgument, "not 1") { try ClosureTable(still, share: 1) }
    let stream = try random(3)
    expectError(.invalidArgument, "alpha") {
      try HigherOrderLinkPredictor(alpha: 1).predict(stream, in: RunContext())
    }
    let ring = try SimplicialStream(
      sizes: [2, 2, 2, 2], nodes: [1, 2, 2, 3, 1, 3, 1, 2], times: [1, 2, 3, 4])
    expectError(.badData, "another score") {
      try HigherOrderLinkPredictor(.supervised).predict(ring, in: RunContext())
    }
    #expect(try HigherOrderLinkPredictor().predict(ring, in: RunContext()).count == 1)
  }
}
