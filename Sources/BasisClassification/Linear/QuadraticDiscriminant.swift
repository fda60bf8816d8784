public import BasisCore
public import BasisFormats
public import BasisNumerics
import Foundation

/// Each class a bell of its own shape: quadratic discriminant analysis, in closed form.
///
/// The likelier class is the one of the higher log *p*_k − ½ log |S_k| − ½ (*x* − *m*_k)ᵀ S_k⁻¹ (*x* −
/// *m*_k), with the divisor *n*_k in S_k. The borders are curved.
///
/// Which one when: where classes have many times as many rows as columns each and differ in spread;
/// otherwise ``LinearDiscriminant``, which has one covariance to estimate and not *K*.
///
/// Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning* (2009), equation 4.12.
public struct QuadraticDiscriminant: Classifier {
  /// What is done to the covariances where rows are few.
  public var shrinkage: ClassGaussians.Shrinkage
  /// The share of the sphere that covariances are shrunk by, 0 to 1; nil for what ``shrinkage`` finds.
  public var share: Double?
  /// Whether all classes are taken to be as frequent, however many rows they have here.
  public var isBalanced: Bool

  /// - Parameters:
  ///   - shrinkage: what is done where rows are few.
  ///   - share: what covariances are shrunk by.
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
  ///   - input: rows of two classes at least, of each class 2, and without shrinkage more than *d*.
  ///   - run: threads and cancellation.
  /// - Throws: `.invalidArgument` for a share outside 0 … 1; `.badData` naming row and column, for a single
  ///   class, or naming a class with too few rows or with columns that repeat others; `.missingDependency`
  ///   without OpenBLAS; `.cancelled`.
  /// - Complexity: O(*n* *d*² + *K* *d*³).
  public func fit(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> QuadraticDiscriminantModel
  {
    let method = "quadratic discriminant analysis"
    try Discriminant.check(input, share, method)
    let settings = ClassGaussians(covariance: .perClass, shrinkage: shrinkage)
    // Any share above 0 makes few rows enough.
    let isShrunk = share ?? 0 > 0
    do throws(BasisError) {
      try (isShrunk ? ClassGaussians(covariance: .perClass, shrinkage: .ledoitWolf) : settings)
        .check(input.rows, input.labels)
    } catch {
      throw error.at(method)
    }
    var gaussians = try settings.fitUnchecked(input.rows, labels: input.labels, in: run)
    if let share { gaussians = try gaussians.shrunk(by: share) }
    var maps: [Double] = []
    for (place, label) in gaussians.classes.enumerated() {
      let (map, rank) = try gaussians.whitening(place)
      guard rank == gaussians.dimension, Self.isTriangular(map, rank) else {
        throw BasisError(
          .badData,
          "\(method): the \(gaussians.counts[place]) rows of class \(label) vary in fewer than "
            + "\(gaussians.dimension) directions, or nearly so; leave out columns that repeat others, or "
            + "set shrinkage ledoitWolf")
      }
      maps += map
    }
    return QuadraticDiscriminantModel(
      self, classes: gaussians.classes, counts: gaussians.counts, means: gaussians.means,
      maps: maps)
  }

  fileprivate static func isTriangular(_ map: [Double], _ side: Int) -> Bool {
    (0..<side).allSatisfy { row in
      map[row * (side + 1)] > 0 && (row + 1..<side).allSatisfy { map[row * side + $0] == 0 }
    }
  }
}

/// A mean and a shape for each class, and the class whose bell is highest at a row.
public struct QuadraticDiscriminantModel: FittedClassifier, Hashable {
  public static let modelName = "quadratic discriminant"

  public let settings: QuadraticDiscriminant
  public let classes: [Int]
  /// Rows of each class, *K* numbers.
  public let counts: [Int]
  /// `K × d`, row-major.
  public let means: [Double]
  /// W with WᵀW = S⁻¹, lower triangular: `K × d × d`.
  public let maps: [Double]
  /// log *p*_k − ½ log |S_k|.
  private let offsets: [Double]

  public var columnCount: Int { means.count / classes.count }
  public var warnings: [String] { [] }

  init(
    _ settings: QuadraticDiscriminant, classes: [Int], counts: [Int], means: [Double],
    maps: [Double]
  ) {
    self.settings = settings
    self.classes = classes
    self.counts = counts
    self.means = means
    self.maps = maps
    let d = means.count / classes.count
    var offsets = Discriminant.logShares(counts, isBalanced: settings.isBalanced)
    for place in classes.indices {
      for column in 0..<d { offsets[place] += log(maps[place * d * d + column * (d + 1)]) }
    }
    self.offsets = offsets
  }

  /// log *p*_k − ½ log |S_k| − ½ (*x* − *m*_k)ᵀ S_k⁻¹ (*x* − *m*_k), in `Double`, row by row.
  ///
  /// - Parameters:
  ///   - rows: `m × d`, finite.
  ///   - run: threads and cancellation.
  /// - Returns: `m × K`, row-major.
  /// - Throws: `.dimensionMismatch`; `.badData` naming row and column; `.cancelled`.
  /// - Complexity: O(*m* *K* *d*²), parallel over rows.
  public func scores(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError)
    -> [Double]
  {
    try rows.requireRows(of: columnCount, for: "quadratic discriminant")
    let (d, k) = (columnCount, classes.count)
    return try parallelMap(rows.rowCount, grain: 64, in: run) { (_, range) -> [Double] in
      var offset = [Double](repeating: 0, count: d)
      var out: [Double] = []
      out.reserveCapacity(range.count * k)
      for index in range {
        for place in 0..<k {
          rows.withRow(index) { values in
            for column in 0..<d {
              offset[column] = Double(values[column]) - means[place * d + column]
            }
          }
          out.append(offsets[place] - squaredLength(offset, place) / 2)
        }
      }
      return out
    }.flatMap { $0 }
  }

  /// ‖W (*x* − *m*)‖².
  private func squaredLength(_ offset: [Double], _ place: Int) -> Double {
    let d = offset.count
    return maps.withUnsafeBytes { maps in
      offset.withUnsafeBytes { offset in
        let size = MemoryLayout<Double>.stride
        var sum = 0.0
        for row in 0..<d {
          let start = (place * d + row) * d * size
          // Eight sums, so that one addition need not wait for the last.
          var lanes = SIMD8<Double>.zero
          var column = 0
          while column + 8 <= row + 1 {
            let a = maps.loadUnaligned(
              fromByteOffset: start + column * size, as: SIMD8<Double>.self)
            lanes += a * offset.loadUnaligned(fromByteOffset: column * size, as: SIMD8<Double>.self)
            column += 8
          }
          var along = lanes.sum()
          while column <= row {
            let a = maps.loadUnaligned(fromByteOffset: start + column * size, as: Double.self)
            along += a * offset.loadUnaligned(fromByteOffset: column * size, as: Double.self)
            column += 1
          }
          sum += along * along
        }
        return sum
      }
    }
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

  // MARK: Files

  public func write(to file: inout ModelWriter) throws(BasisError) {
    let (k, d) = (classes.count, columnCount)
    try file.setManifest(settings)
    try file.tensors.add("classes", shape: [k], classes.map { Int64($0) })
    try file.tensors.add("counts", shape: [k], counts.map { Int64($0) })
    try file.tensors.add("means", shape: [k, d], means)
    try file.tensors.add("maps", shape: [k, d, d], maps)
  }

  public init(from file: ModelFile) throws(BasisError) {
    let settings = try file.manifest(QuadraticDiscriminant.self)
    let classes = try file.tensors.integers("classes").map { Int($0) }
    guard !classes.isEmpty, let shape = file.tensors["means"]?.shape, shape.count == 2,
      shape[1] >= 1
    else {
      throw BasisError(.dimensionMismatch, "\(file.path): 'means' should be classes × columns")
    }
    let (k, d) = (classes.count, shape[1])
    let counts = try file.integers("counts", count: k)
    let maps = try file.doubles("maps", count: k * d * d)
    guard counts.allSatisfy({ $0 >= 1 }),
      (0..<k).allSatisfy({
        QuadraticDiscriminant.isTriangular(Array(maps[$0 * d * d..<($0 + 1) * d * d]), d)
      })
    else {
      throw BasisError(.corruptFile, "\(file.path): these are no counts and shapes of classes")
    }
    self.init(
      settings, classes: classes, counts: counts,
      means: try file.doubles("means", count: k * d), maps: maps)
  }
}
