import BasisCore
import BasisMeasures
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@Suite struct MeasureTests {
  private static func fixture<T: Decodable>(_ name: String, _ type: T.Type) throws -> T {
    let url = try #require(
      Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(type, from: Data(contentsOf: url))
  }

  private func matrix(_ values: [Double], _ rows: Int, _ columns: Int) throws -> Matrix {
    try Matrix(rowCount: rows, columnCount: columns, values: values.map { Float($0) })
  }

  private func value(_ statistic: SpectralMeasure.Statistic, _ rows: Matrix) throws -> Double {
    try SpectralMeasure(statistic).measure(rows, in: RunContext()).value
  }

  // MARK: The spectrum

  struct SpectrumFixture: Decodable {
    struct Case: Decodable {
      var rowCount: Int
      var columnCount: Int
      var values: [Double]
      var statistics: [String: Double]
    }

    var cases: [Case]
  }

  @Test func `statistics of spectra are numpy's`() throws {
    for one in try Self.fixture("spectrum", SpectrumFixture.self).cases {
      let rows = try matrix(one.values, one.rowCount, one.columnCount)
      for statistic in SpectralMeasure.Statistic.allCases {
        let wanted = try #require(one.statistics[statistic.rawValue])
        // Centred spectra of few rows end in a rounded zero, which a slope of logarithms sees.
        if statistic == .eigenvalueDecay, one.rowCount <= one.columnCount { continue }
        if statistic == .eigenvalueDecay, one.statistics["hard-rank"] != Double(one.columnCount) {
          continue
        }
        let found = try value(statistic, rows)
        #expect(abs(found - wanted) <= 1e-5 * abs(wanted), "\(statistic) \(one.rowCount)")
      }
    }
  }

  @Test func `closed forms`() throws {
    var identity = Matrix(rowCount: 64, columnCount: 16)
    for row in 0..<64 { identity[row, row % 16] = 1 }
    for statistic in SpectralMeasure.Statistic.allCases where !statistic.isOfCovariance {
      #expect(abs(try value(statistic, identity) - 16) < 0.001, "\(statistic)")
    }
    let line = Matrix(rowCount: 30, columnCount: 8) { out in
      for index in out.indices { out[index] = Float(index / 8 + 1) * Float(index % 8 + 1) }
    }
    #expect(abs(try value(.rankMe, line) - 1) < 0.001)
    #expect(try value(.hardRank, line) == 1)
    let gaussian = gaussianMatrix(rowCount: 4096, columnCount: 64, seed: 1)
    #expect(abs(try value(.rankMe, gaussian) - 63.87) < 0.05)
    #expect(abs(try value(.eigenvalueDecay, gaussian)) < 0.3)
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `factors, turns and doubled rows leave the rank alone`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 90, columnCount: 12, seed: seed)
    let turn = try LinearAlgebra.thinQR(
      gaussianMatrix(rowCount: 12, columnCount: 12, seed: seed + 9)
    ).q
    var scaled = try LinearAlgebra.product(rows, turn)
    scaled.withUnsafeMutableFloats { for index in $0.indices { $0[index] *= 7 } }
    let doubled = rows.selecting(rows: Array(0..<90) + Array(0..<90))
    for statistic in SpectralMeasure.Statistic.allCases {
      let plain = try value(statistic, rows)
      #expect(abs(try value(statistic, scaled) - plain) <= 1e-4 * plain, "\(statistic)")
      #expect(abs(try value(statistic, doubled) - plain) <= 1e-4 * plain, "\(statistic)")
    }
  }

  @Test func `small directions are seen, which a Gram matrix of Float would lose`() throws {
    // Condition number 10⁴ by construction: orthonormal columns times falling lengths.
    let q = try LinearAlgebra.thinQR(gaussianMatrix(rowCount: 400, columnCount: 24, seed: 5)).q
    let lengths = (0..<24).map { pow(10, -4 * Double($0) / 23) }
    var rows = q
    for row in 0..<400 {
      for column in 0..<24 { rows[row, column] *= Float(lengths[column]) }
    }
    let turn = try LinearAlgebra.thinQR(gaussianMatrix(rowCount: 24, columnCount: 24, seed: 6)).q
    rows = try LinearAlgebra.product(rows, turn)
    let total = lengths.reduce(0, +)
    let wanted = exp(-lengths.reduce(0) { $0 + $1 / total * log($1 / total) })
    #expect(abs(try value(.rankMe, rows) - wanted) <= 1e-3 * wanted)
    let gram = try LinearAlgebra.product(rows, rows, transposingA: true)
    let float = try LinearAlgebra.symmetricEigen(gram).values
    let coarse = float.map { Double(max(0, $0)).squareRoot() }
    let worst = zip(coarse, lengths).map { abs($0 - $1) / $1 }.max() ?? 0
    #expect(worst > 1e-3)
    let fine = try Spectrum(of: rows).singularValues
    #expect(zip(fine, lengths).allSatisfy { abs($0 - $1) <= 1e-3 * $1 })
  }

  @Test func `collapse and few rows are told, and no spectrum is an error`() throws {
    let rows = gaussianMatrix(rowCount: 50, columnCount: 20, seed: 2)
    #expect(try SpectralMeasure().measure(rows, in: RunContext()).warnings.isEmpty)
    var collapsed = Matrix(rowCount: 50, columnCount: 20)
    for row in 0..<50 { collapsed[row, 0] = rows[row, 0] }
    #expect(
      try SpectralMeasure().measure(collapsed, in: RunContext()).warnings
        .contains { $0.contains("collapsed") })
    #expect(
      try SpectralMeasure().measure(rows.selecting(rows: 0..<5), in: RunContext()).warnings
        .contains { $0.contains("cap") })
    expectError(.badData, "no spectrum") {
      try SpectralMeasure().measure(Matrix(rowCount: 5, columnCount: 3), in: RunContext())
    }
    expectError(.badData, "at least 2 rows", "1 × 3") {
      try SpectralMeasure().measure(
        gaussianMatrix(rowCount: 1, columnCount: 3, seed: 1), in: RunContext())
    }
    expectError(.invalidArgument, "at least 2 rows") {
      try SpectralMeasure(sampleCount: 1).measure(rows, in: RunContext())
    }
    let few = try SpectralMeasure(sampleCount: 30).measure(rows, in: RunContext(seed: 1))
    #expect(few.curve?.points.count == 20 && few.value < 20)
  }

  // MARK: The sphere

  struct SphereFixture: Decodable {
    struct Case: Decodable {
      var rowCount: Int
      var columnCount: Int
      var first: [Double]
      var second: [Double]
      var labels: [Int]
      var uniformity: Double
      var tolerance: Double
      var alignment: Double
    }

    var cases: [Case]
  }

  @Test func `measures on the sphere are those of all pairs`() throws {
    for one in try Self.fixture("sphere_measures", SphereFixture.self).cases {
      let first = try matrix(one.first, one.rowCount, one.columnCount)
      let second = try matrix(one.second, one.rowCount, one.columnCount)
      let run = RunContext()
      #expect(abs(try Uniformity().measure(first, in: run).value - one.uniformity) < 1e-5)
      let labeled = try LabeledRows(first, labels: one.labels)
      let tolerance = try Tolerance().measure(labeled, in: run)
      #expect(abs(tolerance.value - one.tolerance) < 1e-5)
      let pair = try PairedRows(first, second)
      let alignment = try Alignment().measure(pair, in: run)
      #expect(abs(alignment.value - one.alignment) < 1e-5)
      for measurement in [tolerance, alignment] {
        #expect(measurement.interval?.contains(measurement.value) == true)
      }
    }
  }

  @Test func `even directions are more uniform, one direction is not at all`() throws {
    let run = RunContext()
    let even = gaussianMatrix(rowCount: 400, columnCount: 32, seed: 1)
    var narrow = even
    for row in 0..<400 { narrow[row, 0] += 20 }
    let (a, b) = (
      try Uniformity().measure(even, in: run), try Uniformity().measure(narrow, in: run)
    )
    #expect(a.value < b.value - 1)
    var same = Matrix(rowCount: 20, columnCount: 4)
    for row in 0..<20 { same[row, 1] = 3 }
    #expect(abs(try Uniformity().measure(same, in: run).value) < 1e-6)
    same[4, 1] = 0
    #expect(try Uniformity().measure(same, in: run).warnings.first?.contains("1 rows") == true)
    // The interval of 200 rows holds what twenty thousand give, most of the time.
    let large = try Uniformity().measure(
      gaussianMatrix(rowCount: 4000, columnCount: 8, seed: 50), in: run)
    let hits = try (0..<20 as Range<UInt64>).count { seed in
      try Uniformity().measure(gaussianMatrix(rowCount: 200, columnCount: 8, seed: seed), in: run)
        .interval?.contains(large.value) == true
    }
    #expect(hits >= 15)
  }

  @Test func `what they cannot measure is an error`() throws {
    let rows = gaussianMatrix(rowCount: 6, columnCount: 3, seed: 1)
    expectError(.invalidArgument, "sharpness") {
      try Uniformity(sharpness: 0).measure(rows, in: RunContext())
    }
    expectError(.badData, "two rows of one class") {
      try Tolerance().measure(LabeledRows(rows, labels: Array(0..<6)), in: RunContext())
    }
    #expect(
      try Tolerance().measure(LabeledRows(rows, labels: [0, 0, 1, 1, 2, 3]), in: RunContext())
        .warnings == ["2 classes of a single row are left out"])
    expectError(.dimensionMismatch, "6", "5") {
      try PairedRows(rows, rows.selecting(rows: 0..<5))
    }
    expectError(.dimensionMismatch, "one model") {
      try Alignment().measure(PairedRows(rows, rows.prefix(columns: 2)), in: RunContext())
    }
  }

  // MARK: The catalogue

  @Test(arguments: MeasureCatalogue.entries.map(\.descriptor.name))
  func `a measure keeps to what all methods do`(name: String) throws {
    let entry = try MeasureCatalogue.entry(named: name)
    let rows = gaussianMatrix(rowCount: 60, columnCount: 9, seed: 4)
    let other = gaussianMatrix(rowCount: 60, columnCount: 9, seed: 5)
    let parts: MethodParts
    switch entry.input {
    case LabeledRows.description:
      parts = MethodParts([rows], labels: (0..<60).map { $0 % 7 % 3 })
    case PairedRows.description: parts = MethodParts([rows, other])
    default: parts = MethodParts([rows])
    }
    // What chance gives is of an order of the rows.
    try checkMethod(entry, parts, isOfRows: name != "convergent") {
      [$0.value] + $0.parts.map(\.value)
    }
  }

  @Test func `settings change by their names`() throws {
    let rows = gaussianMatrix(rowCount: 60, columnCount: 9, seed: 4)
    let entry = try MeasureCatalogue.entry(named: "uniformity")
    let sharp = try entry.run(MethodParts([rows]), settings: #"{"sharpness": 5}"#)
    #expect(sharp.value == (try Uniformity(sharpness: 5).measure(rows, in: RunContext()).value))
    expectError(.invalidArgument, "'sharpness'") {
      try entry.run(MethodParts([rows]), settings: #"{"sharpness": "much"}"#)
    }
    let spectrum = try MeasureCatalogue.entry(named: "rankme")
    let sampled = try spectrum.run(MethodParts([rows]), settings: #"{"sampleCount": 20}"#)
    #expect(sampled.value < 9)
    expectError(.invalidArgument, "'nothing'", "rankme", "tolerance") {
      try MeasureCatalogue.entry(named: "nothing")
    }
    #expect(
      Set(MeasureCatalogue.entries.map(\.descriptor.name)).count == MeasureCatalogue.entries.count)
  }
}
