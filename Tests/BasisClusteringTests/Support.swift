import BasisClustering
import BasisCore
import BasisFormats
import Foundation
import _BasisTestSupport

/// Any symmetric numbers: no metric.
func randomDissimilarities(_ n: Int, seed: UInt64) throws -> Dissimilarities {
  var generator = RandomGenerator(seed: seed)
  return try Dissimilarities(
    lowerTriangle: (0..<n * (n - 1) / 2).map { _ in 1 + 99 * generator.nextFloat() })
}

/// Rows around a few far centres, in turns.
func blobs(_ count: Int, centers: Int, dimension: Int, seed: UInt64) -> Matrix {
  let middle = gaussianMatrix(rowCount: centers, columnCount: dimension, seed: seed)
  var rows = gaussianMatrix(rowCount: count, columnCount: dimension, seed: seed + 1000)
  rows.withUnsafeMutableFloats { floats in
    for index in floats.indices {
      floats[index] =
        floats[index] * 0.05 + 10 * middle[index / dimension % centers, index % dimension]
    }
  }
  return rows
}

/// What a start or an answer costs, by the definition.
func loss(_ all: Dissimilarities, _ medoids: [Int]) -> Double {
  var sum = 0.0
  for item in 0..<all.count {
    var least = Float.infinity
    for medoid in medoids { least = min(least, all[item, medoid]) }
    sum += Double(least)
  }
  return sum
}

func table(_ all: Dissimilarities) -> [[Double]] {
  (0..<all.count).map { item in (0..<all.count).map { Double(all[item, $0]) } }
}

/// Which group has which things, whatever their numbers.
func partition(_ assignments: [Int]) -> [Int] {
  var names: [Int: Int] = [:]
  return assignments.map { cluster in
    if names[cluster] == nil { names[cluster] = names.count }
    return names[cluster] ?? 0
  }
}

func digits() throws -> Matrix { try Matrix(contentsOf: DigitEmbeddings.path) }
