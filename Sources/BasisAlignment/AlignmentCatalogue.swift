public import BasisCore
public import BasisFormats

/// The room's methods: each a line. `basis align --method NAME` runs them.
public enum AlignmentCatalogue {
  public static let entries: [MethodEntry<any FittedAligner>] = [
    entry(relative, RelativeProjection()), entry(inverse, InverseRelativeAligner()),
    entry(procrustes, ProcrustesAligner()), entry(affine, AffineAligner()),
  ]

  /// What their files hold.
  public static let models: [any FittedModel.Type] = [RelativeAlignment.self, LinearAlignment.self]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError)
    -> MethodEntry<any FittedAligner>
  {
    try entries.method(named: name, kind: "alignment method")
  }

  /// The map in a file.
  ///
  /// - Parameter path: a file that a ``FittedAligner`` was saved to.
  /// - Throws: as `ModelFile`.
  public static func aligner(contentsOf path: String) throws(BasisError) -> any FittedAligner {
    try ModelFile(path: path).model(among: models, called: "map of one space onto another")
  }

  private static func entry<A: Aligner>(_ descriptor: MethodDescriptor, _ aligner: A)
    -> MethodEntry<any FittedAligner>
  {
    MethodEntry(descriptor, aligner) {
      (aligner: A, anchors: PairedRows, run: RunContext) throws(BasisError) in
      try aligner.fit(anchors, in: run)
    }
  }

  private static let oracle = "Scripts/oracles/relative.py"
  private static let paper = MethodDescriptor.Paper(
    "Relative representations enable zero-shot latent space communication",
    by: "Moschella et al.", 2023, "arXiv:2209.15430")

  private static let relative = MethodDescriptor(
    id: 126, name: "relative", summary: "describes rows by their similarities to anchors",
    paper: paper, type: RelativeProjection.self, verb: "align", oracle: oracle,
    limits: "for retrieval with known pairs the maps below are better")

  private static let inverse = MethodDescriptor(
    id: 126, name: "inverse-relative",
    summary: "from similarities back to directions of the second",
    paper: paper, type: InverseRelativeAligner.self, verb: "align", oracle: oracle,
    limits: "maps directions, not lengths")

  private static let procrustes = MethodDescriptor(
    id: nil, name: "procrustes", summary: "the rotation that brings anchors closest",
    paper: .init(
      "A generalized solution of the orthogonal Procrustes problem", by: "Schönemann", 1966,
      "doi:10.1007/BF02289451"),
    type: ProcrustesAligner.self, verb: "align", oracle: oracle,
    limits: "keeps angles: no good where the spaces differ by more than a rotation")

  private static let affine = MethodDescriptor(
    id: nil, name: "affine", summary: "the linear map that brings anchors closest, with a ridge",
    paper: .init(
      "Ridge regression: biased estimation for nonorthogonal problems", by: "Hoerl & Kennard", 1970,
      "doi:10.1080/00401706.1970.10488634"),
    type: AffineAligner.self, verb: "align", oracle: oracle,
    limits: "wants several times as many anchors as dimensions")
}
