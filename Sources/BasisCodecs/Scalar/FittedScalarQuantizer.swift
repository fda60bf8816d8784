public import BasisCore
public import BasisFormats

/// A ``ScalarQuantizer`` that knows how long its vectors are.
///
/// A code of `int8` and `int4` starts with the row's factor, a `Float`.
public struct FittedScalarQuantizer: FittedCodec {
  public let settings: ScalarQuantizer
  public let dimension: Int
  // Of what the stochastic kinds draw; with the row's content, so that equal rows get equal codes.
  let seed: UInt64

  public var kind: ScalarQuantizer.Kind { settings.kind }
  public var bytesPerVector: Int { kind.bytesPerVector(dimension: dimension) }
  public var sharedBytes: Int { kind.isStochastic ? 8 : 0 }

  var levels: LevelStream { LevelStream(count: dimension, bits: 4) }
  var step: Float { settings.step ?? 1 }

  init(settings: ScalarQuantizer, dimension: Int, seed: UInt64 = 0) {
    self.settings = settings
    self.dimension = dimension
    self.seed = seed
  }

  public func encode(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Codes
  {
    try rows.requireRows(of: dimension, "scalar quantiser")
    return try codes(of: rows, in: run) { (row, values, code) throws(BasisError) in
      switch kind {
      case .float32:
        if let base = values.baseAddress {
          UnsafeMutableRawPointer(code).copyMemory(from: base, byteCount: 4 * dimension)
        }
      case .float16: try encodeHalf(row, values, code)
      case .bfloat16: encodeBrainHalf(values, code)
      case .int8: encodeInt8(values, code)
      case .int4: encodeInt4(values, code)
      case .stochasticInt8, .stochasticInt16: encodeByChance(values, code)
      }
    }
  }

  private func encodeHalf(
    _ row: Int, _ values: UnsafeBufferPointer<Float>, _ code: UnsafeMutablePointer<UInt8>
  ) throws(BasisError) {
    if let column = values.firstIndex(where: { abs($0) >= 65_520 }) {
      throw BasisError(
        .badData,
        "float16 cannot hold \(values[column]) at row \(row), column \(column); use bfloat16 or int8"
      )
    }
    UnsafeMutableRawPointer(code).withMemoryRebound(to: Float16.self, capacity: dimension) { out in
      if let base = values.baseAddress { Kernels.convert(base, count: dimension, into: out) }
    }
  }

  private func encodeBrainHalf(
    _ values: UnsafeBufferPointer<Float>, _ code: UnsafeMutablePointer<UInt8>
  ) {
    UnsafeMutableRawPointer(code).withMemoryRebound(to: UInt16.self, capacity: dimension) { out in
      for index in 0..<dimension {
        // The largest floats would round to infinity.
        let half = BFloat16(values[index]).bitPattern
        out[index] = half & 0x7FFF == 0x7F80 ? half - 1 : half
      }
    }
  }

  private func encodeInt8(
    _ values: UnsafeBufferPointer<Float>, _ code: UnsafeMutablePointer<UInt8>
  ) {
    let largest = values.reduce(0) { max($0, abs($1)) }
    let factor = largest / 127
    UnsafeMutableRawPointer(code).storeBytes(of: factor, as: Float.self)
    // Of the tiniest rows the factor is zero or has no inverse; they become rows of zeros.
    let inverse = 1 / factor
    guard inverse.isFinite else { return }
    for index in 0..<dimension {
      let level = Int8(clamping: Int((values[index] * inverse).rounded()))
      code[4 + index] = UInt8(bitPattern: max(-127, level))
    }
  }

  private func encodeInt4(
    _ values: UnsafeBufferPointer<Float>, _ code: UnsafeMutablePointer<UInt8>
  ) {
    let largest = values.reduce(0) { max($0, abs($1)) }
    guard largest > 0, (15 / largest).isFinite else { return }
    var best: (error: Float, factor: Float) = (.infinity, 0)
    // Cutting off the largest values makes the steps between the others finer.
    for eighth in 6...16 {
      let factor = largest / 15 * Float(eighth) / 16
      let inverse = 1 / factor
      var error: Float = 0
      for value in values {
        let difference = value * inverse - Self.nearestOdd(value * inverse)
        error += difference * difference
      }
      error *= factor / largest * (factor / largest)
      if error < best.error { best = (error, factor) }
    }
    UnsafeMutableRawPointer(code).storeBytes(of: best.factor, as: Float.self)
    let inverse = 1 / best.factor
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: dimension) { levels in
      for index in 0..<dimension {
        levels[index] = UInt8((Self.nearestOdd(values[index] * inverse) + 15) / 2)
      }
      if let base = levels.baseAddress { self.levels.pack(base, into: code + 4) }
    }
  }

  /// The nearest of −15, −13 … 15.
  @inline(__always)
  private static func nearestOdd(_ x: Float) -> Float {
    2 * (min(7.5, max(-7.5, x * 0.5)) - 0.5).rounded() + 1
  }

  private func encodeByChance(
    _ values: UnsafeBufferPointer<Float>, _ code: UnsafeMutablePointer<UInt8>
  ) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for value in values { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
    var generator = RandomGenerator(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ hash)
    for index in 0..<dimension {
      let place = Double(values[index] - settings.middle) / Double(step) + generator.nextDouble()
      let level = place.rounded(.down)
      if kind == .stochasticInt8 {
        code[index] = UInt8(bitPattern: Int8(max(-128, min(127, level))))
      } else {
        UnsafeMutableRawPointer(code).storeBytes(
          of: Int16(max(-32_768, min(32_767, level))), toByteOffset: 2 * index, as: Int16.self)
      }
    }
  }

  public func decode(_ codes: Codes, in run: RunContext = RunContext()) throws(BasisError) -> Matrix
  {
    try codes.requireBytes(bytesPerVector)
    return try makeMatrix(codes.count, dimension, in: run) { (range, out) in
      codes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        for row in range {
          decode(base + row * bytesPerVector, into: out + (row - range.lowerBound) * dimension)
        }
      }
    }
  }

  /// One vector.
  func decode(_ code: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<Float>) {
    let raw = UnsafeRawPointer(code)
    switch kind {
    case .float32: UnsafeMutableRawPointer(out).copyMemory(from: raw, byteCount: 4 * dimension)
    case .float16:
      Kernels.convert(raw.assumingMemoryBound(to: Float16.self), count: dimension, into: out)
    case .bfloat16:
      Kernels.convert(raw.assumingMemoryBound(to: BFloat16.self), count: dimension, into: out)
    case .int8:
      let factor = raw.loadUnaligned(as: Float.self)
      for index in 0..<dimension {
        out[index] = factor * Float(Int8(bitPattern: code[4 + index]))
      }
    case .int4:
      let factor = raw.loadUnaligned(as: Float.self)
      withUnsafeTemporaryAllocation(of: Int8.self, capacity: dimension) { odd in
        guard let odd = odd.baseAddress else { return }
        levels.unpackOdd(code + 4, into: odd)
        for index in 0..<dimension { out[index] = factor * Float(odd[index]) }
      }
    case .stochasticInt8:
      for index in 0..<dimension {
        out[index] = Float(Int8(bitPattern: code[index])) * step + settings.middle
      }
    case .stochasticInt16:
      for index in 0..<dimension {
        let level = raw.loadUnaligned(fromByteOffset: 2 * index, as: Int16.self)
        out[index] = Float(level) * step + settings.middle
      }
    }
  }

  public func scorer(for query: [Float], metric: Metric) throws(BasisError) -> ScalarScorer {
    try requireQuery(query, dimension: dimension)
    return ScalarScorer(self, query, metric)
  }

  private struct Header: Codable {
    var layout = 1
    var settings: ScalarQuantizer
    var dimension: Int
    var seed: UInt64
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "scalar", json: Header(settings: settings, dimension: dimension, seed: seed))
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "scalar", as: Header.self)
    try container.requireLayout(header.layout, of: "scalar quantiser")
    let step = header.settings.step ?? 1
    guard header.dimension > 0, header.dimension < 1 << 24, step > 0 else {
      throw BasisError(
        .corruptFile,
        "\(container.path): a scalar quantiser of dimension \(header.dimension), step \(step)")
    }
    self.init(settings: header.settings, dimension: header.dimension, seed: header.seed)
  }
}
