import BasisCore
import BasisFormats
import Testing
import _BasisTestSupport

@testable import BasisClassification

@Suite struct TreeTests {
  private struct Fixture: Decodable {
    var rows: [Int]
    var asked: [Int]
    var targets: [Double]
    var classes: [Int]
    var binary: [Int]
    var deep: [Double]
    var best: [Double]
    var gini: [Double]
    var boosted: [Double]
    var boostedThree: [Double]
    var boostedTwo: [Double]
  }

  private func matrix(_ values: [Int]) throws -> Matrix {
    try Matrix(
      rowCount: values.count / 5, columnCount: 5, values: values.map { Float($0) / 1024 })
  }

  /// A curved surface with noise.
  static func table(_ n: Int, seed: UInt64, noise: Double = 0.3) throws -> TargetRows {
    var generator = RandomGenerator(seed: seed)
    let rows = Matrix(rowCount: n, columnCount: 4) { out in
      for index in out.indices { out[index] = generator.nextFloat() }
    }
    let targets = (0..<n).map { row in
      let (a, b) = (Double(rows[row, 0]), Double(rows[row, 1]))
      return 4 * a * a - 2 * b + (rows[row, 2] > 0.5 ? 1 : 0) + noise * generator.nextGaussian()
    }
    return try TargetRows(rows, targets: targets)
  }

  // MARK: The oracle

  @Test func `trees are those of scikit-learn`() throws {
    let known = try fixture("forest", Fixture.self)
    let (rows, asked) = (try matrix(known.rows), try matrix(known.asked))
    let numbers = try TargetRows(rows, targets: known.targets)
    for (settings, wanted) in [
      (DecisionTree(maxDepth: 4, minLeafCount: 8), known.deep),
      (DecisionTree(maxLeafCount: 9, minLeafCount: 8), known.best),
    ] {
      let found: ForestRegressor = try settings.fit(numbers)
      expectEqual(try found.predict(asked), wanted, within: 1e-9)
    }
    let gini: ForestClassifier = try DecisionTree(maxDepth: 4, minLeafCount: 8).fit(
      LabeledRows(rows, labels: known.classes))
    expectEqual(self.numbers(try gini.probabilities(asked)), known.gini, within: 1e-7)
  }

  @Test func `boosted trees are those of scikit-learn`() throws {
    let known = try fixture("forest", Fixture.self)
    let (rows, asked) = (try matrix(known.rows), try matrix(known.asked))
    let settings = GradientBoostedTrees(treeCount: 20, minLeafCount: 8)
    let numbers: BoostedRegressor = try settings.fit(TargetRows(rows, targets: known.targets))
    expectEqual(try numbers.predict(asked), known.boosted, within: 1e-9)
    for (labels, wanted) in [
      (known.classes, known.boostedThree), (known.binary, known.boostedTwo),
    ] {
      let model: BoostedClassifier = try settings.fit(LabeledRows(rows, labels: labels))
      expectEqual(self.numbers(try model.probabilities(asked)), wanted, within: 1e-6)
    }
  }

  private func numbers(_ matrix: Matrix) -> [Double] {
    matrix.withUnsafeFloats { $0.map { Double($0) } }
  }

  // MARK: Properties

  @Test(arguments: 0..<15 as Range<UInt64>)
  func `the first split is the best of all`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    // Few different values: ties, and blocks of equals.
    let rows = Matrix(rowCount: 40, columnCount: 3) { out in
      for index in out.indices { out[index] = Float(generator.nextInt(below: 6)) - 3 }
    }
    let targets = (0..<40).map { _ in generator.nextGaussian() }
    let model: ForestRegressor = try DecisionTree(maxDepth: 1, minLeafCount: 3).fit(
      TargetRows(rows, targets: targets))
    func loss(_ groups: [[Int]]) -> Double {
      groups.reduce(0) { sum, group in
        let mean = group.reduce(0) { $0 + targets[$1] } / Double(group.count)
        return sum + group.reduce(0) { $0 + (targets[$1] - mean) * (targets[$1] - mean) }
      }
    }
    var least = loss([Array(0..<40)])
    for column in 0..<3 {
      for value in -3..<3 {
        let left = (0..<40).filter { rows[$0, column] <= Float(value) }
        let right = (0..<40).filter { rows[$0, column] > Float(value) }
        if left.count >= 3, right.count >= 3 { least = min(least, loss([left, right])) }
      }
    }
    let found = try model.predict(rows)
    let reached = zip(found, targets).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    #expect(abs(reached - least) < 1e-9)
    #expect(model.ensemble.trees[0].leafCount == 2 && model.ensemble.trees[0].depth == 1)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `keys are sorted by their upper halves`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    var sorter = KeySorter()
    for (count, bound) in [
      (1, 1), (2, 9), (24, 3), (25, 40), (300, 5), (600, 5000), (700, 1 << 30),
    ] {
      let base = UInt32(generator.nextInt(below: 1000))
      var keys = (0..<count).map {
        UInt64(base + UInt32(generator.nextInt(below: bound))) << 32 | UInt64($0)
      }
      let upper = keys.map { UInt32($0 >> 32) }
      let wanted = keys.sorted()
      sorter.sort(&keys, count: count, low: upper.min() ?? 0, high: upper.max() ?? 0)
      #expect(Array(keys[..<count]) == wanted)
    }
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `answers are the weights times the targets`(seed: UInt64) throws {
    let table = try Self.table(60, seed: seed)
    let asked = try Self.table(25, seed: seed + 50).rows
    let run = RunContext(seed: seed)
    let trees: ForestRegressor = try RandomForest(treeCount: 8).fit(table, in: run)
    try check(trees, table, asked, isPositive: true)
    let one: ForestRegressor = try DecisionTree(maxLeafCount: 7).fit(table, in: run)
    try check(one, table, asked, isPositive: true)
    let boosted: BoostedRegressor = try GradientBoostedTrees(treeCount: 12, rate: 0.3)
      .fit(table, in: run)
    try check(boosted, table, asked, isPositive: false)
    let classes = table.targets.map { $0 > 1 ? 7 : -2 }
    let labels: ForestClassifier = try RandomForest(treeCount: 8).fit(
      LabeledRows(table.rows, labels: classes), in: run)
    let weights = try labels.weights(for: asked)
    let shares = try labels.probabilities(asked)
    for row in 0..<25 {
      let share = (0..<60).reduce(0.0) { $0 + (classes[$1] == 7 ? weights[row * 60 + $1] : 0) }
      #expect(abs(share - Double(shares[row, 1])) < 1e-6)
    }
  }

  private func check(
    _ model: some FittedRegressor & SmootherWeights, _ table: TargetRows, _ asked: Matrix,
    isPositive: Bool
  ) throws {
    let n = table.targets.count
    for rows in [asked, table.rows] {
      let weights = try model.weights(for: rows, in: RunContext(threadLimit: 3))
      let answers = try model.predict(rows, in: RunContext())
      for (row, answer) in answers.enumerated() {
        let own = weights[row * n..<(row + 1) * n]
        let sum = zip(own, table.targets).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(sum - answer) < 1e-10)
        #expect(abs(own.reduce(0, +) - 1) < 1e-10)
        if isPositive { #expect(own.allSatisfy { $0 >= 0 }) }
      }
    }
  }

  @Test func `effective parameters are those of the extremes`() throws {
    let table = try Self.table(50, seed: 3)
    let asked = try Self.table(40, seed: 4).rows
    let deep: ForestRegressor = try DecisionTree().fit(table)
    #expect(abs(try EffectiveParameters(of: deep, on: table.rows).mean - 50) < 1e-9)
    #expect(try deep.predict(table.rows).elementsEqual(table.targets) { abs($0 - $1) < 1e-12 })
    let flat: ForestRegressor = try RandomForest(treeCount: 3, isBootstrapped: false).fit(
      TargetRows(table.rows, targets: [Double](repeating: 2, count: 50)))
    #expect(abs(try EffectiveParameters(of: flat, on: asked).mean - 1) < 1e-12)
    #expect(flat.warnings.count == 1)
    let near = try NearestNeighborSmoother(table.rows, k: 5)
    #expect(abs(try EffectiveParameters(of: near, on: asked).mean - 10) < 1e-9)
    let forest: ForestRegressor = try RandomForest(treeCount: 20, isBootstrapped: false)
      .fit(table, in: RunContext(seed: 1))
    let (train, test) = (
      try EffectiveParameters(of: forest, on: table.rows),
      try EffectiveParameters(of: forest, on: asked)
    )
    #expect(abs(train.mean - 50) < 1e-9 && test.mean < 30 && test.values.allSatisfy { $0 >= 1 })
    #expect(try EffectiveParameters(of: forest, on: Matrix(rowCount: 0, columnCount: 4)).mean.isNaN)
    expectError(.invalidArgument, "1 to 50") { try NearestNeighborSmoother(table.rows, k: 51) }
  }

  @Test func `more trees average, and small trees stay what they are`() throws {
    let (train, test) = (
      try Self.table(80, seed: 1, noise: 0), try Self.table(60, seed: 2, noise: 0)
    )
    let steps = try EnsembleDecomposition(treeCounts: [1, 10], fitCount: 4)
      .steps(train, test, in: RunContext(seed: 5))
    #expect(steps.map(\.treeCount) == [1, 10])
    for step in steps { #expect(step.best <= step.error && step.variability >= 0) }
    #expect(steps[1].error < steps[0].error && steps[1].variability < steps[0].variability)
    expectError(.invalidArgument, "fitCount") {
      try EnsembleDecomposition(fitCount: 1).steps(train, test)
    }
  }

  // MARK: What is refused, and files

  @Test func `what it cannot use is one clear error`() throws {
    let table = try Self.table(20, seed: 1)
    for bad in [
      RandomForest(treeCount: 0), RandomForest(featureShare: 0), RandomForest(maxDepth: 0),
      RandomForest(maxLeafCount: 1), RandomForest(minLeafCount: 0),
    ] {
      expectError(.invalidArgument, "a forest") { try bad.fit(table) as ForestRegressor }
    }
    expectError(.invalidArgument, "rate 0.0") {
      try GradientBoostedTrees(rate: 0).fit(table) as BoostedRegressor
    }
    let few = try TargetRows(table.rows.selecting(rows: 0..<1), targets: [1])
    expectError(.badData, "is 1") { try RandomForest().fit(few) as ForestRegressor }
    expectError(.badData, "is 1") { try GradientBoostedTrees().fit(few) as BoostedRegressor }
    expectError(.badData, "1 column") {
      try RandomForest().fit(TargetRows(Matrix(rowCount: 3, columnCount: 0), targets: [1, 2, 3]))
        as ForestRegressor
    }
    expectError(.badData, "target of row 1") {
      try TargetRows(table.rows.selecting(rows: 0..<2), targets: [1, .nan])
    }
    var broken = table.rows
    broken[4, 2] = .infinity
    expectError(.badData, "row 4", "column 2") {
      try RandomForest().fit(TargetRows(broken, targets: table.targets)) as ForestRegressor
    }
    let many: BoostedRegressor = try GradientBoostedTrees(treeCount: 1).fit(table)
    expectError(.dimensionMismatch, "4 columns") {
      try many.predict(Matrix(rowCount: 1, columnCount: 3))
    }
  }

  @Test(arguments: ClassificationCatalogue.regressors.map(\.descriptor.name))
  func `a regressor keeps to what all methods do, and its file keeps it`(name: String) throws {
    let table = try Self.table(60, seed: 6)
    let column = try Matrix(
      rowCount: 60, columnCount: 1, values: table.targets.map { Float($0) })
    let entry = try ClassificationCatalogue.regressor(named: name)
    let asked = try Self.table(30, seed: 7).rows
    try checkMethod(entry, MethodParts([table.rows, column]), isOfRows: false) { found in
      (try? found.predict(asked, in: RunContext())) ?? []
    }
    let model = try entry.run(MethodParts([table.rows, column]))
    let folder = try TemporaryFolder()
    try model.save(to: folder.path + "/m")
    let opened = try #require(
      try ModelFile(path: folder.path + "/m").model(among: ClassificationCatalogue.models)
        as? any FittedRegressor & SmootherWeights)
    #expect(try opened.predict(asked, in: RunContext()) == model.predict(asked, in: RunContext()))
    #expect(opened.trainingCount == 60 && opened.columnCount == 4)
    let first = try (model as? any SmootherWeights)?.weights(for: asked, in: RunContext())
    #expect(try opened.weights(for: asked, in: RunContext()) == first)
  }
}

func expectEqual(
  _ found: [Double], _ wanted: [Double], within tolerance: Double,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == wanted.count, sourceLocation: sourceLocation)
  for (a, b) in zip(found, wanted) {
    #expect(abs(a - b) <= tolerance * max(1, abs(b)), sourceLocation: sourceLocation)
  }
}
