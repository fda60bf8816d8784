public import BasisCore
import BasisFormats
import CBasisKernels

extension GraphIndex.Settings {
  /// Builds an index over a matrix, which it does not copy.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite; at most 2³⁰ rows.
  ///   - metric: how rows are compared.
  ///   - run: seed, threads and cancellation. The graph is the same at any number of threads.
  /// - Throws: `.badData` naming the row and column of a value that is not finite;
  ///   `.invalidArgument` for a setting out of range or too many rows; `.cancelled`.
  /// - Complexity: O(*n* · groupSize · *d*) byte products; parallel. Memory beside the index:
  ///   8 · candidateCount bytes a row, twice.
  public func build(
    _ rows: Matrix, metric: Metric = .cosine, in run: RunContext = RunContext()
  ) throws(BasisError) -> GraphIndex {
    try check()
    try run.checkCancelled()
    guard rows.rowCount <= 1 << 30 else {
      throw BasisError(
        .invalidArgument,
        "a graph index holds up to 2^30 rows, got \(rows.rowCount); divide them")
    }
    let flat = try FlatIndex(rows, metric: metric)
    let codes = try GraphCodes(rows, metric: metric, norms: flat.norms, in: run)
    var generator = run.generator("graph.held-out")
    let held = generator.sample(min(calibrationCount, rows.rowCount / 10), of: rows.rowCount)
    var isHeld = Bitmap(count: rows.rowCount)
    for row in held { isHeld[row] = true }
    let present = (0..<rows.rowCount).filter { !isHeld[$0] }.map { UInt32(truncatingIfNeeded: $0) }

    let builder = GraphBuilder(settings: self, codes: codes, run: run)
    var edges = builder.emptyEdges(count: rows.rowCount)
    try builder.link(present, in: &edges)
    let entrances = GraphEntrances(codes, of: present, in: run)
    try builder.makeReachable(present, from: entrances, in: &edges)

    let norms = GraphBlock(count: rows.rowCount, stride: 4) { target in
      target.copyMemory(from: flat.inverseNorms, byteCount: 4 * rows.rowCount)
    }
    let groups = try GraphGroups(codes, in: run)
    let signs = try GraphSigns(codes, groups, in: run)
    func index(_ edges: GraphBlock, _ calibration: GraphCalibration?) -> GraphIndex {
      GraphIndex(
        rows: rows, metric: metric, settings: self, codes: codes, edges: edges,
        entrances: entrances, inverseNorms: norms, calibration: calibration,
        groups: MadeOnce(groups), signs: signs, flat: MadeOnce(flat))
    }
    guard !held.isEmpty else { return index(edges, nil) }
    let calibration =
      held.count < 50
      ? nil : try GraphCalibration(index(edges, nil), heldOut: held, isHeld: isHeld, in: run)
    try builder.insert(
      held.map { UInt32(truncatingIfNeeded: $0) },
      among: (0..<rows.rowCount).map { UInt32(truncatingIfNeeded: $0) }, from: entrances,
      in: &edges)
    return index(edges, calibration)
  }
}

extension GraphIndex {
  /// An index of these rows and more. Nothing is built again: new rows find their place by walking.
  ///
  /// The measured recall is taken over. After the number of rows has doubled, or where new rows
  /// are unlike the old, build anew.
  ///
  /// - Parameters:
  ///   - newRows: `m × d`, finite; they get the ids from ``count`` on.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData`; `.cancelled`.
  /// - Complexity: O(*m*) walks, parallel; and a copy of rows and graph.
  public func appending(_ newRows: Matrix, in run: RunContext = RunContext())
    throws(BasisError) -> GraphIndex
  {
    guard newRows.columnCount == dimension else {
      throw BasisError(
        .dimensionMismatch,
        "the new rows are \(newRows.rowCount) × \(newRows.columnCount), the index is "
          + "\(count) × \(dimension); encode both with the same model")
    }
    guard newRows.rowCount > 0 else { return self }
    try rowBlock?.verify(records: 0..<count, stride: 4 * dimension)
    try codes.bytes.verify()
    // Too few to have a shape of their own.
    if count < 64 {
      return try settings.build(joined(newRows), metric: metric, in: run)
    }
    let all = joined(newRows)
    let more = try FlatIndex(newRows, metric: metric)
    let codes = try GraphCodes(self.codes, appending: newRows, norms: more.norms, in: run)
    let builder = GraphBuilder(settings: settings, codes: codes, run: run)
    var edges = builder.emptyEdges(count: all.rowCount)
    edges.withMutableBytes {
      $0.copyMemory(from: self.edges.base, byteCount: self.edges.count * self.edges.stride)
    }
    let entrances = GraphEntrances(codes, rows: self.entrances.rows)
    // Each batch finds those before it.
    let size = max(256, count / 4)
    for start in stride(from: count, to: all.rowCount, by: size) {
      let end = min(start + size, all.rowCount)
      let present = (0..<end).map { UInt32(truncatingIfNeeded: $0) }
      try builder.insert(
        Array(present[start...]), among: present, from: entrances, in: &edges)
    }
    let inverseNorms = GraphBlock(count: all.rowCount, stride: 4) { target in
      target.copyMemory(from: self.inverseNorms.base, byteCount: 4 * count)
      (target + 4 * count).copyMemory(
        from: more.inverseNorms, byteCount: 4 * newRows.rowCount)
    }
    let groups = try groups(with: codes, in: run)
    return GraphIndex(
      rows: all, metric: metric, settings: settings, codes: codes, edges: edges,
      entrances: entrances, inverseNorms: inverseNorms, calibration: calibration,
      groups: MadeOnce(groups), signs: try GraphSigns(codes, groups, in: run),
      flat: Self.exactIndex(all, metric: metric, inverseNorms, guardedBy: nil))
  }

  private func groups(with codes: GraphCodes, in run: RunContext) throws(BasisError)
    -> GraphGroups?
  {
    guard let groups = try groups.get() else { return try GraphGroups(codes, in: run) }
    return try groups.appending(codes, in: run)
  }

  private func joined(_ newRows: Matrix) -> Matrix {
    Matrix(rowCount: count + newRows.rowCount, columnCount: dimension) { target in
      for (part, first) in [(rows, 0), (newRows, count)] {
        part.withUnsafeFloats { source in
          guard let to = target.baseAddress, let from = source.baseAddress else { return }
          (to + first * dimension).update(from: from, count: source.count)
        }
      }
    }
  }
}
