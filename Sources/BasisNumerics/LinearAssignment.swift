public import BasisCore

/// The cheapest way to give each row a column of its own.
///
/// Rows bid for columns until few are without one (augmenting row reduction), and those find theirs along
/// shortest paths of reduced costs. Exact; ``rowPotentials`` and ``columnPotentials`` prove it: their sum
/// is nowhere above the cost, and equals it on every pair.
///
/// Jonker & Volgenant, *A shortest augmenting path algorithm for dense and sparse linear assignment
/// problems*, Computing 38 (1987), doi:10.1007/BF02278710, without the column reduction, so that columns
/// may be left over; Crouse, *On implementing 2D rectangular assignment algorithms*, IEEE Trans. Aerosp.
/// Electron. Syst. 52 (2016), doi:10.1109/TAES.2016.140952.
public struct LinearAssignment: Sendable, Hashable {
  /// For each row its column; nil for a row that is left over, where there are more rows than columns.
  public let columns: [Int?]
  /// The sum of the values of all pairs, in `Double`.
  public let total: Double
  /// One a row; 0 for one that is left over.
  public let rowPotentials: [Double]
  /// One a column; 0 for one that is left over.
  public let columnPotentials: [Double]

  /// - Parameters:
  ///   - values: `n × m`, finite: the cost, or the worth, of each pair.
  ///   - maximizing: whether the sum is made large rather than small.
  ///   - run: cancellation.
  /// - Throws: `.badData` naming the row and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(min(*n*, *m*)² max(*n*, *m*)), mostly far less; one thread.
  public init(_ values: Matrix, maximizing: Bool = false, in run: RunContext = RunContext())
    throws(BasisError)
  {
    try values.requireFinite("the matrix of costs")
    let isTall = values.rowCount > values.columnCount
    var solver = AssignmentSolver(
      isTall ? values.transposed() : values, sign: maximizing ? -1 : 1)
    try solver.solve(in: run)
    var columns = [Int?](repeating: nil, count: values.rowCount)
    for (row, column) in solver.columnOfRow.enumerated() {
      if isTall { columns[column] = row } else { columns[row] = column }
    }
    self.columns = columns
    total = columns.enumerated().reduce(0) { sum, pair in
      pair.element.map { sum + Double(values[pair.offset, $0]) } ?? sum
    }
    let sign: Double = maximizing ? -1 : 1
    let (u, v) = (solver.rowPotentials.map { sign * $0 }, solver.columnPotentials.map { sign * $0 })
    (rowPotentials, columnPotentials) = isTall ? (v, u) : (u, v)
  }
}

/// Of no more rows than columns. Columns that nobody has keep the potential 0.
private struct AssignmentSolver {
  private let costs: Matrix
  private let sign: Double
  private let n: Int
  private let m: Int
  private var rowOfColumn: [Int]
  private(set) var columnOfRow: [Int]
  private(set) var columnPotentials: [Double]
  private(set) var rowPotentials: [Double]

  init(_ costs: Matrix, sign: Double) {
    self.costs = costs
    self.sign = sign
    (n, m) = (costs.rowCount, costs.columnCount)
    rowOfColumn = [Int](repeating: -1, count: m)
    columnOfRow = [Int](repeating: -1, count: n)
    columnPotentials = [Double](repeating: 0, count: m)
    rowPotentials = [Double](repeating: 0, count: n)
  }

  mutating func solve(in run: RunContext) throws(BasisError) {
    guard n > 0 else { return }
    var free = Array(0..<n)
    // One column leaves nobody to bid against.
    if m > 1 {
      for _ in 0..<2 { free = try reduce(free, in: run) }
    }
    for row in free {
      try run.checkCancelled()
      augment(from: row)
    }
    for row in 0..<n {
      let column = columnOfRow[row]
      rowPotentials[row] = sign * Double(costs[row, column]) - columnPotentials[column]
    }
  }

  /// The two columns of the smallest reduced cost of a row.
  private func best(of row: Int) -> (first: Int, least: Double, second: Int, next: Double) {
    costs.withRow(row) { values in
      columnPotentials.withUnsafeBufferPointer { prices in
        var (first, least) = (-1, Double.infinity)
        var (second, next) = (-1, Double.infinity)
        for column in 0..<m {
          let cost = sign * Double(values[column]) - prices[column]
          guard cost < next else { continue }
          if cost < least {
            (second, next) = (first, least)
            (first, least) = (column, cost)
          } else {
            (second, next) = (column, cost)
          }
        }
        return (first, least, second, next)
      }
    }
  }

  /// Each free row takes its best column, at a price that makes the next best as good. Who had it goes
  /// on at once, or waits where nothing was gained.
  private mutating func reduce(_ rows: [Int], in run: RunContext) throws(BasisError) -> [Int] {
    var waiting: [Int] = []
    // Rounding can make prices creep: paths settle the rest.
    var bids = 8 * n
    for start in rows {
      try run.checkCancelled()
      var row = start
      while true {
        let found = best(of: row)
        var column = found.first
        let price = columnPotentials[column] - (found.next - found.least)
        let isRaised = price < columnPotentials[column]
        if isRaised {
          columnPotentials[column] = price
        } else if rowOfColumn[column] >= 0 {
          column = found.second
        }
        let previous = rowOfColumn[column]
        rowOfColumn[column] = row
        columnOfRow[row] = column
        guard previous >= 0 else { break }
        columnOfRow[previous] = -1
        bids -= 1
        guard isRaised, bids > 0 else {
          waiting.append(previous)
          break
        }
        row = previous
      }
    }
    return waiting
  }

  /// The shortest path of reduced costs from a free row to a free column (Dijkstra), along which pairs
  /// change partners.
  private mutating func augment(from start: Int) {
    var distances = [Double](repeating: .infinity, count: m)
    var before = [Int](repeating: start, count: m)
    var open = Array(0..<m)
    var closed: [Int] = []
    var row = start
    // The length of the path to `row`, less its potential.
    var offset = 0.0
    var (end, length) = (-1, 0.0)
    while end < 0 {
      let place = costs.withRow(row) { values in
        scan(values, offset, row, open, &distances, &before)
      }
      let column = open[place]
      length = distances[column]
      open.swapAt(place, open.count - 1)
      open.removeLast()
      if rowOfColumn[column] < 0 {
        end = column
      } else {
        closed.append(column)
        row = rowOfColumn[column]
        let own = sign * Double(costs[row, column]) - columnPotentials[column]
        offset = length - own
      }
    }
    for column in closed { columnPotentials[column] += distances[column] - length }
    var column = end
    while true {
      let row = before[column]
      rowOfColumn[column] = row
      swap(&columnOfRow[row], &column)
      if row == start { return }
    }
  }

  /// Shortens the ways to open columns that lead through a row, and returns the place of the nearest; of
  /// several one that nobody has.
  private func scan(
    _ values: UnsafeBufferPointer<Float>, _ offset: Double, _ row: Int, _ open: [Int],
    _ distances: inout [Double], _ before: inout [Int]
  ) -> Int {
    var (place, least) = (0, Double.infinity)
    let sign = sign
    columnPotentials.withUnsafeBufferPointer { prices in
      rowOfColumn.withUnsafeBufferPointer { owners in
        distances.withUnsafeMutableBufferPointer { distances in
          before.withUnsafeMutableBufferPointer { before in
            open.withUnsafeBufferPointer { open in
              for index in 0..<open.count {
                let column = open[index]
                let way = offset + sign * Double(values[column]) - prices[column]
                var distance = distances[column]
                if way < distance {
                  distance = way
                  distances[column] = way
                  before[column] = row
                }
                if distance < least || (distance == least && owners[column] < 0) {
                  (place, least) = (index, distance)
                }
              }
            }
          }
        }
      }
    }
    return place
  }
}
