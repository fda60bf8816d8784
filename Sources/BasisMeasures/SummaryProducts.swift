import BasisCore
import BasisNumerics

/// The order of pairs of so many things: (0, 1), (0, 2) …, (1, 2) …
struct PairTable: Sendable {
  let count: Int

  var pairCount: Int { count * (count - 1) / 2 }

  /// The root of how often each of some pairs is drawn, its things being drawn so often.
  func roots(_ counts: [Double], _ range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    var i = 0
    var first = 0
    while first + count - i - 1 <= range.lowerBound {
      first += count - i - 1
      i += 1
    }
    var j = i + 1 + range.lowerBound - first
    for place in 0..<range.count {
      out[place] = Float((counts[i] * counts[j]).squareRoot())
      j += 1
      if j == count {
        i += 1
        j = i + 1
      }
    }
  }
}

/// What brings values of a summary to between 0 and 1, or to mean 0.
struct SummaryScale: Sendable {
  private var shift: Double
  private var factor: Double
  private var range: ClosedRange<Double>
  private var isStep: Bool

  /// Values from *a* to *b* as 0 … 1, and those beyond as the nearer end.
  init(_ a: Double, _ b: Double) {
    isStep = !(b > a)
    (shift, factor, range) = (a, isStep ? 1 : 1 / (b - a), 0...1)
  }

  /// Values less their mean, in some unit: that of all summaries is one, as their means are taken.
  init(centering values: [Double], unit: Double) {
    (shift, factor, isStep) = (Statistics.mean(values), unit > 0 ? 1 / unit : 0, false)
    range = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
  }

  func write(_ values: UnsafeBufferPointer<Double>, into out: UnsafeMutablePointer<Float>) {
    guard !isStep else {
      for place in values.indices { out[place] = values[place] > shift ? 1 : 0 }
      return
    }
    let (low, high) = (range.lowerBound, range.upperBound)
    for place in values.indices {
      out[place] = Float(min(high, max(low, (values[place] - shift) * factor)))
    }
  }
}

/// How summaries of several subjects and regions vary together: all that correlations with means need.
struct SummaryProducts: Sendable {
  private let subjectCount: Int
  private let regionCount: Int
  /// Covariances of summaries times the number of pairs, *[a · summaries + b]*.
  private let products: [Double]

  /// - Parameters:
  ///   - values: of each summary, one a pair; *[subject · regions + region]*.
  ///   - scales: of each.
  ///   - pairs: of the things.
  ///   - regionCount: a divisor of the number of summaries.
  ///   - weights: how often each thing counts; nil for once.
  ///   - run: cancellation.
  init(
    _ values: [[Double]], _ scales: [SummaryScale], _ pairs: PairTable, regionCount: Int,
    weights: [Double]? = nil, in run: RunContext
  ) throws(BasisError) {
    let n = values.count
    let side = n + 1
    var sums = [Double](repeating: 0, count: side * side)
    let blockSize = 8_192
    // The last row holds ones, so that the sums of all others are among the products.
    for first in stride(from: 0, to: pairs.pairCount, by: blockSize) {
      try run.checkCancelled()
      let range = first..<min(pairs.pairCount, first + blockSize)
      let width = range.count
      let block = Matrix(rowCount: side, columnCount: width) { floats in
        guard let start = floats.baseAddress else { return }
        let ones = start + n * width
        if let weights {
          pairs.roots(weights, range, into: ones)
        } else {
          for place in 0..<width { ones[place] = 1 }
        }
        for summary in 0..<n {
          let row = start + summary * width
          values[summary].withUnsafeBufferPointer {
            scales[summary].write(UnsafeBufferPointer(rebasing: $0[range]), into: row)
          }
          if weights != nil { for place in 0..<width { row[place] *= ones[place] } }
        }
      }
      let part = try LinearAlgebra.product(block, block, transposingB: true, in: run)
      part.withUnsafeFloats { part in
        for index in sums.indices { sums[index] += Double(part[index]) }
      }
    }
    let weight = sums[side * side - 1]
    var products = [Double](repeating: 0, count: n * n)
    for a in 0..<n {
      for b in 0..<n {
        let mean = weight > 0 ? sums[a * side + n] * sums[b * side + n] / weight : 0
        products[a * n + b] = sums[a * side + b] - mean
      }
    }
    self.products = products
    (self.regionCount, subjectCount) = (regionCount, n / regionCount)
  }

  private func product(_ a: Int, _ regionA: Int, _ b: Int, _ regionB: Int) -> Double {
    let n = subjectCount * regionCount
    return products[(a * regionCount + regionA) * n + b * regionCount + regionB]
  }

  /// The mean share over subjects, without one of them altogether; NaN where fewer than two are left.
  ///
  /// - Parameters:
  ///   - left: the one without.
  ///   - counts: how often each subject counts; nil for once.
  func accuracy(leavingOut left: Int?, counts: [Double]? = nil) -> Double {
    var (sum, weight) = (0.0, 0.0)
    for subject in 0..<subjectCount where subject != left {
      let own = counts?[subject] ?? 1
      guard own > 0 else { continue }
      let share = share(of: subject, leavingOut: left, counts: counts)
      sum += own * share
      weight += own
    }
    return weight > 0 ? sum / weight : .nan
  }

  /// The share of a subject's regions that are told by the mean of the others'.
  func share(of subject: Int, leavingOut left: Int?, counts: [Double]? = nil) -> Double {
    let found = regions(of: subject, leavingOut: left, counts: counts)
    guard !found.isEmpty else { return .nan }
    return Double(found.indices.count { found[$0] == $0 }) / Double(regionCount)
  }

  /// Where a subject's summaries go by the means of the others; none where there are no others.
  func regions(of subject: Int, leavingOut left: Int?, counts: [Double]? = nil) -> [Int] {
    let others = (0..<subjectCount).filter {
      $0 != subject && $0 != left && (counts?[$0] ?? 1) > 0
    }
    guard !others.isEmpty else { return [] }
    let weights = others.map { counts?[$0] ?? 1 }
    let lengths = (0..<regionCount).map { region -> Double in
      var square = 0.0
      for (a, weightA) in zip(others, weights) {
        for (b, weightB) in zip(others, weights) {
          square += weightA * weightB * product(a, region, b, region)
        }
      }
      return square
    }
    return (0..<regionCount).map { own in
      let square = product(subject, own, subject, own)
      let fits = lengths.indices.map { region -> Double in
        var along = 0.0
        for (other, weight) in zip(others, weights) {
          along += weight * product(subject, own, other, region)
        }
        // What does not vary fits nothing.
        guard square > 1e-9, lengths[region] > 1e-9 else { return -2 }
        return along / (square * lengths[region]).squareRoot()
      }
      return fits.indices.reduce(0) { fits[$1] > fits[$0] + 1e-6 ? $1 : $0 }
    }
  }
}
