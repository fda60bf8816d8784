public import BasisCore
public import BasisFormats

/// A way to keep vectors in fewer bytes: settings, which ``fit(_:in:)`` turns into a codec that has
/// seen vectors of the kind it will meet.
public protocol VectorCodec: Settings {
  associatedtype Fitted: FittedCodec

  /// Learns what the codec needs to know of the vectors.
  ///
  /// - Parameters:
  ///   - rows: `n × d`, finite; a sample is enough.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.invalidArgument` for settings that do not fit the dimension or the number of rows;
  ///   `.badData` naming the row and column of a value that is not finite; `.cancelled`.
  func fit(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Fitted
}

/// Vectors to bytes and back, by what was learnt from a sample.
///
/// All vectors take the same number of bytes. Codes depend on neither the number of threads nor
/// which other vectors are in the batch.
public protocol FittedCodec: Sendable {
  associatedtype Scorer: CodeScorer

  /// Values of a vector that goes in.
  var dimension: Int { get }
  /// Bytes of one vector's code.
  var bytesPerVector: Int { get }
  /// Bytes that all codes share: codebooks, rotations, means.
  var sharedBytes: Int { get }

  /// - Parameters:
  ///   - rows: `n × dimension`, finite.
  ///   - run: seed, threads and cancellation.
  /// - Throws: `.dimensionMismatch`; `.badData` naming the row; `.cancelled`.
  func encode(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Codes

  /// The vectors that codes stand for, `codes.count × dimension`.
  ///
  /// - Throws: `.dimensionMismatch` for codes of another length; `.cancelled`.
  func decode(_ codes: Codes, in run: RunContext) throws(BasisError) -> Matrix

  /// A query, ready to be compared with codes.
  ///
  /// - Parameters:
  ///   - query: `dimension` finite values.
  ///   - metric: how codes and query are compared.
  /// - Throws: `.dimensionMismatch`; `.badData`; `.unsupported` where the codec lost what the
  ///   metric needs.
  func scorer(for query: [Float], metric: Metric) throws(BasisError) -> Scorer

  /// Writes what was learnt as blocks of a file that is being made; `init(from:prefix:)` reads it.
  ///
  /// - Parameters:
  ///   - writer: where the blocks go.
  ///   - prefix: starts each block's name.
  /// - Throws: `.inputOutput`.
  func write(to writer: ContainerWriter, prefix: String) throws(BasisError)

  /// - Throws: `.corruptFile`.
  init(from container: Container, prefix: String) throws(BasisError)
}

/// A query, ready to be compared with codes.
public protocol CodeScorer {
  /// Estimates the distances of some codes, by the metric that the scorer was made for.
  ///
  /// - Parameters:
  ///   - codes: of the codec that made the scorer.
  ///   - range: which of them.
  ///   - out: room for `range.count` distances; smaller is closer.
  func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>)
}
