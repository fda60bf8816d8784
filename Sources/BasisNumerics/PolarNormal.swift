import BasisCore

/// Normal draws in the order of libstdc++'s `std::normal_distribution`.
///
/// Marsaglia's polar method makes two at a time: the second is kept for the next call, so that a
/// value of this type belongs to one generator. Equal to C++ bit by bit where the logarithm of the
/// system's C library is the same, else to an ulp.
///
/// Marsaglia & Bray, *A convenient method for generating normal variables*, SIAM Review 6 (1964),
/// doi:10.1137/1006063.
public struct PolarNormal<Value: BinaryFloatingPoint & Sendable>: Sendable {
  public let mean: Value
  public let standardDeviation: Value
  private var kept: Value?

  public init(mean: Value = 0, standardDeviation: Value = 1) {
    self.mean = mean
    self.standardDeviation = standardDeviation
  }
}

extension PolarNormal<Double> {
  public mutating func next(using generator: inout some RandomWordGenerator) -> Double {
    next(uniform: { 2 * generator.nextDouble() - 1 }, logarithm: { logarithm($0) })
  }
}

extension PolarNormal<Float> {
  public mutating func next(using generator: inout some RandomWordGenerator) -> Float {
    next(uniform: { 2 * generator.nextFloat() - 1 }, logarithm: { logarithm($0) })
  }
}

extension PolarNormal {
  private mutating func next(uniform: () -> Value, logarithm: (Value) -> Value) -> Value {
    if let kept {
      self.kept = nil
      return kept * standardDeviation + mean
    }
    while true {
      let x = uniform()
      let y = uniform()
      let square = x * x + y * y
      guard square <= 1 && square != 0 else { continue }
      let factor = (-2 * logarithm(square) / square).squareRoot()
      kept = x * factor
      return y * factor * standardDeviation + mean
    }
  }
}
