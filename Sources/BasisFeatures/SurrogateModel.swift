import BasisCore
import BasisNumerics

/// How well a logistic regression on the values of one column, one-hot, tells a target that it has not seen.
///
/// Two folds, each learnt from the other; rows of each class go to the first fold as they come, until it has
/// its half, as scikit-learn's `StratifiedKFold` deals them without shuffling. Weights have the penalty ‖w‖² / 2,
/// the intercepts none. The score is 1 less the median of the folds' mean logarithmic losses: 1 for certainty,
/// 1 − ln 2 for a coin, below 0 for worse than 1 nat. A value that was not seen in training is told by the
/// intercepts alone. Classes of one row are left out.
///
/// Only counts of values and classes matter, so that one step costs as much as there are values, not rows.
///
/// Škrlj & Mramor 2023, doi:10.1145/3604915.3610636 (surrogate models).
struct SurrogateModel: Sendable {
  /// Of the folds, rows of the second kept apart: *[value · classes + class]*.
  private let counts: [[Double]]
  private let valueCount: Int
  private let classCount: Int

  /// - Parameters:
  ///   - values: a code per row, below `valueCodeCount`.
  ///   - labels: a code per row, below `labelCodeCount`.
  init(values: [UInt32], valueCodeCount: Int, labels: [UInt32], labelCodeCount: Int) {
    var rowCounts = [Int](repeating: 0, count: labelCodeCount)
    // By first appearance, as the reference's rule deals classes out.
    var places = [Int](repeating: -1, count: labelCodeCount)
    for label in labels { rowCounts[Int(label)] += 1 }
    var sizes: [Int] = []
    for label in labels where places[Int(label)] < 0 && rowCounts[Int(label)] > 1 {
      places[Int(label)] = sizes.count
      sizes.append(rowCounts[Int(label)])
    }
    // Of the sorted labels every second one is the first fold's.
    var firsts: [Int] = []
    var start = 0
    for size in sizes {
      firsts.append((start + size + 1) / 2 - (start + 1) / 2)
      start += size
    }
    (valueCount, classCount) = (valueCodeCount, sizes.count)
    var counts = Array(
      repeating: [Double](repeating: 0, count: valueCodeCount * sizes.count), count: 2)
    var seen = [Int](repeating: 0, count: sizes.count)
    for (value, label) in zip(values, labels) where places[Int(label)] >= 0 {
      let place = places[Int(label)]
      let fold = seen[place] < firsts[place] ? 0 : 1
      seen[place] += 1
      counts[fold][Int(value) * sizes.count + place] += 1
    }
    self.counts = counts
  }

  /// - Returns: NaN for fewer than two classes of two rows.
  func score(in run: RunContext) throws(BasisError) -> Double {
    guard classCount >= 2 else { return .nan }
    var losses: [Double] = []
    for fold in 0..<2 {
      let logits = try fit(counts[1 - fold], in: run)
      losses.append(loss(logits, counts[fold]))
    }
    return 1 - (losses[0] + losses[1]) / 2
  }

  /// One logit for two classes, else one a class.
  private var width: Int { classCount == 2 ? 1 : classCount }

  /// Values that the training fold has, then the intercepts: *[(values + 1) · width]*.
  private func fit(_ counts: [Double], in run: RunContext) throws(BasisError) -> [Double] {
    let (width, k) = (width, classCount)
    let seen = (0..<valueCount).filter { value in
      (0..<k).contains { counts[value * k + $0] > 0 }
    }
    let total = counts.reduce(0, +)
    let optimizer = LBFGS(maxIterations: 1_000, gradientTolerance: max(1e-7, 1e-9 * total))
    let start = [Double](repeating: 0, count: (seen.count + 1) * width)
    let own = seen.flatMap { counts[$0 * k..<($0 + 1) * k] }
    let found = try optimizer.minimize(from: start, in: run) { (point, gradient) in
      Self.value(point, &gradient, own, width: width, classCount: k)
    }.point
    var all = [Double](repeating: 0, count: (valueCount + 1) * width)
    for (place, value) in seen.enumerated() {
      for output in 0..<width { all[value * width + output] = found[place * width + output] }
    }
    for output in 0..<width {
      all[valueCount * width + output] = found[seen.count * width + output]
    }
    return all
  }

  /// Σ losses + ‖w‖² / 2.
  private static func value(
    _ point: [Double], _ gradient: inout [Double], _ counts: [Double], width: Int, classCount: Int
  ) -> Double {
    let values = point.count / width - 1
    let intercept = values * width
    for place in gradient.indices { gradient[place] = place < intercept ? point[place] : 0 }
    var sum = 0.0
    for place in 0..<intercept { sum += point[place] * point[place] / 2 }
    var chances = [Double](repeating: 0, count: classCount)
    for value in 0..<values {
      let first = value * classCount
      let count = counts[first..<first + classCount].reduce(0, +)
      sum += losses(point, value, intercept, counts, first, width, &chances)
      for output in 0..<width {
        // With one logit it is the second class's.
        let own = width == 1 ? 1 : output
        let slope = count * chances[own] - counts[first + own]
        gradient[value * width + output] += slope
        gradient[intercept + output] += slope
      }
    }
    return sum
  }

  /// The losses of the rows of one value, and its classes' probabilities.
  private static func losses(
    _ point: [Double], _ value: Int, _ intercept: Int, _ counts: [Double], _ first: Int,
    _ width: Int, _ chances: inout [Double]
  ) -> Double {
    for own in chances.indices {
      let output = width == 1 ? own - 1 : own
      chances[own] =
        output < 0 ? 0 : point[value * width + output] + point[intercept + output]
    }
    let most = chances.max() ?? 0
    let total = most + logarithm(chances.reduce(0) { $0 + exponential($1 - most) })
    var sum = 0.0
    for own in chances.indices {
      if counts[first + own] > 0 { sum += counts[first + own] * (total - chances[own]) }
      chances[own] = exponential(chances[own] - total)
    }
    return sum
  }

  /// The mean loss of other rows.
  private func loss(_ logits: [Double], _ counts: [Double]) -> Double {
    var chances = [Double](repeating: 0, count: classCount)
    var sum = 0.0
    for value in 0..<valueCount {
      sum += Self.losses(
        logits, value, valueCount * width, counts, value * classCount, width, &chances)
    }
    return sum / counts.reduce(0, +)
  }
}
