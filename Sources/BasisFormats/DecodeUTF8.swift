enum DecodedUTF8 {
  case text(String)
  /// Where the first byte stands that breaks the encoding.
  case invalid(offset: Int)
}

/// The text of bytes that may not be UTF-8. `String(validating:as:)` is generic, which short texts
/// pay for, and does not tell the place.
func decodeUTF8(_ bytes: UnsafeRawBufferPointer) -> DecodedUTF8 {
  do throws(UTF8.ValidationError) {
    // Valid while the caller's buffer is, which outlives this call.
    let span = Span<UInt8>(_unsafeBytes: bytes)
    return .text(String(copying: try UTF8Span(validating: span)))
  } catch {
    return .invalid(offset: error.byteOffsets.lowerBound)
  }
}
