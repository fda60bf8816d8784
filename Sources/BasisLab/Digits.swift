public import BasisCore
import BasisFormats
import BasisNumerics
import Foundation

/// 1,797 handwritten digits of 8 × 8 pixels, in the program itself: claims that want real data run
/// wherever the program is.
///
/// Alpaydin & Kaynak, *Optical recognition of handwritten digits*, UCI Machine Learning Repository
/// (1998), doi:10.24432/C50P49, CC BY 4.0; in the order in which scikit-learn ships them.
public enum Digits {
  /// 1,797 × 64, values 0 to 1: a row an image, its pixels row after row.
  public static let images: Matrix = pixels.prefix(columns: 64)

  /// 0 to 9, one an image.
  public static let labels: [Int] = (0..<pixels.rowCount).map { Int(pixels[$0, 64] * 16) }

  /// The numbers of all images in an order of the seed: some to train on, others to test with.
  static func shuffled(in run: RunContext) -> [Int] {
    var order = Array(labels.indices)
    var generator = run.generator("digit split")
    generator.shuffle(&order)
    return order
  }

  private static let pixels: Matrix = {
    let content = Data(base64Encoded: archive, options: .ignoreUnknownCharacters) ?? Data()
    // The text is part of the program; a test reads it.
    guard var matrix = try? NumPyArray(Array(content), name: "digits").matrix() else {
      preconditionFailure("the digits in the program are damaged")
    }
    matrix.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] /= 16 }
    }
    return matrix
  }()

  /// Images moved by whole pixels; what comes in from the edge is empty.
  ///
  /// - Parameters:
  ///   - images: `n × 64`.
  ///   - down: rows, of either sign.
  ///   - right: columns, of either sign.
  public static func moved(_ images: Matrix, down: Int, right: Int) -> Matrix {
    Matrix(rowCount: images.rowCount, columnCount: 64) { out in
      images.withUnsafeFloats { source in
        for image in 0..<images.rowCount {
          for y in max(0, down)..<max(0, down, 8 + min(0, down)) {
            for x in max(0, right)..<max(0, right, 8 + min(0, right)) {
              out[image * 64 + y * 8 + x] = source[image * 64 + (y - down) * 8 + x - right]
            }
          }
        }
      }
    }
  }

  /// Vectors that are neither random nor of a model too large to carry: each image as it is and moved
  /// by one pixel each way, through a layer of random rectified features, centred, of unit length.
  ///
  /// - Parameters:
  ///   - imageCount: the first so many images, `1 ... 1797`; five rows come of each.
  ///   - dimension: features, at least 1.
  ///   - run: the seed draws the features and the order of the rows.
  /// - Returns: `5 · imageCount × dimension`.
  /// - Throws: `.cancelled`.
  static func embeddings(imageCount: Int, dimension: Int, in run: RunContext) throws(BasisError)
    -> Matrix
  {
    var generator = run.generator("digit features")
    let weights = Matrix(rowCount: 64, columnCount: dimension) { floats in
      for index in floats.indices { floats[index] = Float(generator.nextGaussian()) }
    }
    let offsets = (0..<dimension).map { _ in Float(generator.nextGaussian()) }
    let some = images.selecting(rows: 0..<imageCount)
    var parts: [Matrix] = []
    for (down, right) in [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)] {
      parts.append(
        try LinearAlgebra.product(moved(some, down: down, right: right), weights, in: run))
    }
    var order = Array(0..<5 * imageCount)
    generator.shuffle(&order)
    var features = Matrix(rowCount: order.count, columnCount: dimension) { out in
      for (place, row) in order.enumerated() {
        parts[row / imageCount].withRow(row % imageCount) { values in
          for column in 0..<dimension {
            out[place * dimension + column] = max(0, values[column] + offsets[column])
          }
        }
      }
    }
    let means = try Statistics.columnMoments(of: features, in: run).map { Float($0.mean) }
    features.withUnsafeMutableFloats { floats in
      for row in 0..<order.count {
        for column in 0..<dimension { floats[row * dimension + column] -= means[column] }
      }
    }
    return features.withUnitRows()
  }
}
