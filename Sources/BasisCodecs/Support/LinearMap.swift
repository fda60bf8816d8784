import BasisCore
import BasisNumerics

/// z = M x, for rows x, with the same bits whatever the batch.
struct LinearMap: Sendable {
  /// `outputs × inputs`.
  let matrix: Matrix

  var inputCount: Int { matrix.columnCount }
  var outputCount: Int { matrix.rowCount }
  var byteCount: Int { 4 * matrix.rowCount * matrix.columnCount }

  /// Calls `body` with the images of a range of rows, `outputCount` floats each.
  func withImages<R>(
    of rows: Matrix, _ range: Range<Int>, minus mean: [Float]? = nil,
    _ body: (UnsafeMutablePointer<Float>) throws(BasisError) -> R
  ) throws(BasisError) -> R {
    let scratch = Kernels.ProductScratch()
    let images = UnsafeMutablePointer<Float>.allocate(capacity: max(1, range.count * outputCount))
    defer { images.deallocate() }
    images.initialize(repeating: 0, count: max(1, range.count * outputCount))
    let centred = mean.map { rows.centred(range, by: $0) }
    let source = centred ?? rows
    let first = centred == nil ? range.lowerBound : 0
    source.withUnsafeFloats { floats in
      matrix.withUnsafeFloats { map in
        guard let floats = floats.baseAddress, let map = map.baseAddress, outputCount > 0,
          inputCount > 0, !range.isEmpty
        else { return }
        Kernels.product(
          floats + first * inputCount, aStride: inputCount, aCount: range.count, map,
          bStride: inputCount, bCount: outputCount, dimension: inputCount, into: images,
          cStride: outputCount, scratch: scratch)
      }
    }
    return try body(images)
  }

  /// The images of all rows.
  func callAsFunction(
    _ rows: Matrix, minus mean: [Float]? = nil, in run: RunContext
  ) throws(BasisError) -> Matrix {
    try makeMatrix(rows.rowCount, outputCount, in: run) { (range, out) throws(BasisError) in
      try withImages(of: rows, range, minus: mean) { images in
        out.update(from: images, count: range.count * outputCount)
      }
    }
  }

  /// The image of one vector: the bits that it has as a row.
  func callAsFunction(_ vector: [Float]) -> [Float] {
    let row = Matrix(rowCount: 1, columnCount: vector.count) { target in
      for index in vector.indices { target[index] = vector[index] }
    }
    var image: [Float] = []
    // Nothing in the closure throws.
    try? withImages(of: row, 0..<1) { images in
      image = Array(UnsafeBufferPointer(start: images, count: outputCount))
    }
    return image
  }
}

extension Matrix {
  /// Some rows less a vector.
  func centred(_ range: Range<Int>, by mean: [Float]) -> Matrix {
    Matrix(rowCount: range.count, columnCount: columnCount) { target in
      withUnsafeFloats { source in
        for row in 0..<range.count {
          let start = (range.lowerBound + row) * columnCount
          for column in 0..<columnCount {
            target[row * columnCount + column] = source[start + column] - mean[column]
          }
        }
      }
    }
  }

  /// The mean of each column, added up in `Double`.
  func columnMeans() -> [Float] {
    var sums = [Double](repeating: 0, count: columnCount)
    withUnsafeFloats { floats in
      for row in 0..<rowCount {
        for column in 0..<columnCount { sums[column] += Double(floats[row * columnCount + column]) }
      }
    }
    return sums.map { Float($0 / Double(max(1, rowCount))) }
  }

  /// The directions in which the rows reach furthest, best first: eigenvectors of the second
  /// moments, one a row, `count × columnCount`.
  func principalDirections(_ count: Int, in run: RunContext) throws(BasisError) -> Matrix {
    let moments = try LinearAlgebra.product(self, self, transposingA: true, in: run)
    try run.checkCancelled()
    let directions = try LinearAlgebra.symmetricEigen(moments).vectors.transposed()
    return directions.selecting(rows: 0..<count)
  }
}
