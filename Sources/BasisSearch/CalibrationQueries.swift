import BasisCore

/// Queries for measuring what an effort finds.
///
/// Questions lie where rows do not: people ask short things of long texts. So half of the queries are
/// rows, the others rows that are drawn some way towards another one, and what is promised must hold
/// for either kind.
enum CalibrationQueries {
  /// How far a query is drawn towards the other row, at most.
  private static let largestShare: Float = 0.6

  /// Rows drawn towards others.
  ///
  /// - Parameters:
  ///   - rows: `n × d`.
  ///   - others: as many.
  ///   - metric: unit rows are mixed for `.cosine`.
  ///   - generator: says how far.
  static func between(
    _ rows: Matrix, _ others: Matrix, metric: Metric, _ generator: inout RandomGenerator
  ) -> Matrix {
    var mixed = metric.measured(rows)
    let others = metric.measured(others)
    mixed.withUnsafeMutableFloats { mixed in
      others.withUnsafeFloats { others in
        for row in 0..<rows.rowCount {
          let share = generator.nextFloat() * largestShare
          for place in row * rows.columnCount..<(row + 1) * rows.columnCount {
            mixed[place] += share * (others[place] - mixed[place])
          }
        }
      }
    }
    return metric.measured(mixed)
  }
}
