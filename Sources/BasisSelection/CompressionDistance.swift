public import BasisCore

/// How alike two texts are to gzip: the normalised compression distance.
///
/// NCD(x, y) = (C(xy) − min(C(x), C(y))) / max(C(x), C(y)) where C is the bytes of gzip. About 0 for one
/// text twice, about 1 for texts that share nothing. Li, Chen, Li, Ma & Vitányi, *The similarity metric*,
/// IEEE Trans. Inf. Theory 50 (2004), doi:10.1109/TIT.2004.838101. Not symmetric, as gzip is not.
///
/// - Note: gzip looks back 32 KiB: of longer texts the second sees the end of the first only.
public struct CompressionDistance: Sendable, Hashable {
  /// Of gzip, 1 to 9. Level 0 stores, and would compare lengths only.
  public let level: Int

  /// - Throws: `.invalidArgument` for another level.
  public init(level: Int = 9) throws(BasisError) {
    guard (1...9).contains(level) else {
      throw BasisError(
        .invalidArgument,
        "gzip compresses at levels 1 to 9, not \(level)"
          + (level == 0 ? "; level 0 stores, and compares nothing but lengths" : ""))
    }
    self.level = level
  }

  /// The distance of one text from another, in UTF-8.
  ///
  /// - Throws: `.unsupported` where zlib cannot do it.
  /// - Complexity: O(bytes).
  public func callAsFunction(_ x: String, _ y: String) throws(BasisError) -> Double {
    let length = try GzipLength(level: level)
    let (first, second) = (Array(x.utf8), Array(y.utf8))
    return Self.distance(length(first), length(second), length(first, second))
  }

  /// How well each text fits the targets: 1 − the mean distance from them. Higher fits better.
  ///
  /// Obbad et al., *ZIP-FIT: Embedding-Free Data Selection via Compression-Based Alignment*, 2024,
  /// arXiv:2410.18194, algorithm 1. The mean of the result is the alignment of two corpora.
  ///
  /// - Parameters:
  ///   - texts: *N* texts.
  ///   - targets: at least one.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` without targets; `.cancelled`.
  /// - Complexity: O(*N* · targets · bytes), parallel over texts.
  public func alignments(of texts: [String], with targets: [String], in run: RunContext)
    throws(BasisError) -> [Double]
  {
    guard !targets.isEmpty else {
      throw BasisError(.invalidArgument, "alignment is with target texts; give one at least")
    }
    let wanted = targets.map { Array($0.utf8) }
    let meter = try GzipLength(level: level)
    let lengths = wanted.map { meter($0) }
    let level = level
    let parts = try parallelMap(texts.count, grain: 32, in: run) {
      (_, range) throws(BasisError) -> [Double] in
      let length = try GzipLength(level: level)
      return range.map { place in
        let text = Array(texts[place].utf8)
        let own = length(text)
        var sum = 0.0
        for (target, its) in zip(wanted, lengths) {
          sum += Self.distance(own, its, length(text, target))
        }
        return 1 - sum / Double(wanted.count)
      }
    }
    return parts.flatMap { $0 }
  }

  private static func distance(_ first: Int, _ second: Int, _ both: Int) -> Double {
    Double(both - min(first, second)) / Double(max(first, second))
  }
}
