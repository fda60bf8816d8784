import BasisCore
import Foundation
import Testing

/// What `Scripts/oracles/mahalanobis.py` wrote.
struct DetectionFixture: Decodable {
  struct Gaussians: Decodable {
    var rows: [[Float]]
    var labels: [Int]
    var means: [[Double]]
    var shrinkage: Double
    var covariance: [[Double]]
    var precision: [[Double]]
    var test: [[Float]]
    var distances: [[Double]]
    var weighed: [Int]?
    var equal: [Int]?
  }

  struct Metrics: Decodable {
    var inside: [Double]
    var outside: [Double]
    var auroc: Double
    var tnr: Double
    var threshold: Double
    var accuracy: Double
    var `in`: Double
    var out: Double
  }

  struct Combiner: Decodable {
    var inside: [[Double]]
    var outside: [[Double]]
    var weights: [Double]
  }

  struct Peers: Decodable {
    var rows: [[Float]]
    var test: [[Float]]
    var k: Int
    var neighbours: [Double]
    var threshold: Double
    var softmax: [Double]
    var temperature: Double
    var energy: [Double]
  }

  var plain: [Gaussians]
  var shrunk: [Gaussians]
  var singular: [Gaussians]
  var metrics: [Metrics]
  var combiner: Combiner
  var peers: Peers

  static func load() throws -> DetectionFixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "mahalanobis", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
  }
}

/// The largest difference, as a share of the largest value.
func relativeError(_ values: [Double], _ wanted: [Double]) -> Double {
  guard values.count == wanted.count else { return .infinity }
  let scale = wanted.reduce(0) { max($0, abs($1)) }
  return zip(values, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(scale, 1e-300)
}

/// Three blobs of unit spread, 6 apart, and rows between and beyond them.
struct Blobs {
  var rows: Matrix
  var labels: [Int]
  var strange: Matrix

  init(count: Int, dimension: Int, strangeCount: Int = 40, seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let classes = (0..<count).map { $0 % 3 }
    labels = classes
    rows = Matrix(rowCount: count, columnCount: dimension) { out in
      for row in 0..<count {
        for column in 0..<dimension {
          let center = column == classes[row] ? 6.0 : 0
          out[row * dimension + column] = Float(center + generator.nextGaussian())
        }
      }
    }
    strange = Matrix(rowCount: strangeCount, columnCount: dimension) { out in
      for index in out.indices { out[index] = Float(3 * generator.nextGaussian() - 4) }
    }
  }
}
