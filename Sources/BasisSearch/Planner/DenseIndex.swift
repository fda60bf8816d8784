import BasisCodecs
public import BasisCore
public import BasisFormats

/// A dense index of whichever kind was chosen.
public struct DenseIndex: Sendable {
  public let plan: IndexPlanner.Plan
  private let base: Base

  private enum Base {
    case flat(FlatIndex)
    case int8(QuantizedFlatIndex<FittedScalarQuantizer>)
    case lists(InvertedListsIndex)
    case graph(GraphIndex)
  }

  public var kind: IndexKind { plan.kind }
  public var rows: Matrix {
    switch base {
    case .flat(let index): index.rows
    case .int8(let index): index.rows
    case .lists(let index): index.rows
    case .graph(let index): index.rows
    }
  }
  public var metric: Metric {
    switch base {
    case .flat(let index): index.metric
    case .int8(let index): index.metric
    case .lists(let index): index.metric
    case .graph(let index): index.metric
    }
  }
  public var count: Int { rows.rowCount }
  public var dimension: Int { rows.columnCount }

  /// The size of what the index keeps beside the rows.
  public var byteCount: Int {
    switch base {
    case .flat(let index): index.count * MemoryLayout<Float>.stride
    case .int8(let index): index.byteCount
    case .lists(let index): index.byteCount
    case .graph(let index): index.byteCount
    }
  }

  /// Builds the index that a plan asks for.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite; kept, not copied.
  ///   - metric: how rows are compared.
  ///   - plan: of ``IndexPlanner/plan(rowCount:dimension:)``.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.badData` naming the row and column of a value that is not finite; `.unsupported`;
  ///   `.cancelled`.
  public init(
    _ rows: Matrix, metric: Metric, plan: IndexPlanner.Plan, in run: RunContext = RunContext()
  ) throws(BasisError) {
    self.plan = plan
    switch plan.kind {
    case .flat: base = .flat(try FlatIndex(rows, metric: metric))
    case .int8:
      base = .int8(
        try QuantizedFlatIndex(rows, metric: metric, codec: ScalarQuantizer(.int8), in: run))
    case .lists: base = .lists(try InvertedListsIndex(rows, metric: metric, in: run))
    case .graph:
      let settings = GraphIndex.Settings(targetRecall: plan.targetRecall ?? 0.95)
      base = .graph(try settings.build(rows, metric: metric, in: run))
    }
  }

  // MARK: In a file

  /// Writes what the index keeps beside the rows, and which kind it is.
  ///
  /// - Parameters:
  ///   - writer: where the blocks go.
  ///   - prefix: starts each block's name.
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(prefix + "plan", json: plan)
    switch base {
    case .flat(let index):
      try FlatIndex.write(norms: index.norms, to: writer, prefix: prefix)
    case .int8(let index): try index.write(to: writer, prefix: prefix)
    case .lists(let index): try index.write(to: writer, prefix: prefix)
    case .graph(let index): try index.write(to: writer, prefix: prefix)
    }
  }

  /// Which index a file has, without opening it; a flat one where it has none.
  ///
  /// - Parameters:
  ///   - container: where the blocks are.
  ///   - prefix: what ``write(to:prefix:)`` was given.
  /// - Throws: `.corruptFile`.
  public static func plan(in container: Container, prefix: String) throws(BasisError)
    -> IndexPlanner.Plan
  {
    let name = prefix + "plan"
    guard container.contains(name) else {
      return IndexPlanner.Plan(kind: .flat, reason: "every row is compared")
    }
    let plan = try container.json(name, as: IndexPlanner.Plan.self)
    guard plan.kind == .graph,
      try GraphIndex.layout(in: container, prefix: prefix) < GraphIndex.layout
    else { return plan }
    // Slower, and exact, until the segment is written anew.
    return IndexPlanner.Plan(
      kind: .flat, reason: "its graph is of an earlier layout; a rewritten segment has a new one")
  }

  /// Opens the index in a file; a flat one where the file has none.
  ///
  /// - Parameters:
  ///   - container: where the blocks are.
  ///   - prefix: what ``write(to:prefix:)`` was given.
  ///   - rows: the rows that it was built over.
  ///   - metric: how rows are compared.
  /// - Throws: `.corruptFile`, also for an index by another metric.
  public init(from container: Container, prefix: String, rows: Matrix, metric: Metric)
    throws(BasisError)
  {
    try self.init(from: container, prefix: prefix, rows: rows, metric: metric, guardedBy: nil)
  }

  /// Opens the index in a file over rows that are read, and verified, only as searches touch them.
  ///
  /// - Parameter block: the rows' block.
  package init(
    from container: Container, prefix: String, rows: Matrix, metric: Metric,
    guardedBy block: BlockGuard?
  ) throws(BasisError) {
    plan = try DenseIndex.plan(in: container, prefix: prefix)
    switch plan.kind {
    case .flat:
      base = .flat(
        try FlatIndex(
          from: container, prefix: prefix, rows: rows, metric: metric, guardedBy: block))
    case .int8:
      base = .int8(
        try QuantizedFlatIndex(from: container, prefix: prefix, rows: rows, guardedBy: block))
    case .lists:
      base = .lists(
        try InvertedListsIndex(from: container, prefix: prefix, rows: rows, guardedBy: block))
    case .graph:
      base = .graph(
        try GraphIndex(from: container, prefix: prefix, rows: rows, guardedBy: block))
    }
    guard self.metric == metric else {
      throw BasisError(
        .corruptFile,
        "\(container.path): \(prefix) is an index by \(self.metric.rawValue), not \(metric.rawValue)"
      )
    }
  }
}

extension DenseIndex: ApproximateIndex {
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap?, effort: Effort, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    switch base {
    case .flat(let index): try index.search(queries, k: k, allowing: allowed, in: run)
    case .int8(let index):
      try index.search(queries, k: k, allowing: allowed, effort: effort, in: run)
    case .lists(let index):
      try index.search(queries, k: k, allowing: allowed, effort: effort, in: run)
    case .graph(let index):
      try index.search(queries, k: k, allowing: allowed, effort: effort, in: run)
    }
  }
}
