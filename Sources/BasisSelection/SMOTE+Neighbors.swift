import BasisCore
import BasisNumerics
import BasisSearch

/// The rows of a class that new ones may start from, and where they may go.
struct Pairing {
  /// Places in the table.
  let starts: [Int]
  /// For each start as many rows of its class, nearest first.
  let neighbors: [[Int]]
  /// For each start the rows of other classes near it; empty where none is gone to.
  private(set) var others: [[Int]] = []
  /// How often each start is taken, as shares that sum to 1; nil for all alike.
  private(set) var shares: [Double]?
  private(set) var warnings: [String] = []

  init(
    _ settings: SMOTE, _ input: LabeledRows, _ members: [Int], _ label: Int, in run: RunContext
  ) throws(BasisError) {
    let k = settings.neighborCount
    guard members.count > k else {
      let remedy =
        members.count > 1
        ? "say neighborCount=\(members.count - 1)"
        : "a single row has no neighbours; give more, or leave the class as it is by a ratio of counts"
      throw BasisError(
        .invalidArgument,
        "smote: class \(label) has \(members.count) rows, and \(k) neighbours of one are among more "
          + "than that; \(remedy)")
    }
    let own = input.rows.selecting(rows: members)
    let compared =
      settings.nominalColumns.isEmpty
      ? own : NominalRows(own, nominal: settings.nominalColumns).scaled
    var chosen = Array(members.indices)
    if settings.variant != .plain {
      let near = try Self.nearest(
        input.rows, of: members, k: min(settings.surroundingCount, input.rows.rowCount - 1), in: run
      )
      let strange = near.map { list in list.filter { input.labels[$0] != label } }
      let shares = zip(strange, near).map { Double($0.count) / Double(max(1, $1.count)) }
      if settings.variant == .adasyn {
        let total = shares.reduce(0, +)
        guard total > 0 else {
          throw BasisError(
            .badData,
            "smote: no row of class \(label) has a neighbour of another class, and adasyn makes rows "
              + "near such; take plain, or more than \(settings.surroundingCount) as surroundingCount"
          )
        }
        self.shares = shares.map { $0 / total }
      } else {
        chosen = chosen.filter { shares[$0] >= 0.5 && shares[$0] < 1 }
        let noise = shares.count { $0 == 1 }
        if noise > 0 {
          warnings.append(
            "\(noise) of \(members.count) rows of class \(label) are among other classes only, and "
              + "are taken for noise")
        }
        guard !chosen.isEmpty else {
          throw BasisError(
            .badData,
            "smote: no row of class \(label) lies at the border: half or more of its "
              + "\(settings.surroundingCount) neighbours, not all, of other classes; take plain")
        }
        if settings.variant == .borderline2 { others = chosen.map { strange[$0] } }
      }
    }
    starts = chosen.map { members[$0] }
    neighbors = try Self.nearest(compared, of: chosen, k: k, in: run)
      .map { list in list.map { members[$0] } }
  }

  /// The rows nearest to some, themselves left out; ties by smaller number.
  private static func nearest(_ rows: Matrix, of items: [Int], k: Int, in run: RunContext)
    throws(BasisError) -> [[Int]]
  {
    if items.count == rows.rowCount, rows.columnCount > 0, k <= NeighborsAmongRows.largestCount {
      let among = try NeighborsAmongRows(rows, k: k, in: run)
      return items.map { among.neighbors(of: $0) }
    }
    let index = try FlatIndex(rows, metric: .squaredEuclidean)
    let queries = rows.selecting(rows: items)
    let found = try index.search(queries, k: k + 1, in: run)
    return found.indices.map { place in
      Array(found[place].lazy.map(\.id).filter { $0 != items[place] }.prefix(k))
    }
  }
}

/// Rows of a class with nominal columns, as SMOTE-NC compares them.
struct NominalRows {
  /// The median of the other columns' standard deviations; 0 without such columns.
  let median: Double
  /// The other columns, and for each value of a nominal one a column: two rows that differ in one are by
  /// median² further apart.
  let scaled: Matrix

  init(_ rows: Matrix, nominal: [Int]) {
    let names = Set(nominal)
    let continuous = (0..<rows.columnCount).filter { !names.contains($0) }
    var moments = [Moments](repeating: Moments(), count: continuous.count)
    for row in 0..<rows.rowCount {
      rows.withRow(row) { values in
        for (place, column) in continuous.enumerated() {
          moments[place].add(Double(values[column]))
        }
      }
    }
    let deviations = moments.map { $0.populationVariance.squareRoot() }
    median = deviations.isEmpty ? 0 : Statistics.quantile(deviations, 0.5)
    // Without other columns all values count alike, whatever the number.
    let side = Float((deviations.isEmpty ? 1 : median) / 2.0.squareRoot())
    var places: [[Float: Int]] = []
    var width = continuous.count
    for column in nominal {
      var place: [Float: Int] = [:]
      for row in 0..<rows.rowCount where place[rows[row, column]] == nil {
        place[rows[row, column]] = width
        width += 1
      }
      places.append(place)
    }
    let columns = width
    scaled = Matrix(rowCount: rows.rowCount, columnCount: columns) { out in
      for row in 0..<rows.rowCount {
        rows.withRow(row) { values in
          for (place, column) in continuous.enumerated() {
            out[row * columns + place] = values[column]
          }
          for (place, column) in zip(places, nominal) {
            if let at = place[values[column]] { out[row * columns + at] = side }
          }
        }
      }
    }
  }

  /// The most frequent value; of several the smallest.
  static func mode(_ values: [Float]) -> Float {
    var counts: [Float: Int] = [:]
    for value in values { counts[value, default: 0] += 1 }
    let most = counts.values.max() ?? 0
    return counts.filter { $0.value == most }.keys.min() ?? 0
  }
}

/// Which rows are to be made, of which.
struct SyntheticPlan {
  let columnCount: Int
  let gap: SMOTE.Gap
  private var labels: [Int] = []
  private var parents: [SyntheticRows.Parents] = []
  private var gaps: [Float] = []
  /// For each new row the neighbours of its start.
  private var surroundings: [[Int]] = []

  init(columnCount: Int, gap: SMOTE.Gap) {
    self.columnCount = columnCount
    self.gap = gap
  }

  mutating func draw(
    _ count: Int, of pairing: Pairing, _ label: Int, _ picking: SMOTE.Picking,
    by generator: inout RandomGenerator
  ) {
    // Towards other classes go those of the second half that have any near.
    let inside = pairing.others.isEmpty ? count : (count + 1) / 2
    let starts = Self.starts(count, of: pairing, picking, by: &generator)
    for (number, start) in starts.enumerated() {
      let strangers = number < inside ? [] : pairing.others[start]
      let towards = strangers.isEmpty ? pairing.neighbors[start] : strangers
      let reach: Float = strangers.isEmpty ? 1 : 0.5
      let second = towards[generator.nextInt(below: towards.count)]
      parents.append(.init(pairing.starts[start], second))
      labels.append(label)
      surroundings.append(pairing.neighbors[start])
      for _ in 0..<(gap == .box ? columnCount : 1) {
        gaps.append(reach * generator.nextFloat())
      }
    }
  }

  private static func starts(
    _ count: Int, of pairing: Pairing, _ picking: SMOTE.Picking, by generator: inout RandomGenerator
  ) -> [Int] {
    let size = pairing.starts.count
    if let shares = pairing.shares {
      return apportioned(count, shares).enumerated().flatMap { place, times in
        Array(repeating: place, count: times)
      }
    }
    switch picking {
    case .pairs: return (0..<count).map { _ in generator.nextInt(below: size) }
    case .quota:
      let extra = Set(generator.sample(count % size, of: size))
      return (0..<size).flatMap { place in
        Array(repeating: place, count: count / size + (extra.contains(place) ? 1 : 0))
      }
    }
  }

  /// Whole numbers that sum to `count`, nearest to the shares of it: by the largest remainder.
  static func apportioned(_ count: Int, _ shares: [Double]) -> [Int] {
    let exact = shares.map { $0 * Double(count) }
    var result = exact.map { Int($0) }
    let order = exact.indices.sorted { a, b in
      let (x, y) = (exact[a] - exact[a].rounded(.down), exact[b] - exact[b].rounded(.down))
      return x != y ? x > y : a < b
    }
    for place in order.prefix(max(0, count - result.reduce(0, +))) { result[place] += 1 }
    return result
  }

  /// Makes them.
  func rows(of table: Matrix, nominal: [Int], in run: RunContext) throws(BasisError)
    -> SyntheticRows
  {
    let width = gap == .box ? columnCount : 1
    let gaps = try Matrix(rowCount: parents.count, columnCount: width, values: gaps)
    var made = try SMOTE.interpolated(table, between: parents, gaps: gaps, in: run)
    for (row, near) in surroundings.enumerated() where !nominal.isEmpty {
      for column in nominal {
        made[row, column] = NominalRows.mode(near.map { table[$0, column] })
      }
    }
    return SyntheticRows(rows: made, labels: labels, parents: parents, gaps: gaps)
  }
}
