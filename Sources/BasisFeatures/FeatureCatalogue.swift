public import BasisCore

/// The room's methods: each a line. `basis rank-features --method NAME` runs them.
public enum FeatureCatalogue {
  public static let entries: [MethodEntry<FeatureRanking>] = [
    entry(outRank, OutRank()), entry(threeMR, ThreeMR()),
  ]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError) -> MethodEntry<FeatureRanking> {
    try entries.method(named: name, kind: "method of ranking features")
  }

  /// A method with some settings changed, for tables that are no matrices.
  ///
  /// - Parameters:
  ///   - name: `outrank` or `3mr`.
  ///   - settings: a JSON object with the settings that differ from the defaults.
  /// - Throws: `.invalidArgument` with the names that there are.
  public static func ranker(named name: String, settings: String = "{}") throws(BasisError)
    -> any FeatureRanker
  {
    guard let ranker = try entry(named: name).settings as? any FeatureRanker else {
      throw BasisError(.invalidArgument, "'\(name)' ranks no features")
    }
    return try ranker.changed(by: settings, in: name)
  }

  private static func entry<R: FeatureRanker>(_ descriptor: MethodDescriptor, _ ranker: R)
    -> MethodEntry<FeatureRanking>
  {
    MethodEntry(descriptor, ranker) {
      (ranker: R, input: LabeledColumns, run: RunContext) throws(BasisError) in
      try ranker.rank(input, in: run)
    }
  }

  private static let paper = MethodDescriptor.Paper(
    "OutRank: Speeding up AutoML-based Model Search for Large Sparse Data sets with "
      + "Cardinality-aware Feature Ranking", by: "Škrlj & Mramor", 2023,
    "doi:10.1145/3604915.3610636")

  private static let outRank = MethodDescriptor(
    id: 7, name: "outrank", summary: "by what a column tells beyond chance at its cardinality",
    paper: paper, type: OutRank.self, verb: "rank-features", oracle: "Scripts/oracles/outrank.py",
    limits:
      "values are names: numbers of many values are to be cut into ranges first; of surrogate models logistic regression alone"
  )

  private static let threeMR = MethodDescriptor(
    id: 7, name: "3mr", summary: "relevant, not redundant, and telling together", paper: paper,
    type: ThreeMR.self, verb: "rank-features", oracle: "the formula, in a naive loop",
    limits: "quadratic in the columns; greedy")
}
