public import BasisCore

/// Transport with a blur: the plan that is cheap and spread, by Sinkhorn's iterations on logarithms.
///
/// Minimises Σ π c + ε KL(π | a ⊗ b) over plans whose rows sum to *a* and columns to *b*; with a ``reach``
/// sums may differ at a price of ρ KL. The blur is annealed: from the size of the costs down to ε, and
/// then held there until the plan's rows sum to what they should. Small ε is exact to a few digits and
/// slow to settle; ``ExactTransport`` may then be faster.
///
/// Annealing: Feydy, *Geometric data analysis, beyond convolutions* (2020), section 3.3.3, with both sides
/// moved half way at once. Iterations at ε: scalings of a kernel into which the potentials are absorbed,
/// so that nothing overflows. Schmitzer, *Stabilized sparse scaling algorithms for entropy regularized
/// transport problems*, SIAM J. Sci. Comput. 41 (2019), doi:10.1137/16M1106018, algorithm 2. Reach: Chizat,
/// Peyré, Schmitzer & Vialard, Math. Comp. 87 (2018), doi:10.1090/mcom/3303.
public struct Sinkhorn: Settings {
  /// The length below which places are as good as one, above 0: ε = blur^power.
  public var blur: Double
  /// What costs are a power of, above 0: 1 for distances, 2 for their squares.
  public var power: Double
  /// What the blur is multiplied by from step to step as it is annealed, above 0 and below 1.
  public var scaling: Double
  /// A length beyond which carrying is dearer than doing without: ρ = reach^power, above 0; nil where all
  /// is carried.
  public var reach: Double?
  /// Iterations at ε after annealing, at least 0; 0 leaves the potentials that annealing ends with.
  public var maxIterations: Int
  /// Iterations end where the rows' sums are off by this share of the mass in all; above 0.
  public var tolerance: Double

  public init(
    blur: Double = 0.05, power: Double = 2, scaling: Double = 0.5, reach: Double? = nil,
    maxIterations: Int = 1000, tolerance: Double = 1e-6
  ) {
    self.blur = blur
    self.power = power
    self.scaling = scaling
    self.reach = reach
    self.maxIterations = maxIterations
    self.tolerance = tolerance
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    blur = try values.decodeIfPresent(Double.self, forKey: .blur) ?? blur
    power = try values.decodeIfPresent(Double.self, forKey: .power) ?? power
    scaling = try values.decodeIfPresent(Double.self, forKey: .scaling) ?? scaling
    reach = try values.decodeIfPresent(Double.self, forKey: .reach)
    maxIterations = try values.decodeIfPresent(Int.self, forKey: .maxIterations) ?? maxIterations
    tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance) ?? tolerance
  }

  /// ε.
  public var epsilon: Double { Double(blur).raised(to: power) }

  /// Finds the potentials of both sides.
  ///
  /// - Parameters:
  ///   - costs: `n × m`, finite, at least 0.
  ///   - supply: *n* masses, at least 0; nil for 1 / *n* each.
  ///   - demand: *m* masses, at least 0; nil for 1 / *m* each. Without a reach it is brought to the sum
  ///     of the supply, from which its own differs by a millionth at most.
  ///   - run: threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` and `.dimensionMismatch` as
  ///   ``ExactTransport/plan(_:supply:demand:in:)``, and for a cost below 0; `.cancelled`.
  /// - Complexity: O(*n* *m*) an iteration, with exponentials in the some 2 log(size / blur) steps of
  ///   annealing only; 8 *n* *m* bytes.
  public func fit(
    _ costs: Matrix, supply: [Double]? = nil, demand: [Double]? = nil,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> EntropicTransport {
    try check()
    let masses = try TransportMasses(
      costs, supply: supply, demand: demand, isBalanced: reach == nil)
    var largest: Float = 0
    try costs.withUnsafeFloats { (values) throws(BasisError) in
      for (place, value) in values.enumerated() {
        guard value >= 0 else {
          throw BasisError(
            .badData,
            "the costs have \(value) at row \(place / costs.columnCount), column "
              + "\(place % costs.columnCount); a blurred transport takes costs of at least 0")
        }
        largest = max(largest, value)
      }
    }
    var state = SinkhornState(
      costs, masses, epsilon: epsilon, rho: reach.map { $0.raised(to: power) })
    try state.anneal(schedule(from: Double(largest)), in: run)
    if maxIterations > 0 {
      try state.settle(maxIterations: maxIterations, tolerance: tolerance, in: run)
    }
    return EntropicTransport(state)
  }

  /// How far apart two clouds are: the blurred cost between both, less half of that within each.
  ///
  /// 0 for a cloud and itself, and above 0 for different ones where exp(−cost / ε) is a positive kernel.
  /// Feydy et al., *Interpolating between optimal transport and MMD using Sinkhorn divergences*, AISTATS
  /// 2019, arXiv:1810.08278, equation 3; with a reach Séjourné et al. 2019, arXiv:1910.12958.
  ///
  /// - Parameters:
  ///   - costs: `n × m`, between both.
  ///   - sourceCosts: `n × n`, within the first.
  ///   - targetCosts: `m × m`, within the second.
  ///   - supply: *n* masses; nil for 1 / *n* each.
  ///   - demand: *m* masses; nil for 1 / *m* each.
  ///   - run: threads and cancellation.
  /// - Throws: as ``fit(_:supply:demand:in:)``; `.dimensionMismatch` for costs of other sides.
  public func divergence(
    _ costs: Matrix, within sourceCosts: Matrix, _ targetCosts: Matrix, supply: [Double]? = nil,
    demand: [Double]? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> Double {
    let (n, m) = (costs.rowCount, costs.columnCount)
    guard sourceCosts.rowCount == n, sourceCosts.columnCount == n, targetCosts.rowCount == m,
      targetCosts.columnCount == m
    else {
      throw BasisError(
        .dimensionMismatch,
        "costs between \(n) and \(m) places go with \(n) × \(n) and \(m) × \(m) within; got "
          + "\(sourceCosts.rowCount) × \(sourceCosts.columnCount) and \(targetCosts.rowCount) × "
          + "\(targetCosts.columnCount)")
    }
    let between = try fit(costs, supply: supply, demand: demand, in: run).value
    let first = try fit(sourceCosts, supply: supply, demand: supply, in: run).value
    let second = try fit(targetCosts, supply: demand, demand: demand, in: run).value
    return between - first / 2 - second / 2
  }

  private func check() throws(BasisError) {
    guard blur > 0, power > 0, epsilon > 0, epsilon.isFinite, scaling > 0, scaling < 1,
      maxIterations >= 0, tolerance > 0, reach.map({ $0 > 0 && $0.isFinite }) ?? true
    else {
      throw BasisError(
        .invalidArgument,
        "Sinkhorn: blur, power, tolerance and reach are above 0, scaling between 0 and 1, iterations at "
          + "least 0; got \(blur), \(power), \(tolerance), \(reach.map { "\($0)" } ?? "no reach"), "
          + "\(scaling) and \(maxIterations)")
    }
  }

  /// Falling values of ε: the largest cost, and from it down to the blur.
  private func schedule(from largest: Double) -> [Double] {
    guard largest > epsilon else { return [epsilon] }
    var all = [largest]
    var step = largest
    let factor = scaling.raised(to: power)
    // As long as it is above, but for rounding.
    while step > epsilon * (1 + 1e-12) {
      all.append(step)
      step *= factor
    }
    return all + [epsilon]
  }
}

/// Potentials of a blurred transport.
///
/// The plan is π(i, j) = a(i) b(j) exp((f(i) + g(j) − c(i, j)) / ε).
public struct EntropicTransport: Sendable, Hashable {
  /// *f*, in the unit of the costs.
  public let sourcePotentials: [Double]
  /// *g*.
  public let targetPotentials: [Double]
  /// Σ a f + Σ b g, or with a reach Σ a (ρ + ε / 2) (1 − exp(−f / ρ)) and as much of *b*: the cost with the
  /// blur, once the iterations have settled.
  public let value: Double
  /// ε.
  public let epsilon: Double
  /// Steps of annealing.
  public let stepCount: Int
  /// Iterations at ε.
  public let iterationCount: Int
  /// By which share of the mass the rows' sums were off in the last iteration; NaN where there was none.
  public let error: Double
  /// Whether the sums came as near as they should; false where no iteration was asked for.
  public let isConverged: Bool
  private let supply: [Double]
  private let demand: [Double]

  init(_ state: SinkhornState) {
    sourcePotentials = state.f
    targetPotentials = state.g
    supply = state.supply
    demand = state.demand
    epsilon = state.epsilon
    stepCount = state.stepCount
    iterationCount = state.iterationCount
    error = state.error
    isConverged = state.isConverged
    value = state.worth(of: state.f, supply) + state.worth(of: state.g, demand)
  }

  /// The plan: what is carried from each source to each target.
  ///
  /// - Parameters:
  ///   - costs: what the potentials were found for.
  ///   - run: threads and cancellation.
  /// - Returns: `n × m` masses.
  /// - Throws: `.dimensionMismatch`; `.cancelled`.
  /// - Complexity: O(*n* *m*), parallel.
  public func plan(_ costs: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Matrix
  {
    let (n, m) = (supply.count, demand.count)
    guard costs.rowCount == n, costs.columnCount == m else {
      throw BasisError(
        .dimensionMismatch,
        "the potentials are of \(n) × \(m) costs, these are \(costs.rowCount) × \(costs.columnCount)"
      )
    }
    return try Matrix(rowCount: n, columnCount: m) { (out) throws(BasisError) in
      guard let base = out.baseAddress else { return }
      let target = SharedPointer(base)
      try parallelFor(n, grain: 64, in: run) { (_, rows) in
        for row in rows where supply[row] > 0 {
          costs.withRow(row) { values in
            for column in 0..<m where demand[column] > 0 {
              let power =
                (sourcePotentials[row] + targetPotentials[column] - Double(values[column]))
                / epsilon
              target.base[row * m + column] = Float(
                supply[row] * demand[column] * exponential(power))
            }
          }
        }
      }
    }
  }

  /// Σ π c: what carrying costs, without the blur.
  ///
  /// - Throws: as ``plan(_:in:)``.
  public func transportCost(_ costs: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Double
  {
    let plan = try plan(costs, in: run)
    return plan.withUnsafeFloats { masses in
      costs.withUnsafeFloats { values in
        zip(masses, values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
    }
  }
}

extension Double {
  fileprivate func raised(to exponent: Double) -> Double { power(self, exponent) }
}
