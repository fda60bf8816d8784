public import BasisCore
public import BasisFormats

/// In a file a graph index is these blocks, each with the given prefix; the rows are the caller's:
///
/// | block | holds |
/// |---|---|
/// | `settings` | JSON: counts, metric, settings, measured recall, layout version |
/// | `mean` | `Float` per dimension of a prepared row |
/// | `bytes` | codes, a row in a multiple of 64 bytes |
/// | `facts` | two `Float` per row: what a code is worth, and the squared length |
/// | `pairs` | the codes in two bits each and two facts, where rows have 192 dimensions or more |
/// | `edges` | `UInt32`: maximumDegree row numbers per row |
/// | `entrances` | `UInt32`: rows at which walks start |
/// | `inverse-norms` | `Float` per row |
/// | `groups-means` | `Float` per dimension of a prepared row: means of groups; these four only where there are groups |
/// | `groups-members`, `groups-starts` | `UInt32`: rows by group, and where groups start |
/// | `groups-reach` | JSON: how far a group's mean may be |
/// | `signs-blocks`, `signs-factors`, `signs-lengths` | signs of rows by group, 32 a record, where there are pairs; and two `Float` a row |
extension GraphIndex {
  private struct Header: Codable {
    var layout = GraphIndex.layout
    var count: Int
    var columnCount: Int
    var dimension: Int
    var metric: Metric
    var longest: Float
    var roundingError: Float
    var settings: Settings
    var calibration: GraphCalibration?
    var hasGroups: Bool
    /// Absent in older files.
    var hasSigns: Bool?
  }

  /// Of what is written now: 2 has codes of two bits, and groups.
  static let layout = 2

  /// The layout of the graph in a file.
  static func layout(in container: Container, prefix: String) throws(BasisError) -> Int {
    struct Layout: Codable { var layout: Int }
    return try container.json(prefix + "settings", as: Layout.self).layout
  }

  /// Writes the index as blocks of a file that is being made; not the rows.
  ///
  /// - Parameter writer: where the blocks go.
  /// - Parameter prefix: starts each block's name, so that several indexes fit into one file.
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    let groups = try groups.get()
    try writer.write(
      prefix + "settings",
      json: Header(
        count: count, columnCount: dimension, dimension: codes.dimension, metric: metric,
        longest: codes.longest.isFinite ? codes.longest : .greatestFiniteMagnitude,
        roundingError: codes.roundingError, settings: settings, calibration: calibration,
        hasGroups: groups != nil, hasSigns: signs != nil))
    try writer.write(prefix + "mean", codes.mean)
    try codes.bytes.write(to: writer, prefix + "bytes")
    try codes.facts.write(to: writer, prefix + "facts")
    try codes.pairs.write(to: writer, prefix + "pairs")
    try edges.write(to: writer, prefix + "edges")
    try writer.write(prefix + "entrances", entrances.rows)
    try inverseNorms.write(to: writer, prefix + "inverse-norms")
    try groups?.write(to: writer, prefix: prefix + "groups-")
    try signs?.write(to: writer, prefix: prefix + "signs-")
  }

  /// Opens an index in a file. Its blocks stay there and are read as they are needed.
  ///
  /// - Parameters:
  ///   - container: where the blocks are.
  ///   - prefix: what ``write(to:prefix:)`` was given.
  ///   - rows: the rows that it was built over, which are not read here.
  /// - Throws: `.corruptFile` if a block is missing, damaged or does not fit the others, or an edge
  ///   leads nowhere; `.dimensionMismatch` for rows of another shape; `.newerFormat`; `.unsupported`
  ///   for a graph of an earlier layout.
  public init(from container: Container, prefix: String, rows: Matrix) throws(BasisError) {
    try self.init(from: container, prefix: prefix, rows: rows, guardedBy: nil)
  }

  /// Opens an index in a file over rows that are touched before they are read.
  ///
  /// What every walk runs through (edges, and the codes that it compares) is verified here; the
  /// rows, and the bytes where walks compare bits, as they are touched.
  init(from container: Container, prefix: String, rows: Matrix, guardedBy rowBlock: BlockGuard?)
    throws(BasisError)
  {
    let layout = try Self.layout(in: container, prefix: prefix)
    try container.requireLayout(layout, of: "graph index", upTo: Self.layout)
    guard layout == Self.layout else {
      throw BasisError(
        .unsupported,
        "\(container.path): the graph index was made by an earlier program; build it anew")
    }
    let header = try container.json(prefix + "settings", as: Header.self)
    do throws(BasisError) { try header.settings.check() } catch {
      throw Self.corrupt(error.message)
    }
    let (count, dimension) = (header.count, header.dimension)
    guard (0...1 << 30).contains(count), (0...1 << 24).contains(header.columnCount),
      dimension == header.columnCount
        || (dimension == header.columnCount + 1 && header.metric == .innerProduct),
      header.longest.isFinite, header.roundingError.isFinite, header.calibration?.isSound ?? true
    else {
      throw Self.corrupt("\(count) rows of \(header.columnCount) and \(dimension) dimensions")
    }
    try rows.requireShape(count, header.columnCount, of: "graph index")
    let mean = try container.array(prefix + "mean", of: Float.self)
    guard mean.count == dimension else {
      throw Self.corrupt("\(mean.count) means for \(dimension) dimensions")
    }
    let width = (dimension + 63) / 64 * 64
    func block(_ name: String, _ stride: Int, isVerified: Bool = true) throws(BasisError)
      -> GraphBlock
    {
      guard stride > 0, count > 0 else { return GraphBlock(count: count, stride: stride) }
      return try GraphBlock(
        container, prefix + name, count: count, stride: stride, isVerified: isVerified)
    }
    let pairStride = GraphCodes.pairStride(dimension)
    codes = GraphCodes(
      metric: header.metric, count: count, columnCount: header.columnCount, dimension: dimension,
      longest: header.longest, mean: Array(mean),
      bytes: try block("bytes", width, isVerified: pairStride == 0), facts: try block("facts", 8),
      pairs: try block("pairs", pairStride),
      roundingError: header.roundingError)
    edges = try block("edges", 4 * header.settings.maximumDegree)
    inverseNorms = try block("inverse-norms", 4)
    let starts = Array(try container.array(prefix + "entrances", of: UInt32.self))
    guard starts.count <= 512, starts.isEmpty == (count == 0) else {
      throw Self.corrupt("\(starts.count) entrances to \(count) rows")
    }
    // A walk follows them without looking.
    let limit = UInt32(truncatingIfNeeded: count)
    guard starts.allSatisfy({ $0 < limit }), Self.largest(edges) < max(1, limit) else {
      throw Self.corrupt("an edge or entrance leads to a row that does not exist")
    }
    entrances = GraphEntrances(codes, rows: starts)
    groups =
      header.hasGroups
      ? MadeOnce { [codes] () throws(BasisError) in
        try GraphGroups(from: container, prefix: prefix + "groups-", codes)
      } : MadeOnce(nil)
    signs =
      header.hasSigns == true && GraphSigns.suit(codes)
      ? try GraphSigns(from: container, prefix: prefix + "signs-", codes) : nil
    self.rows = rows
    metric = header.metric
    settings = header.settings
    calibration = header.calibration
    flat = Self.exactIndex(rows, metric: metric, inverseNorms, guardedBy: rowBlock)
    self.rowBlock = rowBlock
    rowBlock?.expectRandomAccess(true)
  }

  /// The exact index over the rows. It reads none before it is asked for.
  static func exactIndex(
    _ rows: Matrix, metric: Metric, _ inverseNorms: GraphBlock, guardedBy rowBlock: BlockGuard?
  ) -> MadeOnce<FlatIndex> {
    MadeOnce { () throws(BasisError) in
      let norms = inverseNorms.base.assumingMemoryBound(to: Float.self)
      rowBlock?.expectRandomAccess(false)
      let stride = 4 * rows.columnCount
      return try FlatIndex(
        rows, metric: metric,
        norms: (0..<rows.rowCount).map { (row) throws(BasisError) in
          if norms[row] > 0 { return 1 / norms[row] }
          // A row of zeros, or one so long that nothing is left of the inverse.
          try rowBlock?.verify(records: row..<row + 1, stride: stride)
          return rows.withRow(row) { euclideanNorm($0) }
        }, guardedBy: rowBlock)
    }
  }

  private static func largest(_ edges: GraphBlock) -> UInt32 {
    let numbers = UnsafeBufferPointer(
      start: edges.base.assumingMemoryBound(to: UInt32.self), count: edges.count * edges.stride / 4
    )
    var largest: UInt32 = 0
    for number in numbers { largest = max(largest, number) }
    return largest
  }

  private static func corrupt(_ what: String) -> BasisError {
    BasisError(.corruptFile, "graph index: \(what); rebuild the segment")
  }
}
