import BasisCodecs
import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@Suite struct FeatureTensorTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      var lower, upper: Float
      var bits: Int
      var x: [Float]
      var quantised: [UInt16]
      var restored: [Float]
    }
    struct Layout: Decodable {
      var layout: FeatureLayout
      var shape: [Int]
      var plane: [[Float]]
    }
    var cases: [Case]
    var layouts: [Layout]
  }

  private func fixture() throws -> Fixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "feature_tensor", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  @Test func `cutting and quantising are NumPy's, bit for bit`() throws {
    for item in try fixture().cases {
      let quantizer = FeatureQuantizer(lower: item.lower, upper: item.upper, bits: item.bits)
      #expect(item.x.map { quantizer.quantized($0) } == item.quantised)
      #expect(item.quantised.map { quantizer.value($0) } == item.restored)
    }
  }

  @Test func `planes are NumPy's, and tensors come back from them`() throws {
    for item in try fixture().layouts {
      let values = (0..<item.shape.reduce(1, *)).map { Float($0) }
      let tensor = try FeatureTensor(shape: item.shape, values: values)
      let plane = try item.layout.pack(tensor)
      #expect(try plane == Matrix(rows: item.plane), "\(item.layout)")
      #expect(try item.layout.unpack(plane, shape: item.shape) == tensor)
    }
  }

  /// Smooth in both directions, with noise.
  private func tensor(_ shape: [Int], seed: UInt64) throws -> FeatureTensor {
    var generator = RandomGenerator(seed: seed)
    let width = shape[3]
    let values = (0..<shape.reduce(1, *)).map { index in
      let (row, column) = (Double(index / width), Double(index % width))
      return Float(
        2 * sin(row / 7) + 2 * cos(column / 5 + row / 20) + 0.05 * generator.nextGaussian())
    }
    return try FeatureTensor(shape: shape, values: values)
  }

  @Test(arguments: FeatureLayout.allCases)
  func `without a step, the numbers come back exactly`(layout: FeatureLayout) throws {
    let shape = layout == .tokens ? [1, 1, 37, 45] : [2, 9, 13, 11]
    let tensor = try tensor(shape, seed: 4)
    for bits in [1, 4, 10, 16] {
      let quantizer = FeatureQuantizer(lower: -3, upper: 5, bits: bits)
      let codec = FeatureTensorCodec(quantizer: quantizer, layout: layout)
      let stream = try codec.encode(tensor)
      let decoded = try codec.decode(stream, shape: shape)
      #expect(
        decoded.values == tensor.values.map { quantizer.value(quantizer.quantized($0)) },
        "\(bits) bits")
      #expect(FeatureTensorCodec.bitsPerPoint(stream, shape: shape) < Double(bits) + 0.6)
    }
  }

  @Test(arguments: FeatureLayout.allCases)
  func `larger steps take fewer bits and lose more`(layout: FeatureLayout) throws {
    let shape = layout == .tokens ? [1, 1, 61, 50] : [2, 9, 20, 11]
    let tensor = try tensor(shape, seed: 5)
    for transform in FeatureTensorCodec.Transform.allCases {
      try check(tensor, layout, transform)
    }
  }

  private func check(
    _ tensor: FeatureTensor, _ layout: FeatureLayout, _ transform: FeatureTensorCodec.Transform
  ) throws {
    let shape = tensor.shape
    var last = (bits: Double.infinity, error: 0.0)
    for step in [1.5, 3, 8, 32, 128] as [Float] {
      let codec = FeatureTensorCodec(
        quantizer: .init(lower: -5, upper: 5), layout: layout, transform: transform,
        step: step)
      let stream = try codec.encode(tensor)
      let decoded = try codec.decode(stream, shape: shape)
      let bits = FeatureTensorCodec.bitsPerPoint(stream, shape: shape)
      let error =
        zip(decoded.values, tensor.values).reduce(0.0) {
          $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
        } / Double(tensor.values.count)
      #expect(bits < last.bits && error > last.error, "step \(step): \(bits) bits, \(error)")
      // An orthonormal transform spreads the error of coefficients: at most a step each, and the
      // quantiser's own.
      let unit = Double(10.0 / 1023)
      #expect(error.squareRoot() <= (Double(step) + 1.5) * unit)
      last = (bits, error)
    }
    #expect(last.bits < 1)
  }

  @Test func `cutting outliers off leaves more of the rest`() throws {
    var generator = RandomGenerator(seed: 8)
    // One value in a thousand is a hundred times larger.
    let values = (0..<40_000).map { index in
      Float(generator.nextGaussian()) * (index % 1000 == 0 ? 100 : 1)
    }
    let tensor = try FeatureTensor(shape: [1, 1, 200, 200], values: values)
    func error(_ lower: Float, _ upper: Float) throws -> Double {
      let codec = FeatureTensorCodec(quantizer: .init(lower: lower, upper: upper, bits: 8))
      let decoded = try codec.decode(codec.encode(tensor), shape: tensor.shape)
      return values.indices.filter { $0 % 1000 != 0 }.reduce(0.0) {
        $0 + Double(abs(decoded.values[$1] - values[$1]))
      }
    }
    let (lowest, highest) = (values.min() ?? 0, values.max() ?? 0)
    #expect(try error(-5, 5) * 10 < error(lowest, highest))
  }

  @Test func `what it cannot code is an error`() throws {
    let tensor = try tensor([1, 1, 9, 9], seed: 1)
    expectError(.invalidArgument, "5.0 to 5.0") {
      try FeatureTensorCodec(quantizer: .init(lower: 5, upper: 5)).encode(tensor)
    }
    for bits in [0, 17] {
      expectError(.invalidArgument, "1 to 16", "\(bits)") {
        try FeatureTensorCodec(quantizer: .init(bits: bits)).encode(tensor)
      }
    }
    expectError(.invalidArgument, "step") { try FeatureTensorCodec(step: 0).encode(tensor) }
    expectError(.invalidArgument, "rounding") {
      try FeatureTensorCodec(step: 1, rounding: 0.7).encode(tensor)
    }
    let flat = try FeatureTensor(shape: [9, 9], values: Array(repeating: 0, count: 81))
    for layout in FeatureLayout.allCases {
      expectError(.dimensionMismatch, "[9, 9]") {
        try FeatureTensorCodec(layout: layout).encode(flat)
      }
    }
    let three = try FeatureTensor(shape: [1, 3, 2, 2], values: Array(repeating: 0, count: 12))
    expectError(.invalidArgument, "square", "3") {
      try FeatureTensorCodec(layout: .tiles).encode(three)
    }
    expectError(.dimensionMismatch, "tokens") { try FeatureTensorCodec().encode(three) }
    expectError(.badData, "position 1") { try FeatureTensor(shape: [2], values: [0, .nan]) }
    expectError(.dimensionMismatch) { try FeatureTensor(shape: [3], values: [0, 0]) }
    for step in [nil, 4] as [Float?] {
      let codec = FeatureTensorCodec(step: step)
      let stream = try codec.encode(tensor)
      for count in stride(from: 0, to: stream.count, by: 7) {
        expectError(.badData, "cut") {
          try codec.decode(Array(stream.prefix(count)), shape: tensor.shape)
        }
      }
      var damaged = stream
      for place in damaged.indices {
        damaged[place] ^= 0x55
        // Other features, or an error; never a trap.
        _ = try? codec.decode(damaged, shape: tensor.shape)
        damaged[place] ^= 0x55
      }
    }
    let text = try JSONEncoder().encode(FeatureTensorCodec(step: 2))
    #expect(try JSONDecoder().decode(FeatureTensorCodec.self, from: text) == .init(step: 2))
    #expect(
      try JSONDecoder().decode(FeatureTensorCodec.self, from: Data("{}".utf8)) == .init())
  }
}
