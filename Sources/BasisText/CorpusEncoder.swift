public import BasisCore
import BasisNumerics

/// An encoder learnt from the texts themselves: latent semantic indexing.
///
/// Counts terms, weighs them, and finds the directions in which the texts differ most (the largest
/// singular vectors of the weighted matrix of texts × terms). A text's vector is its weighted
/// counts along these directions. Needs no model from outside and seconds of time; knows synonyms
/// only from texts that share other words.
///
/// Deerwester, Dumais, Furnas, Landauer & Harshman, *Indexing by latent semantic analysis*, JASIS
/// 41 (1990), doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9; fold-in is its
/// section on pseudo-documents. Weights as in Dumais, *Improving the retrieval of information from
/// external sources*, Behavior Research Methods 23 (1991), doi:10.3758/BF03203370.
public struct CorpusEncoder: Settings {
  /// What a term's rarity is worth.
  public enum GlobalWeight: String, Sendable, Hashable, Codable, CaseIterable {
    /// Every term the same.
    case none
    /// `ln(1 + (N − df + 0.5) / (df + 0.5))`, as BM25 has it.
    case inverseDocumentFrequency
    /// `ln((1 + N) / (1 + df)) + 1`: never small, so frequent terms count for more.
    case smoothInverseDocumentFrequency
    /// 1 − the entropy of the term's distribution over the texts, divided by ln *N*.
    case entropy
  }

  /// The length of the vectors, at least 1; fewer where the texts have fewer directions.
  public var dimension: Int
  public var analyzer: Analyzer
  /// At most this many terms, those in the most texts, at least 1.
  public var maximumTermCount: Int
  /// Terms in fewer texts are left out, at least 1.
  public var minimumDocumentFrequency: Int
  /// At most this many texts are learnt from, a seeded sample, at least 1.
  public var maximumDocumentCount: Int
  /// Whether `n` occurrences count as `1 + ln n` rather than `n`.
  public var isSublinear: Bool
  public var globalWeight: GlobalWeight
  /// Coordinates are multiplied by their singular value to this power: 0 keeps the lengths that
  /// the texts have, −1 makes all directions equally long, between them is a compromise. Finite.
  public var singularValuePower: Double
  /// Passes of the randomised decomposition, at least 0.
  public var powerIterations: Int

  public init(
    dimension: Int = 256, analyzer: Analyzer = Analyzer(), maximumTermCount: Int = 50_000,
    minimumDocumentFrequency: Int = 1, maximumDocumentCount: Int = 50_000,
    isSublinear: Bool = true, globalWeight: GlobalWeight = .inverseDocumentFrequency,
    singularValuePower: Double = 0, powerIterations: Int = 2
  ) {
    self.dimension = dimension
    self.analyzer = analyzer
    self.maximumTermCount = maximumTermCount
    self.minimumDocumentFrequency = minimumDocumentFrequency
    self.maximumDocumentCount = maximumDocumentCount
    self.isSublinear = isSublinear
    self.globalWeight = globalWeight
    self.singularValuePower = singularValuePower
    self.powerIterations = powerIterations
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func value<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
      try values.decodeIfPresent(T.self, forKey: key) ?? fallback
    }
    let defaults = CorpusEncoder()
    dimension = try value(.dimension, defaults.dimension)
    analyzer = try value(.analyzer, defaults.analyzer)
    maximumTermCount = try value(.maximumTermCount, defaults.maximumTermCount)
    minimumDocumentFrequency = try value(
      .minimumDocumentFrequency, defaults.minimumDocumentFrequency)
    maximumDocumentCount = try value(.maximumDocumentCount, defaults.maximumDocumentCount)
    isSublinear = try value(.isSublinear, defaults.isSublinear)
    globalWeight = try value(.globalWeight, defaults.globalWeight)
    singularValuePower = try value(.singularValuePower, defaults.singularValuePower)
    powerIterations = try value(.powerIterations, defaults.powerIterations)
  }

  /// Learns a space from texts.
  ///
  /// - Parameters:
  ///   - texts: at least one with a term; the order does not matter beyond rounding, unless there
  ///     are more than ``maximumDocumentCount`` and a sample is drawn.
  ///   - version: of the space, which becomes `corpus@version`.
  ///   - run: seeds the sample and the decomposition.
  /// - Returns: a model whose dimension is ``dimension``, or the rank of the weighted matrix where
  ///   that is less: at most the number of different texts and of terms.
  /// - Throws: `.invalidArgument` for a setting outside its range; `.badData` if no text has a
  ///   term that counts; `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(length of the texts) + O(*d* · nonzeros + *d*² (*n* + *t*)) for *n* texts with
  ///   *t* terms.
  public func fit(_ texts: [String], version: Int = 1, in run: RunContext) throws(BasisError)
    -> CorpusEncoderModel
  {
    try check()
    var counts = try TermCounts(sample(of: texts, in: run), analyzer: analyzer, in: run)
    counts.select(minimumDocumentFrequency: minimumDocumentFrequency, limit: maximumTermCount)
    guard counts.vocabulary.count > 0 else {
      throw BasisError(
        .badData,
        "corpus encoder: none of \(texts.count) texts has a term in at least "
          + "\(minimumDocumentFrequency) of them; add texts, or change the analyser")
    }
    let weights = globalWeights(counts)
    var matrix = SparseMatrix(columnCount: counts.vocabulary.count)
    for row in 0..<counts.rowCount {
      matrix.append(row: counts.row(row).map { ($0.term, localWeight($0.count)) })
    }
    matrix.scaleColumns(by: weights)
    matrix.normalizeRows()

    let svd = try RandomizedSVD(rank: dimension, powerIterations: powerIterations)
      .decompose(matrix, in: run)
    let largest = svd.singularValues.first ?? 0
    // Directions below the rounding of the sums are noise, whose scaling could blow it up.
    let rank = svd.singularValues.prefix { $0 > 1e-5 * largest }.count
    let singularValues = Array(svd.singularValues.prefix(rank))
    let scales = singularValues.map {
      Float(exponential(singularValuePower * logarithm(Double($0 / largest))))
    }
    let projection = Matrix(rowCount: counts.vocabulary.count, columnCount: rank) { target in
      for term in 0..<counts.vocabulary.count {
        svd.v.withRow(term) { row in
          for column in 0..<rank {
            target[term * rank + column] = weights[term] * row[column] * scales[column]
          }
        }
      }
    }
    return CorpusEncoderModel(
      settings: self, version: version, vocabulary: counts.vocabulary, projection: projection,
      singularValues: singularValues)
  }

  func localWeight(_ count: Int) -> Float {
    isSublinear ? 1 + Float(logarithm(Double(count))) : Float(count)
  }

  private func check() throws(BasisError) {
    for (name, value, least) in [
      ("dimension", dimension, 1), ("maximumTermCount", maximumTermCount, 1),
      ("minimumDocumentFrequency", minimumDocumentFrequency, 1),
      ("maximumDocumentCount", maximumDocumentCount, 1), ("powerIterations", powerIterations, 0),
    ] where value < least {
      throw BasisError(
        .invalidArgument, "corpus encoder: \(name) must be at least \(least), got \(value)")
    }
    guard singularValuePower.isFinite else {
      throw BasisError(
        .invalidArgument,
        "corpus encoder: singularValuePower must be finite, got \(singularValuePower)")
    }
  }

  private func sample(of texts: [String], in run: RunContext) -> [String] {
    guard texts.count > maximumDocumentCount else { return texts }
    var generator = run.generator("corpus-encoder-sample")
    return generator.sample(maximumDocumentCount, of: texts.count).map { texts[$0] }
  }

  private func globalWeights(_ counts: TermCounts) -> [Float] {
    let documentCount = Double(counts.rowCount)
    switch globalWeight {
    case .none:
      return Array(repeating: 1, count: counts.vocabulary.count)
    case .inverseDocumentFrequency:
      return counts.documentFrequencies.map {
        Float(logarithm(1 + (documentCount - Double($0) + 0.5) / (Double($0) + 0.5)))
      }
    case .smoothInverseDocumentFrequency:
      return counts.documentFrequencies.map {
        Float(logarithm((1 + documentCount) / (1 + Double($0))) + 1)
      }
    case .entropy:
      var totals = Array(repeating: 0.0, count: counts.vocabulary.count)
      for row in 0..<counts.rowCount {
        for entry in counts.row(row) { totals[entry.term] += Double(entry.count) }
      }
      var entropies = Array(repeating: 0.0, count: counts.vocabulary.count)
      for row in 0..<counts.rowCount {
        for entry in counts.row(row) {
          let share = Double(entry.count) / totals[entry.term]
          entropies[entry.term] -= share * logarithm(share)
        }
      }
      let largest = logarithm(max(documentCount, 2))
      return entropies.map { Float(max(0, 1 - $0 / largest)) }
    }
  }
}
