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
    guard all.rowCount >= count, all.columnCount == dimension else {
      throw BasisError(
        .dimensionMismatch,
        "an index of \(count) × \(dimension) cannot become one of \(all.rowCount) × "
          + "\(all.columnCount); give the old rows and then the new ones")
    }
    try settings.check(all)
    let flat = try FlatIndex(all, metric: metric)
    let coder = RowCoder(
      source: RowSource(all, metric: metric, paddedTo: book.dimension),
      assigner: NearestCentroid(centroids, ignoringLengths: false), centroids: centroids,
      book: book, excess: Self.excess(settings, metric, dimension),
      spill: settings.spills ? SecondCentroid(centroids) : nil)
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

  /// The rows within a distance of each query, as far as the effort finds them.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite.
  ///   - distance: the largest distance that counts, itself included; smaller is closer.
  ///   - allowed: the rows that may be answered, or nil for all; `allowed.count` equals ``count``.
  ///   - effort: how hard to look. A recall is that of the rows which are within the distance.
  ///   - run: seed, threads and cancellation.
  /// - Returns: for each query all rows found, nearest first, ties by smaller id.
  /// - Throws: as ``search(_:k:allowing:effort:in:)``; `.invalidArgument` for a distance that is
  ///   not a number.
  /// - Complexity: that of a few searches for as many neighbours as there are.
  public func search(
    _ queries: Matrix, within distance: Float, allowing allowed: Bitmap? = nil,
    effort: Effort = .recall(0.95), in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    guard !distance.isNaN else {
      throw BasisError(.invalidArgument, "the largest distance is not a number")
    }
    var results = [[Neighbor]](repeating: [], count: queries.rowCount)
    var open = Array(0..<queries.rowCount)
    var k = 32
    // A ranking whose last row is too far away holds all that are near enough.
    while !open.isEmpty {
      let found = try search(
        queries.selecting(rows: open), k: k, allowing: allowed, effort: effort, in: run)
      var next: [Int] = []
      for (query, ranking) in zip(open, found) {
        results[query] = ranking.filter { $0.distance <= distance }
        if ranking.count == k, results[query].count == k, k < count { next.append(query) }
      }
      open = next
      k = min(count, 4 * k)
    }
    return results
  }
}
