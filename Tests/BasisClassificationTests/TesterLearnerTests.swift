import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

@testable import BasisClassification

@Suite struct TesterLearnerTests {
  private struct Fixture: Decodable {
    var sixtyFourths: [Int]
    var direction: [Double]
    var layers: [Double]
    var fourth: Double
  }

  @Test func `masses and moments are those of numpy`() throws {
    let known = try fixture("tester_learner", Fixture.self)
    let rows = try Matrix(
      rowCount: known.sixtyFourths.count / 3, columnCount: 3,
      values: known.sixtyFourths.map { Float($0) / 64 })
    let settings = TesterLearner(noise: .adversarial, slabCount: 4)
    let checks = try HalfspaceTests(settings, rows, known.direction).checks(in: RunContext())
    #expect(checks.count == 11)
    expectEqual(checks.dropLast().map(\.value), known.layers, within: 1e-5)
    expectEqual([checks[10].value], [known.fourth], within: 1e-9)
  }

  /// Labels of a plane through zero, a share of those of one side flipped.
  private func labeled(_ rows: Matrix, flipped: Double, seed: UInt64) throws -> LabeledRows {
    var generator = RandomGenerator(seed: seed)
    let labels = (0..<rows.rowCount).map { row in
      let isAbove = rows[row, 0] - rows[row, 1] > 0
      return isAbove != (generator.nextDouble() < (isAbove ? flipped : flipped / 3)) ? 1 : 0
    }
    return try LabeledRows(rows, labels: labels)
  }

  private let quick = TesterLearner(stepCount: 60, batchSize: 300)

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `normal rows are certified, with an error near the noise`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 3000, columnCount: 4, seed: seed)
    let input = try labeled(rows, flipped: 0.2, seed: seed)
    let verdict = try quick.certify(input, in: RunContext(seed: seed, threadLimit: 1))
    #expect(verdict.isAccepted, "\(verdict.statement)")
    #expect(abs(verdict.error - 0.2 * 2 / 3) < 0.04 && verdict.errorBound > verdict.error)
    #expect(verdict.statement.hasPrefix("certified"))
    #expect(try verdict.model.accuracy(on: input) > 0.8)
    #expect(try quick.certify(input, in: RunContext(seed: seed, threadLimit: 4)) == verdict)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `rows of another form are refused`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let cube = Matrix(rowCount: 3000, columnCount: 4) { out in
      for index in out.indices { out[index] = generator.next() & 1 == 0 ? -1 : 1 }
    }
    var planted = gaussianMatrix(rowCount: 3000, columnCount: 4, seed: seed)
    for row in 0..<600 { for column in 0..<4 { planted[row, column] *= 0.1 } }
    for rows in [cube, planted] {
      let verdict = try quick.certify(
        labeled(rows, flipped: 0, seed: seed), in: RunContext(seed: seed))
      let refusal = try #require(verdict.refusal)
      #expect(!refusal.passes && verdict.statement.contains(refusal.name))
    }
  }

  @Test func `rows that are not white are whitened where that is asked`() throws {
    var rows = gaussianMatrix(rowCount: 3000, columnCount: 3, seed: 4)
    let labels = (0..<3000).map { rows[$0, 0] > rows[$0, 2] ? 9 : 4 }
    for row in 0..<3000 {
      rows[row, 0] = 3 * rows[row, 0] + 100
      rows[row, 1] += 0.5 * rows[row, 2]
    }
    let input = try LabeledRows(rows, labels: labels)
    expectError(.badData, "isWhitening") { try quick.certify(input) }
    var settings = quick
    settings.isWhitening = true
    let verdict = try settings.certify(input, in: RunContext(seed: 1))
    #expect(verdict.isAccepted && verdict.error < 0.06, "\(verdict.statement) \(verdict.error)")
    #expect(try verdict.model.accuracy(on: input) > 0.94 && verdict.model.classes == [4, 9])
    for row in 0..<3000 { rows[row, 1] = 7 }
    expectError(.badData, "constant") { try settings.certify(LabeledRows(rows, labels: labels)) }
  }

  @Test func `a certified plane is a model like others`() throws {
    let rows = gaussianMatrix(rowCount: 2000, columnCount: 3, seed: 3)
    let input = try labeled(rows, flipped: 0.2, seed: 3)
    let known = try ClassificationCatalogue.entry(named: "tester-learner").descriptor
    let entry = MethodEntry<any FittedClassifier>(
      known, TesterLearner(stepCount: 20, batchSize: 200)
    ) {
      (tester: TesterLearner, input: LabeledRows, run: RunContext) throws(BasisError) in
      try tester.fit(input, in: run)
    }
    let parts = MethodParts([rows], labels: input.labels)
    let asked = gaussianMatrix(rowCount: 50, columnCount: 3, seed: 8)
    try checkMethod(entry, parts, isOfRows: false) { found in
      guard let rows = try? found.probabilities(asked, in: RunContext()) else { return [] }
      return rows.withUnsafeFloats { $0.map { Double($0) } }
    }
    let run = RunContext(seed: 4)
    let model = try quick.fit(input, in: run)
    let verdict = try quick.certify(input, in: run)
    #expect(model.statement == verdict.statement && model.checks == verdict.checks)
    #expect(model.errorBound == verdict.errorBound && model.testCount == 1000)
    // The surer class is as sure as the plane was right.
    let shares = try model.probabilities(asked)
    let found = try model.predict(asked)
    for row in 0..<50 {
      let own = Double(shares[row, found[row] == model.classes[0] ? 0 : 1])
      #expect(abs(own - (1 - verdict.error)) < 1e-6)
    }
    #expect(found == (try verdict.model.predict(asked)))
    let folder = try TemporaryFolder()
    try model.save(to: folder.path + "/m")
    let opened = try #require(
      try ModelFile(path: folder.path + "/m").model(among: ClassificationCatalogue.models)
        as? CertifiedHalfspace)
    #expect(opened == model)
    #expect(try opened.predict(asked) == found)

    let cube = Matrix(rowCount: 2000, columnCount: 3) { out in
      for index in out.indices { out[index] = rows[index / 3, index % 3] > 0 ? 1 : -1 }
    }
    expectError(.badData, "a tester-learner: refused", "allowed") {
      try quick.fit(labeled(cube, flipped: 0, seed: 1), in: run)
    }
  }

  /// Normal rows and a share of flat ones, labelled by a plane with noise; or corners of a box with a tenth
  /// of the rows far out and labelled the other way, so that the mean says nothing and no row lies near
  /// most planes: what is found there is no better than chance.
  private func mixture(_ seed: UInt64) throws -> LabeledRows {
    var generator = RandomGenerator(seed: seed)
    let normal = gaussianMatrix(rowCount: 1500, columnCount: 3, seed: seed + 70)
    let share = [0, 0.03, 0.1, 0.3, 1][Int(seed) % 5]
    let spread = 0.5 + 2 * generator.nextDouble()
    var rows = Matrix(rowCount: 1500, columnCount: 3) { out in
      for row in 0..<1500 {
        let isOther = generator.nextDouble() < share
        for column in 0..<3 {
          let flat = spread * (2 * generator.nextDouble() - 1)
          out[row * 3 + column] = isOther ? Float(flat) : normal[row, column]
        }
      }
    }
    guard share == 1 else {
      return try labeled(rows, flipped: 0.3 * generator.nextDouble(), seed: seed)
    }
    for row in 0..<1500 {
      for column in 0..<3 { rows[row, column] = rows[row, column] > 0 ? 1 : -1 }
      if row % 10 == 0 { rows[row, 0] *= 9 }
    }
    let labels = (0..<1500).map { (rows[$0, 0] > 0) == ($0 % 10 != 0) ? 1 : 0 }
    return try LabeledRows(rows, labels: labels)
  }

  @Test(arguments: 0..<15 as Range<UInt64>)
  func `what is accepted of mixtures errs little more than the best plane`(seed: UInt64) throws {
    let input = try mixture(seed)
    var settings = TesterLearner(stepCount: 40, batchSize: 200)
    settings.isWhitening = true
    let verdict = try settings.certify(input, in: RunContext(seed: seed))
    if seed % 5 == 0 { #expect(verdict.isAccepted) }
    guard verdict.isAccepted else { return }
    let error = 1 - (try verdict.model.accuracy(on: input))
    let rows = input.rows
    let signs = input.labels.map { $0 == 1 }
    func wrong(_ a: Float, _ b: Float, _ c: Float) -> Double {
      let count = signs.indices.count {
        (a * rows[$0, 0] + b * rows[$0, 1] + c * rows[$0, 2] > 0) != signs[$0]
      }
      return Double(min(count, 1500 - count)) / 1500
    }
    var generator = RandomGenerator(seed: seed)
    var best = min(wrong(1, -1, 0), wrong(1, 0, 0))
    for _ in 0..<100 {
      let plane = (0..<3).map { _ in Float(generator.nextGaussian()) }
      best = min(best, wrong(plane[0], plane[1], plane[2]))
    }
    #expect(error <= 3 * best + 0.05, "\(error) \(best)")
  }

  @Test func `what it cannot use is one clear error`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 3, seed: 1)
    let labels = (0..<300).map { $0 % 2 }
    expectError(.badData, "2 classes") {
      try quick.certify(LabeledRows(rows, labels: (0..<300).map { $0 % 3 }))
    }
    expectError(.badData, "50 rows a column") {
      try quick.certify(
        LabeledRows(rows.selecting(rows: 0..<140), labels: Array(labels[..<140])))
    }
    expectError(.badData, "2 columns") {
      try quick.certify(LabeledRows(rows.prefix(columns: 1), labels: labels))
    }
    expectError(.invalidArgument, "tester-learner") {
      try TesterLearner(bandWidth: 0).certify(LabeledRows(rows, labels: labels))
    }
    var broken = rows
    broken[8, 1] = .nan
    expectError(.badData, "row 8", "column 1") {
      try quick.certify(LabeledRows(broken, labels: labels))
    }
  }
}
