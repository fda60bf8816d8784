import BasisCore
import BasisFormats
import CBasisKernels

/// Rows as bytes, and as pairs of bits where there are many dimensions: what a walk compares.
///
/// Every metric becomes the squared Euclidean distance of *prepared* vectors: unit vectors for the
/// cosine; as they are for the distance itself; for the inner product with one more coordinate,
/// √(longest² − ‖x‖²) for a row and 0 for a query (Bachrach et al., *Speeding up the Xbox
/// recommender system using a Euclidean transformation for inner-product spaces*, RecSys 2014,
/// doi:10.1145/2645710.2645741), left out where all rows have one length. A row of zeros under the
/// cosine is two from everything.
///
/// A code is the coordinate less its mean over the rows, in 127 steps of the row's own largest one.
/// A pair of bits is the sign of that, and whether it is large; a factor makes the estimate of the
/// product exact for the row itself (Gao et al., *Practical and asymptotically optimal quantization
/// of high-dimensional vectors*, SIGMOD 2025, doi:10.1145/3725413, without the rotation).
struct GraphCodes: Sendable {
  let metric: Metric
  let count: Int
  /// Of a row as it is given.
  let columnCount: Int
  /// Of a prepared row: `columnCount`, or one more.
  let dimension: Int
  /// The longest row, for the inner product.
  let longest: Float
  let mean: [Float]
  var bytes: GraphBlock
  var facts: GraphBlock
  var pairs: GraphBlock
  /// The standard deviation of a key's rounding.
  let roundingError: Float

  var width: Int { (dimension + 63) / 64 * 64 }
  var hasInlineFacts: Bool { Self.hasInlineFacts(dimension) }
  var hasPairs: Bool { pairs.stride > 0 }

  static func hasInlineFacts(_ dimension: Int) -> Bool {
    (dimension + 63) / 64 * 64 - dimension >= 8
  }

  /// Bytes of a row of pairs with its facts, in whole cache lines; 0 where bytes are few enough.
  static func pairStride(_ dimension: Int) -> Int {
    dimension < 192 ? 0 : ((dimension + 63) / 64 * 16 + 8 + 63) / 64 * 64
  }

  /// - Complexity: O(*n* *d*), parallel over rows.
  init(_ rows: Matrix, metric: Metric, norms: [Float], in run: RunContext) throws(BasisError) {
    let shape = Self.shape(metric, rows.columnCount, norms)
    let count = rows.rowCount
    let dimension = shape.dimension
    let preparing = Preparing(
      metric: metric, columnCount: rows.columnCount, dimension: dimension, longest: shape.longest)
    let mean = Self.mean(rows, norms, preparing)
    let stride = (dimension + 63) / 64 * 64
    bytes = GraphBlock(count: count, stride: stride)
    facts = GraphBlock(count: count, stride: 8)
    pairs = GraphBlock(count: count, stride: Self.pairStride(dimension))
    self.metric = metric
    self.count = count
    columnCount = rows.columnCount
    self.dimension = dimension
    longest = shape.longest
    self.mean = mean
    roundingError = try Self.encode(
      rows, norms, preparing, mean, &bytes, &facts, &pairs, from: 0, in: run)
  }

  /// Codes of these rows and more, in the same steps.
  init(_ old: GraphCodes, appending rows: Matrix, norms: [Float], in run: RunContext)
    throws(BasisError)
  {
    metric = old.metric
    count = old.count + rows.rowCount
    columnCount = old.columnCount
    dimension = old.dimension
    longest = old.longest
    mean = old.mean
    func longer(_ block: GraphBlock, _ count: Int) -> GraphBlock {
      GraphBlock(count: count, stride: block.stride) {
        $0.copyMemory(from: block.base, byteCount: block.count * block.stride)
      }
    }
    bytes = longer(old.bytes, count)
    facts = longer(old.facts, count)
    pairs = longer(old.pairs, count)
    let preparing = Preparing(
      metric: metric, columnCount: columnCount, dimension: dimension, longest: longest)
    let more = try Self.encode(
      rows, norms, preparing, mean, &bytes, &facts, &pairs, from: old.count, in: run)
    roundingError = max(old.roundingError, more)
  }

  /// Codes of prepared vectors that are no rows, in the steps of the rows'.
  init(prepared: Matrix, like rows: GraphCodes, in run: RunContext) throws(BasisError) {
    metric = .squaredEuclidean
    count = prepared.rowCount
    columnCount = rows.dimension
    dimension = rows.dimension
    longest = 1
    mean = rows.mean
    bytes = GraphBlock(count: count, stride: rows.bytes.stride)
    facts = GraphBlock(count: count, stride: 8)
    pairs = GraphBlock(count: count, stride: rows.pairs.stride)
    let preparing = Preparing(
      metric: metric, columnCount: columnCount, dimension: dimension, longest: longest)
    roundingError = try Self.encode(
      prepared, Array(repeating: 1, count: count), preparing, mean, &bytes, &facts, &pairs,
      from: 0, in: run)
  }

  init(
    metric: Metric, count: Int, columnCount: Int, dimension: Int, longest: Float, mean: [Float],
    bytes: GraphBlock, facts: GraphBlock, pairs: GraphBlock, roundingError: Float
  ) {
    self.metric = metric
    self.count = count
    self.columnCount = columnCount
    self.dimension = dimension
    self.longest = longest
    self.mean = mean
    self.bytes = bytes
    self.facts = facts
    self.pairs = pairs
    self.roundingError = roundingError
  }

  var preparing: Preparing {
    Preparing(
      metric: metric, columnCount: columnCount, dimension: dimension, longest: longest)
  }

  /// The rows as the kernels want them. Good as long as the blocks live.
  func rows(edges: GraphBlock?, pairs wantsPairs: Bool) -> basis_graph_rows {
    var rows = GraphRowShape(self, isPairs: wantsPairs).rows(wantsPairs ? pairs : bytes, facts)
    if let edges {
      rows.edges = edges.base.assumingMemoryBound(to: UInt32.self)
      rows.degree = edges.stride / 4
    }
    return rows
  }
}

extension GraphCodes {
  /// A row as a query.
  ///
  /// - Parameters:
  ///   - source: the rows, as bytes.
  ///   - codes: room for `width` codes, on which the query relies.
  func query(
    _ row: UInt32, _ source: inout basis_graph_rows, into codes: UnsafeMutablePointer<Int8>?
  ) -> basis_graph_query {
    var query = basis_graph_query()
    query.sum = basis_graph_kernels().pointee.decode(&source, row, codes)
    query.codes = UnsafePointer(codes)
    query.scale = 2 * facts.base.load(fromByteOffset: Int(row) * 8, as: Float.self)
    return query
  }

  /// Of a query less the mean of the rows: what a key and this add up to is a squared distance.
  func squaredLength(_ query: basis_graph_query) -> Float {
    guard let codes = query.codes else { return 0 }
    var sum: Int32 = 0
    for column in 0..<width { sum &+= Int32(codes[column]) &* Int32(codes[column]) }
    return query.scale * query.scale / 4 * Float(sum)
  }

  /// How vectors are prepared.
  struct Preparing {
    let metric: Metric
    let columnCount: Int
    let dimension: Int
    let longest: Float

    func row(
      _ x: UnsafeBufferPointer<Float>, norm: Float, into out: UnsafeMutablePointer<Float>
    ) {
      let factor = metric == .cosine ? (norm > 0 ? 1 / norm : 0) : 1
      for column in 0..<columnCount { out[column] = x[column] * factor }
      guard dimension > columnCount else { return }
      out[columnCount] = max(0, longest * longest - norm * norm).squareRoot()
    }

    /// Queries of an inner product may have any length: they are given that of the longest row.
    func query(_ x: UnsafeBufferPointer<Float>, into out: UnsafeMutablePointer<Float>) {
      let norm = metric == .squaredEuclidean ? 1 : euclideanNorm(x)
      var factor: Float = 1
      if metric != .squaredEuclidean {
        factor = norm > 0 ? (metric == .cosine ? 1 : max(longest, 1e-30)) / norm : 0
      }
      for column in 0..<columnCount { out[column] = x[column] * factor }
      if dimension > columnCount { out[columnCount] = 0 }
    }
  }

  private static func shape(_ metric: Metric, _ columnCount: Int, _ norms: [Float])
    -> (dimension: Int, longest: Float)
  {
    guard metric == .innerProduct, let longest = norms.max(), let shortest = norms.min() else {
      return (columnCount, 1)
    }
    let isLevel = longest.isFinite && longest - shortest <= 1e-4 * longest
    return (isLevel ? columnCount : columnCount + 1, longest)
  }

  /// Of at most about 16,384 rows, evenly spread.
  private static func mean(_ rows: Matrix, _ norms: [Float], _ preparing: Preparing) -> [Float] {
    var sums = [Double](repeating: 0, count: preparing.dimension)
    var row = [Float](repeating: 0, count: preparing.dimension)
    let step = max(1, rows.rowCount / 16_384)
    var taken = 0
    row.withUnsafeMutableBufferPointer { buffer in
      guard let out = buffer.baseAddress else { return }
      for index in stride(from: 0, to: rows.rowCount, by: step) {
        rows.withRow(index) { preparing.row($0, norm: norms[index], into: out) }
        for column in sums.indices { sums[column] += Double(out[column]) }
        taken += 1
      }
    }
    return sums.map { sum in
      let mean = Float(sum / Double(max(1, taken)))
      return mean.isFinite ? mean : 0
    }
  }

  /// Encodes rows into the blocks' records from `first` on; returns the keys' rounding error.
  private static func encode(
    _ rows: Matrix, _ norms: [Float], _ preparing: Preparing, _ mean: [Float],
    _ bytes: inout GraphBlock, _ facts: inout GraphBlock, _ pairs: inout GraphBlock,
    from first: Int,
    in run: RunContext
  ) throws(BasisError) -> Float {
    let dimension = preparing.dimension
    let width = (dimension + 63) / 64 * 64
    var targets: [SharedPointer<UInt8>] = []
    bytes.withMutableBytes { targets.append(.init($0.assumingMemoryBound(to: UInt8.self))) }
    facts.withMutableBytes { targets.append(.init($0.assumingMemoryBound(to: UInt8.self))) }
    let pairStride = pairs.stride
    pairs.withMutableBytes { targets.append(.init($0.assumingMemoryBound(to: UInt8.self))) }
    guard targets.count >= 2, dimension > 0 else { return 0 }
    let shared = targets
    let sums = try parallelMap(rows.rowCount, grain: 1024, in: run) {
      (_, range) throws(BasisError) -> Double in
      var scratch = [Float](repeating: 0, count: dimension)
      var codes = [Int8](repeating: 0, count: width)
      var total = 0.0
      for index in range {
        rows.withRow(index) { row in
          scratch.withUnsafeMutableBufferPointer {
            if let out = $0.baseAddress { preparing.row(row, norm: norms[index], into: out) }
          }
        }
        var sum: Int32 = 0
        let scale = basis_graph_kernels().pointee.encode(
          scratch, mean, dimension, width, &codes, &sum)
        var squared: Float = 0
        for column in 0..<dimension {
          let away = scratch[column] - mean[column]
          squared += away * away
        }
        total += Double(scale * scale * squared)
        let isZero = preparing.metric == .cosine && norms[index] == 0
        let bias = squared + (isZero ? 1 : 0)
        let isUsable = bias.isFinite && scale.isFinite
        let record = shared[0].base + (first + index) * width
        for column in 0..<width {
          record[column] = UInt8(bitPattern: codes[column]) ^ 0x80
        }
        let both = (isUsable ? scale : 0, isUsable ? bias : Float.greatestFiniteMagnitude / 4)
        func store(_ a: Float, _ b: Float, _ place: UnsafeMutablePointer<UInt8>) {
          let raw = UnsafeMutableRawPointer(place)
          raw.storeBytes(of: a, as: Float.self)
          raw.storeBytes(of: b, toByteOffset: 4, as: Float.self)
        }
        store(both.0, both.1, shared[1].base + (first + index) * 8)
        if hasInlineFacts(dimension) { store(both.0, both.1, record + width - 8) }
        guard pairStride > 0 else { continue }
        let packed = shared[2].base + (first + index) * pairStride
        let factor = basis_graph_kernels().pointee.pack(scratch, mean, dimension, width, packed)
        store(isUsable && factor.isFinite ? factor : 0, both.1, packed + width / 4)
      }
      return total
    }
    // Both codes of a product are off by a twelfth of a squared step on average.
    let mean = sums.reduce(0, +) / Double(max(1, rows.rowCount))
    let error = Float((8 * mean / 12).squareRoot())
    return error.isFinite ? error : 0
  }
}
