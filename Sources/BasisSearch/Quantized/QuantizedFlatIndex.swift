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
    guard all.rowCount >= count, all.columnCount == dimension else {
      throw BasisError(
        .dimensionMismatch,
        "an index of \(count) × \(dimension) cannot become one of \(all.rowCount) × "
          + "\(all.columnCount); give the old rows and then the new ones")
    }
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
    try effort.check("candidate")
    switch effort {
    case .exact: return nil
    case .candidates(let rows): return max(k, rows)
    case .recall(let target):
      let share = share(allowed)
      guard k > 0, target < 1, share > Self.leastShare else { return nil }
      return calibration.plan(recall: target, k: k, share: share, now: count)?.shortlist
    }
  }

  /// Where fewer rows are allowed, measuring them all takes less time than a scan of all codes.
  private static var leastShare: Double { 0.02 }

  private func share(_ allowed: Bitmap?) -> Double {
    allowed.map { Double($0.population) / Double(max(1, count)) } ?? 1
  }

  /// How many rows to list for a proof that usually succeeds; nil where comparing all rows is
  /// quicker.
  private func proofSize(k: Int, allowing allowed: Bitmap?) -> Int? {
    guard let size = proofs.first(where: { $0.k >= k }) ?? proofs.last,
      share(allowed) > Self.leastShare
    else { return nil }
    let growth = max(1, (Double(k) / Double(size.k)).rounded(.up))
    return max(k, Int(Double(size.shortlist) * growth))
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
