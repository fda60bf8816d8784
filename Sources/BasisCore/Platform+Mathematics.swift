#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// 2/√π ∫ₓ^∞ exp(−t²) dt, without cancellation for large `x`.
package func complementaryErrorFunction(_ x: Double) -> Double { erfc(x) }
