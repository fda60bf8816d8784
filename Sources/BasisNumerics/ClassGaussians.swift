public import BasisCore

/// A Gaussian a class, with one covariance for all or each its own: what linear discriminant analysis,
/// Mahalanobis' distance and mixtures with known parts begin with.
///
/// Which one when: `pooled` unless classes have many more rows than columns and differ in shape;
/// `ledoitWolf` where rows are few for their columns, for it is never singular and seldom worse.
///
/// Fisher, *The use of multiple measurements in taxonomic problems*, Annals of Eugenics 7 (1936),
/// doi:10.1111/j.1469-1809.1936.tb02137.x.
public struct ClassGaussians: Settings {
  /// What the classes share.
  public enum Covariance: String, Sendable, Hashable, Codable, CaseIterable {
    /// One, S = Σ (x − m)(x − m)ᵀ / *N*, with the mean of each row's own class.
    case pooled
    /// Each its own, with its own number of rows below.
    case perClass
  }

  /// What is done to a covariance of few rows.
  public enum Shrinkage: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nothing.
    case none
    /// (1 − s) S + s (tr S / *d*) 1, with the s that comes nearest to the truth as rows grow many:
    /// Ledoit & Wolf, *A well-conditioned estimator for large-dimensional covariance matrices*, Journal
    /// of Multivariate Analysis 88 (2004), doi:10.1016/S0047-259X(03)00096-4, lemmas 3.2 to 3.5.
    case ledoitWolf
  }

  public var covariance: Covariance
  public var shrinkage: Shrinkage

  public init(covariance: Covariance = .pooled, shrinkage: Shrinkage = .none) {
    self.covariance = covariance
    self.shrinkage = shrinkage
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    covariance = try values.decodeIfPresent(Covariance.self, forKey: .covariance) ?? .pooled
    shrinkage = try values.decodeIfPresent(Shrinkage.self, forKey: .shrinkage) ?? .none
  }

  /// Means and covariances.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite; two rows a class, and without shrinkage more than *d* rows for each
  ///     covariance.
  ///   - labels: *n* classes, any whole numbers.
  ///   - run: threads and cancellation. The result does not depend on the threads.
  /// - Throws: `.dimensionMismatch` for another number of labels; `.badData` for too few rows, naming
  ///   the class, rows that do not vary inside their classes, or a value that is not finite, naming
  ///   row and column; `.unsupported` for 2³¹ columns; `.missingDependency` without OpenBLAS;
  ///   `.cancelled`.
  /// - Complexity: O(*n* *d*² + covariances · *d*³), the first part parallel.
  public func fit(_ rows: Matrix, labels: [Int], in run: RunContext = RunContext())
    throws(BasisError) -> ClassGaussiansModel
  {
    try check(rows, labels)
    return try fitUnchecked(rows, labels: labels, in: run)
  }

  /// The conditions of ``fit(_:labels:in:)``.
  package func check(_ rows: Matrix, _ labels: [Int]) throws(BasisError) {
    guard labels.count == rows.rowCount else {
      throw BasisError(
        .dimensionMismatch,
        "there are \(labels.count) labels for \(rows.rowCount) rows; give one a row")
    }
    try rows.requireFinite("the matrix")
    guard rows.rowCount > 0, rows.columnCount > 0 else {
      throw BasisError(
        .badData,
        "Gaussians are fitted to rows and columns, not to \(rows.rowCount) × "
          + "\(rows.columnCount)")
    }
    var counts: [Int: Int] = [:]
    for label in labels { counts[label, default: 0] += 1 }
    if let (label, count) = counts.filter({ $0.value < 2 }).min(by: { $0.key < $1.key }) {
      throw BasisError(
        .badData, "class \(label) has \(count) row; a Gaussian wants at least 2 a class")
    }
    guard shrinkage == .none else { return }
    let d = rows.columnCount
    func tooFew(_ count: Int, _ whose: String) -> BasisError {
      BasisError(
        .badData,
        "\(whose) has \(count) rows for \(d) columns, too few for a covariance; give more than \(d), "
          + "or shrinkage ledoitWolf")
    }
    if covariance == .pooled, rows.rowCount <= d { throw tooFew(rows.rowCount, "the matrix") }
    if covariance == .perClass,
      let (label, count) = counts.filter({ $0.value <= d }).min(by: { $0.key < $1.key })
    {
      throw tooFew(count, "class \(label)")
    }
  }

  /// As ``fit(_:labels:in:)`` for rows that keep its conditions, or nearly: singular covariances
  /// have their pseudo-inverse.
  package func fitUnchecked(_ rows: Matrix, labels: [Int], in run: RunContext) throws(BasisError)
    -> ClassGaussiansModel
  {
    let library = try OpenBLAS.required(for: "a covariance")
    let d = rows.columnCount
    let classes = Set(labels).sorted()
    let place = Dictionary(uniqueKeysWithValues: zip(classes, 0...))
    let groups = labels.map { place[$0] ?? 0 }
    var counts = [Int](repeating: 0, count: classes.count)
    for group in groups { counts[group] += 1 }
    let means = try Self.means(rows, groups, counts, in: run)
    var scatters: [ClassGaussiansModel.Scatter] = []
    switch covariance {
    case .pooled:
      scatters.append(
        try Self.scatter(rows, Array(groups.indices), groups, means, library, in: run))
    case .perClass:
      var members = [[Int]](repeating: [], count: classes.count)
      for (row, group) in groups.enumerated() { members[group].append(row) }
      for own in members {
        scatters.append(try Self.scatter(rows, own, groups, means, library, in: run))
      }
    }
    return try ClassGaussiansModel(
      self, dimension: d, classes: classes, counts: counts, means: means, scatters: scatters)
  }

  /// The mean of each class, one after the other.
  static func means(_ rows: Matrix, _ groups: [Int], _ counts: [Int], in run: RunContext)
    throws(BasisError) -> [Double]
  {
    let d = rows.columnCount
    let size = counts.count * d
    let parts = try parallelMap(rows.rowCount, grain: max(4096, (rows.rowCount + 7) / 8), in: run) {
      (_, range) throws(BasisError) -> [Double] in
      var sums = [Double](repeating: 0, count: size)
      for row in range {
        let start = groups[row] * d
        rows.withRow(row) { values in
          for column in 0..<d { sums[start + column] += Double(values[column]) }
        }
      }
      return sums
    }
    var means = [Double](repeating: 0, count: size)
    for part in parts { for index in 0..<size { means[index] += part[index] } }
    for index in 0..<size { means[index] /= Double(max(1, counts[index / d])) }
    return means
  }

  /// What some rows do about their class means.
  static func scatter(
    _ rows: Matrix, _ members: [Int], _ groups: [Int], _ means: [Double], _ library: OpenBLAS,
    in run: RunContext
  ) throws(BasisError) -> ClassGaussiansModel.Scatter {
    let d = rows.columnCount
    @Sendable func fill(_ places: Range<Int>, _ block: UnsafeMutablePointer<Double>) {
      for (place, member) in places.enumerated() {
        let row = members[member]
        let mean = groups[row] * d
        rows.withRow(row) { values in
          for column in 0..<d {
            block[place * d + column] = Double(values[column]) - means[mean + column]
          }
        }
      }
    }
    var products = try LinearAlgebra.gram(count: members.count, side: d, library, in: run, fill)
    for row in 0..<d {
      for column in 0..<row { products[row * d + column] = products[column * d + row] }
    }
    let fourths = try parallelMap(members.count, grain: 4096, in: run) {
      (_, range) throws(BasisError) -> Double in
      var (sum, block) = (0.0, [Double](repeating: 0, count: d))
      for member in range {
        block.withUnsafeMutableBufferPointer { block in
          if let start = block.baseAddress { fill(member..<member + 1, start) }
        }
        var square = 0.0
        for value in block { square += value * value }
        sum += square * square
      }
      return sum
    }
    return .init(
      count: members.count, products: products, fourthPowers: fourths.reduce(0, +))
  }
}
