public import BasisCore

/// Feature tensors as a stream of bytes: cut to a range, laid out as a plane, and then either the
/// numbers of so many bits without further loss, or blocks of 8 × 8 by a cosine transform.
///
/// The transform's coefficients are divided by ``step`` with a dead zone, and coded with the magnitudes
/// of their neighbours in the block before and above as contexts. What a stream costs is said in bits
/// per feature point: all its bits over the number of values.
///
/// A handcrafted coder in the place of the VTM intra coder of Gao et al., arXiv:2412.04307.
public struct FeatureTensorCodec: Settings {
  public var quantizer: FeatureQuantizer
  public var layout: FeatureLayout
  /// What a coefficient is divided by, in steps of the quantiser, above 0; nil codes the numbers without
  /// further loss.
  public var step: Float?
  /// The share of a step that rounds up, 0 to 0.5: less makes more zeros.
  public var rounding: Float

  public init(
    quantizer: FeatureQuantizer = FeatureQuantizer(), layout: FeatureLayout = .tokens,
    step: Float? = nil, rounding: Float = 1.0 / 3
  ) {
    self.quantizer = quantizer
    self.layout = layout
    self.step = step
    self.rounding = rounding
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = FeatureTensorCodec()
    quantizer =
      try values.decodeIfPresent(FeatureQuantizer.self, forKey: .quantizer) ?? defaults.quantizer
    layout = try values.decodeIfPresent(FeatureLayout.self, forKey: .layout) ?? defaults.layout
    step = try values.decodeIfPresent(Float.self, forKey: .step)
    rounding = try values.decodeIfPresent(Float.self, forKey: .rounding) ?? defaults.rounding
  }

  func check() throws(BasisError) {
    try quantizer.check()
    if let step, !(step > 0 && step.isFinite) {
      throw BasisError(.invalidArgument, "feature codec: step must be above 0, not \(step)")
    }
    guard rounding >= 0, rounding <= 0.5 else {
      throw BasisError(
        .invalidArgument, "feature codec: rounding must be in 0 ... 0.5, not \(rounding)")
    }
  }

  /// The stream of a tensor, without its shape and the settings.
  ///
  /// - Parameter tensor: of a shape that ``layout`` takes.
  /// - Throws: `.invalidArgument` for settings out of range; `.dimensionMismatch` for another shape.
  /// - Complexity: O(values).
  public func encode(_ tensor: FeatureTensor) throws(BasisError) -> [UInt8] {
    try check()
    let plane = try layout.pack(tensor)
    var encoder = RangeEncoder()
    let (rows, columns) = (plane.rowCount, plane.columnCount)
    let numbers = plane.withUnsafeFloats { $0.map { Int32(quantizer.quantized($0)) } }
    if let step {
      var coder = BlockCoder(columnCount: columns)
      for (y, x) in BlockCoder.places(rows, columns) {
        let block = BlockCoder.transform(
          BlockCoder.block(numbers, rows, columns, y, x, middle: middle))
        coder.code(y: y, x: x) { place, context, kind, magnitudes in
          let scaled = abs(block[place]) / step
          let size = Int32(min(1e9, (scaled + rounding).rounded(.down)))
          let value = block[place] < 0 ? -size : size
          magnitudes.encode(value, context: context, kind: kind, to: &encoder)
          return value
        }
      }
    } else {
      var magnitudes = MagnitudeCoder()
      // Each number as what its left neighbour and the one above lead one not to expect.
      var coded = [Int32](repeating: 0, count: numbers.count)
      for place in numbers.indices {
        let difference = numbers[place] - Self.predicted(numbers, place, columns, middle)
        coded[place] = difference
        magnitudes.encode(
          difference, context: Self.context(coded, place, columns), to: &encoder)
      }
    }
    return encoder.finished()
  }

  /// The tensor of a stream.
  ///
  /// - Parameters:
  ///   - stream: what ``encode(_:)`` made with the same settings.
  ///   - shape: of the tensor.
  /// - Throws: as ``encode(_:)``; `.badData` for a stream that was cut. A damaged stream gives other
  ///   features in the quantiser's range.
  public func decode(_ stream: [UInt8], shape: [Int]) throws(BasisError) -> FeatureTensor {
    try check()
    let (rows, columns) = try layout.planeSize(of: shape)
    var decoder = RangeDecoder(stream)
    var numbers = [Int32](repeating: 0, count: rows * columns)
    if let step {
      var coder = BlockCoder(columnCount: columns)
      for (y, x) in BlockCoder.places(rows, columns) {
        var block = [Float](repeating: 0, count: 64)
        coder.code(y: y, x: x) { place, context, kind, magnitudes in
          let value = magnitudes.decode(context: context, kind: kind, from: &decoder)
          block[place] = Float(value) * step
          return value
        }
        try decoder.checkEnd()
        BlockCoder.store(
          BlockCoder.inverse(block), in: &numbers, rows, columns, y, x, middle: middle,
          highest: highest)
      }
    } else {
      var magnitudes = MagnitudeCoder()
      var coded = numbers
      for place in numbers.indices {
        let difference = magnitudes.decode(
          context: Self.context(coded, place, columns), from: &decoder)
        coded[place] = difference
        let value = Self.predicted(numbers, place, columns, middle) &+ difference
        numbers[place] = min(Int32(highest), max(0, value))
        if place % 4096 == 0 { try decoder.checkEnd() }
      }
    }
    try decoder.checkEnd()
    let plane = Matrix(rowCount: rows, columnCount: columns) { out in
      for place in numbers.indices { out[place] = quantizer.value(UInt16(numbers[place])) }
    }
    return try layout.unpack(plane, shape: shape)
  }

  /// All bits of a stream over the number of values.
  public static func bitsPerPoint(_ stream: [UInt8], shape: [Int]) -> Double {
    Double(8 * stream.count) / Double(max(1, shape.reduce(1, *)))
  }

  private var highest: Float { Float((1 << quantizer.bits) - 1) }
  private var middle: Float { Float(1 << (quantizer.bits - 1)) }

  /// The median of left, above and what a plane through three neighbours has (Martucci 1990).
  private static func predicted(
    _ numbers: [Int32], _ place: Int, _ columns: Int, _ middle: Float
  ) -> Int32 {
    let hasLeft = place % columns > 0
    let hasAbove = place >= columns
    guard hasLeft || hasAbove else { return Int32(middle) }
    guard hasLeft else { return numbers[place - columns] }
    guard hasAbove else { return numbers[place - 1] }
    let (left, above) = (numbers[place - 1], numbers[place - columns])
    let corner = numbers[place - columns - 1]
    if corner >= max(left, above) { return min(left, above) }
    if corner <= min(left, above) { return max(left, above) }
    return left + above - corner
  }

  private static func context(_ coded: [Int32], _ place: Int, _ columns: Int) -> Int {
    let hasLeft = place % columns > 0
    let hasAbove = place >= columns
    return MagnitudeCoder.context(
      hasLeft ? coded[place - 1] : 0, hasAbove ? coded[place - columns] : 0,
      hasLeft && hasAbove ? coded[place - columns - 1] : 0)
  }
}
