import BasisCore
import BasisNumerics

/// Candidates and targets on the unit sphere, and what carries one to the other.
struct TargetSpace {
  let candidates: Matrix
  let targets: Matrix
  private(set) var warnings: [String] = []
  private let blur: Double
  /// The nearest candidates of a target that are looked at, if no more are wanted.
  private static let neighborCount = 2000

  init(
    _ input: TargetedRows, _ whitening: TAROTSelector.Whitening, ridge: Double, blur: Double,
    in run: RunContext
  ) throws(BasisError) {
    self.blur = blur
    var (rows, others) = (input.candidates, input.targets)
    if whitening == .cholesky {
      let map = try Whitener(rows, others, ridge: ridge, in: run)
      (rows, others) = (try map.apply(rows, in: run), try map.apply(others, in: run))
      if let warning = map.warning { warnings.append(warning) }
    }
    let empty = Self.zeroCount(rows) + Self.zeroCount(others)
    if empty > 0 {
      warnings.append("\(empty) rows have no direction; they are as far from all others")
    }
    candidates = rows.withUnitRows()
    targets = others.withUnitRows()
  }

  private static func zeroCount(_ rows: Matrix) -> Int {
    (0..<rows.rowCount).count { row in
      rows.withRow(row) { $0.reduce(0.0) { $0 + Double($1) * Double($1) } } < 1e-24
    }
  }

  // MARK: Similarities

  /// Of each candidate to the targets: with their mean.
  func meanSimilarities(in run: RunContext) throws(BasisError) -> [Double] {
    let d = targets.columnCount
    var mean = [Double](repeating: 0, count: d)
    for row in 0..<targets.rowCount {
      targets.withRow(row) { values in
        for column in 0..<d { mean[column] += Double(values[column]) }
      }
    }
    let share = 1 / Double(targets.rowCount)
    return (0..<candidates.rowCount).map { row in
      candidates.withRow(row) { values in
        (0..<d).reduce(0.0) { $0 + Double(values[$1]) * mean[$1] } * share
      }
    }
  }

  /// The candidates nearest to some targets, as many for each, the nearest first; distances are
  /// similarities below 0.
  ///
  /// - Parameter wanted: how many at least, if there are so many.
  func nearest(of some: [Int], wanted: Int = 0, in run: RunContext) throws(BasisError)
    -> [[Neighbor]]
  {
    let count = min(candidates.rowCount, max(Self.neighborCount, wanted))
    var all: [[Neighbor]] = []
    for first in stride(from: 0, to: some.count, by: 256) {
      let part = targets.selecting(rows: some[first..<min(some.count, first + 256)])
      let products = try LinearAlgebra.product(part, candidates, transposingB: true, in: run)
      all += try parallelMap(part.rowCount, grain: 8, in: run) { (_, rows) -> [[Neighbor]] in
        rows.map { row in
          products.withRow(row) { values in
            var best = TopK(k: count)
            for id in values.indices { best.offer(Neighbor(id: id, distance: -values[id])) }
            return best.sorted()
          }
        }
      }.flatMap { $0 }
    }
    return all
  }

  // MARK: Layers

  struct Layers {
    /// Candidates of the layers that the budget has room for.
    var whole: [Int] = []
    /// Of the one after them.
    var chosen: [Int] = []
    /// How many new ones that one has.
    var lastCount = 0
  }

  /// Whole layers, and of the one that is too large the candidates of the highest potentials.
  func layers(_ budget: Int, in run: RunContext) throws(BasisError) -> Layers {
    let near = try nearest(of: Array(0..<targets.rowCount), wanted: budget, in: run)
    var found = Layers()
    var isKept = [Bool](repeating: false, count: candidates.rowCount)
    for rank in 0..<(near.first?.count ?? 0) where found.whole.count < budget {
      var layer: [Int] = []
      for list in near where !isKept[list[rank].id] {
        isKept[list[rank].id] = true
        layer.append(list[rank].id)
      }
      guard found.whole.count + layer.count > budget else {
        found.whole += layer
        continue
      }
      layer.sort()
      let potentials = try transport(layer, to: nil, in: run).sourcePotentials
      let dearest = layer.indices.sorted { (potentials[$1], $0) < (potentials[$0], $1) }
      found.chosen = dearest.prefix(budget - found.whole.count).map { layer[$0] }
      found.lastCount = layer.count
      break
    }
    return found
  }

  // MARK: Transport

  /// Between some candidates and some targets, or all: by the chord between their directions.
  func transport(_ kept: [Int], to some: [Int]?, in run: RunContext) throws(BasisError)
    -> EntropicTransport
  {
    let asked = some.map { targets.selecting(rows: $0) } ?? targets
    var costs = try LinearAlgebra.product(
      candidates.selecting(rows: kept), asked, transposingB: true, in: run)
    costs.withUnsafeMutableFloats { values in
      for index in values.indices { values[index] = abs(2 - 2 * values[index]).squareRoot() }
    }
    return try Sinkhorn(blur: blur, maxIterations: 0).fit(costs, in: run.silent)
  }

  /// How often each of the kept is to be seen, so that with the targets, each of which is as dear as the
  /// dearest, there are as many as candidates. Whole numbers: shares are cut, and what is left goes to the
  /// largest remainders, the first of equals; 0 where a share is small.
  func weights(_ kept: [Int], in run: RunContext) throws(BasisError) -> [Double] {
    let potentials = try transport(kept, to: nil, in: run).sourcePotentials
    let most = potentials.max() ?? 0
    // Below 0 where a candidate is of no use to any target.
    let worths = potentials.map { max($0, 1e-6 * max(most, 1e-12)) }
    let all = worths + Array(repeating: worths.max() ?? 0, count: targets.rowCount)
    return Self.counts(all, total: candidates.rowCount).prefix(kept.count).map { Double($0) }
  }

  /// Whole numbers in proportion to some worths, of a given sum: the largest remainders get one more.
  static func counts(_ worths: [Double], total: Int) -> [Int] {
    let sum = worths.reduce(0, +)
    let shares = worths.map { $0 / sum * Double(total) }
    var counts = shares.map { Int($0) }
    let rests = zip(shares, counts).map { $0 - Double($1) }
    let order = rests.indices.sorted { (rests[$1], $0) < (rests[$0], $1) }
    for place in order.prefix(max(0, total - counts.reduce(0, +))) { counts[place] += 1 }
    return counts
  }
}

/// Takes the mean of rows off, and gives them the identity for covariance.
struct Whitener {
  /// *L*⁻¹ of Σ + λ I = *L* *L*ᵀ.
  private let inverse: Matrix
  private let means: [Float]
  private(set) var warning: String?

  /// - Parameters:
  ///   - first: `n × p`.
  ///   - second: `m × p`; both are taken together.
  ///   - ridge: λ, above 0.
  ///   - run: threads and cancellation.
  /// - Throws: `.missingDependency`; `.badData` where rounding leaves no positive covariance.
  /// - Complexity: O((*n* + *m*) *p*² + *p*³).
  init(_ first: Matrix, _ second: Matrix, ridge: Double, in run: RunContext) throws(BasisError) {
    let p = first.columnCount
    let count = Double(first.rowCount + second.rowCount)
    var sums = [Double](repeating: 0, count: p)
    for rows in [first, second] {
      for row in 0..<rows.rowCount {
        rows.withRow(row) { values in
          for column in 0..<p { sums[column] += Double(values[column]) }
        }
      }
    }
    means = sums.map { Float($0 / count) }
    let (a, b) = (Self.centered(first, means), Self.centered(second, means))
    let (own, other) = (
      try LinearAlgebra.product(a, a, transposingA: true, in: run),
      try LinearAlgebra.product(b, b, transposingA: true, in: run)
    )
    var spread = 0.0
    let covariance = Matrix(rowCount: p, columnCount: p) { out in
      own.withUnsafeFloats { own in
        other.withUnsafeFloats { other in
          for row in 0..<p {
            for column in 0..<p {
              let place = max(row, column) * p + min(row, column)
              let value = (Double(own[place]) + Double(other[place])) / count
              out[row * p + column] = Float(row == column ? value + ridge : value)
              if row == column { spread += value / Double(p) }
            }
          }
        }
      }
    }
    inverse = Self.inverted(try LinearAlgebra.cholesky(covariance))
    if Double(p) > count {
      warning =
        "\(p) features of \(Int(count)) rows have no full covariance, so that the ridge decides; "
        + "project them to fewer, or raise it"
    } else if ridge > 0.01 * spread {
      warning = "the features are so small that the ridge of \(ridge) decides; scale them up"
    }
  }

  func apply(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Matrix {
    try LinearAlgebra.product(Self.centered(rows, means), inverse, transposingB: true, in: run)
  }

  private static func centered(_ rows: Matrix, _ means: [Float]) -> Matrix {
    var rows = rows
    let p = means.count
    rows.withUnsafeMutableFloats { values in
      for index in values.indices { values[index] -= means[index % p] }
    }
    return rows
  }

  /// Of a lower triangle, in `Double`.
  private static func inverted(_ lower: Matrix) -> Matrix {
    let p = lower.rowCount
    var result = [Double](repeating: 0, count: p * p)
    lower.withUnsafeFloats { l in
      for row in 0..<p {
        let scale = 1 / Double(l[row * p + row])
        for inner in 0..<row {
          let factor = Double(l[row * p + inner])
          for column in 0...inner {
            result[row * p + column] -= factor * result[inner * p + column]
          }
        }
        for column in 0..<row { result[row * p + column] *= scale }
        result[row * p + row] = scale
      }
    }
    return Matrix(rowCount: p, columnCount: p) { out in
      for index in out.indices { out[index] = Float(result[index]) }
    }
  }
}
