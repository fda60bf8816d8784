import BasisCore
import BasisNumerics
import BasisSearch

/// A small encoder of digits that is trained with a linear head on each of some prefixes of what it
/// gives, and what its prefixes are worth to a search for the nearest.
///
/// Kusupati et al. 2022, equation 1: the sum over the sizes of the softmax's loss, all weights 1.
struct NestedTraining: Settings {
  var hiddenSize = 128
  /// Values that the encoder gives at full size.
  var fullSize = 64
  var batchSize = 64
  var epochCount = 60
  var learningRate = 0.002
  /// Images that are trained on, and asked for.
  var trainCount = 1_347
  var testCount = 450

  /// Accuracies of the nearest image by the cosine: of the first 8 values and of all.
  struct Outcome: Sendable {
    var nestedShort: Double
    var nestedFull: Double
    var plainShort: Double
    var plainFull: Double
    /// Of an encoder that gives no more than 8 values.
    var own: Double
  }

  static let shortSize = 8

  func measure(in run: RunContext) throws(BasisError) -> Outcome {
    let order = Digits.shuffled(in: run)
    let train = Array(order.prefix(trainCount))
    let test = Array(order.dropFirst(trainCount).prefix(testCount))
    var sizes = [Self.shortSize]
    while let last = sizes.last, 2 * last <= fullSize { sizes.append(2 * last) }
    let nested = try encoder(fullSize, heads: sizes, train, in: run)
    let plain = try encoder(fullSize, heads: [fullSize], train, in: run)
    let own = try encoder(Self.shortSize, heads: [Self.shortSize], train, in: run)
    func accuracy(_ network: PerceptronNetwork, _ count: Int) throws(BasisError) -> Double {
      try Self.accuracy(network, prefix: count, train, test, in: run)
    }
    return Outcome(
      nestedShort: try accuracy(nested, Self.shortSize),
      nestedFull: try accuracy(nested, fullSize),
      plainShort: try accuracy(plain, Self.shortSize),
      plainFull: try accuracy(plain, fullSize), own: try accuracy(own, Self.shortSize))
  }

  /// Trains an encoder with a head on each of its prefixes.
  private func encoder(_ size: Int, heads sizes: [Int], _ train: [Int], in run: RunContext)
    throws(BasisError) -> PerceptronNetwork
  {
    var network = try PerceptronNetwork(sizes: [64, hiddenSize, size], in: run)
    var optimizer = try PerceptronOptimizer(for: network, learningRate: learningRate)
    var heads: [PerceptronNetwork] = []
    var steps: [PerceptronOptimizer] = []
    for count in sizes {
      let head = try PerceptronNetwork(
        sizes: [count, 10], activation: .identity, in: run, stream: "head of \(count)")
      steps.append(try PerceptronOptimizer(for: head, learningRate: learningRate))
      heads.append(head)
    }
    for epoch in 0..<epochCount {
      var order = train
      var generator = run.generator("nested batches", chunk: epoch)
      generator.shuffle(&order)
      for first in stride(from: 0, to: order.count, by: batchSize) {
        try run.checkCancelled()
        let batch = order[first..<min(order.count, first + batchSize)]
        let pass = try network.forward(Digits.images.selecting(rows: batch), in: run)
        var targets = Matrix(rowCount: batch.count, columnCount: 10)
        for (row, image) in batch.enumerated() { targets[row, Digits.labels[image]] = 1 }
        var slopes = Matrix(rowCount: batch.count, columnCount: size)
        for place in heads.indices {
          let head = try heads[place].forward(pass.outputs.prefix(columns: sizes[place]), in: run)
          let slope = try PerceptronLoss.softmaxCrossEntropy.value(
            of: head.outputs, targets: targets
          ).gradient
          let gradient = try heads[place].backward(
            head, gradient: slope, wantsInputs: true, in: run)
          steps[place].step(&heads[place], along: gradient)
          if let inputs = gradient.inputs { Self.add(inputs, to: &slopes) }
        }
        optimizer.step(&network, along: try network.backward(pass, gradient: slopes, in: run))
      }
    }
    return network
  }

  /// Adds slopes of a prefix to those of the whole.
  private static func add(_ part: Matrix, to whole: inout Matrix) {
    let (count, size) = (part.columnCount, whole.columnCount)
    whole.withUnsafeMutableFloats { out in
      part.withUnsafeFloats { values in
        for row in 0..<part.rowCount {
          for column in 0..<count { out[row * size + column] += values[row * count + column] }
        }
      }
    }
  }

  private static func accuracy(
    _ network: PerceptronNetwork, prefix count: Int, _ train: [Int], _ test: [Int],
    in run: RunContext
  ) throws(BasisError) -> Double {
    func codes(_ images: [Int]) throws(BasisError) -> Matrix {
      try network.forward(Digits.images.selecting(rows: images), in: run).outputs
        .prefix(columns: count)
    }
    let index = try FlatIndex(codes(train), metric: .cosine)
    let found = try index.search(codes(test), k: 1, in: run)
    let right = zip(found, test).count { nearest, image in
      nearest.first.map { Digits.labels[train[$0.id]] == Digits.labels[image] } ?? false
    }
    return Double(right) / Double(max(1, test.count))
  }
}
