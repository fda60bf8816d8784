import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@Suite struct PenalizedLogisticTests {
  @Test(arguments: 0..<8 as Range<UInt64>, [0.1, 1, 50])
  func `its slopes are zero where it ends`(seed: UInt64, strength: Double) {
    let rows = gaussianMatrix(rowCount: 60, columnCount: 4, seed: seed)
    var generator = RandomGenerator(seed: seed)
    let isPositive = (0..<60).map { rows[$0, 0] > 0.4 * Float(generator.nextGaussian()) }
    let found = PenalizedLogistic(rows, isPositive, strength: strength)
    var slopes = found.weights + [0]
    for (row, value) in found.decisions(rows).enumerated() {
      let sign = isPositive[row] ? 1.0 : -1
      let doubt = strength * sign / (1 + exp(sign * value))
      for column in 0..<4 { slopes[column] -= doubt * Double(rows[row, column]) }
      slopes[4] -= doubt
    }
    for slope in slopes { #expect(abs(slope) < 1e-7 * max(1, strength)) }
  }

  @Test func `rows without error, of one class and all alike have an end`() {
    let apart = PenalizedLogistic(
      Matrix(rowCount: 4, columnCount: 1) { out in
        for index in 0..<4 { out[index] = index < 2 ? -5 : 5 }
      }, [false, false, true, true])
    #expect(apart.weights[0] > 0.3 && apart.weights[0] < 10)
    let rows = gaussianMatrix(rowCount: 20, columnCount: 3, seed: 1)
    let one = PenalizedLogistic(rows, [Bool](repeating: true, count: 20))
    #expect(one.intercept > 3 && one.decisions(rows).allSatisfy { $0 > 0 && $0.isFinite })
    let flat = PenalizedLogistic(
      Matrix(rowCount: 20, columnCount: 2), (0..<20).map { $0 % 4 == 0 })
    #expect(flat.weights == [0, 0])
    #expect(abs(flat.intercept - log(1.0 / 3)) < 1e-6)
  }
}
