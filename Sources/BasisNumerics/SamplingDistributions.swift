import BasisCore

/// The distribution of a sum of squared standard normal values: what test statistics of counts follow.
public struct ChiSquareDistribution: Sendable, Hashable {
  /// Larger than 0.
  public let degreesOfFreedom: Double

  /// - Precondition: `degreesOfFreedom` is finite and larger than 0.
  public init(degreesOfFreedom: Double) {
    precondition(
      degreesOfFreedom > 0 && degreesOfFreedom.isFinite, "\(degreesOfFreedom) degrees of freedom")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// The probability of a value of at least `x`: 1 up to 0, falling to 0 at infinity; NaN for NaN.
  ///
  /// Correct to ten digits, also where it is tiny.
  public func upperTail(_ x: Double) -> Double {
    regularizedUpperGamma(degreesOfFreedom / 2, x / 2)
  }

  /// The probability of a value below `x`.
  public func cumulative(_ x: Double) -> Double { 1 - upperTail(x) }
}

/// Fisher's *F*: the ratio of two mean squares.
public struct FisherDistribution: Sendable, Hashable {
  /// Degrees of freedom of the mean square above; larger than 0.
  public let numerator: Double
  /// Of the one below; larger than 0.
  public let denominator: Double

  /// - Precondition: both are finite and larger than 0.
  public init(numerator: Double, denominator: Double) {
    precondition(
      numerator > 0 && denominator > 0 && numerator.isFinite && denominator.isFinite,
      "\(numerator) and \(denominator) degrees of freedom")
    self.numerator = numerator
    self.denominator = denominator
  }

  /// The probability of a ratio of at least `f`: 1 up to 0, falling to 0 at infinity; NaN for NaN.
  ///
  /// Correct to ten digits, also where it is tiny.
  public func upperTail(_ f: Double) -> Double {
    if f.isNaN { return .nan }
    if f <= 0 { return 1 }
    if f.isInfinite { return 0 }
    let whole = denominator + numerator * f
    return regularizedIncompleteBeta(
      denominator / whole, complement: numerator * f / whole, a: denominator / 2, b: numerator / 2)
  }

  /// The probability of a ratio below `f`.
  public func cumulative(_ f: Double) -> Double { 1 - upperTail(f) }
}

/// The beta distribution, of shares between 0 and 1.
public struct BetaDistribution: Sendable, Hashable {
  /// Larger than 0.
  public let a: Double
  /// Larger than 0.
  public let b: Double

  /// - Precondition: both are finite and larger than 0.
  public init(a: Double, b: Double) {
    precondition(a > 0 && b > 0 && a.isFinite && b.isFinite, "beta(\(a), \(b))")
    self.a = a
    self.b = b
  }

  /// The probability of a share of at most `x`; NaN for NaN.
  public func cumulative(_ x: Double) -> Double {
    x.isNaN ? .nan : regularizedIncompleteBeta(x, complement: 1 - x, a: a, b: b)
  }

  /// The share that a value lies below with this probability: 0 at 0, 1 at 1, NaN outside.
  ///
  /// By halving: correct to the precision of ``cumulative(_:)``.
  ///
  /// - Complexity: 100 evaluations, each O(√(a + b)).
  public func quantile(_ probability: Double) -> Double {
    guard probability >= 0 && probability <= 1 else { return .nan }
    if probability == 0 { return 0 }
    if probability == 1 { return 1 }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<100 {
      let middle = low + (high - low) / 2
      if middle == low || middle == high { break }
      if cumulative(middle) < probability { low = middle } else { high = middle }
    }
    return low + (high - low) / 2
  }
}

/// How far apart the largest and the smallest of some standard normal values lie, with their variance
/// known: what Nemenyi's test compares mean ranks by.
///
/// Tukey's studentised range with infinite degrees of freedom.
public struct NormalRangeDistribution: Sendable, Hashable {
  /// How many values, at least 2.
  public let count: Int

  /// - Precondition: `count` is at least 2.
  public init(count: Int) {
    precondition(count >= 2, "the range of \(count) values")
    self.count = count
  }

  /// The probability of a range of at least `q`: 1 up to 0; NaN for NaN. Correct to 10⁻¹¹.
  public func upperTail(_ q: Double) -> Double {
    if q.isNaN { return .nan }
    if q <= 0 { return 1 }
    if q.isInfinite { return 0 }
    // k ∫ φ(z) (Φ(z) − Φ(z − q))ᵏ⁻¹ dz with z the largest; the trapezium rule is exact to rounding
    // for what is smooth and falls as a normal density does.
    let width = 1.0 / 32
    var sum = 0.0
    for step in -320...320 {
      let z = Double(step) * width
      let density = exponential(-z * z / 2)
      let share = StandardNormal.cumulative(z) - StandardNormal.cumulative(z - q)
      sum += density * power(max(0, share), Double(count - 1))
    }
    let inside = Double(count) * sum * width / (2 * Double.pi).squareRoot()
    return max(0, min(1, 1 - inside))
  }

  /// The range that is exceeded with this probability, between 0 and 1, both left out.
  public func criticalValue(_ probability: Double) -> Double {
    precondition(probability > 0 && probability < 1, "a probability of \(probability)")
    var (low, high) = (0.0, 1.0)
    while upperTail(high) > probability, high < 64 { (low, high) = (high, 2 * high) }
    for _ in 0..<60 {
      let middle = low + (high - low) / 2
      if upperTail(middle) > probability { low = middle } else { high = middle }
    }
    return high
  }
}

/// *Q*(*a*, *x*) = Γ(*a*, *x*) / Γ(*a*), in `0 ... 1`.
///
/// Below *a* + 1 by the series of NIST's Digital Library of Mathematical Functions, 8.7.1, above by the
/// continued fraction 8.9.2 with Lentz's method.
func regularizedUpperGamma(_ a: Double, _ x: Double) -> Double {
  if x.isNaN { return .nan }
  if x <= 0 { return 1 }
  if x.isInfinite { return 0 }
  let front = exponential(a * logarithm(x) - x - logGamma(a))
  if x < a + 1 {
    var term = 1 / a
    var sum = term
    for step in 1...100_000 {
      term *= x / (a + Double(step))
      sum += term
      if term < sum * 1e-17 { break }
    }
    return max(0, 1 - front * sum)
  }
  let tiny = 1e-300
  var b = x + 1 - a
  var c = 1 / tiny
  var d = 1 / b
  var fraction = d
  for step in 1...100_000 {
    let term = -Double(step) * (Double(step) - a)
    b += 2
    d = term * d + b
    d = 1 / (abs(d) < tiny ? tiny : d)
    c = b + term / c
    if abs(c) < tiny { c = tiny }
    fraction *= c * d
    if abs(c * d - 1) < 1e-15 { break }
  }
  return min(1, front * fraction)
}
