import BasisCore
import BasisFormats
import BasisMeasures
import Testing
import _BasisTestSupport

@testable import BasisClassification

@Suite struct SmootherTests {
  private struct Fixture: Decodable {
    var rows: [Int]
    var targets: [Double]
    var asked: [Int]
    var penalties: [Double]
    var ridge: [[Double]]
    var ridgeParameters: [Double]
    var bandwidth: Double
    var kernel: [Double]
    var kernelParameters: [Double]
  }

  private func matrix(_ values: [Int]) throws -> Matrix {
    try Matrix(rowCount: values.count / 4, columnCount: 4, values: values.map { Float($0) / 16 })
  }

  /// What a smoother answers: its weights times the targets.
  private func answers(_ smoother: some SmootherWeights, _ rows: Matrix, _ targets: [Double]) throws
    -> [Double]
  {
    let weights = try smoother.weights(for: rows, in: RunContext(threadLimit: 3))
    let n = targets.count
    return (0..<rows.rowCount).map { row in
      let own = weights[row * n..<(row + 1) * n]
      #expect(abs(own.reduce(0, +) - 1) < 1e-9)
      return zip(own, targets).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  @Test func `answers are those of scikit-learn and numpy`() throws {
    let known = try fixture("smoothers", Fixture.self)
    let (rows, asked) = (try matrix(known.rows), try matrix(known.asked))
    for (penalty, wanted) in zip(known.penalties, known.ridge) {
      let ridge = try RidgeSmoother(rows, penalty: penalty)
      expectEqual(try answers(ridge, asked, known.targets), wanted, within: 1e-9)
    }
    let ridge = try RidgeSmoother(rows, penalty: known.penalties[1])
    expectEqual(
      try EffectiveParameters(of: ridge, on: asked).values, known.ridgeParameters, within: 1e-9)
    let kernel = try KernelSmoother(rows, bandwidth: known.bandwidth)
    let near = asked.selecting(rows: 0..<9)
    expectEqual(try answers(kernel, near, known.targets), known.kernel, within: 1e-9)
    expectEqual(
      try EffectiveParameters(of: kernel, on: near).values, known.kernelParameters, within: 1e-9)
    // Far from all rows it is the nearest one's answer, and no ratio of zeros.
    let far = try EffectiveParameters(of: kernel, on: asked.selecting(rows: 9..<10))
    #expect(far.values[0] > 39)
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `parameters are those of the ends`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 50, columnCount: 6, seed: seed)
    // Least squares: as many as columns, and the intercept.
    #expect(
      abs(
        try EffectiveParameters(of: RidgeSmoother(rows, penalty: 1e-9), on: rows).mean - 7) < 1e-6)
    #expect(
      abs(
        try EffectiveParameters(of: RidgeSmoother(rows, penalty: 1e12), on: rows).mean - 1) < 1e-6)
    #expect(
      abs(
        try EffectiveParameters(of: KernelSmoother(rows, bandwidth: 1e-3), on: rows).mean - 50)
        < 1e-6)
    #expect(
      abs(
        try EffectiveParameters(of: KernelSmoother(rows, bandwidth: 1e4), on: rows).mean - 1)
        < 1e-6)
  }

  @Test func `the measure tells strange rows by a kept forest`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/forest"
    let table = try TreeTests.table(80, seed: 4)
    let forest: ForestRegressor = try RandomForest(treeCount: 10, isBootstrapped: false)
      .fit(table, in: RunContext(seed: 2))
    try forest.save(to: path)
    let entry = try #require(ClassificationCatalogue.measures.first)
    #expect(entry.descriptor.name == "effective-parameters")
    let asked = try TreeTests.table(30, seed: 5).rows
    var parts = MethodParts([asked], names: ["new.npy"])
    parts.models = [path]
    try checkMethod(entry, parts, isOfRows: false) { [$0.value] + $0.parts.map(\.value) }

    let found = try entry.run(parts)
    let wanted = try EffectiveParameters(of: forest, on: asked)
    #expect(found.value == wanted.mean)
    #expect(found.parts.map(\.value) == [wanted.values.min(), wanted.values.max(), 80])
    #expect(found.interval?.contains(found.value) == true)
    #expect(found.curve?.points.map { $0[1] } == wanted.values.sorted(by: >))
    parts.matrices = [table.rows]
    // Without draws a deep forest keeps to the rows that it was fitted on.
    #expect(abs(try entry.run(parts).value - 80) < 1e-9)
    parts.matrices = [asked.selecting(rows: 0..<1)]
    #expect(try entry.run(parts).interval == nil)
    parts.matrices = [asked.selecting(rows: 0..<0)]
    expectError(.badData, "1 row") { try entry.run(parts) }

    parts.matrices = [asked]
    parts.models = []
    expectError(.invalidArgument, "0 of models") { try entry.run(parts) }
    parts.models = [folder.path + "/none"]
    expectError(.notFound, "none") { try entry.run(parts) }
    let linear = try LogisticRegression().fit(blobs(40, 4, classes: 2, seed: 1))
    try linear.save(to: folder.path + "/linear")
    parts.models = [folder.path + "/linear"]
    expectError(.unsupported, "'linear classifier'", "forests") { try entry.run(parts) }
    // Methods of rows do not take models.
    expectError(.invalidArgument, "'lda'", "no model such as") {
      try ClassificationCatalogue.entry(named: "lda").run(parts)
    }
    #expect(ModelFile.isModel(path) && !ModelFile.isModel(folder.path + "/none"))
  }

  @Test func `what smoothers cannot use is one clear error`() throws {
    var rows = gaussianMatrix(rowCount: 9, columnCount: 3, seed: 1)
    let none = Matrix(rowCount: 0, columnCount: 3)
    for bad in [0, -1, Double.infinity, .nan] {
      expectError(.invalidArgument, "bandwidth") { try KernelSmoother(rows, bandwidth: bad) }
      expectError(.invalidArgument, "penalty") { try RidgeSmoother(rows, penalty: bad) }
    }
    expectError(.badData, "1 row") { try KernelSmoother(none, bandwidth: 1) }
    expectError(.badData, "1 row") { try RidgeSmoother(none, penalty: 1) }
    let (kernel, ridge) = (
      try KernelSmoother(rows, bandwidth: 1), try RidgeSmoother(rows, penalty: 1)
    )
    #expect(try kernel.weights(for: none).isEmpty && ridge.weights(for: none).isEmpty)
    expectError(.dimensionMismatch, "3 columns") {
      try kernel.weights(for: Matrix(rowCount: 1, columnCount: 2))
    }
    rows[2, 1] = .nan
    expectError(.badData, "row 2", "column 1") { try RidgeSmoother(rows, penalty: 1) }
    expectError(.badData, "row 2", "column 1") { try ridge.weights(for: rows) }
  }
}
