import BasisCore
import CBasisKernels
import Synchronization

/// What a thread's walks work in: for some queries at a time, what they are and how far they got.
///
/// Unchecked: whoever takes one from the pool is alone with it.
final class GraphScratch: @unchecked Sendable {
  /// Walks that take turns.
  static let group = 4

  let count: Int
  let queries: UnsafeMutablePointer<basis_graph_query>
  let walks: UnsafeMutablePointer<basis_graph_walk>
  let codes: UnsafeMutablePointer<Int8>
  let prepared: UnsafeMutablePointer<Float>
  private let width: Int
  private let seen: UnsafeMutablePointer<UInt64>
  private let touched: [UnsafeMutablePointer<UInt32>]
  private let entries: UnsafeMutablePointer<UInt32>
  private var beams: [UnsafeMutablePointer<UInt64>?] = Array(repeating: nil, count: group)
  private var beamCapacity = 0
  static let entryCapacity = 1024
  /// Codes of rows, entrances and means that were compared.
  var comparisonCount = 0

  init(count: Int, width: Int) {
    self.count = count
    self.width = width
    let words = (count + 63) / 64 + 1
    queries = .allocate(capacity: Self.group)
    walks = .allocate(capacity: Self.group)
    codes = .allocate(capacity: Self.group * width)
    prepared = .allocate(capacity: max(1, width))
    seen = .allocate(capacity: Self.group * words)
    seen.initialize(repeating: 0, count: Self.group * words)
    entries = .allocate(capacity: Self.group * Self.entryCapacity)
    let degree = Int(BASIS_GRAPH_DEGREE)
    let room = count + degree * Int(BASIS_GRAPH_STEP) + Self.entryCapacity
    touched = (0..<Self.group).map { _ in .allocate(capacity: room) }
    for member in 0..<Self.group {
      var walk = basis_graph_walk()
      walk.seen = seen + member * words
      walk.touched = touched[member]
      walk.entries = UnsafePointer(entries + member * Self.entryCapacity)
      walks[member] = walk
      var query = basis_graph_query()
      query.codes = UnsafePointer(codes + member * width)
      queries[member] = query
    }
  }

  deinit {
    queries.deallocate()
    walks.deallocate()
    codes.deallocate()
    prepared.deallocate()
    seen.deallocate()
    entries.deallocate()
    for part in touched { part.deallocate() }
    for beam in beams { beam?.deallocate() }
  }

  func entries(of member: Int) -> UnsafeMutablePointer<UInt32> {
    entries + member * Self.entryCapacity
  }

  func codes(of member: Int) -> UnsafeMutablePointer<Int8> { codes + member * width }

  /// Makes room for beams of this width.
  func setWidth(_ beamWidth: Int, step: Int) {
    if beamWidth + 1 > beamCapacity {
      beamCapacity = beamWidth + 1
      for member in 0..<Self.group {
        beams[member]?.deallocate()
        beams[member] = .allocate(capacity: beamCapacity)
      }
    }
    for member in 0..<Self.group {
      walks[member].beam = beams[member]
      walks[member].width = beamWidth
      walks[member].step = step
    }
  }
}

/// Scratches that nobody uses now.
final class GraphScratchPool: Sendable {
  private let free = Mutex<[GraphScratch]>([])

  func with<R, E: Error>(
    count: Int, width: Int, _ body: (GraphScratch) throws(E) -> R
  ) throws(E) -> R {
    let scratch =
      free.withLock { $0.popLast() } ?? GraphScratch(count: count, width: width)
    defer { free.withLock { if $0.count < 64 { $0.append(scratch) } } }
    return try body(scratch)
  }
}

/// A part that is made, or read from a file, when it is first asked for.
final class MadeOnce<Value: Sendable>: Sendable {
  private let made: Mutex<Value?>
  private let make: @Sendable () throws(BasisError) -> Value

  init(_ value: Value) {
    made = Mutex(value)
    make = { value }
  }

  init(_ make: @escaping @Sendable () throws(BasisError) -> Value) {
    made = Mutex(nil)
    self.make = make
  }

  /// Threads that come first together may make it more than once, and agree.
  func get() throws(BasisError) -> Value {
    if let value = made.withLock({ $0 }) { return value }
    let value = try make()
    made.withLock { $0 = value }
    return value
  }
}
