import BasisCore
import BasisFormats
import BasisGraphs
import Testing
import _BasisTestSupport

@Suite struct CSRGraphTests {
  private func graph(
    _ links: [(Int32, Int32)], _ weights: [Float] = [],
    _ direction: CSRGraph.Direction = .undirected, n: Int = 5
  ) throws -> CSRGraph {
    try CSRGraph(
      nodeCount: n, sources: links.map(\.0), targets: links.map(\.1), weights: weights,
      direction: direction)
  }

  @Test func `links named once stand for both directions`() throws {
    let one = try graph([(0, 1), (3, 1), (2, 2)])
    #expect(one.nodeCount == 5 && one.linkCount == 3 && !one.isDirected)
    #expect(one[0, 1] == 1 && one[1, 0] == 1 && one[1, 3] == 1 && one[2, 2] == 1 && one[0, 3] == 0)
    #expect(one.degrees == [1, 2, 1, 1, 0] && Array(one.neighbors(of: 1)) == [0, 3])
    #expect(try graph([(0, 1), (1, 0), (1, 3), (3, 1), (2, 2)]) == one)
    let weighted = try graph([(0, 1), (3, 1)], [2, 0.5])
    #expect(weighted.weightedDegrees == [2, 2.5, 0, 0.5, 0])
    #expect(try graph([(0, 1), (1, 0)], [2, 2])[0, 1] == 2)
  }

  @Test func `what is named again counts once, weights add up`() throws {
    let plain = try graph([(0, 1), (0, 1), (0, 1)])
    #expect(plain[0, 1] == 1 && plain.repeatedCount == 2)
    let weighted = try graph([(0, 1), (0, 1), (2, 3)], [1, 2, 0])
    #expect(weighted[1, 0] == 3 && weighted.linkCount == 1 && weighted.repeatedCount == 1)
  }

  @Test func `a list that looks directed is refused until it is said to be or not`() throws {
    let links: [(Int32, Int32)] = [(0, 1), (1, 0), (1, 2)]
    expectError(.badData, "1 of 2 links", "--directed", "--symmetrise") { try graph(links) }
    expectError(.badData, "another weight") { try graph([(0, 1), (1, 0)], [1, 2]) }
    let directed = try graph(links, [], .directed)
    #expect(directed[1, 2] == 1 && directed[2, 1] == 0 && directed.linkCount == 3)
    let both = try graph(links, [1, 2, 4], .symmetrized)
    #expect(both[0, 1] == 3 && both[1, 0] == 3 && both[2, 1] == 4)
    #expect(try graph(links, [], .symmetrized)[0, 1] == 1)
  }

  @Test func `what is no graph is one error`() throws {
    expectError(.badData, "link 1", "-1", "0 ..< 5") { try graph([(0, 1), (2, -1)]) }
    expectError(.badData, "link 0", "between 0 and 5") { try graph([(0, 5)]) }
    expectError(.badData, "link 1", "-2.0") { try graph([(0, 1), (1, 2)], [1, -2]) }
    expectError(.badData, "link 0", "nan") { try graph([(0, 1)], [.nan]) }
    expectError(.dimensionMismatch, "2 sources") { try graph([(0, 1), (1, 2)], [1]) }
    var matrix = SparseMatrix(columnCount: 2)
    matrix.append(row: [(column: 1, value: 1)])
    expectError(.dimensionMismatch, "1 × 2") { try CSRGraph(adjacency: matrix) }
    matrix.append(row: [(column: 1, value: 1)])
    expectError(.badData, "not symmetric") { try CSRGraph(adjacency: matrix) }
    #expect(try CSRGraph(adjacency: matrix, isDirected: true).linkCount == 2)
    let none = try graph([], n: 0)
    #expect(none.nodeCount == 0 && none.linkCount == 0 && none.degrees.isEmpty)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `both rows of a link agree, in any order of the links`(seed: UInt64) throws {
    let one = try randomGraph(23, density: 0.2, seed: seed)
    var pairs: [(Int32, Int32, Float)] = []
    for node in 0..<23 {
      for other in one.neighbors(of: node) {
        #expect(one[node, Int(other)] == one[Int(other), node])
        if other < node { pairs.append((Int32(node), other, one[node, Int(other)])) }
      }
    }
    var generator = RandomGenerator(seed: seed)
    generator.shuffle(&pairs)
    let other = try graph(pairs.map { ($0.1, $0.0) }, pairs.map(\.2), n: 23)
    #expect(other.adjacency == one.adjacency && one.linkCount == pairs.count)
  }

  @Test func `files of links become graphs`() throws {
    let folder = try TemporaryFolder()
    let named = try LinkTable(path: folder.write("a.csv", "from,to,weight\nann,bob,2\nbob,cy,1\n"))
    let graph = try CSRGraph(named)
    #expect(graph.names == ["ann", "bob", "cy"] && graph[1, 0] == 2 && graph.name(of: 2) == "cy")
    let head = "%%MatrixMarket matrix coordinate pattern general\n3 3 2\n"
    let lopsided = try LinkTable(path: folder.write("b.mtx", head + "1 2\n2 3\n"))
    expectError(.badData, "not symmetric") { try CSRGraph(lopsided) }
    #expect(try CSRGraph(lopsided, direction: .directed).linkCount == 2)
    let whole = try LinkTable(path: folder.write("c.mtx", head + "1 2\n2 1\n"))
    #expect(try CSRGraph(whole).linkCount == 1)
  }
}
