import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisAlignment

@Suite struct AlignmentTests {
  // MARK: Other libraries

  struct Fixture: Decodable {
    struct Case: Decodable {
      var first: [[Float]]
      var second: [[Float]]
      var rows: [[Float]]
      var expected: [String: [[Float]]]
    }

    struct Report: Decodable {
      var first: [[Float]]
      var second: [[Float]]
      var k: Int
      var ranks: [Double]
      var jaccard: Double
      var cosine: Double
      var reciprocal: Double
    }

    var tolerance: Float
    var ridge: Double
    var cases: [Case]
    var report: Report
  }

  private static func fixture() throws -> Fixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "relative", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  private static func largestDifference(_ a: Matrix, _ b: Matrix) -> Float {
    guard a.rowCount == b.rowCount, a.columnCount == b.columnCount else { return .infinity }
    return zip(a.withUnsafeFloats { Array($0) }, b.withUnsafeFloats { Array($0) })
      .reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  @Test func `maps are those of other libraries`() throws {
    let fixture = try Self.fixture()
    let run = RunContext()
    for (number, one) in fixture.cases.enumerated() {
      let pairs = try PairedRows(Matrix(rows: one.first), Matrix(rows: one.second))
      let rows = try Matrix(rows: one.rows)
      let all = AnchorSelector.list(Array(0..<one.first.count))
      let plain = RelativeProjection(isCentered: false, anchors: all)
      var maps: [String: any FittedAligner] = [
        "relative": try plain.fit(pairs),
        "relativeCentered": try RelativeProjection(anchors: all).fit(pairs),
        "innerProduct": try RelativeProjection(
          similarity: .innerProduct, isCentered: false, anchors: all
        ).fit(pairs),
        "procrustes": try ProcrustesAligner(isCentered: false).fit(pairs),
        "procrustesScaled": try ProcrustesAligner(isCentered: false, isScaling: true).fit(pairs),
        "affine": try AffineAligner(ridge: fixture.ridge).fit(pairs),
        "inverse": try InverseRelativeAligner(isCentered: false, anchors: all, ridge: 0)
          .fit(pairs),
      ]
      if one.expected["procrustesCentered"] != nil {
        maps["procrustesCentered"] = try ProcrustesAligner().fit(pairs)
      }
      for (name, map) in maps {
        let wanted = try Matrix(rows: #require(one.expected[name]))
        let largest = wanted.withUnsafeFloats { $0.reduce(1) { max($0, abs($1)) } }
        let difference = Self.largestDifference(try map.map(rows, in: run), wanted)
        #expect(difference <= fixture.tolerance * largest, "\(name) of case \(number)")
      }
      let second = try plain.fit(pairs).map(
        Matrix(rows: one.second).selecting(rows: 0..<rows.rowCount), from: .second, in: run)
      let wanted = try Matrix(rows: #require(one.expected["relativeSecond"]))
      #expect(Self.largestDifference(second, wanted) <= fixture.tolerance, "case \(number)")
    }
  }

  @Test func `a report is that of one row at a time`() throws {
    let one = try Self.fixture().report
    let report = try CrossSpaceReport(
      Matrix(rows: one.first), Matrix(rows: one.second), neighborCount: one.k)
    #expect(report.ranks == one.ranks)
    #expect(abs(report.neighborJaccard - one.jaccard) < 1e-9)
    #expect(abs(report.matchedCosine - one.cosine) < 1e-6)
    #expect(abs(report.meanReciprocalRank - one.reciprocal) < 1e-12)
    #expect(report.firstShare == report.shareFound(within: [1])[0])
    #expect(report.shareFound(within: [40]) == [1])
  }

  // MARK: Properties

  /// A space, and the same turned by a random rotation.
  private static func turned(_ n: Int, _ d: Int, seed: UInt64) throws -> (Matrix, Matrix, Matrix) {
    let rows = gaussianMatrix(rowCount: n, columnCount: d, seed: seed)
    let rotation = try LinearAlgebra.thinQR(
      gaussianMatrix(rowCount: d, columnCount: d, seed: seed + 1000)
    ).q
    return (rows, try LinearAlgebra.product(rows, rotation), rotation)
  }

  private static func scaled(_ rows: Matrix, _ factor: Float, shift: Float = 0) -> Matrix {
    var result = rows
    result.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] = floats[index] * factor + shift }
    }
    return result
  }

  @Test(arguments: 0..<10)
  func `descriptions do not see rotation and scale, and a shift only without centring`(
    seed: UInt64
  ) throws {
    let (rows, turned, _) = try Self.turned(60, 7, seed: seed)
    let run = RunContext(seed: seed)
    for selector in [AnchorSelector.uniform, .farthest, .kMeans] {
      for isCentered in [false, true] {
        let method = RelativeProjection(
          isCentered: isCentered, anchors: selector, anchorCount: 12)
        let map = try method.fit(PairedRows(rows, Self.scaled(turned, 3.5)), in: run)
        let difference = Self.largestDifference(
          try map.map(rows, from: .first, in: run),
          try map.map(Self.scaled(turned, 3.5), from: .second, in: run))
        #expect(difference < 1e-5, "\(selector) \(isCentered)")
        let shifted = try method.fit(PairedRows(rows, Self.scaled(turned, 1, shift: 2)), in: run)
        let moved = Self.largestDifference(
          try shifted.map(rows, from: .first, in: run),
          try shifted.map(Self.scaled(turned, 1, shift: 2), from: .second, in: run))
        #expect(isCentered ? moved < 1e-5 : moved > 0.1, "\(selector) \(isCentered)")
      }
    }
  }

  @Test(arguments: 0..<10)
  func `a rotation is found again, and a map of another shape by least squares`(seed: UInt64)
    throws
  {
    let (rows, turned, rotation) = try Self.turned(50, 6, seed: seed)
    let second = Self.scaled(turned, 2, shift: -1)
    let procrustes = try ProcrustesAligner(isScaling: true).fit(PairedRows(rows, second))
    #expect(Self.largestDifference(procrustes.matrix, Self.scaled(rotation, 2)) < 1e-5)
    #expect(Self.largestDifference(try procrustes.map(rows), second) < 2e-5)
    let affine = try AffineAligner(ridge: 0).fit(PairedRows(rows, second))
    #expect(Self.largestDifference(try affine.map(rows), second) < 2e-5)
    let wide = try LinearAlgebra.product(
      rows, gaussianMatrix(rowCount: 6, columnCount: 9, seed: seed + 7))
    let other = try AffineAligner(ridge: 0).fit(PairedRows(rows, wide))
    #expect(other.dimension == 9)
    #expect(Self.largestDifference(try other.map(rows), wide) < 2e-5)
    #expect(Self.largestDifference(try other.map(wide, from: .second, in: RunContext()), wide) == 0)
    let inverse = try InverseRelativeAligner(ridge: 0).fit(PairedRows(rows, second))
    let run = RunContext()
    #expect(
      Self.largestDifference(
        try inverse.map(rows, in: run), try inverse.map(second, from: .second, in: run)) < 2e-5)
    let report = try CrossSpaceReport(procrustes.map(rows), second)
    #expect(report.meanReciprocalRank == 1 && report.neighborJaccard == 1)
    #expect(report.matchedCosine > 0.9999)
    let lost = try CrossSpaceReport(rows, second)
    #expect(lost.meanReciprocalRank < 0.5)
  }

  @Test func `a ridge shrinks, and takes the scale of a space with it`() throws {
    let rows = gaussianMatrix(rowCount: 40, columnCount: 5, seed: 1)
    let second = gaussianMatrix(rowCount: 40, columnCount: 3, seed: 2)
    func size(_ matrix: Matrix) -> Float {
      matrix.withUnsafeFloats { $0.reduce(0) { $0 + $1 * $1 } }
    }
    let maps = try [0, 0.1, 1, 10].map {
      try AffineAligner(ridge: $0).fit(PairedRows(rows, second))
    }
    for (a, b) in zip(maps, maps.dropFirst()) { #expect(size(a.matrix) > size(b.matrix)) }
    let larger = try AffineAligner(ridge: 1).fit(PairedRows(Self.scaled(rows, 100), second))
    #expect(
      Self.largestDifference(
        try larger.map(Self.scaled(rows, 100)), try maps[2].map(rows)) < 1e-4)
  }

  @Test(arguments: 0..<10)
  func `anchors are different rows, and farther apart where asked for`(seed: UInt64) throws {
    // Eight tight groups, one of them large.
    let middles = gaussianMatrix(rowCount: 8, columnCount: 10, seed: seed)
    var rows = gaussianMatrix(rowCount: 200, columnCount: 10, seed: seed + 50)
    let groups = (0..<200).map { $0 < 150 ? 0 : $0 % 8 }
    for row in 0..<200 {
      for column in 0..<10 {
        rows[row, column] = rows[row, column] / 50 + middles[groups[row], column]
      }
    }
    let run = RunContext(seed: seed)
    var covered: [Int] = []
    for selector in [AnchorSelector.uniform, .farthest, .kMeans] {
      let chosen = try selector.select(8, of: rows, in: run)
      #expect(Set(chosen).count == 8 && chosen.allSatisfy { $0 >= 0 && $0 < 200 })
      #expect(try selector.select(8, of: rows, in: run) == chosen)
      covered.append(Set(chosen.map { groups[$0] }).count)
      #expect(try selector.select(200, of: rows, in: run).count == 200)
    }
    #expect(covered[1] == 8, "farthest: \(covered)")
    #expect(covered[2] >= covered[0], "kmeans: \(covered)")
    // Equal rows leave clusters empty.
    let equal = Matrix(rowCount: 9, columnCount: 2) { $0.update(repeating: 1) }
    for selector in [AnchorSelector.farthest, .kMeans] {
      #expect(Set(try selector.select(5, of: equal, in: run)).count == 5)
    }
  }

  @Test func `similarities fall into bins`() throws {
    let rows = gaussianMatrix(rowCount: 30, columnCount: 6, seed: 3)
    let run = RunContext()
    let map = try RelativeProjection(binSize: 0.25).fit(PairedRows(rows, rows))
    let plain = try RelativeProjection().fit(PairedRows(rows, rows))
    let (binned, exact) = (try map.map(rows, in: run), try plain.map(rows, in: run))
    binned.withUnsafeFloats { for value in $0 { #expect(value * 4 == (value * 4).rounded()) } }
    #expect(Self.largestDifference(binned, exact) <= 0.125)
  }

  // MARK: Files

  @Test func `a map comes back from its file`() throws {
    let folder = try TemporaryFolder()
    let first = gaussianMatrix(rowCount: 30, columnCount: 6, seed: 3)
    let second = gaussianMatrix(rowCount: 30, columnCount: 4, seed: 4)
    let run = RunContext()
    for entry in AlignmentCatalogue.entries {
      let map = try entry.run(MethodParts([first, second]))
      let path = folder.path + "/" + entry.descriptor.name
      try map.save(to: path)
      let again = try AlignmentCatalogue.aligner(contentsOf: path)
      for side in AlignmentSide.allCases {
        let rows = side == .first ? first : second
        #expect(
          try again.map(rows, from: side, in: run) == map.map(rows, from: side, in: run),
          "\(entry.descriptor.name)")
      }
      #expect(again.warnings == map.warnings && again.anchorCount == map.anchorCount)
      #expect(again.dimension == map.dimension && again.secondDimension == 4)
    }
    let other = folder.path + "/other"
    try SafetensorsWriter().write(to: other)
    expectError(.badData, "other") { try AlignmentCatalogue.aligner(contentsOf: other) }
  }

  // MARK: Edges

  @Test func `what cannot be aligned is one error`() throws {
    let rows = gaussianMatrix(rowCount: 10, columnCount: 3, seed: 5)
    let run = RunContext()
    let pairs = try PairedRows(rows, rows)
    expectError(.invalidArgument, "11 anchors of 10") {
      try RelativeProjection(anchorCount: 11).fit(pairs)
    }
    expectError(.invalidArgument, "0 anchors") { try RelativeProjection(anchorCount: 0).fit(pairs) }
    expectError(.invalidArgument, "anchor 10", "0 to 9") {
      try RelativeProjection(anchors: .list([1, 10])).fit(pairs)
    }
    expectError(.invalidArgument, "anchor 4", "twice") {
      try InverseRelativeAligner(anchors: .list([4, 1, 4])).fit(pairs)
    }
    expectError(.invalidArgument, "bin") { try RelativeProjection(binSize: -1).fit(pairs) }
    expectError(.invalidArgument, "ridge") { try AffineAligner(ridge: -1).fit(pairs) }
    expectError(.invalidArgument, "ridge") { try InverseRelativeAligner(ridge: .nan).fit(pairs) }
    var holed = rows
    for column in 0..<3 { holed[6, column] = 0 }
    expectError(.badData, "anchor 6", "second space") {
      try RelativeProjection(isCentered: false).fit(PairedRows(rows, holed))
    }
    let constant = Matrix(rowCount: 10, columnCount: 3) { $0.update(repeating: 2) }
    expectError(.badData, "once the mean is off") {
      try RelativeProjection().fit(PairedRows(constant, rows))
    }
    expectError(.badData, "all the same") { try AffineAligner().fit(PairedRows(constant, rows)) }
    expectError(.badData, "nothing in common") {
      try ProcrustesAligner().fit(PairedRows(constant, rows))
    }
    for count in 0...1 {
      let few = try PairedRows(rows.selecting(rows: 0..<count), rows.selecting(rows: 0..<count))
      expectError(.badData, "at least 2 pairs") { try ProcrustesAligner().fit(few) }
      expectError(.badData, "at least 2 pairs") { try RelativeProjection().fit(few) }
    }
    let map = try ProcrustesAligner().fit(pairs)
    expectError(.dimensionMismatch, "2 values", "first", "3") {
      try map.map(rows.prefix(columns: 2))
    }
    var broken = rows
    broken[4, 1] = .infinity
    expectError(.badData, "row 4", "column 1") { try map.map(broken) }
    #expect(try map.map(rows.selecting(rows: [])).rowCount == 0)
    expectError(.dimensionMismatch, "10 × 3", "10 × 2") {
      try CrossSpaceReport(rows, rows.prefix(columns: 2))
    }
    expectError(.badData, "no rows") {
      try CrossSpaceReport(rows.selecting(rows: []), rows.selecting(rows: []))
    }
    expectError(.invalidArgument, "neighbour") {
      try CrossSpaceReport(rows, rows, neighborCount: 0, in: run)
    }
    // Nothing is told apart: every mate is in the middle.
    #expect(try CrossSpaceReport(constant, constant).ranks == Array(repeating: 5.5, count: 10))
    #expect(try CrossSpaceReport(rows.selecting(rows: [0]), rows.selecting(rows: [0])).ranks == [1])
  }

  @Test func `anchors that say little are pointed out`() throws {
    let rows = gaussianMatrix(rowCount: 10, columnCount: 6, seed: 5)
    let twice = rows.selecting(rows: [0, 1, 2, 3, 4, 5, 6, 7, 0, 1])
    let repeated = try RelativeProjection(isCentered: false).fit(PairedRows(twice, twice))
    #expect(repeated.warnings.count == 1 && repeated.warnings[0].contains("2 of 10"))
    let four = try PairedRows(rows.selecting(rows: 0..<4), rows.selecting(rows: 0..<4))
    let few = try ProcrustesAligner().fit(four)
    #expect(few.warnings.first?.contains("3 of 6") == true, "\(few.warnings)")
    #expect(try AffineAligner().fit(four).warnings.first?.contains("4 anchors for 6") == true)
    #expect(try InverseRelativeAligner().fit(four).warnings.first?.contains("span 3") == true)
    #expect(try AffineAligner().fit(PairedRows(rows, rows)).warnings.isEmpty)
  }

  // MARK: The catalogue

  @Test(arguments: AlignmentCatalogue.entries.map(\.descriptor.name))
  func `a method keeps to what all methods do`(name: String) throws {
    let first = gaussianMatrix(rowCount: 40, columnCount: 5, seed: 8)
    let second = gaussianMatrix(rowCount: 40, columnCount: 6, seed: 9)
    let some = first.selecting(rows: 0..<3)
    // The order of the anchors is that of a description's columns.
    try checkMethod(
      AlignmentCatalogue.entry(named: name), MethodParts([first, second]),
      isOfRows: name != "relative"
    ) { map in
      guard let mapped = try? map.map(some, in: RunContext(threadLimit: 1)) else { return [] }
      return mapped.withUnsafeFloats { $0.map { Double($0) } }
    }
  }

  @Test func `settings change by their names`() throws {
    let rows = gaussianMatrix(rowCount: 40, columnCount: 5, seed: 8)
    let parts = MethodParts([rows, rows])
    let entry = try AlignmentCatalogue.entry(named: "relative")
    let list = try entry.run(parts, settings: #"{"anchors": [3, 1, 2]}"#)
    #expect((list as? RelativeAlignment)?.anchorRows == [3, 1, 2])
    let far = try entry.run(parts, settings: #"{"anchors": "farthest", "anchorCount": 4}"#)
    #expect(far.dimension == 4)
    expectError(.invalidArgument, "uniform, farthest, kmeans") {
      try entry.run(parts, settings: #"{"anchors": "nearest"}"#)
    }
    expectError(.invalidArgument, "procrustes") { try AlignmentCatalogue.entry(named: "glue") }
    let coded = try JSONDecoder().decode(
      RelativeProjection.self,
      from: JSONEncoder().encode(RelativeProjection(anchors: .list([2, 0]))))
    #expect(coded == RelativeProjection(anchors: .list([2, 0])))
    #expect(
      try JSONDecoder().decode(AffineAligner.self, from: Data("{}".utf8)) == AffineAligner())
    #expect(
      try JSONDecoder().decode(RelativeProjection.self, from: Data("{}".utf8))
        == RelativeProjection())
  }
}
