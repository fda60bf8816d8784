#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The C library's mathematics and system calls that the rooms above need, so that only this file
/// names a platform.
package func logarithm(_ x: Double) -> Double { log(x) }
package func logarithm(_ x: Float) -> Float { log(x) }
package func exponential(_ x: Double) -> Double { exp(x) }

func onlineProcessorCount() -> Int {
  let count = sysconf(Int32(_SC_NPROCESSORS_ONLN))
  return count > 0 ? count : 1
}
