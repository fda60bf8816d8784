/// Rows of equal length: `rowCount × columnCount` floats, row-major and contiguous.
///
/// The memory is owned, or borrowed from somebody who keeps it alive (a mapped file). A value:
/// copies share memory until one of them is changed.
public struct Matrix: Sendable {
  public let rowCount: Int
  public let columnCount: Int
  private var storage: FloatStorage

  /// A matrix of zeros.
  ///
  /// - Precondition: both counts are at least 0.
  public init(rowCount: Int, columnCount: Int) {
    precondition(rowCount >= 0 && columnCount >= 0, "a matrix cannot have a negative shape")
    self.rowCount = rowCount
    self.columnCount = columnCount
    storage = FloatStorage(count: rowCount * columnCount)
    storage.base.initialize(repeating: 0, count: storage.count)
  }

  /// A matrix that `fill` writes; what it leaves alone is zero.
  public init<E: Error>(
    rowCount: Int, columnCount: Int,
    fill: (UnsafeMutableBufferPointer<Float>) throws(E) -> Void
  ) throws(E) {
    self.init(rowCount: rowCount, columnCount: columnCount)
    try fill(storage.buffer)
  }

  /// A matrix of the given values, row after row.
  ///
  /// - Throws: `.dimensionMismatch` if `values` does not have `rowCount × columnCount` elements.
  public init(rowCount: Int, columnCount: Int, values: [Float]) throws(BasisError) {
    guard values.count == rowCount * columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "a \(rowCount) × \(columnCount) matrix needs \(rowCount * columnCount) values, got \(values.count)"
      )
    }
    self.init(rowCount: rowCount, columnCount: columnCount)
    values.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      storage.base.update(from: base, count: source.count)
    }
  }

  /// A matrix with these rows.
  ///
  /// - Throws: `.dimensionMismatch` if a row's length differs from the first one's.
  public init(rows: [[Float]]) throws(BasisError) {
    let columnCount = rows.first?.count ?? 0
    self.init(rowCount: rows.count, columnCount: columnCount)
    for (index, row) in rows.enumerated() {
      guard row.count == columnCount else {
        throw BasisError(
          .dimensionMismatch,
          "row \(index) has \(row.count) values, row 0 has \(columnCount)")
      }
      for column in 0..<columnCount { storage.base[index * columnCount + column] = row[column] }
    }
  }

  /// A matrix over memory that somebody else owns.
  ///
  /// - Parameters:
  ///   - base: `rowCount × columnCount` floats, never written through this matrix: the first
  ///     change copies them.
  ///   - rowCount: rows, at least 0.
  ///   - columnCount: columns, at least 0.
  ///   - owner: kept alive as long as the memory is in use.
  public init(
    rowCount: Int, columnCount: Int, borrowing base: UnsafePointer<Float>, owner: AnyObject
  ) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    storage = FloatStorage(borrowing: base, count: rowCount * columnCount, owner: owner)
  }

  public var isEmpty: Bool { rowCount == 0 || columnCount == 0 }

  /// The element at a row and a column.
  ///
  /// - Precondition: both are inside the matrix.
  public subscript(row: Int, column: Int) -> Float {
    get {
      precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount)
      return storage.base[row * columnCount + column]
    }
    set {
      precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount)
      makeUnique()
      storage.base[row * columnCount + column] = newValue
    }
  }

  /// A copy of one row.
  public func row(_ index: Int) -> [Float] { withRow(index) { Array($0) } }

  /// Calls `body` with the `columnCount` floats of one row.
  public func withRow<R, E: Error>(
    _ index: Int, _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    precondition(index >= 0 && index < rowCount, "row \(index) of \(rowCount)")
    defer { withExtendedLifetime(storage) {} }
    return try body(
      UnsafeBufferPointer(start: storage.base + index * columnCount, count: columnCount))
  }

  /// Calls `body` with all floats, row after row.
  public func withUnsafeFloats<R, E: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(storage.buffer))
  }

  /// Calls `body` with all floats, to be changed in place.
  public mutating func withUnsafeMutableFloats<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    makeUnique()
    defer { withExtendedLifetime(storage) {} }
    return try body(storage.buffer)
  }

  /// The rows with these indices, in this order.
  ///
  /// - Precondition: every index is in `0 ..< rowCount`.
  public func selecting(rows: some Collection<Int>) -> Matrix {
    Matrix(rowCount: rows.count, columnCount: columnCount) { target in
      for (position, row) in rows.enumerated() {
        precondition(row >= 0 && row < rowCount, "row \(row) of \(rowCount)")
        guard let start = target.baseAddress, columnCount > 0 else { continue }
        (start + position * columnCount)
          .update(from: storage.base + row * columnCount, count: columnCount)
      }
    }
  }

  /// The first `count` columns: the prefix of a Matryoshka vector.
  ///
  /// - Precondition: `count` is in `0 ... columnCount`.
  public func prefix(columns count: Int) -> Matrix {
    precondition(count >= 0 && count <= columnCount, "\(count) of \(columnCount) columns")
    return Matrix(rowCount: rowCount, columnCount: count) { target in
      guard let start = target.baseAddress else { return }
      for row in 0..<rowCount {
        (start + row * count).update(from: storage.base + row * columnCount, count: count)
      }
    }
  }

  /// Where the first value stands that is not a finite number.
  public func firstNonFinite() -> (row: Int, column: Int)? {
    let floats = UnsafeBufferPointer(storage.buffer)
    defer { withExtendedLifetime(storage) {} }
    // x · 0 is 0 for finite x and NaN otherwise, so one sum tells about a whole row.
    for row in 0..<rowCount {
      var sum: Float = 0
      for column in 0..<columnCount { sum += floats[row * columnCount + column] * 0 }
      if sum == 0 { continue }
      for column in 0..<columnCount where !floats[row * columnCount + column].isFinite {
        return (row, column)
      }
    }
    return nil
  }

  /// - Throws: `.badData` naming row and column if a value is NaN or infinite.
  public func requireFinite(_ name: String) throws(BasisError) {
    guard let (row, column) = firstNonFinite() else { return }
    throw BasisError(
      .badData,
      "\(name) has \(self[row, column]) at row \(row), column \(column); remove or replace the row")
  }

  private mutating func makeUnique() {
    if storage.isWritable && isKnownUniquelyReferenced(&storage) { return }
    let copy = FloatStorage(count: storage.count)
    copy.base.update(from: storage.base, count: storage.count)
    storage = copy
  }
}

extension Matrix: Equatable {
  public static func == (a: Matrix, b: Matrix) -> Bool {
    guard a.rowCount == b.rowCount, a.columnCount == b.columnCount else { return false }
    return a.withUnsafeFloats { x in b.withUnsafeFloats { y in x.elementsEqual(y) } }
  }
}

/// Floats at a 64-byte boundary, owned or borrowed.
///
/// Unchecked, because the compiler cannot see that shared storage is never written:
/// `Matrix` changes it only while it holds the sole reference.
private final class FloatStorage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let owner: AnyObject?

  init(count: Int) {
    let byteCount = max(count, 1) * MemoryLayout<Float>.stride
    let isLarge = byteCount >= 4 * largePageSize
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? largePageSize : 64)
    if isLarge { adviseLargePages(memory, byteCount: byteCount) }
    base = memory.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    owner = nil
  }

  init(borrowing base: UnsafePointer<Float>, count: Int, owner: AnyObject) {
    self.base = UnsafeMutablePointer(mutating: base)
    self.count = count
    self.owner = owner
  }

  deinit { if owner == nil { UnsafeMutableRawPointer(base).deallocate() } }

  var isWritable: Bool { owner == nil }
  var buffer: UnsafeMutableBufferPointer<Float> { .init(start: base, count: count) }
}
