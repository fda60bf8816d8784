import BasisClassification
import BasisCore
import BasisEvaluation
import BasisNumerics

/// What small classifiers make of noisy digits: kinds, each learnt from several numbers of images, and
/// samples from easy to hopeless.
struct DigitPool: Settings {
  var kinds = [
    "centroid", "neighbor", "neighbors5", "naive-bayes", "logistic", "tree", "forest", "boosting",
  ]
  /// Images that each kind learns from; at most ``trainCount``.
  var trainingSizes = [30, 80, 200, 500]
  var trainCount = 800
  /// Images that none has seen, each with noise of its own.
  var sampleCount = 10_000
  /// The largest standard deviation of a sample's noise, where pixels are 0 to 1.
  var noise = 1.0

  var modelCount: Int { kinds.count * trainingSizes.count }

  /// Whether each model is right, *[sample][model]*.
  func answers(in run: RunContext) throws(BasisError) -> [[Bool]] {
    let order = Digits.shuffled(in: run)
    let unseen = Array(order.dropFirst(trainCount))
    let asked = unseen.isEmpty ? [] : (0..<sampleCount).map { unseen[$0 % unseen.count] }
    var rows = Digits.images.selecting(rows: order.prefix(trainCount) + asked)
    var generator = run.generator("noise of the samples")
    for row in trainCount..<rows.rowCount {
      let spread = noise * generator.nextDouble()
      for column in 0..<64 { rows[row, column] += Float(spread * generator.nextGaussian()) }
    }
    let input = try LabeledRows(
      rows, labels: (order.prefix(trainCount) + asked).map { Digits.labels[$0] })
    let places = Array(trainCount..<rows.rowCount)
    let models = kinds.flatMap { kind in trainingSizes.map { (kind: kind, size: $0) } }
    let found = try parallelMap(models.count, grain: 1, in: run) {
      (place, _) throws(BasisError) -> [Bool] in
      let (kind, size) = models[place]
      let learner = try Self.learner(kind, input)
      let answers = try learner.answers(
        learning: Array(0..<size), asked: places, in: run.silent)
      return zip(places, answers).map { input.labels[$0] == $1 }
    }
    return places.indices.map { sample in found.map { $0[sample] } }
  }

  private static func learner(_ kind: String, _ input: LabeledRows) throws(BasisError) -> Learner {
    if let reference = ReferenceLearner(rawValue: kind) { return reference.learner(input) }
    // Ten classes, a tree each a round: as many as the forest has.
    let settings = kind == "boosting" ? #"{"treeCount": 10}"# : "{}"
    return Learner(try ClassificationCatalogue.entry(named: kind), settings: settings, input)
  }

  /// Which cells are kept where each model meets samples of its own hardness.
  ///
  /// - Parameters:
  ///   - answers: *[sample][model]*; the hardness of a sample is the place of its share of wrong ones.
  ///   - share: of the cells, kept on average.
  ///   - focus: how sharply; 0 for cells at random.
  ///   - run: the seed.
  static func kept(_ answers: [[Bool]], share: Double, focus: Double, in run: RunContext)
    -> PooledResults
  {
    var generator = run.generator("cells that are kept", chunk: Int(1_000 * share))
    let models = answers.first?.count ?? 0
    // A little noise, so that samples of one share have different places.
    let wrong = answers.map { own in
      Double(own.count { !$0 }) + 0.5 * generator.nextDouble()
    }
    let places = Statistics.ranks(wrong)
    let hardness = places.map { 2 * StandardNormal.quantile(($0 - 0.5) / Double(places.count)) }
    let centers = (0..<models).map { _ in generator.nextGaussian() }
    func nearness(_ model: Int, _ sample: Int) -> Double {
      let gap = hardness[sample] - centers[model]
      return focus > 0 ? exponential(-focus * gap * gap) : 1
    }
    let chances = (0..<models).map { model in
      let sum = answers.indices.reduce(0.0) { $0 + nearness(model, $1) }
      return share * Double(answers.count) / max(sum, 1e-300)
    }
    let cells = answers.enumerated().map { sample, own in
      own.enumerated().compactMap { model, isRight -> ResultPool.Cell? in
        guard generator.nextDouble() < chances[model] * nearness(model, sample) else { return nil }
        return .init(model: model, value: isRight ? 1 : 0)
      }
    }
    return PooledResults(modelCount: models, cells: cells, isBinary: cells.map { _ in true })
  }
}
