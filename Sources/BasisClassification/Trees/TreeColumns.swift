import BasisCore

/// The columns of a table as ranks: what a tree asks of a value is only which others it is above.
struct TreeColumns: Sendable {
  let rowCount: Int
  let columnCount: Int
  /// Column after column: the place of each row's value among the column's different ones.
  let ranks: [UInt32]
  /// The different values of each column, rising.
  let values: [[Float]]

  init(_ rows: Matrix, in run: RunContext) throws(BasisError) {
    let (n, d) = (rows.rowCount, rows.columnCount)
    (rowCount, columnCount) = (n, d)
    let columns = try parallelMap(d, grain: 1, in: run) { (column, _) -> Column in
      Column(rows, column)
    }
    values = columns.map(\.values)
    ranks = columns.flatMap(\.ranks)
  }

  private struct Column: Sendable {
    var ranks: [UInt32]
    var values: [Float] = []

    init(_ rows: Matrix, _ column: Int) {
      let (n, d) = (rows.rowCount, rows.columnCount)
      var keys = rows.withUnsafeFloats { floats in
        // Adding 0 makes one of the two zeros.
        (0..<n).map { row in
          Self.ordered(floats[row * d + column] + 0) << 32 | UInt64(row)
        }
      }
      keys.sort()
      ranks = [UInt32](repeating: 0, count: n)
      var last: UInt64?
      for key in keys {
        let row = Int(key & 0xFFFF_FFFF)
        if key >> 32 != last {
          last = key >> 32
          values.append(rows[row, column] + 0)
        }
        ranks[row] = UInt32(values.count - 1)
      }
    }

    /// Bits that rise as the numbers do.
    private static func ordered(_ value: Float) -> UInt64 {
      let bits = value.bitPattern
      return UInt64(bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits)
    }
  }

  /// What separates two ranks that follow each other in some rows: not below the lower value, and below
  /// the upper.
  func threshold(_ column: Int, _ low: UInt32, _ high: UInt32) -> Float {
    let (a, b) = (values[column][Int(low)], values[column][Int(high)])
    let middle = a / 2 + b / 2
    return middle >= a && middle < b ? middle : a
  }
}

/// Sorts keys by their upper halves, in passes over few bits at a time; the order of equals stays.
struct KeySorter {
  private var other: [UInt64] = []
  private var counts: [UInt32] = []

  /// - Parameters:
  ///   - keys: the first `count` of them are sorted.
  ///   - count: at least 1.
  ///   - low: the smallest upper half.
  ///   - high: the largest.
  mutating func sort(_ keys: inout [UInt64], count: Int, low: UInt32, high: UInt32) {
    if count <= 24 {
      Self.insert(&keys, count)
      return
    }
    let bitCount = 32 - (high - low).leadingZeroBitCount
    let widest = count < 512 ? 7 : 11
    let passCount = max(1, (bitCount + widest - 1) / widest)
    let width = (bitCount + passCount - 1) / passCount
    if other.count < keys.count { other = [UInt64](repeating: 0, count: keys.count) }
    if counts.count < 1 << width { counts = [UInt32](repeating: 0, count: 1 << width) }
    for pass in 0..<passCount {
      Self.pass(
        &keys, &other, &counts, count: count, low: low, shift: UInt32(pass * width),
        mask: UInt32(1 << width) - 1)
      swap(&keys, &other)
    }
  }

  /// By one digit, from `keys` to `other`.
  private static func pass(
    _ keys: inout [UInt64], _ other: inout [UInt64], _ counts: inout [UInt32], count: Int,
    low: UInt32, shift: UInt32, mask: UInt32
  ) {
    func digit(_ key: UInt64) -> Int {
      Int((UInt32(truncatingIfNeeded: key >> 32) &- low) >> shift & mask)
    }
    counts.withUnsafeMutableBufferPointer { counts in
      keys.withUnsafeBufferPointer { keys in
        other.withUnsafeMutableBufferPointer { other in
          for place in 0...Int(mask) { counts[place] = 0 }
          for index in 0..<count { counts[digit(keys[index])] &+= 1 }
          var sum: UInt32 = 0
          for place in 0...Int(mask) {
            let own = counts[place]
            counts[place] = sum
            sum &+= own
          }
          for index in 0..<count {
            let key = keys[index]
            let place = digit(key)
            other[Int(counts[place])] = key
            counts[place] &+= 1
          }
        }
      }
    }
  }

  private static func insert(_ keys: inout [UInt64], _ count: Int) {
    keys.withUnsafeMutableBufferPointer { keys in
      for index in 1..<max(count, 1) {
        let key = keys[index]
        var place = index
        while place > 0, keys[place - 1] > key {
          keys[place] = keys[place - 1]
          place -= 1
        }
        keys[place] = key
      }
    }
  }
}
