public import BasisCore
import BasisNumerics

/// The first values of a vector after a rotation into its principal directions, best first: every
/// prefix of the rotated vector is then as good as a linear map to so few values can be.
///
/// Makes ready-made vectors nested after the fact; the directions are eigenvectors of the second
/// moments, so that nothing is taken off and every metric keeps its meaning.
public struct PCARotationCodec: VectorCodec {
  /// Values that are kept, `1 ... d`; nil keeps all.
  public var dimensions: Int?
  /// How they are written.
  public var kind: ScalarQuantizer.Kind

  public init(dimensions: Int? = nil, kind: ScalarQuantizer.Kind = .float32) {
    self.dimensions = dimensions
    self.kind = kind
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    dimensions = try values.decodeIfPresent(Int.self, forKey: .dimensions)
    kind = try values.decodeIfPresent(ScalarQuantizer.Kind.self, forKey: .kind) ?? .float32
  }

  /// - Complexity: O(*n* *d*² + *d*³).
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> FittedPrefixCodec
  {
    try run.checkCancelled()
    try rows.requireSample("PCA rotation")
    let count = try keptCount(dimensions, of: rows.columnCount, "PCA rotation")
    return try FittedPrefixCodec(
      rows, map: LinearMap(matrix: rows.principalDirections(count, in: run)), count: count,
      isRenormalised: false, kind: kind, in: run)
  }
}

/// The first values of a vector as they are, brought back to unit length: for vectors that were
/// trained so that every prefix is itself a good vector.
///
/// Of other vectors a prefix keeps little; ``PCARotationCodec`` makes them nested first.
///
/// Kusupati et al., *Matryoshka representation learning*, NeurIPS 2022, arXiv:2205.13147, section 3.
public struct MatryoshkaCodec: VectorCodec {
  /// Values that are kept, `1 ... d`.
  public var dimensions: Int
  /// Whether prefixes are brought to unit length; a prefix of zeros stays one.
  public var isRenormalised: Bool
  /// How they are written.
  public var kind: ScalarQuantizer.Kind

  public init(
    dimensions: Int = 64, isRenormalised: Bool = true, kind: ScalarQuantizer.Kind = .float32
  ) {
    self.dimensions = dimensions
    self.isRenormalised = isRenormalised
    self.kind = kind
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = MatryoshkaCodec()
    dimensions = try values.decodeIfPresent(Int.self, forKey: .dimensions) ?? defaults.dimensions
    isRenormalised =
      try values.decodeIfPresent(Bool.self, forKey: .isRenormalised) ?? defaults.isRenormalised
    kind = try values.decodeIfPresent(ScalarQuantizer.Kind.self, forKey: .kind) ?? defaults.kind
  }

  /// - Complexity: O(*n* · `dimensions`).
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> FittedPrefixCodec
  {
    try run.checkCancelled()
    try rows.requireSample("Matryoshka prefix")
    let count = try keptCount(dimensions, of: rows.columnCount, "Matryoshka prefix")
    return try FittedPrefixCodec(
      rows, map: nil, count: count, isRenormalised: isRenormalised, kind: kind, in: run)
  }

  /// How many rows have nothing but zeros in their prefix: these are compared last.
  ///
  /// - Precondition: `dimensions` is at most the rows' number of columns.
  public func emptyPrefixCount(in rows: Matrix) -> Int {
    (0..<rows.rowCount).count { row in
      rows.withRow(row) { $0.prefix(dimensions).allSatisfy { $0 == 0 } }
    }
  }
}

/// The projections on the strongest right singular vectors: *U* Σ a row, *V* shared.
///
/// The same directions as ``PCARotationCodec``'s, found by a random sketch: for matrices of many
/// columns of which few directions are wanted.
public struct SVDCodec: VectorCodec {
  /// Singular vectors that are kept, `1 ... d`.
  public var rank: Int
  /// How projections are written.
  public var kind: ScalarQuantizer.Kind

  public init(rank: Int = 64, kind: ScalarQuantizer.Kind = .float32) {
    self.rank = rank
    self.kind = kind
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = SVDCodec()
    rank = try values.decodeIfPresent(Int.self, forKey: .rank) ?? defaults.rank
    kind = try values.decodeIfPresent(ScalarQuantizer.Kind.self, forKey: .kind) ?? defaults.kind
  }

  /// The rank at which projections and vectors take a share of the matrix's bytes: ⌊n d r / (n + d)⌋.
  public static func rank(ratio: Double, rowCount: Int, dimension: Int) -> Int {
    Int(Double(rowCount) * Double(dimension) * ratio / Double(rowCount + dimension))
  }

  /// - Complexity: O(*n* *d* · `rank`).
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> FittedPrefixCodec
  {
    try run.checkCancelled()
    try rows.requireSample("SVD codec")
    let count = try keptCount(rank, of: rows.columnCount, "SVD codec")
    guard count <= rows.rowCount else {
      throw BasisError(
        .invalidArgument,
        "SVD codec: \(rows.rowCount) rows have no \(count) singular vectors; ask for fewer, or give "
          + "more rows")
    }
    let parts = try RandomizedSVD(rank: count, oversampling: 16, powerIterations: 4)
      .decompose(rows, in: run)
    return try FittedPrefixCodec(
      rows, map: LinearMap(matrix: parts.v.transposed()), count: count, isRenormalised: false,
      kind: kind, in: run)
  }
}
