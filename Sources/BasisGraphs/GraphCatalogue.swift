public import BasisCore

/// The room's methods: each a line. `basis graph embed --method NAME` runs the embedders.
public enum GraphCatalogue {
  /// What gives nodes vectors.
  public static let entries: [MethodEntry<NodeEmbedding>] = [
    entry(fastRP, FastRP()), entry(spectral, SpectralEmbedder()), entry(netMF, NetMF()),
    entry(degree, DegreeEmbedder()),
  ]

  /// `basis graph predict` runs these.
  public static let predictors: [MethodEntry<LinkPrediction>] = [
    MethodEntry(higherOrder, HigherOrderLinkPredictor()) {
      (predictor, stream: SimplicialStream, run) throws(BasisError) in
      try predictor.predict(stream, in: run)
    }
  ]

  /// All that the room has.
  public static let methods: [MethodDescriptor] =
    entries.map(\.descriptor) + predictors.map(\.descriptor)

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func predictor(named name: String) throws(BasisError)
    -> MethodEntry<LinkPrediction>
  {
    try predictors.method(named: name, kind: "link predictor")
  }

  /// An embedder with some of its settings changed.
  ///
  /// - Parameters:
  ///   - name: what follows `--method`.
  ///   - settings: a JSON object with those that differ from the defaults.
  /// - Throws: `.invalidArgument` with the names that there are, or naming a setting.
  public static func embedder(named name: String, settings: String = "{}") throws(BasisError)
    -> any NodeEmbedder
  {
    let entry = try entries.method(named: name, kind: "graph method")
    guard let embedder = entry.settings as? any NodeEmbedder else {
      throw BasisError(.invalidArgument, "'\(name)' gives nodes no vectors")
    }
    return try embedder.changed(by: settings, in: name)
  }

  private static func entry<E: NodeEmbedder>(_ descriptor: MethodDescriptor, _ embedder: E)
    -> MethodEntry<NodeEmbedding>
  {
    MethodEntry(descriptor, embedder) {
      (embedder: E, graph: CSRGraph, run: RunContext) throws(BasisError) in
      try embedder.embed(graph, in: run)
    }
  }

  private static let fastRP = MethodDescriptor(
    id: 174, name: "fastrp", summary: "a walk's first steps through a very sparse projection",
    paper: .init(
      "Fast and Accurate Network Embeddings via Very Sparse Random Projection", by: "Chen et al.",
      2019, "arXiv:1908.11512"),
    type: FastRP.self, verb: "graph", oracle: "Scripts/oracles/fastrp.py",
    limits: "the spectral yardstick is better where there is time for it; weights of hops to tune")

  private static let higherOrder = MethodDescriptor(
    id: 39, name: "higher-order", summary: "which three that met two by two will meet as a group",
    paper: .init(
      "Simplicial closure and higher-order link prediction", by: "Benson et al.", 2018,
      "doi:10.1073/pnas.1800683115"),
    type: HigherOrderLinkPredictor.self, verb: "graph", oracle: "Scripts/oracles/simplicial.py",
    limits:
      "triangles only; no score is best everywhere; those of edges take a system for each edge")

  private static let spectral = MethodDescriptor(
    id: nil, name: "spectral", summary: "singular vectors of the normalised weights",
    paper: .init(
      "A tutorial on spectral clustering", by: "von Luxburg", 2007,
      "doi:10.1007/s11222-007-9033-z"),
    type: SpectralEmbedder.self, verb: "graph", oracle: "Scripts/oracles/fastrp.py",
    limits: "undirected; about ten times the time of fastrp")

  private static let netMF = MethodDescriptor(
    id: nil, name: "netmf", summary: "DeepWalk as a factorisation, without walks or training",
    paper: .init(
      "Network Embedding as Matrix Factorization", by: "Qiu et al.", 2018,
      "doi:10.1145/3159652.3159706"),
    type: NetMF.self, verb: "graph", oracle: "the formula in double precision, all eigenvectors",
    limits: "undirected; up to 20,000 nodes, of which it keeps n² numbers")

  private static let degree = MethodDescriptor(
    id: nil, name: "degree", summary: "how many links a node has, and its neighbours: a yardstick",
    paper: .init(
      "Mixing patterns in networks", by: "Newman", 2003, "doi:10.1103/PhysRevE.67.026126"),
    type: DegreeEmbedder.self, verb: "graph", oracle: "counts of the definition",
    limits: "knows nothing of where a node is")
}
