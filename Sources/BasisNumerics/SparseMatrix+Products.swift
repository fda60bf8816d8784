public import BasisCore

extension SparseMatrix {
  /// Columns as rows; entries of a row stay in rising order.
  ///
  /// - Complexity: O(*nonzeros* + *rows* + *columns*).
  public func transposed() -> SparseMatrix {
    var starts = [Int](repeating: 0, count: columnCount + 1)
    for column in columns { starts[Int(column) + 1] += 1 }
    for column in 0..<columnCount { starts[column + 1] += starts[column] }
    var next = starts
    var turnedColumns = [Int32](repeating: 0, count: nonZeroCount)
    var turnedValues = [Float](repeating: 0, count: nonZeroCount)
    for row in 0..<rowCount {
      for index in offsets[row]..<offsets[row + 1] {
        let place = next[Int(columns[index])]
        next[Int(columns[index])] += 1
        turnedColumns[place] = Int32(row)
        turnedValues[place] = values[index]
      }
    }
    return SparseMatrix(
      columnCount: rowCount, offsets: starts, columns: turnedColumns, values: turnedValues)
  }

  /// `self · dense`.
  ///
  /// - Parameter dense: `columnCount × n`.
  /// - Parameter run: seed, threads and cancellation.
  /// - Returns: `rowCount × n`; each value is the sum over the row's entries in order.
  /// - Throws: `.dimensionMismatch` with both shapes; `.cancelled`.
  /// - Complexity: O(*nonzeros* · *n*), parallel over blocks of rows.
  public func product(_ dense: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    guard dense.rowCount == columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "product: sparse \(rowCount) × \(columnCount) times \(dense.rowCount) × "
          + "\(dense.columnCount) needs \(columnCount) = \(dense.rowCount)")
    }
    let n = dense.columnCount
    return try Matrix(rowCount: rowCount, columnCount: n) { (target) throws(BasisError) in
      guard let start = target.baseAddress, n > 0 else { return }
      let result = SharedPointer(start)
      try parallelFor(rowCount, grain: 256, in: run) { (_, rows) throws(BasisError) in
        dense.withUnsafeFloats { denseFloats in
          columns.withUnsafeBufferPointer { columns in
            values.withUnsafeBufferPointer { values in
              // Without entries there is nothing to add, and the result is zero already.
              guard let denseBase = denseFloats.baseAddress, let columnBase = columns.baseAddress,
                let valueBase = values.baseAddress
              else { return }
              for row in rows {
                let first = offsets[row]
                Kernels.weightedRows(
                  valueBase + first, columnBase + first, count: offsets[row + 1] - first,
                  dense: denseBase, stride: n, columnCount: n, into: result.base + row * n)
              }
            }
          }
        }
      }
    }
  }

  /// - Throws: `.badData` naming row and column if a stored value is NaN or infinite.
  public func requireFinite(_ name: String) throws(BasisError) {
    guard let index = values.firstIndex(where: { !$0.isFinite }) else { return }
    let row = offsets.partitioningIndex { $0 > index } - 1
    throw BasisError(
      .badData,
      "\(name) has \(values[index]) at row \(row), column \(columns[index]); "
        + "remove or replace the row")
  }
}

extension [Int] {
  /// The first index whose element satisfies `predicate`, where those that do come last.
  fileprivate func partitioningIndex(where predicate: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
