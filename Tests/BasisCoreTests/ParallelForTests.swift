import BasisCore
import Synchronization
import Testing

@Suite struct ParallelForTests {
  @Test(arguments: [1, 2, 7], [0, 1, 9, 100, 101])
  func `every index is visited once, in chunks that depend on the grain alone`(
    threadLimit: Int, count: Int
  ) throws {
    let run = RunContext(threadLimit: threadLimit)
    for grain in [1, 10, 1_000] {
      let ranges = try parallelMap(count, grain: grain, in: run) {
        (chunk, range) throws(BasisError) in
        #expect(range.lowerBound == chunk * grain)
        return range
      }
      #expect(ranges.flatMap { Array($0) } == Array(0..<count))
    }
  }

  @Test func `seeded chunks give one answer at any number of threads`() throws {
    func draw(_ threadLimit: Int) throws -> [[UInt64]] {
      let run = RunContext(seed: 5, threadLimit: threadLimit)
      return try parallelMap(100, grain: 7, in: run) { (chunk, range) throws(BasisError) in
        var generator = run.generator("test", chunk: chunk)
        return range.map { _ in generator.next() }
      }
    }
    let one = try draw(1)
    #expect(Set(one.flatMap { $0 }).count == 100)
    #expect(try draw(2) == one)
    #expect(try draw(8) == one)
  }

  @Test(arguments: [1, 2, 8]) func `the lowest failing chunk is the one that is thrown`(
    threadLimit: Int
  ) {
    for seed in 0..<30 as Range<UInt64> {
      var generator = RandomGenerator(seed: seed)
      let failing = Set(generator.sample(5, of: 60))
      let error = #expect(throws: BasisError.self) {
        try parallelFor(60, grain: 1, in: RunContext(threadLimit: threadLimit)) {
          (chunk, _) throws(BasisError) in
          if failing.contains(chunk) { throw BasisError(.badData, "chunk \(chunk)") }
        }
      }
      #expect(error?.message == "chunk \(failing.min() ?? -1)")
    }
  }

  @Test(arguments: [1, 2]) func `a cancelled run stops between chunks`(threadLimit: Int) {
    let run = RunContext(threadLimit: threadLimit)
    let visited = Atomic<Int>(0)
    let error = #expect(throws: BasisError.self) {
      try parallelFor(10_000, grain: 1, in: run) { (_, _) throws(BasisError) in
        if visited.wrappingAdd(1, ordering: .relaxed).newValue == 5 { run.cancellation.cancel() }
      }
    }
    #expect(error?.code == .cancelled)
    // Each thread may be inside one chunk when the flag goes up.
    #expect(visited.load(ordering: .relaxed) <= 5 + threadLimit)
  }

  @Test func `a run that was cancelled before does nothing`() {
    let run = RunContext(threadLimit: 2)
    run.cancellation.cancel()
    #expect(throws: BasisError.self) {
      try parallelFor(10, grain: 1, in: run) { (_, _) throws(BasisError) in
        Issue.record("a chunk ran")
      }
    }
  }
}
