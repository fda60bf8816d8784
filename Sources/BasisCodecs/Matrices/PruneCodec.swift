public import BasisCore
public import BasisFormats

/// Keeps the largest values of a matrix and takes all others for zero.
///
/// Compressed sparse rows have a value and a column an entry and a pointer a row; where so few are
/// left that pointers would cost more than they save (below three entries in four rows … *r d* < 3),
/// entries name their row instead.
public struct PruneCodec: MatrixCompressor {
  /// Bytes as a share of the matrix's own, above 0.
  public var ratio: Double
  /// Bytes of a column's number: 2 or 4; nil takes 2 where they suffice.
  public var columnBytes: Int?

  public init(ratio: Double = 0.25, columnBytes: Int? = nil) {
    self.ratio = ratio
    self.columnBytes = columnBytes
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    ratio = try values.decodeIfPresent(Double.self, forKey: .ratio) ?? 0.25
    columnBytes = try values.decodeIfPresent(Int.self, forKey: .columnBytes)
  }

  /// Whether entries name their rows, and how many entries fit.
  ///
  /// With 4 bytes for values, columns and pointers: *n* (*r d* − 1) / 2 entries in compressed rows,
  /// *n d r* / 3 that name their row.
  func layout(rowCount n: Int, columnCount d: Int) throws(BasisError) -> (
    namesRows: Bool, columnBytes: Int, count: Int
  ) {
    try requireRatio(ratio, "pruning")
    guard columnBytes.map({ $0 == 4 || $0 == 2 && d <= 65_536 }) ?? true else {
      throw BasisError(
        .invalidArgument,
        "pruning: column numbers of \(columnBytes ?? 0) bytes for \(d) columns; use 4, or nil")
    }
    let width = columnBytes ?? (d <= 65_536 ? 2 : 4)
    let budget = min(ratio, 4) * 4 * Double(n) * Double(d)
    let namesRows = ratio * Double(d) < 3
    let count =
      namesRows
      ? budget / Double(8 + width) : (budget - 4 * Double(n + 1)) / Double(4 + width)
    return (namesRows, width, min(n * d, max(0, Int(count.rounded(.down)))))
  }

  /// - Complexity: O(*n* *d* log(*n* *d*)).
  public func compress(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> PrunedMatrix
  {
    try run.checkCancelled()
    try rows.requireFinite("the matrix to prune")
    let (n, d) = (rows.rowCount, rows.columnCount)
    let (namesRows, width, count) = try layout(rowCount: n, columnCount: d)
    guard count > 0 || n * d == 0 else {
      throw unreachable(ratio, smallest: Double(8 + width) / (4 * Double(n * d)), "pruning")
    }
    // The exact threshold; of values that tie with it the first are kept.
    let (threshold, ties) = rows.withUnsafeFloats { floats -> (Float, Int) in
      let sizes = floats.map { abs($0) }.sorted(by: >)
      guard count > 0, count <= sizes.count else { return (0, 0) }
      let threshold = sizes[count - 1]
      return (threshold, count - (sizes.firstIndex { $0 <= threshold } ?? 0))
    }
    try run.checkCancelled()
    var left = ties
    var (values, columns, pointers): ([Float], [UInt32], [UInt32]) = ([], [], namesRows ? [] : [0])
    values.reserveCapacity(count)
    rows.withUnsafeFloats { floats in
      for row in 0..<n {
        for column in 0..<d where count > 0 {
          let value = floats[row * d + column]
          if abs(value) == threshold {
            guard left > 0 else { continue }
            left -= 1
          } else if abs(value) < threshold {
            continue
          }
          values.append(value)
          columns.append(UInt32(column))
          if namesRows { pointers.append(UInt32(row)) }
        }
        if !namesRows { pointers.append(UInt32(values.count)) }
      }
    }
    return PrunedMatrix(
      rowCount: n, columnCount: d, columnBytes: width, namesRows: namesRows, values: values,
      columns: columns, pointers: pointers)
  }
}

/// A matrix of which the largest values are left.
public struct PrunedMatrix: CompressedMatrix {
  public let rowCount: Int
  public let columnCount: Int
  let columnBytes: Int
  let namesRows: Bool
  let values: [Float]
  let columns: [UInt32]
  /// Where each row starts, and the end; or each entry's row.
  let pointers: [UInt32]

  public var byteCount: Int { (4 + columnBytes) * values.count + 4 * pointers.count }
  /// Values that are left, of all.
  public var density: Double {
    rowCount * columnCount > 0 ? Double(values.count) / Double(rowCount * columnCount) : 0
  }

  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return Matrix(rowCount: range.count, columnCount: columnCount) { out in
      guard namesRows else {
        for row in range {
          for entry in Int(pointers[row])..<Int(pointers[row + 1]) {
            out[(row - range.lowerBound) * columnCount + Int(columns[entry])] = values[entry]
          }
        }
        return
      }
      var (low, high) = (0, pointers.count)
      while low < high {
        let middle = (low + high) / 2
        if Int(pointers[middle]) < range.lowerBound { low = middle + 1 } else { high = middle }
      }
      while low < pointers.count, Int(pointers[low]) < range.upperBound {
        let row = Int(pointers[low]) - range.lowerBound
        out[row * columnCount + Int(columns[low])] = values[low]
        low += 1
      }
    }
  }

  private struct Header: Codable {
    var layout = 1
    var rowCount: Int
    var columnCount: Int
    var columnBytes: Int
    var namesRows: Bool
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "pruned",
      json: Header(
        rowCount: rowCount, columnCount: columnCount, columnBytes: columnBytes,
        namesRows: namesRows))
    try writer.write(prefix + "values", values)
    if columnBytes == 2 {
      try writer.write(prefix + "columns", columns.map { UInt16($0) })
    } else {
      try writer.write(prefix + "columns", columns)
    }
    try writer.write(prefix + "pointers", pointers)
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "pruned", as: Header.self)
    try container.requireLayout(header.layout, of: "pruned matrix")
    let columns =
      header.columnBytes == 2
      ? try container.array(prefix + "columns", of: UInt16.self).map { UInt32($0) }
      : Array(try container.array(prefix + "columns", of: UInt32.self))
    self.init(
      rowCount: header.rowCount, columnCount: header.columnCount, columnBytes: header.columnBytes,
      namesRows: header.namesRows,
      values: Array(try container.array(prefix + "values", of: Float.self)), columns: columns,
      pointers: Array(try container.array(prefix + "pointers", of: UInt32.self)))
    let rising = zip(pointers, pointers.dropFirst()).allSatisfy { $0 <= $1 }
    let isWhole =
      namesRows
      ? pointers.count == values.count && pointers.allSatisfy { Int($0) < rowCount }
      : pointers.count == rowCount + 1 && pointers.first == 0
        && pointers.last.map { Int($0) } == values.count
    guard rowCount >= 0, columnCount >= 0, columns.count == values.count, rising, isWhole,
      columns.allSatisfy({ Int($0) < columnCount })
    else {
      throw BasisError(
        .corruptFile, "\(container.path): \(prefix)pruned: entries and pointers do not fit")
    }
  }

  init(
    rowCount: Int, columnCount: Int, columnBytes: Int, namesRows: Bool, values: [Float],
    columns: [UInt32], pointers: [UInt32]
  ) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.columnBytes = columnBytes
    self.namesRows = namesRows
    self.values = values
    self.columns = columns
    self.pointers = pointers
  }
}
