import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

/// Against scikit-learn: `Scripts/oracles/perceptron.py`.
@Suite struct PerceptronTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      var activation: PerceptronNetwork.Activation
      var loss: PerceptronLoss
      var network: [[Float]]
      var rows: [Float]
      var targets: [Float]
      var value: Double
      var slopes: [[Float]]
      var afterDescent: [[Float]]
      var afterAdam: [[Float]]
    }

    struct Forward: Decodable {
      var network: [[Float]]
      var rows: [Float]
      var outputs: [Float]
    }

    var sizes: [Int]
    var batch: Int
    var steps: Int
    var decay: Double
    var tolerance: Float
    var cases: [Case]
    var gelu: Forward
  }

  private func load() throws -> Fixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "perceptron", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  private func network(_ flat: [[Float]], _ activation: PerceptronNetwork.Activation) throws
    -> PerceptronNetwork
  {
    var layers: [PerceptronNetwork.Layer] = []
    for place in stride(from: 0, to: flat.count, by: 2) {
      layers.append(try .init(weights: flat[place], biases: flat[place + 1]))
    }
    return try PerceptronNetwork(layers, activation: activation)
  }

  private func matrix(_ values: [Float], _ columns: Int) throws -> Matrix {
    try Matrix(rowCount: values.count / columns, columnCount: columns, values: values)
  }

  private func expectEqual(
    _ found: [PerceptronNetwork.Layer], _ wanted: [[Float]], _ tolerance: Float, _ what: String
  ) {
    let flat = found.flatMap { [$0.weights, $0.biases] }
    #expect(flat.map(\.count) == wanted.map(\.count), "\(what)")
    for (a, b) in zip(flat.joined(), wanted.joined()) {
      #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(what): \(a) for \(b)")
    }
  }

  @Test func `loss, slopes and steps are scikit-learn's`() throws {
    let fixture = try load()
    for one in fixture.cases {
      let what = "\(one.activation) \(one.loss)"
      var start = try network(one.network, one.activation)
      let rows = try matrix(one.rows, fixture.sizes[0])
      let targets = try matrix(one.targets, fixture.sizes[3])
      let pass = try start.forward(rows)
      let (value, slope) = try one.loss.value(of: pass.outputs, targets: targets)
      #expect(abs(value - one.value) <= 1e-5 * max(1, value), "\(what): \(value), \(one.value)")
      let gradient = try start.backward(pass, gradient: slope)
      expectEqual(gradient.layers, one.slopes, fixture.tolerance, what)

      let origin = start
      for (rule, rate, wanted) in [
        (.descent(momentum: 0.9), 0.05, one.afterDescent), (.adam, 0.01, one.afterAdam),
      ] as [(PerceptronOptimizer.Rule, Double, [[Float]])] {
        start = origin
        var optimizer = try PerceptronOptimizer(
          for: start, rule, learningRate: rate, weightDecay: fixture.decay)
        for step in 0..<fixture.steps {
          let first = step % (rows.rowCount / fixture.batch) * fixture.batch
          let batch = first..<first + fixture.batch
          let pass = try start.forward(rows.selecting(rows: batch))
          let slope = try one.loss.value(
            of: pass.outputs, targets: targets.selecting(rows: batch)
          ).gradient
          optimizer.step(&start, along: try start.backward(pass, gradient: slope))
        }
        #expect(optimizer.stepCount == fixture.steps)
        expectEqual(start.layers, wanted, 10 * fixture.tolerance, "\(what) \(rule)")
      }
    }
    let forward = try network(fixture.gelu.network, .gelu)
      .forward(matrix(fixture.gelu.rows, fixture.sizes[0]))
    forward.outputs.withUnsafeFloats { found in
      for (a, b) in zip(found, fixture.gelu.outputs) { #expect(abs(a - b) <= 1e-5) }
    }
  }

  @Test(arguments: PerceptronNetwork.Activation.allCases)
  func `slopes are those of differences`(activation: PerceptronNetwork.Activation) throws {
    for seed in 0..<5 as Range<UInt64> {
      let run = RunContext(seed: seed)
      let start = try PerceptronNetwork(sizes: [4, 6, 3], activation: activation, in: run)
      let rows = gaussianMatrix(rowCount: 5, columnCount: 4, seed: seed)
      let targets = gaussianMatrix(rowCount: 5, columnCount: 3, seed: seed + 50)
      func loss(_ network: PerceptronNetwork, _ rows: Matrix) throws -> Double {
        try PerceptronLoss.squaredError.value(
          of: network.forward(rows).outputs, targets: targets
        ).loss
      }
      let pass = try start.forward(rows)
      let slope = try PerceptronLoss.squaredError.value(of: pass.outputs, targets: targets).gradient
      let gradient = try start.backward(pass, gradient: slope, wantsInputs: true)
      // Differences of floats are good to about the root of their rounding.
      let step: Float = 0x1p-8
      func agree(_ slope: Float, _ up: Double, _ down: Double, _ what: String) {
        let difference = (up - down) / Double(2 * step)
        // A kink of the rectifier between the two bends the difference.
        let tolerance = activation == .relu ? 0.03 : 0.004
        #expect(
          abs(Double(slope) - difference) <= tolerance * max(1, abs(difference)),
          "\(what): \(slope), \(difference)")
      }
      for (layer, index) in [(0, 0), (0, 13), (0, 23), (1, 1), (1, 17)] {
        var (up, down) = (start, start)
        func moved(_ by: Float) throws -> PerceptronNetwork {
          var layers = start.layers
          layers[layer].weights[index] += by
          return try PerceptronNetwork(layers, activation: activation)
        }
        up = try moved(step)
        down = try moved(-step)
        agree(
          gradient.layers[layer].weights[index], try loss(up, rows), try loss(down, rows),
          "weight \(layer) \(index)")
      }
      let inputs = try #require(gradient.inputs)
      for (row, column) in [(0, 0), (3, 2)] {
        var (up, down) = (rows, rows)
        up[row, column] += step
        down[row, column] -= step
        agree(
          inputs[row, column], try loss(start, up), try loss(start, down), "input \(row) \(column)")
      }
    }
  }

  /// Points on two rings, one in the other.
  private func rings(_ count: Int, seed: UInt64) -> (rows: Matrix, labels: [Int]) {
    var generator = RandomGenerator(seed: seed)
    var labels: [Int] = []
    var rows = Matrix(rowCount: count, columnCount: 2)
    for row in 0..<count {
      let label = generator.nextInt(below: 2)
      let angle = 2 * Double.pi * generator.nextDouble()
      let radius = Double(label) + 0.5 + 0.1 * generator.nextGaussian()
      rows[row, 0] = Float(radius * cos(angle))
      rows[row, 1] = Float(radius * sin(angle))
      labels.append(label)
    }
    return (rows, labels)
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `a hidden layer tells rings apart that a line does not`(seed: UInt64) throws {
    let (rows, labels) = rings(300, seed: seed)
    let (others, wanted) = rings(300, seed: seed + 100)
    let run = RunContext(seed: seed)
    func accuracy(_ settings: MultilayerPerceptron) throws -> Double {
      let model = try settings.fit(rows, labels: labels, in: run)
      #expect(model.losses.count == settings.epochCount && model.isFinite)
      let found = try model.classes(of: others, in: run)
      return Double(zip(found, wanted).count { $0 == $1 }) / 300
    }
    var settings = MultilayerPerceptron(
      hiddenSizes: [16], learningRate: 0.02, batchSize: 32, epochCount: 40)
    #expect(try accuracy(settings) > 0.97)
    settings.rule = .descent(momentum: 0.9)
    settings.learningRate = 0.1
    #expect(try accuracy(settings) > 0.97)
    settings.hiddenSizes = []
    #expect(try accuracy(settings) < 0.75)
  }

  @Test func `the same at any number of threads, another for another seed`() throws {
    let (rows, labels) = rings(200, seed: 1)
    let settings = MultilayerPerceptron(hiddenSizes: [8, 8], batchSize: 64, epochCount: 3)
    func model(_ seed: UInt64, _ threads: Int) throws -> MultilayerPerceptronModel {
      try settings.fit(rows, labels: labels, in: RunContext(seed: seed, threadLimit: threads))
    }
    let first = try model(1, 1)
    for threads in [2, 5] { #expect(try model(1, threads) == first) }
    #expect(try model(2, 1) != first)
    #expect(try first.activations(of: rows).map(\.columnCount) == [8, 8, 2])
    let again = try JSONDecoder().decode(
      MultilayerPerceptronModel.self, from: JSONEncoder().encode(first))
    #expect(again == first)
    let fewer = try JSONDecoder().decode(
      MultilayerPerceptron.self, from: Data(#"{"batchSize": 7}"#.utf8))
    #expect(fewer == MultilayerPerceptron(batchSize: 7))
  }

  @Test func `weights shrink by their decay, and training ends where it gets no better`() throws {
    let rows = gaussianMatrix(rowCount: 64, columnCount: 3, seed: 1)
    let targets = gaussianMatrix(rowCount: 64, columnCount: 2, seed: 2)
    var settings = MultilayerPerceptron(
      hiddenSizes: [], loss: .squaredError, learningRate: 0.01, batchSize: 64, epochCount: 400)
    func size(_ model: MultilayerPerceptronModel) -> Float {
      model.network.layers[0].weights.reduce(0) { $0 + $1 * $1 }
    }
    let free = try settings.fit(rows, targets: targets)
    settings.weightDecay = 1
    #expect(size(try settings.fit(rows, targets: targets)) < 0.6 * size(free))
    settings.tolerance = 1e-3
    let early = try settings.fit(rows, targets: targets)
    #expect(early.losses.count < 400 && early.losses.count > 10)
  }

  @Test func `edges`() throws {
    let one = try Matrix(rows: [[1, 2]])
    let model = try MultilayerPerceptron(hiddenSizes: [3], epochCount: 2).fit(one, labels: [0])
    #expect(try model.classes(of: one) == [0])
    #expect(model.losses.count == 2)
    #expect(try model.outputs(of: Matrix(rowCount: 0, columnCount: 2)).rowCount == 0)
    let untouched = try MultilayerPerceptron(epochCount: 0).fit(one, labels: [1])
    #expect(untouched.losses.isEmpty && untouched.isFinite)
    // Far from zero the logistic loss is a line, and no infinity.
    let far = try PerceptronLoss.logistic.value(
      of: Matrix(rows: [[200, -200]]), targets: Matrix(rows: [[0, 1]]))
    #expect(far.loss == 400 && far.gradient.row(0) == [1, -1])
    let wide = try PerceptronLoss.softmaxCrossEntropy.value(
      of: Matrix(rows: [[1e30, -1e30]]), targets: Matrix(rows: [[1, 0]]))
    #expect(wide.loss == 0)
    let astray = try MultilayerPerceptron(
      hiddenSizes: [], loss: .squaredError, rule: .descent(momentum: 0), learningRate: 1e20,
      epochCount: 50
    ).fit(Matrix(rows: [[1], [2]]), targets: Matrix(rows: [[1], [2]]))
    #expect(!astray.isFinite && astray.losses.count < 50)
  }

  @Test func `what cannot be trained is one error`() throws {
    let rows = gaussianMatrix(rowCount: 6, columnCount: 2, seed: 1)
    let settings = MultilayerPerceptron()
    expectError(.dimensionMismatch, "5 labels for 6 rows") {
      try settings.fit(rows, labels: [0, 1, 0, 1, 0])
    }
    expectError(.badData, "row 2", "-1") { try settings.fit(rows, labels: [0, 1, -1, 0, 0, 0]) }
    expectError(.badData, "at least 1 row") {
      try settings.fit(Matrix(rowCount: 0, columnCount: 2), labels: [])
    }
    var broken = rows
    broken[3, 1] = .nan
    expectError(.badData, "row 3", "column 1") {
      try settings.fit(broken, labels: [0, 1, 0, 1, 0, 1])
    }
    for wrong in [
      MultilayerPerceptron(hiddenSizes: [0]), MultilayerPerceptron(batchSize: 0),
      MultilayerPerceptron(epochCount: -1), MultilayerPerceptron(learningRate: 0),
      MultilayerPerceptron(weightDecay: -1), MultilayerPerceptron(tolerance: -1),
      MultilayerPerceptron(rule: .descent(momentum: 1)),
    ] {
      expectError(.invalidArgument) { try wrong.fit(rows, labels: [0, 1, 0, 1, 0, 1]) }
    }
    let network = try PerceptronNetwork(sizes: [3, 2], in: RunContext())
    expectError(.dimensionMismatch, "3 values", "6 × 2") { try network.forward(rows) }
    expectError(.dimensionMismatch, "takes 3 values") {
      try settings.fit(rows, targets: rows, from: network)
    }
    expectError(.invalidArgument, "two sizes") {
      try PerceptronNetwork(sizes: [3], in: RunContext())
    }
    expectError(.dimensionMismatch, "layer 0") {
      try PerceptronNetwork(
        [.init(weights: [1, 2], biases: [0, 0]), .init(weights: [1, 2, 3], biases: [0])],
        activation: .relu)
    }
    let run = RunContext()
    run.cancellation.cancel()
    expectError(.cancelled) { try settings.fit(rows, labels: [0, 1, 0, 1, 0, 1], in: run) }
    let file = #"{"activation":"relu","layers":[{"weights":[1,2,3],"biases":[0,0]}]}"#
    #expect(throws: (any Error).self) {
      try JSONDecoder().decode(PerceptronNetwork.self, from: Data(file.utf8))
    }
  }
}
