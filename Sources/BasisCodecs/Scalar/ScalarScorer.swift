import BasisCore

/// Compares a query with the codes of a ``ScalarQuantizer``: the distances are those of the decoded
/// vectors, up to rounding (of the query to 15 bits where codes are whole numbers).
public struct ScalarScorer: CodeScorer, Sendable {
  private let codec: FittedScalarQuantizer
  private let query: [Float]
  private let fixed: FixedPointQuery
  private let metric: ProductMetric
  private let decoded: QueryScorer

  init(_ codec: FittedScalarQuantizer, _ query: [Float], _ metric: Metric) {
    self.codec = codec
    self.query = query
    self.metric = ProductMetric(query, metric)
    let isWhole = codec.kind == .int8 || codec.kind == .int4
    fixed = FixedPointQuery(isWhole ? query : [])
    decoded = QueryScorer(query, metric: metric)
  }

  public func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    guard let target = out.baseAddress else { return }
    let width = codec.bytesPerVector
    codes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let start = base + range.lowerBound * width
      switch codec.kind {
      case .float32: floats(start, range.count, target)
      case .float16:
        halves(
          UnsafeRawPointer(start).assumingMemoryBound(to: Float16.self), .dot, .squaredDistance,
          .dot, range.count, target)
      case .bfloat16:
        halves(
          UnsafeRawPointer(start).assumingMemoryBound(to: BFloat16.self), .dot, .squaredDistance,
          .dot, range.count, target)
      case .int8: bytesOfRows(start, range.count, target)
      case .int4: nibblesOfRows(start, range.count, target)
      case .stochasticInt8, .stochasticInt16: decodedRows(start, range.count, target)
      }
    }
  }

  private func floats(
    _ start: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<Float>
  ) {
    let rows = UnsafeRawPointer(start).assumingMemoryBound(to: Float.self)
    let dimension = codec.dimension
    for row in 0..<count {
      let inverse =
        decoded.metric == .cosine
        ? Metric.inverseNorm(.init(start: rows + row * dimension, count: dimension)) : 1
      out[row] = decoded.distance(to: rows + row * dimension, inverseNorm: inverse)
    }
  }

  private func halves<Half>(
    _ rows: UnsafePointer<Half>, _ dot: DistanceKernel<Float, Half, Float>,
    _ squaredDistance: DistanceKernel<Float, Half, Float>, _ own: DistanceKernel<Half, Half, Float>,
    _ count: Int, _ out: UnsafeMutablePointer<Float>
  ) {
    let dimension = codec.dimension
    query.withUnsafeBufferPointer { query in
      guard let query = query.baseAddress else { return }
      if metric.metric == .squaredEuclidean {
        squaredDistance(
          query, rows: rows, rowCount: count, stride: dimension, dimension: dimension, into: out)
        return
      }
      dot(query, rows: rows, rowCount: count, stride: dimension, dimension: dimension, into: out)
      for row in 0..<count {
        let place = rows + row * dimension
        let squares =
          metric.metric == .cosine ? own(place, place, dimension: dimension) : 0
        out[row] = metric.distance(product: out[row], squaredLength: squares)
      }
    }
  }

  private func bytesOfRows(
    _ start: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<Float>
  ) {
    let width = codec.bytesPerVector
    let rows = UnsafeRawPointer(start + 4).assumingMemoryBound(to: Int8.self)
    fixed.products(with: rows, rowCount: count, stride: width, into: out)
    for row in 0..<count {
      let factor = UnsafeRawPointer(start + row * width).loadUnaligned(as: Float.self)
      let squares = metric.needsLength ? fixed.squares(of: rows + row * width) : 0
      out[row] = metric.distance(
        product: factor * out[row], squaredLength: factor * factor * squares)
    }
  }

  private func nibblesOfRows(
    _ start: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<Float>
  ) {
    let (width, dimension, grain) = (codec.bytesPerVector, codec.dimension, 64)
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: grain * dimension) { buffer in
      guard let odd = buffer.baseAddress else { return }
      for first in Swift.stride(from: 0, to: count, by: grain) {
        let block = min(grain, count - first)
        let codes = start + first * width
        for row in 0..<block {
          codec.levels.unpackOdd(codes + row * width + 4, into: odd + row * dimension)
        }
        fixed.products(with: odd, rowCount: block, stride: dimension, into: out + first)
        for row in 0..<block {
          let factor = UnsafeRawPointer(codes + row * width).loadUnaligned(as: Float.self)
          let squares = metric.needsLength ? fixed.squares(of: odd + row * dimension) : 0
          out[first + row] = metric.distance(
            product: factor * out[first + row], squaredLength: factor * factor * squares)
        }
      }
    }
  }

  private func decodedRows(
    _ start: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<Float>
  ) {
    let dimension = codec.dimension
    withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) { buffer in
      guard let values = buffer.baseAddress else { return }
      for row in 0..<count {
        codec.decode(start + row * codec.bytesPerVector, into: values)
        let inverse =
          decoded.metric == .cosine
          ? Metric.inverseNorm(.init(start: values, count: dimension)) : 1
        out[row] = decoded.distance(to: values, inverseNorm: inverse)
      }
    }
  }
}
