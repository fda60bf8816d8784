public import BasisCore

/// A smooth curve through points that rises and falls only where they do: piecewise cubics whose
/// slopes are weighted harmonic means of those beside them, and zero where these differ in sign.
///
/// Fritsch & Butland, *A method for constructing local monotone piecewise cubic interpolants*, SIAM
/// Journal on Scientific and Statistical Computing 5 (1984), doi:10.1137/0905021.
public struct MonotoneCubic: Sendable, Hashable {
  /// Rising, at least two.
  public let x: [Double]
  public let y: [Double]
  /// The slope at each point.
  public let slopes: [Double]

  /// - Parameters:
  ///   - x: at least two, finite, strictly rising.
  ///   - y: as many, finite.
  /// - Throws: `.invalidArgument` naming the first that does not fit.
  public init(x: [Double], y: [Double]) throws(BasisError) {
    guard x.count == y.count, x.count >= 2 else {
      throw BasisError(
        .invalidArgument,
        "a curve goes through two points at least, got \(x.count) places and \(y.count) values")
    }
    for place in x.indices {
      guard x[place].isFinite, y[place].isFinite, place == 0 || x[place] > x[place - 1] else {
        throw BasisError(
          .invalidArgument,
          "a curve's points are finite and from left to right; point \(place) is (\(x[place]), "
            + "\(y[place]))")
      }
    }
    self.x = x
    self.y = y
    let widths = zip(x, x.dropFirst()).map { $1 - $0 }
    let rises = zip(zip(y, y.dropFirst()).map { $1 - $0 }, widths).map { $0 / $1 }
    guard x.count > 2 else {
      slopes = [rises[0], rises[0]]
      return
    }
    var slopes = [Self.edge(widths[0], widths[1], rises[0], rises[1])]
    for place in 1..<widths.count {
      let (before, after) = (rises[place - 1], rises[place])
      guard before * after > 0 else {
        slopes.append(0)
        continue
      }
      let w1 = 2 * widths[place] + widths[place - 1]
      let w2 = widths[place] + 2 * widths[place - 1]
      slopes.append((w1 + w2) / (w1 / before + w2 / after))
    }
    let last = widths.count - 1
    slopes.append(Self.edge(widths[last], widths[last - 1], rises[last], rises[last - 1]))
    self.slopes = slopes
  }

  /// The slope at an end: of the parabola through three points, kept from overshooting.
  private static func edge(_ width: Double, _ next: Double, _ rise: Double, _ nextRise: Double)
    -> Double
  {
    let slope = ((2 * width + next) * rise - width * nextRise) / (width + next)
    if slope * rise <= 0 { return 0 }
    if rise * nextRise <= 0, abs(slope) > 3 * abs(rise) { return 3 * rise }
    return slope
  }

  /// The value at a place, on the end pieces beyond the ends.
  ///
  /// - Complexity: O(log points).
  public func value(at place: Double) -> Double {
    let piece = piece(at: place)
    let (t, width) = (place - x[piece], x[piece + 1] - x[piece])
    let (c, d) = coefficients(piece, width)
    return y[piece] + t * (slopes[piece] + t * (c + t * d))
  }

  /// The area under the curve between two places within its range.
  ///
  /// - Complexity: O(points).
  public func integral(over range: ClosedRange<Double>) -> Double {
    var sum = 0.0
    for piece in 0..<x.count - 1 {
      let (from, to) = (
        piece == 0 ? range.lowerBound : max(range.lowerBound, x[piece]),
        piece == x.count - 2 ? range.upperBound : min(range.upperBound, x[piece + 1])
      )
      guard to > from else { continue }
      let (c, d) = coefficients(piece, x[piece + 1] - x[piece])
      func area(_ t: Double) -> Double {
        t * (y[piece] + t * (slopes[piece] / 2 + t * (c / 3 + t * d / 4)))
      }
      sum += area(to - x[piece]) - area(from - x[piece])
    }
    return sum
  }

  private func coefficients(_ piece: Int, _ width: Double) -> (c: Double, d: Double) {
    let rise = (y[piece + 1] - y[piece]) / width
    let (a, b) = (slopes[piece], slopes[piece + 1])
    return ((3 * rise - 2 * a - b) / width, (a + b - 2 * rise) / (width * width))
  }

  private func piece(at place: Double) -> Int {
    var (low, high) = (0, x.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if x[middle] <= place { low = middle } else { high = middle }
    }
    return low
  }
}
