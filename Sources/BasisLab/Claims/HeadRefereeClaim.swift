import BasisClassification
public import BasisCore
import BasisNumerics
import Foundation

/// Naive Bayes needs hardly any rows to come near its own best and logistic regression needs as many as
/// columns; with enough rows logistic regression is ahead.
public struct HeadRefereeClaim: Claim {
  public static let statement = ClaimStatement(
    id: 75,
    title:
      "naive Bayes comes near its own best with rows of the order of log d and logistic regression of "
      + "the order of d, and with enough rows logistic regression is ahead on real features",
    paper:
      "theorem 5 and figure 1: on mixtures of bells the rows that logistic regression needs grow "
      + "in a line with the columns, those of naive Bayes hardly; section 5: crossings on frozen "
      + "features of images",
    baseline: "the other head, on the same rows",
    data: "mixtures of two bells in 100 to 1,000 columns; 1,797 digits as pixels and as 256 random "
      + "rectified features",
    accepts: .labeledRows, cost: .slow, seedCount: 8,
    breaking: "`isFixed`: the mixtures have the fewest columns, however many are asked for")

  /// Whether all mixtures have the first number of columns.
  public var isFixed = false
  /// Columns of the mixtures, rising.
  public var dimensions = [100, 200, 400, 1000]
  /// Rows that a mixture is tested with.
  public var testCount = 1000
  /// Random rectified features.
  public var featureCount = 256
  /// Digits that are used, at most.
  public var digitCount = 1797
  public var drawCount = 3

  public init() {}

  public static var miniature: Self {
    var claim = Self()
    (claim.dimensions, claim.testCount) = ([8, 16], 200)
    (claim.featureCount, claim.digitCount, claim.drawCount) = (16, 120, 2)
    return claim
  }

  public var broken: HeadRefereeClaim {
    var copy = self
    copy.isFixed = true
    return copy
  }

  public var expectations: [ClaimExpectation] {
    [
      .init(
        "logistic_slope", "growth of the rows that logistic regression needs, by columns, log–log",
        reported: 1, .within(0.8...1.5)),
      .init(
        "bayes_growth", "rows that naive Bayes needs: most columns by fewest", reported: 1,
        .below(2)),
      .init("logistic_rows", "rows that logistic regression needs, most columns", reported: 2500),
      .init("bayes_rows", "rows that naive Bayes needs, most columns", reported: 10),
      .init(
        "lead", "accuracy with all rows: logistic regression less naive Bayes, the worst feature",
        .above(0.05), isOfOwnData: true),
      .init(
        "reach",
        "rows to 95 % of the own best: naive Bayes by logistic regression, the worst feature",
        .below(1.0001), isOfOwnData: true),
      .init(
        "early_lead", "the same accuracies less each other with 50 rows, the mean of the features"),
      .init("crossing", "rows at which they cross on pixels; 0 for no crossing"),
      .init("speed", "seconds of logistic regression by those of naive Bayes, all rows"),
    ]
  }

  public func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double]
  {
    var numbers = try mixtures(in: run)
    var inputs: [LabeledRows] = []
    if let data {
      guard let labels = data.labels else {
        throw BasisError(.badData, "\(data.name): this claim is of rows with labels; give them too")
      }
      inputs = [try LabeledRows(data.rows, labels: labels)]
    } else {
      inputs = try digits(in: run)
    }
    var (lead, reach, early, speed) = (Double.infinity, 0.0, 0.0, Double.infinity)
    for (number, input) in inputs.enumerated() {
      let curve = try HeadReferee(drawCount: drawCount).curve(input, in: run.silent)
      let (bayes, logistic) = (curve.heads[0], curve.heads[1])
      let last = curve.sizes.count - 1
      lead = min(lead, logistic.means[last] - bayes.means[last])
      let rows = (curve.rows(toReach: 0.95, head: 0), curve.rows(toReach: 0.95, head: 1))
      reach = max(reach, Double(rows.0) / Double(rows.1))
      let fifty = min(1, last)
      early += (logistic.means[fifty] - bayes.means[fifty]) / Double(inputs.count)
      speed = min(speed, logistic.seconds[last] / max(bayes.seconds[last], 1e-9))
      if number == 0 { numbers["crossing"] = curve.crossing?.rowCount ?? 0 }
    }
    (numbers["lead"], numbers["reach"]) = (lead, reach)
    (numbers["early_lead"], numbers["speed"]) = (early, speed)
    return numbers
  }

  // MARK: Mixtures

  private func mixtures(in run: RunContext) throws(BasisError) -> [String: Double] {
    let bayes = try dimensions.map { d throws(BasisError) in
      try need(GaussianNaiveBayes(), d, in: run)
    }
    let logistic = try dimensions.map { d throws(BasisError) in
      // A search that stops early is ahead of its own minimum here, the more the more columns there are.
      try need(LogisticRegression(tolerance: 1e-7), d, in: run)
    }
    let x = dimensions.map { log(Double($0)) }
    let y = logistic.map { log($0) }
    let (meanX, meanY) = (Statistics.mean(x), Statistics.mean(y))
    let above = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    let below = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
    return [
      "logistic_slope": above / below,
      "bayes_growth": (bayes.last ?? .nan) / (bayes.first ?? .nan),
      "logistic_rows": logistic.last ?? .nan, "bayes_rows": bayes.last ?? .nan,
    ]
  }

  /// The fewest rows with which a head errs in less than one in a hundred: both bells are so far apart
  /// that the best rule errs nowhere.
  private func need(_ head: some Classifier, _ asked: Int, in run: RunContext) throws(BasisError)
    -> Double
  {
    let d = isFixed ? dimensions[0] : asked
    var generator = run.generator("mixtures")
    let test = try Self.mixture(testCount, d, &generator)
    var size = 10.0
    while size < 40 * Double(d) {
      let count = Int(size)
      let known = try Self.mixture(count, d, &generator)
      // As they are: columns on one range would take the wide ones' width from logistic regression.
      let model = try head.fit(known, in: run)
      if try model.accuracy(on: test, in: run) > 0.99 { return size }
      size = max(size + 1, (size * 1.15).rounded())
    }
    return size
  }

  /// Means −1 and 1 in every column; the variance of every other column is their number, of the rest 1.
  private static func mixture(_ count: Int, _ d: Int, _ generator: inout RandomGenerator)
    throws(BasisError) -> LabeledRows
  {
    let wide = Double(d).squareRoot()
    let labels = (0..<count).map { $0 % 2 }
    let rows = Matrix(rowCount: count, columnCount: d) { out in
      for index in out.indices {
        let noise = generator.nextGaussian() * (index % d % 2 == 0 ? wide : 1)
        out[index] = Float(noise + (labels[index / d] == 0 ? -1 : 1))
      }
    }
    return try LabeledRows(rows, labels: labels)
  }

  // MARK: Digits

  private func digits(in run: RunContext) throws(BasisError) -> [LabeledRows] {
    let order = Array(Digits.shuffled(in: run).prefix(digitCount))
    let pixels = Digits.images.selecting(rows: order)
    let labels = order.map { Digits.labels[$0] }
    var generator = run.generator("random features")
    let weights = Matrix(rowCount: 64, columnCount: featureCount) { out in
      for index in out.indices { out[index] = Float(generator.nextGaussian()) }
    }
    var features = try LinearAlgebra.product(pixels, weights, in: run)
    features.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] = max(0, floats[index]) }
    }
    return [try LabeledRows(pixels, labels: labels), try LabeledRows(features, labels: labels)]
  }
}
