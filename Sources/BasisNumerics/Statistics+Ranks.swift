extension Statistics {
  /// The place of each value among all, from 1; equal values share the mean of their places.
  ///
  /// - Returns: as many as values; NaN for all if one value is NaN.
  /// - Complexity: O(*n* log *n*).
  public static func ranks(_ values: [Double]) -> [Double] {
    guard !values.contains(where: \.isNaN) else { return values.map { _ in .nan } }
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
      for place in first...last { ranks[order[place]] = Double(first + last) / 2 + 1 }
      first = last + 1
    }
    return ranks
  }

  /// Pearson's correlation, −1 to 1; NaN for fewer than two values, or where one side does not vary.
  ///
  /// - Precondition: equal counts.
  /// - Complexity: O(*n*).
  public static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count, "\(x.count) and \(y.count) values")
    let (meanX, meanY) = (mean(x), mean(y))
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xx += (a - meanX) * (a - meanX)
      yy += (b - meanY) * (b - meanY)
      xy += (a - meanX) * (b - meanY)
    }
    guard x.count > 1, xx > 0, yy > 0 else { return .nan }
    return max(-1, min(1, xy / (xx.squareRoot() * yy.squareRoot())))
  }

  /// Spearman's rank correlation, −1 to 1: whether two values rise together, however far. NaN for fewer
  /// than two values, or where one side does not vary.
  ///
  /// Spearman, *The proof and measurement of association between two things*, American Journal of
  /// Psychology 15 (1904), doi:10.2307/1412159; ties as in ``ranks(_:)``.
  ///
  /// - Precondition: equal counts.
  /// - Complexity: O(*n* log *n*).
  public static func rankCorrelation(_ x: [Double], _ y: [Double]) -> Double {
    correlation(ranks(x), ranks(y))
  }
}
