extension StudentDistribution {
  /// The value that a share `confidence` of all values lies within, on both sides of 0: what an
  /// interval of a mean is so many standard errors wide to each side.
  ///
  /// - Parameter confidence: `0 ..< 1`; correct to twelve digits.
  /// - Precondition: `confidence` is in `0 ..< 1`.
  public func criticalValue(confidence: Double) -> Double {
    precondition(confidence >= 0 && confidence < 1, "a confidence of \(confidence)")
    let tail = 1 - confidence
    var (low, high) = (0.0, 1.0)
    while twoSidedTail(high) > tail, high < 0x1p1000 { (low, high) = (high, 2 * high) }
    // The tail falls everywhere, so halving finds the place to the last bit that doubles tell apart.
    for _ in 0..<80 {
      let middle = low + (high - low) / 2
      if twoSidedTail(middle) > tail { low = middle } else { high = middle }
    }
    return high
  }
}
