public import BasisCore
import BasisNumerics

/// Results with a planted order of the models, to see what aggregators make of them.
public struct SyntheticResults: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, Codable {
    /// Each model has a mean in `0 ... 1` and a spread up to 0.1; half of the samples are made binary at a
    /// threshold between their smallest and largest value.
    case normal
    /// Scores are utilities with Gumbel noise, for which Plackett–Luce is exact.
    case gumbel
    /// Right with probability σ(ability − difficulty); whether a model met a sample depends on how hard it
    /// is, another hardness for each model, unless ``SyntheticResults/focus`` is 0.
    case difficulty
  }

  public var kind: Kind
  public var modelCount: Int
  public var sampleCount: Int
  /// The share of values that are there.
  public var keptShare: Double
  /// Of `difficulty`: how sharply each model's samples are of its own hardness; 0 for values missing at
  /// random.
  public var focus: Double

  public init(
    _ kind: Kind, modelCount: Int, sampleCount: Int, keptShare: Double = 1, focus: Double = 0
  ) {
    self.kind = kind
    self.modelCount = modelCount
    self.sampleCount = sampleCount
    self.keptShare = keptShare
    self.focus = focus
  }

  /// - Returns: cells by sample, and the planted strength of each model.
  /// - Throws: `.invalidArgument` for settings out of range.
  public func make(in run: RunContext) throws(BasisError) -> (
    results: PooledResults, strengths: [Double]
  ) {
    guard modelCount >= 2, sampleCount >= 1, keptShare > 0, keptShare <= 1, focus >= 0 else {
      throw BasisError(
        .invalidArgument,
        "made results have 2 models and a sample at least, a share above 0 and a focus of at least 0"
      )
    }
    var generator = run.generator("synthetic results")
    let strengths = strengths(&generator)
    let spreads = (0..<modelCount).map { _ in 0.1 * generator.nextDouble() }
    let centers = (0..<modelCount).map { _ in generator.nextGaussian() }
    let difficulties = (0..<sampleCount).map { _ in 2 * generator.nextGaussian() }
    func nearness(_ model: Int, _ row: Int) -> Double {
      let gap = difficulties[row] - centers[model]
      return focus > 0 ? exponential(-focus * gap * gap) : 1
    }
    // So that a model keeps its share whatever the focus, unless near samples are too few.
    let chances = (0..<modelCount).map { model in
      let sum = (0..<sampleCount).reduce(0.0) { $0 + nearness(model, $1) }
      return keptShare * Double(sampleCount) / max(sum, 1e-300)
    }
    var cells: [[ResultPool.Cell]] = []
    for row in 0..<sampleCount {
      if row % 1024 == 0 { try run.checkCancelled() }
      let values = values(row, difficulties[row], strengths, spreads, &generator)
      var own: [ResultPool.Cell] = []
      for (model, value) in values.enumerated()
      where generator.nextDouble() < chances[model] * nearness(model, row) {
        own.append(.init(model: model, value: value))
      }
      cells.append(own)
    }
    return (PooledResults(modelCount: modelCount, cells: cells), strengths)
  }

  private func values(
    _ row: Int, _ difficulty: Double, _ strengths: [Double], _ spreads: [Double],
    _ generator: inout RandomGenerator
  ) -> [Double] {
    var values: [Double] = []
    for model in strengths.indices {
      switch kind {
      case .normal:
        values.append(strengths[model] + spreads[model] * generator.nextGaussian())
      case .gumbel:
        let noise = -logarithm(-logarithm(max(0x1p-53, generator.nextDouble())))
        values.append(strengths[model] + noise)
      case .difficulty:
        let chance = 1 / (1 + exponential(difficulty - strengths[model]))
        values.append(generator.nextDouble() < chance ? 1 : 0)
      }
    }
    if kind == .normal, row % 2 == 0, let low = values.min(), let high = values.max() {
      let threshold = low + (high - low) * generator.nextDouble()
      values = values.map { $0 > threshold ? 1 : 0 }
    }
    return values
  }

  private func strengths(_ generator: inout RandomGenerator) -> [Double] {
    switch kind {
    case .normal: (0..<modelCount).map { _ in generator.nextDouble() }
    case .gumbel: (0..<modelCount).map { Double($0) * 0.2 }
    case .difficulty: (0..<modelCount).map { _ in 0.7 * generator.nextGaussian() }
    }
  }
}
