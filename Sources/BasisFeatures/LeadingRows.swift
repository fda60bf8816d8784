import BasisCore

/// Mutual information from the first rows of each value, as the reference's approximation has it.
///
/// Of a share ρ of *n* rows each of *v* values has ⌊⌊ρ *n*⌋ / *v*⌋, its first ones, in the order of the values;
/// where that is none all rows are taken. Probabilities are counts of these rows over those of all, and the
/// result is multiplied by ρ. A value of one row says nothing. The reference leaves places of values with fewer
/// rows unset; here there are none.
///
/// Škrlj & Mramor 2023, doi:10.1145/3604915.3610636, the code's `stratified_subsampling`.
struct LeadingRows: Sendable {
  /// How often each pair of a value and a label is among the rows; and with the label that is as many rows
  /// further on as the value has rows.
  private var plain = 0.0
  private var shifted = 0.0
  private var labelEntropy = 0.0
  private let share: Double

  init(_ column: CountedColumn, labels: [UInt32], labelCount: Int, share: Double) {
    self.share = share
    let n = column.codes.count
    let limit = column.cardinality > 0 ? Int(share * Double(n)) / column.cardinality : 0
    let rows = Self.rows(column, limit: limit)
    var own = [UInt32](repeating: 0, count: labelCount)
    var other = own
    var all = own
    for row in rows { all[Int(labels[row])] += 1 }
    for count in all where count > 0 {
      let p = Double(count) / Double(n)
      labelEntropy -= p * logarithm(p)
    }
    var first = 0
    while first < rows.count {
      let code = column.codes[rows[first]]
      let total = Int(column.counts[Int(code)])
      var last = first
      while last < rows.count, column.codes[rows[last]] == code { last += 1 }
      if total > 1 {
        for place in first..<last {
          own[Int(labels[rows[place]])] += 1
          other[Int(labels[rows[(place + total) % rows.count]])] += 1
        }
        plain += Self.entropy(&own, total: total, of: n)
        shifted += Self.entropy(&other, total: total, of: n)
      }
      first = last
    }
  }

  /// Row numbers, value by value where only some are taken.
  private static func rows(_ column: CountedColumn, limit: Int) -> [Int] {
    var groups = [[Int]](repeating: [], count: column.counts.count)
    for (row, code) in column.codes.enumerated()
    where limit == 0 || groups[Int(code)].count < limit {
      groups[Int(code)].append(row)
    }
    return groups.flatMap { $0 }
  }

  /// Σ −(c / n) ln (c / total); counts are 0 again afterwards.
  private static func entropy(_ counts: inout [UInt32], total: Int, of n: Int) -> Double {
    var sum = 0.0
    for place in counts.indices where counts[place] > 0 {
      sum -=
        Double(counts[place]) / Double(n) * logarithm(Double(counts[place]) / Double(total))
      counts[place] = 0
    }
    return sum
  }

  var information: Double { share * (labelEntropy - plain) }
  var corrected: Double { share * (shifted - plain) }
}
