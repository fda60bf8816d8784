import BasisCore

/// A query against product codes: a table of what each word of each part adds.
///
/// Jégou et al. (see ``ProductQuantizer``), equation 13: distances to the vectors that codes stand
/// for, not to the vectors that were encoded.
public struct ProductScorer: CodeScorer, Sendable {
  private let codec: FittedProductQuantizer
  private let metric: Metric
  /// `parts × size`: negated products, or squared distances.
  package let table: [Float]
  /// `parts × size`: squared norms, for cosines; else empty.
  private let squares: [Float]
  private let queryInverseNorm: Float

  init(_ codec: FittedProductQuantizer, _ query: [Float], metric: Metric) {
    self.codec = codec
    self.metric = metric
    let book = codec.book
    let (parts, width, size) = (book.parts, book.width, book.size)
    var table = [Float](repeating: 0, count: parts * size)
    var squares = [Float](repeating: 0, count: metric == .cosine ? parts * size : 0)
    if metric == .squaredEuclidean {
      for part in 0..<parts {
        for column in part * width..<(part + 1) * width {
          for word in 0..<size {
            let difference = query[column] - book.words[column * size + word]
            table[part * size + word] += difference * difference
          }
        }
      }
    } else {
      book.products(with: query, into: &table)
    }
    if metric == .cosine {
      for part in 0..<parts {
        for column in part * width..<(part + 1) * width {
          for word in 0..<size {
            let value = book.words[column * size + word]
            squares[part * size + word] += value * value
          }
        }
      }
    }
    self.table = table
    self.squares = squares
    queryInverseNorm = query.withUnsafeBufferPointer { Metric.inverseNorm($0) }
  }

  public func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(
      codes.bytesPerVector == codec.bytesPerVector && range.lowerBound >= 0
        && range.upperBound <= codes.count && out.count >= range.count,
      "codes of another codec, or outside the range")
    sums(table, codes, range, into: out)
    guard metric == .cosine else { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { norms in
      sums(squares, codes, range, into: norms)
      for index in 0..<range.count {
        let squared = norms[index]
        let scale = squared > 0 ? queryInverseNorm / squared.squareRoot() : 0
        out[index] = min(2, max(0, 1 + out[index] * scale))
      }
    }
  }

  /// The sums of a table's entries, in the order of the parts.
  private func sums(
    _ table: [Float], _ codes: Codes, _ range: Range<Int>,
    into out: UnsafeMutableBufferPointer<Float>
  ) {
    let (parts, size, stride) = (codec.parts, codec.book.size, codec.bytesPerVector)
    codes.withUnsafeBytes { bytes in
      table.withUnsafeBufferPointer { table in
        guard let bytes = bytes.baseAddress, let table = table.baseAddress else { return }
        for index in 0..<range.count {
          let code = bytes + (range.lowerBound + index) * stride
          var sum: Float = 0
          if size == 256 {
            for part in 0..<parts { sum += table[part << 8 + Int(code[part])] }
          } else {
            for part in 0..<parts {
              sum += table[part << 4 + Int(code[part >> 1] >> (UInt8(part & 1) << 2) & 15)]
            }
          }
          out[index] = sum
        }
      }
    }
  }
}
