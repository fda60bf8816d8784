import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisGraphs

@Suite struct FastRPTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      var name: String
      var count: Int
      var sources: [Int32]
      var targets: [Int32]
      var weights: [Float]
      var dimension: Int
      var exponent: Double
      var hopWeights: [Double]
      var normalizes: Bool
      var standardizes: Bool
      var projection: [Double]
      var vectors: [Double]
    }

    var cases: [Case]
    var singularValues: [Double]
    var spectralGram: [Double]
  }

  private func values(_ matrix: Matrix) -> [Double] {
    matrix.withUnsafeFloats { $0.map { Double($0) } }
  }

  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
  }

  // MARK: The oracle

  @Test func `vectors are those of the algebra with scikit-learn's projection`() throws {
    for one in try fixture("fastrp", Fixture.self).cases {
      let graph = try CSRGraph(
        nodeCount: one.count, sources: one.sources, targets: one.targets, weights: one.weights)
      var settings = FastRP(dimension: one.dimension, hopWeights: one.hopWeights)
      settings.degreeExponent = one.exponent
      (settings.normalizesHops, settings.standardizes) = (one.normalizes, one.standardizes)
      let degrees = graph.weightedDegrees
      var rows = SparseMatrix(columnCount: one.dimension)
      for node in 0..<one.count {
        let scale = degrees[node] > 0 ? pow(degrees[node], one.exponent) : 0
        rows.append(
          row: (0..<one.dimension).map {
            (column: $0, value: Float(scale * one.projection[node * one.dimension + $0]))
          })
      }
      let found = try settings.embed(graph, by: rows, in: RunContext()) { (_, _) in }
      #expect(distance(values(found.vectors), one.vectors) < 1e-5, "\(one.name)")
    }
  }

  @Test func `the yardstick has the singular vectors of the normalised weights`() throws {
    let fixture = try fixture("fastrp", Fixture.self)
    let one = try #require(fixture.cases.first)
    let graph = try CSRGraph(nodeCount: 34, sources: one.sources, targets: one.targets)
    var settings = SpectralEmbedder(dimension: 34, normalizesRows: false)
    let found = try settings.embed(graph, in: RunContext()).vectors
    let gram = try LinearAlgebra.product(found, found, transposingB: true)
    #expect(distance(values(gram), fixture.spectralGram) < 1e-5)
    settings.valueExponent = 1
    let scaled = try settings.embed(graph, in: RunContext()).vectors
    for column in 0..<34 {
      let length = (0..<34).reduce(0.0) { $0 + pow(Double(scaled[$1, column]), 2) }.squareRoot()
      #expect(abs(length - fixture.singularValues[column]) < 1e-5)
    }
    settings.normalizesRows = true
    let unit = try settings.embed(graph, in: RunContext()).vectors
    #expect(
      (0..<34).allSatisfy { node in abs(unit.row(node).reduce(0) { $0 + $1 * $1 } - 1) < 1e-5 })
  }

  @Test(arguments: [1, 4])
  func `the factorised walk is that of the formula`(window: Int) throws {
    let graph = try randomGraph(24, density: 0.2, seed: 7)
    let (n, degrees) = (24, graph.weightedDegrees)
    let found = try NetMF(dimension: n, window: window, negativeCount: 2, rank: n)
      .embed(graph, in: RunContext()).vectors
    var step = (0..<n).map { row in (0..<n).map { $0 == row ? 1.0 : 0 } }
    var sum = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
    for _ in 0..<window {
      step = step.map { row in
        (0..<n).map { column in
          (0..<n).reduce(0) {
            degrees[$1] > 0
              ? $0 + row[$1] * Double(graph[$1, column]) / degrees[$1] : $0
          }
        }
      }
      for row in 0..<n { for column in 0..<n { sum[row][column] += step[row][column] } }
    }
    let factor = degrees.reduce(0, +) / 2 / Double(window)
    let logs = (0..<n).map { row in
      (0..<n).map { log(max(1, degrees[$0] > 0 ? factor * sum[row][$0] / degrees[$0] : 0)) }
    }
    // The vectors' products are the root of the square of a symmetric matrix.
    let gram = try LinearAlgebra.product(found, found, transposingB: true)
    let square = values(try LinearAlgebra.product(gram, gram))
    let wanted = (0..<n * n).map { place in
      (0..<n).reduce(0) { $0 + logs[place / n][$1] * logs[$1][place % n] }
    }
    #expect(distance(square, wanted) < 1e-4 * (wanted.max() ?? 0))
    expectError(.invalidArgument, "netmf", "window") {
      try NetMF(window: 0).embed(graph, in: RunContext())
    }
  }

  /// P^k D^β R with powers formed, in `Double`.
  private func dense(_ graph: CSRGraph, _ settings: FastRP, in run: RunContext) -> [[Double]] {
    let (n, d) = (graph.nodeCount, settings.dimension)
    let degrees = graph.weightedDegrees
    let rows = settings.projectionRows(of: graph, degrees, in: run)
    var hop = [[Double]](repeating: [Double](repeating: 0, count: d), count: n)
    for node in 0..<n { rows.forEach(node) { (column, value) in hop[node][column] = value } }
    var sum = [[Double]](repeating: [Double](repeating: 0, count: d), count: n)
    for weight in settings.hopWeights {
      let before = hop
      for node in 0..<n {
        hop[node] = [Double](repeating: 0, count: d)
        for other in 0..<n where graph[node, other] > 0 {
          let share = Double(graph[node, other]) / degrees[node]
          for column in 0..<d { hop[node][column] += share * before[other][column] }
        }
        let length = hop[node].reduce(0) { $0 + $1 * $1 }.squareRoot()
        let factor = settings.normalizesHops ? (length > 0 ? weight / length : 0) : weight
        for column in 0..<d { sum[node][column] += factor * hop[node][column] }
      }
    }
    return sum
  }

  @Test(arguments: 0..<10 as Range<UInt64>, [1, 33, 130])
  func `vectors equal the dense formula, of both projections`(seed: UInt64, d: Int) throws {
    let graph = try randomGraph(30, density: 0.15, seed: seed)
    let run = RunContext(seed: seed)
    for projection in FastRP.Projection.allCases {
      let settings = FastRP(
        dimension: d, hopWeights: [0.5, -1, 2], standardizes: false, projection: projection)
      let found = try settings.embed(graph, in: run).vectors
      #expect(distance(values(found), dense(graph, settings, in: run).flatMap { $0 }) < 1e-5)
    }
  }

  // MARK: Properties

  @Test(arguments: 0..<10 as Range<UInt64>, [true, false])
  func `hops add up`(seed: UInt64, normalizes: Bool) throws {
    let graph = try randomGraph(40, density: 0.1, seed: seed)
    func vectors(_ weights: [Double]) throws -> [Double] {
      let settings = FastRP(
        dimension: 24, hopWeights: weights, normalizesHops: normalizes, standardizes: false)
      return values(try settings.embed(graph, in: RunContext(seed: seed)).vectors)
    }
    let (a, b) = (try vectors([1, 0, 3]), try vectors([0, -2, 0.5]))
    let sum = try vectors([2, -2, 6.5])
    #expect(distance(zip(a, b).map { 2 * $0 + $1 }, sum) < 1e-5)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `names, not places, choose the projection`(seed: UInt64) throws {
    let names = (0..<30).map { $0 % 3 == 0 ? "\($0)" : "node \($0)" }
    let graph = try randomGraph(30, density: 0.2, seed: seed, names: names)
    var order = Array(0..<30)
    var generator = RandomGenerator(seed: seed)
    generator.shuffle(&order)
    var place = [Int](repeating: 0, count: 30)
    for (new, old) in order.enumerated() { place[old] = new }
    var (sources, targets, weights): ([Int32], [Int32], [Float]) = ([], [], [])
    for node in 0..<30 {
      for other in graph.neighbors(of: node) where other <= node {
        sources.append(Int32(place[node]))
        targets.append(Int32(place[Int(other)]))
        weights.append(graph[node, Int(other)])
      }
    }
    let moved = try CSRGraph(
      nodeCount: 30, sources: sources, targets: targets, weights: weights,
      names: order.map { names[$0] })
    let run = RunContext(seed: seed)
    let settings = FastRP(dimension: 40)
    let (a, b) = (
      try settings.embed(graph, in: run).vectors, try settings.embed(moved, in: run).vectors
    )
    #expect(distance(values(a.selecting(rows: order)), values(b)) < 1e-4)
    #expect(try settings.embed(graph, in: RunContext(seed: seed + 1)).vectors != a)
  }

  @Test(arguments: FastRP.Projection.allCases)
  func `inner products are those of the walk, on average`(projection: FastRP.Projection) throws {
    let graph = try randomGraph(12, density: 0.35, seed: 2)
    let settings = FastRP(
      dimension: 32, hopWeights: [0, 1], degreeExponent: -0.5, normalizesHops: false,
      standardizes: false, projection: projection)
    let n = 12
    let degrees = graph.weightedDegrees
    func step(_ a: [[Double]]) -> [[Double]] {
      (0..<n).map { i in
        (0..<n).map { j in
          (0..<n).reduce(0.0) {
            $0 + (degrees[i] > 0 ? Double(graph[i, $1]) / degrees[i] : 0) * a[$1][j]
          }
        }
      }
    }
    let weighted = (0..<n).map { i in
      (0..<n).map { i == $0 && degrees[i] > 0 ? pow(degrees[i], -0.5) : 0 }
    }
    let walk = step(step(weighted))
    var moments = [Moments](repeating: Moments(), count: n * n)
    for seed in 0..<200 as Range<UInt64> {
      let found = try settings.embed(graph, in: RunContext(seed: seed)).vectors
      for i in 0..<n {
        for j in 0..<n {
          moments[i * n + j].add(
            zip(found.row(i), found.row(j)).reduce(0.0) { $0 + Double($1.0 * $1.1) })
        }
      }
    }
    for i in 0..<n {
      for j in 0..<n {
        let wanted = zip(walk[i], walk[j]).reduce(0.0) { $0 + $1.0 * $1.1 }
        let one = moments[i * n + j]
        let error = one.standardDeviation / 200.0.squareRoot()
        #expect(abs(one.mean - wanted) <= 4 * error + 1e-9, "\(i), \(j)")
      }
    }
  }

  @Test func `the projection has the density and the signs that it says`() throws {
    let settings = FastRP(dimension: 500, projection: .sparse, sparsity: 20)
    let rows = ProjectionRows(
      settings, sparsity: 20, keys: (0..<400).map { UInt64($0) },
      scales: [Double](repeating: 1, count: 400), RunContext(seed: 5))
    let matrix = rows.matrix()
    // 200,000 draws: five standard deviations.
    let share = Double(matrix.nonZeroCount) / 200_000
    #expect(abs(share - 0.05) < 5 * (0.05 * 0.95 / 200_000).squareRoot())
    let positive = Double(matrix.values.count { $0 > 0 }) / Double(matrix.nonZeroCount)
    #expect(abs(positive - 0.5) < 5 * 0.5 / Double(matrix.nonZeroCount).squareRoot())
    #expect(matrix.values.allSatisfy { abs(abs($0) - Float((20.0 / 500).squareRoot())) < 1e-7 })
    let all = ProjectionRows(
      settings, sparsity: 1, keys: [3], scales: [1], RunContext(seed: 5)
    ).matrix()
    #expect(all.nonZeroCount == 500)
  }

  @Test func `columns have mean 0 and deviation 1 over the linked nodes`() throws {
    let graph = try CSRGraph(
      nodeCount: 42, sources: (0..<40).map { Int32($0) },
      targets: (0..<40).map { Int32(($0 * 7 + 1) % 40) },
      direction: .symmetrized)
    let found = try FastRP(dimension: 20).embed(graph, in: RunContext(seed: 1))
    #expect(found.isolatedNodes == [40, 41])
    #expect(found.warnings.contains { $0.hasPrefix("2 of 42 nodes") })
    #expect(found.vectors.row(40).allSatisfy { $0 == 0 })
    let moments = try Statistics.columnMoments(
      of: found.vectors.selecting(rows: 0..<40), in: RunContext())
    for one in moments {
      #expect(abs(one.mean) < 1e-5)
      #expect(abs(one.populationVariance - 1) < 1e-4 || one.populationVariance == 0)
    }
  }

  // MARK: New nodes

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `a node's own links give its own vector`(seed: UInt64) throws {
    let names = (0..<50).map { "n\($0)" }
    let graph = try randomGraph(50, density: 0.12, seed: seed, names: names)
    for projection in FastRP.Projection.allCases {
      let run = RunContext(seed: seed)
      let model = try FastRP(dimension: 36, projection: projection).fit(graph, in: run)
      let again = try model.vectors(linkedTo: (0..<50).map { links(of: graph, $0) }, in: run)
      #expect(distance(values(again), values(model.vectors)) < 1e-3)
      #expect(try model.settings.embed(graph, in: run).vectors == model.vectors)
    }
  }

  @Test func `nodes that were left out come back where they were`() throws {
    let graph = try blockGraph(400, groups: 4, within: 0.15, between: 0.01, seed: 1)
    let out = Set(RandomGenerator(seed: 9).sampled(20, of: 400))
    var (sources, targets): ([Int32], [Int32]) = ([], [])
    for node in 0..<400 where !out.contains(node) {
      for other in graph.neighbors(of: node) where other < node && !out.contains(Int(other)) {
        sources.append(Int32(node))
        targets.append(other)
      }
    }
    let rest = try CSRGraph(nodeCount: 400, sources: sources, targets: targets)
    // Columns are not standardised: the left-out rows would count in one run and not in the other.
    let settings = FastRP(dimension: 64, standardizes: false)
    let whole = try settings.embed(graph, in: RunContext(seed: 3)).vectors
    let model = try settings.fit(rest, in: RunContext(seed: 3))
    let nodes = out.sorted()
    let found = try model.vectors(
      linkedTo: nodes.map { node in links(of: graph, node).filter { !out.contains($0.node) } })
    let cosines = nodes.enumerated().map { (place, node) -> Double in
      let (a, b) = (found.row(place), whole.row(node))
      func product(_ x: [Float], _ y: [Float]) -> Double {
        zip(x, y).reduce(0) { $0 + Double($1.0 * $1.1) }
      }
      return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
    }
    #expect(Statistics.quantile(cosines, 0.5) > 0.9)
  }

  @Test func `a model comes back from its file`() throws {
    let graph = try randomGraph(20, density: 0.3, seed: 1, names: (0..<20).map { "n\($0)" })
    let folder = try TemporaryFolder()
    for settings in [
      FastRP(dimension: 7), FastRP(dimension: 5, hopWeights: [1], standardizes: false),
    ] {
      let model = try settings.fit(graph, in: RunContext(seed: 8))
      let path = folder.path + "/model"
      try model.save(to: path)
      let other = try FastRPModel(contentsOf: path)
      #expect(other.settings == settings && other.names == graph.names && other.seed == 8)
      #expect(other.vectors == model.vectors)
      let own = [links(of: graph, 3), []]
      #expect(try other.vectors(linkedTo: own) == model.vectors(linkedTo: own))
      #expect(try other.vectors(linkedTo: own).row(1).allSatisfy { $0 == 0 })
      expectError(.invalidArgument, "new node 1", "20 nodes") {
        try model.vectors(linkedTo: [[], [(node: 20, weight: 1)]])
      }
    }
  }

  // MARK: All methods

  @Test(arguments: GraphCatalogue.entries.map(\.descriptor.name))
  func `a method keeps to what all methods do`(name: String) throws {
    let entry = try #require(GraphCatalogue.entries.first { $0.descriptor.name == name })
    let graph = try randomGraph(30, density: 0.2, seed: 4)
    var rows: [[Float]] = []
    for node in 0..<30 {
      for other in graph.neighbors(of: node) where other < node {
        rows.append([Float(node), Float(other), graph[node, Int(other)]])
      }
    }
    try checkMethod(entry, MethodParts([Matrix(rows: rows)])) { found in values(found.vectors) }
    let none = try CSRGraph(nodeCount: 0, sources: [], targets: [])
    let embedder = try GraphCatalogue.embedder(named: name)
    #expect(try embedder.embed(none, in: RunContext()).vectors.rowCount == 0)
    let lone = try CSRGraph(nodeCount: 3, sources: [], targets: [])
    let found = try embedder.embed(lone, in: RunContext())
    #expect(found.isolatedNodes == [0, 1, 2] && values(found.vectors).allSatisfy { $0 == 0 })
    expectError(.invalidArgument, "'walks'", "fastrp") {
      try GraphCatalogue.embedder(named: "walks")
    }
  }

  @Test func `settings out of range are one error`() throws {
    let graph = try randomGraph(5, density: 0.5, seed: 1)
    func refuse(_ settings: FastRP, _ word: String) {
      expectError(.invalidArgument, "fastrp", word) { try settings.embed(graph, in: RunContext()) }
    }
    refuse(FastRP(dimension: 0), "not 0")
    refuse(FastRP(hopWeights: []), "one hop")
    refuse(FastRP(hopWeights: [1, .nan]), "nan")
    refuse(FastRP(degreeExponent: .infinity), "exponent")
    refuse(FastRP(sparsity: 0.5), "0.5")
    let warned = try FastRP(degreeExponent: -2.5).embed(graph, in: RunContext())
    #expect(warned.warnings.contains { $0.contains("-2.5") })
    let directed = try CSRGraph(
      nodeCount: 3, sources: [0, 1], targets: [1, 2], direction: .directed)
    expectError(.unsupported, "--symmetrise") {
      try SpectralEmbedder(dimension: 2).embed(directed, in: RunContext())
    }
    // The last node leads nowhere.
    let walked = try FastRP(dimension: 6).embed(directed, in: RunContext())
    #expect(walked.isolatedNodes == [2] && walked.vectors.row(2).allSatisfy { $0 == 0 })
  }

  @Test func `the tuner finds what the score likes`() throws {
    let graph = try blockGraph(60, groups: 3, within: 0.4, between: 0.05, seed: 3)
    let trials = try HopTuner(trialCount: 6).search(
      graph, from: FastRP(dimension: 16), in: RunContext(seed: 2)
    ) { (found) in Double(found.vectors[0, 0]) }
    #expect(trials.count == 7 && trials.map(\.score) == trials.map(\.score).sorted(by: >))
    for trial in trials where trial.settings != FastRP(dimension: 16) {
      #expect((-1...0).contains(trial.settings.degreeExponent))
      #expect((1...64).contains(trial.settings.hopWeights[3]))
      #expect(trial.settings.hopWeights.prefix(3) == [0, 0, 1])
    }
    expectError(.invalidArgument, "not 0") {
      try HopTuner(trialCount: 0).search(graph, in: RunContext()) { (_) in 0 }
    }
  }
}

extension RandomGenerator {
  fileprivate func sampled(_ k: Int, of count: Int) -> [Int] {
    var copy = self
    return copy.sample(k, of: count)
  }
}
