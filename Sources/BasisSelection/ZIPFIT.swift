public import BasisCore

/// Texts to choose from, and texts that they should be like.
public struct TextPools: MethodInput, Hashable {
  public static let description = "texts and target texts"

  public let texts: [String]
  /// At least one.
  public let targets: [String]

  /// - Throws: `.invalidArgument` without targets.
  public init(_ texts: [String], targets: [String]) throws(BasisError) {
    guard !targets.isEmpty else {
      throw BasisError(.invalidArgument, "texts are chosen by target texts; give one at least")
    }
    self.texts = texts
    self.targets = targets
  }

  public init(_ parts: MethodParts, for method: String) throws(BasisError) {
    let both = try parts.texts(2, Self.description, for: method)
    try self.init(both[0], targets: both[1])
  }
}

/// Keeps the texts that gzip finds most like some target texts: without a model.
///
/// Obbad et al., *ZIP-FIT: Embedding-Free Data Selection via Compression-Based Alignment*, 2024,
/// arXiv:2410.18194, algorithm 1. See ``CompressionDistance``.
public struct ZIPFIT: Selector {
  /// *K*: how many are kept, at least 1; all where there are no more.
  public var count: Int
  /// The share that is kept in place of ``count``, above 0 and at most 1, at least one text of it.
  public var fraction: Double?
  /// Of gzip, 1 to 9.
  public var level: Int

  public init(count: Int = 1000, fraction: Double? = nil, level: Int = 9) {
    self.count = count
    self.fraction = fraction
    self.level = level
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    count = try values.decodeIfPresent(Int.self, forKey: .count) ?? count
    fraction = try values.decodeIfPresent(Double.self, forKey: .fraction)
    level = try values.decodeIfPresent(Int.self, forKey: .level) ?? level
  }

  /// - Parameters:
  ///   - input: texts and targets.
  ///   - run: threads and cancellation.
  /// - Returns: the best first, ties by smaller number, with their alignments as `values`.
  /// - Throws: `.invalidArgument` for settings out of range; `.cancelled`.
  /// - Complexity: O(*N* · targets · bytes), parallel.
  public func select(_ input: TextPools, in run: RunContext) throws(BasisError) -> Selection {
    try run.checkCancelled()
    guard count >= 1, fraction.map({ $0 > 0 && $0 <= 1 }) ?? true else {
      throw BasisError(
        .invalidArgument,
        "zipfit keeps at least 1 text, or a share above 0 and at most 1; got \(count)"
          + (fraction.map { " and \($0)" } ?? ""))
    }
    let wanted = fraction.map { max(1, Int(($0 * Double(input.texts.count)).rounded())) } ?? count
    let fit = try CompressionDistance(level: level)
      .alignments(of: input.texts, with: input.targets, in: run)
    let best = fit.indices.sorted { fit[$0] != fit[$1] ? fit[$0] > fit[$1] : $0 < $1 }
    let kept = Array(best.prefix(wanted))
    var warnings: [String] = []
    let empty = input.texts.count { $0.isEmpty }
    if empty > 0 { warnings.append("\(empty) texts are empty; their alignment says nothing") }
    let long = (input.texts + input.targets).count { $0.utf8.count > 1 << 15 }
    if long > 0 {
      warnings.append("\(long) texts are longer than the 32 KiB that gzip looks back; cut them up")
    }
    return Selection(
      kept, values: kept.map { fit[$0] }, groupKind: "texts",
      groups: [.init("all", count: fit.count, keptCount: kept.count)], warnings: warnings)
  }
}
