public import BasisCore
import BasisNumerics

/// How far inputs step towards their nearest class before they are scored: the ε of a grid with which rows
/// that belong are best told from others.
///
/// Of two steps that tell them as well the smaller is taken; 0, no step, is one of them. Chosen on outliers
/// of one kind a step is good for that kind; the paper's fair variant takes inputs of the known world that
/// were changed against the network for outliers.
///
/// Lee, Lee, Lee & Shin, *A simple unified framework for detecting out-of-distribution samples and
/// adversarial attacks* (2018), arXiv:1807.03888, section 2.2; the grid is that of their code.
public struct InputStep: Settings {
  /// Steps to try, in the unit of the inputs, at least 0 each.
  public var grid: [Double]

  /// - Parameter grid: steps to try.
  public init(grid: [Double] = [0, 0.0005, 0.001, 0.0014, 0.002, 0.005, 0.01]) { self.grid = grid }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    grid = try values.decodeIfPresent([Double].self, forKey: .grid) ?? grid
  }

  /// What came of a step.
  public struct Trial: Sendable, Hashable {
    /// ε.
    public var step: Double
    /// What is told of rows that belong and those that do not.
    public var trueNegativeRateAt95: Double
    public var areaUnderROC: Double
    /// The score that 95 % of the rows that belong reach after this step: the model's own threshold is for
    /// rows that took none.
    public var threshold: Double
  }

  /// All that was tried, and the best.
  public struct Choice: Sendable, Hashable {
    public var best: Trial
    /// One for each step of the grid, in its order.
    public var trials: [Trial]
  }

  /// Tries each step on inputs that belong and such as do not: neither should be those that the model was
  /// fitted on, nor those that it is judged by.
  ///
  /// - Parameters:
  ///   - model: of the network's layers.
  ///   - inside: inputs that belong, `n × inputs`, finite, at least 20.
  ///   - outside: inputs that do not, `m × inputs`, finite, at least 20.
  ///   - network: gives the layers that were fitted, in their order.
  ///   - run: threads and cancellation.
  /// - Returns: the step of the highest share of outliers told at 95 % accepted; of equals that of the
  ///   largest area under the curve, then the smallest.
  /// - Throws: `.invalidArgument` for an empty grid or a step below 0; `.badData` for fewer inputs, or
  ///   naming row and column; what the network and the scores throw; `.cancelled`.
  /// - Complexity: that of `MahalanobisModel.scores(of:through:step:in:)` for each step.
  public func choose(
    _ model: MahalanobisModel, inside: Matrix, outside: Matrix, through network: FeatureNetwork,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> Choice {
    guard !grid.isEmpty, grid.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw BasisError(
        .invalidArgument, "steps to choose among are at least one, and at least 0 each; not \(grid)"
      )
    }
    for (rows, what) in [(inside, "inputs that belong"), (outside, "outliers")] {
      guard rows.rowCount >= 20 else {
        throw BasisError(
          .badData, "\(rows.rowCount) \(what) are too few to choose a step by; give at least 20")
      }
    }
    var trials: [Trial] = []
    for (place, step) in grid.enumerated() {
      try run.checkCancelled()
      run.report("steps", place, of: grid.count)
      let metrics = try DetectionMetrics(
        inside: model.scores(of: inside, through: network, step: step, in: run),
        outside: model.scores(of: outside, through: network, step: step, in: run))
      trials.append(
        Trial(
          step: step, trueNegativeRateAt95: metrics.trueNegativeRateAt95,
          areaUnderROC: metrics.areaUnderROC, threshold: metrics.thresholdAt95))
    }
    func isBetter(_ a: Trial, _ b: Trial) -> Bool {
      if a.trueNegativeRateAt95 != b.trueNegativeRateAt95 {
        return a.trueNegativeRateAt95 > b.trueNegativeRateAt95
      }
      if a.areaUnderROC != b.areaUnderROC { return a.areaUnderROC > b.areaUnderROC }
      return a.step < b.step
    }
    let best = trials.dropFirst().reduce(trials[0]) { isBetter($1, $0) ? $1 : $0 }
    return Choice(best: best, trials: trials)
  }
}
