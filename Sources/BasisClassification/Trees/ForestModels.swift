public import BasisCore
public import BasisFormats

/// Trees whose mean is a number.
public struct ForestRegressor: FittedRegressor, SmootherWeights, Hashable {
  public static let modelName = "forest regressor"

  public let ensemble: TreeEnsemble
  public let warnings: [String]

  public var columnCount: Int { ensemble.columnCount }
  public var trainingCount: Int { ensemble.trainingCount }

  init(_ ensemble: TreeEnsemble, warnings: [String]) {
    self.ensemble = ensemble
    self.warnings = warnings
  }

  /// - Complexity: O(*m* · trees · depth), parallel over rows.
  public func predict(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try rows.requireRows(of: columnCount, for: "forest")
    let scale = 1 / Double(ensemble.trees.count)
    return try ensemble.sums(rows, outputCount: 1, in: run).map { $0 * scale }
  }

  /// The mean of only the first trees.
  func predict(_ rows: Matrix, prefix: Int, in run: RunContext) throws(BasisError) -> [Double] {
    let scale = 1 / Double(prefix)
    return try ensemble.sums(rows, outputCount: 1, prefix: prefix, in: run).map { $0 * scale }
  }

  public func weights(for rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try rows.requireRows(of: columnCount, for: "forest")
    return try ensemble.weights(for: rows, in: run)
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(ForestManifest(columnCount: columnCount, classes: [], warnings: warnings))
    try ensemble.write(to: &file)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(ForestManifest.self)
    warnings = manifest.warnings
    ensemble = try TreeEnsemble(from: file, columnCount: manifest.columnCount, outputCount: 1)
  }
}

/// Trees whose mean is the share of each class.
public struct ForestClassifier: FittedClassifier, SmootherWeights, Hashable {
  public static let modelName = "forest classifier"

  public let ensemble: TreeEnsemble
  public let classes: [Int]
  public let warnings: [String]

  public var columnCount: Int { ensemble.columnCount }
  public var trainingCount: Int { ensemble.trainingCount }

  init(_ ensemble: TreeEnsemble, classes: [Int], warnings: [String]) {
    self.ensemble = ensemble
    self.classes = classes
    self.warnings = warnings
  }

  /// - Complexity: O(*m* · trees · (depth + *K*)), parallel over rows.
  public func probabilities(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    try rows.requireRows(of: columnCount, for: "forest")
    let sums = try ensemble.sums(rows, outputCount: classes.count, in: run)
    let scale = 1 / Double(ensemble.trees.count)
    return Matrix(rowCount: rows.rowCount, columnCount: classes.count) { out in
      for index in out.indices { out[index] = Float(sums[index] * scale) }
    }
  }

  public func weights(for rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try rows.requireRows(of: columnCount, for: "forest")
    return try ensemble.weights(for: rows, in: run)
  }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(
      ForestManifest(columnCount: columnCount, classes: classes, warnings: warnings))
    try ensemble.write(to: &file)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let manifest = try file.manifest(ForestManifest.self)
    classes = manifest.classes
    warnings = manifest.warnings
    ensemble = try TreeEnsemble(
      from: file, columnCount: manifest.columnCount, outputCount: manifest.classes.count)
  }
}

private struct ForestManifest: Codable {
  var columnCount: Int
  var classes: [Int]
  var warnings: [String]
}
