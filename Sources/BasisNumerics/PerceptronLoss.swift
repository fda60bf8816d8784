public import BasisCore

/// What a perceptron is trained to make small: a mean over rows, with its slope in the outputs.
public enum PerceptronLoss: String, Sendable, Hashable, Codable, CaseIterable {
  /// −log of the target class's share of the exponentials; targets are shares of each row that sum to
  /// 1, such as a 1 at the class.
  case softmaxCrossEntropy
  /// Σ over outputs of log(1 + exp(−*z*)) for a target of 1 and log(1 + exp *z*) for 0; targets lie in
  /// 0 … 1, each output by itself.
  case logistic
  /// ½ Σ over outputs of the squared difference.
  case squaredError

  /// The loss, and its slope in each output.
  ///
  /// - Parameters:
  ///   - outputs: `n × d`.
  ///   - targets: `n × d`.
  /// - Returns: the mean over the rows, in `Double`; its slope, `n × d`. No rows have loss 0.
  /// - Throws: `.dimensionMismatch` for two shapes.
  public func value(of outputs: Matrix, targets: Matrix) throws(BasisError) -> (
    loss: Double, gradient: Matrix
  ) {
    guard outputs.rowCount == targets.rowCount, outputs.columnCount == targets.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the outputs are \(outputs.rowCount) × \(outputs.columnCount), the targets "
          + "\(targets.rowCount) × \(targets.columnCount)")
    }
    let (n, d) = (outputs.rowCount, outputs.columnCount)
    var sum = 0.0
    var shares = [Double](repeating: 0, count: d)
    let gradient = Matrix(rowCount: n, columnCount: d) { out in
      outputs.withUnsafeFloats { z in
        targets.withUnsafeFloats { y in
          for row in 0..<n {
            let places = row * d..<(row + 1) * d
            switch self {
            case .softmaxCrossEntropy:
              sum += Self.crossEntropy(z, y, places, &shares)
              for place in places {
                let slope = shares[place - places.lowerBound] - Double(y[place])
                out[place] = Float(slope / Double(n))
              }
            case .logistic:
              for place in places {
                let (x, target) = (Double(z[place]), Double(y[place]))
                // log(1 + exp x) without overflow.
                let tail = exponential(-abs(x))
                sum += max(x, 0) + logarithm(1 + tail) - target * x
                let share = x >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
                out[place] = Float((share - target) / Double(n))
              }
            case .squaredError:
              for place in places {
                let difference = Double(z[place]) - Double(y[place])
                sum += difference * difference / 2
                out[place] = Float(difference / Double(n))
              }
            }
          }
        }
      }
    }
    return (n > 0 ? sum / Double(n) : 0, gradient)
  }

  /// Of one row; fills `shares` with the outputs' shares of the exponentials.
  private static func crossEntropy(
    _ z: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>, _ places: Range<Int>,
    _ shares: inout [Double]
  ) -> Double {
    let largest = Double(z[places].max() ?? 0)
    var total = 0.0
    for place in places {
      let value = exponential(Double(z[place]) - largest)
      shares[place - places.lowerBound] = value
      total += value
    }
    var loss = 0.0
    for place in places {
      shares[place - places.lowerBound] /= total
      if y[place] != 0 {
        loss -= Double(y[place]) * (Double(z[place]) - largest - logarithm(total))
      }
    }
    return loss
  }
}
