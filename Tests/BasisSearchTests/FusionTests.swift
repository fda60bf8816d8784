import BasisCore
import BasisSearch
import Foundation
import Testing
import _BasisTestSupport

@Suite struct FusionTests {
  private func ranking(_ ids: Int...) -> [Neighbor] {
    ids.enumerated().map { Neighbor(id: $1, distance: Float($0)) }
  }

  @Test func `scores are sums of reciprocal ranks`() throws {
    let hits = try Fusion().fuse([ranking(1, 2), ranking(3, 2, 1)], weights: [1, 0.5], k: 9)
    #expect(hits.map(\.id) == [1, 2, 3])
    #expect(hits.map(\.ranks) == [[1, 3], [2, 2], [nil, 1]])
    #expect(abs(hits[0].score - (1 / 61.0 + 0.5 / 63)) < 1e-15)
    #expect(abs(hits[1].score - (1 / 62.0 + 0.5 / 62)) < 1e-15)
    #expect(abs(hits[2].score - 0.5 / 61) < 1e-15)
    #expect(hits[0].neighbor.distance == -Float(hits[0].score))
  }

  @Test(arguments: 0..<20) func `fused rankings keep what all agree on`(seed: UInt64) throws {
    var generator = RandomGenerator(seed: seed)
    let rankings = (0..<3).map { _ in
      var ids = Array(0..<30)
      generator.shuffle(&ids)
      return ids.prefix(10 + generator.nextInt(below: 20)).enumerated()
        .map { Neighbor(id: $1, distance: Float($0)) }
    }
    let hits = try Fusion().fuse(rankings, k: 100)
    #expect(Set(hits.map(\.id)) == Set(rankings.flatMap { $0.map(\.id) }))
    for (a, b) in zip(hits, hits.dropFirst()) {
      #expect(a.score > b.score || a.score == b.score && a.id < b.id)
    }
    // Whoever is ahead in every ranking is ahead in the end.
    for a in hits {
      for b in hits where a.id != b.id {
        let isAhead = zip(a.ranks, b.ranks).allSatisfy { ($0 ?? .max) < ($1 ?? .max) }
        if isAhead { #expect(a.score > b.score) }
      }
    }
    #expect(try Fusion().fuse([rankings[0]], k: 100).map(\.id) == rankings[0].map(\.id))
    #expect(
      try Fusion().fuse(rankings.reversed(), k: 100).map(\.id).sorted() == hits.map(\.id).sorted())
    #expect(try Fusion().fuse(rankings, k: 4) == Array(hits.prefix(4)))
    let alone = try Fusion().fuse(rankings, weights: [0, 2, 0], k: 100)
    #expect(alone.map(\.id) == rankings[1].map(\.id))
  }

  @Test func `a hybrid's scores are shares of the best`() throws {
    func neighbors(_ pairs: (Int, Float)...) -> [Neighbor] {
      pairs.map { Neighbor(id: $0.0, distance: $0.1) }
    }
    let lexical = neighbors((1, -8), (2, -4), (3, -2))
    let dense = neighbors((3, 0.2), (1, 0.6), (4, 1.2))
    let hits = try HybridFusion(lexicalWeight: 0.75)
      .fuse(lexical: lexical, dense: dense, metric: .cosine, k: 9)
    #expect(hits.map(\.id) == [1, 3, 2, 4])
    #expect(hits.map(\.ranks) == [[1, 2], [3, 1], [2, nil], [nil, 3]])
    for (hit, expected) in zip(hits, [0.875, 0.4375, 0.375, 0]) {
      #expect(abs(hit.score - expected) < 1e-6)
    }
    #expect(
      try HybridFusion(lexicalWeight: 1).fuse(
        lexical: lexical, dense: dense, metric: .cosine, k: 9
      ).map(\.id) == [1, 2, 3])
    #expect(
      try HybridFusion(lexicalWeight: 0).fuse(
        lexical: lexical, dense: dense, metric: .squaredEuclidean, k: 9
      ).map(\.id) == [3, 1, 4])
    // Scores of one ranking times a constant change nothing.
    let louder = lexical.map { Neighbor(id: $0.id, distance: 16 * $0.distance) }
    #expect(
      try HybridFusion(lexicalWeight: 0.75)
        .fuse(lexical: louder, dense: dense, metric: .cosine, k: 9) == hits)
    #expect(try HybridFusion().fuse(lexical: [], dense: [], metric: .cosine, k: 3) == [])
    expectError(.invalidArgument, "ranking 1 has row 5 twice") {
      try HybridFusion().fuse(
        lexical: [], dense: neighbors((5, 0), (5, 0)), metric: .innerProduct, k: 3)
    }
    let decoder = JSONDecoder()
    #expect(try decoder.decode(HybridFusion.self, from: Data("{}".utf8)) == HybridFusion())
    #expect(try decoder.decode(Fusion.self, from: Data("{}".utf8)) == Fusion())
  }

  @Test func `ties go to the smaller id`() throws {
    #expect(try Fusion().fuse([ranking(9), ranking(4)], k: 2).map(\.id) == [4, 9])
    #expect(try Fusion().fuse([], k: 2) == [])
    #expect(try Fusion().fuse([[], []], k: 2) == [])
    #expect(try Fusion().fuse([ranking(1)], k: 0) == [])
  }

  @Test func `what does not fit is an error`() {
    expectError(.invalidArgument, "got -1") { try Fusion().fuse([], k: -1) }
    expectError(.dimensionMismatch, "1 rankings", "got 2") {
      try Fusion().fuse([ranking(1)], weights: [1, 2], k: 1)
    }
    expectError(.invalidArgument, "weight 0 is nan") {
      try Fusion().fuse([ranking(1)], weights: [.nan], k: 1)
    }
    expectError(.invalidArgument, "ranking 0 has row 3 twice") {
      try Fusion().fuse([ranking(3, 3)], k: 1)
    }
  }
}
