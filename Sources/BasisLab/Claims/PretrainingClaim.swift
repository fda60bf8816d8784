public import BasisCore
import BasisNumerics
import Foundation

/// Rows without answers pay where they are many and the few answers hang on what the rows vary by; where
/// rows are few, or answers hang on the rest, they harm.
///
/// Rows are *x* = B *z* + *μ* with *r* factors *z* and noise *μ*, answers *y* = *βᵀz* + *ν*. Pre-training is the
/// maximum of likelihood on *m* rows without answers, which for unit noise is closed:
/// B = U(Λ − I)₊^½ of the covariance's leading directions (Tipping & Bishop 1999); then *r* weights
/// are fitted on E[*z*|*x*] of *n* rows with answers.
public struct PretrainingClaim: Claim {
  public static let statement = ClaimStatement(
    id: 83,
    title:
      "factors learnt from many rows without answers halve the error of thirty with, and from few "
      + "rows, or for answers that hang on the noise, they raise it",
    paper:
      "the excess risk falls with the rows without answers and with those with answers apart, as "
      + "√(C_Φ/m) + √(C_Ψ/n), where learning from answers alone needs √(C_Φ∘Ψ/n) (theorem 3.1 and the "
      + "factor model of section 4); figures are those of the description's miniature",
    baseline: "ridge regression on the rows with answers, with the penalty that tests best",
    data: "made rows: 100 values from 3 factors, 30 answers", seedCount: 200,
    breaking: "`isRelated` off: rows without answers have other factors than those with")

  /// *d*, above ``factorCount``.
  public var dimension = 100
  /// *r*, at least 1.
  public var factorCount = 3
  /// *n*, at least ``factorCount`` + 1.
  public var answerCount = 30
  /// Variance of an answer's own noise, above 0.
  public var noise = 0.5
  /// *m*: many rows, too few, and far too few.
  public var rowCounts = [10_000, 200, 50]
  /// Whether the rows without answers are of the same factors.
  public var isRelated = true

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.dimension, claim.answerCount, claim.rowCounts) = (20, 12, [600, 40, 12])
    return claim
  }

  public var broken: PretrainingClaim {
    var copy = self
    copy.isRelated = false
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init("many", "half of ridge's excess risk less the factors', many rows", .above(0)),
      .init("few", "the factors' excess risk less ridge's, too few rows", .above(0)),
      .init("fewest", "the same of far too few rows", .above(0)),
      .init("weak", "factors less half of ridge, one factor of a fifth's weight", .above(0)),
      .init("noise_driven", "factors less ridge, answers that hang on the noise", .above(0)),
      .init(
        "slope", "exponent of the subspace's error in the number of rows", reported: -0.5,
        .within(-0.6...(-0.4))),
      .init("factors_many", "the factors' excess risk, many rows", reported: 0.129),
      .init("factors_few", "the same, too few rows", reported: 0.501),
      .init("ridge", "ridge's excess risk", reported: 0.417),
      .init(
        "components", "principal components and least squares in the factors' place, less them"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard factorCount >= 1, dimension > factorCount, answerCount > factorCount, noise > 0,
      rowCounts.count == 3, rowCounts.allSatisfy({ $0 > factorCount })
    else {
      throw BasisError(
        .invalidArgument,
        "claim 83: \(dimension) dimensions, \(answerCount) answers and three row counts "
          + "\(rowCounts) are each above \(factorCount) factors, and noise \(noise) above 0")
    }
    var numbers: [String: Double] = [:]
    var generator = run.generator("factor model")
    let model = try FactorModel(dimension, factorCount, weakest: 1, &generator, in: run)
    let other = try FactorModel(dimension, factorCount, weakest: 1, &generator, in: run)
    let source = isRelated ? model : other
    let labelled = model.answered(answerCount, noise: noise, &generator)
    let ridge = try labelled.bestRidge(model.target, model)
    numbers["ridge"] = ridge
    var errors: [(rows: Int, error: Double)] = []
    for (name, rows) in zip(["many", "few", "fewest"], rowCounts) {
      try run.checkCancelled()
      let found = try source.directions(from: rows, &generator, in: run)
      let risk = model.excess(of: labelled.weights(through: found.posterior), model.target)
      numbers[name] = name == "many" ? ridge / 2 - risk : risk - ridge
      if name != "fewest" { numbers["factors_\(name)"] = risk }
      if name == "many" {
        errors.append((rows, model.distance(found.directions)))
        numbers["components"] =
          model.excess(of: labelled.weights(through: found.directions), model.target) - risk
      }
    }
    let tenth = max(factorCount + 1, rowCounts[0] / 10)
    let fewer = try source.directions(from: tenth, &generator, in: run)
    errors.append((tenth, model.distance(fewer.directions)))
    numbers["slope"] =
      log(errors[0].error / errors[1].error) / log(Double(errors[0].rows) / Double(errors[1].rows))

    // One factor so weak that likelihood hardly sees it.
    let weak = try FactorModel(dimension, factorCount, weakest: 0.2, &generator, in: run)
    let weakRows = weak.answered(answerCount, noise: noise, &generator)
    let seen = try weak.directions(from: rowCounts[0], &generator, in: run)
    numbers["weak"] =
      weak.excess(of: weakRows.weights(through: seen.posterior), weak.target)
      - (try weakRows.bestRidge(weak.target, weak)) / 2

    // Answers that no factor tells of.
    let hidden = model.answered(answerCount, noise: noise, &generator, byNoise: true)
    let known = try source.directions(from: rowCounts[0], &generator, in: run)
    let target = model.noiseTarget
    numbers["noise_driven"] =
      model.excess(of: hidden.weights(through: known.posterior), target)
      - (try hidden.bestRidge(target, model))
    return numbers
  }
}

/// Rows of some factors and unit noise, and what of an answer they can tell.
struct FactorModel: Sendable {
  let dimension: Int
  /// B, `d × r`, row after row.
  let loadings: [Double]
  let factorCount: Int
  /// β, of unit length.
  let beta: [Double]
  /// Weights of the noise in an answer that hangs on it, of unit length.
  let gamma: [Double]
  /// Orthonormal directions of B, `r` rows of `d`.
  let axes: [[Double]]
  private let lengths: [Double]

  /// - Parameter weakest: length of the last factor's loading; of the others, 1.
  init(
    _ dimension: Int, _ factorCount: Int, weakest: Double, _ generator: inout RandomGenerator,
    in run: RunContext
  ) throws(BasisError) {
    self.dimension = dimension
    self.factorCount = factorCount
    func direction(_ generator: inout RandomGenerator, _ count: Int) -> [Double] {
      (0..<count).map { _ in generator.nextGaussian() }
    }
    func unit(_ x: [Double]) -> [Double] {
      let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return x.map { $0 / length }
    }
    var axes: [[Double]] = []
    for _ in 0..<factorCount {
      var axis = direction(&generator, dimension)
      for other in axes {
        let along = zip(axis, other).reduce(0) { $0 + $1.0 * $1.1 }
        for index in axis.indices { axis[index] -= along * other[index] }
      }
      axes.append(unit(axis))
    }
    let lengths = (0..<factorCount).map { $0 == factorCount - 1 ? weakest : 1 }
    self.axes = axes
    self.lengths = lengths
    loadings = (0..<dimension * factorCount).map { place in
      let factor = place % factorCount
      return axes[factor][place / factorCount] * lengths[factor]
    }
    beta = unit(direction(&generator, factorCount))
    gamma = unit(direction(&generator, dimension))
  }

  /// The weights of E[*y*|*x*] for answers by factors: B (I + BᵀB)⁻¹ β, as B's columns are orthogonal.
  var target: [Double] {
    (0..<dimension).map { row in
      (0..<factorCount).reduce(0.0) { sum, factor in
        let length = lengths[factor]
        return sum + axes[factor][row] * length / (1 + length * length) * beta[factor]
      }
    }
  }

  /// The weights of E[*y*|*x*] for answers by the noise: (BBᵀ + I)⁻¹ γ.
  var noiseTarget: [Double] {
    var result = gamma
    for factor in 0..<factorCount {
      let square = lengths[factor] * lengths[factor]
      let along = zip(axes[factor], gamma).reduce(0) { $0 + $1.0 * $1.1 }
      for row in result.indices {
        result[row] -= axes[factor][row] * along * square / (1 + square)
      }
    }
    return result
  }

  /// (*w* − *w*\*)ᵀ (BBᵀ + I) (*w* − *w*\*): what weights lose on fresh rows.
  func excess(of weights: [Double], _ best: [Double]) -> Double {
    let difference = zip(weights, best).map { $0 - $1 }
    var sum = difference.reduce(0) { $0 + $1 * $1 }
    for factor in 0..<factorCount {
      let along = zip(axes[factor], difference).reduce(0) { $0 + $1.0 * $1.1 }
      sum += along * along * lengths[factor] * lengths[factor]
    }
    return sum
  }

  /// How far directions are from B's: the root of the squared sines of their angles, summed.
  func distance(_ directions: [[Double]]) -> Double {
    var within = 0.0
    for axis in axes {
      for direction in directions {
        let along = zip(axis, direction).reduce(0) { $0 + $1.0 * $1.1 }
        within += along * along
      }
    }
    return max(1e-12, Double(factorCount) - within).squareRoot()
  }

  private func row(_ z: [Double], _ noise: [Double]) -> [Double] {
    (0..<dimension).map { row in
      (0..<factorCount).reduce(noise[row]) { $0 + loadings[row * factorCount + $1] * z[$1] }
    }
  }

  /// Rows with answers: by the factors, or by the noise.
  func answered(
    _ count: Int, noise: Double, _ generator: inout RandomGenerator, byNoise: Bool = false
  ) -> AnsweredRows {
    var (rows, answers): ([[Double]], [Double]) = ([], [])
    for _ in 0..<count {
      let z = (0..<factorCount).map { _ in generator.nextGaussian() }
      let mu = (0..<dimension).map { _ in generator.nextGaussian() }
      let signal = byNoise ? zip(gamma, mu) : zip(beta, z)
      answers.append(
        signal.reduce(0) { $0 + $1.0 * $1.1 } + noise.squareRoot() * generator.nextGaussian())
      rows.append(row(z, mu))
    }
    return AnsweredRows(rows: rows, answers: answers)
  }

  /// The leading directions of so many rows without answers, and the maps of E[*z*|*x*] that the
  /// likelihood's maximum has: (λ − 1)₊^½ / λ times each.
  func directions(from count: Int, _ generator: inout RandomGenerator, in run: RunContext)
    throws(BasisError) -> (directions: [[Double]], posterior: [[Double]])
  {
    let rows = Matrix(rowCount: count, columnCount: dimension) { out in
      for place in 0..<count {
        let z = (0..<factorCount).map { _ in generator.nextGaussian() }
        for column in 0..<dimension {
          var value = generator.nextGaussian()
          for factor in 0..<factorCount {
            value += loadings[column * factorCount + factor] * z[factor]
          }
          out[place * dimension + column] = Float(value)
        }
      }
    }
    let moments = try LinearAlgebra.product(rows, rows, transposingA: true, in: run)
    let eigen = try LinearAlgebra.symmetricEigen(moments)
    let order = eigen.values.indices.sorted { eigen.values[$0] > eigen.values[$1] }
    var (directions, posterior): ([[Double]], [[Double]]) = ([], [])
    for place in order.prefix(factorCount) {
      let direction = (0..<dimension).map { Double(eigen.vectors[$0, place]) }
      let value = Double(eigen.values[place]) / Double(count)
      let scale = max(0, value - 1).squareRoot() / value
      directions.append(direction)
      posterior.append(direction.map { $0 * scale })
    }
    return (directions, posterior)
  }
}

/// Few rows with answers, and what regression makes of them.
struct AnsweredRows: Sendable {
  let rows: [[Double]]
  let answers: [Double]

  /// Least squares on what some maps make of the rows, as weights of the rows themselves.
  func weights(through maps: [[Double]]) -> [Double] {
    let features = rows.map { row in
      maps.map { zip($0, row).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    // Enough to keep a map of zeros harmless.
    let head = Self.ridge(features, answers, penalty: 1e-9)
    return (0..<(rows.first?.count ?? 0)).map { column in
      zip(head, maps).reduce(0) { $0 + $1.0 * $1.1[column] }
    }
  }

  /// The least excess risk of ridge regression over penalties 10⁻² to 10⁵.
  func bestRidge(_ target: [Double], _ model: FactorModel) throws(BasisError) -> Double {
    // By way of the rows' products, of which there are fewer than columns.
    var least = Double.infinity
    for step in 0..<29 {
      let penalty = pow(10, -2 + Double(step) / 4)
      let n = rows.count
      var gram = [Double](repeating: 0, count: n * n)
      for i in 0..<n {
        for j in 0...i { gram[i * n + j] = zip(rows[i], rows[j]).reduce(0) { $0 + $1.0 * $1.1 } }
        gram[i * n + i] += penalty
      }
      let dual = solvePositiveDefinite(gram, answers)
      let weights = (0..<model.dimension).map { column in
        (0..<n).reduce(0.0) { $0 + dual[$1] * rows[$1][column] }
      }
      least = min(least, model.excess(of: weights, target))
    }
    return least
  }

  private static func ridge(_ rows: [[Double]], _ answers: [Double], penalty: Double) -> [Double] {
    let d = rows.first?.count ?? 0
    var gram = [Double](repeating: 0, count: d * d)
    var right = [Double](repeating: 0, count: d)
    for (row, answer) in zip(rows, answers) {
      for i in 0..<d {
        right[i] += row[i] * answer
        for j in 0...i { gram[i * d + j] += row[i] * row[j] }
      }
    }
    let scale = (0..<d).map { gram[$0 * d + $0] }.max() ?? 0
    for i in 0..<d { gram[i * d + i] += penalty * max(scale, 1e-12) }
    return solvePositiveDefinite(gram, right)
  }
}
