/// Whole numbers of a plane, most of them small, with contexts of their neighbours' magnitudes.
///
/// A number is its bits: is it zero, is it one, … up to fourteen, then the rest by an Elias-gamma code
/// whose first part adapts; then its sign, as it is.
struct MagnitudeCoder: Sendable {
  static let contextCount = 12
  private static let unaryCount = 14

  private var unary: [AdaptiveBit]
  private var lengths = Array(repeating: AdaptiveBit(), count: 34)

  /// - Parameter classCount: kinds of numbers that are told apart beside their neighbours, such as
  ///   frequencies.
  init(classCount: Int = 1) {
    unary = Array(
      repeating: AdaptiveBit(), count: classCount * Self.contextCount * Self.unaryCount)
  }

  /// A context from magnitudes near by: their weighted sum on a scale that grows.
  static func context(_ left: Int32, _ above: Int32, _ corner: Int32) -> Int {
    let sum =
      2 * min(left.magnitude, 4096) + 2 * min(above.magnitude, 4096)
      + min(corner.magnitude, 4096)
    switch sum {
    case 0...5: return Int(sum)
    case 6...8: return 6
    case 9...13: return 7
    case 14...22: return 8
    case 23...40: return 9
    case 41...100: return 10
    default: return 11
    }
  }

  private func place(_ context: Int, _ kind: Int) -> Int {
    (kind * Self.contextCount + context) * Self.unaryCount
  }

  mutating func encode(
    _ value: Int32, context: Int, kind: Int = 0, to encoder: inout RangeEncoder
  ) {
    let first = place(context, kind)
    let size = value.magnitude
    for step in 0..<Self.unaryCount {
      let isLarger = size > UInt32(step)
      encoder.encode(isLarger, &unary[first + step])
      if !isLarger { break }
    }
    if size >= UInt32(Self.unaryCount) {
      let rest = size - UInt32(Self.unaryCount) + 1
      let length = 31 - rest.leadingZeroBitCount
      for step in 0..<length { encoder.encode(true, &lengths[step]) }
      encoder.encode(false, &lengths[length])
      encoder.encode(bits: rest & ((1 << UInt32(length)) - 1), count: length)
    }
    if size > 0 { encoder.encode(bits: value < 0 ? 1 : 0, count: 1) }
  }

  mutating func decode(context: Int, kind: Int = 0, from decoder: inout RangeDecoder) -> Int32 {
    let first = place(context, kind)
    var size: UInt32 = 0
    while size < UInt32(Self.unaryCount), decoder.decodeBit(&unary[first + Int(size)]) { size += 1 }
    if size == UInt32(Self.unaryCount) {
      var length = 0
      // A damaged stream may say more than 31.
      while length < 30, decoder.decodeBit(&lengths[length]) { length += 1 }
      let rest = UInt32(1) << UInt32(length) | decoder.decodeBits(count: length)
      size = size &+ rest &- 1
    }
    guard size > 0 else { return 0 }
    let value = Int32(clamping: size)
    return decoder.decodeBits(count: 1) == 1 ? -value : value
  }
}
