import BasisClassification
import BasisCore
import BasisDetection
import BasisFeatures
import BasisFormats
import BasisGraphs
import BasisMeasures
import BasisNumerics
import BasisSelection

/// One method on the files of a folder, again for each line, which is the number of threads. Before
/// the seconds of the process it tells what it found, so that results are compared before times.
struct MethodBenchmark {
  let folder: String
  let settings: [String]

  static let kinds: [String: @Sendable (MethodBenchmark) throws -> Job] = [
    "transport": { try $0.transport() }, "sinkhorn": { try $0.sinkhorn() },
    "smote": { try $0.smote() }, "information": { try $0.information() },
    "fastrp": { try $0.fastRP() }, "detector": { try $0.detector() },
    "forest": { try $0.forest() }, "matching": { try $0.matching() },
    "bayes": { try $0.bayes() }, "logistic": { try $0.logistic() },
    "closures": { try $0.closures() }, "certificate": { try $0.certificate() },
  ]

  /// What is timed; and what it found, in words without a space or as a file.
  typealias Job = (RunContext) throws -> () throws -> String

  static func serve(_ arguments: [String]) throws {
    guard arguments.count >= 2, let kind = kinds[arguments[0]] else { throw Benchmark.usage }
    let settings = Array(arguments.dropFirst(2))
    let job = try kind(MethodBenchmark(folder: arguments[1], settings: settings))
    try Benchmark.serve { line in
      let run = RunContext(seed: 1, threadLimit: Int(line) ?? 1)
      var tell: () throws -> String = { "" }
      let seconds = try Benchmark.processSeconds { tell = try job(run) }
      Benchmark.say("found \(try tell())")
      return seconds
    }
  }

  /// In memory, as the peers have it.
  private func matrix(_ name: String) throws -> Matrix {
    let mapped = try Matrix(contentsOf: "\(folder)/\(name).npy")
    return mapped.selecting(rows: 0..<mapped.rowCount)
  }

  private func integers(_ name: String) throws -> [Int] {
    try MatrixSource(path: "\(folder)/\(name).npy").integers()
  }

  private func labeled() throws -> LabeledRows {
    try LabeledRows(try matrix("rows"), labels: try integers("labels"))
  }

  private func setting(_ place: Int) throws -> Double {
    guard settings.indices.contains(place), let value = Double(settings[place]) else {
      throw Benchmark.usage
    }
    return value
  }

  private func write(_ values: [Double]) throws -> String {
    let out = try Matrix(rowCount: values.count, columnCount: 1, values: values.map { Float($0) })
    try VectorFile.write(out, to: "\(folder)/found.fvecs", as: .float32)
    return "found.fvecs"
  }

  private func transport() throws -> Job {
    let costs = try matrix("costs")
    return { run in
      let plan = try ExactTransport().plan(costs, in: run)
      return { "\(plan.cost) \(plan.pivotCount)" }
    }
  }

  /// The blur, and how far rows' sums may be off in all.
  private func sinkhorn() throws -> Job {
    let costs = try matrix("costs")
    let settings = Sinkhorn(
      blur: try setting(0), power: 1, maxIterations: 100_000, tolerance: try setting(1))
    return { run in
      let found = try settings.fit(costs, in: run)
      return { "\(try found.transportCost(costs)) \(found.iterationCount) \(found.error)" }
    }
  }

  private func smote() throws -> Job {
    let input = try labeled()
    return { run in
      let made = try SMOTE().select(input, in: run)
      return { "\(made.synthetic?.rows.rowCount ?? 0)" }
    }
  }

  /// The score's name; codes are a matrix of whole numbers, the last column the target.
  private func information() throws -> Job {
    let codes = try matrix("codes")
    guard let score = ColumnScore(rawValue: settings.first ?? "") else { throw Benchmark.usage }
    let columns = (0..<codes.columnCount).map { column in
      CategoricalColumn(
        "\(column)", numbers: (0..<codes.rowCount).lazy.map { Int(codes[$0, column]) })
    }
    guard let target = columns.last else { throw Benchmark.usage }
    let input = try LabeledColumns(Array(columns.dropLast()), target: target)
    return { run in
      let found = try OutRank(heuristic: score, margin: 0).rank(input, in: run)
      return {
        var values = [Double](repeating: 0, count: input.features.count)
        for feature in found.features { values[Int(feature.name) ?? 0] = feature.relevance }
        return try write(values)
      }
    }
  }

  private func fastRP() throws -> Job {
    let nodeCount = Int(try setting(0))
    let graph = try CSRGraph(
      nodeCount: nodeCount, sources: try integers("sources").map { Int32($0) },
      targets: try integers("targets").map { Int32($0) })
    return { run in
      let found = try FastRP().embed(graph, in: run)
      return { "\(found.vectors[0, 0]) \(found.vectors[nodeCount - 1, 0])" }
    }
  }

  private func detector() throws -> Job {
    let reference = try LayeredRows([try matrix("rows")], labels: try integers("labels"))
    let model = try MahalanobisDetector().fit(reference, in: RunContext(threadLimit: 1))
    let asked = try matrix("asked")
    return { run in
      let scores = try model.scores(of: [asked], in: run)
      return { try write(scores) }
    }
  }

  /// The number of trees.
  private func forest() throws -> Job {
    let targets = try MatrixSource(path: "\(folder)/targets.npy").vector()
    let input = try TargetRows(try matrix("rows"), targets: targets.map { Double($0) })
    let asked = try matrix("asked")
    let settings = RandomForest(treeCount: Int(try setting(0)))
    return { run in
      let model = try settings.fit(input, in: run)
      return { try write(try model.predict(asked)) }
    }
  }

  private func matching() throws -> Job {
    let pair = try PairedRows(try matrix("first"), try matrix("second"))
    return { run in
      let pairs = try UnitMatching(pair, in: run).matches(in: run)
      return { "\(pairs.reduce(0) { $0 + $1.correlation })" }
    }
  }

  private func bayes() throws -> Job {
    let input = try labeled()
    return { run in
      let model = try GaussianNaiveBayes().fit(input, in: run)
      return { "\(try model.accuracy(on: input, in: run))" }
    }
  }

  private func logistic() throws -> Job {
    let input = try labeled()
    return { run in
      let model = try LogisticRegression().fit(input, in: run)
      return { "\(try model.accuracy(on: input, in: run))" }
    }
  }

  /// Three or four nodes, of the simplices in the folder.
  private func closures() throws -> Job {
    let stream = try SimplicialStream(folder: folder)
    let size = Int(try setting(0))
    return { run in
      let table = try ClosureTable(stream, size: size, in: run)
      return { "\(table.closedTriangleCount) \(table.openTriangleCount)" }
    }
  }

  private func certificate() throws -> Job {
    let input = try labeled()
    return { run in
      let verdict = try TesterLearner().certify(input, in: run)
      return { "\(verdict.isAccepted) \(verdict.error)" }
    }
  }
}
