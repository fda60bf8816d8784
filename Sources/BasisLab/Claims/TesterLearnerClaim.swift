import BasisClassification
public import BasisCore
import Foundation

/// Normal rows are certified whoever flips labels, and rows of another form are refused.
public struct TesterLearnerClaim: Claim {
  public static let statement = ClaimStatement(
    id: 165,
    title:
      "a plane found on normal rows is certified with an error near the best there is, and rows that "
      + "are not normal are refused",
    paper:
      "theorems 1.2 and 1.3: accepted planes err by at most opt + ε under Massart noise and by a "
      + "multiple of opt + ε under an adversary, and normal rows are accepted; the constants here are "
      + "not the theory's",
    baseline: "the plane that made the labels, whose error is known",
    data:
      "20,000 rows of 10 columns: normal, Student's t of 3 degrees, corners of a cube, and normal "
      + "with a fifth of the rows shrunk; 52 mixtures of 4,000 rows of 2 to 6 columns, 13 a seed",
    cost: .quick, seedCount: 4, breaking: "`isBlind`: nothing is tested, and all is accepted")

  /// Whether tolerances are so wide that all passes.
  public var isBlind = false
  public var rowCount = 20_000
  public var columnCount = 10
  /// Data sets of each kind and seed.
  public var trialCount = 5
  /// Mixtures of each seed.
  public var mixtureCount = 13
  /// Rows of a mixture.
  public var mixtureRowCount = 4000
  /// Planes that the best one of a mixture is sought among.
  public var searchCount = 2000
  var tester = TesterLearner()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.rowCount, claim.columnCount, claim.trialCount) = (600, 3, 1)
    (claim.tester.stepCount, claim.tester.batchSize) = (20, 100)
    (claim.mixtureCount, claim.mixtureRowCount, claim.searchCount) = (3, 400, 20)
    return claim
  }

  public var broken: TesterLearnerClaim {
    var copy = self
    copy.isBlind = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "massart", "share of normal data accepted, chance flips 5 or 35 %", reported: 1,
        .above(0.85)),
      .init(
        "massart_excess", "error less that of the true plane", reported: 0.005, .below(0.015)),
      .init("adversary", "share accepted, the furthest 5 % flipped", reported: 1, .above(0.85)),
      .init("adversary_excess", "error less .05", reported: 0.005, .below(0.015)),
      .init("student", "share of Student's t refused", reported: 1, .above(0.85)),
      .init("cube", "share of corners of a cube refused", reported: 1, .above(0.85)),
      .init("planted", "share refused, a fifth of the rows shrunk", reported: 1, .above(0.85)),
      .init("laplace", "share of Laplace's refused", reported: 1),
      .init(
        "unsound",
        "mixtures that are accepted with an error above 3 times the best plane's and .05",
        reported: 0, .below(0.001)),
      .init("mixtures", "share of the mixtures that are accepted"),
      .init(
        "mixture_excess", "error of what is accepted of them less the best plane's, the most"),
    ]
  }

  private enum Kind: String, CaseIterable {
    case massart, adversary, student, cube, planted, laplace
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    var settings = tester
    if isBlind { (settings.massTolerance, settings.spectrumTolerance) = (1e9, 1e9) }
    var numbers: [String: Double] = [:]
    for kind in Kind.allCases {
      var (share, excess) = (0.0, 0.0)
      for trial in 0..<trialCount {
        var generator = run.generator(kind.rawValue, chunk: trial)
        let (input, best) = try sample(kind, &generator)
        settings.noise = kind == .adversary ? .adversarial : .massart
        let own = RunContext(
          seed: generator.next(), threadLimit: run.threadLimit, cancellation: run.cancellation)
        let verdict = try settings.certify(input, in: own)
        let isExpected = verdict.isAccepted == (kind == .massart || kind == .adversary)
        share += isExpected ? 1 / Double(trialCount) : 0
        excess += (verdict.error - best) / Double(trialCount)
      }
      numbers[kind.rawValue] = share
      if kind == .massart || kind == .adversary { numbers["\(kind.rawValue)_excess"] = excess }
    }
    for (name, value) in try mixtures(settings, in: run) { numbers[name] = value }
    return numbers
  }

  // MARK: Mixtures

  private func mixtures(_ tester: TesterLearner, in run: RunContext) throws(BasisError)
    -> [String: Double]
  {
    var settings = tester
    settings.isWhitening = true
    let checked = settings
    let found = try parallelMap(mixtureCount, grain: 1, in: run) {
      (number, _) throws(BasisError) -> (error: Double, best: Double)? in
      var generator = run.generator("mixtures", chunk: number)
      let mixture = PlaneMixture(mixtureRowCount, number, &generator)
      let own = RunContext(
        seed: generator.next(), threadLimit: 1, cancellation: run.cancellation)
      let verdict = try checked.certify(
        LabeledRows(mixture.rows, labels: mixture.labels), in: own)
      guard verdict.isAccepted else { return nil }
      let d = mixture.rows.columnCount
      let plane = Array(verdict.model.weights[d...])
      let error = mixture.error(plane)
      return (error, mixture.best(searchCount, from: plane, &generator))
    }
    let accepted = found.compactMap { $0 }
    return [
      "unsound": Double(accepted.count { $0.error > 3 * $0.best + 0.05 }),
      "mixtures": Double(accepted.count) / Double(max(1, mixtureCount)),
      "mixture_excess": accepted.map { $0.error - $0.best }.max() ?? 0,
    ]
  }

  // MARK: Kinds

  /// Rows, their labels by a random plane, and that plane's share of wrong ones.
  private func sample(_ kind: Kind, _ generator: inout RandomGenerator) throws(BasisError) -> (
    LabeledRows, Double
  ) {
    let (n, d) = (rowCount, columnCount)
    let rows = Matrix(rowCount: n, columnCount: d) { out in
      for row in 0..<n {
        // Of a fifth of the rows nearly nothing is left.
        let scale = kind == .planted && row % 5 == 0 ? 0.1 : 1
        for column in 0..<d {
          out[row * d + column] = Float(scale * Self.value(kind, &generator))
        }
      }
    }
    let plane = (0..<d).map { _ in generator.nextGaussian() }
    let length = plane.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let along = (0..<n).map { row in
      (0..<d).reduce(0.0) { $0 + plane[$1] * Double(rows[row, $1]) } / length
    }
    var labels = along.map { $0 > 0 ? 1 : 0 }
    switch kind {
    case .adversary:
      let order = along.indices.sorted { abs(along[$0]) > abs(along[$1]) }
      for row in order.prefix(n / 20) { labels[row] = 1 - labels[row] }
    default:
      for row in 0..<n where generator.nextDouble() < (along[row] > 0 ? 0.35 : 0.05) {
        labels[row] = 1 - labels[row]
      }
    }
    let wrong = (0..<n).count { (along[$0] > 0 ? 1 : 0) != labels[$0] }
    return (try LabeledRows(rows, labels: labels), Double(wrong) / Double(n))
  }

  /// Of mean 0 and variance 1.
  private static func value(_ kind: Kind, _ generator: inout RandomGenerator) -> Double {
    switch kind {
    case .massart, .adversary, .planted: return generator.nextGaussian()
    case .cube: return generator.next() >> 63 == 0 ? -1 : 1
    case .student:
      let squares = (0..<3).reduce(0.0) { sum, _ in
        let value = generator.nextGaussian()
        return sum + value * value
      }
      // Three degrees have a variance of 3.
      return generator.nextGaussian() / squares.squareRoot()
    case .laplace:
      let value = 2 * generator.nextDouble() - 1
      return (value < 0 ? 1 : -1) * log(1 - abs(value)) / 2.0.squareRoot()
    }
  }
}

/// Rows of several forms, around zero, and labels of a plane through it that somebody flipped some of.
private struct PlaneMixture {
  let rows: Matrix
  let labels: [Int]
  /// The plane that labels began with.
  private let teacher: [Double]

  private enum Form: Int, CaseIterable {
    case normal, flat, laplace, student, corners
  }

  /// - Parameter number: every fifth is normal but for a few hundredths of its rows, and every other fifth
  ///   has no normal row.
  init(_ n: Int, _ number: Int, _ generator: inout RandomGenerator) {
    let d = 2 + generator.nextInt(below: 5)
    let share = [0.05 * generator.nextDouble(), generator.nextDouble(), 1][
      number % 5 == 0 ? 0 : number % 5 == 1 ? 2 : 1]
    let forms = (0..<3).map { _ in
      Form.allCases[1 + generator.nextInt(below: Form.allCases.count - 1)]
    }
    let spreads = (0..<3 * d).map { _ in 0.3 + 2 * generator.nextDouble() }
    let offsets = (0..<3 * d).map { _ in generator.nextGaussian() * (number % 2 == 0 ? 0 : 1) }
    var values = [Double](repeating: 0, count: n * d)
    for row in 0..<n {
      let isOther = generator.nextDouble() < share
      let part = generator.nextInt(below: 3)
      for column in 0..<d {
        let value = Self.value(isOther ? forms[part] : .normal, &generator)
        values[row * d + column] =
          isOther ? offsets[part * d + column] + spreads[part * d + column] * value : value
      }
    }
    for column in 0..<d {
      let mean = (0..<n).reduce(0.0) { $0 + values[$1 * d + column] } / Double(n)
      for row in 0..<n { values[row * d + column] -= mean }
    }
    let (kept, width) = (values, d)
    rows = Matrix(rowCount: n, columnCount: width) { out in
      for index in out.indices { out[index] = Float(kept[index]) }
    }
    let plane = (0..<d).map { _ in generator.nextGaussian() }
    teacher = plane
    let along = (0..<n).map { row in
      (0..<width).reduce(0.0) { $0 + plane[$1] * kept[row * width + $1] }
    }
    labels = Self.labels(along, number, &generator)
  }

  private static func value(_ form: Form, _ generator: inout RandomGenerator) -> Double {
    switch form {
    case .normal: return generator.nextGaussian()
    case .flat: return 3.0.squareRoot() * (2 * generator.nextDouble() - 1)
    case .corners: return generator.next() >> 63 == 0 ? -1 : 1
    case .laplace:
      let value = 2 * generator.nextDouble() - 1
      return (value < 0 ? 1 : -1) * log(1 - abs(value)) / 2.0.squareRoot()
    case .student:
      let squares = (0..<3).reduce(0.0) { sum, _ in
        let value = generator.nextGaussian()
        return sum + value * value
      }
      return generator.nextGaussian() / squares.squareRoot()
    }
  }

  /// Up to a fifth of the labels is flipped: by chance, where rows are far from the plane, or where they
  /// are near.
  private static func labels(
    _ along: [Double], _ number: Int, _ generator: inout RandomGenerator
  ) -> [Int] {
    var labels = along.map { $0 > 0 ? 1 : 0 }
    let rate = 0.2 * generator.nextDouble()
    let order = along.indices.sorted { abs(along[$0]) < abs(along[$1]) }
    let count = Int(rate * Double(along.count))
    switch number % 3 {
    case 0:
      for row in labels.indices where generator.nextDouble() < rate {
        labels[row] = 1 - labels[row]
      }
    case 1: for row in order.suffix(count) { labels[row] = 1 - labels[row] }
    default: for row in order.prefix(count) { labels[row] = 1 - labels[row] }
    }
    return labels
  }

  /// The share of labels that a plane through zero gets wrong.
  func error(_ plane: [Double]) -> Double {
    let d = plane.count
    let wrong = rows.withUnsafeFloats { floats in
      var wrong = 0
      for row in labels.indices {
        var along = 0.0
        for column in 0..<d { along += plane[column] * Double(floats[row * d + column]) }
        wrong += (along > 0) != (labels[row] == 1) ? 1 : 0
      }
      return wrong
    }
    return Double(wrong) / Double(max(1, labels.count))
  }

  /// The least error of many random planes, of the teacher's, and of what small turns make of the best.
  func best(_ count: Int, from plane: [Double], _ generator: inout RandomGenerator) -> Double {
    var best = (error: error(plane), plane: plane)
    func consider(_ other: [Double]) {
      let value = error(other)
      if value < best.error { best = (value, other) }
      if 1 - value < best.error { best = (1 - value, other.map { -$0 }) }
    }
    consider(teacher)
    for _ in 0..<count { consider(plane.map { _ in generator.nextGaussian() }) }
    for step in 0..<count {
      let length = best.plane.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let turn = exp(-6 * Double(step) / Double(count))
      consider(best.plane.map { $0 / length + turn * generator.nextGaussian() })
    }
    return best.error
  }
}
