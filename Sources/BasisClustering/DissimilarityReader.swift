import BasisCore

/// Reads dissimilarities row by row.
///
/// Unchecked: the pointer is into a matrix that ``owner`` keeps, and that nobody writes.
struct DissimilarityReader: @unchecked Sendable {
  let count: Int
  private let owner: Dissimilarities
  private let base: UnsafePointer<Float>
  private let kind: Kind

  private enum Kind {
    case square, triangle
    case rows(DissimilarityMetric, dimension: Int)
  }

  init(_ dissimilarities: Dissimilarities) {
    owner = dissimilarities
    count = dissimilarities.count
    let matrix: Matrix
    switch dissimilarities.storage {
    case .square(let square): (matrix, kind) = (square, .square)
    case .triangle(let triangle): (matrix, kind) = (triangle, .triangle)
    case .rows(let rows, let metric):
      (matrix, kind) = (rows, .rows(metric, dimension: rows.columnCount))
    }
    base = matrix.withUnsafeFloats { $0.baseAddress ?? Self.nothing }
  }

  // An empty matrix has nothing to point to.
  nonisolated(unsafe) private static let nothing = UnsafePointer<Float>(
    UnsafeMutablePointer<Float>.allocate(capacity: 1))

  /// From one thing to all others: in place, or written into `scratch`, which has room for `count`.
  @inline(__always)
  func row(_ index: Int, _ scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    if case .square = kind { return base + index * count }
    read(index, 0..<count, into: scratch)
    return UnsafePointer(scratch)
  }

  func distance(_ a: Int, _ b: Int) -> Float {
    guard a != b else { return 0 }
    switch kind {
    case .square: return base[a * count + b]
    case .triangle:
      let (high, low) = (max(a, b), min(a, b))
      return base[high * (high - 1) / 2 + low]
    case .rows(let metric, let d):
      return metric.distance(base + a * d, base + b * d, dimension: d)
    }
  }

  /// From one thing to some that follow each other.
  func read(_ index: Int, _ others: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    switch kind {
    case .square:
      out.update(from: base + index * count + others.lowerBound, count: others.count)
    case .triangle:
      for (place, other) in others.enumerated() { out[place] = distance(index, other) }
    case .rows(let metric, let d):
      metric.distances(
        of: base + index * d, to: base + others.lowerBound * d, rowCount: others.count,
        dimension: d, into: out)
      if others.contains(index) { out[index - others.lowerBound] = 0 }
    }
  }
}

extension DissimilarityMetric {
  /// The same bits either way round, and as in
  /// ``distances(of:to:rowCount:dimension:into:)``; rows of unit length for the cosine.
  func distance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, dimension: Int) -> Float {
    guard dimension > 0 else { return 0 }
    return switch self {
    case .euclidean: Kernels.squaredDistance(a, b, count: dimension).squareRoot()
    case .squaredEuclidean: Kernels.squaredDistance(a, b, count: dimension)
    case .cosine: max(0, 1 - Kernels.dot(a, b, count: dimension))
    }
  }

  func distances(
    of a: UnsafePointer<Float>, to rows: UnsafePointer<Float>, rowCount: Int, dimension: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    guard dimension > 0 else {
      out.initialize(repeating: 0, count: rowCount)
      return
    }
    let kernel: DistanceKernel<Float, Float, Float> = self == .cosine ? .dot : .squaredDistance
    kernel(
      a, rows: rows, rowCount: rowCount, stride: dimension, dimension: dimension, into: out)
    switch self {
    case .euclidean: for row in 0..<rowCount { out[row] = out[row].squareRoot() }
    case .squaredEuclidean: break
    case .cosine: for row in 0..<rowCount { out[row] = max(0, 1 - out[row]) }
    }
  }
}
