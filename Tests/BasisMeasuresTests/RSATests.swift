import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisMeasures

@Suite struct RSATests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      var rows: [[Float]]
      var squared: [Double]
      var correlation: [Double]
      var ranked: [Double]
      var wide: [Double]
      var narrow: [Double]
      var hard: [Double]
      var sigmoid: [Double]
      var share: Double
      var geodesic: [Double]
      var unreachable: Int
      var k: Int
      var nearest: [Double]
      var unreachableNearest: Int
    }

    var tolerance: Double
    var cases: [Case]
    var repeats: [[[Float]]]
    var crossed: [Double]
    var similarity: Double
  }

  private static func fixture() throws -> Fixture {
    let url = try #require(
      Bundle.module.url(forResource: "rsa", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  private static func difference(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
  }

  @Test func `summaries are those of scipy, numpy and networkx`() throws {
    let fixture = try Self.fixture()
    for (number, one) in fixture.cases.enumerated() {
      let rows = try Matrix(rows: one.rows)
      let rdm = try RDM(rows)
      let found: [(String, [Double], [Double])] = [
        ("squared", rdm.values, one.squared),
        ("correlation", try RDM(rows, .correlation).values, one.correlation),
        ("ranked", try rdm.ranked().values, one.ranked),
        ("wide", try GeoTopological().transform(rdm).values, one.wide),
        ("narrow", try GeoTopological(lower: 0.4, upper: 0.6).transform(rdm).values, one.narrow),
        ("hard", try GeoTopological(lower: 0.5, upper: 0.5).transform(rdm).values, one.hard),
        ("sigmoid", try GeoTopological.sigmoid(rdm).values, one.sigmoid),
      ]
      for (name, values, wanted) in found {
        #expect(Self.difference(values, wanted) <= fixture.tolerance, "\(name) of case \(number)")
      }
      let share = try Geodesic(edgeShare: one.share).lengths(of: rdm)
      #expect(Self.difference(share.lengths.values, one.geodesic) <= fixture.tolerance)
      #expect(share.unreachableCount == one.unreachable, "case \(number)")
      let nearest = try Geodesic(neighborCount: one.k).lengths(of: rdm)
      #expect(Self.difference(nearest.lengths.values, one.nearest) <= fixture.tolerance)
      #expect(nearest.unreachableCount == one.unreachableNearest, "case \(number)")
    }
    var repeats: [Matrix] = []
    for rows in fixture.repeats { repeats.append(try Matrix(rows: rows)) }
    let crossed = try RDM(crossValidating: repeats)
    #expect(Self.difference(crossed.values, fixture.crossed) <= 1e-10)
    let value = try TopologicalSimilarity().measure(
      PairedRows(repeats[0], repeats[1]), in: RunContext())
    #expect(abs(value.value - fixture.similarity) <= 1e-10)
    #expect(try #require(value.interval).contains(value.value))
  }

  // MARK: Properties

  private static func turned(_ rows: Matrix, _ scale: Float, seed: UInt64) throws -> Matrix {
    let d = rows.columnCount
    let rotation = try LinearAlgebra.thinQR(gaussianMatrix(rowCount: d, columnCount: d, seed: seed))
      .q
    var result = try LinearAlgebra.product(rows, rotation)
    result.withUnsafeMutableFloats { for index in $0.indices { $0[index] *= scale } }
    return result
  }

  @Test(arguments: 0..<10)
  func `what keeps the order of distances changes nothing`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 20, columnCount: 5, seed: seed)
    let rdm = try RDM(rows)
    let bent = try RDM(count: 20, values: rdm.values.map { exp($0) - 3 })
    for transform in GeoTopological.grid() + [GeoTopological(lower: 0.5, upper: 0.5)] {
      let plain = try transform.transform(rdm)
      #expect(try transform.transform(bent) == plain)
      let order = rdm.values.indices.sorted { rdm.values[$0] < rdm.values[$1] }
      for (a, b) in zip(order, order.dropFirst()) { #expect(plain.values[a] <= plain.values[b]) }
      #expect(plain.values.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
    #expect(GeoTopological.grid().count == 55)
    #expect(try GeoTopological(lower: 0, upper: 1).transform(rdm) == rdm.ranked())
    let same = try TopologicalSimilarity().measure(
      PairedRows(rows, Self.turned(rows, 7, seed: seed + 1)), in: RunContext(seed: seed))
    #expect(same.value > 0.9999)
    #expect(same.parts.first { $0.name == "distances" }.map { $0.value > 0.9999 } == true)
    for i in 0..<20 {
      for j in 0..<20 where i != j {
        let distance = Double(Metric.squaredEuclidean.distance(rows.row(i), rows.row(j)))
        #expect(abs(rdm[i, j] - distance) < 1e-4)
      }
    }
  }

  /// Points of a circle that is stretched, or cut open and pulled straight in part.
  private static func circle(_ n: Int, stretch: Double = 1, share: Double = 1) throws -> RDM {
    var rows = Matrix(rowCount: n, columnCount: 2)
    for row in 0..<n {
      let angle = 2 * Double.pi * share * (Double(row) + 0.001 * Double(row % 3)) / Double(n)
      rows[row, 0] = Float(stretch * cos(angle) * (share < 1 ? 3 : 1))
      rows[row, 1] = Float(sin(angle) * (share < 1 ? 3 : 1))
    }
    return try RDM(rows)
  }

  @Test func `stretching keeps the topology, cutting does not`() throws {
    let n = 60
    let (whole, ellipse) = (try Self.circle(n), try Self.circle(n, stretch: 3))
    let cut = try Self.circle(n, share: 0.5)
    let geodesic = Geodesic(neighborCount: 3)
    func ways(_ rdm: RDM) throws -> RDM { try geodesic.lengths(of: rdm).lengths.ranked() }
    let stretched = try ways(whole).correlation(with: ways(ellipse))
    let plain = try whole.correlation(with: ellipse)
    #expect(stretched > plain, "\(stretched) \(plain)")
    #expect(try ways(whole).correlation(with: ways(cut)) < stretched)
    #expect(try geodesic.lengths(of: whole).unreachableCount == 0)
  }

  @Test(arguments: 0..<4)
  func `regions are told apart by their geometry`(seed: UInt64) throws {
    let shapes = (0..<3).map { gaussianMatrix(rowCount: 16, columnCount: 4, seed: seed * 10 + $0) }
    let subjects = try (0..<5).map { subject in
      try shapes.enumerated().map { region, shape in
        var rows = try Self.turned(shape, 2, seed: UInt64(subject * 7 + region))
        let noise = gaussianMatrix(
          rowCount: 16, columnCount: 4, seed: seed + UInt64(100 + subject * 3 + region))
        for row in 0..<16 {
          for column in 0..<4 { rows[row, column] += 0.2 * noise[row, column] }
        }
        return try RDM(rows)
      }
    }
    let regions = try RepresentationIdentification(subjects)
    #expect(try regions.accuracy(GeoTopological()) == 1)
    #expect(try RepresentationIdentification.accuracy(of: subjects) == 1)
    let grid = [GeoTopological(), GeoTopological(lower: 0, upper: 0)]
    let surface = try regions.surface(grid, in: RunContext(threadLimit: 2))
    #expect(surface.cells.map(\.accuracy)[0] == 1 && surface.nestedAccuracy == 1)
    // All regions alike: by chance.
    let same = try RepresentationIdentification(subjects.map { [$0[0], $0[0], $0[0]] })
    #expect(abs(try same.accuracy(GeoTopological()) - 1 / 3) < 1e-9)
  }

  /// Noisy copies of a few shapes, none of which is told with certainty.
  private static func subjects(_ count: Int, things: Int, noise: Float, seed: UInt64) throws
    -> [[RDM]]
  {
    let shapes = (0..<3).map {
      gaussianMatrix(rowCount: things, columnCount: 4, seed: seed * 10 + $0)
    }
    return try (0..<count).map { subject in
      try shapes.enumerated().map { region, shape in
        var rows = shape
        let other = gaussianMatrix(
          rowCount: things, columnCount: 4, seed: seed * 1_000 + UInt64(100 + subject * 3 + region))
        for row in 0..<things {
          for column in 0..<4 { rows[row, column] += noise * other[row, column] }
        }
        return try RDM(rows)
      }
    }
  }

  /// Leave-one-out by its definition: correlations with means, subject by subject.
  private static func naive(_ summaries: [[RDM]], counts: [Double]? = nil) -> Double {
    let counts = counts ?? summaries.map { _ in 1 }
    var (sum, weight) = (0.0, 0.0)
    for subject in summaries.indices where counts[subject] > 0 {
      let others = summaries.indices.filter { $0 != subject && counts[$0] > 0 }
      guard !others.isEmpty else { return .nan }
      var right = 0.0
      for region in summaries[subject].indices {
        let fits = summaries[subject].indices.map { wanted -> Double in
          var mean = [Double](repeating: 0, count: summaries[0][0].values.count)
          for other in others {
            for (place, value) in summaries[other][wanted].values.enumerated() {
              mean[place] += counts[other] * value
            }
          }
          return Statistics.correlation(summaries[subject][region].values, mean)
        }
        if fits.firstIndex(of: fits.max() ?? 0) == region { right += 1 }
      }
      sum += counts[subject] * right / Double(summaries[subject].count)
      weight += counts[subject]
    }
    return sum / weight
  }

  @Test(arguments: 0..<3)
  func `products give what correlations with means give`(seed: UInt64) throws {
    let subjects = try Self.subjects(4, things: 9, noise: 1.5, seed: seed + 1)
    let regions = try RepresentationIdentification(subjects)
    let plain = try RepresentationIdentification.accuracy(of: subjects)
    #expect(abs(plain - Self.naive(subjects)) < 1e-9)
    let grid = GeoTopological.grid(step: 0.5) + [GeoTopological(lower: 0.5, upper: 0.5)]
    let surface = try regions.surface(grid, in: RunContext(threadLimit: 2))
    var nested = [Double](repeating: 0, count: 4)
    var most = [Double](repeating: -1, count: 4)
    for (transform, cell) in zip(grid, surface.cells) {
      let seen = try subjects.map { try $0.map { try transform.transform($0) } }
      #expect(abs(cell.accuracy - Self.naive(seen)) < 1e-9, "\(transform)")
      #expect(try regions.accuracy(transform) == cell.accuracy)
      let told = try regions.regions(transform)
      let right = told.map { own in own.indices.count { own[$0] == $0 } }.reduce(0, +)
      #expect(abs(Double(right) / 12 - cell.accuracy) < 1e-9)
      for subject in 0..<4 {
        let rest = seen.indices.filter { $0 != subject }.map { seen[$0] }
        let within = Self.naive(rest)
        if within > most[subject] + 1e-9 {
          most[subject] = within
          nested[subject] =
            Double(told[subject].indices.count { told[subject][$0] == $0 }) / 3
        }
      }
    }
    #expect(abs(surface.nestedAccuracy - Statistics.mean(nested)) < 1e-9)
    #expect(surface.best?.accuracy == surface.cells.map(\.accuracy).max())
  }

  @Test func `intervals count what is drawn`() throws {
    let subjects = try Self.subjects(5, things: 14, noise: 1.5, seed: 3)
    let regions = try RepresentationIdentification(subjects)
    let transform = GeoTopological()
    let seen = try subjects.map { try $0.map { try transform.transform($0) } }
    let run = RunContext(seed: 8, threadLimit: 2)
    // The same draws, and the definition.
    var found: [Double] = []
    for draw in 0..<40 {
      var generator = run.generator("subjects and things drawn again", chunk: draw)
      var counts = [Double](repeating: 0, count: 5)
      for _ in 0..<5 { counts[generator.nextInt(below: 5)] += 1 }
      found.append(Self.naive(seen, counts: counts))
    }
    let ends = Statistics.quantiles(found.filter(\.isFinite), [0.025, 0.975])
    let own = try regions.interval(transform, resampleCount: 40, over: .subjects, in: run)
    #expect(abs(try #require(own).lowerBound - ends[0]) < 1e-9)
    #expect(abs(try #require(own).upperBound - ends[1]) < 1e-9)

    // Of things that are drawn twice the pairs count four times, and none is of a thing with itself.
    let things = try #require(
      try regions.interval(transform, resampleCount: 30, over: .things, in: run))
    var drawn: [Double] = []
    for draw in 0..<30 {
      var generator = run.generator("subjects and things drawn again", chunk: draw)
      let places = (0..<14).map { _ in generator.nextInt(below: 14) }
      let repeated = seen.map { own in
        own.map { one -> RDM in
          var values: [Double] = []
          for a in 0..<14 {
            for b in a + 1..<14 where places[a] != places[b] {
              values.append(one[places[a], places[b]])
            }
          }
          return RDM(count: 14, known: values)
        }
      }
      drawn.append(Self.naive(repeated))
    }
    let wanted = Statistics.quantiles(drawn, [0.025, 0.975])
    #expect(abs(things.lowerBound - wanted[0]) < 1e-9 && abs(things.upperBound - wanted[1]) < 1e-9)

    let both = try regions.interval(transform, resampleCount: 30, in: run)
    var other = run
    other.threadLimit = 1
    #expect(try regions.interval(transform, resampleCount: 30, in: other) == both)
    #expect(try #require(both).upperBound <= 1)
    expectError(.invalidArgument, "2 draws") { try regions.interval(transform, resampleCount: 1) }
    expectError(.invalidArgument, "lower ≤ upper") {
      try regions.interval(GeoTopological(lower: 0.6, upper: 0.4))
    }
  }

  // MARK: Edges

  @Test func `what has no geometry is one error`() throws {
    let rows = gaussianMatrix(rowCount: 8, columnCount: 3, seed: 2)
    let run = RunContext()
    let few = rows.selecting(rows: 0..<3)
    expectError(.badData, "4 things, got 3") { try RDM(few) }
    expectError(.badData, "4 things, got 0") { try RDM(rows.selecting(rows: [])) }
    let constant = Matrix(rowCount: 8, columnCount: 3) { $0.update(repeating: 1) }
    expectError(.badData, "all 28", "the same") { try GeoTopological().transform(RDM(constant)) }
    expectError(.badData, "row 0") { try RDM(constant, .correlation) }
    let rdm = try RDM(rows)
    for (lower, upper) in [(0.6, 0.4), (-0.1, 0.5), (0.2, 1.2), (.nan, 1)] {
      expectError(.invalidArgument, "lower ≤ upper") {
        try GeoTopological(lower: lower, upper: upper).transform(rdm)
      }
    }
    expectError(.invalidArgument, "steepness") { try GeoTopological.sigmoid(rdm, steepness: 0) }
    expectError(.invalidArgument, "share") { try Geodesic(edgeShare: 0).lengths(of: rdm) }
    expectError(.invalidArgument, "neighbours") { try Geodesic(neighborCount: 0).lengths(of: rdm) }
    expectError(.dimensionMismatch, "8", "7") {
      try rdm.correlation(with: RDM(rows.selecting(rows: 0..<7)))
    }
    expectError(.dimensionMismatch, "28", "3") { try RDM(count: 8, values: [1, 2, 3]) }
    expectError(.badData, "pair 1") { try RDM(count: 4, values: [1, .nan, 3, 4, 5, 6]) }
    expectError(.badData, "2 repeats") { try RDM(crossValidating: [rows]) }
    expectError(.dimensionMismatch, "8 × 3", "7 × 3") {
      try RDM(crossValidating: [rows, rows.selecting(rows: 0..<7)])
    }
    expectError(.badData, "2 subjects") { try RepresentationIdentification([[rdm, rdm]]) }
    expectError(.dimensionMismatch, "subject 1") {
      try RepresentationIdentification([[rdm, rdm], [rdm, rdm, rdm]])
    }
    expectError(.invalidArgument, "no thresholds") {
      try RepresentationIdentification([[rdm, rdm], [rdm, rdm]]).surface([])
    }
    expectError(.invalidArgument, "4 things") {
      try TopologicalSimilarity(sampleCount: 3).measure(PairedRows(rows, rows), in: run)
    }
    let sampled = try TopologicalSimilarity(resampleCount: 0, sampleCount: 6)
      .measure(PairedRows(rows, rows), in: run)
    #expect(sampled.interval == nil && sampled.warnings.first == "6 of 8 things are compared")
    #expect(
      try JSONDecoder().decode(TopologicalSimilarity.self, from: Data("{}".utf8))
        == TopologicalSimilarity())
    #expect(
      try JSONDecoder().decode(GeoTopological.self, from: Data("{}".utf8)) == GeoTopological())
  }
}
