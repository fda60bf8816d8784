import BasisCodecs
public import BasisCore
import BasisNumerics
import BasisSearch

/// The first values of vectors that were not trained for it keep little; of the same vectors turned into
/// their principal directions, much, and a funnel over those finds nearly all with an eighth of the work.
public struct PrefixClaim: Claim {
  public static let statement = ClaimStatement(
    id: 122,
    title:
      "vectors become nested by a rotation into principal directions: prefixes keep the nearest, "
      + "and a funnel finds them with an eighth of the work",
    paper: "with nested vectors the funnel takes 1/128 of the multiplications at equal accuracy on "
      + "ImageNet (abstract, section 4.3); the rotation is the baseline that any training has to beat",
    baseline: "prefixes of the vectors as they are",
    data: "digits through random features, 8,985 × 256", accepts: .rows,
    breaking: "`rotates` off: the prefixes are of the vectors as they are")

  /// Whether vectors are turned into their principal directions first.
  public var rotates = true
  var size = NeighborTask.Size()

  public init() {}

  public var broken: Self {
    var copy = self
    copy.rotates = false
    return copy
  }

  /// Dimensions of the prefixes, and what was reported of them as they are and turned.
  private static let prefixes: [(count: Int, plain: Double, turned: Double)] = [
    (16, 0.23, 0.70), (64, 0.59, 0.94), (128, 0.79, 0.975),
  ]

  public var expectations: [ClaimExpectation] {
    Self.prefixes.flatMap { prefix -> [ClaimExpectation] in
      let (count, plain, turned) = prefix
      return [
        // Which features come first is chance, so that few of them keep more or less.
        .init("plain_\(count)", "recall@10 of the first \(count) values", reported: plain),
        .init(
          "turned_\(count)", "the same of \(count) directions", reported: turned,
          .above(turned - 0.035), isOfOwnData: true),
        .init(
          "gain_\(count)", "what the rotation adds at \(count)", reported: turned - plain,
          .above(0)),
      ]
    } + [
      .init(
        "funnel", "recall@10 of the funnel 16, 32, 64, 256", reported: 0.99, .above(0.985),
        isOfOwnData: true),
      .init(
        "work", "the funnel's multiplications, of a full scan's", .below(0.125), isOfOwnData: true),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let task = try NeighborTask(data, size, in: run)
    let dimension = task.rows.columnCount
    var numbers: [String: Double] = [:]
    for (count, _, _) in Self.prefixes {
      try run.checkCancelled()
      let kept = min(count, dimension)
      let plain = try task.recall(MatryoshkaCodec(dimensions: kept), in: run)
      let turned =
        rotates ? try task.recall(PCARotationCodec(dimensions: kept), in: run) : plain
      numbers["plain_\(count)"] = plain
      numbers["turned_\(count)"] = turned
      numbers["gain_\(count)"] = turned - plain
    }
    let (recall, work) = try funnel(task, in: run)
    numbers["funnel"] = recall
    numbers["work"] = work
    return numbers
  }

  private func funnel(_ task: NeighborTask, in run: RunContext) throws(BasisError)
    -> (recall: Double, work: Double)
  {
    var (rows, queries) = (task.rows, task.queries)
    if rotates {
      let moments = try LinearAlgebra.product(rows, rows, transposingA: true, in: run)
      let directions = try LinearAlgebra.symmetricEigen(moments).vectors
      rows = try LinearAlgebra.product(rows, directions, in: run)
      queries = try LinearAlgebra.product(queries, directions, in: run)
    }
    let d = rows.columnCount
    var stages: [FunnelIndex.Stage] = []
    for (dimensions, keep) in [(16, 400), (32, 200), (64, 100), (d, task.k)]
    where dimensions < d || keep == task.k {
      stages.append(.init(dimensions: dimensions, keep: keep))
    }
    let index = try FunnelIndex(rows, metric: .cosine, stages: stages)
    let work = index.multiplyAdds
    return (
      task.recall(of: try index.search(queries, k: task.k, in: run)),
      Double(work.funnel) / Double(work.full)
    )
  }
}
