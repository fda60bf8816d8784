import CBasisKernels

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

/// A variable of the process's environment.
package func environmentValue(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }
}

/// Sets a variable of the process's environment, or removes it.
package func setEnvironmentValue(_ name: String, _ value: String?) {
  if let value { setenv(name, value, 1) } else { unsetenv(name) }
}

/// A shared library, loaded with its own names kept apart from everybody else's.
package struct DynamicLibrary {
  private let handle: UnsafeMutableRawPointer

  /// Nil where the system finds no such library or cannot load it.
  package init?(_ name: String) {
    guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
    self.handle = handle
  }

  /// The address of a function, or nil where the library has none of that name.
  package func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(handle, name) }
}

/// Seconds that the calling thread has had a processor for.
package func threadSeconds() -> Double {
  var time = timespec()
  guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return 0 }
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// What large blocks of memory are aligned to, so that pages of this size can hold them.
let largePageSize = 2 << 20

/// Asks for large pages: reading a large matrix from end to end then waits less for addresses.
func adviseLargePages(_ base: UnsafeMutableRawPointer, byteCount: Int) {
  #if os(Linux)
    // A wish, which the system may leave unheard.
    madvise(base, byteCount, MADV_HUGEPAGE)
  #endif
}

/// Gives memory that was freed back to the system. Worth it between two pieces of work that need
/// much of it: the next one's blocks seldom fit the holes of the last one's.
package func releaseFreeMemory() { basis_release_free_memory() }

func onlineProcessorCount() -> Int {
  let count = sysconf(Int32(_SC_NPROCESSORS_ONLN))
  return count > 0 ? count : 1
}
