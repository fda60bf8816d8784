public import BasisCore
public import BasisFormats
import BasisNumerics

/// A ``RecurrentBinaryCodec`` that has its rotation. A code is a level per dimension, low bits of low
/// bytes first; level *c* of *k* bits stands for (2 *c* − 2ᵏ + 1) / 2ᵏ⁻¹.
public struct FittedRecurrentBinaryCodec: FittedCodec {
  public let settings: RecurrentBinaryCodec
  let map: LinearMap
  let inverse: LinearMap
  let levels: LevelStream

  public var bits: Int { settings.bits }
  public var dimension: Int { map.inputCount }
  /// Dimensions that are kept.
  public var levelCount: Int { levels.count }
  public var bytesPerVector: Int { levels.byteCount }
  public var sharedBytes: Int {
    settings.rotation == .none && levelCount == dimension ? 0 : map.byteCount
  }

  init(settings: RecurrentBinaryCodec, map: LinearMap) {
    self.settings = settings
    self.map = map
    inverse = LinearMap(matrix: map.matrix.transposed())
    levels = LevelStream(count: map.outputCount, bits: settings.bits)
  }

  /// - Throws: also `.badData` naming a row of zeros, which has no direction.
  public func encode(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Codes
  {
    try rows.requireRows(of: dimension, "recurrent binary codec")
    return try makeCodes(rows.rowCount, bytesPerVector, grain: 256, in: run) {
      (range, out) throws(BasisError) in
      try map.withImages(of: rows, range) { (images) throws(BasisError) in
        for row in 0..<range.count {
          guard pack(images + row * levelCount, into: out + row * bytesPerVector) else {
            throw BasisError(
              .badData,
              "recurrent binary codec: row \(range.lowerBound + row) is zero and has no direction; "
                + "leave it out")
          }
        }
      }
    }
  }

  /// - Returns: whether the vector has a direction.
  private func pack(
    _ image: UnsafePointer<Float>, into code: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    let count = levelCount
    let own = length(UnsafeBufferPointer(start: image, count: count))
    guard own > 0, own.isFinite, (1 / own).isFinite else { return false }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { sums in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { chosen in
        guard let sums = sums.baseAddress, let chosen = chosen.baseAddress else { return }
        for index in 0..<count {
          let isUp = image[index] >= 0
          sums[index] = isUp ? 1 : -1
          chosen[index] = isUp ? 1 : 0
        }
        var weight: Float = 0.5
        for _ in 1..<max(1, bits) {
          var squares: Float = 0
          for index in 0..<count { squares += sums[index] * sums[index] }
          let scale = own / squares.squareRoot()
          for index in 0..<count {
            let isUp = image[index] >= sums[index] * scale
            sums[index] += isUp ? weight : -weight
            chosen[index] = chosen[index] * 2 + (isUp ? 1 : 0)
          }
          weight *= 0.5
        }
        levels.pack(chosen, into: code)
      }
    }
    return true
  }

  /// The code of a query, for ``SymmetricTableScanner``.
  ///
  /// - Throws: as ``scorer(for:metric:)``; `.badData` for a query of zeros.
  public func code(of query: [Float]) throws(BasisError) -> [UInt8] {
    try requireQuery(query, dimension: dimension)
    let image = map(query)
    var code = [UInt8](repeating: 0, count: bytesPerVector)
    let hasDirection = code.withUnsafeMutableBufferPointer { code in
      image.withUnsafeBufferPointer { image in
        guard let code = code.baseAddress, let image = image.baseAddress else { return false }
        return pack(image, into: code)
      }
    }
    guard hasDirection else {
      throw BasisError(.badData, "recurrent binary codec: the query is zero and has no direction")
    }
    return code
  }

  /// The directions that codes stand for, of unit length.
  public func decode(_ codes: Codes, in run: RunContext = RunContext()) throws(BasisError) -> Matrix
  {
    try codes.requireBytes(bytesPerVector)
    let count = levelCount
    let images = try makeMatrix(codes.count, count, in: run) { (range, out) in
      codes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        withUnsafeTemporaryAllocation(of: Int8.self, capacity: count) { odd in
          guard let odd = odd.baseAddress else { return }
          for row in range {
            levels.unpackOdd(base + row * bytesPerVector, into: odd)
            var squares: Float = 0
            for index in 0..<count { squares += Float(odd[index]) * Float(odd[index]) }
            let factor = 1 / squares.squareRoot()
            for index in 0..<count {
              out[(row - range.lowerBound) * count + index] = factor * Float(odd[index])
            }
          }
        }
      }
    }
    return try inverse(images, in: run)
  }

  /// - Throws: `.dimensionMismatch`; `.badData`; `.unsupported` for a metric other than the cosine.
  public func scorer(for query: [Float], metric: Metric) throws(BasisError) -> RecurrentBinaryScorer
  {
    try requireQuery(query, dimension: dimension)
    guard metric == .cosine else {
      throw BasisError(
        .unsupported,
        "recurrent binary codec: codes are directions, comparable by the cosine only; use a "
          + "residual bit quantiser for \(metric.rawValue)")
    }
    guard settings.isSymmetric else {
      return RecurrentBinaryScorer(self, map(query), length: length(query))
    }
    let code = try code(of: query)
    var odd = [Int8](repeating: 0, count: levelCount)
    odd.withUnsafeMutableBufferPointer { odd in
      code.withUnsafeBufferPointer { code in
        guard let odd = odd.baseAddress, let code = code.baseAddress else { return }
        levels.unpackOdd(code, into: odd)
      }
    }
    let numbers = odd.map { Float($0) }
    return RecurrentBinaryScorer(self, numbers, length: length(numbers))
  }

  private struct Header: Codable {
    var layout = 1
    var settings: RecurrentBinaryCodec
    var dimension: Int
    var levelCount: Int
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "recurrent-binary",
      json: Header(settings: settings, dimension: dimension, levelCount: levelCount))
    try writer.write(prefix + "map", matrix: map.matrix)
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "recurrent-binary", as: Header.self)
    try container.requireLayout(header.layout, of: "recurrent binary codec")
    guard (1...4).contains(header.settings.bits) else {
      throw BasisError(
        .corruptFile, "\(container.path): a recurrent code of \(header.settings.bits) bits")
    }
    self.init(
      settings: header.settings,
      map: try container.linearMap(
        prefix + "map", inputCount: header.dimension, outputCount: header.levelCount))
  }
}

/// Compares a query, whole or cut to bits, with the codes of a ``RecurrentBinaryCodec``.
public struct RecurrentBinaryScorer: CodeScorer, Sendable {
  private let codec: FittedRecurrentBinaryCodec
  private let fixed: FixedPointQuery
  private let inverseLength: Float

  init(_ codec: FittedRecurrentBinaryCodec, _ image: [Float], length: Float) {
    self.codec = codec
    fixed = FixedPointQuery(image)
    inverseLength = length > 0 ? 1 / length : 0
  }

  public func distances(
    to codes: Codes, _ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    guard let target = out.baseAddress else { return }
    let count = codec.levelCount
    codec.levels.forEachBlock(of: codes, range) { block, _, odd in
      let target = target + block.lowerBound
      fixed.products(with: odd, rowCount: block.count, stride: count, into: target)
      for row in 0..<block.count {
        let squares = fixed.squares(of: odd + row * count)
        let cosine = target[row] * inverseLength / squares.squareRoot()
        target[row] = min(2, max(0, 1 - cosine))
      }
    }
  }
}
