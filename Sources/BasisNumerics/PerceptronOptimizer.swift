public import BasisCore

/// Steps down a gradient, and what must be remembered between them.
public struct PerceptronOptimizer: Sendable {
  /// How steps are taken.
  public enum Rule: Sendable, Hashable, Codable {
    /// Along the gradient, with a share `momentum` of the last step, `0 ..< 1`.
    case descent(momentum: Double)
    /// By the gradient's running mean over the root of that of its square: Kingma & Ba, *Adam: a
    /// method for stochastic optimization*, ICLR 2015, arXiv:1412.6980, algorithm 1 in the order of
    /// its section 2, with its decays 0.9 and 0.999 and its ε of 10⁻⁸.
    case adam
  }

  public let rule: Rule
  /// Above 0.
  public var learningRate: Double
  /// λ in ½ λ ‖W‖², which is added to the loss; at least 0. Biases have none.
  public var weightDecay: Double
  /// Steps so far.
  public private(set) var stepCount = 0
  private var first: [PerceptronNetwork.Layer]
  private var second: [PerceptronNetwork.Layer]

  /// - Parameters:
  ///   - network: whose shape the steps have.
  ///   - rule: how steps are taken.
  ///   - learningRate: above 0.
  ///   - weightDecay: at least 0.
  /// - Throws: `.invalidArgument` for a value outside its range.
  public init(
    for network: PerceptronNetwork, _ rule: Rule = .adam, learningRate: Double = 0.001,
    weightDecay: Double = 0
  ) throws(BasisError) {
    guard learningRate > 0, learningRate.isFinite, weightDecay >= 0, weightDecay.isFinite else {
      throw BasisError(
        .invalidArgument,
        "an optimiser's learning rate is above 0 and its weight decay at least 0; got "
          + "\(learningRate) and \(weightDecay)")
    }
    if case .descent(let momentum) = rule, !(momentum >= 0 && momentum < 1) {
      throw BasisError(.invalidArgument, "momentum is 0 to below 1, not \(momentum)")
    }
    self.rule = rule
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    first = network.layers.map { .init(inputCount: $0.inputCount, outputCount: $0.outputCount) }
    second = rule == .adam ? first : []
  }

  /// Changes a network by one step.
  ///
  /// - Parameters:
  ///   - network: of the shape that the optimiser was made for.
  ///   - gradient: of the loss without the weight decay, at the network as it is.
  /// - Precondition: network and gradient have the optimiser's shape.
  /// - Complexity: O(parameters).
  public mutating func step(
    _ network: inout PerceptronNetwork, along gradient: PerceptronNetwork.Gradient
  ) {
    precondition(network.layers.count == first.count && gradient.layers.count == first.count)
    stepCount += 1
    let rate = rate
    for place in first.indices {
      let decay = Float(weightDecay)
      switch rule {
      case .descent(let momentum):
        let keep = Float(momentum)
        Self.descend(
          &network.layers[place].weights, gradient.layers[place].weights,
          &first[place].weights, keep, rate, decay)
        Self.descend(
          &network.layers[place].biases, gradient.layers[place].biases, &first[place].biases,
          keep, rate, 0)
      case .adam:
        Self.adapt(
          &network.layers[place].weights, gradient.layers[place].weights,
          &first[place].weights, &second[place].weights, rate, decay)
        Self.adapt(
          &network.layers[place].biases, gradient.layers[place].biases, &first[place].biases,
          &second[place].biases, rate, 0)
      }
    }
  }

  /// The learning rate, and for Adam what makes up for means that start at zero.
  private var rate: Float {
    guard rule == .adam else { return Float(learningRate) }
    let count = Double(stepCount)
    return Float(learningRate * (1 - power(0.999, count)).squareRoot() / (1 - power(0.9, count)))
  }

  private static func descend(
    _ values: inout [Float], _ slopes: [Float], _ steps: inout [Float], _ keep: Float,
    _ rate: Float, _ decay: Float
  ) {
    precondition(values.count == slopes.count && values.count == steps.count)
    values.withUnsafeMutableBufferPointer { values in
      slopes.withUnsafeBufferPointer { slopes in
        steps.withUnsafeMutableBufferPointer { steps in
          for index in values.indices {
            let slope = slopes[index] + decay * values[index]
            steps[index] = keep * steps[index] - rate * slope
            values[index] += steps[index]
          }
        }
      }
    }
  }

  private static func adapt(
    _ values: inout [Float], _ slopes: [Float], _ means: inout [Float], _ squares: inout [Float],
    _ rate: Float, _ decay: Float
  ) {
    precondition(values.count == slopes.count && values.count == means.count)
    values.withUnsafeMutableBufferPointer { values in
      slopes.withUnsafeBufferPointer { slopes in
        means.withUnsafeMutableBufferPointer { means in
          squares.withUnsafeMutableBufferPointer { squares in
            for index in values.indices {
              let slope = slopes[index] + decay * values[index]
              means[index] = 0.9 * means[index] + 0.1 * slope
              squares[index] = 0.999 * squares[index] + 0.001 * slope * slope
              values[index] -= rate * means[index] / (squares[index].squareRoot() + 1e-8)
            }
          }
        }
      }
    }
  }
}
