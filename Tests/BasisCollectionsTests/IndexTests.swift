import BasisCollections
import BasisCore
import BasisSearch
import BasisStorage
import Testing
import _BasisTestSupport

/// Collections whose segments have an index that is not flat.
@Suite struct IndexTests {
  let folder: TemporaryFolder
  let place: CollectionFolder
  static let dimension = 24

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  /// Vectors around forty centres.
  private func vector(_ row: Int, round: Int) -> [Float] {
    var generator = RandomGenerator(seed: UInt64(row * 1000 + round))
    var center = RandomGenerator(seed: UInt64(generator.nextInt(below: 40)))
    return (0..<Self.dimension).map { _ in
      Float(center.nextGaussian() + 0.5 * generator.nextGaussian())
    }
  }

  private func make(_ kind: IndexKind) throws -> VectorCollection {
    var settings = CollectionSettings(encoder: CollectionSettings.readyMade)
    settings.index.kind = kind
    let collection = try VectorCollection.create(place, settings: settings)
    try collection.store.addSpace(
      Space(id: .init(name: "vectors"), dimension: Self.dimension, metric: .cosine))
    return collection
  }

  private func write(_ rows: [Int], round: Int, to collection: VectorCollection) throws {
    try collection.store.upsert(
      rows.map { row in
        Record(
          key: "k\(row)", payload: #"{"text":"t\#(row)","part":\#(row % 50)}"#,
          vector: vector(row, round: round))
      })
    _ = try collection.seal(all: true, in: RunContext())
    try collection.maintain(in: RunContext())
  }

  @Test(arguments: [IndexKind.lists, .graph])
  func `recall holds while rows come and go`(kind: IndexKind) throws {
    let collection = try make(kind)
    let count = 3000
    try write(Array(0..<count), round: 0, to: collection)
    #expect(try collection.info().indexes.map(\.plan.kind) == [kind])
    var generator = RandomGenerator(seed: 8)
    for round in 1...10 {
      // A third of the rows at a time, which leaves dead ones in every segment.
      let rows = generator.sample(count * 3 / 10, of: count)
      try write(rows.count < 1024 ? rows + extra(rows, count) : rows, round: round, to: collection)
    }
    #expect(try collection.info().recordCount == count)
    let report = try collection.measureRecall(effort: .recall(0.95), in: RunContext())
    #expect(report.recalls.count == 200)
    #expect(report.recall >= 0.93, "\(report.recall)")
    #expect(report.kinds[kind, default: 0] >= 1)
    let exact = try collection.measureRecall(effort: .exact, in: RunContext())
    #expect(exact.recall == 1)
    let filtered = try collection.measureRecall(
      filter: Filter("part = 7"), effort: .recall(0.95), in: RunContext())
    #expect(filtered.recordCount == count / 50)
    #expect(filtered.recall >= 0.93, "\(filtered.recall)")
  }

  /// Enough more rows that they are sealed.
  private func extra(_ rows: [Int], _ count: Int) -> [Int] {
    let taken = Set(rows)
    return Array((0..<count).filter { !taken.contains($0) }.prefix(1024 - rows.count))
  }

  @Test(arguments: [IndexKind.lists, .graph])
  func `an index is read from its segment, and the plan says so`(kind: IndexKind) throws {
    var collection: VectorCollection? = try make(kind)
    try write(Array(0..<1500), round: 0, to: #require(collection))
    collection = nil
    let reader = try VectorCollection(place, for: .read)
    var request = SearchRequest(.vector(vector(17, round: 0)))
    request.mode = .dense
    request.explains = true
    let result = try reader.search(request, in: RunContext())
    #expect(result.hits.first?.key == "k17")
    #expect(result.hits.count == 10)
    #expect(result.plan.steps.contains { $0.contains("\(kind.rawValue) of 1 segments") })
    request.effort = .exact
    let exact = try reader.search(request, in: RunContext())
    #expect(exact.plan.steps.contains { $0.contains("exact scan") })
    #expect(exact.hits.first?.key == "k17")
    #expect(try reader.store.verify(in: RunContext()).damage.isEmpty)
  }
}
