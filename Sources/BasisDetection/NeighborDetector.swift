public import BasisCore
public import BasisFormats
import BasisSearch

/// Strange is what is far from its *k*-th nearest row of those that belong.
///
/// Needs no labels and no shape of the classes; it is the safe choice where new things look like old
/// ones. It keeps all rows, and compares with each.
///
/// Sun, Ming, Zhu & Li, *Out-of-distribution detection with deep nearest neighbors* (2022),
/// arXiv:2204.06507, algorithm 1.
public struct NeighborDetector: Detector {
  /// *k*, at least 1; fewer where there are fewer rows.
  public var neighborCount: Int
  /// Whether rows are brought to unit length first, as the paper does.
  public var isNormalized: Bool
  /// Of rows that belong, between 0 and 1.
  public var acceptedShare: Double

  public init(neighborCount: Int = 50, isNormalized: Bool = true, acceptedShare: Double = 0.95) {
    self.neighborCount = neighborCount
    self.isNormalized = isNormalized
    self.acceptedShare = acceptedShare
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = NeighborDetector()
    neighborCount =
      try values.decodeIfPresent(Int.self, forKey: .neighborCount) ?? defaults.neighborCount
    isNormalized =
      try values.decodeIfPresent(Bool.self, forKey: .isNormalized) ?? defaults.isNormalized
    acceptedShare =
      try values.decodeIfPresent(Double.self, forKey: .acceptedShare) ?? defaults.acceptedShare
  }

  /// So many rows are asked for their neighbours among the others, for a threshold.
  private static let askedCount = 4096

  /// Keeps the rows, and finds the threshold: from each row's neighbours among the others, or from those
  /// of 4,096 rows.
  ///
  /// - Parameters:
  ///   - input: at least 2 rows.
  ///   - run: the seed draws rows where there are many.
  /// - Throws: `.invalidArgument` for settings out of range; `.badData` for fewer rows, or naming row
  ///   and column; `.cancelled`.
  /// - Complexity: O(min(*n*, 4096) *n* *d*).
  public func fit(_ input: Matrix, in run: RunContext) throws(BasisError) -> NeighborDetectorModel {
    guard neighborCount >= 1 else {
      throw BasisError(.invalidArgument, "\(neighborCount) neighbours; there is at least 1")
    }
    guard input.rowCount >= 2, input.columnCount >= 1 else {
      throw BasisError(
        .badData,
        "neighbours are sought among at least 2 rows, not \(input.rowCount) × \(input.columnCount)")
    }
    try input.requireFinite("the matrix")
    var warnings: [String] = []
    let k = min(neighborCount, input.rowCount - 1)
    if k < neighborCount {
      warnings.append("there are \(k) other rows to be neighbours, not \(neighborCount)")
    }
    let asked = RowContent.sample(input, atMost: Self.askedCount, in: run)
    let model = try NeighborDetectorModel(
      self, isNormalized ? input.withUnitRows() : input, neighborCount: k, threshold: 0,
      warnings: warnings)
    // A row is its own nearest neighbour, or one of its equals is.
    let held = try model.scores(
      model.rows.selecting(rows: asked), neighborCount: k + 1, in: run)
    return try NeighborDetectorModel(
      self, model.rows, neighborCount: k,
      threshold: BasisDetection.threshold(of: held, accepting: acceptedShare), warnings: warnings)
  }
}

/// Rows that belong, and how far others are from them.
public struct NeighborDetectorModel: FittedDetector {
  public static let modelName = "neighbour detector"

  public let settings: NeighborDetector
  /// `n × d`, of unit length if the settings say so.
  public let rows: Matrix
  /// *k*, at most the number of rows less 1.
  public let neighborCount: Int
  public let threshold: Double
  public let warnings: [String]
  private let index: FlatIndex

  public var layerSizes: [Int] { [rows.columnCount] }

  init(
    _ settings: NeighborDetector, _ rows: Matrix, neighborCount: Int, threshold: Double,
    warnings: [String]
  ) throws(BasisError) {
    self.settings = settings
    self.rows = rows
    self.neighborCount = neighborCount
    self.threshold = threshold
    self.warnings = warnings
    index = try FlatIndex(rows, metric: .squaredEuclidean)
  }

  /// Less the distance from the *k*-th nearest row, at most 0.
  ///
  /// - Parameters:
  ///   - layers: one matrix.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(rows · *n* *d*).
  public func scores(of layers: [Matrix], in run: RunContext) throws(BasisError) -> [Double] {
    try check(layers)
    let asked = settings.isNormalized ? layers[0].withUnitRows() : layers[0]
    return try scores(asked, neighborCount: neighborCount, in: run)
  }

  fileprivate func scores(_ asked: Matrix, neighborCount k: Int, in run: RunContext)
    throws(BasisError) -> [Double]
  {
    try index.search(asked, k: k, in: run).map { found in
      -Double(found.last?.distance ?? 0).squareRoot()
    }
  }

  // MARK: Files

  private struct Manifest: Codable {
    var settings: NeighborDetector
    var neighborCount: Int
    var threshold: Double
    var warnings: [String]
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        settings: settings, neighborCount: neighborCount, threshold: threshold, warnings: warnings))
    try file.tensors.add("rows", rows)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    let rows = try file.tensors.matrix("rows")
    guard manifest.neighborCount >= 1, manifest.neighborCount < rows.rowCount else {
      throw BasisError(
        .corruptFile,
        "\(file.path): has \(rows.rowCount) rows for \(manifest.neighborCount) neighbours")
    }
    try self.init(
      manifest.settings, rows, neighborCount: manifest.neighborCount,
      threshold: manifest.threshold, warnings: manifest.warnings)
  }
}
