import BasisClassification
import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

@Suite struct ClassificationTests {
  /// What certifies has rows of its own: others it refuses.
  static let names = ClassificationCatalogue.entries.map(\.descriptor.name)
    .filter { $0 != "tester-learner" }

  @Test(arguments: names)
  func `a method keeps to what all methods do`(name: String) throws {
    let entry = try ClassificationCatalogue.entry(named: name)
    let input = try blobs(60, 4, classes: 3, seed: 1)
    let asked = gaussianMatrix(rowCount: 20, columnCount: 4, seed: 9)
    // Rows are drawn by number, and of splits that part the same rows rounding chooses one.
    let isOfRows = ["naive-bayes", "logistic", "lda", "qda"].contains(name)
    try checkMethod(entry, MethodParts([input.rows], labels: input.labels), isOfRows: isOfRows) {
      found in
      guard let rows = try? found.probabilities(asked, in: RunContext()) else { return [] }
      return rows.withUnsafeFloats { $0.map { Double($0) } }
    }
    #expect(Set(Self.names).count == Self.names.count)
    expectError(.invalidArgument, "'luck'", "logistic") {
      try ClassificationCatalogue.entry(named: "luck")
    }
  }

  @Test(arguments: names, 0..<3 as Range<UInt64>)
  func `a model keeps its promises, and its file keeps it`(name: String, seed: UInt64) throws {
    let input = try blobs(80, 5, classes: 3, seed: seed)
    let entry = try ClassificationCatalogue.entry(named: name)
    let run = RunContext(seed: seed)
    let model = try entry.run(MethodParts([input.rows], labels: input.labels), in: run)
    #expect(model.classes == [0, 1, 2] && model.columnCount == 5)
    let asked = gaussianMatrix(rowCount: 300, columnCount: 5, seed: seed + 9)
    let found = try model.probabilities(asked, in: run)
    #expect(found.rowCount == 300 && found.columnCount == 3)
    for row in 0..<300 {
      let values = found.row(row)
      #expect(values.allSatisfy { $0 >= 0 } && abs(values.reduce(0, +) - 1) < 1e-5)
    }
    for threads in [1, 3] {
      #expect(try model.probabilities(asked, in: RunContext(threadLimit: threads)) == found)
    }
    let few = try model.probabilities(asked.selecting(rows: 7..<9), in: run)
    #expect(few == found.selecting(rows: 7..<9))
    #expect(try model.probabilities(Matrix(rowCount: 0, columnCount: 5), in: run).rowCount == 0)
    #expect(try model.accuracy(on: input, in: run) > 0.6)
    expectError(.dimensionMismatch, "5 columns") {
      try model.predict(Matrix(rowCount: 1, columnCount: 4), in: run)
    }

    let folder = try TemporaryFolder()
    let path = folder.path + "/model"
    try model.save(to: path)
    let opened = try #require(
      try ModelFile(path: path).model(among: ClassificationCatalogue.models)
        as? any FittedClassifier)
    #expect(try opened.probabilities(asked, in: run) == found)
    #expect(opened.classes == model.classes && opened.warnings == model.warnings)
  }

  @Test func `models have names of their own`() {
    let names = ClassificationCatalogue.models.map { $0.modelName }
    #expect(Set(names).count == names.count)
  }
}
