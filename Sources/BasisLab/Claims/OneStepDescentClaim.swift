public import BasisCore
import BasisNumerics

/// One layer of linear attention that learns regression from examples in its prompt learns a single
/// step of gradient descent, with the step that a closed form gives.
///
/// A prompt is *n* rows *x*ᵢ with *y*ᵢ = *w* · *x*ᵢ + noise and a further row to answer for. All that the
/// layer can do is ŷ(*x*) = *x*ᵀ G Xᵀ*y*; the best G is η I with η = 1 / (*n* + *d* + 1 + σ²), and η Σ⁻¹
/// where *x* has covariance Σ and *w* its inverse.
public struct OneStepDescentClaim: Claim {
  public static let statement = ClaimStatement(
    id: 194,
    title:
      "the best layer of linear attention takes one step of gradient descent, preconditioned where "
      + "the rows are, and training finds it",
    paper:
      "the layer that minimises the loss takes one step of gradient descent on the prompt's least "
      + "squares, with covariates of unit covariance (theorem 1), preconditioned for other "
      + "covariances (theorem 2), and with targets that are not linear (theorem 3); here with the step "
      + "in closed form",
    baseline: "ridge regression on the prompt, which is the best of all predictors; answering zero",
    data: "made prompts: 20 rows of 5 values, noise of variance 0.25", seedCount: 5,
    breaking: "`forgetsDimension`: the step is held to be 1 / n")

  /// *d*, at least 1.
  public var dimension = 5
  /// *n*, at least 1.
  public var rowCount = 20
  /// σ², at least 0.
  public var noise = 0.25
  /// Prompts of the closed forms' checks.
  public var promptCount = 100_000
  public var stepCount = 2_000
  public var batchSize = 256
  /// Whether the step that is compared with leaves dimension and noise out.
  public var forgetsDimension = false

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.promptCount, claim.stepCount, claim.batchSize) = (2_000, 30, 32)
    return claim
  }

  public var broken: OneStepDescentClaim {
    var copy = self
    copy.forgetsDimension = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "step", "mean diagonal of the best G, over η", reported: 1, .within(0.99...1.01)),
      .init("off_diagonal", "the largest value beside it, over η", reported: 0, .below(0.02)),
      .init("trained_cosine", "cosine of the trained G and I", reported: 1, .above(0.99)),
      .init("trained_step", "mean diagonal of the trained G, over η", .within(0.95...1.05)),
      .init("excess", "loss of the trained layer above that of η I, as a share", .below(0.01)),
      .init(
        "preconditioned", "distance of the best G from c Σ⁻¹ for unequal variances, as a share",
        .below(0.05)),
      .init("unequal_cosine", "cosine of that G and I", .below(0.9)),
      .init("curved_cosine", "cosine of the best G and I for rectified teachers", .above(0.98)),
      .init("above_ridge", "one step's loss less ridge's", .above(0)),
      .init("below_zero", "loss of answering zero less one step's", .above(0)),
    ]
  }

  /// 1 / (*n* + *d* + 1 + σ²).
  private var eta: Double {
    let n = Double(rowCount)
    return forgetsDimension ? 1 / n : 1 / (n + Double(dimension) + 1 + noise)
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard dimension >= 1, rowCount >= 1, noise >= 0, noise.isFinite, promptCount >= 100,
      stepCount >= 1, batchSize >= 1
    else {
      throw BasisError(
        .invalidArgument,
        "claim 194: dimension \(dimension), rows \(rowCount), steps \(stepCount) and batch "
          + "\(batchSize) are at least 1, noise \(noise) at least 0, prompts \(promptCount) at least "
          + "100")
    }
    let prompts = PromptMaker(dimension: dimension, rowCount: rowCount, noise: noise)
    var numbers: [String: Double] = [:]
    let equal = try best(prompts, in: run, "equal variances")
    let diagonal = (0..<dimension).map { equal[$0 * dimension + $0] }
    numbers["step"] = Statistics.mean(diagonal) / eta
    numbers["off_diagonal"] =
      (0..<equal.count).filter { $0 % (dimension + 1) != 0 }.map { abs(equal[$0]) / eta }.max() ?? 0

    var unequal = prompts
    let variances = (0..<dimension).map { [4.0, 1, 1, 0.25, 0.25][$0 % 5] }
    unequal.deviations = variances.map { $0.squareRoot() }
    let slanted = try best(unequal, in: run, "unequal variances")
    var inverse = [Double](repeating: 0, count: equal.count)
    for axis in 0..<dimension { inverse[axis * dimension + axis] = 1 / variances[axis] }
    let cosine = Self.cosine(slanted, inverse)
    // Against the multiple of Σ⁻¹ that is nearest.
    numbers["preconditioned"] = max(0, 1 - cosine * cosine).squareRoot()
    numbers["unequal_cosine"] = Self.cosine(slanted, identity)

    var curved = prompts
    curved.hiddenCount = 16
    numbers["curved_cosine"] = Self.cosine(try best(curved, in: run, "teachers"), identity)

    let trained = try LinearAttention.trained(
      prompts, stepCount: stepCount, batchSize: batchSize, in: run)
    numbers["trained_cosine"] = Self.cosine(trained, identity)
    let trace = (0..<dimension).reduce(0.0) { $0 + trained[$1 * dimension + $1] }
    numbers["trained_step"] = trace / Double(dimension) / eta
    for (name, value) in try losses(prompts, trained, in: run) { numbers[name] = value }
    return numbers
  }

  private var identity: [Double] {
    (0..<dimension * dimension).map { $0 % (dimension + 1) == 0 ? 1 : 0 }
  }

  private static func cosine(_ a: [Double], _ b: [Double]) -> Double {
    func product(_ x: [Double], _ y: [Double]) -> Double {
      zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
  }

  /// The G of least loss, by the normal equations of *y* in the products of *x* and Xᵀ*y*.
  private func best(_ prompts: PromptMaker, in run: RunContext, _ name: String)
    throws(BasisError) -> [Double]
  {
    let d = dimension
    let side = d * d
    var gram = [Double](repeating: 0, count: side * side)
    var right = [Double](repeating: 0, count: side)
    var generator = run.generator(name)
    var features = right
    for number in 0..<promptCount {
      if number % 1024 == 0 { try run.checkCancelled() }
      let prompt = prompts.prompt(&generator)
      for i in 0..<d {
        for j in 0..<d { features[i * d + j] = prompt.query[i] * prompt.moments[j] }
      }
      for i in 0..<side {
        right[i] += features[i] * prompt.answer
        for j in 0...i { gram[i * side + j] += features[i] * features[j] }
      }
    }
    return solvePositiveDefinite(gram, right)
  }

  /// Mean squared errors on further prompts: of the trained layer, of η I, of ridge and of zero.
  private func losses(_ prompts: PromptMaker, _ trained: [Double], in run: RunContext)
    throws(BasisError) -> [String: Double]
  {
    let d = dimension
    var generator = run.generator("asked prompts")
    var (ours, closed, ridge, zero) = (0.0, 0.0, 0.0, 0.0)
    let count = max(1, promptCount / 5)
    for number in 0..<count {
      if number % 1024 == 0 { try run.checkCancelled() }
      let prompt = prompts.prompt(&generator)
      var (mine, step) = (0.0, 0.0)
      for i in 0..<d {
        step += eta * prompt.query[i] * prompt.moments[i]
        for j in 0..<d { mine += prompt.query[i] * trained[i * d + j] * prompt.moments[j] }
      }
      var gram = prompt.gram
      for i in 0..<d { gram[i * d + i] += max(noise, 1e-9) }
      let weights = solvePositiveDefinite(gram, prompt.moments)
      let best = zip(weights, prompt.query).reduce(0) { $0 + $1.0 * $1.1 }
      func square(_ value: Double) -> Double { (value - prompt.answer) * (value - prompt.answer) }
      ours += square(mine)
      closed += square(step)
      ridge += square(best)
      zero += square(0)
    }
    let scale = 1 / Double(count)
    return [
      "excess": ours / closed - 1, "above_ridge": (closed - ridge) * scale,
      "below_zero": (zero - closed) * scale,
    ]
  }
}

/// Makes prompts of regression, and what a linear predictor may see of each.
struct PromptMaker: Sendable {
  /// What is asked: a row, its answer, and of the examples Xᵀ*y*, XᵀX and *y*ᵀ*y*.
  struct Prompt {
    var query: [Double]
    var answer: Double
    var moments: [Double]
    /// `d × d`, row after row.
    var gram: [Double]
    var square: Double
  }

  var dimension: Int
  var rowCount: Int
  var noise: Double
  /// Of the values of a row; a linear teacher's weights have the inverse ones. Empty for 1.
  var deviations: [Double] = []
  /// Rectified units of a teacher; 0 for a linear one.
  var hiddenCount = 0

  func prompt(_ generator: inout RandomGenerator) -> Prompt {
    let d = dimension
    var teacher = [Double](repeating: 0, count: hiddenCount > 0 ? hiddenCount * (d + 1) : d)
    for index in teacher.indices { teacher[index] = generator.nextGaussian() }
    if hiddenCount == 0, !deviations.isEmpty {
      for axis in 0..<d { teacher[axis] /= deviations[axis] }
    }
    var moments = [Double](repeating: 0, count: d)
    var gram = [Double](repeating: 0, count: d * d)
    var x = moments
    var square = 0.0
    let spread = noise.squareRoot()
    for _ in 0..<rowCount {
      draw(&x, &generator)
      let y = target(x, teacher) + spread * generator.nextGaussian()
      square += y * y
      for i in 0..<d {
        moments[i] += x[i] * y
        for j in 0..<d { gram[i * d + j] += x[i] * x[j] }
      }
    }
    draw(&x, &generator)
    let answer = target(x, teacher) + spread * generator.nextGaussian()
    return Prompt(query: x, answer: answer, moments: moments, gram: gram, square: square)
  }

  private func draw(_ x: inout [Double], _ generator: inout RandomGenerator) {
    for axis in x.indices {
      x[axis] = generator.nextGaussian() * (deviations.isEmpty ? 1 : deviations[axis])
    }
  }

  private func target(_ x: [Double], _ teacher: [Double]) -> Double {
    let d = x.count
    var sum = 0.0
    guard hiddenCount > 0 else {
      for axis in 0..<d { sum += teacher[axis] * x[axis] }
      return sum
    }
    for unit in stride(from: 0, to: teacher.count, by: d + 1) {
      var value = 0.0
      for axis in 0..<d { value += teacher[unit + axis] * x[axis] }
      sum += teacher[unit + d] * max(0, value)
    }
    return sum / Double(hiddenCount).squareRoot()
  }
}

/// One layer of attention without a softmax: ŷ = Σᵢ (*p* · *v*ᵢ)(*v*ᵢᵀ A *v*), with *v*ᵢ = (*x*ᵢ, *y*ᵢ) and the
/// asked row with a 0 for its answer.
enum LinearAttention {
  /// Trains *p* and A by Adam on fresh prompts.
  ///
  /// - Returns: the G of ŷ = *x*ᵀ G Xᵀ*y* that the weights amount to, `d × d`: what else they do with
  ///   XᵀX and *y*ᵀ*y* shows in the loss.
  static func trained(
    _ prompts: PromptMaker, stepCount: Int, batchSize: Int, in run: RunContext
  ) throws(BasisError) -> [Double] {
    let d = prompts.dimension
    let side = d + 1
    var generator = run.generator("linear attention")
    // p, then A: side × d, for the asked row's last value is 0.
    var weights = (0..<side + side * d).map { _ in 0.05 * generator.nextGaussian() }
    // Moments of n rows are n times those of one.
    let scale = 1 / Double(prompts.rowCount)
    var (first, second) = (weights.map { _ in 0.0 }, weights.map { _ in 0.0 })
    for step in 1...stepCount {
      try run.checkCancelled()
      var slopes = [Double](repeating: 0, count: weights.count)
      for _ in 0..<batchSize {
        let prompt = prompts.prompt(&generator)
        add(prompt, weights, scale, Double(batchSize), to: &slopes)
      }
      // The rate falls to zero over the last half, so that the noise of single batches averages out.
      let rate = 0.01 * min(1, 2 * (1 - Double(step - 1) / Double(stepCount)))
      let correction =
        (1 - power(0.999, Double(step))).squareRoot() / (1 - power(0.9, Double(step)))
      for index in weights.indices {
        first[index] += 0.1 * (slopes[index] - first[index])
        second[index] += 0.001 * (slopes[index] * slopes[index] - second[index])
        weights[index] -= rate * correction * first[index] / (second[index].squareRoot() + 1e-8)
      }
    }
    var effective = [Double](repeating: 0, count: d * d)
    for i in 0..<d {
      for j in 0..<d {
        // (Xᵀy)ⱼ meets the asked row's xᵢ by way of p's last weight, and of A's last row.
        let direct = weights[d] * weights[side + j * d + i]
        effective[i * d + j] = scale * (direct + weights[j] * weights[side + d * d + i])
      }
    }
    return effective
  }

  /// The slope of one prompt's squared error, halved, over the size of the batch.
  private static func add(
    _ prompt: PromptMaker.Prompt, _ weights: [Double], _ scale: Double, _ count: Double,
    to slopes: inout [Double]
  ) {
    let d = prompt.query.count
    let side = d + 1
    // M = Σ v vᵀ, its last row and column Xᵀy and yᵀy.
    func moment(_ i: Int, _ j: Int) -> Double {
      if i < d && j < d { return prompt.gram[i * d + j] }
      if i < d { return prompt.moments[i] }
      return j < d ? prompt.moments[j] : prompt.square
    }
    var asked = [Double](repeating: 0, count: side)
    for row in 0..<side {
      for column in 0..<d { asked[row] += weights[side + row * d + column] * prompt.query[column] }
    }
    var (left, right) = (asked.map { _ in 0.0 }, asked.map { _ in 0.0 })
    for i in 0..<side {
      for j in 0..<side {
        let value = scale * moment(i, j)
        left[i] += value * asked[j]
        right[j] += value * weights[i]
      }
    }
    let answer = (0..<side).reduce(0.0) { $0 + weights[$1] * left[$1] }
    let error = (answer - prompt.answer) / count
    for row in 0..<side {
      slopes[row] += error * left[row]
      for column in 0..<d {
        slopes[side + row * d + column] += error * right[row] * prompt.query[column]
      }
    }
  }
}
