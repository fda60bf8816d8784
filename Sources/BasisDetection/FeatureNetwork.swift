public import BasisCore
public import BasisNumerics

/// What makes the features of layers from inputs, and says how inputs change them: for the step towards
/// the nearest class.
public struct FeatureNetwork: Sendable {
  /// A matrix a layer, from `n × inputs`.
  public var features:
    @Sendable (_ inputs: Matrix, _ run: RunContext) throws(BasisError) -> [Matrix]
  /// Slopes in the inputs, `n × inputs`, from slopes in what one layer gives.
  public var inputSlopes:
    @Sendable (_ inputs: Matrix, _ layer: Int, _ slopes: Matrix, _ run: RunContext)
      throws(BasisError) -> Matrix

  /// - Parameters:
  ///   - features: a matrix a layer, from `n × inputs`.
  ///   - inputSlopes: slopes in the inputs, from the inputs, a layer's place in `features`, and slopes
  ///     in what it gives.
  public init(
    features: @escaping @Sendable (Matrix, RunContext) throws(BasisError) -> [Matrix],
    inputSlopes: @escaping @Sendable (Matrix, Int, Matrix, RunContext) throws(BasisError) -> Matrix
  ) {
    self.features = features
    self.inputSlopes = inputSlopes
  }

  /// Layers of a perceptron, after their activation.
  ///
  /// - Parameters:
  ///   - network: the whole of it.
  ///   - layers: places of layers, each once, in the order of the detector.
  /// - Throws: `.invalidArgument` for a layer that there is not.
  public init(_ network: PerceptronNetwork, layers: [Int]) throws(BasisError) {
    var parts: [PerceptronNetwork] = []
    for place in layers {
      guard network.layers.indices.contains(place) else {
        throw BasisError(
          .invalidArgument, "the network has \(network.layers.count) layers, and no layer \(place)")
      }
      var part = Array(network.layers[...place])
      if place + 1 < network.layers.count {
        // The last layer of a network has no activation: one that changes nothing goes after it.
        let width = network.layers[place].outputCount
        var weights = [Float](repeating: 0, count: width * width)
        for index in 0..<width { weights[index * (width + 1)] = 1 }
        part.append(
          try PerceptronNetwork.Layer(
            weights: weights, biases: [Float](repeating: 0, count: width)))
      }
      parts.append(try PerceptronNetwork(part, activation: network.activation))
    }
    let networks = parts
    self.init(
      features: { (inputs, run) throws(BasisError) in
        let pass = try network.forward(inputs, in: run)
        return layers.map { pass.activations[$0] }
      },
      inputSlopes: { (inputs, layer, slopes, run) throws(BasisError) in
        let part = networks[layer]
        let pass = try part.forward(inputs, in: run)
        let found = try part.backward(pass, gradient: slopes, wantsInputs: true, in: run)
        return found.inputs ?? Matrix(rowCount: inputs.rowCount, columnCount: inputs.columnCount)
      })
  }
}

extension MahalanobisModel {
  /// Scores after each input has taken a small step towards the class that is nearest in a layer, which
  /// brings rows that belong nearer than others: x′ = x − ε sign(slope of the distance), for every
  /// layer by itself.
  ///
  /// Section 2.2 of the paper. Compare them with scores of rows that took the same step:
  /// ``threshold`` is for rows that took none.
  ///
  /// - Parameters:
  ///   - inputs: what goes into the network, `n × inputs`, finite.
  ///   - network: gives the layers that were fitted, in their order.
  ///   - step: ε in the unit of the inputs, at least 0; the paper tries 0 to 0.01 for values of 0 to 1.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for a step below 0; as ``scores(of:in:)``; what the network throws.
  /// - Complexity: three passes through the network a layer, and twice the cost of
  ///   ``scores(of:in:)``.
  public func scores(
    of inputs: Matrix, through network: FeatureNetwork, step: Double,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> [Double] {
    guard step >= 0, step.isFinite else {
      throw BasisError(.invalidArgument, "a step towards a class is at least 0, not \(step)")
    }
    try inputs.requireFinite("the inputs")
    let features = try network.features(inputs, run)
    try check(features)
    guard step > 0 else { return try scores(of: features, in: run) }
    var columns: [[Double]] = []
    for (place, layer) in features.enumerated() {
      let nearest = try layers[place].nearest(to: layer, in: run)
      let slopes = try layers[place].distanceSlopes(at: layer, from: nearest.classes, in: run)
      let directions = try network.inputSlopes(inputs, place, slopes, run)
      guard directions.rowCount == inputs.rowCount, directions.columnCount == inputs.columnCount
      else {
        throw BasisError(
          .dimensionMismatch,
          "the network's slopes are \(directions.rowCount) × \(directions.columnCount), the inputs "
            + "\(inputs.rowCount) × \(inputs.columnCount)")
      }
      var moved = inputs
      moved.withUnsafeMutableFloats { floats in
        directions.withUnsafeFloats { directions in
          for index in floats.indices where directions[index] != 0 {
            floats[index] -= directions[index] > 0 ? Float(step) : -Float(step)
          }
        }
      }
      let again = try network.features(moved, run)
      try check(again)
      columns.append(try scores(of: again[place], layer: place, in: run).scores)
    }
    return (0..<inputs.rowCount).map { row in combined(standardized(columns.map { $0[row] })) }
  }
}
