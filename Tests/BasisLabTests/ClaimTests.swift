import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisLab

@Suite struct ClaimTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// A claim whose numbers are what its knobs say.
  struct Coin: Claim {
    static let statement = ClaimStatement(
      id: 7, title: "heads is heads", paper: "", baseline: "tails", data: "a seeded draw",
      accepts: .labeledRows, seedCount: 8, breaking: "`shift` below zero")

    var shift = 1.0
    var spread = 0.1
    var isLost = false

    static var miniature: Coin { Coin() }

    var broken: Coin {
      var copy = self
      copy.shift = -1
      return copy
    }

    var expectations: [ClaimExpectation] {
      [
        .init("shift", "the shift", reported: 1, .above(0)),
        .reported("near", "the same", 1, within: 0.5),
        .init("low", "its negative", .below(0)),
        .init("shown", "only shown"),
      ]
    }

    func measure(_ data: ClaimData?, in run: RunContext) throws(BasisError) -> [String: Double] {
      var generator = run.generator("coin")
      let value = shift + spread * generator.nextGaussian()
      if isLost { return ["near": value, "low": -value, "shown": 1] }
      return ["shift": value, "near": value, "low": -value, "shown": 1]
    }
  }

  @Test func `intervals decide, both ways`() throws {
    let run = RunContext(seed: 3)
    let held = try Coin().run(in: run)
    #expect(held.verdict == .pass && !held.isBroken && held.seeds == Array(3..<11))
    #expect(held.numbers.map(\.verdict) == [.pass, .pass, .pass, nil])
    let broken = try Coin().broken.run(in: run)
    #expect(broken.verdict == .fail && broken.isBroken)
    #expect(broken.numbers.map(\.verdict) == [.fail, .fail, .fail, nil])

    var wide = Coin()
    (wide.shift, wide.spread) = (0.1, 1)
    #expect(try wide.run(in: run).verdict == .inconclusive)
    // Far more seeds may decide what eight do not.
    wide.shift = 0.7
    #expect(try wide.run(in: run, seedCount: 400).numbers[0].verdict == .pass)
    // A single seed has no interval, and a number that is missing holds no rule.
    let single = try Coin().run(in: run, seedCount: 1)
    #expect(single.verdict == .inconclusive && single.numbers[0].interval == nil)
    var lost = Coin()
    lost.isLost = true
    #expect(try lost.run(in: run).numbers[0].verdict == .fail)
  }

  @Test func `rules at their edges`() {
    typealias Rule = ClaimExpectation.Rule
    #expect(Rule.above(0).verdict(0...0) == .fail)
    #expect(Rule.above(0).verdict(0...1) == .inconclusive)
    #expect(Rule.above(0).verdict(0.1...1) == .pass)
    #expect(Rule.below(0).verdict(0...1) == .fail)
    #expect(Rule.below(0).verdict(-1...(-0.1)) == .pass)
    #expect(Rule.within(0...1).verdict(0...1) == .pass)
    #expect(Rule.within(0...1).verdict(-0.1...0.5) == .inconclusive)
    #expect(Rule.within(0...1).verdict(1.1...2) == .fail)
    #expect(Rule.above(0).verdict(nil) == .inconclusive)
  }

  @Test func `an interval is Student's`() throws {
    let interval = try #require(ClaimNumber.interval(of: [1, 2, 3, 4, 5]))
    // 3 ± 2.776445 · √(2.5 / 5).
    #expect(abs(interval.lowerBound - (3 - 1.963243)) < 1e-6)
    #expect(abs(interval.upperBound - (3 + 1.963243)) < 1e-6)
    #expect(ClaimNumber.interval(of: [1]) == nil && ClaimNumber.interval(of: [1, .nan]) == nil)
    #expect(ClaimNumber.interval(of: [2, 2, 2]) == 2...2)
  }

  @Test func `threads change nothing, and a configuration is what was run`() throws {
    let one = try Coin().run(in: RunContext(seed: 1, threadLimit: 1))
    for threads in [2, 7] {
      let other = try Coin().run(in: RunContext(seed: 1, threadLimit: threads))
      #expect(other.numbers == one.numbers && other.configuration == one.configuration)
    }
    #expect(try Coin().broken.run(in: RunContext(seed: 1)).configuration != one.configuration)
    #expect(try Coin().run(in: RunContext(seed: 2)).configuration != one.configuration)
    #expect(one.configuration.count == 16)
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try Coin().run(in: cancelled) }
    expectError(.invalidArgument, "claim 7", "0 seeds") {
      try Coin().run(in: RunContext(), seedCount: 0)
    }
  }

  @Test func `a person's data keep the order, not the reported numbers`() throws {
    let rows = gaussianMatrix(rowCount: 4, columnCount: 2, seed: 1)
    let data = try ClaimData(rows, labels: [0, 1, 0, 1], name: "mine.npy")
    let result = try Coin().run(in: RunContext(), data: data)
    #expect(result.data == "mine.npy")
    #expect(result.numbers.map(\.verdict) == [.pass, nil, .pass, nil])
    expectError(.invalidArgument, "give --labels") {
      try Coin().run(in: RunContext(), data: ClaimData(rows))
    }
    expectError(.dimensionMismatch, "2 labels for 4 rows") { try ClaimData(rows, labels: [0, 1]) }
    var broken = rows
    broken[2, 1] = .nan
    expectError(.badData, "mine.npy", "row 2", "column 1") {
      try ClaimData(broken, name: "mine.npy")
    }
  }

  // MARK: The catalogue

  @Test func `every claim is whole`() {
    let ids = ClaimCatalogue.claims.map { type(of: $0).statement.id }
    #expect(ids == ids.sorted() && Set(ids).count == ids.count)
    for claim in ClaimCatalogue.claims {
      let statement = type(of: claim).statement
      let texts = [
        statement.title, statement.paper, statement.baseline, statement.data, statement.breaking,
      ]
      #expect(texts.allSatisfy { $0.count > 5 && !$0.hasSuffix(".") }, "\(statement.id)")
      #expect(statement.seedCount >= 2, "\(statement.id)")
      let names = claim.expectations.map(\.name)
      #expect(Set(names).count == names.count, "\(statement.id)")
      #expect(claim.expectations.contains { $0.rule != nil }, "\(statement.id)")
      #expect(!claim.isBroken && Self.turned(claim).isBroken, "\(statement.id)")
    }
    #expect(ClaimCatalogue.find(100_000) == nil)
    expectError(.invalidArgument, "no claim 5", "186") { try ClaimCatalogue.claim(5) }
  }

  private static func turned(_ claim: some Claim) -> any Claim { claim.broken }

  @Test func `methods and claims know each other`() {
    let papers = Set(MethodCatalogue.methods.compactMap(\.id))
    let claimed = Set(ClaimCatalogue.claims.map { type(of: $0).statement.id })
    #expect(claimed.subtracting(papers) == [], "claims of papers that no method is of")
    #expect(
      papers.subtracting(claimed) == ClaimCatalogue.unclaimed, "a claim, or a line in unclaimed")
  }

  @Test func `the ledger is of the claims as they are`() throws {
    let ledger = try ClaimLedger(
      contentsOf: Self.root.appendingPathComponent("Claims/ledger.json").path)
    #expect(
      ledger.entries.map(\.id) == ClaimCatalogue.claims.map { type(of: $0).statement.id },
      "run make claims")
    for claim in ClaimCatalogue.claims {
      let statement = type(of: claim).statement
      let entry = try #require(ledger[statement.id])
      #expect(entry.seedCount == statement.seedCount, "\(statement.id): run make claims")
      let seeds = (0..<statement.seedCount).map { UInt64($0) }
      #expect(
        entry.configuration == claim.configuration(seeds: seeds), "\(statement.id): run make claims"
      )
      #expect(entry.numbers.map(\.name) == claim.expectations.map(\.name), "\(statement.id)")
      let verdicts = entry.numbers.compactMap(\.verdict)
      #expect((entry.verdict == .pass) == verdicts.allSatisfy { $0 == .pass }, "\(statement.id)")
    }
    let page = try String(
      contentsOf: Self.root.appendingPathComponent("Claims/README.md"), encoding: .utf8)
    #expect(page == ClaimReport(ledger).markdown, "run make claims")
  }

  @Test func `a ledger comes back, and what is none is one error`() throws {
    let folder = try TemporaryFolder()
    var ledger = ClaimLedger()
    ledger.record(try Coin().run(in: RunContext()), commit: "abc")
    var lost = Coin()
    lost.isLost = true
    ledger.record(try lost.run(in: RunContext()), commit: "def")
    #expect(ledger.entries.count == 1 && ledger[7]?.commit == "def")
    #expect(ledger[7]?.numbers[0].mean == nil && ledger[7]?.numbers[0].verdict == .fail)
    let path = try folder.write("ledger.json", ledger.json.serialized(pretty: true))
    #expect(try ClaimLedger(contentsOf: path) == ledger)
    expectError(.notFound, "basis lab run") { try ClaimLedger(contentsOf: folder.path + "/none") }
    for text in ["", "[]", #"{"claims": 3}"#, #"{"claims": [{"id": 3}]}"#] {
      let path = try folder.write("wrong.json", text)
      expectError(.badData, path) { try ClaimLedger(contentsOf: path) }
    }
  }
}
