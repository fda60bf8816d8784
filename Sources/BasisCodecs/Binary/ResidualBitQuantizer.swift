public import BasisCore

/// One to four bits per dimension of what is left after the mean, with three numbers a row: products
/// are estimated without bias, and how far an estimate may be off is known.
///
/// The residual x − c is turned at random and replaced by the nearest point of a grid of odd numbers,
/// in angle. With o the turned residual of unit length and y its grid point, ⟨y, q⟩ / ⟨y, o⟩ estimates
/// ⟨o, q⟩ with an error whose deviation is √((1 − cos²) / cos² / (d − 1)) ‖q‖, where cos is the cosine
/// of y and o.
///
/// Gao & Long, *RaBitQ: quantizing high-dimensional vectors with a theoretical error bound*, SIGMOD
/// 2024, doi:10.1145/3654970, theorem 3.2; more than one bit after Gao et al., *Practical and
/// asymptotically optimal quantization of high-dimensional vectors in Euclidean space*, SIGMOD 2025,
/// doi:10.1145/3725413. The grid point is sought over 33 scales, not over all that matter.
public struct ResidualBitQuantizer: VectorCodec {
  /// Bits per dimension, 1 to 4.
  public var bits: Int
  /// Dimensions that are kept, `1 ... d`: fewer than *d* keep the principal directions, and then the
  /// bound does not cover what is left out; nil is *d*.
  public var dimensions: Int?
  /// The bound is this many deviations; 1.9 leaves about one estimate in twenty outside. *ε₀* in the
  /// paper.
  public var deviations: Float

  public init(bits: Int = 1, dimensions: Int? = nil, deviations: Float = 1.9) {
    self.bits = bits
    self.dimensions = dimensions
    self.deviations = deviations
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = ResidualBitQuantizer()
    bits = try values.decodeIfPresent(Int.self, forKey: .bits) ?? defaults.bits
    dimensions = try values.decodeIfPresent(Int.self, forKey: .dimensions)
    deviations = try values.decodeIfPresent(Float.self, forKey: .deviations) ?? defaults.deviations
  }

  /// Bytes of a code.
  public func bytesPerVector(dimension: Int) -> Int {
    8 + LevelStream(count: dimensions ?? dimension, bits: bits).byteCount
  }

  /// - Complexity: O(*n* *d*) for the mean and O(*d*³) for the rotation; O(*n* *d*²) where dimensions
  ///   are left out.
  public func fit(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> FittedResidualBitQuantizer
  {
    try run.checkCancelled()
    try rows.requireSample("residual bit quantiser")
    try requireBits(bits, "residual bit quantiser")
    guard deviations >= 0, deviations.isFinite else {
      throw BasisError(
        .invalidArgument, "residual bit quantiser: deviations must be at least 0, not \(deviations)"
      )
    }
    let count = try keptCount(dimensions, of: rows.columnCount, "residual bit quantiser")
    let mean = rows.columnMeans()
    let centred = rows.centred(0..<rows.rowCount, by: mean)
    return FittedResidualBitQuantizer(
      settings: self, mean: mean, map: try Rotation.random.fit(centred, count: count, in: run))
  }
}

/// - Throws: `.invalidArgument` outside 1 to 4.
func requireBits(_ bits: Int, _ name: String) throws(BasisError) {
  guard (1...4).contains(bits) else {
    throw BasisError(.invalidArgument, "\(name): 1 to 4 bits per dimension, not \(bits)")
  }
}
