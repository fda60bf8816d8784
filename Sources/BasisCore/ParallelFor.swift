import Dispatch
import Synchronization

/// Runs `body` over `0 ..< count` in chunks of `grain`, on at most `run.threadLimit` threads.
///
/// Chunks are the same at any thread count, so a body that writes only what belongs to its range,
/// and draws only from `run.generator(_, chunk:)`, gives the same result on 1 or 64 threads.
///
/// - Parameters:
///   - grain: rows a chunk, at least 1.
///   - count: how many rows there are, at least 0.
///   - body: called once per chunk, from any thread, with the chunk's number and its range.
///   - run: seed, threads and cancellation.
/// - Throws: the error of the lowest chunk that failed, so that a failing run is reproducible;
///   `.cancelled` if the run is cancelled between two chunks.
public func parallelFor(
  _ count: Int, grain: Int, in run: RunContext,
  _ body: @Sendable (_ chunk: Int, _ range: Range<Int>) throws(BasisError) -> Void
) throws(BasisError) {
  precondition(count >= 0 && grain >= 1, "\(count) rows in chunks of \(grain)")
  let chunkCount = (count + grain - 1) / grain
  let workerCount = min(run.threadLimit, chunkCount)
  if workerCount <= 1 {
    for chunk in 0..<chunkCount {
      try run.checkCancelled()
      try body(chunk, chunk * grain..<min(count, (chunk + 1) * grain))
    }
    return
  }

  let next = Atomic<Int>(0)
  let failure = Mutex<(chunk: Int, error: BasisError)?>(nil)
  let lowestFailure = Atomic<Int>(.max)
  DispatchQueue.concurrentPerform(iterations: workerCount) { _ in
    while true {
      let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
      // Chunks below the lowest failure still run: one of them may fail with a lower index.
      guard chunk < chunkCount, chunk < lowestFailure.load(ordering: .relaxed) else { return }
      do throws(BasisError) {
        try run.checkCancelled()
        try body(chunk, chunk * grain..<min(count, (chunk + 1) * grain))
      } catch {
        failure.withLock { first in
          if first.map({ chunk < $0.chunk }) ?? true { first = (chunk, error) }
        }
        lowestFailure.min(chunk, ordering: .relaxed)
      }
    }
  }
  if let first = failure.withLock({ $0 }) { throw first.error }
}

/// The results of `body` for each chunk, in the order of the chunks. See ``parallelFor(_:grain:in:_:)``.
public func parallelMap<T: Sendable>(
  _ count: Int, grain: Int, in run: RunContext,
  _ body: @Sendable (_ chunk: Int, _ range: Range<Int>) throws(BasisError) -> T
) throws(BasisError) -> [T] {
  let chunkCount = (count + grain - 1) / max(grain, 1)
  let results = Mutex<[T?]>(Array(repeating: nil, count: chunkCount))
  try parallelFor(count, grain: grain, in: run) { (chunk, range) throws(BasisError) in
    let value = try body(chunk, range)
    results.withLock { $0[chunk] = value }
  }
  return results.withLock { $0 }.compactMap { $0 }
}

/// A pointer that the chunks of a parallel loop share.
///
/// Unchecked: whoever makes one promises that chunks write disjoint ranges and that the memory
/// outlives the loop.
package struct SharedPointer<T>: @unchecked Sendable {
  package let base: UnsafeMutablePointer<T>

  package init(_ base: UnsafeMutablePointer<T>) { self.base = base }
}
