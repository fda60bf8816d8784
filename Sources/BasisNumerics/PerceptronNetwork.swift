public import BasisCore

/// Layers of a perceptron, each a linear map and, but for the last, an activation: the values that
/// training changes, the pass forward, and the pass back, written by hand.
///
/// For studies that need a loss of their own: ``forward(_:in:)``, the gradient of the loss in the
/// outputs, ``backward(_:gradient:wantsInputs:in:)``, and a ``PerceptronOptimizer``. Where labels or values are to be
/// fitted, ``MultilayerPerceptron`` does all that.
///
/// Floats throughout; products by ``LinearAlgebra``, so that answers do not depend on the threads.
/// Rumelhart, Hinton & Williams, *Learning representations by back-propagating errors*, Nature 323
/// (1986), doi:10.1038/323533a0.
public struct PerceptronNetwork: Sendable, Hashable, Codable {
  /// What a layer does to its sums, but for the last layer.
  public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
    /// max(0, *x*); its slope at 0 counts as 0.
    case relu
    /// The hyperbolic tangent.
    case tanh
    /// *x* Φ(*x*), by the normal distribution itself (Hendrycks & Gimpel 2016, arXiv:1606.08415).
    case gelu
    /// *x* itself: a network of linear maps.
    case identity
  }

  /// A linear map: *y* = *x* W + b.
  public struct Layer: Sendable, Hashable, Codable {
    /// `inputs × outputs`, row after row.
    public var weights: [Float]
    /// One an output.
    public var biases: [Float]

    public var inputCount: Int { biases.isEmpty ? 0 : weights.count / biases.count }
    public var outputCount: Int { biases.count }

    /// - Parameters:
    ///   - weights: `inputs × outputs`, row after row.
    ///   - biases: one an output.
    /// - Throws: `.dimensionMismatch` where the weights are no whole rows.
    public init(weights: [Float], biases: [Float]) throws(BasisError) {
      guard !biases.isEmpty, weights.count.isMultiple(of: biases.count) else {
        throw BasisError(
          .dimensionMismatch,
          "a layer of \(biases.count) outputs cannot have \(weights.count) weights")
      }
      self.weights = weights
      self.biases = biases
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      try self.init(
        weights: values.decode([Float].self, forKey: .weights),
        biases: values.decode([Float].self, forKey: .biases))
    }

    init(inputCount: Int, outputCount: Int) {
      weights = Array(repeating: 0, count: inputCount * outputCount)
      biases = Array(repeating: 0, count: outputCount)
    }
  }

  public var activation: Activation
  public internal(set) var layers: [Layer]

  /// Values of a row that goes in.
  public var inputCount: Int { layers.first?.inputCount ?? 0 }
  /// Values of a row that comes out.
  public var outputCount: Int { layers.last?.outputCount ?? 0 }
  /// Weights and biases.
  public var parameterCount: Int {
    layers.reduce(0) { $0 + $1.weights.count + $1.biases.count }
  }

  /// - Parameters:
  ///   - layers: at least one; each takes what the one before gives.
  ///   - activation: after each layer but the last.
  /// - Throws: `.dimensionMismatch` naming the layer that does not fit; `.badData` for a value that is
  ///   not finite.
  public init(_ layers: [Layer], activation: Activation) throws(BasisError) {
    guard !layers.isEmpty else {
      throw BasisError(.dimensionMismatch, "a network has at least one layer")
    }
    for (place, pair) in zip(layers, layers.dropFirst()).enumerated()
    where pair.0.outputCount != pair.1.inputCount {
      throw BasisError(
        .dimensionMismatch,
        "layer \(place) has \(pair.0.outputCount) outputs, layer \(place + 1) takes "
          + "\(pair.1.inputCount)")
    }
    for (place, layer) in layers.enumerated() {
      guard layer.weights.allSatisfy(\.isFinite), layer.biases.allSatisfy(\.isFinite) else {
        throw BasisError(.badData, "layer \(place) has a value that is not finite")
      }
    }
    self.layers = layers
    self.activation = activation
  }

  /// - Throws: as ``init(_:activation:)``, for a file whose layers do not fit.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      values.decode([Layer].self, forKey: .layers),
      activation: values.decode(Activation.self, forKey: .activation))
  }

  /// A network with weights drawn so that sums keep their spread from layer to layer: normal with
  /// variance 2 / inputs before `relu` and `gelu` (He et al. 2015, arXiv:1502.01852), uniform with
  /// variance 2 / (inputs + outputs) else (Glorot & Bengio 2010). Biases are zero.
  ///
  /// - Parameters:
  ///   - sizes: values of a row before the first layer and after each; at least two, each at least 1.
  ///   - activation: after each layer but the last.
  ///   - run: the seed draws the weights.
  ///   - stream: another name draws others.
  /// - Throws: `.invalidArgument` for fewer sizes, or one below 1.
  public init(
    sizes: [Int], activation: Activation = .relu, in run: RunContext,
    stream: String = "perceptron weights"
  ) throws(BasisError) {
    guard sizes.count >= 2, sizes.allSatisfy({ $0 >= 1 }) else {
      throw BasisError(
        .invalidArgument,
        "a network has at least two sizes, each at least 1, not \(sizes)")
    }
    self.activation = activation
    layers = zip(sizes, sizes.dropFirst()).enumerated().map { place, pair in
      var layer = Layer(inputCount: pair.0, outputCount: pair.1)
      var generator = run.generator(stream, chunk: place)
      let isRectified = activation == .relu || activation == .gelu
      let deviation = (2 / Double(pair.0)).squareRoot()
      let limit = (6 / Double(pair.0 + pair.1)).squareRoot()
      for index in layer.weights.indices {
        layer.weights[index] =
          isRectified
          ? Float(deviation * generator.nextGaussian())
          : Float(limit * (2 * generator.nextDouble() - 1))
      }
      return layer
    }
  }

  /// What a network does to some rows, layer by layer.
  public struct Pass: Sendable {
    /// The rows that went in.
    public let inputs: Matrix
    /// Before the activation, for each layer.
    public let sums: [Matrix]
    /// After it, for each layer; the last one's are its sums.
    public let activations: [Matrix]
    /// What comes out: `n × outputCount`.
    public var outputs: Matrix { activations[activations.count - 1] }
  }

  /// The slopes of a loss, shaped as the network.
  public struct Gradient: Sendable {
    public internal(set) var layers: [Layer]
    /// In the rows that went in; nil unless it was asked for.
    public internal(set) var inputs: Matrix?
  }

  /// The rows' way through the layers.
  ///
  /// - Parameters:
  ///   - rows: `n × inputCount`.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.cancelled`.
  /// - Complexity: O(*n* · ``parameterCount``).
  public func forward(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Pass
  {
    guard rows.columnCount == inputCount else {
      throw BasisError(
        .dimensionMismatch,
        "the network takes rows of \(inputCount) values, got \(rows.rowCount) × "
          + "\(rows.columnCount)")
    }
    var (sums, outputs): ([Matrix], [Matrix]) = ([], [])
    var current = rows
    for (place, layer) in layers.enumerated() {
      let sum = try layer.apply(to: current, in: run)
      current = place + 1 < layers.count ? activation.apply(to: sum) : sum
      sums.append(sum)
      outputs.append(current)
    }
    return Pass(inputs: rows, sums: sums, activations: outputs)
  }

  /// The slopes of a loss in every weight and bias, by the chain rule from the last layer to the first.
  ///
  /// - Parameters:
  ///   - pass: of this network.
  ///   - gradient: the slope of the loss in each output, `n × outputCount`.
  ///   - wantsInputs: whether the slopes in the rows are computed too.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.cancelled`.
  /// - Complexity: twice that of ``forward(_:in:)``.
  public func backward(
    _ pass: Pass, gradient: Matrix, wantsInputs: Bool = false, in run: RunContext = RunContext()
  ) throws(BasisError) -> Gradient {
    guard gradient.rowCount == pass.outputs.rowCount, gradient.columnCount == outputCount else {
      throw BasisError(
        .dimensionMismatch,
        "the gradient is \(gradient.rowCount) × \(gradient.columnCount), the outputs "
          + "\(pass.outputs.rowCount) × \(outputCount)")
    }
    var slopes: [Layer] = []
    var current = gradient
    var inputs: Matrix?
    for place in layers.indices.reversed() {
      let source = place > 0 ? pass.activations[place - 1] : pass.inputs
      slopes.append(try layers[place].slopes(of: current, from: source, in: run))
      guard place > 0 || wantsInputs else { break }
      var below = try LinearAlgebra.product(
        current, layers[place].matrix(), transposingB: true, in: run)
      if place > 0 {
        activation.multiply(
          &below, bySlopeAt: pass.sums[place - 1], value: pass.activations[place - 1])
        current = below
      } else {
        inputs = below
      }
    }
    return Gradient(layers: slopes.reversed(), inputs: inputs)
  }
}

extension PerceptronNetwork.Layer {
  /// The weights as they are multiplied: `inputs × outputs`.
  func matrix() throws(BasisError) -> Matrix {
    try Matrix(rowCount: inputCount, columnCount: outputCount, values: weights)
  }

  func apply(to rows: Matrix, in run: RunContext) throws(BasisError) -> Matrix {
    var sums = try LinearAlgebra.product(rows, matrix(), in: run)
    let count = biases.count
    sums.withUnsafeMutableFloats { floats in
      biases.withUnsafeBufferPointer { biases in
        for row in 0..<rows.rowCount {
          for column in 0..<count { floats[row * count + column] += biases[column] }
        }
      }
    }
    return sums
  }

  /// The slopes in weights and biases, where those in the layer's sums are known.
  func slopes(of gradient: Matrix, from source: Matrix, in run: RunContext) throws(BasisError)
    -> PerceptronNetwork.Layer
  {
    var result = PerceptronNetwork.Layer(inputCount: inputCount, outputCount: outputCount)
    let product = try LinearAlgebra.product(source, gradient, transposingA: true, in: run)
    product.withUnsafeFloats { floats in result.weights = Array(floats) }
    var sums = [Double](repeating: 0, count: outputCount)
    gradient.withUnsafeFloats { floats in
      for row in 0..<gradient.rowCount {
        for column in sums.indices { sums[column] += Double(floats[row * sums.count + column]) }
      }
    }
    result.biases = sums.map { Float($0) }
    return result
  }
}

extension PerceptronNetwork.Activation {
  func apply(to sums: Matrix) -> Matrix {
    guard self != .identity else { return sums }
    return Matrix(rowCount: sums.rowCount, columnCount: sums.columnCount) { out in
      sums.withUnsafeFloats { x in
        switch self {
        case .relu: for index in x.indices { out[index] = max(0, x[index]) }
        case .tanh: for index in x.indices { out[index] = hyperbolicTangent(x[index]) }
        case .gelu:
          for index in x.indices {
            out[index] = x[index] * Float(StandardNormal.cumulative(Double(x[index])))
          }
        case .identity: break
        }
      }
    }
  }

  /// Brings slopes in what the activation gave back to slopes in what it took.
  func multiply(_ gradient: inout Matrix, bySlopeAt sums: Matrix, value: Matrix) {
    gradient.withUnsafeMutableFloats { out in
      sums.withUnsafeFloats { x in
        value.withUnsafeFloats { y in
          switch self {
          case .relu: for index in x.indices where x[index] <= 0 { out[index] = 0 }
          case .tanh: for index in x.indices { out[index] *= 1 - y[index] * y[index] }
          case .gelu:
            for index in x.indices {
              let x = Double(x[index])
              let density = exponential(-x * x / 2) / (2 * Double.pi).squareRoot()
              out[index] *= Float(StandardNormal.cumulative(x) + x * density)
            }
          case .identity: break
          }
        }
      }
    }
  }
}

/// 1 − 2 / (e²ˣ + 1), which is right at both ends and in the middle: near 0 by its series.
private func hyperbolicTangent(_ x: Float) -> Float {
  if abs(x) < 0.01 { return x * (1 - x * x / 3) }
  return Float(1 - 2 / (exponential(2 * Double(x)) + 1))
}
