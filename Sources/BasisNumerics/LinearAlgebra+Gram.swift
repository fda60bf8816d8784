import BasisCore

extension LinearAlgebra {
  /// xᵀ x of rows that somebody else makes, summed in `Double`.
  ///
  /// - Parameters:
  ///   - count: rows of x.
  ///   - side: columns of x.
  ///   - fill: writes some rows of x, one after the other; called from any thread.
  /// - Returns: `side × side`, of which the upper triangle by rows is filled. The same bits at any
  ///   number of threads.
  /// - Throws: `.unsupported` for a side of 2³¹ or more; `.cancelled`.
  /// - Complexity: O(`count` · `side`²), parallel over rows; 8 `side`² bytes for each of eight chunks.
  static func gram(
    count: Int, side: Int, _ library: OpenBLAS, in run: RunContext,
    _ fill: @Sendable (_ rows: Range<Int>, _ block: UnsafeMutablePointer<Double>) -> Void
  ) throws(BasisError) -> [Double] {
    let width = try blasSize(side, "product of a matrix with itself")
    guard count > 0, side > 0 else { return Array(repeating: 0, count: side * side) }
    // Few chunks, as each has a sum of its own; from the shape alone, so that rounding is, too.
    let grain = max(256, (count + 7) / 8)
    let sums = try parallelMap(count, grain: grain, in: run) {
      (_, range) throws(BasisError) -> [Double] in
      var sum = [Double](repeating: 0, count: side * side)
      var block = [Double](repeating: 0, count: 256 * side)
      for first in stride(from: range.lowerBound, to: range.upperBound, by: 256) {
        try run.checkCancelled()
        let rows = first..<min(first + 256, range.upperBound)
        block.withUnsafeMutableBufferPointer { block in
          if let start = block.baseAddress { fill(rows, start) }
        }
        // Row-major, upper triangle, transposed: sum += blockᵀ · block.
        library.dsyrk(101, 121, 112, width, Int32(rows.count), 1, block, width, 1, &sum, width)
      }
      return sum
    }
    var total = sums[0]
    for sum in sums.dropFirst() {
      for index in total.indices { total[index] += sum[index] }
    }
    return total
  }

  /// A map that takes what has this covariance to what has the unit one: *r* rows W with
  /// W S Wᵀ = 1 and Wᵀ W the (pseudo-)inverse of S.
  ///
  /// The inverse of Cholesky's factor. Where a column is all but a linear map of those before it, so that
  /// less than 10⁻¹² of its variance is its own (what rounding to `Float` leaves), the eigenvectors
  /// whose values are above that share of the largest, over the roots of these.
  ///
  /// - Parameters:
  ///   - covariance: `d × d`, symmetric, finite; the lower triangle by rows is read.
  ///   - d: its side, at least 1.
  /// - Returns: `r × d`, and *r*, 0 where the covariance is.
  /// - Throws: `.unsupported` for a side of 2³¹ or more; `.badData` where no eigenvalues are found.
  /// - Complexity: O(*d*³), one thread.
  static func whitening(_ covariance: [Double], side d: Int, _ library: OpenBLAS)
    throws(BasisError) -> (rows: [Double], rank: Int)
  {
    let share = 1e-12
    var side = try blasSize(d, "whitening")
    var factor = covariance
    var info: Int32 = 0
    // Our lower triangle is the upper one of the column-major reading.
    library.dpotrf("U", &side, &factor, &side, &info, 1)
    let isSound =
      info == 0
      && (0..<d).allSatisfy { place in
        let pivot = factor[place * (d + 1)]
        return pivot * pivot > share * covariance[place * (d + 1)]
      }
    if isSound {
      library.dtrtri("U", "N", &side, &factor, &side, &info, 1, 1)
      for row in 0..<d {
        for column in stride(from: row + 1, to: d, by: 1) { factor[row * d + column] = 0 }
      }
      if info == 0 { return (factor, d) }
    }

    var vectors = covariance
    for row in 0..<d {
      for column in 0..<row { vectors[column * d + row] = vectors[row * d + column] }
    }
    let values = try eigenvalues(&vectors, side: d, keepsVectors: true, library)
    let least = max(share, Double(d) * Double.ulpOfOne) * (values.last ?? 0)
    var rows: [Double] = []
    var rank = 0
    for (place, value) in values.enumerated() where value > least {
      let scale = 1 / value.squareRoot()
      for column in 0..<d { rows.append(vectors[place * d + column] * scale) }
      rank += 1
    }
    return (rows, rank)
  }
}
