public import BasisCore

/// The room's methods: each a line. `basis select --method NAME` runs them.
public enum SelectionCatalogue {
  public static let entries: [MethodEntry<Selection>] = [
    entry(smote, SMOTE()),
    entry(under, UnderSampler()),
    entry(coverage, CoverageCentricSelector()),
    entry(zipFit, ZIPFIT()),
    entry(simCore, SimCore()),
    entry(tarot, TAROTSelector()),
  ]

  /// All that the room has.
  public static let methods: [MethodDescriptor] = entries.map(\.descriptor)

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError) -> MethodEntry<Selection> {
    try entries.method(named: name, kind: "selection method")
  }

  private static func entry<S: Selector>(_ descriptor: MethodDescriptor, _ selector: S)
    -> MethodEntry<Selection>
  {
    MethodEntry(descriptor, selector) {
      (selector: S, input: S.Input, run: RunContext) throws(BasisError) in
      try selector.select(input, in: run)
    }
  }

  private static let chawla = MethodDescriptor.Paper(
    "SMOTE: Synthetic Minority Over-sampling Technique", by: "Chawla, Bowyer, Hall & Kegelmeyer",
    2002, "doi:10.1613/jair.953")

  private static let smote = MethodDescriptor(
    id: 71, name: "smote", summary: "makes rows of small classes between neighbours",
    paper: chawla, type: SMOTE.self, verb: "select", oracle: "Scripts/oracles/smote.py",
    limits: "dense rows; exact neighbours, quadratic in a class; amplifies wrong labels")

  private static let under = MethodDescriptor(
    id: 71, name: "under", summary: "thins large classes at random", paper: chawla,
    type: UnderSampler.self, verb: "select", oracle: "counts of the definition",
    limits: "what is left out may matter")

  private static let coverage = MethodDescriptor(
    id: 202, name: "coverage", summary: "keeps a share, easy and hard rows alike",
    paper: .init(
      "Coverage-centric Coreset Selection for High Pruning Rates",
      by: "Zheng, Liu, Lai & Prakash", 2023, "arXiv:2210.15809"),
    type: CoverageCentricSelector.self, verb: "select", oracle: "Scripts/oracles/ccs.py",
    limits: "as good as its scores: without a training log those of a linear classifier")

  private static let simCore = MethodDescriptor(
    id: 205, name: "simcore", summary: "keeps what is like a target, and finds out how much",
    paper: .init(
      "Coreset Sampling from Open-Set for Fine-Grained Self-Supervised Learning",
      by: "Kim, Bae & Yun", 2023, "arXiv:2303.11101"),
    type: SimCore.self, verb: "select", oracle: "Scripts/oracles/simcore.py",
    limits: "the verb takes one matrix, label 0 for the pool; as good as the vectors")

  private static let zipFit = MethodDescriptor(
    id: 161, name: "zipfit", summary: "keeps the texts that gzip finds most like some others",
    paper: .init(
      "ZIP-FIT: Embedding-Free Data Selection via Compression-Based Alignment", by: "Obbad et al.",
      2024, "arXiv:2410.18194"),
    type: ZIPFIT.self, verb: "select", oracle: "Scripts/oracles/zip_fit.py",
    limits: "every text with every target; texts of more than 32 KiB are seen in part")

  private static let tarot = MethodDescriptor(
    id: 100, name: "tarot", summary: "keeps rows near every kind of target, rare ones too",
    paper: .init(
      "TAROT: Targeted Data Selection via Optimal Transport", by: "Feng et al.", 2024,
      "arXiv:2412.00420"),
    type: TAROTSelector.self, verb: "select", oracle: "Scripts/oracles/tarot.py",
    limits: "dense features that are ready; every candidate with every target")
}
