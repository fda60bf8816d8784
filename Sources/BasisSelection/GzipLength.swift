import BasisCore
import CZlib

/// How many bytes gzip makes of texts; one state, used again and again, for one thread at a time.
///
/// A header of 10 bytes and a trailer of 8 are counted, as every gzip file has them.
final class GzipLength {
  private let stream: UnsafeMutablePointer<z_stream>
  private let output: UnsafeMutablePointer<UInt8>
  private static let room = 1 << 15

  /// - Parameter level: 1 to 9.
  init(level: Int) throws(BasisError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    output = .allocate(capacity: Self.room)
    // 15 bits of window, and 16 for the framing of gzip; 8 is the usual memory.
    let state = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard state == Z_OK else {
      throw BasisError(.unsupported, "zlib cannot compress at level \(level)")
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
    output.deallocate()
  }

  /// Of the first text and the second after it.
  func callAsFunction(_ first: [UInt8], _ second: [UInt8] = []) -> Int {
    deflateReset(stream)
    feed(first, Z_NO_FLUSH)
    feed(second, Z_FINISH)
    return Int(stream.pointee.total_out)
  }

  private func feed(_ bytes: [UInt8], _ flush: Int32) {
    bytes.withUnsafeBufferPointer { bytes in
      stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
      stream.pointee.avail_in = UInt32(bytes.count)
      repeat {
        stream.pointee.next_out = output
        stream.pointee.avail_out = UInt32(Self.room)
        deflate(stream, flush)
      } while stream.pointee.avail_out == 0
    }
  }
}
