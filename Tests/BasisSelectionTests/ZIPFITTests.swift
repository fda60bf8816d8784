import BasisCore
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisSelection

@Suite struct ZIPFITTests {
  private struct Fixture: Decodable {
    var texts: [String]
    var alone: [Int]
    var both: [[Int]]
    var targets: [Int]
    var alignments: [Double]
  }

  @Test func `lengths, distances and alignments are those of Python's gzip`() throws {
    let one = try fixture("zip_fit", Fixture.self)
    let length = try GzipLength(level: 9)
    let distance = try CompressionDistance()
    for (a, first) in one.texts.enumerated() {
      let bytes = Array(first.utf8)
      // Versions of zlib differ by a byte or two.
      #expect(abs(length(bytes) - one.alone[a]) <= 2)
      for (b, second) in one.texts.enumerated() {
        #expect(abs(length(bytes, Array(second.utf8)) - one.both[a][b]) <= 2)
        let (x, y) = (one.alone[a], one.alone[b])
        let wanted = Double(one.both[a][b] - min(x, y)) / Double(max(x, y))
        #expect(abs(try distance(first, second) - wanted) <= 6 / Double(max(x, y)))
      }
    }
    let targets = one.targets.map { one.texts[$0] }
    for threads in [1, 3] {
      let found = try distance.alignments(
        of: one.texts, with: targets, in: RunContext(threadLimit: threads))
      #expect(zip(found, one.alignments).allSatisfy { abs($0 - $1) < 0.06 })
      // With one version of zlib the same.
      if zip(one.texts, one.alone).allSatisfy({ length(Array($0.utf8)) == $1 }) {
        #expect(zip(found, one.alignments).allSatisfy { abs($0 - $1) < 1e-12 })
      }
    }
  }

  /// Nothing that a pool of texts shares but its kind.
  private func text(_ kind: Int, _ generator: inout RandomGenerator) -> String {
    func word() -> String {
      String(
        (0..<3 + generator.nextInt(below: 5)).map { _ in
          Character(UnicodeScalar(UInt8(97 + generator.nextInt(below: 26))))
        })
    }
    switch kind {
    case 0:
      return
        "def \(word())(self):\n    for \(word()) in range(len(self)):\n        return \(word())\n"
    case 1: return (0..<16).map { _ in word() }.joined(separator: " ")
    default:
      return "{\"id\": \(generator.nextInt(below: 999)), \"name\": \"\(word())\", \"tags\": []}"
    }
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `texts of the kind of the targets are kept`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let texts = (0..<90).map { text($0 % 3, &generator) }
    for kind in [0, 2] {
      let targets = (0..<8).map { _ in text(kind, &generator) }
      let found = try ZIPFIT(count: 30).select(
        TextPools(texts, targets: targets), in: RunContext())
      #expect(found.indices.count { $0 % 3 == kind } >= 29)
      #expect(found.values == found.values.sorted(by: >) && found.values.count == 30)
      #expect(found.groups.first?.keptCount == 30)
    }
  }

  @Test func `what it cannot rank is an error, and the odd is told`() throws {
    for level in [-1, 0, 10] {
      expectError(.invalidArgument, "1 to 9", "\(level)") { try CompressionDistance(level: level) }
    }
    let pools = try TextPools(
      ["b", "b", "", String(repeating: "long ", count: 9000)], targets: ["b"])
    expectError(.invalidArgument, "at least 1") {
      try ZIPFIT(count: 0).select(pools, in: RunContext())
    }
    expectError(.invalidArgument, "target") { try TextPools(["a"], targets: []) }
    expectError(.invalidArgument, "target") {
      try CompressionDistance().alignments(of: ["a"], with: [], in: RunContext())
    }
    let found = try ZIPFIT().select(pools, in: RunContext())
    #expect(found.indices == [0, 1, 2, 3])
    #expect(found.warnings.count == 2)
    #expect(try ZIPFIT().select(TextPools([], targets: ["b"]), in: RunContext()).indices == [])
    let entry = try SelectionCatalogue.entry(named: "zipfit")
    expectError(.invalidArgument, "texts and target texts", "1 of texts") {
      try entry.run(MethodParts(texts: [["a"]]))
    }
    expectError(.invalidArgument, "texts and target texts", "1 of numbers") {
      try entry.run(MethodParts([Matrix(rowCount: 1, columnCount: 1)], texts: [["a"], ["b"]]))
    }
    for fraction in [0, -0.1, 1.5, .nan] {
      expectError(.invalidArgument, "share", "\(fraction)") {
        try ZIPFIT(fraction: fraction).select(pools, in: RunContext())
      }
    }
    #expect(try ZIPFIT(fraction: 0.5).select(pools, in: RunContext()).indices.count == 2)
    #expect(try ZIPFIT(fraction: 0.01).select(pools, in: RunContext()).indices == [0])
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try ZIPFIT().select(pools, in: cancelled) }
    #expect(
      try JSONDecoder().decode(ZIPFIT.self, from: Data(#"{"count": 7}"#.utf8)) == ZIPFIT(count: 7))
  }
}
