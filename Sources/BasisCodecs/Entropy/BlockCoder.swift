import BasisCore

/// Blocks of 8 × 8 numbers by their cosine transform, low frequencies first.
struct BlockCoder {
  private var magnitudes = MagnitudeCoder(classCount: 6)
  /// Coefficients of the block to the left, and of those above.
  private var left = [Int32](repeating: 0, count: 64)
  private var above: [[Int32]]

  init(columnCount: Int) {
    above = Array(
      repeating: [Int32](repeating: 0, count: 64), count: (columnCount + 7) / 8)
  }

  /// The orthonormal cosine transform of 8 values: row *k* is cos((2 i + 1) k π / 16), scaled.
  private static let basis: [Float] = (0..<64).map { index in
    let (k, i) = (index / 8, index % 8)
    let scale = (k == 0 ? 1.0 / 8 : 1.0 / 4).squareRoot()
    return Float(scale * cosine(Double(2 * i + 1) * Double(k) * Double.pi / 16))
  }

  /// From low to high frequencies, along the diagonals.
  private static let order: [Int] = (0..<64).sorted { a, b in
    let (p, q) = (a / 8 + a % 8, b / 8 + b % 8)
    return p != q ? p < q : a < b
  }

  /// Frequencies that share their models.
  private static let kinds: [Int] = (0..<64).map { place in
    switch place / 8 + place % 8 {
    case 0: 0
    case 1: 1
    case 2: 2
    case 3...4: 3
    case 5...7: 4
    default: 5
    }
  }

  static func places(_ rows: Int, _ columns: Int) -> [(y: Int, x: Int)] {
    stride(from: 0, to: rows, by: 8).flatMap { y in
      stride(from: 0, to: columns, by: 8).map { (y, $0) }
    }
  }

  /// Numbers of a block less the middle; beyond the edge, those at the edge.
  static func block(
    _ numbers: [Int32], _ rows: Int, _ columns: Int, _ y: Int, _ x: Int, middle: Float
  ) -> [Float] {
    (0..<64).map { place in
      let row = min(rows - 1, y + place / 8)
      let column = min(columns - 1, x + place % 8)
      return Float(numbers[row * columns + column]) - middle
    }
  }

  static func store(
    _ block: [Float], in numbers: inout [Int32], _ rows: Int, _ columns: Int, _ y: Int, _ x: Int,
    middle: Float, highest: Float
  ) {
    for row in y..<min(rows, y + 8) {
      for column in x..<min(columns, x + 8) {
        let value = (block[(row - y) * 8 + column - x] + middle).rounded()
        numbers[row * columns + column] = Int32(min(highest, max(0, value)))
      }
    }
  }

  static func transform(_ block: [Float]) -> [Float] { turned(block, by: { basis[$0 * 8 + $1] }) }

  static func inverse(_ block: [Float]) -> [Float] { turned(block, by: { basis[$1 * 8 + $0] }) }

  /// t · block · tᵀ.
  private static func turned(_ block: [Float], by t: (Int, Int) -> Float) -> [Float] {
    var half = [Float](repeating: 0, count: 64)
    for k in 0..<8 {
      for column in 0..<8 {
        var sum: Float = 0
        for i in 0..<8 { sum += t(k, i) * block[i * 8 + column] }
        half[k * 8 + column] = sum
      }
    }
    var whole = half
    for row in 0..<8 {
      for k in 0..<8 {
        var sum: Float = 0
        for i in 0..<8 { sum += t(k, i) * half[row * 8 + i] }
        whole[row * 8 + k] = sum
      }
    }
    return whole
  }

  /// Goes through a block's coefficients; `body` writes or reads one.
  mutating func code(
    y: Int, x: Int,
    _ body: (_ place: Int, _ context: Int, _ kind: Int, inout MagnitudeCoder) -> Int32
  ) {
    if x == 0 { left = [Int32](repeating: 0, count: 64) }
    var block = [Int32](repeating: 0, count: 64)
    // The coefficients before it in the block tell most, the same one of the neighbours the rest.
    var (before, earlier): (Int32, Int32) = (0, 0)
    for place in Self.order {
      let near = max(left[place].magnitude, above[x / 8][place].magnitude)
      let context = MagnitudeCoder.context(
        Int32(clamping: near), before, earlier)
      let value = body(place, context, Self.kinds[place], &magnitudes)
      block[place] = value
      (before, earlier) = (value, before)
    }
    left = block
    above[x / 8] = block
  }
}
