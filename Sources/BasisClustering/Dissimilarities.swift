public import BasisCore

/// How far apart things are, for every pair of them: symmetric, at least 0, and 0 from each to itself.
///
/// Kept in one of three ways: as a square matrix (4 *n*² bytes), as its lower triangle (half of
/// that, slower to read), or as rows that are compared each time (4 *n* *d* bytes, O(*d*) a pair).
public struct Dissimilarities: Sendable {
  /// Of how many things.
  public let count: Int
  let storage: Storage

  enum Storage: Sendable {
    case square(Matrix)
    /// Row 1's one value, row 2's two, and so on.
    case triangle(Matrix)
    case rows(Matrix, DissimilarityMetric)
  }

  private init(_ count: Int, _ storage: Storage) {
    self.count = count
    self.storage = storage
  }

  /// The dissimilarities in a square matrix.
  ///
  /// Differences across the diagonal of up to 10⁻⁵ of the value are taken for rounding: what is
  /// below the diagonal counts.
  ///
  /// - Parameters:
  ///   - matrix: `n × n`, finite, at least 0, zero on the diagonal.
  ///   - symmetrizing: whether larger differences across the diagonal are averaged, not refused.
  ///   - name: what the matrix is called in messages.
  /// - Throws: `.dimensionMismatch` if not square; `.badData` naming row and column.
  /// - Complexity: O(*n*²); copies only where the matrix is not symmetric to the bit.
  public init(
    square matrix: Matrix, symmetrizing: Bool = false, name: String = "the dissimilarities"
  ) throws(BasisError) {
    guard matrix.rowCount == matrix.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "\(name): dissimilarities of every pair are a square matrix, not \(matrix.rowCount) × "
          + "\(matrix.columnCount); leave out --precomputed to cluster rows")
    }
    try matrix.requireFinite(name)
    let check = SymmetryCheck(matrix)
    if let (row, column, value) = check.unusable {
      throw BasisError(
        .badData,
        row == column
          ? "\(name) has \(value) at row \(row), column \(column): everything is 0 from itself"
          : "\(name) has \(value) at row \(row), column \(column): a dissimilarity is at least 0; "
            + "turn similarities s into such as 1 - s")
    }
    if let (row, column) = check.farApart, !symmetrizing {
      throw BasisError(
        .badData,
        "\(name) has \(matrix[row, column]) at row \(row), column \(column) and "
          + "\(matrix[column, row]) at row \(column), column \(row); give a symmetric matrix, or "
          + "--symmetrise for their mean")
    }
    self.init(
      matrix.rowCount,
      .square(check.isExact ? matrix : matrix.mirrored(averaging: symmetrizing)))
  }

  /// The dissimilarities below the diagonal, row after row.
  ///
  /// - Parameter values: *n* (*n* − 1) / 2 of them: (1, 0), (2, 0), (2, 1), (3, 0) …; finite, at
  ///   least 0.
  /// - Throws: `.dimensionMismatch` for a number of values that makes no triangle; `.badData`.
  public init(lowerTriangle values: [Float]) throws(BasisError) {
    let side = (1 + Double(1 + 8 * values.count).squareRoot()) / 2
    let count = Int(side.rounded())
    guard count * (count - 1) / 2 == values.count else {
      throw BasisError(
        .dimensionMismatch,
        "\(values.count) values are no triangle; n things have n (n - 1) / 2 pairs")
    }
    if let place = values.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      let row = Int((1 + Double(1 + 8 * place).squareRoot()) / 2)
      throw BasisError(
        .badData,
        "the dissimilarities have \(values[place]) at row \(row), column "
          + "\(place - row * (row - 1) / 2): a dissimilarity is finite and at least 0")
    }
    self.init(
      values.isEmpty ? 1 : count,
      .triangle(try Matrix(rowCount: 1, columnCount: values.count, values: values)))
  }

  /// Rows that are compared whenever a pair is asked for.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - metric: how they are compared.
  /// - Throws: `.badData` naming row and column.
  public init(comparing rows: Matrix, by metric: DissimilarityMetric) throws(BasisError) {
    try rows.requireFinite("the rows")
    self.init(
      rows.rowCount, .rows(metric == .cosine ? rows.withUnitRows() : rows, metric))
  }

  /// All pairs as a square matrix.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - metric: how they are compared.
  ///   - run: threads and cancellation.
  /// - Throws: `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(*n*² *d*) time, parallel; 4 *n*² bytes.
  public init(ofAll rows: Matrix, by metric: DissimilarityMetric, in run: RunContext)
    throws(BasisError)
  {
    let compared = try Dissimilarities(comparing: rows, by: metric)
    let n = rows.rowCount
    let reader = DissimilarityReader(compared)
    let matrix = try Matrix(rowCount: n, columnCount: n) { (out) throws(BasisError) in
      guard let base = out.baseAddress else { return }
      let shared = SharedPointer(base)
      // Tiles below the diagonal and on it, whose rows a near cache keeps; then the rest from them.
      let tile = 64
      try parallelFor(n, grain: tile, in: run) { (_, rows) in
        for left in stride(from: 0, to: rows.upperBound, by: tile) {
          let columns = left..<min(n, left + tile)
          for row in rows { reader.read(row, columns, into: shared.base + row * n + left) }
        }
      }
      try parallelFor(n, grain: tile, in: run) { (_, rows) in
        for left in stride(from: rows.upperBound, to: n, by: tile) {
          for row in rows {
            for column in left..<min(n, left + tile) {
              shared.base[row * n + column] = shared.base[column * n + row]
            }
          }
        }
      }
    }
    self.init(n, .square(matrix))
  }

  /// How far apart two things are.
  ///
  /// - Precondition: both are in `0 ..< count`.
  public subscript(a: Int, b: Int) -> Float {
    precondition(a >= 0 && a < count && b >= 0 && b < count)
    return withExtendedLifetime(self) { DissimilarityReader(self).distance(a, b) }
  }

  /// Those of some of the things, as a square matrix.
  package func selecting(_ items: [Int], in run: RunContext) throws(BasisError) -> Dissimilarities {
    if case .rows(let rows, let metric) = storage {
      return try Dissimilarities(ofAll: rows.selecting(rows: items), by: metric, in: run)
    }
    let reader = DissimilarityReader(self)
    let side = items.count
    return Dissimilarities(
      side,
      .square(
        Matrix(rowCount: side, columnCount: side) { out in
          for (row, item) in items.enumerated() {
            for (column, other) in items.enumerated() {
              out[row * side + column] = reader.distance(item, other)
            }
          }
        }))
  }
}

/// How rows are compared to be grouped.
public enum DissimilarityMetric: String, Sendable, Hashable, Codable, CaseIterable {
  /// ‖x − y‖, not squared.
  case euclidean = "l2"
  /// ‖x − y‖².
  case squaredEuclidean = "sql2"
  /// 1 − cos(x, y), in `0 ... 2`. A row of zeros is at 1 from all others.
  case cosine
}

/// What keeps a matrix from being one of dissimilarities.
private struct SymmetryCheck {
  var unusable: (row: Int, column: Int, value: Float)?
  /// The first pair whose two values differ by more than rounding.
  var farApart: (row: Int, column: Int)?
  var isExact = true

  init(_ matrix: Matrix) {
    let n = matrix.rowCount
    let tile = 64
    matrix.withUnsafeFloats { values in
      for index in 0..<n where values[index * n + index] != 0 && unusable == nil {
        unusable = (index, index, values[index * n + index])
      }
      // In tiles: a column of a large matrix lies on as many pages as it has rows.
      for first in stride(from: 0, to: n, by: tile) {
        for left in stride(from: 0, through: first, by: tile) {
          for row in first..<min(n, first + tile) {
            for column in left..<min(row, left + tile) {
              look(values, n, row, column)
            }
          }
        }
      }
    }
  }

  private mutating func look(
    _ values: UnsafeBufferPointer<Float>, _ n: Int, _ row: Int, _ column: Int
  ) {
    let (a, b) = (values[row * n + column], values[column * n + row])
    if a == b && a >= 0 { return }
    isExact = false
    if a < 0, unusable == nil { unusable = (row, column, a) }
    if b < 0, unusable == nil { unusable = (column, row, b) }
    if abs(a - b) > 1e-5 * max(a, b), farApart == nil { farApart = (row, column) }
  }
}

extension Matrix {
  /// What is below the diagonal above it too, or the mean of both.
  fileprivate func mirrored(averaging: Bool) -> Matrix {
    let n = rowCount
    var result = self
    result.withUnsafeMutableFloats { out in
      for row in 0..<n {
        for column in 0..<row {
          let (a, b) = (out[row * n + column], out[column * n + row])
          let value = averaging ? a / 2 + b / 2 : a
          out[row * n + column] = value
          out[column * n + row] = value
        }
      }
    }
    return result
  }
}
