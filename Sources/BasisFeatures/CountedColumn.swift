import BasisCore

/// k ln k of whole numbers, the small ones from a table.
struct EntropyTerms {
  private let table: [Double]

  static let shared = EntropyTerms()

  private init() { table = (0..<8192).map { $0 < 2 ? 0 : Double($0) * logarithm(Double($0)) } }

  /// Σ k ln k.
  func sum(_ counts: UnsafeBufferPointer<UInt32>) -> Double {
    table.withUnsafeBufferPointer { table in
      var sum = 0.0
      for count in counts where count > 1 {
        sum +=
          count < 8192 ? table[Int(count)] : Double(count) * logarithm(Double(count))
      }
      return sum
    }
  }

  func value(_ count: Int) -> Double {
    count < 8192 ? table[count] : Double(count) * logarithm(Double(count))
  }
}

/// How many rows have a value, and how many values have as many rows.
struct Total: Hashable, Sendable {
  var rowCount: Int
  var valueCount: Int
}

/// A column whose values are counted.
struct CountedColumn: Sendable {
  let codes: [UInt32]
  /// By code.
  let counts: [UInt32]
  /// Σ k ln k of the counts.
  let entropySum: Double
  /// The different counts, rising.
  let totals: [Total]
  /// Values that occur.
  let cardinality: Int

  init(codes: [UInt32], codeCount: Int) {
    self.codes = codes
    var counts = [UInt32](repeating: 0, count: codeCount)
    for code in codes { counts[Int(code)] += 1 }
    self.counts = counts
    entropySum = counts.withUnsafeBufferPointer { EntropyTerms.shared.sum($0) }
    var valueCounts: [Int: Int] = [:]
    var cardinality = 0
    for count in counts where count > 0 {
      valueCounts[Int(count), default: 0] += 1
      cardinality += 1
    }
    totals = valueCounts.sorted { $0.key < $1.key }
      .map { Total(rowCount: $0.key, valueCount: $0.value) }
    self.cardinality = cardinality
  }

  init(_ column: CategoricalColumn) {
    self.init(codes: column.codes, codeCount: column.dictionary.codeCount)
  }

  /// Nats.
  var entropy: Double {
    let n = codes.count
    guard n > 0 else { return 0 }
    return (EntropyTerms.shared.value(n) - entropySum) / Double(n)
  }

  /// A value for each pair of values that occurs together.
  ///
  /// - Complexity: O(*n* + codes).
  func joined(with other: CountedColumn) -> CountedColumn {
    let width = other.counts.count
    var joint = [UInt32](repeating: 0, count: codes.count)
    var next: UInt32 = 0
    if Self.isDense(counts.count, width, codes.count) {
      var known = [UInt32](repeating: .max, count: counts.count * width)
      for row in codes.indices {
        let cell = Int(codes[row]) * width + Int(other.codes[row])
        if known[cell] == .max {
          known[cell] = next
          next += 1
        }
        joint[row] = known[cell]
      }
    } else {
      var known = [UInt32](repeating: .max, count: width)
      forEachGroup { rows in
        for row in rows {
          let code = Int(other.codes[Int(row)])
          if known[code] == .max {
            known[code] = next
            next += 1
          }
          joint[Int(row)] = known[code]
        }
        for row in rows { known[Int(other.codes[Int(row)])] = .max }
      }
    }
    return CountedColumn(codes: joint, codeCount: Int(next))
  }

  /// Σ k ln k of the counts of pairs of this column's values and others.
  ///
  /// - Parameters:
  ///   - labels: a code below `labelCount` per row.
  ///   - labelCount: how many codes there are.
  /// - Complexity: O(*n* + codes), for a table of counts or row by row of it.
  func jointSum(_ labels: [UInt32], labelCount: Int) -> Double {
    if Self.isDense(counts.count, labelCount, codes.count) {
      return denseSum(labels, labelCount)
    }
    // Too many cells: one row of the table at a time, over the rows sorted by value.
    var cells = [UInt32](repeating: 0, count: labelCount)
    var sum = 0.0
    forEachGroup { rows in
      guard rows.count > 1 else { return }
      for row in rows { cells[Int(labels[Int(row)])] += 1 }
      for row in rows {
        let label = Int(labels[Int(row)])
        if cells[label] > 1 { sum += EntropyTerms.shared.value(Int(cells[label])) }
        cells[label] = 0
      }
    }
    return sum
  }

  private static func isDense(_ rows: Int, _ columns: Int, _ n: Int) -> Bool {
    let (cells, overflow) = rows.multipliedReportingOverflow(by: columns)
    return !overflow && cells <= max(1 << 14, 2 * n)
  }

  private func denseSum(_ labels: [UInt32], _ labelCount: Int) -> Double {
    var cells = [UInt32](repeating: 0, count: counts.count * labelCount)
    return cells.withUnsafeMutableBufferPointer { cells in
      codes.withUnsafeBufferPointer { codes in
        labels.withUnsafeBufferPointer { labels in
          // Every code is below its column's number of codes.
          for row in 0..<codes.count {
            cells[Int(codes[row]) &* labelCount &+ Int(labels[row])] &+= 1
          }
        }
      }
      return EntropyTerms.shared.sum(UnsafeBufferPointer(cells))
    }
  }

  /// The rows of each value, rising.
  private func forEachGroup(_ body: (UnsafeBufferPointer<UInt32>) -> Void) {
    var starts = [Int](repeating: 0, count: counts.count + 1)
    for (code, count) in counts.enumerated() { starts[code + 1] = starts[code] + Int(count) }
    var next = starts
    var order = [UInt32](repeating: 0, count: codes.count)
    for (row, code) in codes.enumerated() {
      order[next[Int(code)]] = UInt32(row)
      next[Int(code)] += 1
    }
    order.withUnsafeBufferPointer { order in
      for code in counts.indices where counts[code] > 0 {
        body(UnsafeBufferPointer(rebasing: order[starts[code]..<starts[code + 1]]))
      }
    }
  }

  /// The label of row *r* + (rows with *r*'s value), around the end.
  func shifted(_ labels: [UInt32]) -> [UInt32] {
    let n = codes.count
    return (0..<n).map { row in
      let place = row + Int(counts[Int(codes[row])])
      return labels[place < n ? place : place - n]
    }
  }
}
