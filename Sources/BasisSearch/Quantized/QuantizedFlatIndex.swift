public import BasisCodecs
public import BasisCore
import BasisFormats

/// All rows as codes: a query looks at every code, and measures the best of them exactly. Immutable,
/// and safe to use from any number of threads.
///
/// For some ten thousand to a few million rows. How many rows are measured comes from the codec's
/// error, which is measured on the rows themselves when the index is built. Distances are those of
/// ``FlatIndex``, bit for bit.
///
/// Which codec when, all scanned by byte instructions, many queries at a time:
///
/// - `ScalarQuantizer(.int8)`: a quarter of the bytes, two or three times the speed of
///   ``FlatIndex``, and its error is bounded, so that ``Effort/exact`` answers are proven from codes.
/// - `ProductQuantizer` of 4 bits: an eighth to a sixteenth.
/// - `ResidualBitQuantizer` of 1 bit, or `BinaryQuantizer`: a thirtieth; the best where codes have
///   to come from slow memory, or memory is dear.
///
/// Other codecs are scanned row by row.
public struct QuantizedFlatIndex<Codec: FittedCodec>: Sendable {
  public let rows: Matrix
  public let metric: Metric
  public let codec: Codec
  let flat: FlatIndex
  let codes: any ScannedCodes
  let calibration: Calibration
  let proofs: [ProofSize]

  public var count: Int { rows.rowCount }
  public var dimension: Int { rows.columnCount }

  /// The size of what the index keeps beside the rows.
  public var byteCount: Int { codes.byteCount + codec.sharedBytes + 8 * count }

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
    guard calibrationQueries >= 1 else {
      throw BasisError(
        .invalidArgument,
        "a quantised index needs at least 1 calibration query, got \(calibrationQueries)")
    }
    let flat = try FlatIndex(rows, metric: metric)
    let source = RowSource(rows, metric: metric, paddedTo: rows.columnCount)
    var generator = run.generator("rows to fit a codec on")
    let sample = generator.sample(min(rows.rowCount, 65_536), of: rows.rowCount)
    let codec = try settings.fit(try source.matrix(of: sample, in: run), in: run)
    try self.init(
      flat: flat, codec: codec,
      codes: try CodeLayout.make(source, flat.norms, codec, metric: metric, in: run),
      calibrationQueries: calibrationQueries, in: run)
  }

  private init(
    flat: FlatIndex, codec: Codec, codes: any ScannedCodes, calibrationQueries: Int,
    in run: RunContext
  ) throws(BasisError) {
    try Self.check(flat.rows)
    let truth = try CalibrationTruth(flat, queryCount: calibrationQueries, in: run)
    self.init(
      flat: flat, codec: codec, codes: codes,
      calibration: try truth.map { (truth) throws(BasisError) in
        try QuantizedScan.calibrate(flat, codes, truth, in: run)
      } ?? Calibration(),
      proofs: try truth.map { (truth) throws(BasisError) in
        try QuantizedScan.proofSizes(flat, codes, truth, in: run)
      } ?? [])
  }

  init(
    flat: FlatIndex, codec: Codec, codes: any ScannedCodes, calibration: Calibration,
    proofs: [ProofSize]
  ) {
    self.flat = flat
    rows = flat.rows
    metric = flat.metric
    self.codec = codec
    self.codes = codes
    self.calibration = calibration
    self.proofs = proofs
  }

  private static func check(_ rows: Matrix) throws(BasisError) {
    guard rows.rowCount >= Int(UInt32.max) else { return }
    throw BasisError(
      .unsupported, "a quantised index holds fewer than 2³² − 1 rows, got \(rows.rowCount)")
  }

  /// The index of the same rows and some more, with the same codec.
  ///
  /// As good as a new index while the new rows are like the old ones. What was measured of effort is
  /// kept.
  ///
  /// - Parameters:
  ///   - all: the rows of this index, and then the new ones.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.dimensionMismatch` for fewer rows or another dimension; `.badData` naming the row
  ///   and column of a value that is not finite; `.unsupported` for too many rows; `.cancelled`.
  /// - Complexity: that of encoding the new rows, and a copy of all codes.
  /// - Precondition: the first ``count`` rows of `all` are this index's.
  public func appending(_ all: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> QuantizedFlatIndex
  {
    try checkAppended(all, dimension: dimension)
    try Self.check(all)
    let flat = try FlatIndex(all, metric: metric)
    let source = RowSource(all, metric: metric, paddedTo: dimension)
    return QuantizedFlatIndex(
      flat: flat, codec: codec, codes: try codes.appending(source, flat.norms, in: run),
      calibration: calibration, proofs: proofs)
  }
}

extension QuantizedFlatIndex: ApproximateIndex {
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap?, effort: Effort, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    try effort.check("candidate")
    let prepared = try flat.prepared(queries)
    try run.checkCancelled()
    let wanted = min(k, count)
    guard wanted > 0 else { return Array(repeating: [], count: queries.rowCount) }
    let scan = QuantizedScan(
      flat: flat, codes: codes, asked: queries, queries: prepared, k: wanted, allowed: allowed)
    if let shortlist = try shortlist(for: effort, k: k, allowing: allowed) {
      guard shortlist < count else {
        return try flat.search(queries, k: k, allowing: allowed, in: run)
      }
      return try scan.search(shortlist: max(wanted, shortlist), in: run)
    }
    return try scan.prove(from: proofSize(k: wanted, allowing: allowed), in: run)
  }

  /// How many rows are measured exactly for an effort.
  ///
  /// - Parameters:
  ///   - effort: how hard to look; candidates are rows that are measured.
  ///   - k: how many neighbours are wanted.
  ///   - allowed: the rows that may be answered, or nil for all.
  /// - Returns: nil for as many as it takes to be sure.
  /// - Throws: `.invalidArgument` for an effort out of range.
  public func shortlist(for effort: Effort, k: Int, allowing allowed: Bitmap? = nil)
    throws(BasisError) -> Int?
  {
    try calibration.shortlist(
      for: effort, k: k, share: share(of: allowed), above: Self.leastShare, now: count)
  }

  /// Where fewer rows are allowed, measuring them all takes less time than a scan of all codes.
  private static var leastShare: Double { 0.02 }

  /// How many rows to list for a proof that usually succeeds; nil where comparing all rows is
  /// quicker.
  private func proofSize(k: Int, allowing allowed: Bitmap?) -> Int? {
    guard let size = proofs.first(where: { $0.k >= k }) ?? proofs.last,
      share(of: allowed) > Self.leastShare
    else { return nil }
    let growth = max(1, (Double(k) / Double(size.k)).rounded(.up))
    return max(k, Int(Double(size.shortlist) * growth))
  }
}
