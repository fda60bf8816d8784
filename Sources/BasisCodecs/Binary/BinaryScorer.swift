import BasisCore
import CBasisKernels

/// Compares a query with the codes of a ``BinaryQuantizer``.
///
/// A whole query is measured against the decoded vectors; a query cut to bits by how many bits
/// differ, with the angle that so many stand for, or `4 a²` a bit for the squared distance, *a* the
/// mean magnitude.
public struct BinaryScorer: CodeScorer, Sendable {
  private enum Kind: Sendable {
    case symmetric(code: [UInt64], distances: [Float])
    /// Twice the query's rotated values times magnitudes, and their sum.
    case whole(weights: [Float], sum: Float, start: Float)
    /// And the same of the mean, for the decoded vector's length.
    case cosine(
      weights: [Float], sum: Float, start: Float, lengthWeights: [Float], lengthStart: Float)
  }

  private let kind: Kind
  private let metric: ProductMetric
  private let bitCount: Int
  private let wordCount: Int

  init(_ codec: FittedBinaryQuantizer, symmetric code: [UInt8], _ metric: Metric) {
    let bits = codec.bitCount
    let mean = codec.magnitudes.reduce(0, +) / Float(bits)
    let isSquared = metric == .squaredEuclidean
    let distances = (0...bits).map { (different: Int) -> Float in
      if isSquared { return 4 * mean * mean * Float(different) }
      return Float(1 - cosine(Double.pi * Double(different) / Double(bits)))
    }
    let words = code.withUnsafeBytes { raw in
      (0..<codec.wordCount).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
    }
    kind = .symmetric(code: words, distances: distances)
    self.metric = ProductMetric([], metric)
    bitCount = bits
    wordCount = codec.wordCount
  }

  init(_ codec: FittedBinaryQuantizer, _ query: [Float], _ metric: Metric) {
    func weights(_ vector: [Float]) -> [Float] {
      zip(codec.map(vector), codec.magnitudes).map { 2 * $0 * $1 }
    }
    func product(_ a: [Float], _ b: [Float]) -> Float {
      Float(zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
    }
    let squares = product(codec.magnitudes, codec.magnitudes)
    self.metric = ProductMetric(query, metric)
    bitCount = codec.bitCount
    wordCount = codec.wordCount
    // With x = mean + inverse(±a): products are those of rotated values and ±a, and of the mean.
    if metric == .squaredEuclidean {
      let centred = zip(query, codec.mean).map { $0 - $1 }
      let weights = weights(centred)
      kind = .whole(
        weights: weights, sum: weights.reduce(0, +) / 2, start: product(centred, centred) + squares)
    } else {
      let weights = weights(query)
      let start = product(query, codec.mean)
      let sum = weights.reduce(0, +) / 2
      if metric == .cosine {
        let lengths = Self.doubled(codec.map(codec.mean), codec.magnitudes)
        kind = .cosine(
          weights: weights, sum: sum, start: start, lengthWeights: lengths,
          lengthStart: product(codec.mean, codec.mean) + squares - lengths.reduce(0, +))
      } else {
        kind = .whole(weights: weights, sum: sum, start: start)
      }
    }
  }

  private static func doubled(_ a: [Float], _ b: [Float]) -> [Float] {
    zip(a, b).map { 2 * $0 * $1 }
  }

  public func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    guard let target = out.baseAddress else { return }
    codes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let start = base + range.lowerBound * 8 * wordCount
      switch kind {
      case .symmetric(let code, let distances):
        compare(code, distances, start, range.count, target)
      case .whole(let weights, let sum, let offset):
        sums(weights, start, range.count, target)
        let isSquared = metric.metric == .squaredEuclidean
        for row in 0..<range.count {
          let product = target[row] - sum
          target[row] = isSquared ? max(0, offset - 2 * product) : -(offset + product)
        }
      case .cosine(let weights, let sum, let offset, let lengthWeights, let lengthStart):
        sums(weights, start, range.count, target)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { lengths in
          guard let lengths = lengths.baseAddress else { return }
          sums(lengthWeights, start, range.count, lengths)
          for row in 0..<range.count {
            target[row] = metric.distance(
              product: offset + target[row] - sum,
              squaredLength: lengthStart + 2 * lengths[row])
          }
        }
      }
    }
  }

  private func sums(
    _ weights: [Float], _ codes: UnsafePointer<UInt8>, _ count: Int,
    _ out: UnsafeMutablePointer<Float>
  ) {
    weights.withUnsafeBufferPointer {
      LevelStream.kernels.sum_at_bits_rows(
        $0.baseAddress, codes, count, 8 * wordCount, bitCount, out)
    }
  }

  private func compare(
    _ code: [UInt64], _ distances: [Float], _ codes: UnsafePointer<UInt8>, _ count: Int,
    _ out: UnsafeMutablePointer<Float>
  ) {
    let kernel = DistanceKernel<UInt64, UInt64, Int32>.hamming
    let rows = UnsafeRawPointer(codes).assumingMemoryBound(to: UInt64.self)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { different in
      code.withUnsafeBufferPointer { code in
        guard let code = code.baseAddress, let different = different.baseAddress else { return }
        kernel(
          code, rows: rows, rowCount: count, stride: wordCount, dimension: wordCount,
          into: different)
      }
      for row in 0..<count { out[row] = distances[Int(different[row])] }
    }
  }
}
