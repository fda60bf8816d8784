import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisDetection

/// A model of another room.
private struct Stranger: FittedModel {
  static let modelName = "gaussian naive bayes"
  init() {}
  init(from file: ModelFile) throws(BasisError) {}
  func write(to file: inout ModelWriter) throws(BasisError) {}
}

@Suite struct DetectorTests {
  @Test(arguments: DetectionCatalogue.entries.map(\.descriptor.name))
  func `a method keeps to what all methods do`(name: String) throws {
    let entry = try DetectionCatalogue.entry(named: name)
    let blobs = Blobs(count: 60, dimension: 5, seed: 1)
    // Labels that a method does not eat are of no account.
    let labels = entry.input.contains("labels") ? blobs.labels : nil
    try checkMethod(entry, MethodParts([blobs.rows], labels: labels)) { found in
      [found.threshold] + ((try? found.scores(of: [blobs.strange], in: RunContext())) ?? [])
    }
    let names = DetectionCatalogue.entries.map(\.descriptor.name)
    #expect(Set(names).count == names.count)
    expectError(.invalidArgument, "'luck'", "mahalanobis") {
      try DetectionCatalogue.entry(named: "luck")
    }
  }

  @Test(arguments: DetectionCatalogue.entries.map(\.descriptor.name))
  func `a detector in a file is the same detector`(name: String) throws {
    let blobs = Blobs(count: 60, dimension: 5, seed: 2)
    let entry = try DetectionCatalogue.entry(named: name)
    let found = try entry.run(MethodParts([blobs.rows], labels: blobs.labels))
    let folder = try TemporaryFolder()
    let path = folder.path + "/detector"
    try found.save(to: path)
    let again = try DetectionCatalogue.open(path)
    #expect(again.threshold == found.threshold)
    #expect(again.layerSizes == found.layerSizes && again.warnings == found.warnings)
    let run = RunContext()
    #expect(
      try again.scores(of: [blobs.strange], in: run) == found.scores(of: [blobs.strange], in: run))
    try Stranger().save(to: path)
    expectError(.badData, "gaussian naive bayes") { try DetectionCatalogue.open(path) }
  }

  @Test(arguments: DetectionCatalogue.entries.map(\.descriptor.name), 0..<4 as Range<UInt64>)
  func `about as many are accepted as asked for`(name: String, seed: UInt64) throws {
    let blobs = Blobs(count: 300, dimension: 4, seed: seed)
    let entry = try DetectionCatalogue.entry(named: name)
    let found = try entry.run(
      MethodParts([blobs.rows], labels: blobs.labels), settings: #"{"acceptedShare": 0.9}"#)
    let further = Blobs(count: 300, dimension: 4, seed: seed + 50)
    let scores = try found.scores(of: [further.rows], in: RunContext())
    let share = Double(scores.count { $0 >= found.threshold }) / 300
    // Four deviations of a share of 300, of the threshold's and of the further rows'.
    #expect(abs(share - 0.9) < 4 * (2 * 0.9 * 0.1 / 300).squareRoot(), "\(share)")
  }

  @Test func `neighbours, softmax and energy are those of the formulas`() throws {
    let one = try DetectionFixture.load().peers
    let (rows, test) = (try Matrix(rows: one.rows), try Matrix(rows: one.test))
    let run = RunContext()
    let neighbors = try NeighborDetector(neighborCount: one.k).fit(rows, in: run)
    #expect(relativeError(try neighbors.scores(of: [test], in: run), one.neighbours) < 1e-6)
    #expect(abs(neighbors.threshold - one.threshold) < 1e-6)
    let softmax = try LogitDetector().fit(rows, in: run)
    #expect(relativeError(try softmax.scores(of: [test], in: run), one.softmax) < 1e-12)
    let energy = try LogitDetector(score: .energy, temperature: one.temperature).fit(rows, in: run)
    #expect(relativeError(try energy.scores(of: [test], in: run), one.energy) < 1e-12)
    let sure = try Matrix(rows: [[1e30, -1e30, 0]])
    let far = try LogitDetector(score: .energy).fit(
      Matrix(rowCount: 1, columnCount: 3), in: run)
    #expect(try far.scores(of: [sure], in: run) == [Double(Float(1e30))])
  }

  @Test func `neighbours want some rows`() throws {
    let blobs = Blobs(count: 6, dimension: 3, seed: 1)
    let run = RunContext()
    let few = try NeighborDetector().fit(blobs.rows, in: run)
    #expect(few.neighborCount == 5 && few.warnings.count == 1)
    expectError(.badData, "2 rows", "1 × 3") {
      try NeighborDetector().fit(blobs.rows.selecting(rows: [0]), in: run)
    }
    expectError(.invalidArgument, "0 neighbours") {
      try NeighborDetector(neighborCount: 0).fit(blobs.rows, in: run)
    }
    expectError(.invalidArgument, "temperature", "0.0") {
      try LogitDetector(temperature: 0).fit(blobs.rows, in: run)
    }
    expectError(.invalidArgument, "share", "1.0") {
      try LogitDetector(acceptedShare: 1).fit(blobs.rows, in: run)
    }
    expectError(.badData, "6 × 1") {
      try LogitDetector().fit(blobs.rows.prefix(columns: 1), in: run)
    }
    expectError(.dimensionMismatch, "1 layer of 3 columns", "2 layers of 3, 3 columns") {
      try few.scores(of: [blobs.strange, blobs.strange], in: run)
    }
  }
}
