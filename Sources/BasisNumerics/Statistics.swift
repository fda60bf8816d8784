public import BasisCore

/// Summaries of samples, in `Double`.
public enum Statistics {
  /// The arithmetic mean; NaN for no values.
  ///
  /// - Complexity: O(*n*).
  public static func mean(_ values: some Collection<Double>) -> Double {
    Moments(values).mean
  }

  /// Σ (x − x̄)² / (n − 1); NaN for fewer than two values.
  ///
  /// - Complexity: O(*n*).
  public static func variance(_ values: some Collection<Double>) -> Double {
    Moments(values).variance
  }

  /// The value that the share `probability` of the sample lies below; NaN for no values.
  ///
  /// Linear between the order statistics, at place (*n* − 1) · `probability`: type 7 of Hyndman &
  /// Fan, *Sample quantiles in statistical packages*, The American Statistician 50 (1996),
  /// doi:10.1080/00031305.1996.10473566; what numpy and R do by default.
  ///
  /// - Precondition: `probability` is in `0 ... 1`.
  /// - Complexity: O(*n* log *n*).
  public static func quantile(_ values: some Collection<Double>, _ probability: Double) -> Double {
    quantiles(values, [probability])[0]
  }

  /// ``quantile(_:_:)`` for several probabilities, with one sort. NaN for all if one value is NaN.
  public static func quantiles(
    _ values: some Collection<Double>, _ probabilities: [Double]
  ) -> [Double] {
    // Of a type that the compiler knows: sorting what it does not takes ten times as long.
    var sorted = Array(values)
    if sorted.contains(where: \.isNaN) { return probabilities.map { _ in .nan } }
    sorted.sort()
    return probabilities.map { quantile(ofSorted: sorted, $0) }
  }

  static func quantile(ofSorted sorted: [Double], _ probability: Double) -> Double {
    precondition(probability >= 0 && probability <= 1, "a quantile at \(probability)")
    guard let last = sorted.last else { return .nan }
    let place = Double(sorted.count - 1) * probability
    let below = Int(place)
    guard below + 1 < sorted.count else { return last }
    let (low, high) = (sorted[below], sorted[below + 1])
    let share = place - Double(below)
    // Equal infinities have no difference.
    return share == 0 || low == high ? low : low + share * (high - low)
  }
}

/// Count, mean and spread of values that come one by one, or from several chunks.
///
/// Stable where sums of squares would cancel: Welford's update, and the pairwise formula of Chan,
/// Golub & LeVeque, *Updating formulae and a pairwise algorithm for computing sample variances*,
/// COMPSTAT (1982), doi:10.1007/978-3-642-51461-6_3, equation 2.1.
public struct Moments: Hashable, Codable, Sendable {
  public private(set) var count = 0
  private var center = 0.0
  /// Σ (x − x̄)².
  public private(set) var squaredDeviations = 0.0

  public init() {}

  /// Of all values at once: the mean, their sum over their number, and then deviations from it.
  ///
  /// - Complexity: O(*n*).
  public init(_ values: some Collection<Double>) {
    let values = Array(values)
    let mean = values.reduce(0, +) / Double(values.count)
    var (rest, squares) = (0.0, 0.0)
    for value in values {
      let deviation = value - mean
      rest += deviation
      squares += deviation * deviation
    }
    self.init(count: values.count, mean: mean, rest: rest, squares: squares)
  }

  /// From a mean, the sum of deviations from it, and the sum of their squares. The first sum is
  /// what rounding has done to the mean, and corrects the second; the mean stays, so that samples
  /// of equal sums have equal means.
  init(count: Int, mean: Double, rest: Double, squares: Double) {
    guard count > 0 else { return }
    self.count = count
    center = mean
    squaredDeviations = max(0, squares - rest * rest / Double(count))
  }

  /// NaN for no values.
  public var mean: Double { count > 0 ? center : .nan }
  /// Σ (x − x̄)² / (n − 1); NaN for fewer than two values.
  public var variance: Double { count > 1 ? squaredDeviations / Double(count - 1) : .nan }
  /// Σ (x − x̄)² / n; NaN for no values.
  public var populationVariance: Double { count > 0 ? squaredDeviations / Double(count) : .nan }
  /// The square root of ``variance``.
  public var standardDeviation: Double { variance.squareRoot() }

  /// Takes in one more value.
  public mutating func add(_ value: Double) {
    count += 1
    let deviation = value - center
    center += deviation / Double(count)
    squaredDeviations += deviation * (value - center)
  }

  /// Takes in all values of another.
  public mutating func merge(_ other: Moments) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      self = other
      return
    }
    let (mine, theirs) = (Double(count), Double(other.count))
    let difference = other.center - center
    center += difference * (theirs / (mine + theirs))
    squaredDeviations +=
      other.squaredDeviations + difference * difference * (mine * theirs / (mine + theirs))
    count += other.count
  }
}

extension Statistics {
  /// The moments of every column of a matrix.
  ///
  /// Rows go by in fixed chunks, merged in their order: the same bits at any number of threads.
  ///
  /// - Returns: as many as columns.
  /// - Throws: `.cancelled`.
  /// - Complexity: O(rows · columns) time, O(columns) memory per 4096 rows.
  public static func columnMoments(
    of matrix: Matrix, in run: RunContext
  ) throws(BasisError) -> [Moments] {
    let columnCount = matrix.columnCount
    let parts = try parallelMap(matrix.rowCount, grain: 4096, in: run) {
      (_, range) throws(BasisError) in
      var means = [Double](repeating: 0, count: columnCount)
      for row in range {
        matrix.withRow(row) { values in
          for column in 0..<columnCount { means[column] += Double(values[column]) }
        }
      }
      for column in 0..<columnCount { means[column] /= Double(range.count) }
      var rest = [Double](repeating: 0, count: columnCount)
      var squares = rest
      for row in range {
        matrix.withRow(row) { values in
          for column in 0..<columnCount {
            let deviation = Double(values[column]) - means[column]
            rest[column] += deviation
            squares[column] += deviation * deviation
          }
        }
      }
      return (0..<columnCount).map {
        Moments(count: range.count, mean: means[$0], rest: rest[$0], squares: squares[$0])
      }
    }
    var whole = [Moments](repeating: Moments(), count: columnCount)
    for part in parts {
      for column in 0..<columnCount { whole[column].merge(part[column]) }
    }
    return whole
  }
}
