import BasisCore

/// Student's *t* distribution: how a mean over its estimated error is spread.
public struct StudentDistribution: Sendable, Hashable {
  /// Larger than 0.
  public let degreesOfFreedom: Double

  /// - Precondition: `degreesOfFreedom` is finite and larger than 0.
  public init(degreesOfFreedom: Double) {
    precondition(
      degreesOfFreedom > 0 && degreesOfFreedom.isFinite, "\(degreesOfFreedom) degrees of freedom")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// The probability of a value at least as far from 0 as `t`, on both sides: 1 at 0, falling to 0
  /// at infinity; NaN for NaN.
  ///
  /// Correct to ten digits, also where it is tiny; to eight at a million degrees of freedom.
  public func twoSidedTail(_ t: Double) -> Double {
    if t.isNaN { return .nan }
    if t.isInfinite { return 0 }
    let square = t * t
    let ratio = degreesOfFreedom / (degreesOfFreedom + square)
    // Formed on its own, for 1 − ratio has lost its digits near 0.
    let complement = square / (degreesOfFreedom + square)
    return regularizedIncompleteBeta(
      ratio, complement: complement, a: degreesOfFreedom / 2, b: 0.5)
  }

  /// The probability of a value of at most `t`.
  public func cumulative(_ t: Double) -> Double {
    let tail = twoSidedTail(t) / 2
    return t > 0 ? 1 - tail : tail
  }
}

/// *I*ₓ(*a*, *b*), in `0 ... 1`, with both *x* and 1 − *x* given.
///
/// By the continued fraction of NIST's Digital Library of Mathematical Functions, 8.17.22, on the
/// side of the mean where it converges fast, evaluated by Lentz's method.
func regularizedIncompleteBeta(_ x: Double, complement: Double, a: Double, b: Double) -> Double {
  if x <= 0 { return 0 }
  if complement <= 0 { return 1 }
  if x > (a + 1) / (a + b + 2) {
    return 1 - regularizedIncompleteBeta(complement, complement: x, a: b, b: a)
  }
  let front = exponential(
    a * logarithm(x) + b * logarithm(complement) + logGamma(a + b) - logGamma(a) - logGamma(b))
  // What a step may not divide by.
  let tiny = 1e-300
  var c = 1.0
  var d = 1 - (a + b) * x / (a + 1)
  d = 1 / (abs(d) < tiny ? tiny : d)
  var fraction = d
  for step in 1...10_000 {
    let m = Double(step)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    for term in [even, odd] {
      d = 1 + term * d
      d = 1 / (abs(d) < tiny ? tiny : d)
      c = 1 + term / c
      if abs(c) < tiny { c = tiny }
      fraction *= c * d
    }
    if abs(c * d - 1) < 1e-15 { break }
  }
  return min(1, front * fraction / a)
}

/// ln Γ(*x*) for *x* > 0, by Stirling's series (DLMF 5.11.1), which is correct to a double's last
/// digits from 10 on; below, by Γ(*x* + 1) = *x* Γ(*x*).
func logGamma(_ x: Double) -> Double {
  var x = x
  var product = 1.0
  while x < 10 {
    product *= x
    x += 1
  }
  let inverse = 1 / (x * x)
  let coefficients = [
    1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360_360, 1.0 / 156,
  ]
  let series = coefficients.reversed().reduce(0) { $0 * inverse + $1 } / x
  return (x - 0.5) * logarithm(x) - x + 0.5 * logarithm(2 * .pi) + series - logarithm(product)
}
