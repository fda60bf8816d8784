#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Floats between two pages that nobody may touch: one step beyond either end is a crash.
///
/// The memory ends exactly at the upper page, so it begins at any multiple of four bytes.
final class GuardedFloats {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let byteCount: Int

  init(_ values: [Float], startingAtPage: Bool = false) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let needed = values.count * MemoryLayout<Float>.stride
    let inner = (needed + page - 1) / page * page
    byteCount = inner + 2 * page
    mapping = mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    precondition(mapping != MAP_FAILED)
    let readable = mapping + page
    precondition(inner == 0 || mprotect(readable, inner, PROT_READ | PROT_WRITE) == 0)
    base = (readable + (startingAtPage ? 0 : inner - needed)).bindMemory(
      to: Float.self, capacity: values.count)
    count = values.count
    base.initialize(from: values, count: count)
  }

  deinit { munmap(mapping, byteCount) }

  subscript(index: Int) -> Float { base[index] }
  var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
