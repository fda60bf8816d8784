public import BasisCore

/// Finds a minimum of a smooth function of many variables, from its gradients.
///
/// Limited-memory BFGS: steps along the gradient turned by what the last pairs of steps and gradient
/// changes tell of the curvature. A convex function's minimum is found; of others one that is near.
///
/// Nocedal & Wright, *Numerical Optimization* (2006), algorithms 7.4 and 7.5. Steps keep the weak Wolfe
/// conditions, found by bracketing as Lewis & Overton, *Nonsmooth optimization via quasi-Newton methods*
/// (2013), doi:10.1007/s10107-012-0514-2, section 2, with cubic interpolation in place of halving. Where
/// values differ by less than their rounding, slopes decide: Hager & Zhang, *A new conjugate gradient
/// method with guaranteed descent* (2005), doi:10.1137/030601880, equation 4.1.
public struct LBFGS: Settings {
  /// Pairs that are remembered, at least 1.
  public var memory: Int
  /// Steps at most, at least 0.
  public var maxIterations: Int
  /// Done when no slope is above this; above 0.
  public var gradientTolerance: Double
  /// How far a value may be from the true one by rounding, relative to it; at least 0.
  public var relativeNoise: Double

  /// - Parameters:
  ///   - memory: pairs that are remembered.
  ///   - maxIterations: steps at most.
  ///   - gradientTolerance: done when no slope is above this.
  ///   - relativeNoise: rounding of the function's values, relative to them.
  public init(
    memory: Int = 10, maxIterations: Int = 1000, gradientTolerance: Double = 1e-6,
    relativeNoise: Double = 1e-14
  ) {
    self.memory = memory
    self.maxIterations = maxIterations
    self.gradientTolerance = gradientTolerance
    self.relativeNoise = relativeNoise
  }

  /// Where the search ended.
  public struct Minimum: Sendable, Hashable {
    public var point: [Double]
    public var value: Double
    /// The largest slope there, without its sign.
    public var largestSlope: Double
    public var iterationCount: Int
    /// How often the function was asked.
    public var evaluationCount: Int
    /// Whether the largest slope is within the tolerance.
    public var isConverged: Bool
  }

  /// Searches.
  ///
  /// - Parameters:
  ///   - start: *p* numbers, finite.
  ///   - run: cancellation.
  ///   - function: given a point, writes its gradient and returns its value. A value that is not
  ///     finite counts as too high.
  /// - Returns: the best point that was found.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` where the function is not finite
  ///   at the start; what the function throws; `.cancelled`.
  /// - Complexity: O(`memory` · *p*) and one to two evaluations a step.
  public func minimize(
    from start: [Double], in run: RunContext = RunContext(),
    _ function: (_ point: [Double], _ gradient: inout [Double]) throws(BasisError) -> Double
  ) throws(BasisError) -> Minimum {
    guard memory >= 1, maxIterations >= 0, gradientTolerance > 0, relativeNoise >= 0 else {
      throw BasisError(
        .invalidArgument,
        "L-BFGS: memory \(memory) wants at least 1, maxIterations \(maxIterations) at least 0, "
          + "gradientTolerance \(gradientTolerance) above 0, relativeNoise \(relativeNoise) at "
          + "least 0")
    }
    var state = State(
      point: start, gradient: [Double](repeating: 0, count: start.count), value: 0)
    state.value = try function(state.point, &state.gradient)
    guard state.isFinite else {
      throw BasisError(.badData, "L-BFGS: the function is not finite where the search starts")
    }
    var pairs: [Pair] = []
    var (iterations, evaluations) = (0, 1)
    while state.largestSlope > gradientTolerance, iterations < maxIterations {
      try run.checkCancelled()
      var direction = Self.direction(state.gradient, pairs)
      var slope = dot(direction, state.gradient)
      if !(slope < 0) {
        // Rounding has spoilt what was remembered.
        pairs = []
        direction = state.gradient.map { -$0 }
        slope = dot(direction, state.gradient)
      }
      let first = pairs.isEmpty ? min(1, 1 / state.largestSlope) : 1
      let found = try search(
        from: state, along: direction, slope: slope, first: first, &evaluations, function)
      guard let next = found else {
        // No step is better than none: once more without memory, then it is as good as it gets.
        if pairs.isEmpty { break }
        pairs = []
        continue
      }
      iterations += 1
      if let pair = Pair(state, next) {
        if pairs.count == memory { pairs.removeFirst() }
        pairs.append(pair)
      }
      state = next
    }
    return Minimum(
      point: state.point, value: state.value, largestSlope: state.largestSlope,
      iterationCount: iterations, evaluationCount: evaluations,
      isConverged: state.largestSlope <= gradientTolerance)
  }

  private struct State {
    var point: [Double]
    var gradient: [Double]
    var value: Double

    var isFinite: Bool { value.isFinite && gradient.allSatisfy(\.isFinite) }
    var largestSlope: Double { gradient.reduce(0) { max($0, abs($1)) } }
  }

  private struct Pair {
    var step: [Double]
    var change: [Double]
    var scale: Double

    /// Nil where the curvature along the step is not above 0.
    init?(_ a: State, _ b: State) {
      step = zip(b.point, a.point).map { $0 - $1 }
      change = zip(b.gradient, a.gradient).map { $0 - $1 }
      let curvature = dot(step, change)
      guard curvature > 1e-300, curvature.isFinite else { return nil }
      scale = 1 / curvature
    }
  }

  /// The two loops of algorithm 7.4.
  private static func direction(_ gradient: [Double], _ pairs: [Pair]) -> [Double] {
    var direction = gradient.map { -$0 }
    var shares = [Double](repeating: 0, count: pairs.count)
    for index in pairs.indices.reversed() {
      let pair = pairs[index]
      shares[index] = pair.scale * dot(pair.step, direction)
      add(-shares[index], pair.change, to: &direction)
    }
    if let last = pairs.last {
      let scale = 1 / (last.scale * dot(last.change, last.change))
      for index in direction.indices { direction[index] *= scale }
    }
    for index in pairs.indices {
      let pair = pairs[index]
      let share = pair.scale * dot(pair.change, direction)
      add(shares[index] - share, pair.step, to: &direction)
    }
    return direction
  }

  private struct Probe {
    var length: Double
    var value: Double
    var slope: Double
  }

  /// A step that lowers the value enough and is not too short; nil where there is none.
  private func search(
    from start: State, along direction: [Double], slope: Double, first: Double,
    _ evaluations: inout Int,
    _ function: (_ point: [Double], _ gradient: inout [Double]) throws(BasisError) -> Double
  ) throws(BasisError) -> State? {
    let (decrease, curvature) = (1e-4, 0.9)
    let noise = relativeNoise * abs(start.value)
    var low = Probe(length: 0, value: start.value, slope: slope)
    var high: Probe?
    var length = first
    var next = start
    // The longest step that lowers the value and is still too short: better than none.
    var short: State?
    for _ in 0..<40 {
      for index in next.point.indices {
        next.point[index] = start.point[index] + length * direction[index]
      }
      next.value = try function(next.point, &next.gradient)
      evaluations += 1
      let probe = Probe(
        length: length, value: next.value, slope: dot(next.gradient, direction))
      let isLower = probe.value <= start.value + decrease * length * slope
      let isLevel =
        probe.value <= start.value + noise && probe.slope <= (2 * decrease - 1) * slope
      if !next.isFinite || !(isLower || isLevel) {
        high = probe
      } else if probe.slope < curvature * slope {
        low = probe
        short = next
      } else {
        return next
      }
      length = Self.between(low, high)
      if let high, abs(high.length - low.length) <= 1e-15 * max(1, high.length) { break }
    }
    return short
  }

  /// Where a cubic through both ends has its minimum, kept away from them; further out where there is
  /// no end yet.
  private static func between(_ low: Probe, _ high: Probe?) -> Double {
    guard let high else { return max(4 * low.length, 1e-10) }
    let width = high.length - low.length
    let middle = low.length + width / 2
    guard high.value.isFinite, high.slope.isFinite else { return low.length + width / 10 }
    let a = low.slope + high.slope - 3 * (low.value - high.value) / (low.length - high.length)
    let root = a * a - low.slope * high.slope
    guard root >= 0 else { return middle }
    let b = root.squareRoot()
    let place = high.length - width * (high.slope + b - a) / (high.slope - low.slope + 2 * b)
    guard place.isFinite else { return middle }
    return min(max(place, low.length + width / 10), high.length - width / 10)
  }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  // Two sums, so that one addition need not wait for the last.
  var (even, odd) = (0.0, 0.0)
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      var index = 0
      while index + 2 <= a.count {
        even += a[index] * b[index]
        odd += a[index + 1] * b[index + 1]
        index += 2
      }
      if index < a.count { even += a[index] * b[index] }
    }
  }
  return even + odd
}

private func add(_ factor: Double, _ change: [Double], to values: inout [Double]) {
  for index in values.indices { values[index] += factor * change[index] }
}
