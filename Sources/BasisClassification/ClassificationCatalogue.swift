public import BasisCore
public import BasisFormats

/// The room's methods: each a line. `basis classify fit --method NAME` runs them.
public enum ClassificationCatalogue {
  /// What learns classes.
  public static let entries: [MethodEntry<any FittedClassifier>] = [
    entry(naiveBayes, GaussianNaiveBayes()),
    entry(logistic, LogisticRegression()),
  ]

  /// All that the room has.
  public static let methods: [MethodDescriptor] = entries.map(\.descriptor) + [referee]

  /// What files of the verb may hold.
  public static let models: [any FittedModel.Type] = [
    GaussianNaiveBayesModel.self, LinearClassifierModel.self,
  ]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError)
    -> MethodEntry<any FittedClassifier>
  {
    try entries.method(named: name, kind: "classification method")
  }

  private static func entry<C: Classifier>(_ descriptor: MethodDescriptor, _ classifier: C)
    -> MethodEntry<any FittedClassifier>
  {
    MethodEntry(descriptor, classifier) {
      (classifier: C, input: LabeledRows, run: RunContext) throws(BasisError) in
      try classifier.fit(input, in: run)
    }
  }

  private static let zheng = MethodDescriptor.Paper(
    "Revisiting Discriminative vs. Generative Classifiers: Theory and Implications",
    by: "Zheng et al.", 2023, "arXiv:2302.02334")

  private static let naiveBayes = MethodDescriptor(
    id: 75, name: "naive-bayes", summary: "a bell for each class and column: few labels, one pass",
    paper: zheng, type: GaussianNaiveBayes.self, verb: "classify",
    oracle: "Scripts/oracles/naive_bayes.py",
    limits:
      "columns that depend on each other are counted twice: overconfident, and worse with many rows"
  )

  private static let logistic = MethodDescriptor(
    id: 75, name: "logistic", summary: "weights that make the labels likely, with a penalty",
    paper: zheng, type: LogisticRegression.self, verb: "classify",
    oracle: "Scripts/oracles/naive_bayes.py",
    limits: "planes only; the penalty counts columns by their units, so scale them")

  private static let referee = MethodDescriptor(
    id: 75, name: "curve", summary: "which of the two heads, by the number of labels",
    paper: zheng, kind: .study, type: HeadReferee.self, verb: "classify",
    oracle: "crossings of curves that were drawn by hand",
    limits: "of these features and these draws; the interval is of five draws")
}
