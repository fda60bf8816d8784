public import BasisCore
public import BasisNumerics
import Foundation

/// Each class a bell, all of one shape: linear discriminant analysis, in closed form.
///
/// The likelier class is the one of the higher log *p*_k + (*m*_k − *c*)ᵀ S⁻¹ (*x* − *c*) − ½ (*m*_k −
/// *c*)ᵀ S⁻¹ (*m*_k − *c*), with S = Σ (*x* − *m*)(*x* − *m*)ᵀ / *n* of all rows about their class means:
/// naive Bayes' rule that knows how columns go together.
///
/// Which one when: where columns depend on each other and rows are several times as many, it is near the
/// best plane for bells, and needs no search. Where rows are few for their columns, with `ledoitWolf`.
/// ``LogisticRegression`` is no worse with many rows, whatever their shape; ``QuadraticDiscriminant``
/// where classes differ in shape and have many rows each.
///
/// Fisher, *The use of multiple measurements in taxonomic problems*, Annals of Eugenics 7 (1936),
/// doi:10.1111/j.1469-1809.1936.tb02137.x; with shares of classes and more of them as in Hastie, Tibshirani
/// & Friedman, *The Elements of Statistical Learning* (2009), equation 4.10.
public struct LinearDiscriminant: Classifier {
  /// What is done to the covariance where rows are few.
  public var shrinkage: ClassGaussians.Shrinkage
  /// The share of the sphere that the covariance is shrunk by, 0 to 1; nil for what ``shrinkage`` finds.
  public var share: Double?
  /// Whether all classes are taken to be as frequent, however many rows they have here.
  public var isBalanced: Bool

  /// - Parameters:
  ///   - shrinkage: what is done where rows are few.
  ///   - share: what the covariance is shrunk by.
  ///   - isBalanced: whether all classes are taken to be as frequent.
  public init(
    shrinkage: ClassGaussians.Shrinkage = .none, share: Double? = nil, isBalanced: Bool = false
  ) {
    self.shrinkage = shrinkage
    self.share = share
    self.isBalanced = isBalanced
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    shrinkage =
      try values.decodeIfPresent(ClassGaussians.Shrinkage.self, forKey: .shrinkage) ?? shrinkage
    share = try values.decodeIfPresent(Double.self, forKey: .share)
    isBalanced = try values.decodeIfPresent(Bool.self, forKey: .isBalanced) ?? isBalanced
  }

  /// - Parameters:
  ///   - input: rows of two classes at least, and without shrinkage more rows than columns.
  ///   - run: threads and cancellation.
  /// - Returns: the weights in the units of the columns, around the columns' means. Where columns repeat
  ///   others, those of the least length that tell as much, with a warning.
  /// - Throws: `.invalidArgument` for a share outside 0 … 1; `.badData` naming row and column, for a single
  ///   class, for too few rows, or for rows that do not vary inside their classes; `.missingDependency`
  ///   without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n* *d*² + *d*³).
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> LinearClassifierModel
  {
    let method = "linear discriminant analysis"
    try Discriminant.check(input, share, method)
    let (n, d) = (input.rows.rowCount, input.rows.columnCount)
    guard n > d || shrinkage != .none || share ?? 0 > 0 else {
      throw BasisError(
        .badData,
        "\(method): \(n) rows for \(d) columns are too few for a covariance; give more than \(d), or "
          + "shrinkage ledoitWolf")
    }
    var gaussians = try ClassGaussians(shrinkage: share == nil ? shrinkage : .none)
      .fitUnchecked(input.rows, labels: input.labels, in: run)
    if let share { gaussians = try gaussians.shrunk(by: share) }
    return try model(gaussians)
  }

  private func model(_ gaussians: ClassGaussiansModel) throws(BasisError) -> LinearClassifierModel {
    let d = gaussians.dimension
    let (map, rank) = try gaussians.whitening()
    let shares = Discriminant.logShares(gaussians.counts, isBalanced: isBalanced)
    let center = Discriminant.center(gaussians)
    var weights: [Double] = []
    var intercepts: [Double] = []
    for (place, share) in shares.enumerated() {
      let offset = (0..<d).map { gaussians.means[place * d + $0] - center[$0] }
      var own = [Double](repeating: 0, count: d)
      var length = 0.0
      for row in 0..<rank {
        var along = 0.0
        for column in 0..<d { along += map[row * d + column] * offset[column] }
        for column in 0..<d { own[column] += along * map[row * d + column] }
        length += along * along
      }
      weights += own
      intercepts.append(share - length / 2)
    }
    let warning =
      "rows vary inside their classes in \(rank) of \(d) directions; differences in the others are not "
      + "seen"
    return try LinearClassifierModel(
      classes: gaussians.classes, weights: weights, intercepts: intercepts, center: center,
      warnings: rank < d ? [warning] : [])
  }
}

/// What the two analyses share.
enum Discriminant {
  static func check(_ input: LabeledRows, _ share: Double?, _ method: String) throws(BasisError) {
    guard share.map({ (0...1).contains($0) }) ?? true else {
      throw BasisError(
        .invalidArgument, "\(method): the share is 0 to 1, and not \(share ?? .nan)")
    }
    try input.rows.requireFinite("the rows")
    _ = try ClassPlaces(input.labels, for: method)
    guard input.rows.columnCount >= 1 else {
      throw BasisError(.badData, "\(method) needs 1 column at least; there are none")
    }
  }

  static func logShares(_ counts: [Int], isBalanced: Bool) -> [Double] {
    let n = Double(counts.reduce(0, +))
    return counts.map { isBalanced ? -log(Double(counts.count)) : log(Double($0) / n) }
  }

  /// The mean of all rows.
  static func center(_ gaussians: ClassGaussiansModel) -> [Double] {
    let d = gaussians.dimension
    let n = Double(gaussians.counts.reduce(0, +))
    return (0..<d).map { column in
      gaussians.counts.indices.reduce(0.0) { sum, place in
        sum + Double(gaussians.counts[place]) / n * gaussians.means[place * d + column]
      }
    }
  }
}
