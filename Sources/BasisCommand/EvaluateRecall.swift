import ArgumentParser
import BasisCodecs
import BasisCollections
import BasisCore
import BasisFormats
import BasisNumerics
import BasisSearch
import BasisStorage
import Dispatch

struct EvaluateRecall: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recall",
    abstract: "Measure what an index loses against the exact answer.",
    discussion: """
      EXAMPLES
        basis evaluate recall packages --where 'section = "utils"' --sample 200
        basis evaluate recall base.npy queries.npy --metric ip --index graph --recall 0.95

      Of a collection, some records are asked for their nearest neighbours, or the lines of
      --queries. Of two matrices, the first is indexed and the rows of the second are asked. The
      exact answer comes from comparing every vector. --recall is what is aimed at.
      """)

  @Argument(help: "The collection, or a matrix to index.")
  var name: String

  @Argument(help: ArgumentHelp("A matrix of queries.", valueName: "queries"))
  var queryMatrix: String?

  @Option(
    name: .customLong("recall"), help: "The share of the exact answer to aim at, 0 to 1.")
  var target = 0.95

  @Option(name: .short, help: "Neighbours a query.")
  var k = 10

  @Option(help: "How many queries.")
  var sample = 200

  @Option(help: "Of a collection: only records that meet a condition.")
  var `where`: String?

  @Option(help: ArgumentHelp("Of a collection: texts to ask, one a line.", valueName: "file"))
  var queries: String?

  @Option(help: "Of matrices: how vectors are compared: \(Metric.names) (default: cosine).")
  var metric: Metric?

  @Option(
    help: "Of matrices: the index: \(MatrixIndex.names) (default: auto).")
  var index: MatrixIndex?

  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions

  func validate() throws {
    if k < 1 { throw ValidationError("-k must be at least 1, not \(k)") }
    if sample < 1 { throw ValidationError("--sample must be at least 1, not \(sample)") }
    if !(0...1).contains(target) {
      throw ValidationError("--recall must be in 0 ... 1, not \(target)")
    }
    if queryMatrix == nil, metric != nil || index != nil {
      throw ValidationError(
        "--metric and --index are of matrices; give a matrix of queries too, or leave them out")
    }
    if queryMatrix != nil, `where` != nil || queries != nil {
      throw ValidationError("--where and --queries are of a collection; leave them out")
    }
  }

  func run() throws {
    let line = ProgressLine(quiet: output.quiet)
    let context = work.context(progress: line)
    if let queryMatrix {
      try measure(try MatrixSource(path: queryMatrix).matrix(), line, in: context)
    } else {
      try measureCollection(line, in: context)
    }
  }

  private func measureCollection(_ line: ProgressLine?, in context: RunContext) throws {
    let collection = try VectorCollection(data.folder(name), for: .read)
    let texts = try queries.map { path throws(BasisError) in
      var reader = try RecordSource(path: path, format: .text).makeReader()
      var texts: [String] = []
      while texts.count < sample, let record = try reader.next() {
        texts.append(record.fields.text(of: ["text"]))
      }
      return texts
    }
    let report = try collection.measureRecall(
      sampleCount: sample, texts: texts, k: k,
      filter: try `where`.map { source throws(BasisError) in try Filter(source) },
      effort: .recall(target), in: context)
    line?.clear()
    guard !report.recalls.isEmpty else {
      throw BasisError(.badData, "there is no query to ask")
    }
    let interval = try Statistics.Bootstrap().interval(
      ofMeanOf: report.recalls, in: work.context())
    let count = Double(report.recalls.count)
    if output.json {
      try output.print(
        json: .object([
          "recall_at_\(k)": .number(report.recall), "low": .number(interval.lower),
          "high": .number(interval.upper), "target": .number(target),
          "queries": .integer(Int64(report.recalls.count)),
          "records": .integer(Int64(report.recordCount)),
          "queries_per_second": .number(count / report.seconds),
          "exact_queries_per_second": .number(count / report.exactSeconds),
          "indexes": .object(
            Dictionary(
              uniqueKeysWithValues: report.kinds.map {
                ($0.key.rawValue, JSONValue.integer(Int64($0.value)))
              })),
        ]))
      return
    }
    let kinds = IndexKind.allCases.compactMap { kind in
      report.kinds[kind].map { "\($0) \(kind.rawValue)" }
    }
    try writeToStandardOutput(
      """
      recall@\(k)   \(decimal(report.recall, 4))   \(decimal(interval.lower, 4)) … \
      \(decimal(interval.upper, 4))   (asked for \(target))
      queries/s   \(grouped(Int(count / report.seconds)))   exact: \
      \(grouped(Int(count / report.exactSeconds)))
      over        \(grouped(report.recordCount)) records, segments: \
      \(kinds.isEmpty ? "none" : kinds.joined(separator: ", "))

      """)
    if report.recall < target - 0.02 {
      output.remark(
        "warning: these queries are unlike the records that effort was measured with; "
          + "ask for more with --recall")
    }
  }

  private func measure(_ asked: Matrix, _ line: ProgressLine?, in context: RunContext) throws {
    let base = try MatrixSource(path: name).matrix()
    let metric = metric ?? .cosine
    let choice = index ?? MatrixIndex.auto
    let clock = DispatchTime.now().uptimeNanoseconds
    func seconds(since start: UInt64) -> Double {
      Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }
    context.report("building the index", 0, unit: "rows")
    let (built, bytesBeside, name, reason) = try choice.build(
      base, metric: metric, targetRecall: target, in: context)
    let buildSeconds = seconds(since: clock)
    context.report("comparing every row", 0, unit: "queries")
    let exact = try built.search(asked, k: k, allowing: nil, effort: .exact, in: context)
    let start = DispatchTime.now().uptimeNanoseconds
    let found = try built.search(asked, k: k, allowing: nil, effort: .recall(target), in: context)
    let searchSeconds = seconds(since: start)
    line?.clear()
    let recalls = zip(exact, found).map { NeighborRecall.share(of: $0, in: $1) }
    guard !recalls.isEmpty else { throw BasisError(.badData, "there is no query to ask") }
    let recall = recalls.reduce(0, +) / Double(recalls.count)
    let rate = Double(asked.rowCount) / searchSeconds
    if output.json {
      try output.print(
        json: .object([
          "recall_at_\(k)": .number(recall), "target": .number(target),
          "queries_per_second": .number(rate), "build_seconds": .number(buildSeconds),
          "index": .string(name), "reason": .string(reason),
          "bytes_per_vector": .number(
            Double(bytesBeside) / Double(max(1, base.rowCount)) + 4 * Double(base.columnCount)),
        ]))
      return
    }
    try writeToStandardOutput(
      """
      recall@\(k)   \(decimal(recall, 4))   (asked for \(target))
      queries/s   \(grouped(Int(rate)))
      index       \(name): \(reason)
      built in    \(duration(buildSeconds)), \
      \(bytes(bytesBeside)) beside the rows

      """)
  }
}

/// An index of segments by its name, or left to the planner.
enum IndexChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, flat, int8, lists, graph

  /// Nil to choose.
  var kind: IndexKind? { IndexKind(rawValue: rawValue) }
}

/// An index of a matrix by its name.
enum MatrixIndex: String, ExpressibleByArgument, CaseIterable {
  case auto, flat, int8, lists, graph
  /// Every row, by codes of 4 bits for two dimensions, and of one bit a dimension.
  case product4, bits

  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

  typealias Built = (
    index: any ApproximateIndex, byteCount: Int, name: String, reason: String
  )

  func build(
    _ rows: Matrix, metric: Metric, targetRecall: Double, in run: RunContext
  ) throws(BasisError) -> Built {
    func scan<S: VectorCodec>(_ codec: S) throws(BasisError) -> Built {
      let index = try QuantizedFlatIndex(rows, metric: metric, codec: codec, in: run)
      return (index, index.byteCount, rawValue, "a scan of all codes, as asked for")
    }
    switch self {
    case .product4:
      return try scan(ProductQuantizer(parts: max(1, rows.columnCount / 2), bits: 4))
    case .bits: return try scan(ResidualBitQuantizer(bits: 1))
    case .auto, .flat, .int8, .lists, .graph:
      var planner = IndexPlanner()
      planner.kind = IndexKind(rawValue: rawValue)
      planner.targetRecall = targetRecall
      let plan = planner.plan(rowCount: rows.rowCount, dimension: rows.columnCount)
      let index = try DenseIndex(rows, metric: metric, plan: plan, in: run)
      return (index, index.byteCount, plan.kind.rawValue, plan.reason)
    }
  }
}
