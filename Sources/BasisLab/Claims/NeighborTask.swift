import BasisCodecs
import BasisCore
import BasisSearch

/// Rows, queries that are none of them, and the ten rows that are nearest to each by the cosine.
struct NeighborTask {
  let rows: Matrix
  let queries: Matrix
  let k: Int
  private let comparison: CodecComparison
  private let truth: [[Neighbor]]

  /// How large the claim's own task is.
  struct Size: Settings {
    /// Of the digits, five rows each: `60 ... 1797`.
    var imageCount = 1_797
    var dimension = 256
    var queryCount = 250

    static let miniature = Size(imageCount: 160, dimension: 64, queryCount: 60)
  }

  /// - Parameters:
  ///   - data: a person's rows, or nil for digits.
  ///   - size: of the digits, and how many rows become queries.
  ///   - run: the seed chooses the queries.
  /// - Throws: `.badData` for fewer than 100 rows.
  init(_ data: ClaimData?, _ size: Size, in run: RunContext) throws(BasisError) {
    var all: Matrix
    if let data {
      guard data.rows.rowCount >= 100, data.rows.columnCount >= 8 else {
        throw BasisError(
          .badData,
          "\(data.name): is \(data.rows.rowCount) × \(data.rows.columnCount); nearest neighbours "
            + "want at least 100 rows of 8 values")
      }
      all = data.rows
    } else {
      all = try Digits.embeddings(
        imageCount: size.imageCount, dimension: size.dimension, in: run)
    }
    var order = Array(0..<all.rowCount)
    var generator = run.generator("queries")
    generator.shuffle(&order)
    let queryCount = min(size.queryCount, all.rowCount / 5)
    queries = all.selecting(rows: order.prefix(queryCount))
    rows = all.selecting(rows: order.dropFirst(queryCount))
    k = 10
    comparison = try CodecComparison(rows, queries: queries, metric: .cosine, k: k, in: run)
    truth = try FlatIndex(rows, metric: .cosine).search(queries, k: k, in: run)
  }

  /// The share of the nearest that a scan of codes finds.
  func recall(_ codec: some VectorCodec, in run: RunContext) throws(BasisError) -> Double {
    let plan = CodecPlan(codec, detail: "", bytesPerVector: 0, sharedBytes: 0)
    return try comparison.measure(plan, in: run).recall
  }

  /// Product quantisation in a byte for each eight values; in half bytes for each four where rows are
  /// too few for 256 words.
  var product: ProductQuantizer {
    rows.rowCount >= 256
      ? ProductQuantizer(parts: max(1, rows.columnCount / 8))
      : ProductQuantizer(parts: max(1, rows.columnCount / 4), bits: 4)
  }

  /// The share that is found among rows that have been through a codec.
  func recall(ofDecoded decoded: Matrix, in run: RunContext) throws(BasisError) -> Double {
    try recall(
      of: FlatIndex(decoded, metric: .cosine).search(queries, k: k, in: run))
  }

  /// The share of the nearest that is among what was found.
  func recall(of found: [[Neighbor]]) -> Double {
    let hits = zip(found, truth).reduce(0) {
      $0 + Set($1.0.map(\.id)).intersection($1.1.map(\.id)).count
    }
    return Double(hits) / Double(truth.reduce(0) { $0 + $1.count })
  }
}
