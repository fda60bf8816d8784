public import BasisCore
public import BasisFormats
import BasisNumerics

/// A linear map of the first space onto the second: what ``ProcrustesAligner``, ``AffineAligner`` and
/// ``InverseRelativeAligner`` learn.
///
/// Rows of the second space stay as they are, unless only directions are mapped
/// (``mapsDirections``).
public struct LinearAlignment: FittedAligner {
  public static let modelName = "linear alignment"

  /// `firstDimension × secondDimension`: a row is multiplied by it from the right.
  public let matrix: Matrix
  /// Taken off rows of the first space.
  public let firstMean: [Float]
  /// Added to what comes of it.
  public let secondMean: [Float]
  /// Whether rows are brought to unit length, their mean off, before anything else, on either side: the
  /// common space is then that of the second's directions about its anchors' mean.
  public let mapsDirections: Bool
  public let anchorCount: Int
  public let warnings: [String]

  private struct Manifest: Codable {
    var mapsDirections: Bool
    var anchorCount: Int
    var warnings: [String]
  }

  public var firstDimension: Int { matrix.rowCount }
  public var secondDimension: Int { matrix.columnCount }
  public var dimension: Int { matrix.columnCount }

  init(
    _ matrix: Matrix, firstMean: [Float], secondMean: [Float], mapsDirections: Bool = false,
    anchorCount: Int, warnings: [String]
  ) {
    self.matrix = matrix
    self.firstMean = firstMean
    self.secondMean = secondMean
    self.mapsDirections = mapsDirections
    self.anchorCount = anchorCount
    self.warnings = warnings
  }

  public func map(_ rows: Matrix, from side: AlignmentSide, in run: RunContext) throws(BasisError)
    -> Matrix
  {
    try check(rows, side)
    guard side == .first else {
      return mapsDirections ? rows.adding(secondMean, -1).withUnitRows() : rows
    }
    var moved = rows.adding(firstMean, -1)
    if mapsDirections { moved = moved.withUnitRows() }
    let result = try LinearAlgebra.product(moved, matrix, in: run)
    return mapsDirections ? result : result.adding(secondMean)
  }

  // MARK: Files

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(mapsDirections: mapsDirections, anchorCount: anchorCount, warnings: warnings))
    try file.tensors.add("matrix", matrix)
    try file.tensors.add("first.mean", shape: [firstMean.count], firstMean)
    try file.tensors.add("second.mean", shape: [secondMean.count], secondMean)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    mapsDirections = manifest.mapsDirections
    anchorCount = manifest.anchorCount
    warnings = manifest.warnings
    matrix = try file.tensors.matrix("matrix")
    firstMean = try file.tensors.vector("first.mean", count: matrix.rowCount)
    secondMean = try file.tensors.vector("second.mean", count: matrix.columnCount)
  }
}

/// Anchors with their means off, and what solves least squares over those of one side.
struct CenteredAnchors {
  let first: Matrix
  let second: Matrix
  let firstMean: [Float]
  let secondMean: [Float]

  init(_ pairs: PairedRows, isCentered: Bool, in run: RunContext) throws(BasisError) {
    try pairs.requireAnchors()
    if isCentered {
      firstMean = try pairs.first.columnMeans(in: run)
      secondMean = try pairs.second.columnMeans(in: run)
    } else {
      firstMean = [Float](repeating: 0, count: pairs.first.columnCount)
      secondMean = [Float](repeating: 0, count: pairs.second.columnCount)
    }
    first = pairs.first.adding(firstMean, -1)
    second = pairs.second.adding(secondMean, -1)
  }

  var count: Int { first.rowCount }
}

/// *x* ↦ (*X*ᵀ*X* + λ *I*)⁻¹ *X*ᵀ, by the singular values of *X*: what a Gram matrix of `Float` would
/// lose of small directions stays.
struct RidgeSolver {
  private let decomposition: SingularValueDecomposition
  /// How many singular values count.
  let rank: Int
  private let factors: [Float]

  /// - Parameters:
  ///   - x: `m × d`.
  ///   - ridge: λ as a share of the mean squared singular value, Σσ²/*d*; at least 0. Directions at
  ///     the level of rounding are left out at any.
  init(_ x: Matrix, ridge: Double, in run: RunContext) throws(BasisError) {
    decomposition = try LinearAlgebra.thinSVD(x, in: run)
    let sigma = decomposition.singularValues.map { Double($0) }
    let lambda = ridge * sigma.reduce(0) { $0 + $1 * $1 } / Double(max(1, x.columnCount))
    let least =
      (sigma.first ?? 0) * Double(max(x.rowCount, x.columnCount)) * Double(Float.ulpOfOne)
    rank = sigma.count { $0 > least }
    factors = sigma.map { $0 > least ? Float($0 / ($0 * $0 + lambda)) : 0 }
  }

  /// `d × e` for `y` of `m × e`.
  func solve(_ y: Matrix, in run: RunContext) throws(BasisError) -> Matrix {
    var inner = try LinearAlgebra.product(decomposition.u, y, transposingA: true, in: run)
    let width = inner.columnCount
    inner.withUnsafeMutableFloats { floats in
      for row in factors.indices {
        for column in 0..<width { floats[row * width + column] *= factors[row] }
      }
    }
    return try LinearAlgebra.product(decomposition.v, inner, in: run)
  }
}
