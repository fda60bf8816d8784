/// The length of a vector; without overflow, and without underflow to zero, wherever `Float` holds it.
package func euclideanNorm(_ row: UnsafeBufferPointer<Float>) -> Float {
  guard let base = row.baseAddress else { return 0 }
  let product = Kernels.dot(base, base, count: row.count)
  if product > 1e-30 && product < 1e30 { return product.squareRoot() }
  // In `Double`, where squares neither overflow nor vanish.
  var squared = 0.0
  for value in row { squared += Double(value) * Double(value) }
  return Float(squared.squareRoot())
}

extension Matrix {
  /// Half the squared length of each row.
  package var halfSquaredNorms: [Float] {
    (0..<rowCount).map { row in
      withRow(row) { values in
        values.baseAddress.map { Kernels.dot($0, $0, count: values.count) / 2 } ?? 0
      }
    }
  }

  /// The same directions at unit length; a row of zeros stays one.
  ///
  /// - Complexity: O(*n* *d*).
  package func withUnitRows() -> Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount) { target in
      for row in 0..<rowCount {
        withRow(row) { values in
          let norm = euclideanNorm(values)
          guard norm > 0 else { return }
          for column in 0..<columnCount {
            target[row * columnCount + column] = values[column] / norm
          }
        }
      }
    }
  }
}
