import BasisCodecs
public import BasisCore
import BasisFormats
import BasisSearch
import Foundation

/// Light codes in memory need not find the nearest rows, only have them among some hundred: vectors
/// that are read from a file decide.
public struct BiGranularClaim: Claim {
  public static let statement = ClaimStatement(
    id: 177,
    title:
      "codes of a sixteenth of the vectors' memory and less find a part of the nearest rows, and nearly "
      + "all once 200 vectors a query are read from a file",
    paper:
      "two granularities find up to 4.3 % more at a million documents and 17.5 % at a billion than any "
      + "one of them (abstract), with codes and vectors that are trained for each other; here the index "
      + "alone, with codes that are fitted and vectors as they are",
    baseline: "the codes alone; exact search",
    data: "digits through random features, 8,985 × 256", cost: .slow, seedCount: 3,
    breaking: "`readCount`: no more rows are read than are answered")

  /// Rows that are read for a query, at least 10.
  public var readCount = 200
  /// Values that share a byte of code; divides the dimension.
  public var valuesPerByte = 16
  var size = NeighborTask.Size()

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    claim.size = .miniature
    return claim
  }

  public var broken: BiGranularClaim {
    var copy = self
    copy.readCount = 10
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init("decided", "recall@10 where vectors decide", .above(0.97)),
      .init("codes", "recall@10 of the codes alone", .below(0.85)),
      .init("memory", "bytes in memory over those of the vectors", .below(0.0625)),
      .init("read", "rows that are read for a query", .below(200.5)),
      .init("calls", "calls of the system in which they are read"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    guard readCount >= 10, valuesPerByte >= 1, size.dimension.isMultiple(of: valuesPerByte) else {
      throw BasisError(
        .invalidArgument,
        "claim 177: at least 10 rows are read, and \(valuesPerByte) values a byte divide "
          + "\(size.dimension); \(readCount) are read")
    }
    let task = try NeighborTask(nil, size, in: run)
    let path = NSTemporaryDirectory() + "basis-claim-177-\(UUID().uuidString).npy"
    try NumPyArray(task.rows).write(to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let index = try BiGranularIndex(
      vectorsAt: path, metric: .cosine,
      codec: ProductQuantizer(parts: size.dimension / valuesPerByte), calibrationQueries: 30,
      in: run)
    let answer = try index.searchCounting(
      task.queries, k: task.k, effort: .candidates(readCount), in: run)
    let alone = try index.searchCounting(
      task.queries, k: task.k, effort: .candidates(task.k), in: run)
    let queryCount = Double(task.queries.rowCount)
    return [
      "decided": task.recall(of: answer.neighbors), "codes": task.recall(of: alone.neighbors),
      "memory": Double(index.size.memory) / Double(index.size.vectors),
      "read": Double(answer.rowsRead) / queryCount, "calls": Double(answer.reads) / queryCount,
    ]
  }
}
