import BasisCore
import BasisFormats
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisClustering

@Suite struct KMedoidsTests {
  // MARK: The authors' package

  struct Fixture: Decodable {
    struct Result: Decodable {
      var loss: Double
      var medoids: [Int]
      var labels: [Int]
      var iterations: Int
      var swaps: Int
    }

    struct Case: Decodable {
      var name: String
      var count: Int
      var triangle: [Float]
      var start: [Int]
      var adjustedRand: Double
      var silhouette: Double
      var medoidSilhouette: Double
      var results: [String: Result]
    }

    struct Digits: Decodable {
      var k: Int
      var build: Double
      var fastpam1: Double
      var fastpam1Swaps: Int
      var fasterpam: Double
      var fasterpamSwaps: Int
      var fasterpamIterations: Int
    }

    var cases: [Case]
    var digits: [Digits]
    var tolerance: Double
  }

  private static func fixture() throws -> Fixture {
    let url = try #require(
      Bundle.module.url(
        forResource: "kmedoids", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  @Test func `the same start gives the steps of the authors' package`() throws {
    let fixture = try Self.fixture()
    for one in fixture.cases {
      let all = try Dissimilarities(lowerTriangle: one.triangle)
      for variant in KMedoids.Variant.allCases {
        let wanted = try #require(one.results[variant.rawValue])
        let found = try KMedoids(
          clusterCount: one.start.count, variant: variant, startMedoids: one.start
        ).fit(.dissimilarities(all))
        let note = Comment(rawValue: "\(one.name) \(variant)")
        #expect(found.medoids == wanted.medoids, note)
        #expect(found.assignments == wanted.labels, note)
        #expect(abs(found.loss - wanted.loss) <= fixture.tolerance * wanted.loss, note)
        #expect(found.iterationCount == wanted.iterations, note)
        if variant != .alternating { #expect(found.swapCount == wanted.swaps, note) }
        guard variant == .fasterPAM else { continue }
        let silhouette = try Silhouette(all, found.assignments, clusterCount: found.clusterCount)
        #expect(abs(silhouette.mean - one.silhouette) < 1e-6, note)
        let others = try #require(one.results["alternating"]).labels
        #expect(abs(try found.adjustedRandIndex(with: others) - one.adjustedRand) < 1e-9, note)
        #expect(try found.adjustedRandIndex(with: found.assignments.map { 7 - $0 }) == 1, note)
        expectError(.dimensionMismatch, "1 labels") { try found.adjustedRandIndex(with: [0]) }
        #expect(abs(found.medoidSilhouette - one.medoidSilhouette) < 1e-6, note)
      }
      let build = try #require(one.results["build"])
      let start = try MedoidStart.build.medoids(
        one.start.count, DissimilarityReader(all), in: RunContext())
      #expect(start == build.medoids, "\(one.name)")
    }
  }

  @Test func `the smallest example of the card`() throws {
    let all = try Dissimilarities(lowerTriangle: [1, 2, 3, 4, 5, 6, 7, 8, 9, 1])
    let eager = try KMedoids(clusterCount: 2, startMedoids: [0, 1]).fit(.dissimilarities(all))
    #expect(eager.loss == 4 && eager.medoids == [0, 3])
    #expect(eager.assignments == [0, 0, 0, 1, 1])
    #expect(eager.iterationCount == 2 && eager.swapCount == 2)
    let best = try KMedoids(clusterCount: 2, variant: .fastPAM1, startMedoids: [0, 1])
      .fit(.dissimilarities(all))
    #expect(best.loss == 4 && best.swapCount == 1)
  }

  @Test func `digits cost what they cost in the authors' package`() throws {
    let fixture = try Self.fixture()
    let all = try Dissimilarities(ofAll: digits(), by: .euclidean, in: RunContext())
    let reader = DissimilarityReader(all)
    for one in fixture.digits {
      func near(_ found: Double, _ wanted: Double, _ what: String) {
        #expect(
          abs(found - wanted) <= fixture.tolerance * wanted, "k \(one.k), \(what): \(found)")
      }
      let start = try MedoidStart.build.medoids(one.k, reader, in: RunContext())
      near(loss(all, start), one.build, "build")
      let eager = try KMedoids(clusterCount: one.k, startMedoids: start)
        .fit(.dissimilarities(all))
      near(eager.loss, one.fasterpam, "fasterpam")
      #expect(eager.swapCount == one.fasterpamSwaps && eager.isConverged)
      #expect(eager.iterationCount == one.fasterpamIterations)
      // The larger ones take this long in a debug build only.
      guard one.k == 10 else { continue }
      let best = try KMedoids(clusterCount: one.k, variant: .fastPAM1, startMedoids: start)
        .fit(.dissimilarities(all))
      near(best.loss, one.fastpam1, "fastpam1")
      #expect(best.swapCount == one.fastpam1Swaps)
      let rows = try KMedoids(clusterCount: one.k, start: .build).fit(.rows(digits()))
      #expect(rows.medoids == eager.medoids && rows.loss == eager.loss)
    }
  }

  // MARK: Gains and swaps

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `FastPAM1 makes the swaps of PAM`(seed: UInt64) throws {
    let all = try randomDissimilarities(60, seed: seed)
    let k = 2 + Int(seed % 9)
    let start = try MedoidStart.random.medoids(
      k, DissimilarityReader(all), in: RunContext(seed: seed))
    // Pass by pass, so that the sequences are compared.
    let naive = NaivePAM.passes(all, start)
    for (passes, medoids) in naive.enumerated() {
      let fast = try KMedoids(
        clusterCount: k, variant: .fastPAM1, startMedoids: start, maxIterations: passes
      ).fit(.dissimilarities(all))
      #expect(fast.medoids == medoids)
      #expect(!fast.isConverged)
    }
    let end = try KMedoids(clusterCount: k, variant: .fastPAM1, startMedoids: start)
      .fit(.dissimilarities(all))
    #expect(end.medoids == naive.last && end.swapCount == naive.count - 1)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `three ways to the gains agree`(seed: UInt64) throws {
    let (n, k) = (40, 2 + Int(seed))
    let all = try randomDissimilarities(n, seed: seed)
    let reader = DissimilarityReader(all)
    let medoids = try MedoidStart.random.medoids(k, reader, in: RunContext(seed: seed))
    let state = SwapState(reader, medoids: medoids)
    let scratch = SwapScratch(count: n, clusterCount: k)
    let before = loss(all, medoids)
    for candidate in 0..<n where !medoids.contains(candidate) {
      let shared = state.gains(of: candidate, scratch)
      let conference = NaivePAM.conferenceGains(all, medoids, candidate)
      for slot in 0..<k {
        var changed = medoids
        changed[slot] = candidate
        let truth = loss(all, changed) - before
        #expect(abs(shared + scratch.gains[slot] - truth) < 1e-9)
        #expect(abs(conference[slot] - truth) < 1e-9)
      }
      let (fast, slow) = (
        state.bestSwap(candidate, scratch), state.bestSwapOneByOne(candidate, scratch)
      )
      #expect(abs(fast.change - slow.change) < 1e-9)
      if fast.change < -1e-9 { #expect(fast.slot == slow.slot) }
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `what is kept is what a fresh start finds, and the loss falls`(seed: UInt64) throws {
    let n = 90
    // Small whole numbers: ties and things at distance 0 everywhere.
    var generator = RandomGenerator(seed: seed)
    let rows = Matrix(rowCount: n, columnCount: 2) { out in
      for index in out.indices { out[index] = Float(generator.nextInt(below: 5)) }
    }
    let all = try Dissimilarities(comparing: rows, by: .euclidean)
    let reader = DissimilarityReader(all)
    let k = 3 + Int(seed % 8)
    let start = try MedoidStart.random.medoids(k, reader, in: RunContext(seed: seed))
    let state = SwapState(reader, medoids: start)
    let scratch = SwapScratch(count: n, clusterCount: k)
    var swaps = 0
    for candidate in Array(0..<n) + Array(0..<n) where !state.isMedoid(candidate) {
      let swap = state.bestSwap(candidate, scratch)
      guard swap.change < 0 else { continue }
      let before = state.loss
      state.make(swap)
      swaps += 1
      #expect(state.loss < before)
      #expect(abs(state.loss - before - swap.change) < 1e-3)
      #expect(state.inconsistency == nil, "\(state.inconsistency ?? "")")
      #expect(Set(state.medoids).count == k)
      #expect(state.medoids.indices.allSatisfy { state.assignments[state.medoids[$0]] == $0 })
    }
    #expect(swaps > 0)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `the order of things changes nothing for FastPAM1`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 80, columnCount: 5, seed: seed)
    var order = Array(0..<80)
    var generator = RandomGenerator(seed: seed)
    generator.shuffle(&order)
    let settings = KMedoids(clusterCount: 6, variant: .fastPAM1, start: .build)
    let plain = try settings.fit(.rows(rows))
    let shuffled = try settings.fit(.rows(rows.selecting(rows: order)))
    #expect(Set(shuffled.medoids.map { order[$0] }) == Set(plain.medoids))
    #expect(abs(shuffled.loss - plain.loss) < 1e-6 * plain.loss)
  }

  @Test(arguments: MedoidStart.allCases, 0..<3 as Range<UInt64>)
  func `the answer is the same however pairs are kept, and at any number of threads`(
    start: MedoidStart, seed: UInt64
  ) throws {
    let rows = gaussianMatrix(rowCount: 150, columnCount: 7, seed: seed)
    for metric in DissimilarityMetric.allCases {
      var settings = KMedoids(clusterCount: 9, start: start, metric: metric)
      settings.isShuffled = seed == 1
      let run = RunContext(seed: seed, threadLimit: 1)
      let plain = try settings.fit(.rows(rows), in: run)
      let lazy = try Dissimilarities(comparing: rows, by: metric)
      let packed = try Dissimilarities(
        lowerTriangle: (0..<150).flatMap { row in (0..<row).map { lazy[row, $0] } })
      for (name, all) in [("lazy", lazy), ("packed", packed)] {
        let other = try settings.fit(.dissimilarities(all), in: run)
        #expect(other.medoids == plain.medoids, "\(name) \(metric)")
        #expect(other.loss == plain.loss, "\(name) \(metric)")
      }
      let threads = try settings.fit(.rows(rows), in: RunContext(seed: seed, threadLimit: 3))
      #expect(threads.medoids == plain.medoids && threads.loss == plain.loss)
      #expect(try plain.assign(rows) == plain.assignments)
    }
  }

  @Test func `looking ahead with threads finds what one finds`() throws {
    // Enough things for blocks in parallel.
    let rows = gaussianMatrix(rowCount: 1100, columnCount: 3, seed: 4)
    for variant in [KMedoids.Variant.fasterPAM, .alternating] {
      let settings = KMedoids(clusterCount: 40, variant: variant)
      let one = try settings.fit(.rows(rows), in: RunContext(seed: 1, threadLimit: 1))
      let many = try settings.fit(.rows(rows), in: RunContext(seed: 1, threadLimit: 4))
      #expect(one.medoids == many.medoids && one.swapCount == many.swapCount)
      #expect(one.iterationCount == many.iterationCount)
    }
  }

  // MARK: Starts

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `LAB starts between BUILD and random, and ends as well`(seed: UInt64) throws {
    let rows = blobs(600, centers: 25, dimension: 4, seed: seed)
    let all = try Dissimilarities(ofAll: rows, by: .euclidean, in: RunContext())
    let reader = DissimilarityReader(all)
    var starts: [MedoidStart: Double] = [:]
    var ends: [MedoidStart: Double] = [:]
    for start in MedoidStart.allCases {
      let medoids = try start.medoids(20, reader, in: RunContext(seed: seed))
      #expect(Set(medoids).count == 20)
      starts[start] = loss(all, medoids)
      ends[start] = try KMedoids(clusterCount: 20, startMedoids: medoids)
        .fit(.dissimilarities(all)).loss
    }
    let (build, lab, random) = (
      try #require(starts[.build]), try #require(starts[.lab]), try #require(starts[.random])
    )
    #expect(build <= lab && lab < random, "\(build) \(lab) \(random)")
    #expect(try #require(ends[.lab]) <= lab)
  }

  @Test func `BUILD is the greedy choice, seen in full`() throws {
    for seed in 0..<5 as Range<UInt64> {
      let all = try randomDissimilarities(70, seed: seed)
      let table = table(all)
      var chosen: [Int] = []
      for _ in 0..<12 {
        var best = (item: -1, loss: Double.infinity)
        for item in 0..<70 where !chosen.contains(item) {
          let own = table.reduce(0.0) { sum, row in
            sum + (chosen + [item]).reduce(.infinity) { min($0, row[$1]) }
          }
          if own < best.loss - 1e-9 { best = (item, own) }
        }
        chosen.append(best.item)
      }
      let found = try MedoidStart.build.medoids(12, DissimilarityReader(all), in: RunContext())
      #expect(found == chosen)
    }
  }

  // MARK: Edges

  @Test func `one group, as many as things, and things that are equal`() throws {
    let rows = gaussianMatrix(rowCount: 30, columnCount: 4, seed: 1)
    let all = try Dissimilarities(comparing: rows, by: .euclidean)
    for variant in KMedoids.Variant.allCases {
      let one = try KMedoids(clusterCount: 1, variant: variant).fit(.rows(rows))
      let sums = (0..<30).map { item in loss(all, [item]) }
      #expect(sums[one.medoids[0]] == sums.min(), "\(variant)")
      #expect(Set(one.assignments) == [0] && one.medoidSilhouette == 0)
      let each = try KMedoids(clusterCount: 30, variant: variant).fit(.rows(rows))
      #expect(each.loss == 0 && Set(each.medoids).count == 30)
      #expect(each.medoids.indices.allSatisfy { each.assignments[each.medoids[$0]] == $0 })
      let same = try Matrix(rows: Array(repeating: [1, 2, 3], count: 12))
      for start in MedoidStart.allCases {
        let found = try KMedoids(clusterCount: 5, variant: variant, start: start)
          .fit(.rows(same))
        #expect(found.loss == 0 && Set(found.medoids).count == 5, "\(variant) \(start)")
      }
      let single = try KMedoids(clusterCount: 1, variant: variant).fit(.rows(Matrix(rows: [[5]])))
      #expect(single.medoids == [0] && single.loss == 0 && single.assignments == [0])
    }
    let flat = try KMedoids(clusterCount: 2).fit(.rows(Matrix(rowCount: 4, columnCount: 0)))
    #expect(flat.loss == 0)
    let still = try KMedoids(clusterCount: 3, startMedoids: [4, 9, 2], maxIterations: 0)
      .fit(.rows(rows))
    #expect(still.medoids == [4, 9, 2] && !still.isConverged && still.swapCount == 0)
    #expect(still.loss == loss(all, [4, 9, 2]))
  }

  @Test func `zero rows are at 1 from all by the cosine`() throws {
    var rows = gaussianMatrix(rowCount: 10, columnCount: 3, seed: 2)
    for column in 0..<3 { rows[4, column] = 0 }
    let all = try Dissimilarities(comparing: rows, by: .cosine)
    #expect((0..<10).allSatisfy { all[4, $0] == ($0 == 4 ? 0 : 1) && all[$0, $0] == 0 })
    #expect(abs(all[1, 2] - Metric.cosine.distance(rows.row(1), rows.row(2))) < 1e-6)
    let l2 = try Dissimilarities(comparing: rows, by: .euclidean)
    let squared = Metric.squaredEuclidean.distance(rows.row(1), rows.row(2))
    #expect(l2[1, 2] == squared.squareRoot())
  }

  @Test func `what cannot be clustered is an error`() throws {
    let rows = gaussianMatrix(rowCount: 6, columnCount: 3, seed: 1)
    for k in [0, -1, 7] {
      expectError(.invalidArgument, "\(k) clusters of 6 things", "1 ... 6") {
        try KMedoids(clusterCount: k).fit(.rows(rows))
      }
    }
    for start in [[0, 0], [0], [0, 6], [-1, 2]] {
      expectError(.invalidArgument, "2 different") {
        try KMedoids(clusterCount: 2, startMedoids: start).fit(.rows(rows))
      }
    }
    expectError(.invalidArgument, "passes") {
      try KMedoids(clusterCount: 2, maxIterations: -1).fit(.rows(rows))
    }
    expectError(.badData, "no rows") {
      try KMedoids(clusterCount: 2).fit(.rows(Matrix(rowCount: 0, columnCount: 3)))
    }
    var broken = rows
    broken[4, 1] = .nan
    expectError(.badData, "row 4", "column 1") {
      try KMedoids(clusterCount: 2).fit(.rows(broken))
    }
    expectError(.unsupported, "fasterclara", "memoryLimit") {
      try KMedoids(clusterCount: 2, memoryLimit: 100).fit(.rows(rows))
    }
    let far = try Matrix(rows: [[3e38], [-3e38], [0], [1]])
    expectError(.badData, "scale") { try KMedoids(clusterCount: 2).fit(.rows(far)) }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try KMedoids(clusterCount: 2).fit(.rows(rows), in: cancelled) }
  }

  @Test func `what is no matrix of dissimilarities is an error`() throws {
    let good = try Matrix(rows: [[0, 1, 2], [1, 0, 3], [2, 3, 0]])
    #expect(try Dissimilarities(square: good).count == 3)
    func refused(_ row: Int, _ column: Int, _ value: Float, _ words: String) {
      var matrix = good
      matrix[row, column] = value
      expectError(.badData, "row \(row)", "column \(column)", words) {
        try Dissimilarities(square: matrix)
      }
    }
    refused(1, 1, 0.5, "0 from itself")
    refused(0, 2, -2, "at least 0")
    refused(2, 0, -2, "at least 0")
    refused(2, 1, .infinity, "inf")
    refused(2, 1, .nan, "nan")
    var skew = good
    skew[0, 2] = 4
    expectError(.badData, "row 2, column 0", "--symmetrise") { try Dissimilarities(square: skew) }
    let mended = try Dissimilarities(square: skew, symmetrizing: true)
    #expect(mended[0, 2] == 3 && mended[2, 0] == 3 && mended[0, 1] == 1)
    // Rounding is no fault, and both ways are then one.
    var rounded = good
    rounded[0, 2] = 2.00001
    let one = try Dissimilarities(square: rounded)
    #expect(one[0, 2] == 2 && one[2, 0] == 2)
    expectError(.dimensionMismatch, "2 × 3") {
      try Dissimilarities(square: Matrix(rowCount: 2, columnCount: 3))
    }
    expectError(.dimensionMismatch, "4 values") {
      try Dissimilarities(lowerTriangle: [1, 2, 3, 4])
    }
    expectError(.badData, "row 2", "column 1") {
      try Dissimilarities(lowerTriangle: [1, 2, -3])
    }
  }
}

/// PAM as it was first written down, on nothing but distances.
enum NaivePAM {
  /// The medoids after each pass, from the start on.
  static func passes(_ all: Dissimilarities, _ start: [Int]) -> [[Int]] {
    let table = table(all)
    var found = [start]
    while let best = bestSwap(table, found[found.count - 1]) {
      var medoids = found[found.count - 1]
      medoids[best.slot] = best.candidate
      found.append(medoids)
    }
    return found
  }

  private static func bestSwap(_ table: [[Double]], _ medoids: [Int])
    -> (slot: Int, candidate: Int)?
  {
    let ranks = table.map { row in medoids.indices.sorted { row[medoids[$0]] < row[medoids[$1]] } }
    var best: (slot: Int, candidate: Int)?
    var least = -1e-9
    for candidate in table.indices where !medoids.contains(candidate) {
      for slot in medoids.indices {
        var change = 0.0
        for (row, rank) in zip(table, ranks) {
          let kept = row[medoids[rank[rank[0] == slot ? 1 : 0]]]
          change += min(kept, row[candidate]) - row[medoids[rank[0]]]
        }
        if change < least - 1e-9 { (best, least) = ((slot, candidate), change) }
      }
    }
    return best
  }

  /// ΔTD of one candidate in the form of 2019: one sum a medoid.
  static func conferenceGains(_ all: Dissimilarities, _ medoids: [Int], _ candidate: Int)
    -> [Double]
  {
    func ranked(_ item: Int) -> [(Float, Int)] {
      medoids.enumerated().map { (all[item, $1], $0) }
        .sorted { $0.0 != $1.0 ? $0.0 < $1.0 : $0.1 < $1.1 }
    }
    let own = Double(ranked(candidate)[0].0)
    var gains = [Double](repeating: -own, count: medoids.count)
    for item in 0..<all.count where item != candidate {
      let distance = Double(all[item, candidate])
      let order = ranked(item)
      let (near, second, slot) = (Double(order[0].0), Double(order[1].0), order[0].1)
      gains[slot] += min(distance, second) - near
      guard distance < near else { continue }
      for other in medoids.indices where other != slot { gains[other] += distance - near }
    }
    // The candidate itself, should its own medoid be the one that goes.
    return gains
  }
}
