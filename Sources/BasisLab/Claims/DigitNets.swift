import BasisCore
import BasisNumerics

/// Networks that read the same digits, each trained from a seed of its own, and what their layers give
/// for images that none of them has seen.
struct DigitNets: Settings {
  var hiddenSizes = [64]
  var epochCount = 40
  var batchSize = 64
  var learningRate = 0.002
  /// Images that are trained on, and others to look at; together at most 1,797.
  var trainCount = 1_300
  var testCount = 497

  static func miniature(_ hiddenSizes: [Int]) -> Self {
    var nets = Self()
    nets.hiddenSizes = hiddenSizes
    (nets.epochCount, nets.trainCount, nets.testCount) = (3, 200, 80)
    return nets
  }

  struct Split: Sendable {
    var train: [Int]
    var test: [Int]

    var trainLabels: [Int] { train.map { Digits.labels[$0] } }
    var testLabels: [Int] { test.map { Digits.labels[$0] } }
  }

  func split(in run: RunContext) -> Split {
    let order = Digits.shuffled(in: run)
    return Split(
      train: Array(order.prefix(trainCount)),
      test: Array(order.dropFirst(trainCount).prefix(testCount)))
  }

  /// - Parameters:
  ///   - number: of the network: another one starts from other weights.
  ///   - epochs: passes over the images; nil for as many as the settings say.
  func train(_ number: Int, _ split: Split, epochs: Int? = nil, in run: RunContext)
    throws(BasisError) -> MultilayerPerceptronModel
  {
    var own = run.silent
    own.seed = run.seed &* 1_000 &+ UInt64(number)
    return try MultilayerPerceptron(
      hiddenSizes: hiddenSizes, learningRate: learningRate, batchSize: batchSize,
      epochCount: epochs ?? epochCount
    ).fit(Digits.images.selecting(rows: split.train), labels: split.trainLabels, in: own)
  }

  /// What a hidden layer gives, a row an image.
  static func layer(
    _ layer: Int, of model: MultilayerPerceptronModel, _ images: [Int], in run: RunContext
  ) throws(BasisError) -> Matrix {
    try model.activations(of: Digits.images.selecting(rows: images), in: run)[layer]
  }

  /// A linear classifier of what was trained on, and how often it is right elsewhere.
  struct Head {
    let model: MultilayerPerceptronModel

    init(_ rows: Matrix, labels: [Int], in run: RunContext) throws(BasisError) {
      model = try MultilayerPerceptron(
        hiddenSizes: [], learningRate: 0.01, batchSize: 64, epochCount: 40
      ).fit(rows, labels: labels, in: run.silent)
    }

    func accuracy(on rows: Matrix, labels: [Int], in run: RunContext) throws(BasisError) -> Double {
      let found = try model.classes(of: rows, in: run)
      return Double(zip(found, labels).count { $0 == $1 }) / Double(max(1, labels.count))
    }
  }
}
