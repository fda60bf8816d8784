import BasisCore
import BasisSearch
import Testing

@Suite struct FusionTests {
  @Test func `a row that two rankings have comes first`() throws {
    let a = [Neighbor(id: 1, distance: 0), Neighbor(id: 2, distance: 1)]
    let b = [Neighbor(id: 3, distance: 0), Neighbor(id: 2, distance: 1)]
    #expect(try Fusion().fuse([a, b], k: 3).map(\.id) == [2, 1, 3])
  }
}
