public import BasisCodecs
public import BasisCore
public import BasisFormats
import CBasisKernels

/// Light codes in memory choose candidates; the vectors themselves stay in a file, and decide.
///
/// A query is compared with every code; the rows of the nearest ones are read from the file, in the
/// order in which they lie there, and measured exactly. Of the vectors nothing stays in memory, so
/// that an index may be larger than it. Each row that is read is checked against the row that its
/// code was made of. Immutable, and safe to use from any number of threads.
///
/// Xiao et al., *Progressively optimized bi-granular document representation for scalable embedding
/// based retrieval*, WWW 2022, doi:10.1145/3485447.3511957, section 3.3.
public struct BiGranularIndex<Codec: FittedCodec>: Sendable {
  /// Where the vectors are.
  public let vectors: NumPyRows
  public let metric: Metric
  public let codec: Codec
  let codes: any ScannedCodes
  let calibration: Calibration
  /// A checksum of each row.
  let checks: BlockStorage<UInt32>

  public var count: Int { vectors.rowCount }
  public var dimension: Int { vectors.columnCount }

  /// Learns a codec from the vectors of a file, encodes them, and measures what recall costs.
  ///
  /// While it is built, the file is mapped into memory and read some times.
  ///
  /// - Parameters:
  ///   - path: a `.npy` file of `n × d` floats, finite.
  ///   - metric: how rows are compared.
  ///   - settings: of the codec.
  ///   - calibrationQueries: rows that play queries when recall is measured, at least 1.
  ///   - run: seed, threads and cancellation. The result does not depend on the threads.
  /// - Throws: as ``QuantizedFlatIndex/init(_:metric:codec:calibrationQueries:in:)``; `.notFound`;
  ///   `.badData` for a file of another kind.
  /// - Complexity: that of the codec, and O(*n* *d*) per calibration query.
  public init<S: VectorCodec>(
    vectorsAt path: String, metric: Metric, codec settings: S, calibrationQueries: Int = 300,
    in run: RunContext = RunContext()
  ) throws(BasisError) where S.Fitted == Codec {
    vectors = try NumPyRows(contentsOf: path)
    let rows = try Matrix(contentsOf: path)
    let index = try QuantizedFlatIndex(
      rows, metric: metric, codec: settings, calibrationQueries: calibrationQueries, in: run)
    self.metric = metric
    codec = index.codec
    codes = index.codes
    calibration = index.calibration
    checks = .owned(
      (0..<rows.rowCount).map { row in rows.withRow(row) { Self.checksum($0) } })
  }

  static func checksum(_ row: UnsafeBufferPointer<Float>) -> UInt32 {
    basis_crc32c(0, row.baseAddress, row.count * MemoryLayout<Float>.stride)
  }

  /// The lengths of rows, where the codes need them.
  private var norms: [Float] { (codes as? ByteBlocks)?.norms ?? [] }

  /// What an index takes, in bytes.
  public struct Size: Sendable, Hashable {
    /// Codes, what they share, and a checksum a row.
    public var memory: Int
    /// The file of vectors.
    public var disk: Int
    /// What the vectors would take in memory.
    public var vectors: Int
  }

  public var size: Size {
    Size(
      memory: codes.byteCount + codec.sharedBytes + 4 * (count + norms.count),
      disk: vectors.byteCount, vectors: 4 * count * dimension)
  }

  // MARK: In a file

  private struct Header: Codable {
    var layout = 1
    var metric: Metric
    var count: Int
    var dimension: Int
    var calibration: Calibration
    /// Whether codes need the lengths of rows.
    var hasNorms: Bool
  }

  /// Writes the index, without its vectors, as blocks of a file that is being made: `settings`, the
  /// codec's and the codes' own blocks, and `checks`.
  ///
  /// - Parameters:
  ///   - writer: where the blocks go.
  ///   - prefix: starts each block's name.
  /// - Throws: `.inputOutput`.
  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "settings",
      json: Header(
        metric: metric, count: count, dimension: dimension, calibration: calibration,
        hasNorms: !norms.isEmpty))
    try codec.write(to: writer, prefix: prefix + "codec.")
    try codes.write(to: writer, prefix: prefix)
    try checks.write(to: writer, prefix + "checks")
    if !norms.isEmpty { try writer.write(prefix + "norms", norms) }
  }

  /// Opens an index in a file, over the file of its vectors.
  ///
  /// - Parameters:
  ///   - container: where the blocks are.
  ///   - prefix: what ``write(to:prefix:)`` was given.
  ///   - path: the `.npy` file that the index was made of.
  /// - Throws: `.corruptFile` if a block is missing, damaged or does not fit the others, or if the
  ///   vectors are fewer, of another dimension, or not those that the codes were made of, which is
  ///   looked at in some places; `.newerFormat`; `.notFound`; `.badData`.
  public init(from container: Container, prefix: String, vectorsAt path: String)
    throws(BasisError)
  {
    let header = try container.json(prefix + "settings", as: Header.self)
    try container.requireLayout(header.layout, of: "bi-granular index")
    vectors = try NumPyRows(contentsOf: path)
    guard vectors.rowCount == header.count, vectors.columnCount == header.dimension else {
      throw BasisError(
        .corruptFile,
        "\(path): holds \(vectors.rowCount) × \(vectors.columnCount) values, the codes in "
          + "\(container.path) are of \(header.count) × \(header.dimension); give the file that the "
          + "index was made of, or build the index again")
    }
    metric = header.metric
    codec = try Codec(from: container, prefix: prefix + "codec.")
    let norms =
      header.hasNorms ? Array(try container.array(prefix + "norms", of: Float.self)) : []
    let checks = try container.array(prefix + "checks", of: UInt32.self)
    guard codec.dimension == header.dimension, !header.hasNorms || norms.count == header.count,
      checks.count == header.count, header.calibration.fits
    else {
      throw BasisError(
        .corruptFile,
        "\(container.path): the codec is for dimension \(codec.dimension), and there are "
          + "\(checks.count) checksums, for \(header.count) × \(header.dimension) values; build the "
          + "index again")
    }
    self.checks = .mapped(checks)
    calibration = header.calibration
    codes = try CodeLayout.open(
      container, prefix: prefix, codec, metric: metric, count: header.count, norms: norms)
    let places = 64
    let some = (0..<min(places, count)).map { $0 * count / min(places, count) }
    _ = try read(some)
  }

  /// Checks every row of the file.
  ///
  /// - Throws: `.corruptFile` naming the first row that is not the one that its code was made of;
  ///   `.inputOutput`.
  /// - Complexity: reads the whole file.
  public func verify() throws(BasisError) {
    for first in stride(from: 0, to: count, by: 4096) {
      _ = try read(Array(first..<min(count, first + 4096)))
    }
  }

  /// Some rows, by rising number, checked.
  func read(_ ids: [Int]) throws(BasisError) -> (rows: Matrix, calls: Int) {
    var calls = 0
    let rows = try Matrix(rowCount: ids.count, columnCount: dimension) {
      (target) throws(BasisError) in
      guard let out = target.baseAddress else { return }
      var first = 0
      while first < ids.count {
        // Rows that lie side by side are read at once.
        var end = first + 1
        while end < ids.count, ids[end] == ids[end - 1] + 1 { end += 1 }
        try vectors.read(ids[first]..<ids[end - 1] + 1, into: out + first * dimension)
        calls += 1
        first = end
      }
    }
    try checks.withUnsafeBufferPointer { (checks) throws(BasisError) in
      for (place, id) in ids.enumerated() {
        guard rows.withRow(place, { Self.checksum($0) }) == checks[id] else {
          throw BasisError(
            .corruptFile,
            "\(vectors.path): row \(id) is not the row that its code was made of: the file was "
              + "changed, or its rows are in another order; restore it, or build the index again")
        }
      }
    }
    return (rows, calls)
  }
}
