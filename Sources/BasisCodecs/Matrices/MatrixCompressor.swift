public import BasisCore
public import BasisFormats

/// A way to keep a finished matrix in fewer bytes where rows do not all take the same number: settings,
/// which ``compress(_:in:)`` applies to all rows at once.
///
/// For vectors that are searched by their codes, a ``VectorCodec``; this is for tables that are read
/// row by row.
public protocol MatrixCompressor: Settings {
  associatedtype Compressed: CompressedMatrix

  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for a budget that cannot be met, with the smallest that can;
  ///   `.badData` naming the row and column of a value that is not finite; `.cancelled`.
  func compress(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Compressed
}

/// A matrix in fewer bytes.
public protocol CompressedMatrix: Sendable {
  var rowCount: Int { get }
  var columnCount: Int { get }
  /// All that is needed to get rows back, tables and pointers included; what a file has beside it is
  /// some hundred bytes.
  var byteCount: Int { get }

  /// Some rows, `range.count × columnCount`, the same whatever else is asked for.
  ///
  /// - Precondition: the range is inside `0 ..< rowCount`.
  func rows(_ range: Range<Int>) -> Matrix

  /// Writes blocks of a file that is being made; `init(from:prefix:)` reads them.
  ///
  /// - Parameters:
  ///   - writer: where the blocks go.
  ///   - prefix: starts each block's name.
  /// - Throws: `.inputOutput`.
  func write(to writer: ContainerWriter, prefix: String) throws(BasisError)

  /// - Throws: `.corruptFile`; `.newerFormat`.
  init(from container: Container, prefix: String) throws(BasisError)
}

extension CompressedMatrix {
  /// All rows.
  public func decoded(in run: RunContext = RunContext()) throws(BasisError) -> Matrix {
    try makeMatrix(rowCount, columnCount, in: run) { (range, out) in
      rows(range).withUnsafeFloats { floats in
        if let base = floats.baseAddress { out.update(from: base, count: floats.count) }
      }
    }
  }

  /// Bytes as a share of the matrix's own.
  public var ratio: Double {
    let whole = 4 * Double(rowCount) * Double(columnCount)
    return whole > 0 ? Double(byteCount) / whole : 0
  }
}

/// - Throws: `.invalidArgument` for a ratio that is not above 0.
func requireRatio(_ ratio: Double, _ name: String) throws(BasisError) {
  guard ratio > 0, ratio.isFinite else {
    throw BasisError(.invalidArgument, "\(name): the ratio must be above 0, not \(ratio)")
  }
}

/// - Throws: always, `.invalidArgument`.
func unreachable(_ ratio: Double, smallest: Double, _ name: String) -> BasisError {
  BasisError(
    .invalidArgument,
    "\(name): cannot reach \(ratio) of the matrix's bytes, everything counted; the smallest is "
      + "\(Float(smallest))")
}
