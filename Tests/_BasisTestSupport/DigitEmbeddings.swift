public import BasisCore
import Foundation

/// Vectors that are neither random nor of a model too large to keep here: handwritten digits, each
/// also moved by one pixel up, down, left and right, through a layer of random rectified features,
/// centred, of unit length. 8,485 rows of 256 values, and 500 queries.
public struct DigitEmbeddings: Sendable {
  public let rows: Matrix
  public let queries: Matrix

  /// Where the images are: 1,797 × 64, values 0 to 16.
  public static var path: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("BasisCodecsTests/Fixtures/digits.npy.gz").path
  }

  /// - Parameter pixels: what is at ``path``.
  public init(pixels: Matrix, dimension: Int = 256, seed: UInt64 = 0) {
    var generator = RandomGenerator(seed: seed)
    let weights = (0..<64 * dimension).map { _ in Float(generator.nextGaussian()) / 16 }
    let offsets = (0..<dimension).map { _ in Float(generator.nextGaussian()) }
    let moves = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]
    let count = pixels.rowCount * moves.count
    var features = Matrix(rowCount: count, columnCount: dimension) { out in
      pixels.withUnsafeFloats { pixels in
        for image in 0..<count {
          let source = image % (count / moves.count) * 64
          let (down, right) = moves[image / (count / moves.count)]
          let target = image * dimension
          for feature in 0..<dimension { out[target + feature] = offsets[feature] }
          for y in max(0, down)..<8 + min(0, down) {
            for x in max(0, right)..<8 + min(0, right) {
              let value = pixels[source + (y - down) * 8 + x - right]
              guard value != 0 else { continue }
              let weight = (y * 8 + x) * dimension
              for feature in 0..<dimension {
                out[target + feature] += value * weights[weight + feature]
              }
            }
          }
        }
      }
    }
    features.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] = max(0, floats[index]) }
      for feature in 0..<dimension {
        var sum = 0.0
        for row in 0..<count { sum += Double(floats[row * dimension + feature]) }
        let mean = Float(sum / Double(count))
        for row in 0..<count { floats[row * dimension + feature] -= mean }
      }
      for row in 0..<count {
        let range = row * dimension..<(row + 1) * dimension
        let length = floats[range].reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        for index in range { floats[index] /= length }
      }
    }
    var order = Array(0..<count)
    generator.shuffle(&order)
    queries = features.selecting(rows: order.prefix(500))
    rows = features.selecting(rows: order.dropFirst(500))
  }
}
