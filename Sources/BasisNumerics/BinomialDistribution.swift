public import BasisCore

/// How many of `count` independent trials succeed.
public struct BinomialDistribution: Sendable, Hashable {
  /// At least 0.
  public let count: Int
  /// Of one success, `0 ... 1`.
  public let probability: Double

  /// - Precondition: `count` is at least 0 and `probability` in `0 ... 1`.
  public init(count: Int, probability: Double) {
    precondition(
      count >= 0 && probability >= 0 && probability <= 1, "\(count) trials at \(probability)")
    self.count = count
    self.probability = probability
  }

  /// The probability of exactly `k` successes.
  public func mass(_ k: Int) -> Double {
    guard k >= 0 && k <= count else { return 0 }
    if probability == 0 { return k == 0 ? 1 : 0 }
    if probability == 1 { return k == count ? 1 : 0 }
    let (n, x) = (Double(count), Double(k))
    return exponential(
      logGamma(n + 1) - logGamma(x + 1) - logGamma(n - x + 1) + x * logarithm(probability)
        + (n - x) * logarithm(1 - probability))
  }

  /// The probability of at most `k` successes. Correct to ten digits, also where it is tiny.
  public func cumulative(_ k: Int) -> Double {
    if k < 0 { return 0 }
    if k >= count { return 1 }
    return regularizedIncompleteBeta(
      1 - probability, complement: probability, a: Double(count - k), b: Double(k + 1))
  }

  /// The probability of at least `k` successes. Correct to ten digits, also where it is tiny.
  public func upperTail(_ k: Int) -> Double {
    if k <= 0 { return 1 }
    if k > count { return 0 }
    return regularizedIncompleteBeta(
      probability, complement: 1 - probability, a: Double(k), b: Double(count - k + 1))
  }

  /// A number of successes, drawn.
  ///
  /// By inversion while few are expected, else by rejection from a table mountain: Hörmann, *The
  /// generation of binomial random variates*, Journal of Statistical Computation and Simulation 46
  /// (1993), doi:10.1080/00949659308811496, algorithm BTRS.
  ///
  /// - Complexity: O(1) expected, whatever the number of trials.
  public func draw(_ generator: inout RandomGenerator) -> Int {
    if probability > 0.5 {
      return count
        - BinomialDistribution(count: count, probability: 1 - probability).draw(&generator)
    }
    let mean = Double(count) * probability
    if mean == 0 { return 0 }
    return mean < 10 ? inverted(&generator) : rejected(&generator)
  }

  private func inverted(_ generator: inout RandomGenerator) -> Int {
    let odds = probability / (1 - probability)
    var mass = exponential(Double(count) * logarithm(1 - probability))
    var rest = generator.nextDouble()
    var k = 0
    while rest >= mass, k < count {
      rest -= mass
      k += 1
      mass *= odds * Double(count - k + 1) / Double(k)
    }
    return k
  }

  private func rejected(_ generator: inout RandomGenerator) -> Int {
    let n = Double(count)
    let deviation = (n * probability * (1 - probability)).squareRoot()
    let b = 1.15 + 2.53 * deviation
    let a = -0.0873 + 0.0248 * b + 0.01 * probability
    let center = n * probability + 0.5
    let inner = 0.92 - 4.2 / b
    let scale = (2.83 + 5.1 / b) * deviation
    let odds = logarithm(probability / (1 - probability))
    let mode = ((n + 1) * probability).rounded(.down)
    while true {
      let u = generator.nextDouble() - 0.5
      let v = generator.nextDouble()
      let edge = 0.5 - abs(u)
      let k = ((2 * a / edge + b) * u + center).rounded(.down)
      guard k >= 0 && k <= n else { continue }
      if edge >= 0.07 && v <= inner { return Int(k) }
      let height = logarithm(v * scale / (a / (edge * edge) + b))
      // Six draws in seven never come here.
      let peak = logGamma(mode + 1) + logGamma(n - mode + 1)
      let ratio = peak - logGamma(k + 1) - logGamma(n - k + 1) + (k - mode) * odds
      if height <= ratio { return Int(k) }
    }
  }
}

/// A sample told by how often each of its values occurs. Its resamples are multinomial counts: as many
/// draws as there are different values, and no row is copied.
public struct CountedSample: Sendable, Hashable {
  /// Different values, rising.
  public let values: [Double]
  /// How often each occurs, above 0.
  public let counts: [Int]
  /// The size of the sample.
  public let count: Int

  /// - Parameter sample: finite values.
  /// - Complexity: O(*n* log *n*).
  public init(_ sample: some Collection<Double>) {
    var values: [Double] = []
    var counts: [Int] = []
    for value in Array(sample).sorted() {
      if value == values.last {
        counts[counts.count - 1] += 1
      } else {
        values.append(value)
        counts.append(1)
      }
    }
    self.values = values
    self.counts = counts
    count = sample.count
  }

  /// The sample of so many ones among `count` values that are 0 else.
  ///
  /// - Precondition: `ones` is in `0 ... count`.
  public init(ones: Int, of count: Int) {
    precondition(ones >= 0 && ones <= count, "\(ones) ones of \(count)")
    values = (ones < count ? [0] : []) + (ones > 0 ? [1] : [])
    counts = (ones < count ? [count - ones] : []) + (ones > 0 ? [ones] : [])
    self.count = count
  }

  /// The mean and the population variance; NaN for no values.
  public var moments: (mean: Double, variance: Double) { moments(counts) }

  /// The same of a resample of equal size.
  ///
  /// - Complexity: O(different values).
  public func resampledMoments(_ generator: inout RandomGenerator) -> (
    mean: Double, variance: Double
  ) {
    var drawn = [Int](repeating: 0, count: values.count)
    // A binomial of what is left, value by value, makes a multinomial.
    var (rest, mass) = (count, count)
    for place in values.indices.dropLast() where rest > 0 {
      let share = Double(counts[place]) / Double(mass)
      drawn[place] = BinomialDistribution(count: rest, probability: share).draw(&generator)
      rest -= drawn[place]
      mass -= counts[place]
    }
    if let last = drawn.indices.last { drawn[last] = rest }
    return moments(drawn)
  }

  private func moments(_ counts: [Int]) -> (mean: Double, variance: Double) {
    guard count > 0 else { return (.nan, .nan) }
    var sum = 0.0
    for place in values.indices { sum += Double(counts[place]) * values[place] }
    let mean = sum / Double(count)
    var squares = 0.0
    for place in values.indices {
      squares += Double(counts[place]) * (values[place] - mean) * (values[place] - mean)
    }
    return (mean, squares / Double(count))
  }
}
