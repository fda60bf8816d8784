public import BasisCore
import BasisNumerics
import Dispatch
import Foundation
import Synchronization

/// One number of a claim, over the seeds.
public struct ClaimNumber: Sendable, Hashable, Codable {
  public var name: String
  public var meaning: String
  /// Of the paper or the method's description; nil for none, and for a person's data.
  public var reported: Double?
  public var rule: ClaimExpectation.Rule?
  /// One a seed; NaN where a repetition had none.
  public var values: [Double]
  /// Of the values.
  public var mean: Double
  /// Where the mean of all seeds would lie, at 95 %, by Student's *t*; nil for one seed.
  public var interval: ClosedRange<Double>?
  /// Nil without a rule.
  public var verdict: Verdict?

  init(_ expectation: ClaimExpectation, values: [Double], isOwnData: Bool) {
    name = expectation.name
    meaning = expectation.meaning
    reported = isOwnData ? expectation.reported : nil
    rule = isOwnData || !expectation.isOfOwnData ? expectation.rule : nil
    self.values = values
    mean = Statistics.mean(values)
    interval = Self.interval(of: values)
    // What cannot be measured is no evidence for a claim.
    verdict = rule.map { values.allSatisfy(\.isFinite) ? $0.verdict(interval) : .fail }
  }

  /// 95 % around the mean: few seeds are too few for resampling, which would be far too sure.
  static func interval(of values: [Double]) -> ClosedRange<Double>? {
    guard values.count > 1, values.allSatisfy(\.isFinite) else { return nil }
    let moments = Moments(values)
    let half =
      moments.standardDeviation / Double(values.count).squareRoot()
      * StudentDistribution(degreesOfFreedom: Double(values.count - 1))
      .criticalValue(confidence: 0.95)
    return moments.mean - half...moments.mean + half
  }

  /// Four significant digits, as short as they go.
  public static func text(_ value: Double) -> String {
    guard value.isFinite else { return "none" }
    return String(format: "%.4g", value == 0 ? 0 : value)
  }
}

/// What running a claim found.
public struct ClaimResult: Sendable, Hashable, Codable {
  /// The paper's number.
  public var id: Int
  /// `fail` if any rule is broken, else `inconclusive` if any is open, else `pass`.
  public var verdict: Verdict
  public var numbers: [ClaimNumber]
  public var seeds: [UInt64]
  /// On the clock.
  public var seconds: Double
  /// What was run: the same on every machine, and another for other settings or seeds.
  public var configuration: String
  /// Whether this is the variant that must fail.
  public var isBroken: Bool
  /// Where the rows came from.
  public var data: String
}

extension Claim {
  /// Whether a knob has been turned so that the claim must fail.
  public var isBroken: Bool { self == broken }

  /// The settings, the claim and the seeds in sixteen hexadecimal digits.
  ///
  /// - Parameter seeds: that it is run with.
  public func configuration(seeds: [UInt64]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let settings = (try? encoder.encode(self)) ?? Data()
    let rules = (try? encoder.encode(expectations)) ?? Data()
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    let text = "\(Self.statement.id) \(seeds) "
    for byte in Array(text.utf8) + settings + rules {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Measures the claim with several seeds and decides.
  ///
  /// Seeds are `run.seed` and those after it; the numbers do not depend on the threads.
  ///
  /// - Parameters:
  ///   - run: the first seed, threads, cancellation and progress.
  ///   - data: a person's own; nil for the claim's.
  ///   - seedCount: repetitions, at least 1; nil for the claim's own number. One decides nothing
  ///     that has a rule.
  /// - Throws: `.invalidArgument` for data of a form that the claim does not take, or no seeds; what
  ///   ``measure(_:in:)`` throws; `.cancelled`.
  public func run(
    in run: RunContext, data: ClaimData? = nil, seedCount: Int? = nil
  ) throws(BasisError) -> ClaimResult {
    let statement = Self.statement
    let count = seedCount ?? statement.seedCount
    guard count >= 1 else {
      throw BasisError(.invalidArgument, "claim \(statement.id): \(count) seeds; give at least 1")
    }
    try checkForm(of: data)
    try run.checkCancelled()
    let start = DispatchTime.now().uptimeNanoseconds
    let seeds = (0..<count).map { run.seed &+ UInt64($0) }
    run.report("claim \(statement.id)", 0, of: count, unit: "seeds")
    let done = Counter()
    let share = max(1, run.threadLimit / count)
    let found = try parallelMap(count, grain: 1, in: run) {
      (index, _) throws(BasisError) -> [String: Double] in
      let inner = RunContext(
        seed: seeds[index], threadLimit: share, cancellation: run.cancellation)
      let numbers = try measure(data, in: inner)
      run.report("claim \(statement.id)", done.next(), of: count, unit: "seeds")
      return numbers
    }
    let numbers = expectations.map { expectation in
      ClaimNumber(
        expectation, values: found.map { $0[expectation.name] ?? .nan }, isOwnData: data == nil)
    }
    let verdicts = numbers.compactMap(\.verdict)
    let verdict: Verdict =
      verdicts.contains(.fail)
      ? .fail : verdicts.isEmpty || verdicts.contains(.inconclusive) ? .inconclusive : .pass
    return ClaimResult(
      id: statement.id, verdict: verdict, numbers: numbers, seeds: seeds,
      seconds: Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9,
      configuration: configuration(seeds: seeds), isBroken: isBroken,
      data: data?.name ?? statement.data)
  }

  private func checkForm(of data: ClaimData?) throws(BasisError) {
    guard let data else { return }
    let id = Self.statement.id
    guard let form = Self.statement.accepts else {
      throw BasisError(
        .invalidArgument, "claim \(id) makes its own data and takes none; leave --data out")
    }
    guard form == .rows || data.labels != nil else {
      throw BasisError(
        .invalidArgument, "claim \(id) takes rows and a class of each; give --labels with --data")
    }
  }
}

/// How many seeds are through, from any thread.
private final class Counter: Sendable {
  private let count = Mutex(0)

  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}
