public import BasisCore
import BasisNumerics
import BasisSelection

/// SimCore takes from a large pool the rows that are like a small target, and stops when they end.
public struct SimCoreClaim: Claim {
  public static let statement = ClaimStatement(
    id: 205,
    title:
      "of a pool of other digits and noise, the rows taken for a target of three digits are of these digits, "
      + "and about as many are taken as there are",
    paper:
      "pre-training on the target and what is taken gains 10.5 points on average over eleven data sets against "
      + "the target alone (table 2, with the stop rule); here only what is taken is measured, not the training",
    baseline: "as many rows of the pool by chance; single greedy choice (facility location)",
    data:
      "150 digits of 3, 5 and 8; a pool of the other 1,647 digits and 2,000 images of noise, centred",
    seedCount: 60, breaking: "`ignoresTarget`: the target is noise")

  /// Rows of the target, at least 10.
  public var targetCount = 150
  public var noiseCount = 2_000
  /// Of the digits.
  public var imageCount = 1_797
  public var centroidCount = 10
  public var patience = 20
  public var ignoresTarget = false

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.imageCount, claim.targetCount, claim.noiseCount) = (300, 40, 60)
    (claim.centroidCount, claim.patience) = (4, 3)
    return claim
  }

  public var broken: SimCoreClaim {
    var copy = self
    copy.ignoresTarget = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init("purity", "share of what is taken that is of the target's digits", .above(0.9)),
      .init("gain", "the same over the share in the pool", .above(2)),
      .init("amount", "rows taken over rows of these digits in the pool", .within(0.5...1.5)),
      .init(
        "facility", "facility location's value of what is taken, over greedy choice of as many",
        .above(0.95)),
      .init("random", "that value of as many rows by chance, over greedy choice"),
      .init("rounds", "rounds until it stopped"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    var generator = run.generator("target and noise")
    var order = Array(Digits.shuffled(in: run).prefix(imageCount))
    let wanted: Set<Int> = [3, 5, 8]
    let target = Array(order.filter { wanted.contains(Digits.labels[$0]) }.prefix(targetCount))
    let isTarget = Set(target)
    order.removeAll { isTarget.contains($0) }
    let relevant = order.count { wanted.contains(Digits.labels[$0]) }
    let count = order.count + noiseCount
    let images = Digits.images.selecting(rows: order)
    let pool = Matrix(rowCount: count, columnCount: 64) { floats in
      for place in floats.indices {
        let row = place / 64
        floats[place] = row < order.count ? images[row, place % 64] : generator.nextFloat()
      }
    }
    let mean = (0..<64).map { column in
      (0..<count).reduce(Float(0)) { $0 + pool[$1, column] } / Float(count)
    }
    func centered(_ rows: Matrix) -> Matrix {
      Matrix(rowCount: rows.rowCount, columnCount: 64) { floats in
        for place in floats.indices {
          floats[place] = rows[place / 64, place % 64] - mean[place % 64]
        }
      }
    }
    var goal = Digits.images.selecting(rows: target)
    if ignoresTarget {
      goal = Matrix(rowCount: target.count, columnCount: 64) { floats in
        for place in floats.indices { floats[place] = generator.nextFloat() }
      }
    }
    let input = try PoolAndTarget(pool: centered(pool), target: centered(goal))
    let trace = try SimCore(centroidCount: centroidCount, patience: patience).trace(input, in: run)
    let rows = trace.picks.map(\.row)
    let right = rows.count { $0 < order.count && wanted.contains(Digits.labels[order[$0]]) }
    let purity = Double(right) / Double(max(rows.count, 1))

    let unit = input.target.withUnitRows()
    let similarities = try LinearAlgebra.product(
      unit, input.pool.withUnitRows(), transposingB: true, in: run)
    let greedy = try FacilityLocation(count: max(rows.count, 1)).select(similarities, in: run)
    let best = FacilityLocation.value(similarities, of: greedy)
    let chance = generator.sample(min(rows.count, count), of: count)
    return [
      "purity": purity, "gain": purity * Double(count) / Double(max(relevant, 1)),
      "amount": Double(rows.count) / Double(max(relevant, 1)),
      "facility": FacilityLocation.value(similarities, of: rows) / best,
      "random": FacilityLocation.value(similarities, of: chance) / best,
      "rounds": Double(trace.values.count),
    ]
  }
}
