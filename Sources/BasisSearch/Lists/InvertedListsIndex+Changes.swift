import BasisCodecs
public import BasisCore
import BasisFormats
import BasisNumerics

extension InvertedListsIndex {
  /// The index of the same rows and some more, in the same lists and words.
  ///
  /// Quick, and as good as a new index while the new rows are like the old ones; a new index should
  /// be built once they outnumber them. What was measured of effort is kept.
  ///
  /// - Parameters:
  ///   - all: the rows of this index, and then the new ones.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.dimensionMismatch` for fewer rows or another dimension; `.badData` naming the row
  ///   and column of a value that is not finite; `.unsupported` for too many rows; `.cancelled`.
  /// - Complexity: O(*m* *d* (lists + 16)) for *m* new rows, and a copy of all codes.
  /// - Precondition: the first ``count`` rows of `all` are this index's.
  public func appending(_ all: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> InvertedListsIndex
  {
    try checkAppended(all, dimension: dimension)
    try settings.check(all)
    let flat = try FlatIndex(all, metric: metric)
    let coder = RowCoder(
      source: RowSource(all, metric: metric, paddedTo: book.dimension),
      assigner: NearestCentroid(centroids, ignoringLengths: false), centroids: centroids,
      book: book, excess: Self.excess(settings, metric, dimension),
      copies: copies)
    let coded = try coder.code(count..<all.rowCount, in: run)
    var sizes = lists.counts.withUnsafeBufferPointer { $0.map { Int($0) } }
    for list in coded.lists { sizes[Int(list)] += 1 }
    var builder = CodeListsBuilder(
      parts: book.parts, sizes: sizes, hasHalves: metric == .squaredEuclidean)
    builder.append(lists)
    coded.append(to: &builder, first: count, norms: flat.norms)
    var result = InvertedListsIndex(
      rows: all, metric: metric, settings: settings, flat: flat, centroids: centroids,
      book: book, lists: builder.finish())
    result.calibration = calibration
    result.calibration.listSize = Double(all.rowCount * copies) / Double(max(1, listCount))
    return result
  }
}
