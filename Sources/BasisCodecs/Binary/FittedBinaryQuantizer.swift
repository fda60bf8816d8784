public import BasisCore
public import BasisFormats
import BasisNumerics

/// A ``BinaryQuantizer`` that has its rotation. A code is the bits, low bits of low bytes first, up
/// to a whole number of 8-byte words.
public struct FittedBinaryQuantizer: FittedCodec {
  public let settings: BinaryQuantizer
  /// What is taken off each vector.
  public let mean: [Float]
  let map: LinearMap
  let inverse: LinearMap
  /// What a bit stands for, either way.
  let magnitudes: [Float]

  public var dimension: Int { map.inputCount }
  /// Bits of a code.
  public var bitCount: Int { map.outputCount }
  public var bytesPerVector: Int { 8 * wordCount }
  public var sharedBytes: Int {
    (settings.isCentred ? 4 * dimension : 0) + 4 * bitCount
      + (settings.rotation == .none && bitCount == dimension ? 0 : map.byteCount)
  }
  var wordCount: Int { (bitCount + 63) / 64 }

  init(settings: BinaryQuantizer, mean: [Float], map: LinearMap, magnitudes: [Float]) {
    self.settings = settings
    self.mean = mean
    self.map = map
    inverse = LinearMap(matrix: map.matrix.transposed())
    self.magnitudes = magnitudes
  }

  public func encode(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Codes
  {
    try rows.requireRows(of: dimension, "binary quantiser")
    return try makeCodes(rows.rowCount, bytesPerVector, grain: 256, in: run) {
      (range, out) throws(BasisError) in
      try map.withImages(of: rows, range, minus: mean) { images in
        for row in 0..<range.count {
          pack(images + row * bitCount, into: out + row * bytesPerVector)
        }
      }
    }
  }

  private func pack(
    _ values: UnsafePointer<Float>, into code: UnsafeMutablePointer<UInt8>
  ) {
    for bit in 0..<bitCount where values[bit] >= 0 { code[bit >> 3] |= 1 << UInt8(bit & 7) }
  }

  public func decode(_ codes: Codes, in run: RunContext = RunContext()) throws(BasisError) -> Matrix
  {
    try codes.requireBytes(bytesPerVector)
    let images = try makeMatrix(codes.count, bitCount, in: run) { (range, out) in
      codes.withUnsafeBytes { bytes in
        for row in range {
          for bit in 0..<bitCount {
            let isSet = bytes[row * bytesPerVector + bit >> 3] >> UInt8(bit & 7) & 1 == 1
            out[(row - range.lowerBound) * bitCount + bit] =
              isSet ? magnitudes[bit] : -magnitudes[bit]
          }
        }
      }
    }
    var rows = try inverse(images, in: run)
    rows.withUnsafeMutableFloats { floats in
      for index in floats.indices { floats[index] += mean[index % dimension] }
    }
    return rows
  }

  public func scorer(for query: [Float], metric: Metric) throws(BasisError) -> BinaryScorer {
    try requireQuery(query, dimension: dimension)
    if settings.isSymmetric {
      guard metric != .innerProduct else {
        throw BasisError(
          .unsupported,
          "bits against bits: the lengths of the vectors are lost, so there is no inner product; "
            + "compare by cosine or l2, or leave the queries whole")
      }
      let image = map(zip(query, mean).map { $0 - $1 })
      var code = [UInt8](repeating: 0, count: bytesPerVector)
      code.withUnsafeMutableBufferPointer { code in
        image.withUnsafeBufferPointer { image in
          if let code = code.baseAddress, let image = image.baseAddress { pack(image, into: code) }
        }
      }
      return BinaryScorer(self, symmetric: code, metric)
    }
    return BinaryScorer(self, query, metric)
  }

  private struct Header: Codable {
    var layout = 1
    var settings: BinaryQuantizer
    var dimension: Int
    var bitCount: Int
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "binary",
      json: Header(settings: settings, dimension: dimension, bitCount: bitCount))
    try writer.write(prefix + "mean", mean)
    try writer.write(prefix + "magnitudes", magnitudes)
    try writer.write(prefix + "map", matrix: map.matrix)
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "binary", as: Header.self)
    try container.requireLayout(header.layout, of: "binary quantiser")
    let mean = Array(try container.array(prefix + "mean", of: Float.self))
    let magnitudes = Array(try container.array(prefix + "magnitudes", of: Float.self))
    self.init(
      settings: header.settings, mean: mean,
      map: try container.linearMap(
        prefix + "map", inputCount: header.dimension, outputCount: header.bitCount),
      magnitudes: magnitudes)
    guard mean.count == dimension, magnitudes.count == bitCount else {
      throw BasisError(
        .corruptFile,
        "\(container.path): \(prefix)mean has \(mean.count) values, \(prefix)magnitudes "
          + "\(magnitudes.count), for \(bitCount) bits of \(dimension) values")
    }
  }
}

extension Container {
  /// - Throws: `.corruptFile` if the block is not of this shape.
  func linearMap(_ name: String, inputCount: Int, outputCount: Int) throws(BasisError) -> LinearMap
  {
    let matrix = try matrix(name, columnCount: inputCount)
    guard matrix.rowCount == outputCount, inputCount > 0, outputCount > 0 else {
      throw BasisError(
        .corruptFile,
        "\(path): \(name) is \(matrix.rowCount) × \(matrix.columnCount), not \(outputCount) × "
          + "\(inputCount)")
    }
    return LinearMap(matrix: matrix)
  }
}
