public import BasisCore
public import BasisFormats
import BasisNumerics

/// Describes each row by its similarities to anchors that both spaces have: the same description in
/// either, where the spaces differ by a rotation, a reflection or a scale.
///
/// *r*(*x*) = (sim(*x*, *a*₁), …, sim(*x*, *aₘ*)). Nothing is learned but the choice of anchors. A shift
/// of the space changes the cosines; ``isCentered`` takes the anchors' mean off first.
///
/// Which one when: to run one trained head on several encoders, without a map for each; for retrieval
/// across two spaces of which pairs are known, ``AffineAligner`` and ``ProcrustesAligner`` are better.
/// Bring descriptions to unit length or standardise them before training on them: their values are small
/// and alike.
///
/// Moschella et al., *Relative representations enable zero-shot latent space communication*, ICLR 2023,
/// arXiv:2209.15430, equation 1.
public struct RelativeProjection: Aligner {
  public enum Similarity: String, Sendable, Hashable, Codable, CaseIterable {
    case cosine
    /// ⟨*x*, *a*⟩ / √*d*: lengths count.
    case innerProduct = "ip"
  }

  public var similarity: Similarity
  /// Whether the mean of the anchors of either space is taken off first.
  public var isCentered: Bool
  public var anchors: AnchorSelector
  /// How many, at least 1; nil for every pair.
  public var anchorCount: Int?
  /// Similarities are rounded to multiples of this, at least 0; 0 for none.
  public var binSize: Double

  public init(
    similarity: Similarity = .cosine, isCentered: Bool = true, anchors: AnchorSelector = .uniform,
    anchorCount: Int? = nil, binSize: Double = 0
  ) {
    self.similarity = similarity
    self.isCentered = isCentered
    self.anchors = anchors
    self.anchorCount = anchorCount
    self.binSize = binSize
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = RelativeProjection()
    similarity =
      try values.decodeIfPresent(Similarity.self, forKey: .similarity) ?? defaults.similarity
    isCentered = try values.decodeIfPresent(Bool.self, forKey: .isCentered) ?? defaults.isCentered
    anchors = try values.decodeIfPresent(AnchorSelector.self, forKey: .anchors) ?? defaults.anchors
    anchorCount = try values.decodeIfPresent(Int.self, forKey: .anchorCount)
    binSize = try values.decodeIfPresent(Double.self, forKey: .binSize) ?? defaults.binSize
  }

  /// Chooses the anchors.
  ///
  /// - Parameters:
  ///   - pairs: `n × d₁` and `n × d₂`, finite, *n* ≥ 2.
  ///   - run: the seed chooses the anchors.
  /// - Throws: `.invalidArgument` for settings out of range or more anchors than pairs; `.badData` for
  ///   fewer than 2 pairs, or an anchor without a direction; `.cancelled`.
  /// - Complexity: that of the choice; a map costs O(*n* *m* *d*).
  public func fit(_ pairs: PairedRows, in run: RunContext = RunContext()) throws(BasisError)
    -> RelativeAlignment
  {
    try pairs.requireAnchors()
    guard binSize >= 0, binSize.isFinite else {
      throw BasisError(
        .invalidArgument, "the size of a bin of similarities is at least 0, not \(binSize)")
    }
    let chosen = try anchors.select(anchorCount ?? pairs.first.rowCount, of: pairs.first, in: run)
    return try RelativeAlignment(pairs.selecting(rows: chosen), chosen, self, in: run)
  }
}

/// Anchors of two spaces, and the descriptions by them: see ``RelativeProjection``.
public struct RelativeAlignment: FittedAligner {
  public static let modelName = "relative projection"

  /// Which of the pairs are anchors, in the order of the columns of a description.
  public let anchorRows: [Int]
  public let similarity: RelativeProjection.Similarity
  public let isCentered: Bool
  public let binSize: Double
  public let warnings: [String]
  /// Less their mean where that is taken off; of unit length for cosines.
  private let sides: [Side]

  private struct Side: Sendable {
    var anchors: Matrix
    var mean: [Float]
  }

  private struct Manifest: Codable {
    var similarity: RelativeProjection.Similarity
    var isCentered: Bool
    var binSize: Double
    var warnings: [String]
  }

  public var firstDimension: Int { sides[0].anchors.columnCount }
  public var secondDimension: Int { sides[1].anchors.columnCount }
  public var dimension: Int { anchorRows.count }
  public var anchorCount: Int { anchorRows.count }

  init(
    _ pairs: PairedRows, _ rows: [Int], _ settings: RelativeProjection, in run: RunContext
  ) throws(BasisError) {
    (anchorRows, similarity) = (rows, settings.similarity)
    (isCentered, binSize) = (settings.isCentered, settings.binSize)
    var sides: [Side] = []
    for (matrix, name) in [(pairs.first, "first"), (pairs.second, "second")] {
      let mean =
        settings.isCentered
        ? try matrix.columnMeans(in: run) : [Float](repeating: 0, count: matrix.columnCount)
      var anchors = matrix.adding(mean, -1)
      if settings.similarity == .cosine {
        if let row = anchors.firstZeroRow() {
          throw BasisError(
            .badData,
            "anchor \(rows[row]) is a row of zeros in the \(name) space"
              + (settings.isCentered ? " once the mean is off" : "")
              + ", which has no direction; leave it out")
        }
        anchors = anchors.withUnitRows()
      }
      sides.append(Side(anchors: anchors, mean: mean))
    }
    self.sides = sides
    let repeated = sides.map { $0.anchors.repeatedRowCount() }.max() ?? 0
    warnings =
      repeated == 0
      ? [] : ["\(repeated) of \(rows.count) anchors repeat another's direction and add nothing"]
  }

  public func map(_ rows: Matrix, from side: AlignmentSide, in run: RunContext) throws(BasisError)
    -> Matrix
  {
    try check(rows, side)
    let own = sides[side == .first ? 0 : 1]
    var moved = rows.adding(own.mean, -1)
    if similarity == .cosine { moved = moved.withUnitRows() }
    var result = try LinearAlgebra.product(moved, own.anchors, transposingB: true, in: run)
    guard similarity != .cosine || binSize > 0 else { return result }
    let factor = similarity == .cosine ? 1 : 1 / Float(rows.columnCount).squareRoot()
    let bin = Float(binSize)
    result.withUnsafeMutableFloats { floats in
      for index in floats.indices {
        let value = floats[index] * factor
        floats[index] = bin > 0 ? (value / bin).rounded() * bin : value
      }
    }
    return result
  }

  // MARK: Files

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        similarity: similarity, isCentered: isCentered, binSize: binSize, warnings: warnings))
    try file.tensors.add("rows", shape: [anchorRows.count], anchorRows.map { Int64($0) })
    for (side, name) in zip(sides, ["first", "second"]) {
      try file.tensors.add("\(name).anchors", side.anchors)
      try file.tensors.add("\(name).mean", shape: [side.mean.count], side.mean)
    }
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    (similarity, isCentered) = (manifest.similarity, manifest.isCentered)
    (binSize, warnings) = (manifest.binSize, manifest.warnings)
    anchorRows = try file.tensors.integers("rows").map { Int($0) }
    var sides: [Side] = []
    for name in ["first", "second"] {
      let anchors = try file.tensors.matrix("\(name).anchors", rowCount: anchorRows.count)
      let mean = try file.tensors.vector("\(name).mean", count: anchors.columnCount)
      sides.append(Side(anchors: anchors, mean: mean))
    }
    self.sides = sides
  }
}
