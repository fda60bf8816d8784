public import BasisCore
import BasisFormats

/// An approximate index whose rows point at near rows: a search walks from row to row, always on
/// from the nearest that it has seen. Immutable, and safe to use from any number of threads.
///
/// The right index from some ten thousand rows on, while they fit into memory. A walk compares rows
/// as bytes, or as pairs of bits where they have 192 dimensions or more; what it finds is measured again as
/// floats, by the kernel that ``FlatIndex`` uses, so that both give a row the same distance.
///
/// Made by ``Settings/build(_:metric:in:)``:
/// - near rows are found in small groups around random rows, where all pairs are compared, several
///   times over with other groups (as Wang et al., *Scalable k-NN graph construction for visual
///   descriptors*, CVPR 2012, do with random divisions), and once more among the near rows of near
///   rows (Dong et al., *Efficient k-nearest neighbor graph construction*, WWW 2011,
///   doi:10.1145/1963405.1963487);
/// - of those a row keeps the ones that no kept one stands before (the robust pruning of
///   Subramanya et al., *DiskANN*, NeurIPS 2019, algorithm 2), and is kept by them in turn;
/// - what cannot be reached from the first entry then gets an edge from a near row that can.
///
/// Walks start at the nearest of some random rows, which takes the place of a hierarchy of graphs.
///
/// For the inner product rows get one more coordinate that makes them equally long, after which the
/// nearest is the one with the largest product.
///
/// For searches that may not answer with all of the rows, these are also kept in groups around
/// means, with their signs in blocks that are gone through fast.
///
/// Which width of a walk gives which recall is measured at building, with rows that are held out
/// of the graph as queries and put in afterwards.
public struct GraphIndex: Sendable {
  /// The rows themselves, as they were given.
  public let rows: Matrix
  public let metric: Metric
  public let settings: Settings

  let codes: GraphCodes
  /// `maximumDegree` row numbers a row; those after the last neighbour are the row's own.
  let edges: GraphBlock
  let entrances: GraphEntrances
  /// One over the Euclidean norms of the rows; 0 over 0.
  let inverseNorms: GraphBlock
  let calibration: GraphCalibration?
  /// Nil where rows are few. Only searches with a filter ask for them.
  let groups: MadeOnce<GraphGroups?>
  /// In the order of the groups' members; nil where rows have few dimensions.
  let signs: GraphSigns?
  /// Over the same rows.
  let flat: MadeOnce<FlatIndex>
  /// The rows' block in a file, where they are not known to be sound.
  var rowBlock: BlockGuard?
  let scratches = GraphScratchPool()

  public var count: Int { rows.rowCount }
  public var dimension: Int { rows.columnCount }

  /// The size of what it keeps beside the rows.
  public var byteCount: Int {
    [codes.bytes, codes.facts, codes.pairs, edges, inverseNorms]
      .reduce(4 * (GraphGroups.suit(codes) ? count : 0) + (signs?.byteCount ?? 0)) {
        $0 + $1.count * $1.stride
      }
  }

  /// The neighbours of a row in the graph.
  ///
  /// - Precondition: `row` is in `0 ..< count`.
  public func neighbors(of row: Int) -> [Int] {
    precondition(row >= 0 && row < count, "row \(row) of \(count)")
    let degree = settings.maximumDegree
    let list = UnsafeBufferPointer(
      start: edges.base.assumingMemoryBound(to: UInt32.self) + row * degree, count: degree)
    return list.prefix { $0 != UInt32(row) }.map(Int.init)
  }

  /// Where walks may start; all rows can be reached from the first, where there are rows.
  public var entranceRows: [Int] { entrances.rows.map(Int.init) }

  /// How a graph is built; the defaults suit vectors of text and words.
  public struct Settings: BasisCore.Settings {
    /// Neighbours of a row at most, 4 to 128; a multiple of 16 fills cache lines.
    public var maximumDegree = 32
    /// Near rows that are known of each row before it chooses, 1 to 256.
    public var candidateCount = 48
    /// How many times all rows are divided into groups, at least 1.
    public var partitionCount = 4
    /// How many rows a group has on average when each row is in one of it, at least 8.
    public var groupSize = 800
    /// How many groups of one division a row is in, 1 to 8.
    public var groupsPerRow = 2
    /// How often near rows of near rows are looked at.
    public var refinementCount = 1
    /// A row is left out if it is this many times closer, in squared distance, to one that is kept;
    /// at least 1. Larger keeps more.
    public var slack: Float = 1.15
    /// Rows held out to measure recall; fewer where the index has less than ten times as many. An
    /// index that held out fewer than 50 answers ``Effort/recall(_:)`` exactly.
    public var calibrationCount = 200

    public init() {}

    /// What suits searches for a recall: up to 0.97 near rows may be looked for in half the pairs,
    /// and walks are as fast.
    public init(targetRecall: Double) {
      guard targetRecall <= 0.97 else { return }
      partitionCount = 3
      groupSize = 500
    }

    public init(from decoder: any Decoder) throws {
      self.init()
      let values = try decoder.container(keyedBy: CodingKeys.self)
      func read<T: Decodable>(_ key: CodingKeys, _ value: inout T) throws {
        if let found = try values.decodeIfPresent(T.self, forKey: key) { value = found }
      }
      try read(.maximumDegree, &maximumDegree)
      try read(.candidateCount, &candidateCount)
      try read(.partitionCount, &partitionCount)
      try read(.groupSize, &groupSize)
      try read(.groupsPerRow, &groupsPerRow)
      try read(.refinementCount, &refinementCount)
      try read(.slack, &slack)
      try read(.calibrationCount, &calibrationCount)
    }

    func check() throws(BasisError) {
      func require(_ isFine: Bool, _ what: String) throws(BasisError) {
        if !isFine { throw BasisError(.invalidArgument, "graph index: \(what)") }
      }
      try require(
        (4...128).contains(maximumDegree), "maximumDegree is 4 to 128, got \(maximumDegree)")
      try require(
        (1...256).contains(candidateCount), "candidateCount is 1 to 256, got \(candidateCount)")
      try require(
        partitionCount >= 1, "partitionCount is at least 1, got \(partitionCount)")
      try require(groupSize >= 8, "groupSize is at least 8, got \(groupSize)")
      try require((1...8).contains(groupsPerRow), "groupsPerRow is 1 to 8, got \(groupsPerRow)")
      try require(refinementCount >= 0, "refinementCount is at least 0, got \(refinementCount)")
      try require(slack >= 1 && slack.isFinite, "slack is at least 1, got \(slack)")
      try require(
        calibrationCount >= 0, "calibrationCount is at least 0, got \(calibrationCount)")
    }
  }
}
