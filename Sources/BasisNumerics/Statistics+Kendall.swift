extension Statistics {
  /// Kendall's rank correlation τ_b, −1 to 1: pairs in the same order less pairs in the other, over
  /// pairs that are not tied. NaN for fewer than two values, or where one side does not vary.
  ///
  /// Kendall, *The treatment of ties in ranking problems*, Biometrika 33 (1945),
  /// doi:10.1093/biomet/33.3.239.
  ///
  /// - Precondition: equal counts.
  /// - Complexity: O(*n*²).
  public static func kendallCorrelation(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count, "\(x.count) and \(y.count) values")
    var (balance, left, right) = (0, 0, 0)
    for i in x.indices {
      for j in 0..<i {
        let a = x[i] < x[j] ? -1 : x[i] > x[j] ? 1 : 0
        let b = y[i] < y[j] ? -1 : y[i] > y[j] ? 1 : 0
        balance += a * b
        left += a * a
        right += b * b
      }
    }
    guard left > 0, right > 0 else { return .nan }
    return Double(balance) / (Double(left) * Double(right)).squareRoot()
  }
}
