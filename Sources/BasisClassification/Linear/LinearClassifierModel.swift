public import BasisCore
public import BasisFormats
import Foundation

/// A weight for each class and column: the likelier class is the one of the higher sum.
///
/// The probabilities are exp of *b*_k + *w*_k · (*x* − *c*), brought to sum 1. Computed in `Double`,
/// row by row: they do not depend on which rows come together.
public struct LinearClassifierModel: FittedClassifier, Hashable {
  public static let modelName = "linear classifier"

  public let classes: [Int]
  public let columnCount: Int
  /// *w*, `K × d`, row-major.
  public let weights: [Double]
  /// *b*, *K* numbers.
  public let intercepts: [Double]
  /// *c*, *d* numbers: what is taken off each row first, so that columns far from zero lose no digits.
  public let center: [Double]
  public let warnings: [String]
  /// How it was found; nil for what no search made.
  public let fit: Fit?

  /// How the weights were found.
  public struct Fit: Hashable, Codable, Sendable {
    /// The mean loss of a row and the penalty by *n*, at the end.
    public var loss: Double
    /// The largest slope of that, without its sign, in the scale that was searched in.
    public var largestSlope: Double
    public var iterationCount: Int
    public var isConverged: Bool
  }

  /// - Parameters:
  ///   - classes: *K* ≥ 1, rising.
  ///   - weights: `K × d`, row-major, finite.
  ///   - intercepts: *K*, finite.
  ///   - center: *d*, finite.
  ///   - fit: how they were found.
  ///   - warnings: what to keep in mind.
  /// - Throws: `.dimensionMismatch` for counts that do not fit each other.
  public init(
    classes: [Int], weights: [Double], intercepts: [Double], center: [Double], fit: Fit? = nil,
    warnings: [String] = []
  ) throws(BasisError) {
    guard !classes.isEmpty, intercepts.count == classes.count,
      weights.count == classes.count * center.count
    else {
      throw BasisError(
        .dimensionMismatch,
        "\(classes.count) classes of \(center.count) columns need \(classes.count) intercepts and "
          + "\(classes.count * center.count) weights, not \(intercepts.count) and \(weights.count)")
    }
    self.classes = classes
    columnCount = center.count
    self.weights = weights
    self.intercepts = intercepts
    self.center = center
    self.fit = fit
    self.warnings = warnings
  }

  /// The sums *b*_k + *w*_k · (*x* − *c*).
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Returns: `m × K`, row-major.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(*m* *K* *d*), parallel over rows.
  public func scores(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try rows.requireRows(of: columnCount, for: "linear classifier")
    let (d, k) = (columnCount, classes.count)
    return try parallelMap(rows.rowCount, grain: 256, in: run) { (_, range) -> [Double] in
      var row = [Double](repeating: 0, count: d)
      var out: [Double] = []
      out.reserveCapacity(range.count * k)
      for index in range {
        rows.withRow(index) { values in
          for column in 0..<d { row[column] = Double(values[column]) - center[column] }
        }
        for place in 0..<k { out.append(intercepts[place] + product(row, place * d)) }
      }
      return out
    }.flatMap { $0 }
  }

  private func product(_ row: [Double], _ start: Int) -> Double {
    let d = columnCount
    return row.withUnsafeBufferPointer { row in
      weights.withUnsafeBufferPointer { weights in
        // Four sums, so that one addition need not wait for the last.
        var (a, b, c, e) = (0.0, 0.0, 0.0, 0.0)
        var column = 0
        while column + 4 <= d {
          a += row[column] * weights[start + column]
          b += row[column + 1] * weights[start + column + 1]
          c += row[column + 2] * weights[start + column + 2]
          e += row[column + 3] * weights[start + column + 3]
          column += 4
        }
        while column < d {
          a += row[column] * weights[start + column]
          column += 1
        }
        return (a + b) + (c + e)
      }
    }
  }

  public func probabilities(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    Softmax.probabilities(try scores(rows, in: run), classCount: classes.count)
  }

  /// The likeliest class, told from the sums themselves: no two that differ become equal on the way.
  public func predict(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> [Int]
  {
    Softmax.likeliest(try scores(rows, in: run), classes)
  }

  // MARK: Files

  /// What is no tensor.
  struct Manifest: Codable {
    var fit: Fit?
    var warnings: [String]
  }

  var manifest: Manifest { Manifest(fit: fit, warnings: warnings) }

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(manifest)
    try addTensors(to: &file)
  }

  func addTensors(to file: inout ModelWriter) throws(BasisError) {
    try file.tensors.add("classes", shape: [classes.count], classes.map { Int64($0) })
    try file.tensors.add("weights", shape: [classes.count, columnCount], weights)
    try file.tensors.add("intercepts", shape: [classes.count], intercepts)
    try file.tensors.add("center", shape: [columnCount], center)
  }

  public init(from file: ModelFile) throws(BasisError) {
    try self.init(tensorsOf: file, file.manifest(Manifest.self))
  }

  init(tensorsOf file: ModelFile, _ manifest: Manifest) throws(BasisError) {
    let classes = try file.tensors.integers("classes").map { Int($0) }
    let columnCount = file.tensors["center"]?.count ?? 0
    try self.init(
      classes: classes,
      weights: file.doubles("weights", count: classes.count * columnCount),
      intercepts: file.doubles("intercepts", count: classes.count),
      center: file.doubles("center", count: columnCount), fit: manifest.fit,
      warnings: manifest.warnings)
  }
}

/// Sums of classes as probabilities.
enum Softmax {
  /// - Parameter scores: `m × K`, row-major; changed to probabilities.
  static func normalize(_ scores: inout [Double], classCount k: Int) {
    for start in stride(from: 0, to: scores.count, by: max(k, 1)) {
      var top = scores[start]
      for index in start..<start + k { top = max(top, scores[index]) }
      var sum = 0.0
      for index in start..<start + k {
        scores[index] = exp(scores[index] - top)
        sum += scores[index]
      }
      for index in start..<start + k { scores[index] /= sum }
    }
  }

  static func probabilities(_ scores: [Double], classCount k: Int) -> Matrix {
    var scores = scores
    normalize(&scores, classCount: k)
    return Matrix(rowCount: scores.count / max(k, 1), columnCount: k) { out in
      for index in out.indices { out[index] = Float(scores[index]) }
    }
  }

  static func likeliest(_ scores: [Double], _ classes: [Int]) -> [Int] {
    stride(from: 0, to: scores.count, by: classes.count).map { start in
      var best = start
      for index in start..<start + classes.count where scores[index] > scores[best] {
        best = index
      }
      return classes[best - start]
    }
  }
}
