public import BasisCore

/// The room's methods: each a line.
public enum EvaluationCatalogue {
  /// Of the nearest class mean, which `basis evaluate estimate --method NAME` takes unless told
  /// otherwise.
  public static let entries: [MethodEntry<ErrorEstimate.Estimate>] = [
    entry(.holdOut, "error of rows kept apart"),
    entry(.crossValidation, "error of folds, each asked about once"),
    entry(.outOfBag, "error of rows that a bootstrap left out"),
    entry(.point632, "left-out and training error, weighed .632 to .368"),
    entry(.point632plus, "the same, weighed by how much is learnt by heart"),
  ]

  /// All that the room has: the entries, and what runs in other ways.
  public static let methods: [MethodDescriptor] =
    entries.map(\.descriptor) + [
      desk(
        "mcnemar", "whether two models on the same rows differ", PairedTest.self, "compare",
        "of two models, not of two ways to learn"),
      desk(
        "cochran-q", "whether several models on the same rows differ, and which",
        MultipleComparison.self, "compare", "pairs by McNemar's test with Holm's adjustment"),
      desk(
        "friedman", "whether models differ over data sets, with critical differences",
        MultipleComparison.self, "compare", "few data sets tell only large differences"),
      desk(
        "accuracy-interval", "where the true accuracy may lie: six intervals",
        AccuracyInterval.self, "compare", "the normal one is too narrow for few rows"),
      desk(
        "nested", "chooses a classifier, and says what the choice is worth", NestedSelection.self,
        "nested", "candidates times folds times inner folds fits"),
      desk(
        "resampler", "index plans: hold-out, folds, groups, time, bootstrap", Resampler.self, "",
        "groups are not stratified"),
      pooled(
        "pl", "ranks models by what beats what within samples", PlackettLuce.self,
        "with gaps at random the mean of cells is as good, and better from nine missing in ten"),
      pooled(
        "rasch", "abilities of models and difficulties of samples, learnt together", Rasch.self,
        "samples that are not binary count by shares of models beaten"),
      pooled(
        "elo", "ratings that move with each duel", Elo.self, "depends on the order of the duels"),
      pooled(
        "borda", "the mean share of the others that were beaten", Borda.self,
        "as fair as the samples that a model met"),
      pooled("mean", "the mean of values that are there", MeanScore.self, "mixes scales"),
    ]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError)
    -> MethodEntry<ErrorEstimate.Estimate>
  {
    try entries.method(named: name, kind: "error estimate")
  }

  private static let paper = MethodDescriptor.Paper(
    "Model Evaluation, Model Selection, and Algorithm Selection in Machine Learning", by: "Raschka",
    2018, "arXiv:1811.12808")

  private static func pooled(
    _ name: String, _ summary: String, _ type: Any.Type, _ limits: String
  ) -> MethodDescriptor {
    MethodDescriptor(
      id: 68, name: name, summary: summary,
      paper: .init(
        "ONEBench to Test Them All: Sample-Level Benchmarking Over Open-Ended Capabilities",
        by: "Ghosh et al.", 2024, "arXiv:2412.06745"),
      type: type, verb: "evaluate pool rank", oracle: "Scripts/oracles/onebench.py", limits: limits)
  }

  private static let oracle = "Scripts/oracles/model_evaluation.py"

  private static func entry(_ method: ErrorEstimate.Method, _ summary: String)
    -> MethodEntry<ErrorEstimate.Estimate>
  {
    MethodEntry(
      MethodDescriptor(
        id: 111, name: method.rawValue, summary: summary, paper: paper, type: ErrorEstimate.self,
        verb: "evaluate estimate", oracle: oracle,
        limits: "the verb has the classifiers of the rooms below; the library takes any"),
      ErrorEstimate(method)
    ) { (settings: ErrorEstimate, input: LabeledRows, run: RunContext) throws(BasisError) in
      try settings.estimate(
        ReferenceLearner.centroid.learner(input), labels: input.labels, in: run)
    }
  }

  private static func desk(
    _ name: String, _ summary: String, _ type: Any.Type, _ verb: String, _ limits: String
  ) -> MethodDescriptor {
    MethodDescriptor(
      id: 111, name: name, summary: summary, paper: paper, type: type,
      verb: verb.isEmpty ? "" : "evaluate \(verb)", oracle: oracle, limits: limits)
  }
}
