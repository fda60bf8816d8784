public import BasisCore

/// The cheapest way to carry masses from sources to targets, exactly.
///
/// The linear programme min Σ π(i, j) c(i, j) over π ≥ 0 whose rows sum to the supply and columns to the
/// demand, by the network simplex method (see ``TransportPlan`` for what it gives). Which one when: this
/// for the true cost and a sparse plan, up to some thousands on a side; ``Sinkhorn`` where a blurred cost
/// is wanted that changes smoothly, or where masses need not be carried whole.
///
/// One thread, and deterministic: the answer does not depend on a seed. Where several plans are equally
/// cheap it is one of them.
public struct ExactTransport: Settings {
  /// Pivots, at least 0; nil for as many as it takes.
  public var maxPivots: Int?

  public init(maxPivots: Int? = nil) { self.maxPivots = maxPivots }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    maxPivots = try values.decodeIfPresent(Int.self, forKey: .maxPivots)
  }

  /// Finds the plan.
  ///
  /// - Parameters:
  ///   - costs: `n × m`, finite, of either sign: of a unit from source *i* to target *j*.
  ///   - supply: *n* masses, at least 0; nil for 1 / *n* each.
  ///   - demand: *m* masses, at least 0; nil for 1 / *m* each. Brought to the sum of the supply, from
  ///     which theirs differs by a millionth at most.
  ///   - run: cancellation and progress.
  /// - Throws: `.invalidArgument` for pivots below 0; `.badData` without rows or columns, for masses that
  ///   are negative, not finite or 0 in all, for sums that differ, and naming row and column of a cost
  ///   that is not finite; `.dimensionMismatch`; `.cancelled`.
  /// - Complexity: O(*n* *m*) memory for the costs alone; about (*n* + *m*)² in practice, where nothing
  ///   better than exponential is proved of this rule.
  public func plan(
    _ costs: Matrix, supply: [Double]? = nil, demand: [Double]? = nil,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> TransportPlan {
    if let maxPivots, maxPivots < 0 {
      throw BasisError(.invalidArgument, "transport takes at least 0 pivots, not \(maxPivots)")
    }
    let masses = try TransportMasses(costs, supply: supply, demand: demand)
    try run.checkCancelled()
    let rows = masses.sources.indices.filter { masses.sources[$0] > 0 }
    let columns = masses.targets.indices.filter { masses.targets[$0] > 0 }
    let isWhole = rows.count == costs.rowCount && columns.count == costs.columnCount
    let carried = isWhole ? costs : costs.selecting(rows: rows).selecting(columns: columns)
    return try carried.withUnsafeFloats { (values) throws(BasisError) -> TransportPlan in
      guard let base = values.baseAddress else { throw TransportMasses.nothing }
      let tree = NetworkSimplex(
        base, supply: rows.map { masses.sources[$0] }, demand: columns.map { masses.targets[$0] })
      let isOptimal = try tree.solve(limit: maxPivots ?? .max, in: run)
      var plan = TransportPlan(
        flows: tree.carried.map {
          .init(source: rows[$0.source], target: columns[$0.target], mass: $0.mass)
        }, rowCount: costs.rowCount, columnCount: costs.columnCount)
      plan.price(costs, tree.sourcePotentials, rows, tree.targetPotentials, columns)
      (plan.pivotCount, plan.isOptimal) = (tree.pivotCount, isOptimal)
      return plan
    }
  }
}

/// What is carried from where to where, and what a unit is worth at each place.
public struct TransportPlan: Sendable, Hashable {
  public struct Flow: Sendable, Hashable {
    public var source: Int
    public var target: Int
    /// Above 0.
    public var mass: Double

    public init(source: Int, target: Int, mass: Double) {
      self.source = source
      self.target = target
      self.mass = mass
    }
  }

  /// By rising source and target: at most sources + targets − 1.
  public let flows: [Flow]
  /// Σ mass · cost.
  public internal(set) var cost = 0.0
  /// *u*, *n* of them: *u*(i) + *v*(j) ≤ *c*(i, j), with equality where something flows; so that
  /// Σ supply · *u* + Σ demand · *v* is the cost too. What a further unit at a source costs, but for a
  /// number that all share. Of a source without mass as much as the targets allow.
  public internal(set) var sourcePotentials: [Double] = []
  /// *v*, *m* of them.
  public internal(set) var targetPotentials: [Double] = []
  public internal(set) var pivotCount = 0
  /// Whether no other plan is cheaper; not where pivots ran out.
  public internal(set) var isOptimal = true
  private let rowCount: Int
  private let columnCount: Int

  init(flows: [Flow], rowCount: Int, columnCount: Int) {
    self.flows = flows
    self.rowCount = rowCount
    self.columnCount = columnCount
  }

  /// The plan as `n × m` masses, most of them 0.
  public var matrix: Matrix {
    var matrix = Matrix(rowCount: rowCount, columnCount: columnCount)
    for flow in flows { matrix[flow.source, flow.target] = Float(flow.mass) }
    return matrix
  }

  /// Sets the cost, and the potentials, those of places without mass too.
  mutating func price(
    _ costs: Matrix, _ u: [Double], _ rows: [Int], _ v: [Double], _ columns: [Int]
  ) {
    cost = flows.reduce(0) { $0 + $1.mass * Double(costs[$1.source, $1.target]) }
    sourcePotentials = [Double](repeating: .infinity, count: rowCount)
    targetPotentials = [Double](repeating: .infinity, count: columnCount)
    for (place, row) in rows.enumerated() { sourcePotentials[row] = u[place] }
    for (place, column) in columns.enumerated() { targetPotentials[column] = v[place] }
    for row in 0..<rowCount where sourcePotentials[row] == .infinity {
      for (place, column) in columns.enumerated() {
        sourcePotentials[row] = min(sourcePotentials[row], Double(costs[row, column]) - v[place])
      }
    }
    for column in 0..<columnCount where targetPotentials[column] == .infinity {
      for row in 0..<rowCount {
        targetPotentials[column] = min(
          targetPotentials[column], Double(costs[row, column]) - sourcePotentials[row])
      }
    }
  }
}

/// Masses at the two ends of a transport, checked.
struct TransportMasses {
  let sources: [Double]
  let targets: [Double]

  static let nothing = BasisError(
    .badData, "transport is between at least 1 source and 1 target; the costs have none")

  /// - Parameter isBalanced: whether both sides must have the same sum.
  init(_ costs: Matrix, supply: [Double]?, demand: [Double]?, isBalanced: Bool = true)
    throws(BasisError)
  {
    guard !costs.isEmpty else { throw Self.nothing }
    try costs.requireFinite("the costs")
    sources = try Self.masses(supply, costs.rowCount, "supply", "rows")
    let wanted = try Self.masses(demand, costs.columnCount, "demand", "columns")
    guard isBalanced else {
      targets = wanted
      return
    }
    let (given, asked) = (sources.reduce(0, +), wanted.reduce(0, +))
    guard abs(given - asked) <= 1e-6 * max(given, asked) else {
      throw BasisError(
        .badData,
        "the supply sums to \(given) and the demand to \(asked); scale one of them, or use Sinkhorn "
          + "with a reach")
    }
    targets = wanted.map { $0 * (given / asked) }
  }

  private static func masses(_ given: [Double]?, _ count: Int, _ name: String, _ lines: String)
    throws(BasisError) -> [Double]
  {
    guard let given else { return [Double](repeating: 1 / Double(count), count: count) }
    guard given.count == count else {
      throw BasisError(
        .dimensionMismatch,
        "the \(name) has \(given.count) masses for \(count) \(lines) of costs; give one each")
    }
    if let place = given.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw BasisError(
        .badData, "the \(name) has \(given[place]) at \(place); masses are finite and at least 0")
    }
    guard given.contains(where: { $0 > 0 }) else {
      throw BasisError(.badData, "the \(name) is 0 everywhere; there is nothing to carry")
    }
    return given
  }
}

extension Matrix {
  /// Some columns, in the order given.
  fileprivate func selecting(columns: [Int]) -> Matrix {
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
