public import BasisCore

/// A small network of fully connected layers, trained on the processor in mini-batches.
///
/// For probes, studies and baselines: nets of some ten thousand weights on some ten thousand rows take
/// seconds. Deterministic: weights, and the order of the rows in each pass over them, come from the
/// run's seed, and the answer does not depend on the threads.
///
/// Which one when: `softmaxCrossEntropy` where each row has one class, `logistic` where it may have
/// several labels, `squaredError` for values. Adam needs little care; descent with momentum 0.9 often
/// ends a little better with a well-chosen rate.
///
/// Gradients as in Rumelhart, Hinton & Williams, Nature 323 (1986), doi:10.1038/323533a0.
public struct MultilayerPerceptron: Settings {
  /// Values after each layer but the last; none makes a linear model. Each at least 1.
  public var hiddenSizes: [Int]
  public var activation: PerceptronNetwork.Activation
  public var loss: PerceptronLoss
  public var rule: PerceptronOptimizer.Rule
  /// Above 0.
  public var learningRate: Double
  /// λ in ½ λ ‖W‖², at least 0.
  public var weightDecay: Double
  /// Rows of a step, at least 1; the last of a pass may have fewer.
  public var batchSize: Int
  /// Passes over the rows, at least 0.
  public var epochCount: Int
  /// Training ends where the mean loss of a pass has not fallen by this in ten passes; nil never.
  public var tolerance: Double?

  public init(
    hiddenSizes: [Int] = [64], activation: PerceptronNetwork.Activation = .relu,
    loss: PerceptronLoss = .softmaxCrossEntropy, rule: PerceptronOptimizer.Rule = .adam,
    learningRate: Double = 0.001, weightDecay: Double = 0, batchSize: Int = 128,
    epochCount: Int = 100, tolerance: Double? = nil
  ) {
    self.hiddenSizes = hiddenSizes
    self.activation = activation
    self.loss = loss
    self.rule = rule
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.batchSize = batchSize
    self.epochCount = epochCount
    self.tolerance = tolerance
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = MultilayerPerceptron()
    hiddenSizes = try values.decodeIfPresent([Int].self, forKey: .hiddenSizes) ?? [64]
    activation =
      try values.decodeIfPresent(PerceptronNetwork.Activation.self, forKey: .activation)
      ?? defaults.activation
    loss = try values.decodeIfPresent(PerceptronLoss.self, forKey: .loss) ?? defaults.loss
    rule = try values.decodeIfPresent(PerceptronOptimizer.Rule.self, forKey: .rule) ?? .adam
    learningRate =
      try values.decodeIfPresent(Double.self, forKey: .learningRate) ?? defaults.learningRate
    weightDecay =
      try values.decodeIfPresent(Double.self, forKey: .weightDecay) ?? defaults.weightDecay
    batchSize = try values.decodeIfPresent(Int.self, forKey: .batchSize) ?? defaults.batchSize
    epochCount = try values.decodeIfPresent(Int.self, forKey: .epochCount) ?? defaults.epochCount
    tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance)
  }

  /// Trains on classes.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* ≥ 1. Values of about unit spread train best.
  ///   - labels: *n* classes, 0 and up; as many outputs as the largest and one.
  ///   - run: seed, threads, cancellation and progress.
  /// - Throws: `.invalidArgument` for settings out of range; `.dimensionMismatch` for another number
  ///   of labels; `.badData` for a label below 0 or above 65,535, no rows, or a value that is not
  ///   finite, naming row and column; `.cancelled`.
  /// - Complexity: O(*n* · weights) a pass.
  public func fit(_ rows: Matrix, labels: [Int], in run: RunContext = RunContext())
    throws(BasisError) -> MultilayerPerceptronModel
  {
    guard labels.count == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(labels.count) labels for \(rows.rowCount) rows; give one a row")
    }
    if let row = labels.firstIndex(where: { $0 < 0 || $0 > 65_535 }) {
      throw BasisError(
        .badData, "row \(row) has the label \(labels[row]); classes are numbered 0 to 65,535")
    }
    var targets = Matrix(rowCount: labels.count, columnCount: (labels.max() ?? 0) + 1)
    for (row, label) in labels.enumerated() { targets[row, label] = 1 }
    return try fit(rows, targets: targets, in: run)
  }

  /// Trains on targets.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* ≥ 1.
  ///   - targets: `n × outputs`, finite: shares, labels 0 and 1, or values, as the loss wants them.
  ///   - run: seed, threads, cancellation and progress.
  /// - Throws: as ``fit(_:labels:in:)``.
  public func fit(_ rows: Matrix, targets: Matrix, in run: RunContext = RunContext())
    throws(BasisError) -> MultilayerPerceptronModel
  {
    try check(rows, targets)
    let sizes = [rows.columnCount] + hiddenSizes + [targets.columnCount]
    return try fit(
      rows, targets: targets,
      from: PerceptronNetwork(sizes: sizes, activation: activation, in: run), in: run)
  }

  /// Goes on training a network.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* ≥ 1.
  ///   - targets: `n × outputs`, finite.
  ///   - start: takes *d* values and gives one a column of `targets`; its layers and activation count
  ///     in the place of the settings'.
  ///   - run: seed, threads, cancellation and progress.
  /// - Throws: as ``fit(_:labels:in:)``, and `.dimensionMismatch` for a network of another shape.
  public func fit(
    _ rows: Matrix, targets: Matrix, from start: PerceptronNetwork,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> MultilayerPerceptronModel {
    try check(rows, targets)
    guard start.inputCount == rows.columnCount, start.outputCount == targets.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the network takes \(start.inputCount) values and gives \(start.outputCount); rows have "
          + "\(rows.columnCount) and targets \(targets.columnCount)")
    }
    var network = start
    var optimizer = try PerceptronOptimizer(
      for: network, rule, learningRate: learningRate, weightDecay: weightDecay)
    var losses: [Double] = []
    var (best, waited) = (Double.infinity, 0)
    for epoch in 0..<epochCount {
      run.report("training", epoch, of: epochCount, unit: "passes")
      var order = Array(0..<rows.rowCount)
      var generator = run.generator("perceptron batches", chunk: epoch)
      generator.shuffle(&order)
      var sum = 0.0
      for first in stride(from: 0, to: order.count, by: batchSize) {
        try run.checkCancelled()
        let batch = order[first..<min(order.count, first + batchSize)]
        let pass = try network.forward(rows.selecting(rows: batch), in: run)
        let (value, slope) = try loss.value(
          of: pass.outputs, targets: targets.selecting(rows: batch))
        sum += value * Double(batch.count)
        let gradient = try network.backward(pass, gradient: slope, in: run)
        optimizer.step(&network, along: gradient)
      }
      let mean = sum / Double(order.count)
      losses.append(mean)
      guard mean.isFinite else { break }
      if mean < best - (tolerance ?? 0) { (best, waited) = (mean, 0) } else { waited += 1 }
      if tolerance != nil, waited >= 10 { break }
    }
    return MultilayerPerceptronModel(network: network, losses: losses)
  }

  private func check(_ rows: Matrix, _ targets: Matrix) throws(BasisError) {
    guard batchSize >= 1, epochCount >= 0, hiddenSizes.allSatisfy({ $0 >= 1 }),
      tolerance.map({ $0 >= 0 }) ?? true
    else {
      throw BasisError(
        .invalidArgument,
        "a perceptron's hidden sizes \(hiddenSizes) and batch size \(batchSize) are at least 1, its "
          + "passes \(epochCount) and tolerance \(tolerance ?? 0) at least 0")
    }
    guard rows.rowCount >= 1, rows.columnCount >= 1, targets.columnCount >= 1 else {
      throw BasisError(
        .badData,
        "a perceptron is trained on at least 1 row of 1 value, got \(rows.rowCount) × "
          + "\(rows.columnCount) and \(targets.columnCount) outputs")
    }
    guard targets.rowCount == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(targets.rowCount) targets for \(rows.rowCount) rows; give one a row")
    }
    try rows.requireFinite("the rows")
    try targets.requireFinite("the targets")
  }
}

/// A trained network.
public struct MultilayerPerceptronModel: Sendable, Hashable, Codable {
  public var network: PerceptronNetwork
  /// The mean loss of each pass over the rows, without the weight decay. A last one that is not
  /// finite says that training went astray: lower the learning rate.
  public var losses: [Double]

  /// Whether training kept to finite numbers.
  public var isFinite: Bool { losses.last?.isFinite ?? true }

  public init(network: PerceptronNetwork, losses: [Double] = []) {
    self.network = network
    self.losses = losses
  }

  /// What the network gives for each row: `n × outputs`, before any softmax.
  ///
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  public func outputs(of rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    try rows.requireFinite("the rows")
    return try network.forward(rows, in: run).outputs
  }

  /// What each layer gives, the last one's sums at the end.
  ///
  /// - Throws: as ``outputs(of:in:)``.
  public func activations(of rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Matrix]
  {
    try rows.requireFinite("the rows")
    return try network.forward(rows, in: run).activations
  }

  /// The output that is largest, the first one of two.
  ///
  /// - Throws: as ``outputs(of:in:)``.
  public func classes(of rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Int]
  {
    let outputs = try outputs(of: rows, in: run)
    return (0..<rows.rowCount).map { row in
      outputs.withRow(row) { values in
        values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
      }
    }
  }
}
