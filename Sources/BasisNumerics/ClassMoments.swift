public import BasisCore

/// Count, mean and spread of every column, class by class, of rows that come in any number of parts.
///
/// Parts are merged by the pairwise formula of Chan, Golub & LeVeque, *Updating formulae and a pairwise
/// algorithm for computing sample variances*, COMPSTAT (1982), doi:10.1007/978-3-642-51461-6_3,
/// equation 2.1: any order of parts gives the same numbers but for rounding.
public struct ClassMoments: Hashable, Sendable {
  /// *d*.
  public let columnCount: Int
  /// The *K* classes that rows came of, rising.
  public private(set) var classes: [Int] = []
  /// Rows of each class, *K* numbers, at least 1 each.
  public private(set) var counts: [Int] = []
  /// `K × d`, row-major.
  public private(set) var means: [Double] = []
  /// Σ (x − x̄)² within the class: `K × d`, row-major.
  public private(set) var squaredDeviations: [Double] = []

  /// Of no rows.
  ///
  /// - Parameter columnCount: at least 0.
  public init(columnCount: Int) { self.columnCount = columnCount }

  /// Of all rows at once, each class with its mean first and then deviations from it.
  ///
  /// Rows go by in fixed chunks, merged in their order: the same bits at any number of threads.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - labels: *n* classes, any whole numbers.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch` for another number of labels than of rows; `.cancelled`.
  /// - Complexity: O(*n* *d*) time, O(*K* *d*) memory per 4096 rows.
  public init(_ rows: Matrix, labels: [Int], in run: RunContext = RunContext()) throws(BasisError) {
    guard labels.count == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "class moments: \(labels.count) labels for \(rows.rowCount) rows; give one a row")
    }
    self.init(columnCount: rows.columnCount)
    let parts = try parallelMap(rows.rowCount, grain: 4096, in: run) { (_, range) in
      ClassMoments(rows, labels, range)
    }
    for part in parts { try merge(part) }
  }

  /// From what a file kept.
  ///
  /// - Parameters:
  ///   - columnCount: *d*.
  ///   - classes: *K*, rising.
  ///   - counts: *K*, at least 1 each.
  ///   - means: `K × d`.
  ///   - squaredDeviations: `K × d`, at least 0 each.
  /// - Throws: `.badData` for numbers that no rows have.
  public init(
    columnCount: Int, classes: [Int], counts: [Int], means: [Double], squaredDeviations: [Double]
  ) throws(BasisError) {
    guard columnCount >= 0, counts.count == classes.count, counts.allSatisfy({ $0 >= 1 }),
      zip(classes, classes.dropFirst()).allSatisfy({ $0 < $1 }),
      means.count == classes.count * columnCount, squaredDeviations.count == means.count,
      means.allSatisfy(\.isFinite), squaredDeviations.allSatisfy({ $0.isFinite && $0 >= 0 })
    else { throw BasisError(.badData, "class moments: no rows have these") }
    self.columnCount = columnCount
    self.classes = classes
    self.counts = counts
    self.means = means
    self.squaredDeviations = squaredDeviations
  }

  private init(_ rows: Matrix, _ labels: [Int], _ range: Range<Int>) {
    columnCount = rows.columnCount
    let d = columnCount
    classes = Set(labels[range]).sorted()
    let place = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    let places = labels[range].map { place[$0] ?? 0 }
    counts = [Int](repeating: 0, count: classes.count)
    for place in places { counts[place] += 1 }
    var sums = [Double](repeating: 0, count: classes.count * d)
    Self.sum(rows, range, places, into: &sums)
    for place in classes.indices {
      let scale = 1 / Double(counts[place])
      for column in 0..<d { sums[place * d + column] *= scale }
    }
    means = sums
    var rest = [Double](repeating: 0, count: sums.count)
    var squares = rest
    Self.deviate(rows, range, places, from: sums, &rest, &squares)
    for place in classes.indices {
      // What rounding has done to the mean.
      let count = Double(counts[place])
      for index in place * d..<(place + 1) * d {
        squares[index] = max(0, squares[index] - rest[index] * rest[index] / count)
      }
    }
    squaredDeviations = squares
  }

  private static func sum(
    _ rows: Matrix, _ range: Range<Int>, _ places: [Int], into sums: inout [Double]
  ) {
    let d = rows.columnCount
    sums.withUnsafeMutableBufferPointer { sums in
      guard let base = sums.baseAddress else { return }
      for (position, row) in range.enumerated() {
        rows.withRow(row) { values in
          let own = base + places[position] * d
          for column in 0..<d { own[column] += Double(values[column]) }
        }
      }
    }
  }

  private static func deviate(
    _ rows: Matrix, _ range: Range<Int>, _ places: [Int], from means: [Double],
    _ rest: inout [Double], _ squares: inout [Double]
  ) {
    let d = rows.columnCount
    means.withUnsafeBufferPointer { means in
      rest.withUnsafeMutableBufferPointer { rest in
        squares.withUnsafeMutableBufferPointer { squares in
          guard let center = means.baseAddress, let rest = rest.baseAddress,
            let squares = squares.baseAddress
          else { return }
          for (position, row) in range.enumerated() {
            rows.withRow(row) { values in
              let start = places[position] * d
              let (center, rest, squares) = (center + start, rest + start, squares + start)
              for column in 0..<d {
                let deviation = Double(values[column]) - center[column]
                rest[column] += deviation
                squares[column] += deviation * deviation
              }
            }
          }
        }
      }
    }
  }

  /// All rows of all classes.
  public var count: Int { counts.reduce(0, +) }

  /// Takes in all rows of another.
  ///
  /// - Parameter other: of as many columns.
  /// - Throws: `.dimensionMismatch` with both widths.
  /// - Complexity: O(*K* *d*).
  public mutating func merge(_ other: ClassMoments) throws(BasisError) {
    guard other.columnCount == columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "class moments of \(columnCount) columns cannot take in those of \(other.columnCount)")
    }
    let d = columnCount
    for (from, label) in other.classes.enumerated() {
      let source = from * d..<(from + 1) * d
      guard let to = classes.firstIndex(of: label) else {
        let place = classes.firstIndex { $0 > label } ?? classes.count
        classes.insert(label, at: place)
        counts.insert(other.counts[from], at: place)
        means.insert(contentsOf: other.means[source], at: place * d)
        squaredDeviations.insert(contentsOf: other.squaredDeviations[source], at: place * d)
        continue
      }
      let (mine, theirs) = (Double(counts[to]), Double(other.counts[from]))
      let (share, weight) = (theirs / (mine + theirs), mine * theirs / (mine + theirs))
      for column in 0..<d {
        let (target, origin) = (to * d + column, from * d + column)
        let difference = other.means[origin] - means[target]
        means[target] += difference * share
        squaredDeviations[target] +=
          other.squaredDeviations[origin] + difference * difference * weight
      }
      counts[to] += other.counts[from]
    }
  }

  /// Of each column the variance within classes, Σ over classes of squared deviations by *n*: *d*
  /// numbers, NaN for no rows.
  public var pooledVariances: [Double] {
    let d = columnCount
    var sums = [Double](repeating: 0, count: d)
    for place in classes.indices {
      for column in 0..<d { sums[column] += squaredDeviations[place * d + column] }
    }
    let n = count
    return sums.map { n > 0 ? $0 / Double(n) : .nan }
  }

  /// Of each column the mean of all rows: *d* numbers, NaN for no rows.
  public var overallMeans: [Double] {
    let d = columnCount
    var sums = [Double](repeating: 0, count: d)
    for place in classes.indices {
      let weight = Double(counts[place])
      for column in 0..<d { sums[column] += weight * means[place * d + column] }
    }
    let n = count
    return sums.map { n > 0 ? $0 / Double(n) : .nan }
  }
}
