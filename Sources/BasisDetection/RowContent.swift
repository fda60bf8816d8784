package import BasisCore

/// Rows by what is in them, so that what is drawn does not depend on the order that they come in.
package enum RowContent {
  /// A number a row, equal for equal rows.
  ///
  /// - Parameters:
  ///   - layers: as many rows each; all of a thing count.
  ///   - seed: other numbers for another.
  /// - Complexity: O(values).
  static func hashes(_ layers: [Matrix], seed: UInt64) -> [UInt64] {
    var hashes = [UInt64](repeating: seed, count: layers.first?.rowCount ?? 0)
    for layer in layers {
      for row in hashes.indices {
        var hash = hashes[row]
        layer.withRow(row) { values in
          for value in values {
            hash = (hash ^ UInt64(value.bitPattern)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
          }
        }
        hashes[row] = hash
      }
    }
    return hashes
  }

  /// A part for each row, `0 ..< count`, each with a like share of every class.
  static func folds(_ input: LayeredRows, count: Int, in run: RunContext) -> [Int] {
    var generator = run.generator("folds of a detector")
    let hashes = Self.hashes(input.layers, seed: generator.next())
    let order = hashes.indices.sorted {
      (input.labels[$0], hashes[$0]) < (input.labels[$1], hashes[$1])
    }
    var folds = [Int](repeating: 0, count: order.count)
    for (place, row) in order.enumerated() { folds[row] = place % count }
    return folds
  }

  /// At most so many rows, drawn by what is in them; rising.
  static func sample(_ rows: Matrix, atMost count: Int, in run: RunContext) -> [Int] {
    guard rows.rowCount > count else { return Array(0..<rows.rowCount) }
    var generator = run.generator("rows of a threshold")
    let hashes = Self.hashes([rows], seed: generator.next())
    return hashes.indices.sorted { hashes[$0] < hashes[$1] }.prefix(count).sorted()
  }

  /// How many rows of the first are, bit for bit, among those of the second.
  package static func repeated(_ first: [Matrix], among second: [Matrix]) -> Int {
    guard first.map(\.columnCount) == second.map(\.columnCount) else { return 0 }
    let known = Set(hashes(second, seed: 0))
    return hashes(first, seed: 0).count { known.contains($0) }
  }
}
