import BasisCodecs
public import BasisCore
import BasisNumerics

extension InvertedListsIndex {
  /// Makes lists, codes, and the table that says what recall costs.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite, *n* below 2³²; kept, not copied.
  ///   - metric: how rows are compared.
  ///   - settings: how the index is built.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` naming the row and column
  ///   of a value that is not finite; `.unsupported` for too many rows; `.cancelled`.
  /// - Complexity: O(*n* *d* (lists + 16)), parallel over rows.
  public init(
    _ rows: Matrix, metric: Metric, settings: Settings = Settings(),
    in run: RunContext = RunContext()
  ) throws(BasisError) {
    try settings.check(rows)
    let flat = try FlatIndex(rows, metric: metric)
    let listCount = min(
      max(1, rows.rowCount),
      settings.listCount ?? max(1, Int(1.6 * Double(rows.rowCount).squareRoot())))
    let width = min(max(1, rows.columnCount), settings.wordWidth ?? 2)
    let parts = max(1, (rows.columnCount + width - 1) / width)

    var clustering = KMeans(clusterCount: listCount)
    clustering.seeding = .random
    clustering.maxIterations = settings.iterations
    let source = RowSource(rows, metric: metric, paddedTo: parts * width)
    let centroids = try source.centroids(clustering, maxRowsPerList: 128, in: run)
    let assigner = NearestCentroid(centroids, ignoringLengths: false)

    // Words are learnt from a sample; the codes of all rows follow.
    var generator = run.generator("rows to learn words from")
    let sample = generator.sample(min(rows.rowCount, 32_768), of: rows.rowCount)
    let excess = Self.excess(settings, metric, rows.columnCount)
    let residuals = try source.residuals(of: sample, assigner, centroids, in: run)
    let book = try ProductCodebook.train(
      residuals.rows, parts: parts, width: width, size: 16,
      anisotropy: excess > 0
        ? .init(directions: residuals.directions, excess: excess) : nil,
      iterations: settings.iterations, in: run)
    let coder = RowCoder(
      source: source, assigner: assigner, centroids: centroids, book: book, excess: excess,
      copies: settings.copies(listCount: listCount))
    let coded = try coder.code(0..<rows.rowCount, in: run)
    var sizes = [Int](repeating: 0, count: listCount)
    for list in coded.lists { sizes[Int(list)] += 1 }
    var builder = CodeListsBuilder(
      parts: parts, sizes: sizes, hasHalves: metric == .squaredEuclidean)
    coded.append(to: &builder, first: 0, norms: flat.norms)
    self.init(
      rows: rows, metric: metric, settings: settings, flat: flat,
      centroids: centroids, book: book, lists: builder.finish())
    calibration = try calibrated(in: run)
  }

  /// How much more an error along a row's direction weighs than one across.
  static func excess(_ settings: Settings, _ metric: Metric, _ dimension: Int) -> Float {
    guard metric != .squaredEuclidean, settings.anisotropy > 0 else { return 0 }
    return ProductCodebook.Anisotropy.excess(
      threshold: settings.anisotropy, dimension: dimension)
  }
}

extension InvertedListsIndex.Settings {
  func check(_ rows: Matrix) throws(BasisError) {
    guard listCount.map({ $0 >= 1 }) ?? true, wordWidth.map({ $0 >= 1 }) ?? true, iterations >= 1,
      calibrationQueries >= 0, anisotropy >= 0, anisotropy < 1
    else {
      throw BasisError(
        .invalidArgument,
        "inverted lists need at least 1 list, word width and iteration, no negative number of "
          + "calibration queries and an anisotropy of 0 to 1, exclusive; got \(self)")
    }
    let parts = (rows.columnCount + (wordWidth ?? 2) - 1) / (wordWidth ?? 2)
    guard rows.rowCount < Int(UInt32.max), parts <= FastScan.maximumParts else {
      throw BasisError(
        .unsupported,
        "inverted lists hold fewer than 2³² − 1 rows in up to \(FastScan.maximumParts) words, "
          + "got \(rows.rowCount) rows in \(parts); use wider words or several indexes")
    }
  }
}

/// Rows as they are coded: of unit length for the cosine.
struct RowSource: Sendable {
  let rows: Matrix
  let isUnit: Bool
  let paddedDimension: Int

  init(_ rows: Matrix, metric: Metric, paddedTo paddedDimension: Int) {
    self.rows = rows
    isUnit = metric == .cosine
    self.paddedDimension = paddedDimension
  }

  /// One row, `dimension` floats.
  func copy(_ row: Int, into out: UnsafeMutablePointer<Float>) {
    rows.withRow(row) { values in
      guard let base = values.baseAddress else { return }
      if isUnit {
        let norm = euclideanNorm(values)
        for column in values.indices { out[column] = norm > 0 ? base[column] / norm : 0 }
      } else {
        out.update(from: base, count: values.count)
      }
    }
  }

  func centroids(_ clustering: KMeans, maxRowsPerList: Int, in run: RunContext) throws(BasisError)
    -> Matrix
  {
    guard rows.rowCount > 0 else { return Matrix(rowCount: 1, columnCount: rows.columnCount) }
    var generator = run.generator("rows to learn lists from")
    let wanted = min(rows.rowCount, clustering.clusterCount * maxRowsPerList)
    let sample = generator.sample(wanted, of: rows.rowCount)
    let d = rows.columnCount
    let values = try Matrix(rowCount: wanted, columnCount: d) { (target) throws(BasisError) in
      guard let base = target.baseAddress else { return }
      let out = SharedPointer(base)
      try parallelFor(wanted, grain: 4096, in: run) { (_, range) in
        for index in range { copy(sample[index], into: out.base + index * d) }
      }
    }
    return try clustering.fit(values, in: run).centroids
  }

  /// What is left of rows once their centroids are taken away, and unit vectors along the rows;
  /// both filled up with zeros to the padded dimension.
  func residuals(
    of sample: [Int], _ assigner: NearestCentroid, _ centroids: Matrix, in run: RunContext
  ) throws(BasisError) -> (rows: Matrix, directions: Matrix) {
    let padded = paddedDimension
    var directions = Matrix(rowCount: sample.count, columnCount: padded)
    let residuals = try Matrix(rowCount: sample.count, columnCount: padded) {
      (target) throws(BasisError) in
      guard let base = target.baseAddress else { return }
      let out = SharedPointer(base)
      try directions.withUnsafeMutableFloats { (directions) throws(BasisError) in
        guard let base = directions.baseAddress else { return }
        let along = SharedPointer(base)
        try parallelFor(sample.count, grain: 1024, in: run) { (_, range) in
          let work = RowWork(self, range.count)
          work.load(range.map { sample[$0] }, assigner)
          work.subtract(centroids)
          let count = range.count * padded
          (out.base + range.lowerBound * padded).update(from: work.residuals, count: count)
          (along.base + range.lowerBound * padded).update(from: work.directions, count: count)
        }
      }
    }
    return (residuals, directions)
  }
}

/// Room for some rows on their way into codes.
final class RowWork {
  let source: RowSource
  let rows: UnsafeMutablePointer<Float>
  let residuals: UnsafeMutablePointer<Float>
  let directions: UnsafeMutablePointer<Float>
  let lists: UnsafeMutablePointer<UInt32>
  private var count = 0

  init(_ source: RowSource, _ capacity: Int) {
    self.source = source
    rows = .allocate(capacity: capacity * source.rows.columnCount)
    residuals = .allocate(capacity: capacity * source.paddedDimension)
    directions = .allocate(capacity: capacity * source.paddedDimension)
    lists = .allocate(capacity: capacity)
  }

  deinit {
    rows.deallocate()
    residuals.deallocate()
    directions.deallocate()
    lists.deallocate()
  }

  /// Takes the rows with these numbers, and finds their lists.
  func load(_ ids: [Int], _ assigner: NearestCentroid) {
    let d = source.rows.columnCount
    count = ids.count
    for (index, id) in ids.enumerated() { source.copy(id, into: rows + index * d) }
    assigner.assign(rows, count: count, into: lists)
  }

  /// Finds second lists, from what is left of the rows in the first.
  func spill(_ second: SecondCentroid) {
    second.assign(
      rows, count: count, residuals: residuals, stride: source.paddedDimension, lists: lists)
  }

  /// Fills residuals and directions.
  func subtract(_ centroids: Matrix) {
    let (d, padded) = (source.rows.columnCount, source.paddedDimension)
    for index in 0..<count {
      let row = rows + index * d
      let norm = euclideanNorm(UnsafeBufferPointer(start: row, count: d))
      let scale = norm > 0 ? 1 / norm : 0
      let (residual, direction) = (residuals + index * padded, directions + index * padded)
      centroids.withRow(Int(lists[index])) { centroid in
        for column in 0..<d {
          residual[column] = row[column] - centroid[column]
          direction[column] = row[column] * scale
        }
      }
      for column in d..<max(d, padded) {
        residual[column] = 0
        direction[column] = 0
      }
    }
  }
}

/// Rows into lists and codes.
struct RowCoder: Sendable {
  let source: RowSource
  let assigner: NearestCentroid
  let centroids: Matrix
  let book: ProductCodebook
  let excess: Float
  /// Nil for one list a row.
  private let spill: SecondCentroid?

  init(
    source: RowSource, assigner: NearestCentroid, centroids: Matrix, book: ProductCodebook,
    excess: Float, copies: Int
  ) {
    self.source = source
    self.assigner = assigner
    self.centroids = centroids
    self.book = book
    self.excess = excess
    spill = copies > 1 ? SecondCentroid(centroids) : nil
  }

  struct Coded {
    /// How many lists a row has.
    let copies: Int
    /// The lists of each row.
    var lists: [UInt32]
    /// A byte per part, and zeros up to a multiple of four parts.
    var codes: [UInt8]
    let codeBytes: Int

    func append(to builder: inout CodeListsBuilder, first: Int, norms: [Float]) {
      codes.withUnsafeBufferPointer { codes in
        guard let base = codes.baseAddress else { return }
        for (index, list) in lists.enumerated() {
          let row = first + index / copies
          let norm = norms[row]
          builder.append(
            row, to: Int(list), base + index * codeBytes, half: norm * norm / 2)
        }
      }
    }
  }

  func code(_ range: Range<Int>, in run: RunContext) throws(BasisError) -> Coded {
    let codeBytes = FastScan.paddedParts(book.parts)
    let copies = spill == nil ? 1 : 2
    var coded = Coded(
      copies: copies, lists: Array(repeating: 0, count: range.count * copies),
      codes: Array(repeating: 0, count: range.count * copies * codeBytes), codeBytes: codeBytes)
    try coded.lists.withUnsafeMutableBufferPointer { (lists) throws(BasisError) in
      try coded.codes.withUnsafeMutableBufferPointer { (codes) throws(BasisError) in
        guard let lists = lists.baseAddress, let codes = codes.baseAddress else { return }
        let (listsOut, codesOut) = (SharedPointer(lists), SharedPointer(codes))
        try parallelFor(range.count, grain: 1024, in: run) { (_, chunk) in
          let work = RowWork(source, chunk.count)
          work.load(chunk.map { range.lowerBound + $0 }, assigner)
          withUnsafeTemporaryAllocation(of: UInt8.self, capacity: chunk.count * book.parts) {
            guard let bytes = $0.baseAddress else { return }
            for copy in 0..<copies {
              if copy > 0, let spill { work.spill(spill) }
              work.subtract(centroids)
              book.encode(
                work.residuals, directions: excess > 0 ? UnsafePointer(work.directions) : nil,
                count: chunk.count, excess: excess, into: bytes)
              for index in 0..<chunk.count {
                let place = (chunk.lowerBound + index) * copies + copy
                listsOut.base[place] = work.lists[index]
                (codesOut.base + place * codeBytes)
                  .update(from: bytes + index * book.parts, count: book.parts)
              }
            }
          }
        }
      }
    }
    return coded
  }
}
