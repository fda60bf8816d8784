public import BasisCore
public import BasisFormats
import BasisNumerics

/// A way to bring one space onto another: settings, which ``fit(_:in:)`` turns into a map.
public protocol Aligner: Settings {
  associatedtype Fitted: FittedAligner

  /// Learns the map from things that have a row in either space.
  ///
  /// - Parameters:
  ///   - anchors: row *i* of the first matrix and row *i* of the second are the same thing; finite, at
  ///     least 2 rows. The spaces may differ in dimension.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for anchors that fix nothing,
  ///   naming the row; `.missingDependency` without OpenBLAS; `.cancelled`.
  func fit(_ anchors: PairedRows, in run: RunContext) throws(BasisError) -> Fitted
}

/// One of the two spaces that are brought together.
public enum AlignmentSide: String, Sendable, Hashable, Codable, CaseIterable {
  /// The one that is brought over: the old model.
  case first
  /// The one that it is brought to: the new model.
  case second
}

/// What brings rows of two spaces into one where they may be compared.
public protocol FittedAligner: FittedModel {
  /// Of the rows of the first space.
  var firstDimension: Int { get }
  /// Of the rows of the second space.
  var secondDimension: Int { get }
  /// Of the space that both are brought to.
  var dimension: Int { get }
  /// How many pairs it was learned from.
  var anchorCount: Int { get }
  /// What to keep in mind, a sentence each.
  var warnings: [String] { get }

  /// Rows of either space in the one where both may be compared. For most methods that is the second
  /// space, whose rows then stay as they are.
  ///
  /// - Parameters:
  ///   - rows: `n × firstDimension`, or `n × secondDimension`, finite.
  ///   - side: which space they are of.
  ///   - run: threads and cancellation.
  /// - Returns: `n × dimension`. A row does not depend on those beside it.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  func map(_ rows: Matrix, from side: AlignmentSide, in run: RunContext) throws(BasisError)
    -> Matrix
}

extension FittedAligner {
  /// Rows of the first space, brought over.
  ///
  /// - Parameters:
  ///   - rows: `n × firstDimension`, finite.
  ///   - run: threads and cancellation.
  /// - Throws: as ``map(_:from:in:)``.
  public func map(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Matrix {
    try map(rows, from: .first, in: run)
  }

  /// - Throws: `.dimensionMismatch` for rows of another length than the side has; `.badData`.
  func check(_ rows: Matrix, _ side: AlignmentSide) throws(BasisError) {
    let dimension = side == .first ? firstDimension : secondDimension
    guard rows.columnCount == dimension else {
      throw BasisError(
        .dimensionMismatch,
        "the rows have \(rows.columnCount) values, the \(side.rawValue) space of the map has "
          + "\(dimension)")
    }
    try rows.requireFinite("the rows to map")
  }
}

extension PairedRows {
  /// The pairs with these numbers, in this order.
  ///
  /// - Parameter rows: numbers of rows.
  /// - Throws: `.invalidArgument` for a number that there is not, or that is named twice.
  public func selecting(rows: [Int]) throws(BasisError) -> PairedRows {
    var seen: Set<Int> = []
    for row in rows {
      guard row >= 0, row < first.rowCount else {
        throw BasisError(
          .invalidArgument, "anchor \(row): the pairs are numbered 0 to \(first.rowCount - 1)")
      }
      guard seen.insert(row).inserted else {
        throw BasisError(.invalidArgument, "anchor \(row) is named twice")
      }
    }
    return try PairedRows(first.selecting(rows: rows), second.selecting(rows: rows))
  }

  /// - Throws: `.badData` for fewer than 2 rows or no columns, or a value that is not finite.
  func requireAnchors() throws(BasisError) {
    guard first.rowCount >= 2, first.columnCount >= 1, second.columnCount >= 1 else {
      throw BasisError(
        .badData,
        "a map is learned from at least 2 pairs of at least 1 value, got \(first.rowCount) pairs of "
          + "\(first.columnCount) and \(second.columnCount)")
    }
    try first.requireFinite("the first space's anchors")
    try second.requireFinite("the second space's anchors")
  }
}

extension Matrix {
  /// Column means, for each side of a map.
  func columnMeans(in run: RunContext) throws(BasisError) -> [Float] {
    try Statistics.columnMoments(of: self, in: run).map { Float($0.mean) }
  }

  /// Each row with another added, `factor` times.
  func adding(_ row: [Float], _ factor: Float = 1) -> Matrix {
    guard row.contains(where: { $0 != 0 }) else { return self }
    var result = self
    let width = columnCount
    result.withUnsafeMutableFloats { floats in
      for start in stride(from: 0, to: floats.count, by: max(1, width)) {
        for column in 0..<width { floats[start + column] += factor * row[column] }
      }
    }
    return result
  }

  /// The first row that is nothing but zeros.
  func firstZeroRow() -> Int? {
    (0..<rowCount).first { row in withRow(row) { values in values.allSatisfy { $0 == 0 } } }
  }

  /// How many rows are bitwise the same as one before.
  func repeatedRowCount() -> Int {
    var seen: Set<[Float]> = []
    return (0..<rowCount).count { !seen.insert(self.row($0)).inserted }
  }
}
