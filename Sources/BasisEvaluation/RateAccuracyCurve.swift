public import BasisCore
import BasisNumerics
import Foundation

/// What a task keeps of its accuracy at so many bits: the curve by which coders of features are
/// compared.
///
/// Gao et al., *Feature coding in the era of large models: dataset, test conditions, and benchmark*,
/// arXiv:2412.04307, section 5; Bjøntegaard, *Calculation of average PSNR differences between
/// RD-curves*, ITU-T VCEG-M33 (2001).
public struct RateAccuracyCurve: Sendable, Hashable {
  public struct Point: Sendable, Hashable {
    public var name: String
    /// Bits per feature point, above 0.
    public var rate: Double
    /// Larger is better; any unit.
    public var accuracy: Double

    public init(_ name: String, rate: Double, accuracy: Double) {
      self.name = name
      self.rate = rate
      self.accuracy = accuracy
    }
  }

  /// By rising rate.
  public let points: [Point]

  /// - Throws: `.invalidArgument` for a rate that is not positive, or a number that is not finite.
  public init(_ points: [Point]) throws(BasisError) {
    for point in points {
      guard point.rate > 0, point.rate.isFinite, point.accuracy.isFinite else {
        throw BasisError(
          .invalidArgument,
          "the point '\(point.name)' has \(point.rate) bits and an accuracy of \(point.accuracy); "
            + "both are finite, and bits above 0")
      }
    }
    self.points = points.sorted { ($0.rate, -$0.accuracy) < ($1.rate, -$1.accuracy) }
  }

  /// The points that no cheaper point is as accurate as: rising in both.
  public var frontier: [Point] {
    var kept: [Point] = []
    for point in points where point.accuracy > kept.last?.accuracy ?? -.infinity {
      kept.append(point)
    }
    return kept
  }

  /// The fewest bits that lose no more than so much.
  ///
  /// - Parameters:
  ///   - loss: in the unit of accuracy.
  ///   - reference: the accuracy of the features as they are.
  public func cheapest(losing loss: Double, of reference: Double) -> Point? {
    points.first { $0.accuracy >= reference - loss }
  }

  /// How many more bits this takes than another, on average over the accuracies that both reach:
  /// −0.3 is 30 % fewer (the Bjøntegaard delta rate).
  ///
  /// Between the points of each ``frontier``, the logarithm of the rate is a monotone cubic of the
  /// accuracy.
  ///
  /// - Throws: `.invalidArgument` where one has fewer than two points on its frontier, or where they
  ///   have no accuracies in common.
  public func rateDifference(from baseline: RateAccuracyCurve) throws(BasisError) -> Double {
    let (own, other) = (try logarithms(), try baseline.logarithms())
    let low = max(own.x[0], other.x[0])
    let high = min(own.x[own.x.count - 1], other.x[other.x.count - 1])
    guard high > low else {
      throw BasisError(
        .invalidArgument,
        "the curves have no accuracies in common: \(own.x[0]) to \(own.x[own.x.count - 1]), and "
          + "\(other.x[0]) to \(other.x[other.x.count - 1]); measure at more rates")
    }
    let difference =
      (own.integral(over: low...high) - other.integral(over: low...high))
      / (high - low)
    return exp(difference) - 1
  }

  private func logarithms() throws(BasisError) -> MonotoneCubic {
    let kept = frontier
    guard kept.count >= 2 else {
      throw BasisError(
        .invalidArgument,
        "a curve needs two rates whose accuracies differ, got \(kept.count); measure at more rates")
    }
    return try MonotoneCubic(x: kept.map(\.accuracy), y: kept.map { log($0.rate) })
  }
}
