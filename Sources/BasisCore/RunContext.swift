import Synchronization

/// What a run of a method is given beside its data: seed, threads, a way to stop it, and somebody
/// to tell how far it is.
public struct RunContext: Sendable {
  public var seed: UInt64
  /// At most this many threads, at least 1. Answers do not depend on it.
  public var threadLimit: Int
  public var cancellation: Cancellation
  /// Told about progress from any thread; nil where nobody listens.
  public var progress: (@Sendable (Progress) -> Void)?

  public init(
    seed: UInt64 = 0, threadLimit: Int = RunContext.processorCount,
    cancellation: Cancellation = Cancellation(), progress: (@Sendable (Progress) -> Void)? = nil
  ) {
    self.seed = seed
    self.threadLimit = max(1, threadLimit)
    self.cancellation = cancellation
    self.progress = progress
  }

  /// The same run without anybody listening: for a step whose caller reports progress itself.
  package var silent: RunContext {
    RunContext(seed: seed, threadLimit: threadLimit, cancellation: cancellation)
  }

  /// How many processors the system lets this process use.
  public static var processorCount: Int { onlineProcessorCount() }

  /// How far a run is.
  public struct Progress: Sendable {
    public var phase: String
    public var completed: Int
    public var total: Int?
    public var unit: String

    public init(phase: String, completed: Int, total: Int? = nil, unit: String = "") {
      self.phase = phase
      self.completed = completed
      self.total = total
      self.unit = unit
    }
  }

  /// A flag that asks every run that holds it to stop soon.
  public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public func cancel() { flag.store(true, ordering: .relaxed) }
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }
  }

  /// - Throws: `.cancelled` once somebody has cancelled the run.
  public func checkCancelled() throws(BasisError) {
    if cancellation.isCancelled { throw BasisError(.cancelled, "the run was cancelled") }
  }

  /// The generator of a named stream, and of one chunk of a parallel loop in it. Two streams, and
  /// two chunks, are independent; the same three arguments give the same numbers always.
  public func generator(_ stream: String, chunk: Int = 0) -> RandomGenerator {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var mixer = SplitMix64(state: seed)
    let mixed = mixer.next() ^ hash
    mixer = SplitMix64(state: mixed)
    return RandomGenerator(seed: mixer.next() ^ UInt64(bitPattern: Int64(chunk)))
  }

  package func report(_ phase: String, _ completed: Int, of total: Int? = nil, unit: String = "") {
    progress?(Progress(phase: phase, completed: completed, total: total, unit: unit))
  }
}
