import BasisCore
import BasisNumerics
import Foundation

/// How right several ways to learn are, by the number of rows that they see.
public struct LearningCurve: Sendable, Hashable {
  /// One way to learn.
  public struct Head: Sendable, Hashable {
    public var name: String
    /// Accuracy on the rows that were kept apart: of each draw, one for each size.
    public var accuracies: [[Double]]
    /// Seconds of a fit, the mean of the draws: one for each size.
    public var seconds: [Double]

    public init(_ name: String, accuracies: [[Double]], seconds: [Double]) {
      self.name = name
      self.accuracies = accuracies
      self.seconds = seconds
    }

    /// The mean of the draws, one for each size.
    public var means: [Double] {
      (accuracies.first ?? []).indices.map { size in
        Statistics.mean(accuracies.map { $0[size] })
      }
    }

    /// The standard deviation of the draws, one for each size; NaN for a single draw.
    public var deviations: [Double] {
      (accuracies.first ?? []).indices.map { size in
        Statistics.variance(accuracies.map { $0[size] }).squareRoot()
      }
    }
  }

  /// From which number of rows on one head is ahead of the other.
  public struct Crossing: Sendable, Hashable {
    /// Rows, between two sizes of the curve.
    public var rowCount: Double
    /// 95 % of the crossings of draws that were drawn again; nil where too few of them cross.
    public var interval: ClosedRange<Double>?
    /// The share of those that cross.
    public var share: Double
  }

  /// How well the rows meet what naive Bayes takes for granted.
  public struct Diagnostics: Sendable, Hashable {
    /// The mean of |correlation| over pairs of columns, within classes: 0 is independent.
    public var correlation: Double
    /// The mean of |skewness| over columns, within classes: 0 for a bell.
    public var skewness: Double
    /// The mean of |excess kurtosis| over columns, within classes: 0 for a bell.
    public var kurtosis: Double
  }

  /// Rising.
  public var sizes: [Int]
  /// Naive Bayes first, then logistic regression.
  public var heads: [Head]
  /// From where on the last head is ahead of the first; nil where one is ahead at every size, or the
  /// first is ahead in the end.
  public var crossing: Crossing?
  public var diagnostics: Diagnostics
  /// Rows that the accuracies are of.
  public var testCount: Int
  public var warnings: [String]

  /// The smallest size at which a head is at this share of what it reaches with the most rows.
  ///
  /// - Parameters:
  ///   - share: above 0, at most 1.
  ///   - head: the place of a head.
  /// - Precondition: there is such a head, and a size.
  public func rows(toReach share: Double, head: Int) -> Int {
    let means = heads[head].means
    let wanted = share * (means.last ?? 0)
    return sizes[means.firstIndex { $0 >= wanted } ?? sizes.count - 1]
  }

  /// Who is ahead, in a sentence.
  public var verdict: String {
    let (first, last) = (heads[0], heads[heads.count - 1])
    if let crossing {
      return "\(first.name) is ahead below \(Int(crossing.rowCount.rounded())) rows, \(last.name) "
        + "from there on"
    }
    let leads = zip(last.means, first.means).map { $0 - $1 }
    if leads.allSatisfy({ $0 >= 0 }) { return "\(last.name) is ahead at every size: no crossing" }
    if leads.allSatisfy({ $0 <= 0 }) { return "\(first.name) is ahead at every size: no crossing" }
    return "\(first.name) is ahead at the largest size: no crossing up to there"
  }

  /// Where `last − first` rises through 0 for good, on a logarithmic axis.
  static func crossing(_ leads: [Double], _ sizes: [Int]) -> Double? {
    guard let behind = leads.lastIndex(where: { $0 < 0 }), behind + 1 < leads.count else {
      return nil
    }
    let (low, high) = (leads[behind], leads[behind + 1])
    let share = low / (low - high)
    let (from, to) = (log(Double(sizes[behind])), log(Double(sizes[behind + 1])))
    return exp(from + share * (to - from))
  }

  /// The crossing of the mean curves, and of the means of draws that are drawn again: a draw's two
  /// curves stay together.
  static func crossing(
    _ first: Head, _ last: Head, _ sizes: [Int], in run: RunContext
  ) -> Crossing? {
    let leads = zip(last.accuracies, first.accuracies).map { zip($0, $1).map { $0 - $1 } }
    let count = leads.count
    func found(_ draws: [Int]) -> Double? {
      let means = sizes.indices.map { size in
        draws.reduce(0) { $0 + leads[$1][size] } / Double(draws.count)
      }
      return crossing(means, sizes)
    }
    guard let rowCount = found(Array(0..<count)) else { return nil }
    var generator = run.generator("crossings")
    let resampleCount = 1000
    var places: [Double] = []
    for _ in 0..<resampleCount {
      let draws = (0..<count).map { _ in generator.nextInt(below: count) }
      if let place = found(draws) { places.append(place) }
    }
    let share = Double(places.count) / Double(resampleCount)
    let ends = Statistics.quantiles(places, [0.025, 0.975])
    return Crossing(
      rowCount: rowCount, interval: share >= 0.5 && count > 1 ? ends[0]...ends[1] : nil,
      share: share)
  }
}
