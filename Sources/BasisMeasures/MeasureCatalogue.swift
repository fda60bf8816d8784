public import BasisCore

/// The room's methods: each a line. `basis judge --measure NAME` runs them.
public enum MeasureCatalogue {
  public static let entries: [MethodEntry<MeasuredValue>] =
    SpectralMeasure.Statistic.allCases.map { entry(spectrum($0), SpectralMeasure($0)) } + [
      entry(uniformity, Uniformity()), entry(tolerance, Tolerance()),
      entry(alignment, Alignment()),
      entry(convergent, ConvergentMatching()), entry(topological, TopologicalSimilarity()),
    ]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError) -> MethodEntry<MeasuredValue> {
    try entries.method(named: name, kind: "measure")
  }

  private static func entry<M: Measure>(_ descriptor: MethodDescriptor, _ measure: M)
    -> MethodEntry<MeasuredValue>
  {
    MethodEntry(descriptor, measure) {
      (measure: M, input: M.Input, run: RunContext) throws(BasisError) in
      try measure.measure(input, in: run)
    }
  }

  private static func spectrum(_ statistic: SpectralMeasure.Statistic) -> MethodDescriptor {
    let summary =
      switch statistic {
      case .rankMe: "how many directions are in use, without labels"
      case .spectralEntropy: "the same, of the covariance's eigenvalues"
      case .stableRank: "all squared lengths over the strongest direction's"
      case .participationRatio: "directions, had all the same strength"
      case .hardRank: "directions above rounding"
      case .eigenvalueSum: "variance in all directions over the strongest's"
      case .eigenvalueDecay: "how fast the eigenvalues fall, as an exponent"
      }
    return MethodDescriptor(
      id: 190, name: statistic.rawValue, summary: summary,
      paper: .init(
        "RankMe: assessing the downstream performance of pretrained self-supervised "
          + "representations by their rank", by: "Garrido, Balestriero, Najman & LeCun", 2023,
        "arXiv:2210.02885"),
      type: SpectralMeasure.self, verb: "judge",
      oracle: "Scripts/oracles/spectrum.py",
      limits: "comparable between models of one kind, width and number of rows only")
  }

  private static let contrastive = MethodDescriptor.Paper(
    "Understanding the behaviour of contrastive loss", by: "Wang & Liu", 2021, "arXiv:2012.09740")

  private static let uniformity = MethodDescriptor(
    id: 159, name: "uniformity", summary: "how evenly rows fill the sphere", paper: contrastive,
    type: Uniformity.self, verb: "judge",
    oracle: "Scripts/oracles/sphere_measures.py", limits: "all pairs: quadratic in the rows")

  private static let tolerance = MethodDescriptor(
    id: 159, name: "tolerance", summary: "how close rows of one class are", paper: contrastive,
    type: Tolerance.self, verb: "judge",
    oracle: "Scripts/oracles/sphere_measures.py")

  private static let alignment = MethodDescriptor(
    id: 159, name: "alignment", summary: "how far apart two views of one thing are",
    paper: contrastive, type: Alignment.self, verb: "judge",
    oracle: "Scripts/oracles/sphere_measures.py")

  private static let convergent = MethodDescriptor(
    id: 18, name: "convergent",
    summary: "whether two networks have the same units, or only a subspace",
    paper: .init(
      "Convergent Learning: Do different neural networks learn the same representations?",
      by: "Li et al.", 2016, "arXiv:1511.07543"),
    type: ConvergentMatching.self, verb: "judge", oracle: "Scripts/oracles/convergent.py",
    limits: "correlations only; wants many more rows than units")

  private static let topological = MethodDescriptor(
    id: 154, name: "trsa",
    summary: "how alike the neighbourhoods and shapes of two representations are",
    paper: .init(
      "The Topology and Geometry of Neural Representations", by: "Lin & Kriegeskorte", 2024,
      "arXiv:2309.11028"),
    type: TopologicalSimilarity.self, verb: "judge", oracle: "Scripts/oracles/rsa.py",
    limits: "all pairs; told layers apart no better than ranks do on digits")
}
