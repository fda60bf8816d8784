/// Rows of which most entries are zero, as compressed sparse rows.
///
/// Row `r` has the columns `columns[offsets[r] ..< offsets[r + 1]]`, rising, with `values` beside
/// them.
public struct SparseMatrix: Sendable, Equatable {
  public let columnCount: Int
  public private(set) var offsets: [Int]
  public private(set) var columns: [Int32]
  public private(set) var values: [Float]

  public var rowCount: Int { offsets.count - 1 }
  public var nonZeroCount: Int { values.count }

  /// A matrix without rows, to be appended to.
  public init(columnCount: Int) {
    self.columnCount = columnCount
    offsets = [0]
    columns = []
    values = []
  }

  /// A matrix from its three arrays, as the type's comment describes them.
  ///
  /// - Precondition: they do describe a matrix; only their lengths are checked.
  package init(columnCount: Int, offsets: [Int], columns: [Int32], values: [Float]) {
    precondition(columns.count == values.count && offsets.last == values.count)
    self.columnCount = columnCount
    self.offsets = offsets
    self.columns = columns
    self.values = values
  }

  /// Adds a row.
  ///
  /// - Precondition: `entries` rise by column, and each column is in `0 ..< columnCount`.
  public mutating func append(row entries: some Sequence<(column: Int, value: Float)>) {
    var last = -1
    for (column, value) in entries {
      precondition(column > last && column < columnCount, "columns must rise and stay inside")
      last = column
      columns.append(Int32(column))
      values.append(value)
    }
    offsets.append(values.count)
  }

  /// Multiplies every stored value of column `c` by `factors[c]`.
  public mutating func scaleColumns(by factors: [Float]) {
    precondition(factors.count == columnCount)
    for index in values.indices { values[index] *= factors[Int(columns[index])] }
  }

  /// Scales every row to unit Euclidean length; a row of zeros stays one.
  public mutating func normalizeRows() {
    for row in 0..<rowCount {
      let range = offsets[row]..<offsets[row + 1]
      let squared = values[range].reduce(0.0) { $0 + Double($1) * Double($1) }
      guard squared > 0 else { continue }
      let factor = Float(1 / squared.squareRoot())
      for index in range { values[index] *= factor }
    }
  }
}
