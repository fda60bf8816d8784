import BasisCore
import BasisFormats
import BasisLab
import BasisNumerics
import Testing
import _BasisTestSupport

@Suite struct DigitsTests {
  @Test func `the program's digits are those of the fixture, with their classes`() throws {
    let fixture = try Matrix(contentsOf: DigitEmbeddings.path)
    #expect(Digits.images.rowCount == 1_797 && Digits.labels.count == 1_797)
    Digits.images.withUnsafeFloats { ours in
      fixture.withUnsafeFloats { theirs in
        #expect(zip(ours, theirs).allSatisfy { 16 * $0 == $1 })
      }
    }
    // As scikit-learn counts them.
    let counts = (0..<10).map { digit in Digits.labels.count { $0 == digit } }
    #expect(counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
  }

  @Test func `moved images leave at one edge and come back whole`() {
    let some = Digits.images.selecting(rows: 0..<5)
    #expect(Digits.moved(some, down: 0, right: 0) == some)
    let there = Digits.moved(some, down: 1, right: -1)
    for row in 0..<5 {
      for y in 0..<7 {
        for x in 1..<8 { #expect(there[row, (y + 1) * 8 + x - 1] == some[row, y * 8 + x]) }
      }
      for x in 0..<8 { #expect(there[row, x] == 0 && there[row, x * 8 + 7] == 0) }
    }
    #expect(Digits.moved(some, down: 8, right: 0) == Matrix(rowCount: 5, columnCount: 64))
  }

  @Test func `a small network reads digits that it has not seen`() throws {
    var order = Array(0..<1_797)
    var generator = RandomGenerator(seed: 5)
    generator.shuffle(&order)
    let (train, test) = (order.dropFirst(450), order.prefix(450))
    let settings = MultilayerPerceptron(
      hiddenSizes: [64], learningRate: 0.005, batchSize: 64, epochCount: 30)
    let model = try settings.fit(
      Digits.images.selecting(rows: train), labels: train.map { Digits.labels[$0] },
      in: RunContext(seed: 1))
    let found = try model.classes(of: Digits.images.selecting(rows: test))
    let right = zip(found, test).count { $0 == Digits.labels[$1] }
    #expect(Double(right) / 450 >= 0.97, "\(right) of 450")
  }
}
