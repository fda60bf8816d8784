public import BasisCore
public import BasisFormats
import BasisNumerics

/// A vector's first values, of itself or after a rotation, each written by a ``ScalarQuantizer``.
public struct FittedPrefixCodec: FittedCodec {
  public let dimension: Int
  /// Values that are kept.
  public var keptCount: Int { values.dimension }
  let map: LinearMap?
  let inverse: LinearMap?
  let isRenormalised: Bool
  let values: FittedScalarQuantizer

  public var bytesPerVector: Int { values.bytesPerVector }
  public var sharedBytes: Int { (map?.byteCount ?? 0) + values.sharedBytes }

  /// - Parameter rows: a sample, for the values' step.
  init(
    _ rows: Matrix, map: LinearMap?, count: Int, isRenormalised: Bool, kind: ScalarQuantizer.Kind,
    in run: RunContext
  ) throws(BasisError) {
    dimension = rows.columnCount
    self.map = map
    inverse = map.map { LinearMap(matrix: $0.matrix.transposed()) }
    self.isRenormalised = isRenormalised
    guard kind.isStochastic else {
      values = FittedScalarQuantizer(settings: ScalarQuantizer(kind), dimension: count)
      return
    }
    let images = try Self.images(
      rows, map, count: count, isRenormalised: isRenormalised, in: run)
    values = try ScalarQuantizer(kind).fit(images, in: run)
  }

  private static func images(
    _ rows: Matrix, _ map: LinearMap?, count: Int, isRenormalised: Bool, in run: RunContext
  ) throws(BasisError) -> Matrix {
    var images = try map?(rows, in: run) ?? rows.prefix(columns: count)
    guard isRenormalised else { return images }
    images.withUnsafeMutableFloats { floats in
      for start in Swift.stride(from: 0, to: floats.count, by: count) {
        let own = length(floats[start..<start + count])
        guard own > 0 else { continue }
        for index in start..<start + count { floats[index] /= own }
      }
    }
    return images
  }

  public func encode(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Codes
  {
    try rows.requireRows(of: dimension, "prefix codec")
    let images = try Self.images(
      rows, map, count: keptCount, isRenormalised: isRenormalised, in: run)
    return try values.encode(images, in: run)
  }

  /// Vectors whose other values (or directions) are zero.
  public func decode(_ codes: Codes, in run: RunContext = RunContext()) throws(BasisError) -> Matrix
  {
    let images = try values.decode(codes, in: run)
    if let inverse { return try inverse(images, in: run) }
    let kept = keptCount
    return try makeMatrix(codes.count, dimension, in: run) { (range, out) in
      for row in range {
        images.withRow(row) { image in
          for column in 0..<kept {
            out[(row - range.lowerBound) * dimension + column] = image[column]
          }
        }
      }
    }
  }

  public func scorer(for query: [Float], metric: Metric) throws(BasisError) -> PrefixScorer {
    try requireQuery(query, dimension: dimension)
    let image = map?(query) ?? Array(query.prefix(keptCount))
    return PrefixScorer(
      try values.scorer(for: image, metric: metric), metric, whole: length(query),
      kept: length(image))
  }

  private struct Header: Codable {
    var layout = 1
    var dimension: Int
    var keptCount: Int
    var isRotated: Bool
    var isRenormalised: Bool
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "prefix",
      json: Header(
        dimension: dimension, keptCount: keptCount, isRotated: map != nil,
        isRenormalised: isRenormalised))
    if let map { try writer.write(prefix + "map", matrix: map.matrix) }
    try values.write(to: writer, prefix: prefix + "values.")
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "prefix", as: Header.self)
    try container.requireLayout(header.layout, of: "prefix codec")
    values = try FittedScalarQuantizer(from: container, prefix: prefix + "values.")
    dimension = header.dimension
    isRenormalised = header.isRenormalised
    map =
      header.isRotated
      ? try container.linearMap(
        prefix + "map", inputCount: header.dimension, outputCount: header.keptCount) : nil
    inverse = map.map { LinearMap(matrix: $0.matrix.transposed()) }
    guard values.dimension == header.keptCount, header.keptCount <= header.dimension else {
      throw BasisError(
        .corruptFile,
        "\(container.path): \(header.keptCount) of \(header.dimension) values are kept, their codec "
          + "is for \(values.dimension)")
    }
  }
}

/// Compares a query with the codes of prefixes: the distances are those of the decoded vectors.
public struct PrefixScorer: CodeScorer, Sendable {
  private let values: ScalarScorer
  private let metric: Metric
  /// The share of the query that its prefix holds, and the square of what it does not.
  private let share: Float
  private let rest: Float

  init(_ values: ScalarScorer, _ metric: Metric, whole: Float, kept: Float) {
    self.values = values
    self.metric = metric
    share = whole > 0 ? kept / whole : 0
    rest = max(0, whole * whole - kept * kept)
  }

  public func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    values.distances(to: codes, range, into: out)
    switch metric {
    case .innerProduct: break
    case .squaredEuclidean: for row in 0..<range.count { out[row] += rest }
    case .cosine: for row in 0..<range.count { out[row] = 1 - (1 - out[row]) * share }
    }
  }
}
