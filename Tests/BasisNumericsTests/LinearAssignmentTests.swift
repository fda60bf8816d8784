import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisNumerics

@Suite struct LinearAssignmentTests {
  struct Fixture: Decodable {
    struct Sparse: Decodable {
      var x: [[Float]]
      var y: [Double]
      var penalty: Double
      var weights: [Double]
      var explained: Double
    }

    var tolerance: Double
    var assignments: [[Int]]
    var lassos: [Sparse]
  }

  static func fixture() throws -> Fixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "convergent", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  /// Pairs share nothing, and the potentials prove that no others are better.
  private static func check(_ found: LinearAssignment, _ values: Matrix, maximizing: Bool) {
    let taken = found.columns.compactMap { $0 }
    #expect(taken.count == min(values.rowCount, values.columnCount))
    #expect(Set(taken).count == taken.count)
    let sign: Double = maximizing ? -1 : 1
    let (u, v) = (found.rowPotentials, found.columnPotentials)
    var (most, worst) = (0.0, 0.0)
    for row in 0..<values.rowCount {
      for column in 0..<values.columnCount {
        let value = Double(values[row, column])
        most = max(most, abs(value))
        let slack = sign * (value - u[row] - v[column])
        worst = min(worst, slack)
        if found.columns[row] == column { worst = min(worst, -abs(slack)) }
      }
    }
    #expect(worst >= -1e-9 * most, "the potentials are off by \(worst)")
    let free = Set(0..<values.columnCount).subtracting(taken)
    #expect(free.allSatisfy { v[$0] == 0 })
    let dual = u.reduce(0, +) + v.reduce(0, +)
    #expect(abs(dual - found.total) <= 1e-9 * max(1, most) * Double(1 + u.count))
  }

  @Test func `totals are those of scipy`() throws {
    for (seed, one) in try Self.fixture().assignments.enumerated() {
      var generator = RandomGenerator(seed: UInt64(seed))
      let values = Matrix(rowCount: one[0], columnCount: one[1]) { floats in
        for index in floats.indices { floats[index] = Float(generator.nextInt(below: one[2])) }
      }
      let least = try LinearAssignment(values)
      #expect(least.total == Double(one[3]), "seed \(seed)")
      let most = try LinearAssignment(values, maximizing: true)
      #expect(most.total == Double(one[4]), "seed \(seed)")
      guard seed % 20 < 2 else { continue }
      Self.check(least, values, maximizing: false)
      Self.check(most, values, maximizing: true)
    }
  }

  @Test(arguments: 0..<20)
  func `potentials prove it, and all orders of few rows agree`(seed: UInt64) throws {
    let shape = [(5, 5), (4, 6), (6, 4), (1, 7), (7, 1)][Int(seed % 5)]
    let values = gaussianMatrix(rowCount: shape.0, columnCount: shape.1, seed: seed)
    let found = try LinearAssignment(values)
    Self.check(found, values, maximizing: false)
    let best = Self.bestByTrying(shape.0 <= shape.1 ? values : values.transposed())
    #expect(abs(found.total - best) < 1e-6, "\(shape)")
    let larger = gaussianMatrix(rowCount: 60, columnCount: 60, seed: seed)
    Self.check(try LinearAssignment(larger), larger, maximizing: false)
  }

  /// Every way of giving each row a column of its own.
  private static func bestByTrying(_ values: Matrix, from row: Int = 0, taken: Set<Int> = [])
    -> Double
  {
    guard row < values.rowCount else { return 0 }
    return (0..<values.columnCount).filter { !taken.contains($0) }.map { column in
      Double(values[row, column])
        + bestByTrying(values, from: row + 1, taken: taken.union([column]))
    }.min() ?? .infinity
  }

  @Test func `edges of assignment`() throws {
    let none = try LinearAssignment(Matrix(rowCount: 0, columnCount: 4))
    #expect(none.columns.isEmpty && none.total == 0 && none.columnPotentials == [0, 0, 0, 0])
    let left = try LinearAssignment(Matrix(rowCount: 3, columnCount: 0))
    #expect(left.columns == [nil, nil, nil])
    let equal = Matrix(rowCount: 9, columnCount: 9) { $0.update(repeating: 3) }
    Self.check(try LinearAssignment(equal), equal, maximizing: false)
    let one = try LinearAssignment(Matrix(rows: [[2], [-1], [4]]))
    #expect(one.columns == [nil, 0, nil] && one.total == -1)
    var broken = equal
    broken[4, 7] = .nan
    expectError(.badData, "row 4", "column 7") { try LinearAssignment(broken) }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try LinearAssignment(equal, in: cancelled) }
  }

  // MARK: Lasso

  @Test func `weights are those of scikit-learn`() throws {
    let fixture = try Self.fixture()
    for (number, one) in fixture.lassos.enumerated() {
      let x = try Matrix(rows: one.x)
      let (gram, products, square) = Self.moments(x, one.y)
      let found = try Lasso(penalty: one.penalty, maxPasses: 100_000, tolerance: 1e-12)
        .fit(gram: gram, products: products, square: square)
      for (a, b) in zip(found.weights, one.weights) {
        #expect(abs(a - b) < fixture.tolerance, "case \(number)")
      }
      #expect(abs(found.explainedShare - one.explained) < fixture.tolerance, "case \(number)")
      // Of a path, the same.
      let near = try Lasso(penalty: 2 * one.penalty)
        .fit(gram: gram, products: products, square: square)
      let warm = try Lasso(penalty: one.penalty, maxPasses: 100_000, tolerance: 1e-12)
        .fit(gram: gram, products: products, square: square, from: near.weights)
      for (a, b) in zip(warm.weights, found.weights) { #expect(abs(a - b) < fixture.tolerance) }
    }
  }

  private static func moments(_ x: Matrix, _ y: [Double]) -> (Matrix, [Double], Double) {
    let (n, d) = (Double(x.rowCount), x.columnCount)
    let gram = Matrix(rowCount: d, columnCount: d) { out in
      for i in 0..<d {
        for j in 0..<d {
          let sum = (0..<x.rowCount).reduce(0.0) { $0 + Double(x[$1, i]) * Double(x[$1, j]) }
          out[i * d + j] = Float(sum / n)
        }
      }
    }
    let products = (0..<d).map { i in
      (0..<x.rowCount).reduce(0.0) { $0 + Double(x[$1, i]) * y[$1] } / n
    }
    return (gram, products, y.reduce(0) { $0 + $1 * $1 } / n)
  }

  @Test(arguments: 0..<10)
  func `the slopes at the solution are those of a minimum`(seed: UInt64) throws {
    let x = gaussianMatrix(rowCount: 50, columnCount: 12, seed: seed)
    let noise = gaussianMatrix(rowCount: 50, columnCount: 1, seed: seed + 99)
    let y = (0..<50).map { Double(x[$0, 3] - x[$0, 8] + noise[$0, 0] / 2) }
    let (gram, products, square) = Self.moments(x, y)
    let penalty = 0.1
    let found = try Lasso(penalty: penalty, tolerance: 1e-10)
      .fit(gram: gram, products: products, square: square)
    #expect(found.isConverged)
    for i in 0..<12 {
      let slope = products[i] - (0..<12).reduce(0) { $0 + Double(gram[i, $1]) * found.weights[$1] }
      if found.weights[i] == 0 {
        #expect(abs(slope) <= penalty + 1e-6)
      } else {
        #expect(abs(slope - (found.weights[i] > 0 ? penalty : -penalty)) < 1e-4)
      }
    }
    #expect(found.support.contains(3) && found.support.contains(8))
    let nothing = try Lasso(penalty: products.map(abs).max() ?? 0)
      .fit(gram: gram, products: products, square: square)
    #expect(nothing.support.isEmpty && nothing.explainedShare == 0)
  }

  @Test func `what a lasso cannot use is one error`() {
    let gram = Matrix(rowCount: 2, columnCount: 2)
    expectError(.invalidArgument, "penalty") {
      try Lasso(penalty: -1).fit(gram: gram, products: [0, 0], square: 1)
    }
    expectError(.dimensionMismatch, "2 × 2", "3") {
      try Lasso().fit(gram: gram, products: [0, 0, 0], square: 1)
    }
    // Columns of zeros have no weight.
    let flat = try? Lasso().fit(gram: gram, products: [0, 0], square: 1)
    #expect(flat?.weights == [0, 0])
  }

  // MARK: Spectral clustering

  @Test(arguments: 0..<10)
  func `groups of affinities are found`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let groups = (0..<40).map { _ in generator.nextInt(below: 4) }
    var affinities = Matrix(rowCount: 40, columnCount: 40)
    for i in 0..<40 {
      for j in 0..<i {
        let value = 0.1 * generator.nextFloat() + (groups[i] == groups[j] ? 0.7 : 0)
        affinities[i, j] = value
        affinities[j, i] = value
      }
    }
    let found = try SpectralClustering(clusterCount: Set(groups).count)
      .fit(affinities, in: RunContext(seed: seed))
    for i in 0..<40 {
      for j in 0..<i { #expect((found[i] == found[j]) == (groups[i] == groups[j])) }
    }
    #expect(found[0] == 0)
  }

  @Test func `what has no groups is one error`() throws {
    var affinities = Matrix(rowCount: 5, columnCount: 5) { $0.update(repeating: 1) }
    expectError(.invalidArgument, "6", "1 ... 5") {
      try SpectralClustering(clusterCount: 6).fit(affinities)
    }
    expectError(.dimensionMismatch, "5 × 4") {
      try SpectralClustering(clusterCount: 2).fit(affinities.prefix(columns: 4))
    }
    affinities[3, 1] = -1
    expectError(.badData, "row 3", "column 1") {
      try SpectralClustering(clusterCount: 2).fit(affinities)
    }
    let nothing = Matrix(rowCount: 5, columnCount: 5)
    #expect(try SpectralClustering(clusterCount: 1).fit(nothing) == [0, 0, 0, 0, 0])
  }

  // MARK: Shortest paths

  @Test(arguments: 0..<10)
  func `paths are those of all triples`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let n = 14
    var lengths = [[Double]](repeating: Array(repeating: .infinity, count: n), count: n)
    for node in 0..<n { lengths[node][node] = 0 }
    let edges = (0..<22).map { _ in
      ShortestPaths.Edge(
        generator.nextInt(below: n), generator.nextInt(below: n),
        length: Double(generator.nextInt(below: 5)))
    }
    for edge in edges {
      let (i, j) = (edge.first, edge.second)
      lengths[i][j] = min(lengths[i][j], edge.length)
      lengths[j][i] = lengths[i][j]
    }
    for k in 0..<n {
      for i in 0..<n {
        for j in 0..<n { lengths[i][j] = min(lengths[i][j], lengths[i][k] + lengths[k][j]) }
      }
    }
    for threads in [1, 3] {
      let found = try ShortestPaths(edges, nodeCount: n, in: RunContext(threadLimit: threads))
      for i in 0..<n {
        for j in 0..<n { #expect(found[i, j] == lengths[i][j], "\(i) \(j)") }
      }
    }
    #expect(try ShortestPaths([], nodeCount: 0).lengths.isEmpty)
    expectError(.invalidArgument, "0 – 14") {
      try ShortestPaths([.init(0, 14, length: 1)], nodeCount: 14)
    }
    expectError(.invalidArgument, "-1") {
      try ShortestPaths([.init(0, 1, length: -1)], nodeCount: 14)
    }
  }
}
