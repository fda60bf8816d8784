public import BasisCore

/// Feature tensors as a stream of bytes: cut to a range, laid out as a plane, and then either the
/// numbers of so many bits without further loss, the numbers in coarser steps, or blocks of 8 × 8 by a
/// cosine transform.
///
/// Numbers are coded as they are or less what their neighbours lead one to expect, whichever is the
/// shorter, with the neighbours' magnitudes as contexts; the transform's coefficients are divided by
/// ``step`` with a dead zone, and have those before them in the block and of the blocks beside it. What a stream costs is said in bits
/// per feature point: all its bits over the number of values.
///
/// A handcrafted coder in the place of the VTM intra coder of Gao et al., arXiv:2412.04307.
public struct FeatureTensorCodec: Settings {
  /// What a plane's numbers become before they are rounded.
  public enum Transform: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nothing: for channels that have nothing to do with their neighbours.
    case none
    /// Cosines over 8 × 8 numbers: for maps, and channels in an order.
    case cosine
  }

  public var quantizer: FeatureQuantizer
  public var layout: FeatureLayout
  /// What is rounded: coefficients of a transform, or the numbers themselves.
  public var transform: Transform
  /// What a coefficient or number is divided by, in steps of the quantiser, 2⁻¹⁰ to 2²⁰; nil codes the
  /// numbers without further loss.
  public var step: Float?
  /// The share of a step that rounds up, 0 to 0.5: less makes more zeros. Of coefficients only.
  public var rounding: Float

  public init(
    quantizer: FeatureQuantizer = FeatureQuantizer(), layout: FeatureLayout = .tokens,
    transform: Transform = .cosine, step: Float? = nil, rounding: Float = 1.0 / 3
  ) {
    self.quantizer = quantizer
    self.layout = layout
    self.transform = transform
    self.step = step
    self.rounding = rounding
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = FeatureTensorCodec()
    quantizer =
      try values.decodeIfPresent(FeatureQuantizer.self, forKey: .quantizer) ?? defaults.quantizer
    layout = try values.decodeIfPresent(FeatureLayout.self, forKey: .layout) ?? defaults.layout
    transform =
      try values.decodeIfPresent(Transform.self, forKey: .transform) ?? defaults.transform
    step = try values.decodeIfPresent(Float.self, forKey: .step)
    rounding = try values.decodeIfPresent(Float.self, forKey: .rounding) ?? defaults.rounding
  }

  func check() throws(BasisError) {
    try quantizer.check()
    if let step, !(step >= 0x1p-10 && step <= 0x1p20) {
      throw BasisError(
        .invalidArgument, "feature codec: step must be in 2⁻¹⁰ ... 2²⁰, not \(step)")
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
    if let step, transform == .cosine {
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
      let levels = step.map { step in numbers.map { Int32((Float($0) / step).rounded()) } }
      let one = Self.plane(levels ?? numbers, columns, isPredicted: true, first: firstGuess)
      let other = Self.plane(levels ?? numbers, columns, isPredicted: false, first: firstGuess)
      return one.count <= other.count ? one : other
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
    if let step, transform == .cosine {
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
      let isPredicted = decoder.decodeBits(count: 1) == 1
      let limit = Int32(highest)
      var magnitudes = MagnitudeCoder()
      var coded = numbers
      for place in numbers.indices {
        let difference = magnitudes.decode(
          context: Self.context(coded, place, columns), from: &decoder)
        coded[place] = difference
        let guess = isPredicted ? Self.predicted(numbers, place, columns, firstGuess) : 0
        numbers[place] = min(limit, max(0, guess &+ difference))
        if place % 4096 == 0 { try decoder.checkEnd() }
      }
      if let step {
        for place in numbers.indices {
          numbers[place] = Int32(min(highest, (Float(numbers[place]) * step).rounded()))
        }
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

  /// What the first number of a plane is taken to be.
  private var firstGuess: Int32 { Int32(middle / (step ?? 1)) }

  /// A plane's numbers, each as it is or less what its neighbours lead one to expect; the first bit says
  /// which.
  private static func plane(
    _ numbers: [Int32], _ columns: Int, isPredicted: Bool, first: Int32
  ) -> [UInt8] {
    var encoder = RangeEncoder()
    encoder.encode(bits: isPredicted ? 1 : 0, count: 1)
    var magnitudes = MagnitudeCoder()
    var coded = [Int32](repeating: 0, count: numbers.count)
    for place in numbers.indices {
      let guess = isPredicted ? predicted(numbers, place, columns, first) : 0
      coded[place] = numbers[place] - guess
      magnitudes.encode(
        coded[place], context: context(coded, place, columns), to: &encoder)
    }
    return encoder.finished()
  }

  /// The median of left, above and what a plane through three neighbours has (Martucci 1990).
  private static func predicted(
    _ numbers: [Int32], _ place: Int, _ columns: Int, _ first: Int32
  ) -> Int32 {
    let hasLeft = place % columns > 0
    let hasAbove = place >= columns
    guard hasLeft || hasAbove else { return first }
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
