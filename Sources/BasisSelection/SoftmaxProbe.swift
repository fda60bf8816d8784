import BasisCore
import BasisNumerics
import Foundation

/// A linear classifier that is watched while it learns: scores for rows and labels that come without a
/// training log.
///
/// Softmax regression on standardised columns by stochastic gradient steps, a row at a time.
struct SoftmaxProbe {
  var epochCount: Int
  var learningRate = 0.05

  /// - Parameters:
  ///   - rows: `n × d`.
  ///   - labels: *n* of `0 ..< classCount`.
  /// - Returns: what it thought after each epoch.
  /// - Complexity: O(epochs · *n* · classes · *d*), one thread: steps follow each other.
  func dynamics(_ rows: Matrix, _ labels: [Int], classCount: Int, in run: RunContext)
    throws(BasisError) -> TrainingDynamics
  {
    var result = try TrainingDynamics(labels: labels, classCount: classCount)
    let x = try Self.standardized(rows, in: run)
    var weights = [Float](repeating: 0, count: classCount * x.columnCount)
    var order = Array(labels.indices)
    var generator = run.generator("order of the probe's rows")
    for epoch in 0..<epochCount {
      try run.checkCancelled()
      run.report("probe", epoch, of: epochCount, unit: "epochs")
      generator.shuffle(&order)
      let rate = learningRate / (1 + 0.1 * Double(epoch))
      for row in order { step(&weights, x, row, labels[row], classCount, rate: rate) }
      try result.record(probabilities(weights, x, classCount))
    }
    return result
  }

  private func step(
    _ weights: inout [Float], _ x: Matrix, _ row: Int, _ label: Int, _ classCount: Int, rate: Double
  ) {
    let d = x.columnCount
    weights.withUnsafeMutableBufferPointer { weights in
      x.withRow(row) { values in
        guard let base = weights.baseAddress, let start = values.baseAddress else { return }
        let thought = Self.softmax(base, start, d, classCount)
        for place in 0..<classCount {
          let error = thought[place] - (place == label ? 1 : 0)
          // By the length of the row, so that many columns take no longer steps.
          let change = Float(rate * error * 8 / Double(d))
          let own = base + place * d
          for column in 0..<d { own[column] -= change * start[column] }
        }
      }
    }
  }

  private func probabilities(_ weights: [Float], _ x: Matrix, _ classCount: Int) -> Matrix {
    Matrix(rowCount: x.rowCount, columnCount: classCount) { out in
      weights.withUnsafeBufferPointer { weights in
        guard let base = weights.baseAddress else { return }
        for row in 0..<x.rowCount {
          x.withRow(row) { values in
            guard let start = values.baseAddress else { return }
            let thought = Self.softmax(base, start, x.columnCount, classCount)
            for place in 0..<classCount { out[row * classCount + place] = Float(thought[place]) }
          }
        }
      }
    }
  }

  private static func softmax(
    _ weights: UnsafePointer<Float>, _ row: UnsafePointer<Float>, _ d: Int, _ classCount: Int
  ) -> [Double] {
    var values = (0..<classCount).map { Double(Kernels.dot(weights + $0 * d, row, count: d)) }
    let top = values.max() ?? 0
    var sum = 0.0
    for place in values.indices {
      values[place] = exp(values[place] - top)
      sum += values[place]
    }
    for place in values.indices { values[place] /= sum }
    return values
  }

  /// Columns of mean 0 and variance 1, and one of ones.
  private static func standardized(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Matrix
  {
    let moments = try Statistics.columnMoments(of: rows, in: run)
    let scales = moments.map { moment in
      let deviation = moment.populationVariance.squareRoot()
      return deviation > 0 ? 1 / deviation : 0
    }
    let d = rows.columnCount
    return Matrix(rowCount: rows.rowCount, columnCount: d + 1) { out in
      for row in 0..<rows.rowCount {
        rows.withRow(row) { values in
          for column in 0..<d {
            out[row * (d + 1) + column] = Float(
              (Double(values[column]) - moments[column].mean) * scales[column])
          }
        }
        out[row * (d + 1) + d] = 1
      }
    }
  }
}
