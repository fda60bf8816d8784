import BasisCore

/// The normal distribution of mean 0 and variance 1.
public enum StandardNormal {
  /// The probability of a value below `z`, to a few ulps in either tail.
  public static func cumulative(_ z: Double) -> Double {
    complementaryErrorFunction(-z * 0.5.squareRoot()) / 2
  }

  /// The value that the share `probability` lies below: −∞ at 0, +∞ at 1, NaN outside.
  ///
  /// To a few ulps of the result, or of `probability` where that is close to 1/2 or 1. A rational
  /// start (Abramowitz & Stegun 26.2.23) and Halley's steps on ``cumulative(_:)``.
  public static func quantile(_ probability: Double) -> Double {
    guard probability >= 0 && probability <= 1 else { return .nan }
    // The lower tail keeps its relative precision; the upper one is its mirror.
    if probability > 0.5 { return -quantile(1 - probability) }
    if probability == 0 { return -.infinity }
    if probability == 0.5 { return 0 }
    let t = (-2 * logarithm(probability)).squareRoot()
    var z =
      (2.515517 + t * (0.802853 + t * 0.010328))
      / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
    // The start is off by 4.5 · 10⁻⁴ at most, and a step cubes that.
    for _ in 0..<2 {
      let density = exponential(-z * z / 2) / (2 * Double.pi).squareRoot()
      let step = (cumulative(z) - probability) / density
      z -= step / (1 + z * step / 2)
    }
    return z
  }
}
