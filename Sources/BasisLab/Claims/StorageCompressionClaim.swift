import BasisCodecs
public import BasisCore

/// Of finished vectors at equal memory: bytes keep more than singular vectors, these more than the
/// largest values, and at a sixteenth product quantisation keeps most.
public struct StorageCompressionClaim: Claim {
  public static let statement = ClaimStatement(
    id: 79,
    title: "at equal memory, finished vectors are best kept as bytes at a quarter and by product "
      + "quantisation at a sixteenth; pruning comes last",
    paper:
      "of the compressors for retrieval that the study tests after training, quantisers lead at "
      + "every ratio that they reach, and pruning falls behind first (section 6); figures here are "
      + "of the miniature on digits that the method's description gives",
    baseline: "singular vectors and pruning at the same ratio",
    data: "digits through random features, 8,985 × 256", accepts: .rows,
    breaking: "`byteStep` so wide that all values fall on a few levels")

  /// What one of 256 levels is worth; nil fits a step to each row.
  public var byteStep: Float?
  var size = NeighborTask.Size()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.size = .miniature
    return claim
  }

  public var broken: Self {
    var copy = self
    copy.byteStep = 1
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .reported("int8", "recall@10 of bytes, ratio 0.25", 0.996, within: 0.015),
      .reported("svd_25", "of singular vectors, ratio 0.25", 0.93, within: 0.035),
      .reported("svd_10", "of singular vectors, ratio 0.1", 0.77, within: 0.08),
      .reported("signs", "of one sign a dimension, ratio 0.031", 0.72, within: 0.035),
      .init("int4", "of half bytes, ratio 0.129", .above(0.9), isOfOwnData: true),
      .init("int4_below_int8", "bytes less half bytes", .above(0)),
      .init("prune_25", "of the largest values, ratio 0.25", reported: 0.67),
      .init("prune_10", "of the largest values, ratio 0.1", reported: 0.38),
      .init("product", "of product quantisation, ratio 0.06", reported: 0.77),
      .init("svd_05", "of singular vectors, ratio 0.05", reported: 0.48),
      .init("bytes_over_svd", "bytes less singular vectors at a quarter", .above(0.02)),
      .init("svd_over_prune", "singular vectors less pruning at a quarter", .above(0.1)),
      .init("svd_over_prune_10", "the same at a tenth", .above(0.2)),
      .init("product_over_svd", "product quantisation less singular vectors", .above(0.1)),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let task = try NeighborTask(data, size, in: run)
    let (n, d) = (task.rows.rowCount, task.rows.columnCount)
    func singular(_ ratio: Double) throws(BasisError) -> Double {
      try run.checkCancelled()
      let rank = max(1, SVDCodec.rank(ratio: ratio, rowCount: n, dimension: d))
      return try task.recall(SVDCodec(rank: rank), in: run)
    }
    func largest(_ ratio: Double) throws(BasisError) -> Double {
      try run.checkCancelled()
      let pruned = try PruneCodec(ratio: ratio, columnBytes: 4).compress(task.rows, in: run)
      return try task.recall(ofDecoded: pruned.decoded(), in: run)
    }
    let codec =
      byteStep.map { ScalarQuantizer(.stochasticInt8, step: $0) } ?? ScalarQuantizer(.int8)
    let bytes = try task.recall(codec, in: run)
    let (quarter, tenth, least) = (try singular(0.25), try singular(0.1), try singular(0.05))
    let (pruned, prunedTenth) = (try largest(0.25), try largest(0.1))
    let product = try task.recall(task.product, in: run)
    let signs = try task.recall(BinaryQuantizer(rotation: .random, isSymmetric: true), in: run)
    let four = try task.recall(ScalarQuantizer(.int4), in: run)
    return [
      "int8": bytes, "svd_25": quarter, "svd_10": tenth, "svd_05": least, "prune_25": pruned,
      "prune_10": prunedTenth, "product": product, "bytes_over_svd": bytes - quarter,
      "svd_over_prune": quarter - pruned, "svd_over_prune_10": tenth - prunedTenth,
      "product_over_svd": product - least, "signs": signs, "int4": four,
      "int4_below_int8": bytes - four,
    ]
  }
}
