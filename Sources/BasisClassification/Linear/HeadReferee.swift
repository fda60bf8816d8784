public import BasisCore
import BasisNumerics

/// Naive Bayes or logistic regression on these features, with so many labels? Measures both at several
/// numbers of rows, and says where they cross.
///
/// Some rows are kept apart to test with. Of each draw the rows are put into an order, and the first of
/// them train both heads, so that the two curves of a draw are paired. Columns are brought to 0 ... 1 by
/// what is seen in training.
///
/// Theory says that naive Bayes comes near *its own* best with O(log *d*) rows and logistic regression
/// with O(*d*), for columns independent within a class; whose best is better it does not say.
///
/// Zheng et al., *Revisiting Discriminative vs. Generative Classifiers: Theory and Implications* (2023),
/// arXiv:2302.02334, section 5, whose sizes and draws these are.
public struct HeadReferee: Settings {
  /// Rows to train on, rising; empty for 20, 50, 100, 200, 500 … up to all.
  public var sizes: [Int]
  /// Orders of the rows, at least 1.
  public var drawCount: Int
  /// The share of rows to test with, above 0 and below 1; at most ``maxTestCount`` rows.
  public var testShare: Double
  public var maxTestCount: Int
  public var naiveBayes: GaussianNaiveBayes
  public var logistic: LogisticRegression
  /// Whether test values beyond what training saw are cut to it.
  public var isClipped: Bool

  /// - Parameters:
  ///   - sizes: rows to train on.
  ///   - drawCount: orders of the rows.
  ///   - testShare: of rows to test with.
  ///   - maxTestCount: rows to test with at most.
  ///   - naiveBayes: the one head.
  ///   - logistic: the other.
  ///   - isClipped: whether test values are cut to what training saw.
  public init(
    sizes: [Int] = [], drawCount: Int = 5, testShare: Double = 0.25, maxTestCount: Int = 5000,
    naiveBayes: GaussianNaiveBayes = GaussianNaiveBayes(),
    logistic: LogisticRegression = LogisticRegression(), isClipped: Bool = false
  ) {
    self.sizes = sizes
    self.drawCount = drawCount
    self.testShare = testShare
    self.maxTestCount = maxTestCount
    self.naiveBayes = naiveBayes
    self.logistic = logistic
    self.isClipped = isClipped
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    sizes = try values.decodeIfPresent([Int].self, forKey: .sizes) ?? sizes
    drawCount = try values.decodeIfPresent(Int.self, forKey: .drawCount) ?? drawCount
    testShare = try values.decodeIfPresent(Double.self, forKey: .testShare) ?? testShare
    maxTestCount = try values.decodeIfPresent(Int.self, forKey: .maxTestCount) ?? maxTestCount
    naiveBayes =
      try values.decodeIfPresent(GaussianNaiveBayes.self, forKey: .naiveBayes) ?? naiveBayes
    logistic = try values.decodeIfPresent(LogisticRegression.self, forKey: .logistic) ?? logistic
    isClipped = try values.decodeIfPresent(Bool.self, forKey: .isClipped) ?? isClipped
  }

  /// - Parameters:
  ///   - input: rows of two classes at least, and enough of them that the smallest size has all classes.
  ///   - run: the seed chooses the rows; draws run in parallel.
  /// - Throws: `.invalidArgument` for settings out of range and sizes above the rows that there are;
  ///   `.badData` naming row and column, or for too few rows; `.cancelled`.
  /// - Complexity: that of the fits, `drawCount` of each size and head.
  public func curve(_ input: LabeledRows, in run: RunContext = RunContext()) throws(BasisError)
    -> LearningCurve
  {
    try input.rows.requireFinite("the rows")
    let classes = try ClassPlaces(input.labels, for: "a learning curve").classes
    let split = try Split(self, input, classes, in: run)
    let results = try parallelMap(drawCount, grain: 1, in: run) { (draw, _) throws(BasisError) in
      run.report("draws", draw, of: drawCount)
      return try measure(input, split, draw, classes, in: run)
    }
    let heads = ["naive Bayes", "logistic regression"].enumerated().map { place, name in
      LearningCurve.Head(
        name, accuracies: results.map { $0.accuracies[place] },
        seconds: split.sizes.indices.map { size in
          Statistics.mean(results.map { $0.seconds[place][size] })
        })
    }
    var warnings: [String] = []
    let forced = results.count { $0.isForced }
    if forced > 0 {
      warnings.append(
        "in \(forced) of \(drawCount) draws a row of each class was put among the first "
          + "\(split.sizes[0]): chance alone left a class out")
    }
    return LearningCurve(
      sizes: split.sizes, heads: heads,
      crossing: LearningCurve.crossing(heads[0], heads[1], split.sizes, in: run),
      diagnostics: try LearningCurve.Diagnostics(input, in: run), testCount: split.test.count,
      warnings: warnings)
  }

  /// Which rows test, which may train, and how many of these do.
  private struct Split {
    var test: [Int]
    var pool: [Int]
    var sizes: [Int]

    init(_ referee: HeadReferee, _ input: LabeledRows, _ classes: [Int], in run: RunContext)
      throws(BasisError)
    {
      guard referee.drawCount >= 1, referee.testShare > 0, referee.testShare < 1,
        referee.maxTestCount >= 1
      else {
        throw BasisError(
          .invalidArgument,
          "a learning curve: drawCount is \(referee.drawCount), testShare \(referee.testShare), "
            + "maxTestCount \(referee.maxTestCount); wanted at least 1, between 0 and 1, and at "
            + "least 1")
      }
      let n = input.rows.rowCount
      var order = Array(0..<n)
      var generator = run.generator("rows to test with")
      generator.shuffle(&order)
      let count = min(referee.maxTestCount, max(1, Int(referee.testShare * Double(n))))
      test = Array(order[..<count])
      pool = Array(order[count...])
      guard Set(pool.map { input.labels[$0] }).count == classes.count, pool.count > classes.count
      else {
        throw BasisError(
          .badData,
          "a learning curve: of \(n) rows \(pool.count) train, and some class has none of them; give "
            + "more rows of each class")
      }
      guard referee.sizes.isEmpty else {
        sizes = referee.sizes
        guard zip(sizes, sizes.dropFirst()).allSatisfy({ $0 < $1 }), sizes[0] >= classes.count,
          sizes[sizes.count - 1] <= pool.count
        else {
          throw BasisError(
            .invalidArgument,
            "a learning curve: sizes rise, from \(classes.count) (the classes) up to "
              + "\(pool.count) (the rows to train on); not \(sizes)")
        }
        return
      }
      let most = pool.count
      sizes = (1...7).flatMap { power in
        let unit = (0..<power).reduce(1) { value, _ in value * 10 }
        return [unit, 2 * unit, 5 * unit]
      }.filter { $0 >= max(20, 2 * classes.count) && Double($0) <= 0.8 * Double(most) }
      sizes.append(most)
    }
  }

  private struct Draw: Sendable {
    var accuracies: [[Double]] = [[], []]
    var seconds: [[Double]] = [[], []]
    var isForced = false
  }

  private func measure(
    _ input: LabeledRows, _ split: Split, _ draw: Int, _ classes: [Int], in run: RunContext
  ) throws(BasisError) -> Draw {
    var result = Draw()
    var order = split.pool
    var generator = run.generator("rows to train on", chunk: draw)
    let first = split.sizes[0]
    func isComplete() -> Bool {
      Set(order[..<first].map { input.labels[$0] }).count == classes.count
    }
    for _ in 0..<100 {
      generator.shuffle(&order)
      if isComplete() { break }
    }
    if !isComplete() {
      result.isForced = true
      for (place, label) in classes.enumerated() {
        if let found = order.firstIndex(where: { input.labels[$0] == label }) {
          // What stands before is of earlier classes.
          order.swapAt(place, found)
        }
      }
    }
    // Draws are what runs in parallel.
    let single = RunContext(threadLimit: 1, cancellation: run.cancellation)
    for size in split.sizes {
      let some = Array(order[..<size])
      let scale = ColumnRange(input.rows, some, isClipped: isClipped)
      let known = try LabeledRows(
        scale.applied(to: input.rows, some), labels: some.map { input.labels[$0] })
      let asked = try LabeledRows(
        scale.applied(to: input.rows, split.test), labels: split.test.map { input.labels[$0] })
      try measure(naiveBayes, 0, known, asked, into: &result, in: single)
      try measure(logistic, 1, known, asked, into: &result, in: single)
    }
    return result
  }

  private func measure(
    _ head: some Classifier, _ place: Int, _ known: LabeledRows, _ asked: LabeledRows,
    into result: inout Draw, in run: RunContext
  ) throws(BasisError) {
    let clock = ContinuousClock()
    let began = clock.now
    let model = try head.fit(known, in: run)
    let spent = (clock.now - began).components
    result.seconds[place].append(Double(spent.seconds) + Double(spent.attoseconds) * 1e-18)
    result.accuracies[place].append(try model.accuracy(on: asked, in: run))
  }
}

/// The smallest and largest value of each column, as 0 and 1.
package struct ColumnRange {
  private var low: [Float]
  private var scale: [Float]
  private let isClipped: Bool

  package init(_ rows: Matrix, _ some: [Int], isClipped: Bool) {
    let d = rows.columnCount
    var (low, high) = (
      [Float](repeating: .infinity, count: d), [Float](repeating: -.infinity, count: d)
    )
    for row in some {
      rows.withRow(row) { values in
        for column in 0..<d {
          low[column] = min(low[column], values[column])
          high[column] = max(high[column], values[column])
        }
      }
    }
    self.low = low
    // A column without a range becomes 0.
    scale = zip(low, high).map { low, high in high > low ? 1 / (high - low) : 0 }
    self.isClipped = isClipped
  }

  package func applied(to rows: Matrix, _ some: [Int]) -> Matrix {
    let d = rows.columnCount
    return Matrix(rowCount: some.count, columnCount: d) { out in
      for (place, row) in some.enumerated() {
        rows.withRow(row) { values in
          for column in 0..<d {
            let value = (values[column] - low[column]) * scale[column]
            out[place * d + column] = isClipped ? min(max(value, 0), 1) : value
          }
        }
      }
    }
  }

  /// A model of rows that ``applied(to:_:)`` made, for rows as they come.
  func unscaled(_ model: LinearClassifierModel) throws(BasisError) -> LinearClassifierModel {
    let d = model.columnCount
    var (weights, center) = (model.weights, model.center)
    for index in weights.indices { weights[index] *= Double(scale[index % d]) }
    for column in 0..<d {
      let own = Double(scale[column])
      center[column] = Double(low[column]) + (own > 0 ? center[column] / own : 0)
    }
    return try LinearClassifierModel(
      classes: model.classes, weights: weights, intercepts: model.intercepts, center: center,
      fit: model.fit, warnings: model.warnings)
  }
}

extension LearningCurve.Diagnostics {
  /// Of 2,000 rows and 256 columns at most, chosen at random.
  init(_ input: LabeledRows, in run: RunContext) throws(BasisError) {
    var generator = run.generator("rows that are diagnosed")
    let n = input.rows.rowCount
    let rows = n <= 2000 ? Array(0..<n) : generator.sample(2000, of: n)
    let wide = input.rows.columnCount
    let columns = wide <= 256 ? Array(0..<wide) : generator.sample(256, of: wide)
    let (m, d) = (rows.count, columns.count)
    var values = Matrix(rowCount: m, columnCount: d) { out in
      for (place, row) in rows.enumerated() {
        input.rows.withRow(row) { source in
          for (target, column) in columns.enumerated() { out[place * d + target] = source[column] }
        }
      }
    }
    let labels = rows.map { input.labels[$0] }
    let moments = try ClassMoments(values, labels: labels, in: run)
    let place = Dictionary(uniqueKeysWithValues: moments.classes.enumerated().map { ($1, $0) })
    let scales = moments.pooledVariances.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
    var (cubes, fourths) = ([Double](repeating: 0, count: d), [Double](repeating: 0, count: d))
    values.withUnsafeMutableFloats { floats in
      for row in 0..<m {
        let own = (place[labels[row]] ?? 0) * d
        for column in 0..<d {
          let index = row * d + column
          let value = (Double(floats[index]) - moments.means[own + column]) * scales[column]
          floats[index] = Float(value)
          cubes[column] += value * value * value
          fourths[column] += value * value * value * value
        }
      }
    }
    let varying = (0..<d).filter { scales[$0] > 0 }
    let count = Double(m)
    skewness = Statistics.mean(varying.map { abs(cubes[$0] / count) })
    kurtosis = Statistics.mean(varying.map { abs(fourths[$0] / count - 3) })
    let products = try LinearAlgebra.product(values, values, transposingA: true, in: run)
    var (sum, pairs) = (0.0, 0)
    for (position, first) in varying.enumerated() {
      for second in varying[(position + 1)...] {
        sum += abs(Double(products[first, second])) / count
        pairs += 1
      }
    }
    correlation = pairs > 0 ? sum / Double(pairs) : .nan
  }
}
