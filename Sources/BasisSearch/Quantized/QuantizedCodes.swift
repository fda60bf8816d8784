import BasisCodecs
import BasisCore
import BasisFormats

/// The codes of all rows: as the codec made them, or in blocks for ``FastScan``.
enum QuantizedCodes: Sendable {
  case plain(Codes)
  case blocks(CodeLists)

  init(_ source: RowSource, _ codec: some FittedCodec, in run: RunContext) throws(BasisError) {
    let count = source.rows.rowCount
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * codec.bytesPerVector)
    // Unit rows are made some at a time, not as a second matrix.
    for first in stride(from: 0, to: count, by: 16_384) {
      let range = first..<min(count, first + 16_384)
      let codes = try codec.encode(try source.matrix(of: Array(range), in: run), in: run)
      codes.withUnsafeBytes { bytes += $0 }
    }
    guard let product = codec as? FittedProductQuantizer, product.isFast else {
      self = .plain(
        Codes(count: count, bytesPerVector: codec.bytesPerVector, bytes: bytes))
      return
    }
    var builder = CodeListsBuilder(parts: product.parts, sizes: [count], hasHalves: false)
    var code = [UInt8](repeating: 0, count: FastScan.paddedParts(product.parts))
    code.withUnsafeMutableBufferPointer { code in
      bytes.withUnsafeBufferPointer { bytes in
        guard let code = code.baseAddress, let bytes = bytes.baseAddress else { return }
        for row in 0..<count {
          product.unpack(bytes + row * product.bytesPerVector, into: code)
          builder.append(row, to: 0, code, half: 0)
        }
      }
    }
    self = .blocks(builder.finish())
  }
}

extension FittedProductQuantizer {
  /// Whether ``FastScan`` reads its codes.
  var isFast: Bool { bits == 4 && parts <= FastScan.maximumParts }
}

extension RowSource {
  /// Some rows, of unit length for the cosine.
  func matrix(of ids: [Int], in run: RunContext) throws(BasisError) -> Matrix {
    let d = rows.columnCount
    return try Matrix(rowCount: ids.count, columnCount: d) { (target) throws(BasisError) in
      guard let base = target.baseAddress else { return }
      let out = SharedPointer(base)
      try parallelFor(ids.count, grain: 4096, in: run) { (_, range) in
        for index in range { copy(ids[index], into: out.base + index * d) }
      }
    }
  }
}

extension QuantizedCodes {
  init(
    from container: Container, prefix: String, codec: some FittedCodec, count: Int
  ) throws(BasisError) {
    guard let product = codec as? FittedProductQuantizer, product.isFast else {
      let codes = try Codes(
        from: container, prefix + "codes", bytesPerVector: codec.bytesPerVector)
      guard codes.count == count else {
        throw BasisError(
          .corruptFile,
          "quantised index: \(codes.count) codes for \(count) rows; rebuild the segment")
      }
      self = .plain(codes)
      return
    }
    let blocks = try container.array(prefix + "blocks", of: UInt8.self)
    let blockCount = CodeLists.blockCount(count)
    guard blocks.count == blockCount * FastScan.blockBytes(parts: product.parts) else {
      throw BasisError(
        .corruptFile,
        "quantised index: \(blocks.count) bytes of codes for \(count) rows; rebuild the segment")
    }
    let ids = (0..<blockCount * FastScan.blockSize).map {
      $0 < count ? UInt32(truncatingIfNeeded: $0) : 0
    }
    self = .blocks(
      CodeLists(
        parts: product.parts, counts: .owned([UInt32(truncatingIfNeeded: count)]),
        blocks: .mapped(blocks), ids: .owned(ids), halves: .owned([]), leasts: .owned([0])))
  }
}
