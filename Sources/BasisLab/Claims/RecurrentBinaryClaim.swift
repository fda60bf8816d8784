public import BasisCodecs
public import BasisCore

/// Each further bit of a recurrent code keeps more neighbours, and two of them more than product
/// quantisation of the same size; without any training.
public struct RecurrentBinaryClaim: Claim {
  public static let statement = ClaimStatement(
    id: 186,
    title: "each further bit a dimension keeps more of the ten nearest, and two bits beat product "
      + "quantisation at equal memory",
    paper: "at 1,024 bits of COCO's captions, recurrent codes find .646 of the pictures among the "
      + "first five, where hashing finds .632 and floats .649 (the authors' repository); here a "
      + "rotation stands for the trained networks",
    baseline: "product quantisation, 32 parts of 8 bits; signs",
    data: "digits through random features, 8,985 × 256", accepts: .rows,
    cost: .slow, seedCount: 10,
    breaking: "`recurs` off: whatever the number of bits, only the first one is coded")

  /// Whether later bits code what the earlier ones left over.
  public var recurs = true
  public var rotation = Rotation.random
  var size = NeighborTask.Size()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.size = .miniature
    return claim
  }

  public var broken: Self {
    var copy = self
    copy.recurs = false
    return copy
  }

  public var expectations: [ClaimExpectation] {
    let reported = [0.70, 0.84, 0.91, 0.94]
    return (1...4).map { bits in
      .reported(
        "recall_\(bits)", "recall@10 at \(bits) bits a dimension, queries coded too",
        reported[bits - 1], within: 0.035)
    } + [
      .init("gain_2", "second bit's gain", reported: 0.14, .above(0)),
      .init("gain_3", "third bit's gain", reported: 0.07, .above(0)),
      .init("gain_4", "fourth bit's gain", reported: 0.03, .above(0)),
      .init("over_product", "2 bits less product quantisation", reported: 0.07, .above(0)),
      .init("whole_queries", "2 bits: gain of queries that are not coded", .above(0)),
      .init("product", "recall@10 of product quantisation, 32 × 8 bits", reported: 0.77),
      .init("signs", "recall@10 of one sign a dimension", reported: 0.72),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    let task = try NeighborTask(data, size, in: run)
    var numbers: [String: Double] = [:]
    var recalls: [Double] = []
    for bits in 1...4 {
      try run.checkCancelled()
      let codec = RecurrentBinaryCodec(
        bits: recurs ? bits : 1, rotation: rotation, isSymmetric: true)
      recalls.append(try task.recall(codec, in: run))
      numbers["recall_\(bits)"] = recalls[bits - 1]
      if bits > 1 { numbers["gain_\(bits)"] = recalls[bits - 1] - recalls[bits - 2] }
    }
    let whole = try task.recall(
      RecurrentBinaryCodec(bits: recurs ? 2 : 1, rotation: rotation), in: run)
    numbers["whole_queries"] = whole - recalls[1]
    let product = try task.recall(task.product, in: run)
    numbers["product"] = product
    numbers["over_product"] = recalls[1] - product
    numbers["signs"] = try task.recall(
      BinaryQuantizer(rotation: .random, isSymmetric: true), in: run)
    return numbers
  }
}
