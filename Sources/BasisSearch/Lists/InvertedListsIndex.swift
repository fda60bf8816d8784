import BasisCodecs
public import BasisCore
import BasisFormats

/// Rows in lists by their nearest centroid, each as a short code: a query scans the codes of the
/// lists nearest to it and measures the best of them exactly. Immutable, and safe to use from any
/// number of threads.
///
/// For a hundred thousand rows and more, where building time matters or where queries come in
/// batches. Distances are those of ``FlatIndex``, bit for bit; only which rows are found is
/// approximate, and how well is measured when the index is built.
///
/// Jégou, Douze & Schmid, *Product quantization for nearest neighbor search*, IEEE TPAMI 33 (2011),
/// doi:10.1109/TPAMI.2010.57, section 4, with 4-bit codes of the residuals; Sun, Simcha, Dopson, Guo
/// & Kumar, *SOAR: improved indexing for approximate nearest neighbor search*, NeurIPS 2023,
/// arXiv:2404.00774, for second lists.
public struct InvertedListsIndex: Sendable {
  /// How an index is built.
  public struct Settings: BasisCore.Settings {
    /// How many lists; nil for 1.6 √*n*.
    public var listCount: Int?
    /// Values of a vector that share a 4-bit word; nil for 2.
    public var wordWidth: Int?
    /// Errors along a row's direction weigh more, as if only queries at a cosine above this
    /// mattered: 0 to 1 (exclusive); 0 for no difference. Not used by the Euclidean distance.
    public var anisotropy: Float = 0.2
    /// Whether each row is in a second list too, chosen so that what is left of it there is across
    /// what is left of it in the first: found with fewer probes, for twice the bytes of codes.
    public var spills = false
    /// Iterations of k-means, for lists and for words; at least 1.
    public var iterations = 10
    /// Rows that play queries when effort is measured; 0 to measure nothing.
    public var calibrationQueries = 400

    public init() {}

    /// How many lists a row is in, of so many.
    func copies(listCount: Int) -> Int { spills && listCount > 1 ? 2 : 1 }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      self.init()
      listCount = try values.decodeIfPresent(Int.self, forKey: .listCount)
      wordWidth = try values.decodeIfPresent(Int.self, forKey: .wordWidth)
      anisotropy = try values.decodeIfPresent(Float.self, forKey: .anisotropy) ?? anisotropy
      spills = try values.decodeIfPresent(Bool.self, forKey: .spills) ?? spills
      iterations = try values.decodeIfPresent(Int.self, forKey: .iterations) ?? iterations
      calibrationQueries =
        try values.decodeIfPresent(Int.self, forKey: .calibrationQueries) ?? calibrationQueries
    }
  }

  public let rows: Matrix
  public let metric: Metric
  public let settings: Settings
  /// The exact index over the same rows: what answers where lists cannot.
  let flat: FlatIndex
  /// `lists × d`.
  let centroids: Matrix
  let book: ProductCodebook
  let lists: CodeLists
  /// The largest of what rows add to Euclidean distances.
  let largestHalf: Float
  let packed: PackedCentroids
  var calibration = Calibration()

  public var count: Int { rows.rowCount }
  public var dimension: Int { rows.columnCount }
  /// How many lists there are: the most that ``Effort/candidates(_:)`` can ask for.
  public var listCount: Int { centroids.rowCount }
  /// How many lists a row is in.
  var copies: Int { settings.copies(listCount: listCount) }

  init(
    rows: Matrix, metric: Metric, settings: Settings, flat: FlatIndex,
    centroids: Matrix, book: ProductCodebook, lists: CodeLists
  ) {
    self.rows = rows
    self.metric = metric
    self.settings = settings
    self.flat = flat
    self.centroids = centroids
    self.book = book
    self.lists = lists
    packed = PackedCentroids(centroids)
    largestHalf = lists.halves.withUnsafeBufferPointer { $0.max() ?? 0 }
  }
}

extension InvertedListsIndex: ApproximateIndex {
  public func search(
    _ queries: Matrix, k: Int, allowing allowed: Bitmap?, effort: Effort, in run: RunContext
  ) throws(BasisError) -> [[Neighbor]] {
    try checkSearch(k: k, allowing: allowed)
    let plan = try plan(for: effort, k: k, allowing: allowed)
    guard let plan, dimension > 0, k > 0, count > 0 else {
      return try flat.search(queries, k: k, allowing: allowed, in: run)
    }
    let prepared = try flat.prepared(queries)
    try run.checkCancelled()
    let scan = ListScan(
      index: self, queries: prepared, k: min(k, count), allowed: allowed, plan: plan)
    let found = try parallelMap(queries.rowCount, grain: ListScan.grain, in: run) {
      (_, range) throws(BasisError) in try scan.search(range, in: run)
    }
    return found.flatMap { $0 }
  }

  /// How many lists are scanned, and how many rows measured.
  public struct Plan: Sendable, Hashable {
    public var probes: Int
    public var shortlist: Int
  }

  /// What an effort means here.
  ///
  /// - Parameters:
  ///   - effort: how hard to look.
  ///   - k: how many neighbours are wanted.
  ///   - allowed: the rows that may be answered, or nil for all.
  /// - Returns: the cheapest plan that was measured to reach the effort, or nil for the exact search.
  /// - Throws: `.invalidArgument` for an effort out of range.
  public func plan(for effort: Effort, k: Int, allowing allowed: Bitmap? = nil) throws(BasisError)
    -> Plan?
  {
    try effort.check("list")
    let share = share(of: allowed)
    switch effort {
    case .exact: return nil
    case .candidates(let probes):
      return calibration.plan(probes: min(probes, listCount), k: k, now: count)
    case .recall(let target):
      guard k > 0, target < 1 else { return nil }
      // Few rows are sooner measured than found.
      guard share > 0.05 else { return nil }
      return calibration.plan(recall: target, k: k, share: share, now: count)
    }
  }
}
