public import BasisCore
import BasisNumerics
import Foundation

/// Columns of one representation of some things beside those of another, by how they vary together.
///
/// A unit is a column: a neuron, a channel, a dimension of an embedding. Of activations that have places,
/// such as those of a convolution, each place of each thing is a row.
public struct UnitMatching: Sendable {
  /// Two units, one of either representation.
  public struct Pair: Sendable, Hashable, Codable {
    /// Columns.
    public var first: Int
    public var second: Int
    public var correlation: Double

    public init(first: Int, second: Int, correlation: Double) {
      (self.first, self.second, self.correlation) = (first, second, correlation)
    }
  }

  /// The columns of the first that vary, and of the second.
  public let liveUnits: (first: [Int], second: [Int])
  /// The columns that do not.
  public let deadUnits: (first: [Int], second: [Int])
  /// Correlations of the live units of the first with those of the second.
  public let correlations: Matrix
  /// Live columns with mean 0 and variance 1.
  let standardized: (first: Matrix, second: Matrix)

  /// - Parameters:
  ///   - pair: `n × d₁` and `n × d₂`, finite, *n* ≥ 3, at most 20,000 columns each.
  ///   - leastDeviation: a unit of a smaller standard deviation is dead; at least 0.
  ///   - run: threads and cancellation.
  /// - Throws: `.badData` for fewer than 3 rows, or where every unit of a side is dead; `.unsupported`
  ///   for more columns, with the memory that they would take; `.invalidArgument`; `.cancelled`.
  /// - Complexity: O(*n* *d*₁ *d*₂).
  public init(
    _ pair: PairedRows, leastDeviation: Double = 1e-6, in run: RunContext = RunContext()
  ) throws(BasisError) {
    guard leastDeviation >= 0 else {
      throw BasisError(
        .invalidArgument, "a standard deviation is at least 0, not \(leastDeviation)")
    }
    guard pair.first.rowCount >= 3 else {
      throw BasisError(
        .badData, "units are matched by at least 3 rows, got \(pair.first.rowCount)")
    }
    let (a, b) = (pair.first.columnCount, pair.second.columnCount)
    guard max(a, b) <= 20_000 else {
      let gigabytes = (4 * Double(a) * Double(b) / 1e7).rounded(.up) / 100
      throw BasisError(
        .unsupported,
        "\(a) × \(b) units need \(gigabytes) GB for their correlations alone; match at most 20,000 "
          + "columns")
    }
    let first = try Self.standardize(pair.first, leastDeviation, "first", in: run)
    let second = try Self.standardize(pair.second, leastDeviation, "second", in: run)
    try self.init(
      (first.rows, second.rows), live: (first.live, second.live),
      dead: (first.dead, second.dead), in: run)
  }

  private init(
    _ standardized: (first: Matrix, second: Matrix), live: (first: [Int], second: [Int]),
    dead: (first: [Int], second: [Int]), in run: RunContext
  ) throws(BasisError) {
    self.standardized = standardized
    (liveUnits, deadUnits) = (live, dead)
    correlations = try Self.gram(standardized.first, standardized.second, in: run)
  }

  private static func standardize(
    _ rows: Matrix, _ least: Double, _ side: String, in run: RunContext
  ) throws(BasisError) -> (rows: Matrix, live: [Int], dead: [Int]) {
    let moments = try Statistics.columnMoments(of: rows, in: run)
    let spreads = moments.map { $0.populationVariance.squareRoot() }
    let live = spreads.indices.filter { spreads[$0] > least }
    guard !live.isEmpty else {
      throw BasisError(
        .badData, "every unit of the \(side) matrix is dead: its columns do not vary")
    }
    let (n, width) = (rows.rowCount, live.count)
    let result = Matrix(rowCount: n, columnCount: width) { out in
      for row in 0..<n {
        rows.withRow(row) { values in
          for (place, column) in live.enumerated() {
            let value = (Double(values[column]) - moments[column].mean) / spreads[column]
            out[row * width + place] = Float(value)
          }
        }
      }
    }
    return (result, live, spreads.indices.filter { spreads[$0] <= least })
  }

  /// AᵀB / n.
  static func gram(_ a: Matrix, _ b: Matrix, in run: RunContext) throws(BasisError) -> Matrix {
    var products = try LinearAlgebra.product(a, b, transposingA: true, in: run)
    let factor = 1 / Float(a.rowCount)
    products.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] *= factor }
    }
    return products
  }

  /// The same units with the rows of the second in another order: what chance alone gives.
  ///
  /// - Parameter run: the seed of the order.
  /// - Throws: `.cancelled`.
  public func permuted(in run: RunContext) throws(BasisError) -> UnitMatching {
    var order = Array(0..<standardized.second.rowCount)
    var generator = run.generator("rows of the null")
    generator.shuffle(&order)
    return try UnitMatching(
      (standardized.first, standardized.second.selecting(rows: order)), live: liveUnits,
      dead: deadUnits, in: run)
  }

  // MARK: One to one

  /// The unit of the second that each of the first correlates with most; one may be taken several times.
  public func semiMatches() -> [Pair] {
    (0..<correlations.rowCount).map { row in
      let best = correlations.withRow(row) { values in
        values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
      }
      return pair(row, best)
    }
  }

  /// Pairs that share no unit, with the largest sum of correlations. Falling by correlation.
  ///
  /// - Parameter run: cancellation.
  /// - Throws: `.cancelled`.
  /// - Complexity: O(*d*³) at worst.
  public func matches(in run: RunContext = RunContext()) throws(BasisError) -> [Pair] {
    let found = try LinearAssignment(correlations, maximizing: true, in: run)
    return found.columns.enumerated().compactMap { row, column in column.map { pair(row, $0) } }
      .sorted { ($0.correlation, $1.first) > ($1.correlation, $0.first) }
  }

  private func pair(_ row: Int, _ column: Int) -> Pair {
    Pair(
      first: liveUnits.first[row], second: liveUnits.second[column],
      correlation: Double(correlations[row, column]))
  }

  // MARK: One to few

  /// What one unit is predicted from.
  public struct Prediction: Sendable, Hashable, Codable {
    /// Of the second.
    public var unit: Int
    /// Columns of the first, in the order in which a falling penalty lets them in.
    public var predictors: [Int]
    /// The share of the unit's variance that the first so many of them explain, by least squares.
    public var explained: [Double]
  }

  /// Predicts units of the second from few of the first each.
  ///
  /// The lasso's penalty falls by a tenth at a time until more than `most` units have a weight; what the
  /// units of the last step before explain is found without a penalty.
  ///
  /// - Parameters:
  ///   - most: predictors a unit, at least 1.
  ///   - units: live units of the second, by their place among ``liveUnits``; nil for all.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument`; `.cancelled`.
  /// - Complexity: O(*d*₁ · steps) a unit, and O(*n* *d*₁²) once.
  public func predictions(
    from most: Int, of units: [Int]? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [Prediction] {
    guard most >= 1 else {
      throw BasisError(.invalidArgument, "a unit is predicted from at least 1 other, not \(most)")
    }
    let gram = try Self.gram(standardized.first, standardized.first, in: run)
    let units = units ?? Array(liveUnits.second.indices)
    return try parallelMap(units.count, grain: 4, in: run) {
      (_, range) throws(BasisError) -> [Prediction] in
      var found: [Prediction] = []
      for place in range { found.append(try prediction(of: units[place], from: most, gram, run)) }
      return found
    }.flatMap { $0 }
  }

  private func prediction(
    of unit: Int, from most: Int, _ gram: Matrix, _ run: RunContext
  ) throws(BasisError) -> Prediction {
    let products = (0..<correlations.rowCount).map { Double(correlations[$0, unit]) }
    var penalty = products.reduce(0) { max($0, abs($1)) }
    let end = penalty * 1e-3
    var entered: [Int] = []
    var weights: [Double]?
    while entered.count < min(most, products.count), penalty > end {
      penalty *= 0.9
      let step = try Lasso(penalty: penalty, maxPasses: 200, tolerance: 1e-4)
        .fit(gram: gram, products: products, square: 1, from: weights, in: run)
      weights = step.weights
      let new = step.support.filter { !entered.contains($0) }
        .sorted { abs(step.weights[$0]) > abs(step.weights[$1]) }
      entered += new
    }
    let chosen = Array(entered.prefix(most))
    var explained: [Double] = []
    for count in 0..<chosen.count {
      let some = Array(chosen.prefix(count + 1))
      let part = Matrix(rowCount: some.count, columnCount: some.count) { out in
        for (i, row) in some.enumerated() {
          for (j, column) in some.enumerated() { out[i * some.count + j] = gram[row, column] }
        }
      }
      let fit = try Lasso(penalty: 0, maxPasses: 500, tolerance: 1e-6)
        .fit(gram: part, products: some.map { products[$0] }, square: 1, in: run)
      explained.append(fit.explainedShare)
    }
    return Prediction(
      unit: liveUnits.second[unit], predictors: chosen.map { liveUnits.first[$0] },
      explained: explained)
  }

  // MARK: Subspaces

  /// Canonical correlations of the two representations, falling: how much of the space that one spans
  /// is in the other's, whatever units it is spread over. Hotelling, *Relations between two sets of
  /// variates*, Biometrika 28 (1936), doi:10.1093/biomet/28.3-4.321.
  ///
  /// With no more rows than columns all are 1 and say nothing.
  ///
  /// - Parameters:
  ///   - first: places among the live units of the first; nil for all.
  ///   - second: the same of the second.
  ///   - run: threads and cancellation.
  /// - Returns: as many as the smaller side has independent directions.
  /// - Throws: `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n* *d*²).
  public func canonicalCorrelations(
    first: [Int]? = nil, second: [Int]? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [Double] {
    let a = try Self.directions(of: standardized.first, first, in: run)
    let b = try Self.directions(of: standardized.second, second, in: run)
    let cross = try LinearAlgebra.product(a, b, transposingA: true, in: run)
    return try LinearAlgebra.thinSVD(cross, in: run).singularValues.map { min(1, Double($0)) }
  }

  /// Orthonormal columns that span the same.
  private static func directions(of rows: Matrix, _ units: [Int]?, in run: RunContext)
    throws(BasisError) -> Matrix
  {
    let chosen = units.map { rows.selecting(columns: $0) } ?? rows
    let found = try LinearAlgebra.thinSVD(chosen, in: run)
    // Directions at the level of rounding are noise that would correlate at random.
    let least = (found.singularValues.first ?? 0) * 1e-5
    return found.u.prefix(columns: max(1, found.singularValues.count { $0 > least }))
  }

  // MARK: Many to many

  /// Units of both that belong together.
  public struct Group: Sendable, Hashable, Codable {
    /// Columns.
    public var first: [Int]
    public var second: [Int]
    /// The mean squared canonical correlation of the two sides; nil where a side is empty.
    public var similarity: Double?
  }

  /// Groups of units that vary together, within and between the representations: spectral clustering of
  /// the magnitudes of all correlations.
  ///
  /// - Parameters:
  ///   - count: of groups, at least 1 and at most as many as live units.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument`; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O((*d*₁ + *d*₂)³).
  public func groups(_ count: Int, in run: RunContext = RunContext()) throws(BasisError) -> [Group]
  {
    let all = try affinities(in: run)
    let numbers = try SpectralClustering(clusterCount: count).fit(all, in: run)
    let border = liveUnits.first.count
    var groups: [Group] = []
    for number in 0..<count {
      let members = numbers.indices.filter { numbers[$0] == number }
      let first = members.filter { $0 < border }
      let second = members.filter { $0 >= border }.map { $0 - border }
      guard !members.isEmpty else { continue }
      var similarity: Double?
      if !first.isEmpty, !second.isEmpty {
        let found = try canonicalCorrelations(first: first, second: second, in: run)
        similarity = Statistics.mean(found.map { $0 * $0 })
      }
      groups.append(
        Group(
          first: first.map { liveUnits.first[$0] }, second: second.map { liveUnits.second[$0] },
          similarity: similarity))
    }
    return groups
  }

  /// |C₁₁ C₁₂; C₂₁ C₂₂| with nothing on the diagonal.
  private func affinities(in run: RunContext) throws(BasisError) -> Matrix {
    let (a, b) = (standardized.first, standardized.second)
    let (own, other) = (try Self.gram(a, a, in: run), try Self.gram(b, b, in: run))
    let (p, q) = (own.rowCount, other.rowCount)
    return Matrix(rowCount: p + q, columnCount: p + q) { out in
      for row in 0..<p + q {
        for column in 0..<row {
          let value =
            row < p
            ? own[row, column]
            : column < p ? correlations[column, row - p] : other[row - p, column - p]
          out[row * (p + q) + column] = abs(value)
          out[column * (p + q) + row] = abs(value)
        }
      }
    }
  }
}

extension Matrix {
  /// The columns with these numbers, in this order.
  func selecting(columns: [Int]) -> Matrix {
    Matrix(rowCount: rowCount, columnCount: columns.count) { out in
      for row in 0..<rowCount {
        withRow(row) { values in
          for (place, column) in columns.enumerated() {
            out[row * columns.count + place] = values[column]
          }
        }
      }
    }
  }
}
