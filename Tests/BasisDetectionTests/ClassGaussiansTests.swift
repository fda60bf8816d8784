import BasisCore
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@testable import BasisDetection

@Suite struct ClassGaussiansTests {
  private func doubles(_ matrix: Matrix) -> [Double] {
    matrix.withUnsafeFloats { $0.map { Double($0) } }
  }

  @Test func `covariances, distances and classes are scikit-learn's`() throws {
    let all = try DetectionFixture.load()
    for (cases, shrinkage) in [
      (all.plain, ClassGaussians.Shrinkage.none), (all.shrunk, .ledoitWolf), (all.singular, .none),
    ] {
      for one in cases {
        let settings = ClassGaussians(shrinkage: shrinkage)
        let rows = try Matrix(rows: one.rows)
        let model = try settings.fit(rows, labels: one.labels)
        #expect(model.classes == Set(one.labels).sorted())
        #expect(relativeError(model.means, Array(one.means.joined())) < 1e-12)
        #expect(abs(model.shrinkages[0] - one.shrinkage) < 1e-10)
        #expect(relativeError(model.covariance(), Array(one.covariance.joined())) < 1e-10)
        #expect(relativeError(try model.precision(), Array(one.precision.joined())) < 1e-6)
        let test = try Matrix(rows: one.test)
        let distances = try model.squaredDistances(of: test)
        #expect(relativeError(doubles(distances), Array(one.distances.joined())) < 1e-5)
        let nearest = try model.nearest(to: test)
        for (row, wanted) in one.distances.enumerated() {
          let least = try #require(wanted.min())
          #expect(wanted[nearest.classes[row]] == least)
          #expect(abs(nearest.squaredDistances[row] - least) < 1e-5 * max(1, least))
        }
        guard let equal = one.equal, let weighed = one.weighed else { continue }
        let everything = try Matrix(rows: one.rows + one.test)
        #expect(try model.labels(of: everything) == equal)
        #expect(try model.labels(of: everything, weighingCounts: true) == weighed)
      }
    }
  }

  @Test func `a singular covariance says what it cannot see`() throws {
    let one = try DetectionFixture.load().singular[0]
    let model = try ClassGaussians().fit(Matrix(rows: one.rows), labels: one.labels)
    #expect(model.ranks == [2])
    #expect(model.dimension == 4)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `a class that is added later is a class from the start`(seed: UInt64) throws {
    let blobs = Blobs(count: 90, dimension: 4, seed: seed)
    for settings in [
      ClassGaussians(), ClassGaussians(shrinkage: .ledoitWolf),
      ClassGaussians(covariance: .perClass),
      ClassGaussians(covariance: .perClass, shrinkage: .ledoitWolf),
    ] {
      let whole = try settings.fit(blobs.rows, labels: blobs.labels)
      let early = (0..<90).filter { blobs.labels[$0] < 2 }
      let late = (0..<90).filter { blobs.labels[$0] == 2 }
      let part = try settings.fit(
        blobs.rows.selecting(rows: early), labels: early.map { blobs.labels[$0] })
      let grown = try part.adding(blobs.rows.selecting(rows: late), label: 2)
      #expect(grown.classes == whole.classes)
      for index in whole.scatters.indices {
        #expect(relativeError(grown.covariance(index), whole.covariance(index)) < 1e-12)
      }
      #expect(relativeError(grown.shrinkages, whole.shrinkages) < 1e-9)
      let distances = try grown.squaredDistances(of: blobs.strange)
      #expect(
        relativeError(doubles(distances), doubles(try whole.squaredDistances(of: blobs.strange)))
          < 1e-5)
    }
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `the Gaussian of all rows is one class`(seed: UInt64) throws {
    let blobs = Blobs(count: 60, dimension: 5, seed: seed)
    let zeros = [Int](repeating: 0, count: 60)
    let direct = try ClassGaussians().fit(blobs.rows, labels: zeros)
    for covariance in ClassGaussians.Covariance.allCases {
      let model = try ClassGaussians(covariance: covariance).fit(blobs.rows, labels: blobs.labels)
      let one = try model.asOneClass()
      #expect(relativeError(one.covariance(), direct.covariance()) < 1e-12)
      #expect(relativeError(one.means, direct.means) < 1e-12)
    }
    let shrunk = try ClassGaussians(shrinkage: .ledoitWolf).fit(blobs.rows, labels: blobs.labels)
    #expect(try shrunk.asOneClass().shrinkages == shrunk.shrinkages)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `distances keep to any linear map`(seed: UInt64) throws {
    let blobs = Blobs(count: 90, dimension: 5, seed: seed)
    let map = gaussianMatrix(rowCount: 5, columnCount: 5, seed: seed + 100)
    for covariance in ClassGaussians.Covariance.allCases {
      let settings = ClassGaussians(covariance: covariance)
      let model = try settings.fit(blobs.rows, labels: blobs.labels)
      let mapped = try settings.fit(
        LinearAlgebra.product(blobs.rows, map), labels: blobs.labels)
      let before = try model.nearest(to: blobs.strange)
      let after = try mapped.nearest(to: LinearAlgebra.product(blobs.strange, map))
      #expect(before.classes == after.classes)
      #expect(relativeError(after.squaredDistances, before.squaredDistances) < 1e-5)
    }
  }

  @Test(arguments: [1, 7, 33, 70], ClassGaussians.Covariance.allCases)
  func `a row's distance is its own`(dimension: Int, covariance: ClassGaussians.Covariance) throws {
    let blobs = Blobs(count: 3 * (dimension + 3), dimension: dimension, strangeCount: 530, seed: 5)
    let settings = ClassGaussians(covariance: covariance, shrinkage: .ledoitWolf)
    let model = try settings.fit(blobs.rows, labels: blobs.labels)
    let all = try model.nearest(to: blobs.strange, in: RunContext(threadLimit: 2))
    let matrix = try model.squaredDistances(of: blobs.strange)
    for row in [0, 1, 255, 256, 511, 529] {
      let one = try model.nearest(to: blobs.strange.selecting(rows: [row]))
      #expect(one.classes == [all.classes[row]])
      #expect(one.squaredDistances == [all.squaredDistances[row]])
      #expect(
        abs(Double(matrix.row(row).min() ?? -1) - one.squaredDistances[0]) <= 1e-5
          * one.squaredDistances[0])
    }
    #expect(try model.nearest(to: Matrix(rowCount: 0, columnCount: dimension)).classes.isEmpty)
  }

  @Test func `slopes are differences`() throws {
    let blobs = Blobs(count: 90, dimension: 4, seed: 3)
    for covariance in ClassGaussians.Covariance.allCases {
      let model = try ClassGaussians(covariance: covariance).fit(blobs.rows, labels: blobs.labels)
      let rows = blobs.strange.selecting(rows: 0..<5)
      let places = [0, 1, 2, 1, 0]
      let slopes = try model.distanceSlopes(at: rows, from: places)
      for row in 0..<5 {
        for column in 0..<4 {
          let step: Float = 0.25
          var (up, down) = (rows.selecting(rows: [row]), rows.selecting(rows: [row]))
          up[0, column] += step
          down[0, column] -= step
          let place = places[row]
          let difference =
            try model.squaredDistances(of: up)[0, place]
            - model.squaredDistances(of: down)[0, place]
          // The distance is a square: central differences are exact but for rounding.
          let error = abs(difference / (2 * step) - slopes[row, column])
          #expect(error < 1e-3 * max(1, abs(slopes[row, column])))
        }
      }
    }
  }

  @Test func `bad input is told`() throws {
    let blobs = Blobs(count: 30, dimension: 4, seed: 1)
    let settings = ClassGaussians()
    expectError(.dimensionMismatch, "29 labels", "30 rows") {
      try settings.fit(blobs.rows, labels: Array(blobs.labels.dropLast()))
    }
    var lonely = blobs.labels
    lonely[7] = 9
    expectError(.badData, "class 9", "1 row") { try settings.fit(blobs.rows, labels: lonely) }
    var broken = blobs.rows
    broken[4, 2] = .nan
    expectError(.badData, "row 4", "column 2") { try settings.fit(broken, labels: blobs.labels) }
    let few = blobs.rows.selecting(rows: [0, 3, 1, 4])
    expectError(.badData, "4 rows for 4 columns", "ledoitWolf") {
      try settings.fit(few, labels: [0, 0, 1, 1])
    }
    expectError(.badData, "class 0", "ledoitWolf") {
      try ClassGaussians(covariance: .perClass)
        .fit(blobs.rows.selecting(rows: 0..<12), labels: Array(blobs.labels[..<12]))
    }
    #expect(
      try ClassGaussians(shrinkage: .ledoitWolf).fit(few, labels: [0, 0, 1, 1]).ranks == [4])
    expectError(.badData, "do not differ") {
      try settings.fit(Matrix(rowCount: 10, columnCount: 2), labels: (0..<10).map { $0 % 2 })
    }
    let model = try settings.fit(blobs.rows, labels: blobs.labels)
    expectError(.dimensionMismatch, "4 columns", "1 × 3") {
      try model.nearest(to: Matrix(rowCount: 1, columnCount: 3))
    }
    expectError(.badData, "row 4", "column 2") { try model.nearest(to: broken) }
    expectError(.invalidArgument, "class 1 already") { try model.adding(few, label: 1) }
    expectError(.badData, "1 row") { try model.adding(few.selecting(rows: [0]), label: 8) }
  }
}
