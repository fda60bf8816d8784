import BasisCore
import CBasisKernels

/// The potentials of a blurred transport while they are being found.
struct SinkhornState {
  let supply: [Double]
  let demand: [Double]
  /// The last one; annealing starts above it.
  let epsilon: Double
  /// What doing without costs; nil where all is carried.
  private let rho: Double?
  private let costs: Matrix
  private let transposed: Matrix
  private(set) var f: [Double]
  private(set) var g: [Double]
  private(set) var stepCount = 0
  private(set) var iterationCount = 0
  private(set) var error = Double.nan
  private(set) var isConverged = false

  init(_ costs: Matrix, _ masses: TransportMasses, epsilon: Double, rho: Double?) {
    self.costs = costs
    transposed = costs.transposed()
    (supply, demand) = (masses.sources, masses.targets)
    self.epsilon = epsilon
    self.rho = rho
    f = [Double](repeating: 0, count: supply.count)
    g = [Double](repeating: 0, count: demand.count)
  }

  /// What potentials of one side add to the value.
  func worth(of potentials: [Double], _ masses: [Double]) -> Double {
    zip(potentials, masses).reduce(0) { sum, pair in
      guard pair.1 > 0 else { return sum }
      guard let rho else { return sum + pair.0 * pair.1 }
      return sum + pair.1 * (rho + epsilon / 2) * (1 - exponential(-pair.0 / rho))
    }
  }

  /// How much of a potential is left where doing without is an answer.
  private func damping(_ epsilon: Double) -> Double { rho.map { $0 / ($0 + epsilon) } ?? 1 }

  // MARK: Annealing

  /// Moves both sides half way at each ε, and wholly at the last.
  mutating func anneal(_ schedule: [Double], in run: RunContext) throws(BasisError) {
    let (a, b) = (supply.map { logarithm($0) }, demand.map { logarithm($0) })
    let first = schedule[0]
    let zeros = [Double](repeating: 0, count: max(a.count, b.count))
    f = try softMinimum(costs, b, zeros, first, in: run)
    g = try softMinimum(transposed, a, zeros, first, in: run)
    for step in schedule {
      let (nextF, nextG) = try both(a, b, step, in: run)
      f = zip(f, nextF).map { ($0 + $1) / 2 }
      g = zip(g, nextG).map { ($0 + $1) / 2 }
    }
    (f, g) = try both(a, b, epsilon, in: run)
    stepCount = schedule.count
  }

  private func both(_ a: [Double], _ b: [Double], _ epsilon: Double, in run: RunContext)
    throws(BasisError) -> ([Double], [Double])
  {
    (
      try softMinimum(costs, b, g, epsilon, in: run),
      try softMinimum(transposed, a, f, epsilon, in: run)
    )
  }

  /// −ε log Σⱼ exp(logarithmsⱼ + (potentialsⱼ − costᵢⱼ) / ε) for each row, damped.
  private func softMinimum(
    _ costs: Matrix, _ logarithms: [Double], _ potentials: [Double], _ epsilon: Double,
    in run: RunContext
  ) throws(BasisError) -> [Double] {
    let m = costs.columnCount
    let heights = (0..<m).map { logarithms[$0] + potentials[$0] / epsilon }
    let share = damping(epsilon)
    return try parallelMap(costs.rowCount, grain: 64, in: run) { (_, rows) -> [Double] in
      let powers = UnsafeMutablePointer<Float>.allocate(capacity: m)
      defer { powers.deallocate() }
      return heights.withUnsafeBufferPointer { heights in
        rows.map { row in
          costs.withRow(row) { values in
            guard let costs = values.baseAddress, let heights = heights.baseAddress else {
              return 0
            }
            let top = SinkhornRow.exponentials(costs, heights, m, 1 / epsilon, into: powers)
            return -share * epsilon * (top + logarithm(SinkhornRow.sum(powers, m)))
          }
        }
      }
    }.flatMap { $0 }
  }

  // MARK: At the last ε

  /// Scales rows and columns of the kernel in turns.
  mutating func settle(maxIterations: Int, tolerance: Double, in run: RunContext)
    throws(BasisError)
  {
    let (n, m) = (supply.count, demand.count)
    var kernel = try SinkhornKernel(costs, f, g, demand, epsilon, in: run)
    let share = damping(epsilon)
    let mass = supply.reduce(0, +)
    // Logarithms of the scalings, since the potentials were absorbed.
    var (u, v) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: m))
    while iterationCount < maxIterations {
      try run.checkCancelled()
      if iterationCount.isMultiple(of: 32) {
        run.report("transport", iterationCount, of: maxIterations, unit: "iterations")
      }
      let before = u
      let columns: [Double]
      (u, columns) = try kernel.pass(v, supply, f.map { $0 / epsilon }, damping: share, in: run)
      var off = 0.0
      for row in 0..<n where supply[row] > 0 {
        // What the row summed to before it was scaled anew.
        off += supply[row] * abs(exponential(before[row] - u[row]) - 1)
      }
      error = off / mass
      guard error.isFinite else {
        // Too far for the kernel: a step on logarithms, from where it was made.
        try stepOnLogarithms(in: run)
        kernel = try SinkhornKernel(costs, f, g, demand, epsilon, in: run)
        (u, v) = (u.map { _ in 0 }, v.map { _ in 0 })
        iterationCount += 1
        continue
      }
      for column in 0..<m where demand[column] > 0 {
        let own = g[column] / epsilon
        v[column] = share * (own - logarithm(columns[column] / demand[column])) - own
      }
      iterationCount += 1
      isConverged = error <= tolerance
      let isFar = u.contains { !(abs($0) <= 20) } || v.contains { !(abs($0) <= 20) }
      guard isConverged || isFar || iterationCount == maxIterations else { continue }
      if v.allSatisfy(\.isFinite) {
        for row in 0..<n { f[row] += epsilon * u[row] }
        for column in 0..<m { g[column] += epsilon * v[column] }
      } else {
        try stepOnLogarithms(in: run)
      }
      guard !isConverged, iterationCount < maxIterations else { return }
      kernel = try SinkhornKernel(costs, f, g, demand, epsilon, in: run)
      (u, v) = (u.map { _ in 0 }, v.map { _ in 0 })
    }
  }

  private mutating func stepOnLogarithms(in run: RunContext) throws(BasisError) {
    let (a, b) = (supply.map { logarithm($0) }, demand.map { logarithm($0) })
    f = try softMinimum(costs, b, g, epsilon, in: run)
    g = try softMinimum(transposed, a, f, epsilon, in: run)
  }
}

/// exp((f + g − c) / ε) b, scaled in turns: no exponentials but of scalings.
private final class SinkhornKernel {
  /// Each row over its largest value.
  private let matrix: Matrix
  /// The logarithm of that value.
  private let tops: [Double]
  /// Sums of columns over some rows each.
  private let partial: UnsafeMutablePointer<Float>
  private let chunkCount: Int
  private static let grain = 64

  init(
    _ costs: Matrix, _ f: [Double], _ g: [Double], _ demand: [Double], _ epsilon: Double,
    in run: RunContext
  ) throws(BasisError) {
    let (n, m) = (costs.rowCount, costs.columnCount)
    let heights = (0..<m).map { logarithm(demand[$0]) + g[$0] / epsilon }
    var found: [Double] = []
    matrix = try Matrix(rowCount: n, columnCount: m) { (out) throws(BasisError) in
      guard let base = out.baseAddress else { return }
      let target = SharedPointer(base)
      found = try parallelMap(n, grain: Self.grain, in: run) { (_, rows) -> [Double] in
        heights.withUnsafeBufferPointer { heights in
          rows.map { row in
            costs.withRow(row) { values in
              guard let costs = values.baseAddress, let heights = heights.baseAddress else {
                return 0
              }
              let top = SinkhornRow.exponentials(
                costs, heights, m, 1 / epsilon, into: target.base + row * m)
              SinkhornRow.dropTiny(target.base + row * m, m)
              return f[row] / epsilon + top
            }
          }
        }
      }.flatMap { $0 }
    }
    tops = found
    chunkCount = (n + Self.grain - 1) / Self.grain
    partial = .allocate(capacity: chunkCount * m)
  }

  deinit { partial.deallocate() }

  /// Scales rows, and sums columns with that.
  ///
  /// - Parameters:
  ///   - v: logarithms of the columns' scalings.
  ///   - supply: of the rows.
  ///   - absorbed: f / ε of the kernel.
  ///   - damping: how much of a potential is left.
  ///   - run: threads and cancellation.
  /// - Returns: logarithms of the rows' scalings; the columns' sums before they are scaled.
  func pass(
    _ v: [Double], _ supply: [Double], _ absorbed: [Double], damping: Double, in run: RunContext
  ) throws(BasisError) -> (u: [Double], columns: [Double]) {
    let (n, m) = (matrix.rowCount, matrix.columnCount)
    let scalings = v.map { Float(exponential($0)) }
    let (matrix, tops, partial) = (matrix, tops, SharedPointer(partial))
    let u = try parallelMap(n, grain: Self.grain, in: run) { (chunk, rows) -> [Double] in
      let sums = partial.base + chunk * m
      sums.initialize(repeating: 0, count: m)
      return scalings.withUnsafeBufferPointer { scalings in
        rows.map { row in
          matrix.withRow(row) { values in
            guard let own = values.baseAddress, let scalings = scalings.baseAddress else {
              return 0
            }
            let sum = logarithm(Double(Kernels.dot(own, scalings, count: m))) + tops[row]
            let u = damping * (absorbed[row] - sum) - absorbed[row]
            let weight = Float(supply[row] * exponential(u + tops[row]))
            for column in 0..<m { sums[column] += weight * own[column] }
            return u
          }
        }
      }
    }.flatMap { $0 }
    var columns = [Double](repeating: 0, count: m)
    for chunk in 0..<chunkCount {
      for column in 0..<m { columns[column] += Double(partial.base[chunk * m + column]) }
    }
    return (u, columns)
  }
}

/// Exponentials of a row: differences in `Double`, where they cancel, and the rest in `Float`.
private enum SinkhornRow {
  // A table of functions that nobody changes.
  nonisolated(unsafe) private static let table = basis_encoder_kernels().pointee

  /// Fills `out` with exp(height − cost · inverse − top).
  ///
  /// - Returns: top, the largest of height − cost · inverse.
  static func exponentials(
    _ costs: UnsafePointer<Float>, _ heights: UnsafePointer<Double>, _ count: Int,
    _ inverse: Double, into out: UnsafeMutablePointer<Float>
  ) -> Double {
    typealias Lanes = SIMD8<Double>
    var lanes = Lanes(repeating: -.infinity)
    let whole = count / 8 * 8
    for j in stride(from: 0, to: whole, by: 8) {
      let value = lane(costs, heights, j, inverse)
      lanes.replace(with: value, where: value .> lanes)
    }
    var top = lanes.max()
    for j in whole..<count { top = max(top, heights[j] - Double(costs[j]) * inverse) }
    // The kernel is of numbers that are not below this by far.
    let floor = Lanes(repeating: -100)
    for j in stride(from: 0, to: whole, by: 8) {
      var value = lane(costs, heights, j, inverse) - top
      value.replace(with: floor, where: .!(value .> floor))
      UnsafeMutableRawPointer(out + j).storeBytes(of: SIMD8<Float>(value), as: SIMD8<Float>.self)
    }
    for j in whole..<count {
      out[j] = Float(max(-100, heights[j] - Double(costs[j]) * inverse - top))
    }
    table.exponential(out, count)
    return top
  }

  @inline(__always)
  private static func lane(
    _ costs: UnsafePointer<Float>, _ heights: UnsafePointer<Double>, _ j: Int, _ inverse: Double
  ) -> SIMD8<Double> {
    let c = UnsafeRawPointer(costs + j).loadUnaligned(as: SIMD8<Float>.self)
    let h = UnsafeRawPointer(heights + j).loadUnaligned(as: SIMD8<Double>.self)
    return h - SIMD8<Double>(c) * inverse
  }

  /// Sets to 0 what no scaling brings back: products with it would be denormal, and slow.
  static func dropTiny(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    for j in 0..<count { values[j] = values[j] < 1e-26 ? 0 : values[j] }
  }

  static func sum(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
    var lanes = SIMD8<Double>(repeating: 0)
    let whole = count / 8 * 8
    for j in stride(from: 0, to: whole, by: 8) {
      let own = UnsafeRawPointer(values + j).loadUnaligned(as: SIMD8<Float>.self)
      lanes += SIMD8<Double>(own)
    }
    return (whole..<count).reduce(lanes.sum()) { $0 + Double(values[$1]) }
  }
}
