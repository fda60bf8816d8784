public import BasisCore
import BasisNumerics
import Foundation

/// A plane between two classes that comes with a certificate, or with the test that refuses it.
///
/// Where rows are normal, a plane that gradient descent finds is near the best there is, even if labels
/// are flipped: up to a share of each row's (Massart), or by an adversary. Whether rows are normal enough
/// for that is tested on rows that the search did not see: how many lie near the plane and at each
/// distance from it, and how they spread along it. What passes is certified; what fails is refused.
///
/// Gollakota, Klivans, Stavropoulos & Vasilyan, *An Efficient Tester-Learner for Halfspaces* (2023),
/// arXiv:2302.14853: the search of section 4, the tests of section 3. The theory's constants are too small
/// to use; those here are chosen so that normal rows pass and others, as far as tried, do not.
public struct TesterLearner: Classifier {
  /// What flips labels.
  public enum Noise: String, Sendable, Hashable, Codable, CaseIterable {
    /// Chance, for each row with a probability below a half.
    case massart
    /// Anybody, any rows: fourth moments are tested too, up to 20 columns.
    case adversarial
  }

  public var noise: Noise
  /// Of the ramp that is descended, *σ*: above 0.
  public var bandWidth: Double
  /// Of the layers beside the plane, above 0.
  public var slabWidth: Double
  /// At least 1.
  public var slabCount: Int
  /// How far a layer's share of the rows may be from the normal one, relative to it.
  public var massTolerance: Double
  /// How far the second moments along the plane may be from 1.
  public var spectrumTolerance: Double
  public var stepCount: Int
  public var batchSize: Int
  /// Of a step, *η*.
  public var learningRate: Double
  /// Whether rows are first brought to mean 0 and covariance 1.
  public var isWhitening: Bool

  /// - Parameters:
  ///   - noise: what flips labels.
  ///   - bandWidth: of the ramp that is descended.
  ///   - slabWidth: of the layers beside the plane.
  ///   - slabCount: layers.
  ///   - massTolerance: for shares of rows.
  ///   - spectrumTolerance: for second moments.
  ///   - stepCount: steps of a descent.
  ///   - batchSize: rows of a step.
  ///   - learningRate: of a step.
  ///   - isWhitening: whether rows are whitened first.
  public init(
    noise: Noise = .massart, bandWidth: Double = 0.2, slabWidth: Double = 0.25, slabCount: Int = 8,
    massTolerance: Double = 0.3, spectrumTolerance: Double = 0.35, stepCount: Int = 400,
    batchSize: Int = 1000, learningRate: Double = 0.1, isWhitening: Bool = false
  ) {
    self.noise = noise
    self.bandWidth = bandWidth
    self.slabWidth = slabWidth
    self.slabCount = slabCount
    self.massTolerance = massTolerance
    self.spectrumTolerance = spectrumTolerance
    self.stepCount = stepCount
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.isWhitening = isWhitening
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    noise = try values.decodeIfPresent(Noise.self, forKey: .noise) ?? noise
    bandWidth = try values.decodeIfPresent(Double.self, forKey: .bandWidth) ?? bandWidth
    slabWidth = try values.decodeIfPresent(Double.self, forKey: .slabWidth) ?? slabWidth
    slabCount = try values.decodeIfPresent(Int.self, forKey: .slabCount) ?? slabCount
    massTolerance = try values.decodeIfPresent(Double.self, forKey: .massTolerance) ?? massTolerance
    spectrumTolerance =
      try values.decodeIfPresent(Double.self, forKey: .spectrumTolerance) ?? spectrumTolerance
    stepCount = try values.decodeIfPresent(Int.self, forKey: .stepCount) ?? stepCount
    batchSize = try values.decodeIfPresent(Int.self, forKey: .batchSize) ?? batchSize
    learningRate = try values.decodeIfPresent(Double.self, forKey: .learningRate) ?? learningRate
    isWhitening = try values.decodeIfPresent(Bool.self, forKey: .isWhitening) ?? isWhitening
  }

  /// As ``certify(_:in:)``, for a plane or an error: what is returned is certified.
  ///
  /// - Parameters:
  ///   - input: as of ``certify(_:in:)``.
  ///   - run: the seed parts the rows and starts the search.
  /// - Throws: as ``certify(_:in:)``; `.badData` with the test that refuses, its value and what it allows.
  /// - Complexity: as ``certify(_:in:)``.
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> CertifiedHalfspace
  {
    let verdict = try certify(input, in: run)
    guard let halfspace = CertifiedHalfspace(verdict) else {
      throw BasisError(.badData, "a tester-learner: \(verdict.statement)")
    }
    return halfspace
  }

  /// Searches on a half of the rows and tests on the other.
  ///
  /// - Parameters:
  ///   - input: two classes, two columns at least, 50 rows a column at least; of mean 0 and covariance 1,
  ///     or ``isWhitening``.
  ///   - run: the seed parts the rows and starts the search.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming row and column, for other
  ///   numbers of classes, for too few rows, and for rows that are not white; `.missingDependency`
  ///   without OpenBLAS; `.cancelled`.
  /// - Complexity: O(`stepCount` · `batchSize` · *d* + *n* *d*²).
  public func certify(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> HalfspaceVerdict
  {
    let places = try check(input)
    var order = Array(0..<input.rows.rowCount)
    var generator = run.generator("rows that are tested with")
    generator.shuffle(&order)
    let half = order.count / 2
    let (seen, fresh) = (Array(order[..<half]), Array(order[half...]))
    let frame = try Whitening(
      input.rows.selecting(rows: seen), isNeeded: isWhitening, in: run)
    let signs = places.places.map { $0 == 1 ? 1.0 : -1.0 }
    let train = try frame.applied(to: input.rows.selecting(rows: seen), in: run)
    let test = try frame.applied(to: input.rows.selecting(rows: fresh), in: run)
    let found = try candidates(train, seen.map { signs[$0] }, in: run)
    let wanted = fresh.map { signs[$0] }
    let errors = try parallelMap(found.count, grain: 1, in: run) { (place, _) in
      Self.error(found[place], test, wanted)
    }
    // A candidate's negative errs where it does not.
    var best = (error: Double.infinity, direction: found[0])
    for (direction, error) in zip(found, errors) {
      if error < best.error { best = (error, direction) }
      if 1 - error < best.error { best = (1 - error, direction.map { -$0 }) }
    }
    let checks = try HalfspaceTests(self, test, best.direction).checks(in: run)
    // Hoeffding's bound for all candidates at once.
    let slack = (log(2 * 2 * Double(found.count) / 0.05) / (2 * Double(fresh.count))).squareRoot()
    let model = try frame.model(best.direction, classes: places.classes)
    return HalfspaceVerdict(
      model: model, error: best.error, errorBound: min(1, best.error + slack), checks: checks,
      noise: noise, isWhitened: isWhitening, testCount: fresh.count)
  }

  private func check(_ input: LabeledRows) throws(BasisError) -> ClassPlaces {
    guard bandWidth > 0, slabWidth > 0, slabCount >= 1, massTolerance > 0, spectrumTolerance > 0,
      stepCount >= 1, batchSize >= 1, learningRate > 0
    else {
      throw BasisError(
        .invalidArgument,
        "a tester-learner: widths, counts, tolerances and learningRate are all above 0")
    }
    let (n, d) = (input.rows.rowCount, input.rows.columnCount)
    try input.rows.requireFinite("the rows")
    let places = try ClassPlaces(input.labels, for: "a tester-learner")
    guard places.classes.count == 2 else {
      throw BasisError(
        .badData, "a tester-learner parts 2 classes; there are \(places.classes.count)")
    }
    guard d >= 2, n >= 50 * d else {
      throw BasisError(
        .badData,
        "a tester-learner needs 2 columns and 50 rows a column at least, or its tests see nothing; "
          + "got \(n) × \(d)")
    }
    return places
  }

  // MARK: The search

  /// Where descents from several starts came by: unit vectors.
  private func candidates(_ rows: Matrix, _ signs: [Double], in run: RunContext)
    throws(BasisError) -> [[Double]]
  {
    let d = rows.columnCount
    var mean = [Double](repeating: 0, count: d)
    for row in 0..<rows.rowCount {
      rows.withRow(row) { values in
        for column in 0..<d { mean[column] += signs[row] * Double(values[column]) }
      }
    }
    let start = mean
    return try parallelMap(3, grain: 1, in: run) { (number, _) throws(BasisError) -> [[Double]] in
      var generator = run.generator("descents", chunk: number)
      let random = (0..<d).map { _ in generator.nextGaussian() }
      return try descend(
        from: Self.unit(number == 0 ? start : random), rows, signs, &generator, in: run)
    }.flatMap { $0 }
  }

  /// Along the slope of a ramp of width *σ*, which only rows near the plane have.
  private func descend(
    from start: [Double], _ rows: Matrix, _ signs: [Double], _ generator: inout RandomGenerator,
    in run: RunContext
  ) throws(BasisError) -> [[Double]] {
    var direction = start
    var found = [start]
    let d = rows.columnCount
    for step in 1...stepCount {
      if step % 64 == 0 { try run.checkCancelled() }
      var slope = [Double](repeating: 0, count: d)
      for _ in 0..<batchSize {
        let row = generator.nextInt(below: rows.rowCount)
        rows.withRow(row) { values in
          var along = 0.0
          for column in 0..<d { along += Double(values[column]) * direction[column] }
          guard abs(along) <= bandWidth / 2 else { return }
          for column in 0..<d {
            slope[column] += signs[row] * (Double(values[column]) - along * direction[column])
          }
        }
      }
      let scale = learningRate / (bandWidth * Double(batchSize))
      for column in 0..<d { direction[column] += scale * slope[column] }
      direction = Self.unit(direction)
      if step % 20 == 0 || step == stepCount { found.append(direction) }
    }
    return found
  }

  private static func unit(_ values: [Double]) -> [Double] {
    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0 else { return values.indices.map { $0 == 0 ? 1 : 0 } }
    return values.map { $0 / length }
  }

  private static func error(_ direction: [Double], _ rows: Matrix, _ signs: [Double]) -> Double {
    let wrong = (0..<rows.rowCount).count { row in
      rows.withRow(row) { values in
        var along = 0.0
        for column in direction.indices { along += Double(values[column]) * direction[column] }
        return (along > 0) != (signs[row] > 0)
      }
    }
    return Double(wrong) / Double(max(1, rows.rowCount))
  }
}

/// A plane, and whether the rows let it be certified.
public struct HalfspaceVerdict: Sendable, Hashable {
  /// What was measured, and what it may be.
  public struct Check: Sendable, Hashable, Codable {
    public var name: String
    /// What is furthest from what normal rows have.
    public var value: Double
    public var allowed: ClosedRange<Double>
    public var passes: Bool { allowed.contains(value) }
  }

  /// The best plane that was found, in the units of the rows; certified or not.
  public var model: LinearClassifierModel
  /// On the rows that the search did not see.
  public var error: Double
  /// Above its true error with a confidence of 95 %.
  public var errorBound: Double
  public var checks: [Check]
  public var noise: TesterLearner.Noise
  public var isWhitened: Bool
  public var testCount: Int

  /// The first test that refuses; nil where the plane is certified.
  public var refusal: Check? { checks.first { !$0.passes } }
  public var isAccepted: Bool { refusal == nil }

  /// What is certified, or why nothing is, in a sentence.
  public var statement: String {
    if let refusal {
      func short(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
      let (low, high) = (refusal.allowed.lowerBound, refusal.allowed.upperBound)
      return "refused: \(refusal.name) is \(short(refusal.value)), allowed \(short(low)) to "
        + "\(short(high)); the rows are not normal enough to say that no plane is better"
    }
    return noise.statement
  }
}

/// What normal rows have beside any plane.
struct HalfspaceTests {
  private let settings: TesterLearner
  private let rows: Matrix
  private let direction: [Double]
  private let along: [Double]

  init(_ settings: TesterLearner, _ rows: Matrix, _ direction: [Double]) {
    self.settings = settings
    self.rows = rows
    self.direction = direction
    along = (0..<rows.rowCount).map { row in
      rows.withRow(row) { values in
        var sum = 0.0
        for column in direction.indices { sum += Double(values[column]) * direction[column] }
        return sum
      }
    }
  }

  func checks(in run: RunContext) throws(BasisError) -> [HalfspaceVerdict.Check] {
    let half = settings.bandWidth / 2
    var checks = try layer("the band", 0, half, in: run)
    for slab in 0..<settings.slabCount {
      let low = Double(slab) * settings.slabWidth
      checks += try layer("slab \(slab + 1)", low, low + settings.slabWidth, in: run)
    }
    if settings.noise == .adversarial, rows.columnCount <= 20 { checks.append(fourth()) }
    return checks
  }

  /// The share of rows between two distances from the plane, and their second moments along it.
  private func layer(_ name: String, _ low: Double, _ high: Double, in run: RunContext)
    throws(BasisError) -> [HalfspaceVerdict.Check]
  {
    let (n, d) = (Double(rows.rowCount), rows.columnCount)
    let members = along.indices.filter { abs(along[$0]) >= low && abs(along[$0]) < high }
    let share = 2 * (StandardNormal.cumulative(high) - StandardNormal.cumulative(low))
    let mass = Double(members.count) / (n * share)
    // Four deviations of a share: so much comes of chance alone.
    let chance = 4 * ((1 - share) / (share * n)).squareRoot()
    let loose = max(settings.massTolerance, chance)
    var checks = [
      HalfspaceVerdict.Check(
        name: "the mass of \(name)", value: mass, allowed: max(0, 1 - loose)...1 + loose)
    ]
    // Moments of fewer rows than columns say nothing.
    guard members.count >= 2 * d else { return checks }
    let flat = Matrix(rowCount: members.count, columnCount: d) { out in
      for (place, row) in members.enumerated() {
        rows.withRow(row) { values in
          for column in 0..<d {
            out[place * d + column] = Float(
              Double(values[column]) - along[row] * direction[column])
          }
        }
      }
    }
    var moments = try LinearAlgebra.product(flat, flat, transposingA: true, in: run)
    let scale = 1 / Double(members.count)
    moments.withUnsafeMutableFloats { floats in
      for first in 0..<d {
        for second in 0..<d {
          // Across the plane there is nothing left; a 1 there leaves the other values as they are.
          let across = direction[first] * direction[second]
          floats[first * d + second] = Float(Double(floats[first * d + second]) * scale + across)
        }
      }
    }
    let values = try LinearAlgebra.symmetricEigen(moments).values.map { Double($0) }
    // Where random rows' singular values end, and two deviations more (Davidson & Szarek 2001).
    let most = 1 + (Double(d).squareRoot() + 2) / Double(members.count).squareRoot()
    let edge = most * most - 1
    let slack = max(settings.spectrumTolerance, edge)
    let (least, largest) = (values.min() ?? 0, values.max() ?? 0)
    let furthest = abs(least - 1) > abs(largest - 1) ? least : largest
    checks.append(
      .init(
        name: "the second moment of \(name)", value: furthest,
        allowed: max(0, 1 - slack)...1 + slack))
    return checks
  }

  /// The fourth moments of columns and of pairs, by what normal rows have: 3 and 1.
  private func fourth() -> HalfspaceVerdict.Check {
    let (n, d) = (rows.rowCount, rows.columnCount)
    var sums = [Double](repeating: 0, count: d * d)
    for row in 0..<n {
      rows.withRow(row) { values in
        for first in 0..<d {
          let square = Double(values[first] * values[first])
          for second in first..<d {
            sums[first * d + second] += square * Double(values[second] * values[second])
          }
        }
      }
    }
    var furthest = 1.0
    for first in 0..<d {
      for second in first..<d {
        let value = sums[first * d + second] / (Double(n) * (first == second ? 3 : 1))
        if abs(value - 1) > abs(furthest - 1) { furthest = value }
      }
    }
    let slack = max(settings.spectrumTolerance, 16 / Double(n).squareRoot())
    return .init(
      name: "the fourth moment", value: furthest, allowed: max(0, 1 - slack)...1 + slack)
  }
}

/// Rows of mean 0 and covariance 1, and planes of theirs in the rows' own units.
struct Whitening {
  private let center: [Double]
  /// `d × d`, columns of the new rows; nil to leave rows as they are.
  private let turn: Matrix?

  /// - Throws: `.badData` for rows that are not white, or that no scale makes so.
  init(_ rows: Matrix, isNeeded: Bool, in run: RunContext) throws(BasisError) {
    let d = rows.columnCount
    let means = try Statistics.columnMoments(of: rows, in: run).map(\.mean)
    let covariance = try Self.covariance(rows, means, in: run)
    let eigen = try LinearAlgebra.symmetricEigen(covariance)
    let values = eigen.values.map { Double($0) }
    let (least, most) = (values.min() ?? 0, values.max() ?? 0)
    guard isNeeded else {
      let offset = means.map { abs($0) }.max() ?? 0
      // Heavy tails are for the tests to refuse: their sample's variance may be several times 1.
      guard offset < 0.5, least > 0.3, most < 5 else {
        throw BasisError(
          .badData,
          "a tester-learner wants rows of mean 0 and covariance 1; a mean is \(offset) off, and the "
            + "covariance's values go from \(least) to \(most); whiten them (isWhitening)")
      }
      center = [Double](repeating: 0, count: d)
      turn = nil
      return
    }
    guard least > 1e-6 * most, most > 0 else {
      throw BasisError(
        .badData,
        "a tester-learner cannot whiten these rows: some column is constant or repeats others; leave "
          + "it out")
    }
    center = means
    turn = Matrix(rowCount: d, columnCount: d) { out in
      for row in 0..<d {
        for column in 0..<d {
          out[row * d + column] = Float(
            Double(eigen.vectors[row, column]) / values[column].squareRoot())
        }
      }
    }
  }

  private static func covariance(_ rows: Matrix, _ means: [Double], in run: RunContext)
    throws(BasisError) -> Matrix
  {
    let centered = Self.centered(rows, means)
    var result = try LinearAlgebra.product(centered, centered, transposingA: true, in: run)
    let scale = 1 / Float(max(1, rows.rowCount))
    result.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] *= scale }
    }
    return result
  }

  private static func centered(_ rows: Matrix, _ means: [Double]) -> Matrix {
    var rows = rows
    let d = rows.columnCount
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        floats[index] = Float(Double(floats[index]) - means[index % d])
      }
    }
    return rows
  }

  func applied(to rows: Matrix, in run: RunContext) throws(BasisError) -> Matrix {
    guard let turn else { return rows }
    return try LinearAlgebra.product(Self.centered(rows, center), turn, in: run)
  }

  func model(_ direction: [Double], classes: [Int]) throws(BasisError) -> LinearClassifierModel {
    let d = direction.count
    var own = direction
    if let turn {
      for row in 0..<d {
        own[row] = (0..<d).reduce(0) { $0 + Double(turn[row, $1]) * direction[$1] }
      }
    }
    return try LinearClassifierModel(
      classes: classes, weights: [Double](repeating: 0, count: d) + own, intercepts: [0, 0],
      center: center)
  }
}
