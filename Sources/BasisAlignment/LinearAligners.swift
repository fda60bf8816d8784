public import BasisCore
import BasisNumerics

/// The rotation or reflection, and scale where asked for, that brings the first space closest to the
/// second: *W* = *UV*ᵀ of the singular value decomposition of *A*₁ᵀ*A*₂.
///
/// Lengths and angles stay, so that it cannot bend a space to fit its anchors: the map to take where
/// anchors are few. Between spaces of different dimension it keeps as many directions as the smaller has.
///
/// Schönemann, *A generalized solution of the orthogonal Procrustes problem*, Psychometrika 31 (1966),
/// doi:10.1007/BF02289451.
public struct ProcrustesAligner: Aligner {
  /// Whether the means of the anchors are taken off, and the map moves one onto the other.
  public var isCentered: Bool
  /// Whether rows are also made longer or shorter, all by one factor: tr Σ / ‖*A*₁‖².
  public var isScaling: Bool

  public init(isCentered: Bool = true, isScaling: Bool = false) {
    self.isCentered = isCentered
    self.isScaling = isScaling
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = ProcrustesAligner()
    isCentered = try values.decodeIfPresent(Bool.self, forKey: .isCentered) ?? defaults.isCentered
    isScaling = try values.decodeIfPresent(Bool.self, forKey: .isScaling) ?? defaults.isScaling
  }

  /// - Parameters:
  ///   - pairs: `m × d₁` and `m × d₂`, finite, *m* ≥ 2.
  ///   - run: threads and cancellation.
  /// - Throws: `.badData` for fewer than 2 pairs, or where all anchors of a side are one;
  ///   `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*m* *d*₁ *d*₂ + max(*d*)  min(*d*)²).
  public func fit(_ pairs: PairedRows, in run: RunContext = RunContext()) throws(BasisError)
    -> LinearAlignment
  {
    let anchors = try CenteredAnchors(pairs, isCentered: isCentered, in: run)
    let cross = try LinearAlgebra.product(
      anchors.first, anchors.second, transposingA: true, in: run)
    let found = try LinearAlgebra.thinSVD(cross, in: run)
    guard let largest = found.singularValues.first, largest > 0 else {
      throw BasisError(
        .badData, "the anchors of the two spaces have nothing in common: their product is zero")
    }
    var matrix = try LinearAlgebra.product(found.u, found.v, transposingB: true, in: run)
    if isScaling {
      let squares = anchors.first.withUnsafeFloats { floats in
        floats.reduce(0.0) { $0 + Double($1) * Double($1) }
      }
      let scale = Float(found.singularValues.reduce(0.0) { $0 + Double($1) } / squares)
      matrix.withUnsafeMutableFloats { floats in
        for index in floats.indices { floats[index] *= scale }
      }
    }
    let (d, m) = (found.singularValues.count, anchors.count)
    let (firstSide, secondSide) = (matrix.rowCount, matrix.columnCount)
    let least = largest * Float(max(m, firstSide, secondSide)) * Float.ulpOfOne
    let rank = found.singularValues.count { $0 > least }
    var warnings: [String] = []
    if rank < d {
      warnings.append(
        "\(m) anchors fix the rotation of \(rank) of \(d) directions; the others are turned at will"
      )
    }
    return LinearAlignment(
      matrix, firstMean: anchors.firstMean, secondMean: anchors.secondMean, anchorCount: m,
      warnings: warnings)
  }
}

/// The linear map and the shift that bring the anchors closest to each other, by least squares with a
/// ridge.
///
/// The best for retrieval across spaces where anchors are several times as many as dimensions; with fewer
/// it bends to fit them, and ``ProcrustesAligner`` is safer.
///
/// Hoerl & Kennard, *Ridge regression*, Technometrics 12 (1970), doi:10.1080/00401706.1970.10488634.
public struct AffineAligner: Aligner {
  /// λ of λ‖*W*‖² as a share of the mean squared singular value of the anchors, Σσ²/*d*; at least 0.
  /// The same for a space and its multiples.
  public var ridge: Double
  /// Whether there is a shift.
  public var isCentered: Bool

  public init(ridge: Double = 0.001, isCentered: Bool = true) {
    self.ridge = ridge
    self.isCentered = isCentered
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = AffineAligner()
    ridge = try values.decodeIfPresent(Double.self, forKey: .ridge) ?? defaults.ridge
    isCentered = try values.decodeIfPresent(Bool.self, forKey: .isCentered) ?? defaults.isCentered
  }

  /// - Parameters:
  ///   - pairs: `m × d₁` and `m × d₂`, finite, *m* ≥ 2.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for a ridge below 0; `.badData` for fewer than 2 pairs, or where all
  ///   anchors of the first space are one; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*m* *d*₁ (*d*₁ + *d*₂)).
  public func fit(_ pairs: PairedRows, in run: RunContext = RunContext()) throws(BasisError)
    -> LinearAlignment
  {
    try requireRidge(ridge)
    let anchors = try CenteredAnchors(pairs, isCentered: isCentered, in: run)
    let solver = try RidgeSolver(anchors.first, ridge: ridge, in: run)
    guard solver.rank > 0 else {
      throw BasisError(
        .badData, "the anchors of the first space are all the same: nothing to map by")
    }
    let (d, m) = (anchors.first.columnCount, anchors.count)
    var warnings: [String] = []
    if m <= d {
      warnings.append(
        "\(m) anchors for \(d) dimensions: the map fits them whatever they are; give more, or take "
          + "procrustes")
    }
    return LinearAlignment(
      try solver.solve(anchors.second, in: run), firstMean: anchors.firstMean,
      secondMean: anchors.secondMean, anchorCount: m, warnings: warnings)
  }
}

/// Back from similarities to anchors: the direction in the second space whose similarities to its anchors
/// are those that a row has to the anchors of the first.
///
/// *r*₁ (*Â*₂ᵀ)⁺ with the relative description *r*₁ of ``RelativeProjection`` by cosines. Only directions
/// are mapped.
///
/// Maiorca et al., *Latent space translation via inverse relative projection*, 2024, arXiv:2406.15057;
/// Moschella et al. 2023, arXiv:2209.15430, for the description.
public struct InverseRelativeAligner: Aligner {
  /// Whether the mean of the anchors of either space is taken off first.
  public var isCentered: Bool
  public var anchors: AnchorSelector
  /// How many, at least 1; nil for every pair.
  public var anchorCount: Int?
  /// λ of the inverse as a share of the mean squared singular value of the anchors' directions, at
  /// least 0; 0 for the pseudo-inverse.
  public var ridge: Double

  public init(
    isCentered: Bool = true, anchors: AnchorSelector = .uniform, anchorCount: Int? = nil,
    ridge: Double = 0.001
  ) {
    self.isCentered = isCentered
    self.anchors = anchors
    self.anchorCount = anchorCount
    self.ridge = ridge
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = InverseRelativeAligner()
    isCentered = try values.decodeIfPresent(Bool.self, forKey: .isCentered) ?? defaults.isCentered
    anchors = try values.decodeIfPresent(AnchorSelector.self, forKey: .anchors) ?? defaults.anchors
    anchorCount = try values.decodeIfPresent(Int.self, forKey: .anchorCount)
    ridge = try values.decodeIfPresent(Double.self, forKey: .ridge) ?? defaults.ridge
  }

  /// - Parameters:
  ///   - pairs: `n × d₁` and `n × d₂`, finite, *n* ≥ 2.
  ///   - run: the seed chooses the anchors.
  /// - Throws: as ``RelativeProjection/fit(_:in:)`` and ``AffineAligner/fit(_:in:)``.
  /// - Complexity: O(*m* *d*₂ (*d*₁ + *d*₂)).
  public func fit(_ pairs: PairedRows, in run: RunContext = RunContext()) throws(BasisError)
    -> LinearAlignment
  {
    try requireRidge(ridge)
    let relative = try RelativeProjection(
      isCentered: isCentered, anchors: anchors, anchorCount: anchorCount
    ).fit(pairs, in: run)
    let chosen = try CenteredAnchors(
      pairs.selecting(rows: relative.anchorRows), isCentered: isCentered, in: run)
    let (first, second) = (chosen.first.withUnitRows(), chosen.second.withUnitRows())
    // Â₁ᵀ (Â₂ᵀ)⁺ is the transpose of Â₂⁺ Â₁.
    let solver = try RidgeSolver(second, ridge: ridge, in: run)
    let inverse = try solver.solve(first, in: run)
    var warnings = relative.warnings
    if solver.rank < second.columnCount {
      warnings.append(
        "\(chosen.count) anchors span \(solver.rank) of the second space's \(second.columnCount) "
          + "directions; nothing is mapped onto the others")
    }
    return LinearAlignment(
      inverse.transposed(), firstMean: chosen.firstMean, secondMean: chosen.secondMean,
      mapsDirections: true, anchorCount: chosen.count, warnings: warnings)
  }
}

private func requireRidge(_ ridge: Double) throws(BasisError) {
  guard ridge >= 0, ridge.isFinite else {
    throw BasisError(.invalidArgument, "a ridge is a share of at least 0, not \(ridge)")
  }
}
