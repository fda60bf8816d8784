public import BasisCore
import BasisNumerics

/// Rows to choose from, and rows that they should be like.
public struct TargetedRows: MethodInput {
  public static let description = "candidate rows and target rows"

  /// `N × p`, finite.
  public let candidates: Matrix
  /// `M × p`, finite.
  public let targets: Matrix

  /// - Throws: `.badData` without rows on a side; `.dimensionMismatch` for rows of two widths.
  public init(_ candidates: Matrix, targets: Matrix) throws(BasisError) {
    guard !candidates.isEmpty, !targets.isEmpty else {
      throw BasisError(
        .badData,
        "rows are chosen among candidates by targets; got \(candidates.rowCount) and "
          + "\(targets.rowCount) rows")
    }
    guard candidates.columnCount == targets.columnCount else {
      throw BasisError(
        .dimensionMismatch,
        "the candidates have \(candidates.columnCount) columns and the targets "
          + "\(targets.columnCount); give the same features of both")
    }
    self.candidates = candidates
    self.targets = targets
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let both = try parts.matrices(2, Self.description, for: method)
    try self.init(both[0], targets: both[1])
  }
}

/// Keeps the candidates that stand for all that the targets are: near each of them, not near most.
///
/// Features, such as gradients of a trained model or embeddings, are whitened together and brought to
/// unit length. Candidates come in layers, the *r*-th nearest one of each target, whole layers as long
/// as the budget has room for them; of the layer that is too large those count that the transport to the
/// targets finds dearest to do without. In place of a budget, layers may be taken while they bring held
/// out candidates nearer to the other targets, fold by fold.
///
/// Which one when: `tarot` for targets of several kinds, of which rare ones count; `mean`, the mean
/// similarity of LESS and DsDm, keeps what is near to most targets, and with them the most frequent kind;
/// `random` is what both are compared with.
///
/// Feng, Nie, Liu & Alahi, *TAROT: Targeted Data Selection via Optimal Transport*, 2024,
/// arXiv:2412.00420, sections 3.2 to 3.4. LESS: Xia et al., ICML 2024, arXiv:2402.04333.
///
/// - Note: The released code multiplies by the inverse of the Cholesky factor where its transpose
///   whitens. Here the covariance of what is compared is the identity.
public struct TAROTSelector: Selector {
  /// How many are kept.
  public enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
    /// The share ``TAROTSelector/fraction``.
    case budget
    /// As many as the folds find.
    case automatic = "auto"
  }

  /// What is done to features before they are compared.
  public enum Whitening: String, Sendable, Hashable, Codable, CaseIterable {
    /// Candidates and targets together get mean 0 and the identity for covariance.
    case cholesky
    case none
  }

  /// What candidates are chosen by.
  public enum Variant: String, Sendable, Hashable, Codable, CaseIterable {
    case tarot
    /// The mean similarity to the targets.
    case mean
    case random
  }

  public var mode: Mode
  /// What is kept of all candidates, above 0 and at most 1; rounded, at least one row.
  public var fraction: Double
  public var variant: Variant
  public var whitening: Whitening
  /// λ that is added to the covariance's diagonal, above 0.
  public var ridge: Double
  /// Of the folds of `auto`: candidates of no more similarity to a target are none of its, −1 ... 1.
  public var similarityFloor: Double
  /// Of `auto`, at least 2 and at most as many as targets.
  public var foldCount: Int
  /// The length below which places are as good as one to the transport, above 0.
  public var blur: Double
  /// Whether it is said how often each kept row is to be seen, by what the transport pays for it.
  public var weighs: Bool

  public init(
    mode: Mode = .budget, fraction: Double = 0.2, variant: Variant = .tarot,
    whitening: Whitening = .cholesky, ridge: Double = 1e-5, similarityFloor: Double = 0,
    foldCount: Int = 10, blur: Double = 0.01, weighs: Bool = false
  ) {
    self.mode = mode
    self.fraction = fraction
    self.variant = variant
    self.whitening = whitening
    self.ridge = ridge
    self.similarityFloor = similarityFloor
    self.foldCount = foldCount
    self.blur = blur
    self.weighs = weighs
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    mode = try values.decodeIfPresent(Mode.self, forKey: .mode) ?? mode
    fraction = try values.decodeIfPresent(Double.self, forKey: .fraction) ?? fraction
    variant = try values.decodeIfPresent(Variant.self, forKey: .variant) ?? variant
    whitening = try values.decodeIfPresent(Whitening.self, forKey: .whitening) ?? whitening
    ridge = try values.decodeIfPresent(Double.self, forKey: .ridge) ?? ridge
    similarityFloor =
      try values.decodeIfPresent(Double.self, forKey: .similarityFloor) ?? similarityFloor
    foldCount = try values.decodeIfPresent(Int.self, forKey: .foldCount) ?? foldCount
    blur = try values.decodeIfPresent(Double.self, forKey: .blur) ?? blur
    weighs = try values.decodeIfPresent(Bool.self, forKey: .weighs) ?? weighs
  }

  /// - Parameters:
  ///   - input: candidates and targets, of the same features.
  ///   - run: the seed deals targets into folds, and draws what is kept by chance.
  /// - Returns: the candidates kept, by rising number; with ``weighs`` their weights, whole numbers from
  ///   0, which sum to as many as candidates less the share of the targets, each of which weighs as much
  ///   as the dearest.
  /// - Throws: `.invalidArgument` for settings out of range, and for fewer targets than folds; `.badData`;
  ///   `.missingDependency` for whitening without the linear algebra library; `.cancelled`.
  /// - Complexity: O(*N* *M* *p*) for similarities, O(*p*³) for whitening, and for each transport O(kept
  ///   · *M*) a step; memory for *M* times 2000 candidates or the budget, the larger.
  public func select(_ input: TargetedRows, in run: RunContext) throws(BasisError) -> Selection {
    try run.checkCancelled()
    try check(input)
    let space = try TargetSpace(input, whitening, ridge: ridge, blur: blur, in: run)
    let n = input.candidates.rowCount
    let budget = max(1, Int((fraction * Double(n)).rounded()))
    var kept: [Int]
    var groups: [Selection.Group] = []
    switch (mode, variant) {
    case (.automatic, _):
      kept = try automatic(space, in: run)
      groups = [.init("chosen", count: kept.count, keptCount: kept.count)]
    case (.budget, .random):
      var generator = run.generator("rows by chance")
      kept = generator.sample(budget, of: n)
      groups = [.init("chance", count: budget, keptCount: budget)]
    case (.budget, .mean):
      let similarities = try space.meanSimilarities(in: run)
      let best = similarities.indices.sorted {
        (similarities[$1], $0) < (similarities[$0], $1)
      }
      kept = best.prefix(budget).sorted()
      groups = [.init("nearest", count: budget, keptCount: budget)]
    case (.budget, .tarot):
      let layers = try space.layers(budget, in: run)
      kept = (layers.whole + layers.chosen).sorted()
      groups = [
        .init("layers", count: layers.whole.count, keptCount: layers.whole.count),
        .init("last layer", count: layers.lastCount, keptCount: layers.chosen.count),
      ]
    }
    let rest = n - groups.reduce(0) { $0 + $1.count }
    groups.append(.init("rest", count: rest, keptCount: 0))
    var warnings = space.warnings
    if kept.isEmpty {
      warnings.append("no candidate is more similar to a target than \(similarityFloor)")
    }
    let weights = weighs && !kept.isEmpty ? try space.weights(kept, in: run) : []
    return Selection(kept, weights: weights, groupKind: "part", groups: groups, warnings: warnings)
  }

  /// How far some candidates are from the targets, as these settings compare them: the blurred transport
  /// between both, each side of equal masses.
  ///
  /// - Parameters:
  ///   - kept: numbers of candidates, at least one.
  ///   - input: what they are of.
  ///   - run: threads and cancellation.
  /// - Returns: a distance on the unit sphere, 0 to 2.
  /// - Throws: `.invalidArgument` for a number that is none; as ``select(_:in:)``.
  public func distance(
    of kept: [Int], _ input: TargetedRows, in run: RunContext = RunContext()
  ) throws(BasisError) -> Double {
    guard !kept.isEmpty, kept.allSatisfy({ $0 >= 0 && $0 < input.candidates.rowCount }) else {
      throw BasisError(
        .invalidArgument,
        "a distance is of some candidates, numbered 0 to \(input.candidates.rowCount - 1)")
    }
    let space = try TargetSpace(input, whitening, ridge: ridge, blur: blur, in: run)
    return try space.transport(kept, to: nil, in: run).value
  }

  private func check(_ input: TargetedRows) throws(BasisError) {
    guard fraction > 0, fraction <= 1, ridge > 0, ridge.isFinite, blur > 0, blur <= 2,
      similarityFloor >= -1, similarityFloor <= 1
    else {
      throw BasisError(
        .invalidArgument,
        "tarot: the fraction is above 0 and at most 1, ridge and blur above 0, the similarity floor "
          + "-1 to 1; got \(fraction), \(ridge), \(blur) and \(similarityFloor)")
    }
    guard mode == .automatic else { return }
    guard variant == .tarot else {
      throw BasisError(
        .invalidArgument, "tarot: only the variant tarot finds how many to keep; give a fraction")
    }
    guard foldCount >= 2, foldCount <= input.targets.rowCount else {
      throw BasisError(
        .invalidArgument,
        "tarot: \(foldCount) folds of \(input.targets.rowCount) targets; give 2 folds at least and no "
          + "more than targets")
    }
  }

  /// Candidates near each fold's targets, as many as bring them nearer to the others.
  private func automatic(_ space: TargetSpace, in run: RunContext) throws(BasisError) -> [Int] {
    var order = Array(0..<space.targets.rowCount)
    var generator = run.generator("folds of targets")
    generator.shuffle(&order)
    var chosen: Set<Int> = []
    for fold in 0..<foldCount {
      run.report("folds", fold, of: foldCount)
      let own = order.indices.filter { $0 % foldCount == fold }.map { order[$0] }
      let others = order.indices.filter { $0 % foldCount != fold }.map { order[$0] }
      let near = try space.nearest(of: own, in: run)
      var kept: Set<Int> = []
      var least = Double.infinity
      for rank in 0..<(near.first?.count ?? 0) {
        try run.checkCancelled()
        for list in near where list[rank].distance < Float(-similarityFloor) {
          kept.insert(list[rank].id)
        }
        guard !kept.isEmpty else { break }
        let distance = try space.transport(kept.sorted(), to: others, in: run).value
        // The layer that brings nothing is kept, as the paper's own code does.
        guard distance < least else { break }
        least = distance
      }
      chosen.formUnion(kept)
    }
    return chosen.sorted()
  }
}
