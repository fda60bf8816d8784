import BasisCore
import Testing

@Suite struct TopKTests {
  @Test(arguments: 0..<20) func `keeps what a full sort would keep`(seed: UInt64) {
    var generator = RandomGenerator(seed: seed)
    let k = generator.nextInt(below: 12)
    let offered = (0..<generator.nextInt(below: 60)).map {
      // Few distinct distances, so that ties are common.
      Neighbor(id: $0, distance: Float(generator.nextInt(below: 8)))
    }
    var top = TopK(k: k)
    for neighbor in offered { top.offer(neighbor) }
    #expect(top.sorted() == Array(offered.sorted().prefix(k)))
  }

  @Test func `drops distances that are not numbers`() {
    var top = TopK(k: 2)
    top.offer(Neighbor(id: 0, distance: .nan))
    top.offer(Neighbor(id: 1, distance: 3))
    top.offer(Neighbor(id: 2, distance: .nan))
    #expect(top.sorted() == [Neighbor(id: 1, distance: 3)])
  }
}
