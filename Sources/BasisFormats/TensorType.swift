/// What the elements of a stored tensor are.
///
/// The raw values are the names that safetensors files have.
public enum TensorType: String, Sendable, Hashable, Codable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case uint16 = "U16"
  case int16 = "I16"
  case uint32 = "U32"
  case int32 = "I32"
  case uint64 = "U64"
  case int64 = "I64"
  /// IEEE 754 binary16.
  case float16 = "F16"
  /// The upper half of a `float32`.
  case bfloat16 = "BF16"
  case float32 = "F32"
  case float64 = "F64"
  /// Eight bits with four of exponent, without infinities.
  case float8E4M3 = "F8_E4M3"
  /// Eight bits with five of exponent.
  case float8E5M2 = "F8_E5M2"

  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8E4M3, .float8E5M2: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }
}

/// A type that tensors are written from as it is.
public protocol TensorElement: BitwiseCopyable, Sendable {
  static var tensorType: TensorType { get }
}

extension UInt8: TensorElement { public static var tensorType: TensorType { .uint8 } }
extension Int8: TensorElement { public static var tensorType: TensorType { .int8 } }
extension UInt16: TensorElement { public static var tensorType: TensorType { .uint16 } }
extension Int16: TensorElement { public static var tensorType: TensorType { .int16 } }
extension UInt32: TensorElement { public static var tensorType: TensorType { .uint32 } }
extension Int32: TensorElement { public static var tensorType: TensorType { .int32 } }
extension UInt64: TensorElement { public static var tensorType: TensorType { .uint64 } }
extension Int64: TensorElement { public static var tensorType: TensorType { .int64 } }
extension Float: TensorElement { public static var tensorType: TensorType { .float32 } }
extension Double: TensorElement { public static var tensorType: TensorType { .float64 } }

// Swift's own Float16 is missing on some platforms, so halves are handled as their bits.

/// The value of a binary16; exact.
func float(fromHalf bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let exponent = UInt32(bits >> 10 & 0x1F)
  let fraction = UInt32(bits & 0x3FF)
  switch exponent {
  case 0: return Float(bitPattern: sign | (Float(fraction) * 0x1p-24).bitPattern)
  case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}

/// The nearest binary16, ties to even; infinity beyond its range.
func halfBits(_ value: Float) -> UInt16 {
  let sign = UInt16(value.bitPattern >> 16 & 0x8000)
  let magnitude = value.magnitude
  if magnitude.isNaN { return sign | 0x7E00 }
  // Halfway between the largest half and the next step.
  if magnitude >= 65520 { return sign | 0x7C00 }
  if magnitude < 0x1p-14 {
    return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
  }
  let bits = magnitude.bitPattern - (112 << 23)
  let odd = bits >> 13 & 1
  return sign | UInt16((bits + 0xFFF + odd) >> 13)
}

/// The nearest bfloat16, ties to even.
func brainBits(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(bits >> 16) | 0x40 }
  return UInt16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
}
