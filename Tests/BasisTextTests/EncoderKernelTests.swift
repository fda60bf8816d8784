import BasisCore
import CBasisKernels
import Foundation
import Testing
import _BasisTestSupport

private let levels = [BASIS_SIMD_SCALAR, BASIS_SIMD_AVX2, BASIS_SIMD_AVX512]

private func eachLevel(_ body: (String, basis_encoder_table) throws -> Void) rethrows {
  for level in levels {
    guard let table = basis_encoder_kernels_at(level)?.pointee else { continue }
    try body(String(cString: table.name), table)
  }
}

private func gaussians(_ count: Int, _ generator: inout RandomGenerator) -> [Float] {
  (0..<count).map { _ in Float(generator.nextGaussian()) }
}

private let canary: Float = -12345

@Suite struct EncoderKernelTests {
  @Test func `products with floats are within the rounding of their sums`() {
    eachLevel { name, table in
      var generator = RandomGenerator(seed: 1)
      for (m, k, n) in [
        (1, 1, 1), (3, 5, 7), (14, 36, 33), (29, 75, 64), (45, 70, 31), (7, 384, 96),
      ] {
        let stride = k + 3
        let x = gaussians(m * stride, &generator)
        let weights = gaussians(n * k, &generator)
        let bias = gaussians(n, &generator)
        var packed = [Float](
          repeating: .nan, count: basis_packed_f32_count(n, k, table.panel))
        basis_pack_f32(weights, n, k, table.panel, &packed)
        let outStride = n + 2
        for activation in [BASIS_ACTIVATION_NONE, BASIS_ACTIVATION_GELU] {
          var out = [Float](repeating: canary, count: m * outStride)
          table.linear_f32(x, stride, m, packed, k, n, bias, activation, &out, outStride)
          for i in 0..<m {
            for j in 0..<n {
              var sum = Double(bias[j])
              var size = abs(sum)
              for c in 0..<k {
                let term = Double(x[i * stride + c]) * Double(weights[j * k + c])
                sum += term
                size += abs(term)
              }
              var bound = Double(k + 2) * 6e-8 * size
              if activation == BASIS_ACTIVATION_GELU {
                sum = sum / 2 * (1 + erf(sum / 2.0.squareRoot()))
                bound = 1.2 * bound + 1.5e-6
              }
              #expect(abs(Double(out[i * outStride + j]) - sum) <= bound, "\(name) \(m) \(k) \(n)")
            }
            #expect(out[i * outStride + n] == canary && out[i * outStride + n + 1] == canary)
          }
          // A row alone, and rows in other groups, are the same bits.
          for start in 0..<m {
            var alone = [Float](repeating: 0, count: outStride)
            let rest = Array(x[(start * stride)...])
            table.linear_f32(rest, stride, 1, packed, k, n, bias, activation, &alone, outStride)
            #expect(alone[..<n] == out[start * outStride..<start * outStride + n], "\(name)")
          }
        }
      }
    }
  }

  @Test func `products in fixed point are exact sums at every level`() {
    var first: [Float]?
    eachLevel { name, table in
      var generator = RandomGenerator(seed: 2)
      var all: [Float] = []
      for (m, k, n) in [(1, 1, 1), (3, 5, 7), (17, 36, 33), (29, 75, 64), (5, 1536, 40)] {
        let x = gaussians(m * k, &generator)
        var weights = gaussians(n * k, &generator)
        // Rows that press against the limit of 32 bits: all alike, and one large number.
        for c in 0..<k { weights[c] = 1 }
        if n > 1 { weights[k] = 1000 }
        let bias = gaussians(n, &generator)
        let width = (k + 1) / 2 * 2
        var packed = [Int16](repeating: 0, count: basis_packed_i16_count(n, k, table.panel))
        var weightScales = [Float](repeating: 0, count: n)
        basis_pack_i16(weights, n, k, table.panel, &packed, &weightScales)
        var fixed = [Int16](repeating: 99, count: m * width)
        var scales = [Float](repeating: 0, count: m)
        table.quantize(x, k, m, k, &fixed, &scales)
        var (isNear, fits) = (true, true)
        var out = [Float](repeating: canary, count: m * n)
        table.linear_i16(
          fixed, scales, m, packed, weightScales, k, n, bias, BASIS_ACTIVATION_NONE, &out, n)
        for i in 0..<m {
          let row = x[i * k..<(i + 1) * k]
          #expect(
            fixed[i * width..<i * width + k].map { abs(Int($0)) }.max()
              == Int(BASIS_FIXED_LIMIT))
          #expect(
            zip(row, fixed[(i * width)...]).allSatisfy {
              abs(Float($1) * scales[i] - $0) <= 0.502 * scales[i]
            })
          for j in 0..<n {
            var (sum, total): (Int64, Float) = (0, 0)
            for c in 0..<k {
              if c % Int(BASIS_FIXED_PART) == 0 {
                total += Float(sum)
                sum = 0
              }
              let panel = j / table.panel * table.panel * width
              let weight = packed[panel + (c / 2 * table.panel + j % table.panel) * 2 + c % 2]
              let error = abs(Float(weight) * weightScales[j] - weights[j * k + c])
              isNear = isNear && error <= 0.502 * weightScales[j]
              sum += Int64(fixed[i * width + c]) * Int64(weight)
              fits = fits && Int32(exactly: sum) != nil
            }
            let expected = (total + Float(sum)) * (scales[i] * weightScales[j]) + bias[j]
            #expect(abs(out[i * n + j] - expected) <= 2e-7 * (abs(expected) + abs(bias[j]) + 1))
          }
        }
        #expect(isNear && fits, "\(name): \(m) \(k) \(n)")
        all += out
      }
      #expect(all == first ?? all, "\(name)")
      first = all
    }
  }

  @Test func `rows of zeros and of tiny numbers become zeros`() {
    eachLevel { name, table in
      let x: [Float] = [0, 0, 0, 1e-38, -.leastNonzeroMagnitude, 1e-35]
      var fixed = [Int16](repeating: 99, count: 8)
      var scales: [Float] = [9, 9]
      table.quantize(x, 3, 2, 3, &fixed, &scales)
      #expect(fixed == Array(repeating: 0, count: 8), "\(name)")
      #expect(scales[0] == 0)
    }
  }

  @Test func `norms of sums are those of the formula`() {
    eachLevel { name, table in
      var generator = RandomGenerator(seed: 3)
      for d in 1...70 {
        let (x, y) = (gaussians(2 * d, &generator), gaussians(2 * d, &generator))
        let (gain, bias) = (gaussians(d, &generator), gaussians(d, &generator))
        var out = [Float](repeating: canary, count: 2 * d + 1)
        table.add_norm(x, y, 2, d, gain, bias, 1e-5, &out)
        for row in 0..<2 {
          let sums = (0..<d).map { Double(x[row * d + $0]) + Double(y[row * d + $0]) }
          let mean = sums.reduce(0, +) / Double(d)
          let variance = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d)
          for c in 0..<d {
            let expected =
              (sums[c] - mean) / (variance + 1e-5).squareRoot() * Double(gain[c]) + Double(bias[c])
            // With one or two numbers the variance can nearly vanish, and rounding shows.
            #expect(
              abs(Double(out[row * d + c]) - expected) < (d < 4 ? 1e-3 : 1e-5), "\(name) \(d)")
          }
        }
        #expect(out[2 * d] == canary)
        var inPlace = x
        inPlace.withUnsafeMutableBufferPointer {
          table.add_norm($0.baseAddress, y, 2, d, gain, bias, 1e-5, $0.baseAddress)
        }
        #expect(inPlace == Array(out[..<(2 * d)]))
      }
    }
  }

  @Test func `attention is the softmax of the products`() {
    eachLevel { name, table in
      var generator = RandomGenerator(seed: 4)
      for (length, size) in [(1, 1), (2, 9), (14, 32), (15, 9), (33, 64), (100, 32), (40, 7)] {
        let stride = 3 * size + 1
        let rows = gaussians(length * stride, &generator)
        var scratch = [Float](repeating: .nan, count: basis_attention_scratch(length, size))
        let outStride = size + 1
        var out = [Float](repeating: canary, count: length * outStride)
        let scale = 2 / Float(size).squareRoot()
        rows.withUnsafeBufferPointer { rows in
          guard let query = rows.baseAddress else { return }
          table.attention(
            query, query + size, query + 2 * size, stride, length, size, scale, &out, outStride,
            &scratch)
        }
        for i in 0..<length {
          let scores = (0..<length).map { j in
            (0..<size).reduce(0.0) {
              $0 + Double(rows[i * stride + $1]) * Double(rows[j * stride + size + $1])
            } * Double(scale)
          }
          let largest = scores.max() ?? 0
          let weights = scores.map { exp($0 - largest) }
          let total = weights.reduce(0, +)
          for c in 0..<size {
            let expected = (0..<length).reduce(0.0) {
              $0 + weights[$1] / total * Double(rows[$1 * stride + 2 * size + c])
            }
            #expect(
              abs(Double(out[i * outStride + c]) - expected) < 2e-5, "\(name) \(length) \(size)")
          }
          #expect(out[i * outStride + size] == canary)
        }
      }
    }
  }

  @Test func `GELU and exp keep their bounds`() {
    eachLevel { name, table in
      let xs = (-400_000...400_000).map { Float($0) * 2.5e-5 } + [-1e30, 1e30, -0.0, 1e-30]
      var ys = xs
      table.gelu(&ys, ys.count)
      var worst = 0.0
      for (x, y) in zip(xs, ys) {
        let exact = Double(x) / 2 * (1 + erf(Double(x) / 2.0.squareRoot()))
        worst = max(worst, abs(Double(y) - exact) / max(1, abs(exact) / 4))
      }
      #expect(worst <= 1.5e-6, "\(name)")
      let exponents = (0...870_000).map { Float($0) * -1e-4 }
      var powers = exponents
      table.exponential(&powers, powers.count)
      worst = zip(exponents, powers).reduce(0) {
        max($0, abs(Double($1.1) / exp(Double($1.0)) - 1))
      }
      #expect(worst <= 2e-7, "\(name)")
      var far: [Float] = [-88, -1000, -1e30, -.infinity]
      table.exponential(&far, 4)
      #expect(far.allSatisfy { $0 >= 0 && $0 < 2e-38 }, "\(name)")
    }
  }
}
