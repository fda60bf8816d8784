package import BasisCore

/// A codec of one bit per turned dimension, whose codes can be scanned by tables.
package protocol SignCodec: FittedCodec {
  /// Bits of a code.
  var bitCount: Int { get }
  /// Bytes of a code before its bits, which lie low bits of low bytes first.
  var headByteCount: Int { get }

  /// What rows are beside their bits: x − mean is about `factor` times the weighted signs.
  ///
  /// - Parameters:
  ///   - rows: that were encoded.
  ///   - codes: theirs.
  /// - Returns: for each row the factor with which products come out right on average along the row,
  ///   and the squared length of x − mean.
  func signFactors(of rows: Matrix, _ codes: Codes, in run: RunContext) throws(BasisError) -> [(
    factor: Float, squaredLength: Float
  )]

  /// Queries as they are multiplied with signs: turned, and weighted; less the mean where distances
  /// are Euclidean.
  func signWeights(of queries: Matrix, isEuclidean: Bool, in run: RunContext) throws(BasisError)
    -> Matrix
}

extension FittedBinaryQuantizer: SignCodec {
  package var headByteCount: Int { 0 }

  /// ‖v‖² / Σ aᵢ |vᵢ| for v the turned x − mean and the magnitudes a: then the estimate of ⟨v, v⟩ is
  /// ‖v‖².
  package func signFactors(of rows: Matrix, _ codes: Codes, in run: RunContext) throws(BasisError)
    -> [(factor: Float, squaredLength: Float)]
  {
    let images = try map(rows, minus: mean, in: run)
    return (0..<rows.rowCount).map { row in
      images.withRow(row) { values in
        var (product, squares): (Float, Float) = (0, 0)
        for bit in values.indices {
          product += abs(values[bit]) * magnitudes[bit]
          squares += values[bit] * values[bit]
        }
        let factor = squares / product
        return (factor.isFinite ? factor : 0, squares)
      }
    }
  }

  package func signWeights(of queries: Matrix, isEuclidean: Bool, in run: RunContext)
    throws(BasisError) -> Matrix
  {
    var images = try map(queries, minus: isEuclidean ? mean : nil, in: run)
    let isCut = settings.isSymmetric
    images.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        let magnitude = magnitudes[index % bitCount]
        floats[index] =
          isCut ? (floats[index] < 0 ? -magnitude : magnitude) : floats[index] * magnitude
      }
    }
    return images
  }
}

extension FittedResidualBitQuantizer: SignCodec {
  package var bitCount: Int { levels.count * settings.bits }
  package var headByteCount: Int { 8 }

  /// ‖v‖ / (cos √m) for v the turned x − mean: theorem 3.2's estimate.
  package func signFactors(of rows: Matrix, _ codes: Codes, in run: RunContext) throws(BasisError)
    -> [(factor: Float, squaredLength: Float)]
  {
    codes.withUnsafeBytes { bytes in
      (0..<codes.count).map { row in
        guard let base = bytes.baseAddress else { return (0, 0) }
        let head = Head(base + row * bytesPerVector, meanLength: meanLength)
        let factor = head.residual / (head.cosine * Float(levels.count).squareRoot())
        return (head.cosine > 0 ? factor : 0, head.residual * head.residual)
      }
    }
  }

  package func signWeights(of queries: Matrix, isEuclidean: Bool, in run: RunContext)
    throws(BasisError) -> Matrix
  {
    try map(queries, minus: isEuclidean ? mean : nil, in: run)
  }
}
