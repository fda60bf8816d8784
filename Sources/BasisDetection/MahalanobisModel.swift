public import BasisCore
public import BasisFormats
public import BasisNumerics

/// Gaussians of every layer, and how strange rows are to them.
public struct MahalanobisModel: FittedDetector {
  public static let modelName = "mahalanobis detector"

  /// Why a row has the score it has.
  public struct Explanation: Sendable, Hashable {
    /// As of ``MahalanobisModel/scores(of:in:)``.
    public var score: Double
    /// Whether it reaches the threshold.
    public var isAccepted: Bool
    /// The label of the nearest class in the last layer: the class by Gaussian discriminant analysis.
    public var label: Int
    /// The layer that finds it strangest.
    public var layer: Int
    /// The label of the class that is nearest in that layer.
    public var nearestThere: Int
    /// What each layer says, in deviations from what rows that belong have.
    public var layerScores: [Double]
  }

  public let settings: MahalanobisDetector
  /// One a layer.
  public let layers: [ClassGaussiansModel]
  /// What a layer counts; 1 each unless outliers were given.
  public let weights: [Double]
  public let threshold: Double
  public let warnings: [String]
  /// Mean and deviation of each layer's scores, over rows that were held out.
  private let centers: [Double]
  private let scales: [Double]
  /// Gaussians of all rows where the scores are relative, else none.
  private let backgrounds: [ClassGaussiansModel]

  public var layerSizes: [Int] { layers.map(\.dimension) }

  /// - Parameter heldOut: scores of the layers, a list a row, of rows that the fit had not seen.
  init(
    _ settings: MahalanobisDetector, _ layers: [ClassGaussiansModel], heldOut: [[Double]],
    weights: [Double]? = nil, warnings: [String]
  ) throws(BasisError) {
    let moments = layers.indices.map { layer in Moments(heldOut.map { $0[layer] }) }
    let centers = moments.map(\.mean)
    let scales = moments.map { $0.standardDeviation > 0 ? $0.standardDeviation : 1 }
    let weights = weights ?? layers.map { _ in 1 }
    let sums = heldOut.map { row in
      layers.indices.reduce(0.0) {
        $0 + weights[$1] * (row[$1] - centers[$1]) / scales[$1]
      }
    }
    try self.init(
      settings, layers, centers: centers, scales: scales, weights: weights,
      threshold: BasisDetection.threshold(of: sums, accepting: settings.acceptedShare),
      warnings: warnings)
  }

  private init(
    _ settings: MahalanobisDetector, _ layers: [ClassGaussiansModel], centers: [Double],
    scales: [Double], weights: [Double], threshold: Double, warnings: [String]
  ) throws(BasisError) {
    self.settings = settings
    self.layers = layers
    self.centers = centers
    self.scales = scales
    self.weights = weights
    self.threshold = threshold
    self.warnings = warnings
    var backgrounds: [ClassGaussiansModel] = []
    if settings.isRelative {
      for layer in layers { backgrounds.append(try layer.asOneClass()) }
    }
    self.backgrounds = backgrounds
  }

  /// M of some rows, less that of the Gaussian of all rows if there is one, and the nearest classes.
  static func scores(
    _ rows: Matrix, _ gaussians: ClassGaussiansModel, _ background: ClassGaussiansModel?,
    in run: RunContext
  ) throws(BasisError) -> (scores: [Double], classes: [Int]) {
    let own = try gaussians.nearest(to: rows, in: run)
    guard let background else { return (own.squaredDistances.map { -$0 }, own.classes) }
    let all = try background.nearest(to: rows, in: run).squaredDistances
    return (zip(own.squaredDistances, all).map { $1 - $0 }, own.classes)
  }

  /// M of each layer as deviations from what is usual.
  func standardized(_ values: [Double]) -> [Double] {
    values.indices.map { (values[$0] - centers[$0]) / scales[$0] }
  }

  /// A list of layers a row.
  func layerScores(of layers: [Matrix], in run: RunContext) throws(BasisError) -> [[Double]] {
    try scored(layers, in: run).scores
  }

  /// For each row the standardised scores of the layers, and for each layer the nearest classes.
  private func scored(_ layers: [Matrix], in run: RunContext) throws(BasisError) -> (
    scores: [[Double]], classes: [[Int]]
  ) {
    try check(layers)
    var (columns, classes): ([[Double]], [[Int]]) = ([], [])
    for (place, layer) in layers.enumerated() {
      let found = try scores(of: layer, layer: place, in: run)
      columns.append(found.scores)
      classes.append(found.classes)
    }
    let rows = (0..<(layers.first?.rowCount ?? 0)).map { row in
      standardized(columns.map { $0[row] })
    }
    return (rows, classes)
  }

  /// M in one layer, as it comes, and the nearest classes.
  func scores(of rows: Matrix, layer: Int, in run: RunContext) throws(BasisError) -> (
    scores: [Double], classes: [Int]
  ) {
    try Self.scores(
      rows, layers[layer], backgrounds.isEmpty ? nil : backgrounds[layer], in: run)
  }

  func combined(_ standardized: [Double]) -> Double {
    zip(weights, standardized).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The weighed sum of the layers' scores, each in deviations from the mean of rows that belong.
  ///
  /// - Parameters:
  ///   - layers: a matrix a layer, as were fitted.
  ///   - run: threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(rows · (*d*² + classes · *d*)) a layer.
  public func scores(of layers: [Matrix], in run: RunContext) throws(BasisError) -> [Double] {
    try layerScores(of: layers, in: run).map { combined($0) }
  }

  /// The same, with class and layer.
  ///
  /// - Parameters:
  ///   - layers: a matrix a layer, as were fitted.
  ///   - run: threads and cancellation.
  /// - Throws: as ``scores(of:in:)``.
  /// - Complexity: as ``scores(of:in:)``.
  public func explain(_ layers: [Matrix], in run: RunContext = RunContext()) throws(BasisError)
    -> [Explanation]
  {
    let (all, classes) = try scored(layers, in: run)
    let nearest = zip(classes, self.layers).map { found, gaussians in
      found.map { gaussians.classes[$0] }
    }
    return all.enumerated().map { (row, values) in
      let strangest = values.indices.reduce(0) { values[$1] < values[$0] ? $1 : $0 }
      let score = combined(values)
      return Explanation(
        score: score, isAccepted: score >= threshold, label: nearest[nearest.count - 1][row],
        layer: strangest, nearestThere: nearest[strangest][row], layerScores: values)
    }
  }

  /// The same with one more class, from a few rows of it; nothing is fitted anew.
  ///
  /// Means, covariance and the Gaussian of all rows become what they would have been with the class from
  /// the start. What is usual, and the threshold, stay.
  ///
  /// - Parameters:
  ///   - layers: a matrix a layer, at least 2 rows of the class.
  ///   - label: none of the labels that there are.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for a label that there is; `.dimensionMismatch`; `.badData`;
  ///   `.missingDependency` without OpenBLAS; `.cancelled`.
  /// - Complexity: O(rows · *d*² + *d*³) a layer.
  public func addingClass(_ layers: [Matrix], label: Int, in run: RunContext = RunContext())
    throws(BasisError) -> MahalanobisModel
  {
    try check(layers)
    var more: [ClassGaussiansModel] = []
    for (place, layer) in layers.enumerated() {
      more.append(try self.layers[place].adding(layer, label: label, in: run))
    }
    return try MahalanobisModel(
      settings, more, centers: centers, scales: scales, weights: weights, threshold: threshold,
      warnings: warnings)
  }

  // MARK: Files

  private struct Manifest: Codable {
    var settings: MahalanobisDetector
    var centers: [Double]
    var scales: [Double]
    var weights: [Double]
    var threshold: Double
    var warnings: [String]
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      Manifest(
        settings: settings, centers: centers, scales: scales, weights: weights,
        threshold: threshold, warnings: warnings))
    for (place, layer) in layers.enumerated() {
      try file.add(layer, prefix: "layer\(place).")
    }
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(Manifest.self)
    let count = manifest.centers.count
    guard count >= 1, manifest.scales.count == count, manifest.weights.count == count,
      manifest.scales.allSatisfy({ $0 > 0 })
    else { throw BasisError(.corruptFile, "\(file.path): its layers have no scales") }
    let settings = manifest.settings
    let gaussians = ClassGaussians(covariance: settings.covariance, shrinkage: settings.shrinkage)
    var layers: [ClassGaussiansModel] = []
    for place in 0..<count {
      layers.append(try file.gaussians(gaussians, prefix: "layer\(place)."))
    }
    try self.init(
      settings, layers, centers: manifest.centers, scales: manifest.scales,
      weights: manifest.weights, threshold: manifest.threshold, warnings: manifest.warnings)
  }
}
