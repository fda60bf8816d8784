#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

typealias GuardedFloats = GuardedMemory<Float>

/// Numbers between two pages that nobody may touch: one step beyond either end is a crash.
///
/// The memory ends exactly at the upper page, so it begins at any multiple of an element's size.
final class GuardedMemory<Element: BitwiseCopyable> {
  let base: UnsafeMutablePointer<Element>
  let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let byteCount: Int

  init(_ values: [Element], startingAtPage: Bool = false) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let needed = values.count * MemoryLayout<Element>.stride
    let inner = (needed + page - 1) / page * page
    byteCount = inner + 2 * page
    mapping = mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    precondition(mapping != MAP_FAILED)
    let readable = mapping + page
    precondition(inner == 0 || mprotect(readable, inner, PROT_READ | PROT_WRITE) == 0)
    base = (readable + (startingAtPage ? 0 : inner - needed)).bindMemory(
      to: Element.self, capacity: values.count)
    count = values.count
    base.initialize(from: values, count: count)
  }

  deinit { munmap(mapping, byteCount) }

  subscript(index: Int) -> Element { base[index] }
  var values: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
