public import BasisCore
import BasisDetection
import BasisNumerics

/// Distances from class Gaussians in the layers of a network tell worlds that it has never seen from its
/// own, where its softmax does not always. What held-out classes near the old ones bring is shown and
/// ruled by nothing: on these small digits some hundredths more than softmax and neighbours, on MNIST
/// a tenth less.
public struct MahalanobisClaim: Claim {
  public static let statement = ClaimStatement(
    id: 203,
    title:
      "Mahalanobis' distance from class Gaussians in a network's layers finds inputs of far worlds "
      + "almost always, and better than the largest softmax probability",
    paper:
      "AUROC 93.9 to 99.9 where the largest probability has 71.7 to 96.5 (table 1, CIFAR and SVHN), "
      + "robust to wrong labels and few rows; the description's MNIST study has softmax .922, .276 and "
      + ".453 on permuted, inverted and random images against .992 to 1.000, and on held-out digits "
      + ".838 against .776, with neighbours at .881",
    baseline:
      "the largest softmax probability, the energy, and the 50th neighbour in the last layer",
    data: "1,797 digits: six classes known, four held out; a perceptron of 128 and 64 units",
    cost: .slow, seedCount: 60,
    breaking: "`hidesWorlds`: images of the known classes stand for each far world")

  public var hiddenSizes = [128, 64]
  public var epochCount = 60
  /// Known classes, 2 … 9.
  public var classCount = 6
  /// Rows of a class where they are few.
  public var fewCount = 50
  /// Of labels that are wrong where some are.
  public var wrongShare = 0.3
  /// Whether images that belong stand for those that do not.
  public var hidesWorlds = false

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.hiddenSizes, claim.epochCount) = ([24, 12], 4)
    return claim
  }

  public var broken: MahalanobisClaim {
    var copy = self
    copy.hidesWorlds = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "far", "AUROC of the sum of layers, on the far world where it is least", reported: 0.992,
        .above(0.99)),
      .init(
        "far_gain", "AUROC of the sum less that of softmax, where the difference is least",
        reported: 0.07, .above(0.05)),
      .init("far_knn", "AUROC of the 50th neighbour, where it is least", reported: 0.935),
      .init("far_relative", "AUROC of relative distances, where it is least"),
      .init(
        "layers", "AUROC of the best layer less that of the sum, where it is most", .below(0.03)),
      .init("near", "AUROC of the sum on held-out digits", reported: 0.776),
      .init("near_softmax", "AUROC of softmax there", reported: 0.838),
      .init("near_energy", "AUROC of the energy there", reported: 0.824),
      .init("near_knn", "AUROC of the 50th neighbour there", reported: 0.881),
      .init("near_relative", "AUROC of relative distances there"),
      .init(
        "near_gain", "AUROC of the sum there less the better of softmax and neighbour",
        reported: -0.105),
      .init(
        "gda", "accuracy of softmax less that of the nearest class", reported: -0.004, .below(0.01)),
      .init("few", "AUROC on inverted digits, 50 rows a class", .above(0.95)),
      .init("noisy", "AUROC on inverted digits, 30 % of labels wrong", .above(0.95)),
      .init("attacked", "AUROC of the sum on images changed against the network", reported: 0.841),
      .init("attacked_softmax", "AUROC of softmax there", reported: 0.694),
      .init("step", "ε that is chosen on a half of these images, of 0 to .01"),
      .init("step_gain", "AUROC of the sum on the other half: with this step less without"),
      .init("step_near", "the same difference on held-out digits"),
      .init(
        "accepted", "share of further rows that the threshold for 0.95 accepts", reported: 0.95),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard (2...9).contains(classCount), fewCount >= 2, wrongShare >= 0, wrongShare < 1 else {
      throw BasisError(
        .invalidArgument,
        "claim 203: classes \(classCount) are 2 to 9, few rows \(fewCount) at least 2, wrong labels "
          + "\(wrongShare) a share")
    }
    let split = self.split(in: run)
    let study = try StrangerStudy(
      self, rows: split.train, labels: split.labels, test: split.test, in: run)
    var numbers = try far(study, split, in: run)
    for (name, value) in try near(study, split, in: run) { numbers[name] = value }

    let attacked = try study.attacked(split.test, split.testLabels, in: run)
    let found = try study.areas(attacked, in: run)
    numbers["attacked"] = found.sum
    numbers["attacked_softmax"] = found.softmax
    for (name, value) in try study.stepped(split.test, attacked, split.heldOut, in: run) {
      numbers[name] = value
    }
    numbers["accepted"] = study.acceptedShare
    numbers["gda"] = try study.accuracyLoss(split.test, split.testLabels, in: run)

    let inverted = hidesWorlds ? split.spare : Self.inverted(split.test)
    let few = (0..<classCount).flatMap { label in
      split.labels.indices.filter { split.labels[$0] == label }.prefix(fewCount)
    }
    let small = try StrangerStudy(
      self, rows: split.train.selecting(rows: few), labels: few.map { split.labels[$0] },
      test: split.test, in: run)
    numbers["few"] = try small.areas(inverted, in: run).sum
    var wrong = split.labels
    var generator = run.generator("wrong labels")
    for row in wrong.indices where generator.nextDouble() < wrongShare {
      wrong[row] = (wrong[row] + 1 + generator.nextInt(below: classCount - 1)) % classCount
    }
    let noisy = try StrangerStudy(
      self, rows: split.train, labels: wrong, test: split.test, in: run)
    numbers["noisy"] = try noisy.areas(inverted, in: run).sum
    return numbers
  }

  private func far(_ study: StrangerStudy, _ split: Split, in run: RunContext) throws(BasisError)
    -> [String: Double]
  {
    var generator = run.generator("far worlds")
    var order = Array(0..<64)
    generator.shuffle(&order)
    var worlds = [Self.permuted(split.test, order), Self.inverted(split.test)]
    worlds.append(
      Matrix(rowCount: split.test.rowCount, columnCount: 64) { out in
        for index in out.indices { out[index] = generator.nextFloat() }
      })
    if hidesWorlds { worlds = worlds.map { _ in split.spare } }
    var all: [StrangerStudy.Areas] = []
    for world in worlds { all.append(try study.areas(world, in: run)) }
    return [
      "far": all.map(\.sum).min() ?? .nan,
      "far_gain": all.map { $0.sum - $0.softmax }.min() ?? .nan,
      "far_knn": all.map(\.neighbors).min() ?? .nan,
      "far_relative": all.map(\.relative).min() ?? .nan,
      "layers": all.map { ($0.layers.max() ?? .nan) - $0.sum }.max() ?? .nan,
    ]
  }

  private func near(_ study: StrangerStudy, _ split: Split, in run: RunContext) throws(BasisError)
    -> [String: Double]
  {
    let found = try study.areas(split.heldOut, in: run)
    return [
      "near": found.sum, "near_softmax": found.softmax, "near_energy": found.energy,
      "near_knn": found.neighbors, "near_relative": found.relative,
      "near_gain": found.sum - max(found.softmax, found.neighbors),
    ]
  }

  // MARK: Data

  /// Images of some classes, numbered anew, and those of the others.
  private struct Split {
    var train: Matrix
    var labels: [Int]
    var test: Matrix
    var testLabels: [Int]
    /// Images that belong and are in neither.
    var spare: Matrix
    var heldOut: Matrix
  }

  private func split(in run: RunContext) -> Split {
    var generator = run.generator("known digits")
    var classes = Array(0..<10)
    generator.shuffle(&classes)
    let order = Digits.shuffled(in: run)
    let known = order.filter { classes[Digits.labels[$0]] < classCount }
    let others = order.filter { classes[Digits.labels[$0]] >= classCount }
    let (train, test) = (known.prefix(known.count * 6 / 10), known.suffix(known.count * 3 / 10))
    let spare = known[train.count..<known.count - test.count]
    return Split(
      train: Digits.images.selecting(rows: train), labels: train.map { classes[Digits.labels[$0]] },
      test: Digits.images.selecting(rows: test),
      testLabels: test.map { classes[Digits.labels[$0]] },
      spare: Digits.images.selecting(rows: spare), heldOut: Digits.images.selecting(rows: others))
  }

  private static func inverted(_ images: Matrix) -> Matrix {
    changed(images) { (row, column) in 1 - row[column] }
  }

  private static func permuted(_ images: Matrix, _ order: [Int]) -> Matrix {
    changed(images) { (row, column) in row[order[column]] }
  }

  private static func changed(
    _ images: Matrix, _ value: (UnsafeBufferPointer<Float>, Int) -> Float
  ) -> Matrix {
    Matrix(rowCount: images.rowCount, columnCount: images.columnCount) { out in
      for row in 0..<images.rowCount {
        images.withRow(row) { values in
          for column in values.indices { out[row * values.count + column] = value(values, column) }
        }
      }
    }
  }
}

/// A network, the detectors on its layers, and what they think of rows that belong.
private struct StrangerStudy {
  /// AUROC of each detector.
  struct Areas {
    var sum: Double
    var layers: [Double]
    var relative: Double
    var neighbors: Double
    var softmax: Double
    var energy: Double
  }

  private let network: PerceptronNetwork
  private let sum: MahalanobisModel
  private let relative: MahalanobisModel
  private let neighbors: NeighborDetectorModel
  private let softmax: LogitDetectorModel
  private let energy: LogitDetectorModel
  /// Of test rows.
  private let usual: Scores

  private struct Scores {
    var sum: [Double]
    var layers: [[Double]]
    var relative: [Double]
    var neighbors: [Double]
    var softmax: [Double]
    var energy: [Double]
  }

  init(
    _ claim: MahalanobisClaim, rows: Matrix, labels: [Int], test: Matrix, in run: RunContext
  ) throws(BasisError) {
    let trained = try MultilayerPerceptron(
      hiddenSizes: claim.hiddenSizes, batchSize: 32, epochCount: claim.epochCount
    ).fit(rows, labels: labels, in: run)
    network = trained.network
    let all = try trained.activations(of: rows, in: run)
    let layers = Array(all.dropLast())
    let input = try LayeredRows(layers, labels: labels)
    // Units that are off everywhere leave the covariance singular; few rows nearly so.
    let shrinkage: ClassGaussians.Shrinkage =
      rows.rowCount < 4 * (claim.hiddenSizes.max() ?? 0) ? .ledoitWolf : .none
    sum = try MahalanobisDetector(shrinkage: shrinkage).fit(input, in: run)
    relative = try MahalanobisDetector(shrinkage: shrinkage, isRelative: true).fit(input, in: run)
    neighbors = try NeighborDetector().fit(layers[layers.count - 1], in: run)
    softmax = try LogitDetector().fit(all[all.count - 1], in: run)
    energy = try LogitDetector(score: .energy).fit(all[all.count - 1], in: run)
    usual = try Self.scores(
      test, network, sum, relative, neighbors, softmax, energy, in: run)
  }

  var acceptedShare: Double {
    Double(usual.sum.count { $0 >= sum.threshold }) / Double(usual.sum.count)
  }

  private static func scores(
    _ rows: Matrix, _ network: PerceptronNetwork, _ sum: MahalanobisModel,
    _ relative: MahalanobisModel, _ neighbors: NeighborDetectorModel,
    _ softmax: LogitDetectorModel, _ energy: LogitDetectorModel, in run: RunContext
  ) throws(BasisError) -> Scores {
    let all = try network.forward(rows, in: run).activations
    let layers = Array(all.dropLast())
    let logits = [all[all.count - 1]]
    let explained = try sum.explain(layers, in: run)
    return Scores(
      sum: explained.map(\.score),
      layers: layers.indices.map { layer in explained.map { $0.layerScores[layer] } },
      relative: try relative.scores(of: layers, in: run),
      neighbors: try neighbors.scores(of: [layers[layers.count - 1]], in: run),
      softmax: try softmax.scores(of: logits, in: run),
      energy: try energy.scores(of: logits, in: run))
  }

  /// How well test rows are told from some others.
  func areas(_ others: Matrix, in run: RunContext) throws(BasisError) -> Areas {
    let strange = try Self.scores(
      others, network, sum, relative, neighbors, softmax, energy, in: run)
    func area(_ part: (Scores) -> [Double]) throws(BasisError) -> Double {
      try DetectionMetrics(inside: part(usual), outside: part(strange)).areaUnderROC
    }
    var layers: [Double] = []
    for layer in usual.layers.indices { layers.append(try area { $0.layers[layer] }) }
    return Areas(
      sum: try area { $0.sum }, layers: layers, relative: try area { $0.relative },
      neighbors: try area { $0.neighbors }, softmax: try area { $0.softmax },
      energy: try area { $0.energy })
  }

  /// Accuracy of the network less that of the class nearest in its last layer.
  func accuracyLoss(_ rows: Matrix, _ labels: [Int], in run: RunContext) throws(BasisError)
    -> Double
  {
    let all = try network.forward(rows, in: run).activations
    let own = try MultilayerPerceptronModel(network: network).classes(of: rows, in: run)
    let nearest = try sum.explain(Array(all.dropLast()), in: run).map(\.label)
    func share(_ found: [Int]) -> Double {
      Double(zip(found, labels).count { $0 == $1 }) / Double(labels.count)
    }
    return share(own) - share(nearest)
  }

  /// The step that tells half of some rows from the attacked ones best, and what it gains on the others and
  /// on rows of new classes.
  func stepped(_ rows: Matrix, _ attacked: Matrix, _ near: Matrix, in run: RunContext)
    throws(BasisError) -> [String: Double]
  {
    let features = try FeatureNetwork(network, layers: Array(sum.layers.indices))
    let half = rows.rowCount / 2
    let choice = try InputStep().choose(
      sum, inside: rows.selecting(rows: 0..<half), outside: attacked.selecting(rows: 0..<half),
      through: features, in: run.silent)
    let rest = half..<rows.rowCount
    let inside = rows.selecting(rows: rest)
    func area(_ others: Matrix, _ step: Double) throws(BasisError) -> Double {
      try DetectionMetrics(
        inside: sum.scores(of: inside, through: features, step: step, in: run),
        outside: sum.scores(of: others, through: features, step: step, in: run)
      ).areaUnderROC
    }
    let (step, other) = (choice.best.step, attacked.selecting(rows: rest))
    return [
      "step": step, "step_gain": try area(other, step) - area(other, 0),
      "step_near": try area(near, step) - area(near, 0),
    ]
  }

  /// Each value moved by 0.1 so that the loss rises fastest: Goodfellow, Shlens & Szegedy, *Explaining
  /// and harnessing adversarial examples* (2015), arXiv:1412.6572.
  func attacked(_ rows: Matrix, _ labels: [Int], in run: RunContext) throws(BasisError) -> Matrix {
    let pass = try network.forward(rows, in: run)
    var targets = Matrix(rowCount: rows.rowCount, columnCount: network.outputCount)
    for (row, label) in labels.enumerated() { targets[row, label] = 1 }
    let (_, slope) = try PerceptronLoss.softmaxCrossEntropy.value(
      of: pass.outputs, targets: targets)
    let found = try network.backward(pass, gradient: slope, wantsInputs: true, in: run)
    var moved = rows
    guard let slopes = found.inputs else { return moved }
    moved.withUnsafeMutableFloats { floats in
      slopes.withUnsafeFloats { slopes in
        for index in floats.indices where slopes[index] != 0 {
          floats[index] += slopes[index] > 0 ? 0.1 : -0.1
        }
      }
    }
    return moved
  }
}
