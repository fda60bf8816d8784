public import BasisCore
import Dispatch

/// Codecs side by side on the same vectors: what each costs, and how many of the true neighbours are
/// still found when only codes are compared.
public struct CodecComparison: Sendable {
  /// What one codec costs and keeps.
  public struct Row: Sendable {
    public let plan: CodecPlan
    public let bytesPerVector: Int
    public let sharedBytes: Int
    /// Codes, and the shared bytes spread over the rows that are to be stored.
    public let totalBytesPerVector: Double
    /// The share of the true `k` nearest that a scan of the codes finds, on average.
    public let recall: Double
    /// Of the decoded vectors, relative to the squared lengths; zero is lossless.
    public let relativeError: Double
    public let fitSeconds: Double
    /// Vectors a second, on all threads.
    public let encodeRate: Double
    /// Codes that a query is compared with a second, on one thread.
    public let scanRate: Double
  }

  public let rowCount: Int
  /// Rows that the shared bytes are spread over.
  public let storedCount: Int
  public let dimension: Int
  public let queryCount: Int
  public let metric: Metric
  public let k: Int
  private let rows: Matrix
  private let queries: Matrix
  private let truth: [[Int]]

  /// Finds the true neighbours, by comparing every query with every row.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite, at least `k` of them.
  ///   - queries: `q × d`, finite, none of them a row.
  ///   - metric: how rows and queries are compared.
  ///   - k: neighbours that count, at least 1.
  ///   - storedCount: how many rows are to be stored, where `rows` are a sample; nil for those alone.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for too few rows or no queries; `.dimensionMismatch`; `.badData`
  ///   naming row and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(*n* *q* *d*).
  public init(
    _ rows: Matrix, queries: Matrix, metric: Metric, k: Int = 10, storedCount: Int? = nil,
    in run: RunContext = RunContext()
  ) throws(BasisError) {
    guard k >= 1, rows.rowCount >= k, queries.rowCount >= 1 else {
      throw BasisError(
        .invalidArgument,
        "a comparison needs at least \(max(1, k)) rows and a query, got \(rows.rowCount) rows and "
          + "\(queries.rowCount) queries")
    }
    let exact = try ScalarQuantizer(.float32).fit(rows, in: run)
    try queries.requireRows(of: rows.columnCount, "the queries")
    self.rows = rows
    self.queries = queries
    self.metric = metric
    self.k = k
    rowCount = rows.rowCount
    self.storedCount = max(rows.rowCount, storedCount ?? 0)
    dimension = rows.columnCount
    queryCount = queries.rowCount
    let codes = try exact.encode(rows, in: run)
    truth = try Self.answers(exact, codes, queries, metric, k, in: run).ids
  }

  /// Fits a codec, encodes the rows, and asks the queries.
  ///
  /// - Parameters:
  ///   - plan: settings.
  ///   - run: seed, threads and cancellation.
  /// - Throws: what the codec throws, such as `.unsupported` for a metric that its codes cannot be
  ///   compared by; `.cancelled`.
  public func measure(_ plan: CodecPlan, in run: RunContext = RunContext()) throws(BasisError)
    -> Row
  {
    try measure(plan, plan.settings, in: run)
  }

  private func measure<Codec: VectorCodec>(
    _ plan: CodecPlan, _ settings: Codec, in run: RunContext
  ) throws(BasisError) -> Row {
    let start = DispatchTime.now().uptimeNanoseconds
    let codec = try settings.fit(rows, in: run)
    let fitted = DispatchTime.now().uptimeNanoseconds
    let codes = try codec.encode(rows, in: run)
    let encoded = DispatchTime.now().uptimeNanoseconds
    let found = try Self.answers(codec, codes, queries, metric, k, in: run)
    let hits = zip(found.ids, truth).reduce(0) { $0 + Set($1.0).intersection($1.1).count }
    return Row(
      plan: plan, bytesPerVector: codec.bytesPerVector, sharedBytes: codec.sharedBytes,
      totalBytesPerVector: Double(codec.bytesPerVector)
        + Double(codec.sharedBytes) / Double(storedCount),
      recall: Double(hits) / Double(k * queryCount),
      relativeError: relativeError(try codec.decode(codes, in: run)),
      fitSeconds: Double(fitted - start) * 1e-9,
      encodeRate: Double(rowCount) / max(1e-9, Double(encoded - fitted) * 1e-9),
      scanRate: Double(rowCount) * Double(queryCount) / max(1e-9, found.seconds))
  }

  private func relativeError(_ decoded: Matrix) -> Double {
    rows.withUnsafeFloats { a in
      decoded.withUnsafeFloats { b in
        var (error, whole) = (0.0, 0.0)
        for index in a.indices {
          let difference = Double(a[index] - b[index])
          error += difference * difference
          whole += Double(a[index]) * Double(a[index])
        }
        return whole > 0 ? error / whole : 0
      }
    }
  }

  /// The nearest codes to each query, and the seconds of one thread that comparing took.
  private static func answers(
    _ codec: some FittedCodec, _ codes: Codes, _ queries: Matrix, _ metric: Metric, _ k: Int,
    in run: RunContext
  ) throws(BasisError) -> (ids: [[Int]], seconds: Double) {
    let block = 1024
    let parts = try parallelMap(queries.rowCount, grain: 8, in: run) {
      (_, range) throws(BasisError) -> [(ids: [Int], nanoseconds: UInt64)] in
      var results: [(ids: [Int], nanoseconds: UInt64)] = []
      let distances = UnsafeMutableBufferPointer<Float>.allocate(capacity: block)
      defer { distances.deallocate() }
      for query in range {
        let start = DispatchTime.now().uptimeNanoseconds
        let scorer = try codec.scorer(for: queries.row(query), metric: metric)
        var best = TopK(k: k)
        for first in stride(from: 0, to: codes.count, by: block) {
          let last = min(first + block, codes.count)
          let out = UnsafeMutableBufferPointer(rebasing: distances[0..<last - first])
          scorer.distances(to: codes, first..<last, into: out)
          var limit = best.threshold
          for index in 0..<last - first where out[index] <= limit {
            best.offer(Neighbor(id: first + index, distance: out[index]))
            limit = best.threshold
          }
        }
        let nanoseconds = DispatchTime.now().uptimeNanoseconds - start
        results.append((best.sorted().map(\.id), nanoseconds))
      }
      return results
    }
    let all = parts.flatMap(\.self)
    return (all.map(\.ids), Double(all.reduce(0) { $0 + $1.nanoseconds }) * 1e-9)
  }

  /// The one to take: the smallest whose recall is at least `target`, tables included; where none
  /// is, the one that keeps most.
  public static func recommended(_ rows: [Row], target: Double = 0.95) -> Int? {
    let good = rows.indices.filter { rows[$0].recall >= target }
    if let best = good.min(by: {
      (rows[$0].totalBytesPerVector, -rows[$0].recall)
        < (rows[$1].totalBytesPerVector, -rows[$1].recall)
    }) {
      return best
    }
    return rows.indices.max(by: {
      (rows[$0].recall, -rows[$0].totalBytesPerVector)
        < (rows[$1].recall, -rows[$1].totalBytesPerVector)
    })
  }
}
