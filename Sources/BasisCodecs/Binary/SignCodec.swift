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

  /// What queries go through before they are multiplied with signs.
  ///
  /// - Parameter isEuclidean: whether distances are Euclidean; then the mean is taken off.
  func signTurn(isEuclidean: Bool) -> SignTurn
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

  package func signTurn(isEuclidean: Bool) -> SignTurn {
    SignTurn(
      map, minus: isEuclidean ? mean : nil, magnitudes: magnitudes, isCut: settings.isSymmetric)
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

  package func signTurn(isEuclidean: Bool) -> SignTurn {
    SignTurn(map, minus: isEuclidean ? mean : nil, magnitudes: nil, isCut: false)
  }
}

/// Turns queries, and weights them for products with signs. The map is laid out once for all.
package final class SignTurn: Sendable {
  private let map: Kernels.PackedRows
  private let mean: [Float]?
  private let magnitudes: [Float]?
  private let isCut: Bool
  private let inputCount: Int
  /// Weights of a query.
  package let count: Int

  /// - Parameters:
  ///   - map: the turn.
  ///   - mean: taken off before; nil for nothing.
  ///   - magnitudes: what is multiplied with after; nil for 1.
  ///   - isCut: whether only signs are kept, times magnitudes.
  init(_ map: LinearMap, minus mean: [Float]?, magnitudes: [Float]?, isCut: Bool) {
    self.map = Kernels.PackedRows(.right, map.matrix)
    self.mean = mean
    self.magnitudes = magnitudes
    self.isCut = isCut
    inputCount = map.inputCount
    count = map.outputCount
  }

  /// The weights of some queries, a row each, with the same bits whatever the batch.
  package func callAsFunction(_ queries: Matrix, _ range: Range<Int>) -> Matrix {
    let centred = mean.map { queries.centred(range, by: $0) }
    let source = centred ?? queries
    let first = centred == nil ? range.lowerBound : 0
    return Matrix(rowCount: range.count, columnCount: count) { target in
      guard let out = target.baseAddress, inputCount > 0, !range.isEmpty else { return }
      let rows = Kernels.PackedRows(.left, source, rows: first..<first + range.count)
      Kernels.product(rows, map, into: out, cStride: count)
      guard let magnitudes else { return }
      for row in 0..<range.count {
        for bit in 0..<count {
          let value = out[row * count + bit]
          out[row * count + bit] = magnitudes[bit] * (isCut ? (value < 0 ? -1 : 1) : value)
        }
      }
    }
  }
}
