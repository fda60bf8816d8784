import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisClassification

@Suite struct DiscriminantTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      var rowCount: Int
      var columnCount: Int
      var share: Double?
      var sixteenths: [Int]
      var labels: [Int]
      var asked: [Int]
      var linear: [Double]
      var quadratic: [Double]
      var linearShrunk: [Double]
      var quadraticShrunk: [Double]
    }

    var tolerance: Double
    var cases: [Case]
  }

  /// Probabilities in `Double`, of the scores themselves.
  private func shares(_ scores: [Double], _ k: Int) -> [Double] {
    var scores = scores
    Softmax.normalize(&scores, classCount: k)
    return scores
  }

  @Test func `probabilities are those of scikit-learn`() throws {
    let known = try fixture("discriminant", Fixture.self)
    for one in known.cases {
      let (n, d) = (one.rowCount, one.columnCount)
      let input = try HeadFixture.rows(n, d, one.sixteenths, one.labels)
      let asked = try Matrix(
        rowCount: one.asked.count / d, columnCount: d, values: one.asked.map { Float($0) / 16 })
      let k = Set(one.labels).count
      for (settings, wanted) in [
        (LinearDiscriminant(share: one.share), one.linear),
        (LinearDiscriminant(shrinkage: .ledoitWolf), one.linearShrunk),
      ] {
        let found = shares(try settings.fit(input).scores(asked), k)
        #expect(found.count == wanted.count)
        for (a, b) in zip(found, wanted) { #expect(abs(a - b) < known.tolerance) }
      }
      for (settings, wanted) in [
        (QuadraticDiscriminant(share: one.share), one.quadratic),
        (QuadraticDiscriminant(shrinkage: .ledoitWolf), one.quadraticShrunk),
      ] {
        let found = shares(try settings.fit(input).scores(asked), k)
        #expect(found.count == wanted.count)
        for (a, b) in zip(found, wanted) { #expect(abs(a - b) < known.tolerance) }
      }
    }
  }

  /// Columns that depend on each other: what naive Bayes counts twice.
  private func mixed(_ input: LabeledRows, seed: UInt64) throws -> LabeledRows {
    let d = input.rows.columnCount
    let map = gaussianMatrix(rowCount: d, columnCount: d, seed: seed)
    return try LabeledRows(
      LinearAlgebra.product(input.rows, map), labels: input.labels)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `no linear map of the columns changes an answer`(seed: UInt64) throws {
    let input = try blobs(120, 4, classes: 3, seed: seed)
    let other = try mixed(input, seed: seed + 40)
    let linear = try LinearDiscriminant().fit(input)
    let turned = try LinearDiscriminant().fit(other)
    #expect(
      largestDifference(
        try linear.probabilities(input.rows), try turned.probabilities(other.rows)) < 1e-3)
    let own = try QuadraticDiscriminant().fit(input)
    let ownTurned = try QuadraticDiscriminant().fit(other)
    #expect(
      largestDifference(
        try own.probabilities(input.rows), try ownTurned.probabilities(other.rows)) < 1e-3)
    // Naive Bayes has no such promise.
    #expect(
      largestDifference(
        try GaussianNaiveBayes().fit(input).probabilities(input.rows),
        try GaussianNaiveBayes().fit(other).probabilities(other.rows)) > 0.01)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `one covariance for both classes makes both the same plane`(seed: UInt64) throws {
    // Each row with its mirror in the other class: the covariances are equal.
    let half = gaussianMatrix(rowCount: 40, columnCount: 3, seed: seed)
    let rows = Matrix(rowCount: 80, columnCount: 3) { out in
      for row in 0..<40 {
        for column in 0..<3 {
          out[row * 3 + column] = half[row, column] + 1
          out[(row + 40) * 3 + column] = -half[row, column] - 1
        }
      }
    }
    let input = try LabeledRows(rows, labels: (0..<80).map { $0 / 40 })
    let linear = try LinearDiscriminant().fit(input).scores(rows)
    let quadratic = try QuadraticDiscriminant().fit(input).scores(rows)
    for row in 0..<80 {
      let a = linear[2 * row] - linear[2 * row + 1]
      let b = quadratic[2 * row] - quadratic[2 * row + 1]
      #expect(abs(a - b) < 1e-5 * max(1, abs(a)))
    }
  }

  @Test func `shares of classes count unless they are balanced`() throws {
    let all = try blobs(200, 3, classes: 2, apart: 0.5, seed: 4)
    let some = (0..<200).filter { all.labels[$0] == 0 || $0 % 10 == 1 }
    let input = try LabeledRows(
      all.rows.selecting(rows: some), labels: some.map { all.labels[$0] })
    let rare = Double(input.labels.count { $0 == 1 })
    let shift = log((Double(input.labels.count) - rare) / rare)
    let own = try LinearDiscriminant().fit(input).scores(input.rows)
    let even = try LinearDiscriminant(isBalanced: true).fit(input).scores(input.rows)
    let curved = try QuadraticDiscriminant().fit(input).scores(input.rows)
    let curvedEven = try QuadraticDiscriminant(isBalanced: true).fit(input).scores(input.rows)
    for row in stride(from: 0, to: own.count, by: 2) {
      #expect(abs((own[row] - own[row + 1]) - (even[row] - even[row + 1]) - shift) < 1e-9)
      let (a, b) = (curved[row] - curved[row + 1], curvedEven[row] - curvedEven[row + 1])
      #expect(abs(a - b - shift) < 1e-9)
    }
  }

  @Test func `a column that repeats another is left out, or refused`() throws {
    let input = try blobs(60, 3, classes: 2, seed: 6)
    let rows = Matrix(rowCount: 60, columnCount: 4) { out in
      for row in 0..<60 {
        for column in 0..<4 { out[row * 4 + column] = input.rows[row, min(column, 2)] }
      }
    }
    let doubled = try LabeledRows(rows, labels: input.labels)
    let plain = try LinearDiscriminant().fit(input)
    let model = try LinearDiscriminant().fit(doubled)
    #expect(model.warnings.count == 1 && model.warnings[0].contains("3 of 4 directions"))
    #expect(plain.warnings.isEmpty)
    #expect(
      largestDifference(
        try model.probabilities(rows), try plain.probabilities(input.rows)) < 1e-4)
    expectError(.badData, "class 0", "ledoitWolf") { try QuadraticDiscriminant().fit(doubled) }
    #expect(
      try QuadraticDiscriminant(shrinkage: .ledoitWolf).fit(doubled).accuracy(on: doubled) > 0.8)
  }

  @Test func `what it cannot use is one clear error`() throws {
    let input = try blobs(30, 4, classes: 2, seed: 1)
    var lonely = input.labels
    lonely[3] = 9
    let single = try LabeledRows(input.rows, labels: lonely)
    #expect(try LinearDiscriminant().fit(single).classes == [0, 1, 9])
    expectError(.badData, "quadratic discriminant analysis", "class 9", "1 row") {
      try QuadraticDiscriminant().fit(single)
    }
    expectError(.badData, "class 9", "1 row") {
      try QuadraticDiscriminant(share: 0.5).fit(single)
    }
    let few = try LabeledRows(
      input.rows.selecting(rows: 0..<4), labels: Array(input.labels[..<4]))
    expectError(.badData, "4 rows for 4 columns", "ledoitWolf") {
      try LinearDiscriminant().fit(few)
    }
    expectError(.badData, "class 0 has 2 rows for 4 columns") {
      try QuadraticDiscriminant().fit(few)
    }
    #expect(try LinearDiscriminant(shrinkage: .ledoitWolf).fit(few).warnings.isEmpty)
    #expect(try QuadraticDiscriminant(share: 0.5).fit(few).classes == [0, 1])
    expectError(.invalidArgument, "0 to 1", "1.5") { try LinearDiscriminant(share: 1.5).fit(input) }
    expectError(.invalidArgument, "0 to 1") { try QuadraticDiscriminant(share: -1).fit(input) }
    expectError(.badData, "2 classes") {
      try LinearDiscriminant().fit(
        LabeledRows(input.rows, labels: [Int](repeating: 1, count: 30)))
    }
    expectError(.badData, "1 column") {
      try LinearDiscriminant().fit(
        LabeledRows(Matrix(rowCount: 30, columnCount: 0), labels: input.labels))
    }
    expectError(.badData, "do not differ") {
      try LinearDiscriminant().fit(
        LabeledRows(Matrix(rowCount: 30, columnCount: 4), labels: input.labels))
    }
  }
}

@Suite struct HeadChooserTests {
  /// A column six times, and the noise in it once more: to naive Bayes that one says nothing.
  private func repeated(_ n: Int, seed: UInt64) throws -> LabeledRows {
    var generator = RandomGenerator(seed: seed)
    let labels = (0..<n).map { $0 % 2 }
    let rows = Matrix(rowCount: n, columnCount: 7) { out in
      for row in 0..<n {
        let noise = generator.nextGaussian()
        let sign = labels[row] == 0 ? -1.0 : 1
        for column in 0..<6 { out[row * 7 + column] = Float(sign + 4 * noise) }
        out[row * 7 + 6] = Float(noise)
      }
    }
    return try LabeledRows(rows, labels: labels)
  }

  /// Bells in many columns, and few rows of them.
  private func wide(_ n: Int, seed: UInt64) throws -> LabeledRows {
    var generator = RandomGenerator(seed: seed)
    let labels = (0..<n).map { $0 % 2 }
    let rows = Matrix(rowCount: n, columnCount: 80) { out in
      for index in out.indices {
        // Half of the columns are so wide that they say little.
        let noise = generator.nextGaussian() * (index % 80 % 2 == 0 ? 9 : 1)
        out[index] = Float(noise + (labels[index / 80] == 0 ? -0.25 : 0.25))
      }
    }
    return try LabeledRows(rows, labels: labels)
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func `it takes the head that is ahead, and says why`(seed: UInt64) throws {
    let run = RunContext(seed: seed)
    let dependent = try HeadChooser(c: 1000).fit(repeated(200, seed: seed), in: run)
    #expect(dependent.choice.head == .logistic && dependent.choice.isSure)
    #expect(dependent.name == "auto: logistic")
    #expect(dependent.choice.reason.hasPrefix("logistic regression: of 40 rows held out"))
    #expect(dependent.choice.interval.lowerBound > 0)
    let close = try HeadChooser().fit(wide(60, seed: seed), in: run)
    let choice = close.choice
    #expect((choice.head == .naiveBayes) == (choice.naiveBayes >= choice.logistic))
    #expect(choice.rowCount == 60 && choice.testCount == 12 && choice.drawCount == 5)
    #expect(choice.interval.contains(choice.logistic - choice.naiveBayes))
    #expect(choice.reason.contains("for sure") == !choice.isSure)
  }

  @Test func `the head is what it would be by itself, in the units of the rows`() throws {
    let input = try repeated(120, seed: 9)
    var moved = input.rows
    for row in 0..<120 {
      moved[row, 6] = 1000 * moved[row, 6] + 5000
      moved[row, 2] = 7
    }
    let rows = try LabeledRows(moved, labels: input.labels)
    let range = ColumnRange(moved, Array(0..<120), isClipped: false)
    let scaled = range.applied(to: moved, Array(0..<120))
    let known = try LabeledRows(scaled, labels: input.labels)
    let model = try HeadChooser(c: 900).fit(rows)
    #expect(model.choice.head == .logistic)
    let own = try LogisticRegression(c: 900).fit(known)
    #expect(
      largestDifference(try model.probabilities(moved), try own.probabilities(scaled)) < 1e-4)
    #expect(model.linear.fit == own.fit)
    let bayes = try range.unscaled(GaussianNaiveBayes().fit(known).linear())
    #expect(
      largestDifference(
        try bayes.probabilities(moved),
        try GaussianNaiveBayes().fit(known).probabilities(scaled)) < 1e-4)
  }

  @Test func `the interval is the corrected one`() throws {
    // Leads .1, .2, .3 with 10 of 40 rows held out: se² = (1/3 + 1/3) · .01.
    let choice = HeadChoice([[0.5, 0.6], [0.5, 0.7], [0.4, 0.7]], rowCount: 40, testCount: 10)
    let width = 4.302652729911275 * (2.0 / 300).squareRoot()
    #expect(abs(choice.interval.lowerBound - (0.2 - width)) < 1e-9)
    #expect(abs(choice.interval.upperBound - (0.2 + width)) < 1e-9)
    #expect(choice.head == .logistic && !choice.isSure)
    let even = HeadChoice([[0.5, 0.5], [0.5, 0.5]], rowCount: 40, testCount: 10)
    #expect(even.head == .naiveBayes && !even.isSure)
  }

  @Test func `rare classes are learnt from, and too few rows are told`() throws {
    let input = try blobs(40, 3, classes: 2, seed: 2)
    var labels = input.labels
    labels[0] = 5
    let model = try HeadChooser().fit(LabeledRows(input.rows, labels: labels))
    #expect(model.classes == [0, 1, 5] && model.choice.testCount == 8)
    expectError(.badData, "none can be held out") {
      try HeadChooser().fit(LabeledRows(input.rows.selecting(rows: 0..<2), labels: [0, 1]))
    }
    for bad in [HeadChooser(drawCount: 1), HeadChooser(testShare: 0), HeadChooser(c: 0)] {
      expectError(.invalidArgument, "a choice of heads") { try bad.fit(input) }
    }
  }
}
