public import BasisCore

/// Gaussians of classes, and how far rows are from each.
///
/// Rows are taken to where the covariance is the unit one, once, and compared with class means there.
public struct ClassGaussiansModel: Sendable {
  /// What rows do about their class means.
  public struct Scatter: Sendable, Hashable {
    /// How many rows.
    public var count: Int
    /// Σ (x − m)(x − m)ᵀ, `d × d`.
    public var products: [Double]
    /// Σ ‖x − m‖⁴, which tells how sure the products are.
    public var fourthPowers: Double

    public init(count: Int, products: [Double], fourthPowers: Double) {
      self.count = count
      self.products = products
      self.fourthPowers = fourthPowers
    }
  }

  /// The class that is nearest to each row, and how far it is.
  public struct Nearest: Sendable, Hashable {
    /// Places in ``ClassGaussiansModel/classes``; the first of equals.
    public var classes: [Int]
    /// (x − m)ᵀ S⁻¹ (x − m), at least 0.
    public var squaredDistances: [Double]
  }

  public let settings: ClassGaussians
  /// *d*.
  public let dimension: Int
  /// Labels, rising; classes that were added come after.
  public let classes: [Int]
  /// Rows of each class.
  public let counts: [Int]
  /// The means, `classes × d`.
  public let means: [Double]
  /// One if the covariance is pooled, else one a class.
  public let scatters: [Scatter]
  /// What each covariance was shrunk by, 0 to 1.
  public let shrinkages: [Double]
  /// How many directions each covariance has; in the others, fewer than *d*, rows do not vary, and no
  /// difference is seen.
  public var ranks: [Int] { maps.map(\.rank) }

  let maps: [WhiteningMap]
  /// The class means where the pooled covariance is the unit one; no rows if each class has its own.
  let centers: Matrix
  let nearestCenter: NearestCentroid?

  /// - Parameters:
  ///   - settings: whose kind of covariance `scatters` are.
  ///   - dimension: *d*, at least 1.
  ///   - classes: labels.
  ///   - counts: rows of each class.
  ///   - means: `classes × d`.
  ///   - scatters: one, or one a class.
  ///   - shrinkages: nil for those of the settings.
  /// - Throws: `.dimensionMismatch` for parts that do not fit; `.badData` for covariances of zeros;
  ///   `.missingDependency` without OpenBLAS.
  package init(
    _ settings: ClassGaussians, dimension: Int, classes: [Int], counts: [Int], means: [Double],
    scatters: [Scatter], shrinkages: [Double]? = nil
  ) throws(BasisError) {
    let d = dimension
    let wanted = settings.covariance == .pooled ? 1 : classes.count
    guard d >= 1, !classes.isEmpty, counts.count == classes.count, means.count == classes.count * d,
      scatters.count == wanted,
      scatters.allSatisfy({ $0.products.count == d * d && $0.count >= 1 }),
      counts.allSatisfy({ $0 >= 1 }), shrinkages.map({ $0.count == wanted }) ?? true
    else {
      throw BasisError(
        .dimensionMismatch,
        "\(classes.count) classes in \(d) columns do not go with \(counts.count) counts, "
          + "\(means.count) values of means and \(scatters.count) covariances")
    }
    let library = try OpenBLAS.required(for: "a covariance")
    self.settings = settings
    self.dimension = d
    self.classes = classes
    self.counts = counts
    self.means = means
    self.scatters = scatters
    let shrunk =
      shrinkages
      ?? scatters.map { settings.shrinkage == .none ? 0 : Self.ledoitWolf($0, dimension: d) }
    self.shrinkages = shrunk
    var maps: [WhiteningMap] = []
    for (index, scatter) in scatters.enumerated() {
      let center =
        settings.covariance == .pooled
        ? Self.center(counts, means, dimension: d) : Array(means[index * d..<(index + 1) * d])
      let covariance = Self.covariance(scatter, by: shrunk[index], dimension: d)
      let (rows, rank) = try LinearAlgebra.whitening(covariance, side: d, library)
      guard rank > 0 else {
        let whose = settings.covariance == .pooled ? "rows" : "rows of class \(classes[index])"
        throw BasisError(
          .badData, "the \(whose) do not differ from their class mean: there is no covariance")
      }
      maps.append(WhiteningMap(rows, rank: rank, center: center))
    }
    self.maps = maps
    guard settings.covariance == .pooled else {
      centers = Matrix(rowCount: 0, columnCount: 0)
      nearestCenter = nil
      return
    }
    centers = Matrix(rowCount: classes.count, columnCount: maps[0].rank) { out in
      for index in classes.indices {
        maps[0].apply(toMean: Array(means[index * d..<(index + 1) * d]), index, out)
      }
    }
    nearestCenter = NearestCentroid(centers, ignoringLengths: false)
  }

  private static func center(_ counts: [Int], _ means: [Double], dimension d: Int) -> [Double] {
    var center = [Double](repeating: 0, count: d)
    let all = Double(counts.reduce(0, +))
    for (index, count) in counts.enumerated() {
      for column in 0..<d { center[column] += Double(count) / all * means[index * d + column] }
    }
    return center
  }

  /// The share of the sphere, with the products of the rows and their fourth powers.
  private static func ledoitWolf(_ scatter: Scatter, dimension d: Int) -> Double {
    let n = Double(scatter.count)
    var (trace, squares) = (0.0, 0.0)
    for value in scatter.products { squares += value / n * (value / n) }
    for column in 0..<d { trace += scatter.products[column * (d + 1)] / n }
    let distance = (squares - trace * trace / Double(d)) / Double(d)
    let error = max(0, scatter.fourthPowers / n - squares) / (n * Double(d))
    return distance > 0 ? min(error, distance) / distance : 0
  }

  private static func covariance(_ scatter: Scatter, by share: Double, dimension d: Int) -> [Double]
  {
    var result = scatter.products.map { $0 * (1 - share) / Double(scatter.count) }
    var trace = 0.0
    for column in 0..<d { trace += scatter.products[column * (d + 1)] / Double(scatter.count) }
    for column in 0..<d { result[column * (d + 1)] += share * trace / Double(d) }
    return result
  }

  // MARK: What was learned

  /// A covariance, shrunk if the settings say so: `d × d`.
  ///
  /// - Parameter index: 0 if it is pooled, else the place of the class.
  /// - Precondition: there is such a one.
  public func covariance(_ index: Int = 0) -> [Double] {
    precondition(scatters.indices.contains(index), "covariance \(index) of \(scatters.count)")
    return Self.covariance(scatters[index], by: shrinkages[index], dimension: dimension)
  }

  /// The map W that takes differences to where a covariance is the unit one: WᵀW is its inverse, or
  /// pseudo-inverse.
  ///
  /// - Parameter index: 0 if it is pooled, else the place of the class.
  /// - Returns: `rank × d`, lower triangular where the covariance is sound, and the rank.
  /// - Throws: `.missingDependency` without OpenBLAS.
  /// - Precondition: there is such a one.
  /// - Complexity: O(*d*³).
  package func whitening(_ index: Int = 0) throws(BasisError) -> (rows: [Double], rank: Int) {
    let library = try OpenBLAS.required(for: "a covariance")
    return try LinearAlgebra.whitening(covariance(index), side: dimension, library)
  }

  /// The same Gaussians, with covariances shrunk by a share that is given.
  ///
  /// - Parameter share: of the sphere, 0 to 1.
  /// - Throws: `.badData` for covariances of zeros; `.missingDependency` without OpenBLAS.
  /// - Complexity: O(covariances · *d*³).
  package func shrunk(by share: Double) throws(BasisError) -> ClassGaussiansModel {
    try ClassGaussiansModel(
      settings, dimension: dimension, classes: classes, counts: counts, means: means,
      scatters: scatters, shrinkages: scatters.map { _ in share })
  }

  /// The inverse of a covariance, or its pseudo-inverse: `d × d`.
  ///
  /// - Parameter index: 0 if it is pooled, else the place of the class.
  /// - Throws: `.missingDependency` without OpenBLAS.
  /// - Precondition: there is such a one.
  /// - Complexity: O(*d*³).
  public func precision(_ index: Int = 0) throws(BasisError) -> [Double] {
    let d = dimension
    let library = try OpenBLAS.required(for: "the inverse of a covariance")
    let (rows, rank) = try LinearAlgebra.whitening(covariance(index), side: d, library)
    var result = try LinearAlgebra.gram(
      count: rank, side: d, library, in: RunContext(threadLimit: 1)
    ) { (places, block) in
      for (place, row) in places.enumerated() {
        for column in 0..<d { block[place * d + column] = rows[row * d + column] }
      }
    }
    for row in 0..<d {
      for column in 0..<row { result[row * d + column] = result[column * d + row] }
    }
    return result
  }

  /// The one Gaussian of all rows: their mean, and their covariance about it, which is that inside the
  /// classes and that of the class means.
  ///
  /// Shrunk by as much as the classes' own, on average over rows.
  ///
  /// - Throws: `.missingDependency` without OpenBLAS.
  /// - Complexity: O(classes · *d*² + *d*³).
  public func asOneClass() throws(BasisError) -> ClassGaussiansModel {
    let d = dimension
    let center = Self.center(counts, means, dimension: d)
    let count = counts.reduce(0, +)
    var products = [Double](repeating: 0, count: d * d)
    for scatter in scatters {
      for index in products.indices { products[index] += scatter.products[index] }
    }
    for (index, own) in counts.enumerated() {
      let offset = (0..<d).map { means[index * d + $0] - center[$0] }
      for row in 0..<d {
        for column in 0..<d {
          products[row * d + column] += Double(own) * offset[row] * offset[column]
        }
      }
    }
    var share = 0.0
    for (scatter, own) in zip(scatters, shrinkages) {
      share += own * Double(scatter.count) / Double(count)
    }
    return try ClassGaussiansModel(
      ClassGaussians(shrinkage: settings.shrinkage), dimension: d, classes: [0], counts: [count],
      means: center, scatters: [.init(count: count, products: products, fourthPowers: 0)],
      shrinkages: [share])
  }

  /// The same with one more class; the others' rows are not needed.
  ///
  /// The covariance becomes what it would have been with the class from the start,
  /// (*N* S + *n* S′) / (*N* + *n*).
  ///
  /// - Parameters:
  ///   - rows: at least 2 of the class, finite; with a covariance of its own and no shrinkage more
  ///     than *d*.
  ///   - label: none of ``classes``.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for a class that there is; `.dimensionMismatch`; `.badData` for too
  ///   few rows or naming row and column; `.missingDependency`; `.cancelled`.
  /// - Complexity: O(*n* *d*² + *d*³).
  public func adding(_ rows: Matrix, label: Int, in run: RunContext = RunContext())
    throws(BasisError) -> ClassGaussiansModel
  {
    guard !classes.contains(label) else {
      throw BasisError(.invalidArgument, "there is a class \(label) already; give a new number")
    }
    try check(rows)
    // A pooled covariance has the others' rows, too.
    let checked =
      settings.covariance == .pooled ? ClassGaussians(shrinkage: .ledoitWolf) : settings
    let labels = [Int](repeating: label, count: rows.rowCount)
    try checked.check(rows, labels)
    let library = try OpenBLAS.required(for: "a covariance")
    let groups = [Int](repeating: 0, count: rows.rowCount)
    let mean = try ClassGaussians.means(rows, groups, [rows.rowCount], in: run)
    let own = try ClassGaussians.scatter(
      rows, Array(groups.indices), groups, mean, library, in: run)
    var all = scatters
    if settings.covariance == .perClass {
      all.append(own)
    } else {
      all[0].count += own.count
      all[0].fourthPowers += own.fourthPowers
      for index in own.products.indices { all[0].products[index] += own.products[index] }
    }
    return try ClassGaussiansModel(
      settings, dimension: dimension, classes: classes + [label], counts: counts + [rows.rowCount],
      means: means + mean, scatters: all)
  }

  func check(_ rows: Matrix) throws(BasisError) {
    guard rows.columnCount == dimension else {
      throw BasisError(
        .dimensionMismatch,
        "the Gaussians have \(dimension) columns, the rows \(rows.rowCount) × \(rows.columnCount)")
    }
    try rows.requireFinite("the matrix")
  }
}
