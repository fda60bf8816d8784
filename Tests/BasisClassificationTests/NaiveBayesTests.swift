import BasisClassification
import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

func fixture<T: Decodable>(_ name: String, _ type: T.Type) throws -> T {
  let url = try #require(
    Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// Rows of classes around places of their own.
func blobs(_ n: Int, _ d: Int, classes: Int, apart: Double = 1.5, seed: UInt64) throws
  -> LabeledRows
{
  var generator = RandomGenerator(seed: seed)
  let centers = (0..<classes * d).map { _ in generator.nextGaussian() * apart }
  let labels = (0..<n).map { $0 % classes }
  let rows = Matrix(rowCount: n, columnCount: d) { out in
    for index in out.indices {
      out[index] = Float(
        centers[labels[index / d] * d + index % d] + generator.nextGaussian())
    }
  }
  return try LabeledRows(rows, labels: labels)
}

struct HeadFixture: Decodable {
  struct Bayes: Decodable {
    var rowCount: Int
    var columnCount: Int
    var sixteenths: [Int]
    var labels: [Int]
    var variances: [Double]
    var asked: Int
    var scores: [Double]
    var predicted: [Int]
    var ownVariances: [Double]
    var ownLogs: [Double]
    var ownPredicted: [Int]
  }

  struct Logistic: Decodable {
    var rowCount: Int
    var columnCount: Int
    var c: Double
    var sixteenths: [Int]
    var labels: [Int]
    var loss: Double
    var weights: [Double]
    var intercepts: [Double]
    var predicted: [Int]
  }

  var tolerance: Double
  var bayes: [Bayes]
  var logistic: [Logistic]

  static func rows(_ n: Int, _ d: Int, _ sixteenths: [Int], _ labels: [Int]) throws -> LabeledRows {
    try LabeledRows(
      Matrix(rowCount: n, columnCount: d, values: sixteenths.map { Float($0) / 16 }),
      labels: labels)
  }
}

@Suite struct NaiveBayesTests {
  @Test func `it is the published formula, and scikit-learn's with own variances`() throws {
    let known = try fixture("naive_bayes", HeadFixture.self)
    for one in known.bayes {
      let input = try HeadFixture.rows(one.rowCount, one.columnCount, one.sixteenths, one.labels)
      let shared = try GaussianNaiveBayes().fit(input)
      try check(shared, input, one.variances, one.scores, one.predicted, one.asked)
      // Probabilities are those scores again: scikit-learn gives logs of them.
      let own = try GaussianNaiveBayes(variance: .perClass).fit(input)
      for (found, wanted) in zip(own.variances, one.ownVariances) {
        #expect(abs(found - wanted) <= 1e-10 * wanted)
      }
      let k = own.classes.count
      let scores = try own.scores(input.rows)
      for row in 0..<one.asked {
        let some = scores[row * k..<(row + 1) * k]
        let top = some.max() ?? 0
        let total = top + log(some.reduce(0) { $0 + exp($1 - top) })
        for place in 0..<k {
          let wanted = one.ownLogs[row * k + place]
          guard wanted > -700 else { continue }
          #expect(abs(some[row * k + place] - total - wanted) <= 1e-9 * max(1, abs(wanted)))
        }
      }
      #expect(try own.predict(input.rows) == one.ownPredicted)
    }
  }

  private func check(
    _ model: GaussianNaiveBayesModel, _ input: LabeledRows, _ variances: [Double],
    _ wanted: [Double], _ predicted: [Int], _ asked: Int
  ) throws {
    for (found, wanted) in zip(model.variances, variances) {
      #expect(abs(found - wanted) <= 1e-10 * wanted)
    }
    let k = model.classes.count
    let scores = try model.scores(input.rows)
    for row in 0..<asked {
      let top = scores[row * k..<(row + 1) * k].max() ?? 0
      for place in row * k..<(row + 1) * k {
        #expect(abs(scores[place] - top - wanted[place]) <= 1e-10 * max(1, abs(wanted[place])))
      }
    }
    #expect(try model.predict(input.rows) == predicted)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `parts in any order are the whole`(seed: UInt64) throws {
    let input = try blobs(90, 7, classes: 3, seed: seed)
    let whole = try ClassMoments(input.rows, labels: input.labels)
    var generator = RandomGenerator(seed: seed)
    var order = Array(0..<90)
    generator.shuffle(&order)
    var parts: [ClassMoments] = []
    for start in stride(from: 0, to: 90, by: 11) {
      let some = Array(order[start..<min(90, start + 11)])
      parts.append(
        try ClassMoments(
          input.rows.selecting(rows: some), labels: some.map { input.labels[$0] }))
    }
    var merged = ClassMoments(columnCount: 7)
    for part in parts { try merged.merge(part) }
    #expect(merged.classes == whole.classes && merged.counts == whole.counts)
    for (a, b) in zip(merged.means, whole.means) { #expect(abs(a - b) <= 1e-10 * max(1, abs(b))) }
    for (a, b) in zip(merged.squaredDeviations, whole.squaredDeviations) {
      #expect(abs(a - b) <= 1e-10 * b)
    }
    let first = try GaussianNaiveBayes().fit(
      LabeledRows(input.rows.selecting(rows: 0..<40), labels: Array(input.labels[..<40])))
    let rest = try LabeledRows(
      input.rows.selecting(rows: 40..<90), labels: Array(input.labels[40...]))
    let both = try GaussianNaiveBayes().fit(rest, after: first)
    let once = try GaussianNaiveBayes().fit(input)
    for (a, b) in zip(both.variances, once.variances) { #expect(abs(a - b) <= 1e-10 * b) }
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `as weights it says the same`(seed: UInt64) throws {
    let input = try blobs(120, 9, classes: 4, apart: 0.7, seed: seed)
    var far = input.rows
    // Far from zero, where weights that are not centred lose their digits.
    far.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] += 1000 }
    }
    for rows in [input.rows, far] {
      let model = try GaussianNaiveBayes().fit(LabeledRows(rows, labels: input.labels))
      let linear = try model.linear()
      #expect(try model.predict(rows) == linear.predict(rows))
      let (a, b) = (try model.probabilities(rows), try linear.probabilities(rows))
      #expect(largestDifference(a, b) < 1e-6)
    }
  }

  @Test func `what it cannot use is one clear error`() throws {
    let rows = try Matrix(rows: [[0, 1], [1, 2], [5, 1], [6, 1]])
    let single = try LabeledRows(rows, labels: [0, 0, 0, 1])
    #expect(throws: Never.self) { try GaussianNaiveBayes().fit(single) }
    expectError(.badData, "class 1 has 1 row", "shared") {
      try GaussianNaiveBayes(variance: .perClass).fit(single)
    }
    expectError(.badData, "2 classes", "is 1") {
      try GaussianNaiveBayes().fit(LabeledRows(rows, labels: [3, 3, 3, 3]))
    }
    expectError(.badData, "2 classes", "are none") {
      try GaussianNaiveBayes().fit(LabeledRows(Matrix(rowCount: 0, columnCount: 2), labels: []))
    }
    expectError(.invalidArgument, "floor") { try GaussianNaiveBayes(floor: 0).fit(single) }
    expectError(.unsupported, "shared variance") {
      try GaussianNaiveBayes(variance: .perClass)
        .fit(LabeledRows(rows, labels: [0, 0, 1, 1])).linear()
    }
    let model = try GaussianNaiveBayes().fit(
      LabeledRows(Matrix(rows: [[0, 1], [1, 1], [5, 1], [6, 1]]), labels: [0, 0, 1, 1]))
    #expect(model.warnings.count == 1 && model.warnings[0].contains("the first of them 1"))
    #expect(try model.predict(Matrix(rows: [[0.4, 1], [5.5, 9]])) == [0, 1])
    expectError(.dimensionMismatch, "2 columns") {
      try model.predict(Matrix(rows: [[1, 2, 3]]))
    }
    #expect(try model.predict(Matrix(rowCount: 0, columnCount: 2)).isEmpty)
    expectError(.dimensionMismatch, "2 columns", "3") {
      try GaussianNaiveBayes().fit(blobs(6, 3, classes: 2, seed: 1), after: model)
    }
  }
}

func largestDifference(_ a: Matrix, _ b: Matrix) -> Double {
  var most = 0.0
  for row in 0..<a.rowCount {
    for column in 0..<a.columnCount {
      most = max(most, abs(Double(a[row, column]) - Double(b[row, column])))
    }
  }
  return most
}
