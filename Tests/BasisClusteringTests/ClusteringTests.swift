import BasisClustering
import BasisCore
import BasisFormats
import BasisNumerics
import Foundation
import Testing
import _BasisTestSupport

@Suite struct ClusteringTests {
  // MARK: What all methods keep to

  private func numbers(_ found: any StoredClustering) -> [Double] {
    [found.loss] + found.sizes.sorted().map { Double($0) }
  }

  @Test func `every method of the catalogue keeps to the rules`() throws {
    let parts = MethodParts([blobs(96, centers: 8, dimension: 3, seed: 2)], names: ["x"])
    for entry in ClusteringCatalogue.entries {
      // Starts are drawn by number, and eager swaps go by order.
      try checkMethod(entry, parts, isOfRows: false, numbers: numbers)
    }
    // Where neither plays a part, the order says nothing.
    for variant in [KMedoids.Variant.fastPAM1, .pam, .alternating] {
      let named = try ClusteringCatalogue.entry(named: variant.rawValue)
      let entry = MethodEntry(named.descriptor, KMedoids(variant: variant, start: .build)) {
        (settings: KMedoids, input: PairwiseInput, run: RunContext) throws(BasisError) in
        try settings.fit(input, in: run) as any StoredClustering
      }
      try checkMethod(entry, parts, numbers: numbers)
    }
    expectError(.invalidArgument, "'stars'", "fasterpam", "kmeans") {
      try ClusteringCatalogue.entry(named: "stars")
    }
  }

  @Test(arguments: ClusteringCatalogue.entries.map(\.descriptor.name), 0..<3 as Range<UInt64>)
  func `groups that lie far apart are found, kept in files, and joined`(
    name: String, seed: UInt64
  ) throws {
    let entry = try ClusteringCatalogue.entry(named: name)
    let rows = blobs(240, centers: 4, dimension: 6, seed: seed)
    // Assigning in turns ends in the optimum that its start leads to.
    let settings =
      name == "alternating"
      ? #"{"clusterCount": 4, "start": "build"}"# : #"{"clusterCount": 4}"#
    let found = try entry.run(
      MethodParts([rows]), settings: settings, in: RunContext(seed: seed))
    #expect(found.clusterCount == 4 && found.sizes == [60, 60, 60, 60])
    #expect(partition(found.assignments) == (0..<240).map { $0 % 4 })
    let further = blobs(40, centers: 4, dimension: 6, seed: seed)
    #expect(
      try found.assign(further, in: RunContext()) == (0..<40).map { found.assignments[$0 % 4] })
    expectError(.dimensionMismatch, "5", "6") {
      try found.assign(Matrix(rowCount: 1, columnCount: 5), in: RunContext())
    }
    var broken = further
    broken[3, 2] = .nan
    expectError(.badData, "row 3", "column 2") { try found.assign(broken, in: RunContext()) }
    #expect(
      try found.assign(Matrix(rowCount: 0, columnCount: 6), in: RunContext()) == [])

    let folder = try TemporaryFolder()
    let path = folder.path + "/groups"
    try found.save(to: path)
    let again = try ClusteringCatalogue.open(path)
    #expect(again.assignments == found.assignments && again.loss == found.loss)
    #expect(again.iterationCount == found.iterationCount)
    #expect(
      try again.assign(further, in: RunContext()) == found.assign(further, in: RunContext()))
  }

  @Test func `files that are damaged are errors`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/groups"
    expectError(.notFound, "groups") { try ClusteringCatalogue.open(path) }
    let found = try KMedoids(clusterCount: 3).fit(
      .rows(gaussianMatrix(rowCount: 20, columnCount: 2, seed: 1)))
    try found.save(to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for place in stride(from: 0, to: bytes.count, by: 7) {
      var changed = bytes
      changed[place] ^= 0x20
      try changed.write(to: URL(fileURLWithPath: path))
      do throws(BasisError) {
        let read = try ClusteringCatalogue.open(path)
        Issue.record("byte \(place) changed, and \(read.clusterCount) groups were read")
      } catch {
        #expect([.corruptFile, .unsupported].contains(error.code), "\(error)")
      }
      try bytes.prefix(place).write(to: URL(fileURLWithPath: path))
      expectError(.corruptFile) { try ClusteringCatalogue.open(path) }
    }
  }

  @Test func `groups of dissimilarities are joined by dissimilarities`() throws {
    let rows = blobs(60, centers: 3, dimension: 2, seed: 1)
    let all = try Dissimilarities(comparing: rows, by: .euclidean)
    let found = try KMedoids(clusterCount: 3).fit(.dissimilarities(all))
    #expect(found.medoidRows == nil)
    let distances = Matrix(rowCount: 60, columnCount: 3) { out in
      for item in 0..<60 {
        for slot in 0..<3 { out[3 * item + slot] = all[item, found.medoids[slot]] }
      }
    }
    #expect(try found.assign(distances) == found.assignments)
    expectError(.dimensionMismatch, "3 dissimilarities") { try found.assign(rows) }
    let folder = try TemporaryFolder()
    try found.save(to: folder.path + "/g")
    let again = try ClusteringCatalogue.open(folder.path + "/g")
    #expect(try again.assign(distances, in: RunContext()) == found.assignments)
  }

  // MARK: How many

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `the number of far groups is found`(seed: UInt64) throws {
    let rows = blobs(150, centers: 6, dimension: 5, seed: seed)
    let run = RunContext(seed: seed, threadLimit: 1)
    let scan = ClusterCountScan(maxClusterCount: 12)
    let (model, steps) = try scan.fit(.rows(rows), in: run)
    #expect(model.clusterCount == 6)
    #expect(partition(model.assignments) == (0..<150).map { $0 % 6 })
    #expect(steps.map(\.clusterCount) == Array(2...12))
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.loss > $1.loss })
    let six = try #require(steps.first { $0.clusterCount == 6 })
    #expect(six.loss == model.loss && six.medoidSilhouette == model.medoidSilhouette)
    #expect(steps.allSatisfy { $0.medoidSilhouette <= six.medoidSilhouette })
    #expect(
      try scan.fit(.rows(rows), in: RunContext(seed: seed, threadLimit: 3)).steps == steps)
  }

  @Test func `a number of groups is chosen among enough things`() throws {
    let few = gaussianMatrix(rowCount: 3, columnCount: 2, seed: 1)
    let (model, steps) = try ClusterCountScan().fit(.rows(few))
    #expect(model.clusterCount == 2 && steps.count == 1)
    expectError(.invalidArgument, "at least 3 things", "among 2") {
      try ClusterCountScan().fit(.rows(few.selecting(rows: [0, 1])))
    }
    expectError(.invalidArgument, "up to 1") {
      try ClusterCountScan(maxClusterCount: 1).fit(.rows(few))
    }
  }

  // MARK: Silhouettes

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `silhouettes are those of the definition`(seed: UInt64) throws {
    let rows = gaussianMatrix(rowCount: 70, columnCount: 3, seed: seed)
    let all = try Dissimilarities(comparing: rows, by: .euclidean)
    // Group 3 is empty and group 4 has one.
    let groups = (0..<70).map { $0 == 9 ? 4 : $0 * 7 % 3 }
    let found = try Silhouette(all, groups, clusterCount: 5)
    for item in 0..<70 {
      func mean(_ group: Int) -> Double {
        let others = (0..<70).filter { groups[$0] == group && $0 != item }
        return others.reduce(0.0) { $0 + Double(all[item, $1]) } / Double(others.count)
      }
      let inside = mean(groups[item])
      let outside = [0, 1, 2, 4].filter { $0 != groups[item] }.map(mean).min() ?? 0
      let wanted = item == 9 ? 0 : (outside - inside) / max(inside, outside)
      #expect(abs(found.values[item] - wanted) < 1e-9)
    }
    #expect(abs(found.mean - found.values.reduce(0, +) / 70) < 1e-12)
    #expect(found.clusterMeans[3] == 0 && found.clusterMeans[4] == 0)
    #expect(try Silhouette(all, Array(repeating: 0, count: 70), clusterCount: 1).mean == 0)
    let threads = try Silhouette(all, groups, clusterCount: 5, in: RunContext(threadLimit: 3))
    #expect(threads.values == found.values)
    expectError(.dimensionMismatch, "69") {
      try Silhouette(all, Array(groups.dropLast()), clusterCount: 5)
    }
    expectError(.invalidArgument, "0 ..< 2") { try Silhouette(all, groups, clusterCount: 2) }
  }
}
