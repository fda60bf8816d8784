public import BasisCore
public import BasisFormats
import BasisNumerics

/// A ``ResidualBitQuantizer`` that has its mean and its rotation.
///
/// A code is the vector's length (`Float`), the residual's length as a share of the vector's and the
/// mean's together and the cosine of residual and grid point (both in 65,535ths, 16 bits), and the
/// levels, low bits of low bytes first.
public struct FittedResidualBitQuantizer: FittedCodec {
  public let settings: ResidualBitQuantizer
  /// What residuals are taken from.
  public let mean: [Float]
  let map: LinearMap
  let inverse: LinearMap
  let meanLength: Float
  let levels: LevelStream

  public var dimension: Int { map.inputCount }
  public var bytesPerVector: Int { 8 + levels.byteCount }
  public var sharedBytes: Int { 4 * dimension + map.byteCount }

  init(settings: ResidualBitQuantizer, mean: [Float], map: LinearMap) {
    self.settings = settings
    self.mean = mean
    self.map = map
    inverse = LinearMap(matrix: map.matrix.transposed())
    meanLength = length(mean)
    levels = LevelStream(count: map.outputCount, bits: settings.bits)
  }

  /// What a code says beside its levels.
  struct Head {
    var length: Float
    var residual: Float
    var cosine: Float

    init(_ code: UnsafePointer<UInt8>, meanLength: Float) {
      let raw = UnsafeRawPointer(code)
      length = raw.loadUnaligned(as: Float.self)
      residual =
        Float(raw.loadUnaligned(fromByteOffset: 4, as: UInt16.self)) / 65_535
        * (length + meanLength)
      cosine = Float(raw.loadUnaligned(fromByteOffset: 6, as: UInt16.self)) / 65_535
    }
  }

  public func encode(_ rows: Matrix, in run: RunContext = RunContext()) throws(BasisError) -> Codes
  {
    try rows.requireRows(of: dimension, "residual bit quantiser")
    return try makeCodes(rows.rowCount, bytesPerVector, grain: 128, in: run) {
      (range, out) throws(BasisError) in
      try map.withImages(of: rows, range, minus: mean) { images in
        for row in 0..<range.count {
          let whole = rows.withRow(range.lowerBound + row) { length($0) }
          encode(
            UnsafeBufferPointer(start: images + row * levels.count, count: levels.count),
            length: whole, into: out + row * bytesPerVector)
        }
      }
    }
  }

  private func encode(
    _ residual: UnsafeBufferPointer<Float>, length whole: Float,
    into code: UnsafeMutablePointer<UInt8>
  ) {
    let own = length(residual)
    let raw = UnsafeMutableRawPointer(code)
    raw.storeBytes(of: whole, as: Float.self)
    // An overflowing or vanishing length leaves no direction; the mean stands for such a row.
    guard own > 0, own.isFinite, (1 / own).isFinite, whole.isFinite else { return }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: levels.count) { chosen in
      guard let chosen = chosen.baseAddress else { return }
      let cosine = GridSearch(bits: settings.bits).nearest(
        to: residual, length: own, into: chosen)
      levels.pack(chosen, into: code + 8)
      let share = min(1, own / (whole + meanLength))
      raw.storeBytes(of: UInt16((share * 65_535).rounded()), toByteOffset: 4, as: UInt16.self)
      raw.storeBytes(
        of: UInt16((min(1, cosine) * 65_535).rounded()), toByteOffset: 6, as: UInt16.self)
    }
  }

  /// The vectors whose residuals are the grid points, in the length that is nearest to the residual.
  public func decode(_ codes: Codes, in run: RunContext = RunContext()) throws(BasisError) -> Matrix
  {
    try codes.requireBytes(bytesPerVector)
    let count = levels.count
    let images = try makeMatrix(codes.count, count, in: run) { (range, out) in
      codes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        withUnsafeTemporaryAllocation(of: Int8.self, capacity: count) { odd in
          guard let odd = odd.baseAddress else { return }
          for row in range {
            let code = base + row * bytesPerVector
            let head = Head(code, meanLength: meanLength)
            levels.unpackOdd(code + 8, into: odd)
            var squares: Float = 0
            for index in 0..<count { squares += Float(odd[index]) * Float(odd[index]) }
            let factor = head.residual * head.cosine / squares.squareRoot()
            for index in 0..<count {
              out[(row - range.lowerBound) * count + index] = factor * Float(odd[index])
            }
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

  public func scorer(for query: [Float], metric: Metric) throws(BasisError) -> ResidualBitScorer {
    try requireQuery(query, dimension: dimension)
    return ResidualBitScorer(self, query, metric)
  }

  private struct Header: Codable {
    var layout = 1
    var settings: ResidualBitQuantizer
    var dimension: Int
    var outputCount: Int
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "residual-bit",
      json: Header(settings: settings, dimension: dimension, outputCount: levels.count))
    try writer.write(prefix + "mean", mean)
    try writer.write(prefix + "map", matrix: map.matrix)
  }

  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "residual-bit", as: Header.self)
    try container.requireLayout(header.layout, of: "residual bit quantiser")
    let mean = Array(try container.array(prefix + "mean", of: Float.self))
    guard mean.count == header.dimension, (1...4).contains(header.settings.bits) else {
      throw BasisError(
        .corruptFile,
        "\(container.path): \(prefix)mean has \(mean.count) values for \(header.dimension) "
          + "dimensions of \(header.settings.bits) bits")
    }
    self.init(
      settings: header.settings, mean: mean,
      map: try container.linearMap(
        prefix + "map", inputCount: header.dimension, outputCount: header.outputCount))
  }
}

/// The Euclidean length, in `Double`.
func length(_ vector: some Collection<Float>) -> Float {
  Float(vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
}

/// Finds the point of a grid of odd numbers that a vector has the smallest angle with.
struct GridSearch {
  let bits: Int

  /// What best lies between two grid points, in deviations of a normal value.
  private var spacing: Float { [2, 0.9957, 0.586, 0.3352][bits - 1] }

  /// - Parameters:
  ///   - vector: not zero.
  ///   - length: its length.
  ///   - chosen: the levels, `0 ..< 2ᵇⁱᵗˢ`.
  /// - Returns: the cosine of vector and point.
  func nearest(
    to vector: UnsafeBufferPointer<Float>, length: Float, into chosen: UnsafeMutablePointer<UInt8>
  ) -> Float {
    let count = vector.count
    let highest = Float((1 << bits) - 1)
    guard bits > 1 else {
      var product: Float = 0
      for index in 0..<count {
        chosen[index] = vector[index] < 0 ? 0 : 1
        product += abs(vector[index])
      }
      return product / length / Float(count).squareRoot()
    }
    let unit = 2 * Float(count).squareRoot() / length / spacing
    var best: (cosine: Float, scale: Float) = (-1, unit)
    for step in -16...16 {
      let scale = unit * (1 + Float(step) * 0.04)
      var product: Float = 0
      var squares: Float = 0
      for index in 0..<count {
        let point = Self.magnitude(abs(vector[index]) * scale, highest)
        product += point * abs(vector[index])
        squares += point * point
      }
      let cosine = product / (squares.squareRoot() * length)
      if cosine > best.cosine { best = (cosine, scale) }
    }
    for index in 0..<count {
      let point = Self.magnitude(abs(vector[index]) * best.scale, highest)
      chosen[index] = UInt8(((vector[index] < 0 ? -point : point) + highest) / 2)
    }
    return best.cosine
  }

  /// The nearest of 1, 3 … highest.
  @inline(__always)
  private static func magnitude(_ x: Float, _ highest: Float) -> Float {
    min(highest, 2 * (x * 0.5).rounded(.down) + 1)
  }
}
