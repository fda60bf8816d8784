/// By what open triangles are put in order: how likely the three are to meet as a group.
///
/// *B* counts how often two met. Benson et al., PNAS 115 (2018), doi:10.1073/pnas.1800683115, and its
/// supplement.
public enum HigherOrderScore: String, Sendable, Hashable, Codable, CaseIterable {
  /// The smallest of the three weights.
  case minimum
  /// Their harmonic mean.
  case harmonic
  /// Their geometric mean.
  case geometric
  /// Their arithmetic mean.
  case arithmetic
  /// The largest.
  case maximum
  /// How many nodes met each of the three.
  case common
  /// The same over those that met any of them.
  case jaccard
  /// The same, each counting 1 / log of how many it met.
  case adamicAdar = "adamic-adar"
  /// The product of how many others each of the three met.
  case attachment
  /// The product of how many simplices each is in.
  case simplexAttachment = "simplex-attachment"
  /// Paths between the three, longer ones count less: (I − βW)⁻¹ − I of links without weights.
  case katz
  /// The same with weights.
  case weightedKatz = "weighted-katz"
  /// Personalised PageRank between the three, of links without weights.
  case pageRank = "pagerank"
  /// The same with weights.
  case weightedPageRank = "weighted-pagerank"
  /// Personalised PageRank among edges, by the normalised Hodge Laplacian.
  case simplicial
  /// Its part that is a difference of potentials.
  case gradient
  /// Its part that runs around closed triangles.
  case curl
  /// Its part that runs around holes.
  case harmonicFlow = "harmonic-flow"
  /// Logistic regression on 26 numbers of a triangle, trained on what closed before.
  case supervised

  /// Whether each pair or edge needs a linear system of its own: minutes where others take seconds.
  public var isGlobal: Bool {
    switch self {
    case .katz, .weightedKatz, .pageRank, .weightedPageRank: true
    case .simplicial, .gradient, .curl, .harmonicFlow: true
    default: false
    }
  }
}
