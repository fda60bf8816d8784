import BasisCore
import BasisFormats
import BasisSearch
import BasisStorage
import Foundation
import Testing
import _BasisTestSupport

/// What a query reads of a segment: bytes counted, not seconds.
@Suite struct MappedSegmentTests {
  static let count = 2400
  static let dimension = 256
  static let space = Space(id: .init(name: "vectors"), dimension: dimension, metric: .cosine)
  /// Around sixty centres.
  static let vectors: Matrix = {
    let centers = gaussianMatrix(rowCount: 60, columnCount: dimension, seed: 2)
    var rows = gaussianMatrix(rowCount: count, columnCount: dimension, seed: 3)
    rows.withUnsafeMutableFloats { floats in
      for row in 0..<count {
        for column in 0..<dimension {
          let place = row * dimension + column
          floats[place] = centers[row * 60 / count, column] + 0.3 * floats[place]
        }
      }
    }
    return rows
  }()
  static let vectorBytes = 4 * count * dimension

  let folder: TemporaryFolder
  let place: CollectionFolder

  init() throws {
    folder = try TemporaryFolder()
    place = try CollectionFolder(name: "demo", in: folder.path)
  }

  private func make(_ kind: IndexKind) throws {
    var settings = CollectionSettings(encoder: CollectionSettings.readyMade)
    settings.index.kind = kind
    let store = try CollectionStore.create(place, settings: settings)
    try store.addSpace(Self.space)
    try store.upsert(
      (0..<Self.count).map { row in
        Record(key: "k\(row)", payload: #"{"text":"t"}"#, vector: Self.vectors.row(row))
      })
    _ = try store.seal(spaces: [Self.space], in: RunContext()) { _, records throws(BasisError) in
      try Matrix(rows: records.map { $0.vector ?? [] })
    }
  }

  private func openSegment() throws -> Segment {
    try #require(try CollectionStore(place, for: .read).snapshot().parts.first).segment
  }

  @Test(arguments: IndexKind.allCases)
  func `a query verifies what it reads, once`(kind: IndexKind) throws {
    try make(kind)
    let segment = try openSegment()
    let index = try #require(try segment.denseIndex(of: Self.space))
    let queries = Self.vectors.selecting(rows: [17])
    // Opening reads what every query runs through, and no row.
    let opened = segment.verifiedByteCount
    #expect(opened < segment.byteCount - Self.vectorBytes)
    #expect(kind != .flat || opened < segment.byteCount / 25)

    func ask(_ effort: Effort) throws -> [Neighbor] {
      try index.search(queries, k: 1, allowing: nil, effort: effort, in: RunContext())[0]
    }
    let found = try ask(.candidates(kind == .lists ? 1 : 12))
    #expect(found.map(\.id) == [17])
    let asked = segment.verifiedByteCount
    if kind == .flat {
      #expect(asked - opened >= Self.vectorBytes)
    } else {
      #expect(asked > opened && asked - opened < Self.vectorBytes / 3, "\(asked - opened)")
    }
    _ = try ask(.candidates(kind == .lists ? 1 : 12))
    #expect(segment.verifiedByteCount == asked)
    #expect(try ask(.exact) == found)
    let all = segment.verifiedByteCount
    // Bytes prove who is nearest without most of the rows.
    #expect(kind == .int8 || all - opened >= Self.vectorBytes)
    #expect(all <= segment.byteCount)
    _ = try ask(.exact)
    #expect(segment.verifiedByteCount == all)
  }

  @Test func `one vector is verified with its neighbours, not with all`() throws {
    try make(.flat)
    let segment = try openSegment()
    let before = segment.verifiedByteCount
    #expect(try segment.vector(at: 2321, of: Self.space) == Self.vectors.row(2321))
    #expect(segment.verifiedByteCount - before <= 2 << 16)
    #expect(try segment.vectors(of: Self.space) == Self.vectors)
    #expect(segment.verifiedByteCount - before >= Self.vectorBytes)
  }

  @Test(arguments: IndexKind.allCases)
  func `damage is seen by the queries that touch it`(kind: IndexKind) throws {
    try make(kind)
    let path = place.path + "/segments/000001.seg"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    // The first row of a segment begins where its bytes first are.
    let needle = Self.vectors.row(2000).withUnsafeBytes { Data($0) }
    let start = try #require(bytes.range(of: needle)).lowerBound
    bytes[start + 100] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))

    let index = try #require(try openSegment().denseIndex(of: Self.space))
    let near = Self.vectors.selecting(rows: [2000])
    let error = #expect(throws: BasisError.self) {
      try index.search(near, k: 5, allowing: nil, effort: .exact, in: RunContext())
    }
    #expect(error?.code == .corruptFile)
    #expect(error?.message.contains("000001.seg: the block 'vectors/") == true)
    let fresh = try #require(try openSegment().denseIndex(of: Self.space))
    #expect(throws: BasisError.self) {
      try fresh.search(near, k: 5, allowing: nil, effort: .recall(0.95), in: RunContext())
    }
    #expect(throws: BasisError.self) { try openSegment().vector(at: 2000, of: Self.space) }
    #expect(throws: BasisError.self) { try openSegment().vectors(of: Self.space) }
    _ = try openSegment().vector(at: 1000, of: Self.space)
    #expect(try CollectionStore(place, for: .read).verify(in: RunContext()).damage.count == 1)
  }
}
