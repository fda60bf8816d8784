public import BasisCore

/// Looks at few dimensions of all rows, keeps the best, looks at more dimensions of those, and so on:
/// for vectors whose prefixes are good vectors themselves.
///
/// Rows are kept by blocks of dimensions, so that the first stage reads no more memory than it compares.
/// Prefixes are compared by the metric itself: the cosine of prefixes, which brings both to unit length;
/// products and squared distances grow from stage to stage. With a first stage that keeps every row, and
/// later ones that do, the answer is the exact one. A row whose prefix is zero is at cosine distance 1
/// in that stage.
///
/// Which one when: beside ``FlatIndex`` for nested vectors (trained so, or rotated into their principal
/// directions), some times faster at nearly the same recall; measure the loss. Immutable, and safe to
/// use from any number of threads.
///
/// Kusupati et al., *Matryoshka representation learning*, NeurIPS 2022, arXiv:2205.13147, section 4.3.1
/// and appendix E (funnel retrieval).
public struct FunnelIndex: Sendable {
  /// How many dimensions a stage looks at, and how many rows it passes on.
  public struct Stage: Sendable, Hashable, Codable {
    public var dimensions: Int
    public var keep: Int

    public init(dimensions: Int, keep: Int) {
      self.dimensions = dimensions
      self.keep = keep
    }
  }

  public let count: Int
  public let dimension: Int
  public let metric: Metric
  public let stages: [Stage]
  /// Dimensions of the first stage, of the second beyond those, and so on: `n × width` each.
  let blocks: [Matrix]
  /// Squared lengths of each stage's prefixes; by the cosine only.
  let squares: [[Float]]

  /// - Parameters:
  ///   - rows: `n × d`, finite.
  ///   - metric: how rows are compared.
  ///   - stages: dimensions rise, and the last stage's are at most *d*; what is kept does not rise. The
  ///     dimensions of the last stage decide the answer.
  /// - Throws: `.invalidArgument` for no stages, or such as do not rise or fall as they must; `.badData`
  ///   naming the row and column of a value that is not finite.
  /// - Complexity: O(*n* *d*): a copy of the dimensions that stages look at.
  public init(_ rows: Matrix, metric: Metric, stages: [Stage]) throws(BasisError) {
    try Self.check(stages, dimension: rows.columnCount)
    try rows.requireFinite("the matrix to index")
    count = rows.rowCount
    dimension = rows.columnCount
    self.metric = metric
    self.stages = stages
    var blocks: [Matrix] = []
    var first = 0
    for stage in stages {
      let columns = first..<stage.dimensions
      blocks.append(
        Matrix(rowCount: rows.rowCount, columnCount: columns.count) { target in
          rows.withUnsafeFloats { source in
            for row in 0..<rows.rowCount {
              for (place, column) in columns.enumerated() {
                target[row * columns.count + place] = source[row * rows.columnCount + column]
              }
            }
          }
        })
      first = stage.dimensions
    }
    self.blocks = blocks
    guard metric == .cosine else {
      squares = []
      return
    }
    var sums = [Float](repeating: 0, count: rows.rowCount)
    var squares: [[Float]] = []
    for block in blocks {
      for row in 0..<rows.rowCount {
        block.withRow(row) { values in
          if let base = values.baseAddress {
            sums[row] += Kernels.dot(base, base, count: values.count)
          }
        }
      }
      squares.append(sums)
    }
    self.squares = squares
  }

  private static func check(_ stages: [Stage], dimension: Int) throws(BasisError) {
    guard let last = stages.last, let first = stages.first else {
      throw BasisError(
        .invalidArgument, "a funnel needs at least one stage, such as 16 dimensions, keep 400")
    }
    let rise = zip(stages, stages.dropFirst()).allSatisfy { $0.dimensions < $1.dimensions }
    guard first.dimensions >= 1, last.dimensions <= dimension, rise else {
      throw BasisError(
        .invalidArgument,
        "a funnel's dimensions must rise from at least 1 to at most \(dimension); got "
          + "\(stages.map(\.dimensions))")
    }
    let fall = zip(stages, stages.dropFirst()).allSatisfy { $0.keep >= $1.keep }
    guard last.keep >= 1, fall else {
      throw BasisError(
        .invalidArgument,
        "what a funnel keeps must not rise and be at least 1; got \(stages.map(\.keep))")
    }
  }

  /// Multiplications and additions of a query, and those that a full scan of the last stage's dimensions
  /// would take.
  public var multiplyAdds: (funnel: Int, full: Int) {
    var (total, seen) = (0, count)
    for (stage, block) in zip(stages, blocks) {
      total += seen * block.columnCount
      seen = min(seen, stage.keep)
    }
    return (total, count * stages[stages.count - 1].dimensions)
  }
}

extension FunnelIndex: SearchIndex {
  /// The nearest rows by the last stage's dimensions, among what the stages before it let through.
  ///
  /// - Parameters:
  ///   - queries: a query a row, finite, of the index's dimension.
  ///   - k: at least 0; more than a stage keeps makes it keep as many.
  ///   - allowed: the rows that may be answered, or nil for all; `allowed.count` equals ``count``.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for a negative `k`; `.dimensionMismatch`; `.badData` naming the query
  ///   and column of a value that is not finite; `.cancelled`.
  /// - Complexity: O(*n* · dimensions of the first stage) a query, parallel over queries.
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap? = nil, in run: RunContext = RunContext()
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    try checkQueries(queries, dimension: dimension)
    try run.checkCancelled()
    guard k > 0, count > 0, queries.rowCount > 0 else {
      return Array(repeating: [], count: queries.rowCount)
    }
    let parts = try parallelMap(queries.rowCount, grain: 1, in: run) { (_, range) in
      range.map { queries.withRow($0) { answer($0, k: k, allowed) } }
    }
    return parts.flatMap(\.self)
  }

  /// A row that is still in, and the product or squared distance so far.
  private struct Candidate {
    var id: Int
    var sum: Float
  }

  private func answer(_ query: UnsafeBufferPointer<Float>, k: Int, _ allowed: Bitmap?) -> [Neighbor]
  {
    var first = 0
    var squared: Float = 0
    var candidates: [Candidate] = []
    var best: [Neighbor] = []
    for number in stages.indices {
      let width = blocks[number].columnCount
      let part = UnsafeBufferPointer(rebasing: query[first..<first + width])
      first += width
      if let base = part.baseAddress { squared += Kernels.dot(base, base, count: width) }
      let inverse = squared > 0 ? 1 / squared.squareRoot() : 0
      var top = TopK(k: min(count, max(k, stages[number].keep)))
      if number == 0 {
        scan(part, inverse, allowed, &top, keepsSums: stages.count > 1, into: &candidates)
      } else {
        extend(&candidates, number, part, inverse, &top)
      }
      best = top.sorted()
      if number + 1 < stages.count, candidates.count > best.count {
        let kept = Set(best.map(\.id))
        candidates.removeAll { !kept.contains($0.id) }
      }
    }
    return Array(best.prefix(k))
  }

  /// Compares the first dimensions of all rows, block by block.
  private func scan(
    _ query: UnsafeBufferPointer<Float>, _ inverse: Float, _ allowed: Bitmap?, _ top: inout TopK,
    keepsSums: Bool, into candidates: inout [Candidate]
  ) {
    let grain = 1024
    let width = query.count
    let kernel: DistanceKernel<Float, Float, Float> =
      metric == .squaredEuclidean ? .squaredDistance : .dot
    withUnsafeTemporaryAllocation(of: Float.self, capacity: grain) { buffer in
      blocks[0].withUnsafeFloats { floats in
        guard let out = buffer.baseAddress, let rows = floats.baseAddress,
          let query = query.baseAddress
        else { return }
        for start in stride(from: 0, to: count, by: grain) {
          let size = min(grain, count - start)
          kernel(
            query, rows: rows + start * width, rowCount: size, stride: width, dimension: width,
            into: out)
          for place in 0..<size {
            let id = start + place
            let distance = distance(out[place], id, 0, inverse)
            // What is not better than the worst that is kept will not be kept.
            guard distance <= top.threshold, allowed?[id] ?? true else { continue }
            top.offer(Neighbor(id: id, distance: distance))
            if keepsSums { candidates.append(Candidate(id: id, sum: out[place])) }
          }
        }
      }
    }
  }

  /// Adds the next dimensions of the rows that are left.
  private func extend(
    _ candidates: inout [Candidate], _ number: Int, _ query: UnsafeBufferPointer<Float>,
    _ inverse: Float, _ top: inout TopK
  ) {
    let width = query.count
    blocks[number].withUnsafeFloats { floats in
      guard let rows = floats.baseAddress, let query = query.baseAddress else { return }
      for place in candidates.indices {
        let id = candidates[place].id
        let row = rows + id * width
        candidates[place].sum +=
          metric == .squaredEuclidean
          ? Kernels.squaredDistance(query, row, count: width)
          : Kernels.dot(query, row, count: width)
        let distance = distance(candidates[place].sum, id, number, inverse)
        top.offer(Neighbor(id: id, distance: distance))
      }
    }
  }

  @inline(__always)
  private func distance(_ sum: Float, _ id: Int, _ stage: Int, _ inverse: Float) -> Float {
    switch metric {
    case .squaredEuclidean: return sum
    case .innerProduct: return -sum
    case .cosine:
      let squared = squares[stage][id]
      guard squared > 0 else { return 1 }
      return min(2, max(0, 1 - sum * inverse / squared.squareRoot()))
    }
  }
}
