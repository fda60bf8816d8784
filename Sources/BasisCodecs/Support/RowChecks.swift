import BasisCore

extension Matrix {
  /// - Throws: `.dimensionMismatch` for rows of another length; `.badData` naming row and column of
  ///   a value that is not finite.
  func requireRows(of dimension: Int, _ name: String) throws(BasisError) {
    guard columnCount == dimension else {
      throw BasisError(
        .dimensionMismatch,
        "\(name): the rows have \(columnCount) values, the codec was fitted to \(dimension)")
    }
    try requireFinite(name)
  }

  /// - Throws: `.invalidArgument` for a matrix without columns or without rows to learn from;
  ///   `.badData` naming row and column of a value that is not finite.
  func requireSample(_ name: String, atLeast count: Int = 1) throws(BasisError) {
    guard columnCount > 0, rowCount >= count else {
      throw BasisError(
        .invalidArgument,
        "\(name): cannot be fitted to \(rowCount) × \(columnCount) values; it needs at least "
          + "\(count) \(count == 1 ? "row" : "rows") of at least one value")
    }
    try requireFinite(name)
  }
}

extension Codes {
  /// - Throws: `.dimensionMismatch` for codes of another length.
  func requireBytes(_ bytesPerVector: Int) throws(BasisError) {
    guard self.bytesPerVector == bytesPerVector else {
      throw BasisError(
        .dimensionMismatch,
        "codes of \(self.bytesPerVector) bytes, the codec's have \(bytesPerVector); they were made "
          + "by another codec")
    }
  }
}

/// Checks a query at the door.
func requireQuery(_ query: [Float], dimension: Int) throws(BasisError) {
  guard query.count == dimension else {
    throw BasisError(
      .dimensionMismatch,
      "the query has \(query.count) values, the codec was fitted to \(dimension)")
  }
  if let column = query.firstIndex(where: { !$0.isFinite }) {
    throw BasisError(.badData, "the query has \(query[column]) at column \(column)")
  }
}

extension FittedCodec {
  /// Codes made row by row, in parallel: `body` writes one row's, which is zero before.
  func codes(
    of rows: Matrix, in run: RunContext, grain: Int = 256,
    _ body:
      @Sendable (
        _ row: Int, _ values: UnsafeBufferPointer<Float>,
        _ code: UnsafeMutablePointer<UInt8>
      ) throws(BasisError) -> Void
  ) throws(BasisError) -> Codes {
    try makeCodes(rows.rowCount, bytesPerVector, grain: grain, in: run) {
      (range, out) throws(BasisError) in
      for row in range {
        try rows.withRow(row) { (values) throws(BasisError) in
          try body(row, values, out + (row - range.lowerBound) * bytesPerVector)
        }
      }
    }
  }
}

/// Codes made by ranges of rows, in parallel; `body` is given where its range's codes go, zeroed.
func makeCodes(
  _ count: Int, _ bytesPerVector: Int, grain: Int, in run: RunContext,
  _ body: @Sendable (Range<Int>, UnsafeMutablePointer<UInt8>) throws(BasisError) -> Void
) throws(BasisError) -> Codes {
  try run.checkCancelled()
  var bytes = [UInt8](repeating: 0, count: count * bytesPerVector)
  // Chunks write disjoint ranges, and the array outlives the loop.
  let failure = bytes.withUnsafeMutableBufferPointer { buffer -> BasisError? in
    guard let base = buffer.baseAddress else { return nil }
    let target = SharedPointer(base)
    do throws(BasisError) {
      try parallelFor(count, grain: grain, in: run) { (_, range) throws(BasisError) in
        try body(range, target.base + range.lowerBound * bytesPerVector)
      }
      return nil
    } catch {
      return error
    }
  }
  if let failure { throw failure }
  return Codes(count: count, bytesPerVector: bytesPerVector, bytes: bytes)
}

/// A matrix made by ranges of rows, in parallel; `body` is given where its range's rows go, zeroed.
func makeMatrix(
  _ rowCount: Int, _ columnCount: Int, grain: Int = 256, in run: RunContext,
  _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) throws(BasisError) -> Void
) throws(BasisError) -> Matrix {
  try run.checkCancelled()
  return try Matrix(rowCount: rowCount, columnCount: columnCount) { (floats) throws(BasisError) in
    guard let base = floats.baseAddress, columnCount > 0 else { return }
    let target = SharedPointer(base)
    try parallelFor(rowCount, grain: grain, in: run) { (_, range) throws(BasisError) in
      try body(range, target.base + range.lowerBound * columnCount)
    }
  }
}
