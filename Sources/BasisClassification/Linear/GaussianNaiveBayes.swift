public import BasisCore
public import BasisFormats
public import BasisNumerics
import Foundation

/// Each class a bell in each column, columns taken as independent: closed form, one pass, further rows
/// at any time.
///
/// Which one when: naive Bayes needs O(log *d*) rows to come near its own best, logistic regression
/// O(*d*); whose best is better is another matter, and nearly always logistic regression's. ``HeadReferee``
/// measures both. With `.shared` variances the border is a plane, as that of logistic regression, and
/// ``GaussianNaiveBayesModel/linear()`` gives it as one.
///
/// Zheng et al., *Revisiting Discriminative vs. Generative Classifiers: Theory and
/// Implications* (2023), arXiv:2302.02334, section 2; the variance of `.shared` is that of their code:
/// Σ_k p_k v_kf, and not scikit-learn's, which is `.perClass`.
public struct GaussianNaiveBayes: StreamingClassifier {
  /// Of which rows a variance is.
  public enum Variance: String, Sendable, Hashable, Codable, CaseIterable {
    /// One for each column, within classes: linear.
    case shared
    /// One for each column and class: quadratic.
    case perClass
  }

  public var variance: Variance
  /// Added to every variance, above 0: constant columns have none.
  public var floor: Double

  /// - Parameters:
  ///   - variance: of which rows a variance is.
  ///   - floor: added to every variance.
  public init(variance: Variance = .shared, floor: Double = 1e-9) {
    self.variance = variance
    self.floor = floor
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    variance = try values.decodeIfPresent(Variance.self, forKey: .variance) ?? variance
    floor = try values.decodeIfPresent(Double.self, forKey: .floor) ?? floor
  }

  /// - Parameters:
  ///   - input: rows of two classes at least.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for a floor that is not above 0; `.badData` naming row and column, for a
  ///   single class, or with `.perClass` for a class of one row; `.cancelled`.
  /// - Complexity: O(*n* *d*) time, O(*K* *d*) memory.
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> GaussianNaiveBayesModel
  {
    try input.rows.requireFinite("the rows")
    return try fit(ClassMoments(input.rows, labels: input.labels, in: run))
  }

  public func fit(
    _ input: LabeledRows, after earlier: GaussianNaiveBayesModel,
    in run: RunContext = RunContext()
  ) throws(BasisError) -> GaussianNaiveBayesModel {
    try input.rows.requireFinite("the rows")
    var moments = earlier.moments
    try moments.merge(ClassMoments(input.rows, labels: input.labels, in: run))
    return try fit(moments)
  }

  /// From what is known of all rows.
  ///
  /// - Parameter moments: of two classes at least.
  /// - Throws: as the others.
  /// - Complexity: O(*K* *d*).
  public func fit(_ moments: ClassMoments) throws(BasisError) -> GaussianNaiveBayesModel {
    guard floor > 0, floor.isFinite else {
      throw BasisError(
        .invalidArgument, "naive Bayes: the floor of variances is above 0, not \(floor)")
    }
    guard moments.classes.count >= 2 else {
      throw BasisError(
        .badData,
        "naive Bayes needs rows of 2 classes at least; there "
          + (moments.classes.isEmpty ? "are none" : "is 1"))
    }
    if variance == .perClass, let place = moments.counts.firstIndex(of: 1) {
      throw BasisError(
        .badData,
        "naive Bayes: class \(moments.classes[place]) has 1 row, of which there is no variance; give "
          + "more, or take the shared variance")
    }
    return GaussianNaiveBayesModel(moments, self)
  }
}

/// What is known of each class and column, and the class that fits a row best.
public struct GaussianNaiveBayesModel: FittedClassifier, Hashable {
  public static let modelName = "gaussian naive bayes"

  /// Of all rows that were seen: further ones can be taken in.
  public let moments: ClassMoments
  public let settings: GaussianNaiveBayes
  public let warnings: [String]
  /// `1 × d` for shared variances, else `K × d`: with the floor.
  public let variances: [Double]

  public var classes: [Int] { moments.classes }
  public var columnCount: Int { moments.columnCount }

  init(_ moments: ClassMoments, _ settings: GaussianNaiveBayes) {
    self.moments = moments
    self.settings = settings
    let d = moments.columnCount
    let pooled = moments.pooledVariances
    switch settings.variance {
    case .shared: variances = pooled.map { $0 + settings.floor }
    case .perClass:
      variances = moments.squaredDeviations.indices.map { index in
        moments.squaredDeviations[index] / Double(moments.counts[index / d]) + settings.floor
      }
    }
    let constant = pooled.indices.filter { pooled[$0] == 0 }
    warnings =
      constant.isEmpty
      ? []
      : [
        "\(constant.count) of \(d) columns, the first of them \(constant[0]), do not vary within any "
          + "class; their variance is the floor \(settings.floor)"
      ]
  }

  /// The log of each class's share.
  private var logShares: [Double] {
    let n = Double(moments.count)
    return moments.counts.map { log(Double($0) / n) }
  }

  /// log *p*_k − ½ Σ (log *v* + (*x* − *μ*_k)² / *v*), without the log of shared variances, which all
  /// classes have.
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
    try rows.requireRows(of: columnCount, for: "naive Bayes")
    let (d, k) = (columnCount, classes.count)
    let isShared = settings.variance == .shared
    let halves = variances.map { 0.5 / $0 }
    var offsets = logShares
    if !isShared {
      for place in 0..<k {
        for column in 0..<d { offsets[place] -= 0.5 * log(variances[place * d + column]) }
      }
    }
    let starts = offsets
    let means = moments.means
    return try parallelMap(rows.rowCount, grain: 256, in: run) { (_, range) -> [Double] in
      var out: [Double] = []
      out.reserveCapacity(range.count * k)
      for index in range {
        rows.withRow(index) { values in
          for place in 0..<k {
            var sum = 0.0
            let (own, spread) = (place * d, isShared ? 0 : place * d)
            for column in 0..<d {
              let deviation = Double(values[column]) - means[own + column]
              sum += deviation * deviation * halves[spread + column]
            }
            out.append(starts[place] - sum)
          }
        }
      }
      return out
    }.flatMap { $0 }
  }

  public func probabilities(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> Matrix
  {
    Softmax.probabilities(try scores(rows, in: run), classCount: classes.count)
  }

  /// The likeliest class, told from the scores themselves.
  public func predict(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> [Int]
  {
    Softmax.likeliest(try scores(rows, in: run), classes)
  }

  /// The same borders as weights: *w*_k = (*μ*_k − *c*) / *v* around the mean *c* of all rows.
  ///
  /// - Throws: `.unsupported` for variances of each class, whose borders are curved.
  /// - Complexity: O(*K* *d*).
  public func linear() throws(BasisError) -> LinearClassifierModel {
    guard settings.variance == .shared else {
      throw BasisError(
        .unsupported,
        "naive Bayes with a variance for each class is not linear; fit it with the shared variance")
    }
    let (d, center) = (columnCount, moments.overallMeans)
    var weights = moments.means
    var intercepts = logShares
    for place in classes.indices {
      for column in 0..<d {
        let deviation = moments.means[place * d + column] - center[column]
        weights[place * d + column] = deviation / variances[column]
        intercepts[place] -= deviation * deviation / (2 * variances[column])
      }
    }
    return try LinearClassifierModel(
      classes: classes, weights: weights, intercepts: intercepts, center: center,
      warnings: warnings)
  }

  // MARK: Files

  public func write(to file: inout ModelWriter) throws(BasisError) {
    try file.setManifest(settings)
    try file.tensors.add("classes", shape: [classes.count], classes.map { Int64($0) })
    try file.tensors.add("counts", shape: [classes.count], moments.counts.map { Int64($0) })
    try file.tensors.add("means", shape: [classes.count, columnCount], moments.means)
    try file.tensors.add(
      "squared_deviations", shape: [classes.count, columnCount], moments.squaredDeviations)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let settings = try file.manifest(GaussianNaiveBayes.self)
    let classes = try file.tensors.integers("classes").map { Int($0) }
    guard let shape = file.tensors["means"]?.shape, shape.count == 2 else {
      throw BasisError(.dimensionMismatch, "\(file.path): 'means' should be classes × columns")
    }
    let moments = try ClassMoments(
      columnCount: shape[1], classes: classes,
      counts: file.integers("counts", count: classes.count),
      means: file.doubles("means", count: classes.count * shape[1]),
      squaredDeviations: file.doubles("squared_deviations", count: classes.count * shape[1]))
    self = try settings.fit(moments)
  }
}
