import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisClassification

@Suite struct LogisticTests {
  @Test func `weights are those of scikit-learn`() throws {
    for one in try fixture("naive_bayes", HeadFixture.self).logistic {
      let input = try HeadFixture.rows(one.rowCount, one.columnCount, one.sixteenths, one.labels)
      let model = try LogisticRegression(c: one.c, tolerance: 1e-7).fit(input)
      // The penalty alone bends the bottom by 1 / (c n): slopes tell no more of the weights.
      let allowed = max(1e-4, 1e-7 * one.c * Double(one.rowCount))
      let fit = try #require(model.fit)
      #expect(fit.largestSlope < 1e-5)
      #expect(abs(fit.loss - one.loss) < 1e-6)
      let d = one.columnCount
      // Of two classes scikit-learn keeps the second's weights; here the first's are zero.
      let own = model.classes.count == 2 ? Array(model.weights[d...]) : model.weights
      #expect(own.count == one.weights.count)
      for (found, wanted) in zip(own, one.weights) {
        #expect(abs(found - wanted) < allowed)
      }
      // Its intercepts stand at zero, ours at the mean.
      var intercepts = model.intercepts
      for place in intercepts.indices {
        for column in 0..<d {
          intercepts[place] -= model.weights[place * d + column] * model.center[column]
        }
      }
      if model.classes.count == 2 { intercepts.removeFirst() }
      // A constant on all of them is free.
      let shift =
        model.classes.count == 2
        ? 0 : Statistics.mean(intercepts) - Statistics.mean(one.intercepts)
      // The first column lies around 50, which its weight's error is multiplied with.
      for (found, wanted) in zip(intercepts, one.intercepts) {
        #expect(abs(found - shift - wanted) < 60 * allowed)
      }
      #expect(try model.predict(input.rows) == one.predicted)
    }
  }

  @Test(arguments: 0..<5 as Range<UInt64>, [2, 3])
  func `its slopes are those of differences`(seed: UInt64, classes: Int) throws {
    let input = try blobs(40, 5, classes: classes, seed: seed)
    let problem = try LogisticProblem(
      input.rows, ClassPlaces(input.labels, for: "test"), penalty: 0.7, in: RunContext())
    var generator = RandomGenerator(seed: seed)
    let point = problem.start.map { _ in generator.nextGaussian() * 0.5 }
    var slopes = problem.start
    _ = try problem.value(at: point, &slopes, in: RunContext())
    var ignored = problem.start
    for index in point.indices {
      var (above, below) = (point, point)
      above[index] += 0x1p-6
      below[index] -= 0x1p-6
      let difference =
        try problem.value(at: above, &ignored, in: RunContext())
        - problem.value(at: below, &ignored, in: RunContext())
      #expect(abs(difference / 0x1p-5 - slopes[index]) < 2e-4)
    }
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `moving and labelling differently moves nothing`(seed: UInt64) throws {
    let input = try blobs(80, 4, classes: 3, seed: seed)
    let model = try LogisticRegression().fit(input)
    var moved = input.rows
    moved.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] += 64 }
    }
    let other = try LogisticRegression().fit(LabeledRows(moved, labels: input.labels))
    #expect(
      largestDifference(try model.probabilities(input.rows), try other.probabilities(moved)) < 1e-4)
    let names = try LogisticRegression().fit(
      LabeledRows(input.rows, labels: input.labels.map { [40, -7, 9][$0] }))
    #expect(names.classes == [-7, 9, 40])
    let wanted = try model.predict(input.rows).map { [40, -7, 9][$0] }
    #expect(try names.predict(input.rows) == wanted)
  }

  @Test func `separable rows, no penalty and constant columns come to an end`() throws {
    let input = try blobs(60, 3, classes: 2, apart: 12, seed: 2)
    let strict = try LogisticRegression(c: 1e6).fit(input)
    #expect(try strict.accuracy(on: input) == 1)
    let short = try LogisticRegression(c: .infinity, maxIterations: 3, tolerance: 1e-12).fit(input)
    #expect(short.fit?.isConverged == false && short.warnings[0].contains("maxIterations"))
    let flat = Matrix(rowCount: 60, columnCount: 3)
    let constant = try LogisticRegression().fit(
      LabeledRows(flat, labels: (0..<60).map { $0 % 4 == 0 ? 1 : 0 }))
    #expect(abs(Double(try constant.probabilities(flat)[0, 1]) - 0.25) < 1e-5)
    for bad in [
      LogisticRegression(c: -1), LogisticRegression(maxIterations: 0),
      LogisticRegression(tolerance: 0), LogisticRegression(c: .nan),
    ] {
      expectError(.invalidArgument, "logistic regression") { try bad.fit(input) }
    }
    expectError(.badData, "2 classes") {
      try LogisticRegression().fit(LabeledRows(flat, labels: [Int](repeating: 4, count: 60)))
    }
  }
}

@Suite struct LBFGSTests {
  @Test func `the banana's minimum is found`() throws {
    let found = try LBFGS(gradientTolerance: 1e-9).minimize(from: [-1.2, 1]) {
      (point, gradient) throws(BasisError) in
      let (x, y) = (point[0], point[1])
      gradient = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
      return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)
    }
    #expect(found.isConverged && found.iterationCount < 60)
    #expect(abs(found.point[0] - 1) < 1e-7 && abs(found.point[1] - 1) < 1e-7)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `a bowl of any shape, value never rising`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let scales = (0..<12).map { _ in Platform.power(10, generator.nextDouble() * 4 - 2) }
    let center = (0..<12).map { _ in generator.nextGaussian() * 3 }
    let found = try LBFGS(gradientTolerance: 1e-8).minimize(from: center.map { _ in 0 }) {
      (point, gradient) throws(BasisError) in
      var value = 0.0
      for index in point.indices {
        let away = point[index] - center[index]
        value += 0.5 * scales[index] * away * away
        gradient[index] = scales[index] * away
      }
      return value
    }
    #expect(found.isConverged)
    for (place, wanted) in zip(found.point, center) { #expect(abs(place - wanted) < 1e-5) }
  }

  @Test func `what it cannot do`() throws {
    expectError(.invalidArgument, "memory") {
      try LBFGS(memory: 0).minimize(from: [1]) { (_, _) throws(BasisError) in 0 }
    }
    expectError(.badData, "not finite") {
      try LBFGS().minimize(from: [1]) { (_, _) throws(BasisError) in .nan }
    }
    // No lower bound: it ends, and says that it did not arrive.
    let found = try LBFGS(maxIterations: 20).minimize(from: [0]) {
      (point, gradient) throws(BasisError) in
      gradient[0] = -1
      return -point[0]
    }
    #expect(!found.isConverged && found.value < 0)
    let none = try LBFGS().minimize(from: []) { (_, _) throws(BasisError) in 3 }
    #expect(none.isConverged && none.value == 3)
  }
}

private enum Platform {
  static func power(_ base: Double, _ exponent: Double) -> Double { Foundation.pow(base, exponent) }
}

@Suite struct HeadRefereeTests {
  @Test func `crossings of curves that were drawn by hand`() {
    func crossing(_ leads: [Double]) -> Double? {
      LearningCurve.crossing(leads, [10, 100, 1000])
    }
    let middle = crossing([-1, 1, 1])
    #expect(abs((middle ?? 0) - 10 * 10.0.squareRoot()) < 1e-9)
    #expect(abs((crossing([1, -1, 3]) ?? 0) - 100 * pow(10, 0.25)) < 1e-9)
    #expect(crossing([1, 1, 1]) == nil && crossing([-1, -1, -1]) == nil)
    #expect(crossing([1, 1, -1]) == nil && crossing([0, 0, 0]) == nil)
  }

  @Test func `it sees who is ahead, whatever the threads`() throws {
    let input = try blobs(400, 6, classes: 3, apart: 1, seed: 5)
    let referee = HeadReferee(drawCount: 3)
    let curve = try referee.curve(input, in: RunContext(seed: 3, threadLimit: 1))
    #expect(curve.sizes == [20, 50, 100, 200, 300] && curve.testCount == 100)
    for head in curve.heads {
      #expect(head.accuracies.count == 3 && head.means.count == 5 && head.seconds.count == 5)
      #expect(head.means[4] > 0.6 && head.means[4] >= head.means[0] - 0.05)
      #expect(head.deviations.allSatisfy { $0 >= 0 && $0 < 0.3 })
    }
    #expect(curve.rows(toReach: 1e-9, head: 0) == 20)
    #expect(curve.rows(toReach: 0.95, head: 1) <= 300)
    let again = try referee.curve(input, in: RunContext(seed: 3, threadLimit: 4))
    #expect(again.heads.map(\.accuracies) == curve.heads.map(\.accuracies))
    #expect(again.crossing == curve.crossing && !curve.verdict.isEmpty)
    // Independent bells, as naive Bayes has them.
    #expect(curve.diagnostics.correlation < 0.1 && curve.diagnostics.skewness < 0.3)
    #expect(curve.diagnostics.kurtosis < 0.6)
  }

  @Test func `columns that repeat each other are seen, and cost naive Bayes`() throws {
    let one = try blobs(300, 3, classes: 2, apart: 0.5, seed: 8)
    let rows = Matrix(rowCount: 300, columnCount: 6) { out in
      for row in 0..<300 {
        for column in 0..<6 { out[row * 6 + column] = one.rows[row, column < 4 ? 0 : column - 3] }
      }
    }
    let curve = try HeadReferee(sizes: [20, 200], drawCount: 2).curve(
      LabeledRows(rows, labels: one.labels), in: RunContext(seed: 1))
    #expect(curve.diagnostics.correlation > 0.35)
  }

  @Test func `rare classes, and what is refused`() throws {
    let rows = gaussianMatrix(rowCount: 200, columnCount: 2, seed: 1)
    var labels = [Int](repeating: 0, count: 200)
    for row in 0..<4 { labels[row * 50] = 1 }
    let curve = try HeadReferee(sizes: [3, 100], drawCount: 2).curve(
      LabeledRows(rows, labels: labels), in: RunContext(seed: 2))
    #expect(curve.heads[0].accuracies.count == 2)
    let input = try LabeledRows(rows, labels: labels)
    for bad in [
      HeadReferee(drawCount: 0), HeadReferee(testShare: 1), HeadReferee(sizes: [50, 20]),
      HeadReferee(sizes: [1]), HeadReferee(sizes: [20, 10_000]), HeadReferee(maxTestCount: 0),
    ] {
      expectError(.invalidArgument, "a learning curve") { try bad.curve(input) }
    }
    expectError(.badData, "some class has none") {
      try HeadReferee().curve(
        LabeledRows(rows.selecting(rows: 0..<2), labels: [0, 1]), in: RunContext(seed: 1))
    }
    var broken = rows
    broken[3, 1] = .nan
    expectError(.badData, "row 3", "column 1") {
      try HeadReferee().curve(LabeledRows(broken, labels: labels))
    }
  }

  @Test func `test values beyond training are cut where that is asked`() throws {
    let rows = try Matrix(rows: [[0, 5], [2, 5], [3, 7], [-1, 5]])
    let free = ColumnRange(rows, [0, 1], isClipped: false).applied(to: rows, [2, 3])
    #expect(free.row(0) == [1.5, 0] && free.row(1) == [-0.5, 0])
    let cut = ColumnRange(rows, [0, 1], isClipped: true).applied(to: rows, [2, 3])
    #expect(cut.row(0) == [1, 0] && cut.row(1) == [0, 0])
  }
}
