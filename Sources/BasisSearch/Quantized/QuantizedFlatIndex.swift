public import BasisCodecs
public import BasisCore
import BasisFormats

/// All rows as codes: a query looks at every code, and measures the best of them exactly. Immutable,
/// and safe to use from any number of threads.
///
/// For some ten thousand to a few hundred thousand rows. How many rows are measured comes from the
/// codec's error, which is measured on the rows themselves when the index is built. Distances are
/// those of ``FlatIndex``, bit for bit.
///
/// A `ProductQuantizer` of 4 bits is scanned by byte shuffles, many times faster than the others.
public struct QuantizedFlatIndex<Codec: FittedCodec>: Sendable {
  public let rows: Matrix
  public let metric: Metric
  public let codec: Codec
  let flat: FlatIndex
  let codes: QuantizedCodes
  let calibration: Calibration

  public var count: Int { rows.rowCount }
  public var dimension: Int { rows.columnCount }

  /// Learns a codec from the rows, encodes them, and measures what recall costs.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite; kept, not copied. The codec sees unit rows where the metric is the
  ///     cosine.
  ///   - metric: how rows are compared.
  ///   - settings: of the codec.
  ///   - calibrationQueries: rows that play queries when recall is measured, at least 1.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: what the codec throws; `.badData` naming the row and column of a value that is not
  ///   finite; `.invalidArgument`; `.cancelled`.
  /// - Complexity: that of the codec, and O(*n* *d*) per calibration query.
  public init<S: VectorCodec>(
    _ rows: Matrix, metric: Metric, codec settings: S, calibrationQueries: Int = 300,
    in run: RunContext = RunContext()
  ) throws(BasisError) where S.Fitted == Codec {
    guard calibrationQueries >= 1, rows.rowCount < Int(UInt32.max) else {
      throw BasisError(
        .invalidArgument,
        "a quantised index needs at least 1 calibration query and holds fewer than 2³² − 1 rows, "
          + "got \(calibrationQueries) and \(rows.rowCount)")
    }
    flat = try FlatIndex(rows, metric: metric)
    self.rows = rows
    self.metric = metric
    let source = RowSource(rows, metric: metric, paddedTo: rows.columnCount)
    var generator = run.generator("rows to fit a codec on")
    let sample = generator.sample(min(rows.rowCount, 65_536), of: rows.rowCount)
    let codec = try settings.fit(try source.matrix(of: sample, in: run), in: run)
    self.codec = codec
    codes = try QuantizedCodes(source, codec, in: run)
    calibration = try QuantizedScan.calibrate(
      flat, codec, codes, queryCount: calibrationQueries, in: run)
  }

  init(
    flat: FlatIndex, codec: Codec, codes: QuantizedCodes, calibration: Calibration
  ) {
    self.flat = flat
    rows = flat.rows
    metric = flat.metric
    self.codec = codec
    self.codes = codes
    self.calibration = calibration
  }
}

extension QuantizedFlatIndex: ApproximateIndex {
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap?, effort: Effort, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    let shortlist = try shortlist(for: effort, k: k, allowing: allowed)
    guard let shortlist, k > 0, shortlist < count else {
      return try flat.search(queries, k: k, allowing: allowed, in: run)
    }
    let prepared = try flat.prepared(queries)
    try run.checkCancelled()
    let scan = QuantizedScan(
      flat: flat, codec: codec, codes: codes, queries: prepared, k: min(k, count),
      shortlist: max(k, shortlist), allowed: allowed)
    let found = try parallelMap(queries.rowCount, grain: QuantizedScan<Codec>.grain, in: run) {
      (_, range) throws(BasisError) in try scan.search(range, in: run)
    }
    return found.flatMap { $0 }
  }

  /// How many rows are measured exactly for an effort.
  ///
  /// - Parameters:
  ///   - effort: how hard to look; candidates are rows that are measured.
  ///   - k: how many neighbours are wanted.
  ///   - allowed: the rows that may be answered, or nil for all.
  /// - Returns: nil for all of them.
  /// - Throws: `.invalidArgument` for an effort out of range.
  public func shortlist(for effort: Effort, k: Int, allowing allowed: Bitmap? = nil)
    throws(BasisError) -> Int?
  {
    try effort.check("candidate")
    switch effort {
    case .exact: return nil
    case .candidates(let rows):
      return max(k, rows)
    case .recall(let target):
      let share = allowed.map { Double($0.population) / Double(max(1, count)) } ?? 1
      guard k > 0, target < 1, share > 0.02 else { return nil }
      return calibration.plan(recall: target, k: k, share: share, now: count)?.shortlist
    }
  }
}
