import BasisCodecs
import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// The digit embeddings that the codecs' measured claims are about, and the exact answers.
enum Digits {
  /// Minutes in a debug build, seconds in another.
  static let isFast: ConditionTrait = {
    #if DEBUG
      let isOptimized = false
    #else
      let isOptimized = true
    #endif
    return .enabled(
      if: isOptimized || ProcessInfo.processInfo.environment["BASIS_SLOW_TESTS"] == "1",
      "slow in a debug build: swift test -c release, or set BASIS_SLOW_TESTS=1")
  }()

  static let embeddings: DigitEmbeddings? = {
    (try? Matrix(contentsOf: DigitEmbeddings.path)).map { DigitEmbeddings(pixels: $0) }
  }()

  /// Queries that a test asks: as many as tell .03 apart.
  static let queryCount = 250

  static let truth: [[Int]] = {
    guard let data = embeddings else { return [] }
    return (0..<queryCount).map { query in
      nearest(
        10,
        (0..<data.rows.rowCount).map { row in
          data.queries.withRow(query) { a in
            data.rows.withRow(row) { b in
              guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
              return -Kernels.dot(a, b, count: 256)
            }
          }
        })
    }
  }()

  static func nearest(_ k: Int, _ distances: [Float]) -> [Int] {
    var best = TopK(k: k)
    for (id, distance) in distances.enumerated() {
      best.offer(Neighbor(id: id, distance: distance))
    }
    return best.sorted().map(\.id)
  }

  /// How many of the ten nearest by the cosine the answers hold, on average.
  static func recall(_ answer: (_ query: [Float]) throws -> [Float]) throws -> Double {
    guard let data = embeddings else { throw BasisError(.notFound, DigitEmbeddings.path) }
    var found = 0
    for query in 0..<queryCount {
      let nearest = Digits.nearest(10, try answer(data.queries.row(query)))
      found += Set(nearest).intersection(truth[query]).count
    }
    return Double(found) / Double(10 * queryCount)
  }

  static func recall(_ settings: some VectorCodec) throws -> Double {
    guard let data = embeddings else { throw BasisError(.notFound, DigitEmbeddings.path) }
    let run = RunContext()
    let fitted = try settings.fit(data.rows, in: run)
    let codes = try fitted.encode(data.rows, in: run)
    return try recall { query in
      try score(fitted.scorer(for: query, metric: .cosine), codes, 0..<codes.count)
    }
  }

  /// The same of a matrix that has been through a codec.
  static func recall(ofDecoded rows: Matrix) throws -> Double {
    let lengths = (0..<rows.rowCount).map { row in
      rows.withRow(row) { $0.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot() }
    }
    return try recall { query in
      query.withUnsafeBufferPointer { query in
        (0..<rows.rowCount).map { row in
          rows.withRow(row) { values in
            guard let a = query.baseAddress, let b = values.baseAddress, lengths[row] > 0
            else { return 1 }
            return 1 - Kernels.dot(a, b, count: rows.columnCount) / lengths[row]
          }
        }
      }
    }
  }
}
