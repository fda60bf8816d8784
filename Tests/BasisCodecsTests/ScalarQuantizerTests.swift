import BasisCodecs
import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@Suite struct ScalarQuantizerTests {
  @Test(arguments: ScalarQuantizer.Kind.allCases, [1, 8, 33, 130])
  func `it keeps the promises of a codec`(kind: ScalarQuantizer.Kind, dimension: Int) throws {
    try checkCodec(
      ScalarQuantizer(kind), gaussianMatrix(rowCount: 70, columnCount: dimension, seed: 5))
  }

  @Test(arguments: ScalarQuantizer.Kind.allCases)
  func `a code has the bytes it says`(kind: ScalarQuantizer.Kind) throws {
    let fitted = try ScalarQuantizer(kind).fit(
      gaussianMatrix(rowCount: 4, columnCount: 33, seed: 1))
    let expected: [ScalarQuantizer.Kind: Int] = [
      .float32: 132, .float16: 66, .bfloat16: 66, .int8: 37, .int4: 21, .stochasticInt8: 33,
      .stochasticInt16: 66,
    ]
    #expect(fitted.bytesPerVector == expected[kind])
  }

  @Test(arguments: 0..<5)
  func `no value is further away than half a step`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 50, columnCount: 40, seed: seed)
    let bounds: [ScalarQuantizer.Kind: (Float, Float) -> Float] = [
      .float32: { _, _ in 0 },
      .float16: { value, _ in abs(value) * 0x1p-11 + 0x1p-24 },
      .bfloat16: { value, _ in abs(value) * 0x1p-8 },
      .int8: { _, largest in largest / 254 * 1.0001 },
    ]
    for (kind, bound) in bounds {
      let fitted = try ScalarQuantizer(kind).fit(rows)
      let decoded = try fitted.decode(fitted.encode(rows))
      for row in 0..<50 {
        let largest = rows.row(row).map(abs).max() ?? 0
        for column in 0..<40 {
          let value = rows[row, column]
          #expect(abs(value - decoded[row, column]) <= bound(value, largest), "\(kind)")
        }
      }
    }
  }

  @Test func `four bits lose no more than evenly spaced levels up to the largest value do`() throws
  {
    let rows = gaussianMatrix(rowCount: 200, columnCount: 96, seed: 3)
    let fitted = try ScalarQuantizer(.int4).fit(rows)
    let decoded = try fitted.decode(fitted.encode(rows))
    var (ours, plain) = (0.0, 0.0)
    for row in 0..<200 {
      let values = rows.row(row)
      let step = 2 * (values.map(abs).max() ?? 0) / 15
      for column in 0..<96 {
        let level = ((values[column] / step) - 0.5).rounded() + 0.5
        let naive = Double(values[column] - min(7.5, max(-7.5, level)) * step)
        let error = Double(values[column] - decoded[row, column])
        ours += error * error
        plain += naive * naive
      }
    }
    #expect(ours < plain)
    #expect(ours / Double(200 * 96) < 0.0135)
  }

  @Test(arguments: [ScalarQuantizer.Kind.stochasticInt8, .stochasticInt16])
  func `stochastic rounding has no bias`(kind: ScalarQuantizer.Kind) throws {
    // Rows that differ in one far value only, so that each draws anew.
    let count = 4000
    let rows = Matrix(rowCount: count, columnCount: 3) { floats in
      for row in 0..<count {
        floats[3 * row] = 0.1234
        floats[3 * row + 1] = -0.077
        floats[3 * row + 2] = Float(row) / Float(count)
      }
    }
    let step: Float = 0.01
    let fitted = try ScalarQuantizer(kind, step: step).fit(rows, in: RunContext(seed: 3))
    let decoded = try fitted.decode(fitted.encode(rows))
    for column in 0..<3 {
      let errors = (0..<count).map { Double(decoded[$0, column] - rows[$0, column]) }
      let mean = errors.reduce(0, +) / Double(count)
      // A step up or down has a deviation of at most half a step.
      #expect(abs(mean) < 3 * Double(step) / 2 / Double(count).squareRoot(), "column \(column)")
      #expect(errors.allSatisfy { abs($0) <= Double(step) * 1.001 })
    }
    let other = try ScalarQuantizer(kind, step: step).fit(rows, in: RunContext(seed: 4))
    #expect(try bytes(other.encode(rows)) != bytes(fitted.encode(rows)))
    let cut = try fitted.decode(fitted.encode(Matrix(rows: [[500, -500, 0]])))
    let reach = kind == .stochasticInt8 ? Float(1.27) : 327.67
    #expect(abs(cut[0, 0] - reach) < 1e-3 && abs(cut[0, 1] + reach + step) < 1e-2)
  }

  @Test func `rows of zeros, of one value and of extreme values`() throws {
    let tiny = Float.leastNonzeroMagnitude
    let rows = try Matrix(rows: [[0, 0, 0], [tiny, -tiny, 0], [3e38, -3e38, 1], [2, 2, 2]])
    for kind in ScalarQuantizer.Kind.allCases where kind != .float16 {
      let fitted = try ScalarQuantizer(kind).fit(rows)
      let decoded = try fitted.decode(fitted.encode(rows))
      #expect(decoded.firstNonFinite() == nil, "\(kind)")
      if kind != .stochasticInt8 && kind != .stochasticInt16 {
        #expect(decoded.row(0) == [0, 0, 0])
        #expect(decoded.row(3).allSatisfy { abs($0 - 2) < 0.01 }, "\(kind)")
      }
      _ = try score(
        fitted.scorer(for: [0, 0, 0], metric: .cosine), fitted.encode(rows), 0..<4)
    }
    let halves = try ScalarQuantizer(.float16).fit(rows)
    expectError(.badData, "row 2", "column 0", "bfloat16") { try halves.encode(rows) }
    expectError(.invalidArgument, "step") {
      try ScalarQuantizer(.stochasticInt8, step: 0).fit(rows)
    }
    expectError(.invalidArgument, "step") {
      try ScalarQuantizer(.stochasticInt8, step: .nan).fit(rows)
    }
  }
}
