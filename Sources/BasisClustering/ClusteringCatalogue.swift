public import BasisCore
import BasisFormats
import BasisNumerics

/// The room's methods: each a line. `basis cluster --method NAME` runs them.
public enum ClusteringCatalogue {
  public static let entries: [MethodEntry<any StoredClustering>] = [
    entry(medoids(.fasterPAM, id: 6), KMedoids(variant: .fasterPAM)),
    entry(medoids(.fastPAM1, id: 10), KMedoids(variant: .fastPAM1)),
    entry(medoids(.pam, id: nil), KMedoids(variant: .pam)),
    entry(medoids(.alternating, id: nil), KMedoids(variant: .alternating)),
    entry(clara(isClassic: false), CLARA()),
    entry(clara(isClassic: true), CLARA(isClassic: true)),
    entry(clarans(isClassic: false), CLARANS()),
    entry(clarans(isClassic: true), CLARANS(isClassic: true)),
    entry(kMeans, everyRow),
  ]

  /// - Throws: `.invalidArgument` with the names that there are.
  public static func entry(named name: String) throws(BasisError)
    -> MethodEntry<any StoredClustering>
  {
    try entries.method(named: name, kind: "clustering method")
  }

  /// Groups that were saved, by whichever method.
  ///
  /// - Parameter path: the file.
  /// - Throws: `.notFound`; `.corruptFile`; `.newerFormat`; `.badData` for another model.
  public static func open(_ path: String) throws(BasisError) -> any StoredClustering {
    try ModelFile(path: path)
      .model(among: [KMedoidsModel.self, KMeansModel.self], called: "grouping")
  }

  private static func entry<C: Clusterer>(_ descriptor: MethodDescriptor, _ clusterer: C)
    -> MethodEntry<any StoredClustering> where C.Fitted: StoredClustering
  {
    MethodEntry(descriptor, clusterer) {
      (clusterer: C, input: C.Input, run: RunContext) throws(BasisError) in
      try clusterer.fit(input, in: run)
    }
  }

  private static let journal = MethodDescriptor.Paper(
    "Fast and eager k-medoids clustering: O(k) runtime improvement of the PAM, CLARA, and CLARANS "
      + "algorithms", by: "Schubert & Rousseeuw", 2021, "doi:10.1016/j.is.2021.101804")
  private static let conference = MethodDescriptor.Paper(
    "Faster k-medoids clustering: improving the PAM, CLARA, and CLARANS algorithms",
    by: "Schubert & Rousseeuw", 2019, "doi:10.1007/978-3-030-32047-8_16")
  private static let oracle = "Scripts/oracles/kmedoids.py"

  private static func medoids(_ variant: KMedoids.Variant, id: Int?) -> MethodDescriptor {
    let (summary, paper, limits) =
      switch variant {
      case .fasterPAM:
        (
          "groups around things themselves, any dissimilarity", journal,
          "a local optimum; all pairs in memory"
        )
      case .fastPAM1:
        ("the steps of PAM, k times as fast", conference, "slower than fasterpam, no better")
      case .pam:
        (
          "every medoid with every candidate, as first published",
          MethodDescriptor.Paper(
            "Clustering by means of medoids", by: "Kaufman & Rousseeuw", 1987),
          "O(k n²) a swap: to compare with"
        )
      case .alternating:
        (
          "assign, take the middle, again: k-means with medoids",
          MethodDescriptor.Paper(
            "A simple and fast algorithm for K-medoids clustering", by: "Park & Jun", 2009,
            "doi:10.1016/j.eswa.2008.01.039"),
          "worse optima than swaps: to compare with"
        )
      }
    return MethodDescriptor(
      id: id, name: variant.rawValue, summary: summary, paper: paper, type: KMedoids.self,
      verb: "cluster", oracle: oracle, limits: limits)
  }

  private static func clara(isClassic: Bool) -> MethodDescriptor {
    isClassic
      ? MethodDescriptor(
        id: nil, name: "clara", summary: "PAM of samples, the best over everything",
        paper: .init(
          "Clustering large data sets", by: "Kaufman & Rousseeuw", 1986,
          "doi:10.1016/B978-0-444-87877-9.50039-X"),
        type: CLARA.self, verb: "cluster", oracle: oracle, limits: "to compare with")
      : MethodDescriptor(
        id: 6, name: "fasterclara", summary: "fasterpam of samples: for many things",
        paper: journal, type: CLARA.self, verb: "cluster", oracle: oracle,
        limits: "worse than fasterpam where that fits into memory")
  }

  private static func clarans(isClassic: Bool) -> MethodDescriptor {
    isClassic
      ? MethodDescriptor(
        id: nil, name: "clarans", summary: "a random walk over pairs of medoid and candidate",
        paper: .init(
          "Efficient and effective clustering methods for spatial data mining", by: "Ng & Han",
          1994),
        type: CLARANS.self, verb: "cluster", oracle: oracle, limits: "to compare with")
      : MethodDescriptor(
        id: 6, name: "fasterclarans", summary: "a random walk over candidates, without a matrix",
        paper: journal, type: CLARANS.self, verb: "cluster", oracle: oracle,
        limits: "compares rows anew for each candidate")
  }

  /// Its own defaults are those of a codebook, for which a sample does.
  private static let everyRow: KMeans = {
    var settings = KMeans(clusterCount: 8)
    settings.maxRowsPerCluster = 1 << 40
    settings.maxIterations = 100
    return settings
  }()

  private static let kMeans: MethodDescriptor = {
    var descriptor = MethodDescriptor(
      id: nil, name: "kmeans", summary: "groups around means, in Euclidean space",
      paper: .init(
        "Least squares quantization in PCM", by: "Lloyd", 1982, "doi:10.1109/TIT.1982.1056489"),
      type: KMeans.self, verb: "cluster", oracle: "means and nearest centroids, one by one",
      limits: "means are no things; outliers pull them")
    // It lives below, and is a clusterer here.
    descriptor.room = "BasisClustering"
    return descriptor
  }()
}
