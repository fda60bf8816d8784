public import BasisCore
public import BasisFormats

/// The room's methods: each a line. `basis detect --method NAME` runs them.
public enum DetectionCatalogue {
  public static let entries: [MethodEntry<any FittedDetector>] = [
    entry(mahalanobis, MahalanobisDetector()),
    entry(relative, MahalanobisDetector(isRelative: true)),
    entry(neighbors, NeighborDetector()),
    entry(softmax, LogitDetector()),
    entry(energy, LogitDetector(score: .energy)),
  ]

  /// What a file of this room's may hold.
  public static let models: [any FittedModel.Type] = [
    MahalanobisModel.self, NeighborDetectorModel.self, LogitDetectorModel.self,
  ]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError)
    -> MethodEntry<any FittedDetector>
  {
    try entries.method(named: name, kind: "detector")
  }

  /// The detector in a file.
  ///
  /// - Parameter path: what `FittedModel.save(to:)` wrote.
  /// - Throws: `.notFound`; `.corruptFile`; `.newerFormat`; `.badData` for a model of another kind.
  public static func open(_ path: String) throws(BasisError) -> any FittedDetector {
    try ModelFile(path: path).model(among: models, called: "detector")
  }

  private static func entry<D: Detector>(_ descriptor: MethodDescriptor, _ detector: D)
    -> MethodEntry<any FittedDetector>
  {
    MethodEntry(descriptor, detector) {
      (detector: D, input: D.Input, run: RunContext) throws(BasisError) in
      try detector.fit(input, in: run)
    }
  }

  private static let mahalanobis = MethodDescriptor(
    id: 203, name: "mahalanobis", summary: "far from every class, in any layer",
    paper: .init(
      "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
      by: "Lee et al.", 2018, "arXiv:1807.03888"),
    type: MahalanobisDetector.self, verb: "detect", oracle: "Scripts/oracles/mahalanobis.py",
    limits: "new classes that look like the old ones; needs more rows than columns, or shrinkage")

  private static let relative = MethodDescriptor(
    id: nil, name: "relative-mahalanobis", summary: "the same, less the distance from all rows",
    paper: .init(
      "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection",
      by: "Ren et al.", 2021, "arXiv:2106.09022"),
    type: MahalanobisDetector.self, verb: "detect", oracle: "Scripts/oracles/mahalanobis.py",
    limits: "blind in directions in which classes do not differ: to compare with")

  private static let neighbors = MethodDescriptor(
    id: nil, name: "knn", summary: "far from the k-th nearest row; no labels",
    paper: .init(
      "Out-of-Distribution Detection with Deep Nearest Neighbors", by: "Sun, Ming, Zhu & Li", 2022,
      "arXiv:2204.06507"),
    type: NeighborDetector.self, verb: "detect", oracle: "Scripts/oracles/mahalanobis.py",
    limits: "keeps every row, and compares with each")

  private static let softmax = MethodDescriptor(
    id: nil, name: "softmax", summary: "a classifier's largest probability is small; of logits",
    paper: .init(
      "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural Networks",
      by: "Hendrycks & Gimpel", 2017, "arXiv:1610.02136"),
    type: LogitDetector.self, verb: "detect", oracle: "Scripts/oracles/mahalanobis.py",
    limits: "a network may be sure of worlds that it has never seen")

  private static let energy = MethodDescriptor(
    id: nil, name: "energy", summary: "the log of the sum of exponentials is small; of logits",
    paper: .init(
      "Energy-based Out-of-distribution Detection", by: "Liu, Wang, Owens & Li", 2020,
      "arXiv:2010.03759"),
    type: LogitDetector.self, verb: "detect", oracle: "Scripts/oracles/mahalanobis.py",
    limits: "as softmax")
}
