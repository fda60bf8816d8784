import BasisCore

/// Compares a query with the codes of a ``ResidualBitQuantizer``: without bias, and with a bound.
public struct ResidualBitScorer: CodeScorer, Sendable {
  private let codec: FittedResidualBitQuantizer
  private let metric: ProductMetric
  private let fixed: FixedPointQuery
  /// Of the query with the mean; of the query less the mean, its squared length.
  private let offset: Float
  /// The length of what is multiplied with residuals, over √(d − 1), times the deviations asked for.
  private let reach: Float

  init(_ codec: FittedResidualBitQuantizer, _ query: [Float], _ metric: Metric) {
    self.codec = codec
    self.metric = ProductMetric(query, metric)
    let centred =
      metric == .squaredEuclidean ? zip(query, codec.mean).map { $0 - $1 } : query
    let image = codec.map(centred)
    fixed = FixedPointQuery(image)
    offset =
      metric == .squaredEuclidean
      ? Float(centred.reduce(0.0) { $0 + Double($1) * Double($1) })
      : Float(zip(query, codec.mean).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
    reach =
      codec.settings.deviations * length(image)
      / Float(max(1, codec.levels.count - 1)).squareRoot()
  }

  public func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    estimate(codes, range, into: out, bounds: nil)
  }

  /// Estimates of distances, and how far each may be off.
  ///
  /// - Parameters:
  ///   - codes: of the codec that made the scorer.
  ///   - range: which of them.
  ///   - out: room for `range.count` distances.
  ///   - bounds: room for as many: the distance of the vector that was encoded lies within this of
  ///     the estimate, except in about one case of twenty with 1.9 deviations.
  public func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>,
    bounds: UnsafeMutableBufferPointer<Float>
  ) {
    estimate(codes, range, into: out, bounds: bounds)
  }

  private func estimate(
    _ codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>,
    bounds: UnsafeMutableBufferPointer<Float>?
  ) {
    guard let target = out.baseAddress else { return }
    let (width, count) = (codec.bytesPerVector, codec.levels.count)
    codec.levels.forEachBlock(of: codes, range, skipping: 8) { block, start, odd in
      let target = target + block.lowerBound
      fixed.products(with: odd, rowCount: block.count, stride: count, into: target)
      for row in 0..<block.count {
        let squares =
          codec.settings.bits == 1 ? Float(count) : fixed.squares(of: odd + row * count)
        finish(
          target + row, bounds?.baseAddress.map { $0 + block.lowerBound + row },
          start + row * width, squares: squares)
      }
    }
  }

  /// Makes a distance of the product with a grid point whose squared length is `squares`.
  @inline(__always)
  private func finish(
    _ value: UnsafeMutablePointer<Float>, _ bound: UnsafeMutablePointer<Float>?,
    _ code: UnsafePointer<UInt8>, squares: Float
  ) {
    let head = FittedResidualBitQuantizer.Head(code, meanLength: codec.meanLength)
    var product: Float = 0
    if head.cosine > 0 {
      product = value.pointee * head.residual / (head.cosine * squares.squareRoot())
    }
    // How far the product may be off; rows without a residual are exact.
    var slack: Float = 0
    if head.cosine > 0 {
      slack =
        reach * head.residual
        * max(0, 1 - head.cosine * head.cosine).squareRoot() / head.cosine
    }
    switch metric.metric {
    case .innerProduct: value.pointee = -(offset + product)
    case .squaredEuclidean:
      value.pointee = max(0, offset + head.residual * head.residual - 2 * product)
      slack *= 2
    case .cosine:
      let scale = head.length > 0 ? metric.inverseLength / head.length : 0
      value.pointee = min(2, max(0, 1 - (offset + product) * scale))
      slack *= scale
    }
    bound?.pointee = slack
  }
}
