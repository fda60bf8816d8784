public import BasisCore

/// Independent standard normal entries.
public func gaussianMatrix(rowCount: Int, columnCount: Int, seed: UInt64) -> Matrix {
  var generator = RandomGenerator(seed: seed)
  return Matrix(rowCount: rowCount, columnCount: columnCount) { floats in
    for index in floats.indices { floats[index] = Float(generator.nextGaussian()) }
  }
}
