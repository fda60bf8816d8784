import BasisCodecs
public import BasisCore
import BasisEvaluation
import BasisNumerics

/// Features between two halves of a network go through a range coder in far fewer bits than bytes take,
/// and cutting a few outliers is what makes coarse levels harmless.
public struct FeatureCodingClaim: Claim {
  public static let statement = ClaimStatement(
    id: 3,
    title:
      "cutting outliers saves the accuracy of features in 8 bits, and a transform with a range "
      + "coder sends them at a third of that for a point",
    paper:
      "the test conditions cut features to a range before anything else, as a few are hundreds of "
      + "times larger than the rest, and code them by a video coder or a learned one at about 1 to 2 "
      + "bits a feature (section 4 and the tables of results); a coder of our own stands for those",
    baseline: "8 bits over the whole range",
    data: "64 hidden features of a network that reads 1,797 digits, one in a thousand times 100",
    seedCount: 20,
    breaking: "`cuts` off: the range of the levels is that of all values")

  /// Whether features are cut to a range before they are rounded.
  public var cuts = true
  /// Of the features, how many are made outliers, `0 ... 1`.
  public var outlierShare = 0.001
  /// What outliers are multiplied by.
  public var outlierFactor: Float = 100
  public var hiddenSize = 64
  public var epochCount = 30
  /// Steps of the coder, rising, in levels of 10 bits.
  public var steps: [Float] = [2, 8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256]

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.hiddenSize, claim.epochCount) = (16, 6)
    claim.steps = [8, 32]
    return claim
  }

  public var broken: FeatureCodingClaim {
    var copy = self
    copy.cuts = false
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "cut_gain", "accuracy at 8 bits: cut less whole range, with outliers", reported: 0.05,
        .above(0.05)),
      .init(
        "rate", "bits a feature at a loss of a point, without outliers", reported: 2.5,
        .below(2.5)),
      .init("saving", "the same, of the 8 bits of bytes", .below(0.3125)),
      .init("rate_falls", "the smallest fall of the rate from step to step", .above(0)),
      .init("accuracy", "of the features as they are"),
      .init("whole_range", "accuracy at 8 bits over the whole range, with outliers"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let task = try Task(hiddenSize, epochCount, in: run)
    let accuracy = try task.accuracy(of: task.features, in: run)
    var odd = task.features
    var generator = run.generator("outliers")
    odd.withUnsafeMutableFloats { floats in
      let count = Int(outlierShare * Double(floats.count))
      for index in generator.sample(count, of: floats.count) { floats[index] *= outlierFactor }
    }
    let whole = try task.accuracy(
      of: Self.rounded(odd, to: Self.range(of: odd, cut: 0)), in: run)
    let cut = try task.accuracy(
      of: Self.rounded(odd, to: Self.range(of: odd, cut: cuts ? 0.002 : 0)), in: run)
    let rates = try rates(task, accuracy, in: run)
    return [
      "cut_gain": cut - whole, "rate": rates.cheapest, "saving": rates.cheapest / 8,
      "rate_falls": rates.fall, "accuracy": accuracy, "whole_range": whole,
    ]
  }

  /// Through the coder at each step: the rate of the cheapest that loses a point at most, and the least
  /// fall between steps.
  private func rates(_ task: Task, _ accuracy: Double, in run: RunContext) throws(BasisError)
    -> (cheapest: Double, fall: Double)
  {
    let (n, d) = (task.features.rowCount, task.features.columnCount)
    let range = Self.range(of: task.features, cut: 0.001)
    let tensor = try FeatureTensor(
      shape: [1, 1, n, d], values: task.features.withUnsafeFloats { Array($0) })
    var points: [RateAccuracyCurve.Point] = []
    for step in steps {
      try run.checkCancelled()
      let codec = FeatureTensorCodec(
        quantizer: FeatureQuantizer(lower: range.lowerBound, upper: range.upperBound, bits: 10),
        layout: .tokens, transform: .none, step: step)
      let stream = try codec.encode(tensor)
      let decoded = try codec.decode(stream, shape: tensor.shape)
      points.append(
        .init(
          "\(step)", rate: FeatureTensorCodec.bitsPerPoint(stream, shape: tensor.shape),
          accuracy: try task.accuracy(of: decoded.samples(of: d), in: run)))
    }
    let cheapest = try RateAccuracyCurve(points).cheapest(losing: 0.01, of: accuracy)
    let falls = zip(points, points.dropFirst()).map { $0.rate - $1.rate }
    return (cheapest?.rate ?? 8, falls.min() ?? .nan)
  }

  /// All values but a share at each end.
  private static func range(of features: Matrix, cut: Double) -> ClosedRange<Float> {
    let sorted = features.withUnsafeFloats { $0.sorted() }
    let left = Int(cut * Double(sorted.count))
    let low = sorted[left]
    return low...max(sorted[sorted.count - 1 - left], low.nextUp)
  }

  /// On 256 levels and back.
  private static func rounded(_ features: Matrix, to range: ClosedRange<Float>) -> Matrix {
    let quantizer = FeatureQuantizer(lower: range.lowerBound, upper: range.upperBound, bits: 8)
    var features = features
    features.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        floats[index] = quantizer.value(quantizer.quantized(floats[index]))
      }
    }
    return features
  }

  /// A network that reads digits, cut in two: features of images it has not seen, and its last layer.
  private struct Task {
    let features: Matrix
    private let head: PerceptronNetwork
    private let labels: [Int]

    init(_ hiddenSize: Int, _ epochCount: Int, in run: RunContext) throws(BasisError) {
      let order = Digits.shuffled(in: run)
      let (train, test) = (order[450...], order[..<450])
      let model = try MultilayerPerceptron(
        hiddenSizes: [hiddenSize], learningRate: 0.005, batchSize: 64, epochCount: epochCount
      ).fit(
        Digits.images.selecting(rows: train), labels: train.map { Digits.labels[$0] },
        in: run.silent)
      features = try model.activations(of: Digits.images.selecting(rows: test), in: run)[0]
      head = try PerceptronNetwork([model.network.layers[1]], activation: .identity)
      labels = test.map { Digits.labels[$0] }
    }

    func accuracy(of features: Matrix, in run: RunContext) throws(BasisError) -> Double {
      let found = try MultilayerPerceptronModel(network: head).classes(of: features, in: run)
      return Double(zip(found, labels).count { $0 == $1 }) / Double(labels.count)
    }
  }
}
