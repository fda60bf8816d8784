import BasisClustering
import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@Suite struct SampledTests {
  @Test(arguments: 0..<5 as Range<UInt64>)
  func `CLARA of everything is FasterPAM`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 200, columnCount: 4, seed: seed)
    let run = RunContext(seed: seed)
    for start in [MedoidStart.random, .build, .lab] {
      let whole = try KMedoids(clusterCount: 7, start: start).fit(.rows(rows), in: run)
      let sampled = try CLARA(clusterCount: 7, start: start, sampleSize: 200)
        .fit(.rows(rows), in: run)
      #expect(sampled.medoids == whole.medoids && sampled.loss == whole.loss)
      #expect(sampled.assignments == whole.assignments)
      #expect(sampled.medoidSilhouette == whole.medoidSilhouette)
    }
  }

  @Test func `the faster ones are no worse than the classic ones`() throws {
    let rows = gaussianMatrix(rowCount: 1000, columnCount: 6, seed: 3)
    let all = try Dissimilarities(ofAll: rows, by: .euclidean, in: RunContext())
    func mean(_ fit: (RunContext) throws -> KMedoidsModel) throws -> Double {
      try (0..<5).map { try fit(RunContext(seed: $0)).loss }.reduce(0, +) / 5
    }
    let input = PairwiseInput.dissimilarities(all)
    let whole = try KMedoids(clusterCount: 10).fit(input).loss
    let clara = try mean { try CLARA(clusterCount: 10, isClassic: true).fit(input, in: $0) }
    let fasterClara = try mean { try CLARA(clusterCount: 10).fit(input, in: $0) }
    #expect(fasterClara <= clara && fasterClara < 1.1 * whole)
    let clarans = try mean { try CLARANS(clusterCount: 10, isClassic: true).fit(input, in: $0) }
    let fasterClarans = try mean { try CLARANS(clusterCount: 10).fit(input, in: $0) }
    #expect(fasterClarans <= clarans && fasterClarans < 1.1 * whole)
  }

  @Test func `the loss that is told is that of the medoids`() throws {
    let rows = gaussianMatrix(rowCount: 300, columnCount: 5, seed: 9)
    let all = try Dissimilarities(comparing: rows, by: .cosine)
    for input in [PairwiseInput.rows(rows), .dissimilarities(all)] {
      for found in [
        try CLARA(clusterCount: 6, metric: .cosine).fit(input),
        try CLARANS(clusterCount: 6, metric: .cosine).fit(input),
      ] {
        #expect(abs(found.loss - loss(all, found.medoids)) < 1e-4)
        #expect(Set(found.medoids).count == 6 && found.warnings.isEmpty)
        for (item, cluster) in found.assignments.enumerated() {
          let nearest = found.medoids.map { all[item, $0] }.min()
          #expect(all[item, found.medoids[cluster]] == nearest)
        }
      }
    }
  }

  @Test func `threads change nothing`() throws {
    let rows = gaussianMatrix(rowCount: 1500, columnCount: 4, seed: 1)
    for threads in [2, 5] {
      let (one, many) = (
        RunContext(seed: 5, threadLimit: 1), RunContext(seed: 5, threadLimit: threads)
      )
      let clara = CLARA(clusterCount: 12)
      #expect(
        try clara.fit(.rows(rows), in: one).medoids == clara.fit(.rows(rows), in: many).medoids)
      let clarans = CLARANS(clusterCount: 12, restarts: 1, rate: 0.01)
      #expect(
        try clarans.fit(.rows(rows), in: one).medoids
          == clarans.fit(.rows(rows), in: many).medoids)
    }
  }

  @Test func `samples that are too small or too large are told`() throws {
    let rows = gaussianMatrix(rowCount: 100, columnCount: 3, seed: 1)
    let few = try CLARA(clusterCount: 20, sampleSize: 40).fit(.rows(rows))
    #expect(few.warnings.count == 1 && few.warnings[0].contains("at least 60"))
    let many = try CLARA(clusterCount: 5, sampleSize: 900).fit(.rows(rows))
    #expect(many.warnings[0].contains("took 100"))
    let none = try CLARA(clusterCount: 5, sampleSize: -3).fit(.rows(rows))
    #expect(none.warnings[0].contains("took 5"))
    let crowded = try CLARANS(clusterCount: 60).fit(.rows(rows))
    #expect(crowded.warnings[0].contains("fasterpam") && Set(crowded.medoids).count == 60)
    let single = try CLARANS(clusterCount: 1).fit(.rows(rows))
    #expect(single.warnings.isEmpty)
    #expect(try single.medoids == KMedoids(clusterCount: 1).fit(.rows(rows)).medoids)
  }

  @Test func `settings out of range are errors`() throws {
    let rows = gaussianMatrix(rowCount: 50, columnCount: 3, seed: 1)
    expectError(.invalidArgument, "51 clusters") {
      try CLARA(clusterCount: 51).fit(.rows(rows))
    }
    expectError(.invalidArgument, "1 sample") {
      try CLARA(clusterCount: 3, sampleCount: 0).fit(.rows(rows))
    }
    for rate in [0, -1, 1.5, .nan] {
      expectError(.invalidArgument, "rate") {
        try CLARANS(clusterCount: 3, rate: rate).fit(.rows(rows))
      }
    }
    expectError(.invalidArgument, "0 clusters") {
      try CLARANS(clusterCount: 0).fit(.rows(rows))
    }
    expectError(.unsupported, "50 × 50", "memoryLimit") {
      try CLARA(clusterCount: 3, memoryLimit: 9999).fit(.rows(rows))
    }
    expectError(.unsupported, "50 × 3", "memoryLimit") {
      try CLARANS(clusterCount: 3, memoryLimit: 599).fit(.rows(rows))
    }
    let cancelled = RunContext()
    cancelled.cancellation.cancel()
    expectError(.cancelled) { try CLARA(clusterCount: 3).fit(.rows(rows), in: cancelled) }
    expectError(.cancelled) { try CLARANS(clusterCount: 3).fit(.rows(rows), in: cancelled) }
  }
}
