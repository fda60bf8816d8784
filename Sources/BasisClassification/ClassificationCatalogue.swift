public import BasisCore
public import BasisFormats
public import BasisMeasures

/// The room's methods: each a line. `basis classify fit --method NAME` runs them.
public enum ClassificationCatalogue {
  /// What learns classes.
  public static let entries: [MethodEntry<any FittedClassifier>] = [
    entry(naiveBayes, GaussianNaiveBayes()),
    entry(logistic, LogisticRegression()),
    entry(chooser, HeadChooser()),
    entry(linearDiscriminant, LinearDiscriminant()),
    entry(quadraticDiscriminant, QuadraticDiscriminant()),
    entry(tree, DecisionTree()),
    entry(forest, RandomForest()),
    entry(boosting, GradientBoostedTrees()),
    entry(tester, TesterLearner()),
  ]

  /// What learns numbers.
  public static let regressors: [MethodEntry<any FittedRegressor>] = [
    regressor(tree, DecisionTree()),
    regressor(forest, RandomForest()),
    regressor(boosting, GradientBoostedTrees()),
  ]

  /// What is told about models of the room. `basis judge --measure NAME` runs it.
  public static let measures: [MethodEntry<MeasuredValue>] = [
    MethodEntry(effectiveParameters, EffectiveParameterMeasure()) {
      (measure: EffectiveParameterMeasure, input: SmootherRows, run: RunContext)
        throws(BasisError) in
      try measure.measure(input, in: run)
    }
  ]

  /// All that the room has.
  public static let methods: [MethodDescriptor] =
    entries.map(\.descriptor) + [referee] + measures.map(\.descriptor)

  /// What files of the verb may hold.
  public static let models: [any FittedModel.Type] = [
    GaussianNaiveBayesModel.self, LinearClassifierModel.self, ChosenHeadModel.self,
    QuadraticDiscriminantModel.self, ForestClassifier.self,
    ForestRegressor.self, BoostedClassifier.self, BoostedRegressor.self, CertifiedHalfspace.self,
  ]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError)
    -> MethodEntry<any FittedClassifier>
  {
    try entries.method(named: name, kind: "classification method")
  }

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func regressor(named name: String) throws(BasisError)
    -> MethodEntry<any FittedRegressor>
  {
    try regressors.method(named: name, kind: "regression method")
  }

  private static func regressor<R: Regressor>(_ descriptor: MethodDescriptor, _ regressor: R)
    -> MethodEntry<any FittedRegressor>
  {
    MethodEntry(descriptor, regressor) {
      (regressor: R, input: TargetRows, run: RunContext) throws(BasisError) in
      try regressor.fit(input, in: run)
    }
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

  private static let chooser = MethodDescriptor(
    id: 75, name: "auto", summary: "naive Bayes or logistic regression, by rows held out",
    paper: zheng, type: HeadChooser.self, verb: "classify",
    oracle: "both heads by themselves, on the same rows",
    limits: "of these rows; with few of them chance chooses where the heads are close")

  private static let linearDiscriminant = MethodDescriptor(
    id: nil, name: "lda", summary: "a bell for each class, all of one shape: closed form",
    paper: .init(
      "The use of multiple measurements in taxonomic problems", by: "Fisher", 1936,
      "doi:10.1111/j.1469-1809.1936.tb02137.x"),
    type: LinearDiscriminant.self, verb: "classify", oracle: "Scripts/oracles/discriminant.py",
    limits: "needs more rows than columns, or shrinkage; planes only")

  private static let quadraticDiscriminant = MethodDescriptor(
    id: nil, name: "qda", summary: "a bell for each class, each of its own shape",
    paper: .init(
      "The Elements of Statistical Learning", by: "Hastie, Tibshirani & Friedman", 2009),
    type: QuadraticDiscriminant.self, verb: "classify", oracle: "Scripts/oracles/discriminant.py",
    limits: "needs many more rows than columns in each class, or shrinkage")

  private static let referee = MethodDescriptor(
    id: 75, name: "curve", summary: "which of the two heads, by the number of labels",
    paper: zheng, kind: .study, type: HeadReferee.self, verb: "classify",
    oracle: "crossings of curves that were drawn by hand",
    limits: "of these features and these draws; the interval is of five draws")

  private static let curth = MethodDescriptor.Paper(
    "Why do Random Forests Work? Understanding Tree Ensembles as Self-Regularizing Adaptive Smoothers",
    by: "Curth, Jeffares & van der Schaar", 2024, "arXiv:2402.01502")

  private static let tree = MethodDescriptor(
    id: nil, name: "tree", summary: "questions about one column each: a rule that can be read",
    paper: .init(
      "Classification and Regression Trees", by: "Breiman et al.", 1984),
    type: DecisionTree.self, verb: "classify", oracle: "Scripts/oracles/forest.py",
    limits: "follows every row unless it is limited")

  private static let forest = MethodDescriptor(
    id: 84, name: "forest", summary: "the mean of many trees: tables, without tuning",
    paper: curth, type: RandomForest.self, verb: "classify", oracle: "Scripts/oracles/forest.py",
    limits: "slow and large for many rows; steps where the truth is a slope")

  private static let boosting = MethodDescriptor(
    id: 84, name: "boosting",
    summary: "small trees, each of what is left over: tables, with tuning",
    paper: curth, type: GradientBoostedTrees.self, verb: "classify",
    oracle: "Scripts/oracles/forest.py",
    limits: "wants its rate and rounds chosen; labels that are wrong are learnt in the end")

  private static let effectiveParameters = MethodDescriptor(
    id: 84, name: "effective-parameters",
    summary: "how many parameters a forest uses for these rows: few for strange ones",
    paper: curth, type: EffectiveParameterMeasure.self, verb: "judge",
    oracle: "n for one row an answer, 1 for the mean of all, n / k for neighbours",
    limits: "the distance from the nearest row told strange rows better")

  private static let tester = MethodDescriptor(
    id: 165, name: "tester-learner", summary: "a plane that is certified near the best, or refused",
    paper: .init(
      "An Efficient Tester-Learner for Halfspaces", by: "Gollakota et al.", 2023,
      "arXiv:2302.14853"),
    type: TesterLearner.self, verb: "classify", oracle: "Scripts/oracles/tester_learner.py",
    limits:
      "planes through the mean, rows that are nearly normal; constants by trial, not the theory's")
}
