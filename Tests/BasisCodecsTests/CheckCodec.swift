import BasisCodecs
import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

/// What every codec promises: shapes, honest sizes, the same codes whatever the batch and the number
/// of threads, errors that name the place, scores that are distances to decoded vectors, files that
/// give the same codec back.
///
/// - Parameters:
///   - settings: of the codec.
///   - rows: at least 8 rows, finite, in general position.
///   - metrics: those that its codes can be compared by; the others must say so.
///   - tolerance: of a score, relative to the lengths of query and vector; nil where scores are
///     estimates of something else.
func checkCodec<Codec: VectorCodec>(
  _ settings: Codec, _ rows: Matrix, metrics: [Metric] = Metric.allCases,
  tolerance: Float? = 2e-4, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let at = sourceLocation
  let single = RunContext(seed: 7, threadLimit: 1)
  let fitted = try settings.fit(rows, in: single)
  let dimension = rows.columnCount
  #expect(fitted.dimension == dimension, sourceLocation: at)
  #expect(fitted.bytesPerVector > 0 && fitted.sharedBytes >= 0, sourceLocation: at)

  let codes = try fitted.encode(rows, in: single)
  #expect(codes.count == rows.rowCount, sourceLocation: at)
  #expect(codes.bytesPerVector == fitted.bytesPerVector, sourceLocation: at)
  let decoded = try fitted.decode(codes, in: single)
  #expect(decoded.rowCount == rows.rowCount, sourceLocation: at)
  #expect(decoded.columnCount == dimension, sourceLocation: at)
  #expect(decoded.firstNonFinite() == nil, sourceLocation: at)

  // One by one, and in a batch of many chunks on several threads.
  for row in 0..<min(5, rows.rowCount) {
    let one = try fitted.encode(rows.selecting(rows: [row]), in: single)
    #expect(one[0] == codes[row], "row \(row) alone", sourceLocation: at)
    #expect(
      try fitted.decode(one, in: single).row(0) == decoded.row(row), "row \(row) alone",
      sourceLocation: at)
  }
  let order = (0..<1500).map { ($0 * 7) % rows.rowCount }
  let many = rows.selecting(rows: order)
  for threads in [1, 3] {
    let run = RunContext(seed: 7, threadLimit: threads)
    let again = try fitted.encode(many, in: run)
    #expect(
      (0..<1500).allSatisfy { again[$0] == codes[order[$0]] }, "\(threads) threads",
      sourceLocation: at)
    #expect(
      try fitted.decode(again, in: run) == decoded.selecting(rows: order), "\(threads) threads",
      sourceLocation: at)
    let refitted = try settings.fit(rows, in: run).encode(rows, in: run)
    #expect(bytes(refitted) == bytes(codes), "fitted on \(threads) threads", sourceLocation: at)
  }

  // No rows.
  let none = try fitted.encode(Matrix(rowCount: 0, columnCount: dimension), in: single)
  #expect(none.count == 0, sourceLocation: at)
  let nothing = try fitted.decode(none, in: single)
  #expect(nothing.rowCount == 0 && nothing.columnCount == dimension, sourceLocation: at)

  // What does not fit.
  expectError(.dimensionMismatch, "\(dimension + 1)", "\(dimension)", sourceLocation: at) {
    try fitted.encode(Matrix(rowCount: 2, columnCount: dimension + 1), in: single)
  }
  expectError(.dimensionMismatch, sourceLocation: at) {
    let width = fitted.bytesPerVector + 1
    let strange = Codes(
      count: 1, bytesPerVector: width, bytes: .init(repeating: 0, count: width))
    _ = try fitted.decode(strange, in: single)
  }
  for value in [Float.nan, .infinity] {
    var broken = rows
    broken[2, dimension - 1] = value
    expectError(.badData, "row 2", "column \(dimension - 1)", sourceLocation: at) {
      try fitted.encode(broken, in: single)
    }
    expectError(.badData, "row 2", "column \(dimension - 1)", sourceLocation: at) {
      try settings.fit(broken, in: single)
    }
    expectError(.badData, sourceLocation: at) {
      try fitted.scorer(for: broken.row(2), metric: metrics[0])
    }
  }
  expectError(.dimensionMismatch, sourceLocation: at) {
    try fitted.scorer(for: [Float](repeating: 0, count: dimension + 1), metric: metrics[0])
  }
  expectError(.invalidArgument, sourceLocation: at) {
    try settings.fit(Matrix(rowCount: 0, columnCount: dimension), in: single)
  }
  let cancelled = RunContext(threadLimit: 1)
  cancelled.cancellation.cancel()
  expectError(.cancelled, sourceLocation: at) { try settings.fit(rows, in: cancelled) }
  expectError(.cancelled, sourceLocation: at) { try fitted.encode(rows, in: cancelled) }
  expectError(.cancelled, sourceLocation: at) { try fitted.decode(codes, in: cancelled) }

  try checkScores(fitted, rows, codes, decoded, metrics, tolerance, at)
  try checkFile(settings, fitted, rows, codes, at)
}

private func checkScores<Fitted: FittedCodec>(
  _ fitted: Fitted, _ rows: Matrix, _ codes: Codes, _ decoded: Matrix, _ metrics: [Metric],
  _ tolerance: Float?, _ at: SourceLocation
) throws {
  for metric in Metric.allCases {
    guard metrics.contains(metric) else {
      expectError(.unsupported, sourceLocation: at) {
        try fitted.scorer(for: rows.row(0), metric: metric)
      }
      continue
    }
    for number in [0, 3] {
      let query = rows.row(number)
      let scorer = try fitted.scorer(for: query, metric: metric)
      let scores = score(scorer, codes, 0..<codes.count)
      #expect(scores.allSatisfy { $0.isFinite }, "\(metric)", sourceLocation: at)
      // A part gives what the whole gives.
      let part = score(scorer, codes, 3..<7)
      #expect(part == Array(scores[3..<7]), "\(metric), a part", sourceLocation: at)
      guard let tolerance else { continue }
      let length = Metric.innerProduct.distance(query, query).magnitude.squareRoot()
      for row in 0..<codes.count {
        let vector = decoded.row(row)
        let own = Metric.innerProduct.distance(vector, vector).magnitude.squareRoot()
        let unit =
          switch metric {
          case .cosine: Float(1)
          case .innerProduct: length * own
          case .squaredEuclidean: (length + own) * (length + own)
          }
        let expected = metric.distance(query, vector)
        #expect(
          abs(scores[row] - expected) <= tolerance * unit + 1e-30,
          "\(metric), row \(row): \(scores[row]) for \(expected)", sourceLocation: at)
      }
    }
  }
}

private func checkFile<Codec: VectorCodec>(
  _ settings: Codec, _ fitted: Codec.Fitted, _ rows: Matrix, _ codes: Codes, _ at: SourceLocation
) throws {
  let folder = try TemporaryFolder()
  let path = folder.path + "/codec"
  let writer = try ContainerWriter(path: path, kind: "test", version: 1)
  try fitted.write(to: writer, prefix: "a.")
  try codes.write(to: writer, "codes")
  try writer.finish()
  let container = try Container(path: path, kind: "test", maximumVersion: 1)
  let read = try Codec.Fitted(from: container, prefix: "a.")
  #expect(read.dimension == fitted.dimension, sourceLocation: at)
  #expect(read.sharedBytes == fitted.sharedBytes, sourceLocation: at)
  let single = RunContext(seed: 1234, threadLimit: 1)
  #expect(
    try bytes(read.encode(rows, in: single)) == bytes(codes), "from a file", sourceLocation: at)
  let mapped = try Codes(from: container, "codes", bytesPerVector: read.bytesPerVector)
  #expect(
    try read.decode(mapped, in: single) == fitted.decode(codes, in: single), "from a file",
    sourceLocation: at)
  expectError(.corruptFile, sourceLocation: at) { try Codec.Fitted(from: container, prefix: "b.") }

  let text = try JSONEncoder().encode(settings)
  #expect(
    try JSONDecoder().decode(Codec.self, from: text) == settings, "settings as JSON",
    sourceLocation: at)
  _ = try JSONDecoder().decode(Codec.self, from: Data("{}".utf8))
}

func bytes(_ codes: Codes) -> [UInt8] { codes.withUnsafeBytes { Array($0) } }

/// The distances of a range of codes.
func score(_ scorer: some CodeScorer, _ codes: Codes, _ range: Range<Int>) -> [Float] {
  [Float](unsafeUninitializedCapacity: range.count) { buffer, count in
    buffer.initialize(repeating: .nan)
    scorer.distances(to: codes, range, into: buffer)
    count = range.count
  }
}
