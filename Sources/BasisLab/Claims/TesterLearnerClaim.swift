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
      + "with a fifth of the rows shrunk",
    cost: .quick, seedCount: 4, breaking: "`isBlind`: nothing is tested, and all is accepted")

  /// Whether tolerances are so wide that all passes.
  public var isBlind = false
  public var rowCount = 20_000
  public var columnCount = 10
  /// Data sets of each kind and seed.
  public var trialCount = 5
  var tester = TesterLearner()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.rowCount, claim.columnCount, claim.trialCount) = (600, 3, 1)
    (claim.tester.stepCount, claim.tester.batchSize) = (20, 100)
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
    return numbers
  }

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
