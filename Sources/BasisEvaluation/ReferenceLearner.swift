public import BasisCore
import BasisNumerics

/// The classifiers that need nothing above numerics: what others are measured beside.
///
/// `majority` answers the most frequent class, `centroid` the class of the nearest mean, `neighbor` that of
/// the nearest row, `neighbors5` the vote of five, and `softmax` learns a linear boundary.
public enum ReferenceLearner: String, Sendable, Hashable, Codable, CaseIterable {
  case majority, centroid, neighbor, neighbors5, softmax

  /// The learner on these rows, for the desk.
  public func learner(_ input: LabeledRows) -> Learner {
    let (rows, labels) = (input.rows, input.labels)
    return Learner(rawValue) { (training, asked, run) throws(BasisError) in
      guard !training.isEmpty else {
        throw BasisError(.invalidArgument, "'\(rawValue)' learns from 1 row at least")
      }
      let own = training.map { labels[$0] }
      switch self {
      case .majority:
        let most = Self.vote(own)
        return asked.map { _ in most }
      case .centroid: return Self.nearestCentroid(rows, training, own, asked)
      case .neighbor: return Self.neighborVote(rows, training, own, asked, k: 1)
      case .neighbors5: return Self.neighborVote(rows, training, own, asked, k: 5)
      case .softmax: return try Self.softmax(rows, training, own, asked, in: run)
      }
    }
  }

  /// The most frequent class, the smallest of several.
  private static func vote(_ classes: some Sequence<Int>) -> Int {
    var counts: [Int: Int] = [:]
    for one in classes { counts[one, default: 0] += 1 }
    return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 0
  }

  private static func nearestCentroid(
    _ rows: Matrix, _ training: [Int], _ own: [Int], _ asked: [Int]
  ) -> [Int] {
    let d = rows.columnCount
    var sums: [Int: [Double]] = [:]
    var counts: [Int: Double] = [:]
    for (row, label) in zip(training, own) {
      counts[label, default: 0] += 1
      rows.withRow(row) { values in
        for column in 0..<d {
          sums[label, default: Array(repeating: 0, count: d)][column] += Double(values[column])
        }
      }
    }
    let classes = counts.keys.sorted()
    let means = classes.map { one in
      (sums[one] ?? Array(repeating: 0, count: d)).map { $0 / (counts[one] ?? 1) }
    }
    return asked.map { row in
      rows.withRow(row) { values in
        var (best, least) = (0, Double.infinity)
        for (place, mean) in means.enumerated() {
          var distance = 0.0
          for column in 0..<d {
            let gap = Double(values[column]) - mean[column]
            distance += gap * gap
          }
          if distance < least { (best, least) = (place, distance) }
        }
        return classes[best]
      }
    }
  }

  private static func neighborVote(
    _ rows: Matrix, _ training: [Int], _ own: [Int], _ asked: [Int], k: Int
  ) -> [Int] {
    let d = rows.columnCount
    return asked.map { row in
      rows.withRow(row) { query in
        // Nearest first; of equals the one that came first.
        var nearest: [(distance: Float, label: Int)] = []
        for (other, label) in zip(training, own) {
          let distance = rows.withRow(other) { values in
            var sum: Float = 0
            for column in 0..<d {
              let gap = values[column] - query[column]
              sum += gap * gap
            }
            return sum
          }
          guard nearest.count < k || distance < nearest[k - 1].distance else { continue }
          let place = nearest.firstIndex { distance < $0.distance } ?? nearest.count
          nearest.insert((distance, label), at: place)
          if nearest.count > k { nearest.removeLast() }
        }
        return vote(nearest.map(\.label))
      }
    }
  }

  private static func softmax(
    _ rows: Matrix, _ training: [Int], _ own: [Int], _ asked: [Int], in run: RunContext
  ) throws(BasisError) -> [Int] {
    let classes = Set(own).sorted()
    guard classes.count > 1 else { return asked.map { _ in classes[0] } }
    let moments = try Statistics.columnMoments(of: rows.selecting(rows: training), in: run)
    let scales = moments.map { moment in
      let variance = moment.populationVariance
      return (Float(moment.mean), Float(variance > 0 ? 1 / variance.squareRoot() : 0))
    }
    func standardized(_ chosen: [Int]) -> Matrix {
      var some = rows.selecting(rows: chosen)
      let d = rows.columnCount
      some.withUnsafeMutableFloats { floats in
        for index in floats.indices {
          let (mean, scale) = scales[index % d]
          floats[index] = (floats[index] - mean) * scale
        }
      }
      return some
    }
    let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    let model = try MultilayerPerceptron(
      hiddenSizes: [], learningRate: 0.02, weightDecay: 1e-3, batchSize: 32, epochCount: 60
    )

    .fit(standardized(training), labels: own.map { places[$0] ?? 0 }, in: run)
    return try model.classes(of: standardized(asked), in: run).map { classes[$0] }
  }
}
