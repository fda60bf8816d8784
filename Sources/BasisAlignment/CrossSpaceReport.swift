public import BasisCore
import BasisNumerics

/// How well things are found across two spaces that have been brought together.
///
/// Each row of the first matrix looks for its mate among all rows of the second, by the cosine.
/// Moschella et al. 2023, arXiv:2209.15430, section 4.1 (word embeddings).
public struct CrossSpaceReport: Sendable, Hashable, Codable {
  /// The mean of 1 / rank of the mate, 0 … 1. With no alignment at all about ln(*n*)/*n*.
  public let meanReciprocalRank: Double
  /// How often the mate comes first, 0 … 1.
  public let firstShare: Double
  /// The mean share that the ``neighborCount`` nearest of a row and those of its mate, both among the
  /// rows of the second matrix, have in common: |∩| / |∪|, 0 … 1.
  public let neighborJaccard: Double
  /// The mean cosine of a row and its mate, −1 … 1.
  public let matchedCosine: Double
  /// How many neighbours are compared.
  public let neighborCount: Int
  /// The place of the mate of each row, from 1; those at the same similarity share theirs.
  public let ranks: [Double]

  /// - Parameters:
  ///   - first: `n × d`, finite; a row of zeros is at cosine 0 from everything.
  ///   - second: `n × d`, finite; row *i* is the mate of row *i*.
  ///   - neighborCount: at least 1; no more than there are rows are compared.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch` with both shapes; `.badData` for no rows, or naming row and column;
  ///   `.invalidArgument`; `.cancelled`.
  /// - Complexity: O(*n*² *d*), parallel; *n* · 512 floats a thread.
  public init(
    _ first: Matrix, _ second: Matrix, neighborCount: Int = 10, in run: RunContext = RunContext()
  ) throws(BasisError) {
    guard first.rowCount == second.rowCount, first.columnCount == second.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "mates are compared row by row in one space; got \(first.rowCount) × \(first.columnCount) "
          + "and \(second.rowCount) × \(second.columnCount)")
    }
    guard first.rowCount >= 1 else {
      throw BasisError(.badData, "there are no rows to find again")
    }
    guard neighborCount >= 1 else {
      throw BasisError(.invalidArgument, "at least 1 neighbour is compared, not \(neighborCount)")
    }
    try first.requireFinite("the first matrix")
    try second.requireFinite("the second matrix")
    let k = min(neighborCount, first.rowCount)
    let (x, y) = (first.withUnitRows(), second.withUnitRows())
    let single = RunContext(threadLimit: 1, cancellation: run.cancellation)
    let found = try parallelMap(x.rowCount, grain: 256, in: run) {
      (_, range) throws(BasisError) -> [Search] in
      let across = try LinearAlgebra.product(
        x.selecting(rows: range), y, transposingB: true, in: single)
      let within = try LinearAlgebra.product(
        y.selecting(rows: range), y, transposingB: true, in: single)
      return range.map { row in
        Search(across, within, row: row - range.lowerBound, mate: row, k: k)
      }
    }.flatMap { $0 }
    ranks = found.map(\.rank)
    let n = Double(found.count)
    meanReciprocalRank = found.reduce(0) { $0 + 1 / $1.rank } / n
    firstShare = Double(found.count { $0.rank == 1 }) / n
    neighborJaccard = found.reduce(0) { $0 + $1.jaccard } / n
    matchedCosine = found.reduce(0) { $0 + $1.cosine } / n
    self.neighborCount = k
  }

  /// The share of the rows whose mate is among the first so many, for each of some numbers.
  ///
  /// - Parameter counts: at least 1 each.
  public func shareFound(within counts: [Int]) -> [Double] {
    counts.map { count in
      Double(ranks.count { $0 <= Double(count) }) / Double(max(1, ranks.count))
    }
  }

  private struct Search: Sendable {
    var rank: Double
    var cosine: Double
    var jaccard: Double

    init(_ across: Matrix, _ within: Matrix, row: Int, mate: Int, k: Int) {
      let (closer, equal, cosine) = across.withRow(row) { values -> (Int, Int, Float) in
        let own = values[mate]
        return (values.count { $0 > own }, values.count { $0 == own }, own)
      }
      rank = Double(closer) + Double(equal + 1) / 2
      self.cosine = Double(cosine)
      let a = Self.nearest(across, row, k)
      let b = Self.nearest(within, row, k)
      let shared = a.intersection(b).count
      jaccard = Double(shared) / Double(a.count + b.count - shared)
    }

    private static func nearest(_ similarities: Matrix, _ row: Int, _ k: Int) -> Set<Int> {
      var best = TopK(k: k)
      similarities.withRow(row) { values in
        for id in values.indices { best.offer(Neighbor(id: id, distance: -values[id])) }
      }
      return Set(best.sorted().map(\.id))
    }
  }
}
