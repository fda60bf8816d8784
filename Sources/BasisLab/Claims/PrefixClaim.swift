import BasisCodecs
public import BasisCore
import BasisNumerics
import BasisSearch

/// An encoder that is trained on its prefixes gives short vectors as good as one that is trained to be
/// short, and loses nothing at full length. Of vectors that were not, the first values keep little; turned
/// into their principal directions, much, and a funnel over those finds nearly all with an eighth of the
/// work.
public struct PrefixClaim: Claim {
  public static let statement = ClaimStatement(
    id: 122,
    title:
      "training on prefixes makes each as good as an encoder of its size at no cost to the whole; "
      + "finished vectors become nested by a rotation, and a funnel needs an eighth of the work",
    paper: "nested vectors match independently trained ones at every size on ImageNet and beat cut "
      + "ones (figures 2 and 3), and the funnel takes 1/128 of the multiplications at equal accuracy "
      + "(section 4.3)",
    baseline:
      "prefixes of vectors that were not trained for it; an encoder of 8 values; the rotation, "
      + "which needs no training",
    data: "1,797 digits, for training; through random features, 8,985 × 256", accepts: .rows,
    cost: .slow, seedCount: 16,
    breaking: "`rotates` off: the prefixes are of the vectors as they are")

  /// Whether vectors are turned into their principal directions first.
  public var rotates = true
  var size = NeighborTask.Size()
  var training = NestedTraining()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.size = .miniature
    claim.training.hiddenSize = 16
    claim.training.fullSize = 16
    (claim.training.trainCount, claim.training.testCount) = (256, 100)
    claim.training.epochCount = 3
    return claim
  }

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
        "nested_over_cut", "accuracy of 8 values: nested training less plain", .above(0.03),
        isOfOwnData: true),
      .init(
        "nested_less_own", "nested training's 8 values less an encoder of 8", .above(-0.01),
        isOfOwnData: true),
      .init(
        "nested_whole", "all values: nested training less plain", .above(-0.005),
        isOfOwnData: true),
      .init("nested_8", "accuracy of 8 nested values, nearest image"),
      .init("cut_8", "of the first 8 values of plain training"),
      .init("own_8", "of an encoder of 8 values"),
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
    // Of the digits only: a person's rows have been trained already.
    if data == nil {
      let trained = try training.measure(in: run)
      numbers["nested_over_cut"] = trained.nestedShort - trained.plainShort
      numbers["nested_less_own"] = trained.nestedShort - trained.own
      numbers["nested_whole"] = trained.nestedFull - trained.plainFull
      numbers["nested_8"] = trained.nestedShort
      numbers["cut_8"] = trained.plainShort
      numbers["own_8"] = trained.own
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
