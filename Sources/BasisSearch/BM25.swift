public import BasisCore

/// The weighting of terms that lexical search ranks by.
///
/// A document's score is the sum over the query's terms of
/// `weight · idf · tf / (tf + k1 · (1 − b + b · length / average length))` with
/// `idf = ln(1 + (N − df + 0.5) / (df + 0.5))`, which is never negative.
///
/// Robertson & Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, Foundations and
/// Trends in Information Retrieval 3 (2009), doi:10.1561/1500000019, equation 3.15, without the
/// constant factor `k1 + 1`, which ranks nothing differently, and with Lucene's idf.
public struct BM25: Settings {
  /// How much a term's repetitions still count: 0 for not at all. Finite, at least 0.
  public var k1: Double
  /// How much long documents are held back: from 0, not at all, to 1, in proportion.
  public var b: Double

  /// The defaults have the best mean nDCG@10 over SciFact, Cranfield, NFCorpus, CISI and Vaswani, in
  /// a grid of 0.6 … 2 by 0.3 … 0.9; none of the five is more than 0.008 below its own best.
  ///
  /// - Precondition: `k1` is finite and at least 0, `b` in `0 ... 1`.
  public init(k1: Double = 1.5, b: Double = 0.55) {
    precondition(k1 >= 0 && k1.isFinite && b >= 0 && b <= 1, "k1 \(k1), b \(b)")
    self.k1 = k1
    self.b = b
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = BM25()
    let k1 = try container.decodeIfPresent(Double.self, forKey: .k1) ?? defaults.k1
    let b = try container.decodeIfPresent(Double.self, forKey: .b) ?? defaults.b
    guard k1 >= 0, k1.isFinite, b >= 0, b <= 1 else {
      throw DecodingError.dataCorruptedError(
        forKey: .k1, in: container, debugDescription: "k1 \(k1) or b \(b) is out of range")
    }
    self.init(k1: k1, b: b)
  }

  /// The weight of a term that `frequency` of `documentCount` documents have.
  public func inverseDocumentFrequency(_ frequency: Int, documentCount: Int) -> Double {
    let (n, df) = (Double(documentCount), Double(frequency))
    return logarithm(1 + max(0, n - df + 0.5) / (df + 0.5))
  }
}
