#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

package func cosine(_ angle: Double) -> Double { cos(angle) }
package func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
package func logarithm2(_ x: Double) -> Double { log2(x) }

/// 2/√π ∫ₓ^∞ exp(−t²) dt, without cancellation for large `x`.
package func complementaryErrorFunction(_ x: Double) -> Double { erfc(x) }
