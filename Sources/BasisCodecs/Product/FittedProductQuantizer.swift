public import BasisCore
public import BasisFormats
import BasisNumerics

/// A ``ProductQuantizer`` that has learnt its words.
///
/// A code has a byte per part, or a nibble, the first part's the lower one of the first byte.
public struct FittedProductQuantizer: FittedCodec {
  package let book: ProductCodebook
  /// `d × d`, orthogonal: rows are multiplied with it from the right first. Nil for none.
  let rotation: Matrix?
  /// The rotation and its inverse, laid out for rows; nil for none.
  private let turn: LinearMap?
  private let turnBack: LinearMap?
  let excess: Float

  init(book: ProductCodebook, rotation: Matrix?, excess: Float) {
    self.book = book
    self.rotation = rotation
    turn = rotation.map { LinearMap(matrix: $0.transposed()) }
    turnBack = rotation.map { LinearMap(matrix: $0) }
    self.excess = excess
  }

  /// A quantiser with words from elsewhere.
  ///
  /// - Parameters:
  ///   - words: for each part `2^bits` rows, one after the other: `parts · 2^bits × width`.
  ///   - bits: 4 or 8.
  /// - Throws: `.invalidArgument` if that does not fit; `.badData` for values that are not finite.
  public init(words: Matrix, bits: Int) throws(BasisError) {
    let size = 1 << max(0, min(bits, 8))
    guard bits == 4 || bits == 8, words.rowCount >= size, words.rowCount.isMultiple(of: size),
      words.columnCount > 0
    else {
      throw BasisError(
        .invalidArgument,
        "words of 4 or 8 bits come in whole parts of 16 or 256, got \(words.rowCount) × "
          + "\(words.columnCount) for \(bits) bits")
    }
    try words.requireFinite("the words")
    let (parts, width) = (words.rowCount / size, words.columnCount)
    var values = [Float](repeating: 0, count: parts * width * size)
    for part in 0..<parts {
      for word in 0..<size {
        for column in 0..<width {
          values[(part * width + column) * size + word] = words[part * size + word, column]
        }
      }
    }
    self.init(
      book: ProductCodebook(parts: parts, width: width, size: size, words: values),
      rotation: nil, excess: 0)
  }

  public var dimension: Int { book.dimension }
  public var parts: Int { book.parts }
  /// Bits of a part: 4 or 8.
  public var bits: Int { book.size == 16 ? 4 : 8 }
  public var bytesPerVector: Int { bits == 8 ? parts : (parts + 1) / 2 }
  public var sharedBytes: Int {
    4 * (book.words.count + (rotation.map { $0.rowCount * $0.columnCount } ?? 0))
  }

  public func encode(_ rows: Matrix, in run: RunContext) throws(BasisError) -> Codes {
    guard rows.columnCount == dimension || rows.rowCount == 0 else {
      throw BasisError(
        .dimensionMismatch,
        "the rows to encode are \(rows.rowCount) × \(rows.columnCount), the codec is for "
          + "dimension \(dimension)")
    }
    try rows.requireFinite("the rows to encode")
    try run.checkCancelled()
    let count = rows.rowCount
    guard count > 0 else { return Codes(count: 0, bytesPerVector: bytesPerVector, bytes: []) }
    let turned = try turn?(rows, in: run) ?? rows
    let bytes = try book.encode(
      turned,
      anisotropy: excess > 0 ? .init(directions: directions(of: turned), excess: excess) : nil,
      in: run)
    guard bits == 4 else { return Codes(count: count, bytesPerVector: parts, bytes: bytes) }
    var packed = [UInt8](repeating: 0, count: count * bytesPerVector)
    for row in 0..<count {
      for part in 0..<parts {
        packed[row * bytesPerVector + part / 2] |= bytes[row * parts + part] << (part % 2 * 4)
      }
    }
    return Codes(count: count, bytesPerVector: bytesPerVector, bytes: packed)
  }

  public func decode(_ codes: Codes, in run: RunContext) throws(BasisError) -> Matrix {
    guard codes.bytesPerVector == bytesPerVector || codes.count == 0 else {
      throw BasisError(
        .dimensionMismatch,
        "the codes have \(codes.bytesPerVector) bytes each, the codec's have \(bytesPerVector)")
    }
    let d = dimension
    let decoded = try makeMatrix(codes.count, d, grain: 1024, in: run) { (range, out) in
      codes.withUnsafeBytes { bytes in
        guard let bytes = bytes.baseAddress else { return }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: parts) { code in
          guard let code = code.baseAddress else { return }
          for row in range {
            unpack(bytes + row * bytesPerVector, into: code)
            book.decode(code, into: out + (row - range.lowerBound) * d)
          }
        }
      }
    }
    return try turnBack?(decoded, in: run) ?? decoded
  }

  /// A code as a byte per part.
  package func unpack(_ bytes: UnsafePointer<UInt8>, into code: UnsafeMutablePointer<UInt8>) {
    for part in 0..<parts {
      code[part] = bits == 8 ? bytes[part] : bytes[part / 2] >> (part % 2 * 4) & 15
    }
  }

  /// A query as the words are: turned where they are.
  package func turned(_ query: [Float]) -> [Float] { turn?(query) ?? query }

  /// - Complexity: O(*d* 2^bits) to make it, O(parts) per code: asymmetric distances by look-up.
  public func scorer(for query: [Float], metric: Metric) throws(BasisError) -> ProductScorer {
    try requireQuery(query, dimension: dimension)
    return ProductScorer(self, turned(query), metric: metric)
  }

  private struct Header: Codable {
    var layout = 1
    var parts: Int
    var width: Int
    var size: Int
    var excess: Float
    var isRotated: Bool
  }

  public func write(to writer: ContainerWriter, prefix: String) throws(BasisError) {
    try writer.write(
      prefix + "settings",
      json: Header(
        parts: parts, width: book.width, size: book.size, excess: excess,
        isRotated: rotation != nil))
    try writer.write(prefix + "words", book.words)
    if let rotation { try writer.write(prefix + "rotation", matrix: rotation) }
  }

  /// - Throws: `.corruptFile` if a block is missing, damaged or does not fit the others;
  ///   `.newerFormat`.
  public init(from container: Container, prefix: String) throws(BasisError) {
    let header = try container.json(prefix + "settings", as: Header.self)
    try container.requireLayout(header.layout, of: "product quantiser")
    let words = Array(try container.array(prefix + "words", of: Float.self))
    let (dimension, overflow) = header.parts.multipliedReportingOverflow(by: header.width)
    guard header.parts >= 1, header.width >= 1, !overflow, header.size == 16 || header.size == 256,
      words.count.isMultiple(of: header.size), words.count / header.size == dimension,
      words.allSatisfy({ $0.isFinite }), header.excess >= 0
    else {
      throw BasisError(
        .corruptFile,
        "product quantiser: \(words.count) words for \(header.parts) parts of \(header.width) "
          + "values; make the file again")
    }
    var rotation: Matrix?
    if header.isRotated {
      let read = try container.matrix(prefix + "rotation", columnCount: dimension)
      guard read.rowCount == dimension, read.firstNonFinite() == nil else {
        throw BasisError(
          .corruptFile,
          "product quantiser: a rotation of \(read.rowCount) × \(dimension); make the file again")
      }
      rotation = read
    }
    self.init(
      book: ProductCodebook(
        parts: header.parts, width: header.width, size: header.size, words: words),
      rotation: rotation, excess: header.excess)
  }
}
