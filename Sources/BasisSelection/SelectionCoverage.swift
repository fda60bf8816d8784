public import BasisCore
import BasisNumerics
import BasisSearch

/// How near what was kept is to everything: the distance from each row to the nearest kept one.
///
/// The mean is the area above the curve of the share of rows within a radius: AUC_pr of Zheng, Liu, Lai &
/// Prakash, arXiv:2210.15809, section 3.
public struct SelectionCoverage: Sendable, Hashable {
  /// The mean Euclidean distance to the nearest kept row; lower covers better.
  public let meanDistance: Double
  /// The radii within which 0, 1 … 100 % of the rows have a kept one.
  public let radii: [Double]

  /// - Parameters:
  ///   - rows: what is to be covered, finite, at least one.
  ///   - kept: what covers it, of the same dimension, at least one.
  ///   - run: threads and cancellation.
  /// - Throws: `.badData` without rows; `.dimensionMismatch`; `.badData` naming row and column;
  ///   `.cancelled`.
  /// - Complexity: O(rows · kept · *d*), parallel.
  public init(of rows: Matrix, by kept: Matrix, in run: RunContext) throws(BasisError) {
    guard rows.rowCount > 0, kept.rowCount > 0 else {
      throw BasisError(
        .badData,
        "coverage is of rows by rows; got \(rows.rowCount) and \(kept.rowCount)")
    }
    let index = try FlatIndex(kept, metric: .squaredEuclidean)
    let found = try index.search(rows, k: 1, in: run)
    let distances = found.map { Double($0.first?.distance ?? .infinity).squareRoot() }
    meanDistance = Statistics.mean(distances)
    radii = Statistics.quantiles(distances, (0...100).map { Double($0) / 100 })
  }
}
